"""Where this process's data and weights came from: noted by every loader, read by figures, checks and the report."""

_sources: dict[str, str] = {}  # data set -> "real", "twin" or "own"
_weights: dict[str, str] = {}  # network -> "ImageNet", "phantoms", "stand-in" or "random"


def note_source(name: str, provenance: str) -> None:
    """Remember that this process uses ``name`` and where it came from; called by every loader."""
    _sources[name] = provenance


def note_weights(network: str, provenance: str) -> None:
    """Remember where the weights of ``network`` came from; called by ``load_backbone`` and ``vgg16_trunk``."""
    _weights[network] = provenance


def noted() -> tuple[dict[str, str], dict[str, str]]:
    """Copies of what was noted so far: data set -> provenance, and network -> provenance of its weights."""
    return dict(_sources), dict(_weights)


def provenance_of(data=None) -> str:
    """``"real"``, ``"twin"``, ``"own"``, … of the given task(s); of everything loaded so far when ``data`` is None.

    A text stands for itself: ``"recorded, real"`` for what a benchmark measured on real data.

    Several that differ are ``"mixed"``; nothing loaded at all is ``"none"``.
    """
    if data is None:
        found = set(_sources.values())
    else:
        tasks = data if isinstance(data, list | tuple) else [data]
        found = {task if isinstance(task, str) else str(getattr(task, "provenance", "")) for task in tasks}
        if "" in found:
            raise ValueError(f"data is a {type(data).__name__}, without a provenance: give a task, or several.")
    return found.pop() if len(found) == 1 else ("mixed" if found else "none")
