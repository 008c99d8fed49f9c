"""The page of a CIFTI map: cortex and voxels are one family, in numbers, pictures and files."""

from __future__ import annotations

from xml.etree import ElementTree

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis
from nilearn.surface import InMemoryMesh, SurfaceImage
from sklearn.base import clone

from ari_estimator import AdaptiveTDPTransformer, explore, set_bound

from ._page_actions import ask, at_crosshair, download, open_files, settle


@pytest.fixture
def page(open_page, cifti_file):
    """Return the page of the small CIFTI map, opened."""
    return open_page(cifti_file)


def _go_to_element(page, element):
    page.evaluate("e => ari.page.moveTo(ari.page.map.geometry.placeOfElement(e))", element)


def _region_bounds(page):
    return {row["region"]: row["true_discoveries"] for row in page.evaluate("ari.page.regionRows")}


def _n_vertices(fitted):
    return sum(part.n_elements for part in fitted.maps_.family.space.parts[:2])


# What is computed.


def test_places_and_neighbours_are_those_of_python(page, fitted_cifti):
    space = fitted_cifti.maps_.family.space
    n = space.n_elements
    places = page.evaluate(
        "n => [...Array(n).keys()].map((e) => ari.page.map.geometry.locate(e))", n
    )
    expected = space.locate(np.arange(n))
    assert [place["structure"] for place in places] == expected["structure"].tolist()
    xyz = np.array([[place[axis] for axis in "xyz"] for place in places])
    np.testing.assert_allclose(xyz, expected[["x", "y", "z"]].to_numpy(), rtol=0, atol=1e-12)
    there_and_back = page.evaluate(
        """n => {
            const { geometry } = ari.page.map;
            return [...Array(n).keys()].map((e) => {
                const place = geometry.placeOfElement(e);
                return [geometry.elementOf(place),
                        geometry.elementOf(geometry.placeFrom(geometry.textOf(place)))];
            });
        }""",
        n,
    )
    assert there_and_back == [[e, e] for e in range(n)]
    rings = page.evaluate(
        """n => {
            const { geometry } = ari.page.map;
            return [...Array(n).keys()].map((e) =>
                geometry.rim([e]).outside.map((index) => geometry.elementAt[index]));
        }""",
        n,
    )
    edges = {(a, b) for a, ring in enumerate(rings) for b in ring if b >= 0 and a < b}
    found = space.graph(6).edges(np.ones(n, dtype=bool))
    assert edges == {tuple(sorted(edge)) for edge in found.tolist()}


@pytest.mark.parametrize("tdp", [0.0, 0.3, 0.7])
def test_table_file_is_the_table_of_python(page, fitted_cifti, small_cifti, tmp_path, tdp):
    ask(page, tdp)
    path = download(page, "#save-table", tmp_path)
    table = pd.read_csv(path)
    ari = clone(fitted_cifti).set_params(tdp_threshold=tdp)
    ari.fit_transform(small_cifti[0])
    expected = ari.table_
    assert table.columns.tolist() == [*expected.columns, "peak_region"]
    pd.testing.assert_frame_equal(
        table[expected.columns].astype({"peak_vertex": "Int64"}), expected,
        check_dtype=False, check_exact=True,
    )  # fmt: skip


@pytest.mark.parametrize("radius", [0, 9, 200])
def test_sphere_counts_cortex_and_voxels(page, fitted_cifti, radius):
    for element in (7, _n_vertices(fitted_cifti) + 31):
        _go_to_element(page, element)
        page.locator("#radius").fill(str(radius))
        seed = page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")
        expected = set_bound(fitted_cifti, seed=seed, radius=radius)
        assert page.evaluate("ari.page.sphere") == {
            "n_tested": expected.n_tested,
            "true_discoveries": expected.true_discoveries,
        }
        assert "grayordinates are active" in page.locator("#sphere").inner_text()


# What is done.


