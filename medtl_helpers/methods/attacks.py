"""Membership inference: was this patient in the training set? What a trained network gives away about its training.

A network is surer of what it was trained on. The *loss threshold* [1] calls a case a member where its loss is low.
*LiRA* [2] asks how sure networks are of this very case when they were trained with it, or without it: shadow networks,
which the attacker trains on data like the victim's, tell. Both score a case by its *logit-scaled confidence*
φ = log(p_y / (1 − p_y)) [2], where p_y is the probability of the true class; the loss log(1 + e^−φ) falls
as φ rises, so the loss threshold is a threshold on φ.

Fine-tuned networks give away the less, the more examples a class they were trained on [3].

An average over all patients hides the few who stand out, and an attack that is right about ten patients harms these
ten. So an attack is judged by the share of the members that it finds while it blames 1 % of the others [2]: ``tpr_at``.

[1] Yeom et al., Privacy risk in machine learning: analyzing the connection to overfitting, CSF 2018, arXiv 1709.01604
[2] Carlini et al., Membership inference attacks from first principles, IEEE S&P 2022, arXiv 2112.03570
[3] Tobaben et al., Impact of dataset properties on membership inference vulnerability of deep transfer learning, 2024,
arXiv 2402.06674
"""

import numpy as np
import torch
from torch import nn

from ..guards import as_examples, as_logits, check_outputs, forward
from ..labels import as_array, as_numbers, as_share, as_yes_no
from ..parts import as_device, check_network, check_rate, check_whole
from .intervals import Interval, proportion
from .predict import to_float


@torch.inference_mode()
def membership_scores(model: nn.Module, x, y, *, batch_size: int = 256, device=None) -> np.ndarray:
    """float64 N: φ of each case, of the network's logits, which do not round as probabilities near 1 would.

    The higher, the more like a member. Raises ValueError for inputs and labels that do not fit the network.
    """
    check_network(model)
    batch_size = check_whole(batch_size, "batch_size", least=1)
    (x, y), device = as_examples((x, y), "given"), as_device(device)
    model.to(device).eval()
    logits = torch.cat([as_logits(forward(model, to_float(part.to(device)))).cpu() for part in x.split(batch_size)])
    check_outputs(model, logits, y, None)
    own = torch.nn.functional.one_hot(y, logits.shape[1]).bool()
    logits = logits.double()
    return (logits[own] - logits.masked_fill(own, -torch.inf).logsumexp(1)).numpy()


def loss_attack(scores, member, training_loss: float) -> float:
    """The advantage of Yeom's adversary, TPR − FPR, who says "member" where the loss is at most ``training_loss``.

    ``scores``: φ of N cases; ``member``: N, true for those of the training set; ``training_loss``: the mean loss that
    the network's makers told [1, adversary 2]. 0 is what guessing has, 1 is the most.
    """
    scores = as_numbers(scores, "scores")
    member = as_yes_no(member, len(scores), "members")
    check_rate(training_loss, "training_loss")
    named = np.logaddexp(0, -scores) <= float(training_loss)
    return float(named[member].mean() - named[~member].mean())


def lira(scores, shadow_scores, shadow_members=None) -> np.ndarray:
    """float64 N: how much likelier φ of each case is for a member, by ``shadow_scores`` S×N of S shadow networks.

    Online, with ``shadow_members`` (bool S×N, whether network s was trained on case n): the log of the ratio of two
    normal densities, log N(φ; μ_in, σ_in) − log N(φ; μ_out, σ_out) [2, algorithm 1]. Offline, where no shadow network
    saw any of the cases: the log of P(Z ≤ φ), Z ~ N(μ_out, σ_out) [2]; the higher, the less would a
    network that has not seen the case be so sure of it.

    This is LiRA-*lite*: S is small, so a σ of each case would be noise, and one σ_in and one σ_out are taken for all
    cases, as in [2]. With more shadow networks an attacker does better. Raises ValueError for shapes that do not
    match, for fewer than two networks, and for a case that no network, or every one, was trained on (online).
    """
    from scipy.stats import norm

    scores, shadow = as_numbers(scores, "scores"), as_numbers(shadow_scores, "shadow scores", ndim=2)
    if shadow.shape[0] < 2 or shadow.shape[1] != len(scores):
        raise ValueError(
            f"The shadow scores have shape {shadow.shape}, for {len(scores)} cases: give one row of {len(scores)} for "
            "each of at least 2 shadow networks."
        )
    if shadow_members is None:
        inside = np.zeros(shadow.shape, bool)
    else:
        inside = as_array(shadow_members, "shadow members")
        if inside.shape != shadow.shape or not np.isin(inside, (0, 1)).all():
            raise ValueError(f"The shadow members are no S×N of true and false: give shape {shadow.shape}.")
        inside = inside.astype(bool)
        alike = int((inside.all(0) | ~inside.any(0)).sum())
        if alike:
            raise ValueError(
                f"{alike} cases were in the training of all shadow networks, or of none: train each on a random half "
                "of the cases, or give no shadow_members (offline)."
            )
    mean_out, sigma_out = _normal(shadow, ~inside)
    if shadow_members is None:
        return norm.logcdf(scores, mean_out, sigma_out)
    mean_in, sigma_in = _normal(shadow, inside)
    return norm.logpdf(scores, mean_in, sigma_in) - norm.logpdf(scores, mean_out, sigma_out)


def _normal(shadow: np.ndarray, taken: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean over the ``taken`` networks, case by case, and one deviation from these means for all cases."""
    mean = np.where(taken, shadow, 0).sum(0) / taken.sum(0)
    freedom = max(1, int(taken.sum() - taken.shape[1]))
    return mean, max(1e-6, float(np.sqrt((np.where(taken, shadow - mean, 0) ** 2).sum() / freedom)))


def attack_curve(scores, member) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, each float64 M from 0 to 1, at every threshold: draw them on logarithmic axes."""
    from sklearn.metrics import roc_curve

    scores = as_numbers(scores, "scores")
    false, true, _ = roc_curve(as_yes_no(member, len(scores), "members"), scores, drop_intermediate=False)
    return false, true


def tpr_at(scores, member, fpr: float = 0.01, *, level: float = 0.95) -> Interval:
    """The share of the members that is found while at most ``fpr`` of the others are blamed, with exact limits.

    The limits are Clopper and Pearson's for the members. The threshold is set on the others whom it is judged by, which
    favours the attacker a little. Raises ValueError where there are so few others that ``fpr`` of them is not one case.
    """
    scores, fpr = as_numbers(scores, "scores"), as_share(fpr, "fpr")
    member = as_yes_no(member, len(scores), "members")
    others = np.sort(scores[~member])
    blamed = int(fpr * len(others) + 1e-9)
    if not blamed:
        raise ValueError(
            f"There are {len(others)} cases that are no members, and {fpr:g} of them is not one case: give at least "
            f"{int(np.ceil(1 / fpr))}."
        )
    found = scores[member] > others[-blamed - 1]
    return proportion(int(found.sum()), int(member.sum()), method="clopper-pearson", level=level)
