"""Splice sites drawn from published frequencies: a piece of a gene with the border of exon and intron in the middle.

Where an exon ends, a *donor* site (``EI``) begins the intron; an *acceptor* site (``IE``) ends it, before the next
exon. Nothing here was counted in the data of a lesson. Where the numbers come from, and how certain they are:

- ``DONOR`` and ``ACCEPTOR``: bases at human splice sites, copied digit by digit from the tool vmvt of SQUIRLS (Danis et
  al., American Journal of Human Genetics 108 (2021), 1564, doi 10.1016/j.ajhg.2021.06.014;
  github.com/TheJacksonLaboratory/vmvt, ``SpliceDonorMatrix`` of commit b75832d, ``SpliceAcceptorMatrix`` of f370092),
  which does not say which genes were counted. No number is further than 0.12 from those that two other programs give as
  Shapiro and Senapathy's (Nucleic Acids Research 15 (1987), 7155, doi 10.1093/nar/15.17.7155) and as Zhang's (Human
  Molecular Genetics 7 (1998), 919, doi 10.1093/hmg/7.5.919); these two papers themselves were not looked at.
- ``CODONS``: per thousand in human genes, of the codon usage database (Nakamura, Gojobori and Ikemura, Nucleic Acids
  Research 28 (2000), 292, doi 10.1093/nar/28.1.292), as two programs reproduce them alike.
- ``BRANCH``: 19 branch points found by experiment (Gooding et al., Genome Biology 7 (2006), R1, table 3, doi
  10.1186/gb-2006-7-1-r1). A small sample, whose zeros are no laws. 83 % of branch points lie 21 to 34 bases before the
  exon (Gao et al., Nucleic Acids Research 36 (2008), 2257, doi 10.1093/nar/gkn073): here, all. No AG stands between
  them and the site.
- Genes differ in G+C: the quartiles are 41.2, 48.9 and 55.0 % (Clark and Thanaraj, Human Molecular Genetics 11 (2002),
  451, doi 10.1093/hmg/11.4.451; the limits of their four groups).
- CpG is found a fifth as often as G and C alone would have it (International Human Genome Sequencing Consortium, Nature
  409 (2001), 860, doi 10.1038/35057062; from memory): in introns here, four in five become TpG or CpA.

What is left out: columns are drawn independently, while in real sites they compensate for each other; enhancers and
silencers; repeats; runs of G in introns; minor (U12) introns.
"""

import numpy as np
import torch

from ..parts import check_choice, check_rate, check_whole

KINDS = ("EI", "IE", "neither")


def _columns(*rows: str) -> np.ndarray:
    """Rows of numbers for A, C, G and T as float64 4×L, each column divided by its sum."""
    table = np.array([row.split() for row in rows], dtype=np.float64)
    return table / table.sum(0)


# 4×9: A, C, G, T at positions -3 … -1 of the exon and +1 … +6 of the intron
DONOR = _columns(
    "0.332 0.638 0.097 0.002 0.001 0.597 0.683 0.091 0.179",
    "0.359 0.107 0.028 0.001 0.012 0.031 0.079 0.060 0.152",
    "0.186 0.117 0.806 0.996 0.001 0.339 0.122 0.771 0.191",
    "0.123 0.139 0.069 0.001 0.986 0.032 0.116 0.079 0.478",
)
# 4×27: positions -25 … -1 of the intron and +1, +2 of the exon
ACCEPTOR = _columns(
    "0.248 0.242 0.238 0.228 0.215 0.201 0.181 0.164 0.147 0.136 0.125 0.116 0.106 0.097 "
    "0.090 0.091 0.102 0.111 0.117 0.092 0.096 0.240 0.063 0.997 0.001 0.261 0.251",
    "0.242 0.247 0.250 0.250 0.253 0.255 0.263 0.268 0.271 0.274 0.281 0.278 0.274 0.278 "
    "0.259 0.281 0.292 0.319 0.330 0.339 0.293 0.272 0.644 0.001 0.002 0.147 0.191",
    "0.159 0.155 0.154 0.151 0.151 0.148 0.148 0.142 0.138 0.136 0.128 0.122 0.116 0.107 "
    "0.102 0.108 0.114 0.104 0.093 0.066 0.066 0.207 0.006 0.001 0.996 0.478 0.194",
    "0.350 0.355 0.358 0.371 0.381 0.397 0.409 0.426 0.444 0.454 0.466 0.483 0.504 0.518 "
    "0.549 0.519 0.491 0.465 0.460 0.504 0.545 0.281 0.287 0.001 0.001 0.114 0.365",
)
BEFORE = {"EI": 3, "IE": 25}  # columns of a table that stand before the border
# 4×7: the branch point, an A, is the sixth of seven
BRANCH = _columns(
    "0.158 0.368 0.000 0.000 0.263 1.000 0.211",
    "0.368 0.211 0.632 0.211 0.316 0.000 0.526",
    "0.211 0.158 0.158 0.000 0.263 0.000 0.053",
    "0.263 0.263 0.211 0.789 0.158 0.000 0.211",
)
BRANCH_DISTANCE = (21, 34)  # from the branch point to the first base of the exon
# per thousand, in the order AAA, AAC, AAG, AAT, ACA, … TTT; the three stop codons are never drawn inside an exon
CODONS = np.array(
    """
    24.4 19.1 31.9 17.0 15.1 18.9 6.1 13.1 12.2 19.5 12.0 12.1 7.5 20.8 22.0 16.0
    12.3 15.1 34.2 10.9 16.9 19.8 6.9 17.5 6.2 10.4 11.4 4.5 7.2 19.6 39.6 13.2
    29.0 25.1 39.6 21.8 15.8 27.7 7.4 18.4 16.5 22.2 16.5 10.8 7.1 14.5 28.1 11.0
    0.0 15.3 0.0 12.2 12.2 17.7 4.4 15.2 0.0 12.6 13.2 10.6 7.7 20.3 12.9 17.6
    """.split(),
    dtype=np.float64,
)
_CODON_BASES = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), 1)
_CODON_GC = np.isin(_CODON_BASES, (1, 2)).sum(1)
GC_OF_GENES, GC_SPREAD = 0.485, 0.102  # the normal distribution that has these three quartiles, to within 0.005
DEAMINATED = 0.8
ELSEWHERE = 0.3  # of ``neither``: a site that is not in the middle


