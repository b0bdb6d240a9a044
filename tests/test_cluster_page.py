"""What stands on the book's page "From a laptop to a cluster" runs as it is printed, without a graphics card."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import medtl_helpers as mtl

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "book" / "cluster.md").read_text("utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that holds ``my_images`` of ten patients."""
    rng = np.random.default_rng(0)
    for k in range(40):
        path = tmp_path / "my_images" / ("benign", "malignant")[k % 2] / f"P{k // 4:02}_{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(70 * (k % 2), 150 + 70 * (k % 2), (24, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDTL_DEVICE", "cpu")
    monkeypatch.setenv("MEDTL_DATA", "twin")
    return tmp_path


def test_the_code_runs_from_its_first_line_to_its_last(here, capsys):
    names: dict = {"mtl": mtl, "torch": torch}
    blocks = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "cuda" not in block]
    for block in blocks:
        exec(compile(block, "cluster.md", "exec"), names)
    assert "streamed from a file" in capsys.readouterr().out
    assert names["some"].shape == (8, 1, 64, 64) and len(names["history"].val_loss) == 3
    assert len(names["probability"]) == len(names["task"].test.y)
    assert torch.load(here / "model.pt", weights_only=True).keys() == names["model"].state_dict().keys()


def test_the_example_is_started_as_its_own_test_starts_it():
    assert COMMANDS[1:] == [
        "python -m torch.distributed.run --standalone --nproc-per-node 2 benchmarks/torchrun_example.py"
    ]
    starter = (ROOT / "tests" / "test_torchrun.py").read_text("utf-8")
    assert '"-m", "torch.distributed.run", "--standalone", "--nproc-per-node"' in starter


@pytest.mark.slow
def test_transfer_runs_with_two_processes(here):
    command = COMMANDS[0]
    words = [word if word != "10" else "0.5" for word in shlex.split(command)]  # of minutes
    assert words[0] == "python" and "--nproc-per-node" in words
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    assert done.stdout.count("your own images") == done.stdout.count("The report is") == 1
    assert (here / "report" / "report.html").is_file()
