"""Which rows may change places, against all permutations that a definition lets through."""

import math
import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from ari_estimator.resampling import Exchangeability, check_blocks

PAIRS = [0, 0, 1, 1, 2, 2]


def table(*columns):
    return np.transpose(columns)


# Labels of blocks and what they stand for, or a table of levels.
CASES = {
    "rows": (None, None, 5),
    "within": ([0, 0, 1, 1, 1, 2], "within", 6),
    "within unless told": ([0, 0, 1, 1, 1, 2], None, 6),
    "within, mixed": (["b", "a", "b", "a", "a"], "within", 5),
    "whole": (PAIRS, "whole", 6),
    "whole, mixed": ([0, 1, 2, 2, 1, 0], "whole", 6),
    "whole, of three": ([0, 0, 0, 1, 1, 1], "whole", 6),
    "both": (PAIRS, "both", 6),
    "both, mixed": ([0, 1, 0, 2, 2, 1], "both", 6),
    "table of rows": (table([1] * 5), None, 5),
    "table of fixed rows": (table([-1] * 5), None, 5),
    "table of within": (table([-1] * 6, [1, 1, 2, 2, 2, 3]), None, 6),
    "table of whole": (table([1] * 6, [-1, -1, -2, -2, -3, -3]), None, 6),
    "table of both": (table([1] * 6, [1, 1, 2, 2, 3, 3]), None, 6),
    "pairs in sites": (table([-1] * 8, [1] * 4 + [2] * 4, [-1, -1, -2, -2] * 2), None, 8),
    "sites of pairs": (table([1] * 8, [-1] * 4 + [-2] * 4, [1, 1, 2, 2] * 2), None, 8),
    # One site is shuffled, the other one stays.
    "mixed signs": (table([-1] * 7, [1, 1, 1, 1, -2, -2, -2], [-1, -1, -2, -2, 3, 3, 4]), None, 7),
    "mixed signs, deep": (
        table([-1] * 7, [1] * 4 + [-2] * 3, [-1, -1, -2, -2, 1, 1, -2], [-1, 2, -1, 2, 1, 1, 1]),
        None,
        7,
    ),
    # Units that exchange other things, where none of them changes places.
    "unlike in a fixed unit": (table([-1] * 6, [1, 1, 1, -2, 3, 3]), None, 6),
    "four levels": (
        table([1] * 8, [1] * 4 + [2] * 4, [-1, -1, -2, -2] * 2, [1, 1, 1, 1] * 2),
        None,
        8,
    ),
}


def units_below(rows, levels, depth):
    """Return the units below a unit, in the order of their first rows."""
    if depth == levels.shape[1]:
        return [[row] for row in rows]
    labels = list(dict.fromkeys(levels[rows, depth].tolist()))
    return [[row for row in rows if levels[row, depth] == label] for label in labels]


def comes_from(order, place, source, levels, depth):
    """Tell whether an order brings the rows of one unit to the place of another as it may."""
    if sorted(order[row] for row in place) != sorted(source):
        return False
    if depth > levels.shape[1]:
        return True
    if levels[place[0], depth - 1] * levels[source[0], depth - 1] < 0:
        return False
    places = units_below(place, levels, depth)
    sources = units_below(source, levels, depth)
    if len(places) != len(sources):
        return False
    for i, unit in enumerate(places):
        came = next(j for j, other in enumerate(sources) if order[unit[0]] in other)
        is_kept = levels[place[0], depth - 1] < 0
        if (is_kept and came != i) or not comes_from(order, unit, sources[came], levels, depth + 1):
            return False
    return True


