"""Weights to be written into files of every layout that Keras and torch ever had."""

import h5py
import torch
from torch import nn

from medtl_helpers.methods import backbones

WIDTHS = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
NAMES = [f"block{b}_conv{c}" for b, n in ((1, 2), (2, 2), (3, 3), (4, 3), (5, 3)) for c in range(1, n + 1)]

LAYOUTS = {
    "Keras 3 .weights.h5": ("layers/conv2d{k}/vars/0", "layers/conv2d{k}/vars/1"),
    "Keras 3 .weights.h5, inside another model": (
        "layers/functional/layers/conv2d{k}/vars/0",
        "layers/functional/layers/conv2d{k}/vars/1",
    ),
    "Keras 3 .h5": ("model_weights/{name}/{name}/kernel", "model_weights/{name}/{name}/bias"),
    "Keras 2": ("{name}/{name}/kernel:0", "{name}/{name}/bias:0"),
    "Keras 2, whole model": ("model_weights/{name}/{name}/kernel:0", "model_weights/{name}/{name}/bias:0"),
    "Keras 1, as downloaded": ("{name}/{name}_W_1:0", "{name}/{name}_b_1:0"),
}


def h5(path, arrays):
    """An HDF5 file of ``arrays`` by name, uncompressed."""
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


def keras_arrays(convolutions, kernel, bias):
    """As Keras names them: ``kernel`` and ``bias`` are the names with {name} and {k} to be filled in."""
    arrays = {}
    for k, (name, (w, b)) in enumerate(zip(NAMES, convolutions, strict=True)):
        fill = {"name": name, "k": f"_{k}" if k else ""}
        arrays[kernel.format(**fill)] = w.permute(2, 3, 1, 0).half().numpy()
        arrays[bias.format(**fill)] = b.half().numpy()
    return arrays


def small_resnet(width=32, seed=0):
    """A ResNet whose batch norm has statistics of its own."""
    torch.manual_seed(seed)
    model = backbones.small_resnet(3, width)
    statistics(model)
    return model.eval()


def statistics(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)


def has(model, convolutions):
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    pairs = zip(layers, convolutions, strict=True)
    return all(torch.equal(m.weight, w) and torch.equal(m.bias, b) for m, (w, b) in pairs)
