"""Published results: how well each source, or each architecture, served eleven medical tasks, and what scores had said.

[1] Juodelyte, Ferrante, Lu, Singh, Vanschoren and Cheplygina, On dataset transferability in medical image
classification (2024), arXiv 2412.20172; the tables are those of the authors' repository, see the card
``transferability``.
"""

import pandas as pd

from ..assets import card, find_all
from ..parts import check_choice

FILES = {"source": "dataset", "architecture": "model"}  # as the authors' files are called
SCORES = {  # column -> file; for all of them, more is said to be better
    "LogME": "logme",
    "LEEP": "leep",
    "N-LEEP": "nleep",  # above 0, so a mean of probabilities, where the paper of N-LEEP takes their logarithms
    "NCTI": "ncti",
    "PARC": "parc",
    "SFDA": "sfda",
    "FU": "fu",  # from gradients: how much the first layers would still learn; with LP what [1] proposes
    "LP": "lp",  # of sources alone
}
ORGANS = ("organa", "organc", "organs")  # three views of the same CT scans


def transfer_tables(of: str = "source") -> pd.DataFrame:
    """One row for each target and candidate: the AUROC after fine-tuning, and the eight scores before it.

    Parameters
    ----------
    of: ``"source"``, one ResNet-18 from each of 15 sources (``imagenet``, ``radimagenet``, ``medmnist``, which is all
        of MedMNIST but the target, and the 12 sets one by one); or ``"architecture"``, nine networks from ImageNet.

    The columns are ``target`` and ``source`` (or ``architecture``), named as by ``load``; ``group``, which is the same
    for targets that are one source of data (the three organ sets); ``auroc`` from 0 to 1; and a column for each name in
    ``SCORES``. A number that was not published is NaN: the AUROC of a target from itself, which some scores do rate;
    all scores of ``chest``, which has several labels an image; and LP of architectures. Each AUROC is one number
    without its spread.

    Raises FileNotFoundError where the tables are not on this disk, and ValueError for another ``of``.
    """
    check_choice(of, "of", FILES)
    found = find_all(card("transferability"))
    if found.path is None:
        raise FileNotFoundError(
            f"The published transferability tables are not on this disk ({found.why_not}): fetch them with "
            "make data ONLY=transferability."
        )
    columns = {"auroc": "AUCs", **SCORES}
    if of == "architecture":
        del columns["LP"]
    parts = {name: _column(found.path / f"{file}_{FILES[of]}.csv", of) for name, file in columns.items()}
    frame = pd.DataFrame(parts, columns=["auroc", *SCORES]).astype(float).reset_index()
    if of == "architecture":
        frame["auroc"] /= 100  # published in per cent
    frame.insert(2, "group", frame["target"].where(~frame["target"].isin(ORGANS), "organ"))
    return frame


def _column(path, of: str) -> pd.Series:
    """One file, which has a row for each candidate and a column for each target, as one column of numbers."""
    wide = pd.read_csv(path, index_col=0).set_index("source")
    wide.index, wide.columns = [pd.Index(map(_short, names)) for names in (wide.index, wide.columns)]
    return wide.rename_axis(index=of, columns="target").T.stack()


def _short(name: str) -> str:
    """``"blood"`` for ``"bloodmnist"``, as in the course; ``"medmnist"``, all of them together, keeps its name."""
    return name if name == "medmnist" else name.removesuffix("mnist")
