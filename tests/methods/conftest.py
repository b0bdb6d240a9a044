"""What several tests of methods start from."""

import pytest
import torch
from small_models import CLASSES, INPUTS, N
from weight_samples import LAYOUTS, WIDTHS, h5, keras_arrays, small_resnet, statistics

from medtl_helpers import provenance
from medtl_helpers.methods import weight_files
from medtl_helpers.methods.weight_files import write_vgg16


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def data(random):
    x = torch.randn(N, INPUTS, generator=random, dtype=torch.float64)
    return x, torch.arange(N) % CLASSES


@pytest.fixture(scope="module")
def one_processor_thread():
    """Small networks: more threads only wait for each other. Rounding is compared on the processor."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDTL_DEVICE", "cpu")
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def nothing_fetched(monkeypatch, tmp_path):
    """Empty data folder and caches, no MEDTL_VGG16, and a report of its own."""
    for name in ("MEDTL_DATA", "KERAS_HOME", "TORCH_HOME"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("MEDTL_VGG16", raising=False)
    monkeypatch.setattr(provenance, "_weights", {})


@pytest.fixture(scope="module")
def convolutions():
    """VGG16's, random and already rounded to half precision."""
    generator = torch.Generator().manual_seed(0)
    pairs = zip([3, *WIDTHS], WIDTHS, strict=False)
    made = [
        (torch.randn(o, i, 3, 3, generator=generator) * (2 / (9 * i)) ** 0.5, torch.randn(o, generator=generator) / 10)
        for i, o in pairs
    ]
    return [(kernel.half().float(), bias.half().float()) for kernel, bias in made]


@pytest.fixture(scope="module")
def trunk(convolutions, tmp_path_factory):
    """A file in the layout of Keras 3, uncompressed: quick to read."""
    arrays = keras_arrays(convolutions, *LAYOUTS["Keras 3 .weights.h5"])
    return h5(tmp_path_factory.mktemp("trunk") / "trunk.weights.h5", arrays)


@pytest.fixture(scope="module")
def written(convolutions, tmp_path_factory):
    """A file as ``write_vgg16`` writes it."""
    path = tmp_path_factory.mktemp("written") / "trunk.weights.h5"
    write_vgg16(path, convolutions)
    return path


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("resnet") / "resnet.pt"
    weight_files.write_resnet(path, small_resnet())
    return path


@pytest.fixture(scope="module")
def torchvision_file(tmp_path_factory):
    """A state dict of torchvision's ResNet-18, as it is downloaded: with its head, in full precision."""
    from torchvision.models import resnet18

    torch.manual_seed(4)
    theirs = resnet18(num_classes=5)
    statistics(theirs)
    path = tmp_path_factory.mktemp("torchvision") / "resnet18.pth"
    torch.save(theirs.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def keras_vgg16():
    import keras

    return keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
