"""Base of resampling schemes, which define permutations and apply them to data.

A scheme draws permutations: an array with one permutation in each row. The first row is the data as
observed. :meth:`Scheme.resample` applies one permutation to residuals. Statistics are products of a
vector with resampled residuals. :meth:`Scheme.weights` permutes the vector instead, which gives the
same product: the row of a draw in ``weights(draws, v) @ residuals`` equals
``v @ resample(draw, residuals)``. One matrix product gives the statistics of many permutations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ari_estimator.resampling._contrast import Contrast


class Scheme(ABC):
    """A way to resample residuals.

    A design has a tested direction and nuisance variables, such as an intercept or covariates.
    Nuisance variables explain a part of the data that is irrelevant to the test. A scheme removes
    that part (:meth:`residuals`) and resamples the rest.

    Resampling may bring some nuisance back: resampled residuals are then no longer orthogonal to
    all nuisance variables, and the statistic of a permutation must remove it again.
    :meth:`varying_nuisance` returns these nuisance variables. An intercept is not one of them if
    subjects are permuted: residuals that sum to 0 do so in any order.

    Attributes
    ----------
    description : str
        Name of the scheme, for messages and reports.

    keeps_effect : bool
        Whether residuals have the statistics of the data, as long as they are not resampled.

    See Also
    --------
    choose_scheme : Chooses the scheme for a contrast.

    Examples
    --------
    Resampling and weighting the residuals give the same product:

    >>> import numpy as np
    >>> from ari_estimator.resampling import Exchangeability, SignFlipping
    >>> rng = np.random.default_rng(0)
    >>> scheme = SignFlipping(Exchangeability.of(None, 4))
    >>> vector, residuals = np.ones(4), rng.standard_normal((4, 2))
    >>> draws = scheme.draws(3, rng)
    >>> one = scheme.weights(draws, vector)[1] @ residuals
    >>> other = vector @ scheme.resample(draws[1], residuals)
    >>> bool(np.allclose(one, other))
    True
    """

    description: str
    keeps_effect: bool = True

    def draws(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Draw permutations.

        Parameters
        ----------
        n_permutations : int
            Number of permutations, including the data as observed.

        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        draws : ndarray of shape (n_permutations or fewer, n_subjects)
            One permutation in each row. The first row is the data as observed.
        """
        return self._random(n_permutations, rng)

    @abstractmethod
    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Return random permutations, with the data as observed first."""

    @abstractmethod
    def keeps_squares(self, groups: np.ndarray) -> bool:
        """Return whether sums of squares of residuals stay the same in groups of rows.

        Parameters
        ----------
        groups : ndarray of int of shape (n_subjects,)
            Group of each row.

        Returns
        -------
        keeps_squares : bool
            Whether they do in each permutation.
        """

    @abstractmethod
    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return weights that replace resampling: the product with a vector stays the same.

        Parameters
        ----------
        draws : ndarray of shape (n_permutations, n_subjects)
            Some of the permutations.

        vector : ndarray of shape (n_subjects,)
            The vector to multiply resampled residuals by.

        Returns
        -------
        weights : ndarray of shape (n_permutations, n_subjects)
            The weights of the residuals, one row for each permutation.
        """

    @abstractmethod
    def resample(self, draws: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals.

        Parameters
        ----------
        draws : ndarray of shape (n_subjects,) or (n_elements, n_subjects)
            One permutation, a row of :meth:`draws`, or one for each element.

        residuals : ndarray of shape (n_subjects, n_elements)
            The residuals.

        Returns
        -------
        resampled : ndarray of shape (n_subjects, n_elements)
            The residuals after resampling.
        """

    def residuals(self, contrast: Contrast, data: np.ndarray) -> np.ndarray:
        """Return the residuals to resample: the data minus the nuisance.

        These are the residuals of Freedman & Lane (1983).

        Parameters
        ----------
        contrast : Contrast
            The tested direction and the nuisance variables.

        data : ndarray of shape (n_subjects, n_elements)
            The data.

        Returns
        -------
        residuals : ndarray of shape (n_subjects, n_elements)
            The part of the data that the nuisance variables do not explain.
        """
        return contrast.without_nuisance(data)

    def varying_nuisance(self, contrast: Contrast) -> np.ndarray:
        """Return the nuisance that resampling may bring back into residuals.

        Parameters
        ----------
        contrast : Contrast
            The tested direction and the nuisance variables.

        Returns
        -------
        basis : ndarray of shape (n_subjects, n_varying)
            Orthonormal basis of that nuisance; by default all nuisance.
        """
        return contrast.nuisance


class Transformations(Scheme):
    """A scheme with a finite number of permutations, which can all be listed.

    Attributes
    ----------
    n_distinct : int
        Number of different permutations, including the data as observed.
    """

    n_distinct: int

    def draws(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Draw permutations; if no more than ``n_permutations`` exist, return each one once."""
        return (
            self._all() if self.n_distinct <= n_permutations else super().draws(n_permutations, rng)
        )

    @abstractmethod
    def _all(self) -> np.ndarray:
        """Return all different permutations."""
