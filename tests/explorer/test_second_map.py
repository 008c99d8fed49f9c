"""A second map beside the tested one: its values, pictures of both, and what is refused."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pytest
from nibabel.cifti2 import Cifti2Image, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage
from nilearn.surface import SurfaceImage

from ari_estimator import explore

from ._page_actions import address, at_crosshair, open_files, picture, settle, status

FILES = ["page_file", "surface_file", "cifti_file"]


def _values(n):
    return np.round(np.random.default_rng(5).standard_normal(n) * 2, 2)


@pytest.fixture
def second_volume(small_map):
    """Return another map on the grid of the small one."""
    z_img = small_map[0]
    return nib.Nifti1Image(_values(z_img.shape), z_img.affine)


@pytest.fixture
def write_second(small_map, small_surface, small_cifti, second_volume, tmp_path):
    """Return a function that writes another map of a page, and returns its files."""

    def write(file):
        if file == "page_file":
            nib.save(second_volume, tmp_path / "other.nii.gz")
            return [tmp_path / "other.nii.gz"]
        if file == "cifti_file":
            axis = small_cifti[0].header.get_axis(1)
            values = _values(len(axis))[np.newaxis].astype(np.float32)
            nib.save(Cifti2Image(values, (ScalarAxis(["x"]), axis)), tmp_path / "other.dscalar.nii")
            return [tmp_path / "other.dscalar.nii"]
        paths = []
        for name, values in small_surface[0].data.parts.items():
            array = GiftiDataArray(_values(values.size).astype(np.float32), datatype="float32")
            paths.append(tmp_path / f"{name}.func.gii")
            nib.save(GiftiImage(darrays=[array]), paths[-1])
        return paths

    return write


@pytest.mark.parametrize("file", FILES)
def test_map_of_the_user_is_said_at_the_crosshair_and_drawn(open_page, request, write_second, file):
    page = open_page(request.getfixturevalue(file))
    assert not page.locator("#second").is_visible()
    first = picture(page)
    paths = write_second(file)
    said = open_files(page, "#open-second", paths)
    name = page.evaluate("ari.page.map.second.name")
    assert name == ("left, right" if file == "surface_file" else "other")
    # In a live region, so that a screen reader says it.
    assert said == f"{name} is loaded, and shown beside the map."
    assert page.locator("#status").get_attribute("role") == "status"
    seen = [first, picture(page)]
    n = page.evaluate("ari.page.map.forest.n")
    for element in (3, n // 2, n - 3):
        page.evaluate("e => ari.page.moveTo(ari.page.map.geometry.placeOfElement(e))", element)
        value = page.evaluate("e => ari.page.map.second.values[e]", element)
        assert float(at_crosshair(page)[name]) == pytest.approx(value, rel=1e-3)
    page.locator("#beside").click()
    assert page.locator("#beside").get_attribute("aria-pressed") == "false"
    seen.append(picture(page))
    for is_shown in ("true", "false"):
        if page.locator("#second").get_attribute("aria-pressed") != is_shown:
            page.locator("#second").click()
        assert page.locator("#second").get_attribute("aria-pressed") == is_shown
        assert (name in page.locator("#legend").inner_text()) == (is_shown == "true")
        seen.append(picture(page))
    assert len(set(seen)) >= 3
    # No bound depends on it.
    rows = page.evaluate("ari.page.found.rows.map((row) => [row.true_discoveries, row.tdp])")
    assert rows == open_page(request.getfixturevalue(file)).evaluate(
        "ari.page.found.rows.map((row) => [row.true_discoveries, row.tdp])"
    )


def test_values_are_those_of_the_file(page, fitted, second_volume, write_second):
    open_files(page, "#open-second", write_second("page_file"))
    values = page.evaluate("Array.from(ari.page.map.second.values)")
    mask = fitted.maps_.frame.mask_img.get_fdata() != 0
    np.testing.assert_array_equal(values, second_volume.get_fdata()[mask])


def test_both_maps_are_seen_side_by_side_with_one_crosshair(page, write_second):
    open_files(page, "#open-second", write_second("page_file"))
    assert page.locator("#beside").get_attribute("aria-pressed") == "true"
    settle(page)
    panes = page.evaluate("ari.page.viewer.panes")
    assert sorted((pane["plane"], pane["isSecond"]) for pane in panes) == [
        (plane, is_second) for plane in ("axial", "coronal", "sagittal") for is_second in (0, 1)
    ]
    legend = page.locator("#legend").inner_text()
    assert "other" in legend
    assert "z" in legend.split()
    box = page.locator("#slices").bounding_box()
    before = page.evaluate("ari.page.place")
    pane = next(pane for pane in panes if pane["isSecond"] and pane["plane"] == "axial")
    page.mouse.click(
        box["x"] + pane["left"] + 0.4 * pane["width"],
        box["y"] + pane["top"] + 0.6 * pane["height"],
    )
    place = page.evaluate("ari.page.place")
    assert place != before
    assert place == page.evaluate("ari.page.viewer.voxel")
    # Each half shows another map: the same pixels differ.
    first, second = (
        page.evaluate(
            """isSecond => {
                const { viewer } = ari.page;
                const ink = new ari.SvgInk();
                viewer._drawSlice(ink, "axial", isSecond, [0, 0, 300, 300],
                                  { colours: viewer.colours, size: 12 });
                return ink.parts.join("");
            }""",
            is_second,
        )
        for is_second in (False, True)
    )
    assert first != second
    assert ">Small map<" in first
    assert ">other<" in second


@pytest.mark.parametrize(
    ("view", "n"), [("multiplanar", 6), ("axial", 2), ("render", 6), ("slices", 6)]
)
def test_each_slice_of_a_view_is_doubled(page, write_second, view, n):
    open_files(page, "#open-second", write_second("page_file"))
    page.locator("#views").select_option(view)
    settle(page)
    assert page.evaluate("ari.page.viewer.panes.length") == n
    page.locator("#beside").click()
    planes = page.evaluate("ari.page.viewer.panes.map((pane) => pane.plane)")
    assert ("render" in planes) == (view in ("multiplanar", "render"))


@pytest.mark.parametrize("file", ["surface_file", "cifti_file"])
def test_both_surfaces_turn_and_move_together(open_page, request, write_second, file):
    page = open_page(request.getfixturevalue(file))
    open_files(page, "#open-second", write_second(file))
    settle(page)
    pair = "(ari.page.viewer.cortex ?? ari.page.viewer)"
    first, second = (page.locator(box).bounding_box() for box in ("#render", "#other"))
    assert first["width"] == pytest.approx(second["width"], abs=1)
    assert first["height"] == pytest.approx(second["height"], abs=1)
    assert first["x"] + first["width"] == pytest.approx(second["x"], abs=1)
    if file == "cifti_file":
        assert page.locator("#slices").is_visible()
        assert page.evaluate("ari.page.viewer.volume.panes.length") == 6
    shown = [page.locator(box).screenshot() for box in ("#render", "#other")]
    assert shown[0] != shown[1]
    # The second picture is clicked: the crosshair of both moves.
    page.locator("#views").select_option("left")
    before = page.evaluate("ari.page.place")
    page.mouse.click(second["x"] + 0.4 * second["width"], second["y"] + 0.45 * second["height"])
    place = page.evaluate("ari.page.place")
    assert place != before
    assert page.evaluate(f"[{pair}.vertex, {pair}.other.vertex]") == [place, place]
    # The second one is turned: so is the first one, and the other way round.
    for box in (second, first):
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y + 10, steps=3)
        page.mouse.up()
        cameras = page.evaluate(f"[{pair}.camera, {pair}.other.camera]")
        assert cameras[0] == cameras[1]
        assert cameras[0] != [90, 0]
    # A line on the second one encloses what is seen there.
    page.locator("#views").select_option("left")
    x, y = second["x"] + 0.4 * second["width"], second["y"] + 0.45 * second["height"]
    page.locator("#pen").click()
    page.mouse.move(x - 25, y - 25)
    page.mouse.down()
    for dx, dy in ((25, -25), (25, 25), (-25, 25)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    region = page.evaluate("Array.from(ari.page.session.region)")
    assert page.evaluate("ari.page.map.geometry.elementOf(ari.page.place)") in region
    page.keyboard.press("Escape")
    page.locator("#beside").click()
    settle(page)
    assert not page.locator("#other").is_visible()
    wide = page.locator("#render").bounding_box()
    assert wide["width"] == pytest.approx(2 * first["width"], abs=2)


@pytest.mark.parametrize("size", [(1366, 768), (683, 384), (390, 844)])
def test_pairs_fit_into_the_room_that_there_is(page, write_second, size):
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    open_files(page, "#open-second", write_second("page_file"))
    settle(page)
    box = page.locator("#brain").bounding_box()
    panes = page.evaluate("ari.page.viewer.panes")
    assert len(panes) == 6
    for pane in panes:
        assert pane["left"] >= 0
        assert pane["top"] >= 0
        assert pane["left"] + pane["width"] <= box["width"] + 0.1
        assert pane["top"] + pane["height"] <= box["height"] + 0.1
    for plane in ("axial", "coronal", "sagittal"):
        first, second = (pane for pane in panes if pane["plane"] == plane)
        assert first["left"] == second["left"] or first["top"] == second["top"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_second_map_is_never_beside_itself(page, write_second):
    open_files(page, "#open-second", write_second("page_file"))
    page.locator("#second").click()
    assert page.locator("#overlay").input_value() == "second"
    assert page.locator("#beside").get_attribute("aria-pressed") == "false"
    page.locator("#beside").click()
    assert page.locator("#overlay").input_value() == "found"
    state = address(page)
    assert "beside=1" in state
    page.evaluate("address => ari.page.readAddress(address)", state.replace("found", "second"))
    assert not page.evaluate("ari.page.second.isBeside")


def test_second_map_has_colours_and_a_window_of_its_own(page, write_second, open_page, page_file):
    open_files(page, "#open-second", write_second("page_file"))
    page.locator("#second").click()
    page.evaluate("document.getElementById('display').open = true")
    before = page.evaluate("ari.page.overlays.windows.statistic")
    page.locator("#window-high").fill("7")
    page.locator("#window-high").press("Enter")
    page.locator("#colours").select_option("blue-red")
    assert page.evaluate("ari.page.overlays.windows.second[1]") == 7
    assert page.evaluate("ari.page.overlays.windows.statistic") == before
    assert "7" in page.locator("#legend").inner_text()
    state = address(page)
    assert "secondcolours=blue-red" in state
    # On a page without that map, there is nothing of it.
    other = open_page(page_file, state)
    assert "overlay" in status(other)
    assert other.locator("#overlay").input_value() == "found"


def test_figure_names_both_maps(page, write_second, tmp_path):
    open_files(page, "#open-second", write_second("page_file"))
    page.evaluate("document.getElementById('files').open = true")
    with page.expect_download() as waiting:
        page.locator("#save-svg").click()
    waiting.value.save_as(tmp_path / "x.svg")
    root = ElementTree.fromstring((tmp_path / "x.svg").read_text(encoding="utf-8"))
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("L") == 4
    assert texts.count("other") == 4  # on three slices, and above its colours
    assert texts.count("Small map") >= 3


def test_session_brings_the_second_map(page, open_page, page_file, write_second, tmp_path):
    (path,) = write_second("page_file")
    data = np.asarray(nib.load(path).dataobj)
    data[3, 3, 3] = np.nan
    nib.save(nib.Nifti1Image(data, nib.load(path).affine), path)
    open_files(page, "#open-second", [path])
    page.evaluate("document.getElementById('files').open = true")
    with page.expect_download() as waiting:
        page.locator("#save-session").click()
    waiting.value.save_as(tmp_path / "session.json")
    other = open_page(page_file)
    assert open_files(other, "#open-session", tmp_path / "session.json") == "session.json is open."
    values = "Array.from(ari.page.map.second.values, String)"
    assert other.evaluate(values) == page.evaluate(values)
    assert "NaN" in other.evaluate(values)
    assert other.locator("#beside").get_attribute("aria-pressed") == "true"
    session = json.loads((tmp_path / "session.json").read_text(encoding="utf-8"))
    session["second"]["values"][0] = "x"
    (tmp_path / "session.json").write_text(json.dumps(session), encoding="utf-8")
    assert "damaged" in open_files(other, "#open-session", tmp_path / "session.json")


# What is refused.


def _shifted(img):
    affine = img.affine.copy()
    affine[0, 3] += 3
    return nib.Nifti1Image(img.get_fdata(), affine)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        (_shifted, "Resample it to the grid of the map"),
        (lambda img: nib.Nifti1Image(img.get_fdata()[:-1], img.affine), "it has 13 "),
        (lambda img: nib.Nifti1Image(np.stack([img.get_fdata()] * 2, -1), img.affine), "several"),
        (lambda img: nib.Nifti1Image(img.get_fdata() * np.nan, img.affine), "no finite value"),
    ],
)
def test_maps_that_do_not_fit_are_refused_in_the_page(
    page, second_volume, tmp_path, changed, match
):
    nib.save(changed(second_volume), tmp_path / "x.nii")
    said = open_files(page, "#open-second", tmp_path / "x.nii")
    assert said.startswith("x.nii was not loaded")
    assert match in said
    assert page.evaluate("ari.page.map.second") is None
    assert not page.locator("#second").is_visible()


def test_other_kinds_are_refused_in_the_page(open_page, page, surface_file, write_second):
    surface = open_page(surface_file)
    said = open_files(surface, "#open-second", write_second("page_file"))
    assert "it is a volume, and the map lies on a surface" in said
    assert "this page takes one NIfTI file" in open_files(
        page, "#open-second", write_second("surface_file")
    )
    assert "this page takes" in open_files(page, "#open-second", __file__)


def test_voxels_on_another_grid_are_refused_in_the_page(
    open_page, cifti_file, small_cifti, tmp_path
):
    axis = small_cifti[0].header.get_axis(1)
    moved = axis[axis.volume_mask]
    moved.affine = moved.affine.copy()
    moved.affine[0, 3] += 1
    img = Cifti2Image(_values(len(moved))[np.newaxis], (ScalarAxis(["x"]), moved))
    nib.save(img, tmp_path / "moved.dscalar.nii")
    page = open_page(cifti_file)
    assert "grid of voxels differs" in open_files(
        page, "#open-second", tmp_path / "moved.dscalar.nii"
    )


# A second map that the page brings.


@pytest.mark.parametrize("file", FILES)
def test_page_brings_a_second_map(
    request, open_page, small_surface, small_cifti, second_volume, tmp_path, file
):
    fitted, second = {
        "page_file": ("fitted", second_volume),
        "surface_file": ("fitted_surface", small_surface[0]),
        "cifti_file": ("fitted_cifti", small_cifti[0]),
    }[file]
    fitted = request.getfixturevalue(fitted)
    explore(fitted, second_map=second, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    values = page.evaluate("Array.from(ari.page.map.second.values)")
    family = fitted.maps_.family
    expected = next(iter(fitted.maps_.frame.arrays(second)))[family.is_tested]
    np.testing.assert_array_equal(values, expected)
    assert "second map" in at_crosshair(page)
    assert page.locator("#second").is_visible()
    page.locator("#second").click()
    assert page.locator("#overlay").input_value() == "second"
    page.locator("#second").click()
    assert page.locator("#overlay").input_value() == "found"


def test_second_map_is_called_like_its_file(open_page, fitted, second_volume, tmp_path):
    nib.save(second_volume, tmp_path / "cope2_z.nii.gz")
    explore(fitted, second_map=tmp_path / "cope2_z.nii.gz", output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    assert "cope2_z" in at_crosshair(page)
    options = page.locator("#overlay option").all_inner_texts()
    assert "second map: cope2_z" in options


def test_second_maps_that_do_not_fit_are_refused(fitted, small_surface, second_volume):
    with pytest.raises(ValueError, match="second_map"):
        explore(fitted, second_map=_shifted(second_volume))
    with pytest.raises(TypeError, match="second_map must be of the same kind"):
        explore(fitted, second_map=SurfaceImage(small_surface[0].mesh, small_surface[0].data))
    nothing = nib.Nifti1Image(np.full(second_volume.shape, np.nan), second_volume.affine)
    with pytest.raises(ValueError, match="second_map must have numbers where the map is tested"):
        explore(fitted, second_map=nothing)


def test_second_map_is_no_output_file(fitted, second_volume, tmp_path):
    nib.save(second_volume, tmp_path / "x.nii")
    with pytest.raises(ValueError, match="is the input file"):
        explore(fitted, second_map=tmp_path / "x.nii", output_file=tmp_path / "x.nii")
