"""Tables: four hospitals' heart disease and one hospital's breast cancer, and the twin of the four hospitals.

The twin has the columns, codes, class balance, missingness and shift between hospitals of the real table, in round
numbers. No row of it is a patient, and no result on it is a medical finding.
"""

from typing import Any

import numpy as np
import pandas as pd

from ..assets import find
from ..parts import check_choice, check_whole, shown
from .tasks import Split, Task, split_table

# slope, ca and thal are left out: in Hungary and VA they are missing for 50 to 99 % of the patients.
COLUMNS = ["age", "sex", "cp", "trestbps", "chol", "fbs", "restecg", "thalach", "exang", "oldpeak"]


# One row per hospital. prevalence of disease; then (healthy, disease) means of the columns that differ; then the
# share of missing values. Values that the real table shows as chol = 0 or trestbps = 0 are zeros here, too.
HOSPITALS: dict[str, dict[str, Any]] = {
    "cleveland": {
        "prevalence": 0.46, "age": (53, 57), "male": (0.56, 0.82), "angina": (0.20, 0.73), "trestbps": (129, 135),
        "chol": (243, 251), "fbs": (0.14, 0.16), "thalach": (158, 139), "exang": (0.14, 0.55), "oldpeak": (0.6, 1.6),
        "restecg": (0.5, 0.01, 0.49), "missing": {"ca": 0.01, "thal": 0.01},
    },
    "hungary": {
        "prevalence": 0.36, "age": (47, 49), "male": (0.63, 0.89), "angina": (0.20, 0.78), "trestbps": (131, 136),
        "chol": (240, 269), "fbs": (0.04, 0.12), "thalach": (145, 129), "exang": (0.10, 0.66), "oldpeak": (0.2, 1.25),
        "restecg": (0.80, 0.18, 0.02),
        "missing": {"chol": 0.08, "fbs": 0.03, "slope": 0.65, "ca": 0.99, "thal": 0.90},
    },
    "switzerland": {
        "prevalence": 0.935, "age": (55, 55), "male": (1.0, 0.91), "angina": (0.25, 0.82), "trestbps": (124, 131),
        "chol": (0, 0), "fbs": (0.02, 0.11), "thalach": (137, 120), "exang": (0.12, 0.46), "oldpeak": (0.5, 0.7),
        "restecg": (0.70, 0.24, 0.06),
        "missing": {"trestbps": 0.02, "fbs": 0.61, "oldpeak": 0.05, "slope": 0.14, "ca": 0.96, "thal": 0.42},
    },
    "va": {
        "prevalence": 0.745, "age": (57, 60), "male": (0.94, 0.98), "angina": (0.45, 0.72), "trestbps": (130, 136),
        "chol": (230, 243), "fbs": (0.28, 0.38), "thalach": (125, 122), "exang": (0.38, 0.72), "oldpeak": (0.7, 1.5),
        "restecg": (0.40, 0.46, 0.14),
        "missing": {"trestbps": 0.28, "chol": 0.03, "fbs": 0.04, "thalach": 0.26, "exang": 0.26, "oldpeak": 0.28,
                    "slope": 0.51, "ca": 0.99, "thal": 0.83},
    },
}  # fmt: skip
ZERO_CHOLESTEROL = {"hungary": 0.0, "cleveland": 0.0, "switzerland": 1.0, "va": 0.245}  # zeros that mean missing


def load_heart(about: dict, site: str) -> Task:
    """The patients of one hospital of the heart-disease data, whose card is ``about``; real or twin.

    Raises ValueError for a hospital that is none of the four.
    """
    if not isinstance(site, str) or site not in about["sites"]:
        raise ValueError(f"heart has no site {shown(site)}: choose one of {', '.join(about['sites'])}.")
    columns = [*about["columns"], "num"]
    found = find(about, site)
    if found.path is not None:
        frame, provenance, note = _read_heart(found.path, columns), "real", ""
    else:
        frame, provenance = heart_twin(site, about["sites"][site]), "twin"
        note = f"for real data: make data ONLY=heart ({found.why_not})"
    for column in about["zero_means_missing"]:
        frame[column] = frame[column].where(frame[column] != 0, np.nan)
    y = (frame.pop("num") > 0).to_numpy("int64")
    return _table(f"heart:{site}", about, frame.astype("float64"), y, provenance, note)


