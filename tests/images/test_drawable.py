"""Values of any space as volumes and surfaces."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ari_estimator.images._drawable import drawable
from ari_estimator.images._mesh_geometry import MeshGeometry
from ari_estimator.images._space import Space
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._volume_part import VolumePart

FACES = np.array([[0, 1, 2], [1, 2, 3]])
POINTS = np.arange(12.0).reshape(4, 3)
MASK = np.zeros((2, 3, 2), dtype=bool)
MASK[0, 1] = MASK[1, 2] = True


def vertices(name, *missing):
    mask = np.ones(4, dtype=bool)
    mask[list(missing)] = False
    return SurfacePart(name, MeshGeometry(POINTS, FACES), mask)


def test_voxels_become_a_volume():
    volume, surface = drawable(Space((VolumePart(MASK, np.eye(4)),)), np.arange(1.0, 5))
    assert surface is None
    data = volume.get_fdata()
    assert_array_equal(data[MASK], [1, 2, 3, 4])
    assert not data[~MASK].any()


@pytest.mark.parametrize("names", [("left", "right"), ("CORTEX_LEFT", "CORTEX_RIGHT")])
def test_grayordinates_become_a_surface_and_a_volume(names):
    parts = (vertices(names[0], 1), vertices(names[1]), VolumePart(MASK, np.eye(4)))
    volume, surface = drawable(Space(parts), np.arange(1.0, 12))
    assert_array_equal(surface.data.parts["left"], [1, 0, 2, 3])
    assert_array_equal(surface.data.parts["right"], [4, 5, 6, 7])
    assert_array_equal(surface.mesh.parts["left"].faces, FACES)
    assert_array_equal(volume.get_fdata()[MASK], [8, 9, 10, 11])


def test_one_hemisphere_is_enough():
    surface = drawable(Space((vertices("right"),)), np.arange(4.0)).surface
    assert list(surface.data.parts) == ["right"]
