"""DP-SGD: training from which nobody can tell whether one patient took part (Abadi et al. 2016, arXiv 1607.00133).

Algorithm 1 of the paper, one step:

1. each patient is in the batch with probability q = batch_size / n, whoever else is ("Poisson sampling");
2. the gradient g of each patient's own loss is clipped to length C: g · min(1, C / ‖g‖), over all weights together;
3. these are added up, and Gaussian noise of deviation σ · C is added to each number;
4. the sum over batch_size is the gradient that the optimiser sees; it may do with it whatever it likes.

``epsilon`` (``accountant.py``) says what that keeps. What it does *not* keep: whoever chose rates, steps or the best of
many runs by looking at the same patients has spent more; the weights from which training began have no guarantee of
their own; and a generator with a seed is for teaching. Whoever knows the seed can subtract the noise, so a real release
draws it from a cryptographically secure source (Opacus: ``secure_mode``), with care for floating point (Mironov 2012).
"""

from dataclasses import dataclass

import torch
from torch import nn

from .. import guards, parts
from ..labels import as_share
from .accountant import epsilon
from .cache import after_prefix
from .features import frozen_prefix, prefix_features
from .loop import Training
from .nets import StagedNet
from .per_example import clipped_sum, per_example_gradients
from .predict import to_float
from .train import check_fit

AT_ONCE = 128  # patients whose gradients are in memory together


@dataclass
class PrivateHistory:
    """What is known of a private training. No loss is in it: that is computed from the patients, without noise."""

    patients: int
    sampling_rate: float
    noise_multiplier: float
    steps: int = 0  # that were made
    stopped: str = "all steps done"

    def epsilon(self, delta: float) -> float:
        """The ε that was spent, at this ``delta``. Raises ValueError for a δ of 1/n or above, which protects nobody."""
        if as_share(delta, "delta") >= 1 / self.patients:
            raise ValueError(
                f"delta is {delta:g} and one over the {self.patients} patients is {1 / self.patients:.2g}: give one "
                "well below that, because to publish one patient's record at random would already satisfy such a delta."
            )
        return epsilon(self.noise_multiplier, self.sampling_rate, self.steps, delta) if self.steps else 0.0


def dp_fit(
    model: nn.Module,
    train,
    *,
    steps: int,
    batch_size: int,
    noise_multiplier: float,
    clip: float = 1.0,
    lr: float = 1e-2,
    optimizer: torch.optim.Optimizer | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> PrivateHistory:
    """Train all weights of ``model`` that are not frozen by DP-SGD on ``train``; it ends with those of the last step.

    Parameters
    ----------
    model: maps float32 N×… to logits N×K. Trained in place; left in eval mode on ``device``. Where the first stages of
        a ``StagedNet`` are frozen, what they say of the patients is computed once: a private ``probe``.
    train: (x, y) of n patients, one row each, with x uint8 images or float32, y int64.
    steps: how many batches. batch_size: the *expected* size of a batch; it varies, and may be 0.
    noise_multiplier: σ, see ``noise_for``; 0 adds no noise, and ε is infinite.
    clip: C, the length that no patient's gradient exceeds.
    lr: the rate of Adam on all weights that train …  optimizer: … or this optimiser instead.
    seed: of who is in which batch, and of the noise: for teaching, see above.

    There is no ``val``: to choose an epoch by a look at patients costs budget. Raises ValueError for data and settings
    that do not fit, and for a model whose batch norm trains: it mixes patients, and keeps their means without noise;
    FloatingPointError for a gradient that is no number; MemoryError when memory runs out. Ctrl-C ends training early.
    """
    check_fit(model, None, batch_size=batch_size, lr=lr, optimizer=optimizer, seed=seed)
    _check_private(model, noise_multiplier, clip)
    steps, seed = parts.check_whole(steps, "steps", least=1), int(seed)
    x, y = guards.as_examples(train, "training")
    guards.check_classes(y, None)
    if batch_size > len(x):
        raise ValueError(f"batch_size is {batch_size} and there are {len(x)} patients: give at most so many.")
    device = parts.as_device(device)
    model.to(device)
    optimizer = optimizer or torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr)
    whole = model
    if isinstance(model, StagedNet) and frozen_prefix(model):
        x, model = prefix_features(model, x, device=device), after_prefix(model)
    x, y = x.to(device), y.to(device)
    guards.check_outputs(model, guards.as_logits(guards.forward(model.eval(), to_float(x[:2]))), y, None)
    weights = {name: p for name, p in model.named_parameters() if p.requires_grad}
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    history = PrivateHistory(len(x), batch_size / len(x), float(noise_multiplier))
    with Training(model, steps, AT_ONCE, progress=progress, unit="step") as training:
        model.train()
        for _ in training:
            chosen = (torch.rand(len(x), generator=generator) < history.sampling_rate).nonzero().flatten().to(device)
            total = {name: torch.zeros_like(p) for name, p in weights.items()}
            for rows in chosen.split(AT_ONCE) if len(chosen) else ():
                clipped = clipped_sum(per_example_gradients(model, x[rows], y[rows]), clip)
                total = {name: total[name] + part for name, part in clipped.items()}
            for name, p in weights.items():
                noise = torch.randn(p.shape, generator=generator).to(device)
                p.grad = (total[name] + noise_multiplier * clip * noise) / batch_size
            training.finite(torch.stack([part.sum() for part in total.values()]).sum().item(), f"learning rate {lr:g}")
            optimizer.step()
            history.steps += 1
    history.stopped = training.stopped
    whole.eval()
    return history


def _check_private(model: nn.Module, noise_multiplier, clip) -> None:
    """Raises ValueError for settings that are none, and for layers that mix patients or keep what they saw of them."""
    parts.check_rate(noise_multiplier, "noise_multiplier")
    parts.check_rate(clip, "clip", above=True)
    for name, layer in model.train().named_modules():
        mixes = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        keeps = isinstance(layer, nn.modules.batchnorm._NormBase) and layer.track_running_stats
        if layer.training and (mixes or keeps):
            raise ValueError(
                f"The layer {name!r} ({type(layer).__name__}) mixes patients and keeps statistics of them without "
                "noise: freeze its stage, or build the model with group norm."
            )
