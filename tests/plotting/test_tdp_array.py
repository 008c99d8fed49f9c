"""Figures of arrays."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from ari_estimator import ClusterTDPTransformer
from ari_estimator.graphs import edges_of
from ari_estimator.plotting import plot_tdp, plot_tdp_array, plot_tdp_surface


@pytest.fixture(autouse=True)
def close_figures():
    """Close all figures after a test."""
    yield
    plt.close("all")


@pytest.fixture
def z_map():
    """Return a map of channels and times with an effect."""
    z = np.random.default_rng(0).standard_normal((1, 5, 30))
    z[0, 1:3, 10:20] += 5
    return z


def drawn(axes):
    """Return the values of the image in axes, and 0 where it is empty."""
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    return np.ma.filled(mesh.get_array(), 0)


def test_two_axes_are_an_image(z_map):
    names = ["Fz", "Cz", "Pz", "Oz", "C3"]
    times = np.linspace(-0.1, 0.48, 30)
    ari = ClusterTDPTransformer(
        3, adjacency="lattice", coordinates={"channel": names, "time": times}
    )
    tdp = ari.fit_transform(z_map)
    stat_axes, tdp_axes = plot_tdp_array(ari, map_index=0, title="$a title$")
    np.testing.assert_allclose(drawn(stat_axes), z_map[0])
    np.testing.assert_array_equal(drawn(tdp_axes), tdp[0])
    assert [label.get_text() for label in tdp_axes.get_yticklabels()] == names
    assert tdp_axes.get_xlabel() == "time (s)"
    low, high = tdp_axes.get_xlim()
    assert low == pytest.approx(-0.11)
    assert high == pytest.approx(0.49)
    assert stat_axes.get_title(loc="left") == "$a title$"


def test_a_curve_has_its_thresholds(z_map):
    ari = ClusterTDPTransformer([2, 3], adjacency="lattice").fit(z_map[:, 1])
    stat_axes, tdp_axes = plot_tdp_array(ari, map_index=0)
    np.testing.assert_array_equal(stat_axes.lines[0].get_ydata(), z_map[0, 1])
    heights = [line.get_ydata()[0] for line in stat_axes.lines[1:]]
    assert {0, 2, 3} <= set(heights)
    assert tdp_axes.get_xlabel() == "index"


def test_more_axes_show_the_value_farthest_from_0(z_map):
    cube = np.stack([z_map[0], -2 * z_map[0]])[np.newaxis]
    ari = ClusterTDPTransformer(3, adjacency="lattice").fit(cube)
    stat_axes, _ = plot_tdp_array(ari, map_index=0)
    np.testing.assert_allclose(drawn(stat_axes), -2 * z_map[0])


def test_axes_without_coordinates_have_the_names_of_the_table(z_map):
    ari = ClusterTDPTransformer(3, adjacency="lattice").fit(z_map)
    _, tdp_axes = plot_tdp_array(ari, map_index=0)
    names = [tdp_axes.get_ylabel(), tdp_axes.get_xlabel()]
    assert [f"peak_{name}" for name in names] == list(ari.table_[0])[-2:]


def test_edges_are_a_symmetric_matrix():
    z = np.random.default_rng(0).standard_normal((1, 15))
    ari = ClusterTDPTransformer(0.5, adjacency=edges_of(6)).fit(z)
    stat_axes, _ = plot_tdp_array(ari, map_index=0)
    matrix = drawn(stat_axes)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(matrix[np.triu_indices(6, 1)], z[0])


def test_a_file_is_written_whole_and_the_figure_closed(z_map, tmp_path):
    ari = ClusterTDPTransformer(3, adjacency="lattice").fit(z_map)
    plot_tdp_array(ari, map_index=0, output_file=tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").stat().st_size > 1000
    assert not plt.get_fignums()


def test_each_figure_names_the_one_that_is_meant(z_map, volume):
    ari = ClusterTDPTransformer(3, adjacency="lattice").fit(z_map)
    for plot in (plot_tdp, plot_tdp_surface):
        with pytest.raises(ValueError, match="use plot_tdp_array instead"):
            plot(ari, map_index=0)
    with pytest.raises(ValueError, match="use plot_tdp or plot_tdp_surface"):
        plot_tdp_array(ClusterTDPTransformer().fit(volume))


@pytest.fixture
def volume():
    """Return a z map of voxels."""
    from nibabel import Nifti1Image

    return Nifti1Image(np.random.default_rng(0).standard_normal((6, 6, 6)) + 0.5, np.eye(4))
