"""The log of a search: one file of JSON lines, from which an interrupted search goes on where it was."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from .distributed import agree, is_main

NAME = "search.jsonl"


class SearchLog:
    """Finished trainings by way and epochs, in the order in which they were finished; an interruption loses none.

    Parameters
    ----------
    out: None (kept in memory alone), a file, or a folder, in which the file is ``search.jsonl``.
    search: what the search is about, as JSON; the first line of the file. Raises ValueError where the file at ``out``
        is the log of another search, or none.

    A last line that was being written when the process ended is dropped.
    """

    def __init__(self, out, search: dict):
        self.path = None if out is None else _file(Path(out).expanduser())
        self.trials: list[dict] = []
        if self.path is None:
            return
        lines = agree(_read(self.path))
        if lines and lines[0] != json.loads(json.dumps(search)):
            raise ValueError(
                f"{self.path} is the log of another search (other images, seed, minutes or sources): delete it, or "
                "give another out."
            )
        self.trials = lines[1:]
        if not is_main():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("".join(json.dumps(line) + "\n" for line in [search, *self.trials]), "utf-8")
        except OSError as error:
            raise ValueError(f"No log can be written at {self.path} ({error}): give another out.") from None

    def find(self, way: dict, epochs: int) -> dict | None:
        """The trial of these settings, if it was finished."""
        return next((one for one in self.trials if one["way"] == way and one["epochs"] == epochs), None)

    def add(self, trial: dict) -> None:
        """Remember a finished trial, and write it down at once."""
        self.trials.append(trial)
        if self.path is not None and is_main():
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(trial) + "\n")


def _read(path: Path) -> list[dict]:
    """The whole lines of a log; nothing where there is no file."""
    texts = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
    found = []
    for k, text in enumerate(texts):
        try:
            found.append(json.loads(text))
        except json.JSONDecodeError:
            if k == 0 or k < len(texts) - 1:
                raise ValueError(
                    f"Line {k + 1} of {path} is no JSON, so it is not the log of a search, or damaged: delete it, or "
                    "give another out."
                ) from None
    return found


def _file(out: Path) -> Path:
    return out if out.suffix and not out.is_dir() else out / NAME


def data_fingerprint(*sets) -> str:
    """A short text that differs where the ``sets`` (x, y) do: in labels or pixels; of streamed images 200 are read."""
    found = hashlib.sha256()
    for x, y in sets:
        found.update(repr((tuple(x.shape), str(x.dtype))).encode())
        found.update(torch.as_tensor(y).numpy().tobytes())
        rows = slice(None) if isinstance(x, torch.Tensor) else torch.linspace(0, len(y) - 1, min(len(y), 200)).long()
        found.update(x[rows].contiguous().numpy())
    return found.hexdigest()[:16]


def fingerprints(networks: Mapping[str, Callable], classes: int, seed: int) -> dict[str, str]:
    """A short text for each of the ``networks``, made for so many ``classes``, that differs where their weights do."""
    found = {}
    for name, make in networks.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            weights = hashlib.sha256()
            for key, value in make(classes).state_dict().items():
                weights.update(key.encode() + value.detach().cpu().contiguous().numpy().tobytes())
        found[name] = weights.hexdigest()[:16]
    return found
