"""A graph network for molecules: atoms send messages along their bonds, and the sum of all atoms is read by the head.

[1] Gilmer et al., Neural message passing for quantum chemistry, ICML 2017, arXiv 1704.01212, equations 1 and 2
[2] Schlichtkrull et al., Modeling relational data with graph convolutional networks, ESWC 2018, arXiv 1703.06103,
equation 2

A molecule is *packed*, uint8 A×(6 + A): a row for each atom, with the six bytes of its own and then the types of its
bonds to all A atoms. In which order the atoms stand makes no difference to the answer, because sums do not depend on
it, and neither do rows without an atom.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..parts import check_whole
from .graph_inputs import BONDS, SIZES, as_graphs
from .nets import StagedNet

TYPICAL = 16  # atoms: divides the sum over atoms, so that it is about as large as their mean


class Graphs(NamedTuple):
    """Some molecules as one list of atoms and one list of bonds: what is passed from stage to stage."""

    atoms: Tensor  # float M×D: what is known of each atom
    start: Tensor  # int64 E: the atom that each bond comes from; a bond stands here twice, once for each direction
    end: Tensor  # int64 E: the atom that it leads to
    bond: Tensor  # int64 E: its type, 0 single, 1 double, 2 triple, 3 aromatic
    molecule: Tensor  # int64 M: the number of the molecule of each atom
    molecules: int  # how many

    def cpu(self):
        """Raises ValueError: what stages before the last one give are lists, and no tensor that can be kept."""
        raise ValueError(
            "What some stages of a GraphNet give cannot be kept in a cache: take cache=False, or train with fit_graphs."
        )


class GraphNet(StagedNet):
    """A graph network with the stages ``atoms``, ``messages1`` … and a linear head: packed molecules to N×outputs.

    Parameters
    ----------
    outputs: numbers that it gives for each molecule: 1 for a measured number, K for K classes, T for T assays; 0 for
        the 2·width features.
    width: numbers that are known of each atom. depth: how often messages are sent, so that an atom learns of those that
        are so many bonds away.

    Molecules are uint8 N×A×(6 + A) with any A; floats in −1..1 that ``to_float`` made of them are read back, so that
    ``predict`` and ``fine_tune`` work for classes, too. The answer is ``deviation`` · head + ``mean``: these two are 1
    and 0, until ``fit_graphs`` sets them to those of the numbers that it trains on. Raises ValueError for inputs that
    are no packed molecules.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, outputs: int, width: int = 64, depth: int = 3):
        for value, name in ((width, "width"), (depth, "depth")):
            check_whole(value, name, least=1)
        check_whole(outputs, "outputs", least=0)
        messages = {f"messages{k}": Messages(width) for k in range(1, depth + 1)}
        super().__init__({"atoms": Atoms(width), **messages}, 2 * width, outputs, AsLists())
        self.pool = MeanAndSum()
        self.register_buffer("mean", torch.zeros(max(outputs, 1)))
        self.register_buffer("deviation", torch.ones(max(outputs, 1)))

    def forward(self, x: Tensor) -> Tensor:
        """Numbers or logits, float32 N×outputs, of packed molecules."""
        return self.head(self.features(x)) * self.deviation + self.mean


class AsLists(nn.Module):
    """Packed molecules as ``Graphs``, with the six bytes of an atom in one-hot form: 0 … 0 1 0 … for each byte."""

    def forward(self, x: Tensor) -> Graphs:
        x = as_graphs(x)
        own = len(SIZES)
        there = x[:, :, 0] > 0
        number = there.flatten().cumsum(0).view(there.shape) - 1  # of each atom, in a list of all
        molecule, start, end = x[:, :, own:].nonzero(as_tuple=True)
        both = there[molecule, start] & there[molecule, end]
        molecule, start, end = molecule[both], start[both], end[both]
        kinds = x[there][:, :own].long().unbind(1)
        atoms = torch.cat([F.one_hot(kind, size) for kind, size in zip(kinds, SIZES, strict=True)], 1)
        return Graphs(
            atoms.to(torch.get_default_dtype()), number[molecule, start], number[molecule, end],
            x[molecule, start, own + end].long() - 1, there.nonzero(as_tuple=True)[0], len(x),
        )  # fmt: skip


class Atoms(nn.Module):
    """The first stage: a linear layer on the bytes of each atom, which does not look at bonds."""

    def __init__(self, width: int):
        super().__init__()
        self.linear = nn.Linear(sum(SIZES), width)

    def forward(self, graphs: Graphs) -> Graphs:
        return graphs._replace(atoms=self.linear(graphs.atoms))


class Messages(nn.Module):
    """One step of message passing [1, 2]: ``h_v + W₂ · relu(norm(W₀ h_v + Σ_w W_b h_w))``, w the neighbours of v.

    A neighbour's message is its vector times the matrix W_b of the type b of the bond between both. The norm is layer
    norm, which has no running statistics.
    """

    def __init__(self, width: int):
        super().__init__()
        self.own = nn.Linear(width, width)
        self.sent = nn.Linear(width, BONDS * width, bias=False)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)

    def forward(self, graphs: Graphs) -> Graphs:
        h = graphs.atoms
        sent = self.sent(h).view(len(h) * BONDS, -1)  # what each atom would say along each type of bond
        messages = sent[graphs.start * BONDS + graphs.bond]
        h_new = self.own(h).index_add(0, graphs.end, messages)
        return graphs._replace(atoms=h + self.out(self.norm(h_new).relu()))


class MeanAndSum(nn.Module):
    """The mean over the atoms of each molecule, and their sum / 16 beside it: float32 N×2D.

    The sum can count (atoms, weight, polar surface); the mean says what a molecule is like whatever its size.
    """

    def forward(self, graphs: Graphs) -> Tensor:
        total = graphs.atoms.new_zeros(graphs.molecules, graphs.atoms.shape[1])
        total = total.index_add(0, graphs.molecule, graphs.atoms)
        atoms = torch.bincount(graphs.molecule, minlength=graphs.molecules).unsqueeze(1)
        return torch.cat([total / atoms, total / TYPICAL], 1)
