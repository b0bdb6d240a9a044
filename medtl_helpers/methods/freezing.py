"""Freezing by named stage, learning rates by stage, and a table of what trains.

``requires_grad = False`` alone is not freezing: in train mode batch norm goes on moving its running statistics and
normalises with those of the batch, so that a "frozen" network gives other features after training than before.
``freeze`` holds both still (``StagedNet.train`` keeps frozen stages in eval mode).
"""

import torch

from ..guards import forward
from ..parts import check_rate, check_whole
from .few_weights import check_plain, release
from .nets import StagedNet, check_staged


def freeze(model: StagedNet, *names: str, upto: str | None = None) -> StagedNet:
    """Freeze the stages ``names``; or all stages from the input ``upto`` and with the one named; or, with neither, all.

    The weights get no gradient, and batch norm neither moves nor uses the batch's statistics. ``"head"`` freezes the
    head, which the other two forms never do. Returns ``model``. Raises ValueError for a stage that is not there, or
    when both forms are used at once.
    """
    check_staged(model)
    if names and upto is not None:
        raise ValueError(f"Stages by name ({', '.join(names)}) and upto={upto!r} exclude each other: give one of them.")
    for name in names or _first(model, upto):
        model.part(name).requires_grad_(False).eval()
        model.frozen.add(name)
    return model


def unfreeze(model: StagedNet, *names: str) -> StagedNet:
    """Let the parts ``names`` train again, or all stages and the head when none is named. Returns ``model``.

    Raises ValueError where ``lora`` or ``adapters`` has changed one of them: what these leave alone would train.
    """
    check_staged(model)
    for name in names or model.parts():
        check_unfreezes(model.part(name))
    for name in names or model.parts():
        release(model.part(name).requires_grad_(True).train(model.training))
        model.frozen.discard(name)
    return model


def check_unfreezes(part: torch.nn.Module) -> None:
    """Raises ValueError where ``lora``, ``adapters`` or ``soft_prompt`` has put something into a network or a part."""
    check_plain(part, "unfreezing would train what they leave as it is", "train it with fit, or ")


def _first(model: StagedNet, upto: str | None) -> list[str]:
    stages = list(model.stages)
    if upto is None:
        return stages
    if upto not in stages:
        raise ValueError(f"There is no stage {upto!r} to freeze up to; this network has {', '.join(stages)}.")
    return stages[: stages.index(upto) + 1]


def parameter_groups(model: StagedNet, lr: float, decay: float = 1.0) -> list[dict]:
    """Optimiser groups, one per part with weights that trains: the head at ``lr``, each stage below at ``decay`` ×.

    Discriminative fine-tuning of Howard, Ruder, ACL 2018, section 3.2 (doi 10.18653/v1/P18-1031), who take
    ``decay`` = 1/2.6. Each group carries its ``name``. Raises ValueError when everything is frozen.
    """
    check_staged(model)
    check_rate(lr, "lr")
    check_rate(decay, "decay", above=True)
    groups = [
        {"params": list(model.part(name).parameters()), "lr": lr * decay**depth, "name": name}
        for depth, name in enumerate(reversed(list(model.parts())))
        if name not in model.frozen
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise ValueError(
            "Every stage and the head are frozen or without weights, so there is nothing to train: unfreeze the head."
        )
    return groups


def parameter_report(model: StagedNet, size: int = 64):
    """A pandas table, one row per part: weights, how many of them train, batch-norm statistics, and multiply-adds.

    ``multiply-adds`` (millions) are those of one forward pass of one image of ``size`` pixels a side, or of one
    sequence or text of that length, counted by torch: convolutions and linear layers. Raises ValueError where the parts
    do not fit inputs of that size.
    """
    import pandas as pd
    from torch.utils.flop_counter import FlopCounterMode

    check_staged(model)
    check_whole(size, "size", least=1)
    weight = next(model.parameters())
    images = torch.zeros(1, weight.shape[1], *[size] * (weight.ndim - 2), device=weight.device)
    if any(isinstance(module, torch.nn.Embedding) for module in model.modules()):  # it reads texts
        images = torch.ones(1, size, dtype=torch.int32, device=weight.device)
    was_training = model.training
    with torch.no_grad(), FlopCounterMode(display=False) as counter:  # torch 2.4 counts nothing in inference mode
        forward(model.eval(), images)  # which says in a sentence where the parts do not fit
    counts, rows = counter.get_flop_counts(), {}
    for name in model.parts():
        part = model.part(name)
        place = f"{type(model).__name__}.{name if name == 'head' else f'stages.{name}'}"
        count = sum(p.numel() for p in part.parameters())
        rows[name] = {
            "weights": count,
            "trainable": sum(p.numel() for p in part.parameters() if p.requires_grad),
            "statistics": sum(b.numel() for b in part.buffers() if b.is_floating_point()),
            "multiply-adds (millions)": sum(counts.get(place, {}).values()) / 2e6,
        }
    model.train(was_training)
    table = pd.DataFrame(rows).T
    table.loc["all"] = table.sum()
    return table.astype({column: int for column in ("weights", "trainable", "statistics")})
