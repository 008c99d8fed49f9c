"""ARISecondLevelModel with a calibration: bounds by permutations, for all kinds of sets."""

import itertools
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.glm.first_level import FirstLevelModel
from nilearn.glm.second_level import SecondLevelModel
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
    element_at,
    learn_template,
    set_bound,
)
from ari_estimator.closed_testing import CalibratedTest, calibrate
from ari_estimator.images._nan_masker import NaNWarningMasker
from ari_estimator.reporting import get_region_composition, get_tdp_table

# So few that all their signs can be gone through: 2 ** 5 ways.
N_SUBJECTS = 5
N_FLIPS = 2**N_SUBJECTS

# Three of 32 flips may have p-values below their thresholds.
ALPHA = 0.1

INTERCEPT = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})

TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])


def t_of_flips(data):
    """Return the t statistics of all flips of the subjects' signs, as observed first."""
    signs = itertools.product([1, -1], repeat=len(data))
    flipped = np.array([np.array(s)[:, np.newaxis] * data for s in signs])
    return flipped.mean(1) / (flipped.std(1, ddof=1) / np.sqrt(len(data)))


def p_of_flips(data, two_sided=False):
    """Return the p-values of all flips, an array of shape (n_flips, n_elements)."""
    t, df = t_of_flips(data), len(data) - 1
    return 2 * stats.t.sf(np.abs(t), df) if two_sided else stats.t.sf(t, df)


class ByHand:
    """Bounds and p-values of sets by all flips and Simes' template, straight from the formulas."""

    def __init__(self, p_of_flips, alpha=ALPHA):
        n_flips, self.m = p_of_flips.shape
        self.p = p_of_flips[0]
        ranks = np.arange(1, self.m + 1)
        self.pivots = (np.sort(p_of_flips) * self.m / ranks).min(axis=1)
        self.lambda_ = np.sort(self.pivots)[int(alpha * n_flips)]

    def bound(self, members):
        q = self.p[members]
        thresholds = self.lambda_ * np.arange(1, self.m + 1) / self.m
        return max(0, *(1 - u + np.sum(q < t) for u, t in enumerate(thresholds, start=1)))

    def p_value(self, members):
        q = np.sort(self.p[members])
        smallest = (q * self.m / np.arange(1, q.size + 1)).min()
        return np.mean(self.pivots <= smallest * (1 + 1e-12))


@pytest.fixture(scope="session")
def effect_maps(make_img, mask):
    """Return effects of few subjects as images: large group effects of either sign."""
    rng = np.random.default_rng(31)
    data = rng.standard_normal((N_SUBJECTS, *mask.shape))
    data[:, 2:6, 2:6, 2:7] += 4
    data[:, 2:5, 6:9, 2:5] -= 4
    return [make_img(one) for one in data]


@pytest.fixture(scope="session")
def data(effect_maps, mask):
    """Return the same as an array of shape (n_subjects, n_voxels)."""
    return np.stack([get_data(img)[mask] for img in effect_maps])


@pytest.fixture(scope="session")
def atlas_img(make_img, mask):
    labels = np.zeros(mask.shape, dtype="int32")
    labels[1:5, :5], labels[1:5, 5:], labels[5:] = 1, 2, 3
    return make_img(labels)


def make_model(mask_img, transformer=None, **parameters):
    """Return a model of which all flips are gone through."""
    if transformer is None:
        transformer = ClusterTDPTransformer(2, alpha=ALPHA)
    return ARISecondLevelModel(
        mask_img, transformer=transformer, calibration=PermutationCalibration(**parameters)
    )


@pytest.fixture
def fitted(effect_maps, mask_img):
    """Return a model of one sample, fitted."""
    return make_model(mask_img).fit(effect_maps, design_matrix=INTERCEPT)


@pytest.fixture
def computed(fitted):
    """Return the model with a TDP."""
    fitted.compute_contrast(output_type="tdp")
    return fitted