def draw_splice_sites(
    n: int, *, seed: int = 0, length: int = 60, gc: float | None = None, kinds=KINDS, decoys: float = 0.2
):
    """``n`` drawn sequences, float32 N×4×length, and their labels, int64 N: the number of their kind in ``kinds``.

    Parameters
    ----------
    length: an even number of bases, 20 or more; the border is in the middle.
    gc: mean share of G and C (0.2 to 0.8) of another species; its sites move with it, apart from GT and AG. By default
        human genes.
    kinds: one or more of ``"EI"`` (donor), ``"IE"`` (acceptor) and ``"neither"``, drawn equally often.
    decoys: share of ``"neither"`` that gets GT or AG in the middle, without being a site, besides those that have it by
        chance (about one in eight).

    ``"neither"`` is a piece of exon or intron; three in ten show a site that is not in the middle. Raises ValueError
    for other settings.
    """
    check_whole(n, "n", least=1)
    check_whole(seed, "seed", least=0)
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if not kinds or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"kinds is {', '.join(map(str, kinds)) or 'empty'}: name some of {', '.join(KINDS)}, once each."
        )
    for kind in kinds:
        check_choice(kind, "A kind", KINDS)
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % len(kinds))
    x = draw_sites(np.array([KINDS.index(kind) for kind in kinds])[y], rng, length, gc, decoys)
    return x, torch.from_numpy(y.astype(np.int64))


def draw_sites(kind: np.ndarray, rng: np.random.Generator, length=60, gc=None, decoys=0.0) -> torch.Tensor:
    """One drawn sequence, float32 N×4×length, for each number of a kind in ``KINDS``; see ``draw_splice_sites``."""
    if check_whole(length, "length", least=20) % 2:
        raise ValueError(f"length is {length}: give an even number, so that the border is in the middle.")
    if gc is not None:
        check_rate(gc, "gc")
        if not 0.2 <= gc <= 0.8:
            raise ValueError(f"gc is {gc}: give a share of G and C from 0.2 to 0.8.")
    check_rate(decoys, "decoys")
    if decoys > 1:
        raise ValueError(f"decoys is {decoys}: give a share from 0 to 1.")
    n, half = len(kind), length // 2
    neither = kind == 2
    decoy, elsewhere = neither & (rng.random(n) < decoys), neither & (rng.random(n) < ELSEWHERE)
    plain = neither & ~elsewhere
    donor = np.where(neither, rng.random(n) < 0.5, kind == 0)  # which of the two sites the drawn gene has
    genes = _genes(donor, rng, length, gc)  # N×2·length, the border in the middle
    # of a plain piece the border lies outside the window, of a shifted one 3 to half - 3 bases away from the middle
    shift = np.where(elsewhere, rng.integers(3, half - 2, n), np.where(plain, half + 3, 0)) * rng.choice([-1, 1], n)
    at = (np.arange(half, half + length) + shift[:, None]).clip(0, 2 * length - 1)
    codes = np.take_along_axis(genes, at, 1)
    codes[decoy & donor, half : half + 2] = (2, 3)
    codes[decoy & ~donor, half - 2 : half] = (0, 2)
    return torch.from_numpy(np.eye(4, dtype=np.float32)[codes].transpose(0, 2, 1).copy())


