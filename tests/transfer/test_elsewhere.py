"""The second hospital: its labels are found where they are, nothing is chosen there, and AdaBN is a row beside."""

import copy

import numpy as np
import pytest
import torch
from small_images import pixels, write_image

from medtl_helpers.methods.adabn import adapt_batch_norm
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.transfer.elsewhere import find_labels, look_elsewhere, look_there
from medtl_helpers.transfer.judging import Recipe

CLASSES = ("sick", "well")
RECIPE = Recipe(CLASSES, 0, 1.2, 0.5)


def network(norm="batch"):
    torch.manual_seed(0)
    return CourseCNN(1, 2, norm=norm).eval()


HOME = torch.randint(0, 256, (20, 1, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def test_folders_that_are_called_like_the_classes_are_labels(make_folder, tmp_path):
    found = find_labels(make_folder(), CLASSES)
    assert len(found) == 48 and all(file.parent.name == CLASSES[y] for file, y in found)
    for split in ("train", "test"):
        for k, label in enumerate(CLASSES):
            write_image(tmp_path / "split" / split / label / f"{split}.png", pixels(k, np.random.default_rng(k)))
    assert [(file.name, y) for file, y in find_labels(tmp_path / "split", CLASSES)] == [
        ("test.png", 0),
        ("test.png", 1),
        ("train.png", 0),
        ("train.png", 1),
    ]


def test_other_folders_are_no_labels_and_half_of_them_is_a_fault(make_folder):
    assert find_labels(make_folder("flat", classes=("2024", "2025")), CLASSES) is None
    with pytest.raises(ValueError, match="is in none of the classes sick, well, and other folders"):
        find_labels(make_folder("half", classes=("sick", "healthy")), CLASSES)


def test_with_labels_there_is_a_test_result_as_it_is_and_with_adabn(make_folder, capsys):
    there = look_there(make_folder(patients=30), CLASSES)
    found = look_elsewhere(there, network(), RECIPE, HOME, size=16, patients=r"^(P\d+)_")
    assert "with labels" in capsys.readouterr().out
    assert set(found.judged) == {"as it is", "AdaBN"} and len(found.y) == 120
    assert found.judged["as it is"].metrics["AUROC"].n == 60  # patients
    assert 0 <= found.distance <= 2 or found.distance < 0


def test_adabn_is_the_network_with_the_statistics_of_all_images_there(make_folder):
    model, there = network(), look_there(make_folder(), CLASSES)
    before = copy.deepcopy(model.state_dict())
    found = look_elsewhere(there, model, RECIPE, HOME, size=16)
    from medtl_helpers.data.reading import read_all

    x = read_all(there.root, there.files, 16, 1, None)
    wanted = RECIPE.probabilities(predict(adapt_batch_norm(copy.deepcopy(model), x, batch_size=64), x))
    np.testing.assert_allclose(found.probability["AdaBN"], wanted, atol=1e-5)
    np.testing.assert_allclose(found.probability["as it is"], RECIPE.probabilities(predict(model, x)), atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())  # the saved one stays


def test_without_labels_the_answers_are_told_and_no_score(make_folder, capsys):
    there = look_there(make_folder("flat", classes=("2024", "2025")), CLASSES)
    found = look_elsewhere(there, network("group"), RECIPE, HOME, size=16)
    assert "without labels" in capsys.readouterr().out
    assert found.y is None and not found.judged and len(found.answers["as it is"]) == 48
    assert set(found.answers) == {"as it is"} and "no row for AdaBN" in found.notes[0]


def test_what_cannot_be_used_there_is_named_and_kept_out(make_folder, capsys):
    folder = make_folder()
    (folder / "sick" / "P000_0.png").write_bytes(b"")
    found = look_elsewhere(look_there(folder, CLASSES), network(), RECIPE, HOME, size=16)
    assert "sick/P000_0.png is empty" in capsys.readouterr().out
    assert len(found.seen) == 48 and len(found.used) == len(found.y) == 47


def test_one_class_alone_has_no_test_result_and_says_so(make_folder):
    found = look_elsewhere(look_there(make_folder(classes=("sick",)), CLASSES), network(), RECIPE, HOME, size=16)
    assert not found.judged and any("no test result there" in note for note in found.notes)


def test_patients_that_the_rule_does_not_find_there_are_told(make_folder):
    there = look_there(make_folder(), CLASSES)
    found = look_elsewhere(there, network(), RECIPE, HOME, size=16, patients=r"^(Q\d+)_")
    assert found.judged["as it is"].metrics["AUROC"].n == 48 and "images are the units there" in found.notes[0]
