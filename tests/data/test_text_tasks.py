"""Tasks of texts: which rows hold the same text, splits that share none, and the finding that is looked for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import medtl_helpers as mtl
from medtl_helpers.data.text_tasks import asked, parted, text_groups


def test_a_text_is_the_same_whatever_its_numbers_signs_case_and_finding():
    texts = [
        "No [[FEVER]], 38 C.",
        "no fever 40 c",
        "NO FEVER or [[cough]]",
        "No fever,  or cough!",
        "38",
        "39",
        "Ärzte",
        "arzte",
    ]
    groups = text_groups(texts)
    assert groups[0] == groups[1] and groups[2] == groups[3] and len(set(groups)) == 6


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), min_size=30, max_size=200), st.integers(0, 5))
def test_no_group_is_in_two_splits_and_no_row_is_lost(rows, seed):
    groups, y = np.array([g for g, _ in rows]), torch.tensor([k for _, k in rows])
    parts = parted(groups, y, test=0.3, val=0.2, seed=seed)
    assert sorted(torch.cat(parts).tolist()) == list(range(len(rows)))
    held = [set(groups[part.numpy()]) for part in parts]
    assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2])


def test_the_splits_have_the_sizes_and_the_classes_shares_that_were_asked_for():
    rng = np.random.default_rng(0)
    groups, y = rng.integers(0, 1300, 2300), torch.from_numpy((rng.random(2300) < 0.15).astype(int))
    parts = parted(groups, y, test=0.4, val=0.2, seed=0)
    assert [len(part) for part in parts] == pytest.approx([920, 460, 920], abs=15)
    assert all(abs(y[part].float().mean() - y.float().mean()) < 0.03 for part in parts)
    again, other = parted(groups, y, test=0.4, val=0.2, seed=0), parted(groups, y, test=0.4, val=0.2, seed=1)
    assert torch.equal(parts[2], again[2]) and not torch.equal(parts[2], other[2])


ASKED = [
    ("No chest pain or FEVER.", "fever", True, "No chest pain or [[FEVER]]."),
    ("A fever, and FEVER again.", "fever", True, "A fever, and [[FEVER]] again."),  # the one in capitals
    ("MIDLINE scar, MI in 1998.", "mi", True, "MIDLINE scar, [[MI]] in 1998."),  # a word of its own
    ("NONTENDER abdomen", "tender", True, "NON[[TENDER]] abdomen"),
    ("No  CHEST \t PAIN.", "chest pain", True, "No  [[CHEST \t PAIN]]."),
    ("No chest pain or fever.", "Chest Pain", False, "No [[chest pain]] or fever."),
    ("A **AGE[in 70s] man with MVP [sic].", "mvp [sic]", True, "A **AGE(in 70s) man with [[MVP (sic)]]."),
    ("No (1+) edema?", "(1+) edema", False, "No [[(1+) edema]]?"),
    ("No fever.", "cough", False, None),
    ("No fever.", "  ", False, None),
]


@pytest.mark.parametrize("text, finding, capitals, wanted", ASKED)
def test_the_finding_is_put_in_double_brackets_where_it_stands(text, finding, capitals, wanted):
    assert asked(text, finding, capitals) == wanted
    if wanted:
        assert mtl.tokens([wanted])[0, 24] == 4


def test_groups_go_with_their_rows_and_few_labels_share_no_text_with_validation():
    task = mtl.load("negex", quiet=True)
    assert all(len(task.groups[split]) == len(getattr(task, split).y) for split in ("train", "val", "test"))
    assert not set(task.groups["train"]) & set(task.groups["test"]) | set(task.groups["val"]) & set(task.groups["test"])
    few = mtl.few_shot(task, 40, seed=0, val=20)
    assert few.train.x.dtype == torch.int32 and few.train.y.bincount().tolist() == [40, 40]
    assert len(few.groups["train"]) == 80 and not set(few.groups["train"]) & set(few.groups["val"])
    rows = set(zip(map(tuple, task.train.x.tolist()), task.groups["train"].tolist(), strict=True))
    assert set(zip(map(tuple, few.train.x.tolist()), few.groups["train"].tolist(), strict=True)) <= rows
    assert np.array_equal(few.groups["test"], task.groups["test"])


def test_the_last_text_of_a_class_can_be_drawn_for_validation():
    """NumPy takes a torch tensor of one number for that number alone, and a mask of no dimension came of it."""
    x, y = torch.zeros(4, 8, dtype=torch.int32), torch.tensor([0, 0, 1, 1])
    split = mtl.Split(x, y)
    task = mtl.TextTask(
        "t", split, split, split, ("a", "b"), groups={name: np.arange(4) for name in ("train", "val", "test")}
    )
    few = mtl.few_shot(task, 1, seed=0, val=1)
    assert few.train.y.tolist() == few.val.y.tolist() == [0, 1] and few.val.x.shape == (2, 8)
