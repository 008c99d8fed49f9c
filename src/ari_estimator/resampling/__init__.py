"""Statistics of a general linear model under resampling of the subjects, in chunks."""

from ari_estimator.resampling._choose_scheme import (
    SCHEMES,
    SchemeName,
    check_blocks,
    choose_scheme,
)
from ari_estimator.resampling._contrast import Contrast, find_contrast
from ari_estimator.resampling._design_space import DesignSpace
from ari_estimator.resampling._null_statistics import LinearModelStatistics, NullStatistics
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import Permutation, ResidualBootstrap, SignFlipping
from ari_estimator.resampling._streamed_signs import (
    StreamedSignStatistics,
    SubjectSums,
    sign_statistics,
)
from ari_estimator.resampling._tails import CorrelationTail

__all__ = [
    "SCHEMES",
    "Contrast",
    "CorrelationTail",
    "DesignSpace",
    "LinearModelStatistics",
    "NullStatistics",
    "Permutation",
    "ResidualBootstrap",
    "Scheme",
    "SchemeName",
    "SignFlipping",
    "StreamedSignStatistics",
    "SubjectSums",
    "check_blocks",
    "choose_scheme",
    "find_contrast",
    "sign_statistics",
]
