"""``load_sequences``: the reader's own sequences as a task like any other.

What cannot be used is refused with the record's name. What is left out, or read otherwise than it is written, is
counted and told, so that nothing is lost in silence.
"""

from collections.abc import Mapping
from pathlib import Path

import torch

from ..console import say
from ..parts import check_whole
from ..provenance import note_source
from .sequence_files import Sequence, read_sequences
from .sequences import BASES, check_bases, one_hot
from .tasks import SPLITS, Split, Task
from .white_cells import split_by_class

FEWEST = 5  # sequences of a class, with which each split gets one


def load_sequences(path: str | Path, labels: str | Path | Mapping | None = None, *, seed: int = 0) -> Task:
    """Load sequences of DNA of one length, with their labels, from a FASTA or a CSV file, also one packed with gzip.

    Parameters
    ----------
    path: FASTA (``>name label`` or ``>name|label``, the sequence below it in one line or several), or a CSV with the
        columns sequence and label, and perhaps name and split (train, val or test).
    labels: of a FASTA file whose headers hold the names alone: the path of a CSV with the columns name and label, or a
        dict from name to label.
    seed: of the random split, 60/20/20 % of each class, where no column says otherwise.

    Returns a Task: float32 one-hot N×4×L, int64 N, classes in sorted order, provenance ``"own"``. Lower case counts
    like upper case. A sequence that stands twice is kept once, in the test if one of its copies is there; one that has
    two labels is left out. Each is told in a line. The other strand, and sequences that are nearly alike, are not
    looked for.

    Raises ValueError with one sentence that names the file and the record: no such file, no text, letters that stand
    for no base, lengths that differ, records without a sequence or a label, too few of a class, a single class.
    """
    path = Path(path).expanduser()
    check_whole(seed, "seed", least=0)
    found, lines = read_sequences(path, labels)
    lines += _check(path, found)
    kept, told = _distinct(found)
    classes = tuple(sorted({sequence.label for sequence in kept}))
    if len(classes) < 2:
        raise ValueError(f"{path} has sequences of {' '.join(classes) or 'no class'} alone: give two classes or more.")
    gone = sorted({sequence.label for sequence in found} - set(classes))
    if gone:
        told.append(f"no sequence of {', '.join(gone)} is left, so it is no class.")
    x = one_hot([sequence.text for sequence in kept])
    y = torch.tensor([classes.index(sequence.label) for sequence in kept])
    parts = _parts(path, kept, y, classes, seed)
    counts = "/".join(str(len(part)) for part in parts)
    name = path.name.split(".")[0]
    say(f"{name}: your own sequences, {x.shape[2]} bases; train/val/test {counts}; classes {', '.join(classes)}.")
    say(*(f"{name}: {line}" for line in lines + told))
    note_source(name, "own")
    train, val, test = (Split(x[part], y[part]) for part in parts)
    return Task(name, train, val, test, classes, None, "own", "yours", "; ".join(line.rstrip(".") for line in told))


def _check(path: Path, found: list[Sequence]) -> list[str]:
    """Lines on letters that are read otherwise than written. Raises ValueError for sequences that cannot be used."""
    if not found:
        raise ValueError(f"{path} holds no sequence: give at least {FEWEST} of each class.")
    empty = [sequence.name for sequence in found if not sequence.text]
    if empty:
        raise ValueError(f"{path} has {len(empty)} record(s) without a sequence, {empty[0]} the first: leave them out.")
    for sequence in found:
        check_bases(sequence.text, f"{path}: {sequence.name}")
    length = len(found[0].text)
    other = [sequence for sequence in found if len(sequence.text) != length]
    if other:
        raise ValueError(
            f"{path} has {len(other)} sequence(s) of another length than the first, {other[0].name} with "
            f"{len(other[0].text)} bases in place of {length}: cut all to one length, with the place that matters at "
            "the same position."
        )
    lower = sum(sequence.text != sequence.text.upper() for sequence in found)
    lines = [f"{lower} sequence(s) have lower-case letters, which are read like upper case."] if lower else []
    rna = sum("U" in sequence.text.upper() for sequence in found)
    if rna:
        lines.append(f"{rna} sequence(s) have the letter U, which is read like T.")
    unknown = {letter for sequence in found for letter in sequence.text.upper()} - set(BASES) - {"U"}
    if unknown:
        some = sum(bool(set(sequence.text.upper()) & unknown) for sequence in found)
        lines.append(
            f"{some} sequence(s) have letters other than A, C, G and T ({', '.join(sorted(unknown))}), which are read "
            "as shares of the bases they stand for."
        )
    return lines


def _distinct(found: list[Sequence]) -> tuple[list[Sequence], list[str]]:
    """Each sequence once, of those that have one label; and lines on what was left out."""
    copies: dict[str, list[Sequence]] = {}
    for sequence in found:
        copies.setdefault(sequence.text.upper().replace("U", "T"), []).append(sequence)
    torn = [group for group in copies.values() if len({sequence.label for sequence in group}) > 1]
    agreed = [group for group in copies.values() if len({sequence.label for sequence in group}) == 1]
    kept = [max(group, key=lambda sequence: (sequence.split == "test", sequence.split == "val")) for group in agreed]
    again = sum(len(group) for group in agreed) - len(agreed)
    lines = []
    if again:
        keeps, group = next((keeps, group) for keeps, group in zip(kept, agreed, strict=True) if len(group) > 1)
        dropped = next(sequence for sequence in group if sequence is not keeps)
        across = sum(len({sequence.split for sequence in group}) > 1 for group in agreed)
        between = f"; {across} of the sequences stood in two splits and stay in the later one" if across else ""
        lines.append(
            f"{again} record(s) that repeat a sequence were left out, like {dropped.name}, which repeats {keeps.name}"
            f"{between}."
        )
    if torn:
        one, two = torn[0][0], next(s for s in torn[0] if s.label != torn[0][0].label)
        lines.append(
            f"{len(torn)} sequence(s) with two labels were left out, {sum(map(len, torn))} records in all, like "
            f"{one.name} ({one.label}) and {two.name} ({two.label})."
        )
    return kept, lines


def _parts(
    path: Path, kept: list[Sequence], y: torch.Tensor, classes: tuple[str, ...], seed: int
) -> list[torch.Tensor]:
    """The rows of training, validation and test. Raises ValueError where a class would be missing from one of them."""
    if any(sequence.split for sequence in kept):
        parts = [
            torch.tensor([i for i, s in enumerate(kept) if s.split == split], dtype=torch.long) for split in SPLITS
        ]
        for split, part in zip(SPLITS, parts, strict=True):
            missing = set(range(len(classes))) - set(y[part].tolist())
            if missing:
                raise ValueError(
                    f"{path} has no {classes[min(missing)]} in {split}: give each split some of each class."
                )
        return parts
    counts = torch.bincount(y, minlength=len(classes))
    if counts.min() < FEWEST:
        few = int(counts.argmin())
        raise ValueError(
            f"{path} has {int(counts[few])} distinct sequence(s) of {classes[few]}, too few to split: give at least "
            f"{FEWEST} of each class."
        )
    return split_by_class(y, seed, None)
