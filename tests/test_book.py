"""The book before it is built: its contents, its written pages, and what makes a build fail."""

import io
import json
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from medtl_helpers.teaching.course_map import LESSONS

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
sys.path.insert(0, str(BOOK))

import build  # noqa: E402
import figures  # noqa: E402
import pages  # noqa: E402
import sketches  # noqa: E402

WRITTEN = {"results", "timings", "data", "weights", "benchmarks", "solutions", "api"}
CHECK = {
    "notebook": "05_dann",
    "claim": "A | B",
    "passed": True,
    "binding": True,
    "data": "none",
    "headline": False,
    "figures": {"gain_of_all": {"value": 0.1234, "low": -1.0, "high": 2, "kind": "t"}, "n": 7},
}


def in_contents() -> list[str]:
    """Every page that the table of contents names."""
    contents = yaml.safe_load((BOOK / "_toc.yml").read_text("utf-8"))
    chapters = [chapter for part in contents["parts"] for chapter in part["chapters"]]
    sections = [section for chapter in chapters for section in chapter.get("sections", [])]
    return [contents["root"], *(entry["file"] for entry in chapters + sections if "file" in entry)]


def test_the_contents_name_every_page_and_notebook_once_and_nothing_else():
    prose = {path.stem for path in BOOK.glob("*.md")}
    notebooks = {str(path.relative_to(ROOT).with_suffix("")) for path in (ROOT / "notebooks").rglob("[0-9]*.ipynb")}
    assert sorted(in_contents()) == sorted(prose | notebooks | WRITTEN)


def test_nothing_is_fetched_and_nothing_about_publication_is_invented():
    text = (BOOK / "_config.yml").read_text("utf-8")
    assert "http" not in text
    config = yaml.safe_load(text)
    assert config["sphinx"]["config"]["nb_ipywidgets_js"] == {}
    assert config["sphinx"]["config"]["nb_execution_raise_on_error"] is True
    assert "sphinx-mathjax-offline" in config["sphinx"]["extra_extensions"]
    assert "Not for diagnosis" in config["html"]["extra_footer"]
    empty = {"authors": "somebody", "repository": "", "branch": "main", "address": "", "doi": ""}
    plain = build.published(yaml.safe_load(text), empty)
    assert "launch_buttons" not in plain and "repository" not in plain
    filled = build.published(yaml.safe_load(text), {**empty, "repository": "https://example.org/x", "doi": "10.1/x"})
    assert filled["repository"]["url"] == "https://example.org/x" and "10.1/x" in filled["html"]["extra_footer"]
    assert filled["launch_buttons"]["binderhub_url"]


def test_every_cited_key_is_in_the_references():
    known = set(re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text("utf-8"), re.MULTILINE))
    for path in BOOK.glob("*.md"):
        for keys in re.findall(r"\{cite[^}]*\}`([^`]+)`", path.read_text("utf-8")):
            assert {key.strip() for key in keys.split(",")} <= known, f"{path.name}: {keys}"


def test_numbers_and_tables_are_written_for_readers():
    assert pages.number({"value": 0.1234, "low": -1.0, "high": 2.0}) == "0.123 [-1, 2]"
    assert pages.number([1.23456] * 7) == "1.23, 1.23, 1.23, 1.23, 1.23, 1.23, …"
    assert pages.number(1600) == "1600" and pages.number("a word") == "a word" and pages.number(True) == "True"
    assert pages.table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"


def test_the_results_page_shows_every_claim_and_whether_it_holds():
    failed = {**CHECK, "claim": "Not here", "passed": False, "data": "own"}
    text = pages.results([CHECK, failed])
    assert "1 of 2 hold" in text
    assert "| A \\| B | gain of all: 0.123 [-1, 2]; n: 7 | no data | ✓ holds |" in text
    assert "| Not here | gain of all: 0.123 [-1, 2]; n: 7 | own data | ○ does not hold here |" in text
    assert (
        "| [05 DANN](notebooks/05_dann.ipynb) | Not here |" in text
    )  # no check says that it is the headline: the last
    assert "| ▣ recorded, holds |" in pages.results([{**CHECK, "recorded": [{"file": "dann"}]}])
    marked = pages.results([{**CHECK, "headline": True}, failed])
    assert "| [05 DANN](notebooks/05_dann.ipynb) | A \\| B |" in marked


