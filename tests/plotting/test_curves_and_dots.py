"""Figures of numbers: confidence curves, clusters by TDP, dots and pivotal statistics."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from nibabel import Nifti1Image
from nilearn.image import load_img, new_img_like
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
)
from ari_estimator.closed_testing import calibrate
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp_curve,
)


@pytest.fixture(scope="module")
def drawn_by(clusters, adaptive, calibration):
    """Return each function, and something that it draws."""
    return {
        plot_tdp_curve: clusters,
        plot_clusters_by_tdp: adaptive,
        plot_cluster_dots: clusters,
        plot_pivotal_statistics: calibration,
    }


ALL = pytest.mark.parametrize(
    "plot",
    [plot_tdp_curve, plot_clusters_by_tdp, plot_cluster_dots, plot_pivotal_statistics],
    ids=lambda plot: plot.__name__,
)

IN_PAIRS = (plot_tdp_curve, plot_clusters_by_tdp)


@ALL
def test_writes_a_file_and_closes_the_figure(plot, drawn_by, tmp_path):
    n_open = len(plt.get_fignums())
    plot(drawn_by[plot], title=r"$\frac{ <b>", output_file=tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert len(plt.get_fignums()) == n_open


@ALL
def test_draws_in_axes_that_are_given(plot, drawn_by):
    axes = plt.subplots(2)[1]
    result = plot(drawn_by[plot], axes=axes if plot in IN_PAIRS else axes[0], title="mine")
    assert list(np.ravel(result)) == list(axes if plot in IN_PAIRS else axes[:1])
    assert axes[0].get_title(loc="left") == "mine"
    assert axes[0].has_data()
    assert axes[1].has_data() == (plot in IN_PAIRS)


@ALL
@pytest.mark.parametrize("axes", ["no axes", [1, 2], plt], ids=["text", "numbers", "module"])
def test_refuses_axes_that_are_none(plot, drawn_by, axes):
    with pytest.raises(TypeError, match="axes must be"):
        plot(drawn_by[plot], axes=axes)


@ALL
def test_refuses_what_it_does_not_know(plot):
    with pytest.raises(TypeError, match="must be a"):
        plot(3)


@pytest.mark.parametrize("plot", [plot_tdp_curve, plot_cluster_dots])
def test_says_what_is_missing_where_nothing_was_seen(plot):
    with pytest.raises(NotFittedError, match="fit_transform"):
        plot(ClusterTDPTransformer())
    with pytest.raises(NotFittedError, match="compute_contrast"):
        plot(ARISecondLevelModel())


def test_calibration_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        plot_pivotal_statistics(PermutationCalibration())


def test_curve_goes_through_the_bounds(clusters):
    drawn = plot_tdp_curve(clusters, seed=(39, -22, 58), radius=20)
    curve = confidence_curve(clusters, seed=(39, -22, 58), radius=20)
    for axes, column in zip(drawn, ["tdp", "true_discoveries"], strict=True):
        x, y = axes.lines[0].get_data()
        assert_array_equal(x, curve["n_selected"])
        assert_array_equal(y, curve[column])
    assert drawn[0].get_ylim() == (-0.02, 1.02)


def test_long_curve_is_thinned_and_keeps_its_ends(clusters):
    x, y = plot_tdp_curve(clusters)[0].lines[0].get_data()
    curve = confidence_curve(clusters)
    assert len(x) <= 4000
    assert (x[0], x[-1]) == (1, len(curve))
    assert_array_equal(y, curve["tdp"].to_numpy()[np.asarray(x) - 1])


def test_curve_of_one_voxel_is_drawn(clusters):
    voxel = np.argwhere(clusters.mask_img_.get_fdata())[:1]
    assert len(plot_tdp_curve(clusters, indices=voxel)[0].lines[0].get_xdata()) == 1


def test_clusters_by_tdp_are_those_of_the_queries(adaptive):
    number_axes, size_axes = plot_clusters_by_tdp(adaptive.forest_, cluster_threshold=50)
    tdps, numbers = number_axes.lines[0].get_data()
    all_together = size_axes.lines[0].get_ydata()
    for at in (20, 100, 161):
        sizes = adaptive.forest_.sizes[adaptive.forest_.query(tdps[at])]
        sizes = sizes[sizes >= 50]
        assert numbers[at] == sizes.size
        assert all_together[at] == sizes.sum()


def test_clusters_by_tdp_count_those_that_the_transformer_keeps(adaptive):
    number_axes, _ = plot_clusters_by_tdp(adaptive)
    tdps, numbers = number_axes.lines[0].get_data()
    kept = adaptive.table_.groupby("tdp_threshold").size()
    for tdp, number in kept.items():
        assert numbers[np.searchsorted(tdps, tdp)] == number
    asked = [line.get_xdata()[0] for line in number_axes.lines[1:]]
    assert asked == [0.5, 0.8]


def test_clusters_by_tdp_of_a_model_are_those_of_its_transformer(adaptive):
    model = ARISecondLevelModel()
    with pytest.raises(NotFittedError, match="compute_contrast"):
        plot_clusters_by_tdp(model)
    model.transformer_ = adaptive
    assert plot_clusters_by_tdp(model)[0].lines


@pytest.mark.parametrize("plot", [plot_tdp_curve, plot_cluster_dots, plot_clusters_by_tdp])
def test_a_fitted_map_is_drawn_as_its_transformer(plot, adaptive):
    drawn = [np.atleast_1d(plot(fitted))[0] for fitted in (adaptive, adaptive.maps_)]
    for one, other in zip(*(axes.lines for axes in drawn), strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
    offsets = [[c.get_offsets() for c in axes.collections] for axes in drawn]
    np.testing.assert_array_equal(*offsets)
    assert drawn[0].get_ylabel() == drawn[1].get_ylabel()


def test_clusters_by_tdp_need_a_forest(clusters):
    with pytest.raises(TypeError, match=r"AdaptiveTDPTransformer.*Got supra-threshold clusters"):
        plot_clusters_by_tdp(clusters)


def test_a_forest_has_no_map_index(adaptive):
    with pytest.raises(ValueError, match="map_index must be left at the default with a TDPForest"):
        plot_clusters_by_tdp(adaptive.forest_, map_index=0)


@pytest.mark.parametrize("cluster_threshold", [-1, 2.5, "10"])
def test_cluster_threshold_must_be_a_number_of_voxels(adaptive, cluster_threshold):
    with pytest.raises(ValueError, match="cluster_threshold must be an integer"):
        plot_clusters_by_tdp(adaptive, cluster_threshold=cluster_threshold)


def test_clusters_that_are_all_too_small_are_drawn_as_none(adaptive):
    number_axes, _ = plot_clusters_by_tdp(adaptive, cluster_threshold=10**6)
    assert not number_axes.lines[0].get_ydata().any()


def test_dots_are_the_clusters_of_the_table(clusters):
    axes = plot_cluster_dots(clusters, n_labels=3)
    dots = np.concatenate([dots.get_offsets() for dots in axes.collections])
    table = clusters.table_.iloc[:-1]
    expected = table[["n_voxels", "tdp"]].to_numpy(dtype=float)
    assert_allclose(np.sort(dots, axis=0), np.sort(expected, axis=0))
    assert axes.get_xscale() == "log"
    whole = clusters.true_discoveries_ / clusters.n_tested_
    assert axes.lines[0].get_ydata()[0] == whole
    largest = table.nlargest(3, "true_discoveries")["cluster_id"].astype(str)
    assert {text.get_text() for text in axes.texts} <= set(largest)
    assert axes.texts


def test_dots_can_do_without_labels(clusters):
    assert not plot_cluster_dots(clusters, n_labels=0).texts


def test_labels_do_not_cover_each_other(stat_img):
    many = ClusterTDPTransformer([3, 3.01, 3.02])
    many.fit_transform(stat_img)
    axes = plot_cluster_dots(many, n_labels=6)
    assert 0 < len(axes.texts) < 6


def test_regions_are_labelled_by_name_as_it_is(stat_img, tmp_path):
    img = load_img(stat_img)
    halves = np.ones(img.shape, dtype=np.int32)
    halves[27:] = 2
    regions = RegionTDPTransformer(new_img_like(img, halves), labels=["$right", "a_left$"])
    regions.fit_transform(img)
    axes = plot_cluster_dots(regions, output_file=tmp_path / "dots.png")
    assert {text.get_text() for text in axes.texts} <= {"$right", "a_left$"}


def test_no_cluster_is_said_to_be_none(stat_img):
    nothing = ClusterTDPTransformer(threshold=50)
    nothing.fit_transform(stat_img)
    axes = plot_cluster_dots(nothing)
    assert [text.get_text() for text in axes.texts] == ["no clusters"]


@pytest.mark.parametrize("n_labels", [-1, 1.5, None])
def test_n_labels_must_be_a_number(clusters, n_labels):
    with pytest.raises(ValueError, match="n_labels must be an integer"):
        plot_cluster_dots(clusters, n_labels=n_labels)


@pytest.mark.parametrize("plot", [plot_tdp_curve, plot_cluster_dots])
def test_one_of_several_maps_is_drawn(plot, stat_img):
    several = ClusterTDPTransformer()
    several.fit_transform([stat_img, stat_img])
    with pytest.raises(ValueError, match="map_index"):
        plot(several)
    assert all(isinstance(one, Axes) for one in np.ravel(plot(several, map_index=1)))


@pytest.mark.parametrize("template", ["simes", "beta", "higher_criticism"])
def test_pivotal_statistics_are_counted_with_lambda_and_the_observed_one_marked(template):
    p_values = np.random.default_rng(1).random((200, 100))
    calibration = calibrate(p_values, template=template)
    axes = plot_pivotal_statistics(calibration)
    assert sum(patch.get_height() for patch in axes.patches) == 199
    assert axes.lines[0].get_xdata()[0] == calibration.lambda_
    assert axes.lines[1].get_xdata()[0] == calibration.pivotal_statistics[0]
    labels = " ".join(text.get_text() for text in axes.get_legend().get_texts())
    assert "199 permutations" in labels
    assert f"{calibration.lambda_:.4g}" in labels


@pytest.mark.parametrize("template", ["simes", "beta"])
def test_observed_statistic_that_is_far_off_is_marked_at_the_edge(template):
    p_values = np.random.default_rng(1).random((200, 100))
    p_values[0, :10] = 0
    axes = plot_pivotal_statistics(calibrate(p_values, template=template))
    assert "off the axis" in axes.get_legend().get_texts()[2].get_text()
    low, high = axes.get_xlim()
    assert low <= axes.lines[1].get_xdata()[0] <= high


def test_statistics_that_are_all_the_same_are_drawn(calibration):
    same = calibrate(np.full((40, 5), 0.5))
    assert isinstance(plot_pivotal_statistics(same), Axes)


def _fitted_blobs(*sizes):
    """Return what is found in a volume with blobs that are active throughout."""
    z = -np.random.default_rng(0).random((60, 10, 10))
    start = 0
    for size in sizes:
        z[start : start + 20].reshape(-1)[:size] = 9.5
        start += 30
    z_img = Nifti1Image(z, np.eye(4))
    mask_img = Nifti1Image(np.ones(z.shape, dtype=np.uint8), np.eye(4))
    return ClusterTDPTransformer(3, mask_img=mask_img).fit(z_img)


def test_labels_stay_away_from_other_dots():
    axes = plot_cluster_dots(_fitted_blobs(1000, 1100))
    # Between two dots side by side, a label could belong to either.
    for text in axes.texts:
        dot = axes.transData.transform(text.xy)[0]
        is_left = text.get_window_extent().x1 < dot
        assert is_left == (text.get_text() == "2")
    assert len(axes.texts) == 2


@pytest.mark.parametrize("size", [5, 2000])
def test_texts_of_curves_are_in_a_free_corner(size):
    ari = _fitted_blobs(size)
    for axes in plot_tdp_curve(ari):
        axes.figure.draw_without_rendering()
        (text,) = axes.texts
        curve = axes.lines[0]
        line = axes.transData.transform(np.column_stack(curve.get_data()))
        steps = np.linspace(0, len(line) - 1, 5000)
        dense = np.column_stack([np.interp(steps, np.arange(len(line)), one) for one in line.T])
        assert text.get_window_extent().count_contains(dense) == 0


def test_few_active_voxels_are_not_0_percent():
    ari = _fitted_blobs(3)
    assert ari.true_discoveries_ == 3
    tdp_axes, _ = plot_tdp_curve(ari)
    (line,) = plot_cluster_dots(ari).lines
    assert tdp_axes.texts[0].get_text() == "all 6,000 voxels: at least 0.05 %"
    assert line.get_label() == "all voxels: 0.05 %"


def test_legends_are_opaque(clusters, calibration):
    # A grid line or lambda behind a legend would look like one of its entries.
    for axes in (plot_cluster_dots(clusters), plot_pivotal_statistics(calibration)):
        assert axes.get_legend().get_frame().get_alpha() == 1
    assert max(axes.lines[0].get_ydata()) < 0.8
