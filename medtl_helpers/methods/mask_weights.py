"""The embedded weights of a ``UNet``: trained on drawn nuclei of any colour (``benchmarks/pretrain_nuclei.py``)."""

from pathlib import Path

from .embedded_weights import load_embedded, write_half
from .unet import UNet

CHANNELS, CLASSES, WIDTH, DEPTH = 3, 2, 8, 3


def nuclei_unet() -> UNet:
    """The network with random weights (set the seed before)."""
    return UNet(CHANNELS, CLASSES, WIDTH, DEPTH)


def load_nuclei_unet(*, weights: str | Path | None = None, quiet: bool = False) -> UNet:
    """``UNet`` of three channels, background and nucleus, width 8 and depth 3, with trained weights, in eval mode.

    ``weights`` is None (the embedded ones), ``"random"``, or a file that ``save_nuclei_unet`` wrote; with ``quiet`` the
    line is not printed that says what was loaded. The attribute ``weights`` keeps it. Raises ValueError for a file that
    does not fit, FileNotFoundError for one that is not there.
    """
    return load_embedded(
        nuclei_unet(), "nuclei_unet", drawn="drawn nuclei", writer="save_nuclei_unet", classes=None, weights=weights,
        quiet=quiet,
    )  # fmt: skip


def save_nuclei_unet(model: UNet, path: Path) -> None:
    """Write all weights of ``model`` in half precision, its head and the statistics of batch norm with them."""
    write_half(model, path)
