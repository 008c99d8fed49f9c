"""Files that the page writes and reads: figures, sessions, atlases."""

from __future__ import annotations

import json
import re
from io import BytesIO
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pytest
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiLabelTable
from nibabel.gifti.util import gifti_encoding_codes
from PIL import Image

from ari_estimator import explore, set_bound

from ._page_actions import download, open_files

PHYS = b"pHYs"


@pytest.fixture
def volume(page):
    return page


@pytest.fixture
def surface(open_page, surface_file):
    return open_page(surface_file)


# Figures.


@pytest.mark.parametrize("kind", ["volume", "surface"])
def test_png_has_300_dpi_and_the_background_that_was_asked_for(request, tmp_path, kind):
    page = request.getfixturevalue(kind)
    page.evaluate("document.getElementById('files').open = true")
    # Each background on the same page, which takes longer to open than to draw.
    for background, corner in {
        "white": [255, 255, 255, 255],
        "black": [0, 0, 0, 255],
        "transparent": [0, 0, 0, 0],
    }.items():
        page.locator("#background").select_option(background)
        data = download(page, "#save-picture", tmp_path).read_bytes()
        at = data.index(PHYS) + len(PHYS)
        per_metre = int.from_bytes(data[at : at + 4], "big")
        assert per_metre * 0.0254 == pytest.approx(300, abs=0.02)
        assert data[at + 8] == 1
        pixels = np.asarray(Image.open(BytesIO(data)))
        assert pixels.shape[1] > 2000
        assert pixels.shape[2] == 4
        assert pixels[0, -1].tolist() == corner, background
        colours = np.ascontiguousarray(pixels).view(np.uint32)
        assert np.unique(colours).size > 100


@pytest.mark.parametrize("kind", ["volume", "surface"])
def test_svg_says_what_it_shows(request, tmp_path, kind):
    page = request.getfixturevalue(kind)
    path = download(page, "#save-svg", tmp_path)
    assert path.name == f"Small_{'map' if kind == 'volume' else 'surface'}_picture.svg"
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    title = page.locator("#title").inner_text()
    assert title in texts
    assert any("TDP of at least 0.7" in text for text in texts)
    low, high = page.evaluate("ari.page.overlays.windows.statistic.map(ari.short)")
    assert {low, high, f"-{low}", f"-{high}"} <= set(texts)
    if kind == "volume":
        assert {"L", "R", "A", "P", "S", "I"} <= set(texts)
        assert sum(bool(re.fullmatch(r"[xyz] = -?[\d.]+ mm", text)) for text in texts) == 3
    else:
        assert any("crosshair at" in text for text in texts)
    assert root.attrib["width"].endswith("mm")


def test_figure_of_the_threshold_free_map_says_at_least(volume, tmp_path):
    volume.locator("#free").click()
    text = download(volume, "#save-svg", tmp_path).read_text(encoding="utf-8")
    assert "TDP, at least" in text
    assert "Threshold-free TDP map." in text
    assert "TDP of at least 0.7" not in text


def test_names_in_figures_are_text(open_page, fitted, tmp_path):
    title = '<script>x</script> & "quoted" \x07'
    explore(fitted, title=title, output_file=tmp_path / "title.html")
    page = open_page(tmp_path / "title.html")
    path = download(page, "#save-svg", tmp_path)
    assert path.name == "script_x_script_quoted_picture.svg"
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert "<script>" in root[0].text


# Sessions.


@pytest.mark.parametrize(("kind", "file"), [("volume", "page_file"), ("surface", "surface_file")])
def test_session_comes_back_with_all_that_was_done(request, open_page, tmp_path, kind, file):
    page = request.getfixturevalue(kind)
    page.locator("#rows tr").first.click()
    page.locator("#add-sphere").click()
    page.locator("#grow").click()
    page.locator("#overlay").select_option("tdp")
    page.locator("#sign").select_option("1")
    page.locator("#radius").fill("11")
    path = download(page, "#save-session", tmp_path)
    other = open_page(request.getfixturevalue(file))
    assert open_files(other, "#open-session", path) == f"{path.name} is open."
    state = """(() => {
        const { session, overlay, overlays, place, radius, region } = ari.page;
        return [session.clusters, Array.from(session.region), session.tdp, overlay, overlays.sign,
                place, radius, region];
    })()"""
    assert other.evaluate(state) == page.evaluate(state)
    assert other.locator("#sign").input_value() == "1"


def test_sessions_of_other_maps_and_other_files_are_refused(volume, surface, tmp_path):
    path = download(surface, "#save-session", tmp_path)
    before = volume.evaluate("ari.page.address")
    said = open_files(volume, "#open-session", path)
    assert "another map" in said
    path.write_text("{", encoding="utf-8")
    assert "no session file" in open_files(volume, "#open-session", path)
    path = download(volume, "#save-session", tmp_path)
    session = json.loads(path.read_text(encoding="utf-8"))
    for wrong in ({"region": [1e9]}, {"region": "x"}, {"version": 7}, {"atlas": {"names": 1}}):
        path.write_text(json.dumps(session | wrong), encoding="utf-8")
        assert "was not opened" in open_files(volume, "#open-session", path)
    assert volume.evaluate("ari.page.address") == before


# Atlases.


