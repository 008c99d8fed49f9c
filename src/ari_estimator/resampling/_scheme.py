"""What a scheme of resampling is: draws, and what they do to data.

Each scheme draws arrays of which a row is one draw, the first being the data as observed,
and knows how a draw acts: on residuals, by :meth:`resample`, and, which is the same seen
from the other side, on the regressors they are multiplied by, with :meth:`weights`:
``weights(draw, v) @ residuals == v @ resample(draw, residuals)``. The second is what makes the
statistics of many permutations one matrix product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ari_estimator.resampling._contrast import Contrast


class Scheme(ABC):
    """A way to resample residuals.

    Attributes
    ----------
    description : str
        What it does, in words.

    keeps_norm : bool
        Whether residuals keep their sum of squares.

    See Also
    --------
    choose_scheme : The one that is right for a contrast.

    Examples
    --------
    Resampling, seen from either side:

    >>> import numpy as np
    >>> from ari_estimator.resampling import SignFlipping
    >>> rng = np.random.default_rng(0)
    >>> scheme, vector, residuals = SignFlipping(4, None), np.ones(4), rng.standard_normal((4, 2))
    >>> draws = scheme.draws(3, rng)
    >>> one = scheme.weights(draws, vector)[1] @ residuals
    >>> other = vector @ scheme.resample(draws[1], residuals)
    >>> bool(np.allclose(one, other))
    True
    """

    description: str
    keeps_norm = True

    def draws(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Draw permutations.

        Parameters
        ----------
        n_permutations : int
            How many, the data as observed included.

        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        draws : ndarray of shape (n_permutations or fewer, n_subjects)
            A row for each; the first is the data as observed.
        """
        return self._random(n_permutations, rng)

    @abstractmethod
    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Return random permutations, after the data as observed."""

    @abstractmethod
    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, in the place of a vector.

        Parameters
        ----------
        draws : ndarray of shape (n_permutations, n_subjects)
            Some of the permutations.

        vector : ndarray of shape (n_subjects,)
            What resampled residuals would be multiplied by.

        Returns
        -------
        weights : ndarray of shape (n_permutations, n_subjects)
            What to multiply the residuals by instead, as they are.
        """

    @abstractmethod
    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals.

        Parameters
        ----------
        draw : ndarray of shape (n_subjects,)
            A draw.

        residuals : ndarray of shape (n_subjects, n_elements)
            The residuals.

        Returns
        -------
        resampled : ndarray of shape (n_subjects, n_elements)
            The residuals after resampling.
        """

    def residuals(self, contrast: Contrast, data: np.ndarray) -> np.ndarray:
        """Return what is resampled: residuals given the nuisance (Freedman & Lane 1983).

        Parameters
        ----------
        contrast : Contrast
            What is tested.

        data : ndarray of shape (n_subjects, n_elements)
            The data.

        Returns
        -------
        residuals : ndarray of shape (n_subjects, n_elements)
            What the nuisance does not explain.
        """
        return contrast.without_nuisance(data)

    def varying_nuisance(self, contrast: Contrast) -> np.ndarray:
        """Return a basis of the nuisance that residuals do not stay orthogonal to.

        Parameters
        ----------
        contrast : Contrast
            What is tested.

        Returns
        -------
        basis : ndarray of shape (n_subjects, n_varying)
            Orthonormal.
        """
        return contrast.nuisance


class Transformations(Scheme):
    """A way to resample residuals that can be gone through from the first to the last.

    Attributes
    ----------
    n_distinct : int
        Number of permutations that can differ, the data as observed among them.
    """

    n_distinct: int

    def draws(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Draw permutations; all of them, once each, if there are no more than asked for."""
        return (
            self._all() if self.n_distinct <= n_permutations else super().draws(n_permutations, rng)
        )

    @abstractmethod
    def _all(self) -> np.ndarray:
        """Return all distinct permutations."""
