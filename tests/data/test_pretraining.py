"""What pre-training may see and what it must never see, watched while it draws; one seed, one set of bytes."""

import hashlib
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from medtl_helpers.data import patterns, phantoms, pretraining, scans, shifts, smears
from medtl_helpers.data.pretraining import FAMILIES, batch, cell_task, class_names, held_out_task, images, n_classes
from medtl_helpers.data.smears import SMEAR

EVERY_FAMILY = FAMILIES["resnet"]  # the other network's are among them

ROOT = Path(__file__).resolve().parents[2]


def fingerprint(x):
    return hashlib.sha256(x.numpy().tobytes()).hexdigest()


def each_image(x):
    return [fingerprint(image) for image in x]


@pytest.fixture
def watched(monkeypatch):
    """Everything that the phantoms and the scanners were asked for, whoever asked, by whatever name."""
    seen = {"smear": Counter(), "chest": Counter(), "ultrasound": Counter(), "scanners": Counter(), "kinds": Counter()}
    painters = dict(phantoms.PAINTERS)

    def watch(kind, paint):
        def painted(labels, size, generator, *cells):
            name = "invented" if cells else kind
            seen["kinds"][name] += len(labels)
            seen.setdefault(name, Counter()).update(labels.tolist())
            return paint(labels, size, generator, *cells)

        return painted

    for kind, (paint, classes) in painters.items():
        monkeypatch.setitem(phantoms.PAINTERS, kind, (watch(kind, paint), classes))
        monkeypatch.setattr(sys.modules[paint.__module__], paint.__name__, watch(kind, paint))
    acquire = shifts.Scanner._acquire

    def acquired(scanner, part, *rest):
        seen["scanners"][scanner.name] += len(part)
        return acquire(scanner, part, *rest)

    monkeypatch.setattr(shifts.Scanner, "_acquire", acquired)
    return seen


# --- what is held out ------------------------------------------------------------------------------------------------


def test_three_cell_types_a_chest_class_two_scanners_and_ultrasound_are_held_out_in_name():
    cells, seen = set(smears.HELD_OUT_CELLS), set(pretraining.SEEN_CELLS)
    assert len(cells) >= 3 and cells | seen == set(SMEAR) and not cells & seen
    assert set(pretraining.HELD_OUT_SCANNERS) | set(pretraining.SEEN_SCANNERS) == set(shifts.SCANNERS)
    assert len(pretraining.HELD_OUT_SCANNERS) >= 1 and not set(pretraining.HELD_OUT_SCANNERS) & set(
        pretraining.SEEN_SCANNERS
    )
    assert "pneumonia" not in scans.CHEST_FINDINGS and "ultrasound" not in EVERY_FAMILY
    assert set(FAMILIES["vgg16"]) <= set(EVERY_FAMILY)
    assert not any(
        word in name for name in class_names("resnet") for word in (*cells, "pneumonia", "ultrasound", "breast")
    )


@pytest.mark.parametrize("network", FAMILIES)
def test_nothing_that_is_held_out_is_ever_drawn_in_pre_training(network, watched):
    """Over 30 batches as pre-training draws them: every painter's labels and every scanner that was used."""
    drawn = 0
    for step in range(30):
        drawn += len(batch(network, 64, 16, seed=1_000_000 + step, jitter=step % 8 > 0).y)
    names = list(SMEAR)
    cells = {names[label] for label in watched["smear"]}
    assert cells == set(pretraining.SEEN_CELLS) and not cells & set(smears.HELD_OUT_CELLS)
    assert set(watched["chest"]) == {0}  # healthy lungs, over which findings are painted; 1 would be pneumonia
    assert not watched["ultrasound"] and set(watched["kinds"]) - {"invented"} == {"smear", "chest", "texture"}
    assert set(watched["scanners"]) == {"C"}  # A leaves images as they are
    # each of them was really there to be seen
    for name, counted in (
        ("smear", watched["kinds"]["smear"]),
        ("chest", watched["kinds"]["chest"]),
        ("waves", watched["kinds"]["texture"]),
    ):
        assert counted / drawn == pytest.approx(FAMILIES[network][name][1], abs=0.04)
    both = watched["kinds"]["smear"] + watched["kinds"]["chest"] + watched["kinds"]["invented"]
    assert watched["scanners"]["C"] / both == pytest.approx(0.5 * 26 / 30, abs=0.06)
    assert min(watched["smear"].values()) > 50


