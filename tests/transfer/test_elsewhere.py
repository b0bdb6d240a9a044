"""The second hospital: labels where they are, no copy of a home image, nothing chosen, AdaBN only where it is fair."""

import copy
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from small_images import class_folders, pixels, write_image

from medtl_helpers.data.folders import load_folder
from medtl_helpers.methods.adabn import adapt_batch_norm
from medtl_helpers.methods.all_stages import all_stages_regression
from medtl_helpers.methods.averaged import Averaged
from medtl_helpers.methods.backbones import small_resnet
from medtl_helpers.methods.features import stage_features
from medtl_helpers.methods.freezing import freeze
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict
from medtl_helpers.transfer.closing_sections import the_second_hospital
from medtl_helpers.transfer.elsewhere import keeps_old_statistics, look_elsewhere
from medtl_helpers.transfer.judging import Recipe, judge
from medtl_helpers.transfer.there import find_labels, look_there

CLASSES = ("sick", "well")
RECIPE = Recipe(CLASSES, 0, 1.2, 0.5)
PEOPLE = r"^(P\d+)_"


def network(norm="batch"):
    torch.manual_seed(0)
    return CourseCNN(1, 2, norm=norm).eval()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The first hospital: other images than those of ``make_folder``, whose patients have the same names."""
    return load_folder(class_folders(tmp_path_factory.mktemp("home"), patients=20, seed=7), size=16, seed=0)


def look(folder, home, model=None, patients=None):
    """The second hospital's images, and what the network answers to them."""
    there = look_there(folder, home, patients)
    return there, look_elsewhere(there, network() if model is None else model, RECIPE, home)


def section(found, home, model):
    """The text of the page's section."""
    at_home = judge(RECIPE, home.test.y, predict(model, home.test.x).numpy())
    return re.sub("<[^>]*>", " ", the_second_hospital(found, RECIPE, at_home))


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


def test_with_labels_there_is_a_test_result_as_it_is_and_with_adabn(make_folder, home, capsys):
    _, found = look(make_folder(patients=30), home, patients=PEOPLE)
    assert "with labels" in capsys.readouterr().out
    assert set(found.judged) == {"as it is", "AdaBN"} and len(found.y) == 120
    assert found.judged["as it is"].metrics["AUROC"].n == 60  # patients
    assert 0 <= found.distance <= 2 or found.distance < 0


def test_adabn_is_the_network_with_the_statistics_of_all_images_there(make_folder, home):
    model = network()
    before = copy.deepcopy(model.state_dict())
    there, found = look(make_folder(), home, model)
    wanted = RECIPE.probabilities(predict(adapt_batch_norm(copy.deepcopy(model), there.x, batch_size=64), there.x))
    np.testing.assert_allclose(found.probability["AdaBN"], wanted, atol=1e-5)
    np.testing.assert_allclose(found.probability["as it is"], RECIPE.probabilities(predict(model, there.x)), atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())  # the saved one stays


def test_the_control_is_adabn_on_the_home_test_images(make_folder, home):
    model, x = network(), home.test.x
    _, found = look(make_folder(), home, model)
    wanted = RECIPE.probabilities(predict(adapt_batch_norm(copy.deepcopy(model), x, batch_size=64), x))
    np.testing.assert_allclose(found.control.probability, wanted, atol=1e-5)
    assert "at home, AdaBN" in section(found, home, model)


@pytest.mark.parametrize("way", ["all stages", "probe", "half"])
def test_frozen_stages_with_batch_norm_have_no_row_for_adabn(make_folder, home, way):
    """Their statistics are those of the pre-training: AdaBN would change the answers to the home images, too."""
    torch.manual_seed(0)
    model = small_resnet(2, 8)
    if way == "all stages":
        model = all_stages_regression(model, stage_features(model, home.train.x), home.train.y, 2, 0.1)
    freeze(model, upto="layer1" if way == "half" else None)
    assert keeps_old_statistics(model.eval()) and not keeps_old_statistics(small_resnet(2, 8))
    _, found = look(make_folder(), home, model)
    assert set(found.judged) == {"as it is"} and found.control is None
    assert "the frozen stages keep the statistics that they began with" in found.notes[-1]
    assert "As a control" not in section(found, home, model)


def test_several_networks_that_answer_together_all_get_adabn(make_folder, home):
    parts = [network(), small_resnet(2, 8).eval()]
    model = Averaged(parts).eval()
    there, found = look(make_folder(), home, model)
    moved = [predict(adapt_batch_norm(copy.deepcopy(one), there.x, batch_size=64), there.x) for one in parts]
    np.testing.assert_allclose(found.probability["AdaBN"], RECIPE.probabilities(sum(moved) / 2), atol=1e-5)
    assert found.distance == look(make_folder(), home, parts[0])[1].distance  # in the features of the first one


def test_one_frozen_network_among_several_leaves_no_row_for_adabn(make_folder, home):
    model = Averaged([network(), freeze(small_resnet(2, 8)).eval()]).eval()
    assert keeps_old_statistics(model)
    assert set(look(make_folder(), home, model)[1].judged) == {"as it is"}


