"""The figures of notebook 00: the fall on another scanner, and the scores of one network beside guessing."""

import matplotlib.pyplot as plt
import numpy as np

from ...methods.intervals import Interval
from ...teaching.plots import COLOURS, interval_plot, show


def show_fall(strengths: list[float], scores: np.ndarray, commonest: float, *, data=None) -> None:
    """Test accuracy (seeds × strengths) against the strength of the shift, and that of always the commonest class."""
    figure, axis = plt.subplots()
    axis.plot(strengths, scores.mean(0), color=COLOURS["blue"])
    axis.plot(strengths, scores.T, "o", color=COLOURS["blue"], alpha=0.6)
    axis.axhline(commonest, color=COLOURS["grey"], linestyle="--")
    axis.text(0, commonest + 0.02, "always the commonest cell", color=COLOURS["grey"])
    axis.set(xlabel="strength of the scanner shift", ylabel="test accuracy", ylim=(0, 1.03))
    axis.set_title(f"Same networks, same cells, another microscope (dots: {len(scores)} seeds)")
    first, last = scores.mean(0)[[0, -1]]
    show(
        figure,
        f"Test accuracy is shown against the strength of the scanner shift. The mean of {len(scores)} seeds is "
        f"{first:.2f} at strength {strengths[0]:g} and {last:.2f} at strength {strengths[-1]:g}.",
        data=data,
    )


def show_report(report: dict[str, Interval], guess: dict[str, float], *, data=None) -> None:
    """The metrics of one network with their bootstrap intervals, and those of always saying "pneumonia"."""
    figure, axis = plt.subplots(figsize=(7.2, 3.4))
    interval_plot(axis, report, reference=guess)
    axis.set(xlabel="value (bar: 95 % stratified bootstrap over test cases)", xlim=(0.35, 1.03))
    axis.set_title("One network (dots); always saying 'pneumonia' (diamonds)")
    told = ", ".join(f"{name} {interval.value:.2f} (guessing {guess[name]:.2f})" for name, interval in report.items())
    show(
        figure,
        "Six metrics of the chest network are shown with their bootstrap intervals, beside those of always saying "
        f"pneumonia: {told}.",
        data=data,
    )
