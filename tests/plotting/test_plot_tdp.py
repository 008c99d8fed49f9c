"""The figure of a statistic and the TDP of its clusters."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from nibabel import Nifti1Image
from nilearn.datasets import load_sample_motor_activation_image

from ari_estimator import cluster_level_inference
from ari_estimator.plotting import plot_tdp


@pytest.fixture(scope="module")
def maps():
    stat_img = load_sample_motor_activation_image()
    return stat_img, cluster_level_inference(stat_img, threshold=4)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_gives_a_figure_with_a_title(maps):
    figure = plot_tdp(*maps, title="a <title>", cut_coords=[0, 46])
    assert isinstance(figure, Figure)
    assert figure.get_suptitle() == "a <title>"


@pytest.mark.parametrize("cut_coords", [2, [0, 46], (0.0, 46.0), np.array([0, 46])])
def test_draws_so_many_slices_of_each_map(maps, cut_coords):
    figure = plot_tdp(*maps, cut_coords=cut_coords)
    assert sum(len(axes.images) > 1 for axes in figure.axes) == 2 * 2


def test_tdp_is_drawn_from_0_to_1_whatever_its_values(maps):
    stat_img, tdp_img = maps
    half = Nifti1Image(tdp_img.get_fdata() / 2, tdp_img.affine)
    figure = plot_tdp(stat_img, half, cut_coords=[46])
    limits = [image.get_clim() for axes in figure.axes for image in axes.images]
    assert (0.0, 1.0) in limits


def test_map_without_clusters_is_drawn(maps):
    stat_img, tdp_img = maps
    nothing = Nifti1Image(np.zeros(tdp_img.shape), tdp_img.affine)
    assert isinstance(plot_tdp(stat_img, nothing, cut_coords=2), Figure)


def test_writes_a_file_and_closes_the_figure(maps, tmp_path):
    figure = plot_tdp(*maps, cut_coords=[46], output_file=tmp_path / "tdp.png")
    assert (tmp_path / "tdp.png").read_bytes().startswith(b"\x89PNG")
    assert not plt.fignum_exists(figure.number)
