"""Small networks as after a pre-training, images for them, and what has moved in one."""

import torch
from torch import nn

from medtl_helpers.methods.backbones import small_resnet
from medtl_helpers.methods.nets import CourseCNN

NETWORKS = {
    "small_resnet": lambda: small_resnet(3, width=8),
    "CourseCNN": lambda: CourseCNN(3, 3, width=8),
    "CourseCNN, batch norm": lambda: CourseCNN(3, 3, width=8, norm="batch"),
}
QUIET = {"progress": False}


def network(name="small_resnet", seed=0):
    torch.manual_seed(seed)
    model = NETWORKS[name]()
    for module in model.modules():  # as after a pre-training
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.8, 1.2)
    return model


def data(n=20, seed=0, size=16):
    """Bright images are class 2, dark ones class 0."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(3, (n,), generator=generator)
    x = torch.randint(0, 130, (n, 3, size, size), generator=generator) + 60 * y[:, None, None, None]
    return x.byte(), y


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def moved(model, before):
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    return {name.split(".")[1] if name.startswith("stages") else "head" for name in changed}


def agree(ours, theirs, tolerance):
    for name, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, rtol=tolerance, atol=tolerance, msg=name)


def sgd(model, lr=0.02):
    """Plain descent: AdamW's first steps have the length of the rate whatever the gradient, and so enlarge rounding."""
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr, momentum=0.9, weight_decay=0.01)
