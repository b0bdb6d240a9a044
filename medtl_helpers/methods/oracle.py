"""The row that nobody without target labels can have: what the choice of the epoch costs."""

from .. import guards, parts
from .dann import DANN
from .history import DANNHistory
from .scores import accuracy


def oracle(model: DANN, history: DANNHistory, x, y) -> int:
    """Give ``model`` the epoch with the highest accuracy on *labelled target* data, and return it.

    Nobody who has no target labels can do this: it says how much the choice of the epoch costs, and is no result.
    Needs ``fit(keep_states=True)``. Raises ValueError for a history without weights, or with those of another network.
    """
    parts.check_network(model)
    x, y = guards.as_examples((x, y), "target")
    if not isinstance(history, DANNHistory) or not history.states:
        raise ValueError("The oracle needs the weights of all epochs: call fit with keep_states=True.")
    own = {name: value.shape for name, value in model.state_dict().items()}
    if any({name: value.shape for name, value in state.items()} != own for state in history.states):
        raise ValueError("The history holds the weights of another network: give the model that it came from.")
    accuracies = []
    for state in history.states:
        model.load_state_dict(state)
        accuracies.append(accuracy(model, (x, y)))
    history.epoch = max(range(len(accuracies)), key=accuracies.__getitem__)
    model.load_state_dict(history.states[history.epoch])
    return history.epoch
