"""How data are resampled under the null hypothesis: the draws, and what they do to data.

Each scheme draws arrays of which a row is one resample, the first being the data as observed,
and knows how a resample acts: on residuals, by :meth:`resample`, and, which is the same seen
from the other side, on the regressors they are multiplied by, with :meth:`weights`:
``weights(draw, v) @ residuals == v @ resample(draw, residuals)``. The second is what makes the
statistics of many resamples one matrix product.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import product
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator.resampling._contrast import Contrast

SchemeName = Literal["auto", "sign_flip", "permutation", "bootstrap"]

SCHEMES: tuple[str, ...] = get_args(SchemeName)

# Regressors that differ by less, in units of their length, are the same but for rounding.
_DECIMALS = 9


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

    def draws(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw resamples.

        Parameters
        ----------
        n_draws : int
            How many, the data as observed included.

        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        draws : ndarray of shape (n_draws or fewer, n_subjects)
            A row for each; the first is the data as observed.
        """
        return self._random(n_draws, rng)

    @abstractmethod
    def _random(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return random resamples, after the data as observed."""

    @abstractmethod
    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, in the place of a vector.

        Parameters
        ----------
        draws : ndarray of shape (n_draws, n_subjects)
            Some of the resamples.

        vector : ndarray of shape (n_subjects,)
            What resampled residuals would be multiplied by.

        Returns
        -------
        weights : ndarray of shape (n_draws, n_subjects)
            What to multiply the residuals by instead, as they are.
        """

    @abstractmethod
    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals.

        Parameters
        ----------
        draw : ndarray of shape (n_subjects,)
            A resample.

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
        Number of resamples that can differ, the data as observed among them.
    """

    n_distinct: int

    def draws(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw resamples; all of them, once each, if there are no more than asked for."""
        return self._all() if self.n_distinct <= n_draws else super().draws(n_draws, rng)

    @abstractmethod
    def _all(self) -> np.ndarray:
        """Return all distinct resamples."""


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

    def _random(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        n_blocks = int(self.blocks.max()) + 1
        signs = 1 - 2 * rng.integers(0, 2, size=(n_draws, n_blocks), dtype=np.int8)
        signs[0] = 1
        return signs[:, self.blocks]

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_draws, n_subjects)."""
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
        rows = np.round(contrast.basis * math.sqrt(n_subjects), _DECIMALS) + 0.0
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

    def _random(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        draws = np.tile(np.arange(self.blocks.size), (n_draws, 1))
        for members in self._members:
            draws[1:, members] = rng.permuted(draws[1:, members], axis=1)
        return draws

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_draws, n_subjects)."""
        return vector[draws]

    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        resampled = np.empty_like(residuals)
        resampled[draw] = residuals
        return resampled

    def varying_nuisance(self, contrast: Contrast) -> np.ndarray:
        """Return a basis of the nuisance that residuals do not stay orthogonal to.

        To what is constant in each block they do: its products with them do not change.
        """
        constant = (self.blocks[:, np.newaxis] == np.arange(self.blocks.max() + 1)) / np.sqrt(
            np.bincount(self.blocks)
        )
        # Principal angles between the two spaces: the cosine of those in both is 1.
        rotation, cosines, _ = np.linalg.svd(contrast.nuisance.T @ constant)
        n_constant = int((cosines > 1 - 10.0**-_DECIMALS).sum())
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

    def _random(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        draws = rng.integers(0, self._n_subjects, size=(n_draws, self._n_subjects))
        draws[0] = np.arange(self._n_subjects)
        return draws

    def weights(self, draws: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """Return what residuals are multiplied by, of shape (n_draws, n_subjects)."""
        weights = np.zeros(draws.shape)
        np.add.at(weights, (np.arange(len(draws))[:, np.newaxis], draws), vector)
        return weights

    def resample(self, draw: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return resampled residuals, of shape (n_subjects, n_elements)."""
        return residuals[draw]

    def residuals(self, contrast: Contrast, data: np.ndarray) -> np.ndarray:
        """Return what is resampled: residuals given the whole design, less their mean.

        That is 0 where the design has an intercept. Where it has none, it would be taken for an
        effect [1]_.
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


def _is_constant_in_each(blocks: np.ndarray, vector: np.ndarray) -> bool:
    """Tell whether a vector of length 1 is the same in all rows of a block, for each block."""
    means = np.bincount(blocks, vector) / np.bincount(blocks)
    return bool(np.abs(vector - means[blocks]).max() < 10.0**-_DECIMALS)


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
