"""What lesson 09 and its benchmark share: every way to name a splice site, with no label or with few.

All ways answer with probabilities N×3 of donor, acceptor and neither, and all know how frequent these are (``PRIOR``):
few labels are drawn with as many of each class, and what is trained on them weighs the classes by it.
"""

import copy
from math import inf

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import Tensor, nn

from ...data.sequences import reverse_complement
from ...data.splice_sites import published_frequencies
from ...data.tasks import Split
from ...devices import seed_everything
from ...methods.finetune import fine_tune, lp_ft, probe
from ...methods.intervals import Interval, corrected_t, holm, t_interval
from ...methods.kmers import kmer_counts, weighted_degree_kernel
from ...methods.losses import L2SP, snapshot
from ...methods.margins import BesideMargin, p_beyond
from ...methods.nets import CourseCNN, StagedNet
from ...methods.position_weights import position_scores, position_weights
from ...methods.predict import predict
from ...methods.sequence_nets import SequenceCNN
from ...methods.sequence_weights import load_splice_cnn
from ...methods.train import fit
from ...methods.weights import load_backbone
from ...teaching.records import Record

LABELS = (5, 30, 100)  # of each class
PRIOR = (0.25, 0.25, 0.5)  # of donors, acceptors and neither: known to every way
WEIGHT = [3 * share for share in PRIOR]
JUNCTION = 30  # the first base after it
BATCH = 32
SETTINGS: dict[str, dict[int, dict]] = {  # by way and labels of each class; chosen on seeds that are not reported
    "L2-SP": {5: {"lr": 0.0003, "steps": 240, "lam": 0.01}, 100: {"lr": 3e-05, "steps": 240, "lam": 0.01}},
    "LP-FT": {5: {"lr": 0.0003, "steps": 60}, 100: {"lr": 3e-05, "steps": 240}},
    "fine-tuned": {5: {"lr": 0.0001, "steps": 60}, 100: {"lr": 0.0001, "steps": 60}},
    "fine-tuned, new head": {5: {"lr": 0.0003, "steps": 60}, 100: {"lr": 0.0001, "steps": 240}},
    "from scratch": {5: {"lr": 0.003, "steps": 60}, 100: {"lr": 0.003, "steps": 240}},
    "image network": {5: {"lr": 0.0003, "steps": 60}},
    "image network, pre-trained": {5: {"lr": 0.001, "steps": 60}},
    "k-mers": {5: {"k": 2, "c": 0.01}, 100: {"k": 4, "c": 0.001}},
    "masked bases, fine-tuned": {5: {"lr": 0.003, "steps": 60}, 100: {"lr": 0.003, "steps": 240}},
    "masked bases, probe": {5: {"lr": 0.01, "steps": 60}, 100: {"lr": 0.01, "steps": 240}},
    "one-hot regression": {5: {"c": 0.1}, 100: {"c": 0.03}},
    "position weights": {5: {"pseudo": 100.0}, 100: {"pseudo": 0.3}},
    "probe": {5: {"lr": 0.001, "steps": 60}, 100: {"lr": 0.003, "steps": 240}},
    "published table, regression": {5: {"c": 1.0}, 100: {"c": 10.0}},
    "published table, updated": {5: {"pseudo": 1000.0}, 100: {"pseudo": 1000.0}},
    "random features": {5: {"lr": 0.001, "steps": 60}, 100: {"lr": 0.01, "steps": 240}},
    "small, 4 × as long": {5: {"lr": 0.0003, "steps": 240}, 100: {"lr": 0.003, "steps": 960}},
    "small, from scratch": {5: {"lr": 0.0003, "steps": 60}, 100: {"lr": 0.003, "steps": 240}},
    "weighted-degree kernel": {5: {"degree": 8, "c": 10.0}, 100: {"degree": 8, "c": 1.0}},
}


# --- without a label -------------------------------------------------------------------------------------------------


def two_letter_rule(x: Tensor) -> np.ndarray:
    """GT after the junction: a donor; else AG before it: an acceptor; else neither (Breathnach, Chambon 1981).

    The rule has no probabilities; its answer gets 0.9 and the two others 0.05 each.
    """
    base = x.argmax(1)
    donor = (base[:, JUNCTION] == 2) & (base[:, JUNCTION + 1] == 3)
    acceptor = (base[:, JUNCTION - 2] == 0) & (base[:, JUNCTION - 1] == 2)
    answer = torch.where(donor, 0, torch.where(acceptor, 1, 2))
    return (0.05 + 0.85 * F.one_hot(answer, 3)).double().numpy()


def table_scores(x: Tensor) -> np.ndarray:
    """Log-likelihoods N×3 by the published position frequencies, and 1/4 for every base where these say nothing."""
    return position_scores(x, published_frequencies(x.shape[2])).double().numpy()


