"""Pre-training without labels: hide some bases of real sequences and let the network say what they were.

The masked-language objective of Devlin et al., BERT, NAACL 2019, section 3.1 (doi 10.18653/v1/N19-1423), on bases as in
Ji et al., DNABERT, Bioinformatics 37 (2021), 2112, doi 10.1093/bioinformatics/btab083. A hidden base becomes "unknown",
0.25 in each row; the loss is the cross-entropy at hidden positions alone.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..labels import as_share
from .history import History
from .nets import StagedNet, check_staged
from .sequence_nets import as_sequences
from .unlabelled import check_unlabelled, train_without_labels


def masked_base_loss(
    model: Callable[[Tensor], Tensor], x: Tensor, generator: torch.Generator, share: float = 0.15
) -> Tensor:
    """The mean cross-entropy (nats) of the hidden bases of x, N×4×L; knowing nothing it is log 4 = 1.386.

    ``model`` maps N×4×L to logits N×4L, base by base: A at all positions, then C, G and T. Each known base is hidden
    with probability ``share``; letters that are not known are never asked for. Where nothing was hidden it is 0.
    """
    hidden = torch.rand(len(x), x.shape[2], generator=generator) < share
    hidden = hidden.to(x.device) & (x.amax(1) == 1)
    logits = model(torch.where(hidden[:, None], 0.25, x)).view_as(x)
    losses = F.cross_entropy(logits, x.argmax(1), reduction="none")
    return (losses * hidden).sum() / hidden.sum().clamp_min(1)


def pretrain_masked(
    model: StagedNet,
    x,
    *,
    epochs: int = 30,
    batch_size: int = 64,
    lr: float = 1e-3,
    share: float = 0.15,
    seed: int = 0,
    device=None,
) -> History:
    """Train the stages of ``model`` on sequences N×4×L without labels, in place; its head is left as it is.

    A linear decoder on the features, drawn from ``seed`` and thrown away afterwards, names the hidden bases. Returns
    the mean loss of each epoch as ``train_loss``. Raises ValueError for sequences that are none, and settings with
    which nothing can be trained; TypeError for a model without stages.
    """
    check_staged(model)
    epochs, batch_size, generator, device = check_unlabelled(epochs, batch_size, lr, seed, device)
    x, share = as_sequences(x).to(device), as_share(share, "share")
    decoder = nn.Linear(model.width, 4 * x.shape[2])
    with torch.no_grad():
        decoder.weight.normal_(std=0.01, generator=generator)
        decoder.bias.zero_()
    model.to(device)
    decoder.to(device)

    def loss(part: Tensor, generator: torch.Generator) -> Tensor:
        return masked_base_loss(lambda x: decoder(model.features(x)), part, generator, share)

    weights = [*model.stages.parameters(), *decoder.parameters()]
    return train_without_labels(
        model, x, weights, loss, epochs=epochs, batch_size=batch_size, lr=lr, generator=generator
    )
