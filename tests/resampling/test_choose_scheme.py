"""Which scheme of resampling is chosen, and which ones are refused."""

import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.resampling import Permutation, ResidualBootstrap, SignFlipping, choose_scheme
from ari_estimator.resampling._choose_scheme import crosses_variance_groups

from ._designs import (
    BETWEEN,
    CENTRED,
    IN_SUBJECT,
    KEPT,
    MEAN,
    PAIRS,
    SITES,
    SLOPE,
    SUBJECTS,
    TWO_GROUPS,
    UNEQUAL,
    UNEQUAL_SUBJECTS,
    contrast_of,
)


@pytest.mark.parametrize(
    ("columns", "weights", "kind"),
    [
        (MEAN, [1], SignFlipping),
        (MEAN, [-2], SignFlipping),
        ([[1, 1, 1, 1, 2, 2, 2, 2]], [1], SignFlipping),  # weighted mean
        (TWO_GROUPS, [1, -1], Permutation),
        (TWO_GROUPS, [-1, 1], Permutation),
        (TWO_GROUPS, [1, 0], SignFlipping),  # mean of one group
        (TWO_GROUPS, [1, 1], SignFlipping),  # mean of both
        ([8 * [1], TWO_GROUPS[0]], [0, 1], Permutation),
        ([8 * [1], *TWO_GROUPS], [0, 1, -1], Permutation),
        (SLOPE, [0, 1], Permutation),
        (SLOPE, [1, 0], SignFlipping),  # intercept
        (CENTRED, [1, 0], SignFlipping),
        (CENTRED, [0, 1], Permutation),
        ([SLOPE[1]], [1], SignFlipping),  # regression through the origin
        ([CENTRED[1]], [1], SignFlipping),
        ([*TWO_GROUPS, SLOPE[1]], [0, 0, 1], Permutation),
        ([*TWO_GROUPS, SLOPE[1]], [1, -1, 0], Permutation),
        ([*TWO_GROUPS, CENTRED[1]], [1, 1, 0], SignFlipping),
        (PAIRS, [1, 0, 0, 0, 0], Permutation),
        # F contrasts.
        (TWO_GROUPS, [[1, -1], [2, -2]], Permutation),
        (TWO_GROUPS, np.eye(2), SignFlipping),  # both means
        ([8 * [1], *TWO_GROUPS, SLOPE[1]], [[0, 1, -1, 0], [0, 0, 0, 1]], Permutation),
        (SLOPE, np.eye(2), SignFlipping),
        (PAIRS, [[1, 0, 0, 0, 0]] * 2, Permutation),
    ],
)
def test_what_is_resampled_unless_told(columns, weights, kind):
    assert type(choose_scheme("auto", contrast_of(columns, weights))) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sign_flip", SignFlipping), ("permutation", Permutation), ("bootstrap", ResidualBootstrap)],
)
def test_what_is_resampled_if_told(name, kind):
    assert type(choose_scheme(name, contrast_of(TWO_GROUPS, [1, -1]))) is kind


