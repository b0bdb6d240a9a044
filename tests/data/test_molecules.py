"""``MoleculeTask``: what goes with a molecule stays with it, and what does not fit together is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from molecules_by_hand import task

import medtl_helpers as mtl
from medtl_helpers.data.tasks import SPLITS, Split


@pytest.mark.parametrize("kind", ["number", "classes", "assays"])
def test_everything_that_goes_with_a_molecule_follows_its_row(kind):
    whole = task(60, kind)
    drawn = whole.with_rows({"train": torch.tensor([59, 0, 45]), "test": np.array([7])})
    assert drawn.smiles["train"] == [whole.smiles["test"][9], whole.smiles["train"][0], whole.smiles["val"][5]]
    assert drawn.smiles["test"] == [whole.smiles["train"][7]] and drawn.smiles["val"] == whole.smiles["val"]
    for what in ("scaffolds", "descriptors", "fingerprints"):
        everything = np.concatenate([getattr(whole, what)[split] for split in SPLITS])
        assert np.array_equal(getattr(drawn, what)["train"], everything[[59, 0, 45]])
        assert getattr(drawn, what)["train"].dtype == everything.dtype
    everything = torch.cat([getattr(whole, split).y for split in SPLITS])
    assert torch.equal(drawn.train.y.nan_to_num(-1), everything[[59, 0, 45]].nan_to_num(-1))
    assert drawn.train.y.dtype == everything.dtype and drawn.train.x.dtype == torch.uint8


def test_one_assay_is_a_task_of_two_classes_of_what_was_measured():
    whole = task(60, "assays")
    one = whole.assay("b")
    for split in SPLITS:
        column = getattr(whole, split).y[:, 1]
        measured = ~column.isnan()
        assert torch.equal(getattr(one, split).y, column[measured].long())
        assert torch.equal(getattr(one, split).x, getattr(whole, split).x[measured])
        assert one.smiles[split] == [s for s, there in zip(whole.smiles[split], measured, strict=True) if there]
    assert (one.kind, one.classes, one.positive, one.name) == ("classes", ("inactive", "active"), 1, "chains b")
    with pytest.raises(ValueError, match="name is 'd': choose one of a, b, c"):
        whole.assay("d")
    with pytest.raises(ValueError, match="chains has no assays"):
        task(60).assay("a")


NUMBER, CLASSES, ASSAYS = (task(60, kind) for kind in ("number", "classes", "assays"))
WRONG = [
    (lambda: replace(NUMBER, kind="text"), "kind is 'text': choose one of number, classes, assays"),
    (lambda: replace(NUMBER, train=Split(NUMBER.train.x.float(), NUMBER.train.y)), "are torch.float32 of shape"),
    (lambda: replace(NUMBER, train=Split(NUMBER.train.x[:, :, :9], NUMBER.train.y)), "give packed graphs, uint8"),
    (lambda: replace(NUMBER, val=Split([1], NUMBER.val.y)), "The molecules of the val split of chains are a list"),
    (lambda: replace(NUMBER, test=Split(NUMBER.test.x, NUMBER.test.y[1:])), "of shape (9,): give torch.float32 of"),
    (lambda: replace(NUMBER, test=Split(NUMBER.test.x, NUMBER.test.y.long())), "The labels of the test split"),
    (lambda: replace(NUMBER, val=Split(NUMBER.val.x, NUMBER.val.y * torch.nan)), "that is no finite number"),
    (lambda: replace(CLASSES, train=Split(CLASSES.train.x, CLASSES.train.y + 1)), "labels other than 0 to 1"),
    (lambda: replace(ASSAYS, train=Split(ASSAYS.train.x, ASSAYS.train.y + 1)), "other than 0, 1 and NaN"),
    (lambda: replace(NUMBER, scaffolds=NUMBER.scaffolds | {"val": np.arange(3)}), "10 molecules and 3 scaffolds"),
]


@pytest.mark.parametrize("call, said", WRONG, ids=[said for _, said in WRONG])
def test_what_does_not_fit_together_is_refused(call, said):
    with pytest.raises(ValueError) as error:
        call()
    assert said in str(error.value)


def test_molecules_are_drawn_by_few_molecules_alone():
    with pytest.raises(ValueError, match="use few_molecules"):
        mtl.few_shot(CLASSES, 2, seed=0)
    with pytest.raises(ValueError, match="use split_molecules"):
        mtl.split_table(CLASSES, seed=0)


def test_the_names_of_descriptors_and_elements_are_told_apart():
    assert len(set(mtl.DESCRIPTORS)) == 8 and mtl.MOLECULE_ATOMS == 50
