"""``make run``: execute every notebook headless, several side by side, and say in one table what came out.

Writes executed copies to ``_run/notebooks``, ``_run/summary.json`` (one object per notebook) and
``_run/checks.json`` (one object per ``mtl.check``). Beside each copy lies its record, with a fingerprint of all that
the copy rests on, by which ``make book`` knows whether it may use the copy or must execute the notebook again.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm

from ..assets import asset_folder, cards, data_folder, recorded
from ..console import say
from ..devices import describe
from .course_map import number_of

CELL_SECONDS = 1200  # a cell that takes longer hangs; a busy machine makes all of them several times slower
KERNEL_BYTES = 2.2e9  # what one lesson may take of the memory
REPORT = "import json, medtl_helpers as mtl; print(json.dumps(mtl.session_report()))"


def notebooks(folder: Path) -> list[Path]:
    """The numbered notebooks of the course, in order."""
    return sorted(folder.glob("[0-9][0-9]*_*.ipynb"))


def fingerprint(path: Path, surroundings: bytes) -> str:
    """One hash of a notebook's source and of its ``surroundings()``."""
    return hashlib.sha256(path.read_bytes() + surroundings).hexdigest()


def surroundings() -> bytes:
    """A hash of all else that results rest on: package, recorded results, weights, real data, settings, versions."""
    found = hashlib.sha256()
    for folder, pattern in (
        (Path(__file__).parents[1], "**/*.py"),
        (asset_folder("results", "benchmarks/results"), "*.json"),
        (asset_folder("cards", "datasets/cards"), "*.toml"),
        (asset_folder("embedded", "datasets/embedded"), "**/*.*"),
    ):
        for file in sorted(folder.glob(pattern)):
            # timings.json is rewritten by each run that records its times; no result rests on it
            if file.is_file() and file.name != "timings.json":
                found.update(file.name.encode() + file.read_bytes())
    real = data_folder()
    files = [entry["path"] for card in cards().values() for entry in card.get("files", {}).values()]
    sizes = [(name, (real / name).stat().st_size) for name in files if real and (real / name).is_file()]
    settings = sorted(item for item in os.environ.items() if item[0].startswith("MEDTL_"))
    found.update(repr((sizes, settings, describe())).encode())
    return found.digest()


def side_by_side(n: int) -> tuple[int, int]:
    """How many of ``n`` notebooks to execute at once on this machine, and the processor threads that each may use.

    As many as there are cores and free memory; the cores are shared out. Kernels that together ask for more threads
    than there are cores make torch many times slower.
    """
    cores = os.cpu_count() or 1
    workers = max(1, min(n, cores, int(psutil.virtual_memory().available / KERNEL_BYTES)))
    return workers, max(1, cores // workers)


def kernel_environment(threads: int) -> dict[str, str]:
    """The variables for a kernel that may use ``threads`` processor threads, whose waiting leaves the cores alone."""
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}


def execute(path: Path, out: Path, threads: int, told: Callable[[], object] = lambda: None) -> dict:
    """Run one notebook top to bottom in its own folder; returns its row of the summary, with its checks.

    ``told`` is called after each cell.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # its start-up notices would tear the progress bar
        resources={"metadata": {"path": str(path.parent)}},
    )
    error, start = "", time.perf_counter()
    with client.setup_kernel(env=kernel_environment(threads)):
        try:
            for index, cell in enumerate(notebook.cells):
                client.execute_cell(cell, index)
                told()
        except (CellExecutionError, DeadKernelError, TimeoutError) as failure:
            error = str(failure)
        seconds = time.perf_counter() - start
        report = _ask_for_report(client) if "DeadKernelError" not in error else {}
    nbformat.write(notebook, out / path.name)
    checks = [{"notebook": path.stem, **check} for check in report.pop("checks", [])]
    return {
        "notebook": path.stem,
        "seconds": round(seconds, 1),
        "ok": not error,
        "error": error,
        "checks": checks,
        "warning": _warning(notebook),
        "peak_mb": None,
        "device": None,
        "data": None,
        "sources": {},
        **report,
    }


def _warning(notebook) -> str:
    """The first line that a cell wrote to stderr, where warnings go; empty if there is none."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return next((o.text.splitlines()[0] for o in outputs if o.output_type == "stream" and o.name == "stderr"), "")


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
    folder: Path,
    out: Path,
    *,
    require_real: list[str] = (),
    only: list[str] = (),
    record: Path | None = None,
    reuse: bool = False,
    strict: bool = False,
) -> int:
    """Execute the course; returns the exit status.

    Parameters
    ----------
    folder: where the notebooks are.
    out: where results go; made if needed, files of an earlier run are overwritten.
    require_real: data sets that must be the real ones wherever a notebook uses them.
    only: numbers of notebooks to run, e.g. ``["01"]``; default all.
    record: also write the seconds and the peak memory of each notebook to this file (the course prints the times);
        the notebooks are then executed one after the other, each with all cores, so that the times are its own.
    reuse: take an executed copy of an earlier run where it ran well and its fingerprint is that of today.
    strict: a warning in a notebook fails the run, too; else it is only shown.
    """
    os.environ["MEDTL_HEADLESS"] = "1"
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    paths = [path for path in notebooks(folder) if not only or number_of(path.stem) in only]
    if not paths:
        say(f"No notebooks found in {folder}: run this in a checkout of the repository.")
        return 1
    now, kept_rows = surroundings(), {}
    for path in paths if reuse else ():
        row = _earlier(out / "notebooks" / f"{path.stem}.json", fingerprint(path, now))
        if row is not None:
            kept_rows[path.stem] = row
    todo = sorted((path for path in paths if path.stem not in kept_rows), key=_recorded_seconds, reverse=True)
    workers, threads = (1, os.cpu_count() or 1) if record else side_by_side(len(todo))
    done = _execute_all(todo, out / "notebooks", now, workers, threads)
    rows = [(kept_rows | done)[path.stem] for path in paths]
    checks = [check for row in rows for check in row.pop("checks")]
    _write(out / "checks.json", checks)
    _write(out / "summary.json", rows)
    say(_table(rows, checks))
    problems = [f"{row['notebook']} failed:\n{row['error']}" for row in rows if not row["ok"]]
    warned = [f"{row['notebook']} shows a warning: {row['warning']}" for row in rows if row["warning"]]
    if strict:
        problems += warned
    elif warned:
        say("", *warned)
    for row in rows:
        for source, provenance in row["sources"].items():
            if source.split(":")[0] in require_real and provenance != "real":
                problems.append(f"{row['notebook']} used the {provenance} of {source}, and the real one was required.")
    if problems:
        say("\n\n".join(["", *problems]))
        return 1
    if record is not None:
        _record_times(record, rows)
    earlier = f" ({len(kept_rows)} of them earlier, and nothing has changed since)" if kept_rows else ""
    say(f"\nAll {len(rows)} notebooks ran{earlier}. Executed copies: {out / 'notebooks'}. Next: make lab")
    return 0


