"""Tables drawn by code: the twin of the four heart-disease hospitals, and a simulated change of laboratory assay.

The twin has the columns, codes, class balance, missingness and shift between hospitals of the real table, in round
numbers. No row of it is a patient, and no result on it is a medical finding.
"""

import numpy as np
import pandas as pd

# One row per hospital. prevalence of disease; then (healthy, disease) means of the columns that differ; then the
# share of missing values. Values that the real table shows as chol = 0 or trestbps = 0 are zeros here, too.
HOSPITALS = {
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


def heart_twin(site: str, n: int, seed: int = 0) -> pd.DataFrame:
    """Draw ``n`` rows of the ``site``: the 13 columns of the real file and ``num`` (0 healthy, 1 disease)."""
    about = HOSPITALS[site]
    rng = np.random.default_rng([seed, list(HOSPITALS).index(site)])
    sick = (np.arange(n) < round(about["prevalence"] * n)).astype(int)
    rng.shuffle(sick)

    def normal(column, spread, low, high):
        return (np.array(about[column])[sick] + spread * rng.standard_normal(n)).clip(low, high).round()

    def yes(column):
        return (rng.random(n) < np.array(about[column])[sick]).astype(float)

    frame = pd.DataFrame({
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
    })  # fmt: skip
    for column, share in about["missing"].items():
        frame.loc[rng.random(n) < share, column] = np.nan
    return frame


def assay_shift(x: pd.DataFrame, strength: float, seed: int = 0) -> pd.DataFrame:
    """The same patients measured by another laboratory: each column gets its own gain, offset and added noise.

    Gains vary by ±25 %, offsets by ±1 standard deviation of the column, and noise has 0.3 standard deviations, all
    times ``strength``: 0 returns the table unchanged, 1 is a badly calibrated second laboratory. Returns a new table.
    """
    rng = np.random.default_rng(seed)
    gain = 1 + 0.25 * strength * rng.uniform(-1, 1, x.shape[1])
    offset = strength * rng.uniform(-1, 1, x.shape[1])
    noise = 0.3 * strength * rng.standard_normal(x.shape)
    return x * gain + (offset + noise) * x.std().to_numpy()
