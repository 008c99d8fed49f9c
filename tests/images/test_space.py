"""Space: voxels, vertices, or both, against what a look at each element in turn says."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ari_estimator.images._mesh_geometry import MeshGeometry
from ari_estimator.images._space import Space
from ari_estimator.images._surface_part import SurfacePart
from ari_estimator.images._volume_part import VolumePart

KINDS = pytest.mark.parametrize("kind", ["volume", "surface", "mixed"])

ALL_KINDS = pytest.mark.parametrize("kind", ["volume", "surface", "mixed", "labelled"])


def volume_part(structures=False):
    """Return 11 of 24 voxels, of 3 x 2 x 4 mm, that are rotated and mirrored."""
    mask = np.zeros(24, dtype=bool)
    mask[[0, 1, 2, 5, 6, 9, 13, 14, 20, 22, 23]] = True
    affine = np.array([[0.0, -2, 0, 12], [-3, 0, 0, -7], [0, 0, 4, 5], [0, 0, 0, 1]])
    names = np.array([f"nucleus {i % 3}" for i in range(11)]) if structures else None
    return VolumePart(mask.reshape(2, 3, 4), affine, names)


def surface_part(name, seed, name_column="hemisphere"):
    """Return 15 of the 20 vertices of a bumpy sheet."""
    rng = np.random.default_rng(seed)
    grid = np.arange(20).reshape(4, 5)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    points = np.column_stack([*np.indices((4, 5)).reshape(2, -1), rng.standard_normal(20)]) * 1.7
    mask = np.ones(20, dtype=bool)
    mask[rng.choice(20, 5, replace=False)] = False
    return SurfacePart(name, MeshGeometry(points, faces), mask, name_column)


def make_space(kind):
    if kind == "volume":
        return Space((volume_part(),))
    if kind == "surface":
        return Space((surface_part("left", 0), surface_part("right", 1)))
    if kind == "mixed":
        return Space((surface_part("left", 0), surface_part("right", 1), volume_part()))
    left, right = (
        surface_part(f"CORTEX_{side}", seed, "structure") for seed, side in enumerate("LR")
    )
    return Space((left, right, volume_part(structures=True)))


def triangle_area(corners):
    """Return the area of a triangle by the lengths of its sides."""
    a, b, c = (np.linalg.norm(corners[i] - corners[i - 1]) for i in range(3))
    s = (a + b + c) / 2
    return np.sqrt(max(s * (s - a) * (s - b) * (s - c), 0))


def elements_of(space):
    """Return unit, size, coordinates, name and vertex of each element, one after the other."""
    elements = []
    for part in space.parts:
        if isinstance(part, VolumePart):
            voxels = [ijk for ijk in np.ndindex(part.mask.shape) if part.mask[ijk]]
            names = [None] * len(voxels) if part.structures is None else part.structures
            for ijk, name in zip(voxels, names, strict=True):
                size = np.prod(np.linalg.norm(part.affine[:3, :3], axis=0))
                elements.append(("mm3", size, (part.affine @ [*ijk, 1])[:3], name, None))
            continue
        areas = np.zeros(part.mask.size)
        for face in part.faces:
            areas[face] += triangle_area(part.points[face]) / 3
        for vertex in range(part.mask.size):
            if part.mask[vertex]:
                point = part.points[vertex]
                elements.append(("mm2", areas[vertex], point, part.name, vertex))
    return elements


def kept_of(space, seed=3):
    return np.random.default_rng(seed).random(space.n_elements) < 0.6


class TestElements:
    """How many there are, and what they are called."""

    @pytest.mark.parametrize(
        ("kind", "n_elements", "names"),
        [
            ("volume", 11, ("voxel", "voxels")),
            ("surface", 30, ("vertex", "vertices")),
            ("mixed", 41, ("grayordinate", "grayordinates")),
            ("labelled", 41, ("grayordinate", "grayordinates")),
        ],
    )
    def test_number_and_name(self, kind, n_elements, names):
        space = make_space(kind)
        assert space.n_elements == n_elements
        assert space.element_name == names

    def test_cortex_of_a_cifti_image_has_grayordinates(self):
        assert Space(make_space("labelled").parts[:2]).element_name[0] == "grayordinate"

    @ALL_KINDS
    def test_coordinates_are_those_of_each_element(self, kind):
        space = make_space(kind)
        expected = [xyz for _, _, xyz, _, _ in elements_of(space)]
        assert_allclose(space.coordinates(), expected, rtol=1e-14)

    @KINDS
    def test_part_without_elements_adds_nothing(self, kind):
        space = make_space(kind)
        first = space.parts[0]
        empty = Space((first.restrict(np.zeros(first.n_elements, dtype=bool)), *space.parts))
        assert empty.n_elements == space.n_elements
        assert_array_equal(empty.coordinates(), space.coordinates())
        elements = np.arange(space.n_elements)
        pd.testing.assert_frame_equal(empty.locate(elements), space.locate(elements))


class TestRestrict:
    """Some of the elements."""

    @ALL_KINDS
    def test_keeps_elements_in_their_order(self, kind):
        space = make_space(kind)
        kept = kept_of(space)
        restricted = space.restrict(kept)
        assert restricted.n_elements == kept.sum()
        assert_array_equal(restricted.coordinates(), space.coordinates()[kept])
        whole = space.locate(np.flatnonzero(kept))
        pd.testing.assert_frame_equal(restricted.locate(np.arange(kept.sum())), whole)

    @ALL_KINDS
    def test_twice_is_once_with_both(self, kind):
        space = make_space(kind)
        first, second = kept_of(space, 3), kept_of(space, 4)
        twice = space.restrict(first).restrict(second[first])
        assert_array_equal(twice.coordinates(), space.coordinates()[first & second])

    @ALL_KINDS
    def test_leaves_the_space_as_it_was(self, kind):
        space = make_space(kind)
        masks = [part.mask.copy() for part in space.parts]
        space.restrict(kept_of(space))
        for part, mask in zip(space.parts, masks, strict=True):
            assert_array_equal(part.mask, mask)

    @ALL_KINDS
    def test_to_all_or_to_none(self, kind):
        space = make_space(kind)
        whole = space.restrict(np.ones(space.n_elements, dtype=bool))
        assert_array_equal(whole.coordinates(), space.coordinates())
        none = space.restrict(np.zeros(space.n_elements, dtype=bool))
        assert none.n_elements == 0
        assert none.coordinates().shape == (0, 3)
        assert none.element_name == space.element_name

    def test_area_of_a_vertex_stays_when_its_neighbours_go(self):
        space = make_space("surface")
        kept = kept_of(space)
        areas, of_kept = (
            s.sizes(np.arange(s.n_elements), s.n_elements)["mm2"]
            for s in (space, space.restrict(kept))
        )
        assert_array_equal(of_kept, areas[kept])


class TestGraph:
    """Neighbours."""

    @KINDS
    @pytest.mark.parametrize("connectivity", [6, 18, 26])
    def test_edges_are_those_of_the_parts(self, kind, connectivity):
        space = make_space(kind)
        edges = space.graph(connectivity).edges(np.ones(space.n_elements, dtype=bool))
        expected = []
        start = 0
        for part in space.parts:
            of_part = part.graph(connectivity).edges(np.ones(part.n_elements, dtype=bool))
            expected += (of_part + start).tolist()
            start += part.n_elements
        assert edges.tolist() == expected
        assert len(expected)

    def test_vertices_have_the_same_neighbours_whatever_the_connectivity(self):
        space = make_space("surface")
        everything = np.ones(space.n_elements, dtype=bool)
        edges = [space.graph(c).edges(everything).tolist() for c in (6, 18, 26)]
        assert edges[0] == edges[1] == edges[2]
        in_volume = [
            len(make_space("volume").graph(c).edges(np.ones(11, dtype=bool))) for c in (6, 18, 26)
        ]
        assert in_volume[0] < in_volume[1]


class TestSizes:
    """Sizes of sets, in mm3 and mm2."""

    @ALL_KINDS
    def test_equal_sums_over_elements(self, kind):
        space = make_space(kind)
        labels = np.random.default_rng(5).integers(0, 4, space.n_elements)
        expected = {}
        for label, (unit, size, *_) in zip(labels, elements_of(space), strict=True):
            expected.setdefault(unit, np.zeros(5))[label] += size
        sizes = space.sizes(labels, 5)
        assert list(sizes) == sorted(expected)
        for unit, values in sizes.items():
            assert values.shape == (5,)
            assert values[4] == 0
            assert_allclose(values, expected[unit], rtol=1e-12)

    @ALL_KINDS
    def test_elements_may_be_in_several_sets_or_in_none(self, kind):
        space = make_space(kind)
        rng = np.random.default_rng(6)
        elements = rng.integers(0, space.n_elements, 60)
        labels = rng.integers(0, 3, 60)
        expected = {unit: np.zeros(3) for unit, *_ in elements_of(space)}
        for element, label in zip(elements, labels, strict=True):
            unit, size, *_ = elements_of(space)[element]
            expected[unit][label] += size
        sizes = space.sizes(labels, 3, elements)
        assert list(sizes) == sorted(expected)
        for unit, values in sizes.items():
            assert_allclose(values, expected[unit], rtol=1e-12)

    def test_size_of_voxels_is_a_product_that_does_not_round_like_a_sum(self):
        mask = np.ones((10, 10, 10), dtype=bool)
        space = Space((VolumePart(mask, np.diag([0.1, 1, 1, 1])),))
        one, others = space.sizes(np.minimum(np.arange(1000), 1), 2)["mm3"]
        assert others == 999 * one

    def test_areas_of_all_vertices_add_up_to_the_mesh(self):
        part = surface_part("left", 0)
        whole = SurfacePart("left", part.mesh, np.ones(20, dtype=bool))
        area = sum(triangle_area(part.points[face]) for face in part.faces)
        assert_allclose(Space((whole,)).sizes(np.zeros(20, dtype=int), 1)["mm2"], area, rtol=1e-12)

    @pytest.mark.parametrize("dtype", ["int32", ">i4", "uint32", "int64"])
    def test_type_of_faces_is_of_no_importance(self, dtype):
        part = surface_part("left", 0)
        mesh = MeshGeometry(part.points, part.faces.astype(dtype))
        stored = SurfacePart("left", mesh, part.mask)
        assert_array_equal(stored.element_sizes(), part.element_sizes())

    def test_single_precision_points_are_computed_with_in_double_precision(self):
        part = surface_part("left", 0)
        single = part.points.astype("float32")
        sizes = [
            SurfacePart("left", MeshGeometry(points, part.faces), part.mask).element_sizes()
            for points in (single, single.astype(float))
        ]
        assert_array_equal(*sizes)


class TestCentres:
    """Centres of mass of sets."""

    @ALL_KINDS
    def test_equal_weighted_means(self, kind):
        space = make_space(kind)
        labels = np.random.default_rng(7).integers(0, 4, space.n_elements)
        centres = space.centres(labels, 4)
        assert centres.shape == (4, 3)
        for label in range(4):
            members = [e for e, of in zip(elements_of(space), labels, strict=True) if of == label]
            places, sizes = ([member[i] for member in members] for i in (2, 1))
            expected = np.average(places, axis=0, weights=sizes)
            assert_allclose(centres[label], expected, rtol=1e-12)

    @ALL_KINDS
    def test_of_chosen_elements(self, kind):
        space = make_space(kind)
        elements = np.array([4, 4, 0, space.n_elements - 1])
        centres = space.centres(np.array([0, 0, 2, 3]), 4, elements)
        assert_allclose(centres[[0, 2, 3]], space.coordinates()[elements[1:]], rtol=1e-13)
        assert np.isnan(centres[1]).all()

    def test_of_one_set_of_voxels_is_their_mean(self):
        space = make_space("volume")
        centre = space.centres(np.zeros(11, dtype=int), 1)[0]
        assert_allclose(centre, space.coordinates().mean(axis=0), rtol=1e-13)


class TestLocate:
    """Where elements are."""

    @pytest.mark.parametrize(
        ("kind", "columns"),
        [
            ("volume", ["x", "y", "z"]),
            ("surface", ["hemisphere", "vertex", "x", "y", "z"]),
            ("mixed", ["hemisphere", "vertex", "x", "y", "z"]),
            ("labelled", ["structure", "vertex", "x", "y", "z"]),
        ],
    )
    def test_columns(self, kind, columns):
        space = make_space(kind)
        for elements in ([0], [space.n_elements - 1], [], list(range(space.n_elements))):
            places = space.locate(np.array(elements, dtype=int))
            assert list(places.columns) == columns
            assert len(places) == len(elements)
            if "vertex" in columns:
                assert places["vertex"].dtype == "Int64"
            if elements:
                assert (places[["x", "y", "z"]].dtypes == np.float64).all()

    @ALL_KINDS
    def test_rows_are_in_the_order_that_is_asked_for(self, kind):
        space = make_space(kind)
        elements = np.random.default_rng(8).integers(0, space.n_elements, 50)
        places = space.locate(elements)
        assert_array_equal(places.index, np.arange(50))
        all_elements = elements_of(space)
        for element, (_, row) in zip(elements, places.iterrows(), strict=True):
            _, _, xyz, name, vertex = all_elements[element]
            assert_allclose([row["x"], row["y"], row["z"]], xyz, rtol=1e-14)
            if "vertex" in row:
                assert pd.isna(row["vertex"]) if vertex is None else row["vertex"] == vertex
                shown = row["hemisphere" if "hemisphere" in row else "structure"]
                assert pd.isna(shown) if name is None else shown == name

    @ALL_KINDS
    def test_coordinates_are_the_same(self, kind):
        space = make_space(kind)
        places = space.locate(np.arange(space.n_elements))
        assert_allclose(places[["x", "y", "z"]].to_numpy(), space.coordinates(), rtol=1e-14)

    def test_vertex_is_its_number_in_the_mesh(self):
        space = make_space("surface")
        left, right = space.parts
        places = space.locate(np.arange(space.n_elements))
        expected = [*np.flatnonzero(left.mask), *np.flatnonzero(right.mask)]
        assert places["vertex"].tolist() == expected
        assert places["hemisphere"].tolist() == ["left"] * 15 + ["right"] * 15

    def test_voxels_of_a_mixed_space_have_no_vertex(self):
        places = make_space("labelled").locate(np.array([40, 0]))
        assert pd.isna(places["vertex"][0])
        assert places["structure"][0] == "nucleus 1"
        assert places["structure"][1] == "CORTEX_L"
