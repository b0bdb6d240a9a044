"""Word pieces: learnt as published, cut as BERT cuts, the finding in the middle, and back to the same numbers."""

import itertools
import re
import string
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medtl_helpers.data.word_pieces import ALWAYS, FEWEST, FINDING, SPECIAL, START, WordPieces, words

TEXTS = [
    "The patient denies chest pain.",
    "No evidence of [[pneumonia]] or effusion.",
    "Effusion, 3 cm, is not seen.",
] * 3
PIECES = WordPieces.learn([*TEXTS, "patients with pain", "the effusions"], 130)


def published(counts, merges):
    """Algorithm 1 of Sennrich et al. (2016), every pair counted anew: the symbols that its merges make."""
    vocab = {" ".join([word[0], *("##" + c for c in word[1:])]): n for word, n in counts.items()}
    found = []
    for _ in range(merges):
        pairs = Counter()
        for word, n in vocab.items():
            symbols = word.split()
            for pair in itertools.pairwise(symbols):
                pairs[pair] += n
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        joined = best[0] + best[1][2:]
        apart = re.compile(r"(?<!\S)" + re.escape(" ".join(best)) + r"(?!\S)")
        vocab = {apart.sub(joined, word): n for word, n in vocab.items()}
        found.append(joined)
    return found


def test_the_pieces_are_those_of_the_published_algorithm():
    counts = {"low": 5, "lower": 2, "newest": 6, "widest": 3, "lowest": 1, "banana": 4}
    texts = [word for word, n in counts.items() for _ in range(n)]
    learnt = WordPieces.learn(texts, FEWEST + 12).pieces[FEWEST:]
    wanted = list(dict.fromkeys(published(counts, 12)))
    assert list(learnt[: len(wanted)]) == wanted and "##est" in learnt and "low" in learnt


def test_a_word_is_cut_at_the_longest_piece_from_left_to_right():
    pieces = WordPieces([*SPECIAL, *ALWAYS, "un", "##aff", "##affable", "##affa", "hyper"])
    shown = [pieces.pieces[k] for k in pieces.encode(["unaffable hyperx!"], 10)[0].tolist() if k]
    assert shown == ["[start]", "un", "##affable", "hyper", "##x", "!"]


def test_signs_of_several_letters_are_written_as_these():
    assert words("Erguß, 37 ℃ und 5 ㎎") == ["erguss", ",", "0", "°", "c", "und", "0", "mg"]


def test_words_are_lower_case_without_accents_and_every_number_is_0():
    assert words("Émile's  O2 sat: 93.5%\n(n=1)") == [
        "emile",
        "'",
        "s",
        "o",
        "0",
        "sat",
        ":",
        "0",
        ".",
        "0",
        "%",
        "(",
        "n",
        "=",
        "0",
        ")",
    ]


def test_the_special_tokens_have_fixed_numbers_and_all_letters_are_there():
    assert [PIECES.pieces[k] for k in range(5)] == ["[pad]", "[unknown]", "[mask]", "[start]", "[finding]"]
    assert len(PIECES) == 130 and set(string.printable[:0] + string.ascii_lowercase) <= set(PIECES.pieces)


@pytest.mark.parametrize("length", [2, 3, 9, 48])
def test_the_finding_stands_in_the_middle_and_its_name_is_not_read(length):
    x = PIECES.encode(["No evidence of [[pneumonia]] or effusion.", "No evidence of [[x y z]] or effusion."], length)
    assert x.dtype == torch.int32 and x.shape == (2, length) and torch.equal(x[0], x[1])
    assert x[0, length // 2] == FINDING and (x == FINDING).sum() == 2 and not (x == START).any()


def test_a_long_text_is_cut_on_both_sides_of_the_finding_and_a_short_one_filled_up():
    long = "many words " * 50 + "no [[rales]] were heard " + "and more " * 50
    assert PIECES.decode(PIECES.encode([long], 12))[0].count("[finding]") == 1
    assert (PIECES.encode([long], 12) > 0).sum() >= 11
    short = PIECES.encode(["no [[rales]]."], 12)[0]
    assert (short > 0).tolist() == [False] * 5 + [True] * 3 + [False] * 4 or short[6] == FINDING


def test_a_window_begins_with_the_beginning_of_a_word():
    for n in range(2, 20):
        text = PIECES.decode(PIECES.encode(["xyzxyz abcabc no [[rales]]"], n))[0]
        assert text.split()[0] in ("xyzxyz", "abcabc", "no", "[finding]")


def test_a_text_without_a_finding_begins_at_the_first_place():
    x = PIECES.encode(["Effusion is not seen."], 20)[0]
    assert x[0] == START and (x[: (x > 0).sum()] > 0).all()
    assert PIECES.decode(x[None]) == ["effusion is not seen."]


def test_decoding_gives_what_rules_can_read():
    x = PIECES.encode(["There is NO evidence of [[pneumonia]], or effusion; but (pain) 12."])
    assert PIECES.decode(x) == ["there is no evidence of [finding], or effusion; but ( pain) 0."]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=4), st.integers(2, 60), st.booleans())
def test_a_decoded_text_has_the_same_numbers_again(texts, length, asked):
    texts = [
        re.sub(r"[\[\]]", "", text) + ("no [[x]] or " + text.replace("[", "").replace("]", "") if asked else "") + "."
        for text in texts
    ]
    x = PIECES.encode(texts, length)
    assert x.shape == (len(texts), length) and (x >= 0).all() and (x < len(PIECES)).all()
    shown = PIECES.decode(x)
    kept = [k for k, text in enumerate(shown) if text.strip()]
    if kept:
        assert torch.equal(PIECES.encode([shown[k] for k in kept], length), x[kept])


def test_saved_and_loaded_is_the_same(tmp_path):
    PIECES.save(tmp_path / "pieces.json")
    again = WordPieces.load(tmp_path / "pieces.json")
    assert again.pieces == PIECES.pieces and torch.equal(again.encode(TEXTS), PIECES.encode(TEXTS))


def test_learning_twice_gives_the_same_and_leaves_the_findings_names_out():
    again = WordPieces.learn([*TEXTS, "patients with pain", "the effusions"], 130)
    assert again.pieces == PIECES.pieces
    assert "pneumonia" not in WordPieces.learn(TEXTS, 1000).pieces and "patient" in WordPieces.learn(TEXTS, 1000).pieces


def test_a_text_of_100000_characters_or_brackets_takes_no_time():
    for text in ("word " * 20_000, "[" * 100_000, "[[" + "a" * 100_000, "no [[x]] " + "[[a" * 30_000, "a" * 100_000):
        assert PIECES.encode([text]).shape == (1, 48)
