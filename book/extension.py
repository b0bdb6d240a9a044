"""What Sphinx does not do by itself: alt texts of the notebooks' figures, sections of our docstrings, no CDN."""

import hashlib
import re
from base64 import b64decode
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)


def alt_texts(notebook) -> dict[str, str]:
    """SHA-256 of each PNG output, after which MyST-NB names its file -> the alt text that ``mtl.show`` gave it."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                found[hashlib.sha256(b64decode(output.data["image/png"])).hexdigest()] = alt
    return found


def put_alt_texts(app, doctree) -> None:
    """Give each figure of a notebook page its alt text, which MyST-NB drops; warn where there is none."""
    path = Path(app.env.doc2path(app.env.docname))
    alts = alt_texts(nbformat.read(path, as_version=4)) if path.suffix == ".ipynb" else {}
    for image in doctree.findall(nodes.image):
        image.setdefault("alt", alts.get(Path(image["uri"]).stem, ""))
        if not image["alt"].strip():
            logger.warning("an image without alt text: %s", image["uri"], location=image)


def parameters_as_list(lines: list[str]) -> list[str]:
    """Our ``Parameters`` sections (``name: what``, or ``name, name: what``) as lists, which Sphinx can lay out."""
    done, inside = [], False
    for i, line in enumerate(lines):
        if line == "Parameters" and lines[i + 1 : i + 2] == ["----------"]:
            inside = True
            done += ["**Parameters**", ""]
        elif not inside:
            done.append(line)
        elif not line.strip():
            inside = False
            done.append(line)
        elif line != "----------":
            done.append(re.sub(r"^([\w, *]+): ", r"*   **\1**: ", line))
    return done


def set_apart(line: str) -> str:
    """Literals that touch a word, like N×``width``: reStructuredText wants them set apart (by nothing that shows)."""
    touching = r"([\w×−.])?(``[^`]+``)(?=(\w)?)"
    return re.sub(touching, lambda m: (f"{m[1]}\\ " if m[1] else "") + m[2] + ("\\ " if m[3] else ""), line)


def mend_docstring(app, what, name, obj, options, lines) -> None:
    """For autodoc: change the docstring's lines in place."""
    lines[:] = [set_apart(line) for line in parameters_as_list(lines)]


def without_thebe(app, pagename, templatename, context, doctree) -> None:
    """Take sphinx-thebe's files off every page: Jupyter Book always loads it, twice, and it names a CDN."""
    for files in ("script_files", "css_files"):
        context[files] = [file for file in context[files] if "thebe" not in f"{file}{file.attributes}".lower()]


def setup(app):
    app.connect("doctree-read", put_alt_texts)
    app.connect("autodoc-process-docstring", mend_docstring)
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
