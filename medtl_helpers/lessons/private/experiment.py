"""What lesson 14 and its benchmarks share: training with and without noise, hospitals that train together, attacks."""

import copy
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score, roc_curve
from torch import nn

from ...data.catalogue import load
from ...data.splice_sites import published_frequencies
from ...data.tables import COLUMNS, columns
from ...data.tasks import Task, split_table
from ...devices import seed_everything
from ...methods.accountant import noise_for
from ...methods.attacks import lira, loss_attack, membership_scores, tpr_at
from ...methods.calibration import recalibrate_intercept
from ...methods.federated import federated_average
from ...methods.finetune import fine_tune, probe
from ...methods.freezing import freeze, unfreeze
from ...methods.intervals import Interval, corrected_t, holm, proportion, t_interval, t_test
from ...methods.predict import predict
from ...methods.private import dp_fit
from ...methods.sequence_nets import SequenceCNN
from ...methods.sequence_weights import load_splice_cnn
from ...methods.server_steps import FedAdam
from ...methods.shared_scale import Scale, column_sums, shared_scale
from ...methods.train import fit
from ...teaching.records import Record

BUDGETS = (0.5, 1, 3, 8)  # ε
DELTA_SHARE = 0.1  # δ = 1 / (10 n) for n patients
BATCH_SHARE = 0.25  # of the patients in a batch, on average
LINEAR, SMALL, NETWORK = "linear model, from scratch", "small network, from scratch", "network, from scratch"
PRIVATE_PROBE, DRAWN_HEAD, RANDOM_FEATURES = "probe", "probe, drawn head", "probe on random features"
EVERYTHING, TABLE_REGRESSION = "all weights, fine-tuned", "published table, regression"
SCRATCH = (LINEAR, SMALL, NETWORK)
PUBLIC_START = (PRIVATE_PROBE, DRAWN_HEAD, RANDOM_FEATURES, EVERYTHING, TABLE_REGRESSION)
ZERO_SHOT, TABLE, TWO_LETTERS, MAJORITY = "zero-shot", "published table", "two-letter rule", "majority"  # ε = 0
LOGISTIC = "logistic regression"  # of heart patients
NOISY: dict[str, dict] = {  # chosen at ε = 1 among six, on seeds that are not reported
    LINEAR: {"lr": 0.03, "steps": 30, "clip": 1.0},
    SMALL: {"lr": 0.03, "steps": 30, "clip": 1.0},
    NETWORK: {"lr": 0.03, "steps": 30, "clip": 0.1},
    PRIVATE_PROBE: {"lr": 0.1, "steps": 30, "clip": 0.1},
    DRAWN_HEAD: {"lr": 0.003, "steps": 30, "clip": 1.0},
    RANDOM_FEATURES: {"lr": 0.3, "steps": 30, "clip": 1.0},
    EVERYTHING: {"lr": 0.001, "steps": 30, "clip": 0.1},
    TABLE_REGRESSION: {"lr": 0.1, "steps": 30, "clip": 1.0},
    LOGISTIC: {"lr": 0.1, "steps": 30, "clip": 0.1},
}
NOISELESS: dict[str, dict] = {
    LINEAR: {"lr": 0.003, "epochs": 20},
    SMALL: {"lr": 0.01, "epochs": 20},
    NETWORK: {"lr": 0.003, "epochs": 20},
    PRIVATE_PROBE: {"lr": 0.01, "epochs": 20},
    DRAWN_HEAD: {"lr": 0.003, "epochs": 20},
    RANDOM_FEATURES: {"lr": 0.01, "epochs": 20},
    EVERYTHING: {"lr": 1e-4, "epochs": 20},
    TABLE_REGRESSION: {"lr": 0.03, "epochs": 20},
    LOGISTIC: {"lr": 0.01, "epochs": 20},
}  # of ``fit``, without noise; chosen among three rates, on the same seeds

# What clinicians know without our patients: a middle and a spread of each column. The mean and the deviation of the
# training patients would be two more numbers that are given out without noise.
KNOWN_SCALE = {
    "age": (55, 10), "sex": (0.5, 0.5), "cp": (3, 1), "trestbps": (130, 20), "chol": (240, 50), "fbs": (0, 0.5),
    "restecg": (0, 1), "thalach": (150, 25), "exang": (0, 0.5), "oldpeak": (1, 1),
}  # fmt: skip


