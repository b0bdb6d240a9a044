"""The loop of all pre-training without labels: AdamW by hand, and a loss that is no number."""

import pytest
import torch
from torch import nn

from medtl_helpers.methods.nets import StagedNet
from medtl_helpers.methods.unlabelled import check_unlabelled, train_without_labels

X = torch.randn(10, 3, generator=torch.Generator().manual_seed(1))


def small() -> StagedNet:
    torch.manual_seed(0)
    model = StagedNet({"one": nn.Linear(3, 2)}, 2, 2)
    model.pool = nn.Identity()
    return model


def test_it_is_adamw_over_shuffled_batches():
    models = small(), small()
    epochs, batch_size, generator, device = check_unlabelled(3, 4, 1e-2, 7, "cpu")
    assert (epochs, batch_size, device.type) == (3, 4, "cpu")
    loss = lambda part, generator: models[0].features(part).square().mean()  # noqa: E731
    history = train_without_labels(
        models[0], X, models[0].stages.parameters(), loss, epochs=3, batch_size=4, lr=1e-2, generator=generator
    )
    generator, optimizer = torch.Generator().manual_seed(7), torch.optim.AdamW(models[1].stages.parameters(), 1e-2)
    for epoch in range(3):
        losses = []
        for rows in torch.randperm(10, generator=generator).split(4):
            value = models[1].features(X[rows]).square().mean()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            losses += [value.item()] * len(rows)
        assert history.train_loss[epoch] == pytest.approx(sum(losses) / 10)
    assert torch.equal(*(model.stages["one"].weight for model in models)) and not models[0].training


def test_a_loss_that_is_no_number_is_told():
    model = small()
    options = {"epochs": 2, "batch_size": 4, "lr": 0.5, "generator": torch.Generator().manual_seed(0)}
    loss = lambda part, generator: model.features(part).sum() * float("nan")  # noqa: E731
    with pytest.raises(FloatingPointError, match="The loss is nan in epoch 1 at learning rate"):
        train_without_labels(model, X, model.stages.parameters(), loss, **options)