def _read_heart(path, columns: list[str]):
    """The numbers of a heart-disease file, NaN for its ``?``. Raises ValueError when it holds anything else."""
    try:
        frame = pd.read_csv(path, names=columns, na_values="?", index_col=False, on_bad_lines="error", dtype="float64")
    except ValueError:  # pandas' own are its subclasses
        frame = None
    if frame is None or frame.empty:
        raise ValueError(f"{path} is no table of numbers with {len(columns)} columns: delete it and fetch it again.")
    if not frame["num"].isin(range(5)).all():
        raise ValueError(f"{path} has rows whose last column is no diagnosis (0 to 4): delete it and fetch it again.")
    return frame


def load_breast_cancer(about: dict) -> Task:
    """The breast-cancer table that ships with scikit-learn, whose card is ``about``."""
    from sklearn import datasets

    x, y = datasets.load_breast_cancer(return_X_y=True, as_frame=True)
    return _table("breast_cancer", about, x, y.to_numpy("int64"), "real", "one hospital: no domains")


def _table(name: str, about: dict, x, y, provenance: str, note: str) -> Task:
    task = Task(
        name,
        Split(x, y),
        Split(x[:0], y[:0]),
        Split(x[:0], y[:0]),
        tuple(about["classes"]),
        about["positive"],
        provenance,
        about["licence"],
        note,
    )
    return split_table(task, seed=0, test=0.4, val=0.2)


def columns(frame) -> pd.DataFrame:
    """``COLUMNS`` of a hospital's table as float64, NaN where a value is missing (also pandas' own gap, ``pd.NA``).

    Raises ValueError where they are not there, are there twice, or hold no numbers.
    """
    names = frame.columns.tolist() if isinstance(frame, pd.DataFrame) else []
    missing, twice = [c for c in COLUMNS if c not in names], [c for c in COLUMNS if names.count(c) > 1]
    if missing or twice:
        fault = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(twice)} twice"
        raise ValueError(
            f"The table {fault}: give a pandas table with these columns, each once, NaN where a value is missing."
        )
    frame = frame[COLUMNS]
    numeric = [c for c in COLUMNS if frame[c].dtype.kind in "biuf"]
    values = frame[numeric].astype("float64")
    bad = [c for c in COLUMNS if c not in numeric or np.isinf(values[c]).any()]
    if bad:
        raise ValueError(
            f"The column(s) {', '.join(bad)} hold text or infinite numbers: give numbers, and NaN where a "
            "value is missing (pandas.to_numeric)."
        )
    return values


def heart_twin(site: str, n: int, seed: int = 0) -> pd.DataFrame:
    """Draw ``n`` rows of the ``site``: the 13 columns of the real file and ``num`` (0 healthy, 1 disease).

    Raises ValueError for a site that is none of the four.
    """
    check_choice(site, "The site", HOSPITALS)
    check_whole(n, "n", least=1)
    check_whole(seed, "seed", least=0)
    about = HOSPITALS[site]
    rng = np.random.default_rng([seed, list(HOSPITALS).index(site)])
    sick = (np.arange(n) < round(about["prevalence"] * n)).astype(int)
    rng.shuffle(sick)

    def normal(column, spread, low, high):
        return (np.array(about[column])[sick] + spread * rng.standard_normal(n)).clip(low, high).round()

    def yes(column):
        return (rng.random(n) < np.array(about[column])[sick]).astype(float)

    frame = pd.DataFrame(
        {
            "age": normal("age", 8.5, 28, 77),
            "sex": yes("male"),
            "cp": np.where(yes("angina") == 1, 4, rng.choice([1, 2, 3], n, p=[0.15, 0.40, 0.45])).astype(float),
            "trestbps": normal("trestbps", 18, 80, 200),
            "chol": normal("chol", 55, 100, 564) * (rng.random(n) >= ZERO_CHOLESTEROL[site]),
            "fbs": yes("fbs"),
            "restecg": rng.choice([0.0, 1.0, 2.0], n, p=about["restecg"]),
            "thalach": normal("thalach", 22, 60, 202),
            "exang": yes("exang"),
            "oldpeak": (np.array(about["oldpeak"])[sick] + rng.standard_normal(n)).clip(0, 6.2).round(1),
            "slope": 1.0 + (rng.random(n) < np.array([0.35, 0.70])[sick]) + (rng.random(n) < 0.08),
            "ca": rng.poisson(np.array([0.27, 1.1])[sick]).clip(0, 3).astype(float),
            "thal": np.where(rng.random(n) < np.array([0.22, 0.68])[sick], 7.0, 3.0),
            "num": sick,
        }
    )
    for column, share in about["missing"].items():
        frame.loc[rng.random(n) < share, column] = np.nan
    return frame