class TestBounds:
    """By hand: all flips, the pivots of Simes' template, lambda, and the bounds of sets."""

    @TWO_SIDED
    @pytest.mark.parametrize("threshold", [2, [1, 2, 3], "concentration", None], ids=str)
    def test_of_clusters(self, effect_maps, data, mask_img, mask, two_sided, threshold):
        transformer = ClusterTDPTransformer(threshold, alpha=ALPHA, two_sided=two_sided)
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        tdp = get_data(model.compute_contrast(output_type="tdp"))[mask]
        by_hand = ByHand(p_of_flips(data, two_sided))
        labels = get_data(model.labels_img_)[mask]
        shown = model.table_[:-1].set_index("cluster_id")["tdp"]
        assert_array_equal(tdp[labels > 0], shown[labels[labels > 0]])
        if threshold != [1, 2, 3]:
            for row in model.table_.itertuples():
                assert row.true_discoveries == by_hand.bound(labels == row.cluster_id)
        assert model.true_discoveries_ == by_hand.bound(slice(None)) > 0
        assert_allclose(model.calibration_.lambda_, by_hand.lambda_, rtol=1e-9)
        assert model.calibration_.n_permutations_ == N_FLIPS

    @TWO_SIDED
    def test_of_clusters_at_the_concentration_threshold(
        self, effect_maps, data, mask_img, mask, two_sided
    ):
        transformer = ClusterTDPTransformer("concentration", alpha=ALPHA, two_sided=two_sided)
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        inside = get_data(model.labels_img_)[mask] > 0
        by_hand = ByHand(p_of_flips(data, two_sided))
        # All discoveries are inside, and one fewer if the weakest were not.
        assert by_hand.bound(inside) == model.true_discoveries_
        weakest = np.flatnonzero(inside)[np.argmax(by_hand.p[inside])]
        inside[weakest] = False
        assert by_hand.bound(inside) == model.true_discoveries_ - 1

    @TWO_SIDED
    def test_of_regions(self, effect_maps, data, mask_img, mask, atlas_img, two_sided):
        transformer = RegionTDPTransformer(atlas_img, alpha=ALPHA, two_sided=two_sided)
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        tdp = model.compute_contrast(output_type="tdp")
        by_hand, regions = ByHand(p_of_flips(data, two_sided)), get_data(atlas_img)[mask]
        bounds = np.array([by_hand.bound(regions == i) for i in (1, 2, 3)])
        assert tdp.shape == (1, 3)
        assert_array_equal(tdp[0], bounds / np.bincount(regions)[1:])
        assert_array_equal(model.table_["true_discoveries"][:3], bounds)
        assert bounds[0] > 0

    @TWO_SIDED
    def test_of_adaptive_clusters(self, effect_maps, data, mask_img, mask, two_sided):
        transformer = AdaptiveTDPTransformer(0.6, alpha=ALPHA, two_sided=two_sided)
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        by_hand, labels = ByHand(p_of_flips(data, two_sided)), get_data(model.labels_img_)[mask]
        assert len(model.table_) > 1
        for row in model.table_.itertuples():
            assert row.true_discoveries == by_hand.bound(labels == row.cluster_id)
        assert (model.table_["tdp"][:-1] >= 0.6).all()
        forest = model.transformer_.forest_
        for i in np.flatnonzero(forest.is_cluster)[::20]:
            assert forest.true_discoveries[i] == by_hand.bound(forest.members(i))

    def test_of_p_values_by_rank(self, effect_maps, data, mask_img, mask):
        model = make_model(mask_img, p_values="rank").fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        t = t_of_flips(data)
        by_hand = ByHand((t[np.newaxis] >= t[:, np.newaxis]).mean(axis=1))
        assert_array_equal(model.maps_.test.p_values, by_hand.p)
        labels = get_data(model.labels_img_)[mask]
        for row in model.table_.itertuples():
            assert row.true_discoveries == by_hand.bound(labels == row.cluster_id)

    @TWO_SIDED
    def test_are_those_of_a_calibration_of_all_p_values(self, computed, data, two_sided):
        computed.set_params(transformer__two_sided=two_sided)
        computed.compute_contrast(output_type="tdp")
        p = p_of_flips(data, two_sided)
        vector = calibrate(p, ALPHA).critical_vector
        family = computed.maps_
        expected = vector.concentrated(p[0]).thresholds
        assert_allclose(family.critical_vector.thresholds, expected, rtol=1e-9)
        assert_allclose(family.p_values, p[0], rtol=1e-9)
        labels = np.arange(p.shape[1]) % 7
        assert_array_equal(
            family.critical_vector.true_discoveries_by_label(family.p_values, labels),
            vector.true_discoveries_by_label(p[0], labels),
        )

    def test_p_values_of_the_calibration_are_those_of_the_z_map(self, computed):
        # The same t statistics, by the way of nilearn's z.
        assert_allclose(computed.maps_.test.p_values, computed.maps_.family.p_values, rtol=1e-9)
        assert computed.maps_.test.p_values is not computed.maps_.family.p_values

    def test_clusters_are_those_without_a_calibration(self, computed, effect_maps, mask_img):
        parametric = ARISecondLevelModel(mask_img, transformer=computed.transformer)
        parametric.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        assert_array_equal(get_data(computed.labels_img_), get_data(parametric.labels_img_))
        columns = ["cluster_id", "threshold", "n_voxels", "peak_stat", "peak_x"]
        assert_frame_equal(computed.table_[columns], parametric.table_[columns])

    @pytest.mark.filterwarnings("ignore:t contrasts should be of length")
    @pytest.mark.parametrize("contrast", ["age", "intercept - age", [0, 1], [[0, 2]], [3]], ids=str)
    def test_of_any_contrast_are_those_of_its_calibration(self, make_img, mask, mask_img, contrast):
        rng = np.random.default_rng(3)
        design = pd.DataFrame({"intercept": 1.0, "age": rng.uniform(-1, 1, 12)})
        values = rng.standard_normal((12, *mask.shape))
        values[:, 2:6, 2:6, 2:7] += 3 * design["age"].to_numpy()[:, None, None, None] + 7
        parameters = {"n_permutations": 60, "random_state": 4}
        model = make_model(mask_img, **parameters)
        model.fit([make_img(one) for one in values], design_matrix=design)
        model.compute_contrast(contrast, output_type="tdp")
        weights = {"age": [0, 1], "intercept - age": [1, -1], "[3]": [3, 0]}
        alone = PermutationCalibration(**parameters).fit(
            values[:, mask],
            design,
            weights.get(str(contrast), np.ravel(contrast)),
            alpha=ALPHA,
        )
        # But for rounding: nilearn lays out the data in another order.
        assert_allclose(model.calibration_.lambda_, alone.lambda_, rtol=1e-9)
        assert_allclose(model.maps_.test.p_values, alone.p_values_, rtol=1e-9)
        assert model.calibration_.scheme_ == alone.scheme_
        vector = alone.critical_vector_
        assert model.true_discoveries_ == vector.true_discoveries(alone.p_values_) > 0


