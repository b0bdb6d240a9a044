"""The looks of the abdomen against the tables that they cite."""

import numpy as np
import pytest

from medtl_helpers.data.abdomen_anatomy import TISSUES
from medtl_helpers.data.abdomen_looks import (
    CM,
    ECHOES,
    HOUNSFIELD,
    RELAXATION,
    WATER,
    WINDOWS,
    ct,
    hounsfield,
    mri,
    spin_echo,
    windowed,
    xray,
)

BUZUG = {
    "fat": (-100, -50), "liver": (45, 65), "spleen": (35, 55), "kidney cortex": (20, 40), "kidney medulla": (20, 40),
    "aorta": (45, 65), "vein": (45, 65), "dense bone": (700, 3000), "air": (-1000, -1000),
}  # fmt: skip
DE_BAZELAIRE = {"liver": (809, 34), "spleen": (1328, 61), "kidney cortex": (1142, 76), "kidney medulla": (1545, 81),
                "muscle": (898, 29), "marrow": (586, 49), "fat": (382, 68)}  # fmt: skip


def patch(tissue, size=40):
    return np.full((size, size), TISSUES.index(tissue), np.uint8)


def halves(left, right, size=40):
    tissues = patch(left, size)
    tissues[:, size // 2 :] = TISSUES.index(right)
    return tissues


def contrast(image):
    half = image.shape[1] // 2
    return image[:, : half - 4].mean() - image[:, half + 4 :].mean()


def test_each_tissue_stands_in_each_table():
    assert set(HOUNSFIELD) == set(RELAXATION) == set(TISSUES)


@pytest.mark.parametrize("tissue", BUZUG)
def test_ct_numbers_lie_in_the_published_ranges(tissue):
    low, high = BUZUG[tissue]
    assert low <= HOUNSFIELD[tissue][0] <= high


def test_relaxation_times_are_the_published_ones():
    assert {tissue: RELAXATION[tissue][:2] for tissue in DE_BAZELAIRE} == DE_BAZELAIRE
    assert RELAXATION["aorta"][:2] == (1932, 275)


def test_patients_scatter_around_the_table():
    values = np.array([hounsfield(patch("liver", 2), np.random.default_rng(k))[0, 0] for k in range(60)])
    mean, deviation = HOUNSFIELD["liver"]
    assert abs(values.mean() - mean) < 2 and np.abs(values - mean).max() <= 1.5 * deviation + 1e-3


@pytest.mark.parametrize("window", WINDOWS)
def test_a_window_is_linear_between_its_ends(window):
    level, width = WINDOWS[window]
    units = level + width * np.array([-2, -0.5, -0.25, 0, 0.5, 3])
    assert np.allclose(windowed(units, window), [0, 0, 0.25, 0.5, 1, 1])


def test_the_order_of_organs_is_that_of_the_textbook():
    def order(value):
        return sorted(("fat", "liver", "spleen", "kidney cortex", "lesion", "muscle"), key=value)

    assert order(lambda t: HOUNSFIELD[t][0]) == ["fat", "lesion", "kidney cortex", "spleen", "muscle", "liver"]
    t1 = order(lambda t: spin_echo(t, *ECHOES["t1"]))
    assert t1[-1] == "fat" and t1.index("lesion") < t1.index("liver") and t1.index("spleen") < t1.index("liver")
    t2 = order(lambda t: spin_echo(t, *ECHOES["t2"]))
    assert t2[:2] == ["muscle", "liver"] and t2.index("liver") < t2.index("spleen") < t2.index("lesion")


def test_spin_echo_follows_bloch():
    """For the same tissue, the length of the magnetisation recovers with T1, and its echo fades with T2."""
    t1, t2, density = RELAXATION["liver"]
    assert spin_echo("liver", 1e9, 0) == pytest.approx(density)
    assert spin_echo("liver", t1, 0) == pytest.approx(density * (1 - 1 / np.e))
    assert spin_echo("liver", 1e9, t2) == pytest.approx(density / np.e)


@pytest.mark.parametrize("seed", range(6))
def test_pictures_show_the_contrast_of_the_tables(seed):
    lesion = halves("lesion", "liver")
    assert contrast(ct(lesion, np.random.default_rng(seed), "abdomen")) < -0.02
    assert contrast(ct(lesion, np.random.default_rng(seed), "liver")) < -0.06
    assert contrast(ct(halves("liver", "fat"), np.random.default_rng(seed), "abdomen")) > 0.25
    assert contrast(mri(lesion, np.random.default_rng(seed), "t2")) > 0.2
    slab = np.stack([halves("dense bone", "fat")] * 3)
    assert contrast(xray(slab, np.random.default_rng(seed), 0.2)) > 0.5


def test_noise_without_signal_has_the_distribution_of_rayleigh():
    tissues = patch("air", 80)
    tissues[:20] = TISSUES.index("fat")
    dark = mri(tissues, np.random.default_rng(1), "t1")[30:]
    assert dark.mean() / dark.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.05)  # of a Gaussian: 0


def test_an_x_ray_follows_beer_and_lambert():
    """A slab of half fat and half liver lets through what the mean attenuation does, whatever their order."""
    fat, liver = (np.full((8, 30, 30), TISSUES.index(t), np.uint8) for t in ("fat", "liver"))
    mixed = np.concatenate([fat[:4], liver[:4]])
    images = [xray(s, np.random.default_rng(3), 0.4) for s in (fat, liver, mixed, mixed[::-1])]
    dark, light, between, other_way = (image.mean() for image in images)
    assert dark < between < light and between == pytest.approx(other_way, abs=1e-3)
    assert WATER * CM * 0.4 == pytest.approx(1.648)  # of 8 cm of water: 19 % pass


def test_looks_of_volumes_have_their_shape():
    for image in (ct(np.zeros((6, 7, 8), np.uint8), np.random.default_rng(0), "bone"),
                  mri(np.ones((6, 7, 8), np.uint8), np.random.default_rng(0), "t2")):  # fmt: skip
        assert image.shape == (6, 7, 8) and image.min() >= 0 and image.max() <= 1
