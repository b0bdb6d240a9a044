"""Tables of any mix of columns: numbers are taken as they are, and everything else is refused by its column's name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medtl_helpers.data.shifts import assay_shift
from medtl_helpers.data.tables import COLUMNS, columns

N = 4
NUMBERS = {
    "float64": st.floats(-1e9, 1e9).map(float) | st.just(np.nan),
    "float32": st.floats(-1e6, 1e6, width=32),
    "float16": st.floats(-1e3, 1e3, width=16),
    "int8": st.integers(-9, 9),
    "int64": st.integers(-(2**50), 2**50),
    "uint16": st.integers(0, 999),
    "bool": st.booleans(),
    "Int64": st.integers(-9, 9) | st.none(),
    "Float64": st.floats(-9, 9) | st.none(),
    "boolean": st.booleans() | st.none(),
}
NO_NUMBERS = {
    "str": st.sampled_from(["63", "high", "", "?"]),
    "object": st.sampled_from([1, "2", None, (3,)]),
    "category": st.sampled_from([1, 2]),
    "datetime64[ns]": st.sampled_from(["2020-01-01", "2021-01-01"]),
    "complex128": st.complex_numbers(max_magnitude=9),
    "infinite": st.just(np.inf),
}


def column(draw, kinds, kind):
    values = draw(st.lists(kinds[kind], min_size=N, max_size=N))
    return pd.Series(values, dtype="float64" if kind == "infinite" else kind)


@st.composite
def frames(draw, wrong=0):
    """A table with all ``COLUMNS`` and others, in any order, and the names of the ``wrong`` ones."""
    bad = draw(st.lists(st.sampled_from(COLUMNS), min_size=wrong, max_size=wrong, unique=True))
    made = {}
    for name in draw(st.permutations([*COLUMNS, "name", "thal"])):
        kinds = NO_NUMBERS if name in bad or name == "name" else NUMBERS
        made[name] = column(draw, kinds, draw(st.sampled_from(list(kinds))))
    return pd.DataFrame(made), [name for name in COLUMNS if name in bad]


FEW = settings(max_examples=40, deadline=None)


@FEW
@given(frames())
def test_numbers_of_any_type_are_the_same_numbers(made):
    frame, _ = made
    taken = columns(frame)
    assert taken.columns.tolist() == COLUMNS and (taken.dtypes == "float64").all()
    for name in COLUMNS:
        for ours, theirs in zip(taken[name], frame[name], strict=True):
            assert np.isnan(ours) if pd.isna(theirs) else ours == float(theirs)


@FEW
@given(frames(wrong=2))
def test_whatever_is_no_number_is_refused_by_the_name_of_its_column(made):
    frame, bad = made
    with pytest.raises(ValueError) as info:
        columns(frame)
    assert str(info.value).startswith(f"The column(s) {', '.join(bad)} hold text or infinite numbers: give numbers")


@FEW
@given(frames(), st.sets(st.sampled_from(COLUMNS), min_size=1))
def test_columns_that_are_not_there_are_named(made, missing):
    with pytest.raises(ValueError) as info:
        columns(made[0].drop(columns=list(missing)))
    assert f"The table lacks {', '.join(c for c in COLUMNS if c in missing)}: give" in str(info.value)


@pytest.mark.parametrize("wrong", [None, {}, [], "table", 5, np.zeros((3, 10)), pd.Series([1.0])])
def test_what_is_no_table_lacks_everything(wrong):
    with pytest.raises(ValueError, match="The table lacks age, sex"):
        columns(wrong)


@FEW
@given(frames())
def test_another_laboratory_measures_every_table_of_numbers(made):
    frame = columns(made[0])
    assert assay_shift(frame, 0.0).equals(frame)
    assert (assay_shift(frame, 1.0).isna() == frame.isna()).all().all()
