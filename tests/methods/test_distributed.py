"""Several processes end with the weights of one; what each of them does to a loss, by hand."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from medtl_helpers.methods import distributed
from medtl_helpers.methods.distributed import agree, averaged, cross_entropy, is_main, own, shared, started

SCRIPT = Path(__file__).with_name("trained_together.py")
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def test_one_process_is_left_alone(monkeypatch):
    for name in ("WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    model, batch, total = torch.nn.Linear(2, 2), torch.randn(5, 2), torch.tensor(3.0)
    with started():
        assert shared(model) is model and own(batch) is batch and averaged(total, model) is total
        assert is_main() and agree("this") == "this"
        assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 4.0, 0.3])], ids=["equal", "weighted"])
@pytest.mark.parametrize("n, world", [(12, 3), (11, 3), (4, 3), (3, 3), (2, 3), (1, 2), (9, 1)])
def test_the_mean_over_processes_is_the_loss_of_the_whole_batch_and_so_is_its_gradient(monkeypatch, n, world, weight):
    """A last batch, shares that are not equally large, and fewer examples than processes."""
    generator = torch.Generator().manual_seed(n)
    x, y = torch.randn(n, 4, generator=generator), torch.randint(3, (n,), generator=generator)
    matrix = torch.randn(4, 3, generator=generator, requires_grad=True)
    whole = F.cross_entropy(x @ matrix, y, weight=weight)
    (wanted,) = torch.autograd.grad(whole, matrix)
    monkeypatch.setattr(distributed, "_together", world > 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: world)
    losses, gradients = [], []
    for rank in range(world):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        assert len(own(x))  # not every network takes a batch of none
        losses.append(cross_entropy(own(x) @ matrix, y, weight))
        gradients += torch.autograd.grad(losses[-1], matrix)
    torch.testing.assert_close(torch.stack(losses).mean(), whole)
    torch.testing.assert_close(torch.stack(gradients).mean(0), wanted)


def run(folder: Path, processes: int) -> tuple[list[dict], str]:
    """What each process ended with, and what was printed."""
    results = folder / str(processes)
    results.mkdir()
    command = [sys.executable, *(TORCHRUN if processes > 1 else []), str(SCRIPT), str(folder / "mine"), str(results)]
    environment = os.environ | {"MEDTL_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(file, weights_only=False) for file in sorted(results.glob("*.pt"))], done.stdout


@pytest.mark.slow
def test_two_processes_end_with_the_weights_of_one(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(60):
        (tmp_path / "mine" / "abc"[k % 3]).mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(40 * (k % 3), 150 + 40 * (k % 3), (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "mine" / "abc"[k % 3] / f"{k}.png")
    (one,), _ = run(tmp_path, 1)
    (first, second), out = run(tmp_path, 2)
    assert (first.pop("rank"), second.pop("rank")) == ((0, True, "said by 0"), (1, False, "said by 0"))
    assert out.count("said once") == 1 and out.count("are streamed from") == 1 and out.count("Batch norm sees") == 1
    exact = ("fit", "every option", "probe", "fine-tuned behind frozen stages", "lp_ft", "streamed")
    for name in (*exact, "batch norm", "batch norm again"):
        states = [found[name]["state"] for found in (one, first, second)]
        assert first[name]["history"] == second[name]["history"], name
        for key, value in states[0].items():
            assert torch.equal(states[1][key], states[2][key]), (name, key)
            if name in exact:
                torch.testing.assert_close(states[1][key], value, rtol=0, atol=1e-4, msg=f"{name} {key}")
        if name in exact:
            for ours, theirs in zip(first[name]["history"], one[name]["history"], strict=True):
                assert np.allclose(ours, theirs, rtol=1e-3), name
    torch.testing.assert_close(first["predictions"], one["predictions"], rtol=0, atol=1e-4)