class TestFamily:
    """Calibrated is what is tested, and nothing else."""

    @pytest.fixture
    def half(self, mask):
        half = mask.copy()
        half[:, 6:] = False
        return half

    @pytest.mark.parametrize("as_masker", [False, True])
    def test_smaller_than_the_mask_of_the_model(
        self, effect_maps, mask_img, mask, half, make_img, as_masker
    ):
        img = make_img(half.astype("uint8"))
        transformer = ClusterTDPTransformer(
            2, alpha=ALPHA, mask_img=NiftiMasker(img, standardize=None) if as_masker else img
        )
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(np.stack([get_data(img)[half] for img in effect_maps])))
        assert model.n_tested_ == half.sum() < mask.sum()
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-9)
        labels = get_data(model.labels_img_)[half]
        for row in model.table_.itertuples():
            assert row.true_discoveries == by_hand.bound(labels == row.cluster_id)

    def test_beyond_the_mask_of_the_model_is_refused(
        self, effect_maps, mask, half, mask_img, make_img
    ):
        transformer = ClusterTDPTransformer(2, alpha=ALPHA, mask_img=mask_img)
        model = make_model(make_img(half.astype("uint8")), transformer)
        model.fit(effect_maps, design_matrix=INTERCEPT)
        match = rf"mask_img must lie within .* Got {mask.sum() - half.sum()} of {mask.sum()} voxels"
        with pytest.raises(ValueError, match=match):
            model.compute_contrast(output_type="tdp")
        # Without a calibration they are tested, with a z of 0.
        model.set_params(calibration=None).compute_contrast(output_type="tdp")
        assert model.n_tested_ == mask.sum()

    def test_computed_mask_of_smoothed_maps(self, effect_maps, mask, make_img):
        maps = [make_img(np.where(mask, get_data(img), 0)) for img in effect_maps]
        model = make_model(None).set_params(smoothing_fwhm=3.0)
        model.fit(maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(np.asarray(model.masker_.transform(maps), dtype=float)))
        assert model.n_tested_ == by_hand.m > 0
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-6)

    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
    def test_resampled_maps(self, effect_maps):
        model = make_model(None).set_params(target_affine=np.diag([4.0, 4, 4]))
        model.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(np.asarray(model.masker_.transform(effect_maps), dtype=float)))
        assert model.n_tested_ == by_hand.m > 0
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-6)

    @pytest.mark.filterwarnings("ignore:.*of the mask are NaN")
    def test_nan_in_volumes_is_zero_as_for_nilearn(self, effect_maps, data, mask, mask_img):
        values = get_data(effect_maps[1]).copy()
        values[tuple(np.argwhere(mask)[:3].T)] = np.nan
        maps = [effect_maps[0], Nifti1Image(values, mask_img.affine), *effect_maps[2:]]
        model = make_model(mask_img).fit(maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        with_zeros = data.copy()
        with_zeros[1, :3] = 0
        assert_allclose(model.maps_.test.p_values, p_of_flips(with_zeros)[0], rtol=1e-9)

    def test_constant_voxels_are_no_discovery(self, effect_maps, mask, mask_img, make_img):
        maps = []
        for img in effect_maps:
            values = get_data(img).copy()
            values[tuple(np.argwhere(mask)[:4].T)] = 7
            maps.append(make_img(values))
        model = make_model(mask_img).fit(maps, design_matrix=INTERCEPT)
        with pytest.warns(UserWarning, match=r"no residual variance in 4 of"):
            model.compute_contrast(output_type="tdp")
        assert (model.maps_.test.p_values[:4] == 1).all()
        assert set_bound(model, indices=np.argwhere(mask)[:4]).true_discoveries == 0


def sheet(n_rows, n_columns):
    """Return a rectangle of triangles."""
    grid = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, :-1], grid[1:, 1:]
    faces = np.concatenate([np.stack(f, -1).reshape(-1, 3) for f in [(a, b, c), (b, d, c)]])
    points = np.indices((3, n_rows, n_columns))[:, 0].reshape(3, -1).T.astype(float)
    return InMemoryMesh(points, faces)


@pytest.fixture(scope="session")
def surfaces():
    """Return effects of few subjects on two sheets, with group effects on both."""
    mesh = PolyMesh(left=sheet(9, 10), right=sheet(7, 8))
    rng = np.random.default_rng(33)
    images = []
    for _ in range(N_SUBJECTS):
        left, right = rng.standard_normal((9, 10)), rng.standard_normal((7, 8))
        left[1:6, 1:6] += 4
        right[2:6, 2:5] -= 4
        images.append(SurfaceImage(mesh, {"left": left.ravel(), "right": right.ravel()}))
    return images


def surface_mask(mesh, share, seed=0):
    """Return a mask of a share of the vertices."""
    rng = np.random.default_rng(seed)
    data = {name: rng.random(part.n_vertices) < share for name, part in mesh.parts.items()}
    return SurfaceImage(mesh, data)


