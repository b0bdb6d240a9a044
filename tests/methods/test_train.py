"""The training loop against loops by hand, and its promises: one seed, one result; only validation chooses."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from blobs import blobs, network
from torch import nn

from medtl_helpers import devices
from medtl_helpers.methods.losses import L2SP, snapshot
from medtl_helpers.methods.predict import predict
from medtl_helpers.methods.train import fit


def weights(model):
    return {name: value.cpu().clone() for name, value in model.state_dict().items()}


def same(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def overfitting(epochs=25, **options):
    """A run whose lowest validation loss lies in the middle: few, partly wrong labels."""
    model = network(3)
    train, val = blobs(40, seed=1, noise=1.5, flipped=0.2), blobs(200, seed=2, noise=1.5, flipped=0.2)
    options = {"val": val, "lr": 0.005, "batch_size": 10, "progress": False} | options
    return model, fit(model, train, epochs=epochs, **options)


# --- learning --------------------------------------------------------------------------------------------------------


def test_fit_learns_what_can_be_learnt():
    model = network()
    history = fit(model, blobs(), blobs(seed=1), lr=0.01, progress=False)
    x, y = blobs(seed=2)
    assert (predict(model, x).argmax(1) == y).float().mean() > 0.98
    assert history.train_loss[-1] < history.train_loss[0] / 3
    assert len(history.train_loss) == len(history.val_loss) == len(history.val_accuracy) == 10
    assert history.val_accuracy[history.best_epoch] > 0.98 and history.stopped == "all epochs done"


def test_two_epochs_are_the_loop_that_one_would_write():
    """Batches in the order of the seed's generator, mean cross-entropy, AdamW; bit for bit."""
    x, y = blobs(50)
    model = network()
    ours = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.1)
    generator = torch.Generator().manual_seed(5)
    for _ in range(2):
        for batch in torch.randperm(50, generator=generator).split(16):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    fit(ours, (x, y), epochs=2, batch_size=16, weight_decay=0.1, seed=5, device=torch.device("cpu"))
    assert same(weights(ours), weights(model))


def test_one_seed_gives_bit_identical_weights_whatever_the_global_seed_is():
    def run(seed, global_seed):
        model = network(7)
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)
        noisy = lambda x, generator: x + torch.randn(x.shape, generator=generator).to(x.device) / 10  # noqa: E731
        fit(model, blobs(60), blobs(seed=1), epochs=3, augment=noisy, seed=seed, progress=False)
        return weights(model)

    first = run(seed=1, global_seed=0)
    assert same(run(seed=1, global_seed=99), first)
    assert not same(run(seed=2, global_seed=0), first)


def test_the_training_loss_is_the_mean_over_examples_even_with_a_small_last_batch():
    x, y = blobs(25)
    model = network()
    with torch.no_grad():
        wanted = F.cross_entropy(model(x), y).item()
    sgd = torch.optim.SGD(model.parameters(), lr=0.0)
    history = fit(model, (x, y), epochs=1, batch_size=10, optimizer=sgd, progress=False)
    assert history.train_loss == pytest.approx([wanted], rel=1e-5)


def test_frozen_parameters_do_not_move():
    model = network()
    model[0].requires_grad_(False)
    before = weights(model)
    fit(model, blobs(), epochs=2, weight_decay=0.1, progress=False)
    after = weights(model)
    assert torch.equal(after["0.weight"], before["0.weight"]) and not torch.equal(after["2.weight"], before["2.weight"])


# --- validation ------------------------------------------------------------------------------------------------------


def test_the_weights_of_the_best_validation_epoch_are_kept():
    """They are those of a run without validation that ends in that epoch."""
    model, history = overfitting()
    best = history.best_epoch
    assert 0 < best < 24 and history.val_loss[best] == min(history.val_loss)
    until_then, _ = overfitting(epochs=best + 1, val=None)
    to_the_end, without = overfitting(val=None)
    assert same(weights(model), weights(until_then)) and not same(weights(model), weights(to_the_end))
    assert without.best_epoch == 24 and without.val_loss == []


def test_the_recorded_validation_loss_and_accuracy_are_those_of_the_kept_model():
    model, history = overfitting()
    x, y = blobs(200, seed=2, noise=1.5, flipped=0.2)
    probability = predict(model, x)
    loss = -probability[torch.arange(200), y].log().mean().item()
    assert history.val_loss[history.best_epoch] == pytest.approx(loss, rel=1e-5)
    assert history.val_accuracy[history.best_epoch] == pytest.approx((probability.argmax(1) == y).double().mean())


@pytest.mark.parametrize("patience", [1, 4])
def test_training_stops_after_so_many_epochs_without_a_lower_validation_loss(patience):
    _, history = overfitting(patience=patience)
    assert len(history.val_loss) == history.best_epoch + patience + 1 < 25
    assert min(history.val_loss) == history.val_loss[history.best_epoch]
    assert history.stopped == f"no lower validation loss for {patience} epochs"


