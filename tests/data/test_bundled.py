"""The images that come with pydicom and other libraries: each that is read is what a second path makes of it."""

from importlib.metadata import version

import bundled
import pytest


@pytest.mark.parametrize("library", bundled.PLACES)
def test_all_that_is_read_is_what_the_second_path_reads(library):
    outcomes = {file.name: bundled.outcome(file) for file in bundled.files(library)}
    assert [name for name, (kind, _) in outcomes.items() if kind == "other"] == []
    assert bool(outcomes) == (library not in ("pillow", "torchvision"))


def test_the_table_is_what_is_measured():
    recorded = bundled.PAGE.read_text("utf-8").splitlines()
    now = bundled.table().splitlines()
    assert len(recorded) == len(now)
    for row, measured in zip(recorded[2:], now[2:], strict=True):
        library, number = row.strip("| ").split()[:2]
        if number == version(library):  # another version brings other files
            assert row == measured
