"""Images on the disk in place of a tensor: the same numbers, splits and trained weights, to the bit."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import save
from torch import nn

import medtl_helpers as mtl
from medtl_helpers.data import reading
from medtl_helpers.data.folders import load_folder
from medtl_helpers.data.patients import split_by_patient
from medtl_helpers.data.streams import PixelFile, StreamedImages
from medtl_helpers.data.tasks import SPLITS, few_shot
from medtl_helpers.methods.cache import AT_ONCE
from medtl_helpers.methods.scores import accuracy

SIDE = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """48 images of two classes and three sizes; class b is brighter, one is in colour, two are the same picture."""
    root, rng = tmp_path_factory.mktemp("files") / "mine", np.random.default_rng(0)
    for k in range(48):
        side, bright = (10, 14, 30)[k % 3], 60 * (k % 2)
        shape = (side, side, 3) if k == 21 else (side, side)
        pixels = rng.integers(bright, bright + 150, shape, dtype=np.uint8)
        save(root / "ab"[k % 2] / f"P{k // 4:02}_{k}.png", pixels)
    save(root / "a" / "P02_again.png", np.zeros((10, 10), np.uint8))
    save(root / "b" / "P07_again.png", np.zeros((10, 10), np.uint8))
    return root


def both(folder, **options):
    """The task in memory, and streamed."""
    return [load_folder(folder, size=SIDE, stream=stream, **options) for stream in (False, True)]


def assert_same(memory, streamed):
    for split in SPLITS:
        a, b = getattr(memory, split), getattr(streamed, split)
        assert isinstance(b.x, StreamedImages) and torch.equal(a.x, b.x[:]) and torch.equal(a.y, b.y)
        assert (len(b.x), b.x.shape, b.x.dtype, b.x.ndim) == (len(a.x), a.x.shape, a.x.dtype, a.x.ndim)


def test_what_is_read_is_what_a_tensor_would_hold(folder):
    memory, streamed = (task.train.x for task in both(folder))
    numbers = torch.tensor([5, 0, 5, -1])
    mask = torch.arange(len(memory)) % 3 == 0
    for rows in (3, -1, np.int64(2), slice(2, 9, 3), slice(None), numbers, numbers.numpy(), [1, 2], mask, mask.numpy()):
        assert torch.equal(streamed[rows], memory[rows])
        assert torch.equal(streamed[rows, ..., 4], memory[rows, ..., 4])
    assert [len(part) for part in streamed.split(10)] == [len(part) for part in memory.split(10)]
    assert torch.equal(torch.cat(list(streamed.split(10))), memory)
    assert torch.equal(torch.stack(list(streamed)), memory)  # one by one, and then it ends
    assert torch.equal(streamed.only([4, 2])[:], memory[[4, 2]])
    assert torch.equal(pickle.loads(pickle.dumps(streamed))[:], memory)  # as a worker gets it
    for wrong in (len(memory), [0, len(memory)]):
        with pytest.raises(IndexError):
            streamed[wrong]


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_the_same_folder_streamed_is_the_same_task(folder, capsys, channels):
    memory, streamed = both(folder, channels=channels, patients=r"^(P\d+)_", seed=2)
    assert_same(memory, streamed)  # the image in colour comes in the middle: what was grey before becomes RGB
    lines = capsys.readouterr().out.splitlines()
    (new,) = [line for line in lines if "streamed" in line]
    lines.remove(new)
    of_copies = [line for line in lines if "stands twice" in line]
    assert ["not looked for" in line for line in of_copies] == [False, True]  # more than equal bytes needs memory
    lines = [line for line in lines if line not in of_copies]
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert streamed.where("val", 1) == memory.where("val", 1)
    for change in (
        lambda task: few_shot(task, 3, seed=1, val=2),
        lambda task: split_by_patient(task, seed=5),
        lambda task: task.without_duplicates(),
        lambda task: few_shot(split_by_patient(task.without_duplicates(), seed=6), 2, seed=0, val=1),
    ):
        assert_same(change(memory), change(streamed))
    assert memory.duplicates().pairs.equals(streamed.duplicates().pairs)


def test_streamed_and_in_memory_splits_of_one_task_mix(folder):
    memory, streamed = both(folder)
    mixed = mtl.ImageTask(**{**vars(streamed), "test": memory.test})
    assert torch.equal(few_shot(mixed, 2, seed=0, val=1).train.x, few_shot(memory, 2, seed=0, val=1).train.x)


def dropping_cnn():
    """With dropout, which draws from torch's own generator, and batch norm, whose statistics depend on the batches."""
    torch.manual_seed(0)
    cnn = mtl.CourseCNN(3, 2, width=8, norm="batch")
    cnn.head = nn.Sequential(nn.Dropout(0.3), cnn.head)
    return cnn


