"""What surrounds a training loop: the weights that stay, Ctrl-C, memory that runs out, a loss that is no number."""

import gc
import weakref

import pytest
import torch
from torch import nn

from medtl_helpers.methods.loop import Training, endless_batches, rate_scheduler


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Linear(2, 2)


def set_weights(model, value: float) -> None:
    nn.init.constant_(model.weight, value)


def test_the_model_ends_with_the_weights_that_were_kept_last_and_in_eval_mode(model):
    with Training(model, epochs=4, batch_size=8) as training:
        for epoch in training:
            model.train()
            set_weights(model, epoch)
            if epoch in (0, 2):
                training.keep()
    assert (model.weight == 2).all() and training.best_epoch == 2 and training.stopped == "all epochs done"
    assert not model.training


def test_without_a_kept_epoch_the_weights_of_the_end_stay(model):
    with Training(model, epochs=2, batch_size=8) as training:
        for epoch in training:
            set_weights(model, epoch)
    assert (model.weight == 1).all() and training.best_epoch is None


@pytest.mark.parametrize(("kept", "value", "words"), [(True, 0, "the weights of epoch 1"), (False, 1, "this moment")])
def test_ctrl_c_ends_the_loop_and_is_told_in_one_line(model, kept, value, words, capsys):
    with Training(model, epochs=5, batch_size=8) as training:
        for epoch in training:
            set_weights(model, epoch)
            if epoch == 1:
                raise KeyboardInterrupt
            if kept:
                training.keep()
    assert training.stopped == "interrupted in epoch 2" and (model.weight == value).all() and not model.training
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and words in out and "interrupted in epoch 2" in out


def test_when_memory_runs_out_a_batch_size_is_named_and_the_batch_is_let_go(model):
    batches = []

    def step():
        batch = torch.zeros(1000)
        batches.append(weakref.ref(batch))
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(
        MemoryError, match="Out of memory in epoch 1, training on batches of 10: try batch_size=5"
    ) as told:
        with Training(model, epochs=3, batch_size=10) as training:
            for _ in training:
                step()
    gc.collect()
    assert batches[0]() is None, "the error still holds the tensors of the batch"
    assert told.value.__cause__ is None and not model.training


def test_another_error_passes_as_it_is_and_the_kept_weights_come_back(model):
    with pytest.raises(RuntimeError, match="of another kind"):
        with Training(model, epochs=3, batch_size=10) as training:
            for epoch in training:
                set_weights(model, epoch)
                if epoch == 1:
                    raise RuntimeError("of another kind")
                training.keep()
    assert (model.weight == 0).all()


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_finite_number_names_the_epoch_and_the_settings(model, loss):
    with pytest.raises(FloatingPointError, match=r"in epoch 2 at learning rate 0\.1: try a rate ten times lower"):
        with Training(model, epochs=3, batch_size=10) as training:
            for epoch in training:
                assert training.finite(0.5, "learning rate 0.1") == 0.5
                if epoch == 1:
                    training.finite(loss, "learning rate 0.1")


def test_the_rate_follows_the_schedule_over_all_steps(model):
    optimizer = torch.optim.SGD(model.parameters(), 2.0)
    scheduler, rates = rate_scheduler(optimizer, lambda progress: 1 - progress, steps=4), []
    for _ in range(4):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert rates == [2.0, 1.5, 1.0, 0.5]


def test_endless_batches_are_whole_and_come_from_one_shuffled_pass_after_the_other():
    batches = endless_batches(5, 3, torch.Generator().manual_seed(0))
    indices = torch.cat([next(batches) for _ in range(5)])  # three passes
    assert all(sorted(one_pass.tolist()) == [0, 1, 2, 3, 4] for one_pass in indices.split(5))
    assert indices[:5].tolist() != indices[5:10].tolist()
