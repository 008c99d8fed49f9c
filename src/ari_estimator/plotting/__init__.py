"""Figures of statistical maps and their true discovery proportions."""

from ari_estimator.plotting._cluster_dots import plot_cluster_dots
from ari_estimator.plotting._clusters_by_tdp import plot_clusters_by_tdp
from ari_estimator.plotting._pivotal_statistics import plot_pivotal_statistics
from ari_estimator.plotting._tdp_array import plot_tdp_array
from ari_estimator.plotting._tdp_curve import plot_tdp_curve
from ari_estimator.plotting._tdp_map import plot_tdp
from ari_estimator.plotting._tdp_surface import plot_tdp_surface

__all__ = [
    "plot_cluster_dots",
    "plot_clusters_by_tdp",
    "plot_pivotal_statistics",
    "plot_tdp",
    "plot_tdp_array",
    "plot_tdp_curve",
    "plot_tdp_surface",
]
