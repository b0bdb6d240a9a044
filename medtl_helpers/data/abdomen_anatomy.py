"""One drawn abdomen in three dimensions: which tissue is where, before any scanner looks at it.

Coordinates run from -1 to 1 over about 40 cm: x to the right of the picture, which is the patient's left as
radiologists look at it, y to the back, z to the feet. Organs are ellipsoids with waved borders, placed as in an atlas
of sections. They differ from patient to patient in place, size, turn and form; all slices of a patient cut the same
organs.
"""

import math
from typing import NamedTuple

import numpy as np

ABDOMEN_CLASSES = ("background", "body", "liver", "spleen", "kidneys", "spine", "aorta", "lesion")
CLASS_OF = {
    "air": "background", "fat": "body", "muscle": "body", "bowel wall": "body", "fluid": "body", "gas": "body",
    "rib": "body", "vein": "body", "liver": "liver", "vessel in the liver": "liver", "spleen": "spleen",
    "kidney cortex": "kidneys", "kidney medulla": "kidneys", "dense bone": "spine", "marrow": "spine", "disc": "spine",
    "canal": "spine", "aorta": "aorta", "lesion": "lesion",
}  # fmt: skip
TISSUES = tuple(CLASS_OF)
LESIONS = ("none", "clear", "small", "equal")
SMALL = 0.45  # of its size, a small lesion
REACH = 1.25  # how far a blob is looked for, in half-axes: its waves lie within


class Blob(NamedTuple):
    """An ellipsoid that waves: its centre and half-axes (x, y, z), its turn in the plane of a slice, and its waves."""

    tissue: str
    centre: np.ndarray
    axes: np.ndarray
    turn: float
    waves: np.ndarray  # rows of three frequencies, a phase and a strength
    within: tuple[str, ...] = ()  # the tissues that it paints over; all where none is named


class Anatomy(NamedTuple):
    """Of one patient; ``blobs`` in the order in which they are painted, lesions apart."""

    body: np.ndarray  # half-axes x and y
    fat: float  # thickness of the fat below the skin
    blobs: list[Blob]
    spine: np.ndarray  # x, y, and radius of the vertebrae
    phase: float  # where along z the first disc and rib are
    lesions: list[Blob]
    ill: bool  # whether the lesions show where nothing is said of them


def anatomy(rng) -> Anatomy:
    """Draw one patient."""

    def blob(tissue, centre, axes, turn=0.0, rough=0.12, within=()):
        waves = np.concatenate([rng.uniform(-9, 9, (3, 3)), rng.uniform(0, 6.3, (3, 1))], 1)
        waves = np.concatenate([waves, rough * rng.uniform(0.3, 1, (3, 1))], 1)
        centre, axes = np.array(centre) + 0.03 * rng.uniform(-1, 1, 3), np.array(axes) * rng.uniform(0.82, 1.15, 3)
        return Blob(tissue, centre, axes, turn + rng.uniform(-0.25, 0.25), waves, within)

    grow = rng.uniform(0.9, 1.08)
    body = np.array([0.82, 0.66]) + 0.07 * rng.uniform(-1, 1, 2)
    x, y, radius = spine = rng.uniform((-0.02, 0.22, 0.115), (0.02, 0.27, 0.14))
    blobs = [stomach := blob("bowel wall", (0.34, -0.22, -0.1), (0.24, 0.17, 0.3), 0.4)]
    blobs.append(stomach._replace(tissue="fluid", axes=stomach.axes - 0.03))
    for _ in range(rng.integers(4, 12)):
        loop = blob("bowel wall", rng.uniform((-0.35, -0.4, -0.1), (0.6, 0.05, 0.6)), (0.08, 0.07, 0.12))
        blobs += [loop, loop._replace(tissue="fluid", axes=loop.axes - 0.02)]
    liver = blob("liver", (-0.36, -0.08, -0.02), np.array((0.36, 0.38, 0.5)) * grow)
    blobs += [liver, blob("liver", (-0.06, -0.26, -0.12), np.array((0.34, 0.17, 0.3)) * grow, 0.2)]
    blobs.append(blob("fluid", (-0.2, -0.2, 0.25), (0.08, 0.06, 0.14)))  # the gallbladder
    for _ in range(rng.integers(3, 7)):
        at = liver.centre + liver.axes * rng.uniform(-0.7, 0.7, 3)
        blobs.append(blob("vessel in the liver", at, (0.1, 0.022, 0.15), rng.uniform(0, 3), 0.3, ("liver",)))
    blobs.append(blob("spleen", (0.55, 0.08, -0.1), (0.13, 0.26, 0.3), -0.4))
    for side in (-1, 1):
        kidney = blob("kidney cortex", (x + side * 0.31, y + 0.02, 0.2), (0.12, 0.15, 0.36), side * 0.5, 0.06)
        sinus = kidney.centre - (side * 0.07, 0, 0)
        blobs += [kidney, kidney._replace(tissue="kidney medulla", axes=kidney.axes * rng.uniform(0.5, 0.7))]
        blobs.append(kidney._replace(tissue="fat", centre=sinus, axes=kidney.axes * (0.35, 0.25, 0.4)))
        blobs.append(blob("muscle", (x + side * 0.15, y + 0.17, 0), (0.14, 0.1, 9), side * 0.3))
        blobs.append(blob("muscle", (x + side * 0.14, y, 0.4), (0.07, 0.08, 0.5)))
    blobs.append(blob("vein", (x - 0.09, y - radius - 0.05, 0), (0.055, 0.045, 9), rough=0.05))
    blobs.append(blob("aorta", (x + 0.05, y - radius - 0.06, 0), (0.05, 0.05, 9), rough=0.0))
    healthy = Anatomy(body, rng.uniform(0.04, 0.15), blobs, spine, rng.uniform(0, 1), [], bool(rng.random() < 0.6))
    wanted = rng.integers(1, 4)
    while len(healthy.lesions) < wanted:
        away = rng.standard_normal(3)
        at = liver.centre + liver.axes * away / np.linalg.norm(away) * rng.uniform(0.1, 0.7)
        found = blob("lesion", at, np.full(3, rng.uniform(0.08, 0.16)), within=("liver", "vessel in the liver"))
        x0, y0, z0 = found.centre[:, None]
        if tissues(healthy, x0, y0, z0, "none")[0, 0, 0] == TISSUES.index("liver"):
            healthy.lesions.append(found)
    return healthy


