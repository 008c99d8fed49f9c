"""Closed testing on arrays of p-values: Hommel values, critical vectors, bounds of sets."""

from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._hommel import ConcentrationSet, Hommel

__all__ = ["ConcentrationSet", "CriticalVector", "Hommel"]
