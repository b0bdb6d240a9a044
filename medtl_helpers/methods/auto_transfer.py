"""Automatic transfer learning within a time: successive halving over source × way × depth × rate, chosen on validation.

The plan is made from the data, the seed and the minutes alone, with counted costs (``plan.py``), so that the same data
give the same result; the clock can only cut it short, and then that is told. Every finished training is a line of one
log. The score is the log loss on validation: it is a proper score, which the AUROC is not, it has no ties, and it is
the mean of as many terms as there are images, whereas an AUROC of few images takes few values and is 1 for many ways.
"""

import sys
from collections.abc import Iterator

import numpy as np
import torch
from tqdm import tqdm

from ..console import say
from ..devices import headless
from ..parts import check_rate, check_whole
from .averaged import Averaged
from .best_so_far import BestSoFar
from .costs import count_costs
from .halving import successive_halving
from .intervals import Interval
from .metrics import bootstrap_metrics
from .patient_units import patient_metrics
from .plan import ETA, Plan, make_plan
from .predict import predict
from .search_log import SearchLog, data_fingerprint, fingerprints
from .searched_task import checked_task
from .transferred import Transferred
from .trials import Brake, OutOfTime, Trials
from .ways import SCRATCH, as_sources, small_network, ways_for

FEW = 30  # validation images of the rarest class; with fewer the choice is told to be uncertain


def auto_transfer(
    task,
    minutes: float = 5,
    *,
    seed: int = 0,
    out=None,
    sources=None,
    defaults: bool = False,
    average: bool = False,
    progress: bool = True,
):
    """Try ways to transfer to ``task`` for some ``minutes``, choose on validation, look at test once: ``Transferred``.

    Parameters
    ----------
    task: what ``load`` and ``load_folder`` give: ``train``, ``val`` and ``test`` of uint8 images N×C×H×W, grey or RGB,
        in memory or streamed, and ``classes``.
    minutes: that the search may take, give or take one step of training; the plan needs about 0.6 of them on a nominal
        machine (``costs.py``), so that the clock cuts it short on slow or busy machines alone.
    seed: of weights and batches.
    out: a file or folder for the log. Called again with the same images, seed and minutes, a search that was
        interrupted goes on where it was.
    sources: None (all that are there), names of some (``known_sources``), or a dict of networks by name.
    defaults: begin with the ways that were best on other folders (``plan.default_ways``), and train them to the end.
    average: answer with the mean (``Averaged``) of the best network and of the best one of each other pre-trained
        source whose validation loss is not clearly higher (``best_so_far.ERRORS``): slower, and less depends on chance.
    progress: show a progress bar (never in a headless run).

    Ctrl-C ends the search and returns what was found until then. Raises ValueError for what is no task of images with
    validation images of each class that is in them, for test images of another kind, for other minutes than a positive
    number, and for the log of another search.
    """
    check_rate(minutes, "minutes", above=True)
    seed = check_whole(seed, "seed", least=0)
    train, val, classes = checked_task(task)
    brake = Brake(60 * minutes)
    networks = as_sources(sources) | {SCRATCH: small_network(train[0].shape[1])}
    costs, notes = count_costs(networks, train[0].shape[1:], classes)
    stages = {name: list(cost.multiply_adds) for name, cost in costs.items() if name != SCRATCH}
    sizes = {"n": len(train[1]), "n_val": len(val[1]), "classes": classes}
    plan = make_plan(ways_for(stages), costs, minutes=minutes, defaults=defaults, **sizes)
    rarest = int(torch.bincount(val[1], minlength=classes).min())
    if rarest < FEW:
        notes.append(
            f"The rarest class has {rarest} validation images, and with fewer than {FEW} a choice among many ways is "
            "partly chance: the validation scores flatter, and another draw of images may choose otherwise."
        )
    if plan.left_out:
        notes.append(
            f"There is no time for {plan.left_out} of {plan.left_out + plan.ways} ways: give more minutes, or "
            f"smaller images than {train[0].shape[2]} × {train[0].shape[3]}."
        )
    say(*notes)
    search = {"data": data_fingerprint(train, val), "seed": seed, "minutes": minutes}
    search["sources"] = fingerprints({name: networks[name] for name in costs}, classes, seed)
    log = SearchLog(out, search | {"plan": plan.record()})
    trials = Trials(train, val, classes, networks, costs, seed=seed, brake=brake)
    best = BestSoFar(trials, log)
    stopped, done, total = "search complete", 0, plan.trainings()
    shown_bar = progress and not headless()
    with tqdm(total=total, desc="trainings", disable=not shown_bar, leave=False, file=sys.stdout, ncols=100) as bar:
        try:
            for loss in losses(plan, best):
                done += 1
                bar.update()
                bar.set_postfix_str(f"loss {loss:.3f}, lowest {best.lowest:.3f}")
                brake.armed = best.lowest < float("inf")
                if done < total:
                    brake.check()
        except (KeyboardInterrupt, OutOfTime) as why:
            if best.lowest == float("inf"):
                raise
            over = "the minute was over" if minutes == 1 else f"the {minutes:g} minutes were over"
            reason = "Ctrl-C" if isinstance(why, KeyboardInterrupt) else over
            stopped = f"{reason}, after {done} of {total} trainings"
    if done < total:
        say(f"The search ended early: {stopped}; what it had found is used.")
    brake.armed = False
    found = best.networks(average)
    way, epochs = found[0].way, found[0].epochs
    ways = tuple(one.way for one in found) if len(found) > 1 else ()
    model = Averaged(one.model for one in found) if ways else found[0].model
    validation = torch.stack([one.validation for one in found]).mean(0)
    batch = min(costs[one.way.source].inference_batch() for one in found)
    x, y = task.test  # here, and nowhere before
    test = predict(model, x, batch_size=batch).numpy()
    try:
        metrics = _metrics(task, np.asarray(y), test, seed)
    except ValueError as error:
        notes.append(f"There are no intervals on test: {error}")
        metrics = {}
    return Transferred(model, way, epochs, best.table(), validation.numpy(), test, metrics, stopped, seed,
                       minutes, plan.record(), notes, ways)  # fmt: skip


def losses(plan: Plan, best: BestSoFar) -> Iterator[float]:
    """The losses of all trainings of the plan, one by one: the regressions, what is trained to the end, the halving."""
    for way in plan.at_once:
        yield best.loss(way, 0)
    for way in plan.to_the_end:
        yield best.loss(way, plan.rungs[-1])
    if plan.trained:
        for _, _, loss in successive_halving(plan.trained, best.loss, plan.rungs, ETA):
            yield loss


def _metrics(task, y, probability, seed: int) -> dict[str, Interval]:
    """Scores on test by name; their intervals draw patients where these are known, else images."""
    positive = getattr(task, "positive", None) if len(task.classes) == 2 else None
    patients = (getattr(task, "patients", None) or {}).get("test")
    if patients is None:
        return bootstrap_metrics(y, probability, positive=positive, seed=seed)
    found = patient_metrics(y, probability, patients, positive=positive, seed=seed)
    return {"auroc" if name == "AUROC" else name: interval for name, interval in found.items()}
