"""Choose the resampling scheme for a contrast and its exchangeability blocks."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import Exchange, Exchangeability
from ari_estimator.resampling._scheme import Scheme
from ari_estimator.resampling._schemes import (
    DECIMALS,
    Permutation,
    ResidualBootstrap,
    SignFlipping,
    is_constant_in_each,
    varying_nuisance,
)

SchemeName = Literal["auto", "sign_flip", "permutation", "bootstrap"]

SCHEMES: tuple[str, ...] = get_args(SchemeName)

# Warn if permutations leave a larger share of the tested effect in place.
MOST_BETWEEN = 0.5

# Rows of designs that differ by less count as equal.
_CLOSE = 1e-6


def choose_scheme(
    name: SchemeName,
    contrast: Contrast,
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
    variance_groups: np.ndarray | None = None,
) -> Scheme:
    """Return the requested scheme, or the one that suits the contrast.

    Parameters
    ----------
    name : {"auto", "sign_flip", "permutation", "bootstrap"}
        The scheme. "auto" is permutation if the nuisance has an intercept and rows of different
        variance groups stay apart; otherwise it is sign-flipping.

    contrast : Contrast
        What is tested.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Exchangeability blocks, as for :meth:`Exchangeability.of`.

    exchange : {"within", "whole", "both"} or None, default=None
        What may change places. None permutes within blocks if that is valid for the contrast, and
        whole blocks otherwise. Sign-flipping always flips whole blocks.

    variance_groups : ndarray of int of shape (n_subjects,) or None, default=None
        Variance group of each row.

    Returns
    -------
    scheme : Scheme
        The scheme.

    Raises
    ------
    ValueError
        If the name is unknown, or if the scheme is not valid for the contrast, the blocks or the
        variance groups.

    Notes
    -----
    Under the null hypothesis, the data are the sum of nuisance and errors. If the nuisance has an
    intercept, exchangeable errors of any distribution can be permuted. Without an intercept, the
    contrast tests the mean, which no permutation changes; errors that are symmetric around 0 can
    then be sign-flipped [1]_. Errors of unequal variance are not exchangeable, but symmetric
    errors of any variance can be sign-flipped. With nuisance variables, residuals replace the
    errors (Freedman & Lane 1983 [2]_). That is exact without nuisance variables and otherwise
    holds in large samples. The bootstrap of the full model's residuals needs no exchangeability
    and also holds in large samples [3]_.

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

    Two groups of subjects, each measured twice:

    >>> design = np.eye(2)[np.repeat([0, 1], 6)]
    >>> subjects = np.repeat(np.arange(6), 2)
    >>> choose_scheme("auto", find_contrast(design, [1, -1]), subjects).description
    'permutation of whole blocks'
    """
    if name not in SCHEMES:
        raise ValueError(f"scheme must be one of {list(SCHEMES)}. Got {name!r}.")
    if name == "bootstrap":
        if blocks is not None:
            raise ValueError("blocks must be None for scheme='bootstrap', which draws single rows.")
        _refuse_exchange(exchange)
        return ResidualBootstrap(contrast.n_subjects)
    has_mean = contrast.explains_mean()
    if name == "permutation" and not has_mean:
        raise ValueError(
            "scheme must be 'sign_flip' or 'bootstrap' for this contrast. Got 'permutation': the "
            "contrast tests the mean of all subjects, and no permutation changes it."
        )
    if name == "sign_flip" or not has_mean:
        return _sign_flipping(contrast, blocks, exchange)
    exchangeability = exchangeability_of(contrast, blocks, exchange)
    crosses = variance_groups is not None and (
        not exchangeability.are_alike
        or not is_constant_in_each(exchangeability.orbits, variance_groups)
    )
    if crosses and name == "auto" and exchange in (None, "whole"):
        return _sign_flipping(contrast, blocks, exchange)
    exchangeability.check_places()
    if crosses and blocks is not None:
        raise ValueError(
            "variance_groups must be the same for all rows that change places. Got rows of several "
            f"groups among those that change places {exchangeability.description}: errors of "
            "unequal variance are not exchangeable. Use scheme='sign_flip' and no exchange, which "
            "flips whole blocks and needs symmetric errors; or use no variance_groups."
        )
    _check_permutation(contrast, exchangeability, blocks)
    return Permutation(contrast, exchangeability, variance_groups)


def crosses_variance_groups(scheme: Scheme, variance_groups: np.ndarray) -> bool:
    """Return whether a scheme moves rows between variance groups.

    Parameters
    ----------
    scheme : Scheme
        The scheme.

    variance_groups : ndarray of int of shape (n_subjects,)
        Group of each row.

    Returns
    -------
    crosses : bool
        Whether it does. It then mixes errors of unequal variance.
    """
    return not scheme.keeps_squares(variance_groups)


def _sign_flipping(
    contrast: Contrast, blocks: ArrayLike | None, exchange: Exchange | None
) -> SignFlipping:
    are_labels = blocks is not None and np.ndim(blocks) == 1
    if are_labels and exchange in ("within", "both"):
        raise ValueError(
            f"exchange must be 'whole' or None for sign-flipping. Got {exchange!r}: signs of "
            "single rows can be flipped only if all rows are independent. If they are, use no "
            "blocks."
        )
    if are_labels and exchange is None:
        exchange = "whole"
    scheme = SignFlipping(Exchangeability.of(blocks, contrast.n_subjects, exchange))
    if scheme.n_distinct == 1:
        raise ValueError(
            "blocks must leave something to flip. Got a table without a positive label, which "
            "keeps all rows in place. Use a positive label for the units to flip."
        )
    return scheme


def exchangeability_of(
    contrast: Contrast, blocks: ArrayLike | None, exchange: Exchange | None
) -> Exchangeability:
    """Return which rows may change places; the contrast decides if ``exchange`` is None.

    Parameters
    ----------
    contrast, blocks, exchange
        As for :func:`choose_scheme`.

    Returns
    -------
    exchangeability : Exchangeability
        The exchangeability.

    Raises
    ------
    ValueError
        If blocks are malformed.
    """
    n_subjects = contrast.n_subjects
    if blocks is not None and np.ndim(blocks) != 2 and exchange is None:
        within = Exchangeability.of(blocks, n_subjects, "within")
        whole = Exchangeability.of(blocks, n_subjects, "whole")
        serves_within = _varies(contrast, within) and _goes(contrast, within)
        serves_whole = whole.are_alike and _varies(contrast, whole) and _goes(contrast, whole)
        # If permutation within blocks leaves most of the effect, whole blocks have more power.
        is_between = share_between(contrast, within) > MOST_BETWEEN
        exchange = "within" if serves_within and not (is_between and serves_whole) else "whole"
    return Exchangeability.of(blocks, n_subjects, exchange)


def _varies(contrast: Contrast, exchangeability: Exchangeability) -> bool:
    """Return whether the tested effect varies among rows that change places."""
    return not is_constant_in_each(exchangeability.orbits, contrast.directions)


def _goes(contrast: Contrast, exchangeability: Exchangeability) -> bool:
    """Return whether permutations are valid for the tested effect.

    Permutations that do not change the nuisance are exact. Otherwise the tested direction must sum
    to 0 in each unit that stays in place: rows of a unit may share an error, which would be mixed
    with the effect.
    """
    units = exchangeability.fixed_units
    members = np.equal.outer(np.arange(units.max() + 1), units).astype(float)
    if np.abs(members @ contrast.directions).max() < 10.0**-DECIMALS:
        return True
    return varying_nuisance(contrast, exchangeability.orbits).shape[1] == 0


def share_between(contrast: Contrast, exchanged: Exchangeability | Permutation) -> float:
    """Return the share of the tested effect that permutations leave in place, from 0 to 1.

    Parameters
    ----------
    contrast : Contrast
        What is tested.

    exchanged : Exchangeability or Permutation
        The units that change places.

    Returns
    -------
    share : float
        The share.
    """
    units = exchanged.fixed_units
    members = np.equal.outer(np.arange(units.max() + 1), units).astype(float)
    means = (members @ contrast.directions) / members.sum(axis=1, keepdims=True)
    return float((means[units] ** 2).sum() / contrast.rank)


def _refuse_exchange(exchange: Exchange | None) -> None:
    if exchange is not None:
        raise ValueError(f"exchange must be None without blocks. Got {exchange!r}.")


def _check_permutation(
    contrast: Contrast, exchangeability: Exchangeability, blocks: ArrayLike | None
) -> None:
    """Refuse permutations that are not valid for a contrast."""
    exchangeability.check_places()
    if blocks is None:
        return
    said = f"permutation {exchangeability.description}"
    if not _varies(contrast, exchangeability):
        raise ValueError(
            f"blocks must leave something to permute. Got {said}, but the tested effect is the "
            "same in all rows that change places. Use exchange='within' for effects that vary "
            "within blocks, exchange='whole' for effects between blocks, or scheme='sign_flip', "
            "which flips whole blocks and needs symmetric errors."
        )
    if not _goes(contrast, exchangeability):
        raise ValueError(
            f"blocks must fit the contrast. Got {said}, but the tested effect varies both within "
            "and between blocks, or between rows that never change places. Use scheme='sign_flip', "
            "which flips whole blocks and needs symmetric errors; or add a column for each block "
            "to the design, which leaves the effect within blocks."
        )
    if "whole" in exchangeability.description and _are_shuffled(contrast, exchangeability):
        raise ValueError(
            "blocks must have their rows in the same order to change places as wholes: each row "
            "takes the place of the same row in another block. Got blocks with the same design "
            "rows in different orders. Sort the rows of each block, for example by condition."
        )


def _are_shuffled(contrast: Contrast, exchangeability: Exchangeability) -> bool:
    """Return whether blocks hold the same rows of the nuisance in different orders."""
    orbits = exchangeability.orbits
    blocks = exchangeability.sign_units
    means = np.array([contrast.nuisance[blocks == block].mean(axis=0) for block in blocks])
    rows = contrast.nuisance - means
    parts = [rows[blocks == block][np.argsort(orbits[blocks == block])] for block in set(blocks)]

    def are_close(one: np.ndarray, other: np.ndarray) -> bool:
        return one.shape == other.shape and bool(np.abs(one - other).max() < _CLOSE)

    return any(
        not are_close(part, parts[0])
        and are_close(np.sort(part, axis=0), np.sort(parts[0], axis=0))
        for part in parts
    )
