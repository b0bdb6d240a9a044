"""From one hospital's heart-disease table to another's: the experiment of notebooks 01 and 01b, on softmax regression.

The model is deliberately the smallest: one linear layer to two logits. Its objective is convex for all four
penalties, so what is compared is what each R asks for, not how well an optimiser found it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from ...data.tables import COLUMNS, columns
from ...data.tasks import Task, split_table
from ...methods.calibration import recalibrate_intercept, recalibrate_slope
from ...methods.fisher import fisher_diagonal
from ...methods.intervals import Interval, corrected_t, holm, t_test
from ...methods.losses import EWC, L2SP, FeatureDistillation, SourceReplay, snapshot, transfer_loss
from ...methods.optimise import minimise
from ...teaching.records import Record

LAMBDAS = [10.0**k for k in np.arange(-3, 2.6, 0.5)]
SOURCE_L2 = 1e-2  # plain L2 of the source model, fixed beforehand
SCRATCH = "target only"  # plain L2 to zero: what is left of L2-SP without a source
FREE = "target only (free intercept)"  # the hospital may say freely how common the disease is
METHODS = (SCRATCH, "L2-SP", "EWC", "replay", "distillation")
# what to try before any weight is adapted
SOURCE_ONLY = "source only"  # no label, nothing of the target
Z_SCORED = "z-scored"  # no label: the target's unlabelled patients say how to scale it
INTERCEPT = "recalibrated (intercept)"  # one number from the labels
SLOPE = "recalibrated (intercept and slope)"  # two numbers
PRIOR = "prior answer"  # no model: the share of the sick among the labelled, for everybody
CHEAP = (SOURCE_ONLY, Z_SCORED, INTERCEPT, SLOPE, PRIOR)
SCORES = ("log loss", "balanced accuracy", "auroc")
SECONDARY = [  # (way, hospital, labels): the comparisons with the untouched source that are corrected together
    (Z_SCORED, "hungary", 10),
    (Z_SCORED, "va", 10),
    ("L2-SP", "hungary", 10),
    ("L2-SP", "va", 10),
    ("L2-SP", "hungary", 80),
    ("L2-SP", "va", 80),
    (INTERCEPT, "hungary", 80),
    (INTERCEPT, "va", 80),
]
MARGIN = 0.02  # nats of log loss: a difference that matters
TEST = 0.4  # share of a hospital's patients that is held for the test
TEST_SHARE = TEST / (1 - TEST)  # n_test / n_train of ``corrected_t``; n_train: all patients that are not tested


@dataclass
class Source:
    """A hospital whose patients and model are there before the target's first label is."""

    x: Tensor  # float32 N×10, imputed and standardised
    y: Tensor  # int64 N
    model: nn.Linear
    pipeline: object  # imputation and scaling, fitted on the source only

    def prepare(self, frame) -> Tensor:
        """A hospital's table as float32 N×10, imputed and scaled with the *source's* medians, means and deviations.

        A column without any value becomes the source's median. Raises ValueError for a table without one of
        ``COLUMNS``, or with anything but finite numbers and NaN (missing) in it.
        """
        return prepared(self.pipeline, frame)


def own_scale(frame):
    """Imputation and scaling with a hospital's *own* medians, means and deviations, which need no label.

    ``prepared(own_scale(unlabelled), frame)`` is ``frame`` z-scored. A column without any value becomes zero.
    """
    impute = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(impute, StandardScaler()).fit(columns(frame))


def prepared(pipeline, frame) -> Tensor:
    """A hospital's table as float32 N×10, imputed and scaled by ``pipeline``."""
    return torch.tensor(pipeline.transform(columns(frame)), dtype=torch.float32)


