"""Figures show what was found: values of voxels and vertices, on the side that was tested."""

from __future__ import annotations

import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn.surface import PolyMesh, SurfaceImage

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp,
    plot_tdp_curve,
    plot_tdp_surface,
)
from ari_estimator.plotting._mesh_raster import rasterise


def turned(affine, degrees):
    angle = np.deg2rad(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn @ affine


def drawn_values(display):
    """Return all values that slices of a map show, without the background of the brain."""
    shown = [axes.ax.images[-1].get_array() for axes in display.axes.values()]
    return np.concatenate([np.ma.compressed(values) for values in shown])


@pytest.fixture(scope="module")
def block():
    """Return z values with a positive and a negative block, and an affine."""
    z = np.random.default_rng(0).standard_normal((20, 20, 20)).clip(-2, 2)
    # Weak evidence around strong evidence gives TDPs below 1. nilearn does not interpolate 0 and 1.
    z[2:9, 4:13, 7:13] = 2.5
    z[11:18, 5:12, 8:12] = -2.5
    z[3:8, 5:12, 8:12] = 6
    z[12:17, 5:12, 8:12] = -6
    affine = np.diag([4.0, 4, 4, 1])
    affine[:3, 3] = -40, -50, -20
    return z, affine


@pytest.mark.parametrize("display_mode", ["x", "y", "z"])
@pytest.mark.parametrize("degrees", [0, 0.5, 20])
def test_slices_show_no_tdp_that_was_not_found(block, degrees, display_mode):
    z, affine = block
    img = Nifti1Image(z, turned(affine, degrees))
    ari = ClusterTDPTransformer(2.2, two_sided=True)
    tdp_img = ari.fit_transform(img)
    assert ari.table_["tdp"][:2].between(0.1, 0.9).all()
    _, display = plot_tdp(img, tdp_img, cut_coords=2, display_mode=display_mode)
    found = np.r_[0, ari.table_["tdp"]]
    values = drawn_values(display)
    assert values.size
    assert np.abs(values[:, np.newaxis] - found).min(axis=1).max() < 1e-6


def test_glass_brain_shows_no_tdp_that_was_not_found(block):
    z, affine = block
    img = Nifti1Image(z, turned(affine, 0.5))
    ari = ClusterTDPTransformer(2.2)
    tdp_img = ari.fit_transform(img)
    values = drawn_values(plot_tdp(img, tdp_img, display_mode="glass")[1])
    assert np.abs(values[:, np.newaxis] - np.r_[0, ari.table_["tdp"]]).min(axis=1).max() < 1e-6


@pytest.mark.parametrize("display_mode", ["z", "glass"])
@pytest.mark.parametrize("two_sided", [False, True])
def test_a_one_sided_test_draws_one_side(block, two_sided, display_mode):
    z, affine = block
    ari = ClusterTDPTransformer(4, two_sided=two_sided).fit(Nifti1Image(z, affine))
    values = drawn_values(plot_tdp(ari, cut_coords=[20], display_mode=display_mode)[0])
    assert (values.min() < 0) == two_sided
    assert np.abs(values[values != 0]).min() == 6  # the threshold is that of the clusters


def test_images_of_a_one_sided_test_draw_one_side_if_you_say_so(block):
    z, affine = block
    img = Nifti1Image(z, affine)
    tdp_img = ClusterTDPTransformer(4).fit_transform(img)
    drawn = {
        side: drawn_values(plot_tdp(img, tdp_img, threshold=4, cut_coords=[20], two_sided=side)[0])
        for side in (None, True, False)
    }
    assert drawn[None].min() == drawn[True].min() == -6
    assert drawn[False].min() == 6


@pytest.mark.parametrize("two_sided", [False, True])
def test_surfaces_draw_the_side_that_was_tested(ball, two_sided):
    mesh = PolyMesh(left=ball(20, 22, 40.0), right=ball(20, 22, 40.0))
    rng = np.random.default_rng(0)
    data = {name: rng.standard_normal(part.n_vertices) for name, part in mesh.parts.items()}
    for values in data.values():
        values[100:200], values[200:300] = 6, -6
    ari = ClusterTDPTransformer(4, two_sided=two_sided).fit(SurfaceImage(mesh, data))
    panels = plot_tdp_surface(ari, views=["lateral", "medial", "dorsal"])
    pixels = np.concatenate([one.images[0].get_array().reshape(-1, 4) for one in panels[0]])
    is_blue = (pixels[:, 2] > pixels[:, 0] + 0.2) & (pixels[:, 3] > 0)
    is_red = pixels[:, 0] > pixels[:, 2] + 0.2
    assert is_red.any()
    assert is_blue.any() == two_sided


@pytest.mark.parametrize("kind", ["volumes", "surfaces"])
def test_a_fitted_map_says_which_figure_draws_it(block, surface_maps, kind):
    z, affine = block
    ari = ClusterTDPTransformer(1)
    if kind == "volumes":
        ari.fit(surface_maps[0])
        with pytest.raises(ValueError, match=r"must have volumes.*plot_tdp_surface"):
            plot_tdp(ari)
    else:
        ari.fit(Nifti1Image(z, affine))
        with pytest.raises(ValueError, match=r"must have surfaces.*plot_tdp"):
            plot_tdp_surface(ari)
        with pytest.raises(ValueError, match="two_sided must be left"):
            plot_tdp(ari, two_sided=True)


def test_regions_are_drawn_from_the_transformer(block):
    z, affine = block
    labels = Nifti1Image(
        (np.arange(20) // 10 + 1).repeat(400).reshape(20, 20, 20).astype("i2"), affine
    )
    regions = RegionTDPTransformer(labels, labels=["a", "b"]).fit(Nifti1Image(z, affine))
    plot_tdp(regions, cut_coords=[20])


def test_clusters_that_reach_below_zero_hide_nothing(block):
    z, affine = block
    ari = AdaptiveTDPTransformer(None).fit(Nifti1Image(z, affine))
    assert ari.table_["threshold"][0] < 0  # the cluster is the whole map
    values = drawn_values(plot_tdp(ari, cut_coords=[20])[0])
    assert 0 < values[values != 0].min() < 0.1
    assert values.max() == 6


@pytest.fixture
def no_discoveries():
    noise = np.random.default_rng(0).standard_normal((12, 12, 12))
    ari = ClusterTDPTransformer(2).fit(Nifti1Image(noise, np.eye(4)))
    assert ari.true_discoveries_ == 0
    return ari


def test_ticks_of_a_curve_of_zeros_differ(no_discoveries):
    _, counts = plot_tdp_curve(no_discoveries)
    plt.gcf().draw_without_rendering()
    ticks = [label.get_text() for label in counts.get_yticklabels()]
    assert len(ticks) == len(set(ticks)) > 1


def test_sizes_of_one_voxel_are_labelled_as_such(no_discoveries):
    assert no_discoveries.table_["n_voxels"].min() == 1
    axes = plot_cluster_dots(no_discoveries)
    plt.gcf().draw_without_rendering()
    low = axes.get_xlim()[0]
    shown = {
        tick.label1.get_text() for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc()
    }
    assert "1" in shown
    assert "0" not in shown


def test_names_of_dots_do_not_overlap(block):
    z, affine = block
    labels = np.zeros(z.shape, dtype="i2")
    for number in range(10):
        labels[2 * number : 2 * number + 2] = number + 1
    names = [f"a region with a long name, {number}" for number in range(10)]
    regions = RegionTDPTransformer(Nifti1Image(labels, affine), labels=names)
    axes = plot_cluster_dots(regions.fit(Nifti1Image(z, affine)))
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) > 1
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


class TestRaster:
    """Which vertex each pixel of a mesh shows."""

    def test_agrees_with_the_sphere(self, ball):
        mesh = ball(60, 80, 40.0)
        raster = rasterise(mesh.coordinates, mesh.faces, 0, 0)
        seen = np.unique(raster.vertices[raster.vertices >= 0])
        # From the front, x points at the viewer: no vertex behind is seen, and most in front are.
        assert mesh.coordinates[seen, 0].min() > -3
        in_front = np.flatnonzero(mesh.coordinates[:, 0] > 5)
        assert np.isin(in_front, seen).mean() > 0.98
        height, width = raster.vertices.shape
        assert abs(height - width) < 20
        y, x = np.nonzero(raster.vertices >= 0)
        of_pixels = mesh.coordinates[raster.vertices[y, x]]
        assert np.corrcoef(x, of_pixels[:, 1])[0, 1] > 0.99
        assert np.corrcoef(y, of_pixels[:, 2])[0, 1] < -0.99

    def test_has_no_holes(self, ball):
        mesh = ball(200, 240, 40.0)
        is_mesh = rasterise(mesh.coordinates, mesh.faces, 20, 35).vertices >= 0
        for line in is_mesh:
            inside = np.flatnonzero(line)
            assert inside.size in (0, np.ptp(inside) + 1 if inside.size else 0)

    def test_shows_what_is_in_front(self):
        points = np.array([[x, y, z] for x in (0, 1) for y, z in ((0, 0), (1, 0), (0, 1))], float)
        faces = np.array([[0, 1, 2], [3, 4, 5]])
        for azimuth, shown in ((0, {3, 4, 5}), (180, {0, 1, 2})):
            vertices = rasterise(points, faces, 0, azimuth).vertices
            vertices = vertices[vertices >= 0]
            # Rounding decides on the very edge.
            assert np.isin(vertices, list(shown)).mean() > 0.999


FIGURES = {
    "plot_tdp": lambda d, **k: plot_tdp(d["ari"], cut_coords=[20], **k),
    "plot_tdp_surface": lambda d, **k: plot_tdp_surface(*d["surface"], views=["lateral"], **k),
    "plot_cluster_dots": lambda d, **k: plot_cluster_dots(d["ari"], **k),
    "plot_tdp_curve": lambda d, **k: plot_tdp_curve(d["ari"], **k),
    "plot_clusters_by_tdp": lambda d, **k: plot_clusters_by_tdp(d["adaptive"], **k),
    "plot_pivotal_statistics": lambda d, **k: plot_pivotal_statistics(d["calibration"], **k),
}


@pytest.fixture
def drawn(block, surface_maps, calibration):
    z, affine = block
    img = Nifti1Image(z, affine)
    return {
        "ari": ClusterTDPTransformer(4, two_sided=True).fit(img),
        "adaptive": AdaptiveTDPTransformer(0.7).fit(img),
        "surface": surface_maps,
        "calibration": calibration,
    }


@pytest.mark.parametrize("name", FIGURES)
class TestFiles:
    """Size, resolution and format of all figures."""

    @pytest.mark.filterwarnings("ignore:constrained_layout not applied")
    def test_size_and_resolution(self, drawn, tmp_path, name):
        file = tmp_path / "a.png"
        FIGURES[name](drawn, figsize=(4, 3), dpi=50, output_file=file)
        assert plt.imread(file).shape[:2] == (150, 200)
        FIGURES[name](drawn, figsize=(2, 1.5), output_file=file)
        assert plt.imread(file).shape[:2] == (450, 600)

    @pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_vector_graphics(self, drawn, tmp_path, name, ending, start):
        FIGURES[name](drawn, output_file=tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes().startswith(start)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"dpi": 100}, "dpi must be left at the default without an output_file"),
            ({"figsize": (4, 0)}, "figsize must be the width and the height"),
            ({"figsize": 4}, "figsize must be the width and the height"),
            ({"dpi": -1, "output_file": "a.png"}, "dpi must be a number"),
        ],
        ids=str,
    )
    def test_refuses_what_has_no_effect_or_makes_no_sense(self, drawn, name, options, said):
        with pytest.raises(ValueError, match=said):
            FIGURES[name](drawn, **options)

    def test_latex_sets_no_text(self, drawn, tmp_path, name):
        with plt.rc_context({"text.usetex": True}):
            FIGURES[name](drawn, title="50 % of a_b & $", output_file=tmp_path / "a.pdf")
            assert plt.rcParams["text.usetex"] is True

    @pytest.mark.skipif(
        not all(map(shutil.which, ("latex", "dvipng"))), reason="needs latex and dvipng"
    )
    def test_latex_can_write_the_figure_later(self, drawn, tmp_path, name):
        with plt.rc_context({"text.usetex": True}):
            FIGURES[name](drawn, title="50 % of a_b & $")
            figure = plt.gcf()
            figure.savefig(tmp_path / "a.png", dpi=50)
            texts = figure.findobj(lambda one: hasattr(one, "get_usetex"))
            assert not any(r"\%" in one.get_text() and not one.get_usetex() for one in texts)
        assert plt.imread(tmp_path / "a.png").std() > 0

    def test_can_be_read_on_a_dark_background(self, drawn, name):
        with plt.style.context("dark_background"):
            FIGURES[name](drawn, title="a title")
            figure = plt.gcf()
            assert figure.get_facecolor()[:3] == (0, 0, 0)
            texts = figure.findobj(lambda one: hasattr(one, "get_fontsize") and one.get_text())
            dark = [t for t in texts if sum(plt.matplotlib.colors.to_rgb(t.get_color())) < 1]
            assert not dark, dark
            lines = [line for axes in figure.axes for line in axes.lines if line.get_visible()]
            for line in lines:
                assert sum(plt.matplotlib.colors.to_rgb(line.get_color())) > 0.8
