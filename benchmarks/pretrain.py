"""Pre-train the two embedded networks on phantoms (``medtl_helpers/data/pretraining.py``), resumable at any moment.

    python benchmarks/pretrain.py vgg16      # about 50 minutes on two cores
    python benchmarks/pretrain.py resnet     # about 15 minutes
    python benchmarks/pretrain.py resnet --seed 1  # once more: other first weights and other images

Writes a checkpoint to ``_run/pretrain`` every ``--every`` steps and goes on from it when started again. At the end
VGG16's batch norm is folded into its convolutions, the weights are cast to half precision and written to
``datasets/embedded``, and ``results/pretraining_<network>.json`` says how they came to be. Then run
``benchmarks/embedded_scores.py`` for what they score.

With another ``--seed`` than 0 everything random is drawn anew (the first weights, the images and their order, the
augmentation), while the sources, the steps and the rates stay. These weights tell how much hangs on one pre-training:
they and their log stay in ``_run/pretrain``, and nothing that is embedded changes.
"""

import argparse
import json
import math
import time

import torch
import torch.nn.functional as F
from checkpoints import WORK, go_on, keep
from record import RESULTS, header
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.data import pretraining as sources
from medtl_helpers.data import smears
from medtl_helpers.methods import backbones, weight_files, weights

WEIGHT_DECAY, WARM_UP = 0.05, 50
# network -> (steps, peak learning rate) of two phases: first all images at 32 px, then every third batch at 64 px,
# since features of one size alone turned out useless at twice that size
PHASES = {"vgg16": ((620, 3e-4), (320, 2e-4)), "resnet": ((1200, 1e-3), (700, 5e-4))}


def size_and_batch(name: str, step: int) -> tuple[int, int]:
    """Pixels a side and number of images of one step."""
    large = step >= PHASES[name][0][0] and step % 3 == 0
    return (64, 32) if large else (32, 64)


def new_network(name: str, seed: int) -> nn.Module:
    """The network as it is trained; VGG16 with batch norm, which ``fold`` takes away at the end."""
    torch.manual_seed(seed)
    if name == "resnet":
        return backbones.small_resnet(sources.n_classes(name))
    from torchvision.models import vgg16_bn

    head = nn.Linear(512, sources.n_classes(name))
    return nn.Sequential(
        backbones.CaffeInput(), vgg16_bn(weights=None).features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head
    )


def learning_rate(name: str, step: int) -> float:
    """In each phase a linear warm-up, then a half cosine to zero."""
    steps, peak = PHASES[name][0]
    if step >= steps:
        step, (steps, peak) = step - steps, PHASES[name][1]
    if step < WARM_UP:
        return peak * (step + 1) / WARM_UP
    return peak * (1 + math.cos((step - WARM_UP) / (steps - WARM_UP) * math.pi)) / 2


def run_name(name: str, seed: int) -> str:
    """The name of a pre-training: that of its network, and the seed where it is not the first one."""
    return name if seed == 0 else f"{name}_seed{seed}"


def train(name: str, every: int, seed: int) -> tuple[nn.Module, dict]:
    """Train ``name`` from its last checkpoint on; returns it with the log (seconds, loss and accuracy per 50 steps)."""
    steps, path = sum(steps for steps, _ in PHASES[name]), WORK / f"{run_name(name, seed)}.pt"
    first = 1_000_000 * seed  # of the seeds of the batches
    model = new_network(name, seed).to(mtl.device(), memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=WEIGHT_DECAY)
    state = go_on(path, model, optimizer)
    if state["step"]:
        print(f"going on from step {state['step']}", flush=True)
    model.train()
    hits, losses = [], []
    start = time.perf_counter() - state["seconds"]
    for step in range(state["step"], steps):
        size, n = size_and_batch(name, step)
        x, y = sources.batch(name, n, size, seed=first + 1_000_000 + step)
        x, y = (part.to(mtl.device()) for part in (x, y))
        x = mtl.augment(x, torch.Generator().manual_seed(first + step), shift=x.shape[-1] // 12)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(name, step)
        logits = model(mtl.to_float(x).contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        hits.append((logits.argmax(1) == y).float().mean().item())
        if (step + 1) % 50 == 0:
            mean = (sum(losses) / len(losses), sum(hits) / len(hits))
            state["log"].append([step + 1, round(mean[0], 4), round(mean[1], 4)])
            print(
                f"{step + 1}/{steps} loss {mean[0]:.3f} accuracy {mean[1]:.3f} {time.perf_counter() - start:.0f} s",
                flush=True,
            )
            hits, losses = [], []
        if (step + 1) % every == 0 or step + 1 == steps:
            state |= {"step": step + 1, "seconds": time.perf_counter() - start}
            keep(path, model, optimizer, state)
    return model.eval(), state


def main() -> None:
    """Train, fold, cast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=PHASES)
    parser.add_argument("--every", type=int, default=20, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0, help="another one: only for _run/pretrain, nothing is embedded")
    args = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    model, state = train(args.network, args.every, args.seed)
    about = WORK if args.seed else RESULTS  # where the log goes
    name = run_name(args.network, args.seed)
    classes = sources.n_classes(args.network)
    probe = sources.batch(args.network, 256, 64, seed=1)  # for the drift of folding and casting only
    before = mtl.predict(model, probe.x)
    if args.network == "vgg16":
        convolutions = weight_files.fold_batch_norm(model[1])
        path = WORK / f"{name}.weights.h5" if args.seed else weights.embedded("vgg16")
        weight_files.write_vgg16(path, convolutions)
        plain = backbones.vgg16(classes)
        weight_files.load_vgg16(plain, path)
        plain.head.load_state_dict(model[-1].state_dict())
    else:
        path = WORK / f"{name}_weights.pt" if args.seed else weights.embedded("resnet")
        weight_files.write_resnet(path, model)
        plain = backbones.small_resnet(classes)
        weight_files.load_resnet(plain, path)
        plain.head.load_state_dict(model.head.state_dict())
    drift = (mtl.predict(plain, probe.x) - before).abs().max().item()
    shapes = [size_and_batch(args.network, step) for step in range(state["step"])]
    result = header(seeds=[args.seed], seconds=state["seconds"]) | {
        "network": args.network,
        "images": {f"{size} px": sum(n for s, n in shapes if s == size) for size in (32, 64)},
        "classes": classes,
        "families [classes, share]": sources.FAMILIES[args.network],
        "held out": {
            "cells": smears.HELD_OUT_CELLS,
            "chest": ["pneumonia"],
            "scanners": sources.HELD_OUT_SCANNERS,
            "whole families": ["breast ultrasound"],
        },
        "optimiser": {"name": "AdamW", "phases [steps, peak lr]": PHASES[args.network], "weight decay": WEIGHT_DECAY},
        "log [step, loss, accuracy]": state["log"],
        "largest change of a probability by folding and half precision": drift,
    }
    (about / f"pretraining_{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB), drift {drift:.2g}")


if __name__ == "__main__":
    main()
