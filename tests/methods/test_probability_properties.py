"""Labels and probabilities as float32 arithmetic makes them: what is measured does not depend on how they are held."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medtl_helpers.labels import as_labels, as_numbers, as_probabilities, as_share, as_yes_no
from medtl_helpers.methods import calibration, label_shift, metrics, operating_point

FEW = settings(max_examples=40, deadline=None)
HELD = {
    "float64": lambda a: a,
    "a list": lambda a: a.tolist(),
    "float32": lambda a: a.astype("float32"),
    "a tensor": torch.tensor,
    "a tensor with a gradient": lambda a: torch.tensor(a, requires_grad=True),
    "in columns": np.asfortranarray,
    "backwards": lambda a: a[::-1][::-1],
    "of another machine": lambda a: a.astype(">f8"),
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
}


@st.composite
def answers(draw, most=5):
    """Labels of N cases, each class among them, and float32 logits N×K with ties and huge numbers."""
    classes = draw(st.integers(2, most))
    n = draw(st.integers(classes, 12))
    y = np.r_[np.arange(classes), draw(arrays(np.int64, n - classes, elements=st.integers(0, classes - 1)))]
    values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.1, 30.0, -90.0, 1e4]) | st.floats(-20, 20, width=32)
    return y, torch.tensor(draw(arrays(np.float32, (n, classes), elements=values)))


@FEW
@given(answers(), st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]))
def test_every_softmax_is_taken_whatever_its_precision(given_, dtype):
    _, logits = given_
    p = logits.softmax(1).to(dtype)
    taken = as_probabilities(p)
    assert taken.dtype == np.float64 and np.array_equal(taken, p.double().numpy())


@FEW
@given(answers(most=2))
def test_one_minus_p_is_taken_with_what_float32_puts_below_zero(given_):
    y, logits = given_
    q = logits.softmax(1)[:, 1] * np.float32(1 + 6e-8)  # at most one step above 1
    p = torch.stack([1 - q, q], 1)
    taken = as_probabilities(p)
    assert taken.min() >= 0 and taken.max() <= 1 and np.abs(taken - p.numpy()).max() < 1e-6
    assert operating_point.operating_point(y, q)["sensitivity"].n == y.sum()


@FEW
@given(answers(), st.sampled_from(list(HELD)))
def test_how_they_are_held_changes_no_figure(given_, held):
    y, logits = given_
    p = logits.softmax(1).double().numpy()
    p = p.astype("float32").astype("float64")  # the same numbers in both
    found = metrics.bootstrap_metrics(y, HELD[held](p), resamples=5)
    assert found == metrics.bootstrap_metrics(torch.tensor(y).int(), p, resamples=5)
    assert calibration.calibration_error(HELD[held](p), y.tolist()) == calibration.calibration_error(p, y)


@FEW
@given(answers())
def test_new_frequencies_give_probabilities_again_and_the_old_ones_change_nothing(given_):
    _, logits = given_
    p = logits.softmax(1)
    weights = np.arange(1, p.shape[1] + 1)
    new = label_shift.reweighted(p, weights)
    assert np.array_equal(as_probabilities(new), new) and np.allclose(new.sum(1), 1, atol=1e-6)
    assert np.allclose(label_shift.reweighted(p, np.ones(p.shape[1], "int8")), p, atol=1e-6)


@FEW
@given(answers())
def test_logits_are_never_taken_for_probabilities(given_):
    _, logits = given_
    inside = bool(((logits >= 0) & (logits <= 1)).all())
    adds_up = bool((logits.sum(1) - 1).abs().max() <= 0.05 * logits.shape[1])
    if inside and adds_up:
        return
    with pytest.raises(ValueError, match="softmax of"):
        as_probabilities(logits)


@FEW
@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 4))), st.data())
def test_nan_and_infinite_numbers_are_counted_and_never_measured(values, data):
    at = data.draw(st.integers(0, values.size - 1))
    values.flat[at] = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    with pytest.raises(ValueError, match=rf"^{(~np.isfinite(values)).sum()} .* are not finite numbers"):
        as_probabilities(values)


@FEW
@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.sampled_from("bBhHiIlL?"))
def test_labels_of_every_whole_type_are_the_same(y, code):
    held = np.array(y).astype(code)
    wanted = held.astype(int)
    for same in (held, held.tolist(), held[::-1][::-1], memoryview(held)):
        assert np.array_equal(as_labels(same, len(y)), wanted)


@pytest.mark.parametrize(
    "wrong", [[0.0, 1.0], ["0", "1"], [0, None], [-1, 0], [[0], [1]], "01", None, 5, {0: 1}, {0, 1}]
)
def test_what_are_no_labels_is_refused(wrong):
    with pytest.raises(ValueError, match=r"^The labels"):
        as_labels(wrong, 2)


@FEW
@given(st.lists(st.sampled_from([0, 1, True, False, 0.0, 1.0, -0.0]), min_size=2, max_size=9))
def test_yes_and_no_may_be_numbers_and_texts_may_not(values):
    if len(set(map(bool, values))) == 2:
        assert as_yes_no(values, len(values), "sick").tolist() == [v == 1 for v in values]
    else:
        with pytest.raises(ValueError, match="are of one class"):
            as_yes_no(values, len(values), "sick")
    for wrong in (2, 0.5, np.nan):
        with pytest.raises(ValueError, match="are not all true or false"):
            as_yes_no([*values, wrong], len(values) + 1, "sick")
    with pytest.raises(ValueError, match="text"):
        as_yes_no([*map(str, values)], len(values), "sick")


@pytest.mark.parametrize("share", [0.5, np.float32(0.5), torch.tensor(0.5), np.array(0.5)])
def test_a_share_may_be_any_one_number(share):
    assert as_share(share, "level") == 0.5


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 95, float("nan"), "0.5", None, True, [0.5, 0.6], {}])
def test_what_is_no_share_is_refused(wrong):
    with pytest.raises(ValueError, match=r"^level is .*: give a share between 0 and 1"):
        as_share(wrong, "level")
    assert as_share(1, "threshold", ends=True) == 1


def test_numbers_have_the_shape_that_is_asked_for():
    assert as_numbers([1, 2], "values").dtype == float
    with pytest.raises(ValueError, match=r"have shape \(1, 2\): give one number for each case, N\."):
        as_numbers([[1, 2]], "values")
    with pytest.raises(ValueError, match="There are no values"):
        as_numbers([], "values")
