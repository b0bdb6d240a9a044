"""Sliders. Each one has a static twin in the notebook: a figure that shows the same without moving anything."""

from collections.abc import Callable
from numbers import Real

from ..console import say
from ..devices import headless
from ..parts import shown


def slider(draw: Callable, *, label: str, values, start=None) -> None:
    """Show a slider over ``values`` that calls ``draw(value)`` and displays what it draws.

    ``draw`` ends with ``mtl.show``. In a headless run ``draw`` is called once with ``start``, to test it, and nothing
    is displayed but one line: the static twin stands next to it. Raises ValueError for no values, and for a start that
    is none of them.
    """
    from IPython.display import display

    from .plots import as_list, not_shown

    values = as_list(values, "values of the slider")
    if not callable(draw) or not values:
        raise ValueError(
            f"The slider draws {shown(draw)} over {len(values)} values: give a function of one value, and values."
        )
    if not all(isinstance(v, Real | str) for v in (*values, *([] if start is None else [start]))):
        raise ValueError("Some values of the slider are neither numbers nor texts: give one or the other.")
    if start is not None and start not in values:
        raise ValueError(f"The slider starts at {shown(start)}, which is none of its values: start at one of these.")
    start = values[0] if start is None else start
    if headless():
        import io
        from contextlib import redirect_stdout

        with not_shown(), redirect_stdout(io.StringIO()):
            draw(start)
        say(f"(Here JupyterLab has a slider: {label}. The figure next to it shows the same.)")
        return
    import ipywidgets

    handle = ipywidgets.SelectionSlider(
        options=[(f"{v:.3g}" if isinstance(v, float) else str(v), v) for v in values],
        value=start,
        description=label,
        continuous_update=False,
        style={"description_width": "initial"},
        layout={"width": "32em"},
    )
    display(ipywidgets.VBox([handle, ipywidgets.interactive_output(draw, {_argument(draw): handle})]))


def _argument(draw: Callable) -> str:
    """The name of the one argument of ``draw``."""
    import inspect

    return next(iter(inspect.signature(draw).parameters))
