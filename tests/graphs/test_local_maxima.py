"""Local maxima, against their definition node by node."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from ari_estimator.graphs import GraphUnion, MeshGraph, VoxelGrid, local_maxima


def row(n):
    return VoxelGrid(np.ones((1, 1, n), dtype=bool))


def maxima_by_definition(graph, values, labels):
    """Return the maxima by growing a plateau around each node."""
    neighbours = {node: [] for node in range(graph.n_nodes)}
    for one, other in graph.edges([True] * graph.n_nodes).tolist():
        if labels[one] == labels[other]:
            neighbours[one].append(other)
            neighbours[other].append(one)
    is_maximum = np.zeros(graph.n_nodes, dtype=bool)
    for node in np.flatnonzero(labels > 0).tolist():
        plateau, open_ends = {node}, [node]
        rim = set()
        while open_ends:
            for other in neighbours[open_ends.pop()]:
                if values[other] != values[node]:
                    rim.add(other)
                elif other not in plateau:
                    plateau.add(other)
                    open_ends.append(other)
        is_maximum[node] = node == min(plateau) and all(
            values[other] < values[node] for other in rim
        )
    return is_maximum


@st.composite
def graphs(draw):
    n_vertices = draw(st.integers(1, 12))
    faces = draw(
        arrays(int, (draw(st.integers(0, 12)), 3), elements=st.integers(0, n_vertices - 1))
    )
    mask = draw(arrays(bool, n_vertices, elements=st.sampled_from([True, True, True, False])))
    volume = draw(arrays(bool, (2, 3, 3), elements=st.sampled_from([True, True, False])))
    grid = VoxelGrid(volume, draw(st.sampled_from([6, 18, 26])))
    mesh = MeshGraph(faces, mask)
    return draw(st.sampled_from([grid, mesh, GraphUnion([mesh, grid])]))


# Few numbers, so that many are equal.
NUMBERS = [
    arrays(np.int64, 64, elements=st.integers(0, 2), fill=st.nothing()),
    arrays(np.float64, 64, elements=st.sampled_from([-np.inf, -1.5, 0, np.inf]), fill=st.nothing()),
]


@given(
    graphs(),
    st.one_of(NUMBERS),
    arrays(np.int32, 64, elements=st.sampled_from([1, 1, 1, 2, 0, -1]), fill=st.nothing()),
)
@settings(max_examples=400)
def test_local_maxima_equal_their_definition(graph, values, labels):
    values, labels = values[: graph.n_nodes], labels[: graph.n_nodes]
    is_maximum = local_maxima(graph, values, labels)
    assert is_maximum.dtype == bool
    assert_array_equal(is_maximum, maxima_by_definition(graph, values, labels))


@pytest.mark.parametrize("n_levels", [3, 10, 10**6])
def test_each_component_has_its_largest_value_among_its_maxima(n_levels):
    rng = np.random.default_rng(0)
    grid = VoxelGrid(rng.random((12, 12, 12)) < 0.9)
    labels, n_components = grid.components(rng.random(grid.n_nodes) < 0.35)
    values = rng.integers(n_levels, size=grid.n_nodes)
    is_maximum = local_maxima(grid, values, labels)
    assert n_components > 20
    assert is_maximum.sum() > n_components
    for label in range(1, n_components + 1):
        inside = labels == label
        assert values[inside & is_maximum].max() == values[inside].max()
    assert_array_equal(is_maximum, maxima_by_definition(grid, values, labels))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2, 2, 1, 0], [1, 0, 0, 0]),
        ([2, 2, 3, 0], [0, 0, 1, 0]),
        ([3, 2, 2, 3], [1, 0, 0, 1]),
        ([1, 2, 2, 1], [0, 1, 0, 0]),
        ([5, 5, 5, 5], [1, 0, 0, 0]),
        ([-np.inf, -np.inf, 0, np.inf], [0, 0, 0, 1]),
        ([np.inf, np.inf, 0, np.inf], [1, 0, 0, 1]),
        ([-np.inf] * 4, [1, 0, 0, 0]),
    ],
)
def test_a_plateau_has_one_maximum_unless_something_beside_it_is_higher(values, expected):
    assert local_maxima(row(4), values, [1] * 4).astype(int).tolist() == expected


def test_a_plateau_falls_as_a_whole_when_only_its_far_end_is_exceeded():
    assert np.flatnonzero(local_maxima(row(6), [4, 4, 4, 4, 4, 5], [1] * 6)).tolist() == [5]


def test_the_node_of_the_lowest_rank_stands_for_a_plateau():
    values, labels = [2, 2, 2, 0, 3, 3], [1] * 6
    assert np.flatnonzero(local_maxima(row(6), values, labels)).tolist() == [0, 4]
    ranks = [5, 1, 4, 0, 3, 2]
    assert np.flatnonzero(local_maxima(row(6), values, labels, ranks)).tolist() == [1, 5]
    with pytest.raises(ValueError, match="ranks must have shape"):
        local_maxima(row(6), values, labels, ranks[:5])


def test_neighbours_with_other_labels_do_not_matter():
    is_maximum = local_maxima(row(6), [1, 2, 9, 3, 3, 4], [1, 1, 0, 2, 3, 4])
    assert is_maximum.astype(int).tolist() == [0, 1, 0, 1, 1, 1]


def test_a_node_on_its_own_is_a_maximum():
    assert local_maxima(row(3), [-np.inf, 0, 0], [1, 0, 1]).tolist() == [True, False, True]


def test_large_integers_are_compared_exactly():
    # As doubles they would be equal.
    assert local_maxima(row(2), [2**60, 2**60 + 1], [1, 1]).tolist() == [False, True]


def test_without_nodes_there_is_nothing():
    assert local_maxima(MeshGraph([], np.zeros(0, dtype=bool)), [], []).shape == (0,)


def test_inputs_are_not_changed():
    values, labels = np.array([2.0, 2.0, 1.0]), np.array([1, 1, 1])
    local_maxima(row(3), values, labels)
    assert values.tolist() == [2, 2, 1]
    assert labels.tolist() == [1, 1, 1]


def test_nan_is_refused():
    with pytest.raises(ValueError, match=r"values must not hold NaN\. Got 2 of 3"):
        local_maxima(row(3), [np.nan, 1, np.nan], [0, 1, 1])


@pytest.mark.parametrize("values", [[1j, 2, 3], ["a", "b", "c"], [None, 1, 2]])
def test_values_that_are_not_numbers_are_refused(values):
    with pytest.raises(ValueError, match="values must hold real numbers"):
        local_maxima(row(3), values, [1, 1, 1])


@pytest.mark.parametrize("labels", [[1.0, 1.0, 0.0], [True, True, False]])
def test_labels_that_are_not_integers_are_refused(labels):
    with pytest.raises(ValueError, match="labels must hold integers"):
        local_maxima(row(3), [1, 2, 3], labels)


@pytest.mark.parametrize("name", ["values", "labels"])
@pytest.mark.parametrize("shape", [(2,), (4,), (1, 3)])
def test_arrays_of_another_length_than_the_graph_are_refused(name, shape):
    arguments = {"values": np.ones(3), "labels": np.ones(3, dtype=int)}
    arguments[name] = np.ones(shape, dtype=int)
    with pytest.raises(ValueError, match=rf"{name} must have shape \(3,\).* Got shape"):
        local_maxima(row(3), **arguments)
