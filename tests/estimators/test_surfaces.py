"""Surfaces: clusters by the edges of meshes, and one family of both hemispheres."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nilearn.datasets import load_fsaverage
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.glm.second_level import SecondLevelModel
from nilearn.maskers import SurfaceMasker
from nilearn.surface import FileMesh, InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    cluster_level_inference,
)
from ari_estimator.closed_testing import Hommel

from ._kinds import components, edges_of, sheet, triangle_areas, vertex_areas

HEMISPHERES = ("left", "right")


TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])

N_SUBJECTS = 12

INTERCEPT = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})


@pytest.fixture(scope="session")
def mesh():
    """Return two sheets of 11 x 12 and 9 x 10 vertices."""
    return PolyMesh(left=sheet(11, 12, 0), right=sheet(9, 10, 1))


def make_z(mesh, seed=0, shape=()):
    """Return noise, with two effects of either sign on each of the sheets."""
    rng = np.random.default_rng(seed)
    data = {}
    for name, (n_rows, n_columns) in (("left", (11, 12)), ("right", (9, 10))):
        if name in mesh.parts:
            z = rng.standard_normal((n_rows, n_columns, *shape))
            z[1:6, 1:5] += 3
            z[5:9, 5:9] -= 3
            data[name] = z.reshape(n_rows * n_columns, *shape)
    return SurfaceImage(mesh, data)


@pytest.fixture
def z_surf(mesh):
    return make_z(mesh)


def full_mask(mesh, dtype=bool):
    return SurfaceImage(
        mesh, {name: np.ones(part.n_vertices, dtype) for name, part in mesh.parts.items()}
    )


@pytest.fixture
def mask_surf(mesh):
    """Return a mask with holes, through an effect and at the edges."""
    rng = np.random.default_rng(5)
    mask = full_mask(mesh)
    for values in mask.data.parts.values():
        values[rng.random(values.size) < 0.15] = False
    return mask


def values_of(img, mask=None):
    """Return the values of an image, left before right, in a mask."""
    parts = [
        values if mask is None else values[np.ravel(mask.data.parts[name]) != 0]
        for name, values in img.data.parts.items()
    ]
    return np.concatenate(parts)


def with_parts(img, function):
    """Return an image of what a function makes of the data of each hemisphere."""
    return SurfaceImage(img.mesh, {n: function(v) for n, v in img.data.parts.items()})


def by_definition(definition, img, mask=None, thresholds=(2,), *, two_sided=False):
    """Return the TDP of each vertex of both hemispheres, cluster after cluster."""
    mask = full_mask(img.mesh) if mask is None else mask
    inside = {name: np.ravel(values) != 0 for name, values in mask.data.parts.items()}
    z = {name: np.ravel(values).astype(float) for name, values in img.data.parts.items()}
    p = {n: 2 * stats.norm.sf(abs(v)) if two_sided else stats.norm.sf(v) for n, v in z.items()}
    h = definition.hommel_value(np.concatenate([p[n][inside[n]] for n in p]))
    tdp = {name: np.zeros(values.size) for name, values in z.items()}
    for threshold in sorted(thresholds):
        for name in tdp:
            for sign in (1, -1) if two_sided else (1,):
                selected = inside[name] & (sign * z[name] > threshold)
                for cluster in components(
                    selected, edges_of(img.mesh.parts[name].faces, selected.size)
                ):
                    bound = definition.true_discoveries(p[name][cluster], h)
                    tdp[name][cluster] = bound / cluster.size
    return np.concatenate(list(tdp.values()))


def assert_same_surfaces(img, other):
    """Assert that images have the same parts of the same shapes and values."""
    assert list(img.data.parts) == list(other.data.parts)
    for name, values in img.data.parts.items():
        assert_array_equal(values, other.data.parts[name])


def renumbered(img, rng):
    """Return an image with other vertex numbers, and the new number of each old vertex."""
    numbers, parts, data = {}, {}, {}
    for name, part in img.mesh.parts.items():
        new = rng.permutation(part.n_vertices)
        faces = rng.permuted(rng.permutation(new[np.asarray(part.faces)]), axis=1)
        points, values = np.empty_like(part.coordinates), np.empty_like(img.data.parts[name])
        points[new], values[new] = part.coordinates, img.data.parts[name]
        numbers[name], parts[name], data[name] = new, InMemoryMesh(points, faces), values
    return SurfaceImage(PolyMesh(**parts), data), numbers


def back(img, numbers):
    """Return values by the old vertex numbers."""
    return np.concatenate([img.data.parts[name][new] for name, new in numbers.items()])


def geodesic_disc(mesh, centre, radius):
    """Return which vertices are near to one of them, in mm along edges."""
    points, faces = mesh.coordinates, mesh.faces
    one, other = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    lengths = np.linalg.norm(points[one] - points[other], axis=1)
    # Each edge is there from both of its triangles: lengths must not be added.
    edges = np.unique(np.column_stack([one, other]), axis=0, return_index=True)[1]
    graph = coo_array((lengths[edges], (one[edges], other[edges])), shape=(len(points),) * 2)
    return dijkstra(graph.tocsr(), directed=False, indices=centre, limit=radius) <= radius


@pytest.fixture(scope="session")
def fsaverage_disc():
    """Return a map on fsaverage5 with an active disc in the left hemisphere, and the disc."""
    files = load_fsaverage("fsaverage5")["pial"]
    mesh = PolyMesh(**{n: InMemoryMesh(*part.loaded()) for n, part in files.parts.items()})
    rng = np.random.default_rng(2)
    # No noise beyond the thresholds: the disc alone is to be found.
    data = {name: 0.3 * rng.standard_normal(10242) for name in HEMISPHERES}
    disc = geodesic_disc(mesh.parts["left"], 4000, 25.0)
    data["left"][disc] = 3.2 + rng.random(disc.sum())
    return SurfaceImage(mesh, data), disc


def n_tdps(tdp, disc):
    """Return how many TDPs a disc shows: at least as many clusters were made of it."""
    return np.unique(np.ravel(tdp.data.parts["left"])[disc]).size


class TestClusters:
    """Edges of the mesh connect the vertices of a cluster."""

    def test_disc_on_fsaverage_is_one_cluster(self, fsaverage_disc, definition):
        img, disc = fsaverage_disc
        assert disc.sum() > 200
        ari = ClusterTDPTransformer(3)
        tdp = ari.fit_transform(img)
        assert_array_equal(ari.table_["n_vertices"], [disc.sum(), 20484 - disc.sum()])
        assert_array_equal(tdp.data.parts["left"] > 0, disc)
        assert not tdp.data.parts["right"].any()
        assert_array_equal(ari.labels_img_.data.parts["left"], disc)
        p = stats.norm.sf(values_of(img))
        bound = definition.true_discoveries(p[:10242][disc], Hommel(p).value())
        assert 0 < bound < disc.sum()
        assert_allclose(tdp.data.parts["left"][disc], bound / disc.sum(), rtol=1e-14)

    def test_nilearn_takes_runs_of_vertex_numbers_for_clusters(self, fsaverage_disc):
        # When this fails nilearn has learnt what a mesh is, and the test has had its day.
        img, disc = fsaverage_disc
        runs = np.flatnonzero(np.diff(disc.astype(int)) == 1).size + int(disc[0])
        assert runs > 10
        ours = n_tdps(cluster_level_inference(img, threshold=2.5), disc)
        theirs = n_tdps(nilearn_inference(img, threshold=2.5), disc)
        assert ours == 1
        assert theirs > 1, f"a disc of {runs} runs of vertex numbers has {theirs} TDP in nilearn"

    def test_nilearn_depends_on_vertex_numbers(self, fsaverage_disc):
        img, _ = fsaverage_disc
        other, numbers = renumbered(img, np.random.default_rng(0))
        for function, is_same in ((cluster_level_inference, True), (nilearn_inference, False)):
            tdp, of_other = (function(i, threshold=2.5) for i in (img, other))
            assert np.allclose(values_of(tdp), back(of_other, numbers)) == is_same, function

    def test_vertex_numbers_are_of_no_importance_on_fsaverage(self, fsaverage_disc):
        img, _ = fsaverage_disc
        img = with_parts(img, np.copy)
        for centre, radius in ((8000, 9.0), (1234, 14.0)):
            img.data.parts["right"][geodesic_disc(img.mesh.parts["right"], centre, radius)] += 3.5
        other, numbers = renumbered(img, np.random.default_rng(1))
        one, another = (ClusterTDPTransformer([2.5, 3.5]) for _ in range(2))
        tdp, of_other = one.fit_transform(img), another.fit_transform(other)
        assert_array_equal(values_of(tdp), back(of_other, numbers))
        assert (one.table_["threshold"] == 2.5).sum() == 3
        self.assert_same_tables(one.table_, another.table_, numbers)

    @TWO_SIDED
    @pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
    def test_vertex_numbers_are_of_no_importance(self, mesh, mask_surf, seed, two_sided):
        img = make_z(mesh, seed)
        ari = ClusterTDPTransformer([1, 2, 3], mask_img=mask_surf, two_sided=two_sided)
        other, numbers = renumbered(img, np.random.default_rng(seed))
        mask = {n: mask_surf.data.parts[n][np.argsort(new)] for n, new in numbers.items()}
        of_other = ClusterTDPTransformer(
            [1, 2, 3], mask_img=SurfaceImage(other.mesh, mask), two_sided=two_sided
        )
        tdp = ari.fit_transform(img)
        assert len(ari.table_) > 10
        assert_array_equal(values_of(tdp), back(of_other.fit_transform(other), numbers))
        self.assert_same_tables(ari.table_, of_other.table_, numbers)

    @staticmethod
    def assert_same_tables(table, other, numbers):
        """Assert that tables are the same, but for vertex numbers and the order of equals."""
        order = ["threshold", "direction", "n_vertices", "cluster_id"]
        assert_array_equal(table[order[0]], other[order[0]])
        assert_array_equal(table[order[2]], other[order[2]])
        one, another = (
            t.sort_values(["threshold", "peak_stat", "n_vertices"], ignore_index=True)
            for t in (table, other)
        )
        apart = ["cluster_id", "peak_vertex"]
        assert_frame_equal(one.drop(columns=apart), another.drop(columns=apart), rtol=1e-12)
        new = [
            numbers[hemisphere][vertex]
            for hemisphere, vertex in zip(one["peak_hemisphere"], one["peak_vertex"], strict=True)
        ]
        assert_array_equal(another["peak_vertex"], new)

    def test_path_along_edges_is_one_cluster_and_corners_across_a_gap_are_not(self):
        # A ring of 12 vertices around a centre: each is a neighbour of two, and of the centre.
        angles = np.linspace(0, 2 * np.pi, 13)[:-1]
        points = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(12)])
        faces = np.array([[i, (i + 1) % 12, 12] for i in range(12)])
        mesh = PolyMesh(left=InMemoryMesh(np.r_[points, [[0, 0, 0]]], faces))
        ari = ClusterTDPTransformer(3)
        z = np.linspace(0, 1, 13)
        z[[0, 3, 6, 9]] += 5
        ari.fit_transform(SurfaceImage(mesh, {"left": z}))
        assert ari.table_["n_vertices"].tolist() == [1, 1, 1, 1, 9]
        z[12] += 5
        ari.fit_transform(SurfaceImage(mesh, {"left": z}))
        assert ari.table_["n_vertices"].tolist() == [5, 8]

    def test_clusters_do_not_span_hemispheres(self):
        # The last vertices of the one follow the first of the other, and lie next to them.
        mesh = PolyMesh(left=sheet(6, 6, 0), right=sheet(6, 6, 1e-3))
        z = np.random.default_rng(0).standard_normal((2, 36)) * 0.5
        z[0, 24:] += 5
        z[1, :12] += 5
        z[1, 30:] += 5
        ari = ClusterTDPTransformer(2.5)
        ari.fit_transform(SurfaceImage(mesh, dict(zip(HEMISPHERES, z, strict=True))))
        assert ari.table_["n_vertices"].tolist()[:-1] == [12, 12, 6]
        assert ari.table_["peak_hemisphere"].tolist()[:-1] == ["left", "right", "right"]
        left, right = (set(np.unique(v)) - {0} for v in ari.labels_img_.data.parts.values())
        assert (left, right) == ({1}, {2, 3})


class TestFamily:
    """Both hemispheres are one family."""

    def test_hemispheres_are_no_families_of_their_own(self, z_surf):
        ari = ClusterTDPTransformer(2)
        tdp = ari.fit_transform(z_surf)
        apart = []
        for name in HEMISPHERES:
            one = PolyMesh(**{name: z_surf.mesh.parts[name]})
            single = ClusterTDPTransformer(2)
            of_one = single.fit_transform(SurfaceImage(one, {name: z_surf.data.parts[name]}))
            # Fewer elements, and the level spent once more.
            assert (of_one.data.parts[name] >= tdp.data.parts[name]).all()
            apart.append(single.maps_.test.value())
            assert single.maps_.test.value() < ari.maps_.test.value()
        assert sum(apart) < ari.maps_.test.value()


class TestTable:
    """Sizes of a real surface."""

    def test_sizes_add_up_to_the_whole_surface(self, fsaverage_disc):
        img, _ = fsaverage_disc
        ari = ClusterTDPTransformer(0.3, cluster_threshold=3).fit(img)
        assert len(ari.table_) > 100
        assert ari.table_["n_vertices"].sum() == 20484
        area = sum(triangle_areas(part).sum() for part in img.mesh.parts.values())
        assert_allclose(ari.table_["size_mm2"].sum(), area, rtol=1e-9)


class TestMasks:
    """All that may be given as mask."""

    @pytest.mark.parametrize(
        "masker",
        [lambda img: SurfaceMasker(), lambda img: SurfaceMasker().fit(img), lambda img: None],
        ids=["unfitted", "fitted to the map", "none"],
    )
    @pytest.mark.filterwarnings("error")
    def test_without_mask_all_vertices_are_tested(self, z_surf, definition, masker):
        ari = ClusterTDPTransformer(2, mask_img=masker(z_surf))
        tdp = ari.fit_transform(z_surf)
        assert ari.n_tested_ == 222
        assert_allclose(values_of(tdp), by_definition(definition, z_surf), rtol=1e-14)

    def test_vertices_that_are_zero_are_tested_without_mask(self, z_surf):
        img = with_parts(z_surf, np.copy)
        img.data.parts["right"][:] = 0
        ari = ClusterTDPTransformer(2)
        match = r"exactly 0 in 90 of 222 vertices\. All of them are tested, since there is no mask"
        with pytest.warns(UserWarning, match=match):
            ari.fit_transform(img)
        assert ari.n_tested_ == 222

    @pytest.mark.filterwarnings("error")
    def test_zeros_are_only_warned_of_where_they_may_be_a_medial_wall(self, z_surf, mesh):
        few, many = (with_parts(z_surf, np.copy) for _ in range(2))
        few.data.parts["left"][:4] = 0  # of 222: less than 2 %
        ClusterTDPTransformer(2).fit_transform(few)
        many.data.parts["left"][:5] = 0
        with pytest.warns(UserWarning, match="exactly 0 in 5 of 222 vertices"):
            ClusterTDPTransformer(2).fit(many)
        # Of arrays, and under a mask, nothing is to be said.
        ClusterTDPTransformer(2, mask_img=full_mask(mesh)).fit_transform(many)
        ClusterTDPTransformer(2, mask_img=full_mask(mesh)).fit_transform(values_of(many))

    def test_thresholded_map_as_mask_of_a_fitted_masker_is_refused(self, z_surf):
        masker = SurfaceMasker(with_parts(z_surf, lambda z: np.where(z > 2, z, 0))).fit()
        for mask_img in (masker, masker.mask_img):
            with pytest.raises(ValueError, match=r"must be binary.*Got nonzero values from 2"):
                ClusterTDPTransformer(2, mask_img=mask_img).fit(z_surf)

    def test_hemisphere_that_is_masked_away_is_not_in_the_family(self, z_surf, mesh):
        mask = full_mask(mesh)
        mask.data.parts["left"][:] = False
        ari = ClusterTDPTransformer(2, mask_img=mask)
        tdp = ari.fit_transform(z_surf)
        right = SurfaceImage(
            PolyMesh(right=mesh.parts["right"]), {"right": z_surf.data.parts["right"]}
        )
        alone = ClusterTDPTransformer(2)
        of_right = alone.fit_transform(right)
        assert ari.n_tested_ == 90
        assert not tdp.data.parts["left"].any()
        assert of_right.data.parts["right"].any()
        assert_array_equal(tdp.data.parts["right"], of_right.data.parts["right"])
        assert_frame_equal(ari.table_, alone.table_)

    @pytest.mark.parametrize("name", HEMISPHERES)
    @pytest.mark.parametrize("with_mask", [False, True])
    def test_single_hemisphere_works(self, definition, mesh, mask_surf, name, with_mask):
        one = PolyMesh(**{name: mesh.parts[name]})
        img = make_z(one)
        mask = SurfaceImage(one, {name: mask_surf.data.parts[name]}) if with_mask else None
        ari = ClusterTDPTransformer(2, mask_img=mask)
        tdp = ari.fit_transform(img)
        assert list(tdp.data.parts) == [name]
        expected = by_definition(definition, img, mask)
        assert expected.any()
        assert_allclose(values_of(tdp), expected, rtol=1e-14)
        assert set(ari.table_["peak_hemisphere"]) == {name}


class TestForm:
    """The output has the form of the input."""

    @pytest.mark.filterwarnings("ignore:The map is exactly 0 in")
    @pytest.mark.parametrize("dtype", ["float32", ">f8", "int16", "int64", "uint8"])
    def test_data_of_every_real_type(self, definition, z_surf, dtype):
        lowest = 0 if dtype == "uint8" else -np.inf
        img = with_parts(
            z_surf,
            lambda z: np.clip(np.round(z * 1.5, 0 if "i" in dtype else 9), lowest, None).astype(
                dtype
            ),
        )
        tdp = ClusterTDPTransformer(2, two_sided=True).fit_transform(img)
        expected = by_definition(definition, img, two_sided=True)
        assert ((expected > 0) & (expected < 1)).any()
        assert_allclose(values_of(tdp), expected, rtol=1e-13)


@pytest.fixture(scope="session")
def effects(mesh):
    """Return effects of subjects, with a group effect in each hemisphere."""
    rng = np.random.default_rng(21)
    images = []
    for _ in range(N_SUBJECTS):
        left, right = rng.standard_normal((11, 12)), rng.standard_normal((9, 10))
        left[2:7, 2:8] += 1.6
        right[1:5, 1:6] += 1.3
        images.append(SurfaceImage(mesh, {"left": left.ravel(), "right": right.ravel()}))
    return images


def fit_model(effects, **params):
    with warnings.catch_warnings():
        # nilearn, of the masker that it takes the place of.
        warnings.filterwarnings("ignore", "Overriding provided-default estimator parameters")
        return ARISecondLevelModel(**params).fit(effects, design_matrix=INTERCEPT)


class TestSecondLevelModel:
    """A group study on surfaces."""

    MASKS = pytest.mark.parametrize(
        "form",
        [lambda mask: mask, SurfaceMasker, lambda mask: SurfaceMasker(mask).fit()],
        ids=["image", "masker", "fitted"],
    )

    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)], ids=["n", "n x 1"])
    def test_effects_are_left_as_they_were(self, effects, mask_surf, shape):
        images = [with_parts(img, lambda v: v.reshape(shape).copy()) for img in effects]
        before = [with_parts(img, np.copy) for img in images]
        mask = with_parts(mask_surf, np.copy)
        model = fit_model(images, mask_img=mask, transformer=ClusterTDPTransformer(2.5))
        model.compute_contrast(output_type="tdp")
        for img, same in zip(images, before, strict=True):
            assert img.shape == same.shape
            assert_same_surfaces(img, same)
        assert_same_surfaces(mask, mask_surf)

    def test_z_map_is_nilearns(self, effects):
        ours = fit_model(effects).compute_contrast(output_type="z_score")
        theirs = SecondLevelModel().fit(effects, design_matrix=INTERCEPT)
        assert_same_surfaces(ours, theirs.compute_contrast(output_type="z_score"))

    @MASKS
    def test_family_is_the_mask_of_the_model(self, effects, mask_surf, form):
        model = fit_model(effects, mask_img=form(mask_surf), transformer=ClusterTDPTransformer(2.5))
        tdp = model.compute_contrast(output_type="tdp")
        z_map = model.compute_contrast(output_type="z_score")
        expected = ClusterTDPTransformer(2.5, mask_img=mask_surf).fit_transform(z_map)
        assert model.n_tested_ == model.n_elements_ == values_of(mask_surf).sum()
        assert values_of(tdp).any()
        assert_same_surfaces(tdp, expected)

    @MASKS
    def test_mask_of_the_transformer_is_the_family(self, effects, mask_surf, form):
        transformer = ClusterTDPTransformer(2.5, mask_img=form(mask_surf))
        model = fit_model(effects, transformer=transformer)
        model.compute_contrast(output_type="tdp")
        assert model.n_elements_ == 222
        assert model.n_tested_ == values_of(mask_surf).sum()

    def test_hemisphere_that_is_masked_away(self, effects, mesh):
        mask = full_mask(mesh)
        mask.data.parts["right"][:] = False
        model = fit_model(effects, mask_img=mask, transformer=ClusterTDPTransformer(2.5))
        tdp = model.compute_contrast(output_type="tdp")
        assert model.n_tested_ == 132
        assert tdp.data.parts["left"].any()
        assert not tdp.data.parts["right"].any()

    def test_single_hemisphere(self, effects, mesh):
        one = PolyMesh(right=mesh.parts["right"])
        images = [SurfaceImage(one, {"right": img.data.parts["right"]}) for img in effects]
        model = fit_model(images, transformer=ClusterTDPTransformer(2.5))
        tdp = model.compute_contrast(output_type="tdp")
        assert list(tdp.data.parts) == ["right"]
        assert model.n_tested_ == 90

    def test_one_image_of_all_subjects(self, effects, mesh):
        data = {n: np.column_stack([img.data.parts[n] for img in effects]) for n in HEMISPHERES}
        tdps = [
            fit_model(given).compute_contrast(output_type="tdp")
            for given in (effects, SurfaceImage(mesh, data))
        ]
        assert values_of(tdps[0]).any()
        assert_same_surfaces(*tdps)

    def test_vertex_that_is_nan_in_a_subject_is_not_in_the_family(self, effects, mask_surf):
        images = [with_parts(img, np.copy) for img in effects]
        images[3].data.parts["left"][30] = np.nan
        assert mask_surf.data.parts["left"][30]
        model = fit_model(images, mask_img=mask_surf)
        with pytest.warns(UserWarning, match="NaN in 1 of the"):
            tdp = model.compute_contrast(output_type="tdp")
        assert model.n_tested_ == values_of(mask_surf).sum() - 1
        assert tdp.data.parts["left"][30] == 0


class TestImagesThatAreRefused:
    """Maps and masks that do not fit, and what is no map at all."""

    def test_what_is_a_part_of_an_image_only(self, z_surf):
        for part in (z_surf.mesh, z_surf.data, z_surf.data.parts, z_surf.mesh.parts["left"]):
            with pytest.raises(TypeError, match=rf"Maps must be.*Got {type(part).__name__}"):
                ClusterTDPTransformer().fit_transform(part)
        with pytest.raises(TypeError, match=r"mask_img must be of the same kind.*Got PolyMesh"):
            ClusterTDPTransformer(mask_img=z_surf.mesh).fit(z_surf)

    def test_mesh_of_other_sizes(self, z_surf):
        other = PolyMesh(left=sheet(11, 11, 0), right=z_surf.mesh.parts["right"])
        match = (
            r"The map and mask_img must lie on the same meshes\. Got 132 left vertices, 90 right "
            r"vertices and a mask of 121 left vertices, 90 right vertices"
        )
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(mask_img=full_mask(other)).fit_transform(z_surf)
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(mask_img=full_mask(other)).fit().transform(z_surf)
        with pytest.raises(ValueError, match="must lie on the same meshes"):
            cluster_level_inference(z_surf, mask_img=SurfaceMasker(full_mask(other)))

    def test_mesh_with_other_faces(self, z_surf):
        parts = {
            name: InMemoryMesh(part.coordinates, part.n_vertices - 1 - part.faces)
            for name, part in z_surf.mesh.parts.items()
        }
        mask = full_mask(PolyMesh(**parts))
        match = r"must lie on the .*meshes.*Got other faces in the left hemisphere"
        for mask_img in (mask, SurfaceMasker(mask), SurfaceMasker(mask).fit()):
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer(mask_img=mask_img).fit_transform(z_surf)
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer(mask_img=mask_img).fit().transform(z_surf)
        other = SurfaceImage(mask.mesh, z_surf.data)
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer().fit_transform([z_surf, other])
        right_only = PolyMesh(left=z_surf.mesh.parts["left"], right=parts["right"])
        with pytest.raises(ValueError, match="other faces in the right hemisphere"):
            ClusterTDPTransformer(mask_img=full_mask(right_only)).fit(z_surf)

    @pytest.mark.parametrize("name", HEMISPHERES)
    def test_hemisphere_that_is_missing_in_mask_or_map(self, z_surf, mesh, name):
        one = PolyMesh(**{name: mesh.parts[name]})
        both = "132 left vertices, 90 right vertices"
        n_one = f"{mesh.parts[name].n_vertices} {name} vertices"
        with pytest.raises(ValueError, match=f"Got {both} and a mask of {n_one}"):
            ClusterTDPTransformer(mask_img=full_mask(one)).fit_transform(z_surf)
        match = f"Got {n_one} and a mask of {both}"
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(mask_img=full_mask(mesh)).fit_transform(make_z(one))
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer().fit_transform([z_surf, make_z(one)])

    def test_data_that_do_not_fit_their_mesh(self, z_surf, mesh):
        with pytest.raises(ValueError, match="Data shape does not match number of vertices"):
            SurfaceImage(mesh, {"left": np.zeros(131), "right": np.zeros(90)})
        with pytest.raises(ValueError, match="Data and mesh do not have the same keys"):
            SurfaceImage(mesh, {"left": np.zeros(132)})
        # nilearn looks when the image is made.
        for values in (np.zeros(131), np.zeros(133)):
            img = with_parts(z_surf, np.copy)
            img.data.parts["left"] = values
            for mask in (None, full_mask(mesh)):
                match = rf"same vertices\. Got data of {values.size} left.*a mesh of 132 left"
                with pytest.raises(ValueError, match=match):
                    ClusterTDPTransformer(mask_img=mask).fit_transform(img)
        del img.data.parts["right"]
        with pytest.raises(ValueError, match=r"Got data of 133 left vertices and a mesh of"):
            ClusterTDPTransformer().fit_transform(img)

    @pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 3)])
    def test_data_of_three_axes(self, mesh, shape):
        img = SurfaceImage(mesh, {"left": np.zeros((132, *shape)), "right": np.zeros((90, *shape))})
        match = rf"should be 1D, or 2D.*Got shape \(132, {shape[0]}, {shape[1]}\) and \(90"
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer().fit_transform(img)
        with pytest.raises(ValueError, match=r"should be 1D, a single map.*Got shape \(132"):
            ClusterTDPTransformer().fit_transform([img])
        with pytest.raises(ValueError, match=r"mask_img must hold a single map\. Got shape \(132"):
            ClusterTDPTransformer(mask_img=with_parts(img, lambda v: v + 1)).fit()

    def test_no_map(self, mesh):
        img = make_z(mesh, shape=(0,))
        with pytest.raises(ValueError, match=r"Got shape \(132, 0\) and \(90, 0\)"):
            ClusterTDPTransformer().fit_transform(img)


class TestValues:
    """Values that are missing, or impossible."""

    def test_nan_through_a_cluster_cuts_it(self):
        mesh = PolyMesh(left=sheet(5, 5, 0))
        z = np.random.default_rng(0).standard_normal((5, 5)) * 0.3
        z[1:4] += 5
        z[:, 2] = np.nan
        ari = ClusterTDPTransformer(2)
        with pytest.warns(UserWarning, match="NaN in 5 of the 25 vertices"):
            ari.fit_transform(SurfaceImage(mesh, {"left": z.ravel()}))
        assert ari.table_["n_vertices"].tolist() == [6, 6, 8]
        areas = vertex_areas(mesh.parts["left"])
        assert_allclose(ari.table_["size_mm2"].sum(), areas[~np.isnan(z.ravel())].sum())

    def test_hemisphere_of_nan(self, z_surf, mesh):
        img = with_parts(z_surf, np.copy)
        img.data.parts["right"][:] = np.nan
        left = make_z(PolyMesh(left=mesh.parts["left"]))
        alone = ClusterTDPTransformer(2)
        expected = alone.fit_transform(left)
        ari = ClusterTDPTransformer(2)
        with pytest.warns(UserWarning, match="NaN in 90 of the 222 vertices"):
            tdp = ari.fit_transform(img)
        assert_array_equal(tdp.data.parts["left"], expected.data.parts["left"])
        assert not tdp.data.parts["right"].any()
        assert_frame_equal(ari.table_, alone.table_)

    @pytest.mark.parametrize("dtype", [bool, complex])
    def test_map_that_is_not_of_real_numbers_is_refused(self, z_surf, dtype):
        img = with_parts(z_surf, lambda z: (z > 1).astype(dtype))
        match = rf"must hold real numbers\. Got {np.dtype(dtype)}"
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer().fit_transform(img)


class TestMeshes:
    """Meshes out of the ordinary, and meshes in files."""

    @staticmethod
    def remade(img, function, name="left"):
        """Return an image on a mesh whose left faces are changed by a function."""
        part = img.mesh.parts[name]
        changed = InMemoryMesh(part.coordinates, function(part.faces))
        return SurfaceImage(PolyMesh(**(img.mesh.parts | {name: changed})), img.data)

    @pytest.mark.parametrize(
        "function",
        [
            lambda faces: faces[::-1],
            lambda faces: faces[:, [2, 0, 1]],
            lambda faces: faces[:, ::-1],
            lambda faces: faces.astype("int32"),
            lambda faces: faces.astype(">i4"),
            lambda faces: faces.astype("uint32"),
            lambda faces: faces.astype("uint64"),
        ],
        ids=["rows", "corners", "inside out", "int32", ">i4", "uint32", "uint64"],
    )
    def test_order_and_type_of_faces_are_of_no_importance(self, z_surf, function):
        one, other = ClusterTDPTransformer([1, 2]), ClusterTDPTransformer([1, 2])
        tdp = one.fit_transform(z_surf)
        assert_same_surfaces(other.fit_transform(self.remade(z_surf, function)), tdp)
        assert_frame_equal(one.table_, other.table_, rtol=1e-12)

    def test_faces_that_are_there_twice_are_of_no_importance_for_clusters(self, z_surf):
        doubled = self.remade(z_surf, lambda faces: np.r_[faces, faces[5:40]])
        tdp = ClusterTDPTransformer(1).fit_transform(z_surf)
        assert_same_surfaces(ClusterTDPTransformer(1).fit_transform(doubled), tdp)

    def test_faces_that_repeat_a_vertex_have_no_area(self, z_surf, definition):
        degenerate = [[3, 3, 3], [0, 0, 1], [5, 17, 5], [12, 0, 0]]
        img = self.remade(z_surf, lambda faces: np.r_[faces, degenerate])
        one, other = ClusterTDPTransformer(1), ClusterTDPTransformer(1)
        one.fit_transform(z_surf)
        tdp = other.fit_transform(img)
        assert_allclose(values_of(tdp), by_definition(definition, img, None, (1,)), rtol=1e-14)
        assert_allclose(other.table_["size_mm2"].sum(), one.table_["size_mm2"].sum(), rtol=1e-12)

    @pytest.mark.filterwarnings("ignore:The map is exactly 0 in")
    def test_face_that_repeats_a_vertex_is_an_edge(self):
        points = np.random.default_rng(0).standard_normal((4, 3))
        faces = np.array([[0, 0, 2], [1, 3, 3]])
        mesh = PolyMesh(left=InMemoryMesh(points, faces))
        ari = ClusterTDPTransformer(1).fit(SurfaceImage(mesh, {"left": np.array([3.0, 0, 4, 5])}))
        assert ari.table_["n_vertices"].tolist() == [2, 1, 1]
        assert_array_equal(ari.labels_img_.data.parts["left"], [1, 0, 1, 2])
        assert not ari.table_["size_mm2"].any()

    def test_vertices_without_faces_are_clusters_of_their_own(self, definition):
        part = sheet(5, 5, 0)
        points = np.r_[part.coordinates, [[9, 9, 9], [9, 9, 10], [50, 50, 50]]]
        mesh = PolyMesh(left=InMemoryMesh(points, part.faces))
        z = np.random.default_rng(0).standard_normal(28)
        z[20:] += 4
        img = SurfaceImage(mesh, {"left": z})
        ari = ClusterTDPTransformer(1)
        tdp = ari.fit_transform(img)
        assert_allclose(values_of(tdp), by_definition(definition, img, None, (1,)), rtol=1e-14)
        labels = ari.labels_img_.data.parts["left"]
        assert np.unique(labels[25:]).size == 3
        assert ari.n_tested_ == 28
        of_them = ari.table_.set_index("cluster_id").loc[labels[25:]]
        assert of_them["n_vertices"].tolist() == [1, 1, 1]
        assert of_them["size_mm2"].tolist() == [0, 0, 0]
        assert sorted(of_them["peak_vertex"]) == [25, 26, 27]

    def test_pieces_of_a_mesh_have_clusters_of_their_own(self):
        one, other = sheet(4, 4, 0), sheet(4, 4, 0)
        points = np.r_[one.coordinates, other.coordinates]
        mesh = PolyMesh(left=InMemoryMesh(points, np.r_[one.faces, other.faces + 16]))
        z = np.r_[np.linspace(3, 4, 16), np.linspace(4, 5, 15), -1]
        ari = ClusterTDPTransformer(2).fit(SurfaceImage(mesh, {"left": z}))
        assert ari.table_["n_vertices"].tolist() == [16, 15, 1]

    def test_faces_out_of_range_are_refused(self, z_surf, mesh):
        part = mesh.parts["left"]
        for bad in (-1, 132):
            faces = part.faces.copy()
            faces[3, 1] = bad
            with pytest.raises(ValueError, match=rf"indices of faces[\s\S]*found value {bad}"):
                InMemoryMesh(part.coordinates, faces)
            # nilearn does not look when they are changed.
            changed = InMemoryMesh(part.coordinates, part.faces)
            changed.faces = faces
            img = SurfaceImage(PolyMesh(left=changed, right=mesh.parts["right"]), z_surf.data)
            with pytest.raises(ValueError, match="faces must hold numbers of the 132 vertices"):
                ClusterTDPTransformer().fit_transform(img)

    def test_faces_that_are_no_triangles_of_integers_are_refused(self, z_surf):
        for function in (
            lambda faces: faces.astype(float),
            lambda faces: faces[:, [0, 1, 2, 2]],
            lambda faces: faces[:, :2],
        ):
            img = self.remade(z_surf, function)
            with pytest.raises(ValueError, match=r"faces must be an array of integers"):
                ClusterTDPTransformer().fit_transform(img)

    @pytest.fixture
    def files(self, mesh, tmp_path):
        """Return the paths of GIFTI files of the meshes."""
        paths = {name: tmp_path / f"{name}.surf.gii" for name in HEMISPHERES}
        for name, path in paths.items():
            mesh.parts[name].to_gifti(path)
        return paths

    @pytest.mark.parametrize("form", [str, FileMesh], ids=["paths", "FileMesh"])
    def test_mesh_in_files_gives_the_same(self, z_surf, mask_surf, files, form):
        in_files = PolyMesh(**{name: form(path) for name, path in files.items()})
        img, mask = (SurfaceImage(in_files, i.data) for i in (z_surf, mask_surf))
        expected = ClusterTDPTransformer([1, 2], mask_img=mask_surf)
        tdp = expected.fit_transform(z_surf)
        for given in (mask, mask_surf, SurfaceMasker(mask).fit()):
            ari = ClusterTDPTransformer([1, 2], mask_img=given)
            assert_same_surfaces(ari.fit_transform(img), tdp)
            assert_frame_equal(ari.table_, expected.table_)
            assert_same_surfaces(ari.transform(z_surf), tdp)
        assert_same_surfaces(ClusterTDPTransformer(1).fit_transform(img), self.tdp_of(z_surf))

    def test_an_image_of_a_view_is_a_copy(self, z_surf, tmp_path):
        fitted_map = ClusterTDPTransformer(1).fit(z_surf).maps_
        values = np.memmap(tmp_path / "values", float, "w+", shape=fitted_map.n_tested)
        for given in (values, np.asarray(values), np.ma.MaskedArray(values)):
            img = fitted_map.to_image(given, "values")
            assert not any(np.shares_memory(part, values) for part in img.data.parts.values())

    @staticmethod
    def tdp_of(img):
        return ClusterTDPTransformer(1).fit_transform(img)

    def test_data_in_files_give_the_same(self, z_surf, files, tmp_path):
        single = with_parts(z_surf, lambda z: z.astype("float32"))
        single.data.to_filename(tmp_path / "z.gii")
        paths = {n: tmp_path / f"z_hemi-{n[0].upper()}.gii" for n in HEMISPHERES}
        img = SurfaceImage(files, paths)
        assert_same_surfaces(self.tdp_of(img), self.tdp_of(single))

    def test_fsaverage_as_nilearn_loads_it(self, fsaverage_disc):
        in_memory, disc = fsaverage_disc
        img = SurfaceImage(load_fsaverage("fsaverage5")["pial"], in_memory.data)
        tdp = cluster_level_inference(img, threshold=3.0)
        assert_array_equal(tdp.data.parts["left"] > 0, disc)

    def test_areas_and_places_are_of_the_mesh_of_the_map(self, fsaverage_disc):
        img, disc = fsaverage_disc
        inflated = load_fsaverage("fsaverage5")["inflated"]
        without_mask = ClusterTDPTransformer(3)
        expected = without_mask.fit_transform(img)
        ari = ClusterTDPTransformer(3, mask_img=full_mask(inflated))
        assert_same_surfaces(ari.fit_transform(img), expected)
        assert_frame_equal(ari.table_, without_mask.table_)
        on_inflated = ClusterTDPTransformer(3).fit(SurfaceImage(inflated, img.data))
        assert on_inflated.table_["n_vertices"][0] == ari.table_["n_vertices"][0] == disc.sum()
        assert on_inflated.table_["size_mm2"][0] != ari.table_["size_mm2"][0]
