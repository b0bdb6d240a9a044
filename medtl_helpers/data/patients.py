"""Patients: whose image is whose, no patient in two splits, and splits that are drawn patient by patient.

Two images of one patient are more alike than those of two. Where one of them is in training and the other in test, a
network can recognise the patient instead of the disease, and its results are too good [1].

[1] Roberts et al., Nature Machine Intelligence 3 (2021) 199-217, doi 10.1038/s42256-021-00307-0
"""

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .image_tasks import ImageTask
from .images import SUFFIXES
from .tasks import SPLITS

FILE_COLUMNS = ("file", "filename", "filepath", "path", "image", "imageid", "imagename", "imagepath", "imageindex")
PATIENT_COLUMNS = ("patient", "patientid", "subject", "subjectid", "participant", "participantid")
NAMED = 5  # files without a patient that are named
TRIES = 100  # draws, until one has each class in each split


def find_patients(files: Sequence[str], depth: int, rule: str | Path) -> np.ndarray:
    """The patient of each file, an array of N texts. The same text is the same patient, whatever the class.

    Parameters
    ----------
    files: paths below the folder that was given, with ``/``, of which the first ``depth`` parts are split and class.
    rule: a regular expression, searched for in the path below the class folder, whose group 1 (or whole match) is the
        patient; or the path of a CSV (its name ends in ``.csv``), see ``_from_csv``.

    Raises ValueError for a pattern or a CSV that cannot be used, and with a count and up to ``NAMED`` examples where
    files have no patient.
    """
    if not isinstance(rule, str | Path):
        raise ValueError(f"patients is {rule!r}: give a regular expression, or the path of a CSV.")
    files = [unicodedata.normalize("NFC", file) for file in files]
    inside = [file.split("/", depth)[depth] for file in files]
    if isinstance(rule, Path) or rule.lower().endswith(".csv"):
        found, fault = _from_csv(files, inside, Path(rule).expanduser()), "not named, with a patient, in"
    else:
        found, fault = _from_pattern(inside, rule), "not matched by the pattern"
    missing = [file for file, patient in zip(files, found, strict=True) if not patient]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(files)} images {'is' if len(missing) == 1 else 'are'} {fault} '{rule}', "
            f"{'namely' if len(missing) <= NAMED else 'for example'} {', '.join(missing[:NAMED])}: every image needs a "
            "patient, so correct one or the other."
        )
    return np.array(found, object)


def _from_pattern(inside: list[str], rule: str) -> list[str | None]:
    try:
        pattern = re.compile(unicodedata.normalize("NFC", rule))
    except re.error as error:
        raise ValueError(f"patients='{rule}' is no regular expression ({error}): correct it.") from None
    matches = [pattern.search(path) for path in inside]
    return [match and match[1 if pattern.groups else 0] for match in matches]


