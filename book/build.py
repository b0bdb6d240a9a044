"""``make book``: the site, from the executed notebooks and what their checks recorded, in ``_run/book/html``.

Notebooks that have already been executed (``make run``) are taken from ``_run`` where nothing they rest on has
changed; the others are executed now. A notebook that fails or warns, any warning of Sphinx, any script, style or image
that a page would fetch from elsewhere, and any link to a page that is not there, fails the build.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import as_found
import counting
import nbformat
import pages
import yaml

from medtl_helpers.assets import cards
from medtl_helpers.teaching import run as course

ROOT = Path(__file__).parent.parent
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\ssrc=["']((?:https?:)?//[^"']+)"""
    r"""|<link\b(?=[^>]*rel=["'](?:stylesheet|preload|icon))[^>]*?href=["']((?:https?:)?//[^"']+)"""
    r"""|\bimport\(["'](https?://[^"']+)"""
)

LINK = re.compile(r"""<a\b[^>]*?\shref=["']([^"'#?]+)""")


def execute(notebooks: Path, run: Path) -> int:
    """Lessons into ``run``, solutions into ``run/solutions``; returns the exit status."""
    status = course.run(notebooks, run, reuse=True, strict=True)
    if (notebooks / "solutions").is_dir():
        status = status or course.run(notebooks / "solutions", run / "solutions", reuse=True, strict=True)
    return status


def assemble(root: Path, run: Path, source: Path) -> None:
    """The folder that Jupyter Book reads: pages, executed notebooks, and the pages written from records."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(root / "book", source, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, executed in (("notebooks", run), ("notebooks/solutions", run / "solutions")):
        shutil.copytree(executed / "notebooks", source / folder, ignore=shutil.ignore_patterns("*.json"))
        for path in (source / folder).glob("*.ipynb"):
            link_to_pages(path)
    config = yaml.safe_load((source / "_config.yml").read_text("utf-8"))
    settings = yaml.safe_load((source / "settings.yml").read_text("utf-8"))
    (source / "_config.yml").write_text(yaml.safe_dump(published(config, settings), allow_unicode=True), "utf-8")
    write_pages(root, run, source)


def link_to_pages(path: Path) -> None:
    """In the outputs of a notebook, let links to other notebooks lead to their pages. (Sphinx does it for the text.)"""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/markdown" in output.get("data", {}):
                output.data["text/markdown"] = re.sub(
                    r"\]\((\w+)\.ipynb\)", r"](\1.html)", output.data["text/markdown"]
                )
    nbformat.write(notebook, path)


def published(config: dict, settings: dict) -> dict:
    """The configuration, with what the settings turn on."""
    config["author"] = settings["authors"]
    config["html"]["baseurl"] = settings["address"]
    if settings["doi"]:
        cite = f'<p class="medtl-footer">Cite as <a href="https://doi.org/{settings["doi"]}">{settings["doi"]}</a>.</p>'
        config["html"]["extra_footer"] += cite
    if settings["repository"]:
        config["repository"] = {"url": settings["repository"], "branch": settings["branch"], "path_to_book": ""}
        config["html"] |= {"use_repository_button": True, "use_issues_button": True}
        config["launch_buttons"] = {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        }
    return config


def write_pages(root: Path, run: Path, source: Path) -> None:
    """Every page of ``pages.py``."""
    results, package = root / "benchmarks" / "results", root / "medtl_helpers"
    shutil.copytree(results, source / "records")
    checks = json.loads((run / "checks.json").read_text("utf-8"))
    rows = json.loads((run / "summary.json").read_text("utf-8"))
    times = json.loads((results / "timings.json").read_text("utf-8"))
    template, records = (root / "book" / "as_found.md").read_text("utf-8"), pages.recorded(results)
    found = pages.modules(package)
    written = {
        "as_found": as_found.page(template, checks, records),
        "counting": counting.page((root / "book" / "counting.md").read_text("utf-8"), records),
        "results": pages.results(checks),
        "timings": pages.timings(times, rows),
        "data": pages.data((root / "datasets" / "README.md").read_text("utf-8"), cards()),
        "weights": (root / "datasets" / "embedded" / "README.md").read_text("utf-8"),
        "benchmarks": pages.benchmarks((root / "benchmarks" / "README.md").read_text("utf-8"), records),
        "solutions": pages.solutions(),
        "api": pages.api(found, pages.public_names(package / "__init__.pyi")),
        **{f"api/{name}": pages.api_page(name) for name in found},
    }
    (source / "api").mkdir()
    for name, text in written.items():
        (source / f"{name}.md").write_text(text, "utf-8")


def jupyter_book(source: Path, work: Path) -> int:
    """Build ``source`` into ``work/html``, every warning an error; returns the exit status."""
    for leftover in (work / "_build", work / "html"):
        shutil.rmtree(leftover, ignore_errors=True)
    call = "from jupyter_book.cli.main import main; main()"
    options = ["--all", "-W", "--keep-going", "-q", "--path-output", str(work)]
    print("Making the pages; this takes a few minutes ...", flush=True)
    command = [sys.executable, "-c", call, "build", str(source), *options]
    status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode  # warnings come on stderr
    if status == 0:
        (work / "_build" / "html").rename(work / "html")
    return status


def fetched_from_elsewhere(html: Path) -> list[str]:
    """``page: address`` for every script, style, image or frame that a page would load from another site."""
    found = []
    for page in sorted(html.rglob("*.html")):
        for groups in FETCHED.findall(page.read_text("utf-8")):
            found.append(f"{page.relative_to(html)}: {''.join(groups)}")
    return found


def dead_links(html: Path) -> list[str]:
    """``page: link`` for every link to a file of the site that is not there."""
    found = []
    for page in sorted(html.rglob("*.html")):
        for link in LINK.findall(page.read_text("utf-8")):
            if not re.match(r"[a-z]+:|//", link) and not (page.parent / unquote(link)).exists():
                found.append(f"{page.relative_to(html)}: {link}")
    return found


def main(root: Path = ROOT, run: Path | None = None) -> int:
    """Build the book of ``root``; returns the exit status."""
    run = run or root / "_run"
    work = run / "book"
    if execute(root / "notebooks", run):
        print("\nNo book was made, because a notebook failed.")
        return 1
    try:
        assemble(root, run, work / "source")
    except LookupError as mismatch:
        print(f"\nNo book was made: {mismatch}")
        return 1
    if jupyter_book(work / "source", work):
        print("\nNo book was made, because of the warnings above.")
        return 1
    elsewhere = fetched_from_elsewhere(work / "html")
    if elsewhere:
        print("\nThe book must be readable without a network, and these would be fetched:", *elsewhere, sep="\n")
        return 1
    dead = dead_links(work / "html")
    if dead:
        print("\nThese links lead nowhere:", *dead, sep="\n")
        return 1
    print(f"\nThe book is made: open {work / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
