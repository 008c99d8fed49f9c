"""Draw the null distribution of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ari_estimator.closed_testing import Calibration, SplitCalibration
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.inference import FittedMap
from ari_estimator.plotting._figure import (
    axes_or_new,
    bare,
    check_size,
    colour,
    figure_file,
    figure_of,
    in_plain_text,
    ink,
    set_title,
    written,
)

# If the largest statistic exceeds the smallest by this factor, the axis is logarithmic.
_WIDE = 30.0

# Values farther away than this many times the range of the others are not drawn to scale.
_FAR = 2.0

# Part of the height of the axes. The legend is above it.
_BELOW_LEGEND = 0.77


@in_plain_text
def plot_pivotal_statistics(
    calibration: Any,
    *,
    axes: Axes | None = None,
    title: str = "",
    figsize: tuple[float, float] | None = None,
    output_file: str | Path | None = None,
    dpi: float | None = None,
) -> Axes:
    """Draw the pivotal statistics of all permutations and the calibrated parameter lambda.

    Parameters
    ----------
    calibration : PermutationCalibration, Calibration, ARISecondLevelModel or FittedMap
        A fitted calibration, or a model or map whose bounds come from one.

    axes : matplotlib.axes.Axes or None, default=None
        Axes to draw on; None for a new figure.

    title : str, default=""
        Title of the figure.

    figsize : (float, float) or None, default=None
        Width and height of a new figure, in inches; None for a size that suits the content.

    output_file : str, Path or None, default=None
        File for the figure, which is written completely or not at all. Its extension chooses the
        format: ``.png``, or ``.svg`` and ``.pdf`` for vector graphics. The figure is closed
        afterwards. A ``~`` at the start means the home folder.

    dpi : float or None, default=None
        Resolution of the file, in dots per inch; None for 300.

    Returns
    -------
    axes : matplotlib.axes.Axes
        The axes. After step-down, the statistics belong to the remaining elements.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the calibration is not fitted.
    TypeError
        If ``calibration`` or ``axes`` has another type.
    ValueError
        If ``figsize`` or ``dpi`` is not positive or has no effect. If templates share the level:
        draw each of ``calibration_.parts``.
    OSError
        If ``output_file`` cannot be written, for example because it is a folder.

    Notes
    -----
    A permutation has p-values below their thresholds exactly if its statistic is below lambda, by
    more than rounding. This holds for at most a share alpha of the permutations, to the left of the
    line. Data with an effect lie far to the left. If the observed data lie among the permutations,
    nothing was found.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import PermutationCalibration
    >>> from ari_estimator.plotting import plot_pivotal_statistics
    >>> data = np.random.default_rng(0).standard_normal((20, 500))
    >>> calibration = PermutationCalibration(n_permutations=200, random_state=0).fit(data)
    >>> axes = plot_pivotal_statistics(calibration)
    """
    check_size(figsize, dpi, axes, output_file)
    figure_path = figure_file(output_file)
    calibration = _only_part(_calibration_of(calibration))
    axes = axes_or_new(axes, figsize=figsize)
    statistics = calibration.pivotal_statistics
    observed, lambda_ = float(statistics[0]), calibration.lambda_
    null = statistics[1:][np.isfinite(statistics[1:])]
    shown = np.r_[null, lambda_]
    low, high = float(shown.min()), float(shown.max())
    is_log = low > 0 and high > _WIDE * low
    if low == high:
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)
    n_bins = int(np.clip(np.sqrt(null.size) * 1.5, 8, 60))
    edges = np.geomspace(low, high, n_bins) if is_log else np.linspace(low, high, n_bins)
    axes.hist(
        null,
        bins=edges.tolist(),
        color=colour("blue"),
        alpha=0.55,
        label=f"{null.size:,} permutations",
    )
    if is_log:
        axes.set_xscale("log")
    share = f"{100 * calibration.joint_error_rate():.1f} % of permutations below"
    axes.axvline(
        lambda_, ymax=_BELOW_LEGEND, color=ink(), linewidth=1.6, label=f"λ = {lambda_:.4g}, {share}"
    )
    # Data with an effect may be so far away that the others could not be distinguished.
    if is_log:
        has_place = observed > 0 and np.log(low / observed) < _FAR * np.log(high / low)
    else:
        has_place = low - observed < _FAR * (high - low)
    at = observed if has_place else low
    off = "" if has_place else ", off the axis"
    axes.plot(
        [at],
        [0.04],
        marker="v" if has_place else "<",
        markersize=10,
        color=colour("vermillion"),
        linestyle="none",
        transform=axes.get_xaxis_transform(),
        clip_on=False,
        zorder=4,
        label=f"data as observed, {observed:.3g}{off}",
    )
    bare(axes)
    axes.set(xlabel="Pivotal statistic", ylabel="Permutations")
    legend = axes.legend(framealpha=1, edgecolor="none", fontsize=9, loc="upper left")
    legend.get_frame().set_facecolor(ink(0))
    axes.set_ylim(top=axes.get_ylim()[1] / _BELOW_LEGEND)
    set_title(axes, title)
    written(figure_of(axes), figure_path, dpi)
    return axes


def _only_part(calibration: Calibration | SplitCalibration) -> Calibration:
    """Return the calibration of one template."""
    if len(calibration.parts) > 1:
        raise ValueError(
            f"calibration must have one template. Got one with {len(calibration.parts)} that share "
            "the level. Draw each of its parts, such as calibration_.parts[0]."
        )
    return calibration.parts[0]


def _calibration_of(fitted: Any) -> Calibration | SplitCalibration:
    """Return the calibration of an estimator or a map."""
    if isinstance(fitted, PermutationCalibration):
        check_is_fitted(fitted)
        return _only(fitted.sides_ or {"": fitted}).calibration_
    if isinstance(fitted, (Calibration, SplitCalibration)):
        return fitted
    if isinstance(fitted, (BaseEstimator, FittedMap)):
        calibrations = as_fitted_map(fitted).test.calibrations
        if calibrations:
            return _only(calibrations)
        got = "one without a calibration"
    else:
        got = type(fitted).__name__
    raise TypeError(
        "calibration must be a PermutationCalibration, a closed_testing.Calibration, or a model "
        f"or FittedMap with one. Got {got}."
    )


def _only(sides: Mapping[str, Any]) -> Any:
    """Return the one calibration, unless each sign has its own."""
    if len(sides) > 1:
        raise ValueError(
            "calibration must be one calibration. Got one with two_sided='directional', which has "
            "one for each sign: pass sides_['positive'] or sides_['negative'] of the "
            "PermutationCalibration, or test.calibrations['positive'] of the FittedMap."
        )
    return next(iter(sides.values()))
