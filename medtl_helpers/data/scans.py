"""Chest X-rays and breast ultrasound, drawn with the findings of a textbook."""

import torch
import torch.nn.functional as F

from .painting import disc, noise, pixel_grid, uniform

CHEST_FINDINGS = ("normal", "effusion", "large heart", "nodules", "pneumothorax")  # pneumonia is held out


def paint_chest(labels, size: int, generator):
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return uniform(n, low, high, generator)

    cx, cy, tilt = random(-0.08, 0.08), random(-0.06, 0.06), random(-0.08, 0.08)
    scale = random(0.88, 1.08)
    body = disc(y, x, cy + 0.35, cx, 1.35 * scale, random(0.75, 0.9))
    image = 0.08 + 0.66 * body
    depth = random(0.36, 0.52)
    lungs = torch.zeros(n, size, size)
    for side in (-1, 1):
        height, width = 0.72 * scale * random(0.92, 1.06), random(0.40, 0.48)
        lung = disc(y, x, cy + 0.05, cx + side * 0.45 * scale, height, width, tilt + 0.12 * side)
        lungs = torch.maximum(lungs, lung)
    image = image - depth * lungs
    ribs = (((y - cy) * random(15, 19) + 3.2 * (x - cx).square() + random(0, 6)).sin() > 0.35).float()
    image = image + 0.055 * ribs * body
    spine = (-((x - cx) / 0.10).square()).exp()
    heart = disc(y, x, cy + 0.38, cx + 0.14, 0.32 * scale * random(0.9, 1.15), random(0.95, 1.25))
    image = image + 0.10 * spine * body + 0.34 * heart * lungs
    vessels = noise(n, size, max(6, size // 3), generator).abs_() * 0.06 * lungs
    image = image + vessels

    # Opacities: patches of consolidation with a ragged edge. Normal children have faint haze at times, so that the
    # two classes overlap as they do in a clinic.
    sick = (labels == 1).float()[:, None, None]
    strength = sick * random(0.18, 0.48) + (1 - sick) * random(0.0, 0.08)
    opacity = torch.zeros(n, size, size)
    for side in (-1, 1):
        present = (uniform(n, 0, 1, generator) < 0.75).float()
        at_y, at_x = cy + random(-0.25, 0.50), cx + side * 0.45 + random(-0.12, 0.12)
        blob = disc(y, x, at_y, at_x, random(0.15, 0.40), random(0.7, 1.2))
        opacity = torch.maximum(opacity, blob * present)
    ragged = (0.75 + 0.5 * noise(n, size, 7, generator)).clamp_(0, 1.3)
    blurred = F.avg_pool2d(opacity[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    image = image + strength * blurred * ragged * lungs
    image = (image - 0.5) * random(0.8, 1.2) + 0.5 + random(-0.06, 0.06)  # exposure
    return (image + 0.02 * torch.randn(n, size, size, generator=generator))[:, None]


def paint_findings(labels, size: int, generator):
    """Normal chest phantoms with one finding of ``CHEST_FINDINGS`` painted over; N×1×S×S."""
    n = len(labels)
    y, x = pixel_grid(size)

    def random(low, high):
        return uniform(n, low, high, generator)

    image = paint_chest(torch.zeros_like(labels), size, generator)[:, 0]
    side = (torch.rand(n, generator=generator) < 0.5).float()[:, None, None] * 2 - 1

    def present(finding):
        return (labels == CHEST_FINDINGS.index(finding)).float()[:, None, None]

    level = random(0.25, 0.5) + 0.15 * (x - side * 0.5).square() * 4
    fluid = ((y - level) * 14).sigmoid() * disc(y, x, 0.1, side * 0.45, 0.75, 0.6)
    image = image + present("effusion") * fluid * random(0.25, 0.45)
    heart = disc(y, x, 0.36, 0.12, random(0.42, 0.55), random(1.1, 1.5))
    image = image + present("large heart") * heart * random(0.2, 0.35)
    for _ in range(3):
        spot = disc(y, x, random(-0.4, 0.4), side * random(0.3, 0.6), random(0.06, 0.13))
        image = image + present("nodules") * spot * random(0.2, 0.4)
        side = -side
    dark = disc(y, x, random(-0.35, -0.1), side * random(0.5, 0.65), random(0.25, 0.4), 0.6)
    image = image - present("pneumothorax") * dark * random(0.15, 0.3)
    return image[:, None]


def paint_ultrasound(labels, size: int, generator):
    return ultrasound_and_lesion(labels, size, generator)[0]


def ultrasound_and_lesion(labels, size: int, generator, *, views: int = 1, contrast=1.0):
    """The images N×1×S×S, and soft masks N×S×S of the lesions in them, without their shadows.

    ``labels`` are those of patients, of whom ``views`` images each follow each other: tissue, lesion and brightness are
    the patient's, only the place of the lesion and the speckle are the image's. ``contrast`` (a number, or one for each
    patient) takes the lesion and its shadow back to the tissue: at 0 nothing is seen.
    """
    people, n = len(labels), len(labels) * views
    y, x = pixel_grid(size)

    def each(values):
        return values.repeat_interleave(views, 0)

    def random(low, high):
        return each(uniform(people, low, high, generator))

    malignant = each((labels == 0).float()[:, None, None])
    seen = each(torch.as_tensor(contrast).expand(people)[:, None, None])
    layers = 0.42 + 0.16 * (random(5, 8) * y + 1.5 * each(noise(people, size, 3, generator))).sin()
    image = layers + 0.10 * each(noise(people, size, 6, generator))
    cy, cx = uniform(n, -0.25, 0.2, generator), uniform(n, -0.25, 0.25, generator)
    radius = random(0.24, 0.42)
    theta = torch.atan2(y - cy, x - cx)
    rough = malignant * random(0.08, 0.26) + (1 - malignant) * random(0.0, 0.09)
    coarse = (random(3, 5).round() * theta + random(0, 6)).sin()
    fine = (random(6, 9).round() * theta + random(0, 6)).sin()
    border = 1 + rough * (coarse + 0.7 * fine)
    aspect = malignant * random(0.75, 1.15) + (1 - malignant) * random(1.05, 1.6)  # malignant: taller than wide
    lesion = disc(y, x, cy, cx, radius * border, aspect)
    image = image.lerp(random(0.10, 0.24).expand_as(image), lesion * seen)
    column = (-((x - cx) / (radius * aspect)).square() * 1.5).exp()
    below = ((y - cy - 0.5 * radius) * 6).sigmoid() * column * (1 - lesion)
    echo = malignant * random(-0.26, 0.04) + (1 - malignant) * random(-0.06, 0.22)  # shadow, or enhancement
    image = image + echo * below * seen
    speckle = torch.rand(n, size, size, generator=generator).clamp_(min=1e-6).log_().neg_().sqrt_()  # Rayleigh
    grain = 0.5 * min(1.0, size / 96)  # small pixels show single speckles, large ones average over several
    depth = 1.15 - 0.30 * (y + 1) * random(0.5, 1.2)  # echoes fade with depth
    return (image.clamp_(min=0.02) * depth * (1 + grain * (speckle - 0.886)) * random(0.8, 1.2))[:, None], lesion
