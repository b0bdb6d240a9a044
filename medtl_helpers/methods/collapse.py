"""Is an adapting network still answering? A watch on a stream that needs no label, and says when to start anew.

A network that adapts by its own answers may end with one answer for everyone (``tent.py``). Then the mix of its answers
is far from what is expected, and it no longer says what it would say without the steps. Both can be counted:

    watch = CollapseWatch(model, expected=[0.3, 0.3, 0.2, 0.2])
    answers = tent(model, stream, watch=watch)      # where it asks for it, the network goes back to how it was
    watch.alarms                                    # after which batches it did
"""

import copy
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .. import guards, parts
from ..labels import as_numbers, as_probabilities, as_share
from .predict import to_float


class Look(NamedTuple):
    """What the watch saw after one batch, over the last ``window`` inputs."""

    mix: float  # half the sum of |share answered − share expected|: 0 as expected, near 1 one rare class for everyone
    agreement: float  # share of inputs that the untouched network answers with the same class
    entropy: float  # mean, in nats
    alarm: bool


class CollapseWatch:
    """Called with the inputs and the probabilities of each batch of a stream, it returns whether to start anew.

    Parameters
    ----------
    model: the network before it adapts; it is copied, and the copy stays as it is.
    expected: how frequent the classes are thought to be in the stream, e.g. as in the source: K numbers, 1 in all.
    window: over how many of the last inputs all is counted; before so many came, there is no alarm. The more, the less
        chance plays: of n answers in K equal classes, chance alone moves the mix by √((K − 1) / (2πn)).
    mix: there is an alarm where the mix is farther from the expected one than this …
    agreement: … or where the two networks agree in a smaller share of the inputs than this.
    statistics: ``"batch"``: batch norm of the copy takes those of each batch, so that a difference comes from the steps
        and not from the device. It fails together with the adapting network where the batches themselves mislead,
        as in a stream sorted by class. ``"own"``: it keeps the statistics that it has. Give a network whose statistics
        come from earlier inputs of this device (``adapt_batch_norm``), and such a stream is noticed at once.

    ``looks`` holds a ``Look`` for each batch, ``alarms`` the numbers of the batches (from 0) after which there was an
    alarm; the window is then empty again. Raises ValueError for numbers that are no shares.
    """

    def __init__(
        self, model: nn.Module, expected, *, window: int = 128, mix: float = 0.4, agreement: float = 0.5,
        statistics: str = "batch",
    ):  # fmt: skip
        parts.check_network(model)
        self.expected = as_numbers(expected, "expected shares")
        if len(self.expected) < 2 or (self.expected < 0).any() or abs(self.expected.sum() - 1) > 1e-3:
            raise ValueError(f"The expected shares are {self.expected.tolist()}: give one for each class, 1 in all.")
        self.window = parts.check_whole(window, "window", least=1)
        self.mix, self.agreement = as_share(mix, "mix", ends=True), as_share(agreement, "agreement", ends=True)
        parts.check_choice(statistics, "statistics", ("batch", "own"))
        self.untouched = copy.deepcopy(model).eval().requires_grad_(False)
        for norm in self.untouched.modules():
            if isinstance(norm, _BatchNorm) and statistics == "batch":  # without own ones it takes those of the batch
                norm.running_mean = norm.running_var = None
                norm.track_running_stats = False
        self.looks: list[Look] = []
        self._last: list[np.ndarray] = []
        self._forget()

    @property
    def alarms(self) -> list[int]:
        """The numbers of the batches, from 0, after which there was an alarm."""
        return [number for number, look in enumerate(self.looks) if look.alarm]

    def __call__(self, inputs: Tensor, probability) -> bool:
        """Note one batch: ``inputs`` as the network takes them, and the probabilities N×K that were answered."""
        p, inputs = as_probabilities(probability), to_float(guards.as_inputs(inputs, "stream's"))
        if p.shape[1] != len(self.expected) or len(p) != len(inputs):
            raise ValueError(
                f"There are {len(inputs)} inputs with answers of shape {p.shape}, and {len(self.expected)} classes are "
                "expected: give one row of probabilities for each input."
            )
        with torch.no_grad():
            plain = guards.as_logits(guards.forward(self.untouched.to(inputs.device), inputs)).argmax(1).cpu().numpy()
        said = p.argmax(1)
        entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(1)
        new = (said, said == plain, entropy)
        self._last = [np.concatenate(pair)[-self.window :] for pair in zip(self._last, new, strict=True)]
        said, agrees, entropy = self._last
        shares = np.bincount(said, minlength=len(self.expected)) / len(said)
        mix, agreement = float(np.abs(shares - self.expected).sum() / 2), float(agrees.mean())
        alarm = len(said) >= self.window and (mix > self.mix or agreement < self.agreement)
        self.looks.append(Look(mix, agreement, float(entropy.mean()), alarm))
        if alarm:
            self._forget()
        return alarm

    def _forget(self) -> None:
        self._last = [np.zeros(0, kind) for kind in (int, bool, float)]
