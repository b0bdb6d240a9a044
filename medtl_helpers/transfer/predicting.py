"""``python -m medtl_helpers predict MODEL FOLDER``: the answers of a saved network to a folder of images, as a CSV."""

import csv
import io
from pathlib import Path

import numpy as np

from ..console import say
from ..data.reading import read_all
from ..methods.predict import predict
from .looking import Seen, as_folder, images_below, look_at
from .place import write
from .saved import Saved, light_of, load_saved

AT_ONCE = 256  # images
CONSTANT = 2  # grey levels of spread, below which a picture shows next to nothing
LONG = 2  # times the shorter side, from which the longer one is told
MARGIN = 0.1  # of the range of the training images, that an image may lie outside of it
NOT_FOR_DIAGNOSIS = (
    "These answers are for learning a method and not for diagnosis: nobody has shown that they may be used."
)


def predict_folder(model, folder, out="answers.csv") -> None:
    """Write to ``out`` what the network in the file ``model`` answers to every image at any depth of ``folder``.

    Raises ValueError, one sentence, for a file that is no such model, for a folder without a usable image, and where
    ``out`` is there already or cannot be written.
    """
    out, saved = Path(out).expanduser(), load_saved(Path(model).expanduser())
    root = as_folder(folder, "the images")
    if out.exists():
        raise ValueError(f"{out} is there already, and nothing is overwritten: give another --out, or remove it.")
    if not out.resolve().parent.is_dir():
        raise ValueError(f"{out.parent} is no folder: make it, or give another --out.")
    files, others = images_below(root)
    if not files:
        raise ValueError(f"{root} holds no images: give a folder with PNG, JPEG, TIFF, BMP or DICOM files.")
    seen = look_at(root, files)
    usable = [(file, one) for file, one in zip(files, seen, strict=True) if not one.wrong]
    for one in seen:
        if one.wrong:
            say(f"{one.file} {one.wrong}, and gets no answer.")
    if not usable:
        raise ValueError(f"None of the {len(seen)} image files in {root} can be used: export them again.")
    say(*differences(saved, [one for _, one in usable]))
    probability, light = answer(saved, root, [file for file, _ in usable])
    notes = [note(saved, one, *levels) for (_, one), levels in zip(usable, light.tolist(), strict=True)]
    write(out, answers_csv(saved, seen, probability, notes))
    if saved.recipe.threshold is not None and saved.recipe.positive is not None:
        say(
            f"The answer is {saved.recipe.classes[saved.recipe.positive]} from the probability "
            f"{saved.recipe.threshold:.3f} on."
        )
    if any(notes):
        say(f"The column note says what is unusual in {sum(map(bool, notes))} of {len(notes)} images: look at these.")
    unanswered = f", {len(seen) - len(usable)} of them without an answer" if len(usable) < len(seen) else ""
    skipped = f" {len(others)} other or hidden files were skipped." if others else ""
    say(f"{out} has a row for each of {len(seen)} images{unanswered}.{skipped}", NOT_FOR_DIAGNOSIS)


def answer(saved: Saved, root: Path, files: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """float64 N×K, the tempered probabilities for these files, of which only some are in memory at once, and N×2,
    their light (``light_of``)."""
    found, light = [], []
    for start in range(0, len(files), AT_ONCE):
        x = read_all(root, files[start : start + AT_ONCE], saved.size, saved.channels, False)
        found.append(saved.recipe.probabilities(predict(saved.model, x, batch_size=32)))
        light.append(light_of(x))
    return np.concatenate(found), np.concatenate(light)


def note(saved: Saved, one: Seen, mean: float, spread: float) -> str:
    """What is unusual in one image, whose pixels have this mean and spread, for the network; "" where nothing is."""
    ratio = max(one.width, one.height) / one.side
    found = [
        "nearly constant picture" if spread < CONSTANT else "",
        "made grey" if one.colour and saved.channels == 1 else "",
        f"side {one.side} px, enlarged" if one.side < saved.size else "",
        f"aspect ratio {ratio:.3g}:1, squeezed to a square" if ratio >= LONG else "",
    ]
    if saved.light is not None:
        darkest, brightest, flattest, strongest = saved.light
        some, more = MARGIN * (brightest - darkest), MARGIN * (strongest - flattest)
        found += [
            "darker than any training image" if mean < darkest - some else "",
            "brighter than any training image" if mean > brightest + some else "",
            "less contrast than any training image" if spread < flattest - more else "",
            "more contrast than any training image" if spread > strongest + more else "",
        ]
    return "; ".join(text for text in found if text)


def differences(saved: Saved, seen: list[Seen]) -> list[str]:
    """In what these images differ from those that the network learned from, one sentence each."""
    n, (least, _, most) = len(seen), saved.sides
    colour, small = sum(one.colour for one in seen), sum(one.side < saved.size for one in seen)
    outside = sum(not least <= one.side <= most for one in seen)
    lines = [
        f"{saved.about} Each image becomes {'grey' if saved.channels == 1 else 'RGB'}, {saved.size} × {saved.size} px."
    ]
    if saved.channels == 1 and colour:
        lines.append(f"{colour} of {n} images are in colour, and the model learned from grey ones: they are made grey.")
    if saved.channels == 3 and colour < n:
        lines.append(f"{n - colour} of {n} images are grey, and the model learned from images in colour.")
    if small:
        lines.append(f"{small} of {n} images have a side below {saved.size} px and are enlarged.")
    if outside:
        lines.append(
            f"{outside} of {n} images have a shorter side outside {least} to {most} px, which the model never saw."
        )
    return lines


def answers_csv(saved: Saved, seen: list[Seen], probability: np.ndarray, notes: list[str]) -> str:
    """One row for each file: its name, the probability of each class, the answer, and a note: what is unusual in the
    image, or why there is no answer."""
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    classes = saved.recipe.classes
    rows.writerow(["file", *(f"probability of {name}" for name in classes), "answer", "note"])
    answers, k = saved.recipe.answers(probability), 0
    for one in seen:
        if one.wrong:
            rows.writerow([one.file, *[""] * len(classes), "", f"{one.wrong}, so there is no answer"])
            continue
        rows.writerow([one.file, *(f"{p:.6f}" for p in probability[k]), classes[answers[k]], notes[k]])
        k += 1
    return buffer.getvalue()
