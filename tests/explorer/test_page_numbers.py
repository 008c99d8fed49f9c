"""What the page computes is what Python computes, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nilearn.image import get_data, new_img_like
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import AdaptiveTDPTransformer, confidence_curve, explore, set_bound

TDPS = (0.0, 0.05, 0.31, 0.7, 1.0)


@pytest.fixture
def page(used_page):
    return used_page


@pytest.fixture
def forest(fitted):
    return fitted.forest_


def _slide(page, tdp):
    page.locator("#tdp-slider").evaluate(
        """(slider, tdp) => {
            slider.value = tdp;
            slider.dispatchEvent(new Event("input"));
            slider.dispatchEvent(new Event("change"));
        }""",
        tdp,
    )


def _shown(page):
    return page.evaluate("ari.page.session.clusters")


def test_arrays_arrive_as_they_were(page, fitted, forest):
    for name in ("elements", "starts", "parents", "tdps"):
        got = page.evaluate(f"Array.from(ari.page.map.forest.{name})")
        np.testing.assert_array_equal(got, getattr(forest, name))
    np.testing.assert_array_equal(
        page.evaluate("Array.from(ari.page.map.stat)"), fitted.maps_.family.stat
    )
    free = page.evaluate("Array.from(ari.page.map.free)")
    np.testing.assert_array_equal(free, forest.threshold_free_map())


@pytest.mark.parametrize("tdp", TDPS)
def test_slider_shows_the_clusters_that_python_finds(page, forest, tdp):
    _slide(page, 0.5)
    _slide(page, tdp)
    expected = forest.query(tdp)
    np.testing.assert_array_equal(_shown(page), expected)
    np.testing.assert_array_equal(
        page.evaluate("Array.from(ari.page.found.labels)"), forest.labels(expected)
    )
    rows = page.evaluate("ari.page.found.rows")
    assert [row["n_voxels"] for row in rows] == forest.sizes[expected].tolist()
    assert [row["true_discoveries"] for row in rows] == forest.true_discoveries[expected].tolist()
    assert [row["tdp"] for row in rows] == forest.tdps[expected].tolist()
    assert page.locator("#tdp").input_value() == f"{tdp:g}"
    n_rows = page.locator("#rows tr").count()
    assert n_rows == min(len(expected), 500)


def test_every_tdp_at_which_something_changes_gives_the_clusters_of_python(page, forest):
    tdps = forest.profile()["tdp"].tolist()
    between = [*tdps, *(np.nextafter(tdps[:-1], 2)).tolist()]
    got = page.evaluate("tdps => tdps.map(tdp => ari.page.map.forest.query(tdp))", between)
    for tdp, clusters in zip(between, got, strict=True):
        np.testing.assert_array_equal(clusters, forest.query(tdp), err_msg=str(tdp))


def test_cluster_of_grow_shrink_and_change_are_those_of_python(page, forest):
    rng = np.random.default_rng(1)
    elements = rng.integers(forest.elements.size, size=60).tolist()
    clusters = rng.choice(np.flatnonzero(forest.is_cluster), 60).tolist()
    tdps = rng.random(60).round(2).tolist()
    got = page.evaluate(
        """([elements, clusters, tdps]) => tdps.map((tdp, i) => {
            const forest = ari.page.map.forest;
            const shown = forest.query(tdp);
            return {
                of: forest.clusterOf(elements[i], tdp),
                grown: forest.grow(clusters[i], tdp),
                shrunk: forest.shrink(clusters[i], tdp),
                changed: shown.flatMap(
                    (c) => [forest.change(shown, c, -0.1), forest.change(shown, c, 0.1)]),
            };
        })""",
        [elements, clusters, tdps],
    )
    for element, cluster, tdp, found in zip(elements, clusters, tdps, got, strict=True):
        assert found["of"] == forest.cluster_of(element, tdp)
        assert found["grown"] == forest.grow(cluster, tdp)
        assert found["shrunk"] == forest.shrink(cluster, tdp).tolist()
        shown = forest.query(tdp)
        changed = [forest.change(shown, c, step).tolist() for c in shown for step in (-0.1, 0.1)]
        assert found["changed"] == changed


@pytest.mark.parametrize("radius", [0, 3, 7.5, 12, 100])
def test_sphere_is_bounded_as_by_set_bound(page, fitted, radius):
    for xyz in ([5, -3, 0], [-10, 9, 6]):
        page.evaluate("xyz => ari.page.moveToXyz(xyz)", xyz)
        page.locator("#radius").fill(str(radius))
        seed = page.evaluate("ari.page.map.geometry.xyz(ari.page.place)")
        expected = set_bound(fitted, seed=seed, radius=radius)
        assert page.evaluate("ari.page.sphere") == {
            "n_tested": expected.n_tested,
            "true_discoveries": expected.true_discoveries,
        }
        said = page.locator("#sphere").inner_text()
        assert said.startswith(f"At least {expected.true_discoveries:,} of {expected.n_tested:,} ")


@pytest.mark.parametrize("is_surface", [False, True], ids=["volume", "surface"])
def test_elements_at_the_radius_are_in_a_sphere_as_in_python(open_page, tmp_path, is_surface):
    rng = np.random.default_rng(0)
    affine = np.diag([2.4, 2.4, 2.4, 1]).astype("float32").astype("float64")
    affine[:3, 3] = np.float32(-24)
    voxels = np.argwhere(np.ones((21, 21, 1 if is_surface else 9)))
    if is_surface:
        quads = np.arange(441).reshape(21, 21)
        a, b, c, d = (
            q.ravel() for q in (quads[:-1, :-1], quads[:-1, 1:], quads[1:, :-1], quads[1:, 1:])
        )
        faces = np.concatenate([np.stack(f, -1) for f in ((a, b, c), (b, d, c))])
        mesh = InMemoryMesh(
            apply_affine(affine, np.add(voxels, [0, 0, 10])).astype("float32"), faces
        )
        ari = AdaptiveTDPTransformer(0.7)
        ari.fit(SurfaceImage(PolyMesh(left=mesh), {"left": rng.standard_normal(441)}))
    else:
        ari = AdaptiveTDPTransformer(0.7, mask_img=Nifti1Image(np.ones((21, 21, 9), "u1"), affine))
        ari.fit(Nifti1Image(rng.standard_normal((21, 21, 9)), affine))
    explore(ari, output_file=tmp_path / "page.html")
    page = open_page(tmp_path / "page.html")
    seed = apply_affine(affine, [10, 10, 10 if is_surface else 4])
    page.evaluate("xyz => ari.page.moveToXyz(xyz)", seed.tolist())
    for n_steps in (1, 2, 5):
        page.locator("#radius").fill(str(round(2.4 * n_steps, 1)))
        n_tested = (
            ((voxels - [10, 10, 0 if is_surface else 4]) ** 2).sum(axis=1) <= n_steps**2
        ).sum()
        assert page.evaluate("ari.page.sphere.n_tested") == n_tested
        bound = set_bound(ari, seed=seed, radius=round(2.4 * n_steps, 1))
        assert bound.n_tested == n_tested


def test_any_set_and_its_confidence_curve_are_bounded_as_in_python(page, fitted):
    rng = np.random.default_rng(2)
    vector, p_values = fitted.maps_.bounds.critical_vector, fitted.maps_.test.p_values
    for size in (1, 5, 80, fitted.n_tested_):
        members = rng.choice(fitted.n_tested_, size, replace=False)
        bound = page.evaluate("members => ari.page.map.forest.setBound(members)", members.tolist())
        assert bound == vector.true_discoveries(p_values[members])
        curve = page.evaluate(
            "members => Array.from(ari.page.map.forest.confidence(members))", members.tolist()
        )
        expected = vector.confidence_curve(p_values[members])
        np.testing.assert_array_equal(curve, expected)
    assert curve == confidence_curve(fitted)["true_discoveries"].tolist()


def test_whole_brain_is_in_sight(page, fitted):
    said = page.locator("#whole").inner_text()
    assert f"{fitted.true_discoveries_:,} of {fitted.n_tested_:,} voxels" in said


@pytest.mark.parametrize(
    ("bound", "digits", "rounded"),
    [(0.57, 2, 0.57), (0.6999, 3, 0.699), (2 / 3, 3, 0.666), (1, 3, 1)],
)
def test_bounds_are_rounded_down(page, bound, digits, rounded):
    assert page.evaluate("([b, d]) => ari.roundedDown(b, d)", [bound, digits]) == rounded


def test_next_number_below_is_that_of_numpy(page):
    values = [1.0, -1.0, 0.0, 3.09, -7.25, 5e-324, 1e300]
    got = page.evaluate("values => values.map(ari.nextBelow)", values)
    assert got == np.nextafter(values, -np.inf).tolist()


def test_peaks_are_finite_where_there_are_finite_values(open_page, small_map, tmp_path):
    z_img, mask_img, _ = small_map
    z = get_data(z_img).astype(np.float64)
    strongest = np.unravel_index(np.argmax(np.where(get_data(mask_img) > 0, z, -np.inf)), z.shape)
    z[strongest] = np.inf
    with pytest.warns(UserWarning, match="infinite in 1 voxels"):
        ari = AdaptiveTDPTransformer(0.5, mask_img=mask_img).fit(new_img_like(z_img, z))
    explore(ari).save_as_html(tmp_path / "infinite.html")
    page = open_page(tmp_path / "infinite.html")
    _slide(page, 0.5)
    peaks = page.evaluate("ari.page.found.rows.map((row) => row.peak_stat)")
    table = ari.table_.iloc[:-1]
    assert np.isfinite(peaks).all()
    np.testing.assert_allclose(peaks, table["peak_stat"], rtol=1e-6)


def test_percentages_are_rounded_down_but_only_nothing_is_0(used_page):
    texts = used_page.evaluate("[0, 23 / 45448, 0.0457, 0.57, 1].map(ari.proportion)")
    assert texts == ["0.000", "0.0005", "0.045", "0.570", "1.000"]
    texts = used_page.evaluate("[0, 23 / 45448, 0.0457, 0.57, 1].map(ari.percent)")
    assert [text.replace("\u00a0", " ") for text in texts] == [
        "0.0 %", "0.05 %", "4.5 %", "57.0 %", "100.0 %"
    ]  # fmt: skip
