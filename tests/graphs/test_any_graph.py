"""Graphs of matrices, products and edges of networks, against a search pair by pair."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from scipy import sparse

from ari_estimator import TDPForest
from ari_estimator.closed_testing import Hommel
from ari_estimator.graphs import (
    AdjacencyGraph,
    ClusterForest,
    MeshGraph,
    VoxelGrid,
    edges_of,
    local_maxima,
    product,
)


@st.composite
def matrices(draw, most=7):
    """Draw a symmetric matrix of neighbours, with any weights and diagonal."""
    n_nodes = draw(st.integers(1, most))
    weights = st.sampled_from([0, 0, 1, 0.5])
    upper = np.triu(draw(arrays(float, (n_nodes, n_nodes), elements=weights, fill=st.nothing())))
    return upper + np.triu(upper, 1).T


def _are_neighbours(matrix):
    """Return a matrix of booleans, without the diagonal."""
    return (matrix != 0) & ~np.eye(len(matrix), dtype=bool)


@st.composite
def graphs_of_matrices(draw):
    matrix = draw(matrices(9))
    made = draw(st.sampled_from([np.asarray, sparse.coo_array, sparse.csc_matrix]))
    return AdjacencyGraph(made(matrix)), _are_neighbours(matrix)


@st.composite
def products(draw):
    """Draw a product, and whether two nodes differ in one factor, in which they are neighbours."""
    factors = draw(st.lists(st.integers(1, 4) | matrices(4), min_size=1, max_size=3))
    chains = [np.eye(n, k=1) + np.eye(n, k=-1) if isinstance(n, int) else n for n in factors]
    are_neighbours = [_are_neighbours(chain) for chain in chains]
    nodes = list(np.ndindex(*(len(chain) for chain in chains)))
    expected = np.zeros((len(nodes), len(nodes)), dtype=bool)
    for i, one in enumerate(nodes):
        for j, other in enumerate(nodes):
            differing = [axis for axis, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
            if len(differing) == 1:
                (axis,) = differing
                expected[i, j] = are_neighbours[axis][one[axis], other[axis]]
    made = [factor if isinstance(factor, int) else AdjacencyGraph(factor) for factor in factors]
    return product(*made), expected


@st.composite
def networks(draw):
    """Draw a network, and whether two of its edges share a node."""
    network = draw(st.integers(2, 5) | matrices(6))
    n = network if isinstance(network, int) else len(network)
    has_edge = np.ones((n, n)) if isinstance(network, int) else network
    edges = [set(pair) for pair in combinations(range(n), 2) if has_edge[pair] != 0]
    expected = [[bool(one & other) and one != other for other in edges] for one in edges]
    return edges_of(network), np.array(expected, dtype=bool).reshape(len(edges), len(edges))


def _flood_fill(are_neighbours, selected):
    labels, n_components = np.zeros(len(selected), dtype=int), 0
    for start in np.flatnonzero(selected):
        if labels[start]:
            continue
        n_components += 1
        open_ends = [start]
        while open_ends:
            node = open_ends.pop()
            labels[node] = n_components
            open_ends += np.flatnonzero(are_neighbours[node] & selected & (labels == 0)).tolist()
    return labels, n_components


@pytest.mark.parametrize(
    "graphs",
    [graphs_of_matrices(), products(), networks()],
    ids=["matrix", "product", "edges"],
)
def test_components_pairs_and_neighbours_equal_a_search_pair_by_pair(graphs):
    @given(graphs, st.data())
    @settings(max_examples=150)
    def check(graph_and_neighbours, data):
        graph, are_neighbours = graph_and_neighbours
        assert graph.n_nodes == len(are_neighbours)
        most = st.sampled_from([True, True, False])
        selected = data.draw(arrays(bool, graph.n_nodes, elements=most, fill=st.nothing()))
        labels, n_components = graph.components(selected)
        expected, n_expected = _flood_fill(are_neighbours, selected)
        assert n_components == n_expected
        assert labels.dtype == np.int32
        assert_array_equal(labels, expected)
        both = np.triu(are_neighbours & np.outer(selected, selected))
        assert_array_equal(graph.edges(selected), np.argwhere(both))
        (found,) = graph.neighbourhoods()
        assert all(a.dtype == np.int32 and a.shape == (graph.n_nodes,) for a in found[:1])
        node_in = {int(slot): node for node, slot in enumerate(found.slots)}
        assert len(node_in) == graph.n_nodes
        for node in range(graph.n_nodes):
            slots = found.bases[node] + found.offsets[found.starts[node] : found.stops[node]]
            assert all(0 <= slot < found.n_slots for slot in slots)
            read = {node_in[int(slot)] for slot in slots if int(slot) in node_in} - {node}
            assert read == set(np.flatnonzero(are_neighbours[node]).tolist())

    check()


def _same_forest(one, other, heights):
    one, other = ClusterForest(one, heights), ClusterForest(other, heights)
    for name in ("elements", "starts", "parents", "is_cluster"):
        assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 6, 2), (7, 1, 1)])
def test_a_product_of_chains_is_a_grid(shape):
    rng = np.random.default_rng(0)
    grid, graph = VoxelGrid(np.ones(shape, dtype=bool), 6), product(*shape)
    selected = rng.random(graph.n_nodes) > 0.4
    assert_array_equal(graph.components(selected)[0], grid.components(selected)[0])
    assert_array_equal(graph.edges(selected), grid.edges(selected))
    heights = rng.integers(0, 9, graph.n_nodes)
    _same_forest(graph, grid, heights)
    everywhere = np.ones(graph.n_nodes, dtype=int)
    found = [local_maxima(one, heights, everywhere) for one in (graph, grid)]
    assert_array_equal(*found)


def test_a_product_is_its_matrix():
    """The matrix that MNE's combine_adjacency makes: a sum of Kronecker products."""
    rng = np.random.default_rng(1)
    sensors = np.triu(rng.random((6, 6)) > 0.6, 1)
    sensors = sensors | sensors.T
    times = np.eye(5, k=1) + np.eye(5, k=-1)
    matrix = np.kron(np.eye(5), sensors) + np.kron(times, np.eye(6))
    graph, stored = product(5, AdjacencyGraph(sensors)), AdjacencyGraph(matrix)
    _same_forest(graph, stored, rng.random(30))
    selected = rng.random(30) > 0.3
    assert_array_equal(graph.components(selected)[0], stored.components(selected)[0])


