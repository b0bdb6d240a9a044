"""The loop of all aligning losses: λ = 0, DANN's loop with another loss, which tensors a loss gets, and no labels."""

import copy
import inspect

import pytest
import torch
from clouds import cloud
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.methods.align import coral_loss, mmd_loss
from medtl_helpers.methods.aligned_training import fit_aligned
from medtl_helpers.methods.dann import DANN
from medtl_helpers.methods.gradient_reversal import lambda_schedule, rate_schedule
from medtl_helpers.methods.oracle import oracle
from medtl_helpers.methods.tent import entropy


def small(norm=False):
    mtl.seed_everything(0)
    return nn.Sequential(nn.Linear(6, 16), *([nn.BatchNorm1d(16)] if norm else []), nn.ReLU(), nn.Linear(16, 2))


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same(a, b):
    return all(torch.equal(value, b[name]) for name, value in a.items())


# --- λ = 0 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [coral_loss, mmd_loss, entropy])
@pytest.mark.parametrize("augment", [None, mtl.augment])
def test_weight_0_is_source_only_training_bit_for_bit(one_thread, augment, loss):
    generator = torch.Generator().manual_seed(3)
    x, t = torch.randint(0, 256, (2, 50, 3, 12, 12), dtype=torch.uint8, generator=generator)
    y = torch.randint(0, 4, (50,), generator=generator)
    mtl.seed_everything(0)
    alone = mtl.CourseCNN(3, 4, norm="group")
    model = copy.deepcopy(alone)
    optimizer = torch.optim.AdamW(alone.parameters(), 1e-3, weight_decay=0.0)
    common = {"epochs": 3, "batch_size": 16, "seed": 5, "augment": augment, "progress": False}
    mtl.fit(alone, (x, y), optimizer=optimizer, schedule=rate_schedule, **common)
    history = fit_aligned(model, x, y, t, loss=loss, weight=0.0, **common)
    assert same(alone.state_dict(), model.state_dict())
    assert history.lam == [0.0] * 3 and min(history.domain_loss) > 0  # it is measured all the same


def test_weight_0_is_the_row_of_dann_with_lambda_0_also_with_batch_norm(one_thread):
    (x, y), (t, _) = cloud(60), cloud(45, 2, seed=1)
    body = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU())
    mtl.seed_everything(0)
    dann = DANN(body, 16, 2)
    model = nn.Sequential(copy.deepcopy(body), copy.deepcopy(dann.head))
    common = {"epochs": 3, "batch_size": 16, "seed": 2, "progress": False}
    dann.fit(x, y, t, lam_max=0.0, **common)
    fit_aligned(model, x, y, t, loss=mmd_loss, weight=0.0, **common)
    assert same(dann.features.state_dict(), model[0].state_dict()) and same(
        dann.head.state_dict(), model[1].state_dict()
    )


