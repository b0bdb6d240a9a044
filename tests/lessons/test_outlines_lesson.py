"""The figures of lesson 12 draw what they say, and its exercises have the answers of their definitions."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.outlines import answers, figures
from medtl_helpers.teaching import plots


@pytest.fixture
def alts(monkeypatch):
    """The figures and alt texts that were shown; nothing is displayed."""
    told = []
    for module in (figures, plots):
        monkeypatch.setattr(module, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


def square(size: int, side: int) -> torch.Tensor:
    mask = torch.zeros(1, size, size, dtype=torch.uint8)
    mask[:, 2 : 2 + side, 2 : 2 + side] = 1
    return mask


# --- figures ---------------------------------------------------------------------------------------------------------


def test_outlines_of_masks_and_answers_are_drawn_and_empty_ones_are_not(alts):
    x = torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    masks = torch.cat([square(16, 8), torch.zeros(1, 16, 16, dtype=torch.uint8)])
    figures.show_outlines({"here": (x, masks)}, {"here": torch.flip(masks, (0,))}, columns=2)
    figure, alt, _ = alts[0]
    assert [len(axis.collections) for axis in figure.axes] == [1, 1]  # a truth, and an answer
    assert "here, where 12% of the pixels are inside" in alt and "dashed" in alt


def test_labels_are_told_by_their_shares(alts):
    labels = torch.zeros(2, 8, 8, dtype=torch.uint8)
    labels[:, :4] = 1
    figures.show_labels(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), labels, ("background", "liver"))
    assert "background 50.0%, liver 50.0%" in alts[0][1] and "twin" in alts[0][2]["provenance"]


def test_the_picture_of_a_unet_has_the_maps_that_the_network_makes(alts):
    network = mtl.UNet(channels=1, classes=3, width=4, depth=2)
    network.train()
    assert figures.maps_of(network, 32) == [
        ("down1", 4, 32),
        ("down2", 8, 16),
        ("middle", 16, 8),
        ("up2", 8, 16),
        ("up1", 4, 32),
    ]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    figures.show_unet(network, 32)
    assert network.training and all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    figure, alt, _ = alts[0]
    assert len(figure.axes[0].patches) == 5 and "middle 16 × 8 × 8" in alt
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 4 + 2  # from stage to stage, and two skip connections


def test_answers_and_dice_are_told(alts):
    truth = square(16, 6)[0].numpy()
    figures.show_answers(truth, {"same": truth, "none": 0 * truth}, {"same": {"Dice": 1.0}, "none": {"Dice": 0.0}})
    figures.show_dice({"network": [0.5, 1.0], "Otsu (no mask)": [0.25, 0.25]})
    assert "same: Dice 1; none: Dice 0" in alts[0][1]
    assert "network 0.75; Otsu (no mask) 0.25" in alts[1][1]
    assert [len(line.get_xdata()) for line in alts[1][0].axes[0].lines] == [2, 2, 2, 2]


def test_the_knob_turns_grey_levels_about_their_middle(alts):
    x = torch.tensor([0, 100, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    assert figures.with_contrast(x, 1).equal(x) and figures.with_contrast(x, -1).equal(255 - x)
    assert figures.with_contrast(x, 0).unique().numel() == 1
    asked = []
    images, masks = mtl.draw_nuclei(3, size=32)
    answer = lambda seen: asked.append(seen) or masks[:2]  # noqa: E731
    figures.show_contrast(images, masks, {"way": answer}, -1, columns=2)
    assert torch.equal(asked[0], 255 - images[:2]) and "contrast -1" in alts[0][1]
    figures.show_contrasts([-1, 1], {"way": [0.1, 0.8]})
    assert "way 0.80 as it is and 0.10 turned round" in alts[1][1]


def test_a_table_of_scores_is_told_cell_by_cell(alts):
    values = np.array([[0.9, 0.5], [0.6, 0.8]])
    figures.show_matrix(
        {"plain": values, "other": np.where(values == 0.8, np.nan, values / 2)}, ["CT", "T2"], ["CT", "T2"], "AUROC"
    )
    assert "plain, CT, tested on T2 0.50" in alts[0][1] and "other, T2, tested on CT 0.30" in alts[0][1]
    assert [text.get_text() for text in alts[0][0].axes[1].texts] == ["0.45", "0.25", "0.30"]


# --- exercises -------------------------------------------------------------------------------------------------------


def test_the_exercises_have_the_answers_of_their_definitions():
    a, b = np.zeros((10, 10), np.uint8), np.zeros((10, 10), np.uint8)
    a[:4, :2], b[:4, :2], b[0, 2:4] = 1, 1, 1
    a[9, :2] = 1  # 8 pixels in both, 12 in either
    assert mtl.iou(a[None], b[None])[0] == pytest.approx(8 / 12)
    iou = 0.6
    assert answers.EXERCISES["12.1"]().right == pytest.approx(2 * iou / (1 + iou))
    ours = answers.EXERCISES["12.3"]().right
    for one, other in ((a, b), (a, a), (a, 0 * a), (0 * a, 0 * a)):
        assert ours(one > 0, other > 0) == pytest.approx(mtl.dice(one[None], other[None])[0])