def masked(images, mask):
    """Return the values of surface images in a mask, an array of shape (n_images, n_vertices)."""
    return np.stack(
        [
            np.concatenate(
                [np.ravel(img.data.parts[name])[mask.data.parts[name]] for name in img.data.parts]
            )
            for img in images
        ]
    )


@pytest.mark.filterwarnings("ignore:Overriding provided-default estimator parameters")
class TestSurfaces:
    """Both hemispheres are one family."""

    @TWO_SIDED
    @pytest.mark.parametrize("kind", ["clusters", "adaptive", "regions"])
    def test_bounds_by_hand(self, surfaces, two_sided, kind):
        everywhere = surface_mask(surfaces[0].mesh, 2)
        labels = {name: 1 + (np.arange(len(v)) > 40) for name, v in surfaces[0].data.parts.items()}
        atlas = SurfaceImage(surfaces[0].mesh, labels)
        common = {"alpha": ALPHA, "two_sided": two_sided}
        transformer = {
            "clusters": ClusterTDPTransformer(2.5, **common),
            "adaptive": AdaptiveTDPTransformer(0.5, **common),
            "regions": RegionTDPTransformer(atlas, **common),
        }[kind]
        model = make_model(None, transformer).fit(surfaces, design_matrix=INTERCEPT)
        tdp = model.compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(masked(surfaces, everywhere), two_sided))
        sets = masked([atlas if kind == "regions" else model.labels_img_], everywhere)[0]
        assert len(model.table_) > 1
        for row in model.table_.itertuples():
            assert row.true_discoveries == by_hand.bound(sets == row[1])
        assert model.true_discoveries_ == by_hand.bound(slice(None)) > 0
        if kind != "regions":
            assert isinstance(tdp, SurfaceImage)

    @pytest.mark.parametrize("form", ["image", "masker", "n x 1"])
    def test_smaller_family(self, surfaces, form):
        mesh = surfaces[0].mesh
        of_model = surface_mask(mesh, 0.9, 1)
        family = surface_mask(mesh, 0.7, 2)
        for name, values in family.data.parts.items():
            values &= of_model.data.parts[name]
        given = SurfaceMasker(family) if form == "masker" else family
        maps = surfaces
        if form == "n x 1":
            maps = [
                SurfaceImage(mesh, {n: v.reshape(-1, 1) for n, v in img.data.parts.items()})
                for img in surfaces
            ]
        transformer = ClusterTDPTransformer(2, alpha=ALPHA, mask_img=given)
        model = make_model(of_model, transformer).fit(maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(masked(surfaces, family)))
        assert model.n_tested_ == by_hand.m < model.n_elements_
        # nilearn reads surfaces in single precision.
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-5)
        labels = masked([model.labels_img_], family)[0]
        for row in model.table_.itertuples():
            assert row.true_discoveries == by_hand.bound(labels == row.cluster_id)

    def test_beyond_the_mask_of_the_model_is_refused(self, surfaces):
        mesh = surfaces[0].mesh
        of_model = surface_mask(mesh, 0.9, 1)
        n_outside = sum(int((~v).sum()) for v in of_model.data.parts.values())
        transformer = ClusterTDPTransformer(2, alpha=ALPHA, mask_img=surface_mask(mesh, 2))
        model = make_model(of_model, transformer).fit(surfaces, design_matrix=INTERCEPT)
        with pytest.raises(ValueError, match=rf"Got {n_outside} of 146 vertices outside of it"):
            model.compute_contrast(output_type="tdp")

    @pytest.mark.parametrize("mask_is_given", [True, False])
    @pytest.mark.filterwarnings("ignore:Non-finite values detected", "ignore:The map is NaN in")
    def test_vertices_that_are_nan_in_a_subject_are_left_out(self, surfaces, mask_is_given):
        everywhere = surface_mask(surfaces[0].mesh, 2)
        maps = [
            SurfaceImage(img.mesh, {n: v.copy() for n, v in img.data.parts.items()})
            for img in surfaces
        ]
        maps[1].data.parts["left"][[3, 25]] = np.nan
        maps[3].data.parts["right"][[11, 12, 50]] = np.nan
        model = make_model(everywhere if mask_is_given else None)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=RuntimeWarning)
            model.fit(maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        values = masked(maps, everywhere)
        finite = np.isfinite(values).all(axis=0)
        by_hand = ByHand(p_of_flips(values[:, finite]))
        assert model.n_tested_ == by_hand.m == finite.sum() == 141
        # nilearn reads surfaces in single precision.
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-5)
        assert model.true_discoveries_ == by_hand.bound(slice(None)) > 0