def published_frequencies(length: int = 60, outside: float = 0.25) -> np.ndarray:
    """float32 3×4×length: the published tables in the middle of ``KINDS``, and ``outside`` wherever they are silent.

    A position-weight matrix that has seen no sequence, for ``position_scores``.
    """
    frequencies = np.full((len(KINDS), 4, length), outside, dtype=np.float32)
    for number, (kind, table) in enumerate((("EI", DONOR), ("IE", ACCEPTOR))):
        start = length // 2 - BEFORE[kind]
        frequencies[number, :, max(0, start) : start + table.shape[1]] = table[:, max(0, -start) :]
    return frequencies


def _genes(donor: np.ndarray, rng: np.random.Generator, half: int, gc: float | None) -> np.ndarray:
    """int64 N×2·half: an exon and the intron after it where ``donor``, else an intron and the exon after it."""
    n = len(donor)
    mean = GC_OF_GENES if gc is None else gc
    share = rng.normal(mean, GC_SPREAD, n).clip(0.2, 0.8)  # each gene has its own
    exon, intron = _exon(share, rng, half), _intron(share, rng, half)
    genes = np.where(donor[:, None], np.hstack([exon, intron]), np.hstack([intron, exon]))
    distance = rng.integers(BRANCH_DISTANCE[0], BRANCH_DISTANCE[1] + 1, n)
    for is_donor, kind, table in ((True, "EI", DONOR), (False, "IE", ACCEPTOR)):
        rows = np.flatnonzero(donor == is_donor)
        table = _tilted(table, mean)
        start = half - BEFORE[kind]
        first = max(0, -start)
        genes[rows, max(0, start) : start + table.shape[1]] = _draw(table[:, first:], rng, len(rows))
        if is_donor:
            continue
        for column, letter in enumerate(_draw(BRANCH, rng, len(rows)).T):
            place = half - distance[rows] + column - 5
            inside = place >= 0
            genes[rows[inside], place[inside]] = letter[inside]
        for at in range(half - BRANCH_DISTANCE[0] + 1, half - 5):  # no AG between branch point and site: A becomes C, T
            wrong = rows[(genes[rows, at] == 0) & (genes[rows, at + 1] == 2)]
            genes[wrong, at] = rng.choice([1, 3], len(wrong))
    return genes


def _draw(table: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    """int64 n×L: a base for each column of frequencies 4×L."""
    return (rng.random((n, 1, table.shape[1])) > table.cumsum(0)[:3]).sum(1)


def _tilted(table: np.ndarray, gc: float) -> np.ndarray:
    """Frequencies 4×L whose odds of G and C are those of a species with that G+C in place of the human one."""
    factor = np.ones(4)
    factor[1:3] = gc / (1 - gc) * (1 - GC_OF_GENES) / GC_OF_GENES
    return table * factor[:, None] / (table * factor[:, None]).sum(0)


def _exon(share: np.ndarray, rng: np.random.Generator, length: int) -> np.ndarray:
    """int64 N×length: codons as human genes use them, in any of the three frames, no stop among them."""
    average = (CODONS * _CODON_GC).sum() / CODONS.sum() / 3
    factor = share / (1 - share) * (1 - average) / average
    weight = CODONS * factor[:, None] ** _CODON_GC
    edges = (weight.cumsum(1) / weight.sum(1, keepdims=True))[:, :-1]
    drawn = rng.random((len(share), length // 3 + 2))
    codons = np.stack([np.searchsorted(edge, row, side="right") for edge, row in zip(edges, drawn, strict=True)])
    bases = _CODON_BASES[codons].reshape(len(share), -1)
    return np.take_along_axis(bases, rng.integers(0, 3, len(share))[:, None] + np.arange(length), 1)


def _intron(share: np.ndarray, rng: np.random.Generator, length: int) -> np.ndarray:
    """int64 N×length: bases of that G+C, after four in five CpG have become TpG or CpA."""
    a = DEAMINATED / 4  # G+C falls from g to g - a g²
    before = (1 - np.sqrt(1 - 4 * a * share)) / (2 * a)
    strong = rng.random((len(share), length)) < before[:, None]
    bases = np.where(strong, rng.integers(1, 3, strong.shape), 3 * rng.integers(0, 2, strong.shape))
    hit = (bases[:, :-1] == 1) & (bases[:, 1:] == 2) & (rng.random((len(share), length - 1)) < DEAMINATED)
    first = rng.random(hit.shape) < 0.5
    bases[:, :-1][hit & first] = 3
    bases[:, 1:][hit & ~first] = 0
    return bases
