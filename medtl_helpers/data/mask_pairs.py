"""All image and mask files of a folder as stacks of pixels, each image held against its mask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image
from torch import Tensor, from_numpy
from tqdm import tqdm

from ..assets import MAX_BYTES
from ..devices import headless
from .mask_files import Pair
from .mask_numbers import counted_numbers, read_mask
from .pixels import UnusableImage
from .reading import counted, read_or_doubt

NAMED = 5  # files that cannot be used, which are named


@dataclass
class Read:
    """What was read of some pairs: pixels, masks with the numbers of their files, and what there is to doubt."""

    images: list[np.ndarray] = field(default_factory=list)  # uint8 H×W or H×W×3
    masks: list[np.ndarray] = field(default_factory=list)  # numbers of any size, H×W
    numbers: dict[str, np.ndarray] = field(default_factory=dict)  # file of a mask -> the different ones in it
    suspects: list[Path] = field(default_factory=list)  # images that become nearly constant
    turned: list[Path] = field(default_factory=list)  # images that were turned as their EXIF says
    shrunk: list[Path] = field(default_factory=list)  # masks in which a number is gone since they were resized

    def doubts(self, root: Path, sides: tuple[int, int] | None) -> list[str]:
        """Lines on them, for the reader."""
        lines = []
        if self.suspects:
            lines.append(
                f"{counted(self.suspects, root)} hold varied numbers and become nearly constant pictures: look at "
                "them in a viewer, and export them again with another window."
            )
        if self.turned:
            lines.append(
                f"{counted(self.turned, root)} were turned as their EXIF says, and their masks say nothing of it: "
                "look whether both still fit."
            )
        if self.shrunk and sides:
            lines.append(
                f"{counted(self.shrunk, root, 'masks')} lost a class at {sides[0]} × {sides[1]} px: choose a larger "
                "size."
            )
        return lines


def read_pairs(root: Path, pairs: list[Pair], sides: tuple[int, int] | None) -> Read:
    """Images and masks of ``pairs``, resized to ``sides`` (height, width): images bilinear, masks by the nearest pixel.

    Raises ValueError for what cannot be used, all of which is looked for, for sizes that differ where ``sides`` is
    None, and for more than 2 GB.
    """
    read, problems = Read(), []
    sizes: dict[str, Path] = {}  # size -> the first image of it
    for pair in tqdm(pairs, desc="reading masks", delay=2, leave=False, disable=headless()):
        try:
            image, mask = read_or_doubt(pair.image, read.suspects), _mask(pair)
            if image.shape[:2] != mask.shape:
                raise UnusableImage(
                    pair.image,
                    f"is {_size(image)} px and its mask {_size(mask)}",
                    "give each mask the height and width of its image, turned as the image is",
                )
        except UnusableImage as error:
            problems.append(error)
        if problems:  # nothing will be returned: from now on only more of them are looked for
            continue
        sizes.setdefault(_size(image), pair.image)
        height, width = sides or image.shape[:2]
        if (needed := 4 * len(pairs) * height * width) > MAX_BYTES:
            raise ValueError(
                f"The {len(pairs)} images and masks in {root} need {needed / 1e9:.1f} GB at {height} × {width} px, and "
                f"this course stops at {MAX_BYTES / 1e9:.0f} GB: choose a smaller size, like size=256."
            )
        read.numbers[pair.masks[0].relative_to(root).as_posix()] = found = counted_numbers(mask)[0]
        small = Image.fromarray(mask.astype(np.int32)).resize((width, height), Image.Resampling.NEAREST)
        mask = np.asarray(small).astype(np.min_scalar_type(int(found[-1])))
        read.images.append(np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)))
        read.masks.append(mask)
        read.shrunk += [pair.masks[0]] * (len(counted_numbers(mask)[0]) < len(found))
        read.turned += [pair.image] * (_orientation(pair.image) != 1 == _orientation(pair.masks[0]))
    if problems:
        some = "; ".join(f"{p.args[0].relative_to(root).as_posix()} {p.reason}" for p in problems[:NAMED])
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise ValueError(
            f"{len(problems)} of the {len(pairs)} images in {root}, or their masks, cannot be used ({some}{more}): "
            f"{problems[0].args[2]}."
        )
    if sides is None and len(sizes) > 1:
        some = " and ".join(
            f"{size} px ({file.relative_to(root).as_posix()})" for size, file in list(sizes.items())[:2]
        )
        raise ValueError(
            f"The images in {root} have {len(sizes)} sizes, like {some}: say with size= to how many pixels per side "
            "images and masks are to be resized, like size=128 or size=(96, 128)."
        )
    return read


def _mask(pair: Pair) -> np.ndarray:
    """The numbers of the mask of a pair; where each object has one of its own, 1 where one of them is above 0."""
    if len(pair.masks) == 1:
        return read_mask(pair.masks[0])
    parts = [read_mask(file) for file in pair.masks]
    for file, part in zip(pair.masks, parts, strict=True):
        if part.shape != parts[0].shape:
            raise UnusableImage(
                file, f"is {_size(part)} px and {pair.masks[0].name} {_size(parts[0])}", "give them one size"
            )
    return np.any([part > 0 for part in parts], axis=0).astype(np.uint8)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]}"


def _orientation(path: Path) -> int:
    """How a camera held the picture: 1 for upright, also where a file says nothing of it."""
    try:
        with Image.open(path) as image:
            return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # DICOM, or a TIFF that Pillow does not know: nothing turns it here
        return 1


def stacked(images: list[np.ndarray], channels: int | None) -> Tensor:
    """uint8 N×C×H×W; with ``channels=None`` C is 3 if one of the images is in colour."""
    colour = [image.ndim == 3 and bool((image != image[..., :1]).any()) for image in images]
    mode = "RGB" if channels == 3 or (channels is None and any(colour)) else "L"
    some = [np.atleast_3d(np.asarray(Image.fromarray(image).convert(mode))) for image in images]
    return from_numpy(np.stack(some).transpose(0, 3, 1, 2).copy())


def to_classes(masks: list[np.ndarray], number_of: Mapping[int, int]) -> Tensor:
    """uint8 N×H×W: each number in the masks becomes the class that it stands for."""
    y = np.empty((len(masks), *masks[0].shape), np.uint8)
    for k, mask in enumerate(masks):
        found, at = np.unique(mask, return_inverse=True)
        y[k] = np.array([number_of[int(number)] for number in found], np.uint8)[at].reshape(mask.shape)
    return from_numpy(y)
