"""Pivotal statistics of permutations, as they are and with room for rounding."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ari_estimator.closed_testing._template import Template


class PivotalStatistics(NamedTuple):
    """Pivotal statistics of permutations by a template.

    Attributes
    ----------
    values : ndarray of shape (n_permutations,)
        The largest parameter at which no p-value of a permutation is below its threshold.

    raised : ndarray of shape (n_permutations,)
        The same after p-values are raised by as much as rounding may take away; at least as large.
    """

    values: np.ndarray
    raised: np.ndarray

    @classmethod
    def of_rows(cls, p_values: np.ndarray, template: Template) -> PivotalStatistics:
        """Return the statistics of rows of p-values.

        Parameters
        ----------
        p_values : ndarray of shape (n_permutations, n)
            The smallest p-values of each permutation in ascending order, at most ``k_max``.

        template : Template
            The template.

        Returns
        -------
        statistics : PivotalStatistics
            The statistics.
        """
        ranks = np.arange(1, p_values.shape[1] + 1)
        inverses = template.inverse(ranks, p_values)
        place = inverses.argmin(axis=1)
        each = np.arange(len(p_values))
        values = inverses[each, place]
        raised = template.raised_inverse(place + 1, p_values[each, place])
        # An inverse grows as p-values are raised. So only these can become the smallest ones.
        row, column = np.nonzero(inverses < raised[:, np.newaxis])
        others = template.raised_inverse(column + 1, p_values[row, column])
        np.minimum.at(raised, row, others)
        # Rounding of inverses must not put them in another order.
        return cls(values, np.maximum(raised, values))