def test_the_matrix_of_a_mesh_is_the_mesh():
    rng = np.random.default_rng(2)
    faces = rng.integers(0, 20, (25, 3))
    matrix = np.zeros((20, 20), dtype=bool)
    for face in faces:
        matrix[np.ix_(face, face)] = True
    mesh, graph = MeshGraph(faces, np.ones(20, dtype=bool)), AdjacencyGraph(matrix)
    _same_forest(graph, mesh, rng.random(20))
    assert_array_equal(graph.edges(np.ones(20)), mesh.edges(np.ones(20)))


def test_of_a_product_nothing_but_its_factors_is_stored():
    ring = AdjacencyGraph(np.roll(np.eye(30), 1, axis=0) + np.roll(np.eye(30), -1, axis=0))
    (found,) = product(ring, 50, 20).neighbourhoods()
    # Two sensors, and two steps along each chain, for each sensor.
    assert found.offsets.size == 30 * (2 + 2 * 2)


def test_clusters_of_a_network_are_its_connected_parts():
    """Two triangles with a node in common are one part; a pair elsewhere is another."""
    pairs = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (2, 4), (6, 7)]
    network = np.zeros((8, 8), dtype=int)
    for pair in pairs:
        network[pair] = network[pair[::-1]] = 1
    labels, n_components = edges_of(8).components(network[np.triu_indices(8, 1)])
    assert n_components == 2
    assert_array_equal(labels[labels > 0], [1] * 6 + [2])
    assert edges_of(network).n_nodes == len(pairs)


def test_the_forest_of_sensors_and_time_has_all_clusters_and_their_bounds():
    rng = np.random.default_rng(3)
    matrix = np.triu(rng.random((8, 8)) > 0.7, 1)
    graph = product(AdjacencyGraph(matrix | matrix.T), 12)
    p_values = rng.random(graph.n_nodes) ** 4
    bounds = Hommel(p_values).bounds(0.05)
    forest = TDPForest.from_bounds(graph, bounds)
    for root, start, bound in zip(
        range(graph.n_nodes), forest.starts, forest.true_discoveries, strict=True
    ):
        members = forest.elements[start : root + 1]
        labels, _ = graph.components(p_values <= p_values[forest.elements[root]])
        cluster = np.flatnonzero(labels == labels[forest.elements[root]])
        assert_array_equal(np.sort(members), cluster)
        assert bound == bounds.of_set(cluster)


@pytest.mark.parametrize(
    ("matrix", "error", "said"),
    [
        (np.ones((2, 3)), ValueError, r"adjacency must be square.*Got shape \(2, 3\)"),
        (np.ones(4), ValueError, r"adjacency must be square.*Got shape \(4,\)"),
        ([[0, np.nan], [np.nan, 0]], ValueError, "NaN.*Got nan in row 0 and column 1"),
        ([[0, np.inf], [np.inf, 0]], ValueError, "Got inf in row 0 and column 1"),
        ([[0, -1], [-1, 0]], ValueError, "negative.*Got -1.*matrix > threshold"),
        ([[0, 0], [1, 0]], ValueError, "symmetric.*row 1 and column 0.*matrix \\+ matrix.T"),
        ([["a", "b"], ["c", "d"]], TypeError, "adjacency must hold real numbers"),
        (np.ones((2, 2), dtype=complex), TypeError, "adjacency must hold real numbers"),
    ],
    ids=["wide", "flat", "nan", "inf", "negative", "one-way", "text", "complex"],
)
@pytest.mark.parametrize("made", [np.asarray, sparse.csr_array], ids=["array", "sparse"])
def test_a_matrix_that_is_no_adjacency_is_refused(matrix, error, said, made):
    given = np.asarray(matrix)
    # There are no sparse matrices of text, and no flat ones in old formats.
    given = made(given) if given.ndim == 2 and given.dtype.kind != "U" else given
    with pytest.raises(error, match=said):
        AdjacencyGraph(given)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float32, bool])
