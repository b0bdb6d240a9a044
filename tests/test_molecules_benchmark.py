"""The benchmark of lesson 11: its ways, what its tuning chose, and recorded cells computed again."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

import medtl_helpers as mtl
from medtl_helpers.lessons.drugs import experiment as drugs

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import molecules as benchmark

REPORT = mtl.Record("molecules", stage="report", data="real")
SCRATCH = ("from scratch", "from scratch, 4 × as long")


@pytest.fixture
def twin(monkeypatch):
    """The benchmark reads drawn molecules."""
    monkeypatch.setenv("MEDTL_DATA", "twin")
    for kept in (benchmark.whole, benchmark.task, benchmark.place_of):
        kept.cache_clear()
    yield
    for kept in (benchmark.whole, benchmark.task, benchmark.place_of):
        kept.cache_clear()


def tuned() -> list[dict]:
    """The rows of the tuning, in the form of the log."""
    return [row for row in REPORT.about["rows"] if row["stage"] == "tuning" and row["data"] == "real"]


# --- the ways --------------------------------------------------------------------------------------------------------


def test_ridge_is_scikit_learns_on_standardised_columns_with_the_penalty_that_validation_likes():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(60, 5)) * [1, 10, 100, 1, 1] + 3, np.array([1, 0.1, 0, 0, 2])
    y = x @ w + rng.normal(size=60)
    found = drugs.ridge(x[:30], y[:30], x[30:], y[30:])(x[30:])
    z = (x - x[:30].mean(0)) / x[:30].std(0)
    each = [Ridge(penalty).fit(z[:30], y[:30]).predict(z[30:]) for penalty in drugs.PENALTIES]
    best = min(each, key=lambda answers: ((answers - y[30:]) ** 2).mean())
    assert np.allclose(found, best)
    hit = (y > np.median(y)).astype(int)
    found = drugs.ridge(x[:30], hit[:30], x[30:], hit[30:], classes=True, penalties=(2.0,))(x[30:])
    assert np.allclose(
        found, LogisticRegression(C=0.5, max_iter=2000).fit(z[:30], hit[:30]).predict_proba(z[30:])[:, 1]
    )


def test_bits_are_not_divided_by_their_spread_and_a_constant_column_does_no_harm():
    bits = np.array([[0, 1, 1], [1, 1, 0], [0, 1, 0], [0, 1, 1]], float)
    y = np.array([1.0, 2, 3, 4])
    found = drugs.ridge(bits, y, bits, y, penalties=(1.0,))(bits)
    assert np.allclose(found, Ridge(1.0).fit(bits - bits.mean(0), y).predict(bits - bits.mean(0)))


def test_the_nearest_molecule_is_that_of_tanimoto():
    a = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]])
    b = np.array([[1, 1, 1, 0], [0, 0, 1, 1]])
    assert drugs.tanimoto(a, b).tolist() == [[2 / 3, 0], [1 / 4, 1], [0, 0]]
    assert drugs.nearest(b, [5.0, 7.0])(a[:2]).tolist() == [5, 7]


def test_delaneys_formula_counts_aromatic_atoms_from_the_graph():
    """Benzene, whose descriptors are put by hand: 6 of 6 atoms are aromatic."""
    graph = torch.zeros(1, 50, 56, dtype=torch.uint8)
    graph[0, :6, 0], graph[0, :6, 4] = 1, 1
    described = np.zeros((1, 8), "float32")
    described[0, [mtl.DESCRIPTORS.index("Crippen logP"), mtl.DESCRIPTORS.index("molecular weight")]] = 2.0, 78.0
    part = mtl.Split(graph, torch.zeros(1))
    one = dict.fromkeys(("train", "val", "test"), described)
    task = mtl.MoleculeTask("t", part, part, part, ("log mol/L",), descriptors=one)
    assert drugs.delaney(task, "test")[0] == pytest.approx(0.16 - 0.63 * 2 - 0.0062 * 78 - 0.74, abs=1e-5)


def test_auroc_is_scikit_learns_and_nan_for_one_class():
    rng = np.random.default_rng(3)
    y, p = rng.random(90) < 0.2, rng.random(90).round(1)
    assert drugs.auroc(y, p) == pytest.approx(roc_auc_score(y, p))
    assert np.isnan(drugs.auroc(np.zeros(3), p[:3]))


def test_the_target_is_the_assay_with_the_lower_median_share_of_hits():
    y = torch.zeros(100, 4)
    for k, hits in enumerate((30, 5, 10, 20)):
        y[:hits, k] = 1
    y[90:, 3] = float("nan")
    part = mtl.Split(torch.zeros(100, 50, 56, dtype=torch.uint8), y)
    task = mtl.MoleculeTask("t", part, part, part, ("a", "b", "c", "d"), kind="assays")
    assert drugs.target_assay(task) == "c"
    rows = drugs.leaking_rows(task, 0)
    assert len(rows) == 100 and (rows >= 200).sum() == 100  # as many as training has, all of the test among them


def test_what_was_pretrained_starts_the_same_and_a_new_head_leaves_the_rest():
    drawn = drugs.graph_net("drawn", 1, 3)
    again, random = drugs.graph_net("drawn", 1, 3), drugs.graph_net("random", 1, 3)
    for name, w in drawn.state_dict().items():
        assert torch.equal(w, again.state_dict()[name])
    assert not torch.equal(drawn.part("messages1").own.weight, random.part("messages1").own.weight)
    headed = drugs.with_new_head(drawn, 2, 5)
    assert headed.head.out_features == 2 and headed.part("atoms") is not drawn.part("atoms")
    assert torch.equal(headed.part("atoms").linear.weight, drawn.part("atoms").linear.weight)


def test_likeness_of_assays_is_computed_by_hand():
    y = torch.tensor([[1.0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, float("nan")]])
    bits = np.eye(4, 8, dtype=np.uint8) + np.eye(4, 8, 4, dtype=np.uint8)
    part, names = mtl.Split(torch.zeros(4, 50, 56, dtype=torch.uint8), y), ("train", "val", "test")
    smiles, fingerprints = {name: list("pqrs") for name in names}, dict.fromkeys(names, bits)
    about = {"kind": "assays", "smiles": smiles, "fingerprints": fingerprints}
    task = mtl.MoleculeTask("t", part, part, part, ("a", "b", "c"), **about)
    found = drugs.alike_sources(task, "a", task.assay("a"))
    assert found["labels"]["b"] == pytest.approx(1)
    assert found["labels"]["c"] == pytest.approx(np.corrcoef([0, 1, 1], [1, 0, 1])[0, 1])
    assert found["fingerprints"] == {"b": 1.0, "c": 0.5}  # of the hits p and r, r alone is a hit of c


# --- what was chosen -------------------------------------------------------------------------------------------------


def test_the_rates_are_those_that_did_best_on_validation_molecules():
    chosen = {}
    for name, ways in benchmark.best_rates([row for row in tuned() if row["kind"] == "labels"]).items():
        kept = {way: found for way, found in ways.items() if drugs.NETWORKS.get(way, ("", "head"))[1] != "head"}
        chosen[name] = {way: {n: lr for n, (lr, _) in found.items()} for way, found in kept.items()}
    assert chosen == drugs.SETTINGS
    of_source = {row["lr"]: np.mean(row["scores"]["auroc"]) for row in tuned() if row["kind"] == "source"}
    assert max(of_source, key=of_source.get) == benchmark.SOURCE["lr"] == benchmark.ONE["lr"]


def test_the_opponents_are_the_strongest_of_their_kind_on_the_tuning_seeds():
    best = benchmark.best_rates(tuned())
    rmse = {way: found[20][1] for way, found in best["esol"].items()}
    assert min(SCRATCH, key=rmse.get) == benchmark.PRIMARY_ABOUT["theirs"]
    assert min(drugs.CLASSICAL, key=rmse.get) == benchmark.PRIMARY_ABOUT["opponent"]
    auroc = {way: found[20][1] for way, found in best["bbbp"].items()}
    of = {"esol": min(drugs.CLASSICAL, key=rmse.get), "bbbp": max(drugs.CLASSICAL, key=auroc.get)}
    assert of == drugs.BEST_CLASSICAL


def test_the_record_is_that_of_the_script_and_its_reported_seeds_chose_nothing():
    assert REPORT.about["primary"] == benchmark.PRIMARY_ABOUT
    assert not {*benchmark.SEEDS["tuning"]} & {*benchmark.SEEDS["report"]}
    found, about = mtl.Record("molecules").primary, benchmark.PRIMARY_ABOUT
    where = {key: value for key, value in about["where"].items() if key != "data"}
    ours, theirs = (REPORT.scores(about[who], **where) for who in ("ours", "theirs"))
    assert len(ours) == 10 and found.value == pytest.approx(ours.mean() - theirs.mean(), abs=2e-4)
    asked = drugs.drug_comparisons(mtl.Record("molecules", stage="report"))
    assert {*asked} == {*drugs.SECONDARY} and all(one.raw <= one.p for one in asked.values())


def test_no_molecule_stands_in_the_record():
    words = {value for row in REPORT.about["rows"] for value in row.values() if isinstance(value, str)}
    assert not {*benchmark.whole("esol").smiles["test"]} & words
    assert "answers" not in json.dumps(REPORT.about)


def test_a_recorded_cell_is_what_it_is_again(twin):
    """On the twin, the ways without a network: the same digits."""
    record = mtl.Record(
        "molecules", stage="report", data="twin", kind="labels", task="esol", split="scaffold", labels=20
    )
    task = benchmark.task("esol", "scaffold", 200)
    few = drugs.few_of(task, 20, 200)
    for way in ("mean", *drugs.CLASSICAL):
        found = drugs.molecule_scores(drugs.answers_of(way, task, few, "test", 20, 200), task.test.y.numpy())
        assert np.isclose(found["RMSE"], record.scores(way)[0], atol=2e-3), way


def test_intervals_group_ringless_molecules_one_by_one_and_others_by_scaffold(twin):
    task = benchmark.task("esol", "random", 0)
    groups = benchmark.scaffold_names("esol", task)
    ring = (task.test.x[:, :, 5] > 0).any(1).numpy()
    assert len(np.unique(groups[~ring])) == (~ring).sum()
    assert np.array_equal(groups[ring], np.asarray(task.scaffolds["test"])[ring])
