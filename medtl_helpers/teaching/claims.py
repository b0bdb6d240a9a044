"""Claims that are checked where they are made.

``check`` stands behind every sentence of the course that states a number. It has two marks: ``✓`` for what was computed
just now, ``▣ recorded`` for what was read from a committed record of a benchmark. What was checked, and on which data,
is kept in this process and read out once by ``session_report`` (the end of ``make run`` and of the book build).
"""

import html
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass

from ..assets import recorded
from ..console import say
from ..parts import check_choice, shown
from ..provenance import noted, provenance_of

NOW, RECORDED, NOT_HERE = "✓", "▣ recorded:", "○"
_records: list[dict] = []  # every check made in this process, in order


def check(
    claim: str,
    condition,
    figures: Mapping | None = None,
    *,
    on: str | tuple[str, ...] | None = None,
    data=None,
    weights=None,
    record=None,
    headline: bool = False,
    **more,
) -> None:
    """State ``claim`` with its ``figures``, and hold it against ``condition``; shown as a sentence and a small table.

    Without ``on`` the claim is an invariant (a gradient, a shape, a frozen weight) and raises AssertionError when
    it is false. With ``on="twin"`` or ``on=("twin", "real")`` it is an effect that was established for those data:
    it raises only there. On other data (the reader's own) it shows what was measured and the course goes on.

    Parameters
    ----------
    claim: one plain sentence.
    condition: anything with a truth value, computed from the figures.
    figures: the numbers behind the claim, at least one, by the names that a reader wants: int, float, str,
        ``Interval``, or lists of these. ``more`` are figures, too, with an underscore for each space.
    on: the provenances for which an effect is claimed; None for an invariant.
    data: the task or tasks that the claim is about; default everything loaded so far.
    weights: the ``Weights`` that the claim rests on, e.g. ``model.weights``. Then ``on`` names both, like
        ``"twin/phantoms"`` or ``"real/ImageNet"``.
    record: the ``Record`` (or several, or the name of a file in ``benchmarks/results`` and its part, like
        ``"embedded_scores/real"``) that the figures were read from. Then the mark is ``▣ recorded``, and the file, its
        command, seeds and commit stand below.
    headline: the one claim that stands for its notebook in the table of ``make run``.
    """
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError(f"The claim is {shown(claim)}: give one plain sentence.")
    if figures is not None and not isinstance(figures, Mapping):
        raise ValueError(f"The figures of {claim!r} are {shown(figures)}: give a dict, or keywords like gain=0.1.")
    if on is not None and not (isinstance(on, str) or (isinstance(on, tuple) and all(isinstance(o, str) for o in on))):
        raise ValueError(f"on is {shown(on)}: name the data of the claim {claim!r}, like 'twin' or ('twin', 'real').")
    if weights is not None and not isinstance(getattr(weights, "provenance", None), str):
        raise ValueError(f"weights is {shown(weights)}: give what the claim rests on, like model.weights.")
    figures = {**(figures or {}), **{name.replace("_", " "): value for name, value in more.items()}}
    if not figures:
        raise ValueError(f"The check {claim!r} shows no figure: pass the numbers that it rests on.")
    passed = _truth(condition, claim)
    sources = (
        [_source(one) for one in (record if isinstance(record, list | tuple) else [record])]
        if record is not None
        else []
    )
    where = (
        _where(sources) if sources else provenance_of(data) + (f"/{weights.provenance}" if weights is not None else "")
    )
    binding = on is None or where in ((on,) if isinstance(on, str) else on)
    _records.append(
        {
            "claim": claim,
            "figures": {name: _plain(value) for name, value in figures.items()},
            "passed": passed,
            "binding": binding,
            "data": where,
            "recorded": sources,
            "headline": headline,
        }
    )
    texts = {name: _text(value) for name, value in figures.items()}
    if not passed and binding:
        said = "; ".join(f"{name}: {value}" for name, value in texts.items())
        raise AssertionError(
            f"✗ {claim}: {said} (data: {where}). If you changed something above, then this is your result."
        )
    mark = (
        (RECORDED if sources else NOW) if passed else f"{NOT_HERE} measured here, on {where} data, this does not hold:"
    )
    _show(f"{mark} {claim}", texts, [_words(source) for source in sources])


def _truth(condition, claim: str) -> bool:
    """Raises ValueError for what is always true, or not yet one answer: a text, a function, NaN, several numbers."""
    try:
        if not isinstance(condition, str) and not callable(condition) and bool(condition == condition):
            return bool(condition)
    except (ValueError, RuntimeError):  # NumPy and torch, of several numbers
        pass
    raise ValueError(
        f"The condition of {claim!r} is {shown(condition)}: give one truth value, like (values > 0).all() or a < b."
    )


def _source(record) -> dict:
    """File, command, seeds, commit and data of a ``Record``, or of a record's name like ``"embedded_scores/real"``."""
    if isinstance(record, str):
        file, _, part = record.partition("/")
        about = recorded(file)
        if part:
            check_choice(part, f"The part of {file}", about)
            about = about[part]
        facts = {"file": file, **{key: about[key] for key in ("command", "seeds", "commit")}}
        return facts | {"data": part or about.get("data", "")}
    if not hasattr(record, "commit"):
        raise ValueError(f"record is {shown(record)}: give a Record, or the name of a file in benchmarks/results.")
    return {key: getattr(record, key) for key in ("file", "command", "seeds", "commit", "data")}


def _where(sources: list[dict]) -> str:
    """``"recorded, real"`` for records of real data alone, else ``"recorded"``."""
    return "recorded, real" if all(source["data"] == "real" for source in sources) else "recorded"


def _words(source: dict) -> str:
    seeds = source["seeds"]
    span = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    return f"{source['file']}.json: {source['command']}, {span}, commit {source['commit']}"


def _show(sentence: str, texts: dict[str, str], sources: list[str]) -> None:
    """The sentence and a small table: as a page where a notebook displays it, else as text."""
    width = max(map(len, texts))
    text = "\n    ".join([sentence, *(f"{name:<{width}}  {value}" for name, value in texts.items()), *sources])
    if not _in_a_notebook():
        say(text)
        return
    from IPython.display import display

    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(value)}</td></tr>'
        for name, value in texts.items()
    )
    below = "".join(f'<p class="medtl-source"><small>{html.escape(source)}</small></p>' for source in sources)
    page = f'<div class="medtl-check"><p><strong>{html.escape(sentence)}</strong></p><table>{rows}</table>{below}</div>'
    display({"text/plain": text, "text/html": page}, raw=True)


def _in_a_notebook() -> bool:
    import sys

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")


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
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise ValueError(f"A figure is {shown(value)}: give numbers, texts, intervals, or lists of these.")
    return [_plain(v) for v in value]


def _text(value) -> str:
    """``value`` as a reader wants it: three significant digits."""
    if is_dataclass(value):
        return str(value)
    value = value if isinstance(value, list | tuple) else _plain(value)
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(v) for v in value) + "]"
    return str(value)


def session_report() -> dict:
    """What this process used and found: ``sources``, ``weights``, ``data``, ``device``, ``checks``, ``peak_mb``."""
    import psutil

    from ..devices import device

    memory = psutil.Process().memory_info()
    try:  # the highest value since the start, where the system tells it (Linux, macOS)
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    except ImportError:  # Windows
        peak = memory.peak_wset / 2**20
    sources, weights = noted()
    return {
        "sources": sources,
        "weights": weights,
        "data": provenance_of(),
        "device": str(device()),
        "peak_mb": round(peak),
        "checks": list(_records),
    }
