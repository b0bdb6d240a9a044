"""What lesson 11 and its benchmark share: every way to predict a property of a molecule from few measurements.

A measured number is answered with a number, N; two classes with the probability of class 1 (the hit), N. Each way gets
the same training molecules and the same validation molecules. A regression or a forest chooses its setting on these
validation molecules; a network, whose rate was chosen on other seeds, chooses there the epoch that it keeps.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor

from ...data.molecule_splits import few_molecules
from ...data.molecules import ATOM_FEATURES, DESCRIPTORS, MoleculeTask
from ...data.tasks import Split
from ...devices import seed_everything
from ...methods.graph import GraphNet
from ...methods.graph_training import fit_graphs, predict_graphs
from ...methods.graph_weights import load_graph_net
from ...methods.intervals import Interval, holm
from ...methods.margins import BesideMargin, p_beyond
from ...methods.screening import average_precision, enrichment
from ...teaching.records import Record

LABELS = (20, 100, "all")
VALIDATION = {
    20: 20,
    100: 50,
    "all": None,
}  # validation molecules beside so many training molecules; None: all there are
BATCH = 32
EPOCHS = {20: 100, 100: 60, "all": 20}  # the rate falls to 0 over these, and validation keeps the best one
LONGER = ", 4 × as long"
PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
FORESTS = ({"max_features": "sqrt"}, {"max_features": "sqrt", "min_samples_leaf": 3}, {"max_features": 0.3})
TREES = 100
# by task and labels: the rate of each network that trains; chosen on seeds that are not reported
SETTINGS: dict[str, dict[str, dict]] = {
    "esol": {
        "from scratch": {20: 3e-3, 100: 1e-3},
        "from scratch, 4 × as long": {20: 3e-3},
        "drawn, fine-tuned": {20: 3e-3, 100: 1e-2},
        "drawn, LP-FT": {20: 1e-4, 100: 3e-4},
    },
    "bbbp": {
        "from scratch": {20: 1e-3, 100: 1e-3},
        "drawn, fine-tuned": {20: 1e-3, 100: 3e-4},
        "drawn, LP-FT": {20: 3e-4, 100: 3e-4},
    },
}

# --- without a network -----------------------------------------------------------------------------------------------

CLASSICAL = {  # way -> what it looks at, and what learns
    "nearest molecule": ("fingerprints", "nearest"),
    "descriptors, ridge": ("descriptors", "ridge"),
    "descriptors, forest": ("descriptors", "forest"),
    "fingerprints, ridge": ("fingerprints", "ridge"),
    "fingerprints, forest": ("fingerprints", "forest"),
    "both, ridge": ("both", "ridge"),
    "both, forest": ("both", "forest"),
}
INPUTS = ("descriptors", "fingerprints", "both")


def inputs_of(task: MoleculeTask, split: str, what: str) -> np.ndarray:
    """The descriptors, fingerprints, or both beside each other, of the molecules of a split: float64 N×D."""
    names = INPUTS[:2] if what == "both" else (what,)
    return np.concatenate([np.asarray(getattr(task, name)[split], float) for name in names], 1)


@dataclass(frozen=True)
class Ridged:
    """A linear function of standardised columns, of two classes with a sigmoid: what ``ridge`` returns."""

    weight: np.ndarray
    bias: float
    mean: np.ndarray
    scale: np.ndarray
    classes: bool

    def __call__(self, x) -> np.ndarray:
        z = standardised(x, self.mean, self.scale) @ self.weight + self.bias
        return 1 / (1 + np.exp(-z)) if self.classes else z

    @property
    def head(self) -> tuple[np.ndarray, float]:
        """Weights and bias for columns that are not standardised."""
        weight = self.weight / self.scale
        return weight, float(self.bias - self.mean @ weight)


def standardised(x, mean, scale) -> np.ndarray:
    """Columns minus their mean, in units of ``scale``; what is further away than 10 of these counts as 10."""
    return ((np.asarray(x, float) - mean) / scale).clip(-10, 10)


def ridge(train, y, val, y_val, *, classes: bool = False, penalties=PENALTIES) -> Ridged:
    """Least squares (of ``classes``: logistic regression) with an L2 penalty, as a function from inputs to answers.

    ``train`` and ``val`` are N×D. Columns are standardised on ``train``, but for bits, which are only centred; the
    penalty is the one that does best on ``val``.
    """
    train, y = np.asarray(train, float), np.asarray(y)
    mean, bits = train.mean(0), np.isin(train, (0, 1)).all(0)
    scale = np.where(bits | (train.std(0) == 0), 1, train.std(0))

    def learnt(penalty: float) -> Ridged:
        model = LogisticRegression(C=1 / penalty, max_iter=2000) if classes else Ridge(penalty)
        model.fit(standardised(train, mean, scale), y)
        return Ridged(model.coef_.reshape(-1), float(np.ravel(model.intercept_)[0]), mean, scale, classes)

    return best_on(val, y_val, map(learnt, penalties), classes)


def forest(train, y, val, y_val, seed: int, *, classes: bool = False) -> Callable[[np.ndarray], np.ndarray]:
    """A random forest, as ``ridge``; the size of its leaves and its choice of columns are those best on ``val``."""
    kind = RandomForestClassifier if classes else RandomForestRegressor

    def learnt(how: dict) -> Callable:
        model = kind(TREES, random_state=seed, **how).fit(train, y)
        return (lambda x: model.predict_proba(x)[:, 1]) if classes else model.predict

    return best_on(val, y_val, map(learnt, FORESTS), classes)


def nearest(train, y) -> Callable[[np.ndarray], np.ndarray]:
    """The label of the training molecule whose fingerprint is the most alike (Tanimoto): memory alone."""
    train, y = np.asarray(train, float), np.asarray(y, float)
    return lambda x: y[tanimoto(x, train).argmax(1)]


def tanimoto(a, b) -> np.ndarray:
    """``|A ∩ B| / |A ∪ B|`` of the bits of two sets of molecules, N×D and M×D: float64 N×M."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    both = a @ b.T
    return both / (a.sum(1)[:, None] + b.sum(1) - both).clip(1)


