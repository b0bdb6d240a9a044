"""DANN: features that a domain classifier cannot tell apart, by a reversed gradient (Ganin et al. 2016 [1]).

One network computes features f(x) of both domains. A class head learns the labels of the source. A domain classifier
learns to tell source from target, and the features are trained *against* it: ``GradientReversal`` passes them on
unchanged and multiplies the gradient that comes back by −λ. So one backward pass of

    loss = cross-entropy on the source + domain loss,  domain loss = ½ (mean over source + mean over target)

moves the classifier down the domain loss and the features up, towards the saddle point of [1], section 4. Target
labels appear nowhere: ``DANN.fit`` has no argument for them.

The defaults were tuned on phantom smears with batch norm (``benchmarks/dann.py``). Before you use this, try
``adapt_batch_norm``, which needs no training; and where the classes are not equally frequent in both domains, do not.

[1] JMLR 17(59), 1–35, arXiv 1505.07818  [2] Ben-David et al., Machine Learning 79 (2010),
doi 10.1007/s10994-009-5152-4
"""

import copy
import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import boundary
from .devices import device as default_device
from .train import predict, progress_bar, rate_scheduler, to_float, validate


class GradientReversal(torch.autograd.Function):
    """The identity whose gradient is −λ times the gradient ([1], section 4.2)."""

    @staticmethod
    def forward(ctx, x: Tensor, lam: float) -> Tensor:
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return -ctx.lam * gradient, None


def reverse_gradient(x: Tensor, lam: float) -> Tensor:
    """``x``, whose gradient comes back multiplied by −``lam``."""
    return GradientReversal.apply(x, lam)


def lambda_schedule(progress: float, lam_max: float = 1.0) -> float:
    """λ = λ_max·(2/(1 + exp(−10p)) − 1) for p in 0..1: a domain classifier knows nothing at first ([1], 5.2.2)."""
    return lam_max * (2 / (1 + math.exp(-10 * progress)) - 1)


def rate_schedule(progress: float) -> float:
    """The factor (1 + 10p)^(−0.75) of the learning rate, for p in 0..1 ([1], section 5.2.2)."""
    return (1 + 10 * progress) ** -0.75


def domain_classifier(width: int, hidden: int = 64) -> nn.Sequential:
    """Features N×width to one logit N×1 (positive: target), through one hidden layer."""
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1))


def domain_loss(source_logits: Tensor, target_logits: Tensor) -> Tensor:
    """The mean of the two domains' mean cross-entropies (nats), so that their sizes do not matter; ln 2 is guessing."""
    return (F.softplus(source_logits).mean() + F.softplus(-target_logits).mean()) / 2


@dataclass
class DANNHistory:
    """What ``DANN.fit`` saw, one entry per finished epoch; ``states`` holds the weights after each, where asked for."""

    class_loss: list[float] = field(default_factory=list)  # nats, on the source
    domain_loss: list[float] = field(default_factory=list)  # nats; ln 2 = 0.693: the domains look alike
    domain_accuracy: list[float] = field(default_factory=list)  # mean over the two domains; 0.5 is guessing
    lam: list[float] = field(default_factory=list)  # at the end of the epoch
    val_accuracy: list[float] = field(default_factory=list)  # on the source
    states: list[dict] = field(default_factory=list)
    epoch: int | None = None  # whose weights the model has
    stopped: str = "all epochs done"


