"""Pre-train the embedded ``SequenceCNN`` on splice sites drawn by code, resumable at any moment.

    python benchmarks/pretrain_sequences.py                # about two minutes on one thread
    python benchmarks/pretrain_sequences.py --source donors --seed 200   # only for ``_run``, as benchmarks/sequences.py

Every step sees new sites (``medtl_helpers/data/splice_sites.py``), and no real sequence; the loss weighs the classes as
they occur (1/4, 1/4, 1/2). Writes a checkpoint to ``_run/pretrain`` every ``--every`` steps and goes on from it. At the
end the weights of the first seed are cast to half precision and written to ``datasets/embedded``, and
``results/pretraining_splice_cnn.json`` says how they came to be. Sources: ``all`` (the embedded one), ``donors`` (no
acceptor site is ever drawn) and ``batch norm`` (all, by a network with batch norm, which AdaBN can adapt).
"""

import argparse
import json
import math

import torch
from checkpoints import WORK, train_on_drawn
from record import RESULTS, header

import medtl_helpers as mtl
from medtl_helpers.lessons.sequences.experiment import WEIGHT
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.sequence_weights import save_splice_cnn

SOURCES = ("all", "donors", "batch norm")
STEPS, BATCH, RATE, WARM_UP, WEIGHT_DECAY = 2000, 128, 2e-3, 100, 0.01


def learning_rate(step: int) -> float:
    """A linear warm-up, then a half cosine to zero."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * (1 + math.cos((step - WARM_UP) / (STEPS - WARM_UP) * math.pi)) / 2


def sites(source: str, n: int, seed: int):
    """New drawn sites and their labels: 0 donor, 1 acceptor, 2 neither, also where no acceptor is drawn."""
    if source == "donors":
        x, y = mtl.draw_splice_sites(n, seed=seed, kinds=("EI", "neither"))
        return x, 2 * y
    return mtl.draw_splice_sites(n, seed=seed)


def train(source: str, seed: int, every: int = 200) -> tuple[mtl.SequenceCNN, dict]:
    """The network and how it came to be; a finished one is read from ``_run/pretrain``."""
    mtl.seed_everything(seed)
    model = mtl.SequenceCNN(3, norm="batch" if source == "batch norm" else "group")
    state = train_on_drawn(
        model,
        WORK / f"splice_cnn_{source.replace(' ', '_')}_seed{seed}.pt",
        lambda step: sites(source, BATCH, seed=1_000_000 * (seed + 1) + step),
        steps=STEPS,
        rate=learning_rate,
        weight_decay=WEIGHT_DECAY,
        every=every,
        loss=torch.nn.CrossEntropyLoss(torch.tensor(WEIGHT)),
    )
    return model, state


def main() -> None:
    """Train, cast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", choices=SOURCES, default="all")
    parser.add_argument("--seed", type=int, default=0, help="another one: only for _run/pretrain, nothing is embedded")
    parser.add_argument("--every", type=int, default=200, help="steps between checkpoints")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, state = train(args.source, args.seed, args.every)
    print(f"{args.source}, seed {args.seed}: {state['log'][-1]} after {state['seconds']:.0f} s")
    if args.seed or args.source != "all":
        return
    path = embedded_file("splice_cnn")
    save_splice_cnn(model, path)
    x, _ = sites("all", 2000, seed=1)
    drift = (mtl.predict(mtl.load_splice_cnn(quiet=True), x) - mtl.predict(model, x)).abs().max().item()
    result = header(seeds=[args.seed], seconds=state["seconds"]) | {
        "network": "SequenceCNN",
        "weights": sum(p.numel() for p in model.parameters()),
        "sites": STEPS * BATCH,
        "optimiser": {"name": "AdamW", "steps": STEPS, "peak rate": RATE, "weight decay": WEIGHT_DECAY},
        "log [step, loss, accuracy]": state["log"],
        "largest change of a probability by half precision": drift,
    }
    (RESULTS / "pretraining_splice_cnn.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB), drift {drift:.2g}")


if __name__ == "__main__":
    main()
