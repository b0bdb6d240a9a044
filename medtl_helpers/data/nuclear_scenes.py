"""Where drawn nuclei lie and what shape they have, before any light or stain: what ``drawn_nuclei.py`` renders.

Nuclei are ellipses whose border waves, from small and round (lymphocytes) to long (fibroblasts) and large and ragged
(tumours), as an atlas of histology shows them. They lie evenly, in clumps, in rings around a lumen (glands), or in
bands (stroma, epithelia); how much they may overlap differs from picture to picture, too. Every quantity is drawn
from a range that is wide on purpose (see ``drawn_nuclei.py`` for why).
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft

MOST = 250  # nuclei of a picture, whose numbers fit into a byte
ARRANGEMENTS = ("even", "even", "even", "clumps", "clumps", "rings", "bands")


class Scene(NamedTuple):
    """One picture without light: float32 S×S in about 0..1 each, but for ``objects``."""

    objects: np.ndarray  # uint8: the number of the nucleus that lies uppermost, from 1; 0 is background
    cover: np.ndarray  # how much of the pixel nuclei cover
    density: np.ndarray  # chromatin along the line of sight, where nuclei overlap the sum
    bodies: np.ndarray  # cells around nuclei
    tissue: np.ndarray  # 1 in tissue, 0 in gaps and lumina
    fibres: np.ndarray  # stripes of fibres and cytoplasm, around 0
    radius: float  # typical radius of a nucleus, in pixels


def spread(rng, low: float, high: float) -> float:
    """A random number of low..high that is even on a logarithmic scale."""
    return low * (high / low) ** rng.random()


def one_of(rng, *values):
    return values[rng.integers(len(values))]


@lru_cache(maxsize=4)
def _frequencies(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the rows and of the columns that a real Fourier transform keeps, in cycles a pixel: S×1 and 1×(S//2 + 1)."""
    return np.fft.fftfreq(size)[:, None].astype(np.float32), np.fft.rfftfreq(size)[None].astype(np.float32)


def cloud(rng, size: int, scale: float, stretch: float = 1.0, angle: float = 0.0) -> np.ndarray:
    """Smooth noise S×S, mean 0 and standard deviation 1, of bumps ``scale`` pixels wide, longer by ``stretch``.

    White noise through a Gaussian in the frequency domain, so that it goes on at the opposite border.
    """
    fy, fx = _frequencies(size)
    along, across = fx * math.cos(angle) + fy * math.sin(angle), fy * math.cos(angle) - fx * math.sin(angle)
    damp = np.exp((np.square(along * stretch) + np.square(across)) * (-2 * scale**2))
    damp[0, 0] = 0
    field = _filtered(rng.standard_normal((size, size), np.float32), damp)
    return field / max(math.sqrt(float(np.vdot(field, field))) / size, 1e-6)


def softened(field: np.ndarray, sigma: float) -> np.ndarray:
    """``field`` through a Gaussian of ``sigma`` pixels, going on at the opposite border."""
    fy, fx = _frequencies(len(field))
    return _filtered(field, np.exp((fx * fx + fy * fy) * (-2 * math.pi**2 * sigma**2)))


def logistic(field: np.ndarray, steepness: float) -> np.ndarray:
    return 1 / (1 + np.exp((field * -steepness).clip(-30, 30)))


def _filtered(field: np.ndarray, damp: np.ndarray) -> np.ndarray:
    return fft.irfft2(fft.rfft2(field.astype(np.float32, copy=False)) * damp, s=field.shape)


