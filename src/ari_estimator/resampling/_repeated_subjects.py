"""Rows of one subject, which are not independent."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from ari_estimator.resampling._design_space import DesignSpace

# How many new directions the subjects add to a design, but for rounding.
_ROUNDING = 1e-8


def warn_of_repeated_subjects(
    labels: Sequence[Hashable], design: pd.DataFrame, remedy: str
) -> None:
    """Warn if several rows are of one subject and the design has no effect of each subject.

    Parameters
    ----------
    labels : sequence
        The subject of each row.

    design : pandas.DataFrame of shape (n_rows, n_columns)
        The design.

    remedy : str
        How to make rows independent, as a sentence.

    Warns
    -----
    UserWarning
        If rows are not independent.
    """
    counts = Counter(labels)
    repeated = [label for label, count in counts.items() if count > 1]
    if not repeated or _has_subjects(labels, design):
        return
    label, *others = repeated
    name = label[0] if isinstance(label, tuple) else label
    more = f", and {len(others)} more subjects have several" if others else ""
    warnings.warn(
        f"Subject {name!r} has {counts[label]} rows of the design{more}. Rows of one subject are "
        f"not independent, so bounds are too large. {remedy}",
        UserWarning,
        stacklevel=3,
    )


def _has_subjects(labels: Sequence[Hashable], design: pd.DataFrame) -> bool:
    """Tell whether the design has an effect of each subject, as in a paired test."""
    if len(labels) != len(design):
        return False
    codes = pd.factorize(pd.Series(list(labels), dtype=object))[0]
    indicators = np.equal.outer(codes, np.unique(codes)).astype(np.float64)
    left = DesignSpace.of(design.to_numpy(dtype=np.float64)).left
    return bool(np.abs(indicators - left @ (left.T @ indicators)).max() < _ROUNDING)
