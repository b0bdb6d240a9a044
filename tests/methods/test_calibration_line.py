"""The calibration line against scikit-learn, another minimiser, Fisher's information and what was planted."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from medtl_helpers.methods.calibration import recalibrate_intercept, recalibrate_slope
from medtl_helpers.methods.calibration_line import calibration_line, calibration_metrics, log_odds


def moved_model(n=300, intercept=1.5, slope=0.5, seed=0):
    """The logits of a model, and labels that are drawn with another intercept and another slope."""
    generator = torch.Generator().manual_seed(seed)
    logit = 3 * torch.randn(n, generator=generator, dtype=torch.float64)
    sick = torch.rand(n, generator=generator, dtype=torch.float64) < (intercept + slope * logit).sigmoid()
    return logit, sick.long()


def test_the_calibration_line_is_scikit_learns_and_that_of_another_minimiser():
    logit, y = moved_model()
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], y)
    assert calibration_line(logit, y) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=1e-5)
    assert calibration_line(logit, y) == pytest.approx(recalibrate_slope(logit, y, lam=0), abs=1e-4)


def test_weak_calibration_finds_what_was_planted_and_nothing_in_a_calibrated_model():
    found = calibration_metrics(*moved_model(n=2000), resamples=300)
    logit, y = moved_model(n=2000)
    assert found["slope"].low < 0.5 < found["slope"].high < 0.7
    assert found["in the large"].value == pytest.approx(recalibrate_intercept(logit, y), abs=1e-4)
    assert found["observed − expected"].value == pytest.approx((y - logit.sigmoid()).mean().item())
    calm = calibration_metrics(*moved_model(n=500, intercept=0, slope=1), resamples=300)
    assert calm["slope"].low < 1 < calm["slope"].high
    assert all(calm[name].low < 0 < calm[name].high for name in ("in the large", "observed − expected"))


def test_the_interval_of_the_slope_is_that_of_fishers_information_where_cases_are_many():
    logit, y = moved_model(n=3000, slope=1, intercept=0)
    p = logit.sigmoid()
    columns = torch.stack([torch.ones_like(logit), logit])
    error = torch.linalg.inv(columns * (p * (1 - p)) @ columns.T)[1, 1].sqrt().item()
    found = calibration_metrics(logit, y, resamples=600)["slope"]
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_patients_with_several_images_have_wider_intervals():
    logit, y = moved_model(n=200)
    four = calibration_metrics(logit.repeat(4), y.repeat(4), np.tile(np.arange(200), 4), resamples=300)
    one = calibration_metrics(logit.repeat(4), y.repeat(4), resamples=300)
    assert four["slope"].n == 200 and one["slope"].n == 800
    for name in four:
        assert four[name].value == one[name].value
        assert four[name].high - four[name].low > 1.6 * (one[name].high - one[name].low)


def test_log_odds_turn_the_sigmoid_back_and_stay_finite():
    assert log_odds(torch.tensor([0.1, 0.5]).double()) == pytest.approx(np.log([1 / 9, 1]))
    assert np.abs(log_odds([0.0, 1.0])) == pytest.approx(np.log(1e7), rel=1e-3)


@pytest.mark.parametrize("logit", [[1.0, 1.0, 1.0, 1.0], [-2.0, -1.0, 1.0, 2.0], [2.0, 1.0, -1.0, -2.0]])
def test_where_no_line_fits_best_it_is_refused(logit):
    with pytest.raises(ValueError, match="all alike or separate the labels without an error"):
        calibration_line(logit, [0, 0, 1, 1])
