"""Each way to train moves what it says, in the order it says."""

import pytest
import torch
from networks import QUIET, agree, data, moved, network, state

from medtl_helpers.methods import cache as caching
from medtl_helpers.methods import finetune
from medtl_helpers.methods.augment import augment
from medtl_helpers.methods.features import prefix_features
from medtl_helpers.methods.finetune import fine_tune, gradual_unfreeze, lp_ft, probe
from medtl_helpers.methods.freezing import freeze, unfreeze
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit

pytestmark = pytest.mark.usefixtures("one_processor_thread")


@pytest.mark.parametrize("frozen, cached_calls", [("layer3", 2), (None, 0)])
def test_fine_tune_takes_the_cache_where_there_is_a_prefix_and_only_if_asked(monkeypatch, frozen, cached_calls):
    calls = []
    whole = prefix_features
    monkeypatch.setattr(caching, "prefix_features", lambda *a, **k: calls.append(1) or whole(*a, **k))
    models = [network(), network()]
    for model, cache in zip(models, (True, False), strict=True):
        fine_tune(model, data(), data(9, seed=1), frozen_upto=frozen, cache=cache, epochs=1, lr=1e-4, **QUIET)
        assert len(calls) == cached_calls  # of the training and of the validation images, once each
    agree(*models, 1e-4)


def phases(monkeypatch):
    """What trains and what has moved at the end of each phase, one entry per call of ``_fit`` or ``fit_cached``."""
    seen = []
    whole = finetune.fit

    def watched(model, *args, **options):
        trains = {n for n in model.parts() if all(p.requires_grad for p in model.part(n).parameters())}
        before = state(model)
        history = whole(model, *args, **options)
        rates = (
            {group.get("name"): group["lr"] for group in options["optimizer"].param_groups}
            if "optimizer" in options
            else {}
        )
        seen.append((trains, moved(model, before), len(history.train_loss), rates))
        return history

    for module in (finetune, caching):
        monkeypatch.setattr(module, "fit", watched)
    return seen


def test_a_probe_trains_the_head_alone_and_learns():
    model = network()
    before = state(model)
    history = probe(model, data(60), data(20, seed=1), epochs=40, batch_size=10, **QUIET)
    assert moved(model, before) == {"head"} and model.frozen == {*model.stages}
    x, y = data(40, seed=2)
    assert (predict(model, x).argmax(1) == y).float().mean() > 0.6  # chance is a third
    assert history.val_loss[history.best_epoch] == min(history.val_loss)


def test_a_probe_thaws_a_head_that_was_frozen():
    model = freeze(network(), "head", "layer2")
    before = state(model)
    probe(model, data(), epochs=1, **QUIET)
    assert moved(model, before) == {"head"}


def test_a_probe_is_the_logistic_regression_of_its_features():
    """Its minimum is scikit-learn's, where weight decay is none and the loss is pulled by the same ridge."""
    from sklearn.linear_model import LogisticRegression

    model, (x, y) = freeze(network()), data(60)
    features = prefix_features(model, x)
    with torch.no_grad():  # ridge ½ ‖w‖² / 10 on the mean loss: C = 10 / n
        theirs = LogisticRegression(C=10 / 60, tol=1e-8, max_iter=5000).fit(features, y).predict_proba(features)
    ridge = lambda m: m.head.weight.square().sum() / 20  # noqa: E731
    probe(model, (x, y), epochs=250, batch_size=60, lr=0.05, penalty=ridge, **QUIET)
    torch.testing.assert_close(predict(model, x).double(), torch.tensor(theirs), atol=2e-3, rtol=0)


@pytest.mark.parametrize("upto, still", [(None, set()), ("layer2", {"stem", "layer1", "layer2"})])
def test_fine_tuning_trains_what_lies_above_and_undoes_what_was_frozen_before(upto, still):
    model = freeze(network(), "layer4", "head")
    before = state(model)
    fine_tune(model, data(), data(9, seed=1), frozen_upto=upto, epochs=1, **QUIET)
    assert model.frozen == still and moved(model, before) == {*model.parts()} - still


@pytest.mark.parametrize("cache", [True, False])
def test_fine_tuning_gives_each_stage_its_rate_and_the_weight_decay(monkeypatch, cache):
    seen, decays = phases(monkeypatch), []
    whole = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *a, **k: decays.append(k["weight_decay"]) or whole(*a, **k))
    fine_tune(
        network(), data(), frozen_upto="layer1", lr=0.01, decay=0.5, weight_decay=0.3, cache=cache, epochs=1, **QUIET
    )
    rates = {"head": 0.01, "layer4": 0.005, "layer3": 0.0025, "layer2": 0.00125}
    assert seen[0][3] == pytest.approx(rates) and decays == [0.3]


