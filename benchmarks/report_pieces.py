"""The embedded vocabulary of word pieces, learnt from drawn sentences of hospital A alone.

    python benchmarks/report_pieces.py

writes ``datasets/embedded/report_pieces.json`` in seconds. No real sentence is read. It was run once, at commit
a6b02e0, when the grammar had two thirds of its words; the embedded encoder reads by these numbers, so that whoever runs
it again has to run ``pretrain_text.py``, too.
"""

from pathlib import Path

from medtl_helpers.console import say
from medtl_helpers.data.report_grammar import draw_reports
from medtl_helpers.data.word_pieces import WordPieces

VOCABULARY = Path(__file__).parents[1] / "datasets" / "embedded" / "report_pieces.json"
SIZE, SENTENCES, SEED = 1000, 20_000, 0


def learn() -> WordPieces:
    """1,000 pieces from 20,000 drawn sentences of each question."""
    drawn = (
        draw_reports(SENTENCES, hospital="A", question=question, seed=SEED)[0] for question in ("negated", "historical")
    )
    return WordPieces.learn([text for texts in drawn for text in texts], SIZE)


if __name__ == "__main__":
    pieces = learn()
    pieces.save(VOCABULARY)
    say(f"{len(pieces)} pieces are in {VOCABULARY}.")
