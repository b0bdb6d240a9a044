"""A regression on all stages as a network: its answers are scikit-learn's, and those of ``stage_features``."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import medtl_helpers as mtl
from medtl_helpers.methods.all_stages import AllStages, all_stages_regression


@pytest.mark.parametrize(("classes", "channels"), [(2, 1), (4, 3)])
def test_it_answers_as_the_pipeline_of_scikit_learn(random, classes, channels):
    torch.manual_seed(0)
    trunk = mtl.CourseCNN(channels, classes)
    x = torch.randint(0, 256, (60, channels, 16, 16), generator=random).byte()
    y = torch.arange(60) % classes
    features = mtl.stage_features(trunk, x)
    model = all_stages_regression(trunk, features, y, classes, 0.1)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(features.numpy(), y)
    np.testing.assert_allclose(mtl.predict(model, x), pipeline.predict_proba(features.numpy()), atol=2e-4)
    torch.testing.assert_close(model.features(mtl.to_float(x)), features)
    assert not model.training and model.frozen == set(trunk.stages) and list(model.parts())[-1] == "head"
    again = AllStages(mtl.CourseCNN(channels, classes), features.shape[1], classes)
    again.load_state_dict(model.state_dict())
    torch.testing.assert_close(mtl.predict(again, x), mtl.predict(model, x))


def test_a_class_without_an_example_is_told(random):
    trunk = mtl.CourseCNN(1, 3)
    features = torch.randn(10, 4, generator=random)
    with pytest.raises(ValueError, match="Class 1 has no training example"):
        all_stages_regression(trunk, features, torch.arange(10) % 2 * 2, 3, 1.0)
