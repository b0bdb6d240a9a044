"""Temperature scaling: one number that makes a network less, or more, sure of all its answers.

[1] Guo, Pleiss, Sun, Weinberger, On calibration of modern neural networks, ICML 2017, arXiv 1706.04599, section 4.2
"""

import numpy as np
import torch
import torch.nn.functional as F

from ..labels import as_labels, as_probabilities
from ..parts import check_rate
from .optimise import minimise

LEAST, MOST = 0.05, 20.0  # few or perfectly separated cases would ask for 0 or infinity
TINY = 1e-12


def find_temperature(probability, y, *, spread: float | None = None) -> float:
    """The T with which ``tempered(probability, T)`` has the lowest log loss on the labelled cases [1].

    T above 1: the network was too sure. It is kept within ``LEAST`` and ``MOST``.

    Parameters
    ----------
    probability: float N×K. y: int N, of validation cases, never of test cases.
    spread: None is maximum likelihood. Few cases that are all answered rightly would then ask for T = 0 and for answers
        without any doubt; with a number log T has a normal prior of this deviation around 0, which few cases hardly
        move and many do.

    Raises ValueError for what are no probabilities and labels of them.
    """
    checked = as_probabilities(probability)
    labels = torch.from_numpy(as_labels(y, *checked.shape, each=False))
    if spread is not None:
        check_rate(spread, "spread", above=True)
    logs = torch.from_numpy(checked).clamp_min(TINY).log()
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)

    def objective():
        bounded = log_t.clamp(np.log(LEAST), np.log(MOST))
        loss = F.cross_entropy(logs / bounded.exp(), labels)
        return loss if spread is None else loss + (log_t / spread).square() / (2 * len(labels))

    minimise(objective, [log_t])
    return float(np.clip(np.exp(log_t.item()), LEAST, MOST))


def tempered(probability, temperature: float) -> np.ndarray:
    """softmax(log p / T), float64 N×K: each case keeps the order of its classes; with two, the cases keep theirs.

    Raises ValueError for what are no probabilities, and for a temperature that is not above 0.
    """
    check_rate(temperature, "temperature", above=True)
    logs = np.log(as_probabilities(probability).clip(TINY)) / temperature
    raised = np.exp(logs - logs.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
