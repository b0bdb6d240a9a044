"""Train a graph network on packed molecules, and let it predict: ``fit`` and ``predict`` for molecules."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import guards, parts
from .graph import GraphNet
from .graph_inputs import LOSSES, as_graph_sets, as_graphs, check_answers
from .history import History
from .loop import Training, rate_scheduler
from .train import check_fit


def squared_loss(answers: Tensor, y: Tensor, deviation: Tensor) -> Tensor:
    """Mean of ``((answer − y) / deviation)²`` over all numbers of ``y``, float32 N×T, that are known (not NaN)."""
    known = ~y.isnan()
    return (((answers - y) / deviation)[known] ** 2).mean() if known.any() else 0 * answers.sum()


def assay_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Binary cross-entropy (nats): its mean over all entries of ``y``, float32 N×T of 0 and 1, that are not NaN."""
    known = ~y.isnan()
    if not known.any():
        return 0 * logits.sum()
    return F.binary_cross_entropy_with_logits(logits[known], y[known])


def fit_graphs(
    model: nn.Module,
    train,
    val=None,
    *,
    loss: str = "squared",
    epochs: int = 30,
    batch_size: int = 32,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    optimizer: torch.optim.Optimizer | None = None,
    schedule: Callable[[float], float] | None = None,
    patience: int | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> History:
    """Minimise the ``loss`` of ``model`` on ``train`` and keep the weights of the best validation epoch.

    Parameters
    ----------
    model: maps packed molecules uint8 N×A×(6 + A) to N×K, like ``GraphNet``. Trained in place; frozen stages stay as
        they are; left in eval mode on ``device``.
    train, val: (x, y). ``val`` alone decides which epoch is kept (the lowest loss); without it the last one is kept.
    loss: what ``y`` holds. ``"squared"``: measured numbers, float32 N or N×T, with NaN where nothing was measured; they
        are standardised inside, by the mean and deviation of ``train``, which a ``GraphNet`` remembers, so that it
        answers in the units of ``y``, while the losses are in squared deviations. ``"classes"``: int64 N and
        cross-entropy. ``"assays"``: 0, 1 or NaN, float32 N×T, and the mean binary cross-entropy of what was measured.
    epochs, batch_size, lr, weight_decay, optimizer, schedule, patience, seed, device, progress: as in ``fit``.

    Raises ValueError for molecules, labels and a model that do not fit together, FloatingPointError when the loss is
    not a finite number, and MemoryError, with a batch size to try. Ctrl-C ends training early, as in ``fit``.
    """
    check_fit(model, val, epochs=epochs, batch_size=batch_size, lr=lr, weight_decay=weight_decay, optimizer=optimizer,
              patience=patience, seed=seed)  # fmt: skip
    parts.check_choice(loss, "loss", LOSSES)
    schedule = parts.as_schedule(schedule)
    x, y, val = as_graph_sets(train, val, loss)
    device = parts.as_device(device)
    model.to(device)
    x, y = x.to(device), y.to(device)
    loss_of = _loss_of(model, x, y, loss)
    if optimizer is None:
        trained = (p for p in model.parameters() if p.requires_grad)
        optimizer = torch.optim.AdamW(trained, lr, weight_decay=weight_decay)
    scheduler = rate_scheduler(optimizer, schedule, epochs * -(-len(x) // batch_size)) if schedule else None
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same order on every device
    history = History()

    def step(batch: Tensor) -> Tensor:
        value = loss_of(guards.forward(model, x[batch]), y[batch])
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        return value.detach()

    with Training(model, epochs, batch_size, progress=progress) as training:
        for _ in training:
            model.train()
            total = torch.zeros((), device=device)
            for batch in torch.randperm(len(x), generator=generator).to(device).split(batch_size):
                total += step(batch) * len(batch)
            rate = f"learning rate {optimizer.param_groups[0]['lr']:g}"
            history.train_loss.append(training.finite(total.item() / len(x), rate))
            if val is None:
                training.keep()
                continue
            answers = _answers(model, val[0], 4 * batch_size, device)
            history.val_loss.append(training.finite(loss_of(answers, val[1].to(device)).item(), rate))
            training.show(loss=history.train_loss[-1], val_loss=history.val_loss[-1])
            if training.is_over(history.val_loss, patience):
                break
    history.best_epoch, history.stopped = training.best_epoch, training.stopped
    return history


def predict_graphs(
    model: nn.Module, x, *, loss: str = "squared", batch_size: int = 256, device: torch.device | str | None = None
) -> Tensor:
    """What ``model`` answers, float32 on the CPU, in eval mode, to packed molecules ``x``: ``loss`` as in training.

    ``"squared"``: the numbers in their units, N (or N×T); ``"classes"``: probabilities N×K, which add up to 1;
    ``"assays"``: the probability of a hit, N×T. Raises ValueError for what are no packed molecules, FloatingPointError
    when the model answers with NaN, and MemoryError, with a batch size to try.
    """
    parts.check_network(model)
    parts.check_choice(loss, "loss", LOSSES)
    batch_size = parts.check_whole(batch_size, "batch_size", least=1)
    x, device = as_graphs(x), parts.as_device(device)
    answers = guards.with_memory(lambda: _answers(model.to(device), x, batch_size, device), batch_size, "predicting")
    wrong = int((~answers.isfinite()).flatten(1).any(1).sum())
    if wrong:
        raise FloatingPointError(f"The answers to {wrong} of {len(x)} molecules are not finite: train the model anew.")
    if loss == "classes":
        check_answers(answers, torch.ones(1), loss)
        return answers.softmax(1).cpu()
    return answers.sigmoid().cpu() if loss == "assays" else answers.squeeze(1).cpu()


@torch.no_grad()
def _answers(model: nn.Module, x: Tensor, batch_size: int, device: torch.device) -> Tensor:
    model.eval()
    return torch.cat([guards.forward(model, part.to(device)) for part in x.split(batch_size)])


def _loss_of(model: nn.Module, x: Tensor, y: Tensor, loss: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of answers and labels, after a look at the first answers; of numbers, the model gets their units."""
    with torch.no_grad():
        check_answers(guards.forward(model.eval(), x[:2]), y, loss)
    if loss != "squared":
        return F.cross_entropy if loss == "classes" else assay_loss
    mean = y.nanmean(0).nan_to_num()
    deviation = ((y - mean) ** 2).nanmean(0).sqrt().nan_to_num()
    deviation[deviation < 1e-6] = 1  # of one number there is no deviation
    if isinstance(model, GraphNet):
        model.mean.copy_(mean)
        model.deviation.copy_(deviation)
    return lambda answers, y: squared_loss(answers, y, deviation)
