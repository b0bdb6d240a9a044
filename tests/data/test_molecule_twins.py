"""The twins of the sets of molecules: their file against RDKit, their formulas by hand, and what each promises."""

import sys

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from medtl_helpers.assets import CHECKOUT, asset_folder
from medtl_helpers.data import molecule_twins
from medtl_helpers.data.drawn_molecules import draw_one
from medtl_helpers.data.molecule_twins import ALERTS, ASSAYS, SETS, melting_points, molecule_twin, read_pool
from medtl_helpers.data.molecules import DESCRIPTORS

FILE = asset_folder("embedded", "datasets/embedded") / "drawn_molecules.npz"


@pytest.fixture(scope="module")
def twins():
    return {name: molecule_twin(name) for name in SETS}


def parts_of(twin):
    pool = read_pool()
    rows = [pool["smiles"].tolist().index(text.encode()) for text in twin["smiles"]]
    return dict(zip(pool["names"].tolist(), pool["parts"][rows].T.astype(float), strict=True))


def facts_of(twin):
    return dict(zip(DESCRIPTORS, twin["descriptors"].T.astype(float), strict=True))


def test_the_file_is_small_and_holds_each_molecule_once():
    pool = read_pool()
    assert FILE.stat().st_size < 500_000 and len(set(pool["smiles"].tolist())) == len(pool["smiles"]) == 2400
    assert pool["graphs"].shape == (2400, 50, 56) and pool["fingerprints"].shape == (2400, 128)
    own, bonds = pool["graphs"][:, :, :6], pool["graphs"][:, :, 6:]
    assert (bonds == bonds.transpose(0, 2, 1)).all() and bonds.max() == 4
    assert (own.max((0, 1)) < (14, 9, 6, 9, 2, 2)).all() and ((bonds > 0).sum(2) == own[:, :, 1]).all()


@pytest.mark.slow
def test_the_script_writes_the_committed_file_again():
    pytest.importorskip("rdkit")
    sys.path.insert(0, str(CHECKOUT / "benchmarks"))
    import draw_molecules

    for key, value in draw_molecules.pool().items():
        if key == "descriptors":
            np.testing.assert_allclose(value, read_pool()[key], rtol=1e-4, atol=1e-4)
        else:
            np.testing.assert_array_equal(value, read_pool()[key])


def test_rows_of_the_file_are_what_rdkit_computes_of_their_smiles():
    pytest.importorskip("rdkit")
    from medtl_helpers.data.molecule_chemistry import canonical, featurised

    pool, rows = read_pool(), np.arange(0, 2400, 60)
    smiles = [pool["smiles"][row].decode() for row in rows]
    assert [canonical(text) for text in smiles] == smiles
    found = featurised(smiles)
    np.testing.assert_array_equal(found.graphs.numpy(), pool["graphs"][rows])
    np.testing.assert_array_equal(np.packbits(found.fingerprints, axis=1), pool["fingerprints"][rows])
    np.testing.assert_allclose(found.descriptors, pool["descriptors"][rows], rtol=1e-4, atol=1e-4)


def test_the_parts_are_those_that_were_drawn():
    pool = read_pool()
    one = draw_one(1, 0)
    assert dict(zip(pool["names"].tolist(), pool["parts"][0].tolist(), strict=True)) == {
        name: one.parts[name] for name in pool["names"].tolist()
    }


@pytest.mark.parametrize("name", SETS)
def test_a_twin_has_one_of_everything_for_each_molecule(twins, name):
    twin = twins[name]
    n = len(twin["y"])
    low, high, most = SETS[name]
    assert n == most and twin["x"].dtype == torch.uint8 and twin["x"].shape == (n, 50, 56)
    assert len(twin["smiles"]) == n and twin["scaffolds"].shape == (n,) and twin["scaffolds"].dtype == np.int64
    assert twin["descriptors"].shape == (n, 8) and twin["fingerprints"].shape == (n, 1024)
    atoms = (twin["x"][:, :, 0] > 0).sum(1)
    assert low <= atoms.min() and atoms.max() <= high
    assert twin["y"].dtype == {"esol": torch.float32, "bbbp": torch.int64, "tox21": torch.float32}[name]


@pytest.mark.parametrize("name", SETS)
def test_labels_come_from_the_seed_alone(name):
    first, again, other = (molecule_twin(name, seed)["y"] for seed in (3, 3, 4))
    assert torch.equal(first.nan_to_num(9), again.nan_to_num(9))
    assert not torch.equal(first.nan_to_num(9), other.nan_to_num(9))


