"""The largest component beyond a cutoff, against the components of each map."""

import numpy as np
import pytest

from ari_estimator.graphs import AdjacencyGraph, GraphUnion, MeshGraph, VoxelGrid, product
from ari_estimator.graphs._largest_component import LargestComponent

_RNG = np.random.default_rng(0)
_GRID = _RNG.random((6, 7, 5)) < 0.7
_CHAIN = np.eye(9, k=1) + np.eye(9, k=-1)
_MESH = MeshGraph([[0, 1, 2], [1, 2, 3], [2, 3, 4], [5, 6, 7]], _RNG.random(8) < 0.9)

GRAPHS = {
    **{f"{n} neighbours": VoxelGrid(_GRID, n) for n in (6, 18, 26)},
    "mesh": _MESH,
    "matrix": AdjacencyGraph(_CHAIN),
    "product": product(AdjacencyGraph(_CHAIN), 6),
    "union": GraphUnion([VoxelGrid(_GRID, 26), _MESH]),
    "no neighbours": AdjacencyGraph(np.zeros((20, 20))),
}


def _largest(graph, selected):
    return np.bincount(graph.components(selected)[0])[1:].max(initial=0)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_sizes_are_those_of_the_components(graph):
    maps = np.random.default_rng(1).standard_normal((60, graph.n_nodes)).astype("float32")
    maps[:, ::3] = np.round(maps[:, ::3])  # some values equal the cutoff
    maps[0] = -9
    largest = LargestComponent(graph)
    one_sided = [_largest(graph, row >= 1) for row in maps]
    absolute = [_largest(graph, np.abs(row) >= 1) for row in maps]
    by_sign = [max(_largest(graph, row >= 1), _largest(graph, row <= -1)) for row in maps]
    assert largest(maps, 1).tolist() == one_sided
    assert largest(maps, 1, is_absolute=True).tolist() == absolute
    assert largest(maps, 1, is_absolute=True, by_sign=True).tolist() == by_sign
    assert one_sided[0] == 0
    assert largest(maps[:, :], np.inf).tolist() == [0] * len(maps)


def test_maps_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"each of 9 nodes of the graph\. Got 8 values"):
        LargestComponent(AdjacencyGraph(_CHAIN))(np.zeros((2, 8), dtype="float32"), 1)
