"""A small map, its page, and a browser to open it in."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from nibabel import Nifti1Image
from scipy.ndimage import gaussian_filter

from ari_estimator import AdaptiveTDPTransformer, explore

# Graphics without a graphics card.
_ARGUMENTS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def small_map():
    """Return a z map of 3 mm with clusters of both signs, ties and an atlas, and its mask."""
    rng = np.random.default_rng(7)
    shape = (14, 12, 10)
    noise = gaussian_filter(rng.standard_normal(shape), 0.8)
    z = noise / noise.std()
    z[2:6, 2:6, 2:6] += 5
    z[3:5, 3:5, 7:9] += 3.5
    z[9:12, 7:10, 3:7] -= 4.5
    z[8:12, 2:5, 2:5] += 3
    # To two decimals and cut off, many voxels are tied, peaks too.
    z = np.clip(np.round(z, 2), -4.5, 5)
    mask = np.ones(shape, dtype=np.uint8)
    mask[0] = mask[:, -1] = 0
    affine = np.array([[-3.0, 0, 0, 20], [0, 3, 0, -15], [0, 0, 3.0, -9], [0, 0, 0, 1]])
    atlas = np.ones(shape, dtype=np.int32)
    atlas[7:] = 4
    atlas[:, :, 8:] = 0
    return tuple(Nifti1Image(data, affine) for data in (z, mask, atlas))


@pytest.fixture(scope="session")
def fitted(small_map):
    """Return what Python finds in the small map."""
    z_img, mask_img, _ = small_map
    ari = AdaptiveTDPTransformer(0.7, mask_img=mask_img, two_sided=True)
    ari.fit_transform(z_img)
    return ari


@pytest.fixture(scope="session")
def page_file(small_map, fitted, tmp_path_factory):
    """Return the page of the small map, as a file."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    names = ["first <b>half</b>", "second, half"]
    explore(fitted, labels_img=small_map[2], labels=names, title="Small map", output_file=path)
    return path


@pytest.fixture(scope="session")
def browser():
    """Return a browser without a window; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    with playwright.sync_playwright() as driver:
        if path is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("needs Chromium: `playwright install chromium`, or CHROMIUM=path")
        browser = driver.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _opener(browser):
    """Give a function that opens a file; whatever it reports as wrong fails in the end."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme="dark", accept_downloads=True
    )
    context.set_default_timeout(20_000)
    context.set_offline(True)
    wrong = []

    def open_file(path, state=""):
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: _note_request(request.url, wrong))
        page.goto(path.as_uri() + state)
        page.evaluate("ari.started")
        return page

    yield open_file
    context.close()
    assert wrong == []


def _note_request(url, wrong):
    if not url.startswith(("file:", "blob:", "data:")):
        wrong.append(f"request of {url}")


@pytest.fixture
def open_page(browser):
    """Return a function that opens a file."""
    with _opener(browser) as open_file:
        yield open_file


@pytest.fixture
def page(open_page, page_file):
    """Return the page of the small map, opened."""
    return open_page(page_file)


@pytest.fixture(scope="module")
def used_page(browser, page_file):
    """Return the page of the small map as other tests have left it, for those that ask it."""
    with _opener(browser) as open_file:
        yield open_file(page_file)
