"""The figures of lesson 11 draw what they say, and its exercises have the answers of their definitions."""

import numpy as np
import pytest
import torch

import medtl_helpers as mtl
from medtl_helpers.data.molecules import ATOM_FEATURES, ELEMENTS
from medtl_helpers.lessons.drugs import answers, figures


@pytest.fixture
def alts(monkeypatch):
    """The figures and alt texts that were shown; nothing is displayed."""
    told = []
    monkeypatch.setattr(figures, "show", lambda figure, alt, **where: told.append((figure, alt, where)))
    yield told
    for figure, _, _ in told:
        figures.plt.close(figure)


def packed(elements: str, bonds: list[tuple[int, int, int]], *, hydrogens=0, size: int = 12) -> torch.Tensor:
    """A molecule of atoms with one letter each, and bonds (from, to, kind)."""
    x = torch.zeros(size, len(ATOM_FEATURES) + size, dtype=torch.uint8)
    for k, letter in enumerate(elements):
        x[k, 0], x[k, 3] = ELEMENTS.index(letter), 4
        x[k, 2] = hydrogens
    for a, b, kind in bonds:
        x[a, len(ATOM_FEATURES) + b] = x[b, len(ATOM_FEATURES) + a] = kind
    return x


RING = packed("CCCCCC", [(k, (k + 1) % 6, 4) for k in range(6)])
ACID = packed("CCOO", [(0, 1, 1), (1, 2, 2), (1, 3, 1)])


# --- molecules -------------------------------------------------------------------------------------------------------


def test_the_figures_read_the_packed_graph_as_the_loader_writes_it():
    assert len(ATOM_FEATURES) == figures.FEATURES and len(figures.SIGNS) == len(ELEMENTS)
    assert figures.SIGNS[1:13] == ELEMENTS[1:13]
    atoms, bonds = figures.graph_of(ACID)
    assert atoms.shape == (4, 6) and bonds[1].tolist() == [1, 0, 2, 1]


def test_bonds_are_about_one_long_a_ring_is_a_regular_hexagon_and_atoms_do_not_meet():
    places = figures.places_of(figures.graph_of(RING)[1])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    for hops, length in ((1, 1), (2, 3**0.5), (3, 2)):
        at = [(k, (k + hops) % 6) for k in range(6)]
        assert [apart[pair] for pair in at] == pytest.approx([length] * 6, abs=0.02)
    rng = np.random.default_rng(0)
    tree = packed("C" * 11, [(int(rng.integers(k)), k, 1) for k in range(1, 11)])
    bonds = figures.graph_of(tree)[1]
    places = figures.places_of(bonds)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    assert (np.abs(apart[bonds > 0] - 1) < 0.35).all() and apart[~np.eye(11, dtype=bool)].min() > 0.4
    assert np.ptp(places[:, 0]) >= np.ptp(places[:, 1])  # it lies flat


