"""The built book in a real browser: ``make book`` first. Skipped where there is no book, no Chromium or no Playwright.

MEDTL_BOOK names another folder with a built book; MEDTL_CHROMIUM another browser of that family.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
SITE = Path(os.environ.get("MEDTL_BOOK", ROOT / "_run" / "book" / "html")).resolve()
PAGES = sorted(str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts)
LISTINGS = "_modules/"  # the source of each module, coloured: these pages differ in their words alone
SIDEBAR = ".bd-sidebar-primary"  # the same on each page, with a link to every page
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERIOUS = ("serious", "critical")
MISSING = "Playwright or axe is not installed: pip install '.[browser]'"
TYPESET = "window.MathJax && window.MathJax.startup ? window.MathJax.startup.promise : null"


@pytest.fixture(scope="module")
def chromium():
    """A headless browser: the system's own, else the one that ``playwright install chromium`` has fetched."""
    playwright = pytest.importorskip("playwright.sync_api", reason=MISSING)
    path = os.environ.get("MEDTL_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        if path is None and not Path(driver.chromium.executable_path).is_file():
            pytest.skip(f"no Chromium here: install one of {', '.join(NAMES)}, or run 'playwright install chromium'")
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """``visit("index.html")``: the page, loaded and typeset, with what the browser complained of in ``problems``."""
    if not PAGES:
        pytest.skip(f"no built book in {SITE}: run 'make book' first")
    contexts = []

    def open_page(name: str, *, width: int = 1280, dark: bool = False):
        contexts.append(
            chromium.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(120_000)
        page.problems = problems = []
        page.on("console", lambda m: m.type == "error" and problems.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        page.on(
            "request", lambda request: request.url.startswith("http") and problems.append(f"outside: {request.url}")
        )
        page.goto((SITE / name).as_uri(), wait_until="load")
        page.evaluate(TYPESET)
        return page

    yield open_page
    for context in contexts:
        context.close()


def telling(pages: list[str]) -> list[str]:
    """All pages; of the listings of source code only those that show a kind of token which no larger one shows."""
    kept, seen = [name for name in pages if not name.startswith(LISTINGS)], set()
    listings = {name: (SITE / name).read_text(encoding="utf-8") for name in pages if name.startswith(LISTINGS)}
    for name in sorted(listings, key=lambda name: -len(listings[name])):
        classes = set(re.findall(r'class="([^"]*)"', listings[name]))
        if not classes <= seen:
            kept.append(name)
        seen |= classes
    return kept


def serious_violations(page, besides: str | None = None) -> list[str]:
    """What axe-core finds, level serious or critical: its rule and the first places; ``besides`` is left out."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=MISSING)
    context = {"exclude": [[besides]]} if besides else None
    response = axe.Axe().run(page, context=context, options={"resultTypes": ["violations"]}).response
    found = [v for v in response["violations"] if v["impact"] in SERIOUS]
    return [f"{v['id']}: {[node['target'] for node in v['nodes']][:3]}" for v in found]


def sources(page, selector: str, condition: str) -> list[str]:
    """The addresses of all images for which the JavaScript ``condition`` on ``i`` holds."""
    return page.eval_on_selector_all(selector, f"all => all.filter(i => {condition}).map(i => i.src)")


@pytest.mark.parametrize("name", telling(PAGES) or ["index.html"])
def test_page_loads_by_itself_and_can_be_read_by_everybody(visit, name):
    page = visit(name)
    assert page.problems == []
    assert sources(page, "img", "!i.alt.trim()") == [], "images without alt text"
    assert sources(page, "img", "i.complete && !i.naturalWidth") == [], "images that do not load"
    assert sources(page, ".math", "!i.querySelector('mjx-container')") == [], "formulas that are not typeset"
    assert "Not for diagnosis" in page.inner_text("body")
    assert serious_violations(page, besides=None if name == "index.html" else SIDEBAR) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "scrolls sideways on a phone"


@pytest.mark.parametrize("name", ["index.html", "results.html", "notebooks/05_dann.html", "api/methods.losses.html"])
def test_the_dark_page_can_be_read_too(visit, name):
    page = visit(name, dark=True)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert serious_violations(page) == []


def test_search_finds_without_a_network(visit):
    page = visit("search.html")
    page.goto(page.url + "?q=freezing")
    page.wait_for_selector("#search-results li a")
    assert "Freezing" in page.inner_text("#search-results")
    assert not [problem for problem in page.problems if problem.startswith("outside")]


QUIET = {  # settings of JupyterLab: no question about news, and every cell is on the page, seen or not
    "apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab of its own, on a copy of notebook 00."""
    pytest.importorskip("jupyterlab")
    for name, settings in QUIET.items():
        path = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", tmp_path / "notebooks")
    environment = {**os.environ, "MEDTL_DATA": "twin", "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")}
    environment.pop("MEDTL_HEADLESS", None)
    options = ["--no-browser", "--allow-root", "--port=0", "--IdentityProvider.token="]
    log = tmp_path / "lab.log"
    with open(log, "w") as file:
        command = [sys.executable, "-m", "jupyter", "lab", *options]
        server = subprocess.Popen(command, cwd=tmp_path / "notebooks", env=environment, stdout=file, stderr=file)
    try:
        for _ in range(120):
            found = re.search(r"http://(?:localhost|127.0.0.1):(\d+)/lab", log.read_text())
            if found or server.poll() is not None:
                break
            time.sleep(0.5)
        assert found, f"JupyterLab did not start: {log.read_text()[-2000:]}"
        yield f"http://127.0.0.1:{found[1]}/lab"
    finally:
        server.terminate()
        server.wait(30)


def test_in_jupyterlab_notebook_00_runs_and_its_slider_changes_the_picture(chromium, lab):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(600_000)
    page.goto(f"{lab}/tree/00_start_here.ipynb")
    idle = page.get_by_text("Python 3 (ipykernel) | Idle")  # in the status bar
    idle.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    slider = page.locator(".jp-OutputArea .noUi-handle")
    slider.focus()
    picture = ".jp-OutputArea-output:has(.noUi-handle) img"
    before = page.locator(picture).get_attribute("src")
    slider.press("ArrowRight")
    changed = "([where, before]) => { const i = document.querySelector(where); return i && i.src !== before; }"
    page.wait_for_function(changed, arg=[picture, before])
    idle.wait_for()
    pictures = page.locator(".jp-OutputArea-output img").evaluate_all("images => images.map(i => i.alt)")
    assert len(pictures) > 5 and all(pictures), "a figure without its alt text"
    last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").last.inner_text()
    assert last.strip("[]:").isdigit(), "not every cell ran"
    page.close()
