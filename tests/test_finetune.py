"""The cache equals the naive loop, and each way to train moves what it says, in the order it says."""

import copy
from collections import namedtuple

import psutil
import pytest
import torch
from torch import nn

import medtl_helpers.finetune as finetune
from medtl_helpers.finetune import (
    after_prefix,
    fine_tune,
    fit_cached,
    frozen_prefix,
    gradual_unfreeze,
    lp_ft,
    prefix_features,
    probe,
    stage_features,
)
from medtl_helpers.freezing import freeze, unfreeze
from medtl_helpers.losses import L2SP, snapshot
from medtl_helpers.nets import CourseCNN, StagedNet, small_resnet
from medtl_helpers.train import augment, fit, predict, to_float

NETWORKS = {
    "small_resnet": lambda: small_resnet(3, width=8),
    "CourseCNN": lambda: CourseCNN(3, 3, width=8),
    "CourseCNN, batch norm": lambda: CourseCNN(3, 3, width=8, norm="batch"),
}
QUIET = {"progress": False}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small networks: more threads only wait for each other. Rounding is compared on the processor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDTL_DEVICE", "cpu")
        yield
    torch.set_num_threads(threads)


def network(name="small_resnet", seed=0):
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    for module in model.modules():  # as after a pre-training
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.8, 1.2)
    return model


def data(n=20, seed=0, size=16):
    """Bright images are class 2, dark ones class 0."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (n,), generator=generator)
    x = torch.randint(0, 130, (n, 3, size, size), generator=generator) + 60 * y[:, None, None, None]
    return x.byte(), y


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def moved(model, before):
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    return {name.split(".")[1] if name.startswith("stages") else "head" for name in changed}


def agree(ours, theirs, tolerance):
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=tolerance, atol=tolerance, msg=name)


def sgd(model, lr=0.02):
    """Plain descent: AdamW's first steps have the length of the rate whatever the gradient, and so enlarge rounding."""
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr, momentum=0.9, weight_decay=0.01)


# --- the cache -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", ["SGD", "AdamW"])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("depth", [1, 2, None])
def test_training_on_cached_features_is_the_naive_loop_up_to_rounding(name, depth, optimiser):
    """The same seed and batch order give the same weights, statistics and history; depth None: all stages frozen."""
    naive = network(name)
    freeze(naive, *list(naive.stages)[:depth])
    start, cached = state(naive), copy.deepcopy(naive)
    histories = []
    for model, how in ((naive, fit), (cached, fit_cached)):
        given = {"optimizer": sgd(model)} if optimiser == "SGD" else {"lr": 1e-3, "weight_decay": 0.1}
        options = QUIET | given | {"epochs": 3, "batch_size": 8, "seed": 5}
        histories.append(how(model, data(), data(12, seed=1), **options))
    agree(cached, naive, 1e-5 if optimiser == "SGD" else 2e-4)
    assert moved(cached, start) == set(list(naive.stages)[depth:] if depth else []) | {"head"}
    for one, other in zip(*(vars(history).values() for history in histories), strict=True):
        assert one == (pytest.approx(other, rel=1e-3) if isinstance(one, list) else other)
    assert not any(module.training for module in cached.modules())


@pytest.mark.parametrize("frozen", [("layer3",), ("stem", "layer3"), ("stem", "layer1", "head")])
def test_frozen_stages_behind_one_that_trains_are_right_too(frozen):
    """They are not part of the cache, but stay frozen, statistics and all."""
    naive = freeze(network(), *frozen)
    start, cached = state(naive), copy.deepcopy(naive)
    assert frozen_prefix(cached) == [name for name in ("stem", "layer1") if name in frozen]
    for model, how in ((naive, fit), (cached, fit_cached)):
        how(model, data(), epochs=2, batch_size=8, optimizer=sgd(model), **QUIET)
    agree(cached, naive, 1e-5)
    assert moved(cached, start) == {*naive.parts()} - {*frozen}


@pytest.mark.parametrize("frozen, cached_calls", [("layer3", 2), (None, 0)])
def test_fine_tune_takes_the_cache_where_there_is_a_prefix_and_only_if_asked(monkeypatch, frozen, cached_calls):
    calls = []
    whole = prefix_features
    monkeypatch.setattr(finetune, "prefix_features", lambda *a, **k: calls.append(1) or whole(*a, **k))
    models = [network(), network()]
    for model, cache in zip(models, (True, False), strict=True):
        fine_tune(model, data(), data(9, seed=1), frozen_upto=frozen, cache=cache, epochs=1, lr=1e-4, **QUIET)
        assert len(calls) == cached_calls  # of the training and of the validation images, once each
    agree(*models, 1e-4)


