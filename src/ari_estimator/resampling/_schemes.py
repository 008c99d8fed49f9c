"""Resampling schemes: sign-flipping, permutation, and the bootstrap of residuals."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._exchangeability import Exchangeability
from ari_estimator.resampling._scheme import Scheme, Transformations

# Regressors that differ by less, relative to their length, count as equal.
DECIMALS = 9


class SignFlipping(Transformations):
    """Sign-flipping of residuals; all rows of a unit change sign together.

    Parameters
    ----------
    exchangeability : Exchangeability
        Which rows change their sign together: whole blocks, or each row on its own.

    Examples
    --------
    Few rows have few sign flips, and the scheme takes all of them:

    >>> import numpy as np
    >>> from ari_estimator.resampling import Exchangeability, SignFlipping
    >>> scheme = SignFlipping(Exchangeability.of(None, 2))
    >>> scheme.draws(1000, np.random.default_rng(0))
    array([[ 1,  1],
           [ 1, -1],
           [-1,  1],
           [-1, -1]], dtype=int8)
    """

    def __init__(self, exchangeability: Exchangeability) -> None:
        self._units = exchangeability.sign_units
        self._n_units = int(self._units.max()) + 1
        self.n_distinct = 2**self._n_units
        are_single = self._n_units == self._units.size
        of_blocks = exchangeability.description.replace("within blocks", "of rows")
        self.description = "sign-flipping" + ("" if are_single else f" {of_blocks}")

    def _all(self) -> np.ndarray:
        return self._of_rows(np.array(list(product([1, -1], repeat=self._n_units)), dtype=np.int8))

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        signs = 1 - 2 * rng.integers(0, 2, size=(n_permutations, self._n_units), dtype=np.int8)
        signs[0] = 1
        return self._of_rows(signs)

    def _of_rows(self, signs: np.ndarray) -> np.ndarray:
        return np.where(self._units >= 0, signs[:, self._units], np.int8(1))

    def keeps_squares(self, groups: np.ndarray) -> bool:
        """Return True: sums of squares of residuals always stay the same in groups."""
        return True

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the weights of the residuals, of shape (n_permutations, n_subjects)."""
        return draws * vector

    def resample(self, draws: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        return np.atleast_2d(draws).T * residuals


class Permutation(Transformations):
    """Permutation of residuals: all rows, rows within blocks, or whole blocks.

    Parameters
    ----------
    contrast : Contrast
        The contrast. Permutations that only exchange equal rows of the design count as one.

    exchangeability : Exchangeability
        Which rows may change places.

    variance_groups : ndarray of int of shape (n_subjects,) or None, default=None
        Variance group of each row. Rows of different groups are not equal.

    Raises
    ------
    ValueError
        If blocks that should change places differ in size or structure.

    Examples
    --------
    Four rows can be split into two groups of two in six ways:

    >>> import numpy as np
    >>> from ari_estimator.resampling import Exchangeability, Permutation, find_contrast
    >>> design = np.column_stack([[0, 0, 1, 1], np.ones(4)])
    >>> scheme = Permutation(find_contrast(design, [1, 0]), Exchangeability.of(None, 4))
    >>> scheme.draws(1000, np.random.default_rng(0)).shape
    (6, 4)
    """

    def __init__(
        self,
        contrast: Contrast,
        exchangeability: Exchangeability,
        variance_groups: np.ndarray | None = None,
    ) -> None:
        exchangeability.check_places()
        self._exchangeability = exchangeability
        n_subjects = contrast.n_subjects
        rows = contrast.basis * math.sqrt(n_subjects)
        if variance_groups is not None:
            rows = np.column_stack([rows, variance_groups])
        # Adding 0 makes -0 the same as 0.
        rows = np.round(rows, DECIMALS) + 0.0
        self._kinds = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
        self.n_distinct = exchangeability.n_arrangements(self._kinds)
        self.description = f"permutation {exchangeability.description}".rstrip()
        if contrast.nuisance.shape[1] > 1:
            self.description += " of residuals (Freedman-Lane)"

    def _all(self) -> np.ndarray:
        return self._exchangeability.arrangements(self._kinds)

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        as_observed = np.arange(self._kinds.size)
        random = self._exchangeability.permuted(n_permutations - 1, rng)
        return np.concatenate([as_observed[np.newaxis], random])

    @property
    def orbits(self) -> np.ndarray:
        """Numbers of shape (n_subjects,): equal for rows that can change places."""
        return self._exchangeability.orbits

    @property
    def fixed_units(self) -> np.ndarray:
        """Numbers of shape (n_subjects,): equal in the units that no row ever leaves."""
        return self._exchangeability.fixed_units

    def exchanges_like(self, other: Permutation) -> bool:
        """Return whether the draws of this scheme are draws of another one, for the same blocks.

        Parameters
        ----------
        other : Permutation
            The scheme of another contrast.

        Returns
        -------
        exchanges_like : bool
            Whether both move the same rows, and count the same arrangements.
        """
        kinds = np.unique(np.stack([self._kinds, other._kinds]), axis=1).shape[1]
        return (
            self._exchangeability.description == other._exchangeability.description
            and kinds == self._kinds.max() + 1 == other._kinds.max() + 1
        )

    def keeps_squares(self, groups: np.ndarray) -> bool:
        """Return whether no row changes its group, so sums of squares stay the same."""
        return is_constant_in_each(self.orbits, groups)

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the weights of the residuals, of shape (n_permutations, n_subjects)."""
        return vector[draws]

    def resample(self, draws: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        places = np.broadcast_to(np.atleast_2d(draws).T, residuals.shape)
        resampled = np.empty_like(residuals)
        np.put_along_axis(resampled, places, residuals, axis=0)
        return resampled

    def varying_nuisance(self, contrast: Contrast) -> np.ndarray:
        """Return the nuisance that permutations may bring back into residuals.

        Variables that are constant in all rows that can change places are not included:
        permutations do not change their products with residuals.
        """
        return varying_nuisance(contrast, self.orbits)


class ResidualBootstrap(Scheme):
    """Bootstrap: residuals of the full model are drawn with replacement.

    Parameters
    ----------
    n_subjects : int
        Number of rows.

    References
    ----------
    .. [1] Freedman DA (1981). Bootstrapping regression models. Annals of Statistics 9,
       1218-1228.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.resampling import ResidualBootstrap
    >>> ResidualBootstrap(5).draws(1000, np.random.default_rng(0))[:2]
    array([[0, 1, 2, 3, 4],
           [0, 0, 0, 0, 4]])
    """

    description = "bootstrap of residuals"
    # They are residuals of the full model, without the effect.
    keeps_effect = False

    def __init__(self, n_subjects: int) -> None:
        self._n_subjects = n_subjects

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        draws = rng.integers(0, self._n_subjects, size=(n_permutations, self._n_subjects))
        draws[0] = np.arange(self._n_subjects)
        return draws

    def keeps_squares(self, groups: np.ndarray) -> bool:
        """Return False: sums of squares of residuals change in groups."""
        return False

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return the weights of the residuals, of shape (n_permutations, n_subjects)."""
        weights = np.zeros(draws.shape)
        np.add.at(weights, (np.arange(len(draws))[:, np.newaxis], draws), vector)
        return weights

    def resample(self, draws: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        rows = np.broadcast_to(np.atleast_2d(draws).T, residuals.shape)
        return np.take_along_axis(residuals, rows, axis=0)

    def residuals(self, contrast: Contrast, data: np.ndarray) -> np.ndarray:
        """Return the residuals of the full design, minus their mean.

        The mean is 0 if the design has an intercept. Otherwise it would look like an effect
        (Freedman 1981).
        """
        residuals = contrast.without_design(data)
        return residuals - residuals.mean(axis=0)


def is_constant_in_each(groups: np.ndarray, values: np.ndarray) -> bool:
    """Return whether values are the same in all rows of a group, for each group.

    Parameters
    ----------
    groups : ndarray of int of shape (n_subjects,)
        Group of each row, from 0.

    values : ndarray of shape (n_subjects,) or (n_subjects, n_columns)
        The values, about 1 in size.

    Returns
    -------
    is_constant : bool
        Whether they are the same, up to rounding.
    """
    members = (groups == np.arange(groups.max() + 1)[:, np.newaxis]) / 1.0
    means = (members @ values) / members.sum(axis=1).reshape(-1, *([1] * (values.ndim - 1)))
    return bool(np.abs(values - means[groups]).max() < 10.0**-DECIMALS)


def varying_nuisance(contrast: Contrast, orbits: np.ndarray) -> np.ndarray:
    """Return the nuisance that permutations may bring back into residuals.

    Parameters
    ----------
    contrast : Contrast
        The contrast.

    orbits : ndarray of int of shape (n_subjects,)
        Equal for rows that can change places, from 0.

    Returns
    -------
    basis : ndarray of shape (n_subjects, n_varying)
        Orthonormal basis of the nuisance that is not constant in rows that can change places.
    """
    constant = (orbits[:, np.newaxis] == np.arange(orbits.max() + 1)) / np.sqrt(np.bincount(orbits))
    # Principal angles between the two spaces: directions in both have a cosine of 1.
    rotation, cosines, _ = np.linalg.svd(contrast.nuisance.T @ constant)
    n_constant = int((cosines > 1 - 10.0**-DECIMALS).sum())
    return contrast.nuisance @ rotation[:, n_constant:]
