"""Every line for people can be printed on every terminal: the old one of Windows (cp1252), ASCII, any file name."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtl_helpers import console
from medtl_helpers.console import printable, say

PACKAGE = Path(console.__file__).parent
ENCODINGS = ["cp1252", "ascii", "latin-1", "cp437", "cp850", "utf-8", "utf-16"]
ANYTHING = st.text(st.characters() | st.characters(categories=["Cs"]) | st.sampled_from(sorted(console.PLAIN)))


@pytest.mark.parametrize(
    "text, encoding, wanted",
    [
        ("✓ Ü × 3 ≤ 4 − 1 …", "cp1252", "[ok] Ü × 3 <= 4 - 1 …"),  # ×, Ü and … are in cp1252, ✓ ≤ − are not
        ("✓ Ü × 3 ≤ 4 − 1 …", "ascii", "[ok] ? x 3 <= 4 - 1 ..."),
        ("▣ λ → 0", "latin-1", "[recorded] lambda -> 0"),
        ("漢字.png", "cp1252", "??.png"),
        ("scan\udce9.png", "utf-8", "scan?.png"),  # a byte that was no UTF-8, as Python holds it in a file name
        ("✓ 漢字 λ", "utf-8", "✓ 漢字 λ"),
    ],
)
def test_what_a_terminal_lacks_is_written_plainly(text, encoding, wanted):
    assert printable(text, encoding) == wanted


def test_lines_are_worded_for_other_readers_only_within(capsys):
    with pytest.raises(ValueError), console.worded(str.upper):
        say("one", "two")
        raise ValueError
    say("three")
    assert capsys.readouterr().out == "ONE\nTWO\nthree\n"


@given(ANYTHING, st.sampled_from(ENCODINGS))
def test_every_text_can_be_printed_and_what_the_terminal_has_stays(text, encoding):
    shown = printable(text, encoding)
    shown.encode(encoding)  # raises UnicodeEncodeError where it cannot
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        assert shown != text and len(shown) >= len(text)  # nothing is dropped
    else:
        assert shown == text


def test_what_stands_for_a_character_is_plain():
    assert "".join(console.PLAIN.values()).isascii()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_text_is_a_line(monkeypatch, encoding):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict", newline="\n")
    monkeypatch.setattr(sys, "stdout", terminal)
    say("✓ a", "\udcff")
    say()
    terminal.flush()
    first = "✓ a" if encoding.startswith("utf") else "[ok] a"
    assert terminal.buffer.getvalue().decode(encoding) == f"{first}\n?\n"


def test_a_terminal_without_an_encoding_gets_the_text_as_it_is(monkeypatch, capsys):
    class Plain(io.StringIO):
        encoding = None

    monkeypatch.setattr(sys, "stdout", terminal := Plain())
    say("✓ λ")
    assert terminal.getvalue() == "✓ λ\n"


def test_nothing_in_the_package_prints_in_another_way():
    prints = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" and path.name != "console.py"
    ]
    assert not prints


SCRIPT = r"""
import pathlib, sys, tempfile
import torch
from PIL import Image
import medtl_helpers as mtl
from medtl_helpers import devices
from medtl_helpers.__main__ import main
from medtl_helpers.console import say
from medtl_helpers.teaching import run

assert sys.stdout.encoding == "cp1252" and sys.stdout.errors == "strict"
mtl.check("λ → 0 gives “−1 ≤ x”, 漢字", True, a_λ=0.1, note="…✓")
mtl.check("It helps ✓", False, on="real", data="twin", gain=-0.1)
for answer in (0.5, ..., "text"):
    mtl.grade("00.1", answer)
mtl.begin("05_dann")
if devices.headless():  # else a page displays it
    mtl.slider(lambda value: None, label="λ → 漢", values=[1, 2])
task = mtl.load("breast")
with tempfile.TemporaryDirectory() as folder:
    for k, name in enumerate(("Zähne ≤ 3", "漢字")):
        (pathlib.Path(folder) / name).mkdir()
        for n in range(12):
            pixels = torch.randint(256, (32, 32, 3), dtype=torch.uint8).numpy()
            Image.fromarray(pixels).save(pathlib.Path(folder) / name / f"λ{n}.png")
    print(len(mtl.load_folder(folder).classes), "classes")
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 2))
mtl.fit(network, task.train, task.val, epochs=2)
mtl.predict(torch.nn.Sequential(network, torch.nn.Softmax(1)), task.test.x)
row = {"notebook": "07_λ", "seconds": 1.0, "peak_mb": 9, "device": "cpu", "data": "twin", "ok": True}
claim = {"notebook": "07_λ", "claim": "λ → 0 ✓", "passed": True, "headline": True}
say(run._table([row], [claim]))
main(["exercises", "--check"])
for command in ([], ["run"], ["data"], ["exercises"]):
    try:
        main([*command, "--help"])
    except SystemExit as end:
        assert end.code == 0
"""


@pytest.mark.slow
def test_the_old_terminal_of_windows_shows_what_the_package_prints():
    variables = {"PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0", "MEDTL_DATA": "twin", "OMP_NUM_THREADS": "1"}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MEDTL_")} | variables
    for headless in ("1", "0"):  # with and without sliders and progress bars
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT],
            capture_output=True,
            env=environment | {"MEDTL_HEADLESS": headless},
            cwd=PACKAGE.parent,
        )
        text = done.stdout.decode("cp1252")
        assert done.returncode == 0, done.stderr.decode("cp1252", "replace")
        assert "[ok] lambda -> 0 gives “-1 <= x”, ??" in text and "[not yet]" in text and "2 classes" in text
        assert "The model ends in a softmax" in text and "agree with their solutions" in text
