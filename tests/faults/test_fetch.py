"""``make data`` against a server, a disk and a network that misbehave: what the user reads, and what is kept."""

import errno
import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from rows import Row
from server import MISBEHAVIOUR, PAGE, FaultyServer

from medtl_helpers import assets
from medtl_helpers.data import download, fetch

ROOT = Path(__file__).parents[2]
PROXIES = [name for name in os.environ if name.lower().endswith("_proxy")]
COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start background jobs with Ctrl-C ignored
import json, sys
from medtl_helpers import assets
from medtl_helpers.data import fetch
registry = json.load(open(sys.argv[1]))
assets.cards = lambda: registry
sys.exit(fetch.fetch(sys.argv[2:] or None))
"""


def npz(size: int, seed: int = 0) -> bytes:
    """A real .npz of a little more than ``size`` incompressible bytes."""
    out = io.BytesIO()
    np.savez(out, train_images=np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8))
    return out.getvalue()


BODY = npz(400_000)
HALF = len(BODY) // 2


@pytest.fixture(autouse=True)
def short_waits(request, monkeypatch, tmp_path):
    """No proxy between the tests and 127.0.0.1, a data folder of their own, and little patience."""
    for name in PROXIES:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path))
    monkeypatch.setattr(download, "WAIT_SECONDS", 0.01)
    short = any(fault in request.node.name for fault in ("stall", "silent"))
    monkeypatch.setattr(download, "READ_SECONDS", 0.5 if short else 5)
    monkeypatch.setattr(download, "CHUNK", 1 << 12)


@pytest.fixture
def server():
    with FaultyServer() as server:
        yield server


@pytest.fixture
def registry(monkeypatch):
    """An empty registry in place of the real cards."""
    cards = {}
    monkeypatch.setattr(assets, "cards", lambda: cards)
    return cards


def register(registry, url: str, name="lungs", key="28", body: bytes = BODY, **entry) -> str:
    """Put a file into the registry. Returns its path below the data folder."""
    path = f"medmnist/{name}_{key}.npz"
    files = registry.setdefault(name, {"course": True, "files": {}})["files"]
    files[key] = {"path": path, "url": url, "checksum": "md5:" + hashlib.md5(body).hexdigest()} | entry
    return path


def sentences(capsys) -> list[str]:
    """What was printed, line by line; never a traceback."""
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return out.splitlines()


def leftovers(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".fetch.lock"}


# the server's fault | what the user reads | bytes kept in the .part (None: no such file) | how often it is asked
FAULTS = [
    ("truncate", "broke off", "some", 3),
    ("drop", "broke off", "some", 3),
    ("stall", "sent nothing for 0.5 seconds", "some", 3),
    ("silent", "sent nothing for 0.5 seconds", None, 3),
    ("corrupt", "wrong checksum, so lungs_28.npz.part was deleted", None, 1),
    ("html", "sent a web page instead of the file", None, 1),
    ("bare_html", "sent a web page instead of the file", None, 1),
    ("redirect", "sent a web page instead of the file", None, 1),
    ("503", "answers 503 Service Unavailable", None, 3),
    ("404", "answers 404 Not Found", None, 1),
]


# what the kept .part is | its bytes | the server's fault | the ranges it is asked for | what the user reads
PARTS = [
    ("the first part", BODY[:1000], "", ["bytes=1000-"], ""),
    ("the first part, and the server ignores the range", BODY[:1000], "no_range", ["bytes=1000-"], ""),
    (
        "the first part, and the server sends another range",
        BODY[:1000],
        "wrong_range",
        ["bytes=1000-", None],
        "cannot go on from byte 1000",
    ),
    ("complete (killed before the renaming)", BODY, "", [], ""),
    ("too long", BODY + b"x", "", [f"bytes={len(BODY) + 1}-", None], f"cannot go on from byte {len(BODY) + 1}"),
    (
        "of another version",
        b"another version",
        "",
        ["bytes=15-", None],
        "wrong checksum, so lungs_28.npz.part was deleted",
    ),
]

NAMES = [
    ("kidneys", "There is no data set called 'kidneys'; known are "),
    ("chestmnist", "ChestMNIST has several labels per image"),
    ("pneumonia:32", "pneumonia has no file '32'; it has 28, 64, 128, 224."),
]

# a fault with a test of its own: what the user reads, and what is kept
NETWORK = [
    Row("no network", "Cannot connect to", "no half file is left"),
    Row("a network that never answers", "no answer in 0.5 seconds", "—"),
    Row("a network that goes away", "Cannot connect to", "—"),
    Row("a dead proxy", "check the network or the proxy", "—"),
]
DISK = [
    Row("a disk that is too small", "0.13 MB are free), nothing of it is kept: make room", "no half file is left"),
    Row("a disk that fills up", "No space left on device", "what had come, in the .part"),
    Row("a file where a folder should be", "make that folder writable", "that file"),
    Row("a read-only disk", "Read-only file system", "no half file is left"),
    Row("MEDTL_DATA names no folder", "nowhere, which is no folder", "—"),
]
PROCESSES = [
    Row("two at once", "waiting for another process", "one whole file, fetched once"),
    Row("killed half-way", "", "what had come; the next run goes on there"),
    Row("Ctrl-C half-way", "MB are kept in lungs_28.npz.part: run `make data` again to go on", "what had come"),
]
ALONE = {row.fault: row.sees for row in (*NETWORK, *DISK, *PROCESSES)}
TABLE = [
    *(
        Row(f"the server {MISBEHAVIOUR[fault]}", reads, f"{'what had come, and ' if keeps else ''}the other files")
        for fault, reads, keeps, _ in FAULTS
    ),
    *(
        Row(f"kept part: {part}", says or "fetched, with the right checksum", "the right file, and no .part")
        for part, _, _, _, says in PARTS
    ),
    *(Row(f"no such data set: {name}", says, "—") for name, says in NAMES),
    *(row._replace(sees=row.sees or "the next run fetches the rest") for row in (*NETWORK, *DISK, *PROCESSES)),
]


@pytest.mark.parametrize(("fault", "reads", "keeps", "gets"), FAULTS, ids=[row[0] for row in FAULTS])
def test_every_fault_is_one_sentence_and_leaves_no_half_file(
    fault, reads, keeps, gets, server, registry, tmp_path, capsys
):
    path = register(registry, server.serve("a", BODY, fault=fault), megabytes=0.4)
    good = register(registry, server.serve("b", b"age,sex\n", head=False), name="good", body=b"age,sex\n")

    assert fetch.fetch() == 1

    lines = sentences(capsys)
    final = [line for line in lines if reads in line and "trying again" not in line]
    assert len(final) == 1 and final[0].startswith("lungs:28 (lungs_28.npz): ") and final[0].endswith(".")
    assert ": run `make data` again" in final[0] or re.search(": (update this course|read it at)", final[0])
    assert not (tmp_path / path).exists()
    part = tmp_path / (path + ".part")
    assert part.exists() == (keeps is not None)
    if keeps:
        kept = part.read_bytes()
        assert HALF - download.CHUNK <= len(kept) < len(BODY) and BODY.startswith(kept)
        assert f"{len(kept) / 1e6:.2f} MB are kept in {part.name}" in final[0]
    assert len(server.asked("a")) == gets
    # the others are fetched all the same, and the last line sums up
    assert (tmp_path / good).read_bytes() == b"age,sex\n"
    assert lines[-1] == f"1 of 2 files are in {tmp_path}; missing: lungs:28 (phantoms stand in)."


@pytest.mark.parametrize("fault", ["", "no_range", "no_length", "503", "truncate", "drop", "stall", "silent"])
def test_a_fault_that_passes_ends_in_the_right_file(fault, server, registry, tmp_path, capsys):
    path = register(registry, server.serve("a", BODY, fault=fault, times=2))

    assert fetch.fetch(["lungs:28"]) == 0

    lines = sentences(capsys)
    assert lines[0] == f"lungs:28 (lungs_28.npz): {len(BODY) / 1e6:.2f} MB, into {tmp_path / 'medmnist'}"
    assert lines[-1] == f"1 of 1 files are in {tmp_path}."
    assert (tmp_path / path).read_bytes() == BODY
    assert leftovers(tmp_path) == {"lungs_28.npz"}
    # only what is missing is asked for again
    asked = server.asked("a")
    assert asked[0] is None and len(asked) == (3 if fault in ("503", "truncate", "drop", "stall", "silent") else 1)
    if fault in ("truncate", "drop", "stall"):
        starts = [int(range_[6:-1]) for range_ in asked[1:]]
        assert 0 < HALF - download.CHUNK <= starts[0] < starts[1]

    # a second call finds it there and asks nobody
    before = (tmp_path / path).stat().st_mtime_ns
    assert fetch.fetch() == 0
    assert sentences(capsys)[0] == "lungs:28 (lungs_28.npz): already there, with the right checksum."
    assert server.asked("a") == asked and (tmp_path / path).stat().st_mtime_ns == before


@pytest.mark.parametrize(("part", "fault", "ranges", "says"), [p[1:] for p in PARTS], ids=[p[0] for p in PARTS])
def test_what_is_kept_is_used_if_it_can_be(part, fault, ranges, says, server, registry, tmp_path, capsys):
    path = register(registry, server.serve("a", BODY, fault=fault))
    (tmp_path / path).parent.mkdir()
    (tmp_path / (path + ".part")).write_bytes(part)

    assert fetch.fetch() == 0

    assert server.asked("a") == ranges
    assert (tmp_path / path).read_bytes() == BODY and leftovers(tmp_path) == {"lungs_28.npz"}
    again = [line for line in sentences(capsys) if "trying again" in line]
    assert len(again) == bool(says) and all(says in line for line in again)


def test_a_web_page_does_not_cost_the_kept_part(server, registry, tmp_path):
    path = register(registry, server.serve("a", BODY, fault="html"))
    (tmp_path / path).parent.mkdir()
    (tmp_path / (path + ".part")).write_bytes(BODY[:1000])
    assert fetch.fetch() == 1
    assert (tmp_path / (path + ".part")).read_bytes() == BODY[:1000]


@pytest.mark.parametrize("fault", ["", "404"])
def test_a_damaged_file_is_replaced_only_by_the_right_one(fault, server, registry, tmp_path, capsys):
    path = register(registry, server.serve("a", BODY, fault=fault))
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_bytes(b"damaged")
    assert fetch.fetch() == (1 if fault else 0)
    assert (tmp_path / path).read_bytes() == (b"damaged" if fault else BODY)
    sentences(capsys)


def test_the_final_name_appears_only_with_the_whole_file(server, registry, tmp_path, monkeypatch):
    path = register(registry, server.serve("a", BODY, fault="drop", times=2))
    seen = []
    rename = os.replace

    def watch(source, target):
        seen.append((Path(target).exists(), Path(source).read_bytes() == BODY, Path(source).parent))
        rename(source, target)

    monkeypatch.setattr(os, "replace", watch)
    assert fetch.fetch() == 0
    assert seen == [(False, True, (tmp_path / path).parent)]


# --- names and sizes ---


def test_names_stand_for_files(server, registry, tmp_path, capsys):
    url = server.serve("a", BODY)
    register(registry, url, "lungs", "28")
    register(registry, url, "lungs", "64")
    register(registry, url, "heart", "cleveland")
    register(registry, url, "heart", "va")
    register(registry, url, "skin", "28")
    registry["skin"]["course"] = False
    registry["breast_cancer"] = {"course": True}

    def labels(names, sizes=(28,)):
        return [file.label for file in fetch.wanted(names, sizes, tmp_path)]

    assert labels(None) == labels([]) == ["lungs:28", "heart:cleveland", "heart:va"]
    assert labels(["lungs:64", "skin", "skin"]) == ["lungs:64", "skin:28"]
    assert labels(["lungs"], (28, 64)) == ["lungs:28", "lungs:64"]
    assert labels(["heart:va"]) == ["heart:va"]
    capsys.readouterr()
    assert fetch.fetch(["breast_cancer"]) == 0
    assert sentences(capsys) == ["breast_cancer: nothing to fetch, it ships with scikit-learn."]
    assert not server.asked("a")


@pytest.mark.parametrize(("name", "says"), NAMES)
def test_an_unknown_name_is_one_sentence(name, says, capsys):
    assert fetch.fetch([name]) == 2  # the real cards: nothing is asked of any server
    lines = sentences(capsys)
    assert len(lines) == 1 and lines[0].startswith(says)


def test_the_real_cards_can_be_listed(tmp_path):
    every = fetch.wanted(list(assets.cards()), (28, 64, 128, 224), tmp_path)
    assert len({file.path for file in every}) == len(every) > 40
    assert all(file.url.startswith("https://") for file in every)
    usual = {file.label for file in fetch.wanted(None, (28,), tmp_path)}
    assert usual >= {"pneumonia:28", "heart:va", "vgg16:imagenet", "resnet18:imagenet"}
    spaced = [file for file in every if file.label == "white_cells:Dataset 1/001.bmp"]
    assert spaced[0].url.endswith("/Dataset%201/001.bmp") and spaced[0].path.name == "001.bmp"


@pytest.mark.parametrize(("name", "label"), [("vgg16", "vgg16:imagenet"), ("resnet18:imagenet", "resnet18:imagenet")])
def test_weights_are_fetched_by_name_whatever_the_sizes_of_images(name, label, tmp_path):
    for sizes in ((28,), (64, 128)):
        (file,) = fetch.wanted([name], sizes, tmp_path)
        assert file.label == label and file.path.parent == tmp_path / "weights"
        assert file.path.name == file.url.rpartition("/")[2]  # so that Keras' and torch's caches know it by this name


def test_a_file_that_is_made_of_what_is_fetched_has_the_checksum_of_what_was_made(
    server, registry, tmp_path, capsys, monkeypatch
):
    """What cannot be packed is left as it came, and has the wrong checksum."""
    monkeypatch.setattr(fetch, "PACK", {"half": lambda part: part.write_bytes(part.read_bytes().removesuffix(BODY))})
    path = register(registry, server.serve("a", BODY + BODY), key="all", pack="half")
    assert fetch.fetch(["lungs"]) == 0 and (tmp_path / path).read_bytes() == BODY
    assert fetch.fetch(["lungs"]) == 0 and len(server.asked("a")) == 1
    path = register(registry, server.serve("b", BODY + BODY + b"x"), name="other", key="all", pack="half")
    capsys.readouterr()
    assert fetch.fetch(["other"]) == 1 and not (tmp_path / path).exists()
    assert "wrong checksum, so other_all.npz.part was deleted" in "".join(sentences(capsys))
    assert leftovers(tmp_path) == {"lungs_all.npz"}


@pytest.mark.parametrize("fault", ["", "corrupt", "html", "truncate"])
def test_weights_arrive_like_data_whole_or_not_at_all(fault, server, registry, tmp_path, capsys):
    """In their own folder, beside the data; a fault leaves the course its embedded ones."""
    path = "weights/trunk.h5"
    register(registry, server.serve("a", BODY, fault=fault), name="trunk", key="imagenet", path=path, megabytes=0.4)
    assert fetch.fetch(["trunk"]) == (1 if fault else 0)
    assert (tmp_path / path).is_file() is not bool(fault)
    lines = sentences(capsys)
    assert "trunk:imagenet (trunk.h5): 0.40 MB, into " in lines[0]
    assert fault or (tmp_path / path).read_bytes() == BODY


@pytest.mark.parametrize("fault", ["", "404"])
def test_a_listing_is_told_in_one_line_and_fetched_file_by_file(fault, server, registry, tmp_path, capsys, monkeypatch):
    """Thirty files; at a fault the others of the set are left for the next run, which fetches what is missing."""
    bodies = {f"many/Dataset 1/{k:03d}.bmp": npz(200, k) for k in range(30)}
    sums = {path: "sha256:" + hashlib.sha256(body).hexdigest() for path, body in bodies.items()}
    monkeypatch.setattr(assets, "listing", lambda about: sums)
    for k, (path, body) in enumerate(bodies.items()):
        name = path.removeprefix("many/").replace(" ", "%20")
        url = server.serve(name, body, fault=fault if k == 7 else "", times=1)
    address = url.removesuffix(name)
    registry["many"] = {"course": True, "listing": "many.sha256", "folder": "many/", "address": address, "megabytes": 3}
    if fault:
        assert fetch.fetch() == 1
        lines = sentences(capsys)
        assert len(lines) == 4 and lines[0] == f"many (30 files): 3.00 MB, into {tmp_path / 'many' / 'Dataset 1'}"
        assert "many:Dataset 1/007.bmp (007.bmp): " in lines[1] and "404" in lines[1]
        assert lines[2] == "many (30 files): 23 of them are left for the next run."
        assert lines[3] == f"7 of 30 files are in {tmp_path}; missing: many (23 files) (phantoms stand in)."
    assert fetch.fetch(["many"]) == 0
    lines = sentences(capsys)
    assert lines[-2] == f"many ({23 if fault else 30} files): fetched, with the right checksum."
    assert lines[-1] == f"30 of 30 files are in {tmp_path}."
    assert all((tmp_path / path).read_bytes() == body for path, body in bodies.items())
    assert fetch.fetch(["many:1"]) == 2
    assert sentences(capsys) == ["The files of many are fetched together: ask for many."]


# --- network ---


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("name", ["127.0.0.1", "no-such-host.invalid"])
def test_no_network_is_said_once_and_soon(name, registry, tmp_path, capsys, monkeypatch):
    host = f"{name}:{closed_port()}"
    for key in ("28", "64", "128"):
        register(registry, f"http://{host}/{key}", key=key, megabytes=1)
    gets = []
    monkeypatch.setattr(requests, "get", lambda *a, **k: gets.append(a))
    start = time.monotonic()

    assert fetch.fetch(None, (28, 64, 128)) == 1

    assert time.monotonic() - start < 20 and not gets
    lines = sentences(capsys)
    assert [line for line in lines if ALONE["no network"] in line] == lines[3:4]
    assert f"Cannot connect to {host} for lungs:28, lungs:64, lungs:128 (" in lines[3]
    assert "the course works without, on phantoms." in lines[3]
    assert lines[-1].startswith("0 of 3 files") and not leftovers(tmp_path)


def test_a_network_that_never_answers_is_given_up_in_time(registry, capsys, monkeypatch):
    """Looking up a name can hang for a minute and heeds no timeout of requests; there are two servers to find dead."""
    assert fetch.PROBE_SECONDS < 20
    monkeypatch.setattr(fetch, "PROBE_SECONDS", 0.5)

    def hang(*_, **__):
        time.sleep(3)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    register(registry, "http://one.invalid/a", "a")
    register(registry, "http://two.invalid/b", "b")
    start = time.monotonic()
    assert fetch.fetch() == 1
    assert time.monotonic() - start < 2.5
    assert sum(ALONE["a network that never answers"] in line for line in sentences(capsys)) == 2


def test_a_network_that_goes_away_is_not_asked_again(server, registry, capsys, monkeypatch):
    for key in ("28", "64"):
        register(registry, server.serve(key, BODY), key=key)
    real = requests.get
    gets = []

    def get(url, **options):
        gets.append(url)
        return real(f"http://127.0.0.1:{closed_port()}/", **options)

    monkeypatch.setattr(requests, "get", get)
    assert fetch.fetch(None, (28, 64)) == 1
    assert len(gets) == 1
    [line] = [line for line in sentences(capsys) if ALONE["a network that goes away"] in line]
    assert " for lungs:28, lungs:64 (" in line and "refused" in line


def test_a_dead_proxy_is_said_to_be_one(server, registry, capsys, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    register(registry, server.serve("a", BODY))
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "Cannot connect" in line]
    assert ALONE["a dead proxy"] in line and not server.asked("a")


# --- disk ---


def mount(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {made.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    if sys.platform != "linux":
        pytest.skip("needs a Linux tmpfs")
    folder = tmp_path / "small"
    mount(folder, "size=128k")
    monkeypatch.setenv("MEDTL_DATA", str(folder))
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_too_small_is_noticed_before(small_disk, server, registry, capsys):
    register(registry, server.serve("a", BODY))
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "cannot write" in line]
    assert f"it needs {len(BODY) / 1e6:.2f} MB " in line and ALONE["a disk that is too small"] in line
    assert leftovers(small_disk) == set()


def test_a_full_disk_keeps_what_it_holds(small_disk, server, registry, tmp_path, capsys, monkeypatch):
    path = register(registry, server.serve("a", BODY, fault="no_length"))
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "cannot write" in line]
    assert line.startswith("lungs:28 (lungs_28.npz): ") and ALONE["a disk that fills up"] in line
    kept = (small_disk / (path + ".part")).read_bytes()
    assert leftovers(small_disk) == {"lungs_28.npz.part"} and len(kept) > 50_000 and BODY.startswith(kept)
    # with room, it goes on from there
    subprocess.run(["mount", "-o", "remount,size=1m", small_disk], check=True)
    server.files["/a"].fault = ""
    assert fetch.fetch() == 0
    assert (small_disk / path).read_bytes() == BODY and server.asked("a")[-1] == f"bytes={len(kept)}-"


def test_a_full_disk_without_a_mount(server, registry, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    path = register(registry, server.serve("a", BODY))
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "cannot write" in line]
    assert "No space left on device" in line and "make room there" in line and "MEDTL_DATA" in line
    assert not (tmp_path / path).exists()


def test_a_folder_that_cannot_be_made(server, registry, tmp_path, capsys):
    register(registry, server.serve("a", BODY))
    (tmp_path / "medmnist").write_text("a file where a folder should be")
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "cannot write" in line]
    assert str(tmp_path / "medmnist") in line and ALONE["a file where a folder should be"] in line
    assert (tmp_path / "medmnist").read_text() == "a file where a folder should be"


def test_a_read_only_disk(small_disk, server, registry, capsys):
    register(registry, server.serve("a", BODY))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert fetch.fetch() == 1
    [line] = [line for line in sentences(capsys) if "cannot write" in line]
    assert ALONE["a read-only disk"] in line and "name another folder with MEDTL_DATA" in line
    assert leftovers(small_disk) == set()


def test_no_folder_to_fetch_into(registry, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    assert fetch.fetch() == 1
    assert sentences(capsys)[0].startswith("MEDTL_DATA=twin asks for no real data")
    monkeypatch.setenv("MEDTL_DATA", str(tmp_path / "nowhere"))
    assert fetch.fetch() == 1
    [line] = sentences(capsys)
    assert ALONE["MEDTL_DATA names no folder"] in line


# --- processes ---


@pytest.fixture
def start(registry, tmp_path):
    """Starts ``make data`` in a process of its own, with the file that holds what it says; kills what is left over."""
    running = []

    def start() -> tuple[subprocess.Popen, Path]:
        cards, said = tmp_path / "cards.json", tmp_path / f"said{len(running)}.txt"
        cards.write_text(json.dumps(registry))
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-c", COMMAND, str(cards)]
        with open(said, "w") as out:
            running.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
        return running[-1], said

    yield start
    for process in running:
        process.kill()
        process.wait(10)


def wait_for(condition, seconds=10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_two_processes_at_once(start, server, registry, tmp_path):
    path = register(registry, server.serve("a", BODY, fault="held"))
    both = [start(), start()]
    wait_for(lambda: any(ALONE["two at once"] in said.read_text() for _, said in both))
    wait_for(lambda: server.asked("a"))
    server.release.set()
    assert [process.wait(20) for process, _ in both] == [0, 0], [said.read_text() for _, said in both]
    assert (tmp_path / path).read_bytes() == BODY and len(server.asked("a")) == 1
    assert not any("Traceback" in said.read_text() for _, said in both)


def test_a_killed_process_leaves_what_the_next_one_needs(start, server, registry, tmp_path):
    path = register(registry, server.serve("a", BODY, fault="stall", times=1))
    part = tmp_path / (path + ".part")
    process, _ = start()
    wait_for(lambda: part.exists() and part.stat().st_size > HALF // 2)
    process.kill()
    process.wait(10)
    kept = part.stat().st_size
    assert not (tmp_path / path).exists()
    assert fetch.fetch() == 0
    assert (tmp_path / path).read_bytes() == BODY and server.asked("a") == [None, f"bytes={kept}-"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process")
def test_ctrl_c_keeps_the_part_and_says_so(start, server, registry, tmp_path):
    path = register(registry, server.serve("a", BODY, fault="stall", times=1))
    part = tmp_path / (path + ".part")
    process, output = start()
    wait_for(lambda: part.exists() and part.stat().st_size > HALF // 2)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    said = output.read_text()
    assert "Traceback" not in said
    [line] = [line for line in said.splitlines() if line.startswith("Stopped; lungs:28 (lungs_28.npz): ")]
    assert ALONE["Ctrl-C half-way"] in line
    assert not (tmp_path / path).exists() and BODY.startswith(part.read_bytes())


def test_the_server_says_what_it_should():
    """The tests' own server: a page is a page, and a Range is answered with it."""
    with FaultyServer() as server:
        url = server.serve("a", BODY)
        assert requests.get(url, headers={"Range": "bytes=10-"}, timeout=5).content == BODY[10:]
        assert requests.get(url.replace("/a", "/login"), timeout=5).content == PAGE
