"""The table of faults in ``tests/README.md`` is what the tests try."""

from table import PAGE, page, sections


def test_the_readme_shows_what_is_tried():
    assert PAGE.read_text("utf-8") == page(), "write it anew: python tests/faults/table.py"


def test_there_are_many_faults_and_each_is_told_apart_and_has_words_and_something_kept():
    rows = [row for table in sections().values() for row in table]
    assert len({row.fault for row in rows}) == len(rows) >= 60
    assert all(all(text.strip() and "\n" not in text for text in row) for row in rows)
