"""The cache equals the naive loop, and holds what the frozen stages say."""

import copy
from collections import namedtuple

import psutil
import pytest
import torch
from networks import NETWORKS, QUIET, agree, data, moved, network, sgd, state
from torch import nn

from medtl_helpers.methods.augment import augment
from medtl_helpers.methods.cache import after_prefix, fit_cached
from medtl_helpers.methods.features import frozen_prefix, prefix_features, stage_features
from medtl_helpers.methods.freezing import freeze
from medtl_helpers.methods.losses import L2SP, snapshot
from medtl_helpers.methods.nets import StagedNet
from medtl_helpers.methods.predict import predict, to_float
from medtl_helpers.methods.train import fit

pytestmark = pytest.mark.usefixtures("one_processor_thread")

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
