"""Reports, tables and texts for a paper: clusters with their peaks and regions, and methods."""

from ari_estimator.reporting._get_methods import get_methods
from ari_estimator.reporting._region_composition import get_region_composition
from ari_estimator.reporting._report import make_report
from ari_estimator.reporting._tdp_table import get_tdp_table

__all__ = ["get_methods", "get_region_composition", "get_tdp_table", "make_report"]
