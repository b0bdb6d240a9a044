"""medtl_helpers: the reference implementation behind the course *Transfer learning in medicine*.

``import medtl_helpers as mtl`` loads nothing heavy. Each public name is imported from its module when it is
first used, so that torch and Keras are paid for only by the cells that need them.
"""

import importlib
import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # must stand before the first `import keras`

__version__ = "0.1.0"

# module -> the public names it holds
_PUBLIC = {
    "assets": ("card", "cards", "recorded"),
    "checks": ("check", "session_report"),
    "devices": ("budget", "describe", "device", "seed_everything"),
    "folders": ("load_folder",),
    "grading": ("grade",),
    "hospital_figures": (),
    "hospitals": (),
    "lessons": ("begin", "course_map", "data_cards", "environment"),
    "losses": ("EWC", "L2SP", "FeatureDistillation", "SourceReplay", "fisher_diagonal", "minimise", "transfer_loss"),
    "metrics": ("Interval", "bootstrap_metrics", "paired_difference", "t_interval"),
    "nets": ("CourseCNN",),
    "phantoms": ("draw",),
    "plots": ("COLOURS", "interval_plot", "show", "show_images", "show_shift", "show_transfer"),
    "scanners": ("SCANNERS", "Scanner"),
    "table_twins": ("assay_shift",),
    "tasks": ("ImageTask", "Split", "TableTask", "load", "split_table"),
    "train": ("History", "augment", "fit", "predict", "to_float"),
    "widgets": ("slider",),
}
_MODULE_OF = {name: module for module, names in _PUBLIC.items() for name in names}
__all__ = [*_MODULE_OF]


def __getattr__(name):
    if name in _MODULE_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    elif name in _PUBLIC:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted([*globals(), *_MODULE_OF, *_PUBLIC])
