"""The figures of a statistic and the TDP of its clusters, on slices, glass and surfaces."""

from __future__ import annotations

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn.datasets import load_sample_motor_activation_image
from nilearn.plotting.displays import BaseSlicer
from nilearn.surface import SurfaceImage

from ari_estimator import cluster_level_inference
from ari_estimator.images._mesh_curvature import folds
from ari_estimator.plotting import plot_tdp, plot_tdp_surface


@pytest.fixture(scope="module")
def maps():
    stat_img = load_sample_motor_activation_image()
    return stat_img, cluster_level_inference(stat_img, threshold=4)


def figure_of(drawn):
    return (drawn[0].frame_axes if hasattr(drawn[0], "frame_axes") else drawn[0, 0]).figure


@pytest.mark.parametrize("display_mode", ["z", "glass"])
def test_gives_the_displays_of_nilearn_in_a_figure_with_a_title(maps, display_mode):
    displays = plot_tdp(*maps, title="a <title>", cut_coords=[0, 46], display_mode=display_mode)
    assert all(isinstance(display, BaseSlicer) for display in displays)
    displays[1].add_contours(maps[1], levels=[0.5])
    assert figure_of(displays).get_suptitle() == "a <title>"


def test_draws_on_axes_that_are_given(maps, tmp_path):
    figure, axes = plt.subplots(1, 2)
    stat_display, tdp_display = plot_tdp(*maps, axes=axes, title="a $title", cut_coords=[46])
    assert figure_of((stat_display, tdp_display)) is figure
    assert axes[0].get_title() == "a $title"
    assert axes[1].get_title(loc="left") == "True discovery proportion, at least"
    figure.savefig(tmp_path / "both.png")
    with pytest.raises(TypeError, match="axes must be two matplotlib axes"):
        plot_tdp(*maps, axes=axes[0])


def test_title_with_dollars_is_text(maps, tmp_path):
    plot_tdp(*maps, title=r"$\frac{ and $", cut_coords=[0], output_file=tmp_path / "tdp.png")
    assert (tmp_path / "tdp.png").exists()


@pytest.mark.parametrize("cut_coords", [2, [0, 46], (0.0, 46.0), np.array([0, 46])])
@pytest.mark.parametrize("display_mode", ["x", "y", "z"])
def test_draws_so_many_slices_of_each_map(maps, cut_coords, display_mode):
    figure = figure_of(plot_tdp(*maps, cut_coords=cut_coords, display_mode=display_mode))
    assert sum(len(axes.images) > 1 for axes in figure.axes) == 2 * 2


@pytest.mark.parametrize("display_mode", ["z", "glass"])
def test_tdp_is_drawn_from_0_to_1_whatever_its_values(maps, display_mode):
    stat_img, tdp_img = maps
    half = Nifti1Image(tdp_img.get_fdata() / 2, tdp_img.affine)
    figure = figure_of(plot_tdp(stat_img, half, cut_coords=[46], display_mode=display_mode))
    limits = [image.get_clim() for axes in figure.axes for image in axes.images]
    assert (0.0, 1.0) in limits


@pytest.mark.parametrize("display_mode", ["z", "glass"])
def test_map_without_clusters_is_drawn_without_ado(maps, display_mode):
    stat_img, tdp_img = maps
    nothing = Nifti1Image(np.zeros(tdp_img.shape), tdp_img.affine)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        plot_tdp(stat_img, nothing, cut_coords=2, display_mode=display_mode)


@pytest.mark.parametrize("display_mode", ["z", "glass"])
def test_writes_a_file_and_closes_the_figure(maps, tmp_path, display_mode):
    file = tmp_path / "tdp.png"
    drawn = plot_tdp(*maps, cut_coords=[46], display_mode=display_mode, output_file=file)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert not plt.fignum_exists(figure_of(drawn).number)


def test_refuses_a_display_mode_that_is_none(maps):
    with pytest.raises(ValueError, match=r"display_mode must be one of .*'glass'.* Got 'ortho'"):
        plot_tdp(*maps, display_mode="ortho")


def test_refuses_surfaces_and_says_what_draws_them(surface_maps):
    with pytest.raises(TypeError, match=r"stat_img must be a volume.*plot_tdp_surface"):
        plot_tdp(*surface_maps)


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_surface_shows_both_hemispheres_from_both_sides(surface_maps):
    figure = figure_of(plot_tdp_surface(*surface_maps, title="two balls"))
    titles = [axes.get_title() for axes in panels_of(figure)]
    assert titles == 2 * ["left, lateral", "left, medial", "right, medial", "right, lateral"]
    assert figure.get_suptitle() == "two balls"


def test_surface_tdp_is_drawn_from_0_to_1_whatever_its_values(surface_maps):
    figure = figure_of(plot_tdp_surface(*surface_maps))
    bars = [axes for axes in figure.axes if not axes.get_title()]
    assert bars[1].get_ylim() == (0.0, 1.0)
    low, high = bars[0].get_ylim()
    assert low == -high


def test_surface_shows_no_value_that_no_vertex_has(surface_maps):
    # At the rim of a cluster, a face has corners of two colours.
    figure = figure_of(plot_tdp_surface(*surface_maps, views=["lateral"]))
    picture = panels_of(figure)[2].images[0].get_array()
    colours = {tuple(np.round(colour[:3], 2)) for colour in picture.reshape(-1, 4)}
    background = {c for c in colours if len(set(c)) == 1}
    assert len(colours - background) == 1


