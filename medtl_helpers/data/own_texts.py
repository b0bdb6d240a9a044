"""``load_texts``: the reader's own texts as a task like any other.

What cannot be used is refused with the number of its row. What is left out, or cut, is counted and told, so that
nothing is lost in silence. No text is ever shown, written or sent.
"""

from pathlib import Path

import numpy as np
import torch

from ..console import say
from ..parts import check_whole, shown
from ..provenance import note_source
from .tasks import SPLITS
from .text_files import Text, read_texts
from .text_tasks import TextTask, asked, parted, text_groups, text_task
from .tokens import report_pieces, tokens
from .word_pieces import ASKED, LENGTH, UNKNOWN

FEWEST = 5  # texts of a class, with which each split gets one
TEST, VALIDATION = 0.2, 0.2  # shares
MUCH = 0.05  # share of signs that are unknown, from which on a line says so


def load_texts(
    path: str | Path,
    *,
    text: str = "text",
    label: str = "label",
    finding: str | None = None,
    patient: str | None = None,
    positive: str | None = None,
    length: int = LENGTH,
    seed: int = 0,
) -> TextTask:
    """Load texts with their labels from a CSV file; nothing of them leaves this machine.

    Parameters
    ----------
    path: a CSV with a header, in UTF-8, UTF-16 or Windows-1252 (a line says so), parted by commas, semicolons or
        tabulators. A column called split (train, val or test) is heeded; otherwise 60/20/20 % of the texts are drawn.
    text, label: the names of the columns that hold the texts and the labels.
    finding: the name of the column with the words that are asked for in each text, which become the one token
        [finding] in the middle. Without it a text is read from its beginning, unless all texts carry their finding in
        double brackets, as ``tokens`` wants it.
    patient: the name of a column with the patient of each text, so that no patient is in two splits.
    positive: the label of the disease, where there are two classes.
    length: tokens of a text; what is longer is cut off, and told.
    seed: of the random split.

    Returns a TextTask: int32 N×``length``, int64 N, classes in sorted order, provenance ``"own"``, and ``groups`` by
    text and patient. Texts with the same letters are in one split, whatever their numbers. A row that repeats another
    is left out, and so are rows whose text is empty, whose finding is not in it, or whose text has two labels.

    Raises ValueError, one sentence that names the file and the row and shows nothing of a text: see ``text_files.py``;
    and for too few texts of a class, a single class, an unknown ``positive``.
    """
    if not isinstance(path, str | Path):
        raise TypeError(f"path is {shown(path)}: give the path of a CSV file.")
    path = Path(path).expanduser()
    check_whole(length, "length", least=2)
    check_whole(seed, "seed", least=0)
    found, lines = read_texts(path, {"text": text, "label": label, "finding": finding, "patient": patient})
    if finding is None:
        _check_brackets(path, found)
    kept, written, told = _usable(found, finding)
    kept, written, more = _distinct(kept, written)
    if not kept:
        raise ValueError(
            f"{path} has no text that can be used: {[*told, *more, 'there is no row below its header.'][0]}"
        )
    groups = _groups(kept, written, patient)
    if any(one.split for one in kept):
        at, again = _own_splits(kept, groups)
        kept, written, groups, more = [kept[k] for k in at], [written[k] for k in at], groups[at], more + again
    classes = tuple(sorted({one.label for one in kept}))
    if len(classes) > max(2, len(kept) / 2):
        raise ValueError(
            f"{path} has {len(classes)} different labels in {len(kept)} rows: say with label= which column holds the "
            "labels."
        )
    if len(classes) < 2:
        raise ValueError(f"{path} has texts of one class alone, {classes[0]}: give two classes or more.")
    if positive is not None and positive not in classes:
        raise ValueError(f"positive is not one of the classes {', '.join(classes)}: give one of these.")
    gone = sorted({one.label for one in found} - set(classes))
    if gone:
        more = [*more, f"no text of {', '.join(gone)} is left, so it is no class."]
    y = torch.tensor([classes.index(one.label) for one in kept])
    parts = _parts(path, kept, groups, y, classes, seed)
    x = tokens(written, length)
    name = path.name.split(".")[0]
    lines += told + more + _cut(kept, written, x)
    counts = "/".join(str(len(part)) for part in parts)
    say(f"{name}: your own texts, {length} tokens; train/val/test {counts}; classes {', '.join(classes)}.")
    say(*(f"{name}: {line}" for line in lines))
    note_source(name, "own")
    number = None if positive is None else classes.index(positive)
    note = "; ".join(line.rstrip(".") for line in told + more)
    facts = {"positive": number, "provenance": "own", "licence": "yours", "note": note}
    return text_task(name, x, y, groups, parts, classes, **facts)


def _check_brackets(path: Path, found: list[Text]) -> None:
    """Raises ValueError where some texts carry a finding in double brackets, and others none or several."""
    counts = [len(ASKED.findall(one.text)) for one in found]
    other = [one.row for one, count in zip(found, counts, strict=True) if one.text and count != 1]
    asking = [one.row for one, count in zip(found, counts, strict=True) if count]
    if asking and other:
        raise ValueError(
            f"{path} has {len(asking)} text(s) with a finding in double brackets, row {asking[0]} the first, and "
            f"{len(other)} with none or several, row {other[0]} the first: write one in each text, or in none."
        )