def new_model() -> nn.Linear:
    """Softmax regression from 10 columns to 2 logits, all weights zero (convex: the start does not matter)."""
    model = nn.Linear(len(COLUMNS), 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model


def plain_l2() -> L2SP:
    """R = ½‖θ‖²: what is left of L2-SP when there is no source."""
    return L2SP({name: torch.zeros_like(p) for name, p in snapshot(new_model()).items()})


def free_intercept_l2(model: nn.Module) -> Tensor:
    """R = ½‖weights‖²: plain L2 of a hospital on its own, which may say freely how common the disease is."""
    return model.weight.square().sum() / 2


def train_source(task: Task) -> Source:
    """Impute, scale and fit all rows of one hospital.

    Raises ValueError as ``prepare`` does, and for a column without a single value, whose median nobody knows, and for
    labels other than 0 and 1, both.
    """
    x, y = task.all_rows
    if set(np.unique(y)) != {0, 1}:
        raise ValueError(f"The labels of {task.name} are {np.unique(y).tolist()}: give 0 and 1, both and no other.")
    x = columns(x)
    if x.isna().all().any():
        raise ValueError(
            f"The column(s) {', '.join(x.columns[x.isna().all()])} of {task.name} hold no value at all, "
            "so they have no median: take another hospital as the source."
        )
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit(x)
    source = Source(torch.empty(0), torch.as_tensor(y), new_model(), pipeline)
    source.x = source.prepare(x)
    minimise(lambda: transfer_loss(source.model, source.x, source.y, plain_l2(), SOURCE_L2), source.model.parameters())
    return source


def four_penalties(source: Source) -> dict[str, Callable[[Tensor], Callable]]:
    """The four R by name, each as a function of the target's training inputs (only distillation looks at them).

    In a linear model the features are the logits. Then all four measure how far θ went from θ⁰ and differ only in
    the ruler: none (L2-SP), the source's Fisher diagonal (EWC), the source's loss itself (replay), or how much the
    logits of the target's patients moved (distillation).
    """
    theta0 = snapshot(source.model)
    fisher = fisher_diagonal(source.model, source.x)
    return {
        "L2-SP": lambda x: L2SP(theta0),
        "EWC": lambda x: EWC(theta0, fisher),
        "replay": lambda x: SourceReplay(source.x, source.y),
        "distillation": lambda x: FeatureDistillation(lambda model, x: model(x), source.model, x),
    }


def fit_target(source: Source, penalty: Callable, x: Tensor, y: Tensor, lam: float) -> nn.Linear:
    """Minimise L + λR on the target's labelled patients, from the source's weights."""
    model = copy.deepcopy(source.model)
    minimise(lambda: transfer_loss(model, x, y, penalty, lam), model.parameters(), steps=60)
    return model


@torch.no_grad()
def log_loss(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Mean cross-entropy in nats."""
    return F.cross_entropy(model(x), y).item()


@torch.no_grad()
def disease_logit(model: nn.Module, x: Tensor) -> Tensor:
    """What the model says of each patient, float64 N: the logit of disease minus that of health."""
    logits = model(x).double()
    return logits[:, 1] - logits[:, 0]


def scores_of_logit(logit: Tensor, y: Tensor) -> dict[str, float]:
    """Log loss (nats), balanced accuracy at one half and AUROC of a logit of disease (float64 N)."""
    return {
        "log loss": float(F.binary_cross_entropy_with_logits(logit, y.double())),
        "balanced accuracy": float(balanced_accuracy_score(y, logit > 0)),
        "auroc": float(roc_auc_score(y, logit)),
    }


def scores(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Log loss (nats), balanced accuracy and AUROC of a two-class model."""
    return scores_of_logit(disease_logit(model, x), y)


def choose_lambda(source: Source, make_penalty: Callable, x: Tensor, y: Tensor, seed: int) -> float:
    """λ by stratified cross-validation *within* the n labelled target patients: no other label is looked at.

    Up to five folds, as many as the rarer class allows; the λ with the lowest validation log loss. Raises ValueError
    where a class has fewer than two patients.
    """

    def fit(train, lam):
        return fit_target(source, make_penalty(x[train]), x[train], y[train], lam)

    return _chosen(y, seed, fit, lambda model, val: log_loss(model, x[val], y[val]))


def _chosen(y: Tensor, seed: int, fit: Callable, loss: Callable) -> float:
    """The λ whose ``loss(fit(train, lam), val)``, the mean over validation patients, is lowest over all folds."""
    folds = min(5, int(torch.bincount(y, minlength=2).min()))
    if folds < 2:
        raise ValueError("Choosing λ by cross-validation needs at least two labelled patients of each class.")
    losses = np.zeros(len(LAMBDAS))
    for train, val in StratifiedKFold(folds, shuffle=True, random_state=seed).split(y, y):
        for i, lam in enumerate(LAMBDAS):
            losses[i] += len(val) * float(loss(fit(train, lam), val))
    return LAMBDAS[int(losses.argmin())]


@dataclass
class Draw:
    """One draw of labelled patients and their hospital's test patients, prepared in both ways."""

    x: Tensor  # n labelled patients, scaled as the source
    y: Tensor
    x_test: Tensor  # at least 40 % of the hospital
    y_test: Tensor
    own: Tensor  # the test patients, scaled by their own hospital's unlabelled patients


def draw_patients(source: Source, target: Task, n: int, seed: int, draw: int = 0) -> Draw:
    """The split of ``seed``, which is the same for every n, and ``n`` labelled patients of those not in its test.

    ``draw`` draws other labelled patients for the same test. All patients that are not tested are at hand without
    their labels: they say how the hospital's own scale is.
    """
    pool = split_table(target, seed=seed, test=TEST, val=0.05)
    x, y = pool.train
    x, _, y, _ = train_test_split(x, y, train_size=n, stratify=y, random_state=seed + 1000 * draw)
    tested, own = pool.test.x, own_scale(pool.train.x)
    return Draw(
        source.prepare(x),
        torch.as_tensor(y),
        source.prepare(tested),
        torch.as_tensor(pool.test.y),
        prepared(own, tested),
    )


def cheap_repairs(source: Source, drawn: Draw, seed: int) -> dict[str, dict[str, float]]:
    """The scores of what to try before any weight is adapted, by the names in ``CHEAP``."""
    model, y, y_test = source.model, drawn.y, drawn.y_test
    said, to_say = disease_logit(model, drawn.x), disease_logit(model, drawn.x_test)
    lam = _chosen(
        drawn.y,
        seed,
        lambda train, lam: recalibrate_slope(said[train], y[train], lam),
        lambda line, val: F.binary_cross_entropy_with_logits(line[0] + line[1] * said[val], y[val].double()),
    )
    a, b = recalibrate_slope(said, y, lam)
    share = y.double().mean()
    logits = {
        SOURCE_ONLY: to_say,
        Z_SCORED: disease_logit(model, drawn.own),
        INTERCEPT: to_say + recalibrate_intercept(said, y),
        SLOPE: a + b * to_say,
        PRIOR: torch.full_like(to_say, torch.logit(share)),
    }
    return {name: scores_of_logit(logit, y_test) for name, logit in logits.items()}


def sweep(source: Source, target: Task, n: int, seed: int, *, choose: bool = True) -> list[dict]:
    """One repetition: n labelled patients, at least 40 % of the hospital held for test, every R at every λ.

    Returns one row per method and λ with the test scores; the row whose λ cross-validation chose (with ``choose``)
    has ``chosen`` true. The rows of ``CHEAP`` have no λ of that kind. The split is a function of ``seed`` and is the
    same for all methods, so that differences between them are paired.
    """
    drawn = draw_patients(source, target, n, seed)
    x, y, x_test, y_test = drawn.x, drawn.y, drawn.x_test, drawn.y_test
    cheap = cheap_repairs(source, drawn, seed)
    rows = [{"method": name, "lam": None, "chosen": True, **found} for name, found in cheap.items()]
    for method, make_penalty in {SCRATCH: lambda x: plain_l2(), **four_penalties(source)}.items():
        chosen = choose_lambda(source, make_penalty, x, y, seed) if choose else None
        for lam in LAMBDAS:
            model = fit_target(source, make_penalty(x), x, y, lam)
            rows.append({"method": method, "lam": lam, "chosen": lam == chosen, **scores(model, x_test, y_test)})
    return [{"n": n, "seed": seed, **row} for row in rows]


def over_draws(
    source: Source, target: Task, n: int, seed: int, draws: int, *, adapt: bool = True
) -> dict[str, dict[str, float]]:
    """The mean scores of the cheap repairs over ``draws`` draws of n labelled patients, all on one test.

    With ``adapt`` those of the primary comparison's other ways, too: two models of the target alone, and L2-SP. Which
    ten patients are labelled decides more than which are tested; the mean is what a hospital may expect before it
    labels anybody.
    """
    ways = {
        SCRATCH: lambda x: plain_l2(),
        FREE: lambda x: free_intercept_l2,
        "L2-SP": four_penalties(source)["L2-SP"],
    }
    ways = ways if adapt else {}
    found: dict[str, list[dict[str, float]]] = {}
    for draw in range(draws):
        drawn = draw_patients(source, target, n, seed, draw)
        for name, cheap in cheap_repairs(source, drawn, seed).items():
            found.setdefault(name, []).append(cheap)
        for name, make_penalty in ways.items():
            lam = choose_lambda(source, make_penalty, drawn.x, drawn.y, seed)
            model = fit_target(source, make_penalty(drawn.x), drawn.x, drawn.y, lam)
            found.setdefault(name, []).append(scores(model, drawn.x_test, drawn.y_test))
    return {name: {key: float(np.mean([one[key] for one in all_])) for key in SCORES} for name, all_ in found.items()}


def recorded_on(provenance: str) -> Record:
    """The recorded sweeps over many seeds on "real" data; beside any other (twins, the reader's own) those on twins."""
    return Record("loss_formulation", "real" if provenance == "real" else "twin", draws=1)


class AgainstSource(NamedTuple):
    """A way minus the untouched source in log loss; below zero the way is better."""

    way: str
    site: str
    n: int
    difference: Interval
    p: float  # of a difference of at most MARGIN, corrected for the number of comparisons
    settled: bool


def against_source(grid: Record, draws: Record) -> list[AgainstSource]:
    """The comparisons of ``SECONDARY`` over overlapping splits, with Holm's correction; beyond the margin or not.

    L2-SP is compared in the ``grid``, with one draw of labelled patients in each split; the cheap repairs in the record
    with several ``draws``, which has more splits.
    """
    found = []
    for way, site, n in SECONDARY:
        record, where = draws if way in CHEAP else grid, {"target": site, "n": n, "lam": "chosen"}
        apart = record.scores(way, "log loss", **where) - record.scores(SOURCE_ONLY, "log loss", **where)
        beyond = abs(apart.mean()) > MARGIN  # a mean within the margin speaks for no difference that matters
        margin, share = float(np.copysign(MARGIN, apart.mean())), record.about["test share"]
        p = t_test(apart, margin=margin, test_share=share) if beyond else 1.0
        found.append((record.over_splits(way, SOURCE_ONLY, "log loss", **where), p))
    adjusted = holm([p for _, p in found])
    return [
        AgainstSource(*asked, difference, p, p < 0.05)
        for asked, (difference, _), p in zip(SECONDARY, found, adjusted, strict=True)
    ]


def slope(record: Record, method: str, target: str) -> Interval:
    """Slope of log λ* against log n, seed by seed, where λ* has the lowest test log loss: a description."""
    lambdas, sizes = record.about["lambdas"], record.about["sizes"]
    loss = np.array(
        [[record.scores(method, "log loss", target=target, n=n, lam=lam) for lam in lambdas] for n in sizes]
    )  # sizes × lambdas × seeds
    best = np.array(lambdas)[loss.argmin(1)]  # sizes × seeds
    return corrected_t(np.polyfit(np.log(sizes), np.log(best), 1)[0], record.about["test share"])
