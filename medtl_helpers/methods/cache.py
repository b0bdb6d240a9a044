"""What is frozen can be computed once: features of the frozen prefix, or of all stages, and training on them.

[1] Evci et al., Head2Toe, ICML 2022, arXiv 2201.03529 (here without their selection of features)
"""

from collections.abc import Callable

import torch

from .. import guards, parts
from .history import History
from .nets import StagedNet, check_staged
from .predict import to_float
from .train import check_fit, fit

CACHE_SHARE = 0.5  # of the free memory that a cache may fill
DOING = "computing features of"
Device = torch.device | str | None


def frozen_prefix(model: StagedNet) -> list[str]:
    """The names of the frozen stages before the first that trains: their output never changes."""
    names = []
    for name in model.stages:
        if name not in model.frozen:
            break
        names.append(name)
    return names


@torch.no_grad()
def prefix_features(model: StagedNet, x, *, batch_size: int = 128, device: Device = None) -> torch.Tensor:
    """What the frozen prefix makes of raw inputs ``x``: float32 N×C×H×W on the CPU; N×D when all stages are frozen.

    Raises ValueError for inputs that do not fit the network; MemoryError, before anything is computed, when the
    features would fill more than half of the free memory, and, with a batch size to try, when a batch does not fit.
    """
    import psutil

    device, x, batch_size = _checked(model, x, batch_size, device)
    prefix = frozen_prefix(model)

    def through_prefix(x):
        x = model.input(x)
        for name in prefix:
            x = model.stages[name](x)
        return model.pool(x) if len(prefix) == len(model.stages) else x

    def forward(part):
        return guards.forward(model, to_float(part.to(device)), through_prefix).cpu()

    one = guards.with_memory(lambda: forward(x[:1]), 1, DOING)
    needed, free = one.nbytes * len(x), psutil.virtual_memory().available
    if needed > CACHE_SHARE * free:
        raise MemoryError(
            f"The features of {len(x)} images need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are "
            "free: freeze a later stage, take smaller images or fewer of them, or use fit."
        )
    features = one.new_empty(len(x), *one.shape[1:])

    def fill():
        for there, part in zip(features.split(batch_size), x.split(batch_size), strict=True):
            there.copy_(forward(part))

    guards.with_memory(fill, batch_size, DOING)
    return features


@torch.no_grad()
def stage_features(model: StagedNet, x, *, batch_size: int = 128, device: Device = None) -> torch.Tensor:
    """Mean and maximum over the pixels of every channel of every stage [1]: float32 N×D on the CPU.

    D is twice the sum of the stages' channels, in the order mean and maximum of the first stage, of the second, ….
    Numbers in place of maps (the stage ``hidden`` of ``staged.py``) are taken as they are.
    The whole network computes in eval mode, frozen or not, and nothing is trained: give the result to a linear model.
    Raises ValueError for inputs that do not fit the network; MemoryError, with a batch size to try.
    """
    device, x, batch_size = _checked(model, x, batch_size, device)

    def all_stages(x):
        x, row = model.input(x), []
        for stage in model.stages.values():
            x = stage(x)
            row += [x.mean((2, 3)), x.amax((2, 3))] if x.ndim == 4 else [x]
        return torch.cat(row, 1).cpu()

    def rows():
        return torch.cat([guards.forward(model, to_float(p.to(device)), all_stages) for p in x.split(batch_size)])

    return guards.with_memory(rows, batch_size, DOING)


def _checked(model, x, batch_size, device) -> tuple[torch.device, torch.Tensor, int]:
    """The device, the images and the size, after all that can be wrong with them; the model is there in eval mode."""
    check_staged(model)
    parts.check_whole(batch_size, "batch_size", least=1)
    x = guards.as_inputs(x, "given")
    if not len(x):
        raise ValueError("There are no images to compute features of: give at least one.")
    guards.tell_of_range(model, x, "given")
    model.to(device := parts.as_device(device)).eval()
    return device, x, int(batch_size)


def after_prefix(model: StagedNet) -> StagedNet:
    """The rest of ``model`` behind its frozen prefix, as a network on the prefix's features; the layers are shared."""
    prefix = frozen_prefix(model)
    stages = {name: stage for name, stage in model.stages.items() if name not in prefix}
    rest = StagedNet(stages, model.width, classes=0)
    rest.head, rest.frozen = model.head, model.frozen - set(prefix)
    rest.pool = model.pool if stages else torch.nn.Identity()
    return rest


def fit_cached(
    model: StagedNet,
    train,
    val=None,
    *,
    augment: Callable | None = None,
    copies: int = 4,
    seed: int = 0,
    device: Device = None,
    **options,
) -> History:
    """``fit``, with the features of the frozen prefix computed once: the same result up to float rounding, sooner.

    With ``augment`` every training image is augmented ``copies`` times beforehand, and each batch draws one of the
    copies of each of its images. ``options`` are those of ``fit``; a ``penalty`` is called with ``after_prefix``.
    """
    check_fit(model, val, seed=seed, **options)
    parts.check_whole(copies, "copies", least=1)
    augment, (x, y, val) = parts.as_augment(augment), guards.as_sets(model, train, val)
    if augment is None:
        features, choose = prefix_features(model, x, device=device), None
    else:
        generator = torch.Generator().manual_seed(int(seed))
        copied = torch.cat([augment(x, generator) for _ in range(copies)])
        features = prefix_features(model, copied, device=device).unflatten(0, (copies, len(x))).transpose(0, 1)
        choose = one_copy_each
    val = None if val is None else (prefix_features(model, val[0], device=device), val[1])
    history = fit(after_prefix(model), (features, y), val, augment=choose, seed=seed, device=device, **options)
    model.eval()
    return history


def one_copy_each(features, generator):
    """B×copies×… to B×…: one of the augmented copies of each image."""
    which = torch.randint(features.shape[1], (len(features),), generator=generator).to(features.device)
    return features[torch.arange(len(features), device=features.device), which]