def slice_height(patient: Anatomy, rng) -> float:
    """A height z at which the slice cuts one of the patient's lesions, whether it is painted or not."""
    lesion = patient.lesions[rng.integers(len(patient.lesions))]
    return float(lesion.centre[2] + 0.3 * lesion.axes[2] * rng.uniform(-1, 1))


def labels_of(tissue_numbers: np.ndarray) -> np.ndarray:
    """uint8: the number in ``ABDOMEN_CLASSES`` of each number in ``TISSUES``."""
    return np.array([ABDOMEN_CLASSES.index(kind) for kind in CLASS_OF.values()], np.uint8)[tissue_numbers]


def tissues(patient: Anatomy, x, y, z, lesion: str | None = None) -> np.ndarray:
    """uint8 D×H×W: the number in ``TISSUES`` at heights ``z`` (D), rows ``y`` (H) and columns ``x`` (W), which rise.

    ``lesion``: one of ``LESIONS``, of which ``"equal"`` is drawn like ``"clear"``; None for what the patient has.
    """
    here = np.zeros((len(z), len(y), len(x)), np.uint8)
    across, down, along = x[None, None], y[None, :, None], z[:, None, None]
    wide, deep = patient.body
    out = ((np.abs(across) / wide) ** 2.4 + (np.abs(down) / deep) ** 2.4) ** (1 / 2.4)  # 1 on the skin
    wall = 1 - patient.fat / deep
    cavity = out < wall - 0.10
    _paint(here, "fat", out < 1)
    _paint(here, "muscle", (out < wall) & ~cavity)
    ribs = np.arctan2(down, across) * 4 + 1.5 * np.abs(across) + along * 14 + patient.phase * 6.3
    _paint(here, "rib", (np.cos(ribs) > 0.75) & (np.abs(out - wall + 0.06) < 0.03) & (down > -0.35))
    for blob in patient.blobs:
        _paint_blob(here, blob, x, y, z, out < wall if blob.tissue == "muscle" else cavity)
    if lesion != "none" and (patient.ill or lesion is not None):
        for blob in patient.lesions:
            blob = blob._replace(axes=blob.axes * SMALL) if lesion == "small" else blob
            _paint_blob(here, blob, x, y, z, cavity)
    _paint_spine(here, patient, across, down, along, out < 0.97)
    return here


def _paint(here, tissue: str, where) -> None:
    np.copyto(here, TISSUES.index(tissue), where=where)


def _paint_blob(here, blob: Blob, x, y, z, allowed) -> None:
    """Paint ``blob`` where ``allowed`` (1×H×W), looking at the box around it alone."""
    reach = blob.axes * REACH
    reach[:2] = reach[:2].max()
    box = tuple(
        slice(*np.searchsorted(axis, (blob.centre[k] - reach[k], blob.centre[k] + reach[k])))
        for k, axis in ((2, z), (1, y), (0, x))
    )
    part = here[box]
    if not part.size:
        return
    dx, dy = (x[box[2]] - blob.centre[0])[None, None], (y[box[1]] - blob.centre[1])[None, :, None]
    dz = (z[box[0]] - blob.centre[2])[:, None, None]
    cos, sin = math.cos(blob.turn), math.sin(blob.turn)
    a, b, c = blob.axes
    distance = ((dx * cos + dy * sin) / a) ** 2 + ((dy * cos - dx * sin) / b) ** 2 + (dz / c) ** 2
    for fx, fy, fz, phase, strength in blob.waves:
        distance = distance + strength * np.sin(fx * dx + fy * dy + fz * dz + phase)
    where = (distance < 1) & allowed[:, box[1], box[2]]
    if blob.within:
        where &= np.isin(part, [TISSUES.index(tissue) for tissue in blob.within])
    _paint(part, blob.tissue, where)
    if blob.tissue == "fluid" and blob.centre[0] > -0.1:  # gas rises to the front of who lies on the back
        _paint(part, "gas", where & (dy < -0.4 * b))


def _paint_spine(here, patient: Anatomy, x, y, z, allowed) -> None:
    """Vertebrae with a shell of dense bone, discs between them, the canal behind, and two kinds of processes."""
    sx, sy, radius = patient.spine
    centre, level = np.hypot((x - sx) / 1.15, y - sy), (z / 0.19 + patient.phase) % 1
    side, back = np.abs(x - sx), y - sy - radius
    arch = np.hypot(x - sx, back - 0.05)
    bone = level > 0.22  # of the rest of the height, the disc
    _paint(here, "dense bone", bone & (side < 0.02) & (back > 0.12) & (back < 0.21) & allowed)
    _paint(here, "dense bone", bone & (side < 0.2) & (np.abs(back - 0.04) < 0.018) & allowed)
    _paint(here, "dense bone", arch < 0.085)
    _paint(here, "canal", arch < 0.055)
    _paint(here, "dense bone", centre < radius)
    _paint(here, "marrow", (centre < 0.86 * radius) & (level > 0.3))
    _paint(here, "disc", (centre < radius) & ~bone)