class TestInput:
    """Whatever nilearn takes for the subjects' maps."""

    @pytest.fixture
    def paths(self, effect_maps, tmp_path):
        paths = [str(tmp_path / f"sub-{i}.nii.gz") for i in range(N_SUBJECTS)]
        for img, path in zip(effect_maps, paths, strict=True):
            img.to_filename(path)
        return paths

    @pytest.mark.parametrize("kind", ["paths", "Series", "DataFrame", "4D"])
    def test_forms_of_one_input_give_one_result(self, computed, effect_maps, paths, make_img, kind):
        given = {
            "paths": paths,
            "Series": pd.Series(paths),
            # In another order: nilearn sorts by the labels.
            "DataFrame": pd.DataFrame(
                {
                    "subject_label": [f"{i}" for i in range(N_SUBJECTS)],
                    "map_name": "faces",
                    "effects_map_path": paths,
                }
            )[::-1],
            "4D": make_img(np.stack([get_data(img) for img in effect_maps], axis=-1)),
        }[kind]
        if kind == "DataFrame":
            given = given.reset_index(drop=True)
        model = clone(computed).fit(given, design_matrix=INTERCEPT)
        arguments = {"first_level_contrast": "faces"} if kind == "DataFrame" else {}
        model.compute_contrast(output_type="tdp", **arguments)
        assert_frame_equal(model.table_, computed.table_)
        assert model.calibration_.lambda_ == computed.calibration_.lambda_

    def test_first_level_models(self, mask, mask_img, make_img):
        rng = np.random.default_rng(5)
        blocks = pd.DataFrame(
            {
                "onset": np.arange(0, 80, 10.0),
                "duration": 5.0,
                "trial_type": ["faces", "places"] * 4,
            }
        )
        models = []
        for subject in range(N_SUBJECTS):
            series = rng.standard_normal((*mask.shape, 40)) + 100
            series[2:6, 2:6, 2:7, 2::10] += 8
            model = FirstLevelModel(t_r=2, mask_img=mask_img, minimize_memory=False)
            model.subject_label = f"{subject}"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                models.append(model.fit(make_img(series), events=blocks))
        model = make_model(mask_img).fit(models, design_matrix=INTERCEPT)
        for contrast in ("faces", "faces - places"):
            model.compute_contrast(first_level_contrast=contrast, output_type="tdp")
            effects = [m.compute_contrast(contrast, output_type="effect_size") for m in models]
            expected = make_model(mask_img).fit(effects, design_matrix=INTERCEPT)
            expected.compute_contrast(output_type="tdp")
            assert_allclose(model.maps_.test.p_values, expected.maps_.test.p_values, rtol=1e-5)
            assert_allclose(model.calibration_.lambda_, expected.calibration_.lambda_, rtol=1e-5)

    def test_maps_are_read_once(self, fitted, monkeypatch):
        read = []
        transform = NaNWarningMasker.transform_single_imgs

        def counting(masker, imgs, **kwargs):
            read.append(imgs)
            return transform(masker, imgs, **kwargs)

        monkeypatch.setattr(NaNWarningMasker, "transform_single_imgs", counting)
        fitted.compute_contrast(output_type="tdp")
        assert len(read) == 1

    def test_maps_that_are_read_in_another_way_are_not_calibrated_on(self, fitted, monkeypatch):
        compute = SecondLevelModel.compute_contrast

        def in_two_parts(model, *args, **kwargs):
            model.masker_.transform(model.second_level_input_[:2])
            return compute(model, *args, **kwargs)

        monkeypatch.setattr(SecondLevelModel, "compute_contrast", in_two_parts)
        with pytest.raises(RuntimeError, match="read in 2 calls of the masker"):
            fitted.compute_contrast(output_type="tdp")

    @pytest.mark.parametrize("fails", [False, True])
    def test_masker_keeps_nothing(self, fitted, fails):
        if fails:
            with pytest.raises(ValueError, match="no_such_column"):
                fitted.compute_contrast("no_such_column", output_type="tdp")
        else:
            fitted.compute_contrast(output_type="tdp")
        assert "transform" not in vars(fitted.masker_)

    def test_caches_give_the_same_result(self, computed, effect_maps, tmp_path):
        for _ in range(2):
            model = clone(computed).set_params(
                memory=str(tmp_path / "model"),
                memory_level=5,
                transformer__memory=str(tmp_path / "transformer"),
            )
            model.fit(effect_maps, design_matrix=INTERCEPT)
            for two_sided in (False, True, False):
                model.set_params(transformer__two_sided=two_sided)
                model.compute_contrast(output_type="tdp")
            assert_frame_equal(model.table_, computed.table_)
            assert_array_equal(model.maps_.test.p_values, computed.maps_.test.p_values)


