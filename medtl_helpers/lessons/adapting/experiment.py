"""What lesson 08 and its benchmark share: all ways from one trained network to a target that has no labels.

Every way begins with the same network, trained on the source alone (``source_network``). What trains on does so for
``STEPS`` steps with both domains, and no way sees a label of the target but "ceiling". ``unlabelled_scores`` are what
may choose among the ways where there are no labels there.
"""

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ...data.shifts import SCANNERS
from ...data.tasks import Split, Task
from ...devices import seed_everything
from ...methods.adabn import adapt_batch_norm
from ...methods.align import coral, coral_loss, mmd_loss
from ...methods.aligned_training import fit_aligned
from ...methods.choosing import importance_weights, mean_entropy, weighted_validation
from ...methods.class_confusion import mcc_loss
from ...methods.collapse import CollapseWatch
from ...methods.dann import DANN
from ...methods.gradient_reversal import rate_schedule
from ...methods.intervals import corrected_t, holm, t_interval
from ...methods.label_shift import label_shift_weights, reweighted
from ...methods.margins import BesideMargin, p_beyond
from ...methods.matching import match_pixels
from ...methods.nets import CourseCNN
from ...methods.predict import predict, to_float
from ...methods.pseudo_labels import pseudo_label_loss
from ...methods.tent import tent
from ...methods.train import fit
from ...teaching.records import Record

ALIGNED: dict[str, Callable | None] = {  # ways that train on, and what they make small beside the source's loss
    "λ = 0": None,
    "DANN": None,  # its adversary
    "CORAL": coral_loss,
    "MMD": mmd_loss,
    "MCC": mcc_loss,
    "pseudo-labels": pseudo_label_loss,
}
STREAMED = {"AdaBN, batch by batch": 0.0, "TENT": None, "TENT, the paper's rate": 1e-3}  # None: that of ``SETTINGS``
CHEAP = ("source only", "normalised input", "AdaBN", *STREAMED, "CORAL, one map")
FINISHED = tuple(f"{way}, then AdaBN" for way in ALIGNED)  # their batch norm keeps statistics of both domains otherwise
WAYS = (*CHEAP, *ALIGNED, *FINISHED, "ceiling")
CANDIDATES = ("source only", "normalised input", "AdaBN", "TENT", "CORAL, one map", *FINISHED)  # to choose among
BATCH = {"white": 32}  # else 64; of a stream always 64
EPOCHS = {"smear": 15, "digits": 25, "white": 50, "hospitals": 80}  # of the source network: about 240 to 300 steps
STEPS = 48  # with both domains: three passes over 1,000 images
SETTINGS: dict[str, dict] = {  # rate, and weight of what is made small; chosen by ``benchmarks/adapting.py``
    "smear": {
        "source only": 3e-3,
        "TENT": 3e-2,
        "λ = 0": (1e-3, 0.0),
        "DANN": (1e-3, 1.0),
        "CORAL": (1e-3, 100.0),
        "MMD": (1e-3, 3.0),
        "MCC": (1e-3, 1.0),
        "pseudo-labels": (1e-3, 1.0),
    },
    "hospitals": {
        "source only": 1e-3,
        "TENT": 3e-2,
        "λ = 0": (1e-3, 0.0),
        "DANN": (1e-3, 1.0),
        "CORAL": (1e-3, 100.0),
        "MMD": (1e-3, 3.0),
        "MCC": (1e-3, 1.0),
        "pseudo-labels": (1e-3, 1.0),
    },
}


def settings_of(kind: str) -> dict:
    """The settings of a kind of data: those of images were chosen on drawn smears, for all kinds of images."""
    return SETTINGS["hospitals" if kind == "hospitals" else "smear"]


WIDTH = 32  # of the network for tables


# --- one network for all ways ----------------------------------------------------------------------------------------


