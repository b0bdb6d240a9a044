"""``benchmarks/torchrun_example.py``: two processes on one machine give what one process gives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "torchrun_example.py"


def trained(folder, processes: int, *options: str):
    """The file of the weights, and what the run printed."""
    file = folder / f"{processes}.pt"
    starter = (
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
    )
    command = [sys.executable, *starter, str(SCRIPT), "--epochs", "1", "--save", str(file), *options]
    environment = os.environ | {
        "MEDTL_DATA": "twin",
        "MEDTL_DEVICE": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    return file, done


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one(tmp_path):
    """After four steps; rounding grows with every step, and other shares of the batch would be off by far more."""
    weights = []
    for processes in (1, 2):
        file, done = trained(tmp_path, processes, "--batch-size", "400")
        assert done.returncode == 0, done.stderr[-2000:]
        assert f"{processes} processes: validation accuracy" in done.stdout
        weights.append(torch.load(file, weights_only=True))
    assert weights[0].keys() == weights[1].keys()
    for name, one in weights[0].items():
        torch.testing.assert_close(weights[1][name], one, rtol=0, atol=1e-4, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", ["63"])
def test_shares_that_are_not_equal_are_refused(tmp_path, batch_size):
    _, done = trained(tmp_path, 2, "--batch-size", batch_size)
    assert done.returncode != 0
    assert "A batch of 63 images has no equal shares for 2 processes: take a multiple." in done.stderr
