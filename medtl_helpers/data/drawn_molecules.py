"""``draw_molecules``: SMILES of molecules put together at random from rings, linkers and groups, without RDKit.

A molecule begins with a ring or a chain. At places of it that may carry something, a group is put, or a linker and
another ring, or a chain, and so on, until it has about as many atoms as were drawn for it: half of the molecules have
10 to 23 without hydrogen. Nothing but valence is heeded. So some of these molecules could hardly be made or would not
last, and which part stands beside which follows no synthesis and no purpose. Each molecule follows from the seed and
its number alone.
"""

import re
from collections import Counter
from random import Random
from typing import NamedTuple

from ..parts import check_whole
from .molecule_parts import GROUPS, LINKERS, RINGS, read_parts

ATOM = re.compile(r"Cl|Br|\[[^\]]+\]|[A-Za-z@]")
TYPICAL, SPREAD, MOST = 18, 0.5, 44  # atoms: median, spread of their logarithm, and the most that are aimed at
CHAINS = 0.22  # share of molecules that begin with a chain
AGAIN = 0.25  # share of substituents that are the same group as the one before


class Drawn(NamedTuple):
    """A drawn molecule, and how often each of its parts, by name, is in it."""

    smiles: str
    parts: Counter


def draw_molecules(n: int, *, seed: int = 0) -> list[str]:
    """The SMILES of ``n`` drawn molecules, not canonical, in which the same molecule may come twice.

    Raises ValueError unless ``n`` is a whole number of 1 or more and ``seed`` one of 0 or more.
    """
    check_whole(n, "n", least=1)
    check_whole(seed, "seed", least=0)
    return [draw_one(seed, number).smiles for number in range(n)]


def draw_one(seed: int, number: int) -> Drawn:
    """Molecule ``number`` of those of a ``seed``, with its parts."""
    rng = Random(f"molecule {seed} {number}")
    pen = _Pen(rng, round(min(TYPICAL * 2.718282 ** rng.gauss(0, SPREAD), MOST)))
    if rng.random() < CHAINS:
        text = pen.write(pen.chain(max(2, pen.left // 2)))
    else:
        ring = pen.choose(_RINGS, lambda text: count_atoms(text) <= max(pen.left, 6))
        text = pen.write(ring)
        text = f"[nH]{text[1:]}" if text[0] == "n" else text
    return Drawn(text, pen.parts)


class _Pen:
    """What writes one molecule: it knows how many atoms are left, and which numbers of rings are taken."""

    def __init__(self, rng: Random, atoms: int):
        self.rng, self.left, self.rings = rng, atoms, 0
        self.parts: Counter[str] = Counter()
        self._last: tuple[str, str] | None = None

    def choose(self, table, fits) -> str:
        """One of the parts of a table that fit, by its weight; it is counted."""
        rows = [row for row in table if fits(row[2])]
        _, name, text = self.rng.choices(rows, [row[0] for row in rows])[0]
        self.parts[name] += 1
        return text

    def chain(self, atoms: int) -> str:
        """A chain of carbons with places for substituents, and now and then a double bond or another atom in it."""
        links = ["C*" for _ in range(self.rng.randint(1, min(atoms, 10)))]
        for k in range(1, len(links) - 1):
            kind = self.rng.random()
            if links[k - 1] != "C*":
                continue
            if kind < 0.07:
                links[k] = "=C"
            elif kind < 0.22:
                links[k] = self.rng.choice(["O", "N^", "S", "C(=O)O", "C(=O)N^"])
        self.parts["chain"] += 1
        return "".join(links).replace("C*=C", "C=C")

    def write(self, part: str) -> str:
        """A ring or chain with something at some of its places; its ring numbers are replaced by free ones."""
        own = {digit: self._number(k) for k, digit in enumerate(sorted(set(re.findall(r"\d", part))), 1)}
        self.rings += len(own)
        self.left -= count_atoms(part)
        places = [k for k, letter in enumerate(part) if letter in "*^@"]
        wanted = self._how_many(len(places))
        filled = dict.fromkeys(self.rng.sample(places, wanted), "")
        for k in sorted(filled):
            if self.left > 0:
                filled[k] = self._substituent(on_carbon=part[k] == "*")
        text = ""
        for k, letter in enumerate(part):
            more = f"({filled[k]})" if filled.get(k) else ""
            if letter == "@":  # of an aromatic nitrogen the number of a ring comes before what it carries
                closing = part[k + 1] if k + 1 < len(part) and part[k + 1].isdigit() else ""
                text += ("n" if more else "[nH]") + own.get(closing, "") + more
            elif letter.isdigit() and part[k - 1] == "@":
                continue
            else:
                text += more if letter in "*^" else own.get(letter, letter)
        return text

    def _number(self, k: int) -> str:
        number = self.rings + k
        return str(number) if number < 10 else f"%{number}"

    def _how_many(self, places: int) -> int:
        """Places that get something: more of them, the more atoms are left."""
        if self.left < 1:
            return 0
        return min(places, 1 + int(self.rng.expovariate(1) + self.rng.random() * self.left / 8))

    def _substituent(self, on_carbon: bool) -> str:
        """A group, or a linker or nothing and behind it a ring or a chain."""
        larger = self.left > 6 and self.rng.random() < 0.25 + self.left / 60
        if not larger:
            if on_carbon and self._last and self.rng.random() < AGAIN:
                name, text = self._last
                self.parts[name] += 1
            else:
                before = self.parts.copy()
                text = self.choose(_GROUPS, lambda text: on_carbon or not begins_with_other(text))
                if on_carbon and "1" not in text:
                    self._last = next(iter(self.parts - before)), text
            self.left -= count_atoms(text)
            return self._numbered(text)
        if self.rng.random() < 0.12:
            return self.write(self.chain(min(self.left, 8)))
        linker = ""
        if self.rng.random() < 0.75:
            linker = self.choose(_LINKERS, lambda text: on_carbon or not begins_with_other(text))
            self.left -= count_atoms(linker)
        to_carbon = on_carbon if not linker else not ends_with_other(linker)
        room = max(self.left, 6)
        ring = self.choose(
            _RINGS, lambda text: count_atoms(text) <= room and (to_carbon or not begins_with_other(text))
        )
        return linker + self.write(ring)

    def _numbered(self, text: str) -> str:
        """A group that holds a ring of its own, with a free number."""
        if "1" not in text:
            return text
        self.rings += 1
        return text.replace("1", self._number(0))


def count_atoms(text: str) -> int:
    """How many atoms other than hydrogen a piece of SMILES has."""
    return len(ATOM.findall(text))


def begins_with_other(text: str) -> bool:
    """Whether the first atom is none of carbon and none of a sulfonyl, so that it goes to carbon alone."""
    return not text.startswith(("C", "c", "S(=O)(=O)", "S(C)(=O)", "S(N)(=O)")) or text.startswith("Cl")


def ends_with_other(linker: str) -> bool:
    """Whether the last atom of a linker's chain is none of carbon and none of a sulfonyl."""
    chain = re.sub(r"\((?:[^()]|\([^()]*\))*\)", "", linker)
    return not chain.endswith("C") and not linker.endswith("S(=O)(=O)")


_RINGS, _LINKERS, _GROUPS = (read_parts(table) for table in (RINGS, LINKERS, GROUPS))