def test_repeated_entries_of_a_sparse_matrix_never_cancel(dtype):
    values = np.full(512, 1).astype(dtype)  # 256 of them for each entry: 0 as a sum of uint8
    ends = np.repeat([0, 1], 256)
    graph = AdjacencyGraph(sparse.coo_array((values, (ends, 1 - ends)), shape=(2, 2)))
    assert graph.edges([True, True]).tolist() == [[0, 1]]


def test_a_matrix_stays_as_it_was_and_may_be_read_only():
    # With repeated entries, and a 0 that is stored.
    given = sparse.csr_array(([1.0, 1.0, 0.0, 1.0], [1, 1, 0, 0], [0, 3, 4]), shape=(2, 2))
    for array in (given.data, given.indices, given.indptr):
        array.flags.writeable = False
    assert AdjacencyGraph(given).edges([True, True]).tolist() == [[0, 1]]
    assert given.data.tolist() == [1, 1, 0, 1]
    assert given.indptr.tolist() == [0, 3, 4]


def test_half_precision_is_read():
    assert AdjacencyGraph(np.ones((2, 2), dtype=np.float16)).edges([True, True]).size == 2


def test_masked_and_ragged_matrices_are_refused_by_name():
    masked = np.ma.masked_array(np.ones((2, 2)), mask=[[0, 1], [1, 0]])
    with pytest.raises(ValueError, match=r"adjacency must not be masked\. Got 2 masked values"):
        AdjacencyGraph(masked)
    with pytest.raises(ValueError, match="network must have rows of the same length"):
        edges_of([[0, 1], [1]])


def test_a_matrix_with_the_names_of_its_rows_is_refused():
    with pytest.raises(ValueError, match="Got a tuple that holds one"):
        AdjacencyGraph((sparse.csr_array(np.eye(2)), ["Cz", "Pz"]))


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8, np.int8])
def test_a_chain_may_be_any_integer_of_numpy(dtype):
    graph, heights = product(dtype(100), AdjacencyGraph(np.ones((2, 2)))), np.arange(200) % 7
    _same_forest(graph, product(100, AdjacencyGraph(np.ones((2, 2)))), heights)


def test_a_product_of_products_is_one_product():
    triangle = AdjacencyGraph(np.ones((3, 3)))
    heights = np.random.default_rng(4).integers(0, 9, 72)
    expected = product(2, triangle, 3, 4)
    _same_forest(product(2, product(product(triangle, 3), 4)), expected, heights)


@pytest.mark.parametrize(
    ("factors", "error", "said"),
    [
        ((), ValueError, "product must have factors"),
        ((0,), ValueError, "Factor 0 of a product must have a node or more"),
        ((3, np.eye(3)), TypeError, "Factor 1 .*ndarray.*AdjacencyGraph makes a graph"),
        ((True,), TypeError, "Factor 0 of a product must be a graph or an int"),
        ((2**15, 2**15), ValueError, "fewer than 2\\^30 nodes"),
        ((10**30,), ValueError, "fewer than 2\\^30 nodes"),
        ((1,) * 33, ValueError, "at most 32 factors. Got 33"),
        ((VoxelGrid,), TypeError, "Factor 0 of a product must be a graph or an int. Got type"),
        ((edges_of(60), edges_of(120)), ValueError, "fewer than 2\\^31 neighbours"),
    ],
    ids=["none", "empty", "matrix", "boolean", "large", "huge", "many", "class", "neighbours"],
)
def test_factors_that_are_none_are_refused(factors, error, said):
    with pytest.raises(error, match=said):
        product(*factors)


@pytest.mark.parametrize(
    ("network", "error", "said"),
    [
        (1, ValueError, "network must have 2 nodes or more"),
        (True, ValueError, "network must be square"),
        (1500, ValueError, "network has too many neighbours"),
        (10**10, ValueError, "network has too many neighbours"),
        ([[0, 1], [0, 0]], ValueError, "network must be symmetric"),
    ],
    ids=["one", "boolean", "large", "huge", "one-way"],
)
def test_networks_that_are_none_are_refused(network, error, said):
    with pytest.raises(error, match=said):
        edges_of(network)


@pytest.mark.parametrize(
    "graph",
    [AdjacencyGraph(np.eye(3)), product(3), edges_of(3)],
    ids=["matrix", "product", "edges"],
)
@pytest.mark.parametrize("method", ["components", "edges"])
def test_a_selection_of_another_length_is_refused(graph, method):
    with pytest.raises(ValueError, match=r"selected must have shape \(3,\).*Got shape \(4,\)"):
        getattr(graph, method)([True] * 4)