def with_prior(log_likelihood) -> np.ndarray:
    """Probabilities by Bayes' rule with ``PRIOR``."""
    logits = np.asarray(log_likelihood, float) + np.log(PRIOR)
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


# --- with few labels, and no network ---------------------------------------------------------------------------------


def scaled_regression(features, y, new, c: float) -> np.ndarray:
    weight = dict(enumerate(WEIGHT))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, class_weight=weight, max_iter=2000))
    return model.fit(features, y).predict_proba(new)


def kmer_regression(few: Split, x, *, k: int, c: float) -> np.ndarray:
    return scaled_regression(kmer_counts(few.x, k).numpy(), few.y.numpy(), kmer_counts(x, k).numpy(), c)


def one_hot_regression(few: Split, x, *, c: float) -> np.ndarray:
    weight = dict(enumerate(WEIGHT))
    model = LogisticRegression(C=c, class_weight=weight, max_iter=2000)
    return model.fit(few.x.flatten(1).numpy(), few.y.numpy()).predict_proba(x.flatten(1).numpy())


def weighted_degree(few: Split, x, *, degree: int, c: float) -> np.ndarray:
    """A support-vector machine; the softmax of its decision values stands for probabilities, which it has not."""
    model = SVC(C=c, kernel="precomputed", class_weight=dict(enumerate(WEIGHT)), decision_function_shape="ovr")
    model.fit(weighted_degree_kernel(few.x, few.x, degree).numpy(), few.y.numpy())
    values = model.decision_function(weighted_degree_kernel(x, few.x, degree).numpy())
    return torch.softmax(torch.from_numpy(values), 1).numpy()


def from_counts(few: Split, x, *, pseudo: float, prior=None) -> np.ndarray:
    """A position-weight matrix of the few labels, or of these and the published table."""
    return with_prior(position_scores(x, position_weights(few.x, few.y, 3, pseudo, prior)).double())


def published_regression(few: Split, x, *, c: float) -> np.ndarray:
    here, there = (table_ratios(part) for part in (few.x, x))
    return scaled_regression(here, few.y.numpy(), there, c)


def table_ratios(x: Tensor) -> np.ndarray:
    """N×2: log-odds of donor and acceptor against neither, by the published table."""
    scores = table_scores(x)
    return scores[:, :2] - scores[:, 2:]


# --- with few labels, and a network ----------------------------------------------------------------------------------