def test_no_invented_cell_is_near_one_that_is_held_out():
    """As the docstring says; and the held-out cells themselves are near themselves."""
    cells = smears.invented_cells()
    assert len(cells.radius) == FAMILIES["resnet"]["invented cells"][0]
    for radius, lobes, _, _, granules, *_ in (SMEAR[cell] for cell in smears.HELD_OUT_CELLS):
        near = (cells.lobes == lobes) & ((cells.radius - radius).abs() < 0.05)
        assert not (near & ((cells.granules - granules).abs() < 0.08)).any()


def test_the_watch_would_see_what_is_held_out(watched):
    """The test above is no test if the watch is blind: here it sees each of the four."""
    held_out_task(1, 0, size=16, val=1, test=1)
    phantoms.draw("chest", torch.tensor([1]), 16)
    phantoms.draw("ultrasound", torch.tensor([0]), 16)
    assert {list(SMEAR)[label] for label in watched["smear"]} == set(smears.HELD_OUT_CELLS)
    assert watched["chest"][1] and watched["ultrasound"] and watched["scanners"]["D"] == 9


def test_the_pre_training_script_draws_its_images_here_and_nowhere_else():
    """What it could draw by itself, the tests above would not see."""
    script = (ROOT / "benchmarks" / "pretrain.py").read_text("utf-8")
    assert "sources.batch(" in script
    for other in ("draw(", "SCANNERS[", "held_out_task", "cell_task", 'load("', "phantoms."):
        assert other not in script, other


# --- classes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", FAMILIES)
def test_there_is_one_name_for_each_class_and_the_shares_add_up(network):
    names, families = class_names(network), FAMILIES[network]
    assert len(names) == len(set(names)) == n_classes(network) == sum(classes for classes, _ in families.values())
    assert sum(share for _, share in families.values()) == pytest.approx(1)
    assert [name.partition(":")[0] for name in names] == [f for f, (n, _) in families.items() for _ in range(n)]


def test_class_numbers_are_in_range_all_come_up_and_are_those_of_their_family():
    y = torch.cat([batch("resnet", 256, 8, seed=seed, jitter=False).y for seed in range(12)])
    assert y.dtype == torch.int64 and set(y.tolist()) == set(range(n_classes("resnet")))
    first = 0
    for classes, share in EVERY_FAMILY.values():
        inside = ((y >= first) & (y < first + classes)).float().mean().item()
        assert inside == pytest.approx(share, abs=0.04)
        first += classes


def test_a_batch_shows_the_class_that_its_number_names(monkeypatch):
    """Images replaced by their family's number and label: they must come back beside the right class number."""
    order = list(EVERY_FAMILY)

    def numbered(family, labels, size, *, seed):
        pixel = torch.stack([torch.full_like(labels, order.index(family)), labels, labels], 1).byte()
        return pixel[:, :, None, None].expand(-1, -1, size, size)

    monkeypatch.setattr(pretraining, "images", numbered)
    x, y = batch("resnet", 300, 2, seed=3, jitter=False)
    names = class_names("resnet")
    for image, number in zip(x[:, :, 0, 0].tolist(), y.tolist(), strict=True):
        family, label = order[image[0]], image[1]
        assert number - names.index(next(n for n in names if n.startswith(family))) == label
        assert names[number].startswith(f"{family}: ")
    assert names[:5] == tuple(f"smear: {cell}" for cell in pretraining.SEEN_CELLS)


