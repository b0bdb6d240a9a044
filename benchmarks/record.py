"""What every recorded result says about itself: command, seeds, device, versions and commit."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import medtl_helpers as mtl

RESULTS = Path(__file__).parent / "results"


def header(seeds: list[int], seconds: float) -> dict:
    """The facts that stand beside the numbers."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=RESULTS).stdout
    versions = {name: mtl.describe()[name] for name in ("python", "torch", "scikit-learn")}
    return {
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "seeds": seeds,
        "device": str(mtl.device()),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "versions": versions,
        "commit": commit.strip() or "before the first commit",
        "seconds": round(seconds),
    }
