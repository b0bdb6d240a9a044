"""Calibration: how far the confidence of a network is from how often it is right."""

import torch
from torch import Tensor


def calibration_error(probability: Tensor, y: Tensor, bins: int = 10) -> float:
    """Expected calibration error: mean ``|confidence − accuracy|`` over ``bins`` of confidence, weighted by cases.

    Guo et al., On calibration of modern neural networks, ICML 2017, arXiv 1706.04599, equation 3.
    """
    confidence, answer = probability.max(1)
    right = (answer == y).float()
    which = (confidence * bins).long().clamp_max(bins - 1)
    gaps = torch.zeros(bins).index_add_(0, which, confidence - right)
    return float(gaps.abs().sum() / len(y))
