"""One loop for all training that aligns two domains by a loss: labelled source, unlabelled target, and no adversary.

    loss = cross-entropy on the source + λ · (a loss of the features of both domains, or of the target's logits)

With ``coral_loss`` it is Deep CORAL, with ``mmd_loss`` a deep adaptation network, with ``mcc_loss`` minimum class
confusion, with ``entropy`` the entropy minimisation of Grandvalet and Bengio, with ``pseudo_label_loss`` Lee's
pseudo-labels; their files name the papers. ``fit_aligned`` has no argument for target labels.

It is ``DANN.fit`` with another loss: the same batches of both domains, which go through the network together, the same
growth of λ, the same fall of the rate. So λ = 0 is the row that shows what the loss adds. Batch norm ends with running
statistics of both domains together: let ``adapt_batch_norm`` take those of the target afterwards.
"""

import copy
import inspect
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import guards, parts
from .few_weights import head_of
from .gradient_reversal import lambda_schedule, rate_schedule
from .history import AlignedHistory
from .loop import Training, endless_batches, rate_scheduler
from .predict import to_float, validate


def fit_aligned(
    model: nn.Module, source_x, source_y, target_x, *, loss: Callable, weight: float = 1.0, at: str = "features",
    val=None, epochs: int = 20, batch_size: int = 64, lr: float = 1e-3, weight_decay: float = 0.0, augment=None,
    select: str = "last", keep_states: bool = False, seed: int = 0, device: torch.device | str | None = None,
    progress: bool = True,
) -> AlignedHistory:  # fmt: skip
    """Train ``model`` in place on labelled source and unlabelled target inputs, whose difference ``loss`` measures.

    Parameters
    ----------
    model: any network with a linear head: ``model.head``, else its last linear layer. What goes into it, N×D, are the
        features.
    source_x, target_x: uint8 images N×C×H×W or float32 N×…; they may differ in N only. source_y: int64 N.
    loss: a function of two tensors gets the features of the source and of the target (``coral_loss``, ``mmd_loss``); a
        function of one tensor gets the logits of the target (``mcc_loss``, ``entropy``). The mean of what it returns
        counts.
    weight: λ at the end; it grows from 0 by ``lambda_schedule``. 0 is source-only training, to the last bit with group
        norm on one thread; with batch norm the target's statistics leak in.
    at: where a function of two tensors compares: ``"features"``, or ``"logits"``, as Deep CORAL does in its paper.
    val, epochs, batch_size, lr, weight_decay, augment, select, keep_states, seed: as in ``DANN.fit``.

    Of a last batch with a single source example only its label counts. Raises ValueError for inputs that do not fit
    together or not the network, and for a loss that is none; for all else that may happen, see ``DANN.fit``.
    """
    parts.check_network(model)
    guards.check_settings(epochs, batch_size, lr, weight_decay, seed)
    parts.check_whole(batch_size, "batch_size", least=2)
    parts.check_rate(weight, "weight")
    parts.check_choice(at, "at", ("features", "logits"))
    parts.check_choice(select, "select", ("last", "source validation"))
    compare, augment, head = _as_loss(loss, at), parts.as_augment(augment), _head(model)
    if not len(guards.as_inputs(target_x, "target")):
        raise ValueError("There are no target inputs, and the source is aligned with them: give some, without labels.")
    source_x, source_y, target_x, val = guards.as_domains(source_x, source_y, target_x, head.out_features, val)
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("Every weight of the model is frozen, so there is nothing to train: unfreeze some of them.")
    if select == "source validation" and val is None:
        raise ValueError("To choose the epoch by source validation, fit_aligned needs val=(x, y) of the source.")
    model.to(device := parts.as_device(device))
    source_x, source_y, target_x = (a.to(device) for a in (source_x, source_y, target_x))
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr, weight_decay=weight_decay)
    order, target_noise = (torch.Generator().manual_seed(int(seed) + k) for k in (0, 2))  # on the CPU
    targets = endless_batches(len(target_x), batch_size, torch.Generator().manual_seed(int(seed) + 1))
    steps, step, history = epochs * -(-len(source_x) // batch_size), 0, AlignedHistory()
    scheduler = rate_scheduler(optimizer, rate_schedule, steps)

    def train_on(batch: Tensor, other: Tensor, lam: float) -> Tensor:
        x, t = source_x[batch], target_x[other]
        if augment:
            x, t = augment(x, order), augment(t, target_noise)
        source, target = _features(model, head, torch.cat([to_float(x), to_float(t)])).tensor_split([len(x)])
        class_loss = F.cross_entropy(head(source), source_y[batch])
        aligning = compare(source, target, head) if len(x) > 1 else torch.zeros_like(class_loss)
        optimizer.zero_grad(set_to_none=True)
        (class_loss + lam * aligning if lam else class_loss).backward()
        optimizer.step()
        scheduler.step()
        return torch.stack([class_loss.detach(), aligning.detach()]) * len(batch)

    with Training(model, epochs, batch_size, progress=progress) as training:
        for _ in training:
            model.train()
            sums = torch.zeros(2, device=device)
            for batch in torch.randperm(len(source_x), generator=order).split(batch_size):
                lam = lambda_schedule(step / steps, weight)
                sums += train_on(batch.to(device), next(targets).to(device), lam)
                step += 1
            val_loss, val_accuracy = (0.0, None) if val is None else validate(model, val, batch_size, device)
            class_loss, aligning = (sums / len(source_x)).tolist()
            training.finite(class_loss + aligning + val_loss, f"learning rate {lr:g} and λ {lam:.2g}")
            history.add(class_loss=class_loss, domain_loss=aligning, lam=lam, val_accuracy=val_accuracy)
            if keep_states:
                history.states.append(copy.deepcopy(model.state_dict()))
            if select == "last" or (val_accuracy or 0) > max(history.val_accuracy[:-1], default=-1):
                training.keep()
    history.epoch, history.stopped = training.best_epoch, training.stopped
    return history


def _head(model: nn.Module) -> nn.Linear:
    head = getattr(model, "head", None)
    head = head if isinstance(head, nn.Linear) else head_of(model)
    if not isinstance(head, nn.Linear):
        raise ValueError("This network has no linear head, and what goes into it is aligned: build it with one.")
    return head


def _features(model: nn.Module, head: nn.Linear, x: Tensor) -> Tensor:
    """What goes into the ``head`` when the network answers ``x``: N×D."""
    seen: list[Tensor] = []
    with head.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0])):
        guards.forward(model, x)
    if len(seen) != 1 or seen[0].ndim != 2 or len(seen[0]) != len(x):
        found = tuple(seen[0].shape) if len(seen) == 1 else f"seen {len(seen)} times"
        raise ValueError(f"The head's features are {found}, not {len(x)}×D: give a network that pools before its head.")
    return seen[0]


def _as_loss(loss, at: str) -> Callable[[Tensor, Tensor, nn.Module], Tensor]:
    """``loss`` as a function of the features of source and target, and the head, which makes their logits."""
    try:
        given = inspect.signature(getattr(loss, "forward", loss)).parameters.values()
        wants = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in given)
    except (TypeError, ValueError):
        wants = 0
    if wants not in (1, 2):
        raise ValueError(
            f"loss is {parts.shown(loss)}: give a function of the features of both domains, like mtl.coral_loss, or of "
            "the target's logits, like mtl.mcc_loss."
        )

    def compare(source: Tensor, target: Tensor, head: nn.Module) -> Tensor:
        if wants == 1:
            value = loss(head(target))
        else:
            value = loss(source, target) if at == "features" else loss(head(source), head(target))
        if not isinstance(value, Tensor) or not value.numel() or not value.is_floating_point():
            raise ValueError(f"The loss returned {parts.shown(value)}: return a tensor of one number, or one for each.")
        return value.mean()

    return compare
