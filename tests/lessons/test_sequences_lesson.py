"""The figures of lesson 09 draw what they say, and its ways without a network are what a textbook writes down."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.lessons.sequences import answers, experiment, figures
from medtl_helpers.methods.motifs import information
from medtl_helpers.teaching import plots


@pytest.fixture
def alts(monkeypatch):
    """The alt texts that the figures were shown with; nothing is displayed."""
    told = []
    for module in (figures, plots):
        monkeypatch.setattr(module, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


@pytest.fixture(scope="module")
def splice():
    """The drawn twin, whatever lies on this disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDTL_DATA", "twin")
        return mtl.load("splice", quiet=True)


# --- logos -----------------------------------------------------------------------------------------------------------


def test_positions_are_counted_from_the_junction_and_there_is_no_zero():
    assert figures.places(5, 3) == ["−3", "−2", "−1", "+1", "+2"]


def test_each_letter_of_a_logo_is_as_tall_as_its_share_of_the_bits():
    f = torch.tensor([[0.5, 0.25, 1.0, 0.7], [0.5, 0.25, 0.0, 0.1], [0.0, 0.25, 0.0, 0.1], [0.0, 0.25, 0.0, 0.1]])
    figure, axis = figures.plt.subplots()
    told = figures.draw_logo(axis, f)
    boxes = [patch.get_path().get_extents() for patch in axis.patches]
    bits = information(f).tolist()
    assert bits == pytest.approx([1, 0, 2, 2 + 0.7 * np.log2(0.7) + 0.3 * np.log2(0.1)], abs=1e-6)
    heights = [(int(box.x0), box.height) for box in boxes]
    assert [at for at, _ in heights] == [0, 0, 2, 3, 3, 3, 3]  # four equal letters have no height
    expected = [0.5, 0.5, 2.0, *(share * bits[3] for share in (0.1, 0.1, 0.1, 0.7))]
    assert [height for _, height in heights] == pytest.approx(expected, abs=1e-6)
    tops = [max(box.y1 for box in boxes if int(box.x0) == at) for at in (0, 2, 3)]
    assert tops == pytest.approx([bits[0], bits[2], bits[3]], abs=1e-6) and all(
        0.85 < box.width < 0.95 for box in boxes
    )
    assert told == "A 50% at 1, A 100% at 3, A 70% at 4"
    figures.plt.close(figure)


def test_logos_name_what_is_decided_around_the_junction(alts):
    table = mtl.published_frequencies()
    figures.show_logo({"donors": table[0][:, 24:36], "flat": table[2][:, 24:36]}, before=6)
    ((_, alt, _),) = alts
    assert "donors: G 81% at −1, G 100% at +1, T 99% at +2" in alt and "flat: no position above half a bit" in alt


# --- the other figures -----------------------------------------------------------------------------------------------


def test_the_alt_text_of_the_sequences_counts_all_training_rows(alts, splice):
    figures.show_sequences(splice, each=2)
    ((figure, alt, _),) = alts
    acceptors = splice.train.x[splice.train.y == 1]
    assert f"IE: G right before it in {float(acceptors[:, 2, 29].mean()):.0%}" in alt
    assert len(figure.axes[0].texts) == 3 * 2 * 30


def test_a_scan_says_where_the_matrix_begins_most_often(alts):
    scores = np.zeros((4, 52))
    scores[:3, 27] = scores[3, 5] = 1
    figures.show_scan(scores, mtl.published_frequencies()[0][:, 27:36])
    assert "highest score where the matrix begins at −3." in alts[0][1]


def test_shares_of_right_answers_and_of_composition_are_told(alts):
    counts = np.array([[8, 1, 1], [0, 10, 0], [5, 0, 15]])
    figures.show_confusion({"one": counts}, ("EI", "IE", "neither"))
    figures.show_composition({"way": {0.3: 0.9, 0.5: 0.8, 0.7: 0.6}})
    assert "one names rightly: EI 80%, IE 100%, neither 75%" in alts[0][1]
    assert "way goes from 0.90 at 30% to 0.60 at 70%" in alts[1][1]


def test_the_rows_by_labels_are_those_of_the_record(alts):
    record = mtl.Record("sequences", stage="report", data="real", kind="labels")
    figures.show_rows(record, ["fine-tuned", "k-mers"], flat=["published table"])
    alt = alts[0][1]
    for way in ("fine-tuned", "k-mers"):
        for n in experiment.LABELS:
            assert f"{record.mean(way, labels=n).value:.2f} with {n}" in alt
    assert f"published table, without any label, {record.mean('published table', labels=5).value:.2f}" in alt


# --- without a network -----------------------------------------------------------------------------------------------


def test_the_rule_asks_for_gt_before_it_asks_for_ag():
    flank = "C" * 28
    x = mtl.one_hot([f"{flank}{middle}{flank}" for middle in ("CCGT", "AGGT", "AGCC", "CCCC", "GTAG", "NNGT", "AGNN")])
    assert experiment.two_letter_rule(x).argmax(1).tolist() == [0, 0, 1, 2, 2, 0, 1]


def test_bayes_rule_turns_the_tables_scores_into_probabilities(splice):
    scores = experiment.table_scores(splice.test.x[:50])
    p = np.exp(scores) * experiment.PRIOR
    assert experiment.with_prior(scores) == pytest.approx(p / p.sum(1, keepdims=True))
    one = splice.test.x[:1]
    by_hand = sum(
        float(one[0, a, j]) * np.log(mtl.published_frequencies()[0, a, j]) for a in range(4) for j in range(60)
    )
    assert scores[0, 0] == pytest.approx(by_hand, rel=1e-4)


def test_reversed_sites_are_added_as_neither():
    x = mtl.one_hot(["ACGTTT", "GGGTTA"])
    found = experiment.with_reversed_as_neither(mtl.Split(x, torch.tensor([0, 1])))
    assert mtl.letters(found.x) == ["ACGTTT", "GGGTTA", "AAACGT", "TAACCC"] and found.y.tolist() == [0, 1, 2, 2]


def test_the_exercises_have_the_answers_of_their_definitions():
    f = torch.tensor([0.5, 0.25, 0.25, 0.0])
    assert answers.EXERCISES["09.1"]().right == pytest.approx(float(information(f[:, None])[0]))
    exercise = answers.EXERCISES["09.3"]()
    x, g = torch.eye(4)[None], torch.full((4, 4), 0.25)
    assert exercise.right(x, g).tolist() == [0.0] and exercise.right(x, 0.25 + torch.eye(4) / 4).tolist() == [4.0]