def _usable(found: list[Text], finding: str | None) -> tuple[list[Text], list[str], list[str]]:
    """The rows that can be read, their texts, with the finding in brackets, and lines on the others."""
    full = [one for one in found if one.text]
    lines = _left_out(found, full, "whose text is empty")
    if finding is None:
        return full, [one.text for one in full], lines
    pairs = [(one, asked(one.text, one.finding)) for one in full]
    there = [(one, written) for one, written in pairs if written is not None]
    lines += _left_out(full, [one for one, _ in there], "whose finding is not in its text")
    return [one for one, _ in there], [written for _, written in there], lines


def _distinct(kept: list[Text], written: list[str]) -> tuple[list[Text], list[str], list[str]]:
    """Each text once, of those that have one label, in the latest split that it stands in; and lines on the others."""
    copies: dict[str, list[int]] = {}
    for k, text in enumerate(written):
        copies.setdefault(" ".join(text.lower().split()), []).append(k)
    torn = {k for group in copies.values() if len({kept[k].label for k in group}) > 1 for k in group}
    order = ("", *SPLITS)
    latest = [max(group, key=lambda k: (order.index(kept[k].split), -k)) for group in copies.values()]
    agreed = sorted(k for k in latest if k not in torn)
    single = [kept[k] for k in agreed]
    lines = _left_out([one for k, one in enumerate(kept) if k not in torn], single, "that repeat a text")
    lines += _left_out(kept, [one for k, one in enumerate(kept) if k not in torn], "whose text has two labels")
    return single, [written[k] for k in agreed], lines


def _groups(kept: list[Text], written: list[str], patient: str | None) -> np.ndarray:
    """int64 N: one number for all rows that share a text or a patient, or do so by way of other rows."""
    groups = text_groups(written)
    if patient is None:
        return groups
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # a row without a patient is one of its own
    who = np.unique([one.patient or f"\0{one.row}" for one in kept], return_inverse=True)[1]
    links = coo_array(
        (np.ones(len(who)), (groups, who + groups.max() + 1)), shape=(n := groups.max() + who.max() + 2, n)
    )
    return connected_components(links, directed=False)[1][groups].astype(np.int64)


def _own_splits(kept: list[Text], groups: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The rows that stay where the reader has made the splits: what is in two of them stays in the later one."""
    split = np.array([SPLITS.index(one.split) for one in kept])
    latest = np.zeros(groups.max() + 1, dtype=int)
    np.maximum.at(latest, groups, split)
    at = np.flatnonzero(split == latest[groups])
    return at, _left_out(kept, [kept[k] for k in at], "whose text or patient is in a later split")


def _parts(path: Path, kept: list[Text], groups, y: torch.Tensor, classes, seed: int) -> list[torch.Tensor]:
    """The rows of training, validation and test. Raises ValueError where a class would be missing from one of them."""
    if any(one.split for one in kept):
        parts = [torch.tensor([k for k, one in enumerate(kept) if one.split == s], dtype=torch.long) for s in SPLITS]
    else:
        numbers = [len(set(groups[(y == k).numpy()])) for k in range(len(classes))]
        if min(numbers) < FEWEST:
            few = int(np.argmin(numbers))
            raise ValueError(
                f"{path} has {numbers[few]} distinct text(s) of {classes[few]}, too few to split: give at least "
                f"{FEWEST} of each class, of different patients where these are known."
            )
        parts = parted(groups, y, test=TEST, val=VALIDATION, seed=seed)
    for split, part in zip(SPLITS, parts, strict=True):
        missing = set(range(len(classes))) - set(y[part].tolist())
        if missing:
            raise ValueError(
                f"{path} has no text of the class {classes[min(missing)]} in {split}: give each split some of each "
                "class."
            )
    return parts


def _cut(kept: list[Text], written: list[str], x: torch.Tensor) -> list[str]:
    """Lines on texts that are cut off, and on signs that are not known."""
    lines, sizes = [], report_pieces().sizes(written)
    long = int((sizes > (used := (x > 0).sum(1).numpy())).sum())
    if long:
        most = int(sizes.argmax())
        lines.append(
            f"{long} of {len(kept)} texts have more than {x.shape[1]} tokens, or than fit beside their finding, and "
            f"are cut off; the longest is in row {kept[most].row}, with {len(written[most])} characters."
        )
    unknown = int((x == UNKNOWN).sum()) / max(1, int(used.sum()))
    if unknown > MUCH:
        lines.append(f"{unknown:.0%} of the tokens are unknown signs: the vocabulary knows Latin letters alone.")
    return lines


def _left_out(before: list[Text], after: list[Text], why: str) -> list[str]:
    """A line that counts the rows that are not in ``after``; none where all are."""
    gone = sorted({one.row for one in before} - {one.row for one in after})
    return [f"{len(gone)} row(s) {why} were left out, row {gone[0]} the first."] if gone else []
