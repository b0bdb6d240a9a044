"""What a network answers: probabilities whatever the batch size, and what becomes of bytes."""

import pytest
import torch
from blobs import blobs, network

from medtl_helpers.methods.predict import predict, to_float


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_predict_gives_the_softmax_of_the_logits_whatever_the_batch_size(batch_size):
    model, (x, _) = network(), blobs(30)
    probability = predict(model, x, batch_size=batch_size)
    with torch.no_grad():
        wanted = model.cpu()(x).exp() / model(x).exp().sum(1, keepdim=True)
    assert probability.dtype == torch.float32 and probability.device.type == "cpu" and not probability.requires_grad
    torch.testing.assert_close(probability, wanted, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(probability.sum(1), torch.ones(30))


def test_bytes_become_minus_one_to_one_and_floats_stay_as_they_are():
    x = torch.tensor([0, 51, 255], dtype=torch.uint8)
    torch.testing.assert_close(to_float(x), torch.tensor([-1, -0.6, 1]))
    assert x.tolist() == [0, 51, 255]
    already = torch.tensor([0.0, 51.0, 255.0])
    assert torch.equal(to_float(already), already) and already.tolist() == [0, 51, 255]
