"""``benchmarks/transfer_tables.py``: its numbers by hand on a small table, and the record computed again."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

import medtl_helpers as mtl
from medtl_helpers.data.transfer_tables import SCORES

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """``benchmarks/transfer_tables.py`` as a module."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("transfer_benchmark", BENCHMARKS / "transfer_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("record", None)


AUROC = {  # target -> candidate -> AUROC; a and b are one group
    "organa": {"x": 0.9, "y": 0.8, "z": 0.7},
    "organc": {"x": 0.6, "y": 0.9, "z": 0.8},
    "skin": {"x": 0.5, "y": 0.6, "z": 0.7},
    "eye": {"x": 0.9, "y": 0.7, "z": 0.8},
}


@pytest.fixture
def frame():
    rows = [(t, c, value) for t, of in AUROC.items() for c, value in of.items()]
    found = pd.DataFrame(rows, columns=["target", "candidate", "auroc"])
    found["group"] = found["target"].where(~found["target"].str.startswith("organ"), "organ")
    return found


def test_regret_is_what_the_choice_costs_and_of_equal_ratings_the_mean(benchmark):
    auroc = np.array([0.9, 0.8, 0.6])
    assert benchmark.regret(auroc, np.array([1, 3, 2])) == pytest.approx(0.1)
    assert benchmark.regret(auroc, np.array([3, 1, 2])) == 0
    assert benchmark.regret(auroc, np.array([1, 2, 2])) == pytest.approx(0.2)  # 0.1 or 0.3
    assert benchmark.regret(auroc, np.zeros(3)) == pytest.approx(0.9 - auroc.mean())  # as of a random source


def weighted_tau(said, auroc):
    """By its definition: agreement of all pairs, a pair weighted by 1/(rank + 1) of both, mean of the two rankings."""

    def of(ranks_by):
        order = np.lexsort((auroc if ranks_by is said else said, ranks_by))[::-1]
        weight = np.empty(len(said))
        weight[order] = 1 / (1 + np.arange(len(said)))
        top, ours, theirs = 0.0, 0.0, 0.0
        for i in range(len(said)):
            for j in range(i):
                w, a, b = weight[i] + weight[j], np.sign(said[i] - said[j]), np.sign(auroc[i] - auroc[j])
                top, ours, theirs = top + w * a * b, ours + w * a * a, theirs + w * b * b
        return top / np.sqrt(ours * theirs)

    return (of(said) + of(auroc)) / 2


def test_tau_is_the_weighted_one_and_0_where_nothing_is_ranked(benchmark):
    rng = np.random.default_rng(0)
    for _ in range(5):
        said, auroc = rng.normal(size=14), rng.uniform(size=14)
        assert benchmark.tau(auroc, said) == pytest.approx(weighted_tau(said, auroc))
        agree = [np.sign(said[i] - said[j]) * np.sign(auroc[i] - auroc[j]) for i in range(14) for j in range(i)]
        assert benchmark.plain_tau(auroc, said) == pytest.approx(np.mean(agree))
    assert benchmark.tau(np.array([0.5, 0.6, 0.7]), np.ones(3)) == 0


@pytest.mark.parametrize(
    ("knows", "best"),
    [  # ranks: organa x y z = 3 2 1, organc 1 3 2, skin 1 2 3, eye 3 1 2
        ("other groups", {"organa": "z", "organc": "z", "skin": "x", "eye": "y"}),
        ("other targets", {"organa": "z", "organc": "x", "skin": "x", "eye": "y"}),
        ("other groups, each once", {"organa": "z", "organc": "z", "skin": "x", "eye": "y or z"}),
    ],
)
def test_the_static_ranking_knows_only_the_other_targets(knows, best, benchmark, frame):
    said = benchmark.static_ranking(frame, knows)
    found = {t: frame["candidate"][said.index[frame["target"] == t]][said[frame["target"] == t].eq(
        said[frame["target"] == t].max())].tolist() for t in AUROC}  # fmt: skip
    assert {t: " or ".join(names) for t, names in found.items()} == best
    other = frame.assign(auroc=frame["auroc"].where(frame["target"] != "eye", 1 - frame["auroc"]))
    changed = benchmark.static_ranking(other, knows)
    assert changed[frame["target"] == "eye"].equals(said[frame["target"] == "eye"])  # its own AUROCs are not known
    assert not changed.equals(said)


