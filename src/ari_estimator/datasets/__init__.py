"""Data to try things on, without a network."""

from ari_estimator.datasets._simulated_group import load_simulated_group

__all__ = ["load_simulated_group"]
