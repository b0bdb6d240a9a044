"""What is frozen can be computed once: training behind the frozen prefix, on its features."""

from collections.abc import Callable

import torch

from .. import guards, parts
from ..console import say
from .batches import in_order
from .features import CACHE_SHARE, Device, first_feature, frozen_prefix, prefix_features
from .history import History
from .nets import StagedNet, check_staged
from .train import check_fit, fit

AT_ONCE = 1024  # streamed images that are augmented together


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

    Images that are streamed are augmented batch by batch, which draws other random numbers than all images at once;
    and where their features would fill more than half of the free memory, one line says so and ``fit`` computes them
    anew in each epoch.
    """
    check_fit(model, val, seed=seed, **options)
    check_staged(model)
    parts.check_whole(copies, "copies", least=1)
    checked, (x, y, val) = parts.as_augment(augment), guards.as_sets(model, train, val)
    rest, options = after_prefix(model), options | {"seed": seed, "device": device}
    if guards.is_streamed(x) and (too_many := _no_room(model, x, 2 * copies if checked else 1, device)):
        say(too_many)
        penalty = options.pop("penalty", None)
        return fit(model, (x, y), val, augment=augment, penalty=penalty and (lambda _: penalty(rest)), **options)
    if checked is None:
        features, choose = prefix_features(model, x, device=device), None
    else:
        generator = torch.Generator().manual_seed(int(seed))
        if guards.is_streamed(x):

            def copy() -> torch.Tensor:
                images = in_order(x, AT_ONCE, torch.device("cpu"))
                return torch.cat([prefix_features(model, checked(part, generator), device=device) for part in images])

            features = torch.stack([copy() for _ in range(copies)], 1)
        else:
            copied = torch.cat([checked(x, generator) for _ in range(copies)])
            features = prefix_features(model, copied, device=device).unflatten(0, (copies, len(x))).transpose(0, 1)
        choose = one_copy_each
    val = None if val is None else (prefix_features(model, val[0], device=device), val[1])
    history = fit(rest, (features, y), val, augment=choose, **options)
    model.eval()
    return history


def _no_room(model: StagedNet, x, copies: int, device: Device) -> str | None:
    """In a sentence, that so many copies of the features of ``x`` would fill too much of the memory; else None."""
    device = parts.as_device(device)
    _, needed, free = first_feature(model.to(device).eval(), x, device)
    if copies * needed <= CACHE_SHARE * free:
        return None
    return (
        f"The features of the frozen stages would need {copies * needed / 1e9:.1f} GB of memory and "
        f"{free / 1e9:.1f} GB are free, so they are computed anew in each epoch."
    )


def one_copy_each(features, generator):
    """B×copies×… to B×…: one of the augmented copies of each image."""
    which = torch.randint(features.shape[1], (len(features),), generator=generator).to(features.device)
    return features[torch.arange(len(features), device=features.device), which]
