"""medtl_helpers: the reference implementation behind the course *Transfer learning in medicine*.

``import medtl_helpers as mtl`` loads nothing heavy. Each public name is imported from its module when it is
first used, so that torch and Keras are paid for only by the cells that need them.
"""

import importlib
import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # both must stand before the first `import keras`
if os.environ.get("MEDTL_DEVICE"):
    os.environ.setdefault("KERAS_TORCH_DEVICE", os.environ["MEDTL_DEVICE"])

__version__ = "0.1.0"

# module -> the public names it holds
_PUBLIC = {
    "answers_00": (),
    "assets": ("card", "cards", "recorded"),
    "checks": ("check", "session_report"),
    "dann": ("DANN", "adapt_batch_norm", "proxy_a_distance"),
    "dann_figures": (),
    "devices": ("budget", "describe", "device", "seed_everything"),
    "domains": (),
    "finetune": ("fine_tune", "fit_cached", "gradual_unfreeze", "lp_ft", "prefix_features", "probe", "stage_features"),
    "folders": ("load_folder",),
    "freezing": ("freeze", "parameter_groups", "parameter_report", "unfreeze"),
    "grading": ("grade",),
    "hospital_figures": (),
    "hospitals": (),
    "keras_recipes": (),
    "lessons": ("begin", "course_map", "data_cards", "environment"),
    "losses": ("EWC", "L2SP", "FeatureDistillation", "SourceReplay", "fisher_diagonal", "minimise", "transfer_loss"),
    "metrics": ("Interval", "bootstrap_metrics", "paired_difference", "t_interval"),
    "nets": ("CourseCNN", "StagedNet"),
    "phantoms": ("draw",),
    "plots": ("COLOURS", "interval_plot", "show", "show_images", "show_shift", "show_transfer"),
    "records": ("Record",),
    "scanners": ("SCANNERS", "Scanner"),
    "source_target": (),
    "source_target_figures": (),
    "sources": ("held_out_task",),
    "strategies": (),
    "strategy_figures": (),
    "table_twins": ("assay_shift",),
    "tasks": ("ImageTask", "Split", "TableTask", "few_shot", "load", "split_table"),
    "train": ("History", "augment", "fit", "predict", "to_float"),
    "transferability": ("log_me",),
    "two_conv": (),
    "weights": ("find_weights", "load_backbone"),
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
