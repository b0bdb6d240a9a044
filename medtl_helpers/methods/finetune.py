"""Ways to train a pre-trained network on a new task, and the cache that makes its frozen part cost nothing.

==================== ================================================================ ==========================
function             what trains                                                      paper
==================== ================================================================ ==========================
``probe``            the head alone, on features computed once                        Alain, Bengio 2016 [1]
``fine_tune``        everything above the stage ``frozen_upto`` (None: everything)    Yosinski et al. 2014 [2]
``gradual_unfreeze`` the head, then one stage more at a time, from the top down       Howard, Ruder 2018 [3]
``lp_ft``            the head alone, then everything at a low rate                    Kumar et al. 2022 [4]
``stage_features``   nothing: what all frozen stages say, for a linear model          Evci et al. 2022 [5]
==================== ================================================================ ==========================

[1] arXiv 1610.01644  [2] arXiv 1411.1792  [3] doi 10.18653/v1/P18-1031, section 3.3  [4] arXiv 2202.10054
[5] Head2Toe, ICML 2022, arXiv 2201.03529 (here without their selection of features)

The first four take (x, y) pairs as ``fit`` does, keep the epoch of the best validation loss (where there are phases, of
the last one), and return a ``History``.
"""

import torch

from ..parts import check_rate
from .cache import fit_cached
from .features import frozen_prefix
from .freezing import check_unfreezes, freeze, parameter_groups, unfreeze
from .history import History
from .nets import StagedNet
from .train import fit


def probe(model: StagedNet, train, val=None, *, lr: float = 1e-2, **options) -> History:
    """Train the head alone, all stages frozen, on features that are computed once [1]."""
    unfreeze(freeze(model), "head")
    return fit_cached(model, train, val, lr=lr, **options)


def fine_tune(
    model: StagedNet,
    train,
    val=None,
    *,
    frozen_upto: str | None = None,
    lr: float = 1e-3,
    decay: float = 1.0,
    weight_decay: float = 0.0,
    cache: bool = True,
    **options,
) -> History:
    """Train everything above the stage ``frozen_upto`` (None: everything), each at ``decay`` × the rate of the next.

    ``cache`` computes the features of the frozen stages once (with ``augment``, of ``copies`` augmented copies).
    """
    unfreeze(model)
    if frozen_upto is not None:
        freeze(model, upto=frozen_upto)
    return _fit(model, train, val, lr, decay, weight_decay, cache, options)


def gradual_unfreeze(
    model: StagedNet,
    train,
    val=None,
    *,
    epochs: int = 3,
    lr: float = 1e-3,
    decay: float = 1.0,
    weight_decay: float = 0.0,
    **options,
) -> History:
    """Train the head for ``epochs`` epochs, then the head and the last stage, and so on down to the input [3]."""
    check_unfreezes(model)
    unfreeze(freeze(model), "head")
    history = _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs})
    for name in reversed(list(model.stages)):
        if _interrupted(history):
            break
        unfreeze(model, name)
        more = _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs})
        history = _joined(history, more)
    return history


def lp_ft(
    model: StagedNet,
    train,
    val=None,
    *,
    probe_epochs: int = 20,
    probe_lr: float = 1e-2,
    epochs: int = 10,
    lr: float = 1e-4,
    decay: float = 1.0,
    weight_decay: float = 0.0,
    **options,
) -> History:
    """Linear probing, then full fine-tuning from the trained head [4], so that the first steps distort no features."""
    check_unfreezes(model)
    first = probe(model, train, val, lr=probe_lr, weight_decay=weight_decay, epochs=probe_epochs, **options)
    if _interrupted(first):
        return first
    unfreeze(model)
    return _joined(first, _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs}))


def _fit(model, train, val, lr, decay, weight_decay, cache, options) -> History:
    check_rate(weight_decay, "weight_decay")
    options = dict(options)
    copies = options.pop("copies", 4)
    optimizer = torch.optim.AdamW(parameter_groups(model, lr, decay), weight_decay=weight_decay)
    if cache and frozen_prefix(model):
        return fit_cached(model, train, val, optimizer=optimizer, copies=copies, **options)
    return fit(model, train, val, optimizer=optimizer, **options)


def _interrupted(history: History) -> bool:
    """Whether Ctrl-C ended a phase: the next ones must not begin."""
    return history.stopped.startswith("interrupted")


def _joined(first: History, second: History) -> History:
    """Two phases as one history; the best epoch is the second's, whose weights the model has."""
    best = None if second.best_epoch is None else len(first.train_loss) + second.best_epoch
    return History(
        first.train_loss + second.train_loss,
        first.val_loss + second.val_loss,
        first.val_accuracy + second.val_accuracy,
        best,
        second.stopped,
    )
