"""Which scheme of resampling is right for a contrast, and for exchangeability blocks."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import (
    DECIMALS,
    Permutation,
    ResidualBootstrap,
    SignFlipping,
)

SchemeName = Literal["auto", "sign_flip", "permutation", "bootstrap"]

SCHEMES: tuple[str, ...] = get_args(SchemeName)


def _is_constant_in_each(blocks: np.ndarray, vector: np.ndarray) -> bool:
    """Tell whether a vector of length 1 is the same in all rows of a block, for each block."""
    means = np.bincount(blocks, vector) / np.bincount(blocks)
    return bool(np.abs(vector - means[blocks]).max() < 10.0**-DECIMALS)


def check_blocks(blocks: ArrayLike | None, n_subjects: int) -> np.ndarray | None:
    """Return exchangeability blocks as numbers from 0.

    Parameters
    ----------
    blocks : array-like of shape (n_subjects,) or None
        A label for each row: subjects, families, sessions.

    n_subjects : int
        Number of rows.

    Returns
    -------
    blocks : ndarray of int of shape (n_subjects,) or None
        Numbers in order of appearance, so that results do not depend on the names of blocks;
        None if there are no blocks.

    Raises
    ------
    ValueError
        If there is not one label for each row, or one is missing (NaN, None).

    Examples
    --------
    >>> from ari_estimator.resampling import check_blocks
    >>> check_blocks(["sub-2", "sub-2", "sub-1"], 3)
    array([0, 0, 1])
    """
    if blocks is None:
        return None
    labels = np.asarray(blocks, dtype=object)
    if labels.shape != (n_subjects,):
        raise ValueError(
            f"blocks must be {n_subjects} labels, one for each row of the data. "
            f"Got shape {labels.shape}."
        )
    numbers = pd.factorize(labels)[0]
    if numbers.min() < 0:
        raise ValueError(f"blocks must not be missing. Got none for row {numbers.argmin()}.")
    return numbers


def choose_scheme(name: SchemeName, contrast: Contrast, blocks: np.ndarray | None = None) -> Scheme:
    """Return the scheme that is right for a contrast, or the one that is asked for.

    Parameters
    ----------
    name : {"auto", "sign_flip", "permutation", "bootstrap"}
        Which scheme; "auto" for permutation if the nuisance has an intercept, and for
        sign-flipping otherwise.

    contrast : Contrast
        What is tested.

    blocks : ndarray of int of shape (n_subjects,) or None, default=None
        Exchangeability blocks. Permutation is within blocks; sign-flipping is of whole blocks.

    Returns
    -------
    scheme : Scheme
        The scheme.

    Raises
    ------
    ValueError
        If the name is unknown, or the scheme is not valid for this contrast or these blocks.

    Notes
    -----
    Under the null hypothesis the data are nuisance and errors. Where the nuisance has an
    intercept, errors of whatever distribution may be permuted, if they are exchangeable. Where it
    has none, the mean is part of what is tested: then there is nothing to permute, but errors
    that are symmetric around 0 may have their signs flipped [1]_. With nuisance variables,
    residuals take the place of errors (Freedman & Lane 1983 [2]_), which is exact without them,
    and otherwise holds for larger samples. The bootstrap of residuals of the full model
    needs no exchangeability under the null hypothesis, and holds for larger samples too [3]_.

    References
    ----------
    .. [1] Winkler AM, Ridgway GR, Webster MA, Smith SM, Nichols TE (2014). Permutation
       inference for the general linear model. NeuroImage 92, 381-397.
    .. [2] Freedman D, Lane D (1983). A nonstochastic interpretation of reported significance
       levels. Journal of Business & Economic Statistics 1, 292-298.
    .. [3] Davenport S, Thirion B, Neuvial P (2022). FDP control in mass-univariate linear
       models using the residual bootstrap. arXiv:2208.13724.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import choose_scheme, find_contrast
    >>> age = np.array([20.0, 31, 45, 52, 60])
    >>> contrast = find_contrast(np.column_stack([age, np.ones(5)]), [1, 0])
    >>> choose_scheme("auto", contrast).description
    'permutation'
    >>> choose_scheme("auto", find_contrast(np.ones((5, 1)), [1])).description
    'sign-flipping'
    """
    if name not in SCHEMES:
        raise ValueError(f"scheme must be one of {list(SCHEMES)}. Got {name!r}.")
    has_mean = contrast.explains_mean()
    if name == "auto":
        name = "permutation" if has_mean else "sign_flip"
    if name == "sign_flip":
        return SignFlipping(contrast.n_subjects, blocks)
    if name == "permutation" and not has_mean:
        raise ValueError(
            "scheme must be 'sign_flip' or 'bootstrap' for this contrast. Got 'permutation': the "
            "mean of all subjects is part of what is tested, and no order of them changes it."
        )
    if name == "bootstrap":
        if blocks is not None:
            raise ValueError("blocks must be None for scheme='bootstrap', which takes rows singly.")
        return ResidualBootstrap(contrast.n_subjects)
    if blocks is not None and _is_constant_in_each(blocks, contrast.direction):
        raise ValueError(
            "blocks must leave something to permute. What the contrast tests is the same in all "
            "rows of each block, so that no permutation within blocks makes a difference."
        )
    return Permutation(contrast, blocks)
