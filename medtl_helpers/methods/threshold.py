"""The threshold of a two-class network set again for a new hospital, without one of its labels.

A device that makes all images darker may leave the *ranking* of the sick and the healthy as it was and shift all
answers to one side. Then the old threshold says "sick" to everybody. If one may assume that the disease is as frequent
here as it was there, the answers themselves say where the threshold belongs: as many must lie above it as are sick.

[1] Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities, Neural
Computation 14 (2002), doi 10.1162/089976602753284446 (the odds times a constant; there for another frequency,
found from the same answers)
"""

import torch
from torch import Tensor, nn

from .. import guards
from ..labels import as_numbers, as_share
from .predict import predict


class ShiftedOdds(nn.Module):
    """Adds ``shift`` to the log odds of class 1; logits N×2 to N×2."""

    shift: Tensor

    def __init__(self, shift: float):
        super().__init__()
        self.register_buffer("shift", torch.tensor([0.0, *as_numbers([shift], "shifts")], dtype=torch.float32))

    def forward(self, outputs) -> Tensor:
        logits = guards.as_logits(outputs)
        if guards.are_probabilities(logits):  # of a network that ends in a softmax
            logits = logits.clamp_min(1e-12).log()
        return logits + self.shift


def _log_odds(probability: Tensor) -> Tensor:
    logs = probability.clamp_min(1e-12).log()
    return logs[:, 1] - logs[:, 0]


def reset_threshold(model: nn.Module, target_x, share: float) -> nn.Sequential:
    """``model`` with its log odds shifted, so that of ``target_x`` the share ``share`` is answered with class 1.

    Parameters
    ----------
    model: a network of two classes; it stays as it is.
    target_x: images of the target, without labels.
    share: how frequent class 1 is there, by assumption: most often as frequent as in the source. Between 0 and 1.

    The ranking of the images, and so the AUROC, stays as it was. Raises ValueError for another number of classes, for
    a share that is not between 0 and 1, and where all images get the same answer.
    """
    share = as_share(share, "share")
    probability = predict(model, target_x).double()
    if probability.shape[1] != 2:
        raise ValueError(
            f"The network has {probability.shape[1]} classes, and a threshold is for two: give a network of two."
        )
    odds = _log_odds(probability)
    if len(odds) < 2 or odds.max() - odds.min() < 1e-5:  # float32 rounds the rows of one batch differently
        raise ValueError(
            f"The {len(odds)} target images get one and the same answer, so no threshold divides them: give more "
            "images, or look at the network."
        )
    between = torch.quantile(odds, 1 - share, interpolation="midpoint")
    return nn.Sequential(model, ShiftedOdds(-float(between))).eval()