def _execute_all(paths: list[Path], out: Path, now: bytes, workers: int, threads: int) -> dict[str, dict]:
    """The rows of the notebooks by name; ``workers`` at once. Ctrl-C ends all kernels."""
    cells = sum(len(nbformat.read(path, as_version=4).cells) for path in paths)
    done = {}
    with tqdm(total=cells, unit="cell", desc=f"{workers} at once", disable=not paths) as bar:

        def one(path: Path) -> None:
            row = {**execute(path, out, threads, bar.update), "fingerprint": fingerprint(path, now)}
            _write(out / f"{path.stem}.json", row)
            done[path.stem] = row
            with bar.external_write_mode():
                say(f"{path.stem}: {row['seconds']} s{'' if row['ok'] else ', FAILED'}")

        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(one, path) for path in paths]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for kernel in psutil.Process().children(recursive=True):
                    kernel.terminate()
                raise
    return done


def _recorded_seconds(path: Path) -> float:
    """The longest recorded time of a notebook, to begin with the long ones; solutions and new lessons have none."""
    return max(recorded("timings")["seconds"].get(path.stem, {"": 0}).values())


def headlines(checks: list[dict]) -> list[dict]:
    """The check that stands for each notebook: the one that says so, or else its last."""
    last = {check["notebook"]: check for check in checks}
    return list((last | {check["notebook"]: check for check in checks if check["headline"]}).values())


def _earlier(kept: Path, mark: str) -> dict | None:
    """The record of an earlier run, if that went well and nothing has changed since."""
    if not (kept.is_file() and kept.with_suffix(".ipynb").is_file()):
        return None
    row = json.loads(kept.read_text("utf-8"))
    return row if row["ok"] and row["fingerprint"] == mark else None


def _write(path: Path, content) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _record_times(path: Path, rows: list[dict]) -> None:
    """One entry per notebook, device and kind of data; entries of other runs stay."""
    record = json.loads(path.read_text("utf-8")) if path.exists() else {}
    mode = "twin" if os.environ.get("MEDTL_DATA", "twin") == "twin" else "real"
    for row in rows:
        key = f"{row['device']}, {mode}"
        record.setdefault("machine", {})[key] = f"{os.cpu_count()} cores"
        for what, value in (("seconds", row["seconds"]), ("peak MB", row["peak_mb"])):
            record.setdefault(what, {}).setdefault(row["notebook"], {})[key] = value
    _write(path, record)


def _table(rows: list[dict], checks: list[dict]) -> str:
    lines = [f"\n{'notebook':<26}{'seconds':>8}{'peak MB':>9}  {'device':<7}{'data':<7}headline result"]
    said = {check["notebook"]: check["claim"] for check in headlines(checks)}
    for row in rows:
        headline = said.get(row["notebook"], "") if row["ok"] else "FAILED"
        lines.append(
            f"{row['notebook']:<26}{row['seconds']:>8}{row['peak_mb'] or '':>9}  {row['device'] or '':<7}"
            f"{row['data'] or '':<7}{headline}"
        )
    passed = sum(check["passed"] for check in checks)
    lines.append(f"{passed} of {len(checks)} checks hold; details in checks.json")
    return "\n".join(lines)