def test_solubility_is_the_general_solubility_equation_with_its_noise(twins, monkeypatch):
    monkeypatch.setattr(molecule_twins, "NOISE_SOLUBILITY", 0)
    twin = molecule_twin("esol")
    facts, parts = facts_of(twin), parts_of(twin)
    amine = np.any([parts[name] > 0 for name in molecule_twins.AMINES], 0)
    wanted = 0.5 - 0.01 * (melting_points(facts, parts) - 25) - facts["Crippen logP"] + amine
    np.testing.assert_allclose(twin["y"].numpy(), wanted.clip(-12, 2), atol=1e-4)
    noise = (twins["esol"]["y"] - twin["y"]).numpy()[(wanted > -10) & (wanted < 0.5)]
    assert noise.std() == pytest.approx(0.5, abs=0.04) and abs(noise.mean()) < 0.06


def test_a_melting_point_by_hand():
    facts = {name: np.zeros(1) for name in DESCRIPTORS}
    facts |= {"molecular weight": np.array([250.0]), "hydrogen-bond donors": np.array([2.0]),
              "rotatable bonds": np.array([3.0]), "aromatic rings": np.array([1.0])}  # fmt: skip
    parts = {"amide": np.array([1.0]), "carboxyl": np.array([1.0]), "quinoline": np.array([1.0]), "nitro": np.ones(1)}
    bonded, packed, loose = 50 + 60 + 2 * 10, 60 + 15 + 40, 3 * 8
    assert melting_points(facts, parts) == pytest.approx(40 + 50 + bonded + packed - loose)


def test_the_eight_descriptors_do_not_hold_the_whole_of_the_solubility(monkeypatch):
    monkeypatch.setattr(molecule_twins, "NOISE_SOLUBILITY", 0)
    twin = molecule_twin("esol")
    y = twin["y"].numpy()
    left = y - LinearRegression().fit(twin["descriptors"], y).predict(twin["descriptors"])
    assert left.std() > 0.3


def test_acids_and_lasting_charges_stay_outside_the_brain(twins):
    twin = twins["bbbp"]
    parts, passes = parts_of(twin), twin["y"].numpy()
    outside = np.any([parts[name] > 0 for name in molecule_twins.ACIDS + molecule_twins.CHARGED], 0)
    assert 0.6 < passes.mean() < 0.8 and passes[outside].mean() < passes[~outside].mean() - 0.3


def test_hits_are_as_rare_and_results_as_often_missing_as_is_said(twins):
    y = twins["tox21"]["y"].numpy()
    for column, (name, (share, missing, _, _)) in enumerate(ASSAYS.items()):
        assert np.nanmean(y[:, column]) == pytest.approx(share / 100, abs=0.025), name
        assert np.isnan(y[:, column]).mean() == pytest.approx(missing / 100, abs=0.03), name
    assert not np.isnan(y).all(1).any() and set(np.unique(y[~np.isnan(y)])) == {0, 1}


def test_assays_of_one_family_are_hit_together(twins):
    y, names = twins["tox21"]["y"].numpy(), list(ASSAYS)

    def together(one, other):
        a, b = y[:, names.index(one)], y[:, names.index(other)]
        both = ~np.isnan(a) & ~np.isnan(b)
        return np.corrcoef(a[both], b[both])[0, 1]

    for one, other in (("NR-AR", "NR-AR-LBD"), ("NR-ER", "NR-ER-LBD")):
        assert together(one, other) > together(one, "SR-HSE") + 0.1


def test_an_alert_raises_the_share_of_hits(twins):
    twin = twins["tox21"]
    parts, names = parts_of(twin), list(ASSAYS)
    for alert, assay in (("androgen", "NR-AR"), ("oestrogen", "NR-ER"), ("acceptor", "SR-ARE"), ("flat", "NR-AhR")):
        has = np.any([parts[name] > 0 for name in ALERTS[alert] if name in parts], 0)
        y = twin["y"].numpy()[:, names.index(assay)]
        assert np.nanmean(y[has]) > 2 * np.nanmean(y[~has]), alert


def test_every_part_that_a_formula_names_is_a_part():
    from medtl_helpers.data.molecule_parts import GROUPS, LINKERS, RINGS, read_parts

    known = {name for table in (RINGS, LINKERS, GROUPS) for _, name, _ in read_parts(table)} | {"chain"}
    m = molecule_twins
    used = {*m.ACIDS, *m.CHARGED, *m.AMINES, *m.AMIDES, *m.FLAT, *(name for alert in ALERTS.values() for name in alert)}
    assert used <= known, used - known
    assert {alert for *_, weights in ASSAYS.values() for alert in weights} <= set(ALERTS)
