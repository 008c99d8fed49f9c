"""Closed testing on arrays of p-values: critical vectors, bounds and p-values of sets.

Critical vectors come from local tests with their Hommel value, or from templates that are
calibrated by permutations.
"""

from ari_estimator.closed_testing._calibrate import calibrate
from ari_estimator.closed_testing._calibrated_extent import CalibratedExtent
from ari_estimator.closed_testing._calibrated_test import CalibratedTest
from ari_estimator.closed_testing._calibration import Calibration
from ari_estimator.closed_testing._cluster_extent_bounds import ClusterExtentBounds
from ari_estimator.closed_testing._cluster_extent_test import ClusterExtentTest
from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._critical_vector import CriticalVector
from ari_estimator.closed_testing._critical_vector_test import (
    CriticalVectorBounds,
    CriticalVectorTest,
)
from ari_estimator.closed_testing._directional_bounds import DirectionalBounds
from ari_estimator.closed_testing._directional_test import DirectionalTest
from ari_estimator.closed_testing._family_part import FamilyPart
from ari_estimator.closed_testing._gaussian_field_extent import GaussianFieldExtent
from ari_estimator.closed_testing._hommel import ConcentrationSet, Hommel
from ari_estimator.closed_testing._joint_template import JointTemplate
from ari_estimator.closed_testing._known_extent import KnownExtent
from ari_estimator.closed_testing._larger_bounds import LargerBounds
from ari_estimator.closed_testing._larger_bounds_test import LargerBoundsTest
from ari_estimator.closed_testing._learned_template import LearnedTemplate
from ari_estimator.closed_testing._level_share import LevelShare
from ari_estimator.closed_testing._make_template import make_template
from ari_estimator.closed_testing._simultaneous_bounds import SimultaneousBounds
from ari_estimator.closed_testing._simultaneous_test import SimultaneousTest
from ari_estimator.closed_testing._split_calibration import SplitCalibration
from ari_estimator.closed_testing._supra_threshold_graph import SupraThresholdGraph
from ari_estimator.closed_testing._template import Template
from ari_estimator.closed_testing._templates import (
    AORCTemplate,
    BetaTemplate,
    HigherCriticismTemplate,
    PowerTemplate,
    SimesTemplate,
)

__all__ = [
    "AORCTemplate",
    "BetaTemplate",
    "CalibratedExtent",
    "CalibratedTest",
    "Calibration",
    "ClusterExtentBounds",
    "ClusterExtentTest",
    "ConcentrationSet",
    "CriticalExtent",
    "CriticalVector",
    "CriticalVectorBounds",
    "CriticalVectorTest",
    "DirectionalBounds",
    "DirectionalTest",
    "FamilyPart",
    "GaussianFieldExtent",
    "HigherCriticismTemplate",
    "Hommel",
    "JointTemplate",
    "KnownExtent",
    "LargerBounds",
    "LargerBoundsTest",
    "LearnedTemplate",
    "LevelShare",
    "PowerTemplate",
    "SimesTemplate",
    "SimultaneousBounds",
    "SimultaneousTest",
    "SplitCalibration",
    "SupraThresholdGraph",
    "Template",
    "calibrate",
    "make_template",
]
