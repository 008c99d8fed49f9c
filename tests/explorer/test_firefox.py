"""The core of the page in Firefox: what is drawn, numbers, clicks, keys, files, access."""

from __future__ import annotations

import base64
import os
import shutil
from importlib.resources import files
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ari_estimator import element_at, set_bound

from ._firefox import Firefox

# What niivue does that is out of date, and changes nothing.
_HARMLESS = "WEBGL_debug_renderer_info is deprecated"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    """Return a Firefox; skip where there is none."""
    path = os.environ.get("FIREFOX") or shutil.which("firefox") or shutil.which("firefox-esr")
    if path is None:
        pytest.skip("needs Firefox: `apt-get install firefox-esr`, or FIREFOX=path")
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, so that Firefox has WebGL: `apt-get install xvfb`")
    firefox = Firefox(path, tmp_path_factory.mktemp("firefox"))
    yield firefox
    firefox.close()


@pytest.fixture
def open_in_firefox(firefox):
    """Return a function that opens a file; whatever Firefox reports as wrong fails in the end."""

    def open_file(path, state=""):
        firefox.open(path, state)
        return firefox

    yield open_file
    assert [text for text in firefox.problems() if _HARMLESS not in text] == []


@pytest.fixture
def page(open_in_firefox, page_file):
    """Return the page of the small map in Firefox."""
    return open_in_firefox(page_file)


def _is_blank(picture, box):
    """Return whether all of a part of a picture has one colour."""
    left, top, width, height = (int(value) for value in box)
    part = np.asarray(Image.open(BytesIO(picture)).convert("RGB"))
    part = part[top : top + height, left : left + width].reshape(-1, 3)
    return len(np.unique(part, axis=0)) < 20


@pytest.mark.parametrize("file", ["page_file", "surface_file"])
def test_page_opens_and_draws_and_nothing_is_wrong(open_in_firefox, request, file):
    page = open_in_firefox(request.getfixturevalue(file))
    page.wait_for("new Promise((done) => setTimeout(done, 500))")
    assert page.text("#status") == ""
    box = page.evaluate(
        "(({ left, top, width, height }) => [left, top, width, height])"
        "(document.getElementById('brain').getBoundingClientRect())"
    )
    assert not _is_blank(page.screenshot(), box)


@pytest.mark.parametrize("tdp", [0, 0.3, 0.7, 1])
def test_clusters_are_those_of_python(page, fitted, tdp):
    page.type("#tdp", str(tdp))
    forest = fitted.forest_
    clusters = forest.query(tdp)
    assert page.evaluate("ari.page.session.clusters") == clusters.tolist()
    labels = page.evaluate("Array.from(ari.page.found.labels)")
    np.testing.assert_array_equal(labels, forest.labels(clusters))
    found = page.evaluate("ari.page.found.rows.map((row) => row.true_discoveries)")
    assert found == forest.true_discoveries[clusters].tolist()
    assert page.evaluate("document.querySelectorAll('#rows tr').length") == clusters.size


def test_slider_follows_keys_and_undo_takes_it_back(page, fitted):
    page.evaluate("document.getElementById('tdp-slider').focus()")
    page.press("ArrowRight")
    assert page.evaluate("ari.page.session.tdp") == pytest.approx(0.71)
    assert page.evaluate("ari.page.session.clusters") == fitted.forest_.query(0.71).tolist()
    page.click("#undo")
    assert page.evaluate("ari.page.session.tdp") == 0.7


def test_click_and_keys_move_the_crosshair(page, fitted):
    page.evaluate("ari.page.moveTo([4, 4, 4])")
    x, y = page.evaluate(
        """(() => {
            const { left, top } = document.getElementById("slices").getBoundingClientRect();
            const [x, y] = ari.page.viewer.pixelOf("axial", [6, 5, 4]);
            return [left + x, top + y];
        })()"""
    )
    page.click_at(x, y)
    assert page.evaluate("ari.page.place") == [6, 5, 4]
    # Along x voxels run from right to left.
    page.press("ArrowRight")
    assert page.evaluate("ari.page.place") == [5, 5, 4]
    stat = fitted.maps_.family.stat[element_at(fitted, index=(5, 5, 4))]
    assert page.evaluate("ari.page.map.stat[ari.page.elementHere]") == pytest.approx(stat)


def test_table_is_walked_by_keys(page):
    page.evaluate("document.querySelector('#rows tr').focus()")
    page.press("ArrowDown")
    page.press("Enter")
    row = page.evaluate("ari.page.found.rows[1].cluster")
    assert page.evaluate("ari.page.clusterHere") == row


def test_cluster_grows_and_the_address_brings_it_back(page, page_file, open_in_firefox):
    page.click("#grow")
    clusters = page.evaluate("ari.page.session.clusters")
    assert page.evaluate("ari.page.session.isChanged")
    state = page.evaluate("ari.page.address")
    assert open_in_firefox(page_file, state).evaluate("ari.page.session.clusters") == clusters


def test_region_that_is_added_has_the_bound_of_python(page, fitted, small_map):
    page.click("#add-sphere")
    page.click("#add-cluster")
    elements = page.evaluate("Array.from(ari.page.session.region)")
    mask_img = small_map[1]
    inside = np.zeros(fitted.n_tested_, dtype=np.uint8)
    inside[elements] = 1
    drawn = np.zeros(mask_img.shape, dtype=np.uint8)
    drawn[mask_img.get_fdata() > 0] = inside
    bound = set_bound(fitted, mask_img=nib.Nifti1Image(drawn, mask_img.affine))
    assert bound.n_tested == len(elements)
    assert page.evaluate("ari.page.region.true_discoveries") == bound.true_discoveries


@pytest.mark.parametrize("file", ["page_file", "surface_file"])
def test_figures_are_drawn(open_in_firefox, request, file):
    page = open_in_firefox(request.getfixturevalue(file))
    text = page.wait_for(
        """(async () => {
            const parts = await ari.page.figure().png();
            const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        })()"""
    )
    picture = base64.b64decode(text)
    assert Image.open(BytesIO(picture)).info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert not _is_blank(picture, (0, 0, 100_000, 100_000))
    assert page.evaluate("ari.page.figure().svg()").startswith("<?xml")


def test_atlas_of_the_user_is_read(page, small_map):
    _, _, atlas_img = small_map
    text = base64.b64encode(nib.Nifti1Image.to_bytes(atlas_img)).decode()
    page.wait_for(
        f"""ari.page.openAtlas([new File([Uint8Array.from(atob("{text}"),
            (letter) => letter.charCodeAt(0))], "atlas.nii")])"""
    )
    assert page.text("#status") == ""
    assert sorted(page.evaluate("ari.page.regionRows.map((row) => row.region)")) == ["1", "4"]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_violations(page, theme):
    axe = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    page.evaluate(f"ari.page.setTheme('{theme}')")
    source = (files(axe) / "axe.min.js").read_text(encoding="utf-8")
    violations = page.wait_for(
        f"(() => {{ {source}; return axe.run(); }})().then(({{ violations }}) =>"
        " violations.map((v) => [v.id, v.nodes.map((node) => node.target)]))"
    )
    assert violations == []
