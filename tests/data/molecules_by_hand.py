"""Molecules for tests that need no RDKit: packed graphs of chains, with made-up descriptors and fingerprints."""

import numpy as np
import torch

from medtl_helpers.data.molecules import ATOM_FEATURES, DESCRIPTORS, FINGERPRINT_BITS, Molecules, molecule_task

ATOMS = 8


def chains(count: int, scaffolds=None) -> Molecules:
    """Molecule k is a chain of ``2 + k % 6`` carbons; every fifth has a scaffold of its own unless these are given."""
    graphs = torch.zeros(count, ATOMS, len(ATOM_FEATURES) + ATOMS, dtype=torch.uint8)
    for k in range(count):
        length = 2 + k % 6
        graphs[k, :length, 0], graphs[k, :length, 3] = 1, 4
        for a in range(length - 1):
            graphs[k, a, len(ATOM_FEATURES) + a + 1] = graphs[k, a + 1, len(ATOM_FEATURES) + a] = 1
    rng = np.random.default_rng(0)
    return Molecules(
        [f"{'C' * (2 + k % 6)}.{k}" for k in range(count)],
        graphs,
        np.arange(count * len(DESCRIPTORS), dtype=np.float32).reshape(count, -1),
        rng.integers(0, 2, (count, FINGERPRINT_BITS), dtype=np.uint8),
        np.arange(count) // 2 if scaffolds is None else np.asarray(scaffolds),
    )


def task(count: int = 60, kind: str = "number", scaffolds=None):
    """A task of chains, all of them for training at first, whose label says which molecule it is."""
    rng = np.random.default_rng(1)
    y, classes = {
        "number": (torch.arange(count).float(), ("length",)),
        "classes": ((torch.arange(count) % 5 == 0).long(), ("no", "yes")),
        "assays": (torch.from_numpy(rng.choice([0, 1, np.nan], (count, 3), p=[0.6, 0.1, 0.3])).float(), tuple("abc")),
    }[kind]
    parts = [torch.arange(count - 20), torch.arange(count - 20, count - 10), torch.arange(count - 10, count)]
    return molecule_task("chains", chains(count, scaffolds), y, parts, classes, kind=kind)
