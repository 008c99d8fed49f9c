"""Seeds of permutations, recorded so that the same permutations can be drawn again."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed for a random state of scikit-learn.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState or None
        A seed, a source of seeds, or None for a different seed each time.

    Returns
    -------
    seed : int
        The seed, which can be recorded.
    """
    if isinstance(random_state, Integral):
        return int(random_state)
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    return int(check_random_state(random_state).randint(2**31))


def generator(seed: int) -> np.random.Generator:
    """Return a random number generator for a seed.

    Parameters
    ----------
    seed : int
        The seed.

    Returns
    -------
    rng : numpy.random.Generator
        The generator.
    """
    return np.random.default_rng(check_random_state(seed).randint(2**31, size=4))