def test_other_validation_labels_change_which_epoch_is_kept_and_nothing_else():
    _, history = overfitting()
    x, y = blobs(200, seed=2, noise=1.5, flipped=0.2)
    model, other = overfitting(val=(x, 1 - y))
    assert other.train_loss == history.train_loss and other.best_epoch != history.best_epoch
    until_then, _ = overfitting(epochs=other.best_epoch + 1, val=None)
    assert same(weights(model), weights(until_then))


# --- options ---------------------------------------------------------------------------------------------------------


def one_step(data, **options):
    """Loss and weights after one full-batch step of plain gradient descent."""
    model = network()
    sgd = torch.optim.SGD(model.parameters(), lr=0.5)
    history = fit(model, data, epochs=1, batch_size=1000, optimizer=sgd, progress=False, **options)
    return history.train_loss[0], weights(model)


def test_a_class_weight_of_3_is_the_same_as_having_each_of_its_examples_3_times():
    x, y = blobs(30)
    copies = torch.cat([torch.arange(30), *[torch.nonzero(y == 1).flatten()] * 2])
    loss, moved = one_step((x, y), class_weight=torch.tensor([1.0, 3.0]))
    wanted_loss, wanted = one_step((x[copies], y[copies]))
    assert loss == pytest.approx(wanted_loss, rel=1e-5)
    for name in wanted:
        torch.testing.assert_close(moved[name], wanted[name], rtol=1e-4, atol=1e-6)


def test_a_penalty_is_added_to_the_loss():
    plain, moved = one_step(blobs(30))
    with_constant, same_moves = one_step(blobs(30), penalty=lambda model: torch.tensor(7.0))
    assert with_constant == pytest.approx(plain + 7) and same(same_moves, moved)


def test_a_huge_lambda_keeps_the_source_weights():
    def distance(lam):
        model = network()
        theta0 = snapshot(model.to(devices.device()))
        sgd = torch.optim.SGD(model.parameters(), lr=1e-3)
        l2_sp = L2SP(theta0)
        fit(model, blobs(), epochs=20, optimizer=sgd, penalty=lambda m: lam * l2_sp(m), progress=False)
        return 2 * l2_sp(model).item()

    assert distance(500.0) < 0.01 * distance(0.0)


def test_the_model_is_left_in_eval_mode_and_was_trained_in_train_mode():
    modes = []
    model = nn.Sequential(nn.Linear(4, 2))
    model.register_forward_hook(lambda module, *_: modes.append(module.training))
    fit(model.eval(), blobs(20), blobs(20), epochs=2, progress=False)
    assert modes == [True, False, True, False] and not model.training


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_an_empty_training_set_is_refused():
    with pytest.raises(ValueError, match="The training set is empty: give at least one example"):
        fit(network(), (torch.empty(0, 4), torch.empty(0, dtype=torch.int64)), progress=False)


@pytest.mark.parametrize("label", [2, -1])
def test_a_label_outside_the_models_outputs_is_refused(label):
    x, y = blobs(20)
    y[7] = label
    with pytest.raises(ValueError, match=f"Labels run from .*{label}.*but the model's outputs are 0 to 1"):
        fit(network(), (x, y), progress=False)


def with_nan(data):
    x, y = data
    x[3, 1] = float("nan")
    return x, y


def test_a_nan_in_the_training_inputs_is_told_with_the_learning_rate():
    with pytest.raises(FloatingPointError, match=r"The loss is nan in epoch 1 at learning rate 0\.003.*NaN in the inp"):
        fit(network(), with_nan(blobs(20)), lr=0.003, progress=False)


def test_a_nan_in_the_validation_inputs_does_not_silently_keep_the_first_epoch():
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1"):
        fit(network(), blobs(20), with_nan(blobs(20)), progress=False)


def test_a_diverging_run_is_told():
    sgd = lambda model: torch.optim.SGD(model.parameters(), lr=1e30)  # noqa: E731
    model = network()
    with pytest.raises(FloatingPointError, match="try a rate ten times lower"):
        fit(model, blobs(), epochs=5, optimizer=sgd(model), progress=False)


def test_ctrl_c_keeps_the_best_weights_and_the_history_so_far(capsys):
    batches = []

    def interrupted(x, generator):
        batches.append(len(x))
        if len(batches) == 4 * 2 + 2:  # four batches an epoch: the second batch of the third epoch
            raise KeyboardInterrupt
        return x

    model, history = overfitting(augment=interrupted)
    assert len(history.train_loss) == len(history.val_loss) == 2
    assert history.stopped == "interrupted in epoch 3" and "interrupted in epoch 3" in capsys.readouterr().out
    until_then, _ = overfitting(epochs=history.best_epoch + 1, val=None)
    assert same(weights(model), weights(until_then)) and not model.training


def test_a_history_is_shown_in_one_line_and_not_as_its_lists():
    from medtl_helpers.methods.history import DANNHistory, History

    shown = repr(History([0.9, 0.5], [0.8, 0.7], [0.5, 0.6], best_epoch=1))
    assert shown == (
        "History: 2 epochs, last training loss 0.500, the model has the weights of epoch 2 (all epochs done)"
    )
    assert repr(DANNHistory()) == "DANNHistory: 0 epochs (all epochs done)"