def test_the_organs_are_one_value_and_each_row_says_what_was_taken(benchmark, frame):
    said = pd.Series([1.0, 2, 3] * 4)  # always z
    row = benchmark.row(frame, "a score", said)
    assert row["taken"] == ["z"] * 4 and row["by target"]["regret"] == [0.1, 0.2, 0.1, 0.0]  # eye, organa, organc, skin
    assert row["scores"]["regret"] == [0.1, 0.15, 0.0] and row["mean over targets"]["regret"] == 0.1
    interval = mtl.t_interval([0.1, 0.15, 0.0])
    assert row["intervals"]["regret"] == {
        "value": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
    }
    assert "tau" not in benchmark.row(frame, "chance", said * 0)["scores"]
    assert benchmark.row(frame, "chance", said * 0)["taken"] == ["3 alike"] * 4


def test_a_family_is_compared_against_its_margin_and_corrected_together(benchmark):
    rng, groups = np.random.default_rng(1), list("abcdefghi")
    gap = {"worse": 0.1, "equal": 0.0, "noisy": 0.02, "better": -0.06}
    rule = pd.Series(rng.uniform(0.1, 0.2, 9), groups)
    noise = {"noisy": 0.1}
    values = {"rule": {"regret": rule}} | {
        way: {"regret": rule + by + rng.normal(0, noise.get(way, 0.002), 9)} for way, by in gap.items()
    }
    found = {row["ours"]: row for row in benchmark.compare(values, list(gap), ["rule"], "regret")}
    assert [found[way]["verdict"] for way in gap] == ["worse", "level", "undecided", "better"]
    worse = (values["worse"]["regret"] - rule).to_numpy()
    assert found["worse"]["p"] == round(ttest_1samp(worse, 0.01).pvalue, 4)
    assert (found["worse"]["worse in"], found["better"]["better in"]) == (9, 9)
    assert found["noisy"]["holm"] == pytest.approx(2 * found["noisy"]["p"], abs=2e-4)  # "equal" alone has a larger p
    turned = benchmark.compare({k: {"tau": v["regret"]} for k, v in values.items()}, ["worse"], ["rule"], "tau")
    assert turned[0]["verdict"] == "undecided" and turned[0]["better in"] == 9  # of a tau, more is better


# --- the record ------------------------------------------------------------------------------------------------------


def recorded(of="source", candidates="all"):
    about = mtl.recorded("transfer_tables")
    return [[row for row in about[part] if (row["of"], row["candidates"]) == (of, candidates)]
            for part in ("rows", "compared")]  # fmt: skip


@pytest.mark.parametrize(
    "setting",
    [("source", "all"), ("source", "without kin"), ("source", "single sets"), ("architecture", "all")],
    ids=" ".join,
)
def test_the_record_is_what_the_tables_give(setting, benchmark, real_file):
    real_file("transferability/AUCs_dataset.csv")
    assert setting in benchmark.SETTINGS
    assert json.loads(json.dumps(benchmark.report(*setting))) == recorded(*setting)


def test_a_score_rates_a_set_as_its_own_source_and_that_is_counted_nowhere_else(benchmark, real_file):
    real_file("transferability/AUCs_dataset.csv")
    frame, about = benchmark.candidates("source", "all"), mtl.recorded("transfer_tables")
    assert (frame["target"] != frame["candidate"]).all() and (frame.groupby("target").size() == 14).all()
    assert benchmark.itself_first(mtl.transfer_tables()) == about["itself first"]
    assert frame[list(SCORES)].notna().all().all() and sorted(frame["target"].unique()) == about["targets"]
    kin = benchmark.candidates("source", "without kin")
    organs = kin[kin["group"] == "organ"]["candidate"]
    assert not organs.isin(["organa", "organc", "organs", "medmnist"]).any() and len(organs) == 33


def test_the_record_holds_what_its_page_says():
    """In the order of the docstring: 18 differences, then families with Holm's correction of their own."""
    about = mtl.recorded("transfer_tables")
    rows, compared = recorded()
    assert len(about["groups"]) == 9 and len(about["targets"]) == 11 and "primary" not in about
    assert [sum(row["family"] == name for row in compared) for name in ("rules", "chance", "tau")] == [18, 9, 9]
    assert all(len(values) == 9 for row in about["rows"] for values in row["scores"].values())
    assert {row["way"] for row in rows} == {*SCORES, "FU and LP", "static ranking", "always ImageNet", "random source"}
    record = mtl.Record("transfer_tables", of="source", candidates="all")
    static = record.row("static ranking", **{"static knows": "other groups"})
    assert static["taken"] == record.row("always ImageNet")["taken"] == ["imagenet"] * 11  # so both rules are one here