def test_the_features_are_what_the_frozen_stages_give_in_eval_mode():
    """Of images of any kind, N×C×H×W, or N×D behind all stages; and the rest of the network makes the logits."""
    x, _ = data(7)
    for upto, shape in (("stem", (8, 8, 8)), ("layer2", (16, 4, 4)), ("layer4", (64,))):
        model = freeze(network(), upto=upto)
        features = prefix_features(model.train(), x, batch_size=3)
        assert features.shape == (7, *shape) and features.dtype == torch.float32 and features.device.type == "cpu"
        with torch.no_grad():
            wanted = model.input(to_float(x))
            for name in frozen_prefix(model):
                wanted = model.stages[name].eval()(wanted)
            wanted = wanted.mean((2, 3)) if upto == "layer4" else wanted
            torch.testing.assert_close(features, wanted, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(after_prefix(model).eval()(features), model.eval()(to_float(x)))


def test_the_features_of_all_stages_are_what_hooks_on_the_stages_see():
    """In eval mode, whatever mode the network was in; in batches as at once; and the statistics stand still."""
    (x, _), model, seen = data(7), network(), []
    before = copy.deepcopy(state(model))
    features = stage_features(model.train(), x, batch_size=3)
    assert features.shape == (7, 2 * (8 + 8 + 16 + 32 + 64)) and features.device.type == "cpu"
    assert all(torch.equal(before[name], now) for name, now in state(model).items())
    for stage in model.stages.values():
        stage.register_forward_hook(lambda _, __, output: seen.append(output.flatten(2)))
    with torch.no_grad():
        model.eval()(to_float(x))
    wanted = [torch.cat([output.mean(2), output.max(2).values], 1) for output in seen]
    torch.testing.assert_close(features, torch.cat(wanted, 1), rtol=1e-5, atol=1e-5)


def test_the_features_can_be_trained_on():
    """They are ordinary tensors, not those of inference mode, which autograd refuses."""
    features = prefix_features(freeze(network()), data(6)[0])
    head = nn.Linear(features.shape[1], 3)
    head(features).sum().backward()
    torch.testing.assert_close(head.weight.grad[0], features.sum(0))


def test_the_rest_of_the_network_shares_its_layers_and_their_names_and_costs_no_random_number():
    model = freeze(network(), "stem", "layer1", "layer3")
    before = torch.get_rng_state()
    rest = after_prefix(model)
    assert torch.equal(torch.get_rng_state(), before)
    whole = dict(model.named_parameters())
    assert {name: id(p) for name, p in rest.named_parameters()} == {
        name: id(p) for name, p in whole.items() if name.split(".")[1] not in ("stem", "layer1")
    }
    assert list(rest.stages) == ["layer2", "layer3", "layer4"] and rest.frozen == {"layer3"}


def test_a_cached_run_is_a_function_of_its_seed_alone():
    def run(seed, global_seed):
        model = freeze(network(), upto="layer3")
        torch.manual_seed(global_seed)
        fit_cached(model, data(), epochs=2, augment=augment, copies=2, seed=seed, **QUIET)
        return state(model)

    first = run(1, 0)
    assert all(torch.equal(value, first[name]) for name, value in run(1, 99).items())
    assert not all(torch.equal(value, first[name]) for name, value in run(2, 0).items())


@pytest.mark.parametrize("split", ["train", "val"])
def test_features_that_would_fill_the_memory_are_refused_in_one_sentence(monkeypatch, split):
    """More than half of the free memory, here of 1 MB; and nothing was trained."""
    Memory = namedtuple("Memory", "available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(10**6))
    model = freeze(network(), upto="stem")
    before = state(model)
    fits, too_many = data(244, size=16), data(245, size=16)  # 8×8×8 floats an image: 244 are the last below 0.5 MB
    assert prefix_features(model, fits[0]).nbytes <= 500_000 < 245 * 8 * 8 * 8 * 4
    given = (too_many, fits) if split == "train" else (fits, too_many)
    with pytest.raises(
        MemoryError, match=r"^The features of 245 images need 0\.0 GB and 0\.0 GB are free: freeze a l.*"
    ):
        fit_cached(model, *given, epochs=1, **QUIET)
    assert not moved(model, before)


def test_the_refusal_tells_what_is_needed_and_what_is_free(monkeypatch):
    """Before anything large is computed: one image is enough to know."""
    Memory = namedtuple("Memory", "available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(3e9))
    seen = []
    model = freeze(network(), upto="stem")
    model.stages["stem"].register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    many = torch.zeros(1, 3, 64, 64, dtype=torch.uint8).expand(100_000, -1, -1, -1)  # takes no memory itself
    with pytest.raises(
        MemoryError, match=r"features of 100000 images need 3\.3 GB and 3\.0 GB are free: .* or use fit\.$"
    ):
        prefix_features(model, many)
    assert seen == [1]


# --- options of fit --------------------------------------------------------------------------------------------------


def test_one_augmented_copy_is_training_on_that_copy():
    """The copy that the seed's generator makes; batches drawn as by ``fit`` with an augmentation that draws as much."""
    x, y = data()
    naive = freeze(network(), upto="layer2")
    cached = copy.deepcopy(naive)
    copied = augment(x, torch.Generator().manual_seed(3))
    assert not torch.equal(copied, x)

    def one_draw_each(batch, generator):
        torch.randint(1, (len(batch),), generator=generator)
        return batch

    options = {"epochs": 2, "batch_size": 8, "seed": 3} | QUIET
    fit(naive, (copied, y), augment=one_draw_each, optimizer=sgd(naive), **options)
    fit_cached(cached, (x, y), augment=augment, copies=1, optimizer=sgd(cached), **options)
    agree(cached, naive, 1e-5)


def test_every_copy_of_every_image_gets_used_and_each_batch_has_one_of_each_of_its_images():
    """Brightness tells both: tens for the image, ones for its copy."""
    x = torch.zeros(6, 1, 8, 8, dtype=torch.uint8) + torch.arange(6)[:, None, None, None].byte() * 10
    seen, made = [], []

    def numbered(batch, generator):
        made.append(len(batch))
        return batch + len(made) - 1

    model = StagedNet({"one": nn.Identity(), "two": nn.Identity()}, 1, 2)
    freeze(model, "one")
    model.stages["two"].register_forward_hook(lambda m, i, out: seen.append(out[:, 0, 0, 0]) if m.training else None)
    fit_cached(model, (x, torch.arange(6) % 2), augment=numbered, copies=3, epochs=30, batch_size=4, **QUIET)
    assert made == [6, 6, 6]  # copies are made once, of all images
    drawn = [((batch + 1) * 127.5).round().int().tolist() for batch in seen]
    assert [len(batch) for batch in drawn] == [4, 2] * 30
    for first, second in zip(drawn[::2], drawn[1::2], strict=True):
        assert sorted(value // 10 for value in first + second) == list(range(6))
    counts = {
        image * 10 + k: sum(batch.count(image * 10 + k) for batch in drawn) for image in range(6) for k in range(3)
    }
    assert min(counts.values()) >= 2 and sum(counts.values()) == 180  # about ten times each


def test_a_penalty_on_the_rest_equals_the_same_penalty_on_the_whole():
    """L2-SP on names: the frozen weights, which the rest lacks, have not moved and cost nothing."""
    naive = freeze(network(), upto="layer1")
    cached, penalty = copy.deepcopy(naive), L2SP(snapshot(naive), head=("head",))
    seen = []
    for model, how in ((naive, fit), (cached, fit_cached)):
        pull = lambda m: seen.append(m) or 0.5 * penalty(m)  # noqa: E731
        history = how(model, data(), epochs=2, batch_size=8, optimizer=sgd(model), penalty=pull, **QUIET)
    agree(cached, naive, 1e-5)
    unpulled = freeze(network(), upto="layer1")
    without = fit_cached(unpulled, data(), epochs=2, batch_size=8, optimizer=sgd(unpulled), **QUIET)
    assert history.train_loss[1] > without.train_loss[1]
    assert seen[0] is naive and list(seen[-1].stages) == ["layer2", "layer3", "layer4"]


def test_validation_images_choose_the_epoch_and_are_never_augmented():
    def run(val, **options):
        model = freeze(network(), upto="layer4")
        options = QUIET | {"epochs": 12, "lr": 0.05, "batch_size": 5} | options
        return model, fit_cached(model, data(), val, **options)

    x, y = data(30, seed=1)
    for val in ((x, y), (x, 2 - y)):
        model, history = run(val)
        best = history.best_epoch
        assert history.val_loss[best] == min(history.val_loss)
        p = predict(model, x)
        assert history.val_loss[best] == pytest.approx(-p[torch.arange(30), val[1]].log().mean().item(), rel=1e-4)
        assert history.val_accuracy[best] == pytest.approx((p.argmax(1) == val[1]).float().mean().item())
    assert run((x, y))[1].best_epoch != run((x, 2 - y))[1].best_epoch
    sizes = []
    run((x, y), augment=lambda part, generator: sizes.append(len(part)) or part, copies=2)
    assert sizes == [20, 20]


# --- ways to train ---------------------------------------------------------------------------------------------------


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

    monkeypatch.setattr(finetune, "fit", watched)
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
        ({"head"}, {"head"}, 3), ({*model.parts()}, {*model.parts()}, 2)
    ]  # fmt: skip
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