def test_click_on_a_slice_tells_of_a_voxel(page, fitted_cifti):
    family = fitted_cifti.maps_.family
    element = _n_vertices(fitted_cifti) + 100
    _go_to_element(page, element)
    settle(page)
    x, y = page.evaluate(
        """() => {
            const { viewer: { volume }, place } = ari.page;
            const { left, top } = volume.canvas.getBoundingClientRect();
            const [x, y] = volume.pixelOf("axial", place);
            return [left + x, top + y];
        }"""
    )
    _go_to_element(page, element - 2)
    page.mouse.click(x, y)
    target = page.evaluate("ari.page.elementHere")
    place = family.space.locate(np.array([target])).iloc[0]
    told = at_crosshair(page)
    assert told["structure"].upper().replace(" ", "_") == place["structure"]
    assert "vertex" not in told
    assert float(told["z"]) == pytest.approx(family.stat[target], abs=1e-3)
    assert told["region"] in ("left box", "right box")


def test_click_on_the_cortex_tells_of_a_vertex(page, fitted_cifti):
    page.locator("#views").select_option("left")
    box = page.locator("#render").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    told = at_crosshair(page)
    assert told["structure"] == "cortex left"
    vertex = int(told["vertex"])
    xyz = page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")
    part = fitted_cifti.maps_.family.space.parts[0]
    np.testing.assert_allclose(xyz, part.points[vertex], rtol=1e-6)
    # The slices follow to the nearest voxel of their grid.
    voxel = page.evaluate("ari.page.viewer.volume.voxel")
    assert voxel == page.evaluate("xyz => ari.page.map.geometry.volume.nearest(xyz)", xyz)


def test_arrow_keys_move_on_the_cortex_and_on_slices(page, fitted_cifti):
    for element in (20, _n_vertices(fitted_cifti) + 60):
        _go_to_element(page, element)
        page.locator("#brain").focus()
        page.keyboard.press("ArrowUp")
        assert page.evaluate("ari.page.elementHere") != element


def test_typed_coordinates_go_to_voxels_or_vertices(page, fitted_cifti):
    space = fitted_cifti.maps_.family.space
    for element in (3, _n_vertices(fitted_cifti) + 3):
        x, y, z = space.coordinates()[element]
        page.locator("#place").fill(f"{x} {y} {z}")
        page.locator("#place").press("Enter")
        assert page.evaluate("ari.page.elementHere") == element
    page.locator("#place").fill("0 0 900")
    page.locator("#place").press("Enter")
    assert "not on the map, which covers" in page.locator("#status").inner_text()


def test_rows_go_to_peaks_on_the_cortex_and_below(page, fitted_cifti):
    ask(page, 0.3)
    kinds = set()
    for k in range(page.locator("#rows tr").count()):
        page.locator("#rows tr").nth(k).click()
        kinds.add(page.evaluate("ari.page.map.geometry.isOnMesh(ari.page.place)"))
        assert page.locator("#rows tr").nth(k).get_attribute("aria-selected") == "true"
    assert kinds == {True, False}


def test_line_around_voxels_and_spheres_on_the_cortex_make_one_region(
    page, fitted_cifti, small_cifti, tmp_path
):
    _go_to_element(page, 5)
    page.locator("#radius").fill("6")
    page.locator("#add-sphere").click()
    on_cortex = page.evaluate("Array.from(ari.page.session.region)")
    _go_to_element(page, _n_vertices(fitted_cifti) + 60)
    page.locator("#views").select_option("slices")
    settle(page)
    x, y = page.evaluate(
        """() => {
            const { viewer: { volume }, place } = ari.page;
            const { left, top } = volume.canvas.getBoundingClientRect();
            const [x, y] = volume.pixelOf("axial", place);
            return [left + x, top + y];
        }"""
    )
    page.keyboard.press("d")
    page.mouse.move(x - 12, y - 12)
    page.mouse.down()
    for dx, dy in ((12, -12), (12, 12), (-12, 12)):
        page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()
    region = page.evaluate("Array.from(ari.page.session.region)")
    assert set(on_cortex) < set(region)
    assert max(region) >= _n_vertices(fitted_cifti) + 60
    path = download(page, "#save-region", tmp_path)
    assert path.name == "Small_cifti_region.dlabel.nii"
    img = nib.load(path)
    mask_img = Cifti2Image(
        np.asarray(img.dataobj).astype(np.float32),
        (ScalarAxis(["mask"]), small_cifti[0].header.get_axis(1)),
    )
    expected = set_bound(fitted_cifti, mask_img=mask_img)
    assert page.evaluate("ari.page.region") == {
        "n_tested": expected.n_tested,
        "true_discoveries": expected.true_discoveries,
    }
    assert expected.n_tested == len(region)


