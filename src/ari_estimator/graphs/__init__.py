"""Neighbours: on a grid, a mesh, in any matrix; components, local maxima, the cluster forest."""

from ari_estimator.graphs._adjacency_graph import AdjacencyGraph
from ari_estimator.graphs._cluster_forest import ClusterForest
from ari_estimator.graphs._edges_of import edges_of
from ari_estimator.graphs._graph import Graph
from ari_estimator.graphs._graph_union import GraphUnion
from ari_estimator.graphs._local_maxima import local_maxima
from ari_estimator.graphs._mesh_graph import MeshGraph
from ari_estimator.graphs._product import product
from ari_estimator.graphs._voxel_grid import VoxelGrid

__all__ = [
    "AdjacencyGraph",
    "ClusterForest",
    "Graph",
    "GraphUnion",
    "MeshGraph",
    "VoxelGrid",
    "edges_of",
    "local_maxima",
    "product",
]
