"""Patients as units: the values are scikit-learn's, the intervals those of drawing whole patients by hand."""

import numpy as np
import pytest
from sklearn import metrics as sk

from medtl_helpers.methods.patient_units import drawn_weights, patient_metrics


def cases(patients=40, images=5, classes=2):
    """Images of a patient share the patient's own error, so they are far from independent."""
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(patients) % classes, images)
    who = np.repeat([f"P{k:02}" for k in range(patients)], images)
    own = np.repeat(rng.normal(0, 1.5, (patients, classes)), images, axis=0)
    logits = np.eye(classes)[y] * 1.5 + own + rng.normal(0, 0.1, (len(y), classes))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return y, p, who


@pytest.mark.parametrize(("classes", "positive"), [(2, 1), (3, None)])
def test_the_values_are_those_of_scikit_learn(classes, positive):
    y, p, who = cases(classes=classes)
    found = {name: one.value for name, one in patient_metrics(y, p, who, positive=positive, resamples=50).items()}
    auroc = sk.roc_auc_score(y, p[:, 1]) if classes == 2 else sk.roc_auc_score(y, p, multi_class="ovr")
    assert found == pytest.approx(
        {
            "accuracy": sk.accuracy_score(y, p.argmax(1)),
            "balanced accuracy": sk.balanced_accuracy_score(y, p.argmax(1)),
            "AUROC": auroc,
            "log loss": sk.log_loss(y, p),
        }
    )


def test_the_limits_are_those_of_drawing_whole_patients_one_draw_after_the_other():
    y, p, who = cases()
    found, rng, drawn = patient_metrics(y, p, who, positive=1, resamples=300)["AUROC"], np.random.default_rng(7), []
    names = np.unique(who)
    for _ in range(300):
        rows = np.concatenate([np.flatnonzero(who == name) for name in rng.choice(names, len(names))])
        drawn.append(sk.roc_auc_score(y[rows], p[rows, 1]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)
    assert found.n == 40 and found.kind == "bootstrap over patients"


def test_images_of_one_patient_do_not_count_as_patients():
    y, p, who = cases()
    whole, single = patient_metrics(y, p, who, positive=1), patient_metrics(y, p, positive=1)
    for name in whole:
        assert whole[name].high - whole[name].low > 1.5 * (single[name].high - single[name].low), name


def test_a_patient_is_drawn_with_all_images():
    y, _, who = cases(patients=6, images=3)
    weights = drawn_weights(y, who, resamples=20)
    assert (weights.reshape(20, 6, 3).std(2) == 0).all() and (weights.sum(1) == 18).all()
    assert (weights[:, y == 0].sum(1) > 0).all() and (weights[:, y == 1].sum(1) > 0).all()


def test_all_right_is_no_certainty():
    y = np.arange(20) % 2
    found = patient_metrics(y, np.eye(2)[y], positive=1, resamples=50)
    for name in ("accuracy", "balanced accuracy", "AUROC"):
        assert found[name].value == found[name].high == 1 and 0.7 < found[name].low < 0.9
