"""Calibration error by hand."""

import pytest
import torch

from medtl_helpers.methods.calibration import calibration_error


def test_calibration_error_by_hand():
    probability = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.45, 0.55], [0.65, 0.35]])
    y = torch.tensor([0, 1, 1, 0])  # bins: 0.9-1 has confidence 0.95 and half right; the others are right
    assert calibration_error(probability, y) == pytest.approx((2 * 0.45 + 0.45 + 0.35) / 4, abs=1e-6)
    assert calibration_error(torch.eye(4), torch.arange(4)) == 0
