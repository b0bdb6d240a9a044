"""The same network at a second hospital: with labels its test result there, and without them what has shifted.

Nothing is chosen here. The network is shown as it is and with AdaBN, which takes the statistics of batch norm from the
second hospital's images, without a label; where the classes are mixed otherwise there, that can do harm. Its control at
home tells what it does where nothing has shifted; where it would replace statistics of other images than those at home,
there is no row for it.
"""

import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..console import say
from ..data.image_tasks import ImageTask
from ..methods.adabn import adapt_batch_norm
from ..methods.averaged import members
from ..methods.features import stage_features
from ..methods.predict import predict
from ..methods.transferability import proxy_a_distance
from .judging import Judged, Recipe, judge
from .looking import Seen
from .there import There

MOST_MEASURED = 400  # images of each hospital for the distance of their features
APART = 1.9  # the distance from which on a line hardly ever takes one hospital for the other


@dataclass(frozen=True)
class Elsewhere:
    """What the network answers there, ``as it is`` and with ``AdaBN``, where that can be told.

    ``y`` is None without labels, and then ``judged`` is empty. ``control`` is the result on the home test images after
    AdaBN with their own statistics. ``distance`` is the proxy A-distance of the features of both hospitals' images,
    from 0 (alike) to 2.
    """

    root: Path
    seen: list[Seen]
    y: np.ndarray | None
    probability: dict[str, np.ndarray]
    answers: dict[str, np.ndarray]
    judged: dict[str, Judged]
    control: Judged | None
    distance: float | None
    notes: list[str] = field(default_factory=list)

    @property
    def used(self) -> list[Seen]:
        return [one for one in self.seen if not one.wrong]


def look_elsewhere(there: There, model: nn.Module, recipe: Recipe, home: ImageTask, *, seed: int = 0) -> Elsewhere:
    """The network's answers to the images ``there``, beside those to the test images of the task ``home``."""
    x, y, notes = there.x, there.y, list(there.notes)
    raw, control = {"as it is": predict(model, x, batch_size=64).numpy()}, None
    if keeps_old_statistics(model):
        notes.append(
            "There is no row for AdaBN: the frozen stages keep the statistics that they began with, not those of your "
            "images, so AdaBN would change the answers without any shift."
        )
    else:
        try:
            raw["AdaBN"] = _after_adabn(model, x)
            people = None if home.patients is None else home.patients["test"]
            control = judge(recipe, home.test.y, _after_adabn(model, home.test.x), people, seed=seed)
        except ValueError as error:
            notes.append(f"There is no row for AdaBN: {error}")
    probability = {name: recipe.probabilities(p) for name, p in raw.items()}
    judged: dict[str, Judged] = {}
    if y is not None:
        try:
            judged = {name: judge(recipe, y, p, there.patients, seed=seed) for name, p in raw.items()}
        except ValueError as error:
            notes.append(f"There is no test result there: {error}")
    answers = {name: recipe.answers(p) for name, p in probability.items()}
    distance = _distance(model, home.test.x, x, seed)
    if y is None and distance is not None and distance >= APART and len(set(answers["as it is"])) == 1:
        notes.append(
            "All answers there are one class, and a line tells the two hospitals apart almost without error: do not "
            "read these answers."
        )
        say(notes[-1])
    return Elsewhere(there.root, there.seen, y, probability, answers, judged, control, distance, notes)


def keeps_old_statistics(model: nn.Module) -> bool:
    """Whether a frozen stage has batch norm: its statistics are then not those of the images the model learned from."""
    inside = (layer for one in members(model) for name in one.frozen for layer in one.part(name).modules())
    return any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in inside)


def _after_adabn(model: nn.Module, x) -> np.ndarray:
    return predict(adapt_batch_norm(copy.deepcopy(model), x, batch_size=64), x, batch_size=64).numpy()


def _distance(model: nn.Module, home_x, x, seed: int) -> float | None:
    """In the features of the network, or of the first one of several that answer together."""
    rng = np.random.default_rng(seed)
    some = [part[np.sort(rng.permutation(len(part))[:MOST_MEASURED]).tolist()] for part in (home_x, x)]
    features = [stage_features(members(model)[0], torch.as_tensor(part), batch_size=32) for part in some]
    try:
        return proxy_a_distance(*features, seed=seed)
    except ValueError:  # fewer than five images
        return None