def _from_csv(files: list[str], inside: list[str], path: Path) -> list[str | None]:
    """Patients by a CSV (UTF-8; comma, semicolon or tab) with a column for the file and one for the patient.

    The columns are called as in ``FILE_COLUMNS`` and ``PATIENT_COLUMNS``, whatever their case and their spaces. A file
    is given by its path below the folder that is loaded, by that below its class folder, or by its name, with or
    without suffix.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not written in UTF-8: save it as CSV in UTF-8.") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): correct the path of the CSV.") from None
    head = lines[0] if lines else ""
    rows = list(csv.reader(lines, delimiter=max(",;\t", key=head.count)))
    columns = [re.sub("[^a-z]", "", name.lower()) for name in (rows[0] if rows else [])]
    at_file, at_patient = (
        next((columns.index(name) for name in names if name in columns), None)
        for names in (FILE_COLUMNS, PATIENT_COLUMNS)
    )
    if at_file is None or at_patient is None:
        raise ValueError(f"{path} has the columns {head!r}: call one of them file, and one patient.")
    named: dict[str, str] = {}
    for row in rows[1:]:
        if len(row) > max(at_file, at_patient):
            file = unicodedata.normalize("NFC", row[at_file].strip().replace("\\", "/").removeprefix("./"))
            if named.setdefault(file, row[at_patient].strip()) != row[at_patient].strip():
                raise ValueError(f"{path} gives {file} to two patients: keep the line that is right.")
    found: list[str | None] = []
    users: dict[str, str] = {}
    for file, below in zip(files, inside, strict=True):
        ways = (file, below, file.rpartition("/")[2])
        key = next((way for way in (*ways, *map(_without_suffix, ways)) if way in named), None)
        if key and users.setdefault(key, file) != file:
            raise ValueError(
                f"{path} says {key}, which may be {users[key]} or {file}: give the path from the folder that is loaded."
            )
        found.append(named[key] if key else None)
    return found


def _without_suffix(file: str) -> str:
    return file.rpartition(".")[0] if file.lower().endswith(SUFFIXES) else file


def check_apart(patients: dict[str, np.ndarray], folders: dict[str, Path]) -> None:
    """Raise ValueError, naming two folders and a patient, where a patient stands in two splits."""
    names = list(patients)
    for k, here in enumerate(names):
        for there in names[k + 1 :]:
            both = sorted(set(patients[here]) & set(patients[there]))
            if both:
                raise ValueError(
                    f"{len(both)} patient(s) have images in {folders[here]} and in {folders[there]}, for example "
                    f"{both[0]!r}: keep all images of a patient in one of them."
                )


def deal_patients(y: np.ndarray, patients, shares: Sequence[float], rng, classes: Sequence[str], name: str):
    """int N: the part, 0 … len(shares) − 1, of each of N images; all images of a patient go to one part.

    The patients come in random order. First each part gets a patient of each class, the rarest class first. Each other
    patient then goes to the part that lacks most of what the patient has, so that each class is shared out about as
    ``shares`` say. Raises ValueError, beginning with ``name``, where a class cannot be in every part.
    """
    people, who = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    counts = np.zeros((len(people), len(classes)), int)  # of images
    np.add.at(counts, (who, y), 1)
    have_class = (counts > 0).sum(0)
    rare = int(have_class.argmin())
    if have_class[rare] < len(shares):
        raise ValueError(
            f"{name} has {have_class[rare]} patient(s) with the class {classes[rare]!r}, too few for {len(shares)} "
            "splits: add patients, or leave out the class."
        )
    wanted = np.outer(shares, counts.sum(0))
    for _ in range(TRIES):
        part, dealt = np.full(len(people), -1), np.zeros(wanted.shape)
        order = rng.permutation(len(people))
        for label in np.argsort(have_class, kind="stable"):
            for k in range(len(shares)):
                free = order[(part[order] < 0) & (counts[order, label] > 0)][:1]
                if dealt[k, label] == 0:
                    part[free] = k
                    dealt[k] += counts[free].sum(0)
        for patient in order[part[order] < 0]:
            k = int(((wanted - dealt) * counts[patient] / counts.sum(0) ** 2).sum(1).argmax())
            part[patient] = k
            dealt[k] += counts[patient]
        if (dealt > 0).all():
            return part[who]
    raise ValueError(
        f"{name} could not be split so that no patient is in two splits and each class in all {len(shares)}: add "
        "patients of the rare classes, or leave them out."
    )


def split_by_patient(task: ImageTask, patients=None, *, seed: int, val: float = 0.15, test: float = 0.15) -> ImageTask:
    """All images of a task split anew, so that every patient is in one split only.

    Each class is shared out about as asked for; exactly is rarely possible, since a patient is never divided. The same
    seed gives the same splits.

    Parameters
    ----------
    task: the images; its own splits do not matter.
    patients: the patient of each image, N names in the order train, val, test; by default those that the task has,
        because ``load_folder`` was given ``patients=``.
    val, test: the shares of the images.

    Returns the task with ``patients`` for each split. Raises ValueError where patients are unknown, for shares that
    leave nothing, and where a class would be missing from a split.
    """
    if not isinstance(task, ImageTask):
        raise TypeError(f"split_by_patient was given a {type(task).__name__}: give the ImageTask of load_folder.")
    if task.train.y.ndim > 1:
        raise ValueError(f"{task.name} holds masks, and split_by_patient heeds classes of images: load it anew.")
    sizes = [len(getattr(task, split).y) for split in SPLITS]
    if patients is None:
        if task.patients is None:
            raise ValueError(
                f"Nobody knows the patients of {task.name}: load it with load_folder(…, patients=…), or give them here."
            )
        patients = np.concatenate([task.patients[split] for split in SPLITS])
    everyone = np.array(patients, object)
    if everyone.shape != (sum(sizes),):
        raise ValueError(f"{task.name} has {sum(sizes)} images and patients {everyone.shape}: give one for each image.")
    if not (val > 0 and test > 0 and val + test < 1):
        raise ValueError(f"val is {val} and test is {test}: give shares above 0 that leave some images for training.")
    y = np.concatenate([np.asarray(getattr(task, split).y) for split in SPLITS])
    shares = (1 - val - test, val, test)
    part = deal_patients(y, everyone, shares, np.random.default_rng(seed), task.classes, task.name)
    parts = dict(zip(SPLITS, np.split(everyone, np.cumsum(sizes)[:-1]), strict=True))
    return replace(task, patients=parts).with_rows({split: np.flatnonzero(part == k) for k, split in enumerate(SPLITS)})
