"""What a mesh tells is found once, and never stale."""

import gc
import warnings
import weakref

import numpy as np
import pytest
from nibabel.cifti2.cifti2_axes import BrainModelAxis
from nilearn.surface import FileMesh, InMemoryMesh, PolyMesh, SurfaceImage
from nilearn.surface.surface import mesh_to_gifti
from numpy.testing import assert_array_equal

from ari_estimator import ClusterTDPTransformer
from ari_estimator.images._grayordinate_layout import layout_of
from ari_estimator.images._hemispheres import check_mesh
from ari_estimator.images._mesh_geometry import MeshGeometry, geometry_of
from ari_estimator.images._surfaces import as_poly_mesh

FACES = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 3, 1]], dtype=np.float32)


@pytest.fixture
def mesh():
    return InMemoryMesh(POINTS.copy(), FACES.copy())


def test_areas_and_edges_are_found_once(mesh):
    geometry = geometry_of(mesh)
    areas, upward = geometry.areas, geometry.links.upward
    again = geometry_of(mesh)
    assert again is geometry
    assert again.areas is areas
    assert again.links.upward is upward


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda mesh: mesh.coordinates.__imul__(2), id="all points"),
        pytest.param(lambda mesh: mesh.coordinates.__setitem__((4, 2), 7), id="one point"),
        pytest.param(lambda mesh: mesh.faces.__setitem__((2, 0), 0), id="one face"),
        pytest.param(lambda mesh: setattr(mesh, "coordinates", POINTS + 1), id="other points"),
        pytest.param(lambda mesh: setattr(mesh, "faces", FACES[:2]), id="fewer faces"),
        pytest.param(lambda mesh: setattr(mesh, "coordinates", POINTS * 1.0), id="same array"),
    ],
)
def test_changed_mesh_is_looked_at_again(mesh, change):
    geometry_of(mesh).areas  # noqa: B018
    change(mesh)
    fresh = MeshGeometry(mesh.coordinates, mesh.faces)
    geometry = geometry_of(mesh)
    assert_array_equal(geometry.points, mesh.coordinates)
    assert_array_equal(geometry.areas, fresh.areas)
    assert_array_equal(geometry.links.upward.toarray(), fresh.links.upward.toarray())


def test_another_type_of_points_is_another_mesh(mesh):
    assert geometry_of(mesh).points.dtype == np.float32
    mesh.coordinates = POINTS.astype(np.float64)
    assert geometry_of(mesh).points.dtype == np.float64


def test_arrays_are_own_and_read_only(mesh):
    geometry = geometry_of(mesh)
    for own, given in ((geometry.points, mesh.coordinates), (geometry.faces, mesh.faces)):
        assert not np.shares_memory(own, given)
        with pytest.raises(ValueError, match="read-only"):
            own[0] = 0


def test_nothing_outlives_the_mesh():
    mesh = InMemoryMesh(POINTS.copy(), FACES.copy())
    kept = weakref.ref(geometry_of(mesh))
    assert kept() is not None
    del mesh
    gc.collect()
    assert kept() is None


def test_file_that_has_changed_is_read_again(tmp_path):
    path = tmp_path / "lh.surf.gii"
    mesh_to_gifti(POINTS, FACES.astype(np.int32), path)
    mesh = FileMesh(path)
    first = geometry_of(mesh)
    assert geometry_of(mesh) is first
    mesh_to_gifti(2 * POINTS, FACES.astype(np.int32), path)
    assert_array_equal(geometry_of(mesh).points, 2 * POINTS)


def test_a_mesh_of_a_file_is_read_once(tmp_path):
    path = tmp_path / "lh.surf.gii"
    mesh_to_gifti(POINTS, FACES.astype(np.int32), path)
    for given in (path, str(path), FileMesh(path)):
        mesh = as_poly_mesh({"left": given}, "mesh").parts["left"]
        # nilearn's FileMesh reads its file whenever someone looks at it.
        assert isinstance(mesh, InMemoryMesh)
        assert_array_equal(mesh.coordinates, POINTS)
        again = as_poly_mesh({"left": mesh}, "mesh").parts["left"]
        assert again is mesh


def test_names_of_files_tell_the_hemisphere_wherever_its_mesh_lies(tmp_path):
    paths = {side: tmp_path / f"{side[0]}h.white.surf.gii" for side in ("left", "right")}
    for path in paths.values():  # one template for both, at x > 0
        mesh_to_gifti(np.abs(POINTS) + 1, FACES.astype(np.int32), path)
    mesh = as_poly_mesh(paths, "mesh")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_mesh(mesh, "the map")


def surface(seed):
    """Return a map on two bumpy sheets."""
    rng = np.random.default_rng(seed)
    side = 12
    grid = np.arange(side * side).reshape(side, side)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    flat = np.indices((side, side)).reshape(2, -1)
    parts = {
        name: InMemoryMesh(
            np.column_stack([*(flat + shift), rng.standard_normal(side * side)]), faces.copy()
        )
        for name, shift in (("left", -100), ("right", 100))
    }
    return SurfaceImage(
        PolyMesh(**parts), {name: 2 * rng.standard_normal(side * side) for name in parts}
    )