# Files.


def test_image_files_are_those_of_python(page, fitted_cifti, small_cifti, tmp_path):
    ask(page, 0.3)
    ari = clone(fitted_cifti).set_params(tdp_threshold=0.3)
    tdp_img = ari.fit_transform(small_cifti[0])
    labels = nib.load(download(page, "#save-labels", tmp_path))
    tdps = nib.load(download(page, "#save-tdp", tmp_path))
    for img, axis in ((labels, LabelAxis), (tdps, ScalarAxis)):
        assert isinstance(img.header.get_axis(0), axis)
        assert img.header.get_axis(1) == small_cifti[0].header.get_axis(1)
    np.testing.assert_array_equal(np.asarray(labels.dataobj), np.asarray(ari.labels_img_.dataobj))
    np.testing.assert_array_equal(
        np.asarray(tdps.dataobj), np.asarray(tdp_img.dataobj).astype(np.float32)
    )
    names = labels.header.get_axis(0).label[0]
    assert names[0][0] == "rest"
    assert names[1][0] == "cluster 1"


def test_figure_shows_the_cortex_and_slices(page, tmp_path):
    path = download(page, "#save-svg", tmp_path)
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"L", "R", "A", "P", "S", "I"} <= set(texts)
    assert any(text.startswith("from the") for text in texts)
    page.locator("#views").select_option("slices")
    root = ElementTree.fromstring(download(page, "#save-svg", tmp_path).read_text(encoding="utf-8"))
    texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert not any(text.startswith("from the") for text in texts)


def test_session_comes_back(page, open_page, cifti_file, tmp_path):
    page.locator("#rows tr").first.click()
    page.locator("#add-sphere").click()
    page.locator("#views").select_option("slices")
    path = download(page, "#save-session", tmp_path)
    other = open_page(cifti_file)
    assert open_files(other, "#open-session", path) == f"{path.name} is open."
    state = "[ari.page.place, ari.page.view, Array.from(ari.page.session.region)]"
    assert other.evaluate(state) == page.evaluate(state)


# Atlases.


def test_names_of_a_label_image_are_those_of_its_table(page, small_cifti, fitted_cifti):
    labels = np.asarray(small_cifti[1].dataobj)[0]
    axis = small_cifti[0].header.get_axis(1)
    expected = {}
    for label, name in ((1, "low"), (3, "<i>high</i>"), (5, "right box"), (7, "left box")):
        mask = (labels == label).astype(np.float32)[np.newaxis]
        mask_img = Cifti2Image(mask, (ScalarAxis(["mask"]), axis))
        expected[name] = set_bound(fitted_cifti, mask_img=mask_img).true_discoveries
    assert _region_bounds(page) == expected


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.float32, ">i4"])
def test_label_image_of_the_user_has_the_same_bounds(
    open_page, page, small_cifti, fitted_cifti, tmp_path, dtype
):
    explore(fitted_cifti, output_file=tmp_path / "bare.html")
    bare = open_page(tmp_path / "bare.html")
    assert bare.evaluate("ari.page.map.atlas") is None
    labels = np.asarray(small_cifti[1].dataobj).astype(dtype)
    img = Cifti2Image(labels, small_cifti[1].header)
    img.nifti_header.set_data_dtype(dtype)
    nib.save(img, tmp_path / "mine.dlabel.nii")
    assert open_files(bare, "#open-atlas", tmp_path / "mine.dlabel.nii") == ""
    assert _region_bounds(bare) == _region_bounds(page)
    assert "4 regions of mine.dlabel.nii" in bare.locator("#count").inner_text()


