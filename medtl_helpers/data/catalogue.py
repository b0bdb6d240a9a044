"""The catalogue: ``load(name)`` gives a task, real where its files are on this disk, else its embedded twin."""

from ..assets import card, find
from ..console import say
from ..parts import check_whole, shown
from ..provenance import note_source
from .abstracts import load_abstracts
from .image_tasks import ImageTask, tell_duplicates
from .medmnist import load_images
from .molecule_sets import load_molecule_set
from .negex import load_negex
from .nuclei import load_nuclei
from .splice import load_splice
from .tables import load_breast_cancer, load_heart
from .tasks import Task
from .white_cells import load_white_cells


def load(
    name: str,
    *,
    size: int | None = None,
    kind: str | None = None,
    site: str | None = None,
    copies: bool = False,
    question: str | None = None,
    length: int | None = None,
    split: str | None = None,
    seed: int | None = None,
    quiet: bool = False,
) -> Task:
    """Load a data set from this disk: the real one where it is, else its embedded twin, and say which.

    Parameters
    ----------
    name: ``"pneumonia"``, ``"breast"``, ``"blood"``, … (MedMNIST), ``"white_cells"``, ``"splice"``, ``"negex"``,
        ``"medical_abstracts"``, ``"pubmedqa"``, ``"nuclei"`` (a ``MaskTask``), ``"esol"``, ``"bbbp"`` or
        ``"tox21"`` (each a ``MoleculeTask``), ``"heart"`` or ``"breast_cancer"``.
    size: pixels per side of images: 28 (default), or 64, 128, 224. Where no file of that size was fetched, the 28 px
        images are enlarged (bilinear) and ``note`` says so. Nuclei always have 128.
    kind: of ``nuclei``: ``"fluorescence"`` (default), ``"histology"`` or ``"bright"``.
    site: the hospital of ``heart``: cleveland (default), hungary, switzerland or va; the laboratory of
        ``white_cells``: jiangxi (default) or cellavision.
    copies: of ``splice``: with all copies, as the file was published, to show what they do to a number.
    question: of ``negex``: is the finding ``"negated"`` (default) or ``"historical"``?
    length: of texts: tokens of each; by default 48 of ``negex`` and 128 of the others.
    split, seed: of molecules: ``"scaffold"`` (default) or ``"random"``, and the seed of the draw (0); see
        ``split_molecules``. The real molecules are read with RDKit; without it their twin stands in.
    quiet: do not print the line that says what was loaded, nor, where pictures of a real data set stand twice, the one
        that says so.

    Raises ValueError for an unknown name, size, kind, site, question or split, for ``kind``, ``copies``, ``question``,
    ``length``, ``split`` and ``seed`` of other data, for a set of weights or of results, and for data of more than
    2 GB.
    """
    about = card(name)
    if about["kind"] == "weights":
        raise ValueError(f"{name} is a set of weights, not of data: use load_backbone.")
    if about["kind"] == "results":
        raise ValueError(f"{name} holds published results, and nothing to train on: use transfer_tables.")
    if copies and name != "splice":
        raise ValueError(f"{name} is always loaded as it was published: copies is for splice alone.")
    if question is not None and name != "negex":
        raise ValueError(f"{name} has one question alone: leave question out, which is for negex.")
    if kind is not None and name != "nuclei":
        raise ValueError(f"{name} is of one kind alone: leave kind out, which is for nuclei.")
    if name == "nuclei" and size not in (None, 128):
        raise ValueError(f"The nuclei have 128 px per side, and size is {shown(size)}: leave it out.")
    if (split is not None or seed is not None) and about["kind"] != "molecule":
        raise ValueError(f"{name} is split once and for all: split and seed are for molecules alone.")
    if length is not None and about["kind"] != "text":
        raise ValueError(f"{name} holds no texts: leave length out, which is their number of tokens.")
    if length is not None:
        check_whole(length, "length", least=2)
    task: Task
    size = 28 if size is None else size
    if name == "white_cells":
        task = load_white_cells(about, site or "jiangxi", size)
    elif about["kind"] == "image":
        task = load_images(name, about, size)
    elif name == "nuclei":
        task = load_nuclei(about, kind or "fluorescence")
    elif about["kind"] == "sequence":
        task = load_splice(about, copies)
    elif name == "negex":
        task = load_negex(about, question or "negated", length or 48)
    elif about["kind"] == "molecule":
        task = load_molecule_set(name, about, "scaffold" if split is None else split, 0 if seed is None else seed)
    elif about["kind"] == "text":
        task = load_abstracts(name, about, length or 128)
    else:
        task = load_breast_cancer(about) if name == "breast_cancer" else load_heart(about, site or "cleveland")
    note_source(task.name, task.provenance)
    if not quiet:
        say(_summary(task))
        if isinstance(task, ImageTask) and task.provenance == "real":
            as_published = name in ("white_cells", "nuclei") or find(about, str(size)).path is not None
            # enlarged pictures are looked at as they were: pixels between pixels are alike in any two of them
            tell_duplicates(task if as_published else load_images(name, about, 28))
    return task


def _summary(task) -> str:
    counts = "/".join(str(len(split.y)) for split in (task.train, task.val, task.test))
    label = {"real": "real data", "twin": "TWIN (drawn by code)"}[task.provenance]
    return f"{task.name}: {label}; train/val/test {counts}; {task.note}".removesuffix("; ")
