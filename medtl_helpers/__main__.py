"""The commands: ``python -m medtl_helpers run | data | exercises`` (behind the Makefile) ``| transfer | predict``."""

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

    transfer = commands.add_parser("transfer", help="your own images: choose a network, test it once, write a report")
    transfer.add_argument("folder", help="one folder for each class, or train, val and test with these")
    transfer.add_argument("--target", metavar="FOLDER2", help="images of a second hospital, with or without labels")
    transfer.add_argument("--minutes", type=float, default=10.0, help="for the search (default: %(default)g)")
    transfer.add_argument(
        "--out", type=Path, default=Path("report"), help="folder of the report (default: %(default)s)"
    )
    transfer.add_argument("--positive", metavar="CLASS", help="the disease (default: the second of two classes)")
    transfer.add_argument("--patients", metavar="RULE", help=r"whose image it is: a pattern like '^(P\d+)_', or a CSV")
    transfer.add_argument("--seed", type=int, default=0, help="of splits, weights and batches (default: %(default)s)")
    transfer.add_argument("--size", type=int, metavar="PX", help="pixels a side (default: by the images and the time)")

    predict = commands.add_parser("predict", help="the answers of a saved model to a folder of images, as a CSV")
    predict.add_argument("model", type=Path, help="the model.pt of a report")
    predict.add_argument("folder", help="images, at any depth, without classes")
    predict.add_argument("--out", type=Path, default=Path("answers.csv"), help="the CSV (default: %(default)s)")

    asked = parser.parse_args(argv)
    if asked.command in ("transfer", "predict"):
        from .transfer.command import run_command

        return run_command(**vars(asked))
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
