"""medtl_helpers: the reference implementation behind the course *Transfer learning in medicine*.

``import medtl_helpers as mtl`` loads nothing heavy. Each public name is imported from its module when it is first
used, so that torch and Keras are paid for only by the cells that need them. ``__init__.pyi`` says which name stands
in which module; editors read it, and so does the line below.
"""

import os

import lazy_loader

os.environ.setdefault("KERAS_BACKEND", "torch")  # both must stand before the first `import keras`
if os.environ.get("MEDTL_DEVICE"):
    os.environ.setdefault("KERAS_TORCH_DEVICE", os.environ["MEDTL_DEVICE"])
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is loaded: waiting threads leave the processor

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