WAYS = {
    "fit": lambda model, task, **o: mtl.fit(model, task.train, task.val, epochs=3, batch_size=10, **o),
    "fit, augmented": lambda model, task, **o: mtl.fit(
        model, task.train, task.val, epochs=3, batch_size=10, augment=mtl.augment, class_weight="balanced", **o
    ),
    "probe": lambda model, task, **o: mtl.probe(model, task.train, task.val, epochs=3, **o),
    "fine_tune": lambda model, task, **o: mtl.fine_tune(
        model, task.train, task.val, frozen_upto="stage1", epochs=2, **o
    ),
    "lp_ft": lambda model, task, **o: mtl.lp_ft(model, task.train, task.val, probe_epochs=2, epochs=2, **o),
    "gradual_unfreeze": lambda model, task, **o: mtl.gradual_unfreeze(model, task.train, task.val, epochs=1, **o),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_trained_on_a_stream_is_the_same_to_the_bit(folder, way):
    states, histories, answers = [], [], []
    for task in both(folder):
        model = dropping_cnn()
        histories.append(WAYS[way](model, task, seed=4, progress=False))
        states.append(model.state_dict())
        answers.append([mtl.predict(model, task.test.x, batch_size=4), accuracy(model, task.test)])
        answers[-1] += [mtl.prefix_features(mtl.freeze(model), task.val.x), mtl.stage_features(model, task.val.x)]
        answers[-1] += [mtl.adapt_batch_norm(model, task.test.x, batch_size=4).state_dict()]
    assert histories[0] == histories[1]
    for one, other in (states, *[pair for pair in zip(*answers, strict=True) if isinstance(pair[0], dict)]):
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert all(
        torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(*(a[:4] for a in answers), strict=True)
    )


def test_workers_read_the_same(folder):
    """For a reader's own Dataset that takes long for each batch: ``workers`` of it are read in other processes."""
    states = []
    for workers in (0, 2):
        task = load_folder(folder, size=SIDE, stream=True)
        task.train.x.workers = workers
        mtl.fit(model := dropping_cnn(), task.train, epochs=2, batch_size=10, progress=False)
        states.append(model.state_dict())
        assert task.train.x.file.path.exists()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_augmented_features_of_a_stream_are_those_of_augmented_images(folder):
    """Batch by batch, with the random numbers of the seed: the same twice, and with one batch as in memory."""
    memory, streamed = both(folder)
    states = []
    for task in (memory, streamed, streamed):
        model = dropping_cnn()
        mtl.probe(model, task.train, task.val, epochs=2, augment=mtl.augment, copies=2, seed=3, progress=False)
        states.append(model.state_dict())
    assert len(memory.train.x) < AT_ONCE
    for name in states[0]:
        torch.testing.assert_close(states[1][name], states[0][name])
        assert torch.equal(states[1][name], states[2][name])


def test_features_that_do_not_fit_are_computed_anew_and_that_is_told(folder, capsys, monkeypatch):
    memory, streamed = both(folder)
    states = []
    for task, cache in ((memory, False), (streamed, True)):
        model = dropping_cnn()
        capsys.readouterr()
        monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 20_000}))
        options = {"frozen_upto": "stage1", "cache": cache, "epochs": 2, "seed": 1, "progress": False}
        mtl.fine_tune(model, task.train, task.val, **options)
        states.append(model.state_dict())
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "so they are computed anew in each epoch." in said
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_penalty_is_one_on_the_part_that_trains_whether_features_fit_or_not(folder, monkeypatch):
    _, streamed = both(folder)
    seen = []

    def penalty(model):
        seen.append(sorted(name for name, _ in model.named_parameters()))
        return 0.0

    for free in (10**9, 1000):
        monkeypatch.setattr("psutil.virtual_memory", lambda free=free: type("Memory", (), {"available": free}))
        mtl.fine_tune(
            dropping_cnn(),
            streamed.train,
            frozen_upto="stage2",
            epochs=1,
            batch_size=99,
            penalty=penalty,
            progress=False,
        )
    assert seen[0] == seen[-1]


