"""What frozen stages say of images: features of the frozen prefix, or of all stages.

[1] Evci et al., Head2Toe, ICML 2022, arXiv 2201.03529 (here without their selection of features)
"""

import torch

from .. import guards, parts
from .batches import in_order
from .nets import StagedNet, check_staged
from .predict import to_float

CACHE_SHARE = 0.5  # of the free memory that the features may fill
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


def prefix_features(model: StagedNet, x, *, batch_size: int = 128, device: Device = None) -> torch.Tensor:
    """What the frozen prefix makes of raw inputs ``x``: float32 N×C×H×W on the CPU; N×D when all stages are frozen.

    Raises ValueError for inputs that do not fit the network; MemoryError, before anything is computed, when the
    features would fill more than half of the free memory, and, with a batch size to try, when a batch does not fit.
    """
    device, x, batch_size = _checked(model, x, batch_size, device)
    one, needed, free = first_feature(model, x, device)
    if needed > CACHE_SHARE * free:
        raise MemoryError(
            f"The features of {len(x)} images need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are "
            "free: freeze a later stage, take smaller images or fewer of them, or use fit."
        )
    features = one.new_empty(len(x), *one.shape[1:])

    def fill():
        for there, part in zip(features.split(batch_size), in_order(x, batch_size, device), strict=True):
            there.copy_(_through_prefix(model, part))

    guards.with_memory(fill, batch_size, DOING)
    return features


def first_feature(model: StagedNet, x, device: torch.device) -> tuple[torch.Tensor, int, int]:
    """The features of the first image, the bytes that those of all images need, and the bytes that are free."""
    import psutil

    one = guards.with_memory(lambda: _through_prefix(model, x[:1].to(device)), 1, DOING)
    return one, one.nbytes * len(x), psutil.virtual_memory().available


@torch.no_grad()
def _through_prefix(model: StagedNet, part: torch.Tensor) -> torch.Tensor:
    prefix = frozen_prefix(model)

    def compute(x):
        x = model.input(x)
        for name in prefix:
            x = model.stages[name](x)
        return model.pool(x) if len(prefix) == len(model.stages) else x

    return guards.forward(model, to_float(part), compute).cpu()


@torch.no_grad()
def stage_features(model: StagedNet, x, *, batch_size: int = 128, device: Device = None) -> torch.Tensor:
    """Mean and maximum over the pixels (of sequences: places) of every channel of every stage [1]: float32 N×D, CPU.

    D is twice the sum of the stages' channels, in the order mean and maximum of the first stage, of the second, ….
    Numbers in place of maps (the stage ``hidden`` of ``staged.py``) are taken as they are.
    The whole network computes in eval mode, frozen or not, and nothing is trained: give the result to a linear model.
    Raises ValueError for texts, and for inputs that do not fit the network; MemoryError, with a batch size to try.
    """
    device, x, batch_size = _checked(model, x, batch_size, device)
    if x.dtype == torch.int32:
        raise ValueError("stage_features reads maps of images and sequences: of texts take prefix_features.")

    def all_stages(x):
        x, row = model.input(x), []
        for stage in model.stages.values():
            x = stage(x)
            places = tuple(range(2, x.ndim))  # of an image, or of a sequence
            row += [x.mean(places), x.amax(places)] if places else [x]
        return torch.cat(row, 1).cpu()

    def rows():
        return torch.cat([guards.forward(model, to_float(p), all_stages) for p in in_order(x, batch_size, device)])

    return guards.with_memory(rows, batch_size, DOING)


def _checked(model, x, batch_size, device) -> tuple[torch.device, torch.Tensor, int]:
    """The device, the images and the size, after all that can be wrong with them; the model is there in eval mode."""
    check_staged(model)
    parts.check_whole(batch_size, "batch_size", least=1)
    x = guards.as_inputs(x, "given", streamed=True)
    if not len(x):
        raise ValueError("There are no images to compute features of: give at least one.")
    guards.tell_of_range(model, x, "given")
    model.to(device := parts.as_device(device)).eval()
    return device, x, int(batch_size)
