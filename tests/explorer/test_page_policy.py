"""All pages that are written: they ask for nothing over the network, and run no name."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    explore,
)

# Names that would be scripts, if they were not escaped; and line ends that JSON does not escape.
NAMES = [
    "</script><script>document.title = 'run'</script>",
    "\u2028\u2029<!--<script> <img src=x onerror=\"document.title = 'run'\">",
]

# What asks for something: not links that people click on, and not names of XML.
_ASKS = re.compile(
    r"""<(?:link|script|img|iframe|object|embed|source|video|audio)\b[^>]*(?:href|src|data)\s*=
    \s*["']?\s*(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""",
    re.VERBOSE | re.IGNORECASE,
)


@pytest.fixture(scope="module")
def pages(small_map, page_file, surface_file, fitted_surface, tmp_path_factory):
    """Return the files of all kinds of pages."""
    folder = tmp_path_factory.mktemp("pages")
    z_img, mask_img, atlas_img = small_map
    regions = RegionTDPTransformer(atlas_img, labels=NAMES, mask_img=mask_img, two_sided=True)
    regions.fit_transform(z_img)
    explore(
        regions, labels_img=atlas_img, labels=NAMES, title=NAMES[0], bg_img=None,
        output_file=folder / "names.html",
    )  # fmt: skip
    regions.generate_report(title=NAMES[0]).save_as_html(folder / "report.html")
    fitted_surface.generate_report().save_as_html(folder / "surface.html")
    rng = np.random.default_rng(0)
    maps = [
        Nifti1Image(z_img.get_fdata() + rng.standard_normal(z_img.shape), z_img.affine)
        for _ in range(8)
    ]
    name = f"x {NAMES[0]}"
    model = ARISecondLevelModel(
        mask_img=mask_img,
        transformer=ClusterTDPTransformer(3.0),
        calibration=PermutationCalibration(n_permutations=40, random_state=0),
    ).fit(maps, design_matrix=pd.DataFrame({name: np.ones(8)}))
    contrasts = {NAMES[1]: np.array([1.0])}
    model.generate_report(contrasts).save_as_html(folder / "nilearn.html")
    model.compute_contrast([1.0], output_type="tdp")
    model.generate_report(contrasts, title=NAMES[0]).save_as_html(folder / "group.html")
    model.calibration_.generate_report().save_as_html(folder / "calibration.html")
    files = {path.stem: path for path in folder.iterdir()}
    return files | {"volume explorer": page_file, "surface explorer": surface_file}


KINDS = [
    "report", "surface", "nilearn", "group", "calibration", "names", "volume explorer",
    "surface explorer",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_pages_ask_for_nothing_and_say_so(pages, kind):
    html = pages[kind].read_text(encoding="utf-8")
    found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    assert len(found) == 1
    rules = dict(rule.strip().partition(" ")[::2] for rule in found[0].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "http" not in found[0]
    assert "unsafe-inline" not in rules.get("script-src", "")
    assert "unsafe-eval" not in found[0]
    assert html.index("Content-Security-Policy") < html.find("<script") % len(html)
    # The scripts that a page has itself hold addresses, as licences.
    shown = re.sub(r"(<script\b[^>]*>).*?(</script)", r"\1\2", html, flags=re.DOTALL)
    assert not _ASKS.search(shown)
    assert not re.search(r"<script\b[^>]*\bsrc", shown)


@pytest.mark.parametrize("kind", KINDS)
def test_browsers_find_nothing_wrong_with_pages(browser, pages, kind):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    wrong = []
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (event) =>"
        " console.log(event.violatedDirective, event.blockedURI))"
    )
    page.goto(pages[kind].as_uri())
    page.evaluate("globalThis.ari?.started")
    page.wait_for_timeout(100)
    title = page.title()
    context.close()
    allowed = (pages[kind].as_uri(), "blob:", "data:")
    assert [text for text in wrong if not text.startswith(allowed)] == []
    assert title != "run"


def test_names_are_shown_as_they_are_written(browser, pages):
    page = browser.new_page()
    page.goto(pages["report"].as_uri())
    cells = page.locator("td").all_inner_texts()
    assert NAMES[0] in cells
    page.goto(pages["names"].as_uri())
    page.evaluate("ari.started")
    assert page.evaluate("ari.page.map.info.region_names") == ["", *NAMES]
    assert page.locator("#title").inner_text() == NAMES[0]
    page.close()


def test_tables_of_the_page_hold_no_formulas(used_page):
    rows = "[{ peak_region: '=1+1' }, { peak_region: '-1' }, { peak_region: \"'@a\" }]"
    csv = used_page.evaluate(f"ari.csv({rows}, ['peak_region'])")
    assert csv == "peak_region\n'=1+1\n-1\n''@a\n"
