"""The commands behind the Makefile: ``python -m medtl_helpers run | data | exercises``."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent


def main(argv: list[str] | None = None) -> int:
    """Parse the command line, run one command, return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m medtl_helpers")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="execute every notebook and print a table")
    run.add_argument("only", nargs="*", help="numbers of notebooks, e.g. 01 (default: all)")
    run.add_argument("--out", type=Path, default=HERE / "_run", help="folder for the results")
    run.add_argument("--require-real", nargs="*", default=[], metavar="DATA", help="fail if these are not real data")
    run.add_argument("--record-times", action="store_true", help="update benchmarks/results/timings.json")

    data = commands.add_parser("data", help="fetch real data sets: the only command that downloads data")
    data.add_argument("names", nargs="*", help="e.g. pneumonia, heart, breast:64 (default: all that the course uses)")

    exercises = commands.add_parser("exercises", help="cut the exercises from their solutions")
    exercises.add_argument("--check", action="store_true", help="only say whether they are up to date")

    asked = parser.parse_args(argv)
    if asked.command == "run":
        from .teaching.run import run as execute

        record = HERE / "benchmarks" / "results" / "timings.json" if asked.record_times else None
        return execute(HERE / "notebooks", asked.out, require_real=asked.require_real, only=asked.only, record=record)
    if asked.command == "data":
        from .data.fetch import fetch

        return fetch(asked.names or None)
    from .teaching.cutting import sync

    return sync(HERE / "notebooks", check=asked.check)


if __name__ == "__main__":
    sys.exit(main())