def is_allowed(order, blocks, exchange):
    """Tell whether rows may come to the places of others: the row ``order[i]`` to place i."""
    rows = range(len(order))
    if blocks is None:
        return True
    if np.ndim(blocks) == 2:
        return comes_from(order, list(rows), list(rows), np.asarray(blocks), 1)
    if exchange in ("within", None):
        return all(blocks[order[i]] == blocks[i] for i in rows)
    # The rows of a block come from one block,
    sources = {}
    if any(sources.setdefault(blocks[i], blocks[order[i]]) != blocks[order[i]] for i in rows):
        return False
    # and as wholes in the order in which they are there.
    if exchange == "both":
        return True
    return all(
        [order[i] for i in rows if blocks[i] == block]
        == [i for i in rows if blocks[i] == sources[block]]
        for block in sources
    )


def all_allowed(blocks, exchange, n):
    return [order for order in permutations(range(n)) if is_allowed(order, blocks, exchange)]


def kinds_of(n):
    """Return kinds of rows: all different, all the same, and some in between."""
    rng = np.random.default_rng(n)
    return [np.arange(n), np.zeros(n, dtype=int), np.arange(n) % 2, rng.integers(0, 3, n)]


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """Return blocks, what they stand for, the exchangeability, and all orders it allows."""
    blocks, exchange, n = CASES[request.param]
    found = Exchangeability.of(blocks, n, exchange)
    return blocks, exchange, found, all_allowed(blocks, exchange, n)


def test_all_orders_are_found_once(case):
    _, _, found, allowed = case
    n = found.n_subjects
    orders = found.arrangements(np.arange(n))
    assert_array_equal(orders[0], np.arange(n))
    assert len(orders) == found.n_arrangements(np.arange(n))
    assert sorted(map(tuple, orders.tolist())) == sorted(allowed)


def test_all_orders_that_differ_in_kind_are_found_once(case):
    _, _, found, allowed = case
    for kinds in kinds_of(found.n_subjects):
        orders = found.arrangements(kinds)
        assert_array_equal(orders[0], np.arange(kinds.size))
        assert {*map(tuple, orders.tolist())} <= {*allowed}
        sequences = [tuple(kinds[order]) for order in orders]
        assert len(sequences) == len(set(sequences)) == found.n_arrangements(kinds)
        assert set(sequences) == {tuple(kinds[list(order)]) for order in allowed}


def test_random_orders_are_each_as_often(case):
    _, _, found, allowed = case
    assert found.permuted(0, np.random.default_rng(0)).shape == (0, found.n_subjects)
    n_draws = 40 * len(allowed)
    orders = found.permuted(n_draws, np.random.default_rng(0))
    assert orders.shape == (n_draws, found.n_subjects)
    numbers = {order: i for i, order in enumerate(allowed)}
    counts = np.bincount(
        [numbers[tuple(order)] for order in orders.tolist()], minlength=len(allowed)
    )
    # 40 of each are expected; all cases together have a chance of 1 in 10,000 to fail.
    assert stats.chisquare(counts).pvalue > 5e-6 or len(allowed) == 1
    assert counts.min() > 0


def test_orbits_are_rows_that_can_come_to_each_others_place(case):
    _, _, found, allowed = case
    n = found.n_subjects
    reach = np.zeros((n, n), dtype=bool)
    for order in allowed:
        reach[np.arange(n), order] = True
    assert_array_equal(found.orbits[:, np.newaxis] == found.orbits, reach)
    assert_array_equal(np.unique(found.orbits), np.arange(found.orbits.max() + 1))


def sign_units(levels):
    """Return the smallest unit of each row that may flip: one that its parent exchanges.

    None for rows without such a unit.
    """
    n, n_levels = levels.shape
    units = []
    for row in range(n):
        # The unit at depth d has the labels before d; the last one is the row itself.
        path = [(*levels[row, :depth],) for depth in range(n_levels + 1)] + [(row, "row")]
        flips = [path[depth + 1] for depth in range(1, n_levels + 1) if path[depth][-1] > 0]
        units.append(flips[-1] if flips else None)
    return units


@pytest.mark.parametrize("name", [name for name in CASES if np.ndim(CASES[name][0]) == 2])
def test_rows_flip_with_the_smallest_unit_that_is_exchanged(name):
    blocks, _, n = CASES[name]
    assert_same_units(Exchangeability.of(blocks, n).sign_units, sign_units(blocks))


