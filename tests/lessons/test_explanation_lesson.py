"""The figures of lesson 13 draw what they say, and its exercises have their right answers."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.explanation import answers, experiment, figures


@pytest.fixture
def alts(monkeypatch):
    """The figures and alt texts that were shown; nothing is displayed."""
    told = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


def test_the_hospital_is_told_by_its_letters_in_each_class(alts):
    y = torch.arange(6) % 2
    x, lesions, marks = mtl.draw_marked_ultrasound(y, 32, share={0: 1.0, 1: 0.0})
    figures.show_hospital(x, y, lesions, marks)
    figure, alt, where = alts[0]
    assert "on 3 of 3 malignant and on 0 of 3 benign images" in alt and "twin" in where["provenance"]
    assert [len(axis.patches) for axis in figure.axes] == [1, 1, 1, 0, 0, 0]  # a frame around each letter


def test_a_frame_stands_around_its_mark_and_a_map_keeps_its_place(alts):
    image, mark, heat = np.zeros((1, 1, 8, 8), np.uint8), np.zeros((1, 8, 8), bool), np.zeros((1, 4, 4))
    mark[0, 1:4, 2:5], heat[0, 0, 3] = True, 0.5
    figures.show_map_rows(image, {"a map": heat}, mark, mark, titles=["benign"], data="twin")
    figure, alt, _ = alts[0]
    box = figure.axes[1].patches[0]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (1.5, 0.5, 3, 3)
    drawn = figure.axes[1].images[1]
    assert drawn.get_array()[0, 3] == 1 and drawn.get_extent() == [-0.5, 7.5, 7.5, -0.5]
    assert "maps of a map" in alt and "Beside the rows: benign." in alt


def test_chosen_images_are_told_by_group(alts):
    image, mask, heat = np.zeros((4, 1, 8, 8), np.uint8), np.zeros((4, 8, 8), bool), np.ones((4, 2, 2))
    figures.show_chosen(image, heat, mask, mask, ["chosen", "hidden"])
    assert "2 chosen and 2 hidden" in alts[0][1]
    assert [axis.get_title(loc="left") for axis in alts[0][0].axes] == ["chosen", "", "hidden", ""]


def test_shares_and_deletion_are_told_as_means(alts):
    figures.show_shares({"way": (np.array([0.2, 0.4]), np.array([1.0, 0.0]))}, 0.1, data="twin")
    figures.show_deletion({"way": np.array([[1.0, 0.5, 0.0], [0.8, 0.5, 0.2]])}, data="twin")
    assert "way 0.30 and 0.50. The lesion takes 0.10" in alts[0][1]
    assert "With a quarter covered it is: way 0.70." in alts[1][1]
    assert alts[1][0].axes[0].lines[0].get_ydata() == pytest.approx([0.9, 0.5, 0.1])


def test_moved_letters_are_told_beside_what_was_said_without(alts):
    figures.show_moved(torch.zeros(1, 8, 8, dtype=torch.uint8), {"net": 0.9}, without={"net": 0.2}, data="twin")
    figures.show_places({"net": np.array([[0.1, 0.9]])}, {"net": 0.2}, data="twin")
    assert "net 0.90 (without the letter 0.20)" in alts[0][1]
    assert "net 0.10 to 0.90, and 0.20 without a letter" in alts[1][1]


def test_the_cascade_and_the_record_are_told(alts):
    figures.show_cascade({"way": [1.0, 0.25]}, ["nothing", "head"], data="twin")
    assert "when nothing, head got random weights: way 1.00, 0.25." in alts[0][1]
    record = mtl.Record("explanation", stage="report")
    rows = {"frozen": {"way": "frozen", "kind": "transfer", "map": "Grad-CAM"}}
    figures.show_recorded(record, rows, {"home": {"score": "auroc, home"}}, "mean")
    value = record.mean("frozen", "auroc, home", kind="transfer", map="Grad-CAM").value
    assert f"home: frozen {value:.2f}" in alts[1][1] and "recorded" in alts[1][2]["provenance"]


# --- exercises -------------------------------------------------------------------------------------------------------


def test_the_share_of_a_random_map_is_that_of_the_area():
    rng, region = np.random.default_rng(0), np.zeros((2000, 32, 32), bool)
    region[:, 3:12, 5:15] = True  # 90 pixels
    share = mtl.mass_inside(rng.random(region.shape), region).mean()
    assert answers.EXERCISES["13.1"]().right == pytest.approx(share, abs=1e-3)


def test_integrated_gradients_of_the_exercise_are_those_of_the_course():
    """On a network of smooth layers, with the picture without content that the course takes."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).eval()
    x = torch.rand(1, 1, 4, 4) * 2 - 1
    empty = x.mean((2, 3), keepdim=True).expand_as(x)

    def gradient(at):
        at = at.clone().requires_grad_()
        return torch.autograd.grad(net(at)[0, 0], at)[0]

    ours = answers.EXERCISES["13.3"]().right(gradient, x, empty, 8)
    theirs = mtl.integrated_gradients(net, x, [0], steps=8, signed=True, device="cpu")
    assert ours[0, 0].numpy() == pytest.approx(theirs[0], abs=1e-6)


def test_the_settings_of_the_notebook_are_those_of_the_record():
    import json
    from pathlib import Path

    path = Path(__file__).parents[2] / "notebooks" / "13_what_did_it_look_at.ipynb"
    source = "".join("".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"])
    how = experiment.TRAINING
    assert f'"epochs": {how["epochs"]}, "lr": {experiment.RATES["home"]:.0e}'.replace("e-0", "e-") in source
    assert f'"batch_size": {how["batch_size"]}' in source and f"experiment.pictures({experiment.TRAIN}, 1" in source
