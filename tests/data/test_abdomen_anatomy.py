"""The drawn anatomy: organs where an atlas has them, in each patient."""

import numpy as np
import pytest
from scipy import ndimage

from medtl_helpers.data import abdomen_anatomy
from medtl_helpers.data.abdomen_anatomy import (
    ABDOMEN_CLASSES,
    CLASS_OF,
    TISSUES,
    anatomy,
    labels_of,
    slice_height,
    tissues,
)

AXIS = (np.arange(48) + 0.5) / 48 * 2 - 1
HEIGHTS = np.linspace(-0.6, 0.6, 17)


@pytest.fixture(scope="module")
def patients():
    return [anatomy(np.random.default_rng((5, k))) for k in range(8)]


@pytest.fixture(scope="module")
def volumes(patients):
    return [labels_of(tissues(patient, AXIS, AXIS, HEIGHTS, "clear")) for patient in patients]


def middle(volume, name):
    """x, y and z of the centre of an organ, in units of the anatomy."""
    z, y, x = ndimage.center_of_mass(volume == ABDOMEN_CLASSES.index(name))
    return np.array([AXIS[0] + x * 2 / 48, AXIS[0] + y * 2 / 48, HEIGHTS[0] + z * 0.075])


def test_each_tissue_belongs_to_a_class():
    assert set(CLASS_OF.values()) == set(ABDOMEN_CLASSES) and TISSUES[0] == "air"
    numbers = labels_of(np.arange(len(TISSUES)))
    assert [ABDOMEN_CLASSES[k] for k in numbers] == [CLASS_OF[tissue] for tissue in TISSUES]


def test_every_patient_has_every_organ_on_its_side(volumes):
    for volume in volumes:
        assert set(np.unique(volume)) == set(range(len(ABDOMEN_CLASSES)))
        liver, spleen, spine, aorta = (middle(volume, name) for name in ("liver", "spleen", "spine", "aorta"))
        assert liver[0] < -0.1 < 0.3 < spleen[0]  # the patient's right is on the left of the picture
        assert spine[1] > aorta[1] > liver[1]  # the spine lies behind
        kidneys = volume == ABDOMEN_CLASSES.index("kidneys")
        assert kidneys[:, :, :24].any() and kidneys[:, :, 24:].any()
        sizes = [(volume == ABDOMEN_CLASSES.index(name)).sum() for name in ("liver", "spleen", "aorta")]
        assert sizes == sorted(sizes, reverse=True)


def test_organs_lie_within_the_body_and_air_around_it(volumes):
    for volume in volumes:
        body = ndimage.binary_dilation(volume == 0)
        assert set(np.unique(volume[body])) <= {0, 1}  # what touches air is skin


def test_patients_differ(volumes):
    assert all((a != b).mean() > 0.02 for k, a in enumerate(volumes) for b in volumes[:k])


@pytest.mark.parametrize("lesion, least", [("clear", 12), ("small", 2), ("equal", 12)])
def test_lesions_lie_in_the_liver_and_are_seen_at_their_height(patients, lesion, least):
    fine = (np.arange(128) + 0.5) / 128 * 2 - 1
    areas = []
    for k, patient in enumerate(patients):
        height = [slice_height(patient, np.random.default_rng(k))]
        without, with_lesion = (tissues(patient, fine, fine, np.array(height), what) for what in ("none", lesion))
        there = with_lesion == TISSUES.index("lesion")
        assert (without == with_lesion)[~there].all()  # all else is the same
        assert {TISSUES[t] for t in np.unique(without[there])} <= {"liver", "vessel in the liver"}
        areas.append(int(there.sum()))
    assert min(areas) >= least, areas


def test_small_lesions_are_smaller_and_none_of_them_is_none(patients):
    counts = {
        lesion: sum((tissues(p, AXIS, AXIS, HEIGHTS, lesion) == TISSUES.index("lesion")).sum() for p in patients)
        for lesion in ("none", "small", "clear", "equal")
    }
    assert counts["none"] == 0 and 0 < counts["small"] < 0.3 * counts["clear"] and counts["equal"] == counts["clear"]


def test_without_a_word_about_lesions_the_ill_have_theirs(patients):
    for patient in patients:
        seen = (tissues(patient, AXIS, AXIS, HEIGHTS) == TISSUES.index("lesion")).any()
        assert seen == patient.ill
    share = np.mean([anatomy(np.random.default_rng(k)).ill for k in range(60)])
    assert 0.4 < share < 0.8


def test_the_box_in_which_a_blob_is_looked_for_holds_it(patients, monkeypatch):
    near = [tissues(patient, AXIS, AXIS, HEIGHTS, "clear") for patient in patients[:3]]
    monkeypatch.setattr(abdomen_anatomy, "REACH", 3.0)
    assert all(
        (tissues(p, AXIS, AXIS, HEIGHTS, "clear") == there).all() for p, there in zip(patients, near, strict=False)
    )


def test_a_part_of_the_body_is_drawn_like_the_whole(patients):
    whole = tissues(patients[0], AXIS, AXIS, HEIGHTS, "clear")
    part = tissues(patients[0], AXIS[10:30], AXIS[5:40], HEIGHTS[3:7], "clear")
    assert (whole[3:7, 5:40, 10:30] == part).all()
