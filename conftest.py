"""For all tests: one torch thread each, no sliders, who runs what, and an xfail of nbval counts as failed."""

import os

import pytest

# Kernels that nbval starts inherit all of these. Several workers with two threads each make torch many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MEDTL_HEADLESS", "1")
os.environ.setdefault("KERAS_BACKEND", "torch")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The tests of one file go to one worker (``--dist loadgroup``), unless they are in a group of their own."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """nbval marks cells after a failed or dead one as "xfail", which alone would not fail the run."""
    outcome = yield
    report = outcome.get_result()
    if item.nodeid.split("::")[0].endswith(".ipynb") and hasattr(report, "wasxfail"):
        del report.wasxfail
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} did not run: an earlier cell failed or the kernel died"
