"""DANN: features that a domain classifier cannot tell apart, by a reversed gradient (Ganin et al. 2016 [1]).

One network computes features f(x) of both domains. A class head learns the labels of the source. A domain classifier
learns to tell source from target, and the features are trained *against* it (``gradient_reversal.py``). So one backward
pass of

    loss = cross-entropy on the source + domain loss,  domain loss = ½ (mean over source + mean over target)

moves the classifier down the domain loss and the features up, towards the saddle point of [1], section 4 (which adds
the two means without the ½: λ = 1 there is λ = 2 here). ``DANN.fit`` has no argument for target labels.

The defaults were tuned by the target's accuracy on phantom smears with batch norm (``benchmarks/dann.py``). Before you
use this, try ``adapt_batch_norm``, which needs no training; where the classes may not be equally frequent in both
domains, estimate how frequent they are (``label_shift.py``), since hiding the domain can then hide the class.

[1] JMLR 17(59), 1–35, arXiv 1505.07818
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import guards, parts
from .gradient_reversal import domain_classifier, domain_loss, lambda_schedule, rate_schedule, reverse_gradient
from .history import DANNHistory
from .loop import Training, endless_batches, rate_scheduler
from .predict import to_float, validate

WIDTH = "pool maps, and build DANN with the width that the features then have"


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
        parts.check_network(features)
        parts.check_whole(width, "width", least=1)
        parts.check_whole(classes, "classes", least=2)
        self.features, self.head = features, nn.Linear(width, classes)
        with torch.random.fork_rng(devices=[]):  # the source-only network must draw the same random numbers
            self.domain = domain or domain_classifier(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))

    def losses(self, source_x: Tensor, source_y: Tensor, target_x: Tensor, lam: float) -> tuple[Tensor, ...]:
        """Class loss, domain loss, and the domain logits of both domains, for one joint batch.

        Both domains go through the features together: batch norm, if any, uses the statistics of the joint batch.
        """
        f = guards.forward(self.features, torch.cat([source_x, target_x]))
        if f.shape[1:] != (self.head.in_features,):
            raise ValueError(f"The features are {tuple(f.shape)}, not N×{self.head.in_features}: {WIDTH}.")
        class_loss = F.cross_entropy(self.head(f[: len(source_x)]), source_y)
        source, target = self.domain(reverse_gradient(f, lam)).tensor_split([len(source_x)])
        return class_loss, domain_loss(source, target), source, target

    def fit(
        self,
        source_x, source_y, target_x, *,
        val=None, epochs: int = 20, batch_size: int = 64, lr: float = 1e-3, weight_decay: float = 0.0,
        lam_max: float = 0.3, augment=None, select: str = "last", keep_states: bool = False, seed: int = 0,
        device: torch.device | None = None, progress: bool = True,
    ) -> DANNHistory:  # fmt: skip
        """Train on labelled source and unlabelled target inputs; there is no argument for target labels.

        Parameters
        ----------
        source_x, target_x: uint8 images N×C×H×W or float32 N×…; they may differ in N only.
        source_y: int64 N.
        val: (x, y) of the *source*, whose accuracy is reported after each epoch.
        epochs: passes over the source; the target's batches come from shuffled passes of their own.
        batch_size: of each domain. lr, weight_decay: AdamW; the rate falls by ``rate_schedule``.
        lam_max: λ at the end (``lambda_schedule``). 0 is source-only training, to the last bit with group norm on one
            thread; with batch norm the target's statistics leak in. At 1 a network without batch norm may collapse.
        augment: ``augment(x, generator)`` on each batch of raw inputs, of both domains.
        select: ``"last"`` epoch, or ``"source validation"``: the first of the highest accuracy on ``val``.
        keep_states: keep the weights of every epoch in the history, to look back with ``oracle``.
        seed: of the order of batches and the augmentation; initial weights are the caller's.

        Raises ValueError for inputs that do not fit together or not the network, FloatingPointError for a loss that is
        not a finite number, MemoryError, with a batch size to try, when memory runs out. Ctrl-C ends training early.
        However it ends, the model has the weights of the epoch that ``select`` names, where one was finished.
        """
        guards.check_settings(epochs, batch_size, lr, weight_decay, seed)
        parts.check_rate(lam_max, "lam_max")
        augment, classes = parts.as_augment(augment), self.head.out_features
        source_x, source_y, target_x, val = guards.as_domains(source_x, source_y, target_x, classes, val)
        if not any(p.requires_grad for p in self.features.parameters()):
            raise ValueError("All weights of the features are frozen, and DANN adapts these: unfreeze some of them.")
        if select not in ("last", "source validation"):
            raise ValueError(f"There is no rule {parts.shown(select)} for the epoch: 'last' or 'source validation'.")
        if select == "source validation" and val is None:
            raise ValueError("To choose the epoch by source validation, fit needs val=(x, y) of the source.")
        self.to(device := parts.as_device(device))
        source_x, source_y, target_x = (a.to(device) for a in (source_x, source_y, target_x))
        optimizer = torch.optim.AdamW(self.parameters(), lr, weight_decay=weight_decay)
        order, target_noise = (torch.Generator().manual_seed(int(seed) + k) for k in (0, 2))  # on the CPU
        targets = endless_batches(len(target_x), batch_size, torch.Generator().manual_seed(int(seed) + 1))
        steps, step, history = epochs * -(-len(source_x) // batch_size), 0, DANNHistory()
        scheduler = rate_scheduler(optimizer, rate_schedule, steps)

        def train_on(batch: Tensor, other: Tensor, lam: float) -> Tensor:
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

        with Training(self, epochs, batch_size, progress=progress) as training:
            for _ in training:
                self.train()
                sums = torch.zeros(3, device=device)
                for batch in torch.randperm(len(source_x), generator=order).split(batch_size):
                    lam = lambda_schedule(step / steps, lam_max)
                    sums += train_on(batch.to(device), next(targets).to(device), lam)
                    step += 1
                val_loss, val_accuracy = (0.0, None) if val is None else validate(self, val, batch_size, device)
                class_loss, adversary, right = (sums / len(source_x)).tolist()
                training.finite(class_loss + adversary + val_loss, f"learning rate {lr:g} and λ {lam:.2g}")
                history.add(class_loss=class_loss, domain_loss=adversary, domain_accuracy=right, lam=lam)
                history.add(val_accuracy=val_accuracy)
                if keep_states:
                    history.states.append(copy.deepcopy(self.state_dict()))
                if select == "last" or (val_accuracy or 0) > max(history.val_accuracy[:-1], default=-1):
                    training.keep()
        history.epoch, history.stopped = training.best_epoch, training.stopped
        return history
