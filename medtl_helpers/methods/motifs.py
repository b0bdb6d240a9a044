"""Which words the first filters of a network look for, as frequencies of bases that a sequence logo can show.

The windows on which a filter answers with more than half of its own largest answer are lined up and counted: Kelley et
al., Basset, Genome Research 26 (2016), 990, doi 10.1101/gr.200535.115, methods; the idea is that of Alipanahi et al.,
DeepBind, Nature Biotechnology 33 (2015), 831, doi 10.1038/nbt.3300. A logo shows what made a filter answer, which need
not be what the network uses.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..guards import as_inputs
from ..labels import as_share
from ..parts import check_network
from .sequence_nets import as_sequences


class Motifs(NamedTuple):
    """``frequencies`` float32 K×4×W (1/4 each where a filter never answers), and ``windows``, int64 K, how many."""

    frequencies: Tensor
    windows: Tensor


@torch.no_grad()
def motifs_of_filters(model: nn.Module, x, share: float = 0.5) -> Motifs:
    """What the K filters of the first convolution of ``model``, W bases wide, answer to in sequences x, N×4×L.

    A window counts where the filter's answer, before any normalisation, is above ``share`` of its largest one in x.
    Only windows that lie wholly inside the sequence are taken. Raises ValueError for a network without a convolution
    over the four rows of bases, and for sequences shorter than a filter.
    """
    check_network(model)
    x, share = as_sequences(x), as_share(share, "share")
    first = next((m for m in model.modules() if isinstance(m, nn.Conv1d) and m.in_channels == 4), None)
    if first is None:
        raise ValueError("The network has no convolution over A, C, G and T: give one like SequenceCNN.")
    width = first.kernel_size[0]
    if x.shape[2] < width:
        raise ValueError(f"The sequences have {x.shape[2]} bases and a filter {width}: give longer sequences.")
    answers = F.conv1d(x, first.weight.cpu())  # N×K×(L − W + 1)
    largest = answers.amax((0, 2)).clamp_min(0)
    taken = (answers > share * largest[:, None]).float() * (largest > 0)[:, None]
    counts = torch.einsum("nkp,napw->kaw", taken, x.unfold(2, width, 1))
    windows = taken.sum((0, 2))
    found = (windows > 0)[:, None, None]
    return Motifs(torch.where(found, counts / windows.clamp_min(1)[:, None, None], 0.25), windows.long())


def information(frequencies: Tensor) -> Tensor:
    """The height of each position of a logo in bits, of frequencies …×4×W: 2 + Σ f log2 f, from 0 to 2.

    Schneider, Stephens, Nucleic Acids Research 18 (1990), 6097, doi 10.1093/nar/18.20.6097, without their correction
    for few sequences.
    """
    frequencies = as_inputs(frequencies, "frequency")
    if frequencies.ndim < 2 or frequencies.shape[-2] != 4:
        raise ValueError(f"The frequencies have shape {tuple(frequencies.shape)}: give …×4×W, a row for each base.")
    return 2 + torch.special.xlogy(frequencies, frequencies).sum(-2) / torch.log(torch.tensor(2.0))
