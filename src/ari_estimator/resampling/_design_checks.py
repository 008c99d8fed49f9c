"""Checks of a design: columns, intercept, centring, estimability."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd

from ari_estimator.resampling._design_space import ROUNDING, DesignSpace

# What pandas calls a column that has no name in a file.
_UNNAMED = re.compile(r"Unnamed: \d+")


def numeric_design(design: pd.DataFrame) -> pd.DataFrame:
    """Return a design as a matrix of numbers, and warn of useless columns.

    Parameters
    ----------
    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design.

    Returns
    -------
    design : pandas.DataFrame of shape (n_subjects, n_columns)
        A copy, of float64: True is 1, and False is 0.

    Raises
    ------
    ValueError
        If a column holds anything but finite real numbers, or has no name. The message names the
        columns.

    Warns
    -----
    UserWarning
        If a column is 0 for all subjects, if several columns are constant, or if there is no
        intercept. If the index of a saved table is left out.
    """
    design = _without_index(design)
    # By position, since columns may share a name.
    columns = [design.iloc[:, i] for i in range(design.shape[1])]
    names = [str(name) for name in design.columns]
    words = [name for name, column in zip(names, columns, strict=True) if _has_words(column)]
    if words:
        raise ValueError(
            f"design_matrix must hold numbers. Got words in {_quoted(words)}: code categories as "
            "columns of 0 and 1, as nilearn's make_second_level_design_matrix or formulaic does."
        )
    unnamed = [name for name in names if _UNNAMED.fullmatch(name)]
    if unnamed:
        raise ValueError(
            f"design_matrix must have a name for each column. Got {_quoted(unnamed)}, as pandas "
            "calls a column without a name. If it is an index, save the table with index=False."
        )
    complex_columns = [n for n, one in zip(names, columns, strict=True) if np.iscomplexobj(one)]
    if complex_columns:
        raise ValueError(
            "design_matrix must hold real numbers. Got complex numbers in "
            f"{_quoted(complex_columns)}."
        )
    design = design.astype(np.float64)
    values = design.to_numpy()
    bad = _where(~np.isfinite(values).all(axis=0), names)
    if bad:
        raise ValueError(
            f"design_matrix must be finite. Got NaN or infinite values in {_quoted(bad)}: leave "
            "these subjects out, in the design and in the maps."
        )
    is_zero = ~values.any(axis=0)
    if is_zero.any():
        said = _quoted(_where(is_zero, names))
        _warn(f"The design is 0 for all subjects in {said}: this has no effect.")
    is_constant = (values == values[:1]).all(axis=0) & ~is_zero
    if is_constant.sum() > 1:
        said = _quoted(_where(is_constant, names))
        _warn(
            f"The design has {is_constant.sum()} constant columns, {said}: they are confounded. "
            "One intercept is enough."
        )
    if not explains_mean(values):
        _warn(
            "The design has no intercept: no sum of its columns is the same number for all "
            f"subjects. Got {_quoted(names)}. The mean of all maps then counts as an effect of the "
            "columns. Add a column of ones, unless you know that subjects with 0 in all columns "
            "have a mean of 0."
        )
    return design


def _without_index(design: pd.DataFrame) -> pd.DataFrame:
    """Return a design without a column that has no name and counts the rows: a saved index."""
    names = [str(name) for name in design.columns]
    if not names or not _UNNAMED.fullmatch(names[0]):
        return design
    n = len(design)
    if design.iloc[:, 0].tolist() not in (list(range(n)), list(range(1, n + 1))):
        return design
    _warn(
        f"The column {names[0]!r} of the design has no name and counts the rows, as an index that "
        "was saved with its table does. It is left out."
    )
    return design.iloc[:, 1:]


def check_contrast(design: pd.DataFrame, contrast: np.ndarray) -> DesignSpace:
    """Refuse a contrast that a design cannot estimate, and warn of covariates not centred.

    Parameters
    ----------
    design : pandas.DataFrame of shape (n_subjects, n_columns)
        The design, finite.

    contrast : ndarray of float of shape (n_rows, n_columns)
        Weights of the columns, not all 0.

    Returns
    -------
    space : DesignSpace
        The space of the design.

    Raises
    ------
    ValueError
        If a weight is not finite, the contrast is not estimable, or no degrees of freedom are
        left.

    Warns
    -----
    UserWarning
        If the contrast tests the mean and covariates are not centred.
    """
    values = design.to_numpy(dtype=float)
    names = [str(name) for name in design.columns]
    if not np.isfinite(contrast).all():
        bad = _where(~np.isfinite(contrast).all(axis=0), names)
        raise ValueError(
            f"second_level_contrast must have finite weights. Got {contrast.tolist()}, which has "
            f"NaN or an infinite weight for {_quoted(bad)}. Use 0 for a column that it leaves out."
        )
    space = DesignSpace.of(values)
    if not space.is_estimable(contrast):
        confounded = space.confounded(contrast, names)
        raise ValueError(
            f"second_level_contrast {contrast.tolist()} is not estimable: solutions that differ in "
            f"it fit the data equally well. The columns {_quoted(confounded)} are confounded: "
            "leave one of them out, or test a contrast in which they cancel."
        )
    if len(values) <= space.rank:
        raise ValueError(
            "design_matrix must leave degrees of freedom for the residuals. Got "
            f"{len(values)} subjects for {space.rank} independent columns."
        )
    _warn_of_uncentred(values, names, contrast)
    return space


def explains_mean(design: np.ndarray) -> bool:
    """Return whether the columns of a design can add up to a constant other than 0."""
    ones = np.ones(len(design))
    space = DesignSpace.of(design)
    rest = ones - space.left @ (space.left.T @ ones)
    return bool(np.abs(rest).max() < ROUNDING)


def _warn_of_uncentred(values: np.ndarray, names: list[str], contrast: np.ndarray) -> None:
    """Warn if the contrast tests the mean at 0 of a covariate that is not centred."""
    is_constant = (values == values[:1]).all(axis=0)
    tested = contrast.any(axis=0)
    if not tested.any() or not is_constant[tested].all():
        return
    spread = values.std(axis=0)
    is_off = ~is_constant & (np.abs(values.mean(axis=0)) > 1e-6 * np.maximum(spread, 1e-300))
    # A column of 0 and 1 is a group: 0 has a meaning.
    is_group = np.isin(values, (0, 1)).all(axis=0)
    found = _where(is_off & ~is_group, names)
    if found:
        _warn(
            f"The contrast tests the mean of subjects with 0 in {_quoted(found)}, which is not "
            "centred. To test the mean of the subjects at hand, subtract the mean from each of "
            "these columns."
        )


def _where(is_meant: np.ndarray, names: list[str]) -> list[str]:
    return [name for name, meant in zip(names, is_meant, strict=True) if meant]


def _has_words(column: pd.Series) -> bool:
    return any(isinstance(value, str) for value in column)


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=3)
