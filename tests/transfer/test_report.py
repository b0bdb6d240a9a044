"""The page: whole, offline, accessible, escaped; it says what was found and never that a model may be used."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from fake_search import fake_search
from small_images import class_folders, pixels, write_image

from medtl_helpers.__main__ import main
from medtl_helpers.transfer import command, page
from medtl_helpers.transfer.data_sections import MOST_SHOWN, _some

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Reader(HTMLParser):
    """Tags in balance, the attributes of all images, and the text outside of style and script."""

    def __init__(self):
        super().__init__()
        self.open, self.images, self.addresses, self.texts = [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.addresses += [attrs[name] for name in ("src", "href") if name in attrs]
        if tag == "img":
            self.images.append(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)


def read(path) -> tuple[Reader, str]:
    reader = Reader()
    reader.feed(path.read_text("utf-8"))
    assert reader.open == []
    return reader, " ".join(" ".join(reader.texts).split())


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two hospitals, patients, a damaged file, a copy, and class and file names that would be HTML."""
    place, names = tmp_path_factory.mktemp("report"), {"classes": ("<b>sick", "well & fine")}
    folder, away = (
        class_folders(place / name, patients=50, seed=k, **names) for k, name in enumerate(("home", "away"))
    )
    (folder / "well & fine" / "P100_1.png").write_bytes(b"")
    (folder / "well & fine" / "P199_<i>.png").write_bytes((folder / "well & fine" / "P101_0.png").read_bytes())
    options = ["--out", str(place / "report"), "--size", "16", "--minutes", "1", "--patients", r"^(P\d+)_"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "auto_transfer", fake_search)
        assert main(["transfer", str(folder), "--target", str(away), *options]) == 0
    return place / "report"


def test_the_page_is_one_file_that_needs_nothing_else(report):
    reader, _ = read(report / "report.html")
    assert reader.addresses and all(address.startswith(("data:image/", "#")) for address in reader.addresses)
    source = (report / "report.html").read_text("utf-8")
    assert "http" not in re.sub(r'"data:image/[^"]*"', "", source) and "@import" not in source and "url(" not in source
    assert '<html lang="en">' in source and "color-scheme: light" in source and "@media print" in source


def test_every_picture_has_an_alt_text_that_says_what_it_shows(report):
    reader, _ = read(report / "report.html")
    assert len(reader.images) >= 4
    assert all(len(image["alt"]) > 40 and image["alt"].endswith(".") for image in reader.images)


def test_names_are_shown_and_are_no_html(report):
    _, words = read(report / "report.html")
    assert "<b>sick" in words and "well & fine" in words and "P199_<i>.png" in words
    assert "<b>sick" not in re.sub(r"alt=\"[^\"]*\"", "", (report / "report.html").read_text("utf-8"))


def test_the_page_tells_all_that_was_left_out_and_all_results(report):
    _, words = read(report / "report.html")
    content = json.loads((report / "report.json").read_text())
    for told in (
        "P100_1.png",
        "is empty (0 bytes)",
        "The same picture stands twice",
        "no patient is in two",
        "over patients",
    ):
        assert told in words
    assert list(content["left out"]["unusable"]) == ["well & fine/P100_1.png"]
    auroc = content["test"]["metrics"]["AUROC"]
    assert f"{auroc['value']:.3f} [{auroc['low']:.3f}, {auroc['high']:.3f}]" in words
    assert "slope of the calibration line" in words and "calibration slope" in words  # here, and at the second hospital
    for heading in ("What was tried", "Saying yes from a threshold on", "At the second hospital", "Model card"):
        assert heading in words
    assert "PPV" in words and "net benefit" in words and "All items of TRIPOD+AI" in words


def test_it_never_says_that_a_model_may_be_used(report):
    _, words = read(report / "report.html")
    assert "not for diagnosis" in words and "no evidence that the model may be used" in words
    for promise in ("safe", "ready for", "fit for", "approved", "recommend", "can be used in", "reliable enough"):
        assert promise not in words.lower(), promise


def test_the_json_holds_only_what_json_has(report):
    text = (report / "report.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    content = json.loads(text)
    assert set(content["settings"]) >= {"seed", "minutes", "images"} and content["search"]["table"]
    used = {file for files in content["splits"].values() for file in files}
    gone = {file for files in content["left out"]["copies"].values() for file in files}
    assert used | gone | set(content["left out"]["unusable"]) == {one["file"] for one in content["files"]}


def test_a_folder_with_nothing_wrong_says_so(make_folder, without_search, tmp_path):
    assert main(["transfer", str(make_folder()), "--out", str(tmp_path / "r"), "--size", "16", "--minutes", "1"]) == 0
    _, words = read(tmp_path / "r" / "report.html")
    assert "No picture stands twice" in words and "the patients are not known" in words
    assert "At the second hospital" not in words


def test_names_in_an_old_encoding_do_not_stop_the_report(without_search, tmp_path):
    rng = np.random.default_rng(0)
    for k, label in enumerate(("sick", "well")):
        for n in range(10):
            write_image(tmp_path / "mine" / label / f"Jos\udce9_{n}.png", pixels(k, rng))
    assert (
        main(["transfer", str(tmp_path / "mine"), "--out", str(tmp_path / "r"), "--size", "16", "--minutes", "1"]) == 0
    )
    assert b"Jos\xe9_" in (tmp_path / "r" / "test_answers.csv").read_bytes()
    json.loads((tmp_path / "r" / "report.json").read_text())


def test_numbers_have_a_minus_and_tables_their_columns_on_the_right():
    table = page.table(["a", "b"], [["x", -0.5], ["y", 2]], "Caption <1>", chosen=1)
    assert "−0.5" in table and table.count('class="number"') == 3 and "Caption &lt;1&gt;" in table
    assert '<tr class="chosen"><td>y</td>' in table and page.text(float("nan")) == ""


def test_long_lists_say_how_much_is_left():
    assert _some(["a"] * MOST_SHOWN) == ["a"] * MOST_SHOWN
    assert _some(["a"] * (MOST_SHOWN + 5))[-1] == "and 5 more"