def test_the_smear_classes_are_the_cells_of_their_names():
    """Bit for bit what ``draw`` makes of the cell of that name."""
    labels = torch.arange(len(pretraining.SEEN_CELLS))
    cells = [list(SMEAR).index(name.removeprefix("smear: ")) for name in class_names("resnet")[: len(labels)]]
    assert torch.equal(images("smear", labels, 32, seed=4), phantoms.draw("smear", cells, 32, channels=3, seed=4))


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("family", EVERY_FAMILY)
def test_each_family_is_drawn_at_each_size_with_all_its_classes_and_something_to_see(family, size):
    labels = torch.arange(EVERY_FAMILY[family][0])
    x = images(family, labels, size, seed=1)
    assert x.dtype == torch.uint8 and x.shape == (len(labels), 3, size, size)
    assert x.float().flatten(1).std(1).min() > 3  # no image is one flat grey
    assert len(set(each_image(x))) == len(labels)
    assert images(family, labels[:0], size, seed=1).shape == (0, 3, size, size)


@pytest.mark.parametrize("finding", scans.CHEST_FINDINGS[1:])
def test_a_chest_finding_is_painted_over_the_same_healthy_lungs(finding):
    """The same seed with another label: the patient is the same, only the finding differs, darker for trapped air."""
    label = torch.full((32,), scans.CHEST_FINDINGS.index(finding))
    healthy = images("chest", torch.zeros(32).long(), 32, seed=2).float()
    sick = images("chest", label, 32, seed=2).float()
    change = sick - healthy
    if finding == "pneumothorax":
        assert change.max() <= 0 and change.min() < -20
    else:
        assert change.min() >= 0 and change.max() > 20
    assert (change != 0).flatten(1).any(1).all()  # visible in every image


def test_each_fractal_class_has_contracting_maps_of_its_own_whatever_the_global_seed():
    """A contraction has all singular values below 1; then there is one attractor (Hutchinson 1981)."""
    torch.manual_seed(0)
    maps = patterns._fractal_maps()  # classes × 3 × 2×3
    torch.manual_seed(1)
    assert torch.equal(patterns._fractal_maps(), maps)
    assert torch.linalg.svdvals(maps[..., :2]).max() < 1
    assert torch.cdist(maps.flatten(1), maps.flatten(1)).add(10 * torch.eye(len(maps))).min() > 0.3


# --- seeds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [True, False])
def test_a_batch_is_a_function_of_its_seed_alone(jitter):
    torch.manual_seed(0)
    first = batch("resnet", 40, 28, 3, jitter=jitter)
    torch.manual_seed(1)
    again, other = (batch("resnet", 40, 28, seed, jitter=jitter) for seed in (3, 4))
    assert torch.equal(first.x, again.x) and torch.equal(first.y, again.y)
    assert not torch.equal(first.x, other.x) and not torch.equal(first.y, other.y)
    assert first.x.dtype == torch.uint8 and first.x.shape == (40, 3, 28, 28)


def test_another_number_of_threads_draws_the_same_bytes():
    """Each family by itself, in images enough that torch divides the work, and batches as pre-training draws them."""

    def marks():
        drawn = {f: images(f, torch.arange(150) % classes, 32, seed=7) for f, (classes, _) in EVERY_FAMILY.items()}
        drawn |= {size: batch("resnet", 64, size, 11).x for size in (32, 64)} | {
            "task": held_out_task(3, 1, size=64).train.x
        }
        return {name: fingerprint(x) for name, x in drawn.items()}

    threads, found = torch.get_num_threads(), {}
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            found[torch.get_num_threads()] = marks()
    finally:
        torch.set_num_threads(threads)
    assert set(found) == {1, 2} and found[1] == found[2]


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_batch_may_be_so_small_that_families_are_missing(n):
    for seed in range(5):
        x, y = batch("resnet", n, 28, seed)
        assert x.shape == (n, 3, 28, 28) and len(y) == n


