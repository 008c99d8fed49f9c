"""Statistics of a general linear model under resampling of the subjects, in blocks."""

from ari_estimator.resampling._choose_scheme import SCHEMES, SchemeName, choose_scheme
from ari_estimator.resampling._constant_elements import constant_elements
from ari_estimator.resampling._contrast import Contrast, find_contrast
from ari_estimator.resampling._design_space import DesignSpace
from ari_estimator.resampling._exchangeability import (
    EXCHANGES,
    Exchange,
    Exchangeability,
    check_blocks,
)
from ari_estimator.resampling._joint_statistics import JointStatistics
from ari_estimator.resampling._linear_model_statistics import LinearModelStatistics
from ari_estimator.resampling._model_statistic import ModelStatistic, Observed
from ari_estimator.resampling._null_statistics import NullStatistics
from ari_estimator.resampling._opposite_statistics import OppositeStatistics
from ari_estimator.resampling._partial_correlation import PartialCorrelation
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import Permutation, ResidualBootstrap, SignFlipping
from ari_estimator.resampling._statistics_with_gaps import StatisticsWithGaps
from ari_estimator.resampling._streamed_signs import (
    StreamedSignStatistics,
    SubjectSums,
    sign_statistics,
)
from ari_estimator.resampling._tails import (
    CorrelationTail,
    MultipleCorrelationTail,
    NormalTail,
    Tail,
)
from ari_estimator.resampling._variance_groups import variance_groups_of
from ari_estimator.resampling._welch_statistic import WelchStatistic

__all__ = [
    "EXCHANGES",
    "SCHEMES",
    "Contrast",
    "CorrelationTail",
    "DesignSpace",
    "Exchange",
    "Exchangeability",
    "JointStatistics",
    "LinearModelStatistics",
    "ModelStatistic",
    "MultipleCorrelationTail",
    "NormalTail",
    "NullStatistics",
    "Observed",
    "OppositeStatistics",
    "PartialCorrelation",
    "Permutation",
    "ResidualBootstrap",
    "Scheme",
    "SchemeName",
    "SignFlipping",
    "StatisticsWithGaps",
    "StreamedSignStatistics",
    "SubjectSums",
    "Tail",
    "WelchStatistic",
    "check_blocks",
    "choose_scheme",
    "constant_elements",
    "find_contrast",
    "sign_statistics",
    "variance_groups_of",
]
