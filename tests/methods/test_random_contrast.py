"""Random contrast moves nothing, keeps or turns the order of tones, and makes all kinds of colours."""

import torch

from medtl_helpers.methods.random_contrast import random_contrast


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def ramp(n, channels=1):
    """Every tone once, the same in each channel."""
    return torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(n, channels, -1, -1).contiguous()


def test_tones_rise_or_fall_from_dark_to_bright_and_each_happens_half_of_the_time():
    out = random_contrast(ramp(400, 3), generator()).flatten(2).int()
    rises, falls = ((step >= 0).all(-1) for step in (out.diff(dim=-1), -out.diff(dim=-1)))
    assert (rises.all(1) | falls.all(1)).all()  # all channels of one image alike
    assert 160 < rises.all(1).sum() < 240
    span = (out.amax(-1) - out.amin(-1)).float()
    assert span.min() < 80 and span.max() > 230


def test_the_curve_is_the_line_through_its_knots():
    """Written out with the same random numbers, for one channel, whose mix with itself changes nothing."""
    random = generator(5)
    torch.rand(1, 1, 1, generator=random)
    heights = torch.rand(1, 1, 6, generator=random).sort(-1).values.flatten()
    if torch.rand(1, 1, 1, generator=random) >= 0.5:
        heights = heights.flip(0)
    out = random_contrast(ramp(1), generator(5)).flatten().tolist()
    for value in range(256):
        at = value / 255 * 5
        k = min(int(at), 4)
        wanted = 255 * (heights[k] + (heights[k + 1] - heights[k]) * (at - k)).item()
        assert abs(out[value] - wanted) <= 0.51


def test_equal_pixels_stay_equal_so_that_the_outlines_do():
    regions = torch.randint(0, 4, (5, 1, 12, 12), generator=generator(1))
    colours = torch.randint(0, 256, (5, 3, 4), generator=generator(2))
    x = colours.gather(2, regions.expand(-1, 3, -1, -1).flatten(2)).view(5, 3, 12, 12).to(torch.uint8)
    out = random_contrast(x, generator())
    for image, region in zip(out, regions[:, 0], strict=True):
        assert all(len(image[:, region == k].unique(dim=1).T) == 1 for k in region.unique())


def test_grey_images_get_colours_and_each_image_its_own():
    out = random_contrast(ramp(50, 3), generator()).int()
    assert ((out[:, 0] - out[:, 1]).abs().amax((1, 2)) > 20).float().mean() > 0.8
    assert len(out.flatten(1).unique(dim=0)) == 50


def test_colours_that_only_one_channel_tells_apart_stay_apart():
    x = torch.zeros(200, 3, 4, 4, dtype=torch.uint8)
    x[:, 1, :2] = 200
    out = random_contrast(x, generator()).int()
    assert ((out[:, :, 0, 0] - out[:, :, 3, 3]).abs().amax(1) > 20).all()


def test_the_generator_alone_decides_and_constant_or_no_images_are_fine():
    x = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8, generator=generator(3))
    torch.manual_seed(0)
    first = random_contrast(x, generator(4))
    torch.manual_seed(9)
    assert torch.equal(random_contrast(x, generator(4)), first)
    assert not torch.equal(random_contrast(x, generator(5)), first) and first.dtype == torch.uint8
    assert len(random_contrast(x[:1, :, :1, :1], generator()).unique()) >= 1
    assert random_contrast(x[:0], generator()).shape == (0, 3, 8, 8)
