"""The automatic search: deterministic, resumable, stopped by Ctrl-C or the clock, and blind to test until the end."""

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss as sk_log_loss
from sklearn.metrics import roc_auc_score

import medtl_helpers as mtl
from medtl_helpers.methods import best_so_far, costs, trials
from medtl_helpers.methods.best_so_far import BestSoFar, validation_scores
from medtl_helpers.methods.search_log import SearchLog, data_fingerprint
from medtl_helpers.methods.ways import Way

pytestmark = pytest.mark.usefixtures("one_processor_thread", "still_clock")
MINUTES = 0.05  # nominal: a plan of some 20 short trainings


@pytest.fixture(scope="module")
def still_clock():
    """No time goes by, however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials, "clock", lambda: 0.0)
        yield


def images(n: int, seed: int, classes: int = 2, channels: int = 3):
    """Squares whose brightness is nearly their class."""
    y = torch.arange(n) % classes
    noise = torch.randint(0, 120, (n, channels, 12, 12), generator=torch.Generator().manual_seed(seed))
    return (noise + (y * 100 // (classes - 1)).view(-1, 1, 1, 1)).byte(), y


@dataclass
class TinyTask:
    """What ``auto_transfer`` needs of a task."""

    train: Any
    val: Any
    test: Any
    classes: tuple = ("a", "b")
    patients: Any = None


class Hidden:
    """Test images or labels of which nothing but their kind can be looked at."""

    def __init__(self, x):
        self.shape, self.dtype, self.ndim = x.shape, x.dtype, x.ndim

    def __len__(self):
        return self.shape[0]

    def __getattr__(self, name):
        raise AssertionError(f"{name} of test was asked for before the end")


def tiny(classes: int = 2, channels: int = 3) -> TinyTask:
    splits = [images(n, seed, classes, channels) for n, seed in ((24, 0), (16, 1), (20, 2))]
    return TinyTask(*splits, classes=tuple("abcd"[:classes]))


def source(channels: int = 3):
    torch.manual_seed(5)
    return {"mine": mtl.CourseCNN(channels, 2, width=8)}


def search(task, **how):
    if "sources" not in how:
        how["sources"] = source(task.train[0].shape[1])
    return mtl.auto_transfer(task, how.pop("minutes", MINUTES), progress=False, **how)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, one_processor_thread, still_clock):
    """A whole search, and the file of its log."""
    out = tmp_path_factory.mktemp("search")
    return search(tiny(), out=out), out / "search.jsonl"


def same(one, other):
    np.testing.assert_array_equal(one.test, other.test)
    np.testing.assert_array_equal(one.validation, other.validation)
    assert one.record() == other.record()


def test_it_finds_a_network_and_tells_how(whole):
    found, _ = whole
    assert found.stopped == "search complete" and found.test.shape == (20, 2) and found.validation.shape == (16, 2)
    assert found.table["log loss"].is_monotonic_increasing and len(found.table) == len(set(map(tuple, found.table[
        ["source", "way", "depth", "rate"]].itertuples(index=False))))  # fmt: skip
    assert found.way.record().items() <= found.table.iloc[0].to_dict().items()
    assert found.metrics["auroc"].n == 20 and "Transferred" in repr(found)
    assert set(found.table["way"]) >= {"all stages", "probe", "fine_tune", "lp_ft", "from scratch"}
    assert found.table["rung"].max() == len(found.plan["epochs of the rungs"]) - 1
    json.dumps(found.record())


def test_its_scores_are_those_of_its_answers(whole):
    found, _ = whole
    task = tiny()
    assert found.table["log loss"][0] == pytest.approx(sk_log_loss(task.val[1], found.validation), abs=1e-5)
    np.testing.assert_allclose(mtl.predict(found.model, task.val[0]), found.validation, atol=1e-5)
    np.testing.assert_allclose(mtl.predict(found.model, task.test[0]), found.test, atol=1e-6)
    assert not found.model.training


def test_the_same_data_and_seed_give_the_same_result_and_another_seed_another(whole):
    same(search(tiny()), whole[0])
    torch.rand(3)  # whatever was drawn before
    other = search(tiny(), seed=1)
    assert other.table["log loss"].tolist() != whole[0].table["log loss"].tolist()


def test_the_state_of_the_global_generator_is_left_alone():
    networks = source()
    torch.manual_seed(3)
    search(tiny(), sources=networks)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), after)


@pytest.mark.parametrize("kept", [1, 4, 7])
def test_an_interrupted_search_goes_on_where_it_was_with_the_same_result(whole, tmp_path, kept):
    found, file = whole
    lines = file.read_text().splitlines(keepends=True)
    (tmp_path / "search.jsonl").write_text("".join(lines[: 1 + kept]) + '{"way": {"sour')  # and a half line
    ran = []
    original = trials.Trials.run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trials.Trials, "run", lambda self, *asked: ran.append(asked) or original(self, *asked))
        again = search(tiny(), out=tmp_path)
    same(again, found)
    first_of = len(lines) - 1 - kept
    assert first_of <= len(ran) <= first_of + 1  # one more where the best is among those of the log
    undone = [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]
    redone = [{k: v for k, v in json.loads(line).items() if k != "seconds"}
              for line in (tmp_path / "search.jsonl").read_text().splitlines()]  # fmt: skip
    assert undone == redone


def test_a_finished_search_trains_one_network_again_and_no_more(whole):
    found, file = whole
    before = file.read_text()
    same(search(tiny(), out=file), found)
    assert file.read_text() == before


def test_the_log_of_another_search_is_not_continued(whole):
    _, file = whole
    for other in ({"seed": 1}, {"minutes": 2 * MINUTES}, {"sources": source() | {"more": mtl.CourseCNN(3, 2)}}):
        with pytest.raises(ValueError, match="log of another search"):
            search(tiny(), out=file, **other)
    retouched = {"mine": mtl.CourseCNN(3, 2, width=8)}  # of the same name, with other weights
    with pytest.raises(ValueError, match="log of another search"):
        search(tiny(), out=file, sources=retouched)
    task = tiny()
    task.train[0][7, 0, 3, 3] += 1
    with pytest.raises(ValueError, match="log of another search"):
        search(task, out=file)


def test_any_pixel_changes_the_fingerprint_and_of_streamed_images_those_that_are_read():
    x, y = torch.zeros(1000, 1, 8, 8, dtype=torch.uint8), torch.zeros(1000, dtype=torch.long)
    before = data_fingerprint((x, y))
    x[3, 0, 1, 1] = 1
    assert data_fingerprint((x, y)) != before == data_fingerprint((x * 0, y))


def test_the_first_row_of_the_table_is_the_way_that_was_chosen():
    """A way that was best after one epoch, and worse when it was trained for longer."""
    losses = {("a", 1): 0.3, ("b", 1): 0.5, ("a", 3): 0.6, ("c", 1): 0.3, ("b", 3): 0.3}
    ways = {name: Way(name, "probe", "head", 0.1) for name in "abc"}

    class Answers:
        """A log that knows everything."""

        def find(self, way, epochs):
            loss = losses[way["source"], epochs]
            return {"way": way, "epochs": epochs, "log loss": loss, "auroc": 0.5, "seconds": 1.0}

    best = BestSoFar(None, Answers())
    for (name, epochs), loss in losses.items():
        assert best.loss(ways[name], epochs) == loss
    table = best.table()
    assert table["source"].tolist() == ["a", "c", "b"] and table["log loss"].tolist() == [0.3, 0.3, 0.3]
    assert table["epochs"].tolist() == [4, 4, 12] and table["rung"].tolist() == [1, 0, 1] and best.lowest == 0.3


@pytest.mark.parametrize("change", ["channels", "floats", "labels", "none"])
def test_test_images_of_another_kind_are_refused_before_the_search(change, tmp_path):
    task = tiny()
    x, y = task.test
    task.test = {"channels": (x[:, :1], y), "floats": (x.float(), y), "labels": (x, y[1:]), "none": (x[:0], y[:0])}[
        change
    ]
    with pytest.raises(ValueError, match=r"for training, validation and test are .* give uint8 images of one size"):
        search(task, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_intervals_draw_patients_where_these_are_known(whole):
    task = tiny()
    task.patients = {"test": [f"P{k // 4}" for k in range(20)]}
    found = search(task)
    np.testing.assert_array_equal(found.test, whole[0].test)
    assert found.metrics["auroc"].n == 5 and whole[0].metrics["auroc"].n == 20


def test_test_is_looked_at_when_the_search_has_ended(whole, tmp_path):
    blind = tiny()
    blind.test = tuple(Hidden(part) for part in blind.test)
    with pytest.raises((AssertionError, TypeError, ValueError)):
        search(blind, out=tmp_path)
    assert len((tmp_path / "search.jsonl").read_text().splitlines()) == len(whole[1].read_text().splitlines())
    flipped = tiny()
    flipped.test = (flipped.test[0], 1 - flipped.test[1])  # other test labels choose nothing
    other = search(flipped)
    assert other.way == whole[0].way and other.table["log loss"].tolist() == whole[0].table["log loss"].tolist()


def interrupting(patch, after: int, error):
    """``Trials.run`` that raises ``error`` in the middle of the training number ``after``."""
    original, count = trials.Trials.run, iter(range(10_000))

    def run(self, way, epochs):
        if next(count) == after:
            raise error
        return original(self, way, epochs)

    patch.setattr(trials.Trials, "run", run)


@pytest.fixture(scope="module")
def two_sources():
    """Two networks that have learnt something, as far as their names say, and one that has not."""
    torch.manual_seed(5)
    return {name: mtl.CourseCNN(3, 2, width=8) for name in ("mine", "yours", "mine, random")}


def test_the_mean_of_the_best_network_of_each_source_answers(two_sources, tmp_path, monkeypatch):
    monkeypatch.setattr(best_so_far, "ERRORS", float("inf"))  # however much higher the losses of the others are
    alone, found = (search(tiny(), sources=two_sources, average=a, out=tmp_path / str(a)) for a in (False, True))
    assert alone.averaged == () and found.way == alone.way and found.table.drop(columns="seconds").equals(
        alone.table.drop(columns="seconds"))  # fmt: skip
    best = found.table.drop_duplicates("source").set_index("source")  # the lowest loss of each
    others = [name for name in best.index[1:] if name in ("mine", "yours")]
    assert [way.source for way in found.averaged] == [best.index[0], *others] and len(found.averaged) > 1
    for way in found.averaged:
        assert way.record().items() <= (best.loc[way.source].to_dict() | {"source": way.source}).items()
    task, answers = tiny(), [mtl.predict(model, tiny().test[0]).numpy() for model in found.model.models]
    np.testing.assert_allclose(found.test, np.mean(answers, 0), atol=1e-6)
    np.testing.assert_array_equal(answers[0], alone.test)
    np.testing.assert_allclose(mtl.predict(found.model, task.val[0]), found.validation, atol=1e-5)
    assert f"the mean of {len(found.averaged)} networks" in repr(found)
    assert found.record()["averaged"] == [way.record() for way in found.averaged]
    same(search(tiny(), sources=two_sources, average=True, out=tmp_path / "True"), found)  # from the log


def test_the_search_begins_with_the_default_ways_and_trains_them_to_the_end(tmp_path):
    found = search(tiny(), sources=source(), defaults=True, out=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "search.jsonl").read_text().splitlines()[1:]]
    regressions = len(found.plan["at once"])
    (name,) = found.plan["to the end"]
    assert (
        name == "mine: lp_ft, everything, rate 0.001" and found.plan["at once"][0] == "mine: all stages, head, C 0.01"
    )
    assert str(Way(**lines[0]["way"])) == found.plan["at once"][0] and str(Way(**lines[regressions]["way"])) == name
    assert lines[regressions]["epochs"] == found.plan["epochs of the rungs"][-1]
    same(search(tiny(), sources=source(), defaults=True, out=tmp_path), found)  # from the log


def test_what_learnt_nothing_is_averaged_only_where_it_is_the_best_of_all():
    losses = {"mine": 0.5, "small network": 0.3, "yours": 0.4, "resnet, random": 0.2}

    class Answers:
        def find(self, way, epochs):
            return {"way": way, "epochs": 0, "log loss": losses[way["source"]], "auroc": 0.5, "seconds": 1.0}

    class Runs:
        val = None, torch.zeros(4, dtype=torch.long)

        def run(self, way, epochs):
            return mtl.CourseCNN(3, 2, width=8), torch.full((4, 2), 0.5)

    best = BestSoFar(Runs(), Answers())
    for name in losses:
        best.loss(Way(name, "all stages", "head", 0.1), 0)
    assert [one.way.source for one in best.networks(average=True)] == ["resnet, random", "yours", "mine"]
    assert [one.way.source for one in best.networks()] == ["resnet, random"]


@pytest.mark.parametrize("errors, there", [(1.9, True), (2.1, False)])
def test_a_source_is_averaged_unless_its_loss_is_two_standard_errors_above_the_lowest(errors, there):
    """The probability of the true class is 0.5, and for the other network exp(−d) times that, of d by numpy."""
    noise = np.random.default_rng(0).standard_normal(50)
    noise = (noise - noise.mean()) / noise.std() * 0.1
    more = torch.from_numpy(noise + errors * 0.1 / 50**0.5)
    true = {"mine": torch.full((50,), 0.5).double(), "yours": 0.5 * (-more).exp()}

    class Answers:
        def find(self, way, epochs):
            return {"way": way, "epochs": 0, "log loss": float(-true[way["source"]].log().mean()), "auroc": 0.5,
                    "seconds": 1.0}  # fmt: skip

    class Runs:
        val = None, torch.zeros(50, dtype=torch.long)

        def run(self, way, epochs):
            return mtl.CourseCNN(3, 2, width=8), torch.stack([true[way.source], 1 - true[way.source]], 1)

    best = BestSoFar(Runs(), Answers())
    for name in ("yours", "mine"):
        best.loss(Way(name, "all stages", "head", 0.1), 0)
    assert [one.way.source for one in best.networks(average=True)] == (["mine", "yours"] if there else ["mine"])
    assert [one.way.source for one in best.candidates()] == ["mine", "yours"]


def test_ctrl_c_ends_the_search_with_what_it_had_found(whole, tmp_path, capsys, monkeypatch):
    with monkeypatch.context() as patch:
        interrupting(patch, 5, KeyboardInterrupt())
        found = search(tiny(), out=tmp_path)
    total = len(whole[1].read_text().splitlines()) - 1
    assert found.stopped == f"Ctrl-C, after 5 of {total} trainings" and len(found.table) == 5
    assert "ended early: Ctrl-C" in capsys.readouterr().out
    assert found.metrics and len((tmp_path / "search.jsonl").read_text().splitlines()) == 6
    same(search(tiny(), out=tmp_path), whole[0])  # and later it goes on


def test_ctrl_c_before_anything_was_found_is_ctrl_c(monkeypatch):
    interrupting(monkeypatch, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        search(tiny())


def test_ctrl_c_inside_a_training_is_not_taken_for_its_end(monkeypatch):
    brake = trials.Brake(60)
    monkeypatch.setattr(brake, "check", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    task = tiny()
    networks = {"small network": lambda classes: mtl.CourseCNN(3, classes)}
    cost = {"small network": trials.count_cost(mtl.CourseCNN(3, 2), (3, 12, 12))}
    runs = trials.Trials(task.train, task.val, 2, networks, cost, seed=0, brake=brake)
    with pytest.raises(KeyboardInterrupt):
        runs.run(Way("small network", "from scratch", "everything", 1e-3), 3)


def test_the_clock_stops_it_within_a_step_once_something_was_found(monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 0.05  # each look at it costs some time
        return now[0]

    monkeypatch.setattr(trials, "clock", clock)
    found = search(tiny())
    assert found.stopped.startswith(f"the {MINUTES:g} minutes were over, after ") and found.metrics
    assert 60 * MINUTES < now[0] <= 60 * MINUTES + 0.11  # from the first look on, to the one that said so
    now[0] = -1e9
    monkeypatch.setattr(trials, "clock", lambda: now.__setitem__(0, now[0] + 1e6) or now[0])
    assert len(search(tiny()).table) == 1  # however late it is, one way is tried


@pytest.mark.parametrize(("classes", "channels"), [(4, 1), (3, 3)])
def test_more_classes_and_grey_images(classes, channels):
    found = search(tiny(classes, channels))
    assert found.test.shape == (20, classes) and found.metrics["auroc"].value > 0.8
    np.testing.assert_allclose(found.test.sum(1), 1, atol=1e-5)


def test_a_task_of_the_course_and_its_positive_class_and_known_sources(nothing_fetched):
    x, y = images(24, 0)
    splits = [mtl.Split(x, y), mtl.Split(*images(16, 1)), mtl.Split(*images(20, 2))]
    task = mtl.ImageTask("tiny", *splits, ("well", "ill"), positive=1)
    found = mtl.auto_transfer(task, MINUTES, sources=["resnet, random"], progress=False)
    other = mtl.auto_transfer(replace(task, positive=0), MINUTES, sources="resnet, random", progress=False)
    assert found.metrics["recall"].value == pytest.approx((found.test.argmax(1)[y[:20] == 1] == 1).mean())
    assert other.metrics["recall"].value == pytest.approx((found.test.argmax(1)[y[:20] == 0] == 0).mean())


def test_a_source_that_needs_larger_images_is_left_out_and_told(capsys):
    deep = mtl.CourseCNN(3, 2, width=8)
    deep.stages["stage4"] = torch.nn.MaxPool2d(4)
    found = search(tiny(), sources=source() | {"deep": deep})
    assert "The source deep was left out: images of 12 × 12 px are too small" in capsys.readouterr().out
    assert "deep" not in set(found.table["source"])


def test_few_validation_images_are_told(capsys):
    search(tiny())
    assert "The rarest class has 8 validation images" in capsys.readouterr().out


def test_a_training_that_diverges_loses_and_is_in_the_log(monkeypatch, tmp_path):
    interrupting(monkeypatch, 2, FloatingPointError("The loss is nan in epoch 1."))
    found = search(tiny(), out=tmp_path)
    assert found.stopped == "search complete" and np.isnan(found.table["log loss"].iloc[-1])
    lines = (tmp_path / "search.jsonl").read_text().splitlines()
    assert json.loads(lines[3])["failed"] == "The loss is nan in epoch 1."
    assert found.record()["table"][-1]["log loss"] is None


def test_the_network_of_a_way_takes_its_weights(whole):
    found, _ = whole
    for way in (found.way, *(Way(**row[["source", "way", "depth", "rate"]]) for _, row in found.table.iterrows())):
        if way == found.way or way.at_once:
            empty = trials.network_of(way, 2, 3, source())
            if way == found.way:
                empty.load_state_dict(found.model.state_dict())
                np.testing.assert_array_equal(mtl.predict(empty, tiny().test[0]), found.test)


def test_a_way_is_trained_alike_with_and_without_kept_features(monkeypatch):
    """The features of what is frozen, computed once, change nothing but rounding."""
    task, way = tiny(), Way("mine", "fine_tune", "above stage2", 1e-3)
    networks = trials.as_sources(source())
    answers = []
    for room in (1e9, 0):
        monkeypatch.setattr(costs, "CACHE", room)
        cost = {"mine": trials.count_cost(networks["mine"](2), (3, 12, 12))}
        runs = trials.Trials(task.train, task.val, 2, networks, cost, seed=0, brake=trials.Brake(60))
        answers.append(runs.run(way, 4)[1])
        assert bool(runs._kept) == (room > 0)
    torch.testing.assert_close(*answers, atol=1e-4, rtol=0)


def test_validation_scores_against_scikit_learn(random):
    p = torch.rand(40, 3, generator=random).double().softmax(1)
    y = torch.arange(40) % 3
    found = validation_scores(p, y)
    assert found["log loss"] == pytest.approx(sk_log_loss(y, p.numpy()), abs=1e-6)
    assert found["auroc"] == pytest.approx(roc_auc_score(y, p, multi_class="ovr"), abs=1e-6)
    assert validation_scores(p, torch.zeros(40, dtype=torch.long))["auroc"] is None


def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("my notes\nof today\n")
    with pytest.raises(ValueError, match=r"Line 1 of .* is no JSON"):
        SearchLog(file, {})
    assert file.read_text() == "my notes\nof today\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"minutes": 0}, "minutes is 0"),
        ({"minutes": float("inf")}, "minutes is inf"),
        ({"seed": 0.5}, "seed is 0.5"),
        ({"sources": "imagenet"}, "no source 'imagenet'"),
    ],
)
def test_wrong_arguments_are_told(change, said):
    with pytest.raises(ValueError, match=said):
        search(tiny(), **change)
