"""The UCI splice junctions: read, without copies, split; and a twin with the same classes, counts and interface."""

from collections import Counter

import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.assets import card
from medtl_helpers.data import splice

ABOUT = card("splice")


def rows(task):
    return torch.cat([part.x for part in (task.train, task.val, task.test)]), torch.cat(
        [part.y for part in (task.train, task.val, task.test)]
    )


@pytest.fixture
def real_task(real):
    return real("splice", "splice", quiet=True)


def test_the_twin_has_the_cards_classes_counts_and_interface():
    task = mtl.load("splice", quiet=True)
    x, y = rows(task)
    assert (task.name, task.provenance, task.classes) == ("splice", "twin", ("EI", "IE", "neither"))
    assert x.dtype == torch.float32 and x.shape == (3004, 4, 60) and y.dtype == torch.int64
    assert y.bincount().tolist() == ABOUT["class_totals"] and len(task.test.y) == 1000
    assert torch.allclose(x.sum(1), torch.ones(3004, 60)) and (x.amax(1) < 1).any()  # some letters are not known
    assert task.note == "for real data: make data ONLY=splice (MEDTL_DATA=twin)"
    again, other = mtl.load("splice", quiet=True), mtl.draw_splice_sites(3004)[0]
    assert torch.equal(task.train.x, again.train.x) and not set(mtl.letters(x)) & set(mtl.letters(other))


def test_the_splits_share_no_sequence_and_each_has_the_classes_shares():
    task = mtl.load("splice", quiet=True)
    words = [set(mtl.letters(part.x)) for part in (task.train, task.val, task.test)]
    assert not (words[0] & words[1] or words[0] & words[2] or words[1] & words[2])
    for part in (task.train, task.val, task.test):
        assert torch.allclose(part.y.bincount() / len(part.y), torch.tensor([0.226, 0.224, 0.55]), atol=0.01)


def test_load_says_in_one_line_what_it_is(capsys):
    mtl.load("splice")
    said = capsys.readouterr().out
    assert said.startswith("splice: TWIN (drawn by code); train/val/test 1604/400/1000; ") and said.count("\n") == 1


def test_the_twin_with_copies_repeats_as_many_as_the_file():
    x, y = rows(mtl.load("splice", copies=True, quiet=True))
    assert len(y) == ABOUT["rows"] and len(set(mtl.letters(x))) == 3004


def test_each_sequence_once_and_none_with_two_labels():
    texts, y = ["AC", "GG", "AC", "TT", "TT"], torch.tensor([0, 1, 0, 1, 2])
    kept, labels, copies, torn = splice.without_copies(texts, y)
    assert (kept, labels.tolist(), copies, torn) == (["AC", "GG"], [0, 1], 2, 1)


def test_the_real_rows_are_those_of_the_file_counted_by_hand(real_task, real_file):
    lines = real_file("sequences/splice.csv").read_text().splitlines()[1:]
    pairs = {tuple(cell.strip() for cell in line.split(",")[::2]) for line in lines}
    labels = Counter(text for _, text in pairs)
    wanted = {(text, {"N": "neither"}.get(label, label)) for label, text in pairs if labels[text] == 1}
    x, y = rows(real_task)
    found = {(text, real_task.classes[k]) for text, k in zip(mtl.letters(x), y.tolist(), strict=True)}
    assert found == wanted and len(y) == len(wanted) == 3004 and real_task.provenance == "real"
    assert y.bincount().tolist() == ABOUT["class_totals"] and len(lines) == ABOUT["rows"]
    assert real_task.note == "185 copies of a sequence and 1 sequence(s) with two labels left out"


def test_the_real_file_as_found_has_copies_of_training_sequences_in_the_test(real):
    task = real("splice", "splice", copies=True, quiet=True)
    train, test = set(mtl.letters(task.train.x)), mtl.letters(task.test.x)
    assert sum(word in train for word in test) > 50 and "185 copies" in task.note


def test_real_sites_are_those_of_the_published_table(real_task):
    """The junction is in the middle: the published tables, which saw no row of this file, know both kinds of site."""
    score = mtl.position_scores(real_task.train.x, mtl.published_frequencies())
    right = score.argmax(1) == real_task.train.y
    assert all(right[real_task.train.y == k].float().mean() > 0.85 for k in range(3))
