"""The neighbours that compiled loops read, against a search pair by pair."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from ari_estimator.graphs import ClusterForest, GraphUnion, MeshGraph, VoxelGrid
from ari_estimator.graphs._neighbourhood import Neighbourhood

LARGEST_N_CHANGES = {6: 1, 18: 2, 26: 3}


@st.composite
def grids(draw):
    """Draw a grid and the neighbours of each of its voxels."""
    mask = draw(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=4)))
    connectivity = draw(st.sampled_from([6, 18, 26]))
    voxels = np.argwhere(mask)
    neighbours = [set() for _ in voxels]
    for one, other in permutations(range(len(voxels)), 2):
        steps = np.abs(voxels[one] - voxels[other])
        if steps.max() == 1 and steps.sum() <= LARGEST_N_CHANGES[connectivity]:
            neighbours[one].add(other)
    return VoxelGrid(mask, connectivity), neighbours


@st.composite
def meshes(draw):
    """Draw a mesh, mostly degenerate, and the neighbours of each of its vertices."""
    mask = draw(arrays(bool, st.integers(0, 10)))
    n_faces = draw(st.integers(0, 12)) if mask.size else 0
    faces = draw(arrays(int, (n_faces, 3), elements=st.integers(0, max(mask.size - 1, 0))))
    nodes = {int(vertex): node for node, vertex in enumerate(np.flatnonzero(mask))}
    neighbours = [set() for _ in nodes]
    for face in faces.tolist():
        for one, other in combinations(face, 2):
            if one != other and one in nodes and other in nodes:
                neighbours[nodes[one]].add(nodes[other])
                neighbours[nodes[other]].add(nodes[one])
    return MeshGraph(faces, mask), neighbours


@st.composite
def unions(draw):
    parts = draw(st.lists(grids() | meshes(), max_size=4))
    neighbours = []
    for _, of_part in parts:
        first = len(neighbours)
        neighbours += [{first + other for other in others} for others in of_part]
    return GraphUnion(graph for graph, _ in parts), neighbours


def read(graph):
    """Return the neighbours of each node as a loop would find them; not the node itself."""
    found = []
    for part in graph.neighbourhoods():
        first = len(found)
        node_in = {int(slot): first + node for node, slot in enumerate(part.slots)}
        assert len(node_in) == part.slots.size
        for node in range(part.slots.size):
            offsets = part.offsets[part.starts[node] : part.stops[node]]
            slots = (part.bases[node] + offsets).tolist()
            assert all(0 <= slot < part.n_slots for slot in slots)
            found.append({node_in[s] for s in slots if s in node_in} - {first + node})
    return found


@pytest.mark.parametrize("graphs", [grids(), meshes(), unions()], ids=["grid", "mesh", "union"])
def test_neighbourhoods_equal_a_search_pair_by_pair(graphs):
    @given(graphs)
    @settings(max_examples=80)
    def check(graph_and_neighbours):
        graph, neighbours = graph_and_neighbours
        assert read(graph) == neighbours

    check()


def test_compiled_loops_meet_one_type_of_numbers_whatever_the_graph():
    grid, mesh = VoxelGrid(np.ones((2, 2, 2), dtype=bool)), MeshGraph([[0, 1, 2]], [True] * 3)
    for part in GraphUnion([grid, mesh]).neighbourhoods():
        assert type(part.n_slots) is int
        for array in (part.slots, part.bases, part.starts, part.stops, part.offsets):
            assert array.dtype == np.int32
            assert array.ndim == 1


def test_stored_neighbours_are_told_from_computed_ones():
    grid, mesh = VoxelGrid(np.ones((4, 4, 4), dtype=bool)), MeshGraph([[0, 1, 2]], [True] * 3)
    (computed, stored) = GraphUnion([grid, mesh]).neighbourhoods()
    assert stored.are_stored
    assert not computed.are_stored


def test_a_forest_refuses_neighbours_that_are_none_of_each_other():
    class OneWay:
        """Node 0 has neighbours that have none."""

        n_nodes = 9

        def neighbourhoods(self):
            numbers = np.arange(9, dtype=np.int32)
            first, last = 8 * np.minimum(numbers, 1), np.full(9, 8)
            arrays_ = (first.astype(np.int32), last.astype(np.int32), numbers[1:])
            return [Neighbourhood(numbers, 9, np.zeros(9, dtype=np.int32), *arrays_)]

    with pytest.raises(ValueError, match="neighbours of each other"):
        ClusterForest(OneWay(), np.arange(9)[::-1])


def test_of_a_grid_no_more_than_the_voxels_is_stored():
    (part,) = VoxelGrid(np.ones((20, 20, 20), dtype=bool), 26).neighbourhoods()
    assert part.offsets.size == 26
    assert part.starts.strides == part.stops.strides == (0,)
    assert np.shares_memory(part.bases, part.slots)
