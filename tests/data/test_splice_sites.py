"""Drawn splice sites: their frequencies are the cited ones; exons, introns and decoys are what they are said to be."""

import hashlib

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data import splice_sites

N = 12_000
BASES = "ACGT"


@pytest.fixture(scope="module")
def drawn():
    """Sequences of each kind alone, N×4×60."""
    return {kind: mtl.draw_splice_sites(N, seed=7, kinds=kind)[0].numpy() for kind in splice_sites.KINDS}


def gc(x) -> float:
    return float(x[:, 1:3].sum(1).mean())


# before -19 the branch point takes part
@pytest.mark.parametrize("kind, first, skip", [("EI", 27, 0), ("IE", 11, 6)])
def test_the_measured_frequencies_are_the_cited_ones(drawn, kind, first, skip):
    table = {"EI": splice_sites.DONOR, "IE": splice_sites.ACCEPTOR}[kind][:, skip:]
    measured = drawn[kind].mean(0)[:, first : first + table.shape[1]]
    # 5 standard errors, and what the rule "no AG in the tract" moves
    assert np.abs(measured - table).max() < 5 * np.sqrt(0.25 / N) + (0.01 if kind == "IE" else 0)


@pytest.mark.parametrize(
    "name, digest", [("DONOR", "df36b3fb"), ("ACCEPTOR", "8b0be1a9"), ("BRANCH", "b042c548"), ("CODONS", "e14e7663")]
)
def test_no_copied_number_was_touched(name, digest):
    printed = " ".join(f"{value:.4f}" for value in getattr(splice_sites, name).flatten())
    assert hashlib.sha256(printed.encode()).hexdigest()[:8] == digest


def test_the_tables_say_what_every_textbook_says():
    """MAG|GTRAGT at the donor, a tract of pyrimidines and NCAG|G at the acceptor (Breathnach and Chambon, 1981)."""
    donor, acceptor = ("".join(BASES[k] for k in t.argmax(0)) for t in (splice_sites.DONOR, splice_sites.ACCEPTOR))
    assert donor == "CAGGTAAGT" and acceptor[-5:-1] == "CAGG"
    tract = splice_sites.ACCEPTOR[[1, 3], 10:21].sum(0)
    assert (tract > 0.7).all() and splice_sites.DONOR[2, 3] > 0.99 and splice_sites.ACCEPTOR[2, 24] > 0.99


# percent: Shapiro and Senapathy (1987) and Zhang (1998), as two other programs reproduce them
SENAPATHY = [[32, 58, 10, 0, 0, 57, 71, 5, 16], [37, 13, 4, 0, 0, 2, 8, 6, 15], [19, 15, 78, 100, 0, 39, 12, 87, 22]]
ZHANG = [[38, 62, 12, 0, 0, 71, 73, 11, 21], [31, 10, 4, 0, 0, 2, 6, 6, 10], [18, 12, 77, 100, 0, 24, 8, 75, 14]]


@pytest.mark.parametrize("other", [SENAPATHY, ZHANG])
def test_no_donor_number_is_far_from_older_tables(other):
    assert np.abs(splice_sites.DONOR[:3] - np.array(other) / 100).max() < 0.12


def test_exons_have_the_composition_of_human_codons_and_no_stop_in_one_frame(drawn):
    assert splice_sites.CODONS.sum() == pytest.approx(1000 - 1.0 - 1.6 - 0.8, abs=0.5)  # all but the three stops
    exon = drawn["EI"][:500, :, :27].argmax(1)
    stops = {(3, 0, 0), (3, 0, 2), (3, 2, 0)}
    open_frames = [
        any(not any(tuple(row[i : i + 3]) in stops for i in range(frame, 25, 3)) for frame in range(3)) for row in exon
    ]
    assert all(open_frames)


def test_introns_have_few_cpg_and_genes_differ_in_gc(drawn):
    intron = drawn["EI"][:, :, 36:]
    c, g = intron[:, 1], intron[:, 2]
    found, expected = (c[:, :-1] * g[:, 1:]).mean(), c.mean() * g.mean()
    assert 0.15 < found / expected < 0.35
    per_gene = intron[:, 1:3].sum(1).mean(1)
    assert gc(intron) == pytest.approx(splice_sites.GC_OF_GENES, abs=0.01)
    assert per_gene.std() > 1.1 * np.sqrt(0.25 / intron.shape[2])  # more than chance within one composition


