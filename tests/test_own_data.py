"""The code and the commands on the book's page "Your own data" run, from first to last, on such a folder."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medtl_helpers.__main__ import main

ROOT = Path(__file__).parent.parent
PAGE, README = ((ROOT / name).read_text("utf-8") for name in ("book/own_data.md", "README.md"))


def commands(text: str) -> list[list[str]]:
    """The arguments of all lines of a page that call the package."""
    lines = [line for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [
        shlex.split(line, comments=True)[3:]
        for line in lines
        if "medtl_helpers transfer" in line or " predict " in line
    ]


def my_images(folder):
    rng = np.random.default_rng(0)
    for k, name in enumerate(("benign", "malignant")):
        (folder / name).mkdir(parents=True)
        for patient in range(12):
            for view in "ab":
                pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / name / f"P{k}{patient:02}_{view}.png")
    (folder / "benign" / "P000_c.png").write_bytes((folder / "benign" / "P000_a.png").read_bytes())


def my_sequences(path):
    """60 bases, of which the one class has GT in the middle and the other has not."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(40)]
    lines = [
        f">s{i} {('donor', 'none')[i % 2]}\n{word[:30]}{('GT', 'CA')[i % 2]}{word[32:]}\n"
        for i, word in enumerate(words)
    ]
    path.write_text("".join(lines))


def my_scans(folder):
    """Grey pictures of ten patients, each with a bright square and its mask of 0 and 255."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for k in range(20):
        mask, name = np.zeros((32, 32), np.uint8), f"P{k // 2:02}_{'ab'[k % 2]}.png"
        y, x = rng.integers(4, 20, 2)
        mask[y : y + 8, x : x + 8] = 255
        Image.fromarray(mask // 2 + rng.integers(0, 30, mask.shape, dtype=np.uint8)).save(folder / "images" / name)
        Image.fromarray(mask).save(folder / "masks" / name)


def my_texts(path):
    """Reports of which some say that there is no effusion, of 20 patients."""
    rows = [
        f"p{i % 20},The {a} and {b} are seen. {('There is', 'No')[i % 2]} effusion.,effusion,{('yes', 'no')[i % 2]}"
        for i, (a, b) in enumerate((a, b) for a in ("lungs", "heart", "ribs", "spleen") for b in "abcdefghij")
    ]
    path.write_text("\n".join(["patient,report,finding,status", *rows, "p1,Lost.,effusion,no"]))


def my_molecules(path):
    """Rings with tails, and the logarithm of some solubility."""
    rings = "c1ccccc1 C1CCNCC1 c1ccncc1 C1CCOC1 C1CCC1 c1ccsc1 c1ccoc1 C1CCCCCC1 C1CCCC1 C1CCNC1 C1CCOCC1 c1cc[nH]c1"
    rings += " C1CNCCN1 c1ccc2ccccc2c1 C1CC1 C1CCSC1 c1ncncc1 C1CCNCCC1"
    molecules = [ring + tail for ring in rings.split() for tail in ("C", "CC", "CCO")]
    rows = [f"{smiles},{-0.1 * len(smiles):.1f}" for smiles in molecules]
    path.write_text("\n".join(["SMILES,logS", *rows, "CCN.Cl,0.5", "c1ccc,1.0"]))


def test_the_page_runs_as_it_is_printed(tmp_path, monkeypatch, capsys):
    my_images(tmp_path / "my_images")
    my_sequences(tmp_path / "my_sequences.fa")
    my_texts(tmp_path / "my_texts.csv")
    my_scans(tmp_path / "my_scans")
    my_molecules(tmp_path / "my_molecules.csv")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "own_data.md", "exec"), names)
    told = capsys.readouterr().out
    assert "P000_c.png" in told and "patients" in told
    assert len(names["found"].pairs) == 1
    assert sum(len(getattr(names["clean"], s).y) for s in ("train", "val", "test")) == 48
    people = [set(names["again"].patients[split]) for split in ("train", "val", "test")]
    assert not (people[0] & people[1] or people[0] & people[2] or people[1] & people[2])
    assert names["sequences"].classes == ("donor", "none") and len(names["sequences"].train.y) == 24
    assert len(names["history"].train_loss) == 5
    assert names["masks"].classes == ("background", "lesion") and names["threshold"] > 0.9
    assert "1 row(s) (57) whose SMILES is not valid" in told and "1 row(s) (56) hold several parts" in told
    assert len(names["few"].train.y) == 20 and names["at_random"].dealt == "random"
    assert len(names["molecules"].test.y) > 3


@pytest.mark.slow
@pytest.mark.parametrize("text", [PAGE, README], ids=["own_data.md", "README.md"])
def test_the_commands_run_as_they_are_printed(text, tmp_path, monkeypatch, capsys):
    """But for the minutes, which are few here."""
    my_images(tmp_path / "my_images")
    my_images(tmp_path / "new_images")
    monkeypatch.chdir(tmp_path)
    transfer, predict = commands(text)
    transfer[transfer.index("--minutes") + 1] = "0.05"
    assert (main(transfer), main(predict)) == (0, 0)
    assert {"report.html", "report.json", "test_answers.csv", "model.pt"} <= {p.name for p in Path("report").iterdir()}
    assert len(Path("answers.csv").read_text().splitlines()) == 1 + 49
    told = capsys.readouterr().out
    assert "P000_c.png" in told and "The report is" in told and "not for diagnosis" in told


def test_every_option_of_the_command_is_on_the_page(capsys):
    with pytest.raises(SystemExit):
        main(["transfer", "--help"])
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"`(--[a-z]+)[ `]", PAGE))
