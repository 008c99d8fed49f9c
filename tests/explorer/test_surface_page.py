"""The page of a surface: what it holds, computes and writes is what Python has."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.surface import InMemoryMesh, SurfaceImage
from sklearn.base import clone

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    element_at,
    explore,
    set_bound,
)
from ari_estimator.images._measured_mesh import MeasuredMesh

from ._page_actions import address, ask, at_crosshair, picture

HEMISPHERES = ("left", "right")


@pytest.fixture
def page(open_page, surface_file):
    """Return the page of the small surface, opened."""
    return open_page(surface_file)


def _shown(page):
    return page.evaluate("ari.page.session.clusters")


def _go_to(page, hemisphere, vertex):
    page.evaluate(
        "text => ari.page.moveTo(ari.page.map.geometry.placeFrom(text))", f"{hemisphere},{vertex}"
    )


def _on_screen(page, elements):
    """Return where elements are drawn, as pixels of the page, and whether they are seen."""
    x, y, is_seen = page.evaluate(
        """(elements) => {
            const { viewer, map } = ari.page;
            const projection = viewer._projection();
            const box = document.getElementById("brain").getBoundingClientRect();
            const vertices = elements.map((e) => map.geometry.indices[e]);
            const dpr = viewer.nv.uiData.dpr;
            return [vertices.map((v) => box.left + projection.x[v] / dpr),
                    vertices.map((v) => box.top + projection.y[v] / dpr),
                    vertices.map((v) => projection.isSeen(v))];
        }""",
        elements,
    )
    return np.column_stack([x, y]), np.array(is_seen)


def _download(page, button, folder, n_files=2):
    found = []

    def note(download):
        found.append(download)

    page.on("download", note)
    page.evaluate("document.getElementById('files').open = true")
    page.locator(button).click()
    for _ in range(100):
        if len(found) == n_files:
            break
        page.wait_for_timeout(50)
    page.remove_listener("download", note)
    paths = [folder / download.suggested_filename for download in found]
    for download, path in zip(found, paths, strict=True):
        download.save_as(path)
    assert len(paths) == n_files
    return paths


# What is computed.


def test_areas_that_files_of_freesurfer_give(open_page, small_surface, tmp_path):
    z_img, mask_img, _ = small_surface
    rng = np.random.default_rng(0)
    mesh = {
        side: MeasuredMesh(part.coordinates, part.faces, rng.uniform(0.1, 2, part.n_vertices))
        for side, part in z_img.mesh.parts.items()
    }
    z_img, mask_img = (SurfaceImage(mesh, img.data) for img in (z_img, mask_img))
    path = tmp_path / "page.html"
    explore(z_img, mask_img=mask_img).save_as_html(path)
    areas = open_page(path).evaluate("Array.from(ari.page.map.geometry.areas)")
    np.testing.assert_array_equal(
        np.array(areas), np.concatenate([part.vertex_areas for part in mesh.values()])
    )


def test_areas_and_neighbours_are_those_of_python(page, fitted_surface):
    space = fitted_surface.maps_.family.space
    areas = page.evaluate("Array.from(ari.page.map.geometry.areas)")
    tested = page.evaluate("Array.from(ari.page.map.geometry.indices)")
    expected = np.concatenate([part.element_sizes() for part in space.parts])
    np.testing.assert_array_equal(np.array(areas)[tested], expected)
    rings = page.evaluate(
        """(() => {
            const { geometry, forest } = ari.page.map;
            const elements = [...Array(forest.n).keys()];
            return elements.map((e) => geometry.rim([e]).outside.map((v) => geometry.elementOf(v)));
        })()"""
    )
    edges = {(a, b) for a, ring in enumerate(rings) for b in ring if b >= 0 and a < b}
    assert edges == set(map(tuple, space.graph().edges(np.ones(space.n_elements, bool)).tolist()))


@pytest.mark.parametrize("tdp", [0.0, 0.05, 0.4, 0.7, 1.0])
def test_box_shows_the_clusters_that_python_finds(page, fitted_surface, tdp):
    forest = fitted_surface.forest_
    ask(page, 0.3)
    ask(page, tdp)
    expected = forest.query(tdp)
    np.testing.assert_array_equal(_shown(page), expected)
    rows = page.evaluate("ari.page.found.rows")
    assert [row["n_vertices"] for row in rows] == forest.sizes[expected].tolist()
    assert [row["true_discoveries"] for row in rows] == forest.true_discoveries[expected].tolist()


@pytest.mark.parametrize("radius", [0, 7.5, 30, 200])
def test_sphere_is_bounded_as_by_set_bound(page, fitted_surface, radius):
    for hemisphere, vertex in (("left", 30), ("right", 101)):
        _go_to(page, hemisphere, vertex)
        page.locator("#radius").fill(str(radius))
        seed = page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")
        expected = set_bound(fitted_surface, seed=seed, radius=radius)
        assert page.evaluate("ari.page.sphere") == {
            "n_tested": expected.n_tested,
            "true_discoveries": expected.true_discoveries,
        }
        assert "vertices are active" in page.locator("#sphere").inner_text()


# What is done.


def test_click_on_a_vertex_tells_of_its_cluster(page, fitted_surface):
    forest, family = fitted_surface.forest_, fitted_surface.maps_.family
    ask(page, 0.3)
    cluster = int(forest.query(0.3)[0])
    members = forest.members(cluster)
    page.locator("#rows tr").first.click()
    pixels, is_seen = _on_screen(page, members.tolist())
    assert is_seen.any()
    # Near the middle of the cluster. At the edge of the brain, a pixel may lie beside it.
    seen = pixels[is_seen]
    chosen = np.argsort(np.linalg.norm(seen - np.median(seen, axis=0), axis=1))[9]
    target = int(members[is_seen][chosen])
    assert page.evaluate("ari.page.elementHere") != target
    page.mouse.click(*seen[chosen])
    assert page.evaluate("ari.page.elementHere") == target
    told = at_crosshair(page)
    place = family.space.locate(np.array([target])).iloc[0]
    assert told["vertex"] == f"{place['hemisphere']} {place['vertex']}"
    assert target == element_at(fitted_surface, index={place["hemisphere"]: int(place["vertex"])})
    assert float(told["z"]) == pytest.approx(family.stat[target], abs=1e-3)
    assert told["region"] in ("low", "<i>high</i>", "none")
    assert told["vertices"] == str(members.size)
    assert told["true discoveries, at least"] == str(forest.true_discoveries[cluster])
    peak = family.space.locate(members[[np.argmax(family.evidence[members])]]).iloc[0]
    assert told["vertex of the peak"] == f"{peak['hemisphere']} {peak['vertex']}"
    assert page.locator("#rows tr").first.get_attribute("aria-selected") == "true"


def test_click_beside_the_brain_changes_nothing(page):
    before = page.evaluate("ari.page.place")
    box = page.locator("#brain").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    assert page.evaluate("ari.page.place") == before


def test_grow_shrink_undo_and_redo(page, fitted_surface):
    forest = fitted_surface.forest_
    first = forest.query(0.7).tolist()
    page.locator("#rows tr").first.click()
    page.locator("#step").fill("0.2")
    page.locator("#step").press("Enter")
    page.locator("#grow").click()
    grown = forest.change(first, first[0], -0.2).tolist()
    assert grown != first
    assert _shown(page) == grown
    around = next(c for c in grown if forest.starts[c] <= first[0] <= c)
    page.locator("#shrink").click()
    assert _shown(page) == forest.change(grown, around, 0.2).tolist()
    page.locator("#undo").click()
    page.locator("#undo").click()
    assert _shown(page) == first
    page.locator("#redo").click()
    assert _shown(page) == grown


@pytest.mark.parametrize("view", ["below", "left-medial"])
def test_row_of_a_hidden_peak_turns_the_brain_to_it(page, view):
    ask(page, 0.3)
    views = set()
    for k in range(page.locator("#rows tr").count()):
        page.locator("#views").select_option(view)
        page.locator("#rows tr").nth(k).click()
        element = page.evaluate("ari.page.elementHere")
        assert _on_screen(page, [element])[1].all()
        parts = "ari.page.viewer.drawn.includes(ari.page.map.geometry.partOf(ari.page.place))"
        assert page.evaluate(parts)
        views.add(page.locator("#views").input_value())
    assert views - {view}


def test_arrow_keys_move_the_crosshair_along_the_mesh(page):
    page.locator("#views").select_option("left")
    _go_to(page, "left", 200)
    page.locator("#brain").focus()
    position = """(() => {
        const { viewer, place } = ari.page;
        const projection = viewer._projection();
        return [projection.x[place], -projection.y[place]];
    })()"""
    for key, axis, sign in [("ArrowRight", 0, 1), ("ArrowLeft", 0, -1), ("ArrowUp", 1, 1)]:
        before = page.evaluate(position)
        page.keyboard.press(key)
        assert np.sign(page.evaluate(position)[axis] - before[axis]) == sign


def test_mesh_view_overlay_and_opacity_change_the_picture(page):
    ask(page, 0.3)
    seen = [picture(page)]
    for overlay in ("clusters", "tdp", "free", "statistic"):
        page.locator("#overlay").select_option(overlay)
        seen.append(picture(page))
    page.evaluate("document.getElementById('display').open = true")
    page.locator("#opacity").fill("0.2")
    seen.append(picture(page))
    page.locator("#meshes").select_option("map")
    seen.append(picture(page))
    for view in ("below", "left-medial", "right"):
        page.locator("#views").select_option(view)
        seen.append(picture(page))
    assert len(set(seen)) == len(seen)


# Files.


@pytest.mark.parametrize("tdp", [0, 0.4])
def test_table_file_is_the_table_of_python(page, fitted_surface, small_surface, tmp_path, tdp):
    ask(page, tdp)
    (path,) = _download(page, "#save-table", tmp_path, n_files=1)
    table = pd.read_csv(path, engine="python")
    ari = clone(fitted_surface).set_params(tdp_threshold=tdp)
    ari.fit_transform(small_surface[0])
    expected = ari.table_
    assert table.columns.tolist() == [*expected.columns, "peak_region"]
    pd.testing.assert_frame_equal(
        table[expected.columns], expected, check_dtype=False, check_exact=True
    )


def test_image_files_are_the_images_of_python(page, fitted_surface, small_surface, tmp_path):
    ask(page, 0.4)
    forest, mask_img = fitted_surface.forest_, small_surface[1]
    clusters = forest.query(0.4)
    mask = np.concatenate([mask_img.data.parts[name] for name in HEMISPHERES])
    paths = sorted(_download(page, "#save-labels", tmp_path))
    assert [path.name for path in paths] == [
        f"Small_surface_labels_{h}.label.gii" for h in HEMISPHERES
    ]
    images = [nib.load(path) for path in paths]
    labels = np.concatenate([image.agg_data() for image in images])
    np.testing.assert_array_equal(labels[mask], forest.labels(clusters))
    assert not labels[~mask].any()
    names = images[0].labeltable.get_labels_as_dict()
    assert names == {0: "rest", **{k + 1: f"cluster {k + 1}" for k in range(clusters.size)}}
    for name, image in zip(("CortexLeft", "CortexRight"), images, strict=True):
        assert image.meta["AnatomicalStructurePrimary"] == name
        assert image.darrays[0].intent == nib.nifti1.intent_codes["NIFTI_INTENT_LABEL"]
    paths = sorted(_download(page, "#save-tdp", tmp_path))
    tdps = np.concatenate([nib.load(path).agg_data() for path in paths])
    of_clusters = np.r_[0, forest.tdps[clusters]].astype(np.float32)
    np.testing.assert_array_equal(tdps[mask], of_clusters[forest.labels(clusters)])
    assert not tdps[~mask].any()


def test_line_around_vertices_makes_a_region(page, fitted_surface, small_surface, tmp_path):
    forest = fitted_surface.forest_
    ask(page, 0.3)
    page.locator("#rows tr").first.click()
    pixels, is_seen = _on_screen(page, list(range(forest.elements.size)))
    hemisphere = page.evaluate("ari.page.map.geometry.partOf(ari.page.place).start > 0")
    here = pixels[page.evaluate("ari.page.elementHere")]
    page.keyboard.press("d")
    assert page.locator("#pen").get_attribute("aria-pressed") == "true"
    corners = here + np.array([[-60, -50], [60, -50], [60, 50], [-60, 50]])
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    region = page.evaluate("Array.from(ari.page.session.region)")
    is_inside = (np.abs(pixels - here) < [58, 48]).all(axis=1)
    is_left = np.arange(forest.elements.size) < small_surface[1].data.parts["left"].sum()
    is_drawn = ~is_left if hemisphere else is_left
    assert set(np.flatnonzero(is_inside & is_seen & is_drawn)) <= set(region)
    assert (np.abs(pixels[region] - here) <= [61, 51]).all()
    # What lies behind is not in it.
    assert 3 < len(region) < (np.abs(pixels - here) < [60, 50]).all(axis=1).sum()
    paths = _download(page, "#save-region", tmp_path)
    mask_img = SurfaceImage(
        small_surface[0].mesh,
        {h: tmp_path / f"Small_surface_region_{h}.label.gii" for h in HEMISPHERES},
    )
    assert len(paths) == 2
    expected = set_bound(fitted_surface, mask_img=mask_img)
    assert page.evaluate("ari.page.region") == {
        "n_tested": expected.n_tested,
        "true_discoveries": expected.true_discoveries,
    }
    assert expected.n_tested == len(region)
    page.keyboard.press("Escape")
    page.locator("#undo").click()
    assert page.evaluate("ari.page.session.region.length") == 0


# The address.


def test_state_is_in_the_address_and_comes_back(page, open_page, surface_file):
    page.locator("#rows tr").first.click()
    page.locator("#grow").click()
    page.locator("#meshes").select_option("map")
    page.locator("#views").select_option("above")
    page.evaluate("ari.page.viewer.nv.setRenderAzimuthElevation(33, 21)")
    state = address(page)
    assert "camera=33,21" in state
    assert "in=" in state
    other = open_page(surface_file, state)
    shown = """(() => {
        const { session, place, view, map, viewer } = ari.page;
        return [session.clusters, place, view, map.geometry.mesh, viewer.camera];
    })()"""
    assert other.evaluate(shown) == page.evaluate(shown)
    assert address(other) == state


@pytest.mark.parametrize(
    "state", ["#at=left,9999&mesh=x&view=render&camera=1", "#at=middle,3", "#at=1,2,3&camera=a,b"]
)
def test_address_with_nonsense_is_left_out_and_said(open_page, surface_file, state):
    page = open_page(surface_file, state)
    assert page.evaluate("ari.page.elementHere") >= 0
    assert page.locator("#status").inner_text().startswith("Not understood in the address")


# What is taken and refused; no browser is needed.


def test_models_and_clusters_of_surfaces_are_shown(small_surface):
    rng = np.random.default_rng(0)
    z_img, mask_img, _ = small_surface
    data = [
        {h: rng.standard_normal(z.size) + z / 3 for h, z in z_img.data.parts.items()}
        for _ in range(10)
    ]
    model = ARISecondLevelModel(
        mask_img=mask_img, reports=False, transformer=ClusterTDPTransformer(2.0)
    )
    imgs = [SurfaceImage(z_img.mesh, parts) for parts in data]
    model.fit(imgs, design_matrix=pd.DataFrame({"intercept": [1] * 10}))
    model.compute_contrast("intercept", output_type="tdp")
    assert "along edges" in str(explore(model))
    assert "along edges" in str(explore(z_img, mask_img=mask_img))


def test_other_backgrounds_and_meshes_are_checked(small_surface, fitted_surface):
    z_img, *_ = small_surface
    short = {h: values[:-1] for h, values in z_img.data.parts.items()}
    meshes = {
        h: InMemoryMesh(mesh.coordinates[:-1], np.array([[0, 1, 2]]))
        for h, mesh in z_img.mesh.parts.items()
    }
    with pytest.raises(TypeError, match="bg_img must be a SurfaceImage"):
        explore(fitted_surface, bg_img="sulcal.gii")
    with pytest.raises(ValueError, match="bg_img must hold one map on the vertices"):
        explore(fitted_surface, bg_img=SurfaceImage(meshes, short))
    with pytest.raises(ValueError, match="surf_mesh must have the hemispheres and vertices"):
        explore(fitted_surface, surf_mesh=meshes)
    with pytest.raises(ValueError, match="surf_mesh must have the hemispheres and vertices"):
        explore(fitted_surface, surf_mesh={"left": z_img.mesh.parts["left"]})
    with pytest.raises(TypeError, match="surf_mesh must be a nilearn PolyMesh"):
        explore(fitted_surface, surf_mesh="inflated.surf.gii")
    for bg_img in (z_img, None):
        assert "surface" in str(explore(fitted_surface, bg_img=bg_img))


def test_one_hemisphere_with_vertices_that_are_nan_is_shown(open_page, small_surface, tmp_path):
    z = small_surface[0].data.parts["right"].copy()
    z[[3, 17]] = np.nan
    mesh = small_surface[0].mesh.parts["right"]
    ari = AdaptiveTDPTransformer(0.4)
    with pytest.warns(UserWarning, match="NaN in 2 of"):
        ari.fit_transform(SurfaceImage({"right": mesh}, {"right": z}))
    explore(ari, tdp=0.4, output_file=tmp_path / "right.html")
    page = open_page(tmp_path / "right.html")
    assert page.evaluate("ari.page.map.forest.n") == z.size - 2
    assert _shown(page) == ari.forest_.query(0.4).tolist()
    options = page.locator("#views option").evaluate_all("all => all.map((o) => o.value)")
    assert "right-medial" in options
    assert "left-medial" not in options
    assert not page.locator("#meshes").is_visible()
    _go_to(page, "right", 17)
    assert page.locator("#here dd").all_inner_texts() == ["right 17", "not tested"]
    (path,) = _download(page, "#save-labels", tmp_path, n_files=1)
    labels = nib.load(path).agg_data()
    np.testing.assert_array_equal(labels[~np.isnan(z)], ari.forest_.labels(ari.forest_.query(0.4)))


def test_bundled_meshes_fit_in_8_mb():
    from nilearn.datasets import load_fsaverage

    meshes = load_fsaverage("fsaverage5")
    rng = np.random.default_rng(0)
    data = {h: rng.standard_normal(m.n_vertices) for h, m in meshes["pial"].parts.items()}
    ari = AdaptiveTDPTransformer(0)
    ari.fit_transform(SurfaceImage(meshes["pial"], data))
    assert ari.n_tested_ == 20_484
    assert len(explore(ari, surf_mesh=meshes["inflated"]).html.encode()) < 4e6


@pytest.mark.parametrize(
    ("view", "letters"),
    [
        ("left", "APSI"), ("right", "PASI"), ("left-medial", "PASI"), ("above", "LRAP"),
        ("below", "RLAP"), ("front", "RLSI"), ("back", "LRSI"),
    ],
)  # fmt: skip
def test_letters_say_which_side_is_where(page, view, letters):
    page.locator("#views").select_option(view)
    # Left, right, top and bottom of the picture.
    assert "".join(page.locator("#render .side").all_inner_texts()) == letters
    drawn = page.evaluate(
        """() => {
            const ink = new ari.SvgInk();
            const [{ draw }] = ari.page.viewer.parts(1, true);
            draw(ink, [0, 0, 300, 200], { colours: ari.BACKGROUNDS.white, size: 11 });
            return ink.parts.filter((part) => part.startsWith("<text"))
                .map((part) => part.replace(/<[^>]*>/g, ""));
        }"""
    )
    assert "".join(drawn[-4:]) == letters


def test_oblique_views_have_no_letters(page):
    page.locator("#views").select_option("above")
    page.evaluate("ari.page.viewer.camera = [40, 45]")
    assert "".join(page.locator("#render .side").all_inner_texts()) == ""
