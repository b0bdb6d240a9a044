"""What every recorded result says about itself, and the log that lets a stopped benchmark go on where it was."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import medtl_helpers as mtl

RESULTS = Path(__file__).parent / "results"


class Log:
    """Finished runs, one line of JSON each, in ``_run/NAME.jsonl``; several processes may add to it."""

    def __init__(self, name: str):
        self.path = RESULTS.parent.parent / "_run" / f"{name}.jsonl"

    def rows(self) -> list[dict]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.is_file() else []

    def add(self, row: dict) -> None:
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


def write(name: str, result: dict, *, row_starts: str) -> None:
    """``results/NAME.json``, with a line of its own for each row, which begins with the key ``row_starts``."""
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    text = text.replace(f'{{"{row_starts}"', f'\n{{"{row_starts}"')
    (RESULTS / f"{name}.json").write_text(text + "\n")


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
