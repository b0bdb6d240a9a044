"""The code on the book's page "Your own data" runs, from its first line to its last, on a folder as it describes it."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

PAGE = (Path(__file__).parent.parent / "book" / "own_data.md").read_text("utf-8")


def test_the_page_runs_as_it_is_printed(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for k, name in enumerate(("benign", "malignant")):
        (tmp_path / "my_images" / name).mkdir(parents=True)
        for patient in range(12):
            for view in "ab":
                pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "my_images" / name / f"P{k}{patient:02}_{view}.png")
    copied = (tmp_path / "my_images" / "benign" / "P000_a.png").read_bytes()
    (tmp_path / "my_images" / "benign" / "P000_c.png").write_bytes(copied)
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
    assert len(names["history"].train_loss) == 5