def test_the_times_are_those_of_the_record_and_of_this_build():
    record = {
        "machine": {"cpu, twin": "2 cores"},
        "seconds": {"05_dann": {"cpu, twin": 59.4}},
        "peak MB": {"05_dann": {"cpu, twin": 880}},
    }
    row = {"notebook": "05_dann", "seconds": 61.2, "peak_mb": 900, "device": "cpu", "data": "twin"}
    text = pages.timings(record, [row])
    assert "| [05 DANN](notebooks/05_dann.ipynb) | 45 min | 60 s | 59.4 s, 880 MB |" in text and "not recorded" in text
    assert "| 05_dann | 61.2 | 900 | cpu | twin |" in text
    assert text.split("## Measured")[0].strip().endswith(" min |  | — |")  # no sum while some are not recorded
    for what, value in (("seconds", 10.5), ("peak MB", 700)):
        record[what] = {name: {"cpu, twin": value} for name in LESSONS} | record[what]
    assert f"| {10.5 * (len(LESSONS) - 1) + 59.4:.0f} s, at most 880 MB |" in pages.timings(record, [row])


def test_the_recorded_course_keeps_to_its_budget():
    record = json.loads((ROOT / "benchmarks" / "results" / "timings.json").read_text("utf-8"))
    assert set(record["seconds"]) == set(record["peak MB"]) == set(LESSONS)
    for name, lesson in LESSONS.items():
        assert record["seconds"][name]["cpu, twin"] <= lesson.seconds, name
        assert record["seconds"][name]["cpu, real"] <= 2 * lesson.seconds, name
        assert record["peak MB"][name]["cpu, twin"] <= pages.MOST_MB, name


PAIR = {"what": "W", "ours": "O", "theirs": "T", "speedup": True, "aim": 10, "ratios": [9, 12, 30], "median": 12.0}


@pytest.mark.parametrize(
    "change, cells",
    [
        ({}, "| 12 × faster (9 to 30) | ≥ 10 ✓ |"),
        ({"median": 9.9}, "| ≥ 10 ✗ |"),
        ({"speedup": False}, "| 12 × as long (9 to 30) | ≤ 10 ✗ |"),
        ({"speedup": False, "median": 1.0}, "| ≤ 10 ✓ |"),
        ({"aim": None}, "| 12 × faster (9 to 30) | — |"),
    ],
)
def test_ratios_say_whether_they_reach_what_was_aimed_at(change, cells):
    record = {"command": "c", "device": "cpu", "cores": 2, "data": "twin", "pairs": [PAIR | change]}
    assert cells in "\n".join(pages.ratios(record))


def test_the_recorded_ratios_and_exponents_are_those_of_todays_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import pairs as today
    import scale

    results = ROOT / "benchmarks" / "results"
    recorded = json.loads((results / "ratios.json").read_text("utf-8"))["pairs"]
    named = ("what", "ours", "theirs", "speedup", "aim")
    assert [[row[key] for key in named] for row in recorded] == [
        [getattr(p, key) for key in named] for p in today.PAIRS
    ]
    for row in json.loads((results / "scale.json").read_text("utf-8"))["growth"]:
        assert row["exponent"] == scale.exponent(row["values"], row["seconds"])


def test_data_cards_say_licence_disease_class_and_limits():
    card = {
        "title": "T",
        "what": "W",
        "licence": "L",
        "conditions": "C",
        "classes": ["a", "b"],
        "positive": 1,
        "not_for": "Not for diagnosis.",
        "citation": ["X"],
        "doi": "10.1/x",
    }
    text = pages.data("# Data sets\n\nAll of them.\n", {"t": card})
    assert "# Data cards" in text and "a, b (positive)" in text and "https://doi.org/10.1/x" in text
    assert "images" not in text and "sequences" not in text
    card |= {"kind": "sequence", "class_totals": [1200, 3], "length": 60, "rows": 1300}
    assert "| sequences | 1,200 a, 3 b, of 60 bases; 1,300 rows in the file |" in pages.data("", {"t": card})


