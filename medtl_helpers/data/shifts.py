"""Domain shifts: another hospital's scanner, a dirty slide, another laboratory's assay; each grows with ``strength``.

A scanner's colour mixing, tone curve, blur, shading and noise are what differs between laboratories; ``strength`` moves
all of them together from "unchanged" to "the other hospital". It works on phantoms and on real images alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ..parts import check_rate, check_whole, shown
from .painting import CHUNK, pixel_grid, to_bytes
from .phantoms import draw


@dataclass(frozen=True)
class Scanner:
    """Another hospital's device: what it does to an image at full strength. ``strength`` 0 changes nothing.

    colour: 3×3 matrix that mixes the channels of an RGB image (the stain); grey images get its mean gain.
    gamma: exponent of the tone curve. blur: standard deviation in percent of the image side.
    shading: how much darker the border is than the middle, 0..1. noise: standard deviation, of 1.
    """

    name: str
    colour: tuple[tuple[float, float, float], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    gamma: float = 1.0
    blur: float = 0.0
    shading: float = 0.0
    noise: float = 0.0

    def __call__(self, images: torch.Tensor, strength: float = 1.0, *, seed: int = 0) -> torch.Tensor:
        """Acquire uint8 images N×C×H×W with this device; returns the same shape and dtype.

        ``strength`` runs continuously from 0 (unchanged, bit for bit) to 1 and a little beyond. Raises ValueError for
        images of another type or shape.
        """
        check_rate(strength, "strength")
        check_whole(seed, "seed", least=0)
        _check_images(images, (1, 3))
        if strength == 0:
            return images.clone()
        generator = torch.Generator().manual_seed(seed)
        parts = [self._acquire(part, strength, generator) for part in images.split(CHUNK)]
        return torch.cat(parts) if parts else images.clone()

    def _acquire(self, images, strength, generator):
        image = images.float() / 255
        channels, size = image.shape[1], image.shape[-1]
        matrix = torch.eye(3).lerp(torch.tensor(self.colour, dtype=torch.float32), strength)
        image = torch.einsum("dc,nchw->ndhw", matrix, image) if channels == 3 else image * matrix.sum(1).mean()
        image = image.clamp_(0, 1).pow_(self.gamma**strength)
        sigma = self.blur * strength * size / 100
        if sigma > 0.05:
            from torchvision.transforms.v2.functional import gaussian_blur

            image = gaussian_blur(image, [2 * max(1, round(2.5 * sigma)) + 1] * 2, [sigma, sigma])
        y, x = pixel_grid(size)
        image = image * (1 - self.shading * strength * ((x - 0.2).square() + (y + 0.1).square()) / 2)
        image = image + self.noise * strength * torch.randn(image.shape, generator=generator)
        return to_bytes(image)


def _check_images(images, channels: tuple[int, ...]) -> None:
    """Raises ValueError unless they are uint8 images N×C×S×S with one of these numbers of channels."""
    if not isinstance(images, torch.Tensor) or images.dtype != torch.uint8 or images.ndim != 4:
        found = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, torch.Tensor) else shown(images)
        raise ValueError(f"The images are {found}: give a tensor of uint8 images N×C×H×W, 0 to 255.")
    if images.shape[1] not in channels or images.shape[2] != images.shape[3]:
        raise ValueError(
            f"The images are {tuple(images.shape)}: give square ones, of {' or '.join(map(str, channels))} channels."
        )


SCANNERS = {
    scanner.name: scanner
    for scanner in (
        Scanner("A"),  # the source: the images as they are
        Scanner("B", ((0.80, 0.20, -0.10), (0.10, 0.60, 0.20), (0.05, 0.15, 0.78)), 1.4, 2.0, 0.35, 0.03),
        Scanner("C", ((1.05, -0.15, 0.10), (0.15, 0.85, -0.05), (-0.10, 0.30, 0.60)), 0.7, 1.0, 0.20, 0.06),
        Scanner("D", ((0.50, 0.40, 0.00), (0.30, 0.50, 0.10), (0.30, 0.10, 0.50)), 1.2, 3.0, 0.50, 0.02),
    )
}


def textured(images: torch.Tensor, strength: float = 1.0, *, seed: int = 0) -> torch.Tensor:
    """Lay coloured waves over the bright background of smears, as on a dirty slide; uint8 N×3×S×S to the same.

    ``strength`` runs from 0 (unchanged) to 1 (opaque). Cells are darker than the plasma around them and stay.
    """
    check_rate(strength, "strength")
    check_whole(seed, "seed", least=0)
    _check_images(images, (3,))
    generator = torch.Generator().manual_seed(seed)
    n, size = len(images), images.shape[-1]
    image = images.float() / 255
    channels = [draw("texture", torch.randint(64, (n,), generator=generator), size, seed=seed + k) for k in (1, 2, 3)]
    waves = torch.cat(channels, 1).float() / 255
    background = ((image.amin(1, keepdim=True) - 0.78) / 0.02).sigmoid()
    return to_bytes(image.lerp(waves, strength * background))


SHIFTS: dict[str, Callable] = {"texture": textured, **{f"scanner {name}": SCANNERS[name] for name in "BCD"}}


def assay_shift(x: pd.DataFrame, strength: float, seed: int = 0) -> pd.DataFrame:
    """The same patients measured by another laboratory: each column gets its own gain, offset and added noise.

    Gains vary by ±25 %, offsets by ±1 standard deviation of the column, and noise has 0.3 standard deviations, all
    times ``strength``: 0 returns the table unchanged, 1 is a badly calibrated second laboratory. Returns a new table.
    Raises ValueError for what is no pandas table of numbers with two rows or more.
    """
    check_rate(strength, "strength")
    check_whole(seed, "seed", least=0)
    if not isinstance(x, pd.DataFrame) or len(x) < 2 or not all(dtype.kind in "biuf" for dtype in x.dtypes):
        raise ValueError(f"The patients are {shown(x)}: give a pandas table of numbers, of two rows or more.")
    rng = np.random.default_rng(seed)
    gain = 1 + 0.25 * strength * rng.uniform(-1, 1, x.shape[1])
    offset = strength * rng.uniform(-1, 1, x.shape[1])
    noise = 0.3 * strength * rng.standard_normal(x.shape)
    return x * gain + (offset + noise) * x.std().fillna(0).to_numpy()  # one value alone has no deviation