def source_network(kind: str, source: Task, seed: int, *, rate: float | None = None) -> nn.Sequential:
    """Features and a linear head, trained on the source's labels alone, with batch norm."""
    seed_everything(seed)
    classes = len(source.classes)
    if kind == "hospitals":
        inputs = source.train.x.shape[1]
        layers = [nn.Linear(inputs, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU()]
        layers += [nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU()]
        features, width = nn.Sequential(*layers), WIDTH
    else:
        features, width = CourseCNN(3, 0, norm="batch"), 64
    model = nn.Sequential(features, nn.Linear(width, classes))
    how = {
        "epochs": EPOCHS.get(kind, EPOCHS["smear"]),
        "lr": rate or settings_of(kind)["source only"],
        "batch_size": BATCH.get(kind, 64),
    }
    fit(model, source.train, schedule=rate_schedule, seed=seed, progress=False, **how)
    return model


def adapted(way: str, kind: str, model: nn.Sequential, source: Task, target_x: Tensor, seed: int, *,
            rate: float | None = None, weight: float | None = None) -> nn.Module:  # fmt: skip
    """A copy of the source network after ``way``, which reads ``target_x`` without a label; ``mtl.predict`` takes it.

    ``rate`` and ``weight`` stand in for those of ``SETTINGS``. TENT, which answers on its way, is ``in_stream``.
    """
    model = copy.deepcopy(model)
    if way == "source only":
        return model
    if way == "normalised input":
        return nn.Sequential(as_in_source(kind, source.train.x, target_x), model).eval()
    if way == "AdaBN":
        return adapt_batch_norm(model, target_x)
    if way == "CORAL, one map":
        return one_map(model, source.train, target_x)
    default_rate, default_weight = settings_of(kind)[way]
    epochs, batch = further_epochs(kind, source.train), BATCH.get(kind, 64)
    how = {"epochs": epochs, "batch_size": batch, "lr": rate or default_rate, "seed": seed, "progress": False}
    weight = default_weight if weight is None else weight
    if way == "DANN":
        seed_everything(seed)
        network = DANN(model[0], model[1].in_features, model[1].out_features)
        network.head = model[1]
        network.fit(*source.train, target_x, lam_max=weight, **how)
        return network
    loss = ALIGNED[way] or coral_loss  # of λ = 0 any one: it counts nothing
    fit_aligned(model, *source.train, target_x, loss=loss, weight=weight, **how)
    return model


def further_epochs(kind: str, train: Split) -> int:
    """Passes over the source that make about ``STEPS`` steps."""
    return max(1, round(STEPS / -(-len(train.y) // BATCH.get(kind, 64))))


def target_ceiling(kind: str, model: nn.Sequential, target: Task, seed: int) -> nn.Module:
    """The source network after it learnt the *labels* of the target's training cases: what nobody here has."""
    model, batch = copy.deepcopy(model), BATCH.get(kind, 64)
    epochs = max(1, round(STEPS / -(-len(target.train.y) // batch)))
    fit(model, target.train, epochs=epochs, batch_size=batch, lr=settings_of(kind)["λ = 0"][0], seed=seed,
        schedule=rate_schedule, progress=False)  # fmt: skip
    return model


def as_in_source(kind: str, source_x: Tensor, target_x: Tensor) -> nn.Module:
    """A fixed layer after which the target has the source's statistics: colours of pixels, or columns of a table."""
    if kind != "hospitals":
        return match_pixels(source_x, target_x, covariance=True)
    scale = source_x.std(0) / target_x.std(0).clamp_min(1e-6)
    layer = nn.Linear(len(scale), len(scale)).requires_grad_(False)
    layer.weight.copy_(scale.diag())
    layer.bias.copy_(source_x.mean(0) - scale * target_x.mean(0))
    return layer


def features_in(model: nn.Module, x) -> Tensor:
    """Features N×D: what goes into the last linear layer of a network of this lesson, in eval mode."""
    while isinstance(model, nn.Sequential) and isinstance(model[-1], nn.Sequential):  # the input is normalised
        x, model = model[0](to_float(x)), model[-1]
    features = model.features if isinstance(model, DANN) else model[0]
    with torch.inference_mode():
        return torch.cat([features.eval()(to_float(part)) for part in x.split(256)]).clone()


def one_map(model: nn.Sequential, train: Split, target_x: Tensor) -> nn.Sequential:
    """CORAL in one map: a new head, a logistic regression on the source's features with the target's covariance."""
    from sklearn.linear_model import LogisticRegression

    here, there = features_in(model, train.x), features_in(model, target_x)
    scale = here.std(0).clamp_min(1e-6)
    head = LogisticRegression(max_iter=300).fit(coral(here / scale, there / scale).numpy(), train.y.numpy())
    weight, bias = torch.tensor(head.coef_), torch.tensor(head.intercept_)
    if len(weight) == 1:  # two classes
        weight, bias = torch.cat([torch.zeros_like(weight), weight]), torch.cat([torch.zeros_like(bias), bias])
    layer = nn.Linear(here.shape[1], len(weight)).requires_grad_(False)
    layer.weight.copy_(weight / scale)
    layer.bias.copy_(bias)
    return nn.Sequential(model[0], layer).eval()


# --- streams ---------------------------------------------------------------------------------------------------------


def in_stream(model: nn.Module, x: Tensor, order: Tensor, **how) -> tuple[nn.Module, np.ndarray]:
    """A copy of ``model`` after TENT on ``x`` in this order, and what it answered on the way, in the rows' own order.

    ``how`` are arguments of ``mtl.tent``.
    """
    model = copy.deepcopy(model)
    given = tent(model, x[order], **how).numpy()
    said = np.empty_like(given)
    said[order.numpy()] = given
    return model, said


def random_order(n: int, seed: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def sorted_order(y: Tensor, seed: int) -> Tensor:
    """One class after the other, the classes in an order of their own for each seed."""
    rank = random_order(int(y.max()) + 1, seed)
    return torch.argsort(rank[y], stable=True)


def drifting(x: Tensor, device: str, seed: int, *, to: float = 1.0, parts: int = 20) -> Tensor:
    """Images of the source, seen by a device that moves away from it: strength 0 for the first, ``to`` for the last."""
    steps = zip(x.chunk(parts), np.linspace(0, to, parts), strict=True)
    return torch.cat([SCANNERS[device](part, float(s), seed=1000 * seed + k) for k, (part, s) in enumerate(steps)])


def another_mix(y: Tensor, seed: int, *, classes: int, frequent: float = 0.8) -> Tensor:
    """Rows of test cases in which two classes, drawn by ``seed``, make up the share ``frequent``, in random order."""
    rng = np.random.default_rng(seed)
    two = rng.choice(classes, 2, replace=False)
    often = np.isin(y.numpy(), two)
    rare = rng.permutation(np.flatnonzero(~often))[: round(often.sum() * (1 - frequent) / frequent)]
    return torch.as_tensor(rng.permutation(np.concatenate([np.flatnonzero(often), rare])))


def corrected_by_bbse(model: nn.Module, val: Split, probability: np.ndarray) -> np.ndarray:
    """BBSE: answers to the target with the mix of classes that they themselves tell; ``model`` reads ``val``."""
    weights = label_shift_weights(predict(model, val.x).numpy(), val.y.numpy(), probability)
    return reweighted(probability, weights)


# --- what may choose where there are no labels -----------------------------------------------------------------------

RULES = ("source validation", "target entropy", "entropy and balance", "weighted validation", "DEV")


def unlabelled_scores(model: nn.Module, source: Task, target_x: Tensor) -> dict[str, float]:
    """What a way's network shows without a label of the target, of each the lower the better (nats).

    "source validation" is the log loss on the source's validation cases. "target entropy" is the mean entropy of the
    answers to the target; "entropy and balance" takes away the entropy of their mean, which is 0 where all are the
    same. "weighted validation" and "DEV" weigh the source's validation cases by how much they look like the target, in
    the features of this network, of at most 500 training cases of each domain.
    """
    val, there = (predict(model, x).double().clamp_min(1e-7).numpy() for x in (source.val.x, target_x))
    losses = -np.log(val[np.arange(len(val)), source.val.y])
    mean, sure = there.mean(0), mean_entropy(there / there.sum(1, keepdims=True))
    features = [features_in(model, x).numpy() for x in (source.train.x[:500], target_x[:500], source.val.x)]
    weights = importance_weights(*features)
    return {
        "source validation": losses.mean(),
        "target entropy": sure,
        "entropy and balance": sure + (mean * np.log(mean)).sum(),
        "weighted validation": weighted_validation(losses, weights),
        "DEV": weighted_validation(losses, weights, dev=True),
    }


def watch_for(model: nn.Module, source: Task, **how) -> CollapseWatch:
    """The watch of the streams: the mix of classes is expected to be that of the source's training cases."""
    mix = np.bincount(source.train.y, minlength=len(source.classes)) / len(source.train.y)
    return CollapseWatch(model, mix, **how)


# --- the record ------------------------------------------------------------------------------------------------------

CHOSEN = {rule: f"chosen by {rule}" for rule in RULES}
HINDSIGHT = "best on target labels"


def with_choices(rows: list[dict]) -> list[dict]:
    """What each rule would have chosen among the candidates of one setting, seed by seed: rows for the record.

    ``rows`` are those of all candidates, with one value per seed in each score. "regret" is what the best way in
    hindsight is better by; "best on target labels" chooses by the even test cases and is judged on the odd ones.
    """
    main = "balanced accuracy"
    table = {score: np.array([row["scores"][score] for row in rows]) for score in (main, f"{main}, even cases",
             f"{main}, odd cases", *RULES)}  # fmt: skip
    best, seeds = table[main].max(0), np.arange(table[main].shape[1])
    keys = {key: value for key, value in rows[0].items() if key not in ("way", "scores")}
    found = []
    for rule, way in CHOSEN.items():
        at = table[rule].argmin(0)
        scores = {main: table[main][at, seeds], "regret": best - table[main][at, seeds]}
        found.append(keys | {"way": way, "scores": scores, "chosen": [rows[k]["way"] for k in at]})
    at = table[f"{main}, even cases"].argmax(0)
    scores = {
        main: table[f"{main}, odd cases"][at, seeds],
        "score that it was chosen by": table[f"{main}, even cases"][at, seeds],
        "best of all": best,
    }
    found.append(keys | {"way": HINDSIGHT, "scores": scores, "chosen": [rows[k]["way"] for k in at]})
    for way in found:
        way["scores"] = {name: [round(float(value), 4) for value in values] for name, values in way["scores"].items()}
    return found


MARGIN, WIDE = 0.02, 0.05  # on phantoms, where test images are free; on real data, and of streams
TEST_SHARE = {"digits": 200 / 600, "hospitals": 0.25 / 0.6}  # n_test / n_train of splits that overlap
DEVICES = {"kind": "smear", "shift": "scanners B and C", "strength": 0.5}
HARD = DEVICES | {"strength": 1.0}
WAVES = {"kind": "texture", "shift": "waves", "strength": 0.6}
STREAMS = {where: {"kind": "stream", "shift": where} for where in ("home", "scanner C")}
SETTINGS_OF_KINDS = {"smear": DEVICES, "texture": WAVES, "digits": {"kind": "digits"},
                     "white": {"kind": "white", "data": "real"}, "hospitals": {"kind": "hospitals"}}  # fmt: skip


def gain_over(record: Record, ours: str, theirs: str, where: dict, score: str = "balanced accuracy"):
    """The interval of ours − theirs, over what varies there, and its degrees of freedom; of hospitals all pairs' mean.

    New phantoms for each seed: t over seeds. Splits of one table or of one set of digits: corrected t. White cells,
    which are given once: seeds and cells (``two_level``).
    """
    kind = where["kind"]
    if kind == "white":
        return record.over_cases(ours, theirs, score, **where), float("inf")
    if kind == "hospitals":
        pairs = [dict(zip(("source", "target"), pair, strict=True)) for pair in record.values("source", "target")]
        each = [record.scores(ours, score, **pair) - record.scores(theirs, score, **pair) for pair in pairs]
        values = np.mean(each, axis=0)
    else:
        mine, other = (record.scores(way, score, **where) for way in (ours, theirs))
        n = min(len(mine), len(other))  # ways that train have the first seeds alone
        values = mine[:n] - other[:n]
    share = TEST_SHARE.get(kind)
    interval = t_interval(values, kind="t over seeds, paired") if share is None else corrected_t(values, share)
    return interval, len(values) - 1


def _beside_margins(found: dict) -> dict[str, BesideMargin]:
    """name → ((interval, degrees of freedom), margin) to the comparisons, their p-values corrected together (Holm)."""
    raw = [p_beyond(interval, margin, df) for (interval, df), margin in found.values()]
    return {
        name: BesideMargin(interval, margin, p, before)
        for (name, ((interval, _), margin)), p, before in zip(found.items(), holm(raw), raw, strict=True)
    }


SECONDARY: dict = {  # ours, theirs, where, margin, score where it is another one
    "the gradient alone": ("TENT", "AdaBN, batch by batch", DEVICES, MARGIN),
    "harder devices": ("TENT", "AdaBN", HARD, MARGIN),
    "waves": ("TENT", "AdaBN", WAVES, MARGIN),
    "TENT − source only": ("TENT", "source only", DEVICES, MARGIN),
    **{way: (way, "AdaBN", DEVICES, MARGIN) for way in FINISHED},
    **{
        f"{name}{at_home}": ("TENT", "source only", STREAMS[where] | stream, WIDE)
        for name, stream in {
            "sorted": {"stream": "sorted", "batch": 64},
            "batches of 4": {"stream": "random", "batch": 4},
        }.items()
        for where, at_home in (("scanner C", ""), ("home", ", at home"))
    },
}


def adapting_comparisons(record: Record) -> dict[str, BesideMargin]:
    """The secondary comparisons of ``benchmarks/adapting.py``, from ``Record("adapting", stage="report")``."""
    return _beside_margins(
        {
            name: (gain_over(record, ours, theirs, where, *score), margin)
            for name, (ours, theirs, where, margin, *score) in SECONDARY.items()
        }
    )


def gains(record: Record, **where) -> dict[tuple[str, str], BesideMargin]:
    """Each way − source only for each kind of data: a family of its own, told, whose p-values are corrected together.

    ``where`` may name a ``kind`` to tell alone.
    """
    found: dict = {}
    for kind, keys in SETTINGS_OF_KINDS.items():
        if kind == where.get("kind", kind):
            margin = MARGIN if kind in ("smear", "texture") else WIDE
            known = record.values("way", **keys)
            for way in WAYS[1:]:
                if way in known:
                    found[kind, way] = gain_over(record, way, "source only", keys), margin
    return _beside_margins(found)


def settings_in_hindsight(record: Record, kind: str = "smear") -> dict[str, tuple[float, float]]:
    """The score in the target of each way at its setting, and at the one that target labels would have chosen.

    Means over the tuning seeds, from ``Record("adapting", stage="tuning")``; of what trains, with AdaBN behind it.
    """
    found = {}
    for way in ("TENT", *ALIGNED):
        where = {"kind": kind, "finish": "AdaBN" if way in ALIGNED else "as trained"}
        settings = {(rate, weight): [] for rate, weight in record.values("rate", "weight", way=way, **where)}
        for rate, weight in settings:
            keys = where | {"rate": rate, "weight": weight}
            pairs = record.values("source", "target", way=way, **keys) or [()]
            for pair in pairs:
                more = dict(zip(("source", "target"), pair, strict=False))
                settings[rate, weight] += list(record.scores(way, "balanced accuracy", **keys, **more))
        means = {setting: float(np.mean(values)) for setting, values in settings.items()}
        ours = settings_of(kind)[way]
        found[way] = means[(ours, 0.0) if way == "TENT" else tuple(ours)], max(means.values())
    return found
