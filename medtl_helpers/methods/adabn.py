"""AdaBN: batch norm with the target's statistics, without a label and without a gradient.

[1] Li et al., Adaptive batch normalization for practical domain adaptation, Pattern Recognition 80 (2018),
doi 10.1016/j.patcog.2018.03.005
"""

import copy

import torch
from torch import nn

from .. import guards, parts
from .batches import in_order
from .few_weights import let_go
from .predict import to_float


def adapt_batch_norm(
    model: nn.Module, target_x, *, batch_size: int = 256, device: torch.device | None = None
) -> nn.Module:
    """AdaBN: replace the running statistics of batch norm by those of ``target_x``; in place, no weight changes [1].

    Raises ValueError for a network without batch norm, or whose batch norm keeps no statistics, and for inputs that do
    not fit it or hold NaN, MemoryError, with a batch size to try; the old statistics then stay.
    """
    parts.check_network(model)
    parts.check_whole(batch_size, "batch_size", least=1)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        raise ValueError(
            "AdaBN re-estimates the statistics of batch norm, and this network has none: build one with batch norm."
        )
    norms = [m for m in norms if m.running_mean is not None]
    if not norms:
        raise ValueError(
            "The batch norm of this network keeps no statistics, and AdaBN replaces them: build it with "
            "track_running_stats=True."
        )
    device, target_x = parts.as_device(device), guards.as_inputs(target_x, "target", streamed=True)
    if not len(target_x):
        raise ValueError("There are no target inputs to take statistics of: give at least one.")
    model.to(device).eval()
    before, momenta = copy.deepcopy(model.state_dict()), [m.momentum for m in norms]

    def estimate():
        for part in in_order(target_x, batch_size, device):
            guards.forward(model, to_float(part))

    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # a plain mean over all batches
        m.train()
    try:
        with torch.no_grad(), let_go(norms):
            guards.with_memory(estimate, batch_size, "taking statistics of")
        if not all(statistic.isfinite().all() for m in norms for statistic in m.buffers()):
            raise ValueError("The target's statistics are not finite numbers: look for NaN in the target inputs.")
    except BaseException:
        model.load_state_dict(before)
        raise
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        model.eval()
    return model
