"""Pairs of domains with the same classes: a source with labels, and a target whose training labels nobody may use."""

import torch

from ..assets import card
from ..labels import as_numbers
from ..parts import check_choice, check_rate, check_whole
from ..provenance import note_source
from .catalogue import load
from .image_tasks import ImageTask
from .painting import to_bytes
from .phantoms import draw
from .shifts import SCANNERS, SHIFTS
from .smears import SMEAR
from .tables import COLUMNS
from .tables import HOSPITALS as ALL_HOSPITALS
from .tasks import Split, Task
from .white_cells import load_white_cells

HOSPITALS = ("cleveland", "hungary", "va")


def smear_domains(
    shift: str, seed: int, *, strength: float = 1.0, n: int = 1000, size: int = 28, target_balance=None
) -> tuple[Task, Task]:
    """Blood-smear phantoms of eight cell types from two laboratories: (source, target), uint8 N×3×size×size.

    Parameters
    ----------
    shift: a key of ``SHIFTS``: what the target's laboratory does to an image. strength: 0 (nothing) to 1.
    n: training images of each domain; there are 200 for validation and 800 for the test.
    target_balance: relative frequency of the eight classes in the target; default all alike.
    """
    check_choice(shift, "The shift", SHIFTS)
    check_rate(strength, "strength")
    check_whole(seed, "seed", least=0)
    check_whole(n, "n", least=1)
    if target_balance is not None:
        target_balance = as_numbers(target_balance, "frequencies of the target_balance").astype("float32")
        if target_balance.shape != (len(SMEAR),) or target_balance.min() < 0 or target_balance.max() == 0:
            raise ValueError(
                f"target_balance is {target_balance.tolist()}: give {len(SMEAR)} frequencies of 0 or more, not all 0."
            )

    def split(count: int, seed: int, balance=None, shifted: bool = False) -> Split:
        balance = torch.ones(len(SMEAR)) if balance is None else torch.as_tensor(balance, dtype=torch.float)
        y = torch.multinomial(balance, count, replacement=True, generator=torch.Generator().manual_seed(seed))
        x = draw("smear", y, size, seed=seed)
        return Split(SHIFTS[shift](x, strength, seed=seed) if shifted else x, y)

    def domain(name: str, first: int, **how) -> ImageTask:
        train, val, test = (split(count, first + k, **how) for k, count in enumerate((n, 200, 800)))
        return ImageTask(name, train, val, test, tuple(SMEAR), provenance="twin")

    note_source("smear", "twin")
    first = 100_000 + 10 * seed
    target = {"balance": target_balance, "shifted": True}
    return domain("smear, source", first), domain(f"smear, {shift} {strength:g}", first + 5, **target)


def digit_domains(seed: int, *, size: int = 16) -> tuple[Task, Task]:
    """scikit-learn's handwritten digits, and others of them blended with photographs, as in MNIST-M: uint8 N×3×S×S.

    Nothing medical, and never used to choose a setting. A blended digit is ``|digit − crop|``, the crop from one of
    scikit-learn's two photographs. Each domain has 600 images for training, 98 for validation and 200 for the test.
    """
    check_whole(seed, "seed", least=0)
    check_whole(size, "size", least=1)
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
        return ImageTask(name, *parts, tuple("0123456789"), provenance="real")

    return domain("digits", order[0], lambda images: images), domain("digits on photographs", order[1], blended)


def hospital_domains(source: str, target: str, seed: int) -> tuple[Task, Task]:
    """Two hospitals of the heart-disease data: float32 N×10, imputed and standardised with the source's training rows.

    Of each hospital 60 % of the patients are for training, 15 % for validation, 25 % for the test, drawn by ``seed``.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def rows(site):
        task = load("heart", site=site, quiet=True)
        x, y = task.all_rows
        rest, x_test, y_rest, y_test = train_test_split(x[COLUMNS], y, test_size=0.25, stratify=y, random_state=seed)
        x_train, x_val, y_train, y_val = train_test_split(
            rest, y_rest, test_size=0.2, stratify=y_rest, random_state=seed
        )
        return task, ((x_train, y_train), (x_val, y_val), (x_test, y_test))

    check_whole(seed, "seed", least=0)
    check_choice(source, "The source", ALL_HOSPITALS)
    check_choice(target, "The target", ALL_HOSPITALS)
    there, here = rows(source), rows(target)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(there[1][0][0])

    def domain(task, parts):
        splits = [Split(torch.tensor(pipeline.transform(x), dtype=torch.float32), torch.tensor(y)) for x, y in parts]
        return Task(task.name, *splits, task.classes, provenance=task.provenance)

    return domain(*there), domain(*here)


def chest_domains(seed: int, *, scanner: str = "B", strength: float = 1.0, n: int = 400) -> tuple[Task, Task]:
    """Chest X-rays of ``pneumonia`` at two hospitals: (source, target), uint8 N×1×28×28; the target's device simulated.

    Training and validation images of the two are different ones; the test shows the same images on both devices, so
    that nothing but the device differs. ``n`` training images and 100 for validation in each, as many sick as healthy.
    """
    check_whole(seed, "seed", least=0)
    check_choice(scanner, "The scanner", SCANNERS)
    check_whole(n, "n", least=2)
    task = load("pneumonia", quiet=True)
    device = SCANNERS[scanner]
    parts: dict[str, list[Split]] = {"source": [], "target": []}
    for stream, (split, count) in enumerate((("train", n), ("val", 100))):
        x, y = getattr(task, split)
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(10 * seed + stream))
        of_class = [order[y[order] == k] for k in (0, 1)]
        if (fewest := min(map(len, of_class))) < count:
            raise ValueError(f"n is {n}, and {task.name} has {fewest} {split} images of a class: take fewer.")
        here, there = (
            torch.cat([rows[at] for rows in of_class]) for at in (slice(count // 2), slice(count // 2, count))
        )
        parts["source"].append(Split(x[here], y[here]))
        parts["target"].append(Split(device(x[there], strength, seed=10 * seed + stream), y[there]))
    parts["source"].append(task.test)
    parts["target"].append(Split(device(task.test.x, strength, seed=10 * seed + 5), task.test.y))

    def domain(name: str, splits: list[Split]) -> ImageTask:
        train, val, test = splits
        return ImageTask(name, train, val, test, task.classes, provenance=task.provenance)

    named = f"X-rays, scanner {scanner} {strength:g}"
    return domain("X-rays, source", parts["source"]), domain(named, parts["target"])


def white_cell_domains(
    seed: int, *, source: str = "jiangxi", target: str = "cellavision", size: int = 28, fold: int = 0
) -> tuple[Task, Task]:
    """White blood cells of two laboratories, a real device shift: (source, target), uint8 N×3×size×size, four classes.

    Of the source 60 % of the cells are for training, 20 % for validation, 20 % for the test. Of the target half are
    for adapting, a sixth for validation and a third for the test; ``fold`` 0, 1 and 2 test each of its cells once. All
    is drawn by ``seed`` within each class. Where the real files are not on this disk, phantoms of both stand in.
    """
    check_whole(seed, "seed", least=0)
    about = card("white_cells")
    here = load_white_cells(about, source, size, seed=seed)
    there = load_white_cells(about, target, size, seed=seed, fold=fold)
    for task in (here, there):
        note_source(task.name, task.provenance)
    return here, there
