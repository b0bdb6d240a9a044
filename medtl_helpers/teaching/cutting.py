"""Exercises are cut from their solutions, so that the two cannot drift apart.

``notebooks/solutions/NN_*.ipynb`` is the source. It has a set-up of its own and runs by itself. In it, cells with the
tag ``exercise`` are copied to the end of the lesson of the same name, between the headings "Exercises" and
"Key points"; what stands between the lines ``# BEGIN SOLUTION`` and ``# END SOLUTION`` is replaced by a blank.

    python -m medtl_helpers exercises            # write the lessons' exercise sections anew
    python -m medtl_helpers exercises --check    # only say whether they are up to date
"""

import re
from pathlib import Path

import nbformat

from ..console import say

SOLUTION = re.compile(r"^# BEGIN SOLUTION\n.*?^# END SOLUTION$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"^(\w+) = ", re.MULTILINE)
START, END = "## Exercises", "## Key points"


def blank(source: str) -> str:
    """The cell as the reader gets it: each solution replaced by ``name = ...`` for the last name that it sets."""

    def cut(match):
        names = NAME.findall(match.group())
        if not names:
            raise ValueError(f"A solution must set a name at the left margin, for its check to read: {match.group()!r}")
        return f"# your code here\n{names[-1]} = ..."

    blanked = SOLUTION.sub(cut, source)
    if re.search(r"(BEGIN|END) SOLUTION", blanked):
        raise ValueError(
            f"A solution stands between '# BEGIN SOLUTION' and '# END SOLUTION', each alone at the left "
            f"margin, or the reader would see it: {blanked!r}"
        )
    return blanked


def exercise_cells(solutions: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The lesson's copies of the cells with the tag ``exercise``."""
    cells = []
    for cell in solutions.cells:
        if "exercise" in cell.metadata.get("tags", []):
            copy = nbformat.from_dict(cell)
            copy.source = blank(cell.source)
            if copy.cell_type == "code":
                copy.outputs, copy.execution_count = [], None
            cells.append(copy)
    return cells


def with_exercises(lesson: nbformat.NotebookNode, solutions: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The lesson with its exercise section cut anew from the solutions."""
    starts = [i for i, cell in enumerate(lesson.cells) if cell.source.startswith(START)]
    ends = [i for i, cell in enumerate(lesson.cells) if cell.source.startswith(END)]
    if len(starts) != 1 or len(ends) != 1 or starts[0] > ends[0]:
        raise ValueError(f"A lesson needs one cell that begins with {START!r} and, after it, one with {END!r}.")
    lesson.cells[starts[0] + 1 : ends[0]] = exercise_cells(solutions)
    return lesson


def sync(folder: Path, *, check: bool = False) -> int:
    """Bring the lessons up to date with ``folder/solutions``; with ``check`` only compare. Returns the exit status."""
    stale, solutions = [], sorted((folder / "solutions").glob("*.ipynb"))
    if not solutions:
        say(f"No solutions found in {folder}: run this in a checkout of the repository.")
        return 1
    for path in solutions:
        lesson_path = folder / path.name
        before = lesson_path.read_text("utf-8")
        lesson = with_exercises(nbformat.reads(before, as_version=4), nbformat.read(path, as_version=4))
        if nbformat.writes(lesson) + "\n" != before:
            stale.append(lesson_path.name)
            if not check:
                lesson_path.write_text(nbformat.writes(lesson) + "\n", "utf-8")
    verb = "differ from their solutions, run: python -m medtl_helpers exercises" if check else "written"
    say(f"Exercises of {', '.join(stale)}: {verb}." if stale else "All exercises agree with their solutions.")
    return 1 if check and stale else 0