def test_copies_of_home_images_are_left_out_and_told(make_folder, home, capsys):
    """Eight copies: six are of training, one of them is called by the other class; one was saved anew as a JPEG."""
    folder = make_folder()
    of_training = [file for file in home.files["train"] if file.startswith("sick")][:6]
    of_test = home.files["test"][:2]
    for k, file in enumerate([*of_training, *of_test]):
        label = "well" if k == 0 else file.split("/")[0]
        pixel = home.train.x[list(home.files["train"]).index(file)] if k < 6 else home.test.x[k - 6]
        Image.fromarray(pixel[0].numpy()).save(folder / label / f"Q{k}_0.{'jpg' if k == 5 else 'png'}", quality=98)
    there, found = look(folder, home, network("group"))
    told = "8 images there are copies of images at home (6 of training) and are left out; 1 of them with another class"
    assert told in capsys.readouterr().out and told in found.notes[0] and told in section(found, home, network())
    assert len(there.x) == len(found.y) == len(found.used) == len(found.probability["as it is"]) == 48
    assert torch.equal(there.x, look_there(make_folder("alone"), home).x)
    gone = {one.file: one.wrong for one in found.seen if one.wrong}
    assert gone["well/Q0_0.png"] == f"shows the same picture as {of_training[0]} at home" and len(gone) == 8


def test_a_folder_of_home_images_alone_is_refused(make_folder, home, tmp_path):
    write_image(tmp_path / "leak" / "one.png", home.val.x[0, 0].numpy())
    with pytest.raises(ValueError, match="are copies of images at home: give the folder of another hospital"):
        look_there(tmp_path / "leak", home)


def test_pictures_that_stand_twice_there_are_told_with_their_classes(make_folder, home):
    folder = make_folder()
    shutil.copy(folder / "sick" / "P000_0.png", folder / "well" / "again.png")
    shutil.copy(folder / "sick" / "P001_0.png", folder / "sick" / "again.png")
    there = look_there(folder, home)
    assert there.notes == [
        "2 pairs of images there show the same picture, 1 of them with two classes; nothing of that was left out."
    ]
    assert len(there.x) == 50


def test_patients_with_names_of_home_are_told(make_folder, tmp_path):
    root = class_folders(tmp_path / "home", patients=20, seed=7)
    there = look_there(make_folder(patients=2), load_folder(root, size=16, patients=PEOPLE), PEOPLE)
    assert "4 patient names stand in both folders" in there.notes[0] and "P000, P001, P100, P101;" in there.notes[0]
    assert not look_there(make_folder("same", patients=2), load_folder(root, size=16)).notes


def test_without_labels_the_answers_are_told_and_no_score(make_folder, home, capsys):
    _, found = look(make_folder("flat", classes=("2024", "2025")), home, network("group"))
    assert "without labels" in capsys.readouterr().out
    assert found.y is None and not found.judged and len(found.answers["as it is"]) == 48
    assert set(found.answers) == {"as it is"} and "no row for AdaBN" in found.notes[0] and found.control is None


def test_one_answer_to_all_images_of_another_world_is_not_to_be_read(home, tmp_path, capsys):
    rng = np.random.default_rng(0)
    for k in range(20):
        stripes = np.tile(np.arange(16) % 2 * 200, (16, 1)) + rng.integers(0, 9, (16, 16))
        write_image(tmp_path / "flat" / f"{k}.png", stripes.astype(np.uint8))
    never = Recipe(CLASSES, 0, 1.0, 1.0)
    found = look_elsewhere(look_there(tmp_path / "flat", home), network(), never, home)
    assert found.distance > 1.9 and "do not read these answers" in found.notes[-1]
    assert "do not read these answers" in capsys.readouterr().out


def test_what_cannot_be_used_there_is_named_and_kept_out(make_folder, home, capsys):
    folder = make_folder()
    (folder / "sick" / "P000_0.png").write_bytes(b"")
    _, found = look(folder, home)
    assert "sick/P000_0.png is empty" in capsys.readouterr().out
    assert len(found.seen) == 48 and len(found.used) == len(found.y) == 47


def test_one_class_alone_has_no_test_result_and_says_so(make_folder, home):
    _, found = look(make_folder(classes=("sick",)), home)
    assert not found.judged and any("no test result there" in note for note in found.notes)


def test_patients_that_the_rule_does_not_find_there_are_told(make_folder, home):
    _, found = look(make_folder(), home, patients=r"^(Q\d+)_")
    assert found.judged["as it is"].metrics["AUROC"].n == 48 and "images are the units there" in found.notes[0]


def test_the_section_has_sensitivity_specificity_and_what_is_right(make_folder, home):
    _, found = look(make_folder(patients=30), home)
    words = section(found, home, network())
    assert "sensitivity from 50.0% on" in words and "specificity from 50.0% on" in words
    point = next(iter(found.judged["as it is"].operating.values()))["sensitivity"]
    assert f"{point.value:.3f} [{point.low:.3f}, {point.high:.3f}]" in words
