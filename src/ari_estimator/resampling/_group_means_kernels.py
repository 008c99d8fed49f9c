"""The compiled loop of v and G for designs with one column in each variance group.

It is imported when first needed. All steps handle a tile of elements at a time, see
``_normal_value_kernels``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ari_estimator.resampling._equivalent_normal import Polynomial
from ari_estimator.resampling._normal_value_kernels import (
    N_ROWS,
    TILE,
    mark_of,
    write_normal_values,
)


class GroupMeans(NamedTuple):
    """What the loop needs to know of a design: a number for each group, in single precision.

    Attributes
    ----------
    relation : ndarray
        Products times these numbers add up to 0. With rank k - 1 for k groups, these numbers are
        the coordinates of the nuisance.

    direction : ndarray
        With rank 1, the estimate is the sum of products times these numbers.

    df : ndarray
        Degrees of freedom.

    needed_of_own, needed_of_total, lowest : ndarray
        Smallest sum of squares of residuals: the largest of a part of the group's squares plus a
        part of all squares, and of a number. All squares add up to 1 if the last group is missing.
        Otherwise the second part is 0.

    most_scale : float32
        Largest inverse variance of the estimate.

    rank : int
        Degrees of freedom of the contrast.

    has_sign : bool
        Whether the values have the sign of the estimate.
    """

    relation: np.ndarray
    direction: np.ndarray
    df: np.ndarray
    needed_of_own: np.ndarray
    needed_of_total: np.ndarray
    lowest: np.ndarray
    most_scale: np.float32
    rank: int
    has_sign: bool


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def values_of_means(
    products: np.ndarray,
    squares: np.ndarray,
    design: GroupMeans,
    polynomial: Polynomial,
    out: np.ndarray,
    pitch: int,
) -> int:
    """Write normal values, NaN where they are not accurate. Return the number of NaN.

    Rows of ``out``, an array of one dimension, start at multiples of ``pitch``.

    The last group may be missing in products and squares. Then the products times ``relation``
    add up to 0, and the sums of squares to 1.
    """
    n_groups = design.df.size
    memory = np.empty((6 + N_ROWS + n_groups, TILE), np.float32)
    forms, per_df, marks = memory[2], memory[3], memory[4]
    _, n_rows, n_elements = products.shape
    n_nan = 0
    for row in range(n_rows):
        of_squares = 0 if squares.shape[1] == 1 else row
        for start in range(0, n_elements, TILE):
            n = min(TILE, n_elements - start)
            values = out[row * pitch + start : row * pitch + start + n]
            if n_groups == 2:
                _forms_of_two(products, squares, row, of_squares, start, n, design, memory)
            elif n_groups == 3 and design.rank == 2:
                _forms_of_three(products, squares, row, of_squares, start, n, design, memory)
            elif design.rank == 1:
                _forms_of_one_row(products, squares, row, of_squares, start, n, design, memory)
            else:
                _forms_of_several_rows(products, squares, row, of_squares, start, n, design, memory)
            n_nan += write_normal_values(
                forms, per_df, marks, memory[6 : 6 + N_ROWS], polynomial, values
            )
    return n_nan


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _forms_of_two(
    products: np.ndarray,
    squares: np.ndarray,
    row: int,
    of_squares: int,
    start: int,
    n: int,
    design: GroupMeans,
    memory: np.ndarray,
) -> None:
    """Write the squares of v of two groups, one divided by their df, and their marks."""
    one = np.float32(1)
    misses_last = products.shape[0] == 1
    part = -design.relation[0] / design.relation[1] if misses_last else one
    first, last, most_scale = design.direction[0], design.direction[1], design.most_scale
    per_first, per_last = one / design.df[0], one / design.df[1]
    own, own_of_last = design.needed_of_own[0], design.needed_of_own[1]
    total, total_of_last = design.needed_of_total[0], design.needed_of_total[1]
    lowest, lowest_of_last = design.lowest[0], design.lowest[1]
    has_sign = design.has_sign
    of_first, of_last = products[0, row, start : start + n], products[-1, row, start : start + n]
    squares_of_first = squares[0, of_squares, start : start + n]
    squares_of_last = squares[-1, of_squares, start : start + n]
    forms, per_df, marks = memory[2], memory[3], memory[4]
    for i in range(n):
        product, square = of_first[i], squares_of_first[i]
        other = part * product if misses_last else of_last[i]
        other_square = one - square if misses_last else squares_of_last[i]
        rest, other_rest = square - product * product, other_square - other * other
        needed = max(own * square + total, lowest)
        other_needed = max(own_of_last * other_square + total_of_last, lowest_of_last)
        digits = min(rest - needed, other_rest - other_needed)
        share = first * first * per_first * max(rest, needed)
        other_share = last * last * per_last * max(other_rest, other_needed)
        scale = one / (share + other_share)
        estimate = first * product + last * other
        forms[i] = estimate * estimate * scale
        sums = per_first * share * share + per_last * other_share * other_share
        per_df[i] = sums * (scale * scale)
        marks[i] = mark_of(digits, scale, most_scale, estimate if has_sign else one)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _write_last(
    products: np.ndarray,
    squares: np.ndarray,
    row: int,
    of_squares: int,
    start: int,
    n: int,
    design: GroupMeans,
    memory: np.ndarray,
) -> None:
    """Write the products and squares of the last group, which follow from the others."""
    last, last_squares = memory[0], memory[1]
    last[:n] = np.float32(0)
    last_squares[:n] = np.float32(1)
    for group in range(products.shape[0]):
        part = -design.relation[group] / design.relation[-1]
        product = products[group, row, start : start + n]
        square = squares[group, of_squares, start : start + n]
        for i in range(n):
            last[i] += part * product[i]
            last_squares[i] -= square[i]


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _forms_of_three(
    products: np.ndarray,
    squares: np.ndarray,
    row: int,
    of_squares: int,
    start: int,
    n: int,
    design: GroupMeans,
    memory: np.ndarray,
) -> None:
    """Write twice G of three groups, one divided by its df, and its marks.

    All sums have the variances of groups as factors, so that there is a single division.
    """
    zero, one = np.float32(0), np.float32(1)
    misses_last = products.shape[0] == 2
    first, second = products[0, row, start : start + n], products[1, row, start : start + n]
    last = products[-1, row, start : start + n]
    first_squares = squares[0, of_squares, start : start + n]
    second_squares = squares[1, of_squares, start : start + n]
    last_squares = squares[-1, of_squares, start : start + n]
    x, y, z = design.relation[0], design.relation[1], design.relation[2]
    own_x, own_y, own_z = design.needed_of_own[0], design.needed_of_own[1], design.needed_of_own[2]
    total_x, total_y = design.needed_of_total[0], design.needed_of_total[1]
    total_z = design.needed_of_total[2]
    lowest_x, lowest_y, lowest_z = design.lowest[0], design.lowest[1], design.lowest[2]
    per_x, per_y, per_z = one / design.df[0], one / design.df[1], one / design.df[2]
    # These are 2 (rank - 1) / (rank (rank + 2)) and 3 / (rank (rank + 2)), with rank 2.
    correction, per_welch = np.float32(1 / 4), np.float32(3 / 8)
    of_first, of_second = -x / z, -y / z
    forms, per_df, marks = memory[2], memory[3], memory[4]
    for i in range(n):
        a, b, square_a, square_b = first[i], second[i], first_squares[i], second_squares[i]
        c = of_first * a + of_second * b if misses_last else last[i]
        square_c = one - square_a - square_b if misses_last else last_squares[i]
        rest_x, rest_y, rest_z = square_a - a * a, square_b - b * b, square_c - c * c
        needed_x = max(own_x * square_a + total_x, lowest_x)
        needed_y = max(own_y * square_b + total_y, lowest_y)
        needed_z = max(own_z * square_c + total_z, lowest_z)
        digits = min(min(rest_x - needed_x, rest_y - needed_y), rest_z - needed_z)
        variance_x = max(rest_x, needed_x) * per_x
        variance_y = max(rest_y, needed_y) * per_y
        variance_z = max(rest_z, needed_z) * per_z
        part_x = x * x * (variance_y * variance_z)
        part_y = y * y * (variance_x * variance_z)
        part_z = z * z * (variance_x * variance_y)
        scale = one / (part_x + part_y + part_z)
        x_y, x_z, y_z = y * a - x * b, z * a - x * c, z * b - y * c
        form = variance_z * (x_y * x_y) + variance_y * (x_z * x_z) + variance_x * (y_z * y_z)
        share_x = (part_y + part_z) * scale
        share_y = (part_x + part_z) * scale
        share_z = (part_x + part_y) * scale
        sums = per_x * share_x * share_x + per_y * share_y * share_y + per_z * share_z * share_z
        forms[i] = form * scale / (one + correction * sums)
        per_df[i] = sums * per_welch
        marks[i] = mark_of(digits, zero, design.most_scale, one)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _forms_of_one_row(
    products: np.ndarray,
    squares: np.ndarray,
    row: int,
    of_squares: int,
    start: int,
    n: int,
    design: GroupMeans,
    memory: np.ndarray,
) -> None:
    """Write the squares of v of several groups, one divided by their df, and their marks."""
    n_groups, n_given = design.df.size, products.shape[0]
    zero, one = np.float32(0), np.float32(1)
    if n_given < n_groups:
        _write_last(products, squares, row, of_squares, start, n, design, memory)
    estimates, sums, digits, scale = memory[2], memory[3], memory[4], memory[5]
    estimates[:n], sums[:n], digits[:n], scale[:n] = zero, zero, one, zero
    for group in range(n_groups):
        product, square = memory[0, :n], memory[1, :n]
        if group < n_given:
            product = products[group, row, start : start + n]
            square = squares[group, of_squares, start : start + n]
        own, total = design.needed_of_own[group], design.needed_of_total[group]
        along, per_df, lowest = (
            design.direction[group],
            one / design.df[group],
            design.lowest[group],
        )
        for i in range(n):
            rest = square[i] - product[i] * product[i]
            needed = max(own * square[i] + total, lowest)
            digits[i] = min(digits[i], rest - needed)
            share = along * along * per_df * max(rest, needed)
            scale[i] += share
            sums[i] += per_df * share * share
            estimates[i] += along * product[i]
    for i in range(n):
        per_variance = one / scale[i]
        estimate = estimates[i]
        sums[i] *= per_variance * per_variance
        sign = estimate if design.has_sign else one
        digits[i] = mark_of(digits[i], per_variance, design.most_scale, sign)
        estimates[i] = estimate * estimate * per_variance


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def _forms_of_several_rows(
    products: np.ndarray,
    squares: np.ndarray,
    row: int,
    of_squares: int,
    start: int,
    n: int,
    design: GroupMeans,
    memory: np.ndarray,
) -> None:
    """Write rank times G, one divided by its df, and its marks."""
    n_groups, n_given, rank = design.df.size, products.shape[0], design.rank
    zero, one = np.float32(0), np.float32(1)
    if n_given < n_groups:
        _write_last(products, squares, row, of_squares, start, n, design, memory)
    forms, sums, digits, means = memory[2], memory[3], memory[4], memory[5]
    weights = memory[6 + N_ROWS :]
    means[:n], sums[:n], digits[:n] = zero, zero, one
    for group in range(n_groups):
        product, square = memory[0, :n], memory[1, :n]
        if group < n_given:
            product = products[group, row, start : start + n]
            square = squares[group, of_squares, start : start + n]
        own, total = design.needed_of_own[group], design.needed_of_total[group]
        df, lowest, of_nuisance = design.df[group], design.lowest[group], design.relation[group]
        weight = weights[group]
        for i in range(n):
            rest = square[i] - product[i] * product[i]
            needed = max(own * square[i] + total, lowest)
            digits[i] = min(digits[i], rest - needed)
            weight[i] = df / max(rest, needed)
            along_nuisance = of_nuisance * weight[i]
            sums[i] += of_nuisance * along_nuisance
            means[i] += along_nuisance * product[i]
    # From here on, one divided by the sum of weights.
    per_weight = memory[6]
    for i in range(n):
        per_weight[i] = one / sums[i]
        means[i] *= per_weight[i]
        forms[i], sums[i] = zero, zero
        digits[i] = mark_of(digits[i], zero, design.most_scale, one)
    for group in range(n_groups):
        product = memory[0, :n]
        if group < n_given:
            product = products[group, row, start : start + n]
        of_nuisance, per_df, weight = design.relation[group], one / design.df[group], weights[group]
        for i in range(n):
            deviation = product[i] - of_nuisance * means[i]
            forms[i] += weight[i] * deviation * deviation
            share = one - of_nuisance * of_nuisance * weight[i] * per_weight[i]
            sums[i] += per_df * share * share
    correction = np.float32(2 * (rank - 1) / (rank * (rank + 2)))
    per_welch = np.float32(3 / (rank * (rank + 2)))
    for i in range(n):
        forms[i] /= one + correction * sums[i]
        sums[i] *= per_welch