def assert_same_units(found, expected):
    for i, one in enumerate(expected):
        assert (found[i] == -1) == (one is None)
        for j, other in enumerate(expected):
            assert (found[i] == found[j]) == (one == other)
    flipped = found[found >= 0]
    assert_array_equal(np.unique(flipped), np.arange(np.unique(flipped).size))


def test_signs_of_units_that_are_not_alike():
    # Such units cannot change places, but their signs can.
    whole = Exchangeability.of(["x", "y", "x", "z", "z", "z"], 6, "whole")
    assert_array_equal(whole.sign_units, [0, 1, 0, 2, 2, 2])
    with pytest.raises(ValueError, match="blocks must be alike"):
        whole.check_places()
    # A pair as one, a pair one by one, a row: the fixed rows of the first flip with their pair.
    levels = table([1] * 6, [-1, -1, 2, 2, 3, -4])
    found = Exchangeability.of(levels, 6)
    assert_array_equal(found.sign_units, [0, 0, 1, 2, 3, 4])
    mixed = table([1] * 5, [1] * 4 + [2], [-1, -1, 2, 2, 1])
    assert_same_units(Exchangeability.of(mixed, 5).sign_units, sign_units(mixed))


def test_kept_rows_keep_their_sign():
    # A site of single rows that flip, and one that stays.
    levels = table([-1] * 5, [1, 1, -2, -2, -2])
    assert_array_equal(Exchangeability.of(levels, 5).sign_units, [0, 1, -1, -1, -1])


def random_levels(rng, n_levels, is_alike):
    """Return a table of nested levels with a few rows, in any order.

    Units below a positive label are copies of each other if they are to be alike.
    """

    def unit(depth):
        sign = rng.choice([-1, 1])
        n_parts = rng.integers(1, 4)
        if depth == n_levels:
            return sign, [None] * n_parts
        if is_alike and sign > 0:
            return sign, [unit(depth + 1)] * n_parts
        return sign, [unit(depth + 1) for _ in range(n_parts)]

    def rows_of(unit, label):
        sign, parts = unit
        labels = rng.permutation(9)[: len(parts)] + 1
        below = [
            [()] if part is None else rows_of(part, number)
            for part, number in zip(parts, labels, strict=True)
        ]
        return [(sign * label, *row) for rows in below for row in rows]

    levels = np.array(rows_of(unit(1), 1))
    return levels[rng.permutation(len(levels))]


