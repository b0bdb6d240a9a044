"""``make run``: execute every notebook headless and say in one table what came out.

Writes executed copies to ``_run/notebooks``, ``_run/summary.json`` (one object per notebook) and
``_run/checks.json`` (one object per ``mtl.check``).
"""

import json
import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

CELL_SECONDS = 600  # a cell that takes longer hangs
REPORT = "import json, medtl_helpers as mtl; print(json.dumps(mtl.session_report()))"


def notebooks(folder: Path) -> list[Path]:
    """The numbered notebooks of the course, in order."""
    return sorted(folder.glob("[0-9][0-9]_*.ipynb"))


def execute(path: Path, out: Path, bar: tqdm) -> dict:
    """Run one notebook top to bottom in its own folder; returns its row of the summary, with its checks."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its start-up notices would tear the progress bar
        resources={"metadata": {"path": str(path.parent)}},
    )
    error, start = "", time.perf_counter()
    with client.setup_kernel():
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                bar.update()
        except (CellExecutionError, DeadKernelError, TimeoutError) as failure:
            error = str(failure)
        seconds = time.perf_counter() - start
        report = _ask_for_report(client) if "DeadKernelError" not in error else {}
    nbformat.write(notebook, out / path.name)
    checks = [{"notebook": path.stem, **check} for check in report.pop("checks", [])]
    return {"notebook": path.stem, "seconds": round(seconds, 1), "ok": not error, "error": error, "checks": checks,
            "peak_mb": None, "device": None, "data": None, "sources": {}, **report}  # fmt: skip


def _ask_for_report(client: NotebookClient) -> dict:
    """What the kernel knows at the end: data, device, memory and checks (``mtl.session_report``)."""
    cell = nbformat.v4.new_code_cell(REPORT)
    client.nb.cells.append(cell)
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1)
        return json.loads("".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stdout"))
    except (CellExecutionError, DeadKernelError, TimeoutError):
        return {}
    finally:
        client.nb.cells.pop()


def run(
    folder: Path, out: Path, *, require_real: list[str] = (), only: list[str] = (), record: Path | None = None
) -> int:
    """Execute the course; returns the exit status.

    Parameters
    ----------
    folder: where the notebooks are.
    out: where results go; made if needed, files of an earlier run are overwritten.
    require_real: data sets that must be the real ones wherever a notebook uses them.
    only: numbers of notebooks to run, e.g. ``["01"]``; default all.
    record: also write the seconds of each notebook to this file (the timing record that the course prints).
    """
    os.environ["MEDTL_HEADLESS"] = "1"
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    paths = [path for path in notebooks(folder) if not only or path.name[:2] in only]
    if not paths:
        print(f"No notebooks found in {folder}: run this in a checkout of the repository.")
        return 1
    cells = sum(len(nbformat.read(path, as_version=4).cells) for path in paths)
    rows = []
    with tqdm(total=cells, unit="cell") as bar:
        for path in paths:
            bar.set_description(path.stem)
            rows.append(execute(path, out / "notebooks", bar))
    checks = [check for row in rows for check in row.pop("checks")]
    _write(out / "checks.json", checks)
    _write(out / "summary.json", rows)
    print(_table(rows, checks))
    problems = [f"{row['notebook']} failed:\n{row['error']}" for row in rows if not row["ok"]]
    for row in rows:
        for source, provenance in row["sources"].items():
            if source.split(":")[0] in require_real and provenance != "real":
                problems.append(f"{row['notebook']} used the {provenance} of {source}, and the real one was required.")
    if problems:
        print("\n\n".join(["", *problems]))
        return 1
    if record is not None:
        _record_times(record, rows)
    print(f"\nAll {len(rows)} notebooks ran. Executed copies: {out / 'notebooks'}. Next: make lab")
    return 0


def _write(path: Path, content) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _record_times(path: Path, rows: list[dict]) -> None:
    """One entry per notebook, device and kind of data; entries of other runs stay."""
    record = json.loads(path.read_text("utf-8")) if path.exists() else {"machine": {}, "seconds": {}}
    mode = "twin" if os.environ.get("MEDTL_DATA", "twin") == "twin" else "real"
    for row in rows:
        key = f"{row['device']}, {mode}"
        record["machine"][key] = f"{os.cpu_count()} cores"
        record["seconds"].setdefault(row["notebook"], {})[key] = row["seconds"]
    _write(path, record)


def _table(rows: list[dict], checks: list[dict]) -> str:
    lines = [f"\n{'notebook':<26}{'seconds':>8}{'peak MB':>9}  {'device':<7}{'data':<7}headline result"]
    for row in rows:
        mine = [check for check in checks if check["notebook"] == row["notebook"]]
        headline = mine[-1]["claim"] if row["ok"] and mine else ("FAILED" if not row["ok"] else "")
        lines.append(f"{row['notebook']:<26}{row['seconds']:>8}{row['peak_mb'] or '':>9}  {row['device'] or '':<7}"
                     f"{row['data'] or '':<7}{headline}")  # fmt: skip
    passed = sum(check["passed"] for check in checks)
    lines.append(f"{passed} of {len(checks)} checks hold; details in checks.json")
    return "\n".join(lines)