def test_surface_of_one_hemisphere_is_drawn_from_the_views_that_are_asked_for(surface_maps):
    left = [
        SurfaceImage({"left": img.mesh.parts["left"]}, {"left": img.data.parts["left"]})
        for img in surface_maps
    ]
    figure = figure_of(plot_tdp_surface(*left, views=["dorsal"]))
    assert [axes.get_title() for axes in panels_of(figure)] == 2 * ["left, dorsal"]


def test_surface_without_values_is_drawn(surface_maps):
    img = surface_maps[0]
    nan = SurfaceImage(img.mesh, {n: np.full(len(v), np.nan) for n, v in img.data.parts.items()})
    assert plot_tdp_surface(nan, nan, views=["lateral"]).shape == (2, 2)


def test_surface_is_drawn_on_axes_that_are_given(surface_maps, tmp_path):
    figure, axes = plt.subplots(2, 2)
    drawn = plot_tdp_surface(*surface_maps, views=["lateral"], axes=axes)
    assert (drawn == axes).all()
    assert {one.get_ylabel() for one in figure.axes} >= {
        "Statistic",
        "True discovery proportion, at least",
    }
    figure.savefig(tmp_path / "both.png")
    for wrong in (axes[0], plt.subplots(2, 2, subplot_kw={"projection": "3d"})[1]):
        with pytest.raises(TypeError, match=r"axes must be matplotlib axes.* of shape \(2, 2\)"):
            plot_tdp_surface(*surface_maps, views=["lateral"], axes=wrong)


def test_surface_is_written_to_a_file_and_closed(surface_maps, tmp_path):
    file = tmp_path / "tdp.png"
    figure = figure_of(plot_tdp_surface(*surface_maps, views=["lateral"], output_file=file))
    assert file.read_bytes().startswith(b"\x89PNG")
    assert not plt.fignum_exists(figure.number)


def test_surface_refuses_what_it_cannot_draw(surface_maps, maps):
    stat_img, tdp_img = surface_maps
    with pytest.raises(TypeError, match=r"stat_img must be a SurfaceImage. Got Nifti1Image"):
        plot_tdp_surface(maps[1], tdp_img)
    left = SurfaceImage({"left": tdp_img.mesh.parts["left"]}, {"left": tdp_img.data.parts["left"]})
    with pytest.raises(ValueError, match="on the same meshes"):
        plot_tdp_surface(stat_img, left)
    two = SurfaceImage(
        stat_img.mesh, {n: np.stack([v, v], axis=1) for n, v in stat_img.data.parts.items()}
    )
    with pytest.raises(ValueError, match="stat_img must hold one map"):
        plot_tdp_surface(two, tdp_img)
    for views, said in (
        ([], "views must be a sequence"),
        ("lateral", "views must be a sequence"),
        (["sideways"], "views must be among .*'lateral'.* Got 'sideways'"),
        ([(0, 0, 0)], "views must be names, or pairs"),
    ):
        with pytest.raises(ValueError, match=said):
            plot_tdp_surface(stat_img, tdp_img, views=views)
    with pytest.raises(ValueError, match="bg_map must lie on the same meshes"):
        plot_tdp_surface(stat_img, tdp_img, bg_map=left)
    other = SurfaceImage(left.mesh, left.data)
    with pytest.raises(TypeError, match="tdp_img must be an image if stat_img is one"):
        plot_tdp_surface(other)


def test_folds_are_where_a_mesh_is_hollow(ball):
    round_mesh = ball(40, 50, 40.0)
    points = round_mesh.coordinates.copy()
    is_dent = points[:, 0] > 25
    points[is_dent, 0] = 50 - points[is_dent, 0]
    dented_mesh = type(round_mesh)(points, round_mesh.faces)
    nothing = np.zeros(len(points))
    img = SurfaceImage(
        {"left": round_mesh, "right": dented_mesh}, dict.fromkeys(("left", "right"), nothing)
    )
    shades = folds(img).data.parts
    assert len(set(shades["left"])) == 1  # a ball has no folds
    bottom = np.argmin(np.where(is_dent, points[:, 0], np.inf))
    assert shades["right"][bottom] > shades["left"][bottom]
    assert shades["right"][points[:, 0] < 0].max() == shades["left"][0]


def test_bar_of_a_surface_is_grey_where_nothing_is_drawn(surface_maps):
    figure = figure_of(plot_tdp_surface(*surface_maps, views=["lateral"], threshold=2.0))
    bar = next(axes for axes in figure.axes if not axes.get_title())
    ticks = [float(tick.get_text()) for tick in bar.get_yticklabels()]
    assert {-2.0, 0.0, 2.0} <= set(ticks)
    assert ticks[0] == -ticks[-1]
    (colours,) = (part for part in bar.collections if len(np.atleast_1d(part.get_array())) > 99)
    shades = colours.to_rgba(np.array([-2.2, -1.8, 0, 1.8, 2.2]))[:, :3]
    assert [len(set(shade)) == 1 for shade in shades] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("direction", "letters"), [("x", ["A", "P"]), ("y", ["L", "R"]), ("z", ["L", "R"])]
)
def test_slices_have_letters_and_positions_in_mm(clusters, direction, letters):
    display = plot_tdp(clusters, display_mode=direction, cut_coords=[-21.0])[1]
    (cut,) = display.axes.values()
    assert sorted(text.get_text() for text in cut.ax.texts) == sorted(
        [*letters, f"{direction} = -21 mm"]
    )