def test_records_say_who_made_them():
    about = {"command": "python b.py", "seeds": [1, 2, 3], "device": "cpu", "seconds": 4, "commit": "abc"}
    text = pages.benchmarks("# B", {"one": about, "two": {"twin": about, "note": "none"}})
    assert "{download}`one.json <records/one.json>`  | `python b.py` | 1 to 3 (3) | cpu, 4 s, abc |" in text
    assert "{download}`two.json <records/two.json>` twin |" in text


def test_the_reference_has_every_module_but_the_answers():
    found = pages.modules(ROOT / "medtl_helpers")
    assert {"devices", "methods.losses", "teaching.run", "lessons.dann.figures"} <= set(found)
    assert not any(name.endswith("answers") for name in found)
    assert found["teaching.plots"].startswith("One figure language")
    public = pages.public_names(ROOT / "medtl_helpers" / "__init__.pyi")
    index = pages.api(found, public)
    for module, names in public.items():
        assert f"[{module}](api/{module}.md)" in index and all(f"`{name}`" in index for name in names)
    assert all(index.count(f"(api/{name}.md)") == 1 for name in found)


def test_docstrings_and_alt_texts_are_brought_to_sphinx():
    pytest.importorskip("sphinx", reason="the book's packages are not installed: pip install '.[book]'")
    import extension

    lines = ["What.", "", "Parameters", "----------", "x: an image,", "    of bytes.", "y, z: more.", "", "Returns it."]
    assert extension.parameters_as_list(lines) == [
        "What.",
        "",
        "**Parameters**",
        "",
        "*   **x**: an image,",
        "    of bytes.",
        "*   **y, z**: more.",
        "",
        "Returns it.",
    ]
    assert extension.set_apart("N×``width``, ``a`` and ``Interval``s") == "N×\\ ``width``, ``a`` and ``Interval``\\ s"
    output = nbformat.v4.new_output("display_data", {"image/png": "AAAA"}, metadata={"image/png": {"alt": "A dot."}})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])
    assert list(extension.alt_texts(notebook).values()) == ["A dot."]


def test_what_a_page_would_fetch_from_elsewhere_is_found(tmp_path):
    page = (
        '<a href="https://a.org">x</a><script src="https://b.org/x.js"></script><img alt="" src="//c.org/y.png">'
        '<link rel="stylesheet" href="https://d.org/z.css"><script src="_static/own.js"></script>'
    )
    (tmp_path / "p.html").write_text(page)
    assert build.fetched_from_elsewhere(tmp_path) == [
        "p.html: https://b.org/x.js",
        "p.html: //c.org/y.png",
        "p.html: https://d.org/z.css",
    ]


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a b.html").write_text("")
    page = (
        '<a href="a%20b.html#part">1</a><a class="x" href="b.html">2</a><a href="#top">3</a><a href="mailto:x@y">4</a>'
    )
    (tmp_path / "p.html").write_text(page + '<a href="https://a.org/c.html">5</a>')
    assert build.dead_links(tmp_path) == ["p.html: b.html"]


def test_links_in_outputs_lead_to_pages(tmp_path):
    output = nbformat.v4.new_output("display_data", {"text/markdown": "| [01](01_a.ipynb) |", "text/plain": "x.ipynb"})
    cells = [nbformat.v4.new_markdown_cell("[01](01_a.ipynb)"), nbformat.v4.new_code_cell("1", outputs=[output])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "n.ipynb")
    build.link_to_pages(tmp_path / "n.ipynb")
    text, code = nbformat.read(tmp_path / "n.ipynb", as_version=4).cells
    assert code.outputs[0].data == {"text/markdown": "| [01](01_a.html) |", "text/plain": "x.ipynb"}
    assert text.source == "[01](01_a.ipynb)"


def write_notebook(path: Path, source: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), path)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["07_bad.ipynb", "solutions/07_bad.ipynb"])
def test_a_broken_notebook_makes_the_build_fail(tmp_path, monkeypatch, capsys, where):
    monkeypatch.setenv("MEDTL_DATA", "twin")
    write_notebook(tmp_path / "notebooks" / "06_good.ipynb", "n = 1")
    broken = "import medtl_helpers as mtl\nn = 1\nmtl.check('Pigs fly', n > 1, n=n)"
    write_notebook(tmp_path / "notebooks" / where, broken)
    assert build.main(tmp_path) == 1
    assert "No book was made, because a notebook failed." in capsys.readouterr().out
    assert not (tmp_path / "_run" / "book").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("text", "status"), [("# A book\n", 0), ("# A book\n\n{doc}`nowhere`\n", 1)])
