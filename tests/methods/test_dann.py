"""DANN: who climbs and who descends, λ = 0, unequal domains, and the rules that choose an epoch."""

import inspect
import math

import pytest
import torch
import torch.nn.functional as F
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods import dann, scores
from medtl_helpers.methods.dann import DANN
from medtl_helpers.methods.gradient_reversal import domain_loss, lambda_schedule, rate_schedule, reverse_gradient
from medtl_helpers.methods.loop import endless_batches
from medtl_helpers.methods.oracle import oracle
from medtl_helpers.methods.transferability import proxy_a_distance


def small(width=6, classes=2, seed=0):
    mtl.seed_everything(seed)
    return DANN(nn.Sequential(nn.Linear(width, 16), nn.ReLU()), 16, classes)


@pytest.fixture
def one_thread():
    """Sums over a batch are then added up in one order, however large the batch is."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# --- the reversed gradient -------------------------------------------------------------------------------------------


def test_the_reversed_gradient_through_the_default_classifier_is_not_zero():
    model = small()
    x, _ = cloud(20)
    f = model.features(x).detach().requires_grad_()
    source, target = model.domain(reverse_gradient(f, 1.0)).tensor_split(2)
    (gradient,) = torch.autograd.grad(domain_loss(source, target), f)
    assert gradient.abs().sum(1).min() > 0  # for every example
    assert model.domain(f).shape == (20, 1)


def test_features_climb_the_domain_loss_and_the_classifier_descends_it():
    model = small()
    (x, y), (t, _) = cloud(64, -2), cloud(64, 2, seed=1)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    _, loss, *_ = model.losses(x, y, t, lam=1.0)
    loss.backward()
    for name, step in (("features", 1), ("domain", -1)):  # p.grad is −∂loss for features: p −= lr·grad climbs
        with torch.no_grad():
            for n, p in model.named_parameters():
                p.copy_(before[n] - (1e-2 * p.grad if n.startswith(name) else 0))
        after = model.losses(x, y, t, lam=1.0)[1]
        assert (after - loss) * step > 0, name


# --- the domain loss -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [(40, 8), (8, 40), (16, 16)])
def test_domain_labels_are_right_when_the_batches_differ(sizes):
    """A classifier that is handed the answer as a feature: positive logits are the target, whatever the sizes."""
    domain = nn.Linear(1, 1, bias=False)
    nn.init.constant_(domain.weight, 50.0)
    model = DANN(nn.Identity(), 1, 2, domain=domain)
    x, t = -torch.ones(sizes[0], 1), torch.ones(sizes[1], 1)
    _, loss, source, target = model.losses(x, torch.zeros(sizes[0], dtype=torch.long), t, lam=1.0)
    assert (len(source), len(target)) == sizes
    assert loss < 1e-6 and (source < 0).all() and (target > 0).all()


def test_the_class_loss_sees_the_source_alone():
    model = small()
    (x, y), (t, _) = cloud(10), cloud(30, 9, seed=1)
    class_loss, *_ = model.losses(x, y, t, lam=1.0)
    assert class_loss.item() == pytest.approx(F.cross_entropy(model(x), y).item(), rel=1e-6)


@pytest.mark.parametrize("lam_max", [0.0, 0.3])
def test_identical_domains_leave_the_domain_loss_near_ln_2(lam_max):
    (x, y), (t, _) = cloud(400), cloud(400, seed=1)
    history = small().fit(x, y, t, epochs=10, lam_max=lam_max, progress=False)
    assert history.domain_loss[-1] == pytest.approx(math.log(2), abs=0.03)
    assert history.domain_accuracy[-1] == pytest.approx(0.5, abs=0.08)


def test_separable_domains_are_told_apart_at_lambda_0_and_hidden_by_the_reversed_gradient():
    """A dead classifier would report ln 2 in both cases; a logistic regression of its own says which it was."""
    (x, y), (t, _) = cloud(400, -2), cloud(400, 2, seed=1)
    loss, distance = {}, {}
    for lam_max in (0.0, 1.0):
        model = small()
        history = model.fit(x, y, t, epochs=40, lr=3e-3, lam_max=lam_max, progress=False)
        loss[lam_max] = history.domain_loss[-1]
        with torch.no_grad():
            distance[lam_max] = proxy_a_distance(model.features(x), model.features(t))
    assert loss[0.0] < 0.2 and distance[0.0] > 1.7
    assert loss[1.0] > 0.5 and distance[1.0] < distance[0.0] - 0.2


# --- λ = 0 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("augment", [None, mtl.augment])
def test_lambda_0_is_source_only_training_bit_for_bit(one_thread, augment):
    torch.manual_seed(3)
    x, t = torch.randint(0, 256, (2, 50, 3, 12, 12), dtype=torch.uint8)
    y = torch.randint(0, 4, (50,))
    mtl.seed_everything(0)
    alone = mtl.CourseCNN(3, 4, norm="group")
    optimizer = torch.optim.AdamW(alone.parameters(), 1e-3, weight_decay=0.0)
    mtl.fit(
        alone,
        (x, y),
        epochs=3,
        batch_size=16,
        optimizer=optimizer,
        schedule=rate_schedule,
        seed=5,
        augment=augment,
        progress=False,
    )
    mtl.seed_everything(0)
    model = DANN(mtl.CourseCNN(3, 0, norm="group"), 64, 4)
    model.fit(x, y, t, epochs=3, batch_size=16, lam_max=0.0, seed=5, augment=augment, progress=False)
    ours = {**model.features.state_dict(), **{f"head.{k}": v for k, v in model.head.state_dict().items()}}
    assert set(ours) == set(alone.state_dict())
    for name, value in alone.state_dict().items():
        assert torch.equal(value, ours[name]), name


def test_lambda_follows_the_schedule():
    assert lambda_schedule(0) == 0
    assert lambda_schedule(1, 0.3) == pytest.approx(0.3, abs=1e-4)
    assert lambda_schedule(0.1) == pytest.approx(2 / (1 + math.exp(-1)) - 1)
    (x, y), (t, _) = cloud(64), cloud(64, 1, seed=1)
    history = small().fit(x, y, t, epochs=4, batch_size=16, lam_max=0.5, progress=False)
    assert history.lam == [pytest.approx(lambda_schedule((4 * e + 3) / 16, 0.5)) for e in range(4)]


# --- fit -------------------------------------------------------------------------------------------------------------


def test_fit_has_no_argument_for_target_labels():
    names = list(inspect.signature(DANN.fit).parameters)
    assert names[1:4] == ["source_x", "source_y", "target_x"]
    assert not [name for name in names if "target" in name and name != "target_x"]


@pytest.mark.parametrize("sizes", [(50, 7), (7, 50), (33, 64)])
def test_domains_of_any_size_train_and_every_epoch_is_noted(sizes):
    (x, y), (t, _) = cloud(sizes[0]), cloud(sizes[1], 1, seed=1)
    history = small().fit(x, y, t, val=(x, y), epochs=3, batch_size=16, progress=False)
    notes = (history.class_loss, history.domain_loss, history.domain_accuracy, history.lam, history.val_accuracy)
    assert [len(note) for note in notes] == [3] * 5
    assert history.epoch == 2


def test_all_targets_are_seen_equally_often():
    batches = endless_batches(10, 4, torch.Generator().manual_seed(0))
    seen = torch.cat([next(batches) for _ in range(15)])
    assert seen.bincount().tolist() == [6] * 10


def test_the_same_seed_gives_the_same_weights():
    (x, y), (t, _) = cloud(40), cloud(30, 1, seed=1)
    models = [small(), small(), small()]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        model.fit(x, y, t, epochs=2, seed=seed, batch_size=16, progress=False)
    states = [torch.cat([p.flatten() for p in m.parameters()]) for m in models]
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


# --- which epoch -----------------------------------------------------------------------------------------------------


def noisy_history(monkeypatch, accuracies):
    """Make ``predict`` and ``validate`` answer so that their accuracies follow ``accuracies``."""
    values = iter(accuracies)

    def predict(model, x, **_):
        right = round(next(values) * len(x))
        y = torch.arange(len(x)) % 2
        return F.one_hot(torch.where(torch.arange(len(x)) < right, y, 1 - y), 2).float()

    monkeypatch.setattr(scores, "predict", predict)
    monkeypatch.setattr(dann, "validate", lambda *_: (0.5, next(values)))


def test_the_rules_keep_the_weights_of_the_epoch_that_they_name(monkeypatch):
    (x, y), (t, _) = cloud(20), cloud(20, 1, seed=1)
    states = {}
    for rule in ("last", "source validation"):
        noisy_history(monkeypatch, [0.5, 0.9, 0.9, 0.6])
        model = small()
        history = model.fit(x, y, t, val=(x, y), epochs=4, select=rule, keep_states=True, batch_size=8, progress=False)
        states[rule] = history.epoch, model.state_dict(), history.states
    assert (states["last"][0], states["source validation"][0]) == (3, 1)
    for chosen, weights, kept in states.values():
        assert all(torch.equal(kept[chosen][name], value) for name, value in weights.items())
    noisy_history(monkeypatch, [0.2, 0.3, 0.8, 0.1])
    assert oracle(model, history, t, torch.arange(20) % 2) == 2
    assert torch.equal(model.head.weight, history.states[2]["head.weight"])


def test_the_oracle_needs_the_weights_of_all_epochs():
    (x, y), (t, t_y) = cloud(20), cloud(20, 1, seed=1)
    model = small()
    history = model.fit(x, y, t, epochs=1, progress=False)
    with pytest.raises(ValueError, match="keep_states=True"):
        oracle(model, history, t, t_y)


def test_ctrl_c_keeps_the_history_and_the_weights(monkeypatch, capsys):
    (x, y), (t, _) = cloud(20), cloud(20, 1, seed=1)
    model, losses, calls = small(), DANN.losses, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return losses(self, *args)

    monkeypatch.setattr(DANN, "losses", interrupted)
    history = model.fit(x, y, t, epochs=9, progress=False)
    assert (len(history.class_loss), history.stopped, history.epoch) == (2, "interrupted in epoch 3", 1)
    assert "interrupted in epoch 3" in capsys.readouterr().out
    assert not model.training