@settings(max_examples=60)
@given(n_levels=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_any_tree(n_levels, seed):
    rng = np.random.default_rng(seed)
    levels = random_levels(rng, n_levels, is_alike=True)
    n = len(levels)
    found = Exchangeability.of(levels, n)
    assert_same_units(found.sign_units, sign_units(levels))
    # The first rows of copies may be in other orders.
    assume(found.are_alike)
    n_orders = found.n_arrangements(np.arange(n))
    assume(n_orders < 5000)
    orders = found.arrangements(np.arange(n))
    members = {*map(tuple, orders.tolist())}
    assert len(members) == len(orders) == n_orders
    assert all(is_allowed(order, levels, None) for order in members)
    if n <= 6:
        assert members == {*all_allowed(levels, None, n)}
    assert {*map(tuple, found.permuted(200, rng).tolist())} <= members
    kinds = rng.integers(0, 3, n)
    sequences = {tuple(kinds[list(order)]) for order in members}
    assert found.n_arrangements(kinds) == len(sequences)
    assert {tuple(kinds[order]) for order in found.arrangements(kinds)} == sequences


@settings(max_examples=60)
@given(n_levels=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_signs_of_any_tree(n_levels, seed):
    levels = random_levels(np.random.default_rng(seed), n_levels, is_alike=False)
    found = Exchangeability.of(levels, len(levels))
    assert_same_units(found.sign_units, sign_units(levels))


@pytest.mark.parametrize(
    ("labels", "exchange", "levels"),
    [
        (PAIRS, "within", table([-1] * 6, [1, 1, 2, 2, 3, 3])),
        (PAIRS, "whole", table([1] * 6, [-1, -1, -2, -2, -3, -3])),
        (PAIRS, "both", table([1] * 6, [1, 1, 2, 2, 3, 3])),
    ],
)
def test_labels_are_short_for_a_table(labels, exchange, levels):
    one, other = Exchangeability.of(labels, 6, exchange), Exchangeability.of(levels, 6)
    for kinds in kinds_of(6):
        assert_array_equal(one.arrangements(kinds), other.arrangements(kinds))
    drawn = [each.permuted(50, np.random.default_rng(0)) for each in (one, other)]
    assert_array_equal(*drawn)
    assert_array_equal(one.orbits, other.orbits)
    assert_array_equal(one.sign_units, other.sign_units)


@pytest.mark.parametrize(
    ("blocks", "exchange", "description"),
    [
        (None, None, ""),
        (PAIRS, None, "within blocks"),
        (PAIRS, "within", "within blocks"),
        (PAIRS, "whole", "of whole blocks"),
        (PAIRS, "both", "within blocks and of whole blocks"),
        (table([1] * 6), None, "of nested blocks"),
    ],
)
def test_it_is_said_what_is_exchanged(blocks, exchange, description):
    assert Exchangeability.of(blocks, 6, exchange).description == description


def test_draws_of_a_seed_are_those_of_earlier_versions():
    # Row by row, or block by block, each with the same generator.
    blocks = np.array([0, 1, 0, 1, 1, 0, 2])
    within = Exchangeability.of(blocks, 7, "within").permuted(30, np.random.default_rng(5))
    expected, rng = np.tile(np.arange(7), (30, 1)), np.random.default_rng(5)
    for block in range(3):
        members = np.flatnonzero(blocks == block)
        expected[:, members] = rng.permuted(expected[:, members], axis=1)
    assert_array_equal(within, expected)
    rows = Exchangeability.of(None, 7).permuted(30, np.random.default_rng(5))
    expected = np.random.default_rng(5).permuted(np.tile(np.arange(7), (30, 1)), axis=1)
    assert_array_equal(rows, expected)


def test_names_of_blocks_do_not_matter():
    one, other = (Exchangeability.of(list(names), 6, "both") for names in ("aabbcc", "zzaaqq"))
    drawn = [each.permuted(20, np.random.default_rng(0)) for each in (one, other)]
    assert_array_equal(*drawn)


def test_many_rows_are_counted_but_not_listed():
    assert Exchangeability.of(None, 1000).n_arrangements(np.arange(1000)) == math.factorial(1000)
    pairs = Exchangeability.of(np.repeat(np.arange(500), 2), 1000, "both")
    assert pairs.n_arrangements(np.arange(1000)) == math.factorial(500) * 2**500
    assert pairs.permuted(2, np.random.default_rng(0)).shape == (2, 1000)


@pytest.mark.parametrize(
    ("blocks", "exchange", "message"),
    [
        (PAIRS, "between", "exchange must be one of ['within', 'whole', 'both'] or None"),
        (None, "whole", "exchange must be None unless blocks are labels"),
        (None, "within", "there are no blocks. Got 'within'"),
        (table([1] * 6), "whole", "a table has signs instead. Got 'whole'"),
        (PAIRS[:5], None, "blocks must be 6 labels, one for each row of the data. Got shape (5,)"),
        (["a", "a", None, "b", "b", "b"], "whole", "Got none for row 2"),
        (table([1] * 5), None, "blocks must be a table of 6 rows, with a column for each level"),
        (np.empty((6, 0), dtype=int), None, "Got shape (6, 0)"),
        (table([1] * 6, [1, 1, 1, 0, 2, 2]), None, "Got int64 with 0 among them"),
        (table([1] * 6, [1, 1, 1, 1.5, 2, 2]), None, "must be positive and negative whole numbers"),
        (table([1] * 6, [1, 1, 1, np.nan, 2, 2]), None, "with other values"),
        (table([True] * 6), None, "Got bool with other values"),
        (table(["1"] * 6), None, "with other values"),
        (table([1, 1, 1, 2, 2, 2], range(1, 7)), None, "one label throughout the first column"),
        (table([1, 1, 1, -1, -1, -1], [1] * 6), None, "Got [-1, 1]. Put a column of 1 before it"),
        # What can only be labels.
        (table([1, 1, 1, 2, 2, 2]), None, "Got a table of one column with several labels"),
        (pd.DataFrame({"site": list("aabbcc")}), None, "Give the column itself: table['site']"),
        (np.ones((6, 1, 1)), None, "blocks must be 6 labels"),
    ],
)
def test_blocks_that_are_refused(blocks, exchange, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Exchangeability.of(blocks, 6, exchange)


@pytest.mark.parametrize(
    ("blocks", "exchange", "message"),
    [
        ([0, 0, 1, 1, 1, 0], "whole", None),
        ([0, 0, 1, 1, 1, 1], "within", None),
        (
            [0, 0, 1, 1, 1, 1],
            "whole",
            "Got units of [2, 4] rows: rows [0, 1] and rows [2, 3, 4, 5]",
        ),
        ([0, 0, 1, 1, 1, 1], "both", "Average the rows of each block, so that each is one row"),
        ([0, 0, 1, 1, 1, 2], "whole", "use scheme='sign_flip', which flips blocks of any size"),
        (
            table([1] * 6, [1, 1, 1, -2, -2, -2]),
            None,
            "Got units that exchange other things: rows [0, 1, 2] and rows [3, 4, 5]",
        ),
        (table([-1] * 6, [1, 1, 1, -2, -2, -2]), None, None),
        # The sites stay, but in one of them pairs of other sizes change places.
        (
            table([-1] * 6, [1, 1, 1, -2, -2, -2], [1, 1, 2, 3, 3, 3]),
            None,
            "Got units of [1, 2] rows: rows [0, 1] and rows [2]",
        ),
    ],
)
def test_units_that_change_places_must_be_alike(blocks, exchange, message):
    found = Exchangeability.of(blocks, 6, exchange)
    assert found.are_alike == (message is None)
    if message is None:
        found.check_places()
        return
    with pytest.raises(ValueError, match=re.escape(message)):
        found.check_places()


def test_a_table_may_be_of_floats_or_a_frame():
    levels = table([1] * 6, [-1, -1, -2, -2, -3, -3])
    expected = Exchangeability.of(levels, 6).arrangements(np.arange(6))
    for same in (levels.astype(float), levels.tolist(), pd.DataFrame(levels), levels.astype("i1")):
        assert_array_equal(Exchangeability.of(same, 6).arrangements(np.arange(6)), expected)


def test_blocks_are_any_labels():
    assert_array_equal(check_blocks(["b", "a", "b", "c"], 4), [0, 1, 0, 2])
    assert_array_equal(check_blocks([7, 7, -1, 7], 4), [0, 0, 1, 0])
    assert_array_equal(check_blocks(np.array(["b", 1, "b", 2.5], dtype=object), 4), [0, 1, 0, 2])
    assert_array_equal(check_blocks(pd.Series(["x", "y", "y", "x"]), 4), [0, 1, 1, 0])


@pytest.mark.parametrize("blocks", [[1, 2, 3], [[1], [2], [3], [4]], "abcd", 3, []])
def test_blocks_must_be_one_label_for_each_row(blocks):
    with pytest.raises(ValueError, match="blocks must be 4 labels"):
        check_blocks(blocks, 4)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_blocks_must_not_be_missing(missing):
    with pytest.raises(ValueError, match="Got none for row 2"):
        check_blocks(["a", "b", missing, "b"], 4)
    if missing is not None:
        with pytest.raises(ValueError, match="Got none for row 1"):
            check_blocks([1.0, missing, 3.0, 3.0], 4)
