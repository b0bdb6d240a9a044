"""For all tests: one torch thread each, no sliders, and a cell that nbval expects to fail counts as failed."""

import os

import pytest

# Kernels that nbval starts inherit all of these. Several workers with two threads each make torch many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MEDTL_HEADLESS", "1")
os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """nbval marks cells after a failed or dead one as "xfail", which alone would not fail the run."""
    outcome = yield
    report = outcome.get_result()
    if item.nodeid.split("::")[0].endswith(".ipynb") and hasattr(report, "wasxfail"):
        del report.wasxfail
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not run: an earlier cell failed or the kernel died"