def test_label_image_of_the_cortex_leaves_voxels_unnamed(page, small_cifti, tmp_path):
    axis = small_cifti[0].header.get_axis(1)
    n_vertices = int(axis.surface_mask.sum())
    labels = np.asarray(small_cifti[1].dataobj)[:, :n_vertices]
    img = Cifti2Image(labels, (small_cifti[1].header.get_axis(0), axis[:n_vertices]))
    nib.save(img, tmp_path / "cortex.dlabel.nii")
    assert open_files(page, "#open-atlas", tmp_path / "cortex.dlabel.nii") == ""
    assert set(_region_bounds(page)) == {"low", "<i>high</i>"}


def _with_other_mesh(img):
    axis = img.header.get_axis(1)
    vertices = axis.vertex[axis.surface_mask][:50]
    other = BrainModelAxis.from_surface(vertices, 32492, "CORTEX_LEFT")
    return Cifti2Image(np.asarray(img.dataobj)[:, :50], (img.header.get_axis(0), other))


def _twice(img):
    axis = img.header.get_axis(0)
    data = np.repeat(np.asarray(img.dataobj), 2, axis=0)
    return Cifti2Image(data, (LabelAxis(["a", "b"], [axis.label[0]] * 2), img.header.get_axis(1)))


def _half(img):
    axes = ScalarAxis(["x"]), img.header.get_axis(1)
    return Cifti2Image(np.asarray(img.dataobj).astype(np.float32) + 0.5, axes)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        (_with_other_mesh, "32,492 vertices in the left hemisphere, and the map one of 420"),
        (_twice, "it holds 2 maps"),
        (_half, "labels are whole numbers"),
    ],
)
def test_label_images_that_do_not_fit_are_refused(page, small_cifti, tmp_path, changed, match):
    nib.save(changed(small_cifti[1]), tmp_path / "x.nii")
    before = _region_bounds(page)
    said = open_files(page, "#open-atlas", tmp_path / "x.nii")
    assert "x.nii was not loaded" in said
    assert match in said
    assert _region_bounds(page) == before


def test_label_image_that_is_cut_off_is_refused(page, small_cifti, tmp_path):
    nib.save(small_cifti[1], tmp_path / "x.dlabel.nii")
    whole = (tmp_path / "x.dlabel.nii").read_bytes()
    (tmp_path / "x.dlabel.nii").write_bytes(whole[:-500])
    assert "x.dlabel.nii is cut off" in open_files(page, "#open-atlas", tmp_path / "x.dlabel.nii")


def test_label_image_names_regions_of_surfaces_and_of_volumes(
    open_page, surface_file, page_file, small_cifti, fitted_surface, tmp_path
):
    nib.save(small_cifti[1], tmp_path / "both.dlabel.nii")
    surface = open_page(surface_file)
    assert open_files(surface, "#open-atlas", tmp_path / "both.dlabel.nii") == ""
    assert set(_region_bounds(surface)) == {"low", "<i>high</i>"}
    volume = open_page(page_file)
    assert open_files(volume, "#open-atlas", tmp_path / "both.dlabel.nii") == ""
    assert set(_region_bounds(volume)) == {"left box", "right box"}


def test_hemispheres_that_use_a_number_for_two_names_stay_apart(page, tmp_path):
    paths = []
    for name, n, of_one in (("lh", 420, "here"), ("rh", 380, "there")):
        table = nib.gifti.GiftiLabelTable()
        for key, text in ((0, "???"), (1, of_one), (2, "both")):
            label = nib.gifti.GiftiLabel(key)
            label.label = text
            table.labels.append(label)
        values = (np.arange(n) % 3).astype(np.int32)
        array = nib.gifti.GiftiDataArray(values, intent="NIFTI_INTENT_LABEL", datatype="int32")
        paths.append(tmp_path / f"{name}.label.gii")
        nib.save(nib.gifti.GiftiImage(labeltable=table, darrays=[array]), paths[-1])
    assert open_files(page, "#open-atlas", paths) == ""
    assert set(_region_bounds(page)) == {"here", "there", "both"}
    for name, structure in (("here", {"CORTEX_LEFT"}), ("there", {"CORTEX_RIGHT"})):
        found = page.evaluate(
            """name => {
                const { atlas, geometry } = ari.page.map;
                const elements = Array.from(atlas.members()[atlas.names.indexOf(name)]);
                return elements.map((e) => geometry.locate(e).structure);
            }""",
            name,
        )
        assert set(found) == structure


