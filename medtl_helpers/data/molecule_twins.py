"""Twins of the sets of molecules: drawn molecules with properties by a stated formula, for readers without real ones.

The molecules stand in ``datasets/embedded/drawn_molecules.npz``, which ``benchmarks/draw_molecules.py`` wrote with
RDKit, so that nobody needs it here. Their properties are computed anew each time. No property follows from the eight
descriptors alone: each depends on which parts (``molecule_parts.py``) a molecule was put together from.

- **Solubility**: log S = 0.5 − 0.01 (MP − 25) − log P, the general solubility equation (Jain and Yalkowsky, Journal of
  Pharmaceutical Sciences 90 (2001), 234), MP being the melting point in °C. This one is drawn: hydrogen bonds of amides
  and acids, flat ring systems and nitro groups hold a crystal together; flexible chains loosen it. An amine takes up a
  proton in water and dissolves ten times better. Noise has a deviation of 0.5, about what two laboratories differ by.
- **Blood-brain barrier**: log BB = 0.152 log P − 0.0148 PSA + 0.139 (Clark, Journal of Pharmaceutical Sciences 88
  (1999), 815); acids and lasting charges stay outside, an amine helps, and the pumps at the barrier throw out large
  molecules with several amides. A molecule passes above a threshold; noise has a deviation of 0.4.
- **Twelve assays**, in the families that the real ones have: what hits one assay of a family often hits the others,
  because they share *alerts*, parts with a known mechanism (``ALERTS``). Hits are as rare, and results are missing as
  often, as in the real assays, rounded; whether a molecule hits is drawn from a probability.

Numbers without a source were written by hand so that a property varies over a plausible range. No label of a real
molecule was used for any of them. What a method reaches on a twin says nothing about real molecules.
"""

from functools import cache

import numpy as np
import torch

from ..assets import asset_folder
from ..parts import check_choice, check_whole
from .molecules import DESCRIPTORS

ACIDS = ("carboxyl", "carboxymethyl", "tetrazole", "hydroxamic acid", "penam")
CHARGED = ("sulfonic acid", "phosphate", "phosphonate", "trimethylammonio", "guanidino")
AMINES = (
    "amino", "methylamino", "dimethylamino", "diethylamino", "aminomethyl", "dimethylaminoethyl", "piperazine",
    "dimethylaminopropyl", "tertiary amine", "methylene amine", "piperidin-4-yl", "pyrrolidin-2-yl", "tropane",
)  # fmt: skip
AMIDES = (
    "amide", "reversed amide", "amide with methylene", "acetamide", "urea", "carboxamide", "acetamido", "ureido",
    "sulfonamide", "reversed sulfonamide", "sulfamoyl", "barbiturate", "hydantoin", "uracil", "xanthine", "succinimide",
)  # fmt: skip
FLAT = (
    "naphthalene", "anthracene", "phenanthrene", "pyrene", "chrysene", "carbazole", "acridine", "dibenzodioxin",
    "dibenzofuran", "anthraquinone", "quinoline", "isoquinoline", "quinazoline", "purine", "flavone",
)  # fmt: skip
ALERTS = {
    "androgen": ("androstane",),
    "oestrogen": ("estrane",),
    "sterol": ("sterol",),
    "flat": FLAT,
    "azole": ("imidazol-1-yl", "1,2,4-triazol-1-yl", "imidazole", "pyridin-3-yl"),
    "acid": ACIDS,
    "long chain": ("octyl", "butyl", "chain"),
    "phenol": ("hydroxy",),
    "halogen": ("chloro", "bromo", "trifluoromethyl"),
    "acceptor": ("acrylamido", "acryloyl", "enone", "quinone", "naphthoquinone", "isothiocyanate"),
    "genotoxic": ("nitroso", "nitrosamino", "epoxide", "glycidyl ether", "hydrazino", "azo", "nitro", "acridine"),
    "nitro": ("nitro",),
}
# assay: share of hits in %, share of missing results in %, weight of log P, and the weights of its alerts
ASSAYS: dict[str, tuple[int, int, float, dict[str, float]]] = {
    "NR-AR": (4, 7, 0.0, {"androgen": 5, "oestrogen": 3, "sterol": 2, "nitro": 1}),
    "NR-AR-LBD": (4, 14, 0.0, {"androgen": 5, "oestrogen": 3, "nitro": 0.5}),
    "NR-AhR": (12, 16, 0.3, {"flat": 2.5, "halogen": 0.7, "azole": 0.7}),
    "NR-Aromatase": (5, 26, 0.4, {"azole": 2.5, "androgen": 1.5, "acceptor": 1}),
    "NR-ER": (13, 21, 0.2, {"oestrogen": 5, "androgen": 1.5, "phenol": 1.5, "sterol": 1}),
    "NR-ER-LBD": (5, 11, 0.2, {"oestrogen": 5, "phenol": 1.5}),
    "NR-PPAR-gamma": (3, 18, 0.4, {"acid": 2.5, "long chain": 1, "acceptor": 0.7}),
    "SR-ARE": (16, 26, 0.2, {"acceptor": 2.5, "nitro": 1, "phenol": 0.7, "halogen": 0.3}),
    "SR-ATAD5": (4, 10, 0.1, {"genotoxic": 2.5, "flat": 1, "acceptor": 1}),
    "SR-HSE": (6, 17, 0.2, {"acceptor": 2.5, "halogen": 0.5}),
    "SR-MMP": (16, 26, 0.6, {"phenol": 1.2, "halogen": 0.8, "flat": 0.7, "nitro": 0.7, "acceptor": 0.7}),
    "SR-p53": (6, 14, 0.3, {"genotoxic": 2, "acceptor": 1.5, "flat": 0.7}),
}
# set -> its twin: the fewest and the most atoms of its molecules, and how many molecules there are at most
SETS = {"esol": (3, 30, 1100), "bbbp": (8, 50, 1600), "tox21": (3, 50, 2400)}
NOISE_SOLUBILITY, NOISE_BARRIER, PASSES = 0.5, 0.4, -1.0


