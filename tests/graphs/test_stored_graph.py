"""Graphs as arrays of a file: the same graph, or an error before memory is taken."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.graphs import AdjacencyGraph, edges_of, product
from ari_estimator.graphs._edges_of import ends_of
from ari_estimator.graphs._stored_graph import graph_from_arrays, graph_to_arrays

ROW = np.eye(4, k=1) + np.eye(4, k=-1)
STAR = np.zeros((5, 5))
STAR[2], STAR[:, 2] = 1, 1
GRAPHS = {
    "matrix": AdjacencyGraph(ROW),
    "isolated": AdjacencyGraph(np.zeros((3, 3))),
    "chain": product(5),
    "product": product(AdjacencyGraph(ROW), 3, 2),
    "network": edges_of(5),
    "sparse network": edges_of(STAR),
    "network and time": product(edges_of(4), 3),
    "product in a product": product(2, product(2, AdjacencyGraph(ROW))),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_same_graph(name):
    graph = GRAPHS[name]
    found = graph_from_arrays(graph_to_arrays(graph), graph.n_nodes)
    every = np.ones(graph.n_nodes, dtype=bool)
    assert_array_equal(found.edges(every), graph.edges(every))


def test_a_network_stays_one():
    assert [np.size(a) for a in ends_of(GRAPHS["sparse network"])] == [4, 4, 1]
    arrays = graph_to_arrays(GRAPHS["sparse network"])
    assert ends_of(graph_from_arrays(arrays, 4))[2] == 5
    # All pairs of 300 nodes have 13 million pairs of neighbours.
    assert sum(array.nbytes for array in graph_to_arrays(edges_of(300)).values()) < 200_000


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("matrix", {"n_nodes": np.array([2**62])}),
        ("matrix", {"n_nodes": np.array([0])}),
        ("matrix", {"n_nodes": np.array([4.0])}),
        ("matrix", {"n_nodes": np.array(4)}),
        ("matrix", {"n_nodes": np.array([4, 1])}),
        ("matrix", {"n_nodes": np.array([], dtype=int), "kinds": np.array([], dtype=str)}),
        ("matrix", {"kinds": np.array(["tree"])}),
        ("matrix", {"kinds": np.array(["network"])}),
        ("matrix", {"0_edges": np.array([[0, 4]])}),
        ("matrix", {"0_edges": np.array([[-1, 1]])}),
        ("matrix", {"0_edges": np.array([0, 1])}),
        ("product", {"n_nodes": np.array([1, 2**40, 2])}),
        ("product", {"n_nodes": np.array([-4, -3, 2])}),
        ("network", {"0_second": np.array([1])}),
        ("network", {"0_second": np.zeros(10, dtype=int)}),
        ("network", {"0_second": np.ones(10)}),
        ("network", {"0_second": np.full(10, 9)}),
        ("network", {"0_starts": np.array([], dtype=int)}),
        ("network", {"0_starts": np.array([0, 10])}),
        ("network", {"0_starts": np.array([0, 11, 10, 10, 10, 10])}),
        ("network", {"0_starts": np.array([0, 2, 3, 3, 3, 3])}),
    ],
)
def test_other_arrays_are_refused(name, change):
    graph = GRAPHS[name]
    with pytest.raises(ValueError, match=r"graph|edges|ends|the array"):
        graph_from_arrays({**graph_to_arrays(graph), **change}, graph.n_nodes)


@pytest.mark.parametrize("name", ["product", "network and time"])
def test_each_array_is_needed(name):
    graph = GRAPHS[name]
    arrays = graph_to_arrays(graph)
    for gone in arrays:
        rest = {name: array for name, array in arrays.items() if name != gone}
        with pytest.raises(ValueError, match=f"the array '{gone}' is missing"):
            graph_from_arrays(rest, graph.n_nodes)
