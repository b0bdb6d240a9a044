"""How scanners see the tissues of a drawn abdomen: CT, two kinds of MRI, and an X-ray projection.

- CT numbers without contrast agent, in Hounsfield units: Buzug, Computed Tomography (Springer 2008), page 475; that the
  liver is denser than the spleen: Piekarski et al., Radiology 137, 727 (1980). Windows as radiologists set them.
- MRI at 3 T: T1 and T2 of de Bazelaire et al., Radiology 230, 652 (2004), of blood from Stanisz et al. (2005, doi
  10.1002/mrm.20605). The signal of a spin echo is density·(1 − exp(−repetition/T1))·exp(−echo/T2); the coil's field
  varies smoothly, and the noise of a magnitude is Rician (Gudbjartsson and Patz, 1995, doi 10.1002/mrm.1910340618).
- A lesion is darker than the liver on CT and T1 and brighter on T2, as most liver masses are (Maniam and Szklaruk, a
  review, World Journal of Radiology 2, 309, 2010, doi 10.4329/wjr.v2.i8.309). Its numbers here are chosen to have that
  order; they are no measurement of one disease.
- X-ray: Beer and Lambert through a slab, with attenuation μ = μ_water·(1 + HU/1000), which is what a Hounsfield unit
  means, and μ_water = 0.206 / cm at 60 keV (NIST, X-Ray Mass Attenuation Coefficients).
"""

import math

import numpy as np
from scipy import ndimage

from .abdomen_anatomy import TISSUES

# Mean and standard deviation over patients.
HOUNSFIELD = {
    "air": (-1000, 0), "fat": (-90, 8), "muscle": (50, 5), "bowel wall": (40, 5), "fluid": (8, 5), "gas": (-900, 30),
    "liver": (57, 4), "spleen": (48, 3), "kidney cortex": (33, 3), "kidney medulla": (30, 3),
    "rib": (600, 80), "dense bone": (800, 80), "marrow": (180, 40), "disc": (75, 10), "canal": (15, 5),
    "vein": (45, 3), "vessel in the liver": (45, 3), "aorta": (45, 3), "lesion": (28, 5),
}  # fmt: skip
# T1 and T2 in ms at 3 T, and proton density relative to water. Those of fat, muscle, liver, spleen, kidney, marrow and
# blood are measured; the others, and all densities, are chosen. Moving blood has left the slice before its echo comes,
# so that the density of the vessels is that of the part which has not.
RELAXATION = {
    "air": (1000, 50, 0.0), "fat": (382, 68, 0.9), "muscle": (898, 29, 0.9), "bowel wall": (900, 35, 0.9),
    "fluid": (3500, 500, 1.0), "gas": (1000, 50, 0.0), "liver": (809, 34, 0.9), "spleen": (1328, 61, 0.95),
    "kidney cortex": (1142, 76, 0.95), "kidney medulla": (1545, 81, 0.95),
    "rib": (586, 20, 0.3), "dense bone": (1000, 5, 0.1), "marrow": (586, 49, 0.7), "disc": (1200, 70, 0.8),
    "canal": (3500, 500, 1.0), "vein": (1932, 275, 0.3), "vessel in the liver": (1932, 275, 0.3),
    "aorta": (1932, 275, 0.15), "lesion": (1300, 80, 0.95),
}  # fmt: skip
WINDOWS = {"abdomen": (40, 400), "liver": (60, 160), "bone": (400, 1800)}  # level and width in Hounsfield units
ECHOES = {"t1": (500, 10), "t2": (4000, 80)}  # repetition and echo time in ms
WATER = 0.206  # per cm at 60 keV
CM = 20.0  # of one unit of the anatomy's coordinates


def hounsfield(tissues: np.ndarray, rng) -> np.ndarray:
    """float32: the CT number of each voxel; the patient's tissues differ a little from the table."""
    table = np.array([HOUNSFIELD[tissue] for tissue in TISSUES])
    values = table[:, 0] + table[:, 1] * rng.uniform(-1.5, 1.5, len(table))
    return values.astype(np.float32)[tissues]