class TestReuse:
    """What stays the same is not calibrated anew."""

    @pytest.mark.parametrize(
        "parameters",
        [
            {"transformer__threshold": 3},
            {"transformer__connectivity": 26},
            {"transformer": AdaptiveTDPTransformer(0.5, alpha=ALPHA)},
            {"calibration__verbose": 1},
            {"calibration__n_jobs": 1},
            {"calibration__chunk_size": 10},
            {"calibration": PermutationCalibration()},
            {"smoothing_fwhm": 8.0},  # before the next fit of no effect
        ],
        ids=lambda parameters: next(iter(parameters)),
    )
    def test_of_what_does_not_matter(self, computed, parameters):
        before = computed.calibration_
        tdp = computed.transformer_
        computed.set_params(**parameters).compute_contrast("intercept", output_type="tdp")
        assert computed.calibration_ is before
        assert computed.transformer_ is not tdp

    @pytest.mark.parametrize(
        "parameters",
        [
            {"transformer__alpha": 0.2},
            {"transformer__two_sided": True},
            {"calibration__template": "beta"},
            {"calibration__n_permutations": 20},
            {"calibration__random_state": 5},
            {"calibration__p_values": "rank"},
        ],
        ids=lambda parameters: next(iter(parameters)),
    )
    def test_not_of_what_matters(self, computed, effect_maps, parameters):
        before = computed.calibration_
        computed.set_params(**parameters).compute_contrast(output_type="tdp")
        assert computed.calibration_ is not before
        if "calibration__n_permutations" in parameters:
            return  # drawn at random
        alone = clone(computed).fit(effect_maps, design_matrix=INTERCEPT)
        alone.compute_contrast(output_type="tdp")
        assert_frame_equal(computed.table_, alone.table_)

    @pytest.mark.filterwarnings("ignore:t contrasts should be of length")
    def test_not_of_another_contrast(self, effect_maps, mask_img):
        age = np.random.default_rng(0).standard_normal(N_SUBJECTS)
        design = INTERCEPT.assign(age=age)
        model = make_model(mask_img).fit(effect_maps, design_matrix=design)
        seen = []
        for contrast in ("intercept", [1, 0], "age", [[0, 1]], [1]):
            model.compute_contrast(contrast, output_type="tdp")
            seen.append(model.calibration_)
        assert seen[0] is seen[1]
        assert seen[2] is seen[3]
        assert seen[0] is not seen[2]
        assert seen[4] is not seen[2]
        assert seen[4].lambda_ == seen[0].lambda_

    def test_not_of_another_family(self, computed, mask, make_img):
        before = computed.calibration_
        half = mask.copy()
        half[:, 6:] = False
        computed.set_params(transformer__mask_img=make_img(half.astype("uint8")))
        computed.compute_contrast(output_type="tdp")
        assert computed.calibration_ is not before
        assert computed.calibration_.p_values_.size == half.sum()
        # The same elements, by another mask.
        before = computed.calibration_
        computed.set_params(transformer__mask_img=make_img(half.astype("float32") * 2))
        computed.compute_contrast(output_type="tdp")
        assert computed.calibration_ is before

    def test_not_of_other_data(self, effect_maps, mask, mask_img):
        maps = [Nifti1Image(get_data(img).copy(), img.affine) for img in effect_maps]
        model = make_model(mask_img).fit(maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        before = model.calibration_
        get_data(maps[2])[tuple(np.argwhere(mask)[9])] += 1
        model.compute_contrast(output_type="tdp")
        assert model.calibration_ is not before

    def test_of_a_learned_template(self, effect_maps, data, mask_img):
        rng = np.random.default_rng(7)
        others = learn_template(rng.standard_normal((8, data.shape[1])), k_max=40, random_state=0)
        seen = []
        model = make_model(mask_img, template=others).fit(effect_maps, design_matrix=INTERCEPT)
        for template in (others, pickle.loads(pickle.dumps(others))):
            model.set_params(calibration__template=template).compute_contrast(output_type="tdp")
            seen.append(model.calibration_)
        assert seen[0] is seen[1]
        model.set_params(calibration__template=learn_template(data, k_max=40, random_state=0))
        with pytest.raises(ValueError, match="learned from data that it is to be calibrated on"):
            model.compute_contrast(output_type="tdp")

    def test_permutations_stay_where_none_are_asked_for(self, effect_maps, mask_img):
        # 20 out of 32, at random.
        model = make_model(mask_img, n_permutations=20, random_state=None)
        model.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        before = model.calibration_
        model.set_params(transformer__threshold=3).compute_contrast(output_type="tdp")
        assert model.calibration_ is before

    def test_random_states_are_compared_by_value(self, fitted):
        seen = []
        for seed in (3, 3, 4):
            fitted.set_params(calibration__random_state=np.random.RandomState(seed))
            fitted.compute_contrast(output_type="tdp")
            seen.append(fitted.calibration_)
        assert seen[0] is seen[1]
        assert seen[2] is not seen[1]

    def test_other_maps_of_the_contrast_change_nothing(self, computed):
        before = computed.calibration_, computed.table_
        computed.compute_contrast(output_type="z_score")
        assert computed.calibration_ is before[0]
        assert computed.table_ is before[1]

    def test_fit_forgets(self, computed, effect_maps):
        before = computed.calibration_
        computed.fit(effect_maps, design_matrix=INTERCEPT)
        assert computed.calibration_ is None
        assert computed.transformer_ is None
        computed.compute_contrast(output_type="tdp")
        assert computed.calibration_ is not before
        assert computed.calibration_.lambda_ == before.lambda_

    def test_with_and_without_a_calibration_in_turn(self, computed, effect_maps, mask_img):
        table, before = computed.table_, computed.calibration_
        parametric = ARISecondLevelModel(mask_img, transformer=computed.transformer)
        parametric.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        calibration = computed.calibration
        computed.set_params(calibration=None).compute_contrast(output_type="tdp")
        assert computed.calibration_ is None
        assert_frame_equal(computed.table_, parametric.table_)
        assert_array_equal(computed.maps_.test.p_values, computed.maps_.test.p_values)
        computed.set_params(calibration=calibration).compute_contrast(output_type="tdp")
        assert computed.calibration_ is before
        assert computed.maps_.test is None
        assert_frame_equal(computed.table_, table)


class TestRefusals:
    """What makes no sense is refused in words, before any work where that can be."""

    @pytest.mark.parametrize(
        ("contrast", "stat_type"),
        [
            (np.eye(2), None),
            (np.eye(2).tolist(), None),
            ([1, 0], "F"),
            ("intercept", "F"),
            (None, "F"),
        ],
    )
    def test_f_contrasts(self, effect_maps, mask_img, contrast, stat_type):
        design = INTERCEPT.assign(age=np.arange(N_SUBJECTS) - 2.0)
        model = make_model(mask_img).fit(effect_maps, design_matrix=design)
        with pytest.raises(ValueError, match="calibration must be None for an F contrast"):
            model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type="tdp")
        assert model.results_ is None
        assert np.ndim(get_data(model.compute_contrast([1, 0], second_level_stat_type="F"))) == 3

    @pytest.mark.parametrize("value", [3, "simes", True, PermutationCalibration, {"a": 1}], ids=str)
    def test_calibrations_of_another_type(self, effect_maps, mask_img, value):
        match = rf"must be a PermutationCalibration or None\. Got {type(value).__name__}"
        with pytest.raises(TypeError, match=match):
            ARISecondLevelModel(mask_img, calibration=value).fit(
                effect_maps, design_matrix=INTERCEPT
            )

    def test_calibration_of_another_type_that_is_set_later(self, fitted):
        fitted.set_params(calibration="simes")
        with pytest.raises(TypeError, match="calibration must be a PermutationCalibration"):
            fitted.compute_contrast(output_type="tdp")
        # Of no concern to maps of other kinds.
        fitted.compute_contrast(output_type="z_score")

    def test_another_local_test(self, fitted, effect_maps):
        fitted.set_params(transformer__local_test="hommel")
        match = r"transformer__local_test must be left at the default, 'simes'.* Got 'hommel'"
        with pytest.raises(ValueError, match=match):
            fitted.compute_contrast(output_type="tdp")
        assert fitted.results_ is None
        with pytest.raises(ValueError, match=match):
            clone(fitted).fit(effect_maps, design_matrix=INTERCEPT)

    def test_parameters_out_of_range(self, fitted):
        fitted.set_params(calibration__scheme="flip")
        with pytest.raises(ValueError, match="'scheme' parameter of PermutationCalibration"):
            fitted.compute_contrast(output_type="tdp")
        assert fitted.results_ is None

    def test_too_few_permutations_for_the_level(self, fitted):
        fitted.set_params(transformer__alpha=0.01)
        with pytest.raises(ValueError, match="alpha must be at least 1 / n_permutations = 1 / 32"):
            fitted.compute_contrast(output_type="tdp")
        assert fitted.table_ is None

    def test_contrast_that_is_not_estimable(self, effect_maps, mask_img):
        design = INTERCEPT.assign(again=1.0)
        model = make_model(mask_img).fit(effect_maps, design_matrix=design)
        with pytest.raises(ValueError, match="not estimable"):
            model.compute_contrast("again", output_type="tdp")