class DANN(nn.Module):
    """A feature extractor, a class head and a domain classifier.

    Parameters
    ----------
    features: any network from inputs N×… to features N×``width``, e.g. ``CourseCNN(3, 0)``.
    width: number of features. classes: number of classes.
    domain: another domain classifier, N×width to N×1; default ``domain_classifier(width)``.

    Called on float inputs it returns logits N×classes, so that ``predict`` works on it as on every network.
    """

    def __init__(self, features: nn.Module, width: int, classes: int, domain: nn.Module | None = None):
        super().__init__()
        self.features, self.head = features, nn.Linear(width, classes)
        with torch.random.fork_rng(devices=[]):  # the source-only network must draw the same random numbers
            self.domain = domain or domain_classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def losses(self, source_x: Tensor, source_y: Tensor, target_x: Tensor, lam: float):
        """Class loss, domain loss, and the domain logits of both domains, for one joint batch.

        Both domains go through the features together, so that batch norm, where there is one, uses the statistics of
        the joint batch.
        """
        f = boundary.forward(self.features, torch.cat([source_x, target_x]))
        class_loss = F.cross_entropy(self.head(f[: len(source_x)]), source_y)
        source, target = self.domain(reverse_gradient(f, lam)).tensor_split([len(source_x)])
        return class_loss, domain_loss(source, target), source, target

    def fit(
        self,
        source_x,
        source_y,
        target_x,
        *,
        val=None,
        epochs: int = 20,
        batch_size: int = 64,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        lam_max: float = 0.3,
        augment=None,
        select: str = "last",
        keep_states: bool = False,
        seed: int = 0,
        device: torch.device | None = None,
        progress: bool = True,
    ) -> DANNHistory:
        """Train on labelled source and unlabelled target inputs; there is no argument for target labels.

        Parameters
        ----------
        source_x, target_x: uint8 images N×C×H×W or float32 N×…; they may differ in N only.
        source_y: int64 N.
        val: (x, y) of the *source*, whose accuracy is reported after each epoch.
        epochs: passes over the source; the target's batches come from shuffled passes of their own.
        batch_size: of each domain. lr, weight_decay: AdamW; the rate falls by ``rate_schedule``.
        lam_max: λ at the end (``lambda_schedule``). 0 is source-only training, with group norm to the last bit (on one
            thread); with batch norm the target's statistics leak in. 1 is [1]'s; without batch norm it may collapse.
        augment: ``augment(x, generator)`` on each batch of raw inputs, of both domains.
        select: ``"last"`` epoch, or ``"source validation"``: the first of the highest accuracy on ``val``.
        keep_states: keep the weights of every epoch in the history, to look back with ``oracle``.
        seed: of the order of batches and the augmentation; initial weights are the caller's.

        Raises ValueError for inputs that do not fit together or not the network, FloatingPointError for a loss that is
        not a finite number, MemoryError, with a batch size to try, when memory runs out. Ctrl-C ends training early.
        However it ends, the model has the weights of the epoch that ``select`` names, where one was finished.
        """
        source_x, source_y = boundary.as_examples((source_x, source_y), "source")
        target_x = boundary.as_inputs(target_x, "target")
        val = None if val is None else boundary.as_examples(val, "validation")
        boundary.check_settings(epochs, batch_size, lr)
        _check(source_x, source_y, target_x, self.head.out_features, val, select)
        device = device or default_device()
        self.to(device)
        source_x, source_y, target_x = (a.to(device) for a in (source_x, source_y, target_x))
        optimizer = torch.optim.AdamW(self.parameters(), lr, weight_decay=weight_decay)
        order = torch.Generator().manual_seed(seed)  # as in train.fit, on the CPU
        targets = _endless_batches(len(target_x), batch_size, torch.Generator().manual_seed(seed + 1))
        target_noise = torch.Generator().manual_seed(seed + 2)
        steps, step, history, best = epochs * -(-len(source_x) // batch_size), 0, DANNHistory(), None
        scheduler, no_memory = rate_scheduler(optimizer, rate_schedule, steps), False

        def train_on(batch, other, lam):  # a function, so that nothing of a batch outlives it, as in train.fit
            x, t = source_x[batch], target_x[other]
            if augment:
                x, t = augment(x, order), augment(t, target_noise)
            class_loss, adversary, source, target = self.losses(to_float(x), source_y[batch], to_float(t), lam)
            optimizer.zero_grad(set_to_none=True)
            (class_loss + adversary).backward()
            optimizer.step()
            scheduler.step()
            with torch.no_grad():
                right = ((source < 0).float().mean() + (target > 0).float().mean()) / 2
                return torch.stack([class_loss, adversary, right]) * len(batch)

        try:
            for epoch in progress_bar(epochs, progress):
                self.train()
                sums = torch.zeros(3, device=device)
                for batch in torch.randperm(len(source_x), generator=order).split(batch_size):
                    lam = lambda_schedule(step / steps, lam_max)
                    sums += train_on(batch.to(device), next(targets).to(device), lam)
                    step += 1
                seen = None if val is None else validate(self, val, batch_size, device)
                self._note(history, sums / len(source_x), lam, lr, seen)
                if keep_states:
                    history.states.append(_copy(self))
                if select == "last" or history.val_accuracy[-1] > max(history.val_accuracy[:-1], default=-1):
                    history.epoch, best = epoch, _copy(self)
        except KeyboardInterrupt:
            history.stopped = f"interrupted in epoch {len(history.class_loss) + 1}"
            kept = "this moment" if best is None else f"epoch {history.epoch + 1}"
            print(f"Training {history.stopped}: the model keeps the weights of {kept}.")
        except RuntimeError as error:
            if not boundary.out_of_memory(error):
                raise
            no_memory = True
        finally:
            if best is not None:
                self.load_state_dict(best)
            self.eval()
        if no_memory:
            epoch = len(history.class_loss) + 1
            raise MemoryError(boundary.smaller_batch(batch_size, f"in epoch {epoch}, training on"))
        return history

    def _note(self, history, means, lam, lr, validated):
        class_loss, adversary, right = means.tolist()
        val_loss, val_accuracy = validated or (0.0, None)
        total = class_loss + adversary + val_loss
        if not math.isfinite(total):
            raise FloatingPointError(f"The loss is {total} in epoch {len(history.class_loss) + 1} at learning rate "
                                     f"{lr:g} and λ {lam:.2g}: try a rate ten times lower, and look for "
                                     "NaN in the inputs.")  # fmt: skip
        history.class_loss.append(class_loss)
        history.domain_loss.append(adversary)
        history.domain_accuracy.append(right)
        history.lam.append(lam)
        if val_accuracy is not None:
            history.val_accuracy.append(val_accuracy)


def oracle(model: DANN, history: DANNHistory, x, y) -> int:
    """Give ``model`` the epoch with the highest accuracy on *labelled target* data, and return it.

    Nobody who has no target labels can do this: it says how much the choice of the epoch costs, and is no result.
    Needs ``fit(keep_states=True)``.
    """
    if not history.states:
        raise ValueError("The oracle needs the weights of all epochs: call fit with keep_states=True.")
    accuracies = []
    for state in history.states:
        model.load_state_dict(state)
        accuracies.append((predict(model, x).argmax(1) == torch.as_tensor(y)).float().mean().item())
    history.epoch = max(range(len(accuracies)), key=accuracies.__getitem__)
    model.load_state_dict(history.states[history.epoch])
    return history.epoch


def proxy_a_distance(source: Tensor, target: Tensor, *, seed: int = 0) -> float:
    """2(1 − 2ε) with ε the balanced error of a linear domain classifier in five-fold cross-validation ([1] 3.2, [2]).

    ``source`` and ``target`` are features N×D (of images, give what a network makes of them). 0: nothing linear tells
    the domains apart; 2: one hyperplane does. Below 0 is chance, too.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = np.concatenate([np.asarray(part.cpu()).reshape(len(part), -1) for part in (source, target)])
    y = np.repeat([0, 1], [len(source), len(target)])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(2 * (2 * cross_val_score(model, x, y, cv=folds, scoring="balanced_accuracy").mean() - 1))


def adapt_batch_norm(model: nn.Module, target_x, *, batch_size: int = 256, device: torch.device | None = None):
    """AdaBN: replace the running statistics of batch norm by those of ``target_x``; in place, no weight changes [3].

    [3] Li et al., Pattern Recognition 80 (2018), doi 10.1016/j.patcog.2018.03.005. Raises ValueError for a network
    without batch norm and for inputs that do not fit it, MemoryError, with a batch size to try; the old statistics
    then stay.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        raise ValueError("AdaBN re-estimates the statistics of batch norm, and this network has none.")
    device, target_x = device or default_device(), boundary.as_inputs(target_x, "target")
    if not len(target_x):
        raise ValueError("There are no target inputs to take statistics of: give at least one.")
    model.to(device).eval()
    before, momenta = _copy(model), [m.momentum for m in norms]

    def estimate():
        for part in target_x.split(batch_size):
            boundary.forward(model, to_float(part.to(device)))

    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # a plain mean over all batches
        m.train()
    try:
        with torch.no_grad():
            boundary.with_memory(estimate, batch_size, "taking statistics of")
    except BaseException:
        model.load_state_dict(before)
        raise
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        model.eval()
    return model


def _endless_batches(n: int, batch_size: int, generator):
    """Indices of whole batches, from one shuffled pass after the other."""
    pool = torch.empty(0, dtype=torch.long)
    while True:
        while len(pool) < batch_size:
            pool = torch.cat([pool, torch.randperm(n, generator=generator)])
        yield pool[:batch_size]
        pool = pool[batch_size:]


def _copy(model):
    return copy.deepcopy(model.state_dict())


def _check(source_x, source_y, target_x, classes, val, select):
    if not len(target_x):
        raise ValueError("There are no target inputs, and DANN adapts to them: give some, without labels.")
    if tuple(source_x.shape[1:]) != tuple(target_x.shape[1:]) or source_x.dtype != target_x.dtype:
        raise ValueError(f"Source inputs are {source_x.dtype} of shape {tuple(source_x.shape[1:])}, target inputs "
                         f"{target_x.dtype} of shape {tuple(target_x.shape[1:])}: both must be alike.")  # fmt: skip
    if int(source_y.min()) < 0 or int(source_y.max()) >= classes:
        raise ValueError(f"Labels run from {int(source_y.min())} to {int(source_y.max())}, but there are {classes} "
                         "classes: number them from 0.")  # fmt: skip
    if select not in ("last", "source validation"):
        raise ValueError(f"There is no rule {select!r} to choose the epoch: 'last' or 'source validation'.")
    if select == "source validation" and val is None:
        raise ValueError("To choose the epoch by source validation, fit needs val=(x, y) of the source.")
