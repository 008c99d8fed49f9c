"""How data are resampled under the null hypothesis: signs, permutations, the bootstrap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from ari_estimator.resampling._contrast import Contrast
from ari_estimator.resampling._scheme import Scheme, Transformations

# Regressors that differ by less, in units of their length, are the same but for rounding.
DECIMALS = 9


class SignFlipping(Transformations):
    """Signs of residuals are flipped, of all rows of a block at once.

    Parameters
    ----------
    n_subjects : int
        Number of rows.

    blocks : ndarray of int of shape (n_subjects,) or None
        Block of each row, from 0; None if each is its own.

    Examples
    --------
    Of few rows there are few flips, and all are taken:

    >>> import numpy as np
    >>> from ari_estimator.resampling import SignFlipping
    >>> SignFlipping(2, None).draws(1000, np.random.default_rng(0))
    array([[ 1,  1],
           [ 1, -1],
           [-1,  1],
           [-1, -1]], dtype=int8)
    """

    def __init__(self, n_subjects: int, blocks: np.ndarray | None) -> None:
        self.blocks = np.arange(n_subjects) if blocks is None else blocks
        n_blocks = int(self.blocks.max()) + 1
        self.n_distinct = 2**n_blocks
        self.description = "sign-flipping" + ("" if blocks is None else " of whole blocks")

    def _all(self) -> np.ndarray:
        n_blocks = int(self.blocks.max()) + 1
        signs = np.array(list(product([1, -1], repeat=n_blocks)), dtype=np.int8)
        return signs[:, self.blocks]

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        n_blocks = int(self.blocks.max()) + 1
        signs = 1 - 2 * rng.integers(0, 2, size=(n_permutations, n_blocks), dtype=np.int8)
        signs[0] = 1
        return signs[:, self.blocks]

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_permutations, n_subjects)."""
        return draws * vector

    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        return draw[:, np.newaxis] * residuals


class Permutation(Transformations):
    """Residuals are permuted, within blocks if there are some.

    Parameters
    ----------
    contrast : Contrast
        What is tested. Permutations that exchange equal rows of the design do not differ.

    blocks : ndarray of int of shape (n_subjects,) or None
        Block of each row, from 0; None if all are exchangeable.

    Examples
    --------
    Of two groups of two there are six splits:

    >>> import numpy as np
    >>> from ari_estimator.resampling import Permutation, find_contrast
    >>> design = np.column_stack([[0, 0, 1, 1], np.ones(4)])
    >>> scheme = Permutation(find_contrast(design, [1, 0]), None)
    >>> scheme.draws(1000, np.random.default_rng(0)).shape
    (6, 4)
    """

    def __init__(self, contrast: Contrast, blocks: np.ndarray | None) -> None:
        n_subjects = contrast.n_subjects
        self.blocks = np.zeros(n_subjects, dtype=np.intp) if blocks is None else blocks
        # Adding 0 makes -0 the same as 0.
        rows = np.round(contrast.basis * math.sqrt(n_subjects), DECIMALS) + 0.0
        self._kinds = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
        self._members = [
            np.flatnonzero(self.blocks == block) for block in range(int(self.blocks.max()) + 1)
        ]
        self.n_distinct = math.prod(
            math.factorial(members.size)
            // math.prod(map(math.factorial, np.bincount(self._kinds[members]).tolist()))
            for members in self._members
        )
        self.description = "permutation" + ("" if blocks is None else " within blocks")
        if contrast.nuisance.shape[1] > 1:
            self.description += " of residuals (Freedman-Lane)"

    def _all(self) -> np.ndarray:
        of_blocks = [list(_arrangements(self._kinds[members])) for members in self._members]
        draws = []
        for arrangements in product(*of_blocks):
            draw = np.empty(self.blocks.size, dtype=np.intp)
            for members, arrangement in zip(self._members, arrangements, strict=True):
                draw[members] = members[arrangement]
            draws.append(draw)
        return np.stack(draws)

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        draws = np.tile(np.arange(self.blocks.size), (n_permutations, 1))
        for members in self._members:
            draws[1:, members] = rng.permuted(draws[1:, members], axis=1)
        return draws

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_permutations, n_subjects)."""
        return vector[draws]

    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        resampled = np.empty_like(residuals)
        resampled[draw] = residuals
        return resampled

    def varying_nuisance(self, contrast: Contrast) -> np.ndarray:
        """Return the nuisance that permutations within blocks may bring back into residuals.

        A variable that is constant in each block is not among it. Permutations within blocks do
        not change its products with residuals.
        """
        constant = (self.blocks[:, np.newaxis] == np.arange(self.blocks.max() + 1)) / np.sqrt(
            np.bincount(self.blocks)
        )
        # Principal angles between the two spaces: the cosine of those in both is 1.
        rotation, cosines, _ = np.linalg.svd(contrast.nuisance.T @ constant)
        n_constant = int((cosines > 1 - 10.0**-DECIMALS).sum())
        return contrast.nuisance @ rotation[:, n_constant:]


class ResidualBootstrap(Scheme):
    """Residuals of the full model are drawn with replacement.

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

    keeps_norm = False
    description = "bootstrap of residuals"

    def __init__(self, n_subjects: int) -> None:
        self._n_subjects = n_subjects

    def _random(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        draws = rng.integers(0, self._n_subjects, size=(n_permutations, self._n_subjects))
        draws[0] = np.arange(self._n_subjects)
        return draws

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_permutations, n_subjects)."""
        weights = np.zeros(draws.shape)
        np.add.at(weights, (np.arange(len(draws))[:, np.newaxis], draws), vector)
        return weights

    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        return residuals[draw]

    def residuals(self, contrast: Contrast, data: np.ndarray) -> np.ndarray:
        """Return what is resampled: residuals given the whole design, less their mean.

        That is 0 where the design has an intercept. Where it has none, it would be taken for an
        effect (Freedman 1981).
        """
        residuals = contrast.without_design(data)
        return residuals - residuals.mean(axis=0)


def _arrangements(kinds: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the ways to order kinds, as orders of members; first the order they are in."""
    members = np.argsort(kinds, kind="stable")
    yield np.arange(kinds.size)
    # From the first to the last in the order of a dictionary.
    wanted = np.sort(kinds)
    while True:
        if not np.array_equal(wanted, kinds):
            order = np.empty(kinds.size, dtype=np.intp)
            order[np.argsort(wanted, kind="stable")] = members
            yield order
        rises = np.flatnonzero(wanted[:-1] < wanted[1:])
        if rises.size == 0:
            return
        at = rises[-1]
        larger = np.flatnonzero(wanted > wanted[at])[-1]
        wanted[[at, larger]] = wanted[[larger, at]]
        wanted[at + 1 :] = wanted[at + 1 :][::-1].copy()
