"""One scale for the tables of several hospitals, from sums alone: what pooled patients would say, without pooling them.

A network that hospitals train together wants columns that mean the same everywhere. Each hospital sends, for every
column, how many values it has, their sum and the sum of their squares: **these are shared statistics of its patients**,
as the weights are, and neither of them is anonymous (the sums of a hospital with one patient are that patient).
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from ..labels import as_array


class ColumnSums(NamedTuple):
    """What one hospital sends, each float64 D."""

    number: np.ndarray
    total: np.ndarray
    squares: np.ndarray


class Scale(NamedTuple):
    """Mean and standard deviation of each column, float64 D."""

    mean: np.ndarray
    deviation: np.ndarray

    def apply(self, x) -> torch.Tensor:
        """float32 N×D: the columns less their means, over their deviations; a missing value becomes 0, the mean.

        Raises ValueError for another number of columns.
        """
        x = _as_table(x)
        if x.shape[1] != len(self.mean):
            raise ValueError(f"The table has {x.shape[1]} columns, and the scale is for {len(self.mean)}: give these.")
        return torch.tensor(np.nan_to_num((x - self.mean) / self.deviation), dtype=torch.float32)


def column_sums(x) -> ColumnSums:
    """What a hospital sends of its patients ``x``, N×D numbers, NaN where a value is missing."""
    x = _as_table(x)
    there, known = ~np.isnan(x), np.nan_to_num(x)
    return ColumnSums(there.sum(0).astype(float), known.sum(0), (known**2).sum(0))


def shared_scale(sums: Iterable[ColumnSums]) -> Scale:
    """Mean and deviation of all hospitals' patients together, from the hospitals' ``column_sums``.

    Of a column that nobody has, the mean is 0; where all values are alike, the deviation is 1. Raises ValueError for
    no hospital, and for hospitals with different numbers of columns.
    """
    sums = list(sums) if isinstance(sums, Iterable) else [sums]
    if not all(isinstance(one, ColumnSums) for one in sums):
        raise ValueError("The sums are not all of one kind: give what column_sums makes of each hospital's patients.")
    columns = sorted({len(one.number) for one in sums})
    if len(columns) != 1:
        raise ValueError(
            f"The hospitals' sums are of {columns or 'no'} columns: give one or more, of the same columns."
        )
    number, total, squares = (np.sum([getattr(one, name) for one in sums], axis=0) for name in ColumnSums._fields)
    mean = total / np.maximum(number, 1)
    variance = squares / np.maximum(number, 1) - mean**2
    return Scale(mean, np.where(variance > 1e-9 * (1 + mean**2), np.sqrt(np.maximum(variance, 0)), 1.0))


def _as_table(x) -> np.ndarray:
    x = as_array(x, "columns").astype(float)
    if x.ndim != 2 or np.isinf(x).any():
        raise ValueError(f"The table has shape {x.shape}: give N×D finite numbers, and NaN where a value is missing.")
    return x
