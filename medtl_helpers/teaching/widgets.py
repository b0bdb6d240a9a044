"""Sliders. Each one has a static twin in the notebook: a figure that shows the same without moving anything."""

from collections.abc import Callable

from ..devices import headless


def slider(draw: Callable, *, label: str, values, start=None) -> None:
    """Show a slider over ``values`` that calls ``draw(value)`` and displays what it draws.

    ``draw`` ends with ``mtl.show``. In a headless run ``draw`` is called once with ``start``, to test it, and nothing
    is displayed but one line: the static twin stands next to it.
    """
    from IPython.display import display

    values = list(values)
    start = values[0] if start is None else start
    if headless():
        import io
        from contextlib import redirect_stdout

        from .plots import not_shown

        with not_shown(), redirect_stdout(io.StringIO()):
            draw(start)
        print(f"(Here JupyterLab has a slider: {label}. The figure next to it shows the same.)")
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
