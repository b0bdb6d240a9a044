"""Pre-train the embedded ``UNet`` on nuclei drawn by code, resumable at any moment.

    python benchmarks/pretrain_nuclei.py             # about eleven minutes on one thread
    python benchmarks/pretrain_nuclei.py --seed 200  # only for ``_run``

Every step sees 8 new drawn pictures of 64 px of the kind "any" (``medtl_helpers/data/drawn_nuclei.py``), in which each
structure has a colour of its own at random, and the same 8 again, turned or mirrored and in the new tones and colours
that ``mtl.random_contrast`` gives them. It sees no real picture, and none that is drawn as fluorescence or histology.
Writes a checkpoint to ``_run/pretrain`` every ``--every`` steps and goes on from it. At the end the weights of seed 0
are cast to half precision and written to ``datasets/embedded``, and ``results/pretraining_nuclei_unet.json`` says how
they came to be. A run of 2,000 steps came first: at its end, Dice on drawn pictures was still rising (0.76 of
the kind "any"), and no real picture had been looked at.
"""

import argparse
import json
import math

import torch
from checkpoints import WORK, train_on_drawn
from record import RESULTS, header

import medtl_helpers as mtl
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.mask_inputs import turned_together
from medtl_helpers.methods.mask_losses import LOSSES
from medtl_helpers.methods.mask_weights import nuclei_unet, save_nuclei_unet

STEPS, DRAWN, SIZE, RATE, WARM_UP, WEIGHT_DECAY = 5000, 8, 64, 5e-3, 50, 0.01
KINDS = ("any", "fluorescence", "histology", "bright")


def learning_rate(step: int) -> float:
    """A linear warm-up, then a half cosine to zero."""
    return RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(step / STEPS * math.pi)) / 2


def pictures(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of new pictures in −1..1, each of them twice, and the masks."""
    x, masks = mtl.draw_nuclei(DRAWN, kind="any", size=SIZE, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    again, its_masks = turned_together(x, masks, generator)
    again = mtl.random_contrast(again, generator)
    return mtl.to_float(torch.cat([x, again])), torch.cat([masks, its_masks])


def mean_dice(logits: torch.Tensor, masks: torch.Tensor) -> float:
    """Of the pictures of a batch."""
    return float(mtl.dice(logits.argmax(1), masks).mean())


def train(seed: int, every: int = 100) -> tuple[mtl.UNet, dict]:
    """The network and how it came to be; a finished one is read from ``_run/pretrain``."""
    mtl.seed_everything(seed)
    model = nuclei_unet()
    state = train_on_drawn(
        model,
        WORK / f"nuclei_unet_seed{seed}.pt",
        lambda step: pictures(1_000_000 * (seed + 1) + step),
        steps=STEPS,
        rate=learning_rate,
        weight_decay=WEIGHT_DECAY,
        every=every,
        loss=LOSSES["both"],
        score=mean_dice,
    )
    return model, state


def drawn_scores(model: mtl.UNet) -> dict[str, float]:
    """Mean Dice on 200 new drawn pictures of 128 px of each kind, of which pre-training saw "any" alone."""
    drawn = {kind: mtl.draw_nuclei(200, kind=kind, seed=1) for kind in KINDS}
    return {kind: round(float(mtl.dice(mtl.predict_masks(model, x), y).mean()), 4) for kind, (x, y) in drawn.items()}


def main() -> None:
    """Train, cast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="another one: only for _run/pretrain, nothing is embedded")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    args = parser.parse_args()
    torch.set_num_threads(1)
    model, state = train(args.seed, args.every)
    print(f"seed {args.seed}: {state['log'][-1]} after {state['seconds']:.0f} s, {drawn_scores(model)}")
    if args.seed:
        return
    path = embedded_file("nuclei_unet")
    save_nuclei_unet(model, path)
    embedded = mtl.load_nuclei_unet(quiet=True)
    x, _ = mtl.draw_nuclei(100, kind="any", seed=2)
    drift = (mtl.predict(embedded, x) - mtl.predict(model, x)).abs().max().item()
    result = header(seeds=[args.seed], seconds=state["seconds"]) | {
        "network": "UNet",
        "weights": sum(p.numel() for p in model.parameters()),
        "drawn pictures": STEPS * DRAWN,
        "optimiser": {"name": "AdamW", "steps": STEPS, "peak rate": RATE, "weight decay": WEIGHT_DECAY},
        "log [step, loss, Dice]": state["log"],
        "Dice on drawn pictures": drawn_scores(embedded),
        "largest change of a probability by half precision": drift,
    }
    (RESULTS / "pretraining_nuclei_unet.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB), drift {drift:.2g}")


if __name__ == "__main__":
    main()
