"""Drawn nuclei with their outlines, under three microscopes and under none that exists.

``draw_nuclei(500, kind="histology")`` gives pictures and masks that are exact, because they are drawn. The scenes
(``nuclear_scenes.py``) are the same for all kinds; what differs is how light goes through them. All of it is written
from publications:

- fluorescence: dye bound to chromatin shines on dark, overlapping nuclei add up, the lens blurs (a Gaussian for the
  point spread function, Zhang, Zerubia and Olivo-Marin, Applied Optics 46, 1819, 2007), light from out of focus lies
  over it, photons are counted (Poisson) and the camera adds its noise (Lehmussola et al., IEEE TMI 26, 1010, 2007).
- histology: haematoxylin and eosin darken by the law of Beer and Lambert, along the stain vectors of Ruifrok and
  Johnston (Anal. Quant. Cytol. Histol. 23, 291, 2001) and of Macenko et al. (ISBI 2009) and mixtures of these.
- bright: dark nuclei in grey cells on a bright ground, like cytology in one colour.
- any: every structure gets a colour of its own at random, so that nothing but shape and texture tells a nucleus.
  That is domain randomisation (Tobin et al., IROS 2017, arXiv 1703.06907), as SynthSeg does for brains (Billot et
  al., Medical Image Analysis 86, 102789, 2023, arXiv 2107.09559).

The ranges are wide on purpose: a network that is trained on drawings is to meet the real picture as one more of them.
No real picture was opened to choose a number of this file.
"""

import math

import numpy as np
import torch

from ..parts import check_choice, check_whole, shown
from .nuclear_scenes import Scene, cloud, logistic, one_of, scene, softened, spread

# Optical density of red, green and blue for one unit of stain.
RUIFROK = {"haematoxylin": (0.650, 0.704, 0.286), "eosin": (0.072, 0.990, 0.105)}
MACENKO = {"haematoxylin": (0.563, 0.720, 0.406), "eosin": (0.216, 0.801, 0.558)}
SMALLEST_FIELD = 16  # pixels a side