# --- the loop --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["features", "logits"])
def test_two_epochs_are_the_loop_that_one_would_write(one_thread, at):
    (x, y), (t, _) = cloud(40), cloud(32, 2, seed=1)
    model, by_hand = small(), small()
    fit_aligned(model, x, y, t, loss=coral_loss, weight=2.0, at=at, epochs=2, batch_size=16, seed=4, progress=False)
    optimizer = torch.optim.AdamW(by_hand.parameters(), 1e-3, weight_decay=0.0)
    order, others = (torch.Generator().manual_seed(4 + k) for k in (0, 1))
    pool, step = torch.empty(0, dtype=torch.long), 0
    for _ in range(2):
        for batch in torch.randperm(40, generator=order).split(16):
            while len(pool) < 16:
                pool = torch.cat([pool, torch.randperm(32, generator=others)])
            other, pool = pool[:16], pool[16:]
            f = by_hand[:-1](torch.cat([x[batch], t[other]]))
            n = len(batch)
            z_s, z_t = by_hand[-1](f[:n]), by_hand[-1](f[n:])
            cov = [torch.cov(v.T) for v in ((f[:n], f[n:]) if at == "features" else (z_s, z_t))]
            aligning = (cov[0] - cov[1]).square().sum() / (4 * len(cov[0]) ** 2)
            loss = nn.functional.cross_entropy(z_s, y[batch]) + lambda_schedule(step / 6, 2.0) * aligning
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * rate_schedule(step / 6)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    for ours, theirs in zip(model.parameters(), by_hand.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


def test_what_a_loss_gets(one_thread):
    (x, y), (t, _) = cloud(40), cloud(40, 2, seed=1)
    seen = {}

    def of_two(source, target):
        seen["two"] = (source.shape, target.shape)
        return (source.mean() - target.mean()).square()

    def of_one(logits, temperature=2.0):
        seen["one"] = logits.shape
        return entropy(logits)

    common = {"epochs": 1, "batch_size": 32, "progress": False}  # the last batch has 8 of the source, 32 of the target
    fit_aligned(small(), x, y, t, loss=of_two, **common)
    assert seen["two"] == ((8, 16), (32, 16))
    fit_aligned(small(), x, y, t, loss=of_two, at="logits", **common)
    assert seen["two"] == ((8, 2), (32, 2))
    fit_aligned(small(), x, y, t, loss=of_one, **common)
    assert seen["one"] == (32, 2)


@pytest.mark.parametrize("loss", [coral_loss, mmd_loss, entropy])
def test_the_loss_falls_where_it_has_a_weight(loss):
    (x, y), (t, _) = cloud(300, -1), cloud(300, 2, seed=1)
    t = t * torch.tensor([1.0, 3, 0.3, 1, 2, 1])
    last = [fit_aligned(small(), x, y, t, loss=loss, weight=w, epochs=15, lr=1e-2, progress=False) for w in (0.0, 3.0)]
    assert last[1].domain_loss[-1] < 0.7 * last[0].domain_loss[-1]


def test_there_is_no_argument_for_target_labels():
    names = list(inspect.signature(fit_aligned).parameters)
    assert names[:4] == ["model", "source_x", "source_y", "target_x"]
    assert not [name for name in names if "target" in name and name != "target_x"]


def test_the_same_seed_gives_the_same_weights():
    (x, y), (t, _) = cloud(40), cloud(30, 1, seed=1)
    models = [small(), small(), small()]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        fit_aligned(model, x, y, t, loss=mmd_loss, epochs=2, seed=seed, batch_size=16, progress=False)
    assert same(models[0].state_dict(), models[1].state_dict())
    assert not same(models[0].state_dict(), models[2].state_dict())


def test_the_rules_keep_the_epoch_that_they_name_and_an_oracle_may_look_back():
    (x, y), (t, wanted) = cloud(60), cloud(60, 1, seed=1)
    model = small()
    history = fit_aligned(
        model,
        x,
        y,
        t,
        loss=coral_loss,
        val=(x, y),
        select="source validation",
        keep_states=True,
        epochs=5,
        progress=False,
    )
    best = max(range(5), key=history.val_accuracy.__getitem__)
    assert history.epoch == best and same(history.states[best], model.state_dict())
    assert same(history.states[oracle(model, history, t, wanted)], model.state_dict())
    assert "AlignedHistory: 5 epochs" in repr(history)


def test_a_last_batch_of_one_example_counts_by_its_label_alone():
    (x, y), (t, _) = cloud(17), cloud(20, 1, seed=1)
    history = fit_aligned(small(), x, y, t, loss=coral_loss, epochs=2, batch_size=16, progress=False)
    assert len(history.class_loss) == 2


def test_a_network_of_named_stages_and_one_of_dann_are_aligned_before_their_head():
    generator = torch.Generator().manual_seed(0)
    x, t = torch.randint(0, 256, (2, 20, 3, 16, 16), dtype=torch.uint8, generator=generator)
    y = torch.arange(20) % 2
    widths = []

    def loss(source, target):
        widths.append(source.shape[1])
        return coral_loss(source, target)

    fit_aligned(mtl.CourseCNN(3, 2, width=8), x, y, t, loss=loss, epochs=1, progress=False)
    fit_aligned(DANN(mtl.CourseCNN(3, 0, width=8), 32, 2), x, y, t, loss=loss, epochs=1, progress=False)
    assert widths == [32, 32]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loss": "coral"}, "loss is 'coral': give a function of the features of both domains"),
        ({"loss": lambda *anything: None}, "give a function of the features"),
        ({"loss": lambda source, target: 0.5}, "The loss returned 0.5"),
        ({"model": nn.Sequential(nn.Conv2d(3, 2, 1))}, "This network has no linear head"),
        ({"model": nn.Sequential(nn.Unflatten(1, (2, 3)), nn.Linear(3, 2), nn.Flatten())}, "pools before its head"),
        ({"batch_size": 1}, "batch_size is 1: give a whole number of 2 or more"),
        ({"at": "head"}, "at is 'head'"),
        ({"weight": -1.0}, "weight is -1.0"),
        ({"target_x": torch.zeros(0, 6)}, "There are no target inputs"),
    ],
)
def test_what_cannot_be_aligned_is_told(change, words):
    (x, y), (t, _) = cloud(40), cloud(40, 2, seed=1)
    arguments = {"model": small(), "source_x": x, "source_y": y, "target_x": t, "loss": coral_loss, "epochs": 1}
    with pytest.raises(ValueError, match=words):
        fit_aligned(**arguments | change, progress=False)
