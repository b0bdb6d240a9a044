"""Pre-train the embedded ``GraphNet`` on drawn molecules, resumable at any moment.

    python benchmarks/pretrain_molecules.py             # about four minutes on one thread, with the real sets
    python benchmarks/pretrain_molecules.py --seed 200  # only for ``_run``

It learns to name the eight descriptors (``mtl.DESCRIPTORS``, standardised) of 20,000 molecules that
``mtl.draw_molecules`` drew and RDKit computed, and nothing that was ever measured. A drawn molecule that stands in one
of the real sets (ESOL, BBBP, Tox21; canonical SMILES without stereo, salts taken off), or in the twins, is left out and
counted; 1,000 more are drawn for the scores at the end. Writes a checkpoint to ``_run/pretrain`` every ``--every``
steps and goes on from it. At the end the weights of seed 0 are cast to half precision and written to
``datasets/embedded``, and ``results/pretraining_molecules.json`` says how they came to be.
"""

import argparse
import json
import math

import numpy as np
import torch
from checkpoints import WORK, train_on_drawn
from draw_molecules import different
from record import RESULTS, header

import medtl_helpers as mtl
from medtl_helpers.assets import data_folder
from medtl_helpers.data.molecule_chemistry import featurised, read_smiles
from medtl_helpers.data.molecule_twins import read_pool
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.graph_weights import molecule_net, save_graph_net

DRAWN_SEED, DRAWN, NEW = 0, 20_000, 1000  # the twins have seed 1
STEPS, BATCH, RATE, WARM_UP, WEIGHT_DECAY = 6_000, 64, 2e-3, 100, 0.01
SETS = ("esol", "bbbp", "tox21")


def learning_rate(step: int) -> float:
    """A linear warm-up, then a half cosine to zero."""
    return RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(step / STEPS * math.pi)) / 2


def real_molecules() -> dict[str, set[str]]:
    """Canonical SMILES of each real set. Raises FileNotFoundError where the real sets are not there."""
    import pandas as pd

    folder = data_folder()
    if folder is None or not all((folder / "molecules" / f"{name}.csv").is_file() for name in SETS):
        raise FileNotFoundError("Molecules of the real sets are left out, and these are not there: fetch them first.")
    tables = {name: pd.read_csv(folder / "molecules" / f"{name}.csv")["smiles"] for name in SETS}
    return {name: {one.smiles for one in read_smiles(table.tolist()) if one.smiles} for name, table in tables.items()}


def molecules() -> dict:
    """Graphs and standardised descriptors of both parts, and how many were left out; kept in ``_run/pretrain``."""
    path = WORK / "drawn_molecules.pt"
    if path.is_file():
        return torch.load(path, weights_only=True)
    twins = {text.decode() for text in read_pool()["smiles"]}
    real = real_molecules()
    found = list(different(DRAWN_SEED, DRAWN + NEW + 2000, without=twins))
    left_out = {name: sum(smiles in own for smiles in found) for name, own in real.items()}
    everything = set().union(*real.values())
    left_out["different"] = sum(smiles in everything for smiles in found)
    kept = [smiles for smiles in found if smiles not in everything][: DRAWN + NEW]
    known = featurised(kept)
    mean, deviation = known.descriptors[:DRAWN].mean(0), known.descriptors[:DRAWN].std(0)
    state = {
        "x": known.graphs,
        "y": torch.from_numpy((known.descriptors - mean) / deviation),
        "in a real set": left_out,
        "of": len(found),
        "scaffolds": len(np.unique(known.scaffolds[:DRAWN])),
        "mean": mean.round(4).tolist(),
        "deviation": deviation.round(4).tolist(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return state


def mean_r2(answers: torch.Tensor, y: torch.Tensor) -> float:
    """The share of the variance that is explained, mean over the eight descriptors of a batch."""
    return float((1 - ((answers.detach() - y) ** 2).mean(0) / y.var(0)).mean())


def train(drawn: dict, seed: int, every: int = 500) -> tuple[mtl.GraphNet, dict]:
    """The network and how it came to be; a finished one is read from ``_run/pretrain``."""
    mtl.seed_everything(seed)
    model = molecule_net()
    x, y = drawn["x"][:DRAWN], drawn["y"][:DRAWN]

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(1_000_000 * (seed + 1) + step)
        rows = torch.randint(DRAWN, (BATCH,), generator=generator)
        return x[rows], y[rows]

    state = train_on_drawn(
        model,
        WORK / f"molecules_seed{seed}.pt",
        batch,
        steps=STEPS,
        rate=learning_rate,
        weight_decay=WEIGHT_DECAY,
        every=every,
        loss=torch.nn.functional.mse_loss,
        score=mean_r2,
    )
    return model, state


def new_scores(model: mtl.GraphNet, drawn: dict) -> dict[str, float]:
    """R² of each descriptor of the 1,000 drawn molecules that pre-training did not see."""
    x, y = drawn["x"][DRAWN:], drawn["y"][DRAWN:]
    r2 = 1 - ((mtl.predict_graphs(model, x) - y) ** 2).mean(0) / y.var(0)
    return {name: round(float(value), 4) for name, value in zip(mtl.DESCRIPTORS, r2, strict=True)}


def main() -> None:
    """Draw, train, cast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="another one: only for _run/pretrain, nothing is embedded")
    parser.add_argument("--every", type=int, default=500, help="steps between checkpoints")
    args = parser.parse_args()
    torch.set_num_threads(1)
    drawn = molecules()
    print(f"left out: {drawn['in a real set']} of {drawn['of']}")
    model, state = train(drawn, args.seed, args.every)
    print(f"seed {args.seed}: {state['log'][-1]} after {state['seconds']:.0f} s, {new_scores(model, drawn)}")
    if args.seed:
        return
    path = embedded_file("molecule_net")
    save_graph_net(model, path)
    embedded = mtl.load_graph_net(quiet=True)
    new = drawn["x"][DRAWN:]
    drift = (mtl.predict_graphs(embedded, new) - mtl.predict_graphs(model, new)).abs().max().item()
    result = header(seeds=[args.seed], seconds=state["seconds"]) | {
        "network": "GraphNet",
        "weights": sum(p.numel() for p in model.parameters()),
        "drawn molecules": DRAWN,
        "their scaffolds": drawn["scaffolds"],
        "drawn first": drawn["of"],
        "left out since they are in a real set": drawn["in a real set"],
        "descriptors": {"mean": drawn["mean"], "deviation": drawn["deviation"]},
        "optimiser": {"name": "AdamW", "steps": STEPS, "batch": BATCH, "peak rate": RATE, "weight decay": WEIGHT_DECAY},
        "log [step, loss, R²]": state["log"],
        "R² on 1,000 new drawn molecules": new_scores(embedded, drawn),
        "largest change of a standardised descriptor by half precision": drift,
    }
    (RESULTS / "pretraining_molecules.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {path} ({path.stat().st_size / 1e3:.0f} kB), drift {drift:.2g}")


if __name__ == "__main__":
    main()
