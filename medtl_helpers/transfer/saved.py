"""A trained network with the recipe of its input and of its answers, in one file that ``torch.load`` reads as data.

The file holds a dict of texts, numbers and tensors, and no code: ``torch.load(file, weights_only=True)`` opens it.
"""

import io
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ..data.pixels import MIN_SIDE, quiet
from ..methods.all_stages import AllStages
from ..methods.averaged import Averaged
from ..methods.backbones import resnet18, small_resnet, vgg16
from ..methods.nets import CourseCNN, StagedNet
from ..methods.predict import predict
from .judging import Recipe

FORMAT = "medtl transfer, format 1"
AT_ONCE = 256  # images
MOST_MODELS = 16  # that answer together


@dataclass(frozen=True)
class Saved:
    """A network in eval mode, the ``recipe`` of its answers, and what its images must become: ``size`` and
    ``channels``. ``sides`` are the least, the median and the largest shorter side of the images it learned from, and
    ``light`` the least and the largest brightness and spread of these (``light_range``; older files do not say)."""

    model: nn.Module
    recipe: Recipe
    size: int
    channels: int
    sides: tuple[int, int, int]
    about: str  # in one sentence, for people
    light: tuple[float, float, float, float] | None = None


def light_of(x) -> np.ndarray:
    """float64 N×2: the mean of each of N pictures, uint8 N×C×H×W, and the standard deviation within its channels."""
    parts = [x[start : start + AT_ONCE].double().flatten(2) for start in range(0, len(x), AT_ONCE)]
    return np.concatenate([np.stack([p.mean((1, 2)), p.std(2, correction=0).mean(1)], 1) for p in parts])


def light_range(x) -> tuple[float, float, float, float]:
    """The least and the largest mean, and the least and the largest spread of the pictures, by ``light_of``."""
    light = light_of(x)
    least, most = light.min(0).tolist(), light.max(0).tolist()
    return least[0], most[0], least[1], most[1]


def saved_bytes(saved: Saved) -> bytes:
    """The file. Raises ValueError where the network that would be read from it does not answer the same."""
    content = {
        "format": FORMAT,
        "network": architecture(saved.model),
        "recipe": {**asdict(saved.recipe), "classes": list(saved.recipe.classes)},
        "size": saved.size,
        "channels": saved.channels,
        "sides": list(saved.sides),
        "about": saved.about,
        "light": None if saved.light is None else list(saved.light),
        "state": {name: value.detach().cpu().clone() for name, value in saved.model.state_dict().items()},
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    again = from_bytes(buffer.getvalue(), Path("the model that was to be saved"))
    x = torch.randint(0, 256, (4, saved.channels, saved.size, saved.size), dtype=torch.uint8)
    if not torch.allclose(predict(again.model, x), predict(saved.model, x), atol=1e-5):
        raise ValueError("The network that was read again answers otherwise, so it was not saved: report this fault.")
    return buffer.getvalue()


def load_saved(path: Path) -> Saved:
    """What ``saved_bytes`` wrote to ``path``. Raises ValueError, one sentence, for any other file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): give the model.pt of a report.") from None
    return from_bytes(content, path)


def from_bytes(content: bytes, path: Path) -> Saved:
    """The network and recipe in ``content``, which ``path`` names in errors. No code in it is ever run."""
    foreign = ValueError(f"{path} is no model that the transfer command saved: give the model.pt of a report.")
    try:
        with quiet():
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception:  # a hostile file can stop the reader anywhere, and its text may quote the file
        raise foreign from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise foreign
    try:
        recipe, state = _recipe(found["recipe"]), found["state"]
        size, channels = _within(found["size"], MIN_SIDE, 4096), _within(found["channels"], 1, 3)
        least, median, most = (_within(side, 1, 10**6) for side in found["sides"])
        light = None if found.get("light") is None else _levels(found["light"])
        model = build(found["network"], len(recipe.classes))
        model.load_state_dict(state)
        finite = all(value.isfinite().all() for value in model.state_dict().values())
    except Exception:
        raise ValueError(f"{path} is damaged: copy it again, or make the report again.") from None
    if not finite:
        raise ValueError(f"The weights in {path} are not finite numbers: copy it again, or make the report again.")
    return Saved(model.eval(), recipe, size, channels, (least, median, most), str(found.get("about", "")), light)


def architecture(model: nn.Module) -> dict[str, Any]:
    """What ``build`` needs to make the same network without its weights. Raises ValueError for another network."""
    if isinstance(model, Averaged):
        return {"name": "averaged", "models": [architecture(one) for one in model.models]}
    if not isinstance(model, StagedNet):
        raise ValueError(f"A {type(model).__name__} cannot be saved here: save its state_dict yourself.")
    first = next((p for p in model.parameters() if p.ndim == 4), torch.empty(0, 0, 0, 0))
    about: dict[str, Any] = {"all stages": isinstance(model, AllStages)}
    names = tuple(model.stages)
    if names[:1] == ("block1",):
        return about | {"name": "vgg16"}
    if names[:1] == ("stem",):
        return about | ({"name": "resnet18"} if first.shape[-1] == 7 else {"name": "small_resnet", "width": len(first)})
    if names[:1] == ("stage1",):
        return about | {"name": "small network", "channels": first.shape[1], "width": len(first)}
    raise ValueError(f"A network of the stages {', '.join(names)} cannot be saved here: save its state_dict yourself.")


def build(about: dict[str, Any], classes: int, most: int = MOST_MODELS) -> nn.Module:
    """The network that ``architecture`` describes, with random weights; ``most`` is how many may be averaged in it."""
    name = about["name"]
    if name == "averaged":
        if not 1 <= len(about["models"]) <= most:
            raise ValueError("models")
        return Averaged([build(one, classes, most=0) for one in about["models"]])
    if name == "vgg16":
        model: StagedNet = vgg16(classes)
    elif name == "resnet18":
        model = resnet18(classes)
    elif name == "small_resnet":
        model = small_resnet(classes, _within(about["width"], 1, 512))
    elif name == "small network":
        model = CourseCNN(_within(about["channels"], 1, 3), classes, _within(about["width"], 8, 512))
    else:
        raise ValueError(f"There is no network {name!r} here.")
    if not about["all stages"]:
        return model
    x, width = model.input(torch.zeros(1, 3 if name != "small network" else about["channels"], 64, 64)), 0
    with torch.no_grad():
        for stage in model.eval().stages.values():
            x = stage(x)
            width += 2 * x.shape[1]
    return AllStages(model, width, classes)


def _recipe(found: dict[str, Any]) -> Recipe:
    classes, positive, threshold = found["classes"], found["positive"], found["threshold"]
    if len(classes) < 2 or not all(isinstance(name, str) for name in classes):
        raise ValueError("classes")
    if positive is not None:
        _within(positive, 0, len(classes) - 1)
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError("threshold")
    if not (math.isfinite(found["temperature"]) and found["temperature"] > 0):
        raise ValueError("temperature")
    return Recipe(tuple(classes), positive, float(found["temperature"]), threshold)


def _levels(found) -> tuple[float, float, float, float]:
    darkest, brightest, flattest, strongest = map(float, found)
    if not (0 <= darkest <= brightest <= 255 and 0 <= flattest <= strongest <= 255):
        raise ValueError("light")
    return darkest, brightest, flattest, strongest


def _within(value, low: int, high: int) -> int:
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{value} is not from {low} to {high}.")
    return value
