"""The methods for outlines, each with every wrong kind of argument: one sentence is said."""

import pytest
import torch
from rows import Row, of_ours, unclear
from test_argument_faults import WRONG
from torch import nn

import medtl_helpers as mtl

X = torch.randint(0, 256, (4, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 128).to(torch.uint8)
LOGITS = torch.randn(4, 2, 16, 16, generator=torch.Generator().manual_seed(0))


def net(**options) -> mtl.UNet:
    return mtl.UNet(**{"channels": 3, "classes": 2, "width": 4, "depth": 1} | options)


def fit(x=X, y=Y, val=None, model=None, **options):
    return mtl.fit_masks(model or net(), (x, y), val, **{"epochs": 1, "progress": False} | options)


def broken() -> mtl.UNet:
    model = net()
    nn.init.constant_(model.head.bias, float("nan"))
    return model


ROWS = [
    ("U-Net: one class", lambda: net(classes=1), "classes is 1: give a whole number of 2 or more"),
    ("U-Net: no depth", lambda: net(depth=0), "depth is 0: give a whole number of 1 or more"),
    ("U-Net: grey images for colours", lambda: mtl.predict(net(), X[:, :1]), "wants inputs N×3×H×W and got a batch"),
    ("U-Net on a plain network", lambda: mtl.unet_on(nn.Conv2d(3, 8, 3)),
     "a Conv2d without named stages: make them with staged(model)"),
    ("U-Net on a U-Net", lambda: mtl.unet_on(net()), "The encoder is a UNet: give a network that names images"),
    ("U-Net on a network for DNA", lambda: mtl.unet_on(mtl.SequenceCNN(2)),
     "The encoder is a SequenceCNN: give a network that names images"),
    ("U-Net: features of all stages", lambda: mtl.stage_features(net(), X), "compute features of the encoder alone"),
    ("U-Net: a probe", lambda: mtl.probe(net(), (X, Y)), "they are masks: train on them with fit_masks"),
    ("outlines: another loss", lambda: fit(loss="focal"), "loss is 'focal': choose one of both, cross-entropy, dice"),
    ("outlines: masks of 0 and 255", lambda: fit(y=255 * Y), "run from 0 to 255, and the model has classes 0 to 1"),
    ("outlines: three classes for two", lambda: fit(y=Y + Y), "The masks run from 0 to 2, and the model has classes 0"),
    ("outlines: empty masks", lambda: fit(y=0 * Y), "All training masks are empty, so there is nothing to outline"),
    ("outlines: one mask too few", lambda: fit(y=Y[:3]), "one mask of the same size for each image"),
    ("outlines: masks that are smaller", lambda: fit(y=Y[:, :8]), "one mask of the same size for each image"),
    ("outlines: masks that are images", lambda: fit(y=Y[:, None]),
     "uint8 of shape (4, 1, 16, 16): give the class number"),
    ("outlines: masks of floats", lambda: fit(y=Y.float()), "The training masks are float32 of shape (4, 16, 16)"),
    ("outlines: masks below 0", lambda: fit(y=Y.long() - 1), "The training masks run from -1 to 0: number the classes"),
    ("outlines: no image", lambda: fit(X[:0], Y[:0]), "There are no training masks: give at least one"),
    ("outlines: channels last", lambda: fit(X.movedim(1, -1)), "give N×C×H×W and N×H×W"),
    ("outlines: a class for validation alone", lambda: fit(val=(X, Y + Y)),
     "Class 2 is in the validation masks and not in the training masks"),
    ("outlines: validation in grey", lambda: fit(val=(X[:, :1], Y)), "Training images have 3 channels, validation"),
    ("outlines: a crop that is too large", lambda: fit(crop=17), "crop is 17 and the images have 16 × 16 px: give a"),
    ("outlines: a network that names images", lambda: fit(model=mtl.CourseCNN(3, 2)), "outlines need logits N×K×H×W"),
    ("outlines: a map of half the size", lambda: fit(model=nn.Conv2d(3, 2, 3)), "and the outputs have shape"),
    ("outlines: all is frozen", lambda: fit(model=mtl.freeze(net(), *net().parts())),
     "Every weight of the model is frozen"),
    ("outlines: a rate that is too high", lambda: fit(lr=1e20, epochs=3), "try a rate ten times lower"),
    ("outlines: tones that become text", lambda: fit(augment=lambda x, g: "x"), "augment made 'x' of a batch of 4"),
    ("outlines: images that move and masks that stay", lambda: fit(augment=mtl.augment), "would stay where they were"),
    ("outlines: a turn that is a word", lambda: fit(turn="no"), "turn is 'no': give True or False"),
    ("outlines: a task for a pair", lambda: mtl.fit_masks(net(), mtl.Task), "give a pair (x, y) of images and masks"),
    ("outlines given to fit", lambda: mtl.fit(net(), (X, Y)), "they are masks: train on them with fit_masks"),
    ("predicted outlines: a network that names", lambda: mtl.predict_masks(mtl.CourseCNN(3, 2), X), "logits N×K×H×W"),
    ("predicted outlines: no image", lambda: mtl.predict_masks(net(), X[:0]), "give at least one, N×C×H×W"),
    ("predicted outlines: one image", lambda: mtl.predict_masks(net(), X[0]), "The images have shape (3, 16, 16)"),
    ("soft Dice: probabilities of one class", lambda: mtl.soft_dice_loss(LOGITS[:, :1], Y),
     "each of at least two classes"),
    ("soft Dice: masks in one-hot", lambda: mtl.soft_dice_loss(LOGITS, Y[:, None]), "a class number for each pixel"),
    ("Dice: masks of 0 and 255", lambda: mtl.dice(Y * 255, Y), "The predicted masks hold 0 and 255"),
    ("Dice: sizes that differ", lambda: mtl.dice(Y, Y[:, :8]), "give one prediction of the same size for each mask"),
    ("Dice: probabilities", lambda: mtl.dice(LOGITS[:, 1], Y), "The predicted masks are float32 of shape (4, 16, 16)"),
    ("Dice: another rule", lambda: mtl.dice(Y, Y, empty="zero"), "empty is 'zero': choose one of one, nan"),
    ("Dice: no mask", lambda: mtl.iou(Y[:0], Y[:0]), "There are no predicted masks: give at least one"),
    ("lesions: a share above 1", lambda: mtl.lesion_counts(Y, Y, share=2), "share is 2: give a share between 0 and 1"),
    ("HD95: sizes that differ", lambda: mtl.hausdorff95(Y[0], Y[0, :8]), "give both H×W, or D×H×W, of the same size"),
    ("HD95: a row of pixels", lambda: mtl.hausdorff95(Y[0, 0], Y[0, 0]), "give both H×W, or D×H×W, of the same size"),
    ("HD95: millimetres of three axes", lambda: mtl.hausdorff95(Y[0], Y[0], (1, 1, 5)),
     "give one number, or 2, one for each axis"),
    ("HD95: no millimetres", lambda: mtl.hausdorff95(Y[0], Y[0], 0), "spacing is 0.0: give a finite rate, above 0"),
    ("window: many images", lambda: mtl.sliding_window(net(), X), "give one, C×H×W; of many, one after the other"),
    ("window: that never moves on", lambda: mtl.sliding_window(net(), X[0], 8, 1),
     "overlap is 1, so that no window would move on"),
    ("window: a network that names", lambda: mtl.sliding_window(mtl.CourseCNN(3, 2), X[0], 8),
     "of the size of its images"),
    ("window: weights that are NaN", lambda: mtl.sliding_window(broken(), X[0], 8), "look for NaN in it and"),
    ("random contrast: floats", lambda: mtl.random_contrast(X / 255, torch.Generator()),
     "float32 of shape (4, 3, 16, 16)"),
    ("random contrast: a seed", lambda: mtl.random_contrast(X, 0), "generator is 0: give torch.Generator()"),
    ("Otsu: floats", lambda: mtl.otsu_masks(X / 255),
     "The images are float32 of shape (4, 3, 16, 16): give at least one"),
    ("Otsu: one image", lambda: mtl.otsu_masks(X[0]), "give at least one, uint8 N×C×H×W, 0 to 255"),
    ("Otsu: bright as a word", lambda: mtl.otsu_masks(X, bright="no"), "bright is 'no': give True, False, or None"),
    ("Otsu: stains of grey images", lambda: mtl.otsu_masks(X[:, :1], of="haematoxylin"),
     "stains need three: red, green and blue"),
    ("nuclei: no file", lambda: mtl.load_nuclei_unet(weights="no.pt"),
     "There is no weight file no.pt: correct the path"),
]  # fmt: skip
CALLS = {
    mtl.UNet: {"channels": 3, "classes": 2, "width": 4, "depth": 1},
    mtl.unet_on: {"encoder": mtl.CourseCNN(3, 2, 8), "classes": 2},
    mtl.fit_masks: {"model": net(), "train": (X, Y), "val": (X, Y), "epochs": 1, "batch_size": 4, "lr": 1e-3,
                    "weight_decay": 0.0, "optimizer": None, "schedule": None, "loss": "both", "augment": None,
                    "turn": True, "crop": 8, "patience": 2, "seed": 0, "device": "cpu"},
    mtl.predict_masks: {"model": net(), "x": X, "batch_size": 4, "device": "cpu"},
    mtl.soft_dice_loss: {"logits": LOGITS, "masks": Y},
    mtl.dice: {"predicted": Y, "masks": Y, "of": 1, "empty": "one"},
    mtl.iou: {"predicted": Y, "masks": Y, "of": 1, "empty": "one"},
    mtl.lesion_counts: {"predicted": Y, "masks": Y, "of": 1, "share": 0.5},
    mtl.lesion_sensitivity: {"predicted": Y, "masks": Y, "of": 1, "share": 0.5},
    mtl.hausdorff95: {"predicted": Y[0], "mask": Y[0], "spacing": 1},
    mtl.surface_distances: {"predicted": Y[0], "mask": Y[0], "spacing": (1, 2)},
    mtl.sliding_window: {"model": net(), "image": X[0], "size": 8, "overlap": 0.5, "batch_size": 2, "device": "cpu"},
    mtl.random_contrast: {"images": X, "generator": torch.Generator()},
    mtl.otsu_masks: {"images": X, "bright": True, "of": "grey"},
    mtl.load_nuclei_unet: {"weights": "random"},
}  # fmt: skip


@pytest.mark.parametrize("call, said", [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_method_for_outlines_that_cannot_do_what_is_asked(call, said):
    with pytest.raises((ValueError, TypeError, FileNotFoundError, FloatingPointError)) as info:
        call()
    assert said in of_ours(info.value)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_no_wrong_argument_of_a_method_for_outlines_ends_in_a_traceback_of_a_library(call):
    call(**CALLS[call])  # so that it is the replaced one that is refused
    found = unclear(call, lambda: CALLS[call], WRONG)
    assert not found, found


TABLE = [Row(fault, said, "—") for fault, _, said in ROWS]
