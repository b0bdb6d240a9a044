"""What the pre-trainings share: checkpoints from which a stopped one goes on, and the loop of the small networks."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WORK = Path(__file__).parent.parent / "_run" / "pretrain"


def go_on(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict:
    """The step, the seconds and the log so far; the model and the optimiser are as they were then."""
    if not path.is_file():
        return {"step": 0, "seconds": 0.0, "log": []}
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["state"]


def keep(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict) -> None:
    """Write all of it, so that the file is never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "state": state}
    torch.save(saved, path.with_suffix(".part"))
    os.replace(path.with_suffix(".part"), path)


def accuracy(logits: Tensor, y: Tensor) -> float:
    """The share of a batch that is named right."""
    return (logits.argmax(1) == y).float().mean().item()


def train_on_drawn(
    model: nn.Module,
    path: Path,
    draw: Callable[[int], tuple[Tensor, Tensor]],
    *,
    steps: int,
    rate: Callable[[int], float],
    weight_decay: float,
    every: int,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    score: Callable[[Tensor, Tensor], float] = accuracy,
) -> dict:
    """Train ``model`` by AdamW on what ``draw(step)`` gives, new in every step; a checkpoint every ``every`` steps.

    Returns the state: the step, the seconds of processor time, and a log of [step, mean loss, mean score].
    """
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=weight_decay)
    state = go_on(path, model, optimizer)
    model.train()
    losses, scores = [], []
    start = time.process_time() - state["seconds"]
    for step in range(state["step"], steps):
        x, y = draw(step)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        logits = model(x)
        value = loss(logits, y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
        scores.append(score(logits, y))
        if (step + 1) % every == 0 or step + 1 == steps:
            state["log"].append([step + 1, *(round(sum(part) / len(part), 4) for part in (losses, scores))])
            losses, scores = [], []
            state |= {"step": step + 1, "seconds": time.process_time() - start}
            keep(path, model, optimizer, state)
    model.eval()
    return state
