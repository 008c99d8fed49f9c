"""Exchangeability: which rows may change places, and which change their sign together."""

from __future__ import annotations

from itertools import count
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ari_estimator._masked_values import refuse_masked
from ari_estimator.resampling._exchangeable_unit import Unit

Exchange = Literal["within", "whole", "both"]

EXCHANGES: tuple[str, ...] = get_args(Exchange)

_IN_WORDS = {
    "within": "within blocks",
    "whole": "of whole blocks",
    "both": "within blocks and of whole blocks",
}


class Exchangeability:
    """The exchangeable rows of the data, as a tree of nested units.

    Parameters
    ----------
    root : Unit
        The unit of all rows.

    description : str, default=""
        Description of the exchange, such as "within blocks".

    Attributes
    ----------
    n_subjects : int
        Number of rows.

    See Also
    --------
    choose_scheme : Finds the exchangeability for a contrast.

    References
    ----------
    .. [1] Winkler AM, Webster MA, Vidaurre D, Nichols TE, Smith SM (2015). Multi-level block
       permutation. NeuroImage 123, 253-268.

    Examples
    --------
    Three subjects have two rows each. Rows stay with their subject; subjects change places:

    >>> import numpy as np
    >>> from ari_estimator.resampling import Exchangeability
    >>> whole = Exchangeability.of(["a", "a", "b", "b", "c", "c"], 6, "whole")
    >>> whole.n_arrangements(np.arange(6)), whole.orbits.tolist()
    (6, [0, 1, 0, 1, 0, 1])
    >>> whole.permuted(2, np.random.default_rng(0))
    array([[4, 5, 0, 1, 2, 3],
           [4, 5, 2, 3, 0, 1]])
    """

    def __init__(self, root: Unit, description: str = "") -> None:
        self._root = root
        self.description = description
        self.n_subjects = root.rows.size

    @property
    def are_alike(self) -> bool:
        """Whether all units that change places have the same size and structure."""
        return self._root.unlike() is None

    @classmethod
    def of(
        cls, blocks: ArrayLike | None, n_subjects: int, exchange: Exchange | None = None
    ) -> Exchangeability:
        """Return the exchangeability that blocks define.

        Parameters
        ----------
        blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None
            A label of any type for each row; or a table of nested levels in whole numbers. The
            table has one column for each level, from the widest to the finest. The first column
            has one value throughout. Below a positive label, the units of the next column change
            places as wholes. Below a negative label, they stay in place. The label of each unit
            says the same about its contents. Rows are the units below the last column. None if
            all rows are exchangeable.

        n_subjects : int
            Number of rows.

        exchange : {"within", "whole", "both"} or None, default=None
            What changes places: rows within their block ("within" or None), blocks as wholes
            ("whole"), or both. It must be None for a table.

        Returns
        -------
        exchangeability : Exchangeability
            The exchangeability.

        Raises
        ------
        ValueError
            If there is not one label for each row, or a label is missing. If a table has values
            other than positive and negative whole numbers, or several labels in its first column.
            If ``exchange`` is given without labels.
        """
        if exchange is not None and exchange not in EXCHANGES:
            raise ValueError(
                f"exchange must be one of {list(EXCHANGES)} or None. Got {exchange!r}."
            )
        if blocks is None or np.ndim(blocks) == 2:
            if exchange is not None:
                why = "a table has signs instead" if blocks is not None else "there are no blocks"
                raise ValueError(
                    f"exchange must be None unless blocks are labels, one for each row: {why}. "
                    f"Got {exchange!r}."
                )
            if blocks is None:
                return cls(Unit(np.arange(n_subjects), exchanges=True))
            levels = _check_levels(blocks, n_subjects)
            return cls(_unit_of(levels, np.arange(n_subjects)), "of nested blocks")
        numbers = check_blocks(blocks, n_subjects)
        exchange = "within" if exchange is None else exchange
        parts = [
            Unit(np.flatnonzero(numbers == number), exchange != "whole")
            for number in range(int(numbers.max()) + 1)
        ]
        return cls(Unit(np.arange(n_subjects), exchange != "within", parts), _IN_WORDS[exchange])

    def check_places(self) -> None:
        """Refuse units that cannot change places because they differ.

        Raises
        ------
        ValueError
            If units that should change places differ in size or structure.
        """
        pair = self._root.unlike()
        if pair is None:
            return
        first, other = pair
        sizes = sorted({first.rows.size, other.rows.size})
        got = f"units of {sizes} rows" if len(sizes) > 1 else "units that exchange other things"
        raise ValueError(
            f"blocks must be alike to change places as wholes. Got {got}: rows "
            f"{first.rows[:5].tolist()} and rows {other.rows[:5].tolist()} (counted from 0) "
            "belong to two of them. Average the rows of each block, so that each is one row; or "
            "use scheme='sign_flip', which flips blocks of any size and needs symmetric errors."
        )

    def permuted(self, n_permutations: int, rng: np.random.Generator) -> np.ndarray:
        """Draw random orders of the rows.

        Parameters
        ----------
        n_permutations : int
            Number of orders.

        rng : numpy.random.Generator
            Source of random numbers.

        Returns
        -------
        orders : ndarray of int of shape (n_permutations, n_subjects)
            Index of the row at each place.
        """
        return self._in_place(self._root.permuted(n_permutations, rng))

    def arrangements(self, kinds: np.ndarray) -> np.ndarray:
        """Return all distinct orders of the rows.

        Parameters
        ----------
        kinds : ndarray of int of shape (n_subjects,)
            Kind of each row: rows of the same kind are interchangeable.

        Returns
        -------
        orders : ndarray of int of shape (n_arrangements, n_subjects)
            Index of the row at each place. The first order is the identity.
        """
        return self._in_place(np.stack(list(self._root.arrangements(kinds))))

    def n_arrangements(self, kinds: np.ndarray) -> int:
        """Return the number of distinct orders of the rows.

        Parameters
        ----------
        kinds : ndarray of int of shape (n_subjects,)
            As for :meth:`arrangements`.

        Returns
        -------
        n_arrangements : int
            The number.
        """
        return self._root.n_arrangements(kinds)

    def _in_place(self, orders: np.ndarray) -> np.ndarray:
        placed = np.empty_like(orders)
        placed[:, self._root.order] = orders
        return placed

    @property
    def orbits(self) -> np.ndarray:
        """Numbers from 0 of shape (n_subjects,): equal for rows that can change places."""
        orbits = np.arange(self.n_subjects)
        self._root.mark_orbits(orbits)
        return np.unique(orbits, return_inverse=True)[1].reshape(-1)

    @property
    def fixed_units(self) -> np.ndarray:
        """Numbers from 0 of shape (n_subjects,): equal in the units that no row ever leaves."""
        units = np.empty(self.n_subjects, dtype=np.intp)
        self._root.mark_fixed(units, count())
        return units

    @property
    def sign_units(self) -> np.ndarray:
        """Numbers from 0 of shape (n_subjects,): equal for rows that change sign together.

        It is -1 for rows that keep their sign.
        """
        units = np.full(self.n_subjects, -1)
        self._root.mark_signs(units, count())
        is_flipped = units >= 0
        units[is_flipped] = np.unique(units[is_flipped], return_inverse=True)[1].reshape(-1)
        return units


