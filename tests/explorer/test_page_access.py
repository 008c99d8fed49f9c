"""What axe-core finds wrong for people who use screen readers or keys: nothing."""

from __future__ import annotations

from importlib.resources import files
from itertools import product

import pytest

from ari_estimator import explore

# axe-core as one script, in a package that tests need not have.
axe = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")


@pytest.fixture(scope="session")
def second_file(small_map, fitted, tmp_path_factory):
    """Return a page that brings a second map."""
    path = tmp_path_factory.mktemp("page") / "second.html"
    explore(fitted, labels_img=small_map[2], second_map=small_map[0], output_file=path)
    return path


STATES = [
    *product(["page_file", "surface_file", "cifti_file"], ["first", "menus", "help", "regions"]),
    ("second_file", "second"),
]


@pytest.mark.parametrize(("file", "state"), STATES)
def test_axe_finds_no_violations(browser, request, file, state):
    context = browser.new_context(color_scheme="dark", viewport={"width": 1366, "height": 768})
    page = context.new_page()
    # Before the policy of the page, which would forbid it.
    page.add_init_script((files(axe) / "axe.min.js").read_text(encoding="utf-8"))
    page.goto(request.getfixturevalue(file).as_uri())
    page.evaluate("ari.started")
    if state == "menus":
        page.evaluate("for (const id of ['files', 'display']) document.getElementById(id).open = 1")
    elif state == "help":
        page.keyboard.press("?")
    elif state == "regions":
        page.locator("#show-regions").click()
    elif state == "second":
        page.locator("#beside").click()
    found = {}
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        violations = page.evaluate("axe.run()")["violations"]
        found[scheme] = [(v["id"], [n["target"] for n in v["nodes"]]) for v in violations]
    context.close()
    assert found == {"dark": [], "light": []}