def best_on(val, y_val, ways, classes: bool) -> Callable:
    """Of some functions from inputs to answers the one with the least loss on validation molecules."""
    return min(ways, key=lambda way: loss_on(way(val), y_val, classes))


def loss_on(answers, y, classes: bool) -> float:
    """The squared error of numbers, or the log loss (nats) of probabilities of class 1."""
    answers, y = np.asarray(answers, float), np.asarray(y, float)
    if not classes:
        return float(((answers - y) ** 2).mean())
    p = np.where(y == 1, answers, 1 - answers).clip(1e-7)
    return float(-np.log(p).mean())


def classical(way: str, few: MoleculeTask, seed: int) -> Callable[[MoleculeTask, str], np.ndarray]:
    """A ``way`` of ``CLASSICAL`` after it learnt from a few molecules: a function of a task and a split."""
    what, learner = CLASSICAL[way]
    classes, y, y_val = few.kind == "classes", few.train.y.numpy(), few.val.y.numpy()
    train, val = inputs_of(few, "train", what), inputs_of(few, "val", what)
    if learner == "nearest":
        learnt = nearest(train, y)
    elif learner == "ridge":
        learnt = ridge(train, y, val, y_val, classes=classes)
    else:
        learnt = forest(train, y, val, y_val, seed, classes=classes)
    return lambda task, split: learnt(inputs_of(task, split, what))


def delaney(task: MoleculeTask, split: str) -> np.ndarray:
    """Solubility in log mol/L by the published formula, which needs no label of ours.

    Delaney, J Chem Inf Comput Sci 44 (2004), 1000, doi 10.1021/ci034243x: 0.16 − 0.63 logP − 0.0062 weight +
    0.066 rotatable bonds − 0.74 share of aromatic atoms. He fitted it to molecules of this very table.
    """
    names = ("Crippen logP", "molecular weight", "rotatable bonds")
    log_p, weight, rotatable = (task.descriptors[split][:, DESCRIPTORS.index(name)] for name in names)
    atoms = getattr(task, split).x[:, :, : len(ATOM_FEATURES)]
    there = (atoms[:, :, 0] > 0).sum(1)
    aromatic = ((atoms[:, :, ATOM_FEATURES.index("aromatic")] > 0).sum(1) / there).numpy()
    return 0.16 - 0.63 * log_p - 0.0062 * weight + 0.066 * rotatable - 0.74 * aromatic


