"""``make figures``: the README's three figures and its table of results, out of the executed notebooks.

The figures are the course's own: they are taken with their alt texts from the executed copies, and lie in
``book/figures``. ``headlines.json`` keeps the headline of each notebook; the README's table is written from it.
"""

import io
import json
import sys
from base64 import b64decode
from pathlib import Path

import nbformat
import pages
from PIL import Image

from medtl_helpers.teaching import run as course

ROOT = Path(__file__).parent.parent
FIGURES = {  # file: notebook, and how the alt text of the figure begins
    "shifted_smear": ("00_start_here", "3 images in rows; from left to right the shift"),
    "transfer_curve": ("02_freezing_vs_finetuning", "Test accuracy against labels per class"),
    "features_dann": ("05_dann", "The first two principal components"),
}
BEGIN, END = "<!-- written by make figures -->", "<!-- until here -->"


def figure(notebook, beginning: str) -> tuple[bytes, str]:
    """The PNG and the alt text of the first figure whose alt text begins like this."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            if alt.startswith(beginning):
                return b64decode(output.data["image/png"]), alt
    raise ValueError(f"No figure has an alt text that begins with {beginning!r}: correct FIGURES in book/figures.py.")


def readme_part(alts: dict[str, str], checks: list[dict]) -> str:
    """What stands between the two marks of the README."""
    shown = [f"![{alt}](book/figures/{name}.png)" for name, alt in alts.items()]
    return "\n\n".join([BEGIN, *shown, pages.headline_table(checks, "notebooks/{}.ipynb"), END])


def with_part(readme: str, part: str) -> str:
    """The README with everything between the two marks replaced."""
    before, rest = readme.split(BEGIN)
    return before + part + rest.split(END)[1]


def main() -> int:
    """Execute what is not executed yet, then write figures, headlines and README; returns the exit status."""
    if course.run(ROOT / "notebooks", ROOT / "_run", reuse=True):
        return 1
    alts = {}
    for name, (notebook, beginning) in FIGURES.items():
        executed = nbformat.read(ROOT / "_run" / "notebooks" / f"{notebook}.ipynb", as_version=4)
        png, alts[name] = figure(executed, beginning)
        small = Image.open(io.BytesIO(png)).convert("RGB").quantize(256)
        small.save(ROOT / "book" / "figures" / f"{name}.png", optimize=True)
    checks = course.headlines(json.loads((ROOT / "_run" / "checks.json").read_text("utf-8")))
    record = {"alts": alts, "checks": checks}
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    (ROOT / "book" / "figures" / "headlines.json").write_text(text, "utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_part(readme.read_text("utf-8"), readme_part(alts, checks)), "utf-8")
    print("Written: book/figures and the README's results.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
