"""The domain shift: another hospital's scanner, microscope and stain, as one continuous operation on finished images.

Colour mixing, tone curve, blur, shading and noise are what differs between laboratories; ``strength`` moves all of
them together from "unchanged" to "the other hospital". It works on phantoms and on real images alike.
"""

from dataclasses import dataclass

import torch

from .phantoms import CHUNK, pixel_grid, to_bytes


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

        ``strength`` runs continuously from 0 (unchanged, bit for bit) to 1 and a little beyond.
        """
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


SCANNERS = {
    scanner.name: scanner
    for scanner in (
        Scanner("A"),  # the source: the images as they are
        Scanner("B", ((0.80, 0.20, -0.10), (0.10, 0.60, 0.20), (0.05, 0.15, 0.78)), 1.4, 2.0, 0.35, 0.03),
        Scanner("C", ((1.05, -0.15, 0.10), (0.15, 0.85, -0.05), (-0.10, 0.30, 0.60)), 0.7, 1.0, 0.20, 0.06),
        Scanner("D", ((0.50, 0.40, 0.00), (0.30, 0.50, 0.10), (0.30, 0.10, 0.50)), 1.2, 3.0, 0.50, 0.02),
    )
}