def draw_nuclei(
    n: int, *, kind: str = "fluorescence", size: int = 128, objects: bool = False, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw ``n`` pictures of nuclei and where the nuclei are.

    Parameters
    ----------
    kind: ``"fluorescence"``, ``"histology"``, ``"bright"`` or ``"any"``; another kind with the same seed shows the
        same nuclei.
    size: pixels a side. Nuclei have the same size in pixels whatever it is: a smaller picture shows fewer of them.
    objects: give masks that number the nuclei of a picture from 1 on, in place of 1 for all of them.
    seed: of everything random. Picture k depends on the seed and k alone, and not on how many are drawn.

    Returns uint8 n×3×size×size and uint8 n×size×size, 0 for background; each picture has a nucleus. Raises ValueError
    for arguments that it cannot draw.
    """
    check_choice(kind, "The kind of nuclei", LOOKS)
    check_whole(n, "n", least=0)
    check_whole(size, "size", least=SMALLEST_FIELD)
    check_whole(seed, "seed", least=0)
    if not isinstance(objects, bool):
        raise ValueError(f"objects is {shown(objects)}: give True for masks that number the nuclei, or False.")
    x, masks = torch.empty(n, 3, size, size, dtype=torch.uint8), torch.empty(n, size, size, dtype=torch.uint8)
    for k in range(n):
        there = scene(np.random.default_rng((seed, k)), size)
        picture = LOOKS[kind](np.random.default_rng((seed, k, 1)), there)
        x[k] = torch.from_numpy((picture * 255).round().clip(0, 255).astype(np.uint8))
        masks[k] = torch.from_numpy(there.objects)
    return x, masks if objects else masks.clamp_(max=1)


def fluorescence(rng, s: Scene) -> np.ndarray:
    """Bright on dark, 3×S×S."""
    size, signal = len(s.cover), s.density
    if rng.random() < 0.5:  # cells shine faintly
        signal = signal + s.bodies * rng.uniform(0, 0.2) * (1 + 0.3 * s.fibres)
    if rng.random() < 0.4:  # light from out of focus, of nuclei above and below
        depth = np.roll(s.density, rng.integers(size, size=2), (0, 1))
        signal = signal + rng.uniform(0.1, 0.4) * softened(depth, s.radius * rng.uniform(0.5, 1.2))
    if rng.random() < 0.3:  # specks of dye
        specks = rng.random((size, size), np.float32) < rng.uniform(0.0002, 0.002)
        signal = signal + softened(specks, rng.uniform(0.6, 1.2)) * rng.uniform(2, 10)
    signal = _shaded(rng, signal + one_of(rng, 0, 0.1, rng.uniform(0, 0.5)), 0.4)
    signal = softened(signal, _blur(rng, s, 2.2)).clip(0)
    signal = signal + np.sqrt(signal / spread(rng, 30, 2000)) * rng.standard_normal(
        (size, size), np.float32
    )  # photons of a nucleus
    signal = (signal + spread(rng, 0.003, 0.06) * rng.standard_normal((size, size), np.float32)) * spread(
        rng, 0.07, 1.3
    )  # from dim to saturated
    colour = np.ones(3) if rng.random() < 0.7 else rng.permutation([1, rng.random(), rng.random() ** 3])
    return signal[None] * colour.astype(np.float32)[:, None, None]


def histology(rng, s: Scene) -> np.ndarray:
    """Haematoxylin and eosin, 3×S×S."""
    size, mix = len(s.cover), rng.random(2)
    stains = [
        mix[k] * np.array(RUIFROK[name]) + (1 - mix[k]) * np.array(MACENKO[name]) + 0.05 * rng.standard_normal(3)
        for k, name in enumerate(RUIFROK)
    ]
    tissue = s.tissue
    if rng.random() < 0.25:  # a pale ring around nuclei, where the tissue has shrunk
        ring = softened(s.cover, s.radius * rng.uniform(0.2, 0.5)) * (1 - s.cover)
        tissue = tissue * (1 - rng.uniform(0.5, 1.5) * ring).clip(0)
    blue = s.density * spread(rng, 0.45, 1.3) + one_of(rng, 0, rng.uniform(0, 0.3)) * s.bodies
    blue += tissue * rng.uniform(0, 0.25) * (1 + 0.3 * s.fibres)
    pink = tissue * spread(rng, 0.08, 0.7) * (1 + rng.uniform(0.05, 0.4) * s.fibres).clip(0.1)
    pink *= (1 + rng.uniform(-0.5, 0.5) * s.bodies) * (1 - rng.uniform(0, 0.8) * s.cover)
    if rng.random() < 0.25:
        pink += _red_cells(rng, s)
    absorbed, blur = np.zeros((3, size, size), np.float32), _blur(rng, s)
    for stain, layer in zip(stains, (blue, pink), strict=True):
        stain = (stain.clip(0.01) / np.linalg.norm(stain.clip(0.01))).astype(np.float32)
        absorbed += stain[:, None, None] * softened(_shaded(rng, layer, 0.2), blur).clip(0)
    light = (rng.uniform(0.85, 1.0) * rng.uniform(0.92, 1.0, 3)).astype(np.float32)
    picture = light[:, None, None] * np.exp(absorbed * -math.log(10))
    return picture + spread(rng, 0.003, 0.03) * rng.standard_normal((3, size, size), np.float32)


def bright(rng, s: Scene) -> np.ndarray:
    """Dark nuclei in grey cells on a bright ground, 3×S×S of one grey."""
    size = len(s.cover)
    absorbed = s.density * spread(rng, 0.15, 0.8) + s.bodies * rng.uniform(0, 0.12) * (1 + 0.3 * s.fibres)
    absorbed += s.tissue * one_of(rng, 0, rng.uniform(0, 0.12)) * (1 + 0.4 * s.fibres)
    absorbed = softened(_shaded(rng, absorbed, 0.3), _blur(rng, s))
    if rng.random() < 0.3:  # a bright border, as of phase contrast
        absorbed -= rng.uniform(0.2, 0.8) * (softened(absorbed, 2.5) - absorbed).clip(0)
    picture = _shaded(rng, rng.uniform(0.6, 0.97) * np.exp(absorbed * -math.log(10)), 0.25)
    picture = picture + spread(rng, 0.003, 0.04) * rng.standard_normal((size, size), np.float32)
    return picture[None].repeat(3, 0)


def any_look(rng, s: Scene) -> np.ndarray:
    """Any colours for nuclei, cells, tissue and gaps, 3×S×S.

    Half of the pictures are of the three kinds, but with mixed channels, another tone curve, and often negative.
    """
    if rng.random() < 0.5:
        picture = one_of(rng, fluorescence, histology, bright)(rng, s).clip(0, 1)
        mixed = np.tensordot(rng.dirichlet(np.full(3, 0.6), 3).astype(np.float32), picture, 1)
        return one_of(rng, mixed, 1 - mixed).clip(1e-6) ** spread(rng, 0.5, 2)
    size, grey = len(s.cover), rng.random() < 0.3
    gap, tissue, cell, nucleus = colours = rng.random((4, 1 if grey else 3))
    if rng.random() < 0.6:  # cells look much like their tissue
        cell[:] = tissue + rng.uniform(-0.12, 0.12, len(cell))
    while np.abs(nucleus - colours[:3]).max(1).min() < 0.15:  # nuclei that nobody could see
        nucleus[:] = rng.random(len(nucleus))
    cells, chromatin = s.bodies * rng.uniform(0, 1), (s.density * spread(rng, 0.7, 1.5)).clip(0, 1)
    picture = np.broadcast_to(gap.astype(np.float32)[:, None, None], (len(gap), size, size))
    for colour, amount in ((tissue, s.tissue), (cell, cells), (nucleus, chromatin)):
        picture = picture + amount * (colour.astype(np.float32)[:, None, None] - picture)
    picture = picture + rng.uniform(-0.08, 0.08, (len(gap), 1, 1)).astype(np.float32) * s.fibres
    blur = _blur(rng, s)
    picture = np.stack([softened(channel, blur) for channel in picture])
    return picture + spread(rng, 0.003, 0.06) * rng.standard_normal(picture.shape, np.float32)


LOOKS = {"fluorescence": fluorescence, "histology": histology, "bright": bright, "any": any_look}


def _blur(rng, s: Scene, most: float = 1.6) -> float:
    """Standard deviation of the blur in pixels: small nuclei are not washed away."""
    return spread(rng, 0.3, min(most, 0.3 + 0.2 * s.radius))


def _shaded(rng, field: np.ndarray, most: float) -> np.ndarray:
    """Light that falls unevenly: brighter on one side by up to ``most``, and darker at some corners."""
    axis = np.linspace(-1, 1, len(field), dtype=np.float32)
    slope, bowl = rng.uniform(-most, most, 2).astype(np.float32) / 2, rng.uniform(0, most) / 2
    along, across = (s * axis - bowl / 2 * axis**2 for s in slope)
    return field * (1 + along[:, None] + across)


def _red_cells(rng, s: Scene) -> np.ndarray:
    """Eosin of red blood cells, which have no nucleus, between the nuclei."""
    field = cloud(rng, len(s.cover), s.radius * rng.uniform(0.4, 1))
    return rng.uniform(0.3, 0.8) * logistic(field - rng.uniform(1.2, 2), 12) * (1 - s.cover)
