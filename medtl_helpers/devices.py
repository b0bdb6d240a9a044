"""The machine: which device computes, how much work fits it, and one place that sets every seed."""

import importlib.metadata
import os
import platform


def device():
    """The ``torch.device`` of this course: ``MEDTL_DEVICE`` (``cpu``, ``cuda``, ``mps``), else CUDA where there is one.

    Raises ValueError when ``MEDTL_DEVICE`` names a device that this machine lacks.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    asked = os.environ.get("MEDTL_DEVICE") or ("cuda" if available["cuda"] else "cpu")
    if not available.get(asked.split(":")[0]):
        usable = ", ".join(name for name, there in available.items() if there)
        raise ValueError(f"MEDTL_DEVICE={asked} is not usable here; usable: {usable}. Change it, or unset it.")
    return torch.device(asked)


def headless() -> bool:
    """Whether nobody is there to move a slider: ``make run``, the book and the tests set ``MEDTL_HEADLESS=1``."""
    return os.environ.get("MEDTL_HEADLESS") == "1"


def seed_everything(seed: int) -> None:
    """Set the seeds of Python's ``random``, NumPy and torch (all devices), and of Keras where it is loaded.

    Initial weights come from these. The order of batches does not: ``fit`` draws it from a generator of its own.
    """
    import random
    import sys

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)


def budget(cpu: int, gpu: int) -> int:
    """How much work (seeds, epochs, images) fits this machine: ``cpu`` or ``gpu``, by the device in use."""
    return cpu if device().type == "cpu" else gpu


def describe() -> dict[str, str]:
    """Versions, device and data mode: the environment check of notebook 00."""
    from .assets import data_folder

    libraries = ("torch", "torchvision", "keras", "scikit-learn", "jupyterlab", "ipywidgets")
    facts = {"python": platform.python_version()}
    facts |= {name: importlib.metadata.version(name) for name in libraries}
    facts["device"] = str(device())
    facts["cores"] = str(os.cpu_count())
    facts["real data are looked for in"] = str(data_folder() or "nowhere (MEDTL_DATA=twin)")
    return facts