def _region_bounds(page):
    rows = page.evaluate("ari.page.regionRows")
    return {row["region"]: row["true_discoveries"] for row in rows}


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_atlas_of_the_user_has_the_bounds_of_python(
    volume, small_map, fitted, tmp_path, ending, dtype
):
    labels = np.asarray(small_map[2].dataobj).astype(dtype)
    labels[:5] = 9
    atlas_img = nib.Nifti1Image(labels, small_map[2].affine)
    nib.save(atlas_img, tmp_path / f"atlas{ending}")
    (tmp_path / "atlas.tsv").write_text("index\tname\n1\tone, and\n9\tnine\n", encoding="utf-8")
    said = open_files(volume, "#open-atlas", [tmp_path / f"atlas{ending}", tmp_path / "atlas.tsv"])
    assert said == ""
    assert f"3 regions of atlas{ending}, atlas.tsv" in volume.locator("#count").inner_text()
    expected = {
        name: set_bound(
            fitted, mask_img=nib.Nifti1Image((labels == label).astype(np.uint8), atlas_img.affine)
        ).true_discoveries
        for label, name in ((1, "one, and"), (4, "4"), (9, "nine"))
    }
    assert _region_bounds(volume) == expected
    volume.evaluate("ari.page.moveTo([3, 3, 3])")
    assert "nine" in volume.locator("#here dd").all_inner_texts()
    assert set(volume.evaluate("ari.page.found.rows.map((row) => row.peak_region)")) <= {
        *expected, ""
    }  # fmt: skip


def test_atlas_on_another_grid_is_taken_at_the_nearest_voxel(volume, small_map, fitted, tmp_path):
    affine = small_map[2].affine
    fine = np.zeros((28, 24, 20), dtype=np.int16)
    fine[10:22, 4:14, 4:14] = 5
    finer = affine @ np.diag([0.5, 0.5, 0.5, 1])
    finer[:3, 3] -= (affine[:3, :3] @ [0.25, 0.25, 0.25]).ravel()
    nib.save(nib.Nifti1Image(fine, finer), tmp_path / "fine.nii")
    assert open_files(volume, "#open-atlas", tmp_path / "fine.nii") == ""
    rows = volume.evaluate("ari.page.regionRows")
    (row,) = rows
    assert row["region"] == "5"
    assert row["n_voxels"] == 6 * 5 * 5


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (lambda z: np.where(z > 1, np.nan, 1), "labels are whole numbers"),
        (lambda z: z + 0.5, "labels are whole numbers"),
        (lambda z: np.zeros(z.shape), "none of the tested voxels has a label"),
        (lambda z: np.ones((*z.shape, 2)), "several images"),
    ],
)
def test_images_that_are_no_atlas_are_refused(volume, small_map, tmp_path, labels, what):
    data = labels(small_map[0].get_fdata()).astype(np.float32)
    nib.save(nib.Nifti1Image(data, small_map[0].affine), tmp_path / "x.nii")
    before = _region_bounds(volume)
    said = open_files(volume, "#open-atlas", tmp_path / "x.nii")
    assert "x.nii was not loaded" in said
    assert what in said
    assert _region_bounds(volume) == before


def test_files_that_are_no_images_are_refused(volume, tmp_path):
    (tmp_path / "names.tsv").write_text("1\tx\n", encoding="utf-8")
    assert "one NIfTI file" in open_files(volume, "#open-atlas", tmp_path / "names.tsv")
    (tmp_path / "broken.nii").write_bytes(b"no image")
    assert "broken.nii is no NIfTI file" in open_files(
        volume, "#open-atlas", tmp_path / "broken.nii"
    )


@pytest.mark.parametrize("encoding", ["B64BIN", "B64GZ", "ASCII"])
def test_atlas_of_a_surface_is_read_from_gifti(
    surface, small_surface, fitted_surface, tmp_path, encoding
):
    atlas_img = small_surface[2]
    paths = []
    for hemisphere, short in (("left", "lh"), ("right", "rh")):
        table = GiftiLabelTable()
        for key, name in ((0, "???"), (1, "back"), (3, "front")):
            label = GiftiLabel(key)
            label.label = name
            table.labels.append(label)
        values = atlas_img.data.parts[hemisphere].astype(np.int32)
        array = GiftiDataArray(values, intent="NIFTI_INTENT_LABEL", datatype="int32")
        array.encoding = gifti_encoding_codes.code[encoding]
        image = GiftiImage(labeltable=table, darrays=[array])
        paths.append(tmp_path / f"{short}.atlas.label.gii")
        nib.save(image, paths[-1])
    assert open_files(surface, "#open-atlas", paths) == ""
    expected = {}
    for label, name in ((1, "back"), (3, "front")):
        mask = {h: values == label for h, values in atlas_img.data.parts.items()}
        mask_img = type(atlas_img)(atlas_img.mesh, mask)
        expected[name] = set_bound(fitted_surface, mask_img=mask_img).true_discoveries
    assert _region_bounds(surface) == expected
    assert "one GIfTI file of labels" in open_files(surface, "#open-atlas", [__file__])


def test_session_brings_the_atlas_of_the_user(volume, open_page, page_file, small_map, tmp_path):
    labels = np.asarray(small_map[2].dataobj).astype(np.int16) * 2
    nib.save(nib.Nifti1Image(labels, small_map[2].affine), tmp_path / "mine.nii")
    open_files(volume, "#open-atlas", tmp_path / "mine.nii")
    path = download(volume, "#save-session", tmp_path)
    other = open_page(page_file)
    assert open_files(other, "#open-session", path) == f"{path.name} is open."
    assert _region_bounds(other) == _region_bounds(volume)
    assert set(_region_bounds(other)) == {"2", "8"}
