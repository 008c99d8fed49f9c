"""The forest of all clusters, against a flood fill from each node."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter

from ari_estimator.graphs import ClusterForest, GraphUnion, MeshGraph, VoxelGrid

CONNECTIVITIES = [6, 18, 26]


@st.composite
def grids(draw):
    mask = draw(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=4)))
    return VoxelGrid(mask, draw(st.sampled_from(CONNECTIVITIES)))


@st.composite
def meshes(draw):
    """Draw a mesh of few vertices, so that much degenerates."""
    most = st.sampled_from([True, True, True, False])
    mask = draw(arrays(bool, st.integers(0, 12), elements=most, fill=st.nothing()))
    n_faces = draw(st.integers(0, 12)) if mask.size else 0
    corners = st.integers(0, max(mask.size - 1, 0))
    return MeshGraph(draw(arrays(int, (n_faces, 3), elements=corners)), mask)


GRAPHS = grids() | meshes() | st.lists(grids() | meshes(), max_size=3).map(GraphUnion)

HEIGHTS = st.sampled_from(
    [
        st.just(0.0),
        st.sampled_from([0.0, -0.0, 1.0]),
        st.integers(0, 4).map(lambda k: k / 4),
        st.floats(-1, 1),
        st.floats(allow_nan=False),
    ]
)


@st.composite
def graphs_with_heights(draw):
    graph = draw(GRAPHS)
    elements = draw(HEIGHTS)
    return graph, draw(arrays(float, graph.n_nodes, elements=elements, fill=st.nothing()))


def random_graph(rng, depth=0):
    """Return a small graph of any kind."""
    kind = rng.integers(3 - depth)
    if kind == 0:
        shape = rng.integers(1, 4, 3)
        return VoxelGrid(rng.random(shape) < rng.random() * 1.5, int(rng.choice(CONNECTIVITIES)))
    if kind == 1:
        n = int(rng.integers(1, 15))
        faces = rng.integers(0, n, (int(rng.integers(0, n + 1)), 3))
        return MeshGraph(faces, rng.random(n) < 0.8)
    return GraphUnion(random_graph(rng, depth=1) for _ in range(rng.integers(0, 4)))


def random_heights(rng, n):
    kind = rng.integers(4)
    if kind == 0:
        return np.full(n, rng.choice([0.0, 0.3, 1.0]))
    return rng.random(n) if kind == 1 else rng.integers(0, [3, 8][kind - 2], n) / 10


def neighbours_of(graph):
    neighbours = [[] for _ in range(graph.n_nodes)]
    for one, other in graph.edges(np.ones(graph.n_nodes, dtype=bool)).tolist():
        neighbours[one].append(other)
        neighbours[other].append(one)
    return neighbours


def members_by_flood_fill(graph, heights):
    """Return, for each node, those connected with it through nodes that come before it."""
    neighbours = neighbours_of(graph)
    keys = list(zip(heights.tolist(), range(heights.size), strict=True))
    members = []
    for root in range(graph.n_nodes):
        reached, open_ends = {root}, [root]
        while open_ends:
            for other in neighbours[open_ends.pop()]:
                if other not in reached and keys[other] < keys[root]:
                    reached.add(other)
                    open_ends.append(other)
        members.append(reached)
    return members


def check_forest(graph, heights):
    """Compare all arrays of a forest with what they stand for."""
    forest = ClusterForest(graph, heights)
    n = graph.n_nodes
    elements, starts, parents = forest.elements, forest.starts, forest.parents
    for array in (elements, starts, parents, forest.sizes):
        assert array.dtype == np.int32
        assert array.shape == (n,)
    assert forest.is_cluster.dtype == bool
    assert sorted(elements.tolist()) == list(range(n))

    expected = members_by_flood_fill(graph, heights)
    for position, (element, start) in enumerate(zip(elements, starts, strict=True)):
        members = set(elements[start : position + 1].tolist())
        assert members == expected[element]
        assert forest.sizes[position] == len(members)
        # The next larger cluster is the smallest with more members.
        larger = [m for m in expected if element in m and len(m) > len(members)]
        parent = parents[position]
        if parent < 0:
            assert larger == []
            is_tied = False
        else:
            assert parent > position
            assert expected[elements[parent]] == min(larger, key=len)
            is_tied = heights[elements[parent]] == heights[element]
        assert forest.is_cluster[position] == (not is_tied)

    # The largest child starts where its parent does.
    for position in range(n):
        sizes = forest.sizes[parents == position]
        if sizes.size:
            first = (parents == position) & (starts == starts[position])
            assert forest.sizes[first].tolist() == [sizes.max()]


@given(graphs_with_heights())
@settings(max_examples=120)
def test_clusters_equal_a_flood_fill_from_each_node(graph_and_heights):
    check_forest(*graph_and_heights)


@pytest.mark.parametrize("seed", range(4))
def test_clusters_of_many_random_graphs_equal_a_flood_fill(seed):
    rng = np.random.default_rng(seed)
    for _ in range(400):
        graph = random_graph(rng)
        check_forest(graph, random_heights(rng, graph.n_nodes))


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_clusters_of_a_larger_grid_equal_the_components_at_each_threshold(connectivity, decimals):
    rng = np.random.default_rng(connectivity)
    graph = VoxelGrid(rng.random((14, 15, 16)) < 0.7, connectivity)
    heights = rng.random(graph.n_nodes).round(decimals)
    forest = ClusterForest(graph, heights)
    of_roots = heights[forest.elements]
    of_parents = np.where(forest.parents < 0, np.inf, of_roots[forest.parents])
    for threshold in np.quantile(heights, [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 1]):
        labels, n_components = graph.components(heights <= threshold)
        roots = np.flatnonzero((of_roots <= threshold) & (of_parents > threshold))
        assert forest.is_cluster[roots].all()
        assert roots.size == n_components
        for root in roots:
            members = forest.elements[forest.starts[root] : root + 1]
            component = labels[members[0]]
            assert component > 0
            assert_array_equal(np.sort(members), np.flatnonzero(labels == component))


def clusters(graph, heights, names):
    """Return all clusters that thresholds form, as sets of names."""
    forest = ClusterForest(graph, heights)
    named = np.asarray(names)[forest.elements].tolist()
    found = [frozenset(named[forest.starts[i] : i + 1]) for i in np.flatnonzero(forest.is_cluster)]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@pytest.mark.parametrize("n_values", [1, 3, 10, 1000])
def test_order_of_voxels_makes_no_difference_to_clusters(connectivity, n_values):
    rng = np.random.default_rng(n_values)
    mask = rng.random((4, 3, 5)) < 0.8
    heights, names = rng.integers(n_values, size=mask.shape), np.arange(mask.size)
    names = names.reshape(mask.shape)
    expected = clusters(VoxelGrid(mask, connectivity), heights[mask], names[mask])
    for axes, flips in product(permutations(range(3)), product([1, -1], repeat=3)):
        flip = tuple(slice(None, None, step) for step in flips)
        moved, moved_heights, moved_names = (
            volume.transpose(axes)[flip] for volume in (mask, heights, names)
        )
        graph = VoxelGrid(moved, connectivity)
        assert clusters(graph, moved_heights[moved], moved_names[moved]) == expected


@pytest.mark.parametrize("seed", range(100))
def test_numbers_of_vertices_make_no_difference_to_clusters(seed):
    rng = np.random.default_rng(seed)
    faces, mask = rng.integers(0, 30, (25, 3)), rng.random(30) < 0.9
    heights = rng.integers(0, [1, 2, 5, 20, 1000][seed % 5], 30)
    numbers = rng.permutation(30)
    old = np.argsort(numbers)
    expected = clusters(MeshGraph(faces, mask), heights[mask], np.flatnonzero(mask))
    moved = MeshGraph(numbers[faces], mask[old])
    assert clusters(moved, heights[old][mask[old]], old[mask[old]]) == expected


def test_all_heights_equal_make_a_cluster_of_each_component():
    graph = VoxelGrid(np.array([[[True, True, False, True, False, True]]]))
    forest = ClusterForest(graph, [0.0] * 4)
    assert forest.is_cluster.sum() == 3
    assert sorted(forest.sizes[forest.is_cluster].tolist()) == [1, 1, 2]


@pytest.mark.parametrize("heights", [np.arange(3000.0), np.arange(3000.0)[::-1]])
def test_a_long_row_that_rises_is_a_chain(heights):
    forest = ClusterForest(VoxelGrid(np.ones((1, 1, 3000), dtype=bool)), heights)
    assert_array_equal(forest.elements, np.argsort(heights))
    assert_array_equal(forest.starts, np.zeros(3000))
    assert_array_equal(forest.parents, [*range(1, 3000), -1])


@pytest.mark.parametrize(
    "graph",
    [
        VoxelGrid(np.zeros((2, 2, 2), dtype=bool), 26),
        MeshGraph([], np.zeros(3, dtype=bool)),
        GraphUnion([]),
    ],
    ids=["grid", "mesh", "union"],
)
def test_a_graph_without_nodes_has_no_clusters(graph):
    forest = ClusterForest(graph, [])
    assert forest.elements.size == forest.starts.size == forest.sizes.size == 0


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        ([0.1, 0.2], r"shape \(3,\), one for each node, not NaN. Got shape \(2,\)\."),
        ([[0.1, 0.2, 0.3]], r"Got shape \(1, 3\)\."),
        ([0.1, np.nan, 0.3], r"Got shape \(3,\) with NaN\."),
    ],
    ids=["too few", "two-dimensional", "NaN"],
)
def test_heights_that_are_not_one_number_for_each_node_are_refused(heights, message):
    with pytest.raises(ValueError, match=message):
        ClusterForest(VoxelGrid(np.ones((1, 1, 3), dtype=bool)), heights)


class _WithoutPatterns:
    """A grid whose neighbours are visited one by one."""

    def __init__(self, grid):
        self.grid = grid
        self.n_nodes = grid.n_nodes

    def neighbourhoods(self):
        return [part._replace(patterns=None) for part in self.grid.neighbourhoods()]


@pytest.mark.parametrize("connectivity", [18, 26])
@pytest.mark.parametrize("smoothing", [0, 1.5])
@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_a_grid_need_not_visit_all_neighbours(connectivity, smoothing, share):
    """Of neighbours that touch each other, one is enough."""
    rng = np.random.default_rng(0)
    shape = (9, 12, 10)
    mask = rng.random(shape) < share
    heights = np.round(gaussian_filter(rng.standard_normal(shape), smoothing)[mask], 3)
    grid = VoxelGrid(mask, connectivity)
    one, other = ClusterForest(grid, heights), ClusterForest(_WithoutPatterns(grid), heights)
    for name in ("elements", "starts", "parents", "is_cluster"):
        assert_array_equal(getattr(one, name), getattr(other, name))
