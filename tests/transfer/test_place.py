"""The folder of a report is one run's own, and a file is whole or not there."""

import errno
import os

import pytest

from medtl_helpers.transfer import place
from medtl_helpers.transfer.place import MARK, Unwritable, check_place, read_mark, take_place, write


def test_the_first_run_takes_the_folder_and_the_same_run_finds_it_again(tmp_path):
    out = tmp_path / "deep" / "report"
    assert take_place(out, {"seed": 0, "size": None}) is False
    assert take_place(out, {"seed": 0, "size": None}) is True
    assert read_mark(out) == {"seed": 0, "size": None}
    check_place(out, tmp_path / "images")


def test_another_run_is_refused_and_says_what_differs(tmp_path):
    take_place(tmp_path / "report", {"seed": 0, "minutes": 1})
    before = (tmp_path / "report" / MARK).read_bytes()
    with pytest.raises(ValueError, match=r"report of another run \(seed differ\)"):
        take_place(tmp_path / "report", {"seed": 1, "minutes": 1})
    assert (tmp_path / "report" / MARK).read_bytes() == before


def test_an_empty_folder_is_taken_and_a_foreign_one_is_not(tmp_path):
    (tmp_path / "empty").mkdir()
    check_place(tmp_path / "empty", tmp_path / "images")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(ValueError, match="holds files that are no report"):
        check_place(tmp_path / "thesis", tmp_path / "images")
    (tmp_path / "thesis" / MARK).write_text('{"settings": {}}')  # a file of that name by somebody else
    with pytest.raises(ValueError, match="holds files that are no report"):
        check_place(tmp_path / "thesis", tmp_path / "images")
    with pytest.raises(ValueError, match="is a file"):
        check_place(tmp_path / "thesis" / "chapter.txt", tmp_path / "images")


@pytest.mark.parametrize("inside", ["", "report", "a/b"])
def test_a_report_among_the_images_is_refused(tmp_path, inside):
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="lies inside" if inside else "^--out is the folder of images itself: give"):
        check_place(tmp_path / "images" / inside, tmp_path / "images")


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    write(tmp_path / "report.html", "old")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(place.os, "replace", full)
    with pytest.raises(Unwritable, match=r"cannot be written \(No space left on device\)"):
        write(tmp_path / "report.html", "new")
    assert (tmp_path / "report.html").read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_what_is_written_is_what_was_given(tmp_path):
    write(tmp_path / "a", b"\0\1")
    write(tmp_path / "b", "Jos\u00e9 \udce9")  # a name in an old encoding
    assert (tmp_path / "a").read_bytes() == b"\0\1" and (tmp_path / "b").read_bytes() == b"Jos\xc3\xa9 \xe9"
    assert (tmp_path / "a").stat().st_mode & 0o077 == 0o666 & 0o077 & ~place._umask()