def test_gradual_unfreezing_thaws_one_stage_more_each_phase_from_the_top_down(monkeypatch):
    """What is thawed later has not moved by then, its batch-norm statistics included."""
    seen = phases(monkeypatch)
    model = network()
    before, after = state(model), []
    whole = finetune._fit
    monkeypatch.setattr(finetune, "_fit", lambda m, *a: (whole(m, *a), after.append(moved(m, before)))[0])
    history = gradual_unfreeze(model, data(), data(9, seed=1), epochs=2, lr=0.01, decay=0.5, **QUIET)
    order = ["head", "layer4", "layer3", "layer2", "layer1", "stem"]
    growing = [set(order[: k + 1]) for k in range(6)]
    assert [trains for trains, *_ in seen] == growing and [epochs for *_, epochs, _ in seen] == [2] * 6
    assert all(now <= {*allowed} for now, allowed in zip(after, growing, strict=True))
    assert seen[-1][3] == pytest.approx({name: 0.01 * 0.5**k for k, name in enumerate(order)})
    assert len(history.train_loss) == len(history.val_loss) == len(history.val_accuracy) == 12
    assert model.frozen == set()


def test_gradual_unfreezing_is_its_phases_one_after_the_other():
    model, by_hand = network("CourseCNN"), network("CourseCNN")
    gradual_unfreeze(model, data(), epochs=1, lr=1e-3, weight_decay=0.1, seed=4, **QUIET)
    freeze(by_hand)
    for name in ("head", "stage3", "stage2", "stage1"):
        unfreeze(by_hand, name)
        fit(by_hand, data(), epochs=1, lr=1e-3, weight_decay=0.1, seed=4, **QUIET)
    agree(model, by_hand, 2e-4)


def test_lp_ft_probes_first_and_then_fine_tunes_from_the_trained_head(monkeypatch):
    seen = phases(monkeypatch)
    model, probed = network(), network()
    before = state(model)
    probe(probed, data(), epochs=3, lr=0.02, seed=1, **QUIET)
    seen.clear()
    history = lp_ft(model, data(), data(9, seed=1), probe_epochs=3, probe_lr=0.02, epochs=2, lr=0.001, seed=1, **QUIET)
    assert [(trains, now, epochs) for trains, now, epochs, _ in seen] == [
        ({"head"}, {"head"}, 3),
        ({*model.parts()}, {*model.parts()}, 2),
    ]
    assert set(seen[1][3].values()) == {0.001} and moved(model, before) == {*model.parts()} and not model.frozen
    assert len(history.train_loss) == len(history.val_loss) == 5


def test_lp_fts_probe_leaves_the_stages_bit_identical_and_is_the_probe():
    model, probed = network(), network()
    before = state(model)
    lp_ft(model, data(), probe_epochs=3, probe_lr=0.02, epochs=0, seed=1, **QUIET)
    probe(probed, data(), epochs=3, lr=0.02, seed=1, **QUIET)
    assert moved(model, before) == {"head"}
    assert all(torch.equal(value, probed.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("way, phases_of", [(lp_ft, [4, 3]), (gradual_unfreeze, [3, 3, 3, 3])])
def test_the_history_of_phases_is_one_and_its_best_epoch_is_the_models(way, phases_of):
    """The last phase's best, counted from the first epoch of all: its weights are the model's."""
    model, val = network("CourseCNN"), data(15, seed=1)
    options = {"probe_epochs": 4} if way is lp_ft else {}
    history = way(model, data(), val, epochs=3, lr=3e-3, **options, **QUIET)
    assert len(history.train_loss) == len(history.val_loss) == len(history.val_accuracy) == sum(phases_of)
    last = sum(phases_of[:-1])
    assert history.best_epoch >= last
    assert history.val_loss[history.best_epoch] == min(history.val_loss[last:])
    p = predict(model, val[0])
    assert history.val_loss[history.best_epoch] == pytest.approx(
        -p[torch.arange(15), val[1]].log().mean().item(), rel=1e-4
    )


@pytest.mark.parametrize("way", [lp_ft, gradual_unfreeze])
def test_ctrl_c_in_a_phase_ends_all_of_them(way, capsys):
    calls = []

    def interrupted(model):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 0.0

    model = network("CourseCNN")
    history = way(model, data(), epochs=3, penalty=interrupted, **QUIET)
    assert history.stopped == "interrupted in epoch 2" and len(history.train_loss) == 1 and len(calls) == 2
    assert capsys.readouterr().out.count("interrupted") == 1


@pytest.mark.parametrize("way", [probe, fine_tune, gradual_unfreeze, lp_ft])
def test_all_ways_take_augmentation_and_the_options_of_fit(way):
    model = network("CourseCNN")
    upto = {"frozen_upto": "stage1"} if way is fine_tune else {}
    options = {"augment": augment, "copies": 2, "class_weight": torch.tensor([1.0, 2.0, 3.0]), "patience": 1}
    history = way(model, data(), data(9, seed=1), epochs=1, batch_size=7, seed=2, **upto, **options, **QUIET)
    assert history.train_loss and not model.training
