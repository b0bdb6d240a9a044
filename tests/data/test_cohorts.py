"""Cohorts: one look for each patient, nobody in two splits, a group that stands out less, and a site that differs."""

import numpy as np
import pytest
import torch

from medtl_helpers.data import cohorts
from medtl_helpers.data.cohorts import draw_cohort, split_by_image
from medtl_helpers.data.patients import split_by_patient
from medtl_helpers.data.tasks import SPLITS

COHORT = draw_cohort(200, images=3, seed=4)


def everybody(task):
    return set(np.concatenate([task.patients[split] for split in SPLITS]))


def likeness(x):
    """The correlations N×N of images, each without its mean."""
    return np.corrcoef(x.flatten(1).float().numpy())


def test_every_patient_has_as_many_images_of_one_class_and_is_in_one_split():
    for split, n in zip(SPLITS, (100, 30, 70), strict=True):
        x, y = getattr(COHORT, split)
        assert x.shape == (3 * n, 1, 28, 28) and x.dtype == torch.uint8
        assert (y.view(n, 3) == y.view(n, 3)[:, :1]).all() and y.sum() == 3 * n // 2
        for what in (COHORT.patients, COHORT.groups):
            assert (what[split].reshape(n, 3) == what[split].reshape(n, 3)[:, :1]).all()
    assert len(everybody(COHORT)) == 200 == sum(len(set(COHORT.patients[split])) for split in SPLITS)


def test_the_images_of_one_patient_are_more_alike_than_those_of_two_and_none_stands_twice():
    alike = likeness(COHORT.test.x)
    same = COHORT.patients["test"][:, None] == COHORT.patients["test"]
    off = ~np.eye(len(same), dtype=bool)
    assert alike[same & off].mean() > 0.5 + alike[~same].mean() and alike[off].max() < 0.99


def test_the_same_seed_is_the_same_cohort_and_another_seed_or_site_has_other_patients():
    again, other, away = draw_cohort(40, seed=4), draw_cohort(40, seed=5), draw_cohort(40, seed=4, site="away")
    assert torch.equal(draw_cohort(40, seed=4).train.x, again.train.x)
    assert not torch.equal(other.train.x, again.train.x) and not everybody(away) & everybody(again)


def test_away_is_rarer_and_seen_by_another_device(monkeypatch):
    away = draw_cohort(200, site="away", seed=4)
    assert away.test.y.float().mean() == pytest.approx(0.2) == cohorts.SITES["away"]
    monkeypatch.setattr(cohorts, "AWAY", lambda x, seed: x)
    plain = draw_cohort(200, site="away", seed=4)
    assert torch.equal(plain.test.y, away.test.y) and away.test.x.float().std() > 1.1 * plain.test.x.float().std()
    assert draw_cohort(200, site="away", seed=4, prevalence=0.4).test.y.float().mean() == pytest.approx(0.4)


def test_in_dense_tissue_a_lesion_stands_out_less():
    def darkness(dense):
        """How much darker the middle is than it would be without a lesion, for the same patients."""
        task = draw_cohort(100, dense=dense, seed=1)
        return task.test.x.float().mean(0)[0, 8:18, 8:20].mean()

    assert set(np.concatenate(list(draw_cohort(100, dense=0).groups.values()))) == {"fatty"}
    share = np.mean(np.concatenate(list(draw_cohort(1000, size=8).groups.values())) == "dense")
    assert share == pytest.approx(0.2, abs=0.04)
    assert darkness(1.0) > darkness(0.0) + 10


def test_dealt_by_image_patients_stand_in_two_splits_and_everything_goes_with_its_image():
    dealt = split_by_image(COHORT, seed=0)
    assert [len(getattr(dealt, split).y) for split in SPLITS] == [300, 90, 210]
    assert len(set(dealt.patients["train"]) & set(dealt.patients["test"])) > 100
    known = {patient: group for split in SPLITS for patient, group in zip(*both(COHORT, split), strict=True)}
    for split in SPLITS:
        assert [known[patient] for patient in dealt.patients[split]] == dealt.groups[split].tolist()
    back = split_by_patient(dealt, seed=0)
    assert not set(back.patients["train"]) & set(back.patients["test"])
    assert [known[patient] for patient in back.patients["test"]] == back.groups["test"].tolist()


def both(task, split):
    return task.patients[split], task.groups[split]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"patients": 0}, "patients is 0"),
        ({"images": 0}, "images is 0"),
        ({"site": "abroad"}, "The site is 'abroad': choose one of home, away"),
        ({"size": 2}, "size is 2"),
        ({"prevalence": 1.2}, "prevalence is 1.2"),
        ({"dense": -0.1}, "dense is -0.1"),
        ({"patients": 8, "prevalence": 0.1}, "each split has both classes"),
        ({"val": 0.5, "test": 0.5}, "each split has both classes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        draw_cohort(**{"patients": 40} | wrong)
