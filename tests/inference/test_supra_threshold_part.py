"""The supra-threshold elements of a map as a graph: voxels, vertices, and both together."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.closed_testing import ClusterExtentBounds
from ari_estimator.images._mesh_geometry import MeshGeometry
from ari_estimator.images._space import Space
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._volume_part import VolumePart
from ari_estimator.inference._supra_threshold_part import supra_threshold_graph

K = 6


@pytest.fixture
def volume():
    mask = np.ones((6, 7, 8), dtype=bool)
    mask[2, 3] = False
    return VolumePart(mask, np.eye(4))


@pytest.fixture
def surface():
    """Return a flat sheet of 8 x 9 vertices."""
    rows, columns = np.meshgrid(np.arange(8), np.arange(9), indexing="ij")
    points = np.stack([rows, columns, 0 * rows], axis=-1).reshape(-1, 3).astype(float)
    corner = (9 * rows + columns)[:-1, :-1].ravel()
    faces = np.concatenate(
        [
            np.column_stack([corner, corner + 1, corner + 9]),
            np.column_stack([corner + 1, corner + 9, corner + 10]),
        ]
    )
    return SurfacePart("left", MeshGeometry(points, faces), np.ones(72, dtype=bool))


def bound(space, p_values, connectivity=None, signs=None):
    graph = supra_threshold_graph(space, p_values, 0.4, connectivity, signs=signs)
    return ClusterExtentBounds(p_values, graph, K).of_set(), graph


def test_parts_of_a_space_are_bounded_on_their_own(volume, surface):
    rng = np.random.default_rng(0)
    of_voxels, of_vertices = rng.random(volume.n_elements), rng.random(72)
    voxels, _ = bound(Space((volume,)), of_voxels)
    vertices, mesh = bound(Space((surface,)), of_vertices)
    assert voxels > 0
    assert vertices > 0
    assert mesh.places is None
    for parts, p_values in [
        ((surface, volume), [of_vertices, of_voxels]),
        ((volume, surface), [of_voxels, of_vertices]),
    ]:
        both, graph = bound(Space(parts), np.concatenate(p_values))
        assert both == voxels + vertices
        assert (graph.places == -1).all(axis=1).sum() == (of_vertices < 0.4).sum()
    # Two grids: voxels with the same indices are no neighbours.
    twice, _ = bound(Space((volume, volume)), np.concatenate([of_voxels, of_voxels]))
    assert twice == 2 * voxels


@pytest.mark.parametrize("connectivity", [6, 18])
def test_places_are_for_26_neighbours_only(volume, connectivity):
    p_values = np.random.default_rng(1).random(volume.n_elements)
    found, graph = bound(Space((volume,)), p_values, connectivity)
    assert graph.places is None
    assert found <= bound(Space((volume,)), p_values)[0]
    assert f"{connectivity} neighbours" in graph.neighbours


def test_a_connectivity_is_refused_without_a_grid(surface):
    with pytest.raises(ValueError, match="connectivity"):
        bound(Space((surface,)), np.zeros(72), 26)


def test_elements_pass_below_the_height_and_signs_do_not_mix(volume):
    p_values = np.full(volume.n_elements, 0.4)
    assert bound(Space((volume,)), p_values)[1].n_above == 0
    p_values[:] = 0.1
    signs = np.arange(volume.n_elements) % 2 == 0
    _, graph = bound(Space((volume,)), p_values, signs=signs)
    assert_array_equal(signs[graph.edges[:, 0]], signs[graph.edges[:, 1]])
    assert_array_equal(graph.elements, np.arange(volume.n_elements))
