"""What a training saw, epoch by epoch."""

from dataclasses import dataclass, field


@dataclass(repr=False)
class History:
    """What ``fit`` saw, one entry per finished epoch; ``best_epoch`` is the one whose weights the model now has."""

    train_loss: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    stopped: str = "all epochs done"
    val_dice: list[float] = field(default_factory=list)  # of ``fit_masks``, which gives it in place of the accuracy

    def __repr__(self) -> str:
        return _in_short(self, self.train_loss, self.best_epoch)


@dataclass(repr=False)
class DANNHistory:
    """What ``DANN.fit`` saw, one entry per finished epoch; ``states`` holds the weights after each, where asked for."""

    class_loss: list[float] = field(default_factory=list)  # nats, on the source
    domain_loss: list[float] = field(default_factory=list)  # nats; ln 2 = 0.693: the domains look alike
    domain_accuracy: list[float] = field(default_factory=list)  # mean over the two domains; 0.5 is guessing
    lam: list[float] = field(default_factory=list)  # at the end of the epoch
    val_accuracy: list[float] = field(default_factory=list)  # on the source
    states: list[dict] = field(default_factory=list)
    epoch: int | None = None  # whose weights the model has
    stopped: str = "all epochs done"

    def __repr__(self) -> str:
        return _in_short(self, self.class_loss, self.epoch)

    def add(self, **figures: float | None) -> None:
        """Append the figures of one epoch, by the names of the lists; None is left out."""
        for name, value in figures.items():
            if value is not None:
                getattr(self, name).append(value)


@dataclass(repr=False)
class AlignedHistory(DANNHistory):
    """What ``fit_aligned`` saw: ``domain_loss`` is the loss that aligns the domains, and ``lam`` its weight."""


def _in_short(history, losses: list[float], kept: int | None) -> str:
    """What a notebook shows when a cell ends with a training: one line, and not the long lists."""
    last = f", last training loss {losses[-1]:.3f}" if losses else ""
    weights = "" if kept is None else f", the model has the weights of epoch {kept + 1}"
    epochs = "1 epoch" if len(losses) == 1 else f"{len(losses)} epochs"
    return f"{type(history).__name__}: {epochs}{last}{weights} ({history.stopped})"
