"""The graph network against loops over atoms and dense matrices, and what may make no difference to it."""

import pytest
import torch
from random_molecules import random_molecules, shuffled

import medtl_helpers as mtl
from medtl_helpers.methods.freezing import freeze
from medtl_helpers.methods.graph import AsLists, GraphNet
from medtl_helpers.methods.graph_inputs import SIZES, as_graphs
from medtl_helpers.methods.predict import to_float

X = random_molecules(6)


@pytest.fixture
def exact():
    """float64 for whatever is made in a test."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def network(**options):
    torch.manual_seed(0)
    model = GraphNet(**{"outputs": 3, "width": 8, "depth": 2} | options)
    model.mean.copy_(torch.arange(len(model.mean)))
    model.deviation.copy_(1 + torch.arange(len(model.mean)))
    return model.eval()


def by_hand(model, molecule):
    """The answer to one packed molecule by loops over its atoms, from the weights and the equations alone."""
    own = model.state_dict()
    atoms = [k for k in range(len(molecule)) if molecule[k, 0] > 0]
    h = {}
    for v in atoms:
        bytes_ = torch.cat([torch.eye(size)[int(molecule[v, k])] for k, size in enumerate(SIZES)])
        h[v] = own["stages.atoms.linear.weight"] @ bytes_ + own["stages.atoms.linear.bias"]
    for stage in list(model.stages)[1:]:
        part = {name.removeprefix(f"stages.{stage}."): value for name, value in own.items() if stage in name}
        of_bond = part["sent.weight"].view(4, len(h[atoms[0]]), -1)  # a matrix for each type of bond
        new = {}
        for v in atoms:
            total = part["own.weight"] @ h[v] + part["own.bias"]
            for w in atoms:
                if molecule[v, 6 + w] > 0:
                    total = total + of_bond[int(molecule[v, 6 + w]) - 1] @ h[w]
            normed = (total - total.mean()) / (total.var(correction=0) + 1e-5).sqrt()
            normed = normed * part["norm.weight"] + part["norm.bias"]
            new[v] = h[v] + part["out.weight"] @ normed.clamp_min(0) + part["out.bias"]
        h = new
    total = sum(h.values())
    features = torch.cat([total / len(atoms), total / 16])
    return (own["head.weight"] @ features + own["head.bias"]) * own["deviation"] + own["mean"]


def test_it_computes_what_loops_over_the_atoms_compute(exact):
    model = network()
    with torch.no_grad():
        wanted = torch.stack([by_hand(model, molecule) for molecule in X])
        torch.testing.assert_close(model(X), wanted, rtol=1e-12, atol=1e-12)


def test_one_step_of_messages_is_a_product_with_dense_matrices(exact):
    model = network(depth=1)
    step, graphs = model.stages["messages1"], AsLists()(X[:1])
    h = torch.randn(len(graphs.atoms), 8)
    n = len(h)
    bonds = X[0, :n, 6 : 6 + n]
    sent = [(bonds == kind).to(h) @ (h @ w.T) for kind, w in enumerate(step.sent.weight.view(4, 8, 8), 1)]
    wanted = h + step.out(step.norm(step.own(h) + sum(sent)).relu())
    torch.testing.assert_close(step(graphs._replace(atoms=h)).atoms, wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_atoms_makes_no_difference(exact, seed):
    model, random = network(), torch.Generator().manual_seed(seed)
    other = torch.stack([shuffled(molecule, torch.randperm(12, generator=random)) for molecule in X])
    assert not torch.equal(other, X)
    torch.testing.assert_close(model(other), model(X), rtol=1e-12, atol=1e-12)


def test_rows_without_an_atom_make_no_difference(exact):
    model = network()
    wider = torch.zeros(6, 20, 26, dtype=torch.uint8)
    wider[:, :12, :18] = X
    torch.testing.assert_close(model(wider), model(X), rtol=1e-12, atol=1e-12)
    noisy = X.clone()
    noisy[0, int((X[0, :, 0] > 0).sum()) :, 1:6] = 1  # bytes where there is no atom
    noisy[:, :, 6:] += ((X[:, :, 0] == 0)[:, None, :] & (X[:, :, 0] > 0)[:, :, None]).byte()  # bonds to no atom
    assert not torch.equal(noisy, X)
    torch.testing.assert_close(model(noisy), model(X), rtol=1e-12, atol=1e-12)


def test_a_molecule_is_answered_alike_alone_and_beside_others(exact):
    model = network()
    torch.testing.assert_close(torch.cat([model(X[k : k + 1]) for k in range(6)]), model(X), rtol=1e-12, atol=1e-12)


def test_every_byte_and_every_type_of_bond_makes_a_difference():
    model = network()
    with torch.no_grad():
        for column, size in enumerate(SIZES):
            other = X.clone()
            other[0, 0, column] = (other[0, 0, column] + 1) % size or int(column == 0)
            assert (model(other)[0] - model(X)[0]).abs().max() > 1e-4, column
        bond = int(X[0, 0, 6:].nonzero()[0])
        for kind in {1, 2, 3, 4} - {int(X[0, 0, 6 + bond])}:
            other = X.clone()
            other[0, 0, 6 + bond] = other[0, bond, 6] = kind
            assert (model(other)[0] - model(X)[0]).abs().max() > 1e-4, kind


def test_an_atom_learns_only_of_atoms_that_are_as_near_as_messages_were_sent():
    chain = torch.zeros(1, 6, 12, dtype=torch.uint8)
    chain[0, :, 0] = 1
    for k in range(5):
        chain[0, k, 6 + k + 1] = chain[0, k + 1, 6 + k] = 1
    other = chain.clone()
    other[0, 5, 0] = 2
    model = network(depth=2)

    def atoms(x):
        x = model.input(x)
        for stage in model.stages.values():
            x = stage(x)
        return x.atoms

    same = (atoms(chain) - atoms(other)).abs().amax(1) < 1e-6
    assert same.tolist() == [True, True, True, False, False, False]


def test_its_stages_have_names_and_without_a_head_it_gives_features():
    model = network(depth=3)
    assert list(model.parts()) == ["atoms", "messages1", "messages2", "messages3", "head"]
    assert network(outputs=0)(X).shape == (6, 16) and model(X).shape == (6, 3)
    assert sum(p.numel() for p in GraphNet(8).parameters()) < 100_000


def test_what_images_become_before_a_network_is_read_back():
    model = network()
    assert torch.equal(as_graphs(to_float(X)), X)
    torch.testing.assert_close(mtl.predict(model, X), model(X).softmax(1).detach())


def test_every_way_to_train_for_classes_takes_it():
    model, y = network(), torch.tensor([0, 1, 2, 0, 1, 2])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    mtl.probe(model, (X, y), epochs=2, progress=False)
    after = model.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in after.items() if "head" not in name)
    with pytest.raises(ValueError, match="cannot be kept in a cache: take cache=False, or train with fit_graphs"):
        mtl.fine_tune(model, (X, y), frozen_upto="messages1", epochs=1, progress=False)
    mtl.fine_tune(model, (X, y), frozen_upto="messages1", epochs=1, progress=False, cache=False)
    assert model.frozen == {"atoms", "messages1"}
    assert freeze(model).frozen == {"atoms", "messages1", "messages2"}
