"""Which ways are tried for how many epochs: decided by data, minutes and counted costs, before anything runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .costs import SPEED, Cost, feature_seconds, frozen_stages, training_seconds
from .halving import survivors
from .ways import RATES, SCRATCH, Way

ETA, SHARE = 3, 0.6  # a third survives each rung; a machine that is slower than the nominal one has time left
STEPS = (270, 90, 30)  # of the last rung; fewer where the cheaper ways of the first source do not fit
DEFAULTS = {"all stages": 0.01, "lp_ft": 1e-3}  # ways and rates: the two best of eight on four measured folders


@dataclass(frozen=True)
class Plan:
    """``at_once`` are regressions, which are done when they were tried; ``to_the_end`` is trained for as long as the
    last rung, whatever its loss before; ``trained`` ways take part in the halving.

    ``rungs`` are the epochs of each rung, ``seconds`` what the nominal machine needs for it all, and ``left_out``
    counts the ways for which there is no time.
    """

    at_once: tuple[Way, ...]
    to_the_end: tuple[Way, ...]
    trained: tuple[Way, ...]
    rungs: tuple[int, ...]
    seconds: float
    left_out: int

    @property
    def ways(self) -> int:
        """How many ways are tried."""
        return len(self.at_once) + len(self.to_the_end) + len(self.trained)

    def record(self) -> dict:
        """The plan as JSON has it."""
        return {
            "at once": [str(way) for way in self.at_once],
            "to the end": [str(way) for way in self.to_the_end],
            "trained": [str(way) for way in self.trained],
            "epochs of the rungs": list(self.rungs),
            "nominal seconds": round(self.seconds, 1),
            "left out": self.left_out,
        }

    def trainings(self) -> int:
        """How many trainings the search is made of."""
        return len(self.at_once) + len(self.to_the_end) + sum(_survivors(len(self.trained), self.rungs))


def make_plan(
    ways: list[Way],
    costs: Mapping[str, Cost],
    *,
    n: int,
    n_val: int,
    classes: int,
    minutes: float,
    defaults: bool = False,
) -> Plan:
    """Each of the ``ways``, in their order, that still fits into ``SHARE`` of the minutes; the cheapest one always.

    ``costs`` are those of one image by source; ``n`` and ``n_val`` count images. With ``defaults`` the ``default_ways``
    come first, and are trained to the end. Which ways will survive a rung nobody knows: their mean cost is taken.
    """
    first = {way for way in ways if way.source in (ways[0].source, SCRATCH) and way.rate == RATES[way.way][0]}
    first = {way for way in first if way.source == SCRATCH or way.depth != "everything"}
    begun = default_ways(ways, costs) if defaults else []
    ways = [*begun, *(way for way in ways if way not in begun)]
    first |= set(begun)
    least_batch = min(cost.batch(n) for cost in costs.values())
    for steps in STEPS:
        rungs = _rungs(steps, -(-n // least_batch))
        each = {
            way: [training_seconds(way, costs[way.source], n, n_val, epochs, classes) for epochs in rungs]
            for way in ways
        }
        chosen: list[Way] = []
        for way in ways:
            if _seconds([*chosen, way], begun, each, costs, n, n_val) <= SHARE * 60 * minutes:
                chosen.append(way)
        if first <= set(chosen):
            break
    chosen = chosen or [min(ways, key=lambda way: _seconds([way], begun, each, costs, n, n_val))]
    at_once = tuple(way for way in chosen if way.at_once)
    to_the_end = tuple(way for way in chosen if way in begun and not way.at_once)
    trained = tuple(way for way in chosen if way not in at_once + to_the_end)
    seconds = _seconds(chosen, begun, each, costs, n, n_val)
    return Plan(at_once, to_the_end, trained, rungs, seconds, len(ways) - len(chosen))


def default_ways(ways: list[Way], costs: Mapping[str, Cost]) -> list[Way]:
    """Of each pre-trained source the regression of ``DEFAULTS``, and LP-FT of the one that is the cheapest to train.

    ``benchmarks/folder_search.py`` measured eight ways on four folders: these two were best, and level with each other.
    """
    found = [way for way in ways if way.pretrained and DEFAULTS.get(way.way) == way.rate]
    trained = [way for way in found if not way.at_once]
    cheapest = min(trained, key=lambda way: sum(costs[way.source].multiply_adds.values()), default=None)
    return [way for way in found if way.at_once or way == cheapest]


def _seconds(
    chosen: list[Way], begun: list[Way], each: dict[Way, list[float]], costs: Mapping[str, Cost], n: int, n_val: int
) -> float:
    """Nominal seconds of a search among the ``chosen``, whose trainings take ``each`` so many seconds by rung."""
    passes = {(way.source, tuple(frozen_stages(way, costs[way.source]))): way for way in chosen}
    total = sum(feature_seconds(way, costs[way.source], n + n_val) for way in passes.values())
    whole = [way for way in chosen if way.at_once or way in begun]
    total += sum(each[way][-1] for way in whole)
    trained = [way for way in chosen if way not in whole]
    for k, left in enumerate(_survivors(len(trained), each[chosen[0]])):
        total += left * sum(each[way][k] for way in trained) / max(1, len(trained))
    again = max(each[way][-1] for way in chosen)  # the chosen way is trained again where the log alone knows it
    largest = max(sum(costs[way.source].multiply_adds.values()) for way in chosen)
    return total + again + n_val * largest / SPEED  # about as many test images as there are for validation


def _survivors(n: int, rungs: Sequence) -> list[int]:
    """How many of ``n`` ways are trained on each of the rungs."""
    counts = [n]
    for _ in rungs[1:]:
        counts.append(survivors(counts[-1], ETA) if n else 0)
    return counts


def _rungs(steps: int, steps_per_epoch: int) -> tuple[int, ...]:
    """Epochs of each rung: the last has at least ``steps`` steps, and each one before a third of the epochs."""
    top = max(steps // 90, -(-steps // steps_per_epoch), 1)
    return tuple(sorted({-(-top // ETA**k) for k in range(3)}))