def scene(rng, size: int) -> Scene:
    """Draw the nuclei of one picture and what lies between them; ``size`` is the field of view in pixels."""
    radius = spread(rng, 3.2, 17)
    centres, turns = _places(rng, size, radius, 0.02 + 0.55 * rng.random() ** 1.4)
    centres[0] = rng.uniform(0.1 * size, 0.9 * size, 2)  # one nucleus at least lies in the picture
    n = len(centres)
    radii = radius * np.exp(rng.uniform(0.04, 0.35) * rng.standard_normal(n)).clip(0.5, 1.9)
    small = rng.random(n) < one_of(rng, 0, 0, 0.3, 0.6)  # other cells among them, like lymphocytes
    radii = np.where(small, radii * rng.uniform(0.5, 0.8), radii)
    kept = _apart(centres, radii, rng.uniform(0.55, 1.25))
    centres, radii, small, turns = centres[kept], radii[kept], small[kept], turns[kept]
    n, long = len(kept), one_of(rng, 1.15, 1.4, 1.8, 2.8)
    aspect = np.where(small, 1 + 0.2 * rng.random(n), 1 + (long - 1) * rng.random(n) * 1.3)
    turns = turns + one_of(rng, 0.15, 0.5, 3.2) * rng.uniform(-1, 1, n)
    strength = np.exp(rng.uniform(0.05, 0.4) * rng.standard_normal(n)).clip(0.4, 2.2)
    strength = np.where(small, strength * rng.uniform(1.0, 1.6), strength)
    objects, cover, density = _draw(rng, size, centres, radii, aspect, turns, strength)

    density *= (1 + rng.uniform(0, 0.35) * cloud(rng, size, spread(rng, 0.6, 1 + radius / 4))).clip(
        0.15, 2
    )  # chromatin
    bodies = softened(cover, radius * rng.uniform(0.5, 1.1)) + rng.uniform(0, 0.08) * cloud(rng, size, radius / 2)
    bodies = logistic(bodies - rng.uniform(0.08, 0.3), spread(rng, 8, 40))
    gaps = cloud(rng, size, rng.uniform(1.0, 3.5) * radius) - one_of(rng, 4.0, rng.uniform(0.2, 2))
    gaps = logistic(gaps, spread(rng, 4, 20)) * (1 - np.maximum(cover, bodies * one_of(rng, 0.0, 1.0)))
    fibres = cloud(rng, size, spread(rng, 0.7, 5), spread(rng, 1, 8), rng.uniform(0, math.pi))
    fibres = 0.7 * fibres + 0.5 * cloud(rng, size, rng.uniform(6, 20))
    return Scene(objects, cover, density, bodies, 1 - gaps, fibres, radius)


