"""How far the outline of one mask lies from that of another.

[1] Huttenlocher, Klanderman, Rucklidge, Comparing images using the Hausdorff distance, IEEE Transactions on Pattern
Analysis and Machine Intelligence 15 (1993), doi 10.1109/34.232073

Dice asks how many pixels two masks share, and hardly sees a thin spur or a far speck; a distance does.
"""

import numpy as np

from ..labels import as_array
from ..parts import check_rate


def surface_distances(predicted, mask, spacing=1) -> tuple[np.ndarray, np.ndarray]:
    """From each surface pixel of one mask to the nearest of the other one: of ``predicted``, and of ``mask``, float64.

    Parameters
    ----------
    predicted, mask: one image, H×W (of several, one after the other), or one volume, D×H×W; what is not 0 is the
        object.
    spacing: millimetres from pixel to pixel, one number, or one for each axis.

    A surface pixel belongs to the object and has a neighbour, over an edge, that does not, or lies at the border of the
    image. Where a mask is empty, its distances are none, and those to it are infinite. Raises ValueError for masks of
    different shapes.
    """
    from scipy.ndimage import binary_erosion, distance_transform_edt

    a, b = (as_array(part, f"{name} mask") != 0 for part, name in ((predicted, "predicted"), (mask, "true")))
    if a.shape != b.shape or a.ndim not in (2, 3) or not a.size:
        raise ValueError(f"The masks have shapes {a.shape} and {b.shape}: give both H×W, or D×H×W, of the same size.")
    spacing = _spacing(spacing, a.ndim)
    edges = [part & ~binary_erosion(part) for part in (a, b)]
    none = np.full(a.shape, np.inf)
    to_a, to_b = (distance_transform_edt(~edge, spacing) if edge.any() else none for edge in edges)
    return to_b[edges[0]], to_a[edges[1]]


def hausdorff95(predicted, mask, spacing=1) -> float:
    """The larger of the two 95th percentiles of ``surface_distances``: HD95, in the units of ``spacing`` [1].

    It is 0 where both masks are empty, and infinite where one is. The largest distance of all would be that of one
    stray pixel.
    """
    there, back = surface_distances(predicted, mask, spacing)
    if not len(there) or not len(back):
        return 0.0 if len(there) == len(back) else float("inf")
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))


def _spacing(spacing, ndim: int) -> list[float]:
    each = as_array(spacing, "spacing")
    if each.shape not in ((), (ndim,)):
        raise ValueError(f"The spacing has shape {each.shape}: give one number, or {ndim}, one for each axis.")
    for value in each.ravel():
        check_rate(float(value), "spacing", above=True)
    return [float(value) for value in np.broadcast_to(each, ndim)]
