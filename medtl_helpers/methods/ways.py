"""The ways that ``auto_transfer`` may try, source × way × depth × rate, as pure settings in one place.

===================== =============================================================== ==============================
way                   what is trained                                                 rate
===================== =============================================================== ==============================
``all stages``        a logistic regression on what all frozen stages say (``cache``) C, the inverse of its penalty
``probe``             the head alone                                                  of AdamW
``fine_tune``         the stages above ``depth`` and the head, or everything          of AdamW
``lp_ft``             the head alone, then everything                                 of AdamW in the second phase
``from scratch``      a small network without a source, or 4 times as long            of AdamW
===================== =============================================================== ==============================

Style: ``bit_hyperrule.py`` of Kolesnikov et al., Big Transfer, ECCV 2020, arXiv 1912.11370. The rates and their
order were made on two drawn tasks, textures and cells of scanner D, which ``auto_transfer.py`` does not report.
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from torch import nn

from ..parts import shown
from .nets import CourseCNN, StagedNet, check_staged
from .weights import find_weights, load_backbone

RATES = {  # the first is tried first, and alone where the time is short
    "all stages": (0.1, 0.01, 1.0),
    "probe": (1e-2, 3e-2, 3e-3),
    "fine_tune": (1e-3, 3e-4, 1e-4),
    "lp_ft": (3e-4, 1e-3, 1e-4),
    "from scratch": (3e-3, 1e-3, 1e-2),
    "from scratch, 4 × as long": (3e-3, 1e-3, 1e-2),
}
SCRATCH = "small network"
Source = Callable[[int], StagedNet]


@dataclass(frozen=True)
class Way:
    """One candidate. ``depth`` is "head", "above layer3" (the stages above it, and the head) or "everything"."""

    source: str
    way: str
    depth: str
    rate: float

    def __str__(self):
        rate = "C" if self.way == "all stages" else "rate"
        return f"{self.source}: {self.way}, {self.depth}, {rate} {self.rate:g}"

    @property
    def frozen_upto(self) -> str | None:
        """The last stage that stays as it is, as ``fine_tune`` calls it."""
        return self.depth.removeprefix("above ") if self.depth.startswith("above ") else None

    @property
    def at_once(self) -> bool:
        """Whether it is a regression, which is done when it was tried, and not trained for more and more epochs."""
        return self.way == "all stages"

    @property
    def pretrained(self) -> bool:
        """Whether its source has learnt anything: it has neither random weights nor is it the small network."""
        return self.source != SCRATCH and "random" not in self.source

    @property
    def longer(self) -> int:
        """How many times as many epochs as the others this way gets: those of a probe cost nearly nothing."""
        return 4 if self.way in ("probe", "from scratch, 4 × as long") else 1

    def record(self) -> dict:
        """The settings as JSON has them; ``Way(**settings)`` is the way again."""
        return asdict(self)


def known_sources() -> dict[str, Source]:
    """Functions from the number of classes to a network with a new head, by the name of the source: both backbones with
    the weights found for them and the embedded ones, and a random one."""
    found: dict[str, Source] = {}
    for network in ("resnet", "vgg16"):
        for weights in (None, "embedded"):
            found.setdefault(f"{network}, {find_weights(network, weights).provenance}", _backbone(network, weights))
    return found | {"resnet, random": _backbone("resnet", "random")}


def _backbone(network: str, weights: str | None) -> Source:
    return lambda classes: load_backbone(network, classes, weights=weights, quiet=True)


def as_sources(given) -> dict[str, Source]:
    """``given`` as a dict of functions: None (all that are known), some of their names, or a dict of one's own.

    Its values are functions from the number of classes to a ``StagedNet``, or such networks, whose head is replaced.
    Raises ValueError for a name that is not known, TypeError for what is no network.
    """
    if isinstance(given, Mapping):
        return {str(name): _as_source(value) for name, value in given.items()}
    known = known_sources()
    names = list(known) if given is None else [given] if isinstance(given, str) else list(given)
    for name in names:
        if name not in known:
            raise ValueError(
                f"There is no source {shown(name)}: choose some of {'; '.join(known)}, or give a dict of networks."
            )
    return {name: known[name] for name in names}


def _as_source(value) -> Source:
    if not isinstance(value, nn.Module) and callable(value):
        return value
    check_staged(value)

    def with_new_head(classes: int) -> StagedNet:
        model = copy.deepcopy(value)
        model.head = nn.Linear(model.width, classes)
        return model

    return with_new_head


def ways_for(stages: Mapping[str, Iterable[str]]) -> list[Way]:
    """All ways, in the order in which they are taken as long as the time allows.

    ``stages`` holds the names of each source's stages. First come all ways at their first rate, source by source and
    cheap ones before dear ones, then the other rates. The small network stands behind the probe of the first source,
    for it costs little. A source whose weights are random is a row for comparison: of it come the features of
    all stages alone, since a network that is trained from its random start is "from scratch".
    """
    found = []
    for k in range(3):
        small = [Way(SCRATCH, way, "everything", RATES[way][k]) for way in RATES if way.startswith("from scratch")]
        for source, names in stages.items():
            names = list(names)
            found.append(Way(source, "all stages", "head", RATES["all stages"][k]))
            if "random" not in source:
                depths = [f"above {names[-1 - top]}" for top in (1, 2) if len(names) > top + 1] + ["everything"]
                found.append(Way(source, "probe", "head", RATES["probe"][k]))
                found += small
                found += [Way(source, "fine_tune", depth, RATES["fine_tune"][k]) for depth in depths]
                found.append(Way(source, "lp_ft", "everything", RATES["lp_ft"][k]))
                small = []
        found += small
    return found


def small_network(channels: int) -> Source:
    """The network that is trained from scratch, for images of so many channels."""
    return lambda classes: CourseCNN(channels, classes)
