"""What axe-core finds wrong for people who use screen readers or keys: nothing."""

from __future__ import annotations

from importlib.resources import files

import pytest

# axe-core as one script, in a package that tests need not have.
axe = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")


@pytest.mark.parametrize("file", ["page_file", "surface_file"])
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("state", ["first", "menus", "help", "regions"])
def test_axe_finds_no_violations(browser, request, file, scheme, state):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1366, "height": 768})
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
    violations = page.evaluate("axe.run()")["violations"]
    context.close()
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in violations] == []
