"""Pairs of domains with the same classes: a source with labels, and a target whose training labels nobody may use.

``target.train.x`` is for adapting, ``target.val`` for the oracle alone, ``target.test`` for the report, and
``target.train.y`` for the row of the supervised ceiling alone.
"""

from dataclasses import dataclass

import torch

from .checks import note_source
from .phantoms import SMEAR, draw, to_bytes
from .scanners import SCANNERS
from .tasks import Split, load

HOSPITALS = ("cleveland", "hungary", "va")


@dataclass(frozen=True)
class Domain:
    """Train, validation and test ``Split`` of one domain; x is uint8 N×C×H×W or float32 N×D, y int64 N."""

    name: str
    train: Split
    val: Split
    test: Split
    classes: tuple[str, ...]
    provenance: str  # "real" or "twin"


def textured(images: torch.Tensor, strength: float = 1.0, *, seed: int = 0) -> torch.Tensor:
    """Lay coloured waves over the bright background of smears, as on a dirty slide; uint8 N×3×S×S to the same.

    ``strength`` runs from 0 (unchanged) to 1 (opaque). Cells are darker than the plasma around them and stay.
    """
    generator = torch.Generator().manual_seed(seed)
    n, size = len(images), images.shape[-1]
    image = images.float() / 255
    channels = [draw("texture", torch.randint(64, (n,), generator=generator), size, seed=seed + k) for k in (1, 2, 3)]
    waves = torch.cat(channels, 1).float() / 255
    background = ((image.amin(1, keepdim=True) - 0.78) / 0.02).sigmoid()
    return to_bytes(image.lerp(waves, strength * background))


SHIFTS = {"texture": textured, **{f"scanner {name}": SCANNERS[name] for name in "BCD"}}


def smear_domains(shift: str, seed: int, *, strength: float = 1.0, n: int = 1000, size: int = 28,
                  target_balance=None) -> tuple[Domain, Domain]:  # fmt: skip
    """Blood-smear phantoms of eight cell types from two laboratories: (source, target), uint8 N×3×size×size.

    Parameters
    ----------
    shift: a key of ``SHIFTS``: what the target's laboratory does to an image. strength: 0 (nothing) to 1.
    n: training images of each domain; there are 200 for validation and 800 for the test.
    target_balance: relative frequency of the eight classes in the target; default all alike.
    """
    if shift not in SHIFTS:
        raise ValueError(f"There is no shift {shift!r}: choose one of {', '.join(SHIFTS)}.")

    def split(count: int, seed: int, balance=None, shifted: bool = False) -> Split:
        balance = torch.ones(len(SMEAR)) if balance is None else torch.as_tensor(balance, dtype=torch.float)
        y = torch.multinomial(balance, count, replacement=True, generator=torch.Generator().manual_seed(seed))
        x = draw("smear", y, size, seed=seed)
        return Split(SHIFTS[shift](x, strength, seed=seed) if shifted else x, y)

    note_source("smear", "twin")
    counts, first = (n, 200, 800), 100_000 + 10 * seed
    source = [split(count, first + k) for k, count in enumerate(counts)]
    target = [split(count, first + 5 + k, target_balance, shifted=True) for k, count in enumerate(counts)]
    return (Domain("smear, source", *source, tuple(SMEAR), "twin"),
            Domain(f"smear, {shift} {strength:g}", *target, tuple(SMEAR), "twin"))  # fmt: skip


def digit_domains(seed: int, *, size: int = 16) -> tuple[Domain, Domain]:
    """scikit-learn's handwritten digits, and others of them blended with photographs, as in MNIST-M: uint8 N×3×S×S.

    Nothing medical, and never used to choose a setting. A blended digit is ``|digit − crop|``, the crop from one of
    scikit-learn's two photographs. Each domain has 600 images for training, 98 for validation and 200 for the test.
    """
    from sklearn.datasets import load_digits, load_sample_images

    note_source("digits", "real")
    bunch = load_digits()
    x = torch.tensor(bunch.images, dtype=torch.float32)[:, None] / 16
    x = torch.nn.functional.interpolate(x, (size, size), mode="bilinear", align_corners=False)
    y = torch.tensor(bunch.target)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=generator)[:1796].view(2, 898)
    photographs = [torch.tensor(image).permute(2, 0, 1).float() / 255 for image in load_sample_images().images]

    def blended(digits):
        crops = []
        for which, top, left in zip(*(torch.randint(2**20, (3, len(digits)), generator=generator)), strict=True):
            photograph = photographs[int(which) % 2]
            top, left = (int(at) % (side - size) for at, side in zip((top, left), photograph.shape[1:], strict=True))
            crops.append(photograph[:, top : top + size, left : left + size])
        return (digits - torch.stack(crops)).abs()

    def domain(name, rows, change):
        parts = [Split(to_bytes(change(x[at].expand(-1, 3, -1, -1))), y[at]) for at in rows.split((600, 98, 200))]
        return Domain(name, *parts, tuple("0123456789"), "real")

    return domain("digits", order[0], lambda images: images), domain("digits on photographs", order[1], blended)


def hospital_domains(source: str, target: str, seed: int) -> tuple[Domain, Domain]:
    """Two hospitals of the heart-disease data: float32 N×10, imputed and standardised with the source's training rows.

    Of each hospital 60 % of the patients are for training, 15 % for validation, 25 % for the test, drawn by ``seed``.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from .hospitals import COLUMNS

    def rows(site):
        task = load("heart", site=site, quiet=True)
        x, y = task.all_rows
        rest, x_test, y_rest, y_test = train_test_split(x[COLUMNS], y, test_size=0.25, stratify=y, random_state=seed)
        x_train, x_val, y_train, y_val = train_test_split(
            rest, y_rest, test_size=0.2, stratify=y_rest, random_state=seed
        )
        return task, ((x_train, y_train), (x_val, y_val), (x_test, y_test))

    there, here = rows(source), rows(target)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(there[1][0][0])

    def domain(task, parts):
        splits = [Split(torch.tensor(pipeline.transform(x), dtype=torch.float32), torch.tensor(y)) for x, y in parts]
        return Domain(task.name, *splits, task.classes, task.provenance)

    return domain(*there), domain(*here)
