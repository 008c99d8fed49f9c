"""Several graphs side by side, against one graph of all their nodes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

from ari_estimator.graphs import GraphUnion, MeshGraph, VoxelGrid


@st.composite
def parts(draw):
    """Draw faces and masks of several meshes, some without vertices, and a selection."""
    meshes = []
    for n_vertices in draw(st.lists(st.integers(0, 6), max_size=4)):
        n_faces = draw(st.integers(0, 5)) if n_vertices else 0
        corners = st.integers(0, max(n_vertices - 1, 0))
        meshes.append(
            (draw(arrays(int, (n_faces, 3), elements=corners)), draw(arrays(bool, n_vertices)))
        )
    return meshes, draw(arrays(bool, int(sum(mask.sum() for _, mask in meshes))))


@given(parts())
@settings(max_examples=200)
def test_union_equals_one_mesh_with_all_vertices(meshes_and_selection):
    meshes, selected = meshes_and_selection
    starts = np.cumsum([0, *(mask.size for _, mask in meshes)])
    whole = MeshGraph(
        np.concatenate(
            [
                np.empty((0, 3), dtype=int),
                *(start + faces for (faces, _), start in zip(meshes, starts, strict=False)),
            ]
        ),
        np.concatenate([np.empty(0, dtype=bool), *(mask for _, mask in meshes)]),
    )
    union = GraphUnion(MeshGraph(faces, mask) for faces, mask in meshes)
    assert union.n_nodes == whole.n_nodes
    labels, n_components = union.components(selected)
    expected, n_expected = whole.components(selected)
    assert labels.dtype == np.int32
    assert n_components == n_expected
    assert_array_equal(labels, expected)
    edges = union.edges(selected)
    assert edges.dtype == np.intp
    assert_array_equal(edges, whole.edges(selected))


def test_meshes_and_voxels_go_side_by_side():
    union = GraphUnion(
        [
            MeshGraph([[0, 1, 2]], [True] * 3),
            VoxelGrid(np.zeros((2, 2, 2), dtype=bool)),
            VoxelGrid(np.ones((1, 1, 4), dtype=bool)),
        ]
    )
    selected = [True, True, False, True, False, True, True]
    labels, n_components = union.components(selected)
    assert (labels.tolist(), n_components) == ([1, 1, 0, 2, 0, 3, 3], 3)
    assert union.edges(selected).tolist() == [[0, 1], [5, 6]]


def test_unions_may_be_parts_of_unions():
    pair = MeshGraph([[0, 1, 1]], [True] * 2)
    union = GraphUnion([pair, GraphUnion([pair, pair])])
    assert union.components([True] * 6)[0].tolist() == [1, 1, 2, 2, 3, 3]


def test_union_of_one_graph_hands_on_what_that_graph_says():
    class Part:
        n_nodes = 3
        answer = object()

        def components(self, selected):
            return selected, self.answer

        edges = components

    selected = np.array([True, False, True])
    for method in ("components", "edges"):
        handed_on, answer = getattr(GraphUnion([Part()]), method)(selected)
        assert handed_on is selected
        assert answer is Part.answer


def test_union_of_nothing_has_no_nodes():
    union = GraphUnion([])
    assert union.n_nodes == 0
    labels, n_components = union.components([])
    assert (labels.tolist(), n_components) == ([], 0)
    assert union.edges([]).shape == (0, 2)


@pytest.mark.parametrize("n_graphs", [1, 2])
@pytest.mark.parametrize("surplus", [-1, 1])
def test_selection_of_another_length_than_there_are_nodes_is_refused(n_graphs, surplus):
    union = GraphUnion([MeshGraph([[0, 1, 2]], [True] * 3)] * n_graphs)
    n_nodes = 3 * n_graphs
    for method in (union.components, union.edges):
        with pytest.raises(
            ValueError, match=rf"\({n_nodes},\).* Got shape \({n_nodes + surplus},\)"
        ):
            method([True] * (n_nodes + surplus))