@pytest.fixture(scope="session")
def by_hand(data):
    return ByHand(p_of_flips(data))


class TestQuestions:
    """All that can be asked of a model can be asked of a calibrated one."""

    @pytest.fixture(params=["clusters", "adaptive", "regions"])
    def model(self, request, effect_maps, mask_img, atlas_img):
        transformer = {
            "clusters": ClusterTDPTransformer(2, alpha=ALPHA),
            "adaptive": AdaptiveTDPTransformer(0.5, alpha=ALPHA),
            "regions": RegionTDPTransformer(atlas_img, alpha=ALPHA),
        }[request.param]
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        return model

    def sets_of(self, model, atlas_img, mask):
        img = atlas_img if model.labels_img_ is None else model.labels_img_
        return get_data(img)[mask]

    def test_bound_of_any_set(self, model, by_hand, mask, atlas_img):
        chosen = mask & (np.indices(mask.shape).sum(axis=0) % 3 == 0)
        members = chosen[mask]
        img = Nifti1Image(chosen.astype("uint8"), model.mask_img_.affine)
        found = set_bound(model, mask_img=img)
        assert found.n_tested == members.sum()
        assert found.true_discoveries == by_hand.bound(members) > 0
        assert found.tdp == found.true_discoveries / found.n_tested
        assert found.p_value == by_hand.p_value(members)
        assert (found.p_value * N_FLIPS).is_integer()
        # The p-value is the smallest level at which there is a discovery.
        assert found.p_value <= ALPHA

    def test_confidence_curve(self, model, by_hand):
        curve = confidence_curve(model)
        assert_allclose(curve["p_value"], np.sort(by_hand.p), rtol=1e-9)
        order = np.argsort(by_hand.p)
        for k in (1, 10, 30, 80, by_hand.m):
            assert curve["true_discoveries"][k - 1] == by_hand.bound(order[:k])
        assert curve["true_discoveries"].iloc[-1] == model.true_discoveries_

    def test_element_at(self, model, mask):
        voxel = np.argwhere(mask)[37]
        assert element_at(model, voxel) == 37

    def test_tdp_table(self, model, by_hand, mask, atlas_img):
        sets = self.sets_of(model, atlas_img, mask)
        table = get_tdp_table(model, max_peaks=1)
        assert len(table) == len(model.table_)
        for identity, cell in zip(table.iloc[:, 0], table["p_value"], strict=True):
            members = sets == identity  # of the rest, if regions are everywhere, there are none
            assert cell == (f"{by_hand.p_value(members):.2g}" if members.any() else None)
        get_tdp_table(model, labels_img=atlas_img)

    def test_region_composition(self, model, by_hand, mask, atlas_img):
        sets, regions = self.sets_of(model, atlas_img, mask), get_data(atlas_img)[mask]
        pieces = get_region_composition(model, atlas_img, labels=["1", "2", "3"])
        assert len(pieces)
        for row in pieces.itertuples():
            piece = (sets == row[1]) & (regions == int(row.region))
            assert row.true_discoveries == by_hand.bound(piece)

    def test_forest(self, effect_maps, mask_img, by_hand):
        transformer = AdaptiveTDPTransformer(0.5, alpha=ALPHA)
        model = make_model(mask_img, transformer).fit(effect_maps, design_matrix=INTERCEPT)
        model.compute_contrast(output_type="tdp")
        forest = model.transformer_.forest_
        for tdp in (0.2, 0.6, 0.9):
            for cluster in forest.query(tdp):
                members = forest.members(cluster)
                assert by_hand.bound(members) >= tdp * members.size
        highest = forest.threshold_free_map()
        assert_array_equal(highest >= 0.6, forest.labels(forest.query(0.6)) > 0)

    def test_test_and_calibration_are_there(self, model):
        assert isinstance(model.maps_.test, CalibratedTest)
        assert model.maps_.test.calibration is model.calibration_.calibration_
        assert model.maps_.test is None
        assert model.transformer_.maps_.test is None
        assert model.maps_.test.critical_vector(0.2) is not None

    def test_description_and_report(self, computed):
        tdp = computed.compute_contrast(output_type="tdp")
        assert tdp.header["descrip"].item().startswith(b"tdp of contrast")