# --- with a network --------------------------------------------------------------------------------------------------

NETWORKS = {  # way -> where its weights come from, and what trains
    "from scratch": ("random", "all"),
    "from scratch" + LONGER: ("random", "all"),
    "random features": ("random", "head"),
    "drawn, probe": ("drawn", "head"),
    "drawn, fine-tuned": ("drawn", "all"),
    "drawn, LP-FT": ("drawn", "head, then all"),  # probe first, then all weights
}
OF_ASSAYS = {"eleven assays, probe": ("assays", "head"), "eleven assays, LP-FT": ("assays", "head, then all")}
WAYS = ("mean", "Delaney's formula", *CLASSICAL, *NETWORKS)
LOSSES = {"number": "squared", "classes": "classes", "assays": "assays"}  # by the kind of the task


def falling_rate(progress: float) -> float:
    """The rate falls to 0."""
    return 1 - progress


def graph_net(start: str, outputs: int, seed: int) -> GraphNet:
    """A network with random weights, or with the embedded ones of drawn molecules; its head is untrained."""
    seed_everything(seed)
    return load_graph_net(outputs, quiet=True) if start == "drawn" else GraphNet(outputs)


def train_all(model: GraphNet, few: MoleculeTask, seed: int, *, lr: float, epochs: int) -> GraphNet:
    """``model`` with all its weights trained on a few molecules, at its best epoch on their validation molecules."""
    fit_graphs(model, few.train, few.val, loss=LOSSES[few.kind], lr=lr, epochs=epochs, batch_size=BATCH,
               schedule=falling_rate, seed=seed, progress=False)  # fmt: skip
    return model


def graph_features(model: GraphNet, x: Tensor) -> np.ndarray:
    """What the head reads of each molecule: float N×D."""
    with torch.no_grad():
        return torch.cat([model.eval().features(part) for part in x.split(256)]).numpy()


def probed(model: GraphNet, few: MoleculeTask) -> Ridged:
    """A ridge (of classes: logistic regression) on the frozen features of a network."""
    train, val = (graph_features(model, part.x) for part in (few.train, few.val))
    return ridge(train, few.train.y.numpy(), val, few.val.y.numpy(), classes=few.kind == "classes")


def with_probed_head(model: GraphNet, few: MoleculeTask) -> GraphNet:
    """``model`` whose head is the ridge on its frozen features, in place, so that fine-tuning starts where it ends.

    LP-FT: Kumar et al., ICLR 2022, arXiv 2202.10054. Numbers are standardised in ``fit_graphs``, hence the head, too.
    """
    weight, bias = probed(model, few).head
    if few.kind == "number":
        y = few.train.y.double().numpy()
        weight, bias = weight / y.std(), (bias - y.mean()) / y.std()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.weight[-1], model.head.bias[-1] = torch.from_numpy(weight), bias
    return model


def network_answers(trains: str, model: GraphNet, few: MoleculeTask, x: Tensor, seed: int, how: dict) -> np.ndarray:
    """Answers for ``x``: all weights are trained (``how`` has rate and epochs), or a ridge reads frozen features."""
    if trains == "head":
        return probed(model, few)(graph_features(model, x))
    if trains == "head, then all":
        with_probed_head(model, few)
    answers = predict_graphs(train_all(model, few, seed, **how), x, loss=LOSSES[few.kind])
    return (answers[:, 1] if few.kind == "classes" else answers).double().numpy()


def epochs_of(way: str, labels) -> int:
    """How long a network trains with so many labels."""
    return EPOCHS[labels] * (4 if way.endswith(LONGER) else 1)


