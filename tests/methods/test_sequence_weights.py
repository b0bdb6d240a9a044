"""The embedded weights of the sequence network: read back, told, and refused where they do not fit."""

import pytest
import torch
from random_dna import letters, one_hot_of

from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.sequence_nets import SequenceCNN
from medtl_helpers.methods.sequence_weights import load_splice_cnn, save_splice_cnn
from medtl_helpers.provenance import noted

X = one_hot_of(letters(16, 60))


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    model, path = SequenceCNN(3).eval(), tmp_path / "folder" / "net.pt"
    save_splice_cnn(model, path)
    return model, path


def test_what_was_written_is_read_to_half_precision(saved):
    model, path = saved
    loaded = load_splice_cnn(weights=path, quiet=True)
    for ours, wanted in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, wanted.half().float())
    assert loaded.weights.provenance == "stand-in" and path.stat().st_size < 400_000 and not loaded.training


def test_another_number_of_classes_gets_a_new_head_and_the_same_stages(saved):
    _, path = saved
    whole, new = (load_splice_cnn(classes, weights=path, quiet=True) for classes in (None, 2))
    assert new(X).shape == (16, 2) and whole(X).shape == (16, 3)
    assert torch.equal(new.features(X), whole.features(X))
    torch.manual_seed(5)
    first = load_splice_cnn(2, weights=path, quiet=True).head.weight
    torch.manual_seed(6)
    assert not torch.equal(first, load_splice_cnn(2, weights=path, quiet=True).head.weight)


def test_what_was_loaded_is_said_and_noted(capsys):
    model = load_splice_cnn(weights="random")
    assert "RANDOM weights" in capsys.readouterr().out and noted()[1]["splice_cnn"] == "random"
    assert model.weights.path is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no torch file", "is no readable torch weight file"),
        ({"head.weight": torch.zeros(3, 64)}, r"does not hold the weights of SequenceCNN\(3\)"),
        ([1, 2], "is no readable torch weight file"),
        (SequenceCNN(3, width=8).state_dict(), "does not hold the weights"),
        (
            SequenceCNN(3).state_dict() | {"head.bias": torch.tensor([0.0, torch.nan, 0.0])},
            "not finite",
        ),
    ],
    ids=["bytes", "other names", "a list", "another width", "NaN"],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, said):
    path = tmp_path / "x.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ValueError, match=said):
        load_splice_cnn(weights=path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weight file .*x\.pt: correct the path"):
        load_splice_cnn(weights=tmp_path / "x.pt")


def test_the_embedded_file_is_small_and_loads():
    assert embedded_file("splice_cnn").stat().st_size < 400_000
    assert load_splice_cnn(quiet=True).weights.provenance == "drawn sites"
