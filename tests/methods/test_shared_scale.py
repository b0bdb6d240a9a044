"""The scale from sums is that of the pooled patients, gaps and all."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from medtl_helpers.methods.shared_scale import column_sums, shared_scale

RNG = np.random.default_rng(0)


def test_sums_say_what_the_pooled_patients_say():
    hospitals = [RNG.normal(loc=[130, 0.2, 55], scale=[18, 0.1, 9], size=(n, 3)) for n in (30, 80, 5)]
    hospitals[0][:, 1] = np.nan  # one never measured it
    hospitals[1][::7, 0] = np.nan
    scale, pooled = shared_scale(map(column_sums, hospitals)), np.concatenate(hospitals)
    sklearn = StandardScaler().fit(pooled)
    np.testing.assert_allclose(scale.mean, sklearn.mean_)
    np.testing.assert_allclose(scale.deviation, sklearn.scale_)
    wanted = np.nan_to_num(sklearn.transform(hospitals[0]))
    np.testing.assert_allclose(scale.apply(hospitals[0]).numpy(), wanted, atol=1e-5)
    assert not scale.apply(hospitals[0])[:, 1].any()


def test_a_column_that_nobody_has_or_that_never_varies_stays_finite():
    x = np.column_stack([np.full(4, np.nan), np.full(4, 3.0), np.arange(4)])
    scale = shared_scale([column_sums(x)])
    assert scale.mean.tolist() == [0, 3, 1.5] and scale.deviation[:2].tolist() == [1, 1]
    assert scale.apply(x)[:, :2].abs().sum() == 0
