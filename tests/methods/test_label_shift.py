"""Label shift: a case whose confusion is known, a search by brute force, and Bayes' rule by hand."""

import numpy as np
import pytest

from medtl_helpers.methods.label_shift import label_shift_weights, reweighted

CONFUSION = np.array([[0.8, 0.1, 0.0], [0.2, 0.7, 0.3], [0.0, 0.2, 0.7]])  # column j: how class j is called


def answers(counts, confusion=CONFUSION):
    """One-hot answers and labels with exactly these confusions; ``counts`` in tens."""
    said, y = [], []
    for true, count in enumerate(counts):
        for called, share in enumerate(confusion[:, true]):
            repeats = round(share * count)
            said += [np.eye(3)[called]] * repeats
            y += [true] * repeats
    return np.array(said), np.array(y)


def test_a_known_confusion_gives_back_the_frequencies_exactly():
    here, there = np.array([300, 500, 200]), np.array([600, 100, 300])
    said, y = answers(here)
    weights = label_shift_weights(said, y, answers(there)[0])
    np.testing.assert_allclose(weights, there / here, atol=1e-12)
    called = np.bincount(answers(there)[0].argmax(1)) / 1000
    np.testing.assert_allclose(weights * here / 1000, np.linalg.solve(CONFUSION, called), atol=1e-12)  # the formula


def test_equal_frequencies_give_weights_of_one():
    said, y = answers([100, 100, 100])
    np.testing.assert_allclose(label_shift_weights(said, y, said), 1, atol=1e-12)


def test_counts_that_no_mixture_explains_give_the_closest_one():
    """The target's answers are all class 0, which is said of 80 % of its cases at most: no frequency is negative."""
    said, y = answers([100, 100, 100])
    weights = label_shift_weights(said, y, np.eye(3)[[0] * 50])
    grid = np.stack(np.meshgrid(*[np.linspace(0, 4, 161)] * 3, indexing="ij"), -1).reshape(-1, 3)
    error = ((grid @ (CONFUSION / 3).T - [1, 0, 0]) ** 2).sum(1)
    closest = grid[error.argmin()]
    np.testing.assert_allclose(weights, closest / closest.mean(), atol=0.03)
    assert (weights >= 0).all() and weights.mean() == pytest.approx(1)


def test_sampled_answers_come_close():
    rng = np.random.default_rng(0)

    def drawn(prior, n):
        y = rng.choice(3, n, p=prior)
        return np.eye(3)[[rng.choice(3, p=CONFUSION[:, k]) for k in y]], y

    weights = label_shift_weights(*drawn([1 / 3] * 3, 3000), drawn([0.1, 0.2, 0.7], 3000)[0])
    np.testing.assert_allclose(weights / 3, [0.1, 0.2, 0.7], atol=0.05)


def test_reweighting_is_bayes_rule():
    """Two normal classes: the posterior of the new frequencies, from the densities and from the old posterior."""
    x = np.linspace(-3, 3, 41)[:, None]
    density = np.exp(-((x - np.array([-1.0, 1.0])) ** 2) / 2)

    def posterior(prior):
        joint = density * prior
        return joint / joint.sum(1, keepdims=True)

    old, new = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    np.testing.assert_allclose(reweighted(posterior(old), new / old), posterior(new), atol=1e-12)


def test_reweighting_keeps_a_case_that_only_weightless_classes_explain():
    kept = reweighted([[1.0, 0.0], [0.5, 0.5]], [0.0, 2.0])
    np.testing.assert_array_equal(kept, [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.eye(3), [0, 1], np.eye(3)), "for 3 cases"),
        ((np.eye(3), [0, 1, 2], np.eye(2)), "of 3 classes, the target of 2"),
        ((np.eye(3), [0, 1, 1], np.eye(3)), r"\[1, 2, 0\]"),
        ((np.eye(3)[[0, 0, 1]], [0, 1, 2], np.eye(3)), "tell all classes apart"),
        ((np.eye(3) * np.nan, [0, 1, 2], np.eye(3)), "finite"),
    ],
)
def test_what_cannot_be_estimated_is_said(arguments, words):
    with pytest.raises(ValueError, match=words):
        label_shift_weights(*arguments)


@pytest.mark.parametrize("weights", [[1, 1, 1], [-1, 2], [0, 0]])
def test_weights_that_are_none_are_named(weights):
    with pytest.raises(ValueError, match="give 2 numbers of 0 or more"):
        reweighted([[0.5, 0.5]], weights)
