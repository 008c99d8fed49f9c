"""Reading and writing of results."""

from ari_estimator.interfaces._results import load, save

__all__ = ["load", "save"]
