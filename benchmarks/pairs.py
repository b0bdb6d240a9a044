"""The pairs of ``ratios.py``: the course's way beside the usual one, or beside the least that would do.

Each pair is made by a function without arguments that returns both sides, which take no argument either, and a function
that says whether their results agree: two sides that do not do the same work are not compared.
"""

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from dann_peers import bare_loop as bare_dann
from dann_peers import ours as our_dann
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import models, transforms

import medtl_helpers as mtl
from medtl_helpers.data import domains
from medtl_helpers.methods import backbones
from medtl_helpers.methods import keras_recipes as recipes
from medtl_helpers.methods.keras_backend import keras
from medtl_helpers.methods.scores import accuracy


class Pair(NamedTuple):
    """Two ways to the same result. ``speedup``: the ratio is theirs / ours, else ours / theirs."""

    what: str
    ours: str
    theirs: str
    speedup: bool
    aim: float | None  # the ratio is to be at least (speedup) or at most this
    threads: int | None  # of torch; None: as many as it takes by itself
    make: Callable


def seconds(side) -> float:
    start = perf_counter()
    side()
    return perf_counter() - start


def near(tolerance):
    return lambda a, b: np.allclose(a, b, rtol=tolerance, atol=tolerance)


def seeded(make, seed=0):
    mtl.seed_everything(seed)
    return make()


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


# --- batches of images -----------------------------------------------------------------------------------------------


def moved(x, generator):
    """``mtl.augment`` for chests, which are never mirrored: the heart is on the left."""
    return mtl.augment(x, generator, flip=False)


class PILImages(Dataset):
    """The usual way: one PIL image at a time, one transform at a time."""

    def __init__(self, split, *steps):
        self.images = [Image.fromarray(image[0].numpy()) for image in split.x]
        self.y = split.y
        self.transform = transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.y[i]


def batches(size=64):
    """Shuffle, move by up to two pixels and normalise PneumoniaMNIST, or its twin."""
    x, y = train = mtl.load("pneumonia", quiet=True).train
    images = PILImages(train, transforms.RandomCrop(x.shape[-1], padding=2, padding_mode="edge"))

    def ours():
        generator, seen = torch.Generator().manual_seed(0), []
        for batch in torch.randperm(len(x), generator=generator).split(size):
            inputs, labels = mtl.to_float(moved(x[batch], generator)), y[batch]
            seen.append((len(inputs), float(inputs.mean()), int(labels.sum())))
        return np.array(seen)

    def with_loader(workers):
        loader = DataLoader(images, size, shuffle=True, num_workers=workers)
        return lambda: np.array([(len(x), float(x.mean()), int(y.sum())) for x, y in loader])

    theirs = min((with_loader(workers) for workers in (0, 1)), key=seconds)  # whichever is faster here
    # the two draw other shifts: over seeds the mean value moves by 0.001, so 0.01 is no chance, and half of it is none
    return ours, theirs, lambda a, b: np.allclose(totals(a), totals(b), rtol=0, atol=0.01)


def totals(seen):
    """Images, their mean value, and positive labels, of an epoch of batches."""
    return seen[:, 0].sum(), np.average(seen[:, 1], weights=seen[:, 0]), seen[:, 2].sum()


# --- training loops --------------------------------------------------------------------------------------------------