def test_the_spread_of_gc_has_the_published_quartiles():
    genes = np.random.default_rng(0).normal(splice_sites.GC_OF_GENES, splice_sites.GC_SPREAD, 200_000)
    assert np.abs(np.quantile(genes, [0.25, 0.5, 0.75]) - [0.412, 0.489, 0.550]).max() < 0.006


def test_branch_points_stand_before_the_tract_and_no_ag_between(drawn):
    codes = drawn["IE"].argmax(1)
    before = codes[:, 10:25]  # positions -20 … -6
    assert not ((before[:, :-1] == 0) & (before[:, 1:] == 2)).any()
    share = np.mean([(codes[:, i] == 3) & (codes[:, i + 2] == 0) for i in range(2, 7)])
    background = np.mean(drawn["neither"][:, 3, 2:7] * drawn["neither"][:, 0, 4:9])
    assert share > 1.2 * background


def test_neither_has_decoys_and_sites_at_wrong_places(drawn):
    def centre(x):
        gt, ag = x[:, 2, 30] * x[:, 3, 31], x[:, 0, 28] * x[:, 2, 29]
        return np.maximum(gt, ag).mean()

    plain = mtl.draw_splice_sites(N, seed=7, kinds="neither", decoys=0)[0].numpy()
    assert 0.08 < centre(plain) < 0.16  # two chances of one in sixteen
    assert centre(drawn["neither"]) == pytest.approx(0.2 + 0.8 * centre(plain), abs=0.02)
    assert centre(mtl.draw_splice_sites(500, kinds="neither", decoys=1)[0].numpy()) == 1
    score = mtl.position_scores(torch.tensor(plain[:3000]), mtl.published_frequencies())
    assert (score.argmax(1) == 2).float().mean() > 0.9  # what is moved by 3 bases or more is no site at the centre


def test_another_gc_moves_the_surroundings_and_the_sites_but_not_gt_and_ag():
    low, high = (mtl.draw_splice_sites(6000, seed=1, gc=share, kinds="EI")[0].numpy() for share in (0.35, 0.65))
    for x, share in ((low, 0.35), (high, 0.65)):
        assert gc(x[:, :, :25]) == pytest.approx(share, abs=0.02) and gc(x[:, :, 40:]) == pytest.approx(share, abs=0.02)
        assert x[:, 2, 30].mean() > 0.99 and x[:, 3, 31].mean() > 0.97
    at_3 = [x[:, 2, 32].mean() for x in (low, high)]  # more G and fewer A in G+C rich genes (Clark and Thanaraj, 2002)
    assert at_3[0] < 0.3 < 0.4 < at_3[1]


def test_a_seed_draws_the_same_again_and_labels_number_the_kinds_given():
    x, y = mtl.draw_splice_sites(90, seed=3)
    again = mtl.draw_splice_sites(90, seed=3)
    assert torch.equal(x, again[0]) and torch.equal(y, again[1]) and y.bincount().tolist() == [30, 30, 30]
    assert not torch.equal(x, mtl.draw_splice_sites(90, seed=4)[0])
    x, y = mtl.draw_splice_sites(100, seed=3, kinds=("neither", "IE"), length=40)
    assert x.shape == (100, 4, 40) and y.bincount().tolist() == [50, 50]
    assert (x[y == 1, 0, 18] * x[y == 1, 2, 19]).mean() > 0.95


def test_published_frequencies_are_the_tables_in_the_middle():
    found = mtl.published_frequencies(60)
    assert found.shape == (3, 4, 60) and np.allclose(found.sum(1), 1, atol=1e-6) and (found > 0).all()
    assert np.allclose(found[0, :, 27:36], splice_sites.DONOR) and np.allclose(found[1, :, 5:32], splice_sites.ACCEPTOR)
    assert (found[2] == 0.25).all() and (found[0, :, :27] == 0.25).all()
    assert np.allclose(mtl.published_frequencies(20)[1, :, :12], splice_sites.ACCEPTOR[:, 15:])
