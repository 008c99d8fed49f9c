"""Neighbours in a mask, and the connected components that they form."""

from ari_estimator.graphs._voxel_grid import VoxelGrid

__all__ = ["VoxelGrid"]
