"""Simulates studies of any size with the effects and the errors of a pilot study."""

from __future__ import annotations

import numpy as np

from ari_estimator._blocks import blocks
from ari_estimator.second_level._shrink_effects import ShrunkEffects, shrink_effects


class StudySimulator:
    """Simulate one-sample studies like a pilot study.

    Each subject of a simulated study has the effects plus a sum of the residuals of the pilot with
    independent Gaussian weights. Its errors are then Gaussian and have the correlation between
    elements that the pilot shows. They are new for each subject, for any number of subjects.

    Parameters
    ----------
    data : ndarray of shape (n_pilot, n_elements)
        Maps of the pilot. They are overwritten if they have double precision.

    shrinks : bool
        Whether effects are shrunk for selection, or taken from the pilot as they are.

    Attributes
    ----------
    n_pilot : int
        Number of subjects of the pilot.

    effects : ShrunkEffects
        Effect sizes of the pilot: posterior means, and standard deviations, which are 0 without
        shrinkage.
    """

    def __init__(self, data: np.ndarray, *, shrinks: bool) -> None:
        errors = np.asarray(data, dtype=np.float64)
        self.n_pilot, n_elements = errors.shape
        t = np.zeros(n_elements)
        has_variance = np.zeros(n_elements, dtype=bool)
        for block in blocks(n_elements):
            part = errors[:, block]
            mean = part.mean(axis=0)
            largest = np.abs(part).max(axis=0)
            part -= mean
            norm = np.sqrt(np.einsum("ij,ij->j", part, part))
            varies = norm > 1e-10 * largest
            has_variance[block] = varies
            part *= np.divide(1.0, norm, out=np.zeros_like(norm), where=varies)
            scale = np.sqrt(self.n_pilot * (self.n_pilot - 1))
            np.divide(mean * scale, norm, out=t[block], where=varies)
        self._errors = errors
        self.effects = ShrunkEffects(t / np.sqrt(self.n_pilot), np.zeros(n_elements))
        if shrinks and has_variance.any():
            # Elements without variance never have an effect, and say nothing about other elements.
            shrunk = shrink_effects(t[has_variance], self.n_pilot)
            for all_effects, effects in zip(self.effects, shrunk, strict=True):
                all_effects[has_variance] = effects

    def draw_effects(self, rng: np.random.Generator) -> np.ndarray:
        """Draw effect sizes from their posterior.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        effects : ndarray of shape (n_elements,)
            Effect sizes. Their deviations from the posterior mean correlate between elements like
            the errors, since the errors of the pilot are what makes effects uncertain.
        """
        mean, sd = self.effects
        return mean + sd * (rng.standard_normal(self.n_pilot) @ self._errors)

    def draw_t(self, effects: np.ndarray, n_subjects: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the t statistics of a study.

        Parameters
        ----------
        effects : ndarray of shape (n_elements,)
            Effect sizes.

        n_subjects : int
            Number of subjects of the study.

        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        t : ndarray of shape (n_elements,)
            The t statistics; 0 where the pilot has no variance.
        """
        weights = rng.standard_normal((n_subjects, self.n_pilot))
        mean = weights.mean(axis=0)
        # Sums of squares of all subjects from a matrix that is not larger than the pilot.
        triangle = np.linalg.qr(weights - mean, mode="r")
        t = np.zeros(effects.size)
        for block in blocks(effects.size):
            part = self._errors[:, block]
            squares = np.square(triangle @ part).sum(axis=0)
            scale = np.sqrt(n_subjects * (n_subjects - 1))
            numerator = (effects[block] + mean @ part) * scale
            np.divide(numerator, np.sqrt(squares), out=t[block], where=squares > 0)
        return t

    def draw_maps(
        self, effects: np.ndarray, n_subjects: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the maps of the subjects of a study.

        Parameters
        ----------
        effects : ndarray of shape (n_elements,)
            Effect sizes.

        n_subjects : int
            Number of subjects of the study.

        rng : numpy.random.Generator
            Source of random numbers. The same one gives the study of :meth:`draw_t`.

        Returns
        -------
        maps : ndarray of shape (n_subjects, n_elements)
            The maps.
        """
        weights = rng.standard_normal((n_subjects, self.n_pilot))
        maps = weights @ self._errors
        maps += effects
        return maps
