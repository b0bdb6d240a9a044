"""How good a saliency map is: its share in a known region, its highest pixel, what deleting its pixels does, and
whether it needs the trained weights at all.

[1] Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016, arXiv 1608.00507 (the pointing game)
[2] Samek et al., Evaluating the visualization of what a deep neural network has learned, IEEE TNNLS 2017,
arXiv 1509.06321; Petsiuk et al., RISE, BMVC 2018, arXiv 1806.07421 (deletion)
[3] Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018, arXiv 1810.03292
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn

from ..guards import as_inputs, as_logits, forward
from ..labels import as_array
from ..parts import check_choice, check_whole
from .explaining import EMPTY, map_in_batches
from .nets import StagedNet, check_staged

OTHER_SEED = 6_000_000  # so that new weights are not those with which the training began


def mass_inside(maps, regions) -> np.ndarray:
    """The share of each map (float N×h×w, not negative) that lies in its region (bool N×H×W): float64 N in 0..1.

    The maps are enlarged to H×W first. A map that is zero everywhere has the share 0.
    """
    maps, regions = _enlarged(maps, regions)
    total = maps.sum(1)
    return np.where(total > 0, (maps * regions).sum(1) / np.where(total > 0, total, 1), 0.0)


def highest_inside(maps, regions) -> np.ndarray:
    """The pointing game [1]: whether the highest pixel of each map is in its region, float64 N; of ties the share."""
    maps, regions = _enlarged(maps, regions)
    highest = maps == maps.max(1, keepdims=True)
    return (highest & regions).sum(1) / highest.sum(1)


def deletion_curve(
    model: nn.Module,
    x,
    classes,
    maps,
    *,
    steps: int = 16,
    fill: str = "mean",
    seed: int = 0,
    batch_size: int = 64,
    device=None,
) -> np.ndarray:
    """The probability of a class while the pixels of the highest map go, the highest first: float32 N×(steps + 1) [2].

    Parameters
    ----------
    model, x, classes, batch_size, device: as of ``integrated_gradients``.
    maps: float N×h×w; they are enlarged to the images.
    steps: after step k the share k/steps of all pixels is gone. fill: what comes in their place, one of ``EMPTY``.
    seed: pixels that are equally high go in a random order, so that a map of zeros is a random one.

    A curve that falls early says that the map found what the network needs; it is below that of a random map (which
    must be as smooth), or else says nothing. Images with holes are such as the network never saw.
    """
    check_whole(steps, "steps", least=1)
    check_whole(seed, "seed", least=0)
    check_whole(batch_size, "batch_size", least=1)
    check_choice(fill, "fill", EMPTY)
    x = as_inputs(x, "given")
    maps, _ = _enlarged(maps, np.zeros((len(x), *x.shape[2:]), bool))
    chance = np.random.default_rng(seed).random(maps.shape)
    order = torch.from_numpy(np.lexsort((chance, -maps), axis=1))
    rank = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).expand_as(order))
    ranks = iter(rank.view(len(x), 1, *x.shape[2:]).split(batch_size))

    @torch.no_grad()
    def one(images: Tensor, c: Tensor) -> Tensor:
        empty, place = EMPTY[fill](images), next(ranks).to(images.device)
        gone = [place < round(k / steps * rank.shape[1]) for k in range(steps + 1)]
        outputs = [as_logits(forward(model, torch.where(holes, empty, images))) for holes in gone]
        return torch.stack([p.softmax(1).gather(1, c[:, None])[:, 0] for p in outputs], 1)

    return map_in_batches(model, x, classes, one, batch_size=batch_size, device=device)


def deletion_auc(curves) -> np.ndarray:
    """The area under each curve of ``deletion_curve``, by the trapezoidal rule: float64 N in 0..1; less is better."""
    curves = as_array(curves, "curves").astype(float)
    if curves.ndim != 2 or curves.shape[1] < 2:
        raise ValueError(f"The curves have shape {curves.shape}: give N×(steps + 1), as deletion_curve makes them.")
    return ((curves[:, 1:] + curves[:, :-1]) / 2).mean(1)


def randomised(model: StagedNet, *names: str, seed: int = 0) -> StagedNet:
    """A copy of the network in which the parts ``names`` (none named: all of them, the head too) know nothing [3].

    Their layers get new random weights, as torch gives a new layer, and batch norm forgets its statistics. For the
    cascade of [3] name the head, then the head and the last stage, and so on: a map that stays the same explains
    nothing of what was learnt. Raises ValueError for a part that is not there.
    """
    check_staged(model)
    check_whole(seed, "seed", least=0)
    model = copy.deepcopy(model).eval()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(OTHER_SEED + seed)
        for name in names or model.parts():
            for layer in model.part(name).modules():
                getattr(layer, "reset_parameters", lambda: None)()
    return model


def map_correlation(maps, others) -> np.ndarray:
    """Spearman's rank correlation of each map with the other one of the same image, float64 N.

    The coarser ones are enlarged first. It is 0 where one of both is the same everywhere: such a map has no order.
    """
    from scipy.stats import rankdata

    maps, others = as_array(maps, "maps"), as_array(others, "other maps")
    if maps.ndim == others.ndim == 3 and maps.shape[1] < others.shape[1]:
        maps, others = others, maps
    fine, _ = _enlarged(maps, np.zeros(maps.shape, bool))
    coarse, _ = _enlarged(others, np.zeros(maps.shape, bool))
    a, b = (rankdata(one, axis=1) - (one.shape[1] + 1) / 2 for one in (fine, coarse))
    below = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return np.where(below > 0, (a * b).sum(1) / np.where(below > 0, below, 1), 0.0)


def _enlarged(maps, regions) -> tuple[np.ndarray, np.ndarray]:
    """Maps and regions as N×(H·W). Raises ValueError where they are not of the same N images."""
    maps = torch.from_numpy(as_array(maps, "maps").astype(float))
    regions = torch.from_numpy(as_array(regions, "regions").astype(bool))
    if not (maps.isfinite() & (maps >= 0)).all():
        raise ValueError("Some numbers of the maps are below 0 or not finite: give maps as grad_cam makes them.")
    if maps.ndim != 3 or regions.ndim != 3 or len(maps) != len(regions):
        raise ValueError(
            f"The maps have shape {tuple(maps.shape)}, the regions {tuple(regions.shape)}: give N×h×w and N×H×W, of "
            "the same images."
        )
    if maps.shape != regions.shape:
        maps = torch.nn.functional.interpolate(maps[:, None], size=regions.shape[1:], mode="bilinear")[:, 0]
    return maps.flatten(1).numpy(), regions.flatten(1).numpy()
