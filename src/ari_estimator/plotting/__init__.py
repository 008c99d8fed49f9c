"""Figures of statistical maps and their true discovery proportions."""

from ari_estimator.plotting._tdp_map import plot_tdp

__all__ = ["plot_tdp"]
