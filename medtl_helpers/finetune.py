"""Ways to train a pre-trained network on a new task, and the cache that makes its frozen part cost nothing.

==================== ================================================================ ==========================
function             what trains                                                      paper
==================== ================================================================ ==========================
``probe``            the head alone, on features computed once                        Alain, Bengio 2016 [1]
``fine_tune``        everything above the stage ``frozen_upto`` (None: everything)    Yosinski et al. 2014 [2]
``gradual_unfreeze`` the head, then one stage more at a time, from the top down       Howard, Ruder 2018 [3]
``lp_ft``            the head alone, then everything at a low rate                    Kumar et al. 2022 [4]
``stage_features``   nothing: what all frozen stages say, for a linear model          Evci et al. 2022 [5]
==================== ================================================================ ==========================

[1] arXiv 1610.01644  [2] arXiv 1411.1792  [3] doi 10.18653/v1/P18-1031, section 3.3  [4] arXiv 2202.10054
[5] Head2Toe, ICML 2022, arXiv 2201.03529 (here without their selection of features)

The first four take (x, y) pairs as ``fit`` does, keep the epoch of the best validation loss (where there are phases, of
the last one), and return a ``History``.
"""

import torch

from . import boundary
from .devices import device as default_device
from .freezing import freeze, parameter_groups, unfreeze
from .nets import StagedNet
from .train import History, fit, to_float

CACHE_SHARE = 0.5  # of the free memory that a cache may fill
DOING = "computing features of"


def frozen_prefix(model: StagedNet) -> list[str]:
    """The names of the frozen stages before the first that trains: their output never changes."""
    names = []
    for name in model.stages:
        if name not in model.frozen:
            break
        names.append(name)
    return names


@torch.no_grad()
def prefix_features(model: StagedNet, x, *, batch_size: int = 128, device: torch.device | None = None) -> torch.Tensor:
    """What the frozen prefix makes of raw inputs ``x``: float32 N×C×H×W on the CPU; N×D when all stages are frozen.

    Raises ValueError for inputs that do not fit the network; MemoryError, before anything is computed, when the
    features would fill more than half of the free memory, and, with a batch size to try, when a batch does not fit.
    """
    import psutil

    device, prefix, x = device or default_device(), frozen_prefix(model), _images(x)
    model.to(device).eval()

    def through_prefix(x):
        x = model.input(x)
        for name in prefix:
            x = model.stages[name](x)
        return model.pool(x) if len(prefix) == len(model.stages) else x

    def forward(part):
        return boundary.forward(model, to_float(part.to(device)), through_prefix).cpu()

    one = boundary.with_memory(lambda: forward(x[:1]), 1, DOING)
    needed, free = one.nbytes * len(x), psutil.virtual_memory().available
    if needed > CACHE_SHARE * free:
        raise MemoryError(f"The features of {len(x)} images need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are "
                          "free: freeze a later stage, take smaller images or fewer of them, or use fit.")  # fmt: skip
    features = one.new_empty(len(x), *one.shape[1:])

    def fill():
        for there, part in zip(features.split(batch_size), x.split(batch_size), strict=True):
            there.copy_(forward(part))

    boundary.with_memory(fill, batch_size, DOING)
    return features


@torch.no_grad()
def stage_features(model: StagedNet, x, *, batch_size: int = 128, device: torch.device | None = None) -> torch.Tensor:
    """Mean and maximum over the pixels of every channel of every stage [5]: float32 N×D on the CPU.

    D is twice the sum of the stages' channels, in the order mean and maximum of the first stage, of the second, ….
    The whole network computes in eval mode, frozen or not, and nothing is trained: give the result to a linear model.
    Raises ValueError for inputs that do not fit the network; MemoryError, with a batch size to try.
    """
    device, x = device or default_device(), _images(x)
    model.to(device).eval()

    def all_stages(x):
        x, row = model.input(x), []
        for stage in model.stages.values():
            x = stage(x)
            row += [x.mean((2, 3)), x.amax((2, 3))]
        return torch.cat(row, 1).cpu()

    def rows():
        return torch.cat([boundary.forward(model, to_float(p.to(device)), all_stages) for p in x.split(batch_size)])

    return boundary.with_memory(rows, batch_size, DOING)


def _images(x) -> torch.Tensor:
    x = boundary.as_inputs(x, "given")
    if not len(x):
        raise ValueError("There are no images to compute features of: give at least one.")
    return x


def after_prefix(model: StagedNet) -> StagedNet:
    """The rest of ``model`` behind its frozen prefix, as a network on the prefix's features; the layers are shared."""
    prefix = frozen_prefix(model)
    stages = {name: stage for name, stage in model.stages.items() if name not in prefix}
    with torch.random.fork_rng(devices=[]):  # the new head is thrown away and must not cost random numbers
        rest = StagedNet(stages, model.head.in_features, model.head.out_features)
    rest.head, rest.frozen = model.head, model.frozen - set(prefix)
    if not stages:
        rest.pool = torch.nn.Identity()
    return rest


