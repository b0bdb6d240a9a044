"""From one hospital's heart-disease table to another's: the experiment of notebooks 01 and 01b, on softmax regression.

The model is deliberately the smallest: one linear layer to two logits. Its objective is convex for all four
penalties, so what is compared is what each R asks for, not how well an optimiser found it.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from ...data.tables import COLUMNS, columns
from ...data.tasks import Task, split_table
from ...methods.fisher import fisher_diagonal
from ...methods.intervals import Interval, t_interval
from ...methods.losses import EWC, L2SP, FeatureDistillation, SourceReplay, snapshot, transfer_loss
from ...methods.optimise import minimise
from ...teaching.records import Record

LAMBDAS = [10.0**k for k in np.arange(-3, 2.6, 0.5)]
SOURCE_L2 = 1e-2  # plain L2 of the source model, fixed beforehand
SCRATCH = "target only"  # plain L2 to zero: what is left of L2-SP without a source
SOURCE_ONLY = "source only"
METHODS = (SCRATCH, "L2-SP", "EWC", "replay", "distillation")


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
        return torch.tensor(self.pipeline.transform(columns(frame)), dtype=torch.float32)


def new_model() -> nn.Linear:
    """Softmax regression from 10 columns to 2 logits, all weights zero (convex: the start does not matter)."""
    model = nn.Linear(len(COLUMNS), 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model


def plain_l2() -> L2SP:
    """R = ½‖θ‖²: what is left of L2-SP when there is no source."""
    return L2SP({name: torch.zeros_like(p) for name, p in snapshot(new_model()).items()})


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
def scores(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """Log loss (nats), balanced accuracy and AUROC of a two-class model."""
    probability = model(x).softmax(1)
    return {
        "log loss": log_loss(model, x, y),
        "balanced accuracy": float(balanced_accuracy_score(y, probability.argmax(1))),
        "auroc": float(roc_auc_score(y, probability[:, 1])),
    }


def choose_lambda(source: Source, make_penalty: Callable, x: Tensor, y: Tensor, seed: int) -> float:
    """λ by stratified cross-validation *within* the n labelled target patients: no other label is looked at.

    Up to five folds, as many as the rarer class allows; the λ with the lowest validation log loss. Raises ValueError
    where a class has fewer than two patients.
    """
    folds = min(5, int(torch.bincount(y, minlength=2).min()))
    if folds < 2:
        raise ValueError("Choosing λ by cross-validation needs at least two labelled patients of each class.")
    losses = np.zeros(len(LAMBDAS))
    for train, val in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
        penalty = make_penalty(x[train])
        for i, lam in enumerate(LAMBDAS):
            losses[i] += len(val) * log_loss(fit_target(source, penalty, x[train], y[train], lam), x[val], y[val])
    return LAMBDAS[int(losses.argmin())]


def sweep(source: Source, target: Task, n: int, seed: int, *, choose: bool = True) -> list[dict]:
    """One repetition: n labelled patients, at least 40 % of the hospital held for test, every R at every λ.

    Returns one row per method and λ with the test scores; the row whose λ cross-validation chose (with ``choose``)
    has ``chosen`` true. Row "source only" is the source's model as it is. The split is a function of ``seed`` and is
    the same for all methods, so that differences between them are paired.
    """
    drawn = split_table(target, seed=seed, test=0.4, val=0.05, n_train=n)
    x, y = source.prepare(drawn.train.x), torch.as_tensor(drawn.train.y)
    x_test, y_test = source.prepare(drawn.test.x), torch.as_tensor(drawn.test.y)
    rows = [{"method": SOURCE_ONLY, "lam": None, "chosen": True, **scores(source.model, x_test, y_test)}]
    for method, make_penalty in {SCRATCH: lambda x: plain_l2(), **four_penalties(source)}.items():
        chosen = choose_lambda(source, make_penalty, x, y, seed) if choose else None
        for lam in LAMBDAS:
            model = fit_target(source, make_penalty(x), x, y, lam)
            rows.append({"method": method, "lam": lam, "chosen": lam == chosen, **scores(model, x_test, y_test)})
    return [{"n": n, "seed": seed, **row} for row in rows]


def recorded_on(provenance: str) -> Record:
    """The recorded sweeps over many seeds on "real" data; beside any other (twins, the reader's own) those on twins."""
    return Record("loss_formulation", "real" if provenance == "real" else "twin")


def slope(record: Record, method: str, target: str) -> Interval:
    """Slope of log λ* against log n, seed by seed, where λ* has the lowest test log loss: a description."""
    lambdas, sizes = record.about["lambdas"], record.about["sizes"]
    loss = np.array(
        [[record.scores(method, "log loss", target=target, n=n, lam=lam) for lam in lambdas] for n in sizes]
    )  # sizes × lambdas × seeds
    best = np.array(lambdas)[loss.argmin(1)]  # sizes × seeds
    return t_interval(np.polyfit(np.log(sizes), np.log(best), 1)[0])
