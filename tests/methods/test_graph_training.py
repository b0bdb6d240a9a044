"""The training of a graph network against a loop by hand, its promises, and what it predicts."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_molecules import counts, random_molecules
from torch import nn

from medtl_helpers.methods.freezing import freeze
from medtl_helpers.methods.graph import GraphNet
from medtl_helpers.methods.graph_training import assay_loss, fit_graphs, predict_graphs, squared_loss

pytestmark = pytest.mark.usefixtures("one_processor_thread")
SMALL = {"epochs": 2, "batch_size": 4, "lr": 0.01, "progress": False}
X = random_molecules(10)
NUMBER = 5 + 3 * counts(X)
CLASS = (counts(X) > counts(X).median()).long()
ASSAYS = torch.stack([CLASS.float(), 1 - CLASS.float(), (counts(X) > 0).float()], 1)
ASSAYS[0, 0] = ASSAYS[1:4, 2] = torch.nan
KINDS = {"squared": (NUMBER, 1), "classes": (CLASS, 2), "assays": (ASSAYS, 3)}


def network(outputs=1, seed=0, **options):
    torch.manual_seed(seed)
    return GraphNet(outputs, **{"width": 8, "depth": 2} | options)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def written_out(answers, y, loss):
    """The loss of one batch, number by number."""
    if loss == "classes":
        return -answers.log_softmax(1)[torch.arange(len(y)), y].mean()
    if loss == "squared":
        return ((answers[:, 0] - y) ** 2).mean() / NUMBER.var(correction=0)
    terms = [
        -(answers[i, t].sigmoid() if y[i, t] == 1 else 1 - answers[i, t].sigmoid()).log()
        for i in range(len(y)) for t in range(3) if not y[i, t].isnan()
    ]  # fmt: skip
    return sum(terms) / len(terms)


@pytest.mark.parametrize("loss", KINDS)
def test_two_epochs_are_the_loop_that_one_would_write(loss):
    y, outputs = KINDS[loss]
    model = network(outputs)
    ours = copy.deepcopy(model)
    if loss == "squared":
        model.mean.copy_(NUMBER.mean())
        model.deviation.copy_(NUMBER.std(correction=0))
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1)
    generator = torch.Generator().manual_seed(5)
    model.train()
    for _ in range(2):
        for batch in torch.randperm(10, generator=generator).split(4):
            optimizer.zero_grad()
            written_out(model(X[batch]), y[batch], loss).backward()
            optimizer.step()
    history = fit_graphs(ours, (X, y), loss=loss, **SMALL, weight_decay=0.1, seed=5, device="cpu")
    for name, value in weights(model).items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=1e-4, atol=1e-5)
    assert len(history.train_loss) == 2 and history.val_loss == [] and history.best_epoch == 1


def test_the_losses_are_those_of_torch_where_nothing_is_missing():
    answers = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    y = (torch.randn(5, 3, generator=torch.Generator().manual_seed(1)) > 0).float()
    torch.testing.assert_close(assay_loss(answers, y), F.binary_cross_entropy_with_logits(answers, y))
    torch.testing.assert_close(squared_loss(answers, y, torch.tensor(2.0)), F.mse_loss(answers / 2, y / 2))


def test_what_was_not_measured_does_not_count():
    answers = torch.randn(10, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    for loss in (assay_loss(answers, ASSAYS), squared_loss(answers, ASSAYS, torch.ones(3))):
        (gradient,) = torch.autograd.grad(loss, answers)
        assert gradient[ASSAYS.isnan()].eq(0).all() and gradient[~ASSAYS.isnan()].ne(0).all()
    nothing = torch.full((2, 3), torch.nan)
    assert assay_loss(answers[:2], nothing) == 0 == squared_loss(answers[:2], nothing, torch.ones(3))


@pytest.mark.parametrize("loss", KINDS)
def test_it_learns_ten_molecules_by_heart_and_predicts_in_the_right_form(loss):
    y, outputs = KINDS[loss]
    model = network(outputs, width=32)
    history = fit_graphs(model, (X, y), loss=loss, epochs=120, batch_size=10, lr=5e-3, progress=False)
    assert history.train_loss[-1] < history.train_loss[0] / 5
    found = predict_graphs(model, X, loss=loss, batch_size=3)
    assert found.dtype == torch.float32 and found.device.type == "cpu" and not model.training
    if loss == "squared":
        assert found.shape == (10,) and (found - NUMBER).abs().max() < 1.5
    elif loss == "classes":
        torch.testing.assert_close(found.sum(1), torch.ones(10))
        assert torch.equal(found.argmax(1), CLASS)
    else:
        known = ~ASSAYS.isnan()
        assert found.shape == (10, 3) and torch.equal((found > 0.5)[known], (ASSAYS == 1)[known])


def test_numbers_are_answered_in_their_units_whatever_these_are():
    models = [network(), network()]
    for model, y in zip(models, (NUMBER, 100 * NUMBER - 7), strict=True):
        fit_graphs(model, (X, y), **SMALL)
    plain, scaled = (predict_graphs(model, X) for model in models)
    torch.testing.assert_close(scaled, 100 * plain - 7, rtol=1e-3, atol=1e-2)


def test_several_numbers_are_learnt_at_once_each_on_its_own_scale():
    y = torch.stack([NUMBER, 1000 * counts(X) ** 2], 1)
    y[2, 0] = torch.nan
    model = network(2)
    fit_graphs(model, (X, y), **SMALL)
    torch.testing.assert_close(model.mean, y.nanmean(0))
    torch.testing.assert_close(model.deviation[1], y[:, 1].std(correction=0))
    assert predict_graphs(model, X).shape == (10, 2)


@pytest.mark.parametrize("loss", KINDS)
@pytest.mark.parametrize("frozen", ["atoms", "messages1", "messages2"])
def test_frozen_stages_are_bit_identical_after_training(loss, frozen):
    y, outputs = KINDS[loss]
    model = freeze(network(outputs), upto=frozen)
    before = weights(model)
    fit_graphs(model, (X, y), loss=loss, **SMALL)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    stages = {name.split(".")[1] for name in moved if name.startswith("stages")}
    assert stages == {"messages2", "messages1", "atoms"} - set(model.frozen) and "head.weight" in moved


def test_the_best_validation_epoch_is_kept_and_patience_ends_it():
    model, val = network(width=32), (random_molecules(10, seed=1), 5 - 3 * counts(X))
    options = {"epochs": 60, "batch_size": 10, "lr": 0.01, "progress": False}
    history = fit_graphs(model, (X, NUMBER), val, patience=5, **options)
    assert history.best_epoch == np.argmin(history.val_loss) and "no lower validation loss" in history.stopped
    assert len(history.val_loss) == history.best_epoch + 6
    wanted = ((predict_graphs(model, val[0]) - val[1]) ** 2).mean() / NUMBER.var(correction=0)
    assert min(history.val_loss) == pytest.approx(float(wanted), rel=1e-4)


def test_one_seed_gives_bit_identical_weights_whatever_the_global_seed_is():
    def run(seed, global_seed):
        model = network(seed=7)
        torch.manual_seed(global_seed)
        fit_graphs(model, (X, NUMBER), seed=seed, **SMALL)
        return weights(model)

    first = run(1, 0)
    assert same(run(1, 99), first) and not same(run(2, 0), first)


def test_the_schedule_sets_the_rate_of_every_step():
    rates = []

    def schedule(progress):
        rates.append(progress)
        return 1 - progress

    fit_graphs(network(), (X, NUMBER), schedule=schedule, **SMALL)
    assert rates[:6] == pytest.approx([k / 6 for k in range(6)])


def test_any_network_of_packed_molecules_can_be_trained():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(6, 1)

        def forward(self, x):
            return self.linear(x[:, :, :6].float().mean(1))

    model = Plain()
    fit_graphs(model, (X, counts(X)), **SMALL)
    assert predict_graphs(model, X).shape == (10,)
