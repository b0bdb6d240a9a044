"""The embedded weights of the graph network: read back, told, and refused where they do not fit."""

import pytest
import torch
from random_molecules import random_molecules

from medtl_helpers.assets import recorded
from medtl_helpers.data.molecule_twins import molecule_twin
from medtl_helpers.data.molecules import DESCRIPTORS
from medtl_helpers.methods.embedded_weights import embedded_file
from medtl_helpers.methods.graph import GraphNet
from medtl_helpers.methods.graph_training import predict_graphs
from medtl_helpers.methods.graph_weights import load_graph_net, molecule_net, save_graph_net
from medtl_helpers.provenance import noted

X = random_molecules(4)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    torch.manual_seed(0)
    model, path = molecule_net().eval(), tmp_path_factory.mktemp("weights") / "folder" / "net.pt"
    save_graph_net(model, path)
    return model, path


def test_what_was_written_is_read_to_half_precision(saved):
    model, path = saved
    loaded = load_graph_net(weights=path, quiet=True)
    for ours, wanted in zip(loaded.state_dict().values(), model.state_dict().values(), strict=True):
        assert torch.equal(ours, wanted.half().to(wanted.dtype))
    assert loaded.weights.provenance == "stand-in" and path.stat().st_size < 400_000 and not loaded.training


def test_a_new_head_has_as_many_outputs_and_answers_in_no_unit(saved):
    torch.manual_seed(1)
    model = load_graph_net(3, weights=saved[1], quiet=True)
    assert model(X).shape == (4, 3) and model.mean.tolist() == [0, 0, 0] and model.deviation.tolist() == [1, 1, 1]
    torch.manual_seed(2)
    other = load_graph_net(3, weights=saved[1], quiet=True)
    assert not torch.equal(other.head.weight, model.head.weight)
    assert torch.equal(other.stages["atoms"].linear.weight, model.stages["atoms"].linear.weight)


def test_what_was_loaded_is_said_and_noted(capsys):
    model = load_graph_net(1, weights="random")
    assert "molecule_net: RANDOM weights" in capsys.readouterr().out and noted()[1]["molecule_net"] == "random"
    assert model.weights.path is None and sum(p.numel() for p in model.parameters()) < 100_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no torch file", "is no readable torch weight file"),
        (GraphNet(8, 32).state_dict(), r"hold the weights of GraphNet\(8\): give a file of save_graph_net"),
        (molecule_net().state_dict() | {"head.bias": torch.full((8,), torch.nan)}, "not finite"),
    ],
    ids=["bytes", "another width", "NaN"],
)
def test_files_that_do_not_fit_are_refused(tmp_path, content, said):
    path = tmp_path / "x.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(ValueError, match=said):
        load_graph_net(weights=path)


def test_the_embedded_file_is_small_and_loads(capsys):
    assert embedded_file("molecule_net").stat().st_size < 400_000
    assert load_graph_net(weights="molecules").weights.provenance == "drawn molecules"
    assert "pre-trained on molecules drawn by code" in capsys.readouterr().out


def test_the_embedded_network_names_the_descriptors_of_molecules_that_it_never_saw():
    """Those of the twins, in the units of the record; as well as the record says of other new molecules."""
    record, twin = recorded("pretraining_molecules"), molecule_twin("tox21")
    mean, deviation = (torch.tensor(record["descriptors"][name]) for name in ("mean", "deviation"))
    wanted = (torch.from_numpy(twin["descriptors"]) - mean) / deviation
    found = predict_graphs(load_graph_net(quiet=True), twin["x"])
    r2 = 1 - ((found - wanted) ** 2).mean(0) / wanted.var(0)
    for name, value in zip(DESCRIPTORS, r2.tolist(), strict=True):
        assert value == pytest.approx(record["R² on 1,000 new drawn molecules"][name], abs=0.03), name
