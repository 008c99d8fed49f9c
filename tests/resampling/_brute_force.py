"""Least squares and resampling in so many words, to compare with."""

import numpy as np
from scipy import stats


def least_squares_t(data, design, contrast):
    """Return t values of a contrast: fit, residual variance, variance of the contrast."""
    design, contrast = np.asarray(design, float), np.asarray(contrast, float)
    fitted, _, rank, _ = np.linalg.lstsq(design, data, rcond=None)
    residuals = data - design @ fitted
    variance = (residuals**2).sum(axis=0) / (len(design) - rank)
    of_contrast = contrast @ np.linalg.pinv(design.T @ design) @ contrast
    return contrast @ fitted / np.sqrt(variance * of_contrast)


def least_squares_f(data, design, contrast):
    """Return F values of a contrast: fit, residual variance, covariance of the contrast."""
    design, contrast = np.asarray(design, float), np.asarray(contrast, float)
    fitted, _, rank, _ = np.linalg.lstsq(design, data, rcond=None)
    variance = ((data - design @ fitted) ** 2).sum(axis=0) / (len(design) - rank)
    covariance = contrast @ np.linalg.pinv(design.T @ design) @ contrast.T
    effects = contrast @ fitted
    explained = (effects * (np.linalg.pinv(covariance, 1e-10) @ effects)).sum(axis=0)
    return explained / np.linalg.matrix_rank(covariance, 1e-10) / variance


def rank_and_df(design, contrast):
    """Return how many directions a contrast has, and the degrees of freedom of residuals."""
    rank = np.linalg.matrix_rank(design)
    return (
        rank - np.linalg.matrix_rank(nuisance_columns(design, contrast), 1e-9),
        len(design) - rank,
    )


def welch_g(data, design, contrast, groups):
    """Return G of one or several rows of a contrast, and its degrees of freedom.

    As in section "Test statistics" of Winkler et al. (2014), with the degrees of freedom of
    Johansen (1980), of one element after another. The
    quadratic form of the estimates is the weighted distance of the fit from the nearest one in
    which the contrast is 0.
    """
    design, contrast = np.asarray(design, float), np.atleast_2d(np.asarray(contrast, float))
    fits = design @ np.linalg.lstsq(design, data, rcond=1e-10)[0]
    nuisance = nuisance_columns(design, contrast)
    leftover = np.diag(np.eye(len(design)) - design @ np.linalg.pinv(design, 1e-12))
    labels = np.unique(groups)
    rank = rank_and_df(design, contrast)[0]
    values, degrees = [], []
    for fit, residual in zip(fits.T, (data - fits).T, strict=True):
        weights = np.empty(len(design))
        for label in labels:
            rows = groups == label
            weights[rows] = leftover[rows].sum() / (residual[rows] ** 2).sum()
        # Whatever the units of the data.
        unit = weights.max()
        roots = np.sqrt(weights / unit)
        nearest = np.linalg.lstsq(roots[:, np.newaxis] * nuisance, roots * fit, rcond=1e-12)[0]
        distance = unit * ((roots * (fit - nuisance @ nearest)) ** 2).sum()
        # What the contrast adds to the weighted fit, and how much of it is in the rows of a group.
        added = hat_matrix(roots[:, np.newaxis] * design)
        added -= hat_matrix(roots[:, np.newaxis] * nuisance)
        sums = 0
        for label in labels:
            share = added[np.ix_(groups == label, groups == label)]
            traces = np.trace(share) ** 2 + (share**2).sum()
            sums += traces / (2 * leftover[groups == label].sum())
        if len(labels) == 1:  # It is the F of least squares.
            values.append(distance / rank)
            degrees.append(leftover.sum())
            continue
        factor = 1 + 2 * (rank - 1) / (rank * (rank + 2)) * sums
        values.append(distance / (factor * rank))
        degrees.append(rank * (rank + 2) / 3 / sums)
    return np.array(values), np.array(degrees)


def hat_matrix(columns):
    """Return the matrix that projects on the space of columns."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    left = left[:, singular > 1e-12 * singular.max(initial=0)]
    return left @ left.T


def welch_v(data, design, contrast, groups):
    """Return v of a contrast, the root of G with the sign of the effect, and its df."""
    contrast = np.asarray(contrast, float)
    values, df = welch_g(data, design, contrast, groups)
    effects = contrast @ np.linalg.lstsq(np.asarray(design, float), data, rcond=None)[0]
    return np.sign(effects) * np.sqrt(values), df


def welch_anova(samples):
    """Return F and the degrees of freedom of Welch (1951), for samples of several groups."""
    k = len(samples)
    sizes = np.array([len(sample) for sample in samples])
    means = np.array([np.mean(sample) for sample in samples])
    weights = sizes / np.array([np.var(sample, ddof=1) for sample in samples])
    grand = (weights * means).sum() / weights.sum()
    uncertain = ((1 - weights / weights.sum()) ** 2 / (sizes - 1)).sum()
    above = (weights * (means - grand) ** 2).sum() / (k - 1)
    below = 1 + 2 * (k - 2) / (k**2 - 1) * uncertain
    return above / below, (k**2 - 1) / (3 * uncertain)


def nuisance_columns(design, contrast):
    """Return columns that span what a design explains where a contrast of it is 0."""
    design, contrast = np.asarray(design, float), np.atleast_2d(np.asarray(contrast, float))
    columns = design @ (np.eye(contrast.shape[1]) - np.linalg.pinv(contrast) @ contrast)
    columns[np.abs(columns) < 1e-12 * np.abs(design).max()] = 0
    return columns


def freedman_lane(data, design, contrast, resample):
    """Return resampled data, after Freedman and Lane.

    Fit the nuisance alone, resample its residuals, add the fit to them again.
    """
    nuisance = nuisance_columns(design, contrast)
    fit = nuisance @ np.linalg.lstsq(nuisance, data, rcond=1e-10)[0]
    return fit + resample(data - fit)


def residual_bootstrap(data, design, subjects):
    """Return data of a bootstrap of residuals, as the deviation from the estimate.

    Fit the model, add residuals of subjects drawn with replacement to the fit. Fitted again, they
    differ from the estimate by what a fit of the resampled residuals alone finds.
    """
    design = np.asarray(design, float)
    estimate = np.linalg.lstsq(design, data, rcond=None)[0]
    fit = design @ estimate
    again = fit + (data - fit)[subjects]
    return again - design @ estimate


def correlation(t, df):
    """Return partial correlations of t values."""
    return t / np.sqrt(t**2 + df)


def multiple_correlation(f, rank, df):
    """Return multiple correlations of F values."""
    return np.sqrt(rank * f / (rank * f + df))


def equivalent_normal(p, sign=1.0):
    """Return normal values with two-sided p-values."""
    return sign * np.minimum(stats.norm.isf(p / 2), 38)
