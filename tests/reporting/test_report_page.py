"""Reports in a browser: at three widths, light and dark, in a dark notebook, and for everyone."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration


@pytest.fixture(scope="module")
def report(subjects):
    """Return the report of a group study, which has all parts."""
    maps, mask_img = subjects
    design = pd.DataFrame({"intercept": np.ones(12), "a_long_name_" * 6: np.arange(12) - 5.5})
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=ClusterTDPTransformer(2.5, two_sided=True),
        calibration=PermutationCalibration(n_permutations=50, random_state=0),
    )
    model.fit(maps, design_matrix=design)
    model.compute_contrast("intercept", output_type="tdp")
    return model.generate_report(["intercept"], title="A group")


def _opened(browser, path, **options):
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    wrong = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: wrong.append(request.url) if "http" in request.url else None)
    page.goto(path.as_uri())
    return context, page, wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 800, 390])
def test_page_fits_its_window_and_asks_for_nothing(browser, report, tmp_path, width, scheme):
    report.save_as_html(tmp_path / "report.html")
    context, page, wrong = _opened(
        browser,
        tmp_path / "report.html",
        viewport={"width": width, "height": 768},
        color_scheme=scheme,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert shown
    if width == 390:
        # The bound of a cluster is in sight without scrolling.
        heading = page.get_by_role("columnheader", name="TDP", exact=True).first
        box = heading.bounding_box()
        assert box["x"] + box["width"] <= width
        # Slices keep a size at which they can be seen, and scroll.
        slices = page.locator("figure.ari-wide img").first
        assert slices.bounding_box()["width"] > 600
    context.close()
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_can_be_read_in_a_dark_notebook(browser, report, tmp_path, scheme):
    notebook = tmp_path / "notebook.html"
    style = "body { background: #111; color: #eee } td { color: #eee }"
    notebook.write_text(
        f"<!DOCTYPE html><meta charset='utf-8'><style>{style}</style>{report._repr_html_()}",
        encoding="utf-8",
    )
    context, page, _ = _opened(browser, notebook, color_scheme=scheme)
    ink, paper = page.evaluate(
        """() => {
          const light = colour => colour.match(/[0-9.]+/g).slice(0, 3)
            .reduce((sum, one) => sum + Number(one), 0) / 765;
          const style = getComputedStyle(document.querySelector('.ari-report'));
          const cell = getComputedStyle(document.querySelector('.ari-report td'));
          return [[style.color, cell.color].map(light), light(style.backgroundColor)];
        }"""
    )
    context.close()
    assert all(abs(one - paper) > 0.6 for one in ink)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violations(browser, report, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    report.save_as_html(tmp_path / "report.html")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1366, "height": 768})
    page = context.new_page()
    # Before the policy of the page, which would forbid it.
    page.add_init_script((files(axe) / "axe.min.js").read_text(encoding="utf-8"))
    page.goto((tmp_path / "report.html").as_uri())
    violations = page.evaluate("axe.run()")["violations"]
    context.close()
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in violations] == []