def test_jitter_turns_a_quarter_into_negatives_and_moves_brightness():
    x = torch.full((400, 3, 8, 8), 200, dtype=torch.uint8)
    x[:, :, :4] = 250
    y = pretraining._jitter(x, torch.Generator().manual_seed(0)).float()
    top, bottom = y[:, :, :4].mean((1, 2, 3)), y[:, :, 4:].mean((1, 2, 3))
    clear = (top - bottom).abs() > 2  # not both white
    assert ((top < bottom) & clear).sum() / 400 == pytest.approx(0.25, abs=0.07)
    assert y.mean((1, 2, 3)).std() > 20 and x.unique().tolist() == [200, 250]


# --- the task on what is held out ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def task():
    return held_out_task(5, 0, size=32, val=4, test=6)


def test_the_task_has_exactly_the_held_out_cells_and_as_many_images_as_asked(task):
    assert task.classes == smears.HELD_OUT_CELLS and (task.provenance, task.positive) == ("twin", None)
    for split, per_class in ((task.train, 5), (task.val, 4), (task.test, 6)):
        assert split.x.dtype == torch.uint8 and split.x.shape == (3 * per_class, 3, 32, 32)
        assert split.y.bincount().tolist() == [per_class] * 3


def test_the_task_is_drawn_by_its_labels_and_taken_with_a_held_out_scanner(watched):
    found = held_out_task(2, 0, size=16, val=1, test=1)
    assert set(watched["scanners"]) == {"D"} <= set(pretraining.HELD_OUT_SCANNERS)
    assert {list(SMEAR)[label] for label in watched["smear"]} == set(found.classes)
    names = list(SMEAR)
    cells = [names.index(found.classes[label]) for label in found.test.y]
    assert torch.equal(found.test.x, shifts.SCANNERS["D"](phantoms.draw("smear", cells, 16, seed=9_999), seed=9_999))


def test_no_image_is_in_two_splits_nor_twice_in_one(task):
    every = [mark for split in (task.train, task.val, task.test) for mark in each_image(split.x)]
    assert len(set(every)) == len(every)


def test_another_seed_draws_other_training_and_validation_images_and_the_same_test_images(task):
    marks = {fingerprint(task.test.x)}
    seen = set(each_image(task.train.x)) | set(each_image(task.val.x))
    for seed in (1, 2, 7):
        other = held_out_task(5, seed, size=32, val=4, test=6)
        marks.add(fingerprint(other.test.x))
        new = set(each_image(other.train.x)) | set(each_image(other.val.x))
        assert not seen & new and not new & set(each_image(other.test.x))
        seen |= new
    assert len(marks) == 1
    again = held_out_task(5, 0, size=32, val=4, test=6)
    assert torch.equal(again.train.x, task.train.x) and torch.equal(again.val.x, task.val.x)


def test_no_seed_of_a_split_is_that_of_another():
    """However many seeds are used: the generators of train, validation and test never start alike."""
    started = []

    def remember(kind, labels, size, *, seed, **_):
        started.append(seed)
        return torch.zeros(len(labels), 3, size, size, dtype=torch.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "draw", remember)
        for seed in range(200):
            held_out_task(1, seed, size=8, val=1, test=1)
    assert len(set(started)) == 2 * 200 + 1 and started.count(9_999) == 200


def test_a_task_on_other_cells_and_another_scanner():
    cells = [list(SMEAR).index("platelet"), list(SMEAR).index("neutrophil")]
    found = cell_task(cells, 2, 0, size=16, scanner="A", val=1, test=1)
    assert found.classes == ("platelet", "neutrophil") and found.name == "cells, scanner A"
    assert torch.equal(found.train.x, phantoms.draw("smear", torch.tensor(cells).repeat(2), 16, seed=10_000))
