"""Cohorts: phantom patients with several ultrasound images each, of two sites, for asking what a number is worth.

All images of a patient have one tissue, one lesion and one brightness; the place of the lesion and the speckle are
new in each. In dense tissue a lesion hardly stands out, and a mean over all patients does not tell. The second site has
another device, and cancer is rarer there. What cannot be learnt from it: phantom patients have no age, no history, no
second lesion, and no radiologist who decided whom to examine.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from ..labels import as_share
from ..parts import check_choice, check_whole
from ..provenance import note_source
from .image_tasks import ImageTask
from .painting import to_bytes
from .phantoms import SMALLEST
from .scans import ultrasound_and_lesion
from .shifts import Scanner
from .tasks import SPLITS, Split

SITES = {"home": 0.5, "away": 0.2}  # how many of the patients have a malignant lesion
AWAY = Scanner("away", ((1.4, 0, 0), (0, 1.4, 0), (0, 0, 1.4)), gamma=1.2)  # more gain, and a steeper tone curve
SEEN_IN_DENSE = 0.35  # of its contrast is left to a lesion in dense tissue
AT_ONCE = 32  # patients


@dataclass(frozen=True)
class Cohort(ImageTask):
    """An ``ImageTask`` that also knows the group of each image's patient: ``groups[split]`` is an array of N texts."""

    groups: dict[str, Any] | None = None
    OF_IMAGES: ClassVar = (*ImageTask.OF_IMAGES, "groups")


def draw_cohort(
    patients: int,
    *,
    images: int = 4,
    site: str = "home",
    seed: int = 0,
    size: int = 28,
    prevalence: float | None = None,
    dense: float = 0.2,
    val: float = 0.15,
    test: float = 0.35,
) -> Cohort:
    """Draw a cohort of phantom patients, of whom nobody is in two splits.

    Parameters
    ----------
    patients: how many. images: of each. size: pixels a side.
    site: ``"home"``, or ``"away"``, where the device is another one (``AWAY``) and the disease rarer.
    seed: of everything random; two sites of one seed have different patients.
    prevalence: share of patients with a malignant lesion, in each split; None: that of the site (``SITES``).
    dense: share of patients with dense tissue, drawn independently of the disease; 0 for none.
    val, test: shares of the patients; the rest is for training.

    Returns uint8 images N×1×size×size and labels 0 benign, 1 malignant (``positive``), the images of a patient one
    after the other, with ``patients`` (``"home 17"``) and ``groups`` (``"dense"`` or ``"fatty"``). Raises ValueError
    for another site, for shares outside 0..1, and where a split would lack a class.
    """
    check_choice(site, "The site", SITES)
    for value, name, least in ((patients, "patients", 1), (images, "images", 1), (seed, "seed", 0)):
        check_whole(value, name, least=least)
    check_whole(size, "size", least=SMALLEST)
    share = SITES[site] if prevalence is None else as_share(prevalence, "prevalence")
    dense, val, test = as_share(dense, "dense", ends=True), as_share(val, "val"), as_share(test, "test")
    held = [round(val * patients), round(test * patients)]
    counts = [patients - sum(held), *held]
    sick = [round(share * count) for count in counts]
    if any(not 0 < k < n for k, n in zip(sick, counts, strict=True)):
        raise ValueError(
            f"{patients} patients make splits of {counts}, with {sick} malignant lesions: ask for more patients, or "
            "for other shares, so that each split has both classes."
        )
    generator = torch.Generator().manual_seed(2 * seed + (site == "away"))
    splits: list[Split] = []
    who, groups, first = {}, {}, 0
    for split, n, k in zip(SPLITS, counts, sick, strict=True):
        y = (torch.randperm(n, generator=generator) < k).long()
        is_dense = torch.rand(n, generator=generator) < dense
        contrast = torch.where(is_dense, SEEN_IN_DENSE, 1.0)
        parts = zip((1 - y).split(AT_ONCE), contrast.split(AT_ONCE), strict=True)  # the painter's 0 is malignant
        x = torch.cat(
            [to_bytes(ultrasound_and_lesion(a, size, generator, views=images, contrast=c)[0]) for a, c in parts]
        )
        x = AWAY(x, seed=seed) if site == "away" else x
        splits.append(Split(x, y.repeat_interleave(images)))
        who[split] = np.repeat([f"{site} {k}" for k in range(first, first + n)], images)
        groups[split] = np.repeat(np.where(is_dense, "dense", "fatty"), images)
        first += n
    note_source("ultrasound", "twin")
    return Cohort(
        f"cohort, {site}",
        splits[0],
        splits[1],
        splits[2],
        classes=("benign", "malignant"),
        positive=1,
        provenance="twin",
        note=f"{patients} phantom patients with {images} images each",
        patients=who,
        groups=groups,
    )


def split_by_image(task: ImageTask, *, seed: int) -> ImageTask:
    """The same images dealt anew to splits of the same sizes, *whoever's they are*: the mistake, to be measured.

    Images of one patient then stand in training and in test. ``split_by_patient`` does it rightly. Raises TypeError for
    what is no ``ImageTask``.
    """
    if not isinstance(task, ImageTask):
        raise TypeError(f"split_by_image was given a {type(task).__name__}: give the ImageTask of draw_cohort.")
    check_whole(seed, "seed", least=0)
    sizes = [len(getattr(task, split).y) for split in SPLITS]
    order = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(seed))
    return task.with_rows(dict(zip(SPLITS, order.split(sizes), strict=True)))
