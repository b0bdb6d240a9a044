"""The table of all faults that are tried, from the tests' own tables: ``python tests/faults/table.py`` writes it."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "README.md"
BUNDLED = HERE.parent / "data" / "bundled.md"
sys.path[:0] = [str(HERE), str(HERE.parent / "methods"), str(HERE.parents[1])]

import test_adaptation_faults  # noqa: E402
import test_argument_faults  # noqa: E402
import test_data_faults as data  # noqa: E402
import test_drawing_faults  # noqa: E402
import test_explanation_faults  # noqa: E402
import test_fetch  # noqa: E402
import test_few_weights_faults  # noqa: E402
import test_folder_faults  # noqa: E402
import test_mask_faults  # noqa: E402
import test_mask_method_faults  # noqa: E402
import test_molecule_faults  # noqa: E402
import test_molecule_method_faults  # noqa: E402
import test_private_faults  # noqa: E402
import test_search_faults  # noqa: E402
import test_sequence_faults  # noqa: E402
import test_sequence_method_faults  # noqa: E402
import test_text_faults  # noqa: E402
import test_text_method_faults  # noqa: E402
import test_training_faults  # noqa: E402
import test_transfer_faults  # noqa: E402
import test_unlabelled_faults  # noqa: E402
import test_weight_faults  # noqa: E402
import test_weights  # noqa: E402
from rows import Row  # noqa: E402

INTRODUCTION = """# Faults

Most tests are about what is right. These are about what goes wrong: each row is a fault that a test causes, the words
that the user then reads, and what the test then finds kept (—: nothing was at stake). No fault may end in a traceback
without a sentence, a hang, a half-written file or a silently wrong result. Bad input is told in one sentence: what,
where, and what to do.

This page is written from the tests' own tables by `python tests/faults/table.py`; a test compares the two.
"""

SAMPLES = """
# Images that other libraries bring

What `read_image` makes of them, beside a second path of code (pydicom's own functions, or torchvision's decoders).
`python tests/data/bundled.py` writes this table; a test compares it.
"""


def _weights() -> list[Row]:
    """The damaged and foreign files of ``test_weights.py``, and those that are wrong inside."""
    loaded = "nothing is loaded"
    rows = [
        Row(f"{network}: {words}", test_weights.UNREADABLE[network], loaded)
        for network in test_weights.UNREADABLE
        for words in test_weights.DAMAGES.values()
    ]
    rows += [Row(f"vgg16: {kind}", "does not hold VGG16's 13 convolutions", loaded) for kind in test_weights.NO_VGG16]
    rows += [
        Row(
            f"resnet: {kind}",
            test_weights.UNREADABLE["resnet"] if kind == "VGG16" else "does not hold the weights of",
            loaded,
        )
        for kind in test_weights.NO_RESNET
    ]
    rows.append(Row("resnet: a pickle that would run a program", test_weights.UNREADABLE["resnet"], "it does not run"))
    return rows + test_weight_faults.TABLE


def sections() -> dict[str, list[Row]]:
    return {
        "Downloads (`make data`)": test_fetch.TABLE,
        "Archives of images": data.ARCHIVE_TABLE,
        "Weight files": _weights(),
        "Your own images and folders": test_folder_faults.TABLE,
        "Sequences": test_sequence_faults.TABLE + test_sequence_method_faults.TABLE,
        "Masks, and your own": test_mask_faults.TABLE,
        "Outlines": test_mask_method_faults.TABLE,
        "Texts": test_text_faults.TABLE + test_text_method_faults.TABLE,
        "Molecules, and your own": test_molecule_faults.TABLE,
        "Networks for molecules": test_molecule_method_faults.TABLE,
        "Drawn nuclei and abdomens": test_drawing_faults.TABLE,
        "The commands transfer and predict": test_transfer_faults.TABLE,
        "Labels, metrics and penalties": data.LABEL_TABLE,
        "Tables and splits": data.TABLE_TABLE,
        "Arguments of measures, phantoms and lessons": test_argument_faults.TABLE,
        "Networks and training": test_training_faults.TABLE,
        "Few weights: LoRA, BitFit, adapters, prompts": test_few_weights_faults.TABLE,
        "Maps of what a network looked at, and marks": test_explanation_faults.TABLE,
        "Private training": test_private_faults.TABLE,
        "DANN, AdaBN, computed features": test_adaptation_faults.TABLE,
        "Adapting without labels": test_unlabelled_faults.TABLE,
        "The automatic search": test_search_faults.TABLE,
    }


def page() -> str:
    """The page in Markdown."""
    parts = [INTRODUCTION, f"{sum(map(len, sections().values()))} faults:"]
    for title, rows in sections().items():
        lines = [f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |" for row in rows]
        parts.append(
            "\n".join(
                [
                    f"\n## {title} ({len(rows)})\n",
                    "| fault | what the user sees | what is kept |",
                    "|---|---|---|",
                    *lines,
                ]
            )
        )
    return "\n".join([*parts, SAMPLES, BUNDLED.read_text("utf-8")])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