class TableRatios(nn.Module):
    """Log-odds of donor and acceptor against neither by the published frequencies, N×2, in tens of nats."""

    def __init__(self):
        super().__init__()
        log = torch.from_numpy(published_frequencies()).log()
        self.register_buffer("weights", (log[:2] - log[2:]) / 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("nal,kal->nk", x, self.weights)


def private_start(way: str, seed: int) -> nn.Module:
    """What each way begins with, before it has seen a patient; frozen where it does not train."""
    seed_everything(seed)
    if way == LINEAR:
        return nn.Sequential(nn.Flatten(), nn.Linear(4 * 60, 3))
    if way in (SMALL, NETWORK):
        return SequenceCNN(3, width=8 if way == SMALL else 32)
    if way == TABLE_REGRESSION:
        return nn.Sequential(TableRatios(), nn.Linear(2, 3))
    if way == LOGISTIC:
        return nn.Linear(len(COLUMNS), 2)
    if way == RANDOM_FEATURES:
        model = load_splice_cnn(3, weights="random", quiet=True)
    else:
        model = load_splice_cnn(3 if way == PRIVATE_PROBE else None, quiet=True)
    return model if way == EVERYTHING else unfreeze(freeze(model), "head")


def private_settings(way: str, budget: float, n: int, how: dict | None = None) -> dict:
    """Arguments of ``dp_fit`` that spend the ε ``budget`` on ``n`` patients."""
    how, batch = how or NOISY[way], max(1, round(BATCH_SHARE * n))
    noise = noise_for(budget, batch / n, how["steps"], DELTA_SHARE / n)
    return how | {"batch_size": batch, "noise_multiplier": noise}


def privately(way: str, train, budget: float | None, seed: int, how: dict | None = None) -> nn.Module:
    """The model of one way, trained on ``train`` = (x, y) within the ``budget``; None: as usual, without privacy."""
    model = private_start(way, seed)
    if budget is None:
        fit(model, train, seed=seed, batch_size=64, progress=False, **(how or NOISELESS[way]))
    else:
        dp_fit(model, train, seed=seed, progress=False, **private_settings(way, budget, len(train[1]), how))
    return model


def small_group(train, kept: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    """Training rows in which only the first tenth of class 0 (donors) is left."""
    x, y = train
    donors = (y == 0).nonzero().flatten()
    rows = torch.cat([donors[: round(kept * len(donors))], (y != 0).nonzero().flatten()])
    return x[rows], y[rows]


def class_scores(answer, y, classes) -> dict[str, float]:
    """Accuracy, balanced accuracy, and the share of each class that is found."""
    answer, y = np.asarray(answer), np.asarray(y)
    recall = [float((answer[y == k] == k).mean()) for k in range(len(classes))]
    found = {"accuracy": float((answer == y).mean()), "balanced accuracy": float(np.mean(recall))}
    return found | {f"recall, {name}": value for name, value in zip(classes, recall, strict=True)}


def known_scale(x: np.ndarray) -> torch.Tensor:
    """Columns of patients by ``KNOWN_SCALE``; a gap becomes the middle, 0. float32 N×10, at most 3 in size."""
    middle, spread = np.array([KNOWN_SCALE[name] for name in COLUMNS], float).T
    return torch.from_numpy(np.nan_to_num((x - middle) / spread).clip(-3, 3)).float()


def heart_scores(logit, y, sex) -> dict[str, float]:
    """AUROC and balanced accuracy at one half, of all and of women and men, and the share of the sick that is found."""
    logit, y, sex = np.asarray(logit), np.asarray(y), np.asarray(sex)
    found = {}
    for name, here in (("", sex >= 0), (", women", sex == 0), (", men", sex == 1)):
        found[f"auroc{name}"] = roc_auc_score(y[here], logit[here])
        found[f"balanced accuracy{name}"] = balanced_accuracy_score(y[here], logit[here] > 0)
        found[f"sick found{name}"] = float((logit[here & (y == 1)] > 0).mean())
    return found


# --- hospitals and attacks -------------------------------------------------------------------------------------------

SITES = ("cleveland", "hungary", "switzerland", "va")
JUDGED = ("cleveland", "hungary", "va")  # of Switzerland, three healthy patients are in a test: it decides nothing
THREE = "mean of three"  # the site under which the mean over JUDGED is recorded
TESTED, SHARE_OF_TEST = 0.4, 0.4 / 0.6  # of a hospital's patients; n_test / n_train of ``corrected_t``
LOCAL = {"epochs": 5, "batch_size": 32}  # what every hospital does in a round
OWN, POOLED, FEDAVG, FEDPROX, FEDADAM = "own patients alone", "pooled", "FedAvg", "FedProx", "FedAdam"
OWN_SCALES, TUNED, OWN_INTERCEPT = "FedAvg, own scales", "FedAvg, then fine-tuned", "FedAvg, own intercept"
LEFT_OUT, POOLED_LEFT_OUT = "FedAvg without this hospital", "pooled without this hospital"
PRIOR_ANSWER, CLEVELAND_INTERCEPT = "prior answer", "cleveland alone, own intercept"
SETTINGS: dict[str, dict] = {  # nine for each way, chosen on seeds that are not reported
    OWN: {"lr": 0.03, "rounds": 10},
    POOLED: {"lr": 0.1, "rounds": 3},
    FEDAVG: {"lr": 0.1, "rounds": 10},
    OWN_SCALES: {"lr": 0.01, "rounds": 30},
    FEDPROX: {"lr": 0.1, "proximal": 0.01, "rounds": 10},
    FEDADAM: {"lr": 0.03, "server": 0.1, "rounds": 30},
    TUNED: {"lr": 0.003, "rounds": 10},
}


class Ward(NamedTuple):
    """One hospital's patients: numbers with gaps N×10, and labels, for training, validation and test."""

    train: tuple[np.ndarray, torch.Tensor]
    val: tuple[np.ndarray, torch.Tensor]
    test: tuple[np.ndarray, torch.Tensor]


def wards(seed: int, part: float = TESTED) -> dict[str, Ward]:
    """The four hospitals, split by ``seed``: 40 % of each for the test, a fifth of the rest for validation."""
    found = {}
    for site in SITES:
        task = split_table(load("heart", site=site, quiet=True), seed=seed, test=part, val=0.2)
        parts = (getattr(task, name) for name in ("train", "val", "test"))
        found[site] = Ward(*((columns(x).to_numpy(), torch.as_tensor(y)) for x, y in parts))
    return found


class Trained(NamedTuple):
    """A model, the scale of its columns, and what is added to its logits."""

    model: nn.Module
    scale: Scale
    shift: float = 0.0

    def logit(self, x: np.ndarray) -> np.ndarray:
        """Logit of disease minus that of health, float64 N."""
        with torch.no_grad():
            logits = self.model(self.scale.apply(x)).double()
        return (logits[:, 1] - logits[:, 0]).numpy() + self.shift


def smallest_model() -> nn.Linear:
    """Softmax regression from the ten columns, all weights zero."""
    model = nn.Linear(len(COLUMNS), 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    return model


def federation(
    here: dict[str, Ward], *, lr: float, rounds: int, proximal=0.0, server=None, start=None, scales=None, seed: int = 0
) -> Trained:
    """A federation of the hospitals ``here``; of one hospital it is plain gradient descent in batches.

    They share their column sums (not where ``scales`` are given, one for each), and then, in each round, their numbers
    of patients and changes of weights. ``start``: a trained model from which they begin, and whose scale they keep.
    """
    scale = start.scale if start else shared_scale(column_sums(ward.train[0]) for ward in here.values())
    data = {site: ((scales or {}).get(site, scale).apply(ward.train[0]), ward.train[1]) for site, ward in here.items()}
    make = (lambda: copy.deepcopy(start.model)) if start else smallest_model
    options = LOCAL | {"lr": lr, "proximal": proximal, "server": FedAdam(server) if server else None, "seed": seed}
    return Trained(federated_average(make, data, rounds, **options), scale)


def pooled(here: dict[str, Ward]) -> dict[str, Ward]:
    """All patients in one place."""
    parts = ([getattr(ward, name) for ward in here.values()] for name in Ward._fields)
    return {"all": Ward(*((np.concatenate([x for x, _ in part]), torch.cat([y for _, y in part])) for part in parts))}


def models_of(way: str, here: dict[str, Ward], seed: int, settings: dict | None = None) -> dict[str, Trained]:
    """Site → the model that one way uses at that hospital."""
    how = SETTINGS | (settings or {})
    if way == OWN:
        return {site: federation({site: ward}, **how[OWN], seed=seed) for site, ward in here.items()}
    if way == OWN_SCALES:
        scales = {site: shared_scale([column_sums(ward.train[0])]) for site, ward in here.items()}
        model = federation(here, **how[OWN_SCALES], scales=scales, seed=seed)
        return {site: model._replace(scale=scale) for site, scale in scales.items()}
    if way in (LEFT_OUT, POOLED_LEFT_OUT):
        rest = {site: {name: other for name, other in here.items() if name != site} for site in here}
        if way == POOLED_LEFT_OUT:
            return {site: federation(pooled(others), **how[POOLED], seed=seed) for site, others in rest.items()}
        return {site: federation(others, **how[FEDAVG], seed=seed) for site, others in rest.items()}
    if way == TUNED:
        average = federation(here, **how[FEDAVG], seed=seed)
        return {site: federation({site: ward}, **how[TUNED], start=average, seed=seed) for site, ward in here.items()}
    if way == PRIOR_ANSWER:
        scale = shared_scale(column_sums(ward.train[0]) for ward in here.values())
        return {site: with_own_intercept(Trained(smallest_model(), scale), ward) for site, ward in here.items()}
    return dict.fromkeys(here, federation(pooled(here) if way == POOLED else here, **how[way], seed=seed))


def hospital_models(here: dict[str, Ward], seed: int, settings: dict | None = None) -> dict[tuple[str, str], Trained]:
    """(way, site) → the model that this way uses at that hospital, for all ways that are compared."""
    ways = (PRIOR_ANSWER, OWN, POOLED, FEDAVG, FEDPROX, FEDADAM, OWN_SCALES, TUNED, LEFT_OUT, POOLED_LEFT_OUT)
    found = {(way, site): one for way in ways for site, one in models_of(way, here, seed, settings).items()}
    for site, ward in here.items():
        found |= {(f"{name} alone", site): found[OWN, name] for name in here}
        found[OWN_INTERCEPT, site] = with_own_intercept(found[FEDAVG, site], ward)
        found[CLEVELAND_INTERCEPT, site] = with_own_intercept(found[OWN, "cleveland"], ward)
    return found


def with_own_intercept(model: Trained, ward: Ward) -> Trained:
    """One number from a hospital's own labels: how common the disease is there."""
    x, y = ward.train
    return model._replace(shift=recalibrate_intercept(model.logit(x), y))


def own_threshold(logit: np.ndarray, y) -> float:
    """The logit from which on "disease" has the best balanced accuracy among a hospital's validation patients."""
    false, true, at = roc_curve(y, logit, drop_intermediate=False)
    best = max(1, int((true - false).argmax()))  # the first threshold is infinite
    return float((at[best] + at[min(best + 1, len(at) - 1)]) / 2)  # halfway to the next lower logit that was seen


def hospital_scores(logit: np.ndarray, y, threshold: float) -> dict[str, float]:
    """AUROC, log loss (nats), and balanced accuracy at ½ and at the logit ``threshold``."""
    y = np.asarray(y)
    return {
        "auroc": roc_auc_score(y, logit),
        "log loss": np.logaddexp(0, (1 - 2 * y) * logit).mean(),
        "balanced accuracy": balanced_accuracy_score(y, logit > 0),
        "balanced accuracy at own threshold": balanced_accuracy_score(y, logit >= threshold),
    }


PER_CLASS = (5, 30, 100)
SHADOWS, OTHERS = 4, 167  # networks that the attacker trains; sequences a class that were not trained on
BEFORE, PROBED, ALL_WEIGHTS, FROM_SCRATCH = "public, before", "probe", "fine-tuned", "from scratch"
NOISED = "probe, ε = 1"
TRAINING = {  # rates chosen on seeds that are not reported, for accuracy and not for what leaks
    PROBED: {"lr": 1e-2},
    ALL_WEIGHTS: {"lr": 3e-4},
    FROM_SCRATCH: {"lr": 3e-3},
    NOISED: {"lr": 0.03},
}
PASSES = {5: 40, 30: 30, 100: 15}  # epochs, in batches of 32
NOISED_STEPS = 30
FPRS = (0.002, 0.01, 0.05, 0.2, 0.5)


class Deal(NamedTuple):
    """Real sequences, dealt anew: those trained on, those not, and others like them that the attacker has."""

    members: tuple[torch.Tensor, torch.Tensor]
    others: tuple[torch.Tensor, torch.Tensor]
    attacker: tuple[torch.Tensor, torch.Tensor]


def deal_sequences(task: Task, n: int, seed: int) -> Deal:
    """``n`` members a class, ``OTHERS`` others a class, and the rest for the attacker.

    Members and others have the same shares of classes. Else an attack could tell them apart by their class, which is
    not what the network gives away.
    """
    x, y = (torch.cat([getattr(split, name) for split in (task.train, task.val, task.test)]) for name in "xy")
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(y)))
    chosen = some_of_each(y[order], n + OTHERS).reshape(-1, n + OTHERS)
    rest = np.setdiff1d(np.arange(len(y)), chosen)
    parts = (order[rows] for rows in (chosen[:, :n].ravel(), chosen[:, n:].ravel(), rest))
    return Deal(*((x[rows], y[rows]) for rows in parts))


def some_of_each(y, n: int) -> np.ndarray:
    """The first ``n`` rows of each class."""
    y = np.asarray(y)
    return np.concatenate([np.flatnonzero(y == k)[:n] for k in np.unique(y)])


def trained_by(way: str, data: tuple, n: int, seed: int, lr: float | None = None) -> nn.Module:
    """A network of this way, trained on ``data`` for a fixed number of epochs; the public one keeps its drawn head."""
    seed_everything(seed)
    if way == BEFORE:
        return load_splice_cnn(quiet=True)
    how = {"lr": lr or TRAINING[way]["lr"], "batch_size": 32, "seed": seed}
    model = SequenceCNN(len(data[1].unique())) if way == FROM_SCRATCH else load_splice_cnn(quiet=True)
    if way == NOISED:
        unfreeze(freeze(model), "head")
        people, batch = len(data[1]), max(8, len(data[1]) // 4)  # large batches: there is one noise for each
        noise = noise_for(1.0, batch / people, NOISED_STEPS, 1 / (10 * people))
        dp_fit(model, data, steps=NOISED_STEPS, noise_multiplier=noise, progress=False, **how | {"batch_size": batch})
        return model
    train = probe if way == PROBED else fine_tune
    train(model, data, epochs=PASSES[n], progress=False, **how)
    return model


def attacked(way: str, deal: Deal, n: int, seed: int) -> dict[str, dict[str, float]]:
    """Attack → its scores against a network of this way; LiRA's shadow networks are trained on the attacker's data.

    Offline: the attacker has sequences like the victim's, and none of those that are asked about.
    """
    x, y = (torch.cat(both) for both in zip(deal.members, deal.others, strict=True))
    member = np.arange(len(y)) < len(deal.members[1])
    model = trained_by(way, deal.members, n, seed)
    phi = membership_scores(model, x, y)
    right = predict(model, deal.others[0]).argmax(1) == deal.others[1]
    told = {"accuracy": float(right.float().mean()), "training loss": float(np.logaddexp(0, -phi[member]).mean())}
    found = {"loss": phi}
    if way != BEFORE:  # nobody trained it, so no shadow network differs from it
        rng = np.random.default_rng(seed)
        shadows = []
        for k in range(SHADOWS):
            order = rng.permutation(len(deal.attacker[1]))
            rows = order[some_of_each(deal.attacker[1][order], n)]
            data = deal.attacker[0][rows], deal.attacker[1][rows]
            shadows.append(membership_scores(trained_by(way, data, n, 1000 * (k + 1) + seed), x, y))
        found["LiRA"] = lira(phi, np.stack(shadows))
    return {attack: told | attack_scores(scores, phi, member) for attack, scores in found.items()}


def attack_scores(scores, phi, member) -> dict[str, float]:
    """AUROC of the attack, its true positives at several false positive rates, and Yeom's advantage."""
    found = {f"tpr at {fpr:g}": tpr_at(scores, member, fpr).value for fpr in FPRS}
    advantage = loss_attack(phi, member, float(np.logaddexp(0, -phi[member]).mean()))
    return found | {"auc": roc_auc_score(member, scores), "advantage": advantage}


SMALLEST_OF_NOTE = 0.02  # the margin of all secondary comparisons below, named before their seeds ran


class Settled(NamedTuple):
    """A difference of two ways, and whether it lies beyond the margin when all of its family are counted."""

    difference: Interval
    p: float  # Holm's, against the margin

    @property
    def settled(self) -> bool:
        return self.p < 0.05


def between_hospitals(record: Record) -> dict[str, Settled]:
    """The comparisons of hospitals that were written down, over splits; "pooled" stands outside of Holm's family."""
    asked = {
        f"{ours} − {theirs}, {score}": (ours, theirs, score)
        for score in ("auroc", "balanced accuracy")
        for ours, theirs in ((FEDAVG, OWN), (FEDAVG, "cleveland alone"), (LEFT_OUT, OWN))
    }
    asked |= {f"{way} − {FEDAVG}, log loss": (way, FEDAVG, "log loss") for way in (TUNED, OWN_INTERCEPT)}
    outside = {f"{FEDAVG} − {POOLED}, auroc": (FEDAVG, POOLED, "auroc")}
    apart = {
        name: np.subtract(*(record.scores(way, score, kind="hospitals", site=THREE) for way in (ours, theirs)))
        for name, (ours, theirs, score) in (asked | outside).items()
    }
    p = {name: _beyond_margin(apart[name], SHARE_OF_TEST) for name in asked}
    p = dict(zip(p, holm(list(p.values())), strict=True)) | {name: 1.0 for name in outside}
    return {name: Settled(corrected_t(apart[name], SHARE_OF_TEST), p[name]) for name in apart}


def members_found(record: Record, way: str, attack: str, n: int) -> Interval:
    """The share of the members of all deals that an attack finds at 1 % false positives, with Clopper-Pearson limits.

    Five networks that give away nobody are no proof that nobody is ever found; a t interval over seeds would have no
    width there.
    """
    shares = record.scores(way, "tpr at 0.01", kind="attacks", attack=attack, labels=n)
    each = 3 * n  # members of a deal
    return proportion(int(np.rint(shares * each).sum()), each * len(shares), method="clopper-pearson")


def between_attacks(record: Record) -> dict[str, Settled]:
    """The comparisons of attacks that were written down: the true positive rate at 1 %, over seeds."""

    def found(way, attack, n):
        return record.scores(way, "tpr at 0.01", kind="attacks", attack=attack, labels=n)

    apart = {
        f"{ALL_WEIGHTS} − {BEFORE}, 5": found(ALL_WEIGHTS, "LiRA", 5) - found(BEFORE, "loss", 5),
        f"{ALL_WEIGHTS} − {BEFORE}, 100": found(ALL_WEIGHTS, "LiRA", 100) - found(BEFORE, "loss", 100),
        f"{ALL_WEIGHTS} − {PROBED}, 5": found(ALL_WEIGHTS, "LiRA", 5) - found(PROBED, "LiRA", 5),
        f"{FROM_SCRATCH} − {ALL_WEIGHTS}, 100": found(FROM_SCRATCH, "LiRA", 100) - found(ALL_WEIGHTS, "LiRA", 100),
        f"{NOISED} − {BEFORE}, 5": found(NOISED, "LiRA", 5) - found(BEFORE, "loss", 5),
    }
    p = holm([_beyond_margin(values) for values in apart.values()])
    return {name: Settled(t_interval(apart[name]), one) for name, one in zip(apart, p, strict=True)}


def _beyond_margin(differences: np.ndarray, share: float = 0.0) -> float:
    """p-value of "the mean lies at the margin", on the side where it lies; 1 within the margin."""
    mean = float(differences.mean())
    if abs(mean) <= SMALLEST_OF_NOTE:
        return 1.0
    return t_test(differences, float(np.copysign(SMALLEST_OF_NOTE, mean)), test_share=share)