def answers_of(way: str, task: MoleculeTask, few: MoleculeTask, split: str, labels, seed: int, lr: float | None = None):
    """Answers N of any way of ``WAYS`` for a split of ``task``; ``lr`` is by default the rate of ``SETTINGS``."""
    x = getattr(task, split).x
    if way == "mean":
        return np.full(len(x), float(few.train.y.double().mean()))
    if way == "Delaney's formula":
        return delaney(task, split)
    if way in CLASSICAL:
        return classical(way, few, seed)(task, split)
    start, trains = NETWORKS[way]
    how = {"lr": lr or rate_of(task.name, way, labels), "epochs": epochs_of(way, labels)} if trains != "head" else {}
    return network_answers(trains, graph_net(start, 1 if few.kind == "number" else 2, seed), few, x, seed, how)


def rate_of(name: str, way: str, labels) -> float:
    """The rate chosen for a set and so many labels: with all labels that of a hundred, for assays those of "bbbp"."""
    name = name.split()[0]
    return SETTINGS["bbbp" if name == "tox21" else name][way][20 if labels == 20 else 100]


def few_of(task: MoleculeTask, labels, seed: int) -> MoleculeTask:
    """So many training molecules with the validation molecules that go with them; "all" leaves the task as it is."""
    return task if labels == "all" else few_molecules(task, labels, seed=seed, val=VALIDATION[labels])


def molecule_scores(answers, y) -> dict[str, float]:
    """Of numbers RMSE, mean absolute error and R²; of two classes, by the probability of class 1, those of a screen."""
    answers, y = np.asarray(answers, float), np.asarray(y)
    if y.dtype.kind == "f":
        error = answers - y
        scores = {"RMSE": np.sqrt((error**2).mean()), "MAE": np.abs(error).mean()}
        return scores | {"R²": 1 - (error**2).sum() / ((y - y.mean()) ** 2).sum()}
    return {
        "auroc": auroc(y, answers),
        "average precision": average_precision(y, answers),
        "enrichment": enrichment(y, answers),
        "prevalence": y.mean(),
        "accuracy": ((answers > 0.5) == y).mean(),
        "log loss": loss_on(answers, y, True),
    }


def auroc(y, answers) -> float:
    """The area under the ROC curve, or NaN where all molecules are of one class."""
    from scipy.stats import rankdata

    y = np.asarray(y) == 1
    hits, others = int(y.sum()), int((~y).sum())
    if not hits or not others:
        return float("nan")
    return float((rankdata(answers)[y].sum() - hits * (hits + 1) / 2) / (hits * others))


# --- assays as sources -----------------------------------------------------------------------------------------------


