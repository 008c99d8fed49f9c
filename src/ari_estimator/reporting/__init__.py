"""Reports, and tables for reading: clusters with their peaks, and the atlas regions in them."""

from ari_estimator.reporting._region_composition import get_region_composition
from ari_estimator.reporting._report import make_report
from ari_estimator.reporting._tdp_table import get_tdp_table

__all__ = ["get_region_composition", "get_tdp_table", "make_report"]
