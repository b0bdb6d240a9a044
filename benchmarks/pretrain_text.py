"""Pre-train the embedded ``TextTransformer`` on sentences drawn by code, resumable at any moment.

    python benchmarks/pretrain_text.py             # about four minutes on one thread
    python benchmarks/pretrain_text.py --seed 200  # only for ``_run``

Every step sees new sentences of hospital A (``medtl_helpers/data/report_grammar.py``), and no real one; the network
says whether the finding is negated. All settings were chosen on drawn sentences: other ones of A, clauses and findings
that are held out, and hospital B as another hospital. There, after 500 steps and with one seed each, masked words
before the labels or beside them, words replaced by "unknown" or by others, a second sentence joined on, smaller first
weights and twice the rate did no better. Writes a checkpoint to ``_run/pretrain`` every ``--every`` steps and goes on
from it. At the end the weights of seed 0 are cast to half precision and written to ``datasets/embedded``, and
``results/pretraining_report_encoder.json`` says how they came to be.
"""

import argparse
import json
import math

import torch
from checkpoints import WORK, train_on_drawn
from record import RESULTS, header

import medtl_helpers as mtl
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.text_weights import CLASSES, LENGTH, VOCABULARY, save_report_encoder

STEPS, BATCH, RATE, WARM_UP, WEIGHT_DECAY = 4000, 64, 2e-3, 100, 0.01


def learning_rate(step: int) -> float:
    """A linear warm-up, then a half cosine to zero."""
    return RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(step / STEPS * math.pi)) / 2


def sentences(n: int, seed: int, **where):
    """New drawn sentences as token numbers, and whether their finding is negated."""
    texts, y = mtl.draw_reports(n, seed=seed, **where)
    return mtl.tokens(texts, LENGTH), y


def train(seed: int, every: int = 200) -> tuple[mtl.TextTransformer, dict]:
    """The network and how it came to be; a finished one is read from ``_run/pretrain``."""
    mtl.seed_everything(seed)
    model = mtl.TextTransformer(CLASSES, VOCABULARY, LENGTH)
    state = train_on_drawn(
        model,
        WORK / f"report_encoder_seed{seed}.pt",
        lambda step: sentences(BATCH, 1_000_000 * (seed + 1) + step),
        steps=STEPS,
        rate=learning_rate,
        weight_decay=WEIGHT_DECAY,
        every=every,
    )
    return model, state


def drawn_scores(model: mtl.TextTransformer) -> dict[str, float]:
    """Balanced accuracy on 4,000 new drawn sentences of either hospital, with known clauses and with held-out ones."""
    scores = {}
    for hospital in ("A", "B"):
        for held_out in (False, True):
            x, y = sentences(4000, 1, hospital=hospital, held_out=held_out)
            right = mtl.predict(model, x).argmax(1) == y
            name = f"hospital {hospital}, {'held-out' if held_out else 'known'} clauses and findings"
            scores[name] = round(sum(right[y == k].double().mean().item() for k in (0, 1)) / 2, 4)
    return scores


def main() -> None:
    """Train, cast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="another one: only for _run/pretrain, nothing is embedded")
    parser.add_argument("--every", type=int, default=200, help="steps between checkpoints")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, state = train(args.seed, args.every)
    print(f"seed {args.seed}: {state['log'][-1]} after {state['seconds']:.0f} s, {drawn_scores(model)}")
    if args.seed:
        return
    path = embedded_file("report_encoder")
    save_report_encoder(model, path)
    x, _ = sentences(2000, 2)
    embedded = mtl.load_report_encoder(quiet=True)
    drift = (mtl.predict(embedded, x) - mtl.predict(model, x)).abs().max().item()
    result = header(seeds=[args.seed], seconds=state["seconds"]) | {
        "network": "TextTransformer",
        "weights": sum(p.numel() for p in model.parameters()),
        "sentences": STEPS * BATCH,
        "optimiser": {"name": "AdamW", "steps": STEPS, "peak rate": RATE, "weight decay": WEIGHT_DECAY},
        "log [step, loss, accuracy]": state["log"],
        "balanced accuracy on drawn sentences": drawn_scores(embedded),
        "largest change of a probability by half precision": drift,
    }
    (RESULTS / "pretraining_report_encoder.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB), drift {drift:.2g}")


if __name__ == "__main__":
    main()
