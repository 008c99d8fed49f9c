"""Neighbours on a triangle mesh, against a search vertex by vertex."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from ari_estimator.graphs import MeshGraph


def neighbouring_pairs(faces, mask, selected):
    """Return pairs of nodes, in ascending order, by looking at each pair of corners."""
    nodes = {int(vertex): node for node, vertex in enumerate(np.flatnonzero(mask))}
    pairs = set()
    for face in faces:
        for one, other in combinations(map(int, face), 2):
            if one != other and one in nodes and other in nodes:
                pair = sorted((nodes[one], nodes[other]))
                if selected[pair[0]] and selected[pair[1]]:
                    pairs.add(tuple(pair))
    return [list(pair) for pair in sorted(pairs)]


def flood_fill(pairs, selected):
    """Return labels in the order of first nodes, by visiting nodes one after the other."""
    neighbours = {node: [] for node in range(len(selected))}
    for one, other in pairs:
        neighbours[one].append(other)
        neighbours[other].append(one)
    labels = np.zeros(len(selected), dtype=int)
    n_components = 0
    for start in np.flatnonzero(selected):
        if labels[start]:
            continue
        n_components += 1
        labels[start] = n_components
        open_ends = [start]
        while open_ends:
            for other in neighbours[open_ends.pop()]:
                if not labels[other]:
                    labels[other] = n_components
                    open_ends.append(other)
    return labels, n_components


def disc(n):
    """Return the faces of a square of n by n vertices, each cell cut in two."""
    vertices = np.arange(n * n).reshape(n, n)
    a, b, c, d = vertices[:-1, :-1], vertices[:-1, 1:], vertices[1:, :-1], vertices[1:, 1:]
    return np.concatenate(
        [np.stack(face, axis=-1).reshape(-1, 3) for face in [(a, b, c), (b, d, c)]]
    )


def partition(labels, names):
    """Return the components as sets of names, whatever their numbers."""
    return {frozenset(names[labels == label].tolist()) for label in np.unique(labels[labels > 0])}


@st.composite
def meshes(draw):
    """Draw faces, a mask and a selection; of few vertices, so that much degenerates."""
    n_vertices = draw(st.integers(0, 12))
    n_faces = draw(st.integers(0, 12)) if n_vertices else 0
    faces = draw(arrays(np.int64, (n_faces, 3), elements=st.integers(0, max(n_vertices - 1, 0))))
    # Small masks and selections leave little to get wrong: most are in.
    most = st.sampled_from([True, True, True, False])
    mask = draw(arrays(bool, n_vertices, elements=most, fill=st.nothing()))
    selected = draw(arrays(bool, int(mask.sum()), elements=most, fill=st.nothing()))
    return faces, mask, selected


@given(meshes())
@settings(max_examples=300)
def test_components_and_edges_equal_a_search_vertex_by_vertex(mesh):
    faces, mask, selected = mesh
    graph = MeshGraph(faces, mask)
    expected_edges = neighbouring_pairs(faces, mask, selected)
    edges = graph.edges(selected)
    assert edges.dtype == np.intp
    assert edges.shape[1:] == (2,)
    assert edges.tolist() == expected_edges
    expected, n_expected = flood_fill(expected_edges, selected)
    labels, n_components = graph.components(selected)
    assert labels.dtype == np.int32
    assert n_components == n_expected
    assert_array_equal(labels, expected)


@pytest.mark.parametrize("density", [0.3, 0.5, 0.9])
def test_components_equal_a_search_on_a_larger_mesh(density):
    rng = np.random.default_rng(0)
    faces = rng.permutation(900)[disc(30)]
    mask = rng.random(900) < 0.95
    selected = rng.random(int(mask.sum())) < density
    graph = MeshGraph(rng.permuted(faces, axis=1), mask)
    pairs = neighbouring_pairs(faces, mask, selected)
    expected, n_expected = flood_fill(pairs, selected)
    labels, n_components = graph.components(selected)
    assert n_components == n_expected
    assert_array_equal(labels, expected)
    assert graph.edges(selected).tolist() == pairs


@given(meshes(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_numbers_of_vertices_make_no_difference_to_the_components(mesh, random):
    faces, mask, selected = mesh
    new_numbers = np.array(random.sample(range(mask.size), mask.size), dtype=int)
    labels, n_components = MeshGraph(faces, mask).components(selected)

    new_mask, is_selected = np.zeros_like(mask), np.zeros_like(mask)
    new_mask[new_numbers] = mask
    is_selected[new_numbers[np.flatnonzero(mask)[selected]]] = True
    new_graph = MeshGraph(new_numbers[faces], new_mask)
    new_labels, n_new = new_graph.components(is_selected[new_mask])

    assert n_new == n_components
    assert partition(new_labels, np.flatnonzero(new_mask)) == partition(
        labels, new_numbers[mask.nonzero()]
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_connected_disc_is_one_cluster_whatever_the_numbering_of_vertices(seed):
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(20 * 20)
    rows, columns = np.divmod(np.arange(400), 20)
    inside = (rows - 9) ** 2 + (columns - 10) ** 2 < 49
    selected = np.zeros(400, dtype=bool)
    selected[numbers[inside]] = True
    labels, n_components = MeshGraph(numbers[disc(20)], [True] * 400).components(selected)
    assert n_components == 1
    assert_array_equal(labels, selected)


def test_components_are_numbered_by_their_first_nodes_in_whatever_order_they_are_found(
    monkeypatch,
):
    graph = MeshGraph([[0, 3, 3], [1, 4, 4], [2, 5, 5]], [True] * 6)

    def find_in_another_order(matrix, directed):
        assert matrix.shape == (6, 6)
        assert not directed
        return 3, np.array([1, 2, 0, 1, 2, 0], dtype=np.int32)

    monkeypatch.setattr("ari_estimator.graphs._graph.connected_components", find_in_another_order)
    labels, n_components = graph.components([True] * 6)
    assert labels.tolist() == [1, 2, 3, 1, 2, 3]
    assert n_components == 3


def test_vertices_outside_the_mask_are_neither_nodes_nor_bridges():
    graph = MeshGraph([[0, 1, 2], [2, 3, 4]], [True, True, False, True, True])
    assert graph.n_nodes == 4
    assert graph.components([True] * 4)[0].tolist() == [1, 1, 2, 2]
    assert graph.edges([True] * 4).tolist() == [[0, 1], [2, 3]]


def test_corners_of_a_face_are_neighbours_in_pairs_where_the_third_is_not_selected():
    graph = MeshGraph([[0, 1, 2]], [True] * 3)
    for missing in range(3):
        selected = np.arange(3) != missing
        labels, n_components = graph.components(selected)
        assert n_components == 1
        assert_array_equal(labels, selected)
        assert graph.edges(selected).tolist() == [np.flatnonzero(selected).tolist()]


@pytest.mark.parametrize(
    ("faces", "edges"),
    [
        ([[2, 2, 5]], [[2, 5]]),
        ([[2, 5, 2]], [[2, 5]]),
        ([[5, 2, 2]], [[2, 5]]),
        ([[4, 4, 4]], []),
        ([[0, 1, 2]] * 3, [[0, 1], [0, 2], [1, 2]]),
        ([[0, 1, 2], [0, 2, 1], [2, 1, 0]], [[0, 1], [0, 2], [1, 2]]),
        ([[0, 1, 2], [0, 1, 3], [0, 1, 4]], [[0, 1], *([i, j] for i in (0, 1) for j in (2, 3, 4))]),
        ([[0, 1, 2], [3, 4, 5]], [[0, 1], [0, 2], [1, 2], [3, 4], [3, 5], [4, 5]]),
        ([], []),
        (np.empty((0, 3)), []),
    ],
    ids=[
        "first corner twice",
        "last corner is the first",
        "last corner twice",
        "a single corner",
        "same face again",
        "both orientations",
        "three faces at an edge",
        "disconnected",
        "empty list",
        "empty array",
    ],
)
def test_degenerate_meshes(faces, edges):
    graph = MeshGraph(faces, [True] * 6)
    assert graph.edges([True] * 6).tolist() == edges
    expected, n_expected = flood_fill(edges, [True] * 6)
    labels, n_components = graph.components([True] * 6)
    assert labels.tolist() == expected.tolist()
    assert n_components == n_expected


@pytest.mark.parametrize("selected", [[], [False] * 3])
def test_nothing_selected_has_no_components_and_no_edges(selected):
    graph = MeshGraph([[0, 1, 2]], [bool(selected)] * 3)
    labels, n_components = graph.components(selected)
    assert (labels.tolist(), n_components) == ([0] * len(selected), 0)
    assert graph.edges(selected).shape == (0, 2)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_faces_may_be_integers_of_any_type(dtype, order):
    graph = MeshGraph(np.array([[0, 2, 3], [1, 1, 3]], dtype=dtype, order=order), [True] * 4)
    assert graph.faces.tolist() == [[0, 2, 3], [1, 1, 3]]
    assert graph.edges([True] * 4).tolist() == [[0, 2], [0, 3], [1, 3], [2, 3]]
    assert graph.components([True] * 4)[1] == 1


def test_neither_faces_nor_mask_nor_selection_are_changed():
    faces, mask, selected = (
        np.array([[3, 1, 2]], np.int32),
        np.ones(4, bool),
        np.eye(4, dtype=bool)[2],
    )
    graph = MeshGraph(faces, mask)
    graph.components(selected)
    graph.edges(selected)
    assert faces.tolist() == [[3, 1, 2]]
    assert mask.all()
    assert selected.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("faces", "got"),
    [
        ([0, 1, 2], r"shape \(3,\)"),
        ([[0, 1], [1, 2]], r"shape \(2, 2\)"),
        (np.zeros((1, 3, 3), dtype=int), r"shape \(1, 3, 3\)"),
        (np.zeros((0, 4), dtype=int), r"shape \(0, 4\)"),
        ([[0.0, 1.0, 2.0]], "float64"),
        ([[True, False, True]], "bool"),
        ([["0", "1", "2"]], "<U1"),
    ],
)
def test_faces_that_are_not_triples_of_integers_are_refused(faces, got):
    with pytest.raises(ValueError, match=rf"faces must be .* shape \(n_faces, 3\)\. Got .*{got}"):
        MeshGraph(faces, [True] * 3)


@pytest.mark.parametrize(
    ("faces", "got"),
    [
        ([[0, 1, 2], [0, -1, 1]], "from -1 to 2"),
        ([[0, 1, 2], [0, 1, 3]], "from 0 to 3"),
        (np.array([[0, 1, 2**64 - 1]], dtype=np.uint64), f"from 0 to {2**64 - 1}"),
    ],
)
def test_vertices_that_are_not_there_are_refused(faces, got):
    with pytest.raises(ValueError, match=rf"faces must hold .* 3 vertices .* Got numbers {got}"):
        MeshGraph(faces, [True] * 3)


@pytest.mark.parametrize("mask", [np.ones(3), [1, 1, 1], [[True] * 3], True])
def test_mask_that_is_not_a_row_of_booleans_is_refused(mask):
    with pytest.raises(ValueError, match=r"mask must be a one-dimensional array of booleans\. Got"):
        MeshGraph([[0, 1, 2]], mask)


@pytest.mark.parametrize("n_selected", [2, 4])
def test_selection_of_another_length_than_the_mask_is_refused(n_selected):
    graph = MeshGraph([[0, 1, 2]], [True, True, True, False])
    for method in (graph.components, graph.edges):
        with pytest.raises(
            ValueError, match=rf"selected .* \(3,\), .* vertex .* \({n_selected},\)"
        ):
            method([True] * n_selected)
