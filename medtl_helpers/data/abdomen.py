"""Drawn slices of the abdomen: one anatomy, drawn once, seen by CT, MRI and X-rays, with exact outlines.

The anatomy (``abdomen_anatomy.py``) follows from the seed alone, and the look (``abdomen_looks.py``) is put over it. So
one may train on CT and test on MRI of the same or of other patients, and know what the right outlines are.
"""

from numbers import Integral

import numpy as np
import torch

from ..labels import as_labels
from ..parts import check_choice, check_whole
from .abdomen_anatomy import LESIONS, anatomy, labels_of, slice_height, tissues
from .abdomen_looks import ECHOES, WINDOWS, ct, mri, xray

ABDOMEN_LOOKS = ("ct", "t1", "t2", "xray")
SMALLEST_SLICE = 16  # pixels a side
SLAB = 0.4  # thickness of what an X-ray passes, in units of the anatomy: about 8 cm
VIEW = 0.95  # the half of the field of view, in those units


def draw_abdomen(
    n: int,
    *,
    look: str = "ct",
    size: int = 64,
    lesion: str | None = None,
    patients=None,
    window: str = "abdomen",
    seed: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw ``n`` slices across the abdomen and the organ at each pixel.

    Parameters
    ----------
    look: ``"ct"``, ``"t1"``, ``"t2"`` or ``"xray"``. Another look with the same seed shows the same anatomy. The X-ray
        passes about 8 cm of the body from head to feet, which no clinic does: so the slice's outlines hold for it, too,
        while what lies above and below is projected over them.
    size: pixels a side.
    lesion: None for livers of which six in ten have lesions; ``"none"``; ``"clear"`` for lesions in every slice;
        ``"small"`` for lesions of less than half that size; ``"equal"`` for lesions that are as bright as the liver,
        and which nobody can see. Everything but the lesions is the same with each of them.
    patients: how many there are: slice k is of patient ``k % patients``, and None is as many as slices. Or whose slice
        each is, a whole number for each of the ``n``.
    window: of CT: ``"abdomen"``, ``"liver"`` (strong contrast of soft tissue) or ``"bone"``.
    seed: of everything random. Slice k depends on the seed, on k and on its patient alone.

    Returns uint8 n×1×size×size and uint8 n×size×size with numbers of ``ABDOMEN_CLASSES``. Raises ValueError for
    arguments that it cannot draw.
    """
    check_choice(look, "The look", ABDOMEN_LOOKS)
    check_choice(window, "The window", WINDOWS)
    if lesion is not None:
        check_choice(lesion, "The lesion", LESIONS)
    check_whole(n, "n", least=0)
    check_whole(size, "size", least=SMALLEST_SLICE)
    check_whole(seed, "seed", least=0)
    owners = _owners(patients, n)
    x, labels = torch.empty(n, 1, size, size, dtype=torch.uint8), torch.empty(n, size, size, dtype=torch.uint8)
    axis = ((np.arange(size) + 0.5) / size * 2 - 1) * VIEW
    for k, owner in enumerate(owners.tolist()):
        patient = anatomy(np.random.default_rng((seed, owner)))
        where = np.random.default_rng((seed, owner, k))
        height, (left, up) = slice_height(patient, where), where.uniform(-0.04, 0.04, 2)

        def cut(heights, lesion, patient=patient, x=axis + left, y=axis + up):
            return tissues(patient, x, y, np.asarray(heights), lesion)

        labels[k] = torch.from_numpy(labels_of(cut([height], lesion)[0]))
        rng = np.random.default_rng((seed, owner, k, ABDOMEN_LOOKS.index(look)))
        if look == "xray":
            image = xray(cut(height + np.linspace(-SLAB / 2, SLAB / 2, 9), seen(lesion)), rng, SLAB)
        else:
            image = rendered(cut([height], seen(lesion))[0], rng, look, window)
        x[k, 0] = torch.from_numpy((image * 255).round().astype(np.uint8))
    return x, labels


def seen(lesion: str | None) -> str | None:
    """Which lesions a scanner sees: none where they are as bright as the liver."""
    return "none" if lesion == "equal" else lesion


def rendered(tissue_numbers: np.ndarray, rng, look: str, window: str) -> np.ndarray:
    """Slices or volumes of tissues by CT or MRI, in 0..1."""
    return mri(tissue_numbers, rng, look) if look in ECHOES else ct(tissue_numbers, rng, window)


def _owners(patients, n: int) -> np.ndarray:
    if patients is None:
        return np.arange(n)
    if isinstance(patients, Integral):
        return np.arange(n) % check_whole(patients, "patients", least=1)
    return as_labels(patients, n, name="patients")