def windowed(units: np.ndarray, window: str) -> np.ndarray:
    """Hounsfield units to 0..1: black below level − width/2, white above level + width/2."""
    level, width = WINDOWS[window]
    return ((units - level) / width + 0.5).clip(0, 1)


def spin_echo(tissue: str, repetition: float, echo: float) -> float:
    """The signal of ``tissue`` for times in ms, between 0 and 1."""
    t1, t2, density = RELAXATION[tissue]
    return density * (1 - math.exp(-repetition / t1)) * math.exp(-echo / t2)


def ct(tissues: np.ndarray, rng, window: str) -> np.ndarray:
    """A computed tomogram in 0..1, of any number of axes."""
    units = ndimage.gaussian_filter(hounsfield(tissues, rng), rng.uniform(0.4, 0.7))
    units += _texture(tissues.shape, rng) * rng.uniform(2, 5)
    noise = ndimage.gaussian_filter(rng.standard_normal(tissues.shape, np.float32), 0.5)
    return windowed(units + noise * (rng.uniform(5, 15) / noise.std()), window)


def mri(tissues: np.ndarray, rng, look: str) -> np.ndarray:
    """A spin echo in 0..1, of any number of axes."""
    repetition, echo = np.array(ECHOES[look]) * rng.uniform(0.85, 1.15, 2)
    signals = np.array([spin_echo(tissue, repetition, echo) for tissue in TISSUES])
    signals *= rng.uniform(0.94, 1.06, len(signals))  # tissues of patients differ
    signals[TISSUES.index("fat")] *= rng.uniform(0.3, 1.0)  # suppressed, more or less
    image = ndimage.gaussian_filter(signals.astype(np.float32)[tissues], rng.uniform(0.4, 0.7))
    image *= 1 + _texture(tissues.shape, rng) * rng.uniform(0.02, 0.06)
    field = np.ones((), np.float32)
    for axis, length in enumerate(tissues.shape):
        at = np.linspace(-1, 1, length, dtype=np.float32).reshape([-1 if k == axis else 1 for k in range(image.ndim)])
        field = field * np.exp(rng.uniform(-0.3, 0.3) * at + rng.uniform(-0.2, 0.2) * at**2)
    image *= field
    grain = rng.uniform(0.005, 0.03) * np.quantile(image, 0.98)
    real, imaginary = (rng.standard_normal(image.shape, np.float32) * grain for _ in range(2))
    image = np.hypot(image + real, imaginary)
    return (image / np.quantile(image, 0.985) * rng.uniform(0.75, 1)).clip(0, 1)


def xray(slab: np.ndarray, rng, thickness: float) -> np.ndarray:
    """The projection of a slab of tissues D×S×S, ``thickness`` units thick, along its first axis: S×S in 0..1.

    As on a film, what lets the rays through is black. Photons are counted, so that the thick parts are the noisiest.
    """
    path = (WATER * (1 + hounsfield(slab, rng) / 1000)).mean(0) * thickness * CM  # ∫ μ dl, without a unit
    passed = ndimage.gaussian_filter(np.exp(-path), rng.uniform(0.4, 0.7))
    photons = rng.uniform(20_000, 80_000)
    counted = np.maximum(
        passed * photons + np.sqrt(passed * photons) * rng.standard_normal(passed.shape, np.float32), 1
    )
    film = -np.log(counted / photons)
    low, high = WATER * thickness * CM * np.array([0.8, 1.3])
    return ((film - low) / (high - low)).clip(0, 1) ** rng.uniform(0.85, 1.2)


def _texture(shape: tuple[int, ...], rng) -> np.ndarray:
    """Unevenness of living tissue, with a standard deviation of 1."""
    field = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), rng.uniform(1, 2))
    return field / field.std()
