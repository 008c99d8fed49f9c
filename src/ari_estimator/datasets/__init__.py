"""Sample data for examples and tests, without a network."""

from ari_estimator.datasets._sample_sensors import load_sample_sensors
from ari_estimator.datasets._sample_study import load_sample_study
from ari_estimator.datasets._simulated_group import load_simulated_group
from ari_estimator.datasets._write_sample_study import write_sample_study

__all__ = [
    "load_sample_sensors",
    "load_sample_study",
    "load_simulated_group",
    "write_sample_study",
]