def molecule_twin(name: str, seed: int = 0) -> dict:
    """The twin of ``"esol"``, ``"bbbp"`` or ``"tox21"``, not yet split; ``seed`` is that of the noise of its labels.

    A dict of ``x`` (packed graphs, uint8 N×50×56), ``y`` (log mol/L, float32 N; 1 for a molecule that passes, int64 N;
    or 1 for a hit, float32 N×12 with NaN), ``smiles``, ``scaffolds`` (int64 N), ``descriptors`` (float32 N×8),
    ``fingerprints`` (uint8 N×1024), and ``classes``, the names of what ``y`` holds.
    """
    check_choice(name, "name", SETS)
    check_whole(seed, "seed", least=0)
    pool = read_pool()
    low, high, most = SETS[name]
    atoms = (pool["graphs"][:, :, 0] > 0).sum(1)
    rows = np.flatnonzero((atoms >= low) & (atoms <= high))[:most]
    of = {key: value[rows] for key, value in pool.items() if key != "names"}
    facts = dict(zip(DESCRIPTORS, of["descriptors"].T.astype(np.float64), strict=True))
    parts = dict(zip(pool["names"].tolist(), of["parts"].T.astype(np.float64), strict=True))
    rng = np.random.default_rng([seed, list(SETS).index(name)])
    y, classes = {"esol": _solubility, "bbbp": _barrier, "tox21": _assays}[name](facts, parts, rng)
    return {
        "x": torch.from_numpy(of["graphs"]),
        "y": torch.from_numpy(y),
        "smiles": [text.decode() for text in of["smiles"]],
        "scaffolds": np.unique(of["scaffolds"], return_inverse=True)[1].astype(np.int64),
        "descriptors": of["descriptors"],
        "fingerprints": np.unpackbits(of["fingerprints"], axis=1),
        "classes": classes,
    }


@cache
def read_pool() -> dict[str, np.ndarray]:
    """The arrays of the embedded file: all drawn molecules, and how often each of the parts ``names`` is in them."""
    with np.load(asset_folder("embedded", "datasets/embedded") / "drawn_molecules.npz") as file:
        return {key: file[key] for key in file.files}


def melting_points(facts: dict, parts: dict) -> np.ndarray:
    """Drawn melting points in °C, float64 N, from descriptors and counts of parts, each an array by its name."""
    bonded = 50 * _count(parts, AMIDES) + 60 * _count(parts, ACIDS) + 10 * facts["hydrogen-bond donors"]
    packed = 60 * _count(parts, FLAT) + 15 * facts["aromatic rings"] + 40 * _count(parts, ("nitro",))
    loose = 8 * facts["rotatable bonds"] + 25 * _count(parts, ("tert-butyl", "octyl", "butyl"))
    return (40 + 0.2 * facts["molecular weight"] + bonded + packed - loose).clip(25, 350)


def _solubility(facts: dict, parts: dict, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    log_s = 0.5 - 0.01 * (melting_points(facts, parts) - 25) - facts["Crippen logP"]
    log_s = log_s + 1.0 * (_count(parts, AMINES) > 0) + rng.normal(0, NOISE_SOLUBILITY, len(log_s))
    return log_s.clip(-12, 2).astype(np.float32), ("log solubility",)


def _barrier(facts: dict, parts: dict, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    log_bb = 0.152 * facts["Crippen logP"] - 0.0148 * facts["polar surface area"] + 0.139
    out = 1.2 * (_count(parts, ACIDS) > 0) + 1.5 * (_count(parts, CHARGED) > 0)
    pumped = 0.4 * (_count(parts, AMIDES) - 1).clip(0) + 0.004 * (facts["molecular weight"] - 400).clip(0)
    score = log_bb - out - pumped + 0.4 * (_count(parts, AMINES) > 0)
    passes = score + rng.normal(0, NOISE_BARRIER, len(score)) > PASSES
    return passes.astype(np.int64), ("stays outside", "passes")


def _assays(facts: dict, parts: dict, rng: np.random.Generator) -> tuple[np.ndarray, tuple[str, ...]]:
    has = {alert: (_count(parts, names) > 0).astype(np.float64) for alert, names in ALERTS.items()}
    columns = []
    for share, missing, of_log_p, weights in ASSAYS.values():
        logit = of_log_p * facts["Crippen logP"].clip(-2, 7) + sum(w * has[alert] for alert, w in weights.items())
        hit = rng.random(len(logit)) < _with_mean(logit, share / 100)
        columns.append(np.where(rng.random(len(logit)) < missing / 100, np.nan, hit))
    y = np.stack(columns, 1).astype(np.float32)
    y[np.isnan(y).all(1), 0] = 0  # every molecule has a result
    return y, tuple(ASSAYS)


def _with_mean(logit: np.ndarray, share: float) -> np.ndarray:
    """Probabilities with these logits, all moved alike so that their mean is ``share``."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        probability = 1 / (1 + np.exp(-(logit + middle)))
        low, high = (middle, high) if probability.mean() < share else (low, middle)
    return probability


def _count(parts: dict, names) -> np.ndarray:
    return np.sum([parts[name] for name in names if name in parts], axis=0)