def test_a_folder_that_does_not_fit_is_streamed_by_itself_and_that_is_told(folder, capsys, monkeypatch):
    need = 50 * SIDE**2
    for most, streamed in ((3 * need, False), (3 * need - 1, True), (need, True), (need - 1, True)):
        monkeypatch.setattr(reading, "MAX_BYTES", most)  # grey fits in the third case, until there is one in colour
        task = load_folder(folder, size=SIDE)
        out = capsys.readouterr().out
        assert isinstance(task.train.x, StreamedImages) == streamed
        assert out.count("so they are streamed from a file of their pixels") == streamed
        assert torch.equal(task.train.x[:], load_folder(folder, size=SIDE, stream=False).train.x)
        capsys.readouterr()
    monkeypatch.setattr(reading, "MAX_BYTES", 2 * 10**9)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 6 * need - 2}))
    assert isinstance(load_folder(folder, size=SIDE).train.x, StreamedImages)  # more than half of what is free


def test_the_file_of_pixels_is_private_readable_by_numpy_and_gone_with_the_last_task(folder, tmp_path):
    task = load_folder(folder, size=SIDE, stream=str(tmp_path))
    path = task.train.x.file.path
    assert path.parent == tmp_path and list(tmp_path.iterdir()) == [path]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    pixels = np.load(path, mmap_mode="r")
    assert pixels.shape == (50, 3, SIDE, SIDE) and (pixels[: len(task.train.x)] == task.train.x[:].numpy()).all()
    few = few_shot(task, 2, seed=0, val=1)
    copy = pickle.loads(pickle.dumps(few.train.x))
    del pixels, task
    assert path.exists() and len(copy[:]) == 4
    del copy
    assert path.exists()
    del few
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_was_forked_deletes_nothing(folder, monkeypatch):
    file = load_folder(folder, size=SIDE, stream=True).train.x.file
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        file.delete()
    assert file.path.exists()
    file.path.unlink()


@pytest.mark.slow
def test_the_file_is_gone_when_python_ends(folder, tmp_path):
    code = f"import medtl_helpers as mtl; t = mtl.load_folder({str(folder)!r}, size=12, stream={str(tmp_path)!r})"
    code += f"; import pathlib; print(len(list(pathlib.Path({str(tmp_path)!r}).iterdir())), 'file')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "1 file" in done.stdout and list(tmp_path.iterdir()) == []


def test_files_go_to_tmpdir_or_else_to_a_disk(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert PixelFile(None, (1, 1, 8, 8)).path.parent == tmp_path
    monkeypatch.delenv("TMPDIR")
    if Path("/var/tmp").is_dir():
        assert PixelFile(None, (1, 1, 8, 8)).path.parent == Path("/var/tmp")


@pytest.mark.slow
def test_a_search_on_a_stream_finds_what_it_finds_in_memory(folder, monkeypatch):
    monkeypatch.setattr("medtl_helpers.methods.trials.clock", lambda: 0.0)  # no time goes by on a busy machine
    memory, streamed = (mtl.auto_transfer(task, 0.1, seed=0, progress=False) for task in both(folder))
    assert str(memory.way) == str(streamed.way)
    assert memory.table.drop(columns="seconds").equals(streamed.table.drop(columns="seconds"))
    assert np.array_equal(memory.test, streamed.test) and np.array_equal(memory.validation, streamed.validation)