def target_assay(task: MoleculeTask) -> str:
    """The assay that is the target: of all assays the one with the lower median share of hits, over all molecules."""
    y = torch.cat([task.train.y, task.val.y, task.test.y])
    return sorted(zip(y.nanmean(0).tolist(), task.classes, strict=True))[(len(task.classes) - 1) // 2][1]


def assay_network(task: MoleculeTask, names, seed: int, *, lr: float, epochs: int, rows=None) -> GraphNet:
    """A network that learnt the assays ``names`` from molecules of training, or from ``rows`` of all of them."""
    at = [task.classes.index(name) for name in names]
    x, y = task.train if rows is None else task.with_rows({"train": rows}).train
    known = y[:, at].isfinite().any(1)
    model = graph_net("random", len(at), seed)
    val = Split(task.val.x, task.val.y[:, at])
    fit_graphs(model, Split(x[known], y[known][:, at]), val, loss="assays", lr=lr, epochs=epochs,
               batch_size=2 * BATCH, schedule=falling_rate, seed=seed, progress=False)  # fmt: skip
    return model


def leaking_rows(task: MoleculeTask, seed: int) -> np.ndarray:
    """As many rows as training has, numbered through the task: all test molecules, and training molecules beside."""
    train, val, test = (len(part.y) for part in (task.train, task.val, task.test))
    kept = np.random.default_rng(seed).permutation(train)[: train - test]
    return np.concatenate([np.sort(kept), train + val + np.arange(test)])


def with_new_head(model: GraphNet, outputs: int, seed: int) -> GraphNet:
    """A copy of a trained network whose head is untrained."""
    model = copy.deepcopy(model)
    seed_everything(seed)
    model.head = torch.nn.Linear(model.width, outputs)
    model.mean, model.deviation = torch.zeros(outputs), torch.ones(outputs)
    return model


def alike_sources(task: MoleculeTask, target: str, few: MoleculeTask) -> dict[str, dict[str, float]]:
    """How alike each other assay is to the target, by what a reader with a few labels of it can know.

    ``"labels"``: the correlation (φ) of the two assays over the labelled molecules for which both are known; 0 where
    one of them has a single class there. ``"fingerprints"``: how like the labelled hits of the target are to the most
    alike hit of the source's training molecules (mean Tanimoto).
    """
    place = {smiles: k for k, smiles in enumerate(task.smiles["train"])}
    rows, y = [place[smiles] for smiles in few.smiles["train"]], few.train.y.double().numpy()
    hits, found = few.fingerprints["train"][y == 1], {"labels": {}, "fingerprints": {}}
    for k, name in enumerate(task.classes):
        if name == target:
            continue
        other = task.train.y[:, k].double().numpy()
        both = np.isfinite(other[rows])
        a, b = other[rows][both], y[both]
        flat = not len(a) or a.std() == 0 or b.std() == 0
        found["labels"][name] = 0.0 if flat else float(np.corrcoef(a, b)[0, 1])
        found["fingerprints"][name] = float(tanimoto(hits, task.fingerprints["train"][other == 1]).max(1).mean())
    return found


# --- the record ------------------------------------------------------------------------------------------------------

OURS = "drawn, LP-FT"
BEST_CLASSICAL = {"esol": "descriptors, ridge", "bbbp": "both, ridge"}  # on the tuning seeds, with 20 labels
ESOL = {"kind": "labels", "task": "esol", "split": "scaffold"}
BBBP = {"kind": "labels", "task": "bbbp", "split": "scaffold", "labels": 20}
TOX21 = {"kind": "assays", "task": "tox21", "split": "scaffold"}
BY_SCAFFOLD = ", scaffold split"  # of the same way, beside a random split
SOURCE = "eleven assays, LP-FT"
SECONDARY: dict[str, tuple] = {  # name -> ours, theirs, score, margin, keys of the rows
    "esol, classical": (OURS, BEST_CLASSICAL["esol"], "RMSE", 0.1, ESOL | {"labels": 20}),
    "esol, probe": ("drawn, probe", OURS, "RMSE", 0.1, ESOL | {"labels": 20}),
    "esol, scratch, 100": (OURS, "from scratch", "RMSE", 0.1, ESOL | {"labels": 100}),
    "esol, scratch, all": (OURS, "from scratch", "RMSE", 0.1, ESOL | {"labels": "all"}),
    "esol, classical, all": (OURS, BEST_CLASSICAL["esol"], "RMSE", 0.1, ESOL | {"labels": "all"}),
    "esol, split, all": (OURS, OURS + BY_SCAFFOLD, "RMSE", 0.1, ESOL | {"split": "random", "labels": "all"}),
    "bbbp, scratch": (OURS, "from scratch", "auroc", 0.03, BBBP),
    "bbbp, classical": (OURS, BEST_CLASSICAL["bbbp"], "auroc", 0.03, BBBP),
    "tox21, drawn, 20": (SOURCE, OURS, "auroc", 0.03, TOX21 | {"labels": 20}),
    "tox21, drawn, 100": (SOURCE, OURS, "auroc", 0.03, TOX21 | {"labels": 100}),
    "tox21, classical, 100": (SOURCE, BEST_CLASSICAL["bbbp"], "auroc", 0.03, TOX21 | {"labels": 100}),
    "tox21, leaked, 100": (SOURCE + ", leaked", SOURCE, "auroc", 0.03, TOX21 | {"labels": 100}),
}


def drug_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The secondary comparisons of ``benchmarks/molecules.py``, in its order, from ``Record("molecules", …)``."""
    found: dict[str, tuple[Interval, float]] = {}
    for name, (ours, theirs, score, margin, where) in SECONDARY.items():
        found[name] = record.over_cases(ours, theirs, score, data="real", **where), margin
    raw = [p_beyond(interval, margin, inf) for interval, margin in found.values()]
    return {
        name: BesideMargin(interval, margin, p, before)
        for (name, (interval, margin)), p, before in zip(found.items(), holm(raw), raw, strict=True)
    }
