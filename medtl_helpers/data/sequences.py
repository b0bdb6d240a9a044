"""DNA as numbers: letters to float32 N×4×L and back, one row each for A, C, G and T.

A base that is known is 1 in its row. A letter that stands for several bases (IUPAC: Cornish-Bowden, Nucleic Acids
Research 13 (1985), 3021, doi 10.1093/nar/13.9.3021) shares the 1 among them, so that N, which may be any, is 0.25 in
each row.
"""

import numpy as np
import torch
from torch import Tensor

from ..parts import shown

BASES = "ACGT"
STANDS_FOR = {
    **{base: base for base in BASES},
    "U": "T",  # RNA
    **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
    **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}
_SHARES = np.zeros((128, 4), dtype=np.float32)  # of A, C, G and T, by the character's code; all 0: no base
for _letter, _bases in STANDS_FOR.items():
    _SHARES[[ord(_letter), ord(_letter.lower())]] = [(base in _bases) / len(_bases) for base in BASES]
_LETTER_OF = {bases: letter for letter, bases in STANDS_FOR.items() if letter != "U"}


def one_hot(sequences) -> Tensor:
    """float32 N×4×L of N strings of one length L: the rows are A, C, G and T.

    Lower case counts like upper case, and U like T. Raises ValueError, which names the first string in question, where
    there are no strings, where one is no text or empty, where the lengths differ, and for a character that is no IUPAC
    letter of a base.
    """
    if isinstance(sequences, str):
        raise ValueError("The sequences are one text: give a list of texts, like ['ACGT', 'TTGA'].")
    sequences = list(sequences)
    if not sequences:
        raise ValueError("There are no sequences: give at least one.")
    for number, text in enumerate(sequences, 1):
        check_bases(text, f"Sequence {number}")
        if len(text) != len(sequences[0]):
            raise ValueError(
                f"Sequence {number} has {len(text)} bases and sequence 1 has {len(sequences[0])}: cut all to one "
                "length, with the place that matters at the same position."
            )
    codes = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8).reshape(len(sequences), -1)
    return torch.from_numpy(_SHARES[codes].transpose(0, 2, 1).copy())


def check_bases(text, name: str) -> None:
    """Raises ValueError unless ``text`` is a string of one base or more; ``name`` says which one it is."""
    if not isinstance(text, str):
        raise ValueError(f"{name} is {shown(text)}: give a text of A, C, G and T.")
    if not text:
        raise ValueError(f"{name} is empty: leave it out, or give its bases.")
    for place, character in enumerate(text, 1):
        if character.upper() not in STANDS_FOR:
            raise ValueError(
                f"{name} has {character!r} at position {place}, which stands for no base: write A, C, G, T, or N "
                "where the base is not known."
            )


def letters(x) -> list[str]:
    """The strings of float32 N×4×L, upper case: what ``one_hot`` made, with T for U.

    Raises ValueError for another shape, and where a position holds other shares than those of an IUPAC letter.
    """
    x = torch.as_tensor(x)
    if x.ndim != 3 or x.shape[1] != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}: give N×4×L, as one_hot makes it.")
    present = x.cpu() > 0
    code = (present * torch.tensor([1, 2, 4, 8])[:, None]).sum(1).numpy()  # N×L: which of A, C, G and T are there
    table = np.zeros((16, 4), dtype=np.float32)
    names = np.full(16, "", dtype="<U1")
    for bases, letter in _LETTER_OF.items():
        at = sum(1 << BASES.index(base) for base in bases)
        names[at], table[at] = letter, _SHARES[ord(letter)]
    if not np.allclose(table[code].transpose(0, 2, 1), x.cpu().numpy(), atol=1e-3) or (code == 0).any():
        raise ValueError("A position of x holds shares that no letter stands for: give what one_hot made.")
    return ["".join(row) for row in names[code]]


def reverse_complement(x):
    """The other strand, read in its own direction: of float32 …×4×L, or of a list of strings.

    A pairs with T and C with G, so that both axes of a one-hot sequence turn around.
    """
    if isinstance(x, Tensor):
        if x.ndim < 2 or x.shape[-2] != 4:
            raise ValueError(f"x has shape {tuple(x.shape)}: give N×4×L, as one_hot makes it.")
        return x.flip(-2, -1)
    return [letters(one_hot([text]).flip(-2, -1))[0] for text in x]