def test_one_atom_and_two_parts_have_places_too():
    assert figures.places_of(np.zeros((1, 1), int)).tolist() == [[0, 0]]
    places = figures.places_of(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    assert np.isfinite(places).all() and np.linalg.norm(places[0] - places[2]) > 2


def test_only_bonds_of_a_ring_have_one_and_the_smallest_is_taken():
    two = packed("C" * 7, [(k, (k + 1) % 6, 1) for k in range(6)] + [(0, 6, 1), (1, 6, 1)])  # a triangle on a hexagon
    rings = figures._rings(figures.graph_of(two)[1])
    assert sorted(rings[0, 1]) == [0, 1, 6] and sorted(rings[2, 3]) == [0, 1, 2, 3, 4, 5]
    assert figures._rings(figures.graph_of(ACID)[1]) == {}


def test_a_drawing_has_a_line_for_each_part_of_a_bond_and_letters_where_there_is_no_carbon(alts):
    figures.show_molecules(torch.stack([RING, ACID]), ["ring", "acid"], "Two molecules", columns=2)
    figure, alt, _ = alts[0]
    ring, acid = figure.axes
    assert len(ring.lines) == 6 + 6 and len(ring.texts) == 0  # aromatic: a line and a dashed one each
    assert len(acid.lines) == 1 + 2 + 1 and [text.get_text() for text in acid.texts] == ["O", "O"]
    assert "ring; acid" in alt


def test_hydrogens_and_charges_are_written_beside_their_letter(alts):
    x = packed("NO", [(0, 1, 1)], hydrogens=2)
    x[0, 3], x[1, 2], x[1, 3] = 5, 1, 3
    figures.show_molecules(x[None], ["one"], "One molecule", columns=1)
    assert [text.get_text() for text in alts[0][0].axes[0].texts] == ["NH$_2$$^+$", "OH$^-$"]


def test_two_orders_of_the_atoms_have_the_same_bonds_between_other_rows(alts):
    figures.show_orders(ACID, {"file": [0, 1, 2, 3], "other": [3, 1, 0, 2]})
    figure, alt, _ = alts[0]
    tables = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert not np.array_equal(*tables) and sorted(map(int, tables[0].ravel())) == sorted(map(int, tables[1].ravel()))
    assert "4 atoms" in alt


def test_a_map_of_molecules_colours_the_frequent_scaffolds_and_the_test(alts):
    places = np.random.default_rng(0).normal(size=(12, 2))
    scaffolds = np.array([4, 4, 4, 4, 7, 7, 7, 1, 1, 2, 3, 5])
    test = np.arange(12) < 3
    molecules = torch.stack([RING] * 12)
    figures.show_space(places, scaffolds, {"dealt at random": test, "dealt by scaffold": ~test}, molecules)
    figure, alt, _ = alts[0]
    first, second, third = figure.axes[:3]
    assert [len(line.get_xdata()) for line in first.lines] == [12, 4, 3, 2, 1, 1]
    assert (
        [len(line.get_xdata()) for line in second.lines]
        == [9, 3]
        == [len(line.get_xdata()) for line in third.lines][::-1]
    )
    assert "of 4, 3, 2, 1, 1 molecules" in alt


# --- errors and screens ----------------------------------------------------------------------------------------------


def test_nearest_molecules_are_told_by_their_median(alts):
    figures.show_nearest({"random": [0.2, 0.5, 0.9], "scaffold": [0.1, 0.2, 0.3]})
    assert "random 0.50; scaffold 0.20" in alts[0][1]


def test_the_curve_of_a_screen_finds_hits_in_the_order_of_the_score(alts):
    y = np.zeros(100)
    y[[0, 5]] = 1
    figures.show_screen(y, {"way": -np.arange(100)})
    figure, alt, _ = alts[0]
    way, chance, perfect = figure.axes[0].lines[:3]
    assert way.get_ydata()[[0, 4, 5]].tolist() == [0.5, 0.5, 1] and perfect.get_ydata()[:3].tolist() == [0.5, 1, 1]
    assert chance.get_ydata()[49] == 0.5 and "way 100%" in alt and "2 hits" in alt


def test_runs_draws_errors_and_thirds_are_told(alts):
    errors = np.array([[1.0, 2.0], [1.5, 1.0]])
    figures.show_runs(errors, 0)
    figures.show_draws({"mean": [2.0, 2.5], "network": [1.0, 1.5]}, {"formula": 1.2}, "error")
    figures.show_errors({"weight": 0.9, "log P": 0.5}, "correlation")
    figures.show_thirds({"memory": [2.0, 1.0, 0.5]}, [0.3, 0.5, 0.7])
    told = [alt for _, alt, _ in alts]
    assert "the best run has 1.00 and the mean is 1.25" in told[0] and "has 2.00 and the mean is 1.50" in told[0]
    assert "network from 1.00 to 1.50; formula, without a label, 1.20" in told[1]
    assert "weight 0.90; log P 0.50" in told[2] and "memory 2.00, 1.00, 0.50" in told[3]


def test_a_table_of_assays_leaves_its_diagonal_out(alts):
    values = np.array([[1, 0.5, 0.1], [0.5, 1, np.nan], [0.1, np.nan, 1]])
    figures.show_assays(["a", "b", "c"], values, "Correlation")
    figure, alt, _ = alts[0]
    assert len(figure.axes[0].texts) == 4 and "of a b; b a; c a" in alt


# --- exercises -------------------------------------------------------------------------------------------------------


def test_the_exercises_have_the_answers_of_their_definitions():
    hit, score = np.zeros(20_000), np.zeros(20_000)
    hit[:60], hit[200:540], score[:200] = 1, 1, 1
    assert answers.EXERCISES["11.1"]().right == pytest.approx(mtl.enrichment(hit, score, 0.01))
    ours, rng = answers.EXERCISES["11.3"]().right, np.random.default_rng(0)
    for share in (0.05, 0.3, 0.9):
        y = np.append(rng.random(40) < share, True)
        assert ours(y) == pytest.approx(mtl.average_precision(y, -np.arange(len(y))))