# Columns of a design, contrast, blocks, exchange, variance groups, and what "auto" makes of them.
FOUND = {
    "mean": (MEAN, [1], None, None, None, "sign-flipping"),
    "mean of blocks": (MEAN, [1], SUBJECTS, None, None, "sign-flipping of whole blocks"),
    "mean of unequal blocks": (MEAN, [1], UNEQUAL, None, None, "sign-flipping of whole blocks"),
    "mean, blocks as wholes": (MEAN, [1], UNEQUAL, "whole", None, "sign-flipping of whole blocks"),
    "mean of a table": (MEAN, [1], SITES, None, None, "sign-flipping of nested blocks"),
    "two groups": (TWO_GROUPS, [1, -1], None, None, None, "permutation"),
    "slope within": (SLOPE, [0, 1], [0] * 4 + [1] * 4, None, None, "permutation within blocks"),
    "beside a covariate": (
        [*TWO_GROUPS, SLOPE[1]],
        [1, -1, 0],
        None,
        None,
        None,
        "permutation of residuals (Freedman-Lane)",
    ),
    # Repeated measures: what differs within subjects, and between them.
    "within subjects": (
        PAIRS,
        [1, 0, 0, 0, 0],
        SUBJECTS,
        None,
        None,
        "permutation within blocks of residuals (Freedman-Lane)",
    ),
    "within, with a mean for all": (
        [8 * [1], IN_SUBJECT],
        [0, 1],
        SUBJECTS,
        None,
        None,
        "permutation within blocks",
    ),
    "between subjects": (
        BETWEEN,
        [1, -1],
        SUBJECTS,
        None,
        None,
        "permutation of whole blocks",
    ),
    "between, beside what differs within": (
        [*BETWEEN, IN_SUBJECT],
        [1, -1, 0],
        SUBJECTS,
        None,
        None,
        "permutation of whole blocks of residuals (Freedman-Lane)",
    ),
    "between, by a covariate of subjects": (
        [8 * [1], [3, 3, 1, 1, 4, 4, 1, 1]],
        [0, 1],
        SUBJECTS,
        None,
        None,
        "permutation of whole blocks",
    ),
    "interaction": (
        [*BETWEEN, IN_SUBJECT, [0, 1, 0, 1, 0, -1, 0, -1]],
        [0, 0, 0, 1],
        SUBJECTS,
        None,
        None,
        "permutation within blocks of residuals (Freedman-Lane)",
    ),
    "F between subjects": (
        np.kron(np.eye(4), [1, 1]).tolist(),
        [[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]],
        SUBJECTS,
        None,
        None,
        "permutation of whole blocks",
    ),
    "both": (
        BETWEEN,
        [1, -1],
        SUBJECTS,
        "both",
        None,
        "permutation within blocks and of whole blocks",
    ),
    "nested": (
        [[1, 1, 0, 0] * 2, [0, 0, 1, 1] * 2],
        [1, -1],
        SITES,
        None,
        None,
        "permutation of nested blocks",
    ),
    # Variance groups that permutations keep apart, or mix.
    "groups of unequal variance": (TWO_GROUPS, [1, -1], None, None, TWO_GROUPS[1], "sign-flipping"),
    "slope within variance groups": (
        SLOPE,
        [0, 1],
        [0] * 4 + [1] * 4,
        None,
        [0] * 4 + [1] * 4,
        "permutation within blocks",
    ),
    "between, with variances of the rows of a subject": (
        BETWEEN,
        [1, -1],
        SUBJECTS,
        None,
        IN_SUBJECT,
        "permutation of whole blocks",
    ),
    "between, with variances of groups": (
        BETWEEN,
        [1, -1],
        SUBJECTS,
        None,
        BETWEEN[1],
        "sign-flipping of whole blocks",
    ),
    # They would have to change places, but their signs can be flipped.
    "between blocks of unequal size, with variances of groups": (
        [8 * [1], [5, 5, 5, 1, 2, 2, 4, 4]],
        [0, 1],
        UNEQUAL_SUBJECTS,
        None,
        [0, 0, 0, 0, 1, 1, 1, 1],
        "sign-flipping of whole blocks",
    ),
    "within, with variances of the rows of a subject": (
        PAIRS,
        [1, 0, 0, 0, 0],
        SUBJECTS,
        None,
        IN_SUBJECT,
        "sign-flipping of whole blocks",
    ),
    "within, with variances of subjects": (
        PAIRS,
        [1, 0, 0, 0, 0],
        SUBJECTS,
        None,
        SUBJECTS,
        "permutation within blocks of residuals (Freedman-Lane)",
    ),
    "nested, with variances of sites": (
        [[1, 1, 0, 0] * 2, [0, 0, 1, 1] * 2],
        [1, -1],
        SITES,
        None,
        [0] * 4 + [1] * 4,
        "permutation of nested blocks",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_auto_finds_the_scheme(case):
    columns, weights, blocks, exchange, groups, description = FOUND[case]
    groups = None if groups is None else np.array(groups)
    scheme = choose_scheme("auto", contrast_of(columns, weights), blocks, exchange, groups)
    assert scheme.description == description
    # What is found is what is got if it is asked for, whether exchange is said or not.
    name = "sign_flip" if description.startswith("sign") else "permutation"
    asked = choose_scheme(name, contrast_of(columns, weights), blocks, exchange, groups)
    assert type(asked) is type(scheme)
    assert (asked.description, asked.n_distinct) == (scheme.description, scheme.n_distinct)
    if groups is not None and name == "permutation":
        assert scheme.keeps_squares(groups)


def test_exchange_that_is_found_can_be_told():
    for columns, weights, exchange in (
        (PAIRS, [1, 0, 0, 0, 0], "within"),
        (BETWEEN, [1, -1], "whole"),
    ):
        contrast = contrast_of(columns, weights)
        found, told = (choose_scheme("auto", contrast, SUBJECTS, e) for e in (None, exchange))
        assert_array_equal(*(s.draws(30, np.random.default_rng(0)) for s in (found, told)))


@pytest.mark.parametrize("name", ["permutation", "sign_flip", "bootstrap"])
def test_rows_of_unequal_variance_may_be_mixed_if_that_is_asked_for(name):
    groups = np.array(TWO_GROUPS[1])
    scheme = choose_scheme(name, contrast_of(TWO_GROUPS, [1, -1]), variance_groups=groups)
    assert crosses_variance_groups(scheme, groups) == (name != "sign_flip")


def test_bootstrap_is_said():
    assert (
        choose_scheme("bootstrap", contrast_of(MEAN, [1])).description == "bootstrap of residuals"
    )


# Name, columns, contrast, blocks, exchange, variance groups, and what is said.
REFUSED = [
    ("shuffle", MEAN, [1], None, None, None, "scheme must be one of ['auto', 'sign_flip'"),
    ("permutation", MEAN, [1], None, None, None, "no permutation changes it"),
    (
        "permutation",
        TWO_GROUPS,
        [1, 1],
        None,
        None,
        None,
        "must be 'sign_flip' or 'bootstrap' for this contrast",
    ),
    ("permutation", CENTRED, [1, 0], None, None, None, "Got 'permutation'"),
    ("permutation", TWO_GROUPS, np.eye(2), None, None, None, "Got 'permutation'"),
    ("bootstrap", MEAN, [1], SUBJECTS, None, None, "blocks must be None for scheme='bootstrap'"),
    ("bootstrap", MEAN, [1], None, "whole", None, "exchange must be None without blocks"),
    ("auto", MEAN, [1], None, "whole", None, "there are no blocks. Got 'whole'"),
    ("auto", TWO_GROUPS, [1, -1], None, "within", None, "there are no blocks. Got 'within'"),
    ("sign_flip", MEAN, [1], SITES, "whole", None, "a table has signs instead"),
    ("auto", BETWEEN, [1, -1], SITES, "both", None, "a table has signs instead"),
    ("auto", MEAN, [1], SUBJECTS, "between", None, "exchange must be one of ['within'"),
    ("auto", MEAN, [1], SUBJECTS, "within", None, "exchange must be 'whole' or None for sign-flip"),
    (
        "sign_flip",
        TWO_GROUPS,
        [1, -1],
        SUBJECTS,
        "both",
        None,
        "signs of single rows can be flipped only if all rows are independent",
    ),
    # The contrast is the same in all rows that change places.
    (
        "permutation",
        BETWEEN,
        [1, -1],
        SUBJECTS,
        "within",
        None,
        "Got permutation within blocks, but the tested effect is the same",
    ),
    ("permutation", TWO_GROUPS, [1, -1], range(8), "within", None, "something to permute"),
    (
        "auto",
        PAIRS,
        [1, 0, 0, 0, 0],
        SUBJECTS,
        "whole",
        None,
        "exchange='within' for effects that vary within blocks",
    ),
    (
        "auto",
        TWO_GROUPS,
        [1, -1],
        TWO_GROUPS[0],
        "within",
        None,
        "exchange='whole' for effects between blocks",
    ),
    ("auto", TWO_GROUPS, [1, -1], KEPT, None, None, "Got permutation of nested blocks, but"),
    # Only the nuisance differs within blocks: the estimate is the same in all permutations.
    ("auto", [8 * [1], BETWEEN[1], IN_SUBJECT], [0, 1, 0], SUBJECTS, "within", None, "to permute"),
    # Blocks of unequal size cannot change places.
    (
        "auto",
        [8 * [1], [5, 5, 5, 1, 2, 2, 4, 4]],
        [0, 1],
        UNEQUAL_SUBJECTS,
        None,
        None,
        "Got units of [1, 3] rows: rows [0, 1, 2] and rows [3]",
    ),
    ("auto", TWO_GROUPS, [1, -1], UNEQUAL, None, None, "blocks must be alike to change places"),
    (
        "permutation",
        SLOPE,
        [0, 1],
        UNEQUAL,
        "both",
        None,
        "or use scheme='sign_flip', which flips blocks of any size",
    ),
    # No sign is left to flip.
    ("sign_flip", MEAN, [1], KEPT, None, None, "Got a table without a positive label"),
    # Rows of unequal variance would change places.
    (
        "permutation",
        SLOPE,
        [0, 1],
        SUBJECTS,
        "within",
        IN_SUBJECT,
        "variance_groups must be the same for all rows that change places",
    ),
    (
        "permutation",
        BETWEEN,
        [1, -1],
        SUBJECTS,
        "whole",
        BETWEEN[1],
        "Use scheme='sign_flip' and no exchange",
    ),
]


@pytest.mark.parametrize(
    ("name", "columns", "weights", "blocks", "exchange", "groups", "message"), REFUSED
)
def test_schemes_that_are_refused(name, columns, weights, blocks, exchange, groups, message):
    groups = None if groups is None else np.array(groups)
    with pytest.raises(ValueError, match=re.escape(message)):
        choose_scheme(name, contrast_of(columns, weights), blocks, exchange, groups)


def test_blocks_of_any_size_may_be_flipped():
    contrast = contrast_of([8 * [1], [5, 5, 5, 1, 2, 2, 4, 4]], [0, 1])
    scheme = choose_scheme("sign_flip", contrast, UNEQUAL_SUBJECTS)
    assert scheme.description == "sign-flipping of whole blocks"
    assert scheme.n_distinct == 2**4