def fit_cached(model: StagedNet, train, val=None, *, augment=None, copies: int = 4, seed: int = 0, device=None,
               **options) -> History:  # fmt: skip
    """``fit``, with the features of the frozen prefix computed once: the same result up to float rounding, sooner.

    With ``augment`` every training image is augmented ``copies`` times beforehand, and each batch draws one of the
    copies of each of its images. ``options`` are those of ``fit``; a ``penalty`` is called with ``after_prefix``.
    """
    x, y = train
    if augment is None:
        features, choose = prefix_features(model, x, device=device), None
    else:
        generator = torch.Generator().manual_seed(seed)
        copied = torch.cat([augment(torch.as_tensor(x), generator) for _ in range(copies)])
        features = prefix_features(model, copied, device=device).unflatten(0, (copies, len(x))).transpose(0, 1)
        choose = one_copy_each
    cached_val = None if val is None else (prefix_features(model, val[0], device=device), val[1])
    history = fit(after_prefix(model), (features, y), cached_val, augment=choose, seed=seed, device=device, **options)
    model.eval()
    return history


def one_copy_each(features, generator):
    """B×copies×… to B×…: one of the augmented copies of each image."""
    which = torch.randint(features.shape[1], (len(features),), generator=generator).to(features.device)
    return features[torch.arange(len(features), device=features.device), which]


def probe(model: StagedNet, train, val=None, *, lr: float = 1e-2, **options) -> History:
    """Train the head alone, all stages frozen, on features that are computed once [1]."""
    unfreeze(freeze(model), "head")
    return fit_cached(model, train, val, lr=lr, **options)


def fine_tune(model: StagedNet, train, val=None, *, frozen_upto: str | None = None, lr: float = 1e-3,
              decay: float = 1.0, weight_decay: float = 0.0, cache: bool = True, **options) -> History:  # fmt: skip
    """Train everything above the stage ``frozen_upto`` (None: everything), each at ``decay`` × the rate of the next.

    ``cache`` computes the features of the frozen stages once (with ``augment``, of ``copies`` augmented copies).
    """
    unfreeze(model)
    if frozen_upto is not None:
        freeze(model, upto=frozen_upto)
    return _fit(model, train, val, lr, decay, weight_decay, cache, options)


def gradual_unfreeze(model: StagedNet, train, val=None, *, epochs: int = 3, lr: float = 1e-3, decay: float = 1.0,
                     weight_decay: float = 0.0, **options) -> History:  # fmt: skip
    """Train the head for ``epochs`` epochs, then the head and the last stage, and so on down to the input [3]."""
    unfreeze(freeze(model), "head")
    history = _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs})
    for name in reversed(list(model.stages)):
        if _interrupted(history):
            break
        unfreeze(model, name)
        more = _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs})
        history = _joined(history, more)
    return history


def lp_ft(model: StagedNet, train, val=None, *, probe_epochs: int = 20, probe_lr: float = 1e-2, epochs: int = 10,
          lr: float = 1e-4, decay: float = 1.0, weight_decay: float = 0.0, **options) -> History:  # fmt: skip
    """Linear probing, then full fine-tuning from the trained head [4], so that the first steps distort no features."""
    first = probe(model, train, val, lr=probe_lr, weight_decay=weight_decay, epochs=probe_epochs, **options)
    if _interrupted(first):
        return first
    unfreeze(model)
    return _joined(first, _fit(model, train, val, lr, decay, weight_decay, True, options | {"epochs": epochs}))


def _fit(model, train, val, lr, decay, weight_decay, cache, options) -> History:
    options = dict(options)
    copies = options.pop("copies", 4)
    optimizer = torch.optim.AdamW(parameter_groups(model, lr, decay), weight_decay=weight_decay)
    if cache and frozen_prefix(model):
        return fit_cached(model, train, val, optimizer=optimizer, copies=copies, **options)
    return fit(model, train, val, optimizer=optimizer, **options)


def _interrupted(history: History) -> bool:
    """Whether Ctrl-C ended a phase: the next ones must not begin."""
    return history.stopped.startswith("interrupted")


def _joined(first: History, second: History) -> History:
    """Two phases as one history; the best epoch is the second's, whose weights the model has."""
    best = None if second.best_epoch is None else len(first.train_loss) + second.best_epoch
    return History(first.train_loss + second.train_loss, first.val_loss + second.val_loss,
                   first.val_accuracy + second.val_accuracy, best, second.stopped)  # fmt: skip
