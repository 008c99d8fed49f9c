"""The effect of a contrast in each run of first-level models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from nilearn.glm import compute_contrast
from nilearn.glm.first_level import FirstLevelModel
from sklearn.utils.validation import check_is_fitted

from ari_estimator.resampling import DesignSpace
from ari_estimator.resampling._contrast_expression import contrast_rows


class Runs(NamedTuple):
    """A contrast in each run of a subject.

    Attributes
    ----------
    effects, variances : list of Nifti1Image or SurfaceImage
        The effect and its variance in each run.

    df : list of float
        Degrees of freedom of the residuals of each run.
    """

    effects: list[Any]
    variances: list[Any]
    df: list[float]


def runs_of_models(models: Any, contrast: Any) -> Runs:
    """Return a contrast in each run.

    Parameters
    ----------
    models : FirstLevelModel or sequence of FirstLevelModel
        Fitted models of one subject.

    contrast : str, array-like, or list of these
        The contrast, or one for each run.

    Returns
    -------
    runs : Runs
        Images and degrees of freedom, in the order of the models and of their runs.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If a model is not fitted.
    TypeError
        If one of several models is something else.
    ValueError
        If the contrast is missing or null, has several rows, does not fit the design of a run, or
        is not estimable in it.
    """
    listed = [models] if isinstance(models, FirstLevelModel) else list(models)
    for model in listed:
        if not isinstance(model, FirstLevelModel):
            raise TypeError(
                "runs must be images, or models of one kind. Got a FirstLevelModel and a "
                f"{type(model).__name__}."
            )
        check_is_fitted(model)
    runs = [(model, number) for model in listed for number in range(len(model.labels_))]
    found = Runs([], [], [])
    for place, one in enumerate(_of_each_run(contrast, len(runs))):
        model, number = runs[place]
        weights = _weights(one, model.design_matrices_[number], place)
        estimate = compute_contrast(model.labels_[number], model.results_[number], weights, "t")
        found.effects.append(model.masker_.inverse_transform(estimate.effect_size()))
        found.variances.append(model.masker_.inverse_transform(estimate.effect_variance()))
        found.df.append(float(estimate.dof))
    return found


def _of_each_run(contrast: Any, n_runs: int) -> Sequence[Any]:
    """Return the contrast of each run."""
    if contrast is None:
        raise ValueError(
            "contrast must name what to combine, such as 'a - b', for a FirstLevelModel. Got None."
        )
    is_list = isinstance(contrast, (list, tuple))
    if not is_list or not any(isinstance(one, (str, list, tuple, np.ndarray)) for one in contrast):
        return [contrast] * n_runs
    if len(contrast) != n_runs:
        raise ValueError(
            f"contrast must be one contrast, or a list of one for each of the {n_runs} runs. Got "
            f"{len(contrast)}."
        )
    return list(contrast)


def _weights(contrast: Any, design: pd.DataFrame, place: int) -> np.ndarray:
    """Return the weight of each column of a run."""
    where = f"contrast of run {place}, counted from 0,"
    if isinstance(contrast, str):
        try:
            rows = contrast_rows(contrast, list(design.columns))
        except ValueError as error:
            raise ValueError(
                f"The {where} does not fit its design: {error} Leave out runs without the "
                "condition: fit a model to the other runs."
            ) from None
    else:
        try:
            rows = np.atleast_2d(np.asarray(contrast, dtype=np.float64))
        except (TypeError, ValueError):
            raise ValueError(f"The {where} must be a text or numbers. Got {contrast!r}.") from None
    n_columns = design.shape[1]
    if rows.shape[0] != 1 or rows.ndim != 2:
        raise ValueError(
            f"The {where} must be one row: fixed effects of F contrasts are approximate. Combine "
            f"each row by itself. Got shape {rows.shape}."
        )
    if rows.shape[1] > n_columns or not np.isfinite(rows).all() or not rows.any():
        raise ValueError(
            f"The {where} must have at most {n_columns} finite weights, not all 0. Got "
            f"{contrast!r}."
        )
    # As in nilearn, columns without a weight have weight 0.
    weights = np.zeros(n_columns)
    weights[: rows.shape[1]] = rows[0]
    space = DesignSpace.of(design.to_numpy(dtype=np.float64))
    if not space.is_estimable(weights[None]):
        confounded = space.confounded(weights[None], [str(name) for name in design.columns])
        raise ValueError(
            f"The {where} is not estimable. The columns {', '.join(map(repr, confounded))} are "
            "confounded."
        )
    return weights
