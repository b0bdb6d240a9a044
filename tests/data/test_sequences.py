"""DNA as numbers: every IUPAC letter there and back, the other strand, and properties of any sequence."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import medtl_helpers as mtl

LETTERS, PARTNERS = "ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN"  # the standard's own table of complements
FEW = settings(max_examples=60, deadline=None)
WORDS = st.integers(1, 30).flatmap(
    lambda length: st.lists(st.text(LETTERS, min_size=length, max_size=length), min_size=1, max_size=5)
)


def test_known_bases_are_one_in_their_row():
    x = mtl.one_hot(["ACGT", "ttaU"])
    assert x.dtype == torch.float32 and x.shape == (2, 4, 4)
    assert torch.equal(x[0], torch.eye(4)) and x[1].argmax(0).tolist() == [3, 3, 0, 3]


@pytest.mark.parametrize(
    "letter, shares",
    [
        ("N", [1 / 4, 1 / 4, 1 / 4, 1 / 4]),
        ("R", [1 / 2, 0, 1 / 2, 0]),
        ("Y", [0, 1 / 2, 0, 1 / 2]),
        ("S", [0, 1 / 2, 1 / 2, 0]),
        ("W", [1 / 2, 0, 0, 1 / 2]),
        ("K", [0, 0, 1 / 2, 1 / 2]),
        ("M", [1 / 2, 1 / 2, 0, 0]),
        ("B", [0, 1 / 3, 1 / 3, 1 / 3]),
        ("D", [1 / 3, 0, 1 / 3, 1 / 3]),
        ("H", [1 / 3, 1 / 3, 0, 1 / 3]),
        ("V", [1 / 3, 1 / 3, 1 / 3, 0]),
    ],
)
def test_a_letter_for_several_bases_shares_itself_among_them(letter, shares):
    assert torch.allclose(mtl.one_hot([letter])[0, :, 0], torch.tensor(shares))


def test_the_other_strand_of_a_known_sequence():
    assert mtl.reverse_complement(["CAGGTAAGT", "AACCN"]) == ["ACTTACCTG", "NGGTT"]


@FEW
@given(WORDS)
def test_letters_are_what_one_hot_took_and_every_position_adds_up_to_one(words):
    x = mtl.one_hot(words)
    assert mtl.letters(x) == words and torch.allclose(x.sum(1), torch.ones(len(words), len(words[0])))
    assert torch.equal(x, mtl.one_hot([word.lower() for word in words]))


@FEW
@given(WORDS)
def test_the_other_strand_is_that_of_the_table_and_twice_it_is_the_first(words):
    other = [word.translate(str.maketrans(LETTERS, PARTNERS))[::-1] for word in words]
    x = mtl.one_hot(words)
    assert mtl.reverse_complement(words) == other and mtl.letters(mtl.reverse_complement(x)) == other
    assert torch.equal(mtl.reverse_complement(mtl.reverse_complement(x)), x)


@FEW
@given(st.text(min_size=1, max_size=6))
def test_any_other_text_is_refused_with_its_place(text):
    bad = [place for place, character in enumerate(text, 1) if character.upper() not in {*LETTERS, "U"}]
    if not bad:
        assert mtl.one_hot([text]).shape == (1, 4, len(text))
        return
    with pytest.raises(ValueError, match=f"^Sequence 1 has .* at position {bad[0]}, which stands for no base"):
        mtl.one_hot([text])