class TestTransformer:
    """Meshes that change in place between fits."""

    def test_areas_are_those_of_the_moved_vertices(self):
        img = surface(0)
        before = ClusterTDPTransformer(1, verbose=0).fit(img).table_
        img.mesh.parts["left"].coordinates[:, 2] *= 5
        after = ClusterTDPTransformer(1, verbose=0).fit(img).table_
        fresh = surface(0)
        moved = fresh.mesh.parts["left"].coordinates.copy()
        moved[:, 2] *= 5
        fresh.mesh.parts["left"].coordinates = moved
        expected = ClusterTDPTransformer(1, verbose=0).fit(fresh).table_
        assert after.equals(expected)
        assert not after["size_mm2"].equals(before["size_mm2"])

    def test_clusters_are_those_of_the_new_edges(self):
        img = surface(1)
        ClusterTDPTransformer(1, verbose=0).fit(img)
        faces = img.mesh.parts["right"].faces
        faces[::3] = faces[::3, :1]  # points, which are no edges
        n_new = len(ClusterTDPTransformer(1, verbose=0).fit(img).table_)
        fresh = surface(1)
        fresh.mesh.parts["right"].faces[::3] = fresh.mesh.parts["right"].faces[::3, :1]
        assert n_new == len(ClusterTDPTransformer(1, verbose=0).fit(fresh).table_)

    def test_faces_that_change_after_fit_are_refused(self):
        img = surface(2)
        ari = ClusterTDPTransformer(1, verbose=0).fit(img)
        img.mesh.parts["left"].faces[0] = [5, 6, 7]
        with pytest.raises(ValueError, match="other faces in the left hemisphere"):
            ari.transform(img)

    def test_results_are_copies(self):
        img = surface(3)
        ari = ClusterTDPTransformer(1, verbose=0).fit(img)
        expected = ari.maps_.tdp
        ari.transform(img).data.parts["left"][:] = 7
        assert_array_equal(ari.maps_.tdp, expected)


class TestLayout:
    """The columns of a CIFTI file."""

    @staticmethod
    def models():
        voxels = np.argwhere(np.ones((2, 2, 3), dtype=bool))[::-1]
        axis = BrainModelAxis.from_surface(np.array([4, 0, 2]), 6, name="CortexLeft")
        axis += BrainModelAxis(
            "CIFTI_STRUCTURE_BRAIN_STEM",
            voxel=voxels[:5],
            affine=np.eye(4),
            volume_shape=(2, 2, 3),
        )
        axis += BrainModelAxis.from_surface(np.array([1, 5]), 6, name="CortexRight")
        axis += BrainModelAxis(
            "CIFTI_STRUCTURE_THALAMUS_LEFT",
            voxel=voxels[5:9],
            affine=np.eye(4),
            volume_shape=(2, 2, 3),
        )
        return axis.to_mapping(1), axis

    def test_columns_hold_what_the_axis_says(self):
        models, axis = self.models()
        layout = layout_of(models)
        for surface_ in layout.surfaces:
            assert_array_equal(axis.vertex[surface_.columns], surface_.vertices)
            assert_array_equal(np.sort(surface_.vertices), surface_.vertices)
            assert set(axis.name[surface_.columns]) == {surface_.name}
        assert [s.name for s in layout.surfaces] == [
            "CIFTI_STRUCTURE_CORTEX_LEFT",
            "CIFTI_STRUCTURE_CORTEX_RIGHT",
        ]
        assert_array_equal(np.argwhere(layout.voxels.mask), axis.voxel[layout.voxel_columns])
        names = [name.removeprefix("CIFTI_STRUCTURE_") for name in axis.name[layout.voxel_columns]]
        assert layout.voxels.structures.tolist() == names

    def test_it_is_made_once(self):
        models, _ = self.models()
        assert layout_of(models) is layout_of(models)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda m: m[0].vertex_indices.__setitem__(1, 3), id="a vertex"),
            pytest.param(lambda m: m[1].voxel_indices_ijk.__setitem__(2, [0, 0, 0]), id="a voxel"),
            pytest.param(lambda m: setattr(m[0], "surface_number_of_vertices", 9), id="a mesh"),
        ],
    )
    def test_header_that_has_changed_is_looked_at_again(self, change):
        models, _ = self.models()
        first = layout_of(models)
        change(list(models.brain_models))
        layout = layout_of(models)
        assert layout is not first
        for surface_ in layout.surfaces:
            assert_array_equal(layout.axis.vertex[surface_.columns], surface_.vertices)
            assert layout.axis.nvertices[surface_.name] == surface_.n_vertices
        voxels = layout.axis.voxel[layout.voxel_columns]
        assert_array_equal(np.argwhere(layout.voxels.mask), voxels)