def _places(rng, size: int, radius: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Candidates' centres N×2 (y, x), also just outside, and their directions N, more than needed for the ``share``."""
    wide = size + 2 * radius
    n = int(np.clip(share * wide**2 / (np.pi * radius**2) * 2.5, 1, 400))
    arrangement = one_of(rng, *ARRANGEMENTS)
    if arrangement == "even":
        return rng.uniform(-radius, size + radius, (n, 2)), rng.uniform(0, np.pi) + np.zeros(n)
    if arrangement == "clumps":
        heart = rng.uniform(0, size, (rng.integers(1, 2 + n // 6), 2))
        away = rng.standard_normal((n, 2)) * radius * rng.uniform(1.2, 4)
        return heart[rng.integers(len(heart), size=n)] + away, rng.uniform(0, np.pi, n)
    if arrangement == "rings":
        heart = rng.uniform(0, size, (rng.integers(1, 4), 2))
        which, at = rng.integers(len(heart), size=n), rng.uniform(0, 2 * np.pi, n)
        away = rng.uniform(0.2, 0.5, len(heart))[which] * size + radius * rng.uniform(0.1, 1.5) * rng.standard_normal(n)
        return heart[which] + away[:, None] * np.stack([np.sin(at), np.cos(at)], 1), at
    angle, waves = rng.uniform(0, np.pi), rng.uniform(0, 3)
    along, band = rng.uniform(-0.75, 0.75, n) * size, rng.integers(1 + int(size / radius / 4), size=n)
    across = (band - band.mean()) * radius * rng.uniform(2.2, 5) + radius * rng.uniform(0, 1) * rng.standard_normal(n)
    across = across + size * 0.06 * np.sin(waves * along / size * 2 * np.pi)
    turn = np.array([[np.sin(angle), np.cos(angle)], [np.cos(angle), -np.sin(angle)]])
    return size / 2 + np.stack([along, across], 1) @ turn, angle + np.zeros(n)


def _apart(centres: np.ndarray, radii: np.ndarray, gap: float) -> np.ndarray:
    """The numbers of nuclei, in order, that lie no nearer to an earlier one than ``gap`` times both their radii."""
    difference = centres[:, None] - centres[None]
    near = (difference**2).sum(-1) < (gap * (radii[:, None] + radii[None])) ** 2
    kept: list[int] = []
    for k, row in enumerate(near):
        if not row[kept].any():
            kept.append(k)
    return np.array(kept[:MOST])


def _draw(rng, size: int, centres, radii, aspect, turns, strength):
    """The numbers of the nuclei, their cover and their density, S×S each; the longest lie undermost."""
    n = len(radii)
    order = np.argsort(-radii * np.sqrt(aspect), kind="stable")
    objects = np.zeros((size, size), np.uint8)
    cover, density = np.zeros((2, size, size), np.float32)
    flat, rim = one_of(rng, 0.15, 0.3, 0.5), one_of(rng, 0, 0, rng.uniform(0.2, 0.7))  # pale inside: vesicular
    nucleoli, glow, width = one_of(rng, 0, 0, 1, 2, 3), one_of(rng, -0.7, -0.4, 0.6), rng.uniform(0.1, 0.25)
    rough = rng.uniform(0, 0.12) * rng.standard_normal((n, 4)) / np.array([1, 1.3, 2, 3])
    waves = (rough * np.exp(2j * np.pi * rng.random((n, 4)))).astype(np.complex64)[..., None, None]
    spots = (0.5 * np.sqrt(rng.random((n, 3))) * np.exp(2j * np.pi * rng.random((n, 3)))).astype(np.complex64)
    number = 0
    for part in np.array_split(order, min(n, 4)):  # of about one size each, so that their windows are small
        half = int((radii[part] * np.sqrt(aspect[part])).max() * 1.2) + 3
        corner = np.floor(centres[part]).astype(int) - half
        step = np.arange(2 * half + 1) + 0.5
        dy, dx = np.moveaxis(step + (corner - centres[part])[..., None], 1, 0).astype(np.float32)
        sin, cos, a, b, dark = (
            values.astype(np.float32)[part, None, None]
            for values in (np.sin(turns), np.cos(turns), radii * aspect**0.5, radii * aspect**-0.5, strength)
        )
        z = np.empty((len(part), len(step), len(step)), np.complex64)  # the ellipse is the unit circle
        z.real = (dx[:, None] * cos + dy[:, :, None] * sin) / a
        z.imag = (dy[:, :, None] * cos - dx[:, None] * sin) / b
        rho = np.sqrt(z.real**2 + z.imag**2) + np.float32(1e-6)
        power = unit = z / rho
        border = np.ones_like(rho)
        for k in range(4):
            power = power * unit
            border += (power * waves[part, k]).real
        inside = border - rho
        soft = (inside * b + np.float32(0.5)).clip(0, 1)
        thick = (1 - (rho / border) ** 2).clip(0, 1)
        shape = thick**flat * (1 - rim * thick)  # from a disc to a ball
        for k in range(nucleoli):  # dark or bright, by stain
            away = z - spots[part, k, None, None]
            shape *= 1 + glow * np.exp((away.real**2 + away.imag**2) * (-0.5 / width**2))
        shape *= soft * dark
        for k, (top, left) in enumerate(corner):
            y0, x0 = max(0, -top), max(0, -left)
            y1, x1 = min(len(step), size - top), min(len(step), size - left)
            number += 1
            if y1 > y0 and x1 > x0:
                at, of = np.s_[top + y0 : top + y1, left + x0 : left + x1], np.s_[k, y0:y1, x0:x1]
                objects[at][inside[of] > 0] = number
                np.maximum(cover[at], soft[of], out=cover[at])
                density[at] += shape[of]
    return objects, cover, density
