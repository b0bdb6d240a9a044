"""A logistic regression on the features of all stages, as one network: Head2Toe without its selection of features.

[1] Evci et al., Head2Toe, ICML 2022, arXiv 2201.03529
"""

import torch

from .nets import StagedNet


class AllStages(StagedNet):
    """A trained trunk, shared with the one given, whose linear head reads all its stages.

    ``features`` are those of ``stage_features``: mean and maximum over the pixels of every channel of every stage.
    ``width`` is their number.
    """

    def __init__(self, trunk: StagedNet, width: int, classes: int):
        super().__init__(dict(trunk.stages.items()), width, classes, trunk.input)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """N×``width`` features of images N×C×H×W (float32 in −1..1)."""
        x, row = self.input(x), []
        for stage in self.stages.values():
            x = stage(x)
            row += [x.mean((2, 3)), x.amax((2, 3))] if x.ndim == 4 else [x]
        return torch.cat(row, 1)


def all_stages_regression(trunk: StagedNet, features, y, classes: int, c: float) -> AllStages:
    """Fit scikit-learn's logistic regression with the inverse penalty ``c`` on standardised ``features`` of all stages,
    and write it into the head of a network, so that what reads images gives its probabilities.

    ``features`` float32 N×D are those of ``stage_features(trunk, x)``, ``y`` int64 N has every class 0 … K−1.
    Raises ValueError where a class is missing, whose probability nobody could learn.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x, y = features.numpy(), y.numpy()
    if missing := sorted(set(range(classes)) - set(y.tolist())):
        raise ValueError(
            f"Class {', '.join(map(str, missing))} has no training example, so it cannot be learnt: add some, or leave "
            "the class out."
        )
    scaler = StandardScaler().fit(x)
    fitted = LogisticRegression(C=c, max_iter=1000).fit(scaler.transform(x), y)
    weight, bias = torch.from_numpy(fitted.coef_).double(), torch.from_numpy(fitted.intercept_).double()
    if classes == 2:  # scikit-learn keeps one row, of the second class
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    weight = weight / torch.from_numpy(scaler.scale_)
    model = AllStages(trunk, x.shape[1], classes)
    model.head.load_state_dict({"weight": weight, "bias": bias - weight @ torch.from_numpy(scaler.mean_)})
    for part in [*model.stages.values(), model.input]:
        part.requires_grad_(False)
    model.frozen = set(model.stages)
    return model.eval()
