"""From statistics under resampling to calibrated templates, whatever was resampled."""

from ari_estimator.calibration._calibrate_draws import (
    CalibratedDraws,
    calibrate_draws,
    learn_from_draws,
)
from ari_estimator.calibration._workers import Workers

__all__ = ["CalibratedDraws", "Workers", "calibrate_draws", "learn_from_draws"]