class TestParameters:
    """The model as a scikit-learn estimator."""

    def test_parameters_of_the_calibration_are_nested(self):
        model = ARISecondLevelModel(calibration=PermutationCalibration("beta"))
        assert model.get_params()["calibration__template"] == "beta"
        assert model.set_params(calibration__n_permutations=77, smoothing_fwhm=4) is model
        assert model.calibration.n_permutations == 77
        assert model.smoothing_fwhm == 4
        with pytest.raises(ValueError, match="Invalid parameter 'n_perms'"):
            model.set_params(calibration__n_perms=3)

    def test_calibration_and_its_parameters_can_be_set_at_once(self):
        model = ARISecondLevelModel()
        model.set_params(calibration=PermutationCalibration("aorc"), calibration__delta=2)
        expected = PermutationCalibration("aorc", delta=2)
        assert model.calibration.get_params() == expected.get_params()
        model.set_params(calibration=None)
        assert model.calibration is None

    @pytest.mark.parametrize("calibration", [None, PermutationCalibration()], ids=str)
    def test_parameters_of_no_calibration_are_refused(self, calibration):
        model = ARISecondLevelModel(calibration=calibration)
        # None stands for no calibration, not for one with default parameters.
        parameters = {} if calibration is None else {"calibration": None}
        with pytest.raises(ValueError, match="calibration must be a PermutationCalibration if"):
            model.set_params(calibration__n_permutations=77, **parameters)
        assert model.calibration is calibration

    def test_calibration_that_was_given_stays_unfitted(self, computed):
        with pytest.raises(NotFittedError):
            check_is_fitted(computed.calibration)
        check_is_fitted(computed.calibration_)
        assert computed.calibration_ is not computed.calibration

    def test_clone_has_the_parameters_but_no_results(self, computed, effect_maps):
        cloned = clone(computed)
        assert cloned.calibration is not computed.calibration
        assert cloned.calibration.get_params() == computed.calibration.get_params()
        assert not hasattr(cloned, "calibration_")
        cloned.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        assert cloned.calibration_ is not computed.calibration_
        assert_frame_equal(cloned.table_, computed.table_)

    def test_pickled_model_gives_the_same_results_and_goes_on(self, computed, mask):
        restored = pickle.loads(pickle.dumps(computed))
        assert_frame_equal(restored.table_, computed.table_)
        members = np.argwhere(mask)[:50]
        assert set_bound(restored, indices=members) == set_bound(computed, indices=members)
        calibration = restored.calibration_
        restored.set_params(transformer__threshold=3).compute_contrast(output_type="tdp")
        assert restored.calibration_ is calibration
        computed.set_params(transformer__threshold=3).compute_contrast(output_type="tdp")
        assert_frame_equal(restored.table_, computed.table_)

    def test_html_repr_names_the_calibration(self):
        html = ARISecondLevelModel(calibration=PermutationCalibration(k_max=123))._repr_html_()
        assert "PermutationCalibration" in html
        assert "123" in html

    @pytest.mark.parametrize(
        "check",
        [
            "check_parameters_default_constructible",
            "check_get_params_invariance",
            "check_set_params",
            "check_estimator_cloneable",
            "check_estimator_repr",
            "check_do_not_raise_errors_in_init_or_set_params",
        ],
    )
    def test_check_of_sklearn(self, check):
        if not hasattr(estimator_checks, check):
            pytest.skip(f"this version of scikit-learn has no {check}")
        model = ARISecondLevelModel(calibration=PermutationCalibration())
        getattr(estimator_checks, check)("ARISecondLevelModel", model)

    @pytest.mark.filterwarnings("ignore::UserWarning")  # of matplotlib, on so small a brain
    def test_report_leaves_results_as_they_are(self, computed):
        before = computed.calibration_
        report = computed.generate_report("intercept", height_control=None, threshold=2)
        assert "intercept" in report.get_standalone()
        assert computed.calibration_ is before
