"""Neighbours in a mask, on a grid or a mesh: components, local maxima, the cluster forest."""

from ari_estimator.graphs._cluster_forest import ClusterForest
from ari_estimator.graphs._graph import Graph
from ari_estimator.graphs._graph_union import GraphUnion
from ari_estimator.graphs._local_maxima import local_maxima
from ari_estimator.graphs._mesh_graph import MeshGraph
from ari_estimator.graphs._voxel_grid import VoxelGrid

__all__ = ["ClusterForest", "Graph", "GraphUnion", "MeshGraph", "VoxelGrid", "local_maxima"]