def test_a_warning_makes_the_build_fail(tmp_path, text, status):
    pytest.importorskip("jupyter_book", reason="the book's packages are not installed: pip install '.[book]'")
    source = tmp_path / "source"
    source.mkdir()
    (source / "_config.yml").write_text("title: A book\n")
    (source / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    (source / "index.md").write_text(text)
    assert bool(build.jupyter_book(source, tmp_path)) == bool(status)
    assert (tmp_path / "html" / "index.html").is_file() == (status == 0)


def test_the_readme_shows_the_recorded_headlines_and_the_courses_own_figures():
    record = json.loads((BOOK / "figures" / "headlines.json").read_text("utf-8"))
    readme = (ROOT / "README.md").read_text("utf-8")
    assert figures.with_part(readme, figures.readme_part(record["alts"], record["checks"])) == readme
    assert [check["notebook"] for check in record["checks"]] == list(LESSONS)
    for name in figures.FIGURES:
        png = BOOK / "figures" / f"{name}.png"
        assert png.stat().st_size < 150_000 and record["alts"][name].strip()


@pytest.mark.parametrize("name", LESSONS)
def test_the_recorded_headline_is_the_notebooks(name):
    record = json.loads((BOOK / "figures" / "headlines.json").read_text("utf-8"))
    (headline,) = [check["claim"] for check in record["checks"] if check["notebook"] == name]
    cells = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells
    calls = [call for cell in cells if cell.cell_type == "code" for call in cell.source.split("mtl.check(")[1:]]
    marked = [call for call in calls if "headline=True" in call]
    assert len(marked) <= 1 and headline in (marked or calls)[-1], "the notebook has changed: run 'make figures'"


def in_grey(png: bytes) -> np.ndarray:
    """The mean grey of squares of 15 pixels (a tenth of an inch), from 0 to 255."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("L").reduce(15), float)


@pytest.mark.parametrize("number", range(1, len(sketches.SKETCHES) + 1))
def test_a_sketch_drawn_again_is_the_committed_one(number):
    """To the byte on one machine. Other versions place letters a little differently (45 grey values at most from
    matplotlib 3.8 to 3.11; a missing arrow makes 90): the committed one has the same words and nearly the same grey."""
    figure = sketches.picture(*sketches.SKETCHES[number - 1])
    drawn = sketches.png(figure)
    assert drawn == sketches.png(sketches.picture(*sketches.SKETCHES[number - 1]))
    committed = (BOOK / "figures" / f"sketch_{number}.png").read_bytes()
    described = [Image.open(io.BytesIO(png)).text["Description"] for png in (drawn, committed)]
    assert described[0] == described[1], "its words have changed: run 'python book/sketches.py'"
    ours, theirs = in_grey(drawn), in_grey(committed)
    assert ours.shape == theirs.shape and len(committed) < 150_000
    assert np.abs(ours - theirs).max() < 60, "it has changed: run 'python book/sketches.py'"
    words = figure.axes[0].texts
    boxes = [word.get_window_extent() for word in words]
    for at, word in enumerate(boxes):
        assert words[at].get_fontsize() >= 11
        assert figure.bbox.x0 < word.x0 and word.x1 < figure.bbox.x1, f"{words[at].get_text()} is clipped"
        assert figure.bbox.y0 < word.y0 and word.y1 < figure.bbox.y1, f"{words[at].get_text()} is clipped"
        assert not any(word.overlaps(other) for other in boxes[:at]), f"{words[at].get_text()} overlaps"


def test_the_instructor_guide_shows_every_sketch_and_says_in_words_what_it_shows():
    guide = (BOOK / "instructors.md").read_text("utf-8")
    shown = re.findall(r"^\(sketch-(\d)\)=$.*?^```\{image\} figures/(\S+)\n:alt: ([^\n]+)\n```$", guide, re.M | re.S)
    expected = [(str(n), f"sketch_{n}.png") for n in range(1, len(sketches.SKETCHES) + 1)]
    assert [(number, name) for number, name, _ in shown] == expected
    assert all((BOOK / "figures" / name).is_file() and len(alt) > 200 for _, name, alt in shown)
    assert "```text" not in guide
