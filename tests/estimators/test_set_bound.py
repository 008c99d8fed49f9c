"""Bounds of any set of a fitted map, and confidence curves, against the definition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nibabel.affines import apply_affine
from nilearn.datasets import load_fsaverage_data
from nilearn.exceptions import DimensionError
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.spatial.distance import cdist
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    SetBound,
    confidence_curve,
    element_at,
    set_bound,
)
from ari_estimator.closed_testing import Hommel

from ._kinds import KINDS, sheet

# Voxels of the second effect of make_map, and the centre of one of them.
BLOCK = (slice(1, 4), slice(1, 5), slice(1, 6))
CENTRE = (6.0, -1.0, 17.0)


@pytest.fixture(scope="module")
def fitted(make_map, make_img, mask_img):
    """Return a transformer that has seen a map, of 2 x 3 x 4 mm voxels."""
    transformer = ClusterTDPTransformer(2.5, mask_img=mask_img).fit(make_img(make_map(effect=4.0)))
    return transformer


@pytest.fixture(scope="module")
def p(make_map):
    """Return the p-values of the map, computed without the package."""
    return norm.sf(make_map(effect=4.0))


@pytest.fixture
def block_img(make_img):
    """Return a set that is partly outside of the mask."""
    block = np.zeros((8, 9, 10), dtype="uint8")
    block[BLOCK] = 1
    return make_img(block)


@pytest.fixture(scope="module")
def bound_of(definition, mask):
    """Return a function from p-values and a set, as volumes, to what is to be expected."""

    def bound_of(p, members, tested=mask, alpha=0.05):
        members = members & tested
        h = definition.hommel_value(p[tested], alpha)
        true_discoveries = definition.true_discoveries(p[members], h, alpha)
        p_value = Hommel(p[tested]).set_p_value(np.flatnonzero(members[tested]))
        n = int(members.sum())
        return SetBound(n, true_discoveries, true_discoveries / n, p_value)

    return bound_of


def assert_bound(bound, expected):
    assert isinstance(bound, SetBound)
    assert bound[:3] == expected[:3]
    assert_allclose(bound.p_value, expected.p_value, rtol=1e-9)


def xyz_of(img):
    return apply_affine(img.affine, np.argwhere(np.ones(img.shape, dtype=bool)))


def within(img, seed, radius):
    """Return the voxels of a sphere, by the distances of all."""
    distances = np.linalg.norm(xyz_of(img) - np.asarray(seed, dtype=float), axis=1)
    return (distances <= radius).reshape(img.shape)


class TestSetBound:
    """A set of voxels in each of three forms."""

    def test_of_a_mask_image(self, fitted, p, block_img, mask, bound_of):
        bound = set_bound(fitted, mask_img=block_img)
        members = get_data(block_img) > 0
        assert 0 < bound.true_discoveries < bound.n_tested < members.sum()
        assert_bound(bound, bound_of(p, members))

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
    @pytest.mark.parametrize("value", [1, 7])
    def test_mask_image_may_be_of_any_type(self, fitted, block_img, make_img, dtype, value):
        img = make_img((get_data(block_img) * value).astype(dtype))
        assert set_bound(fitted, mask_img=img) == set_bound(fitted, mask_img=block_img)

    def test_cluster_has_the_bound_of_the_table(self, fitted, make_img):
        labels = get_data(fitted.labels_img_)
        for row in fitted.table_.iloc[:-1].itertuples():
            mask_img = make_img((labels == row.cluster_id).astype("uint8"))
            bound = set_bound(fitted, mask_img=mask_img)
            assert bound[:3] == (row.n_voxels, row.true_discoveries, row.tdp)
        assert row.Index > 0

    def test_all_voxels_have_m_minus_h(self, fitted, p, mask, mask_img, make_img, definition):
        m = int(mask.sum())
        h = definition.hommel_value(p[mask])
        everything = make_img(np.ones(mask.shape, dtype="uint8"))
        for img in (mask_img, everything):
            bound = set_bound(fitted, mask_img=img)
            assert bound[:3] == (m, m - h, (m - h) / m)
            assert bound.true_discoveries == fitted.true_discoveries_
        assert bound.p_value == fitted.maps_.test.set_p_value(np.arange(m))

    @pytest.mark.parametrize(
        ("seed", "radius"),
        [
            (CENTRE, 0),
            (CENTRE, 0.99),
            (CENTRE, 3),
            (CENTRE, 5),
            (CENTRE, 8.5),
            ([5.1, -2.2, 16.3], 7.77),
            (np.array([5, -2, 16]), np.float32(9.5)),
            ((12, -7, 5), 12),
            (CENTRE, 1000),
        ],
    )
    def test_of_a_sphere(self, fitted, p, mask, bound_of, seed, radius):
        members = within(fitted.mask_img_, seed, radius)
        bound = set_bound(fitted, seed=seed, radius=radius)
        assert bound.n_tested == (members & mask).sum() > 0
        assert_bound(bound, bound_of(p, members))

    def test_voxel_at_the_radius_is_in_the_sphere(self, fitted, mask):
        # Along the axes: 3, 2 and 4 mm.
        inside = [set_bound(fitted, seed=CENTRE, radius=r).n_tested for r in (0, 1.9, 2, 3, 4)]
        i, j, k = (2, 3, 3)
        assert_array_equal(apply_affine(fitted.mask_img_.affine, [i, j, k]), CENTRE)
        assert mask[i, j, k]
        assert inside[0] == inside[1] == 1
        assert inside[2] == 1 + mask[i, j - 1, k] + mask[i, j + 1, k]
        assert inside[3] == inside[2] + mask[i - 1, j, k] + mask[i + 1, j, k]
        assert inside[4] > inside[3]

    @pytest.mark.parametrize("n_steps", [1, 5])
    @pytest.mark.parametrize("step", [2, 2.4, 3.3, 0.7])
    @pytest.mark.parametrize("is_surface", [False, True], ids=["volume", "surface"])
    def test_rounding_chooses_no_elements_at_the_radius(self, step, n_steps, is_surface):
        # Places in single precision, as files have them.
        affine = np.diag([step, step, step, 1]).astype("float32").astype("float64")
        affine[:3, 3] = np.float32(-40 * step)
        shape = (81, 81, 3) if is_surface else (51, 51, 51)
        z = np.random.default_rng(0).standard_normal(shape)
        distances = ((np.argwhere(np.ones(shape)) - 40) ** 2).sum(axis=1)
        if is_surface:
            places = apply_affine(affine, np.add(np.argwhere(z[..., :1] < 9), [0, 0, 40]))
            mesh = InMemoryMesh(places.astype("float32"), sheet(*shape[:2]).faces)
            img = SurfaceImage(PolyMesh(left=mesh), {"left": z[..., 0].ravel()})
            distances = ((np.argwhere(np.ones(shape[:2])) - 40) ** 2).sum(axis=1)
            transformer = ClusterTDPTransformer(3).fit(img)
        else:
            mask_img = Nifti1Image(np.ones(shape, "uint8"), affine)
            transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(Nifti1Image(z, affine))
        bound = set_bound(transformer, seed=(0, 0, 0), radius=n_steps * step)
        assert bound.n_tested == (distances <= n_steps**2).sum()

    def test_sphere_on_rotated_axes(self, make_map, mask):
        affine = np.eye(4)
        affine[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
        affine[:3, :3] = affine[:3, :3] @ np.diag([2, 3, -4])
        affine[:3, 3] = [10, -20, 30]
        mask_img = Nifti1Image(mask.astype("uint8"), affine)
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(Nifti1Image(make_map(), affine))
        seed = apply_affine(affine, [3.3, 4.1, 5.2])
        members = within(mask_img, seed, 9.3) & mask
        mask_of_set = Nifti1Image(members.astype("uint8"), affine)
        bound = set_bound(transformer, seed=seed, radius=9.3)
        assert bound == set_bound(transformer, mask_img=mask_of_set)
        assert 20 < bound.n_tested < mask.sum() / 2

    @pytest.mark.parametrize(
        "as_indices", [np.asarray, np.ndarray.tolist, lambda a: a.astype("u1")]
    )
    def test_of_indices(self, fitted, p, mask, bound_of, as_indices):
        members = np.zeros(mask.shape, dtype=bool)
        members[BLOCK] = True
        indices = np.argwhere(members & mask)
        np.random.default_rng(0).shuffle(indices)
        assert_bound(set_bound(fitted, indices=as_indices(indices)), bound_of(p, members))
        # A voxel is in a set or not, however often it is named.
        repeated = as_indices(np.concatenate([indices, indices[:5]]))
        assert set_bound(fitted, indices=repeated).n_tested == (members & mask).sum()

    def test_of_one_voxel(self, fitted, p, mask):
        adjusted = Hommel(p[mask]).adjusted_p_values
        for place in (0, 100, int(p[mask].argmin())):
            bound = set_bound(fitted, indices=np.argwhere(mask)[[place]])
            assert bound.n_tested == 1
            assert bound.true_discoveries == (adjusted[place] <= 0.05)
            assert_allclose(bound.p_value, adjusted[place], rtol=1e-9)
        assert bound.true_discoveries == 1

    def test_is_of_plain_numbers(self, fitted, block_img):
        bound = set_bound(fitted, mask_img=block_img)
        assert [type(value) for value in bound] == [int, int, float, float]

    @given(members=arrays(bool, (8, 9, 10), elements=st.booleans(), fill=st.booleans()))
    @settings(max_examples=60)
    def test_of_random_sets(self, fitted, p, mask, make_img, bound_of, members):
        if not (members & mask).any():
            members[3, 3, 3] = mask[3, 3, 3]
        expected = bound_of(p, members)
        assert_bound(set_bound(fitted, mask_img=make_img(members.astype("uint8"))), expected)
        assert_bound(set_bound(fitted, indices=np.argwhere(members & mask)), expected)

    @pytest.mark.parametrize(
        ("stat_type", "local_test", "alpha"), [("z", "hommel", 0.2), ("p", "simes", 0.01)]
    )
    def test_parameters_count(
        self, make_map, make_img, mask, mask_img, definition, p, block_img, stat_type, local_test,
        alpha,
    ):  # fmt: skip
        transformer = ClusterTDPTransformer(
            mask_img=mask_img, stat_type=stat_type, local_test=local_test, alpha=alpha
        ).fit(make_img(p if stat_type == "p" else make_map(effect=4.0)))
        members = mask & (get_data(block_img) > 0)
        h = definition.hommel_value(p[mask], alpha, local_test)
        bound = set_bound(transformer, mask_img=block_img)
        assert bound.true_discoveries > 0
        assert bound.true_discoveries == definition.true_discoveries(
            p[members], h, alpha, local_test
        )
        hommel = Hommel(p[mask], local_test)
        assert_allclose(bound.p_value, hommel.set_p_value(members[mask]), rtol=1e-9)
        assert bound.p_value <= alpha

    def test_p_value_is_at_most_alpha_where_there_is_a_discovery(self, fitted, mask):
        xyz = apply_affine(fitted.mask_img_.affine, np.argwhere(mask)[::7])
        bounds = [set_bound(fitted, seed=seed, radius=5) for seed in xyz]
        has_discovery = [bound.true_discoveries > 0 for bound in bounds]
        assert_array_equal([bound.p_value <= 0.05 for bound in bounds], has_discovery)
        assert 5 < sum(has_discovery) < len(bounds) - 5


class TestNaN:
    """Voxels that are NaN are not tested, and in no set."""

    @pytest.fixture
    def with_nan(self, make_map, make_img, mask_img):
        z = make_map(effect=4.0)
        z[2, 1:3, 3] = np.nan
        z[1, 8, 1] = np.nan
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN in"):
            transformer.fit_transform(make_img(z))
        return transformer, np.isfinite(z)

    def test_they_are_left_out(self, with_nan, p, mask, block_img, bound_of):
        transformer, is_finite = with_nan
        members = get_data(block_img) > 0
        expected = bound_of(p, members, mask & is_finite)
        assert expected.n_tested < (members & mask).sum()
        assert_bound(set_bound(transformer, mask_img=block_img), expected)
        # Indices name voxels of the mask, tested or not.
        assert_bound(set_bound(transformer, indices=np.argwhere(members & mask)), expected)
        sphere = set_bound(transformer, seed=CENTRE, radius=8)
        expected = bound_of(p, within(block_img, CENTRE, 8), mask & is_finite)
        assert_bound(sphere, expected)

    def test_set_of_nothing_else_is_refused(self, with_nan, mask):
        transformer, is_finite = with_nan
        nan_in_mask = np.argwhere(mask & ~is_finite)
        assert len(nan_in_mask) > 0
        for call in (set_bound, confidence_curve):
            with pytest.raises(ValueError, match="set has no tested voxel"):
                call(transformer, indices=nan_in_mask)

    def test_they_are_in_no_curve(self, with_nan, mask):
        transformer, is_finite = with_nan
        assert len(confidence_curve(transformer)) == (mask & is_finite).sum()


class TestConfidenceCurve:
    """The strongest 1, 2, ... voxels."""

    def test_of_all_voxels(self, fitted, p, mask, definition):
        curve = confidence_curve(fitted)
        m = int(mask.sum())
        h = definition.hommel_value(p[mask])
        ascending = np.sort(p[mask])
        assert curve.columns.tolist() == ["n_selected", "p_value", "true_discoveries", "tdp"]
        assert_array_equal(curve["n_selected"], np.arange(1, m + 1))
        assert_allclose(curve["p_value"], ascending, rtol=1e-12)
        expected = [definition.true_discoveries(ascending[:k], h) for k in range(1, m + 1)]
        assert_array_equal(curve["true_discoveries"], expected)
        assert_allclose(curve["tdp"], np.array(expected) / np.arange(1, m + 1), rtol=1e-15)

    def test_ends_at_the_bound_of_all(self, fitted):
        curve = confidence_curve(fitted)
        assert curve["true_discoveries"].iloc[-1] == fitted.true_discoveries_
        assert (np.diff(curve["true_discoveries"]) >= 0).all()
        assert (np.diff(curve["true_discoveries"]) <= 1).all()
        assert curve["true_discoveries"].iloc[-1] == curve["true_discoveries"].max() > 10

    @pytest.mark.parametrize("of_set", [False, True], ids=["all", "set"])
    def test_row_has_the_bound_of_that_set(self, fitted, p, mask, block_img, of_set):
        members = mask & (get_data(block_img) > 0) if of_set else mask
        curve = confidence_curve(fitted, mask_img=block_img if of_set else None)
        assert len(curve) == members.sum()
        strongest = np.argwhere(members)[np.argsort(p[members])]
        for k in (1, 2, 5, 17, 30, len(curve)):
            row = curve.iloc[k - 1]
            bound = set_bound(fitted, indices=strongest[:k])
            assert (row["n_selected"], row["true_discoveries"], row["tdp"]) == bound[:3]
            assert_allclose(row["p_value"], p[tuple(strongest[k - 1])], rtol=1e-12)

    def test_of_a_set_in_each_form(self, fitted, mask, make_img):
        members = within(fitted.mask_img_, CENTRE, 7) & mask
        sphere = confidence_curve(fitted, seed=CENTRE, radius=7)
        for given_set in (
            {"mask_img": make_img(members.astype("uint8"))},
            {"indices": np.argwhere(members)},
        ):
            assert_frame_equal(confidence_curve(fitted, **given_set), sphere)
        assert len(sphere) == members.sum()
        bound = set_bound(fitted, seed=CENTRE, radius=7)
        assert sphere["true_discoveries"].iloc[-1] == bound.true_discoveries

    @given(counts=st.lists(st.integers(1, 30), min_size=2, max_size=15).filter(
        lambda counts: min(counts) < max(counts)))  # fmt: skip
    @settings(max_examples=60)
    def test_of_p_values_with_ties(self, counts):
        data = np.array(counts).reshape(1, 1, -1) / 400
        ones = Nifti1Image(np.ones(data.shape, dtype="uint8"), np.eye(4))
        transformer = ClusterTDPTransformer(mask_img=ones, stat_type="p")
        transformer.fit_transform(Nifti1Image(data, np.eye(4)))
        curve = confidence_curve(transformer)
        vector = Hommel(data.ravel()).critical_vector(0.05)
        ascending = np.sort(data.ravel())
        expected = [vector.true_discoveries(ascending[:k]) for k in range(1, len(counts) + 1)]
        assert_array_equal(curve["true_discoveries"], expected)
        assert_array_equal(curve["p_value"], ascending)

    def test_without_discoveries_is_zero(self, make_img, mask_img):
        z = np.random.default_rng(3).standard_normal((8, 9, 10)) / 2
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(make_img(z))
        curve = confidence_curve(transformer)
        assert not curve[["true_discoveries", "tdp"]].to_numpy().any()


class TestEstimators:
    """Whatever has seen a map can be asked."""

    @pytest.fixture
    def regions_img(self, make_img):
        labels = np.zeros((8, 9, 10), dtype="int32")
        labels[BLOCK] = 1
        labels[4:7, 1:5, 2:6] = 2
        return make_img(labels)

    @pytest.mark.parametrize("of_regions", [False, True])
    def test_second_level_model(
        self, make_map, make_img, mask_img, regions_img, block_img, of_regions
    ):
        images = [make_img(make_map(seed, 1.5)) for seed in range(8)]
        transformer = RegionTDPTransformer(regions_img) if of_regions else None
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(8)}))
        model.compute_contrast(output_type="tdp")
        bound = set_bound(model, mask_img=block_img)
        assert bound.true_discoveries > 0
        assert bound == set_bound(model.transformer_, mask_img=block_img)
        z_img = model.compute_contrast(output_type="z_score")
        alone = ClusterTDPTransformer(mask_img=mask_img).fit(z_img)
        assert bound == set_bound(alone, mask_img=block_img)
        assert_frame_equal(confidence_curve(model), confidence_curve(alone))

    def test_of_one_of_several_maps(self, make_map, make_img, mask, mask_img, block_img):
        maps = [make_map(seed, 4.0) for seed in range(3)]
        single = []
        for z in maps:
            transformer = ClusterTDPTransformer(mask_img=mask_img).fit(make_img(z))
            single.append(transformer)
        for several in (
            [make_img(z) for z in maps],
            make_img(np.stack(maps, axis=-1)),
            np.stack([z[mask] for z in maps]),
        ):
            transformer = ClusterTDPTransformer(mask_img=mask_img).fit(several)
            for i, alone in enumerate(single):
                bound = set_bound(transformer, mask_img=block_img, map_index=i)
                assert bound == set_bound(alone, mask_img=block_img)
                assert bound == set_bound(alone, mask_img=block_img, map_index=0)
                assert_frame_equal(
                    confidence_curve(transformer, map_index=np.int64(i)), confidence_curve(alone)
                )
        bounds = {set_bound(alone, mask_img=block_img) for alone in single}
        assert len(bounds) == 3

    def test_fitted_map_is_asked_as_its_transformer_is(self, fitted, make_img, make_map, mask_img):
        maps = [make_img(make_map(seed, 4.0)) for seed in range(2)]
        several = ClusterTDPTransformer(mask_img=mask_img).fit(maps)
        a_set = {"seed": CENTRE, "radius": 6}
        for fitted_map, asked in (
            (fitted.maps_, (fitted, {})),
            (several.maps_[1], (several, {"map_index": 1})),
        ):
            transformer, index = asked
            bound = set_bound(transformer, **a_set, **index)
            assert set_bound(fitted_map, **a_set) == fitted_map.bound(**a_set) == bound
            curve = confidence_curve(transformer, **a_set, **index)
            assert_frame_equal(confidence_curve(fitted_map, **a_set), curve)
            assert_frame_equal(fitted_map.confidence_curve(**a_set), curve)
            element = element_at(transformer, index=(3, 3, 3), **index)
            assert element_at(fitted_map, index=(3, 3, 3)) == element
            assert fitted_map.element_at(index=(3, 3, 3)) == element
        for call in (set_bound, confidence_curve):
            with pytest.raises(ValueError, match="map_index must be left at the default"):
                call(fitted.maps_, **a_set, map_index=0)

    def test_of_a_single_map_needs_no_index(self, fitted, make_map, make_img, mask, mask_img):
        z = make_map(effect=4.0)
        expected = set_bound(fitted, seed=CENTRE, radius=6)
        for single in (make_img(z), [make_img(z)], z[mask], z[mask][np.newaxis]):
            transformer = ClusterTDPTransformer(mask_img=mask_img).fit(single)
            assert set_bound(transformer, seed=CENTRE, radius=6) == expected

    def test_transform_of_another_map_changes_nothing(
        self, fitted, make_map, make_img, mask_img, block_img
    ):
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(make_img(make_map(effect=4.0)))
        transformer.transform(make_img(make_map(7, 1.0)))
        assert set_bound(transformer, mask_img=block_img) == set_bound(fitted, mask_img=block_img)

    def test_two_sided_map_has_two_sided_bounds(
        self, make_map, make_img, mask_img, definition, mask
    ):
        z = make_map(effect=4.0)
        transformer = ClusterTDPTransformer(mask_img=mask_img, two_sided=True).fit(make_img(z))
        members = np.zeros(mask.shape, dtype=bool)
        members[4:7, 1:5, 2:6] = True
        members &= mask
        two_sided = 2 * norm.sf(np.abs(z))
        bound = set_bound(transformer, indices=np.argwhere(members))
        h = definition.hommel_value(two_sided[mask])
        assert bound.true_discoveries == definition.true_discoveries(two_sided[members], h) > 0


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


class TestEveryKind:
    """Sets of voxels, of vertices and of grayordinates."""

    @pytest.fixture
    def of_kind(self, kind):
        transformer = ClusterTDPTransformer(mask_img=kind.mask_img, **kind.parameters)
        return transformer.fit(kind.image(kind.z()))

    @pytest.fixture
    def members(self, kind):
        return np.random.default_rng(2).random(kind.n) < 0.4

    @staticmethod
    def expected(kind, members):
        p, inside = norm.sf(kind.z()[kind.mask]), members[kind.mask]
        hommel = Hommel(p)
        bound = hommel.critical_vector(0.05).true_discoveries(p[inside])
        n = int(inside.sum())
        return SetBound(n, bound, bound / n, hommel.set_p_value(inside))

    def test_of_an_image(self, kind, of_kind, members, tmp_path):
        expected = self.expected(kind, members)
        assert 0 < expected.true_discoveries < expected.n_tested
        images = [kind.image(members.astype("uint8")), kind.image(3.0 * members[np.newaxis])]
        if kind.suffix:
            images.append(kind.save(images[0], tmp_path / "set"))
        for mask_img in images:
            assert_bound(set_bound(of_kind, mask_img=mask_img), expected)

    def test_of_indices(self, kind, of_kind, members):
        rng = np.random.default_rng(3)
        for share in (0.02, 0.3, 1):
            chosen = members & kind.mask & (rng.random(kind.n) < share)
            indices = kind.indices(chosen)
            if isinstance(indices, dict):
                # In any order of the hemispheres, which may be missing.
                shuffled = {h: rng.permutation(indices[h]).tolist() for h in ("right", "left")}
                only = {"left": indices["left"]}
                of_left = chosen & (np.arange(kind.n) < 72)
                if of_left.any():
                    bound = set_bound(of_kind, indices=only)
                    assert_bound(bound, self.expected(kind, of_left))
            else:
                shuffled = rng.permutation(indices).tolist()
            for given_indices in (indices, shuffled):
                bound = set_bound(of_kind, indices=given_indices)
                assert_bound(bound, self.expected(kind, chosen))

    @pytest.mark.parametrize("radius", [0, 4.2, 9, 60])
    def test_of_a_sphere(self, kind, of_kind, radius):
        for element in np.flatnonzero(kind.mask)[[0, 30, 60]]:
            # One in the place of an element, and one beside all of them.
            for seed in (kind.coordinates[element], kind.coordinates[element] + [1.2, 0.7, -1]):
                # Places in single precision: some elements lie at the radius, but for rounding.
                inside = cdist(kind.coordinates, [seed])[:, 0] <= radius + 1e-5
                if (inside & kind.mask).any():
                    bound = set_bound(of_kind, seed=seed, radius=radius)
                    assert_bound(bound, self.expected(kind, inside))
                else:
                    with pytest.raises(ValueError, match=f"set has no tested {kind.element}"):
                        set_bound(of_kind, seed=seed, radius=radius)
        if radius == 60:
            assert set_bound(of_kind, seed=seed, radius=radius).n_tested == kind.mask.sum()

    def test_curve(self, kind, of_kind, members):
        curve = confidence_curve(of_kind)
        assert len(curve) == kind.mask.sum()
        assert curve["true_discoveries"].iloc[-1] == of_kind.true_discoveries_ > 0
        assert_frame_equal(confidence_curve(of_kind, indices=kind.indices(kind.mask)), curve)
        mask_img = kind.image(members.astype("uint8"))
        of_set = confidence_curve(of_kind, mask_img=mask_img)
        bound = set_bound(of_kind, mask_img=mask_img)
        assert of_set["true_discoveries"].iloc[-1] == bound.true_discoveries
        assert len(of_set) == bound.n_tested

    def test_element_is_the_place_in_the_order_of_the_family(self, kind, of_kind):
        stat = of_kind.maps_.family.stat
        for element in np.flatnonzero(kind.mask)[[0, 17, -1]]:
            indices = kind.indices(np.arange(kind.n) == element)
            if isinstance(indices, dict):
                index = {h: int(v[0]) for h, v in indices.items() if v.size}
            else:
                index = indices[0]
            assert stat[element_at(of_kind, index=index)] == kind.z()[element]

    def test_indices_outside_of_the_mask_are_refused(self, kind, of_kind):
        outside = ~kind.mask
        indices = kind.indices(outside)
        n_outside = outside.sum()
        if isinstance(indices, dict):
            indices = {"right": indices["right"]}
            n_outside = indices["right"].size
        with pytest.raises(ValueError, match=f"must lie in the mask. Got {n_outside} outside"):
            set_bound(of_kind, indices=indices)

    def test_sets_elsewhere_are_refused(self, kind, of_kind):
        other = kind.other_image
        with pytest.raises(ValueError, match=r"mask_img of the set .*must"):
            set_bound(of_kind, mask_img=other)
        with pytest.raises(ValueError, match="mask_img must be binary"):
            set_bound(of_kind, mask_img=kind.image(kind.z()))
        several = kind.image(np.ones((2, kind.n), dtype="uint8"))
        with pytest.raises((DimensionError, ValueError), match=r"single map|one map|3D"):
            set_bound(of_kind, mask_img=several)
        with pytest.raises(ValueError, match=f"set has no tested {kind.element}"):
            set_bound(of_kind, mask_img=kind.image((~kind.mask).astype("uint8")))

    @pytest.mark.parametrize(
        ("kind", "indices", "match"),
        [
            ("surface", [1, 2, 3], r"dictionary with keys out of \['left', 'right'\]. Got list"),
            ("surface", {"lh": [1]}, r"keys out of .* Got dict with keys \['lh'\]"),
            ("surface", {"left": [[1, 2]]}, r"of vertices must be integers of shape \(n,\)"),
            ("surface", {"left": [0.5]}, "of vertices must be integers.* of float64"),
            ("surface", {"left": [72]}, r"of vertices must lie in the grid, of shape \(72,\)"),
            ("surface", {"right": [-1]}, r"of vertices must lie in the grid, of shape \(56,\)"),
            ("surface", {}, "set has no tested vertex"),
            ("surface", {"left": [], "right": []}, "set has no tested vertex"),
            ("CIFTI image", [[1, 2, 3]], r"of grayordinates must be integers of shape \(n,\)"),
            ("CIFTI image", [0.0, 1.0], r"must be integers.*\(2,\) of float64"),
            ("CIFTI image", [True, False], r"of grayordinates must be integers.* of bool"),
            ("CIFTI image", [999], "of grayordinates must lie in the grid, of shape"),
            ("CIFTI image", [-1], "of grayordinates must lie in the grid"),
            ("CIFTI image", {"left": [1]}, "of grayordinates must be integers"),
            ("CIFTI image", [], "set has no tested grayordinate"),
        ],
        indirect=["kind"],
    )
    def test_indices_that_are_none_are_refused(self, of_kind, indices, match):
        with pytest.raises(ValueError, match=match):
            set_bound(of_kind, indices=indices)


class TestBadInput:
    """What must be refused, by an error that says why."""

    @pytest.fixture(params=[set_bound, confidence_curve], ids=lambda function: function.__name__)
    def call(self, request):
        return request.param

    @pytest.fixture
    def model(self, make_map, make_img, mask_img):
        images = [make_img(make_map(seed)) for seed in range(4)]
        model = ARISecondLevelModel(mask_img=mask_img)
        return model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(4)}))

    def test_transformer_that_is_not_fitted(self, call, mask_img, fitted):
        for transformer in (
            ClusterTDPTransformer(mask_img=mask_img),
            RegionTDPTransformer(mask_img),
            clone(fitted),
        ):
            with pytest.raises(NotFittedError, match=r"was not fitted to a map yet. Call fit or"):
                call(transformer, seed=CENTRE, radius=5)

    def test_transformer_without_a_map(self, call, mask_img, z_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(z_img)
        call(transformer, seed=CENTRE, radius=5)
        # A fit to the mask alone forgets the map, and transform keeps nothing of one.
        transformer.fit().transform(z_img)
        with pytest.raises(NotFittedError, match=r"was not fitted to a map yet\. Call fit or"):
            call(transformer, seed=CENTRE, radius=5)

    def test_model_without_a_contrast(self, call, model, mask_img):
        match = r'This model has not computed .* compute_contrast\(output_type="tdp"\)'
        with pytest.raises(NotFittedError, match=match):
            call(ARISecondLevelModel(mask_img=mask_img), seed=CENTRE, radius=5)
        with pytest.raises(NotFittedError, match=match):
            call(model, seed=CENTRE, radius=5)
        model.compute_contrast(output_type="z_score")
        with pytest.raises(NotFittedError, match=match):
            call(model, seed=CENTRE, radius=5)

    @pytest.mark.parametrize(
        "value",
        [None, 3, "fitted", Hommel([0.1, 0.2]), NiftiMasker(), SecondLevelModel(), pd.DataFrame(),
         ClusterTDPTransformer],
        ids=lambda value: type(value).__name__,
    )  # fmt: skip
    def test_something_else_than_an_estimator(self, call, value):
        match = f"transformer, an ARISecondLevelModel or a FittedMap. Got {type(value).__name__}"
        with pytest.raises(TypeError, match=match):
            call(value, seed=CENTRE, radius=5)

    def test_image_in_place_of_the_estimator(self, call, z_img):
        with pytest.raises(TypeError, match="Got Nifti1Image"):
            call(z_img, seed=CENTRE, radius=5)

    def test_two_sets(self, call, fitted, block_img):
        for sets, n_given in (
            ({"mask_img": block_img, "seed": CENTRE, "radius": 5}, 2),
            ({"mask_img": block_img, "radius": 5}, 2),
            ({"mask_img": block_img, "indices": [[3, 3, 3]]}, 2),
            ({"seed": CENTRE, "indices": [[3, 3, 3]]}, 2),
            ({"mask_img": block_img, "seed": CENTRE, "indices": [[3, 3, 3]]}, 3),
        ):
            with pytest.raises(ValueError, match=f"set must be given in one way.* Got {n_given}"):
                call(fitted, **sets)

    def test_no_set(self, fitted):
        with pytest.raises(ValueError, match=r"set must be given in one way.* Got 0"):
            set_bound(fitted)

    def test_sets_must_be_named(self, call, fitted, block_img):
        with pytest.raises(TypeError, match="positional"):
            call(fitted, block_img)

    @pytest.mark.parametrize(
        "seed",
        [(1, 2), (1, 2, 3, 4), [[1, 2, 3]], 5, "abc", ("1", "2", "3"), (1, 2, np.nan),
         (1, 2, np.inf), (1, 2, None), (1, 2, 3j), [[1], [2], 3], np.zeros((1, 3))],
        ids=str,
    )  # fmt: skip
    def test_bad_seeds(self, call, fitted, seed):
        with pytest.raises(ValueError, match=r"seed must be three coordinates in mm. Got"):
            call(fitted, seed=seed, radius=5)

    @pytest.mark.parametrize("radius", [-1, -1e-9, np.nan, np.inf, "5", [5], 5j], ids=str)
    def test_bad_radii(self, call, fitted, radius):
        with pytest.raises(ValueError, match=r"radius must be a number of mm, at least 0. Got"):
            call(fitted, seed=CENTRE, radius=radius)

    @pytest.mark.parametrize("sphere", [{"seed": CENTRE}, {"radius": 5}, {"radius": 0}], ids=str)
    def test_half_a_sphere(self, call, fitted, sphere):
        with pytest.raises(ValueError, match=r"A sphere needs a seed and a radius\. Got .*None"):
            call(fitted, **sphere)

    def test_sphere_of_nothing(self, call, fitted):
        for seed in ((500, 0, 0), (12, -7, 5)):
            with pytest.raises(ValueError, match="set has no tested voxel, so it has no bound"):
                call(fitted, seed=seed, radius=1)

    @pytest.mark.parametrize(
        ("indices", "match"),
        [
            ([3, 3, 3], r"voxels must be integers of shape \(n, 3\). Got shape \(3,\) of int64"),
            ([[3, 3]], r"integers of shape \(n, 3\). Got shape \(1, 2\)"),
            ([[[3, 3, 3]]], r"integers of shape \(n, 3\). Got shape \(1, 1, 3\)"),
            (5, r"integers of shape \(n, 3\). Got shape \(\) of int64"),
            ([[3.0, 3, 3]], r"integers of shape \(n, 3\). Got shape \(1, 3\) of float64"),
            ([["3", "3", "3"]], "voxels must be integers"),
            (np.ones((8, 9, 10), dtype=bool), r"Got shape \(8, 9, 10\) of bool"),
            ([[True, True, True]], "integers .* of bool"),
            ({"left": [1]}, "voxels must be integers"),
            ([[3, 3, 3], [3, 3, 10]], r"voxels must lie in the grid, of shape \(8, 9, 10\)"),
            ([[-1, 3, 3]], r"voxels must lie in the grid, of shape \(8, 9, 10\)"),
            ([[3, 3, 3], [0, 0, 0]], "voxels must lie in the mask. Got 1 outside of it"),
            ([[0, 0, 0], [0, 0, 0], [0, 0, 1]], "voxels must lie in the mask. Got 2 outside of it"),
            ([], "set has no tested voxel"),
            (np.empty((0, 3), dtype=int), "set has no tested voxel"),
        ],
    )
    def test_bad_indices(self, call, fitted, mask, indices, match):
        assert mask[3, 3, 3]
        assert not mask[0, 0, :2].any()
        with pytest.raises(ValueError, match=match):
            call(fitted, indices=indices)

    def test_mask_of_another_grid(self, call, fitted, block_img):
        shifted = block_img.affine.copy()
        shifted[0, 3] += 1
        for img in (
            Nifti1Image(get_data(block_img), shifted),
            Nifti1Image(get_data(block_img)[:, :, 1:], block_img.affine),
        ):
            match = "mask_img of the set must be on the grid of the mask and the map"
            with pytest.raises(ValueError, match=match):
                call(fitted, mask_img=img)

    @pytest.mark.parametrize("value", [3, np.ones((8, 9, 10)), ["a"], NiftiMasker()], ids=type)
    def test_mask_that_is_no_image(self, call, fitted, value):
        with pytest.raises((TypeError, ValueError)):
            call(fitted, mask_img=value)

    def test_missing_mask_file(self, call, fitted, tmp_path):
        with pytest.raises(ValueError, match=r"set\.nii"):
            call(fitted, mask_img=tmp_path / "set.nii")

    @pytest.mark.parametrize("values", [(1, 2), (-1, 1), (0.2, 0.9)])
    def test_mask_that_is_not_binary(self, call, fitted, make_img, values):
        data = np.zeros((8, 9, 10))
        data[3, 3, 3:5] = values
        with pytest.raises(ValueError, match="mask_img must be binary, 0 and one other value"):
            call(fitted, mask_img=make_img(data))

    def test_mask_without_tested_voxels(self, call, fitted, mask, make_img):
        for data in (np.zeros(mask.shape), ~mask):
            with pytest.raises(ValueError, match="set has no tested voxel"):
                call(fitted, mask_img=make_img(data.astype("uint8")))

    @pytest.mark.parametrize("map_index", [2, -1, 0.0, "0", [0]], ids=repr)
    def test_bad_map_index(self, call, make_map, make_img, mask_img, map_index):
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        transformer.fit_transform([make_img(make_map(seed)) for seed in range(2)])
        with pytest.raises(ValueError, match=r"map_index must be an integer from 0 to 1. Got"):
            call(transformer, seed=CENTRE, radius=5, map_index=map_index)

    def test_map_index_that_is_missing(self, call, make_map, make_img, mask_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        transformer.fit_transform([make_img(make_map(seed)) for seed in range(3)])
        with pytest.raises(ValueError, match=r"one of the 3 maps, from 0 to 2\. Got None"):
            call(transformer, seed=CENTRE, radius=5)

    def test_map_index_of_a_single_map(self, call, fitted):
        with pytest.raises(ValueError, match=r"map_index must be an integer from 0 to 0. Got 1"):
            call(fitted, seed=CENTRE, radius=5, map_index=1)


class TestElements:
    """The number of a voxel among those that are tested."""

    def test_is_counted_among_voxels_that_are_not_nan(self, z, mask, mask_img, make_img):
        voxels = np.argwhere(mask)
        z[tuple(voxels[3])] = np.nan
        transformer = ClusterTDPTransformer(2, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN"):
            transformer.fit_transform(make_img(z))
        assert element_at(transformer, index=voxels[2]) == 2
        assert element_at(transformer, index=voxels[4]) == 3
        family = transformer.maps_.family
        assert family.stat[element_at(transformer, index=voxels[9])] == z[tuple(voxels[9])]
        with pytest.raises(ValueError, match=r"index must name a tested voxel.*without a value"):
            element_at(transformer, index=voxels[3])

    @pytest.mark.parametrize("index", [(0, 0), 5, (0.5, 1, 2), [[1, 2, 3]], {"left": 3}])
    def test_malformed_index_is_refused(self, z_img, mask_img, index):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match="ind"):
            element_at(transformer, index=index)

    def test_voxel_outside_of_the_mask_or_the_grid_is_refused(self, z_img, mask, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match="must lie in the mask"):
            element_at(transformer, index=np.argwhere(~mask)[0])
        with pytest.raises(ValueError, match="must lie in the grid"):
            element_at(transformer, index=(999, 0, 0))

    def test_of_vertices(self):
        surface = load_fsaverage_data()
        transformer = ClusterTDPTransformer(2).fit(surface)
        n_left = len(surface.data.parts["left"])
        assert element_at(transformer, index={"left": 11}) == 11
        assert element_at(transformer, index={"right": 11}) == n_left + 11
        with pytest.raises(ValueError, match="index must name one vertex"):
            element_at(transformer, index={"left": 1, "right": 1})
        with pytest.raises(ValueError, match="keys out of"):
            element_at(transformer, index=11)
        with pytest.raises(ValueError, match=r"seed is for volumes.*which vertex is meant"):
            element_at(transformer, seed=(0, 0, 0))

    def test_a_point_in_mm_is_the_voxel_that_holds_it(self, z_img, mask, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        affine = z_img.affine
        for element in (0, 17, int(mask.sum()) - 1):
            voxel = np.argwhere(mask)[element]
            for shift in (0, -0.49, 0.49):
                point = apply_affine(affine, voxel + shift)
                assert element_at(transformer, seed=point) == element
            assert element_at(transformer, index=voxel) == element
            # The rule of set_bound: seed is in mm, indices are voxels.
            centre = apply_affine(affine, voxel)
            assert set_bound(transformer, seed=centre, radius=0) == set_bound(
                transformer, indices=[voxel]
            )

    @pytest.mark.parametrize(
        ("seed", "match"),
        [
            ((1e5, 0, 0), "outside of the grid"),
            ((np.nan, 0, 0), "three coordinates in mm"),
            ((1, 2), "three coordinates in mm"),
            ("xyz", "three coordinates in mm"),
        ],
    )
    def test_points_that_name_no_voxel_are_refused(self, z_img, mask_img, seed, match):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match=match):
            element_at(transformer, seed=seed)

    def test_a_point_outside_of_the_mask_is_refused(self, z_img, mask, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        point = apply_affine(z_img.affine, np.argwhere(~mask)[0])
        with pytest.raises(ValueError, match="outside of the mask"):
            element_at(transformer, seed=point)

    @pytest.mark.parametrize(
        ("place", "got"), [({}, "neither"), ({"seed": (0, 0, 0), "index": (1, 2, 3)}, "both")]
    )
    def test_a_place_is_given_in_one_way(self, z_img, mask_img, place, got):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match=f"either as seed, in mm, or as index. Got {got}"):
            element_at(transformer, **place)

    def test_a_bare_place_is_refused(self, z_img, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        with pytest.raises(TypeError, match="positional"):
            element_at(transformer, (3, 3, 3))