def train_way(model: nn.Module, way: str, few: Split, seed: int, *, lr: float, steps: int, lam: float = 0.0, **more):
    """``model`` after ``steps`` steps of one of these ways, in place; "fit" trains everything at one rate."""
    epochs = -(-steps // -(-len(few.y) // BATCH))
    how = {"epochs": epochs, "batch_size": BATCH, "seed": seed, "class_weight": WEIGHT, "progress": False} | more
    if lam:
        l2_sp = L2SP(snapshot(model))
        how["penalty"] = lambda net: lam * l2_sp(net)
    if way == "probe":
        probe(model, few, lr=lr, **how)
    elif way == "lp_ft":
        lp_ft(model, few, lr=lr, probe_epochs=100, probe_lr=1e-2, **how)
    elif way == "fine_tune":
        fine_tune(model, few, lr=lr, **how)
    elif way == "last stage":
        fine_tune(model, few, lr=lr, frozen_upto="layer3", **how)
    else:
        fit(model, few, lr=lr, **how)
    return model


def as_picture(x: Tensor) -> Tensor:
    """uint8 N×3×32×60: the sequence as the web shows it to an image network, each row of a base eight pixels high."""
    return (255 * x).round().byte().repeat_interleave(8, 1)[:, None].expand(-1, 3, -1, -1).contiguous()


def reversed_with_label(x: Tensor, generator: torch.Generator) -> Tensor:
    """Each sequence or its reverse complement, by chance; the label stays: augmentation as found."""
    turned = torch.rand(len(x), 1, 1, generator=generator) < 0.5
    return torch.where(turned.to(x.device), reverse_complement(x), x)


def with_reversed_as_neither(few: Split) -> Split:
    """Their reverse complements as further examples of neither: a site read from the wrong strand is none."""
    return Split(torch.cat([few.x, reverse_complement(few.x)]), torch.cat([few.y, torch.full_like(few.y, 2)]))


def starting_network(
    start: str, seed: int, drawn: StagedNet | None = None, masked: StagedNet | None = None
) -> nn.Module:
    """A network to be trained: ``start`` names where its weights come from."""
    seed_everything(seed)
    if start == "drawn":
        return copy.deepcopy(drawn) if drawn else load_splice_cnn(quiet=True)
    if start == "drawn, new head":
        model = copy.deepcopy(drawn) if drawn else load_splice_cnn(quiet=True)
        model.head = nn.Linear(model.width, 3)
        return model
    if start == "masked":
        model = copy.deepcopy(masked)
        model.head = nn.Linear(model.width, 3)
        return model
    if start == "image":
        return CourseCNN(3, 3)
    if start == "image, pre-trained":
        return load_backbone("resnet", 3, weights="embedded", quiet=True)
    return SequenceCNN(3, width=8 if start == "small" else 32)


NETWORKS = {  # way -> where its weights come from, and how it is trained
    "fine-tuned": ("drawn", "fine_tune"),
    "fine-tuned, new head": ("drawn, new head", "fine_tune"),
    "probe": ("drawn, new head", "probe"),
    "L2-SP": ("drawn", "fine_tune"),
    "LP-FT": ("drawn, new head", "lp_ft"),
    "random features": ("random", "probe"),
    "from scratch": ("random", "fit"),
    "small, from scratch": ("small", "fit"),
    "small, 4 × as long": ("small", "fit"),
    "masked bases, fine-tuned": ("masked", "fine_tune"),
    "masked bases, probe": ("masked", "probe"),
    "image network": ("image", "fit"),
    "image network, pre-trained": ("image, pre-trained", "last stage"),
}
CLASSICAL = {
    "k-mers": kmer_regression,
    "one-hot regression": one_hot_regression,
    "weighted-degree kernel": weighted_degree,
    "position weights": from_counts,
    "published table, regression": published_regression,
    "published table, updated": lambda few, x, **how: from_counts(
        few, x, prior=published_frequencies(x.shape[2]), **how
    ),
}


def settings(way: str, n: int) -> dict:
    """How a way learns from ``n`` labels of each class: as was chosen for five, or for a hundred."""
    return SETTINGS[way][5 if n < 30 else 100]


def splice_answers(way: str, few: Split, x: Tensor, seed: int, how: dict, **starts) -> np.ndarray:
    """Probabilities N×3 for ``x`` of a ``way`` with few labels, by the settings ``how``."""
    if way in CLASSICAL:
        return CLASSICAL[way](few, x, **how)
    start, trains = NETWORKS[way]
    if start.startswith("image"):
        few, x = Split(as_picture(few.x), few.y), as_picture(x)
    model = train_way(starting_network(start, seed, **starts), trains, few, seed, **how)
    return predict(model, x).double().numpy()


def splice_scores(p: np.ndarray, y) -> dict[str, float]:
    """Accuracy, balanced accuracy, log loss (nats), macro AUROC, and the share found of each class."""
    y, answer = np.asarray(y), p.argmax(1)
    found = [(answer[y == k] == k).mean() for k in range(3)]
    return {
        "accuracy": (answer == y).mean(),
        "balanced accuracy": np.mean(found),
        "log loss": -np.log(p[np.arange(len(y)), y].clip(1e-7)).mean(),
        "macro auroc": roc_auc_score(np.eye(3)[y], p, average="macro"),
        **dict(zip(("donors found", "acceptors found", "neither found"), found, strict=True)),
    }


# --- the record ------------------------------------------------------------------------------------------------------


def secondary_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The nine secondary comparisons of ``benchmarks/sequences.py``, in its order."""

    def beside(theirs: str, sign: int = 1) -> Interval:
        found = record.over_cases("fine-tuned", theirs, data="real", kind="labels", labels=5)
        low, high = sorted((sign * found.low, sign * found.high))
        return Interval(sign * found.value, low, high, found.kind, found.n, found.level)

    def of_gc(content: float):
        return record.scores("drawn sites, zero-shot", data="twin", kind="gc", content=content)

    split = record.row("from scratch", "optimism", kind="copies")
    found = {
        "position weights": (beside("position weights"), 0.05, inf),
        "published table": (beside("published table"), 0.02, inf),
        "published table, regression": (beside("published table, regression"), 0.02, inf),
        "drawn sites, zero-shot": (beside("drawn sites, zero-shot"), 0.02, inf),
        "masked bases, probe": (beside("masked bases, probe"), 0.05, inf),
        "donors only": (beside("fine-tuned, donors only", -1), 0.02, inf),
        "reversed": (beside("fine-tuned, reversed", -1), 0.02, inf),
        "gc": (t_interval(of_gc(0.65) - of_gc(0.5)), 0.02, len(record.seeds) - 1),
        "copies": (corrected_t(split["scores"]["optimism"], split["test share"]), 0.02, len(record.seeds) - 1),
    }
    p = holm([p_beyond(*one) for one in found.values()])
    return {name: BesideMargin(one[0], one[1], p) for (name, one), p in zip(found.items(), p, strict=True)}
