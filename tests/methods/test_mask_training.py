"""The training of outlines against a loop by hand, and its promises; what it predicts against its probabilities."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from outlined import discs
from torch import nn

from medtl_helpers.methods.mask_inputs import cropped_together, turned_together
from medtl_helpers.methods.mask_losses import LOSSES
from medtl_helpers.methods.mask_scores import dice
from medtl_helpers.methods.mask_training import fit_masks, predict_masks
from medtl_helpers.methods.nets import CourseCNN
from medtl_helpers.methods.predict import predict, to_float
from medtl_helpers.methods.random_contrast import random_contrast
from medtl_helpers.methods.unet import UNet, unet_on

pytestmark = pytest.mark.usefixtures("one_processor_thread")
SMALL = {"epochs": 2, "batch_size": 4, "lr": 0.01, "progress": False}


def network(seed=0, **options):
    torch.manual_seed(seed)
    return UNet(**{"channels": 1, "classes": 2, "width": 4, "depth": 1} | options)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


# --- the loop --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_two_epochs_are_the_loop_that_one_would_write(loss):
    """Batches in the order of the seed's generator, the loss written out, AdamW; bit for bit."""
    x, y = discs(10, 16)
    model = network()
    ours = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1)
    generator = torch.Generator().manual_seed(5)
    model.train()
    for _ in range(2):
        for batch in torch.randperm(10, generator=generator).split(4):
            logits, masks = model(x[batch].float() / 127.5 - 1), y[batch].long()
            pixels = F.cross_entropy(logits.permute(0, 2, 3, 1).reshape(-1, 2), masks.flatten())
            p, g = logits.softmax(1)[:, 1].flatten(1), masks.flatten(1)
            overlap = 1 - ((2 * (p * g).sum(1) + 1) / (p.sum(1) + g.sum(1) + 1)).mean()
            optimizer.zero_grad()
            {"cross-entropy": pixels, "dice": overlap, "both": pixels + overlap}[loss].backward()
            optimizer.step()
    history = fit_masks(ours, (x, y), **SMALL, weight_decay=0.1, seed=5, loss=loss, device="cpu")
    assert same(weights(ours), weights(model))
    assert len(history.train_loss) == 2 and history.val_loss == history.val_dice == [] and history.best_epoch == 1


def test_crops_turns_and_tones_come_in_this_order_and_from_the_one_generator():
    x, y = discs(6, 16)
    model = network()
    ours, sgd = copy.deepcopy(model), torch.optim.SGD(model.parameters(), 0.1)
    generator = torch.Generator().manual_seed(3)
    batch = torch.randperm(6, generator=generator)
    images, masks = turned_together(*cropped_together(x[batch], y[batch], 8, generator), generator)
    LOSSES["both"](model.train()(to_float(random_contrast(images, generator))), masks).backward()
    sgd.step()
    fit_masks(ours, (x, y), epochs=1, batch_size=6, crop=8, turn=True, augment=random_contrast, seed=3, progress=False,
              optimizer=torch.optim.SGD(ours.parameters(), 0.1))  # fmt: skip
    assert same(weights(ours), weights(model))


def test_it_learns_what_can_be_learnt_and_outlines_new_images():
    model = network()
    val = discs(16, seed=1)
    history = fit_masks(model, discs(48), val, epochs=12, batch_size=8, lr=0.02, turn=True, progress=False)
    assert history.train_loss[-1] < history.train_loss[0] / 3 and history.val_dice[history.best_epoch] > 0.9
    x, y = discs(16, seed=2)
    assert dice(predict_masks(model, x), y).mean() > 0.9


def test_one_seed_gives_bit_identical_weights_whatever_the_global_seed_is():
    def run(seed, global_seed):
        model = network(7)
        torch.manual_seed(global_seed)
        options = {"crop": 8, "turn": True, "augment": random_contrast, "seed": seed} | SMALL
        fit_masks(model, discs(8, 16), discs(4, 16), **options)
        return weights(model)

    first = run(1, 0)
    assert same(run(1, 99), first) and not same(run(2, 0), first)


def test_any_network_that_makes_maps_can_be_trained_and_named_stages_keep_their_modes():
    torch.manual_seed(0)
    for model in (nn.Conv2d(1, 3, 3, padding=1), unet_on(CourseCNN(1, 2, width=8), classes=3)):
        x, y = discs(6, 16)
        y[0, :4] = 2
        before = weights(model)
        fit_masks(model, (x, y), (x, y), **SMALL)
        assert not same(weights(model), before) and not model.training


# --- validation ------------------------------------------------------------------------------------------------------


def test_what_validation_says_is_the_loss_and_the_mean_dice_of_the_kept_network():
    x, y = discs(7, 16, seed=1)
    y[y == 1] = torch.where(torch.arange(int((y == 1).sum())) % 2 == 0, 1, 2).to(torch.uint8)
    model = network(classes=3)
    history = fit_masks(model, (x, y), (x, y), **SMALL | {"epochs": 4})
    best, masks = history.best_epoch, predict_masks(model, x)
    assert best == int(np.argmin(history.val_loss))
    assert history.val_dice[best] == pytest.approx(np.mean([dice(masks, y, of=k).mean() for k in (1, 2)]))
    with torch.no_grad():
        assert history.val_loss[best] == pytest.approx(LOSSES["both"](model(to_float(x)), y).item(), rel=1e-5)


def test_the_weights_of_the_best_validation_epoch_are_kept_and_patience_ends_the_training():
    wrong = discs(6, 16, seed=1)[0], 1 - discs(6, 16, seed=1)[1]
    model, until_then = network(), network()
    options = SMALL | {"epochs": 30, "patience": 2}
    history = fit_masks(model, discs(8, 16), wrong, **options)
    assert history.stopped == "no lower validation loss for 2 epochs"
    assert len(history.val_loss) == history.best_epoch + 3 < 30
    fit_masks(until_then, discs(8, 16), **SMALL | {"epochs": history.best_epoch + 1})
    assert same(weights(model), weights(until_then))


def test_a_schedule_moves_the_rate():
    still, model = network(), network()
    fit_masks(model, discs(6, 16), schedule=lambda progress: 0.0, **SMALL)
    ours, theirs = dict(model.named_parameters()), dict(still.named_parameters())
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_ctrl_c_keeps_the_weights_and_the_history_so_far(capsys):
    calls = []

    def interrupted(x, generator):
        calls.append(len(x))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return x

    history = fit_masks(network(), discs(8, 16), augment=interrupted, **SMALL)
    assert history.stopped == "interrupted in epoch 2" and len(history.train_loss) == 1
    assert "interrupted in epoch 2" in capsys.readouterr().out


# --- predictions -----------------------------------------------------------------------------------------------------


def test_masks_are_the_most_probable_classes_in_batches_and_in_eval_mode():
    model, (x, _) = network(classes=4).train(), discs(9, 20)
    masks = predict_masks(model, x, batch_size=4)
    assert masks.dtype == torch.uint8 and masks.shape == (9, 20, 20) and not model.training
    probability = predict(model, x)
    assert torch.equal(masks, probability.argmax(1).to(torch.uint8))
    torch.testing.assert_close(probability.sum(1), torch.ones(9, 20, 20))
