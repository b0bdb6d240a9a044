"""Planted marks: on the share that was asked for, where their mask says, and nothing else of the image changes."""

import pytest
import torch

from medtl_helpers.data.marks import CORNERS, LETTERS, draw_marked_ultrasound, plant_marks
from medtl_helpers.data.phantoms import draw_ultrasound

Y = torch.arange(400) % 2


def test_images_and_lesions_are_those_without_marks_but_for_the_mark():
    x, lesions = draw_ultrasound(Y, 32, seed=5)
    marked, same, marks = draw_marked_ultrasound(Y, 32, seed=5)
    assert torch.equal(lesions, same) and marked.dtype == torch.uint8 and marks.dtype == torch.bool
    assert torch.equal(marked[:, 0][~marks], x[:, 0][~marks])
    has = marks.flatten(1).any(1)
    assert ((marked != x).flatten(1).any(1) == has).all()
    assert (marked[has].flatten(1).max(1).values == 255).all()


def test_each_class_has_its_share_and_a_larger_share_holds_a_smaller_one():
    def has(share):
        return draw_marked_ultrasound(Y, 24, share=share, seed=2)[2].flatten(1).any(1)

    some = has({0: 0.9, 1: 0.1})
    assert 0.84 < some[Y == 0].float().mean() < 0.96 and 0.04 < some[Y == 1].float().mean() < 0.16
    assert not has({0: 0, 1: 0}).any() and has({0: 1, 1: 1}).all()
    more = has({0: 0.95, 1: 0.5})
    assert (more | ~some).all() and more.sum() > some.sum()
    assert torch.equal(has(None), some)


@pytest.mark.parametrize("at", CORNERS)
def test_a_mark_that_has_moved_is_on_the_same_images_in_its_corner(at):
    here, lesions, marks = draw_marked_ultrasound(Y[:40], 40, seed=1)
    there, same, moved = draw_marked_ultrasound(Y[:40], 40, at=at, seed=1)
    assert torch.equal(lesions, same) and torch.equal(marks.flatten(1).any(1), moved.flatten(1).any(1))
    kept = ~(marks | moved)
    assert torch.equal(here[:, 0][kept], there[:, 0][kept])
    rows, columns = moved.nonzero()[:, 1:].float().mean(0).tolist()
    assert (rows > 20, columns > 20) == tuple(map(bool, CORNERS[at]))


def test_letters_differ_in_form_size_and_strength():
    x = torch.full((1, 3, 30, 30), 100, dtype=torch.uint8)
    shapes = {letter: plant_marks(x, [True], letter=letter, mark_size=5)[0] for letter in LETTERS}
    assert len({image.numpy().tobytes() for image in shapes.values()}) == len(LETTERS)
    image, mark = plant_marks(x, [True], letter="L", mark_size=5)
    box = image[0, 0][mark[0]].view(5, 4)
    assert [["0", "1"][int(dot)] for dot in (box == 255).flatten()] == list("".join(LETTERS["L"]))
    assert plant_marks(x, [True], mark_size=10)[1].sum() == 80
    assert plant_marks(x, [True], strength=0.2)[0].max() == 131 and torch.equal(
        plant_marks(x, [True], strength=0)[0], x
    )
    assert (x == 100).all()
    assert torch.equal(plant_marks(x, [False])[0], x)