def plain_loop(model, train, val, *, epochs, batch_size, lr, augment=None, loss_of=F.cross_entropy):
    """What ``mtl.fit`` does, or ``mtl.fit_masks``, with nothing around it: no checks, no history, no report."""
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    generator, best = torch.Generator().manual_seed(0), None
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(train.y), generator=generator).split(batch_size):
            x = augment(train.x[batch], generator) if augment else train.x[batch]
            loss = loss_of(model(mtl.to_float(x)), train.y[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.inference_mode():
            logits = torch.cat([model(mtl.to_float(x)) for x in val.x.split(256)])
            loss = loss_of(logits, val.y).item()
        if best is None or loss < best[0]:
            best = loss, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best[1])
    return weights(model)


def loops(new_model, train, val, **settings):
    def ours():
        model = new_model()
        mtl.fit(model, train, val, seed=0, progress=False, **settings)
        return weights(model)

    return ours, lambda: plain_loop(new_model(), train, val, **settings), torch.equal


def loop_on_images():
    task = mtl.load("pneumonia", quiet=True)
    train, val = (mtl.Split(s.x[:n], s.y[:n]) for s, n in ((task.train, 1280), (task.val, 256)))
    settings = {"epochs": 2, "batch_size": 64, "lr": 1e-3, "augment": moved}
    return loops(lambda: seeded(lambda: mtl.CourseCNN(1, 2)), train, val, **settings)


def loop_on_features():
    generator = torch.Generator().manual_seed(0)
    train, val = (mtl.Split(torch.randn(n, 512, generator=generator), torch.arange(n) % 2) for n in (1280, 256))
    return loops(lambda: seeded(lambda: nn.Linear(512, 2)), train, val, epochs=20, batch_size=64, lr=1e-3)


def both_losses(logits, masks):
    """Cross-entropy of all pixels and soft Dice of the object, written out for two classes."""
    pixels = F.cross_entropy(logits.movedim(1, -1).flatten(0, 2), masks.long().flatten())
    p, g = logits.softmax(1)[:, 1].flatten(1), masks.flatten(1)
    return pixels + 1 - ((2 * (p * g).sum(1) + 1) / (p.sum(1) + g.sum(1) + 1)).mean()


def loop_on_outlines():
    x, y = mtl.draw_nuclei(160, size=64, seed=0)
    train, val = mtl.Split(x[:128], y[:128]), mtl.Split(x[128:], y[128:])
    settings = {"epochs": 2, "batch_size": 16, "lr": 1e-3}

    def new_model():
        return seeded(lambda: mtl.UNet(3, 2, width=8))

    def ours():
        model = new_model()
        mtl.fit_masks(model, train, val, progress=False, **settings)
        return weights(model)

    return ours, lambda: plain_loop(new_model(), train, val, loss_of=both_losses, **settings), near(1e-5)


def as_the_authors(model, task, epochs, batch_size=128, seed=0):
    """MedMNIST's own benchmark (github.com/MedMNIST/experiments, MedMNIST2D): Adam, rate divided by ten twice.

    Images are opened one by one; after each epoch the losses and scores of the training, validation and test images are
    computed. Their "best model" is a second name for the model in training, so the last epoch is what they keep.
    Test accuracy of that epoch, and of the one that they mean to keep: the first of the highest validation AUROC.
    """
    data = {split: PILImages(getattr(task, split)) for split in ("train", "val", "test")}
    shuffled = DataLoader(data["train"], batch_size, shuffle=True, generator=torch.Generator().manual_seed(seed))
    evaluated = [DataLoader(images, batch_size) for images in data.values()]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    halves = torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 2, 3 * epochs // 4], gamma=0.1)
    highest, meant = -1.0, 0.0
    for _ in range(epochs):
        model.train()
        for x, y in shuffled:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.item()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            scores = [torch.cat([model(x).softmax(1) for x, _ in loader]) for loader in evaluated]
        aurocs = [roc_auc_score(getattr(task, split).y, score[:, 1]) for split, score in zip(data, scores, strict=True)]
        last = float((scores[-1].argmax(1) == task.test.y).float().mean())
        highest, meant = (aurocs[1], last) if aurocs[1] > highest else (highest, meant)
        halves.step()
    return last, meant


def as_the_course(model, task, epochs, batch_size=128, **settings):
    """The same network, batch size and rates with ``mtl.fit``: test accuracy; the test set is seen once.

    ``settings`` of ``mtl.fit``; ``val=None`` keeps the last epoch, as the authors do.
    """

    def halves(progress):
        return 0.1 ** ((progress >= 0.5) + (progress >= 0.75))

    settings = {"val": task.val, "epochs": epochs, "batch_size": batch_size, "schedule": halves} | settings
    mtl.fit(model, task.train, progress=False, **settings)
    return accuracy(model, task.test)


def small_resnet(seed=0):
    return seeded(lambda: backbones.small_resnet(2), seed)


def medmnist(epochs=2):
    task = mtl.load("pneumonia", quiet=True)
    return (
        lambda: as_the_course(small_resnet(), task, epochs),
        lambda: as_the_authors(small_resnet(), task, epochs)[0],
        lambda a, b: min(a, b) > 0.5,  # both learn; the accuracies of ten epochs are in medmnist_way.py
    )


# --- frozen networks -------------------------------------------------------------------------------------------------


def few_images():
    task = mtl.load("breast", size=64, quiet=True)
    return mtl.Split(task.train.x[:96], task.train.y[:96]), mtl.Split(task.val.x[:32], task.val.y[:32])


def torch_probe(epochs, build):
    """Training VGG16's head on features, computing them included (``build``) or not, and through the frozen trunk."""
    train, val = few_images()
    model = seeded(lambda: mtl.load_backbone("vgg16", 2, quiet=True))
    start = {name: value.clone() for name, value in model.head.state_dict().items()}
    mtl.freeze(model)
    cached = [(mtl.prefix_features(model, x), y) for x, y in (train, val)]

    def side(fit, network, splits):
        def run():
            model.head.load_state_dict(start)
            mtl.unfreeze(model, "head")
            fit(network, *splits, epochs=epochs, batch_size=32, lr=1e-3, progress=False)
            return weights(model.head)

        return run

    on_features = side(mtl.fit, nn.Sequential(nn.Identity(), model.head), cached)
    fast = side(mtl.fit_cached, model, (train, val)) if build else on_features
    return fast, side(mtl.fit, model, (train, val)), near(1e-3)


def keras_probe(epochs, build):
    """The same in Keras: the head's own ``fit`` on features, and ``model.fit`` through the frozen trunk."""
    (x, y), (val_x, val_y) = few_images()
    mtl.seed_everything(0)
    model = recipes.join(recipes.vgg16_trunk(64, quiet=True), recipes.gap_head(2))
    trunk, head = recipes.split_at(model, "block5_pool")
    start = head.get_weights()
    images = [recipes.preprocess(part) for part in (x, val_x)]
    cached = [recipes.features(trunk, part) for part in (x, val_x)]

    def side(network, inputs):
        def run():
            head.set_weights(start)
            recipes.train_only(network, "head", lr=1e-4)
            a, b = inputs()
            network.fit(
                a, y.numpy(), validation_data=(b, val_y.numpy()), epochs=epochs, batch_size=32, shuffle=False, verbose=0
            )
            return head.predict(cached[1], verbose=0)

        return run

    on_features = side(
        head, (lambda: [recipes.features(trunk, part) for part in (x, val_x)]) if build else lambda: cached
    )
    return on_features, side(model, lambda: images), near(0.02)


# --- VGG16 in Keras and in torchvision -------------------------------------------------------------------------------


def vgg16_of(layout, training, n=16):
    """Answers to ``n`` images of 64 px, or steps of Adam on all weights, with the same weights and images."""
    x, y = torch.randn(n, 3, 64, 64, generator=torch.Generator().manual_seed(0)), torch.arange(n) % 2
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(layout)
    mtl.seed_everything(0)
    trunk = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(64, 64, 3) if layout == "channels_last" else (3, 64, 64)
    )
    pooled = keras.layers.GlobalAveragePooling2D()(trunk.output)
    network = keras.Model(trunk.input, keras.layers.Dense(2)(pooled))
    keras.config.set_image_data_format(before)
    network.compile(keras.optimizers.Adam(1e-5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = (x.permute(0, 2, 3, 1) if layout == "channels_last" else x).numpy()
    twin = torch_twin(network).to(mtl.device())
    optimizer = torch.optim.Adam(twin.parameters(), 1e-5)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(twin(x.to(mtl.device())), y.to(mtl.device()))
        loss.backward()
        optimizer.step()
        return loss.item()

    @torch.no_grad()
    def answers():
        return twin(x.to(mtl.device())).cpu().numpy()

    if training:
        return lambda: float(network.train_on_batch(images, y.numpy())), step, near(0.01)
    return lambda: network.predict_on_batch(images), answers, near(1e-3)


def torch_twin(network):
    """torchvision's VGG16 with the weights of a Keras one, global average pooling and a linear head."""
    twin = nn.Sequential(models.vgg16().features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 2))
    theirs = [layer for layer in twin.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    ours = [layer for layer in network.layers if layer.weights]
    for layer, other in zip(ours, theirs, strict=True):
        kernel, bias = (torch.as_tensor(w) for w in layer.get_weights())
        with torch.no_grad():
            other.weight.copy_(kernel.permute(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T)
            other.bias.copy_(bias)
    return twin


# --- DANN ------------------------------------------------------------------------------------------------------------


def adversarial():
    """One epoch; both draw other batches, so that only the shapes of their answers are compared here."""
    source, target = domains.smear_domains("texture", 0, strength=0.6)
    sides = [lambda train=train: train(source, target, 0, 1)(target.test.x[:64]) for train in (our_dann, bare_dann)]
    return *sides, lambda a, b: a.shape == b.shape


# --- all -------------------------------------------------------------------------------------------------------------


VGG = "VGG16, {} 16 images of 64 px, Keras {}"
PAIRS = [
    Pair(
        "shuffled, augmented, normalised batches",
        "batches of `mtl.fit`",
        "`DataLoader`, PIL transforms",
        True,
        10,
        None,
        batches,
    ),
    Pair("training a small CNN", "`mtl.fit`", "bare loop", False, 1.05, 1, loop_on_images),
    Pair("training a small U-Net", "`mtl.fit_masks`", "bare loop", False, 1.1, 1, loop_on_outlines),
    Pair(
        "training a linear head (steps of a fraction of a millisecond)",
        "`mtl.fit`",
        "bare loop",
        False,
        None,
        1,
        loop_on_features,
    ),
    Pair(
        "PneumoniaMNIST, small ResNet, same batches and rates",
        "`mtl.fit`",
        "the MedMNIST authors' way",
        True,
        1,
        None,
        medmnist,
    ),
    Pair(
        "an epoch of VGG16's head, torch",
        "on cached features",
        "through the frozen trunk",
        True,
        10,
        None,
        lambda: torch_probe(1, False),
    ),
    Pair(
        "five epochs of VGG16's head, torch",
        "`fit_cached`, cache included",
        "through the frozen trunk",
        True,
        1,
        None,
        lambda: torch_probe(5, True),
    ),
    Pair(
        "an epoch of VGG16's head, Keras",
        "on cached features",
        "through the frozen trunk",
        True,
        10,
        None,
        lambda: keras_probe(1, False),
    ),
    Pair(
        "five epochs of VGG16's head, Keras",
        "cached, cache included",
        "through the frozen trunk",
        True,
        1,
        None,
        lambda: keras_probe(5, True),
    ),
    *(
        Pair(
            VGG.format(word, layout),
            "Keras on torch",
            "torchvision",
            False,
            1.6 if layout == "channels_last" else None,
            None,
            lambda layout=layout, training=training: vgg16_of(layout, training),
        )
        for layout in ("channels_last", "channels_first")
        for word, training in (("forward", False), ("a step of Adam on", True))
    ),
    Pair("an epoch of DANN on textured slides", "`DANN.fit`", "bare loop", False, 1.15, 1, adversarial),
]