def check_blocks(blocks: ArrayLike, n_subjects: int) -> np.ndarray:
    """Return exchangeability blocks as numbers from 0.

    Parameters
    ----------
    blocks : array-like of shape (n_subjects,)
        A label for each row, such as its subject, family or session.

    n_subjects : int
        Number of rows.

    Returns
    -------
    blocks : ndarray of int of shape (n_subjects,)
        Numbers in order of appearance, so that results do not depend on the names of blocks.

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
    return check_row_labels(blocks, n_subjects, "blocks")


def check_row_labels(labels: ArrayLike, n_subjects: int, name: str) -> np.ndarray:
    """Return labels of rows as numbers from 0, in order of appearance; see :func:`check_blocks`."""
    refuse_masked(labels, name, "Give each row a label.")
    given = np.asarray(labels, dtype=object)
    if given.shape != (n_subjects,):
        raise ValueError(
            f"{name} must be {n_subjects} labels, one for each row of the data. "
            f"Got shape {given.shape}."
        )
    numbers = pd.factorize(given)[0]
    if numbers.min() < 0:
        raise ValueError(
            f"{name} must have a label for each row. Got none for row {numbers.argmin()} (counted "
            "from 0)."
        )
    return numbers


def _check_levels(blocks: ArrayLike, n_subjects: int) -> np.ndarray:
    refuse_masked(blocks, "blocks", "Give each row a label at each level.")
    levels = np.asarray(blocks)
    if levels.shape[0] != n_subjects or levels.shape[1] == 0:
        raise ValueError(
            f"blocks must be a table of {n_subjects} rows, with a column for each level. "
            f"Got shape {levels.shape}."
        )
    is_whole = levels.dtype.kind in "iu" or (
        levels.dtype.kind == "f" and np.isfinite(levels).all() and (levels == levels.round()).all()
    )
    if levels.shape[1] == 1 and (levels != levels[0]).any():
        # The first level of a table is one unit. Several values in a single column are labels.
        raise ValueError(
            "blocks must be labels of shape (n_subjects,), or a table of nested levels whose first "
            "column has one value throughout. Got a table of one column with several labels. Give "
            "the column itself: table['site'] of a data frame, or array[:, 0]."
        )
    if not is_whole or not levels.all():
        raise ValueError(
            "blocks must be positive and negative whole numbers if they are a table of nested "
            "levels. A positive label exchanges the units below it; a negative one keeps them in "
            "place. "
            f"Got {levels.dtype} with {'0 among them' if is_whole else 'other values'}."
        )
    levels = levels.astype(np.int64)
    if np.unique(levels[:, 0]).size > 1:
        raise ValueError(
            "blocks must have one label throughout the first column if they are a table of nested "
            f"levels. Got {np.unique(levels[:, 0]).tolist()}. Put a column of 1 before it to "
            "exchange its units as wholes, or a column of -1 to keep them in place."
        )
    return levels


def _unit_of(levels: np.ndarray, rows: np.ndarray) -> Unit:
    """Return the unit of rows with one label in the first column of their levels."""
    exchanges = bool(levels[0, 0] > 0)
    if levels.shape[1] == 1:
        return Unit(rows, exchanges)
    labels = levels[:, 1]
    # In the order of their first rows.
    parts = [
        _unit_of(levels[labels == label, 1:], rows[labels == label])
        for label in dict.fromkeys(labels.tolist())
    ]
    return Unit(rows, exchanges, parts)