# Parts of a CIFTI file.


@pytest.mark.parametrize("part", ["cortex", "voxels"])
def test_one_part_alone_is_shown(open_page, small_cifti, tmp_path, part):
    z_img, _, mesh = small_cifti
    axis = z_img.header.get_axis(1)
    is_kept = axis.surface_mask if part == "cortex" else axis.volume_mask
    img = Cifti2Image(np.asarray(z_img.dataobj)[:, is_kept], (ScalarAxis(["z"]), axis[is_kept]))
    explore(img, mesh=mesh, two_sided=True, tdp=0.3, output_file=tmp_path / "part.html")
    page = open_page(tmp_path / "part.html")
    ari = AdaptiveTDPTransformer(0.3, mesh=mesh, two_sided=True)
    ari.fit_transform(img)
    assert page.evaluate("ari.page.session.clusters") == ari.forest_.query(0.3).tolist()
    page.locator("#rows tr").first.click()
    assert "structure" in at_crosshair(page)
    views = page.locator("#views option").evaluate_all("all => all.map((o) => o.value)")
    assert ("left" in views) == (part == "cortex")
    assert ("multiplanar" in views) == (part == "voxels")
    assert page.locator("#brain").screenshot()
    download(page, "#save-svg", tmp_path)
    img = nib.load(download(page, "#save-labels", tmp_path))
    assert img.header.get_axis(1) == axis[is_kept]


def test_grayordinates_that_are_nan_are_left_out(open_page, small_cifti, tmp_path):
    z_img, _, mesh = small_cifti
    z = np.asarray(z_img.dataobj).copy()
    z[0, [4, z.shape[1] - 5]] = np.nan
    with pytest.warns(UserWarning, match="NaN in 2 of"):
        explore(Cifti2Image(z, z_img.header), mesh=mesh, tdp=0.3, output_file=tmp_path / "nan.html")
    page = open_page(tmp_path / "nan.html")
    assert page.evaluate("ari.page.map.forest.n") == z.size - 2
    labels = np.asarray(nib.load(download(page, "#save-labels", tmp_path)).dataobj)
    ari = AdaptiveTDPTransformer(0.3, mesh=mesh)
    with pytest.warns(UserWarning, match="NaN in 2 of"):
        ari.fit_transform(Cifti2Image(z, z_img.header))
    np.testing.assert_array_equal(labels, np.asarray(ari.labels_img_.dataobj))


# What is taken and refused; no browser is needed.


def test_meshes_and_backgrounds_are_checked(small_cifti, fitted_cifti, small_surface):
    z_img, _, mesh = small_cifti
    with pytest.raises(ValueError, match="mesh must have the mesh of CORTEX_LEFT"):
        explore(z_img)
    with pytest.raises(ValueError, match="mesh must be left at the default since the map"):
        explore(fitted_cifti, mesh=mesh)
    short = {
        h: InMemoryMesh(m.coordinates[:-1], np.array([[0, 1, 2]])) for h, m in mesh.parts.items()
    }
    with pytest.raises(ValueError, match="surf_mesh must have the hemispheres and vertices"):
        explore(fitted_cifti, surf_mesh=short)
    axis = z_img.header.get_axis(1)
    voxels = Cifti2Image(
        np.asarray(z_img.dataobj)[:, axis.volume_mask],
        (ScalarAxis(["z"]), axis[axis.volume_mask]),
    )
    with pytest.raises(ValueError, match="surf_mesh is for surfaces"):
        explore(voxels, surf_mesh=mesh)
    anatomy = nib.Nifti1Image(np.arange(729.0).reshape(9, 9, 9), np.diag([9.0, 9, 9, 1]))
    for bg_img in (None, small_surface[0], anatomy):
        assert "cifti" in str(explore(fitted_cifti, bg_img=bg_img))


def test_atlas_of_another_kind_is_refused(fitted_cifti, small_surface):
    surface_img = SurfaceImage(small_surface[2].mesh, small_surface[2].data)
    with pytest.raises(TypeError, match="labels_img must be of the same kind as the maps, a CIFTI"):
        explore(fitted_cifti, labels_img=surface_img)
