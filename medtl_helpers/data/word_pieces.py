"""``WordPieces``: texts as token numbers. Words are cut into pieces that were learnt, and each piece has a number.

Pieces are learnt by merging the most frequent pair of neighbours again and again (Sennrich, Haddow and Birch 2016,
arXiv 1508.07909, algorithm 1). A word is then cut from left to right, each time at the longest piece that is known, as
BERT does it (Devlin et al. 2019, arXiv 1810.04805; Wu et al. 2016, arXiv 1609.08144, section 4.1): a piece that
continues a word begins with ``##``. Every letter is a piece, so that every word in Latin letters can be written.

Upper case counts like lower case, accents are left out, and every number is read as 0: which number it was says little
of how a sentence is built, and much of a patient.
"""

import json
import re
import string
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..parts import check_whole, shown

PAD, UNKNOWN, MASK, START, FINDING = range(5)
SPECIAL = ("[pad]", "[unknown]", "[mask]", "[start]", "[finding]")
ALWAYS = (*"0", *string.punctuation, *string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase))
FEWEST = len(SPECIAL) + len(ALWAYS)
LENGTH = 48  # tokens of a text, where nothing else is said
ASKED = re.compile(r"\[\[[^\[\]]*\]\]|\[finding\]", re.IGNORECASE)  # where a text carries its finding
WORD = re.compile(r"\[(?:unknown|mask)\]|[a-z]+|\d+|[^\sa-z\d]")


def words(text: str) -> list[str]:
    """The words of a text in lower case and without accents: letters in a row, 0 for each number, and single signs."""
    plain = text.lower()
    if not plain.isascii():  # casefold also writes ß as ss; and the sign ℃ becomes °C first
        plain = unicodedata.normalize("NFKD", text).casefold()
        plain = "".join(c for c in plain if not unicodedata.combining(c))
    return ["0" if word[0].isdigit() else word for word in WORD.findall(plain)]


