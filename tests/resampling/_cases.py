"""Designs, what is tested in them, and what least squares says of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ._brute_force import (
    correlation,
    equivalent_normal,
    freedman_lane,
    least_squares_f,
    least_squares_t,
    multiple_correlation,
    rank_and_df,
    residual_bootstrap,
    welch_g,
    welch_v,
)

N = 12
RNG = np.random.default_rng(8)
ONES = np.ones(N)
GROUP = np.repeat([1.0, 0.0], [5, 7])
THREE = np.repeat([0, 1, 2], [3, 4, 5])
CENTRED = np.linspace(-1, 1, N)
AGE = RNG.integers(20, 70, N).astype(float)
PAIRS = np.repeat(np.arange(6), 2)
IN_PAIRS = np.tile([0, 1], 6)
MANY = RNG.standard_normal((N, 8))

GROUPS_AND_AGE = np.column_stack([GROUP, 1 - GROUP, AGE])
MEANS_OF_THREE = np.eye(3)[THREE]
THREE_AND_AGE = np.column_stack([MEANS_OF_THREE, AGE])
PAIRED = np.column_stack([IN_PAIRS, np.eye(6)[PAIRS]])
PAIRED_AND_AGE = np.column_stack([IN_PAIRS, AGE, np.eye(6)[PAIRS]])
# Three subjects with two rows each, of two kinds: the kind of a subject and its rows' own.
BETWEEN = np.column_stack([PAIRS < 3, PAIRS >= 3]).astype(float)

# Below the label of all rows, three sites stay in place, and the pairs in them change places.
SITES = np.column_stack([-ONES, PAIRS // 2 + 1, -PAIRS - 1]).astype(int)

AMONG_THREE = [[1, -1, 0], [0, 1, -1]]
# The third row is the sum of the others.
DEPENDENT = [*AMONG_THREE, [1, 0, -1]]


@dataclass(frozen=True)
class Case:
    """A design, what is tested in it, and how."""

    columns: Any
    contrast: Any
    scheme: str
    blocks: Any = None
    exchange: Any = None
    groups: Any = None

    @property
    def design(self):
        return np.atleast_2d(self.columns.T).T

    @property
    def is_f(self):
        return np.ndim(self.contrast) == 2 and len(self.contrast) > 1

    @property
    def rank(self):
        return rank_and_df(self.design, self.contrast)[0]

    def values(self, data):
        """Return t, F, v or G of data, and their degrees of freedom, by brute force."""
        if self.groups is not None:
            welch = welch_g if self.is_f else welch_v
            return welch(data, self.design, self.contrast, self.groups)
        least_squares = least_squares_f if self.is_f else least_squares_t
        values = least_squares(data, self.design, self.contrast)
        return values, np.full(values.shape, rank_and_df(self.design, self.contrast)[1])

    def scaled(self, data):
        """Return what permutations are compared by, by brute force."""
        values, df = self.values(data)
        if self.groups is None:
            if self.is_f:
                return multiple_correlation(values, self.rank, df)
            return correlation(values, df)
        if self.is_f:
            return equivalent_normal(stats.f.sf(values, self.rank, df))
        return equivalent_normal(2 * stats.t.sf(np.abs(values), df), np.sign(values))

    def resampled(self, data, scheme, draw):
        """Return resampled data, by brute force."""
        data = data.astype(float)
        if self.scheme == "bootstrap":
            return residual_bootstrap(data, self.design, draw)
        return freedman_lane(
            data, self.design, self.contrast, lambda left: scheme.resample(draw, left)
        )


T_CASES = {
    "mean": Case(ONES, [1], "sign_flip"),
    "mean of blocks": Case(ONES, [1], "sign_flip", PAIRS),
    "mean beside a covariate": Case(np.column_stack([ONES, CENTRED]), [1, 0], "sign_flip"),
    "intercept": Case(np.column_stack([ONES, AGE]), [1, 0], "sign_flip"),
    "through the origin": Case(np.column_stack([AGE, GROUP]), [1, 0], "sign_flip", PAIRS),
    "two groups": Case(np.column_stack([GROUP, 1 - GROUP]), [1, -1], "permutation"),
    "groups and age": Case(GROUPS_AND_AGE, [1, -1, 0], "permutation"),
    "age in groups": Case(GROUPS_AND_AGE, [0, 0, 1], "permutation", GROUP),
    "pairs": Case(PAIRED, [1] + 6 * [0], "permutation", PAIRS),
    "pairs and age": Case(PAIRED_AND_AGE, [1] + 7 * [0], "permutation", PAIRS),
    "whole pairs": Case(BETWEEN, [1, -1], "permutation", PAIRS),
    "whole pairs and age": Case(
        np.column_stack([BETWEEN, AGE]), [1, -1, 0], "permutation", PAIRS, "whole"
    ),
    "pairs as wholes and within": Case(
        np.column_stack([BETWEEN, AGE]), [1, -1, 0], "permutation", PAIRS, "both"
    ),
    "pairs within sites": Case(
        np.column_stack([PAIRS % 2, np.eye(3)[PAIRS // 2]]), [1, 0, 0, 0], "permutation", SITES
    ),
    # Nuisance may explain nearly all of what was resampled.
    "permuted with much nuisance": Case(
        np.column_stack([ONES, MANY]), [0, 1] + 7 * [0], "permutation"
    ),
    "flipped with much nuisance": Case(MANY, [1] + 7 * [0], "sign_flip"),
    "bootstrap of the mean": Case(ONES, [1], "bootstrap"),
    "bootstrap of groups and age": Case(GROUPS_AND_AGE, [1, -1, 0], "bootstrap"),
    "bootstrap with much nuisance": Case(
        np.column_stack([ONES, MANY]), [0, 1] + 7 * [0], "bootstrap"
    ),
}

F_CASES = {
    "F of three groups": Case(MEANS_OF_THREE, AMONG_THREE, "permutation"),
    "F of dependent rows": Case(MEANS_OF_THREE, DEPENDENT, "permutation"),
    "F of rank 1": Case(np.column_stack([GROUP, 1 - GROUP]), [[1, -1], [-2, 2]], "permutation"),
    "F of groups and age": Case(THREE_AND_AGE, np.pad(DEPENDENT, [(0, 0), (0, 1)]), "permutation"),
    "F in pairs": Case(
        np.column_stack([IN_PAIRS, AGE, np.eye(6)[PAIRS]]), np.eye(8)[:2], "permutation", PAIRS
    ),
    "F of whole pairs": Case(np.eye(3)[PAIRS // 2], AMONG_THREE, "permutation", PAIRS, "whole"),
    "F of pairs as wholes and within": Case(
        np.eye(3)[PAIRS // 2], DEPENDENT, "permutation", PAIRS, "both"
    ),
    "F of all means, flipped": Case(MEANS_OF_THREE, np.eye(3), "sign_flip"),
    "F of groups and age, flipped": Case(
        THREE_AND_AGE, np.pad(AMONG_THREE, [(0, 0), (0, 1)]), "sign_flip"
    ),
    "F of pairs, flipped": Case(np.eye(3)[PAIRS // 2], DEPENDENT, "sign_flip", PAIRS),
    "F with much nuisance": Case(np.column_stack([ONES, MANY]), np.eye(9)[1:3], "permutation"),
    "F flipped with much nuisance": Case(MANY, np.eye(8)[:3], "sign_flip"),
    "F by bootstrap": Case(THREE_AND_AGE, np.pad(DEPENDENT, [(0, 0), (0, 1)]), "bootstrap"),
}

WELCH_CASES = {
    "v of one group": Case(ONES, [1], "sign_flip", groups=np.zeros(N, dtype=int)),
    "v of the mean of two": Case(ONES, [1], "sign_flip", groups=(1 - GROUP).astype(int)),
    "v of the mean of blocks": Case(ONES, [1], "sign_flip", PAIRS, groups=THREE),
    "v of two groups, flipped": Case(
        np.column_stack([GROUP, 1 - GROUP]), [1, -1], "sign_flip", groups=(GROUP > 0).astype(int)
    ),
    "v of groups and age, flipped": Case(
        GROUPS_AND_AGE, [1, -1, 0], "sign_flip", groups=(GROUP > 0).astype(int)
    ),
    "v of age in three groups, flipped": Case(
        THREE_AND_AGE, [0, 0, 0, 1], "sign_flip", groups=THREE
    ),
    "v of groups that are not the design's": Case(
        np.column_stack([GROUP, 1 - GROUP]), [1, -1], "sign_flip", groups=np.arange(N) % 3
    ),
    "v of two groups, permuted": Case(
        np.column_stack([GROUP, 1 - GROUP]), [1, -1], "permutation", groups=(GROUP > 0).astype(int)
    ),
    "v of groups and age, permuted": Case(
        GROUPS_AND_AGE, [1, -1, 0], "permutation", groups=(GROUP > 0).astype(int)
    ),
    "v of age within groups": Case(
        GROUPS_AND_AGE, [0, 0, 1], "permutation", GROUP, groups=(GROUP > 0).astype(int)
    ),
    "v of whole pairs": Case(BETWEEN, [1, -1], "permutation", PAIRS, "whole", groups=IN_PAIRS),
    "v of whole pairs and age": Case(
        np.column_stack([BETWEEN, AGE]), [1, -1, 0], "permutation", PAIRS, "whole", groups=IN_PAIRS
    ),
    "v by bootstrap": Case(GROUPS_AND_AGE, [1, -1, 0], "bootstrap", groups=(GROUP > 0).astype(int)),
    "v of the mean by bootstrap": Case(ONES, [1], "bootstrap", groups=THREE),
    "G of one group": Case(MEANS_OF_THREE, AMONG_THREE, "sign_flip", groups=np.zeros(N, dtype=int)),
    "G of three groups, flipped": Case(MEANS_OF_THREE, AMONG_THREE, "sign_flip", groups=THREE),
    "G of dependent rows, flipped": Case(MEANS_OF_THREE, DEPENDENT, "sign_flip", groups=THREE),
    "G of groups and age, flipped": Case(
        THREE_AND_AGE, np.pad(DEPENDENT, [(0, 0), (0, 1)]), "sign_flip", groups=THREE
    ),
    "G of all means, two groups": Case(
        MEANS_OF_THREE, np.eye(3), "sign_flip", groups=(THREE > 1).astype(int)
    ),
    "G of rank 1": Case(
        np.column_stack([GROUP, 1 - GROUP]),
        [[1, -1], [-2, 2]],
        "sign_flip",
        groups=(GROUP > 0).astype(int),
    ),
    "G of pairs, flipped": Case(
        np.eye(3)[PAIRS // 2], AMONG_THREE, "sign_flip", PAIRS, groups=PAIRS // 2
    ),
    "G of three groups, permuted": Case(MEANS_OF_THREE, AMONG_THREE, "permutation", groups=THREE),
    "G of groups and age, permuted": Case(
        THREE_AND_AGE, np.pad(AMONG_THREE, [(0, 0), (0, 1)]), "permutation", groups=THREE
    ),
    "G within blocks": Case(
        np.column_stack([AGE, CENTRED**2, GROUP, 1 - GROUP]),
        np.eye(4)[:2],
        "permutation",
        GROUP,
        groups=(GROUP > 0).astype(int),
    ),
    "G of whole pairs": Case(
        np.eye(3)[PAIRS // 2], DEPENDENT, "permutation", PAIRS, "whole", groups=IN_PAIRS
    ),
    "G by bootstrap": Case(
        THREE_AND_AGE, np.pad(AMONG_THREE, [(0, 0), (0, 1)]), "bootstrap", groups=THREE
    ),
}

CASES = T_CASES | F_CASES | WELCH_CASES
