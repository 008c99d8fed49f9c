"""Least squares and resampling in so many words, to compare with."""

import numpy as np


def least_squares_t(data, design, contrast):
    """Return t values of a contrast: fit, residual variance, variance of the contrast."""
    design, contrast = np.asarray(design, float), np.asarray(contrast, float)
    fitted, _, rank, _ = np.linalg.lstsq(design, data, rcond=None)
    residuals = data - design @ fitted
    variance = (residuals**2).sum(axis=0) / (len(design) - rank)
    of_contrast = contrast @ np.linalg.pinv(design.T @ design) @ contrast
    return contrast @ fitted / np.sqrt(variance * of_contrast)


def nuisance_columns(design, contrast):
    """Return columns that span what a design explains where a contrast of it is 0."""
    design, contrast = np.asarray(design, float), np.asarray(contrast, float)
    return design @ (np.eye(contrast.size) - np.outer(contrast, contrast) / (contrast @ contrast))


def freedman_lane_t(data, design, contrast, resample):
    """Return t values of resampled data, after Freedman and Lane.

    Fit the nuisance alone, resample its residuals, add the fit to them again, fit the model.
    """
    nuisance = nuisance_columns(design, contrast)
    fit = nuisance @ np.linalg.lstsq(nuisance, data, rcond=1e-10)[0]
    return least_squares_t(fit + resample(data - fit), design, contrast)


def bootstrap_t(data, design, contrast, subjects):
    """Return t values of a bootstrap of residuals, of the deviation from the estimate.

    Fit the model, add residuals of subjects drawn with replacement to the fit, fit again, and
    test the difference of the two estimates.
    """
    design = np.asarray(design, float)
    estimate = np.linalg.lstsq(design, data, rcond=None)[0]
    fit = design @ estimate
    again = fit + (data - fit)[subjects]
    return least_squares_t(again - design @ estimate, design, contrast)


def correlation(t, df):
    """Return partial correlations of t values."""
    return t / np.sqrt(t**2 + df)