class WordPieces:
    """A vocabulary of pieces of words: texts to int32 token numbers and back.

    ``pieces`` are the special tokens [pad], [unknown], [mask], [start] and [finding], which have the numbers 0 to 4,
    then all letters, 0 and the signs of a keyboard, then what was learnt. Raises ValueError for another beginning, and
    where a piece stands twice.
    """

    def __init__(self, pieces: Iterable[str]):
        self.pieces = tuple(pieces)
        self._number = {piece: k for k, piece in enumerate(self.pieces)}
        if self.pieces[:FEWEST] != SPECIAL + ALWAYS or len(self._number) < len(self.pieces):
            raise ValueError("The pieces are no vocabulary of this course: make one with WordPieces.learn.")
        self._longest = max(len(piece.removeprefix("##")) for piece in self.pieces)
        self._known: dict[str, list[int]] = {}  # words that were cut before

    def __len__(self) -> int:
        return len(self.pieces)

    @classmethod
    def learn(cls, texts, size: int = 1000) -> "WordPieces":
        """Learn ``size`` pieces in all, or fewer where every word is one piece already, from a list of texts.

        Of pairs that are equally frequent the first in the alphabet is merged. What stands in double brackets is left
        out, since no network reads it. Raises ValueError for what is no list of texts, and for too small a size.
        """
        check_whole(size, "size", least=FEWEST)
        counts = Counter(word for text in _checked(texts) for word in words(ASKED.sub(" ", text)) if word.isalpha())
        cut = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in counts if word.isascii()}
        pairs: Counter[tuple[str, str]] = Counter()
        where = defaultdict(set)  # pair -> the words that have had it
        for word, pieces in cut.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
                where[pair].add(word)
        learnt = dict.fromkeys(SPECIAL + ALWAYS)
        while pairs and len(learnt) < size:
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            learnt[_joined(*best)] = None
            for word in where.pop(best):
                for pair in pairwise(cut[word]):
                    pairs[pair] -= counts[word]
                cut[word] = _merged(cut[word], best)
                for pair in pairwise(cut[word]):
                    pairs[pair] += counts[word]
                    where[pair].add(word)
            pairs = +pairs  # those that are left
        return cls(learnt)

    def encode(self, texts, length: int = LENGTH) -> Tensor:
        """int32 N×``length`` of a list of N texts: the numbers of their pieces, 0 where there are none.

        A text begins with [start] at index 0, and what is longer is cut off at its end. A text that carries its finding
        in double brackets, like ``"no sign of [[pneumonia]]."``, has the one token [finding] in its place, always at
        index ``length // 2``: it is cut off, or filled up, on both sides. So the finding's own name is not read.

        Raises ValueError, which names a text by its number and shows nothing of it, for what is no list of texts, for
        an empty text, and where two findings are asked for at once.
        """
        check_whole(length, "length", least=2)
        rows, middle = np.zeros((len(texts := _checked(texts)), length), dtype=np.int32), length // 2
        for row, (number, text) in zip(rows, enumerate(texts, 1), strict=True):
            found = list(ASKED.finditer(text))
            if len(found) > 1:
                raise ValueError(f"Text {number} has {len(found)} findings in double brackets: ask for one at a time.")
            if not found:
                numbers = [START, *self._numbers(text)][:length]
                row[: len(numbers)] = numbers
                continue
            before = self._numbers(text[: found[0].start()])
            before = before[self._first_word(before, len(before) - middle) :]
            after = self._numbers(text[found[0].end() :])[: length - middle - 1]
            row[middle - len(before) : middle + 1 + len(after)] = [*before, FINDING, *after]
        return torch.from_numpy(rows)

    def sizes(self, texts) -> np.ndarray:
        """int64 N: how many tokens each text has in all, whatever ``length`` leaves of them."""
        return np.array([len(self._numbers(ASKED.sub(" ", text))) + 1 for text in _checked(texts)])

    def decode(self, x) -> list[str]:
        """The texts of int32 N×L, in lower case, with ``[finding]`` where a finding was: what is left of each text.

        Raises ValueError for another shape, and for numbers that this vocabulary does not have.
        """
        try:
            x = torch.as_tensor(x).cpu()
        except (TypeError, ValueError, RuntimeError):  # whatever torch says of what is no array of numbers
            raise ValueError(f"x is {shown(x)}: give int32 N×L, as tokens makes it.") from None
        if x.ndim != 2 or x.is_floating_point():
            raise ValueError(f"x is {x.dtype} of shape {tuple(x.shape)}: give int32 N×L, as tokens makes it.")
        if x.numel() and not 0 <= int(x.min()) <= int(x.max()) < len(self):
            raise ValueError(
                f"Token numbers run from {int(x.min())} to {int(x.max())}, and there are {len(self)} pieces: give what "
                "this vocabulary made."
            )
        rows = [" ".join(self.pieces[k] for k in row if k not in (PAD, START)) for row in x.tolist()]
        return [re.sub(r" ([,.;:?!)])", r"\1", row.replace(" ##", "")) for row in rows]

    def save(self, path: str | Path) -> None:
        """Write the vocabulary as JSON, one piece a line."""
        Path(path).write_text(json.dumps({"pieces": self.pieces}, indent=0) + "\n", "utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "WordPieces":
        """Read what ``save`` wrote. Raises ValueError for a file that holds anything else."""
        try:
            return cls(json.loads(Path(path).read_text("utf-8"))["pieces"])
        except (OSError, ValueError, KeyError, TypeError):
            raise ValueError(f"{path} holds no word pieces: give a file that WordPieces.save wrote.") from None

    def _first_word(self, numbers: list[int], start: int) -> int:
        """The first place from ``start`` on where a word begins, so that none is without its beginning."""
        places = range(max(start, 0), len(numbers))
        return next((k for k in places if not self.pieces[numbers[k]].startswith("##")), len(numbers))

    def _numbers(self, text: str) -> list[int]:
        return [number for word in words(text) for number in self._cut(word)]

    def _cut(self, word: str) -> list[int]:
        """The numbers of the longest pieces of one word, from left to right; one [unknown] for a sign that is none."""
        if word in self._known:
            return self._known[word]
        found, start = [], 0
        while start < len(word):
            ends = range(min(len(word), start + self._longest), start, -1)
            pieces = ((end, ("##" if start else "") + word[start:end]) for end in ends)
            start, piece = next(
                ((end, piece) for end, piece in pieces if piece in self._number), (len(word), "[unknown]")
            )
            found.append(self._number[piece])
        self._known[word] = found
        return found


def _checked(texts) -> list[str]:
    """The texts as a list. Raises ValueError where there are none, and where one of them is no text or empty."""
    if isinstance(texts, str):
        raise ValueError("The texts are one text: give a list of texts, like ['No fever.', 'Fever since Monday.'].")
    if isinstance(texts, Mapping) or hasattr(texts, "columns"):  # a list of these would be their names
        raise ValueError(f"The texts are a {type(texts).__name__}: give the texts alone, as a list or a column.")
    try:
        found = list(texts)
    except TypeError:
        raise ValueError(f"The texts are {shown(texts)}: give a list of texts.") from None
    if not found:
        raise ValueError("There are no texts: give at least one.")
    for number, text in enumerate(found, 1):
        if not isinstance(text, str):
            kind = "None" if text is None else f"of type {type(text).__name__}"
            raise ValueError(f"Text {number} is {kind}: give each as a text, and leave missing ones out.")
        if not text.strip():
            raise ValueError(f"Text {number} is empty: leave it out.")
    return found


def _joined(one: str, two: str) -> str:
    return one + two.removeprefix("##")


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """The pieces of a word with every occurrence of ``pair`` merged, from left to right."""
    merged: list[str] = []
    for piece in pieces:
        if merged and (merged[-1], piece) == pair:
            merged[-1] = _joined(*pair)
        else:
            merged.append(piece)
    return merged
