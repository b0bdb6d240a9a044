"""Claims that are checked where they are made.

``check`` stands behind every sentence of the course that states a number. What was checked, and on which data, is
kept in this process and read out once by ``session_report`` (the end of ``make run`` and of the book build).
"""

import numbers
from dataclasses import asdict, is_dataclass

_records: list[dict] = []  # every check made in this process, in order
_sources: dict[str, str] = {}  # data set -> "real", "twin" or "own"
_weights: dict[str, str] = {}  # network -> "ImageNet", "phantoms", "stand-in" or "random"


def note_source(name: str, provenance: str) -> None:
    """Remember that this process uses ``name`` and where it came from; called by every loader."""
    _sources[name] = provenance


def note_weights(network: str, provenance: str) -> None:
    """Remember where the weights of ``network`` came from; called by ``load_backbone`` and the Keras recipes."""
    _weights[network] = provenance


def provenance_of(data=None) -> str:
    """``"real"``, ``"twin"``, ``"own"``, … of the given task(s); of everything loaded so far when ``data`` is None.

    A text stands for itself: ``"recorded, real"`` for what a benchmark measured on real data.

    Several that differ are ``"mixed"``; nothing loaded at all is ``"none"``.
    """
    if data is None:
        found = set(_sources.values())
    else:
        tasks = data if isinstance(data, list | tuple) else [data]
        found = {task if isinstance(task, str) else task.provenance for task in tasks}
    return found.pop() if len(found) == 1 else ("mixed" if found else "none")


def check(claim: str, condition, *, on: str | tuple[str, ...] | None = None, data=None, weights=None,
          headline: bool = False, **figures) -> None:  # fmt: skip
    """State ``claim`` with its ``figures``, and hold it against ``condition``.

    Without ``on`` the claim is an invariant (a gradient, a shape, a frozen weight) and raises AssertionError when
    it is false. With ``on="twin"`` or ``on=("twin", "real")`` it is an effect that was established for those data:
    it raises only there. On other data (the reader's own) it prints what was measured and the course goes on.

    Parameters
    ----------
    claim: one plain sentence.
    condition: anything with a truth value, computed from the figures.
    on: the provenances for which an effect is claimed; None for an invariant.
    data: the task or tasks that the claim is about; default everything loaded so far. ``"recorded"`` for a claim
        about ``benchmarks/results``.
    weights: the ``Weights`` that the claim rests on, e.g. ``model.weights``. Then ``on`` names both, like
        ``"twin/phantoms"`` or ``"real/ImageNet"``.
    headline: the one claim that stands for its notebook in the table of ``make run``.
    figures: the numbers behind the claim, at least one: int, float, str, ``Interval``, or lists of these.
    """
    if not figures:
        raise ValueError(f"The check {claim!r} shows no figure: pass the numbers that it rests on.")
    passed = bool(condition)
    where = provenance_of(data) + (f"/{weights.provenance}" if weights else "")
    claimed_for = (on,) if isinstance(on, str) else on
    binding = claimed_for is None or where in claimed_for
    _records.append({"claim": claim, "figures": {k: _plain(v) for k, v in figures.items()}, "passed": passed,
                     "binding": binding, "data": where, "headline": headline})  # fmt: skip
    shown = [f"{name.replace('_', ' ')}: {_text(value)}" for name, value in figures.items()]
    if not passed and binding:
        raise AssertionError(f"✗ {claim}: {'; '.join(shown)} (data: {where}). "
                             "If you changed something above, then this is your result.")  # fmt: skip
    mark = "✓" if passed else f"○ measured here, on {where} data, this does not hold:"
    print(f"{mark} {claim}", *shown, sep="\n    ")


def _plain(value):
    """``value`` in JSON's types."""
    if is_dataclass(value):
        return asdict(value)
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy and torch
        value = value.tolist()
    if isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    return [_plain(v) for v in value]


def _text(value) -> str:
    """``value`` as a reader wants it: three significant digits."""
    value = value if is_dataclass(value) else _plain(value)
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(v) for v in value) + "]"
    return str(value)


def session_report() -> dict:
    """What this process used and found: ``sources``, ``weights``, ``data``, ``device``, ``checks``, ``peak_mb``."""
    import psutil

    from .devices import device

    memory = psutil.Process().memory_info()
    try:  # the highest value since the start, where the system tells it (Linux, macOS)
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    except ImportError:  # Windows
        peak = memory.peak_wset / 2**20
    return {"sources": dict(_sources), "weights": dict(_weights), "data": provenance_of(), "device": str(device()),
            "peak_mb": round(peak), "checks": list(_records)}  # fmt: skip
