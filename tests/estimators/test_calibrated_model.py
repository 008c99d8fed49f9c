"""ARISecondLevelModel with a calibration: bounds by permutations, for all kinds of sets."""

import itertools
import pickle
import warnings
from copy import copy

import numpy as np
import pandas as pd
import pytest
from joblib.hashing import NumpyHasher
from nilearn.glm.first_level import FirstLevelModel
from nilearn.glm.second_level import SecondLevelModel
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
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
from ari_estimator.closed_testing import CalibratedTest, Hommel, calibrate
from ari_estimator.reporting import get_region_composition, get_tdp_table

from ._kinds import KINDS

# So few that all their signs can be gone through: 2 ** 5 ways.
N_SUBJECTS = 5
N_FLIPS = 2**N_SUBJECTS

# Three of 32 flips may have p-values below their thresholds.
ALPHA = 0.1

INTERCEPT = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})

TWO_SIDED = pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])

pytestmark = pytest.mark.filterwarnings("ignore:Overriding provided-default estimator parameters")


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

    def assert_found_in(self, model, sets):
        """Assert that the bounds of a table are those of sets, by their labels."""
        assert len(model.table_) > 1
        for row in model.table_.itertuples():
            assert row.true_discoveries == self.bound(sets == row[1])
        assert model.true_discoveries_ == self.bound(slice(None)) > 0


@pytest.fixture(params=["volume", "surface"])
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def data(kind):
    """Return large group effects of either sign, of shape (n_subjects, n)."""
    data = np.random.default_rng(31).standard_normal((N_SUBJECTS, kind.n))
    data[:, kind.n // 10 : kind.n // 3] += 4
    data[:, kind.n // 2 : 2 * kind.n // 3] -= 4
    # nilearn reads surfaces in single precision.
    return data.astype(np.float32).astype(float)


@pytest.fixture
def effect_maps(kind, data):
    # Surfaces may be of shape (n,) or (n, 1).
    is_flat = [kind.name == "volume" or i % 2 == 0 for i in range(N_SUBJECTS)]
    return [
        kind.image(row if flat else row[np.newaxis])
        for row, flat in zip(data, is_flat, strict=True)
    ]


@pytest.fixture
def in_mask(kind):
    """Return a function from an image to its values in the mask."""
    return lambda img: kind.values(img)[0][kind.mask]


def make_model(mask_img, transformer=None, **parameters):
    """Return a model of which all flips are gone through."""
    if transformer is None:
        transformer = ClusterTDPTransformer(2, alpha=ALPHA)
    return ARISecondLevelModel(
        mask_img, transformer=transformer, calibration=PermutationCalibration(**parameters)
    )


@pytest.fixture
def tested(kind, effect_maps):
    """Return a function from a transformer to a model of one sample with a TDP."""

    def tested(transformer=None, **parameters):
        model = make_model(kind.mask_img, transformer, **parameters)
        model.fit(effect_maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        return model

    return tested


@pytest.fixture
def fitted(kind, effect_maps):
    """Return a model of one sample, fitted."""
    return make_model(kind.mask_img).fit(effect_maps, design_matrix=INTERCEPT)


@pytest.fixture
def computed(fitted):
    """Return the model with a TDP."""
    fitted.compute_contrast(output_type="tdp")
    return fitted


class TestBounds:
    """By hand: all flips, the pivots of Simes' template, lambda, and the bounds of sets."""

    @TWO_SIDED
    @pytest.mark.parametrize("threshold", [2, [1, 2, 3], "concentration", None], ids=str)
    def test_of_clusters(self, kind, fitted, data, in_mask, two_sided, threshold):
        transformer = ClusterTDPTransformer(threshold, alpha=ALPHA, two_sided=two_sided)
        model = fitted.set_params(transformer=transformer)
        tdp = in_mask(model.compute_contrast(output_type="tdp"))
        by_hand = ByHand(p_of_flips(data[:, kind.mask], two_sided))
        labels = in_mask(model.labels_img_)
        shown = model.table_[:-1].set_index("cluster_id")["tdp"]
        assert_allclose(tdp[labels > 0], shown[labels[labels > 0]], rtol=1e-7)
        if threshold != [1, 2, 3]:
            by_hand.assert_found_in(model, labels)
        assert model.true_discoveries_ == by_hand.bound(slice(None)) > 0
        assert_allclose(model.calibration_.lambda_, by_hand.lambda_, rtol=1e-9)
        assert model.calibration_.n_permutations_ == N_FLIPS

    @TWO_SIDED
    def test_of_clusters_at_the_concentration_threshold(
        self, kind, tested, data, in_mask, two_sided
    ):
        model = tested(ClusterTDPTransformer("concentration", alpha=ALPHA, two_sided=two_sided))
        inside = in_mask(model.labels_img_) > 0
        by_hand = ByHand(p_of_flips(data[:, kind.mask], two_sided))
        # All discoveries are inside, and one fewer if the weakest were not.
        assert by_hand.bound(inside) == model.true_discoveries_
        weakest = np.flatnonzero(inside)[np.argmax(by_hand.p[inside])]
        inside[weakest] = False
        assert by_hand.bound(inside) == model.true_discoveries_ - 1

    @TWO_SIDED
    def test_of_regions(self, kind, fitted, data, two_sided):
        transformer = RegionTDPTransformer(kind.labels_img, alpha=ALPHA, two_sided=two_sided)
        tdp = fitted.set_params(transformer=transformer).compute_contrast(output_type="tdp")
        by_hand, regions = ByHand(p_of_flips(data[:, kind.mask], two_sided)), kind.labels[kind.mask]
        by_hand.assert_found_in(fitted, regions)
        ids = [3, 7, 40]
        assert fitted.region_ids_.tolist() == ids
        expected = [by_hand.bound(regions == i) / np.sum(regions == i) for i in ids]
        assert_array_equal(tdp, [expected])
        assert max(expected) > 0

    @TWO_SIDED
    def test_of_adaptive_clusters(self, kind, tested, data, in_mask, two_sided):
        model = tested(AdaptiveTDPTransformer(0.6, alpha=ALPHA, two_sided=two_sided))
        by_hand = ByHand(p_of_flips(data[:, kind.mask], two_sided))
        by_hand.assert_found_in(model, in_mask(model.labels_img_))
        assert (model.table_["tdp"][:-1] >= 0.6).all()
        forest = model.forest_
        for i in np.flatnonzero(forest.is_cluster)[::20]:
            assert forest.true_discoveries[i] == by_hand.bound(forest.members(i))

    def test_of_p_values_by_rank(self, kind, tested, data, in_mask):
        model = tested(p_values="rank")
        t = t_of_flips(data[:, kind.mask])
        by_hand = ByHand((t[np.newaxis] >= t[:, np.newaxis]).mean(axis=1))
        assert_array_equal(model.maps_.test.p_values, by_hand.p)
        by_hand.assert_found_in(model, in_mask(model.labels_img_))

    @TWO_SIDED
    def test_are_those_of_a_calibration_of_all_p_values(self, kind, computed, data, two_sided):
        computed.set_params(transformer__two_sided=two_sided)
        computed.compute_contrast(output_type="tdp")
        p = p_of_flips(data[:, kind.mask], two_sided)
        vector = calibrate(p, ALPHA).critical_vector
        bounds = computed.maps_.bounds
        expected = vector.concentrated(p[0]).thresholds
        assert_allclose(bounds.critical_vector.thresholds, expected, rtol=1e-9)
        assert_allclose(bounds.p_values, p[0], rtol=1e-9)
        labels = np.arange(p.shape[1]) % 7
        assert_array_equal(bounds.by_label(labels), vector.true_discoveries_by_label(p[0], labels))

    def test_p_values_of_the_calibration_are_those_of_the_z_map(self, computed):
        # The same t statistics, by the way of nilearn's z.
        assert_allclose(computed.maps_.test.p_values, computed.maps_.family.p_values, rtol=1e-5)
        assert computed.maps_.test.p_values is not computed.maps_.family.p_values

    def test_clusters_are_those_without_a_calibration(self, computed, in_mask):
        of_calibration = in_mask(computed.labels_img_), computed.table_
        computed.set_params(calibration=None).compute_contrast(output_type="tdp")
        assert_array_equal(of_calibration[0], in_mask(computed.labels_img_))
        columns = ["cluster_id", "threshold", "peak_stat", "peak_x"]
        assert_frame_equal(of_calibration[1][columns], computed.table_[columns])

    @pytest.mark.filterwarnings("ignore:t contrasts should be of length")
    @pytest.mark.parametrize("contrast", ["age", "intercept - age", [0, 1], [[0, 2]], [3]], ids=str)
    def test_of_any_contrast_are_those_of_its_calibration(self, kind, contrast):
        rng = np.random.default_rng(3)
        design = pd.DataFrame({"intercept": 1.0, "age": rng.uniform(-1, 1, 12)})
        values = rng.standard_normal((12, kind.n))
        values[:, : kind.n // 4] += 3 * design["age"].to_numpy()[:, np.newaxis] + 7
        values = values.astype(np.float32)
        parameters = {"n_permutations": 60, "random_state": 4}
        model = make_model(kind.mask_img, **parameters)
        model.fit([kind.image(one) for one in values], design_matrix=design)
        model.compute_contrast(contrast, output_type="tdp")
        weights = {"age": [0, 1], "intercept - age": [1, -1], "[3]": [3, 0]}
        alone = PermutationCalibration(**parameters).fit(
            values[:, kind.mask].astype(float),
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


class TestFContrasts:
    """F contrasts are calibrated as t contrasts are, with the rank of their rows."""

    DESIGN = pd.DataFrame(
        np.column_stack([np.eye(3)[np.arange(12) // 4], np.linspace(-1, 1, 12)]),
        columns=["a", "b", "c", "age"],
    )

    @pytest.fixture
    def values(self, kind):
        values = np.random.default_rng(3).standard_normal((12, kind.n))
        values[:4, : kind.n // 4] += 4
        values[8:, kind.n // 2 :] -= 3
        return values.astype(np.float32)

    @pytest.mark.parametrize(
        ("contrast", "stat_type", "rank"),
        [
            ([[1, -1, 0, 0], [0, 1, -1, 0]], None, 2),
            ([[1, -1, 0, 0], [0, 1, -1, 0], [1, 0, -1, 0]], None, 2),
            (np.eye(3, 4), "F", 3),
            ([1, -1, 0, 0], "F", 1),
            ("a - b", "F", 1),
        ],
        ids=str,
    )
    def test_bounds_are_those_of_the_calibration(self, kind, values, contrast, stat_type, rank):
        parameters = {"n_permutations": 60, "random_state": 4}
        model = make_model(kind.mask_img, **parameters)
        model.fit([kind.image(one) for one in values], design_matrix=self.DESIGN)
        model.compute_contrast(contrast, second_level_stat_type=stat_type, output_type="tdp")
        weights = np.array([1, -1, 0, 0]) if isinstance(contrast, str) else np.array(contrast)
        rows = np.vstack([weights, weights])
        alone = PermutationCalibration(**parameters).fit(
            values[:, kind.mask].astype(float), self.DESIGN, rows, alpha=ALPHA
        )
        fitted = model.calibration_
        assert (fitted.stat_type_, fitted.rank_, fitted.df_) == ("F", rank, 8)
        assert fitted.scheme_ == alone.scheme_
        assert_allclose(fitted.lambda_, alone.lambda_, rtol=1e-9)
        p_values = stats.f.sf(alone.statistic_, rank, 8)
        assert_allclose(model.maps_.test.p_values, p_values, rtol=1e-9)
        # The z map says the same.
        assert_allclose(model.maps_.family.p_values, p_values, rtol=1e-5)
        vector = alone.critical_vector_
        assert model.true_discoveries_ == vector.true_discoveries(p_values) > 0

    def test_t_and_f_of_one_row_are_two_contrasts(self, kind, values):
        model = make_model(kind.mask_img, n_permutations=60, random_state=4)
        model.fit([kind.image(one) for one in values], design_matrix=self.DESIGN)
        found = []
        for stat_type in ("t", "F", "t"):
            model.compute_contrast([-1, 1, 0, 0], None, stat_type, output_type="tdp")
            found.append((model.calibration_.stat_type_, model.true_discoveries_))
        assert [name for name, _ in found] == ["t", "F", "t"]
        assert found[0] == found[2]
        # The active elements are below 0, which only F sees.
        assert found[0][1] < found[1][1]

    def test_a_transformer_takes_the_calibration_of_an_f_map(self, kind, values):
        model = make_model(kind.mask_img, n_permutations=60, random_state=4)
        model.fit([kind.image(one) for one in values], design_matrix=self.DESIGN)
        contrast = np.eye(3, 4)
        model.compute_contrast(contrast, output_type="tdp")
        z_img = model.compute_contrast(contrast)
        alone = ClusterTDPTransformer(2, alpha=ALPHA, mask_img=kind.mask_img)
        alone.fit(z_img, calibration=model.calibration_)
        assert_frame_equal(alone.table_, model.table_)
        other = model.compute_contrast(np.eye(2, 4))
        with pytest.raises(ValueError, match="must be fitted to the data of the map"):
            alone.fit(other, calibration=model.calibration_)


class TestFamily:
    """Calibrated is what is tested, and nothing else."""

    @pytest.fixture
    def part(self, kind):
        return kind.mask & (np.arange(kind.n) % 5 > 1)

    @pytest.mark.parametrize("as_masker", [False, True])
    def test_smaller_than_the_mask_of_the_model(self, kind, tested, data, part, as_masker):
        img = kind.image(part.astype("uint8"))
        given = kind.masker(img, standardize=None) if as_masker else img
        model = tested(ClusterTDPTransformer(2, alpha=ALPHA, mask_img=given))
        by_hand = ByHand(p_of_flips(data[:, part]))
        assert model.n_tested_ == part.sum() < model.n_elements_ == kind.mask.sum()
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-9)
        by_hand.assert_found_in(model, kind.values(model.labels_img_)[0][part])

    def test_beyond_the_mask_of_the_model_is_refused(self, kind, effect_maps, part):
        transformer = ClusterTDPTransformer(2, alpha=ALPHA, mask_img=kind.mask_img)
        model = make_model(kind.image(part.astype("uint8")), transformer)
        model.fit(effect_maps, design_matrix=INTERCEPT)
        n, n_outside = kind.mask.sum(), (kind.mask & ~part).sum()
        match = rf"mask_img must lie within .* Got {n_outside} of {n} {kind.element[:4]}"
        with pytest.raises(ValueError, match=match):
            model.compute_contrast(output_type="tdp")
        # Without a calibration they are tested, with a z of 0.
        model.set_params(calibration=None).compute_contrast(output_type="tdp")
        assert model.n_tested_ == n

    def test_constant_elements_are_no_discovery(self, kind, data):
        data[:, np.flatnonzero(kind.mask)[:4]] = 7
        model = make_model(kind.mask_img)
        model.fit([kind.image(row) for row in data], design_matrix=INTERCEPT)
        with pytest.warns(UserWarning, match=r"no residual variance in 4 of"):
            model.compute_contrast(output_type="tdp")
        assert model.calibration_.is_constant_[:4].all()
        assert model.calibration_.is_constant_.sum() == 4
        assert (model.maps_.test.p_values[:4] == 1).all()
        chosen = np.isin(np.arange(kind.n), np.flatnonzero(kind.mask)[:4])
        assert set_bound(model, mask_img=kind.image(chosen.astype("uint8"))).true_discoveries == 0

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    @pytest.mark.parametrize(
        "parameters", [{"smoothing_fwhm": 3.0}, {"target_affine": np.diag([4.0, 4, 4])}], ids=str
    )
    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
    def test_maps_that_are_smoothed_or_resampled_in_a_computed_mask(self, kind, data, parameters):
        maps = [kind.image(np.where(kind.mask, row, 0)) for row in data]
        model = make_model(None).set_params(**parameters)
        model.fit(maps, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
        by_hand = ByHand(p_of_flips(np.asarray(model.masker_.transform(maps), dtype=float)))
        assert model.n_tested_ == by_hand.m > 0
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-6)

    @pytest.mark.parametrize("mask_is_given", [True, False])
    @pytest.mark.filterwarnings(
        "ignore:.*of the mask are NaN", "ignore:Non-finite values", "ignore:The map is NaN in"
    )
    def test_nan_is_zero_in_volumes_and_left_out_of_surfaces(self, kind, data, mask_is_given):
        # As nilearn does.
        missing = np.flatnonzero(kind.mask)[[3, 25, 90]]
        data[[1, 1, 3], missing] = np.nan
        model = make_model(kind.mask_img if mask_is_given else None)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=RuntimeWarning)
            model.fit([kind.image(row) for row in data], design_matrix=INTERCEPT)
            model.compute_contrast(output_type="tdp")
        inside = kind.mask if mask_is_given else np.ones(kind.n, dtype=bool)
        if kind.name == "volume":
            if not mask_is_given:
                inside = kind.values(model.mask_img_)[0] > 0
            data[np.isnan(data)] = 0
        by_hand = ByHand(p_of_flips(data[:, inside & np.isfinite(data).all(axis=0)]))
        assert model.n_tested_ == by_hand.m
        assert_allclose(model.maps_.test.p_values, by_hand.p, rtol=1e-9)
        assert model.true_discoveries_ == by_hand.bound(slice(None)) > 0


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestInput:
    """Data are read once, and are what the z map is computed from."""

    @pytest.mark.parametrize("form", ["models", "table"])
    def test_data_follow_the_contrast_of_the_first_level(self, kind, data, tmp_path, form):
        rng = np.random.default_rng(5)
        maps = {name: [] for name in ("faces", "faces - places")}
        given = []
        if form == "models":
            blocks = pd.DataFrame({"onset": np.arange(0, 80, 10.0), "duration": 5.0})
            blocks["trial_type"] = ["faces", "places"] * 4
            for subject in range(N_SUBJECTS):
                series = rng.standard_normal((*kind.shape, 40)) + 100
                series[2:6, 2:6, 2:7, 2::10] += 8
                model = FirstLevelModel(t_r=2, mask_img=kind.mask_img, minimize_memory=False)
                model.subject_label = f"{subject}"
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    given.append(model.fit(kind.image(series.reshape(-1, 40).T), events=blocks))
            for name, effects in maps.items():
                effects += [m.compute_contrast(name, output_type="effect_size") for m in given]
        else:
            rows = []
            for subject, row in enumerate(data):
                for name, effects in maps.items():
                    effects.append(kind.image(row + len(name)))
                    path = kind.save(effects[-1], tmp_path / f"{subject}{name}")
                    rows.append((f"{subject}", name, str(path)))
            columns = ["subject_label", "map_name", "effects_map_path"]
            given = pd.DataFrame(rows, columns=columns)
        model = make_model(kind.mask_img).fit(given, design_matrix=INTERCEPT)
        seen = []
        for name in (*maps, "faces"):
            model.compute_contrast("intercept", name, output_type="tdp")
            expected = make_model(kind.mask_img).fit(maps[name], design_matrix=INTERCEPT)
            expected.compute_contrast(output_type="tdp")
            assert_allclose(model.maps_.test.p_values, expected.maps_.test.p_values, rtol=1e-5)
            assert_allclose(model.calibration_.lambda_, expected.calibration_.lambda_, rtol=1e-5)
            seen.append(model.calibration_)
            model.compute_contrast("intercept", name, output_type="tdp")
            assert model.calibration_ is seen[-1]
        assert seen[0].lambda_ == seen[2].lambda_ != seen[1].lambda_

    @pytest.fixture
    def read(self, monkeypatch):
        """Return a list of what nilearn's maskers have read so far."""
        read = []
        transform = NiftiMasker.transform

        def recording(masker, imgs, **kwargs):
            read.append(transform(masker, imgs, **kwargs))
            return read[-1]

        monkeypatch.setattr(NiftiMasker, "transform", recording)
        return read

    def test_data_are_read_once_and_not_copied(self, kind, fitted, read, calibrated):
        fitted.compute_contrast(output_type="tdp")
        assert len(read) == len(calibrated) == 1
        assert np.shares_memory(read[0], calibrated[0])
        # Unless other elements are tested.
        part = kind.mask & (np.arange(kind.n) % 3 > 0)
        mask_img = kind.image(part.astype("uint8"))
        fitted.set_params(transformer__mask_img=mask_img).compute_contrast(output_type="tdp")
        assert len(read) == len(calibrated) == 2
        assert_array_equal(calibrated[1], read[1][:, part[kind.mask]])

    def test_data_are_not_hashed(self, fitted, data, monkeypatch):
        sizes = [0]
        save = NumpyHasher.save

        def recording(hasher, value):
            if isinstance(value, np.ndarray):
                sizes.append(value.size)
            return save(hasher, value)

        monkeypatch.setattr(NumpyHasher, "save", recording)
        fitted.compute_contrast(output_type="tdp")
        assert max(sizes) < data.shape[1]

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

    @pytest.mark.filterwarnings("ignore:Cannot detect name collisions")
    def test_caches_give_the_same_result(self, computed, effect_maps, tmp_path):
        # An integer, without which nothing may be cached, changes nothing: all flips are taken.
        for _ in range(2):
            model = clone(computed).set_params(
                memory=str(tmp_path / "model"),
                memory_level=5,
                calibration__memory=str(tmp_path / "calibration"),
                calibration__random_state=0,
            )
            model.fit(effect_maps, design_matrix=INTERCEPT)
            for two_sided in (False, True, False):
                model.set_params(transformer__two_sided=two_sided)
                model.compute_contrast(output_type="tdp")
            assert_frame_equal(model.table_, computed.table_)
            assert_array_equal(model.maps_.test.p_values, computed.maps_.test.p_values)


@pytest.fixture
def calibrated(monkeypatch):
    """Return a list of the data that calibrations were fitted to so far."""
    calibrated = []
    fit = PermutationCalibration.fit

    def recording(calibration, data, *args, **kwargs):
        calibrated.append(data)
        return fit(calibration, data, *args, **kwargs)

    monkeypatch.setattr(PermutationCalibration, "fit", recording)
    return calibrated


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestReuse:
    """What stays the same is not calibrated anew."""

    @pytest.mark.parametrize(
        ("parameters", "is_reused"),
        [
            ({"transformer__threshold": 3}, True),
            ({"transformer__connectivity": 26}, True),
            ({"transformer": AdaptiveTDPTransformer(0.5, alpha=ALPHA)}, True),
            ({"calibration__verbose": 1}, True),
            ({"calibration__n_jobs": 1}, True),
            ({"calibration__chunk_size": 10}, True),
            ({"calibration": PermutationCalibration(random_state=0)}, True),
            ({"transformer__alpha": 0.2}, False),
            ({"transformer__two_sided": True}, False),
            ({"calibration__template": "beta"}, False),
            ({"calibration__n_permutations": 20}, False),
            ({"calibration__random_state": 5}, False),
            ({"calibration__p_values": "rank"}, False),
            ({"calibration__k_max": 5}, False),
            ({"calibration__step_down": True}, False),
            ({"calibration__blocks": [0, 0, 1, 2, 3]}, False),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
    )
    def test_of_what_does_not_matter(self, tested, effect_maps, calibrated, parameters, is_reused):
        model = tested(random_state=0)
        before, transformer = model.calibration_, model.transformer_
        model.set_params(**parameters).compute_contrast("intercept", output_type="tdp")
        assert (model.calibration_ is before) is is_reused
        assert len(calibrated) == (1 if is_reused else 2)
        assert model.transformer_ is not transformer
        alone = clone(model).fit(effect_maps, design_matrix=INTERCEPT)
        alone.compute_contrast(output_type="tdp")
        assert_frame_equal(model.table_, alone.table_)

    @pytest.mark.filterwarnings("ignore:t contrasts should be of length")
    def test_not_of_another_contrast(self, kind, effect_maps, calibrated):
        age = np.random.default_rng(0).standard_normal(N_SUBJECTS)
        model = make_model(kind.mask_img).fit(effect_maps, design_matrix=INTERCEPT.assign(age=age))
        seen = []
        for contrast in ("intercept", [1, 0], "age", [[0, 1]], [1]):
            model.compute_contrast(contrast, output_type="tdp")
            seen.append(model.calibration_)
        assert seen[0] is seen[1]
        assert seen[2] is seen[3]
        assert seen[0] is not seen[2]
        assert seen[4] is not seen[2]
        assert seen[4].lambda_ == seen[0].lambda_
        assert len(calibrated) == 3

    def test_not_of_another_family(self, kind, computed):
        before = computed.calibration_
        part = kind.mask & (np.arange(kind.n) % 3 > 0)
        computed.set_params(transformer__mask_img=kind.image(part.astype("uint8")))
        computed.compute_contrast(output_type="tdp")
        assert computed.calibration_ is not before
        assert computed.calibration_.p_values_.size == part.sum()
        # The same elements, by another mask.
        before = computed.calibration_
        computed.set_params(transformer__mask_img=kind.image(part.astype("float32") * 2))
        computed.compute_contrast(output_type="tdp")
        assert computed.calibration_ is before

    def test_of_a_learned_template(self, kind, fitted, data):
        rng = np.random.default_rng(7)
        n = kind.mask.sum()
        others = learn_template(rng.standard_normal((8, n)), k_max=40, random_state=0)
        seen = []
        for template in (others, pickle.loads(pickle.dumps(others))):
            fitted.set_params(calibration__template=template).compute_contrast(output_type="tdp")
            seen.append(fitted.calibration_)
        assert seen[0] is seen[1]
        own = learn_template(data[:, kind.mask], k_max=40, random_state=0)
        fitted.set_params(calibration__template=own)
        with pytest.raises(ValueError, match="learned from data that it is to be calibrated on"):
            fitted.compute_contrast(output_type="tdp")

    def test_permutations_stay_where_none_are_asked_for(self, tested):
        # 20 out of 32, at random.
        model = tested(n_permutations=20, random_state=None)
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

    def test_fit_forgets(self, computed, effect_maps, calibrated):
        before = computed.calibration_
        others = [effect_maps[0], *map(copy, effect_maps[:-1])]
        for maps, is_same in ((effect_maps, True), (others, False)):
            computed.fit(maps, design_matrix=INTERCEPT)
            assert computed.calibration_ is None
            assert computed.transformer_ is None
            computed.compute_contrast(output_type="tdp")
            assert computed.calibration_ is not before
            assert (computed.calibration_.lambda_ == before.lambda_) is is_same
        assert len(calibrated) == 2

    def test_with_and_without_a_calibration_in_turn(self, computed):
        calibration, before, table = computed.calibration, computed.calibration_, computed.table_
        computed.set_params(calibration=None).compute_contrast(output_type="tdp")
        assert computed.calibration_ is None
        assert isinstance(computed.maps_.test, Hommel)
        assert_array_equal(computed.maps_.test.p_values, computed.maps_.family.p_values)
        assert not computed.table_.equals(table)
        computed.set_params(calibration=calibration).compute_contrast(output_type="tdp")
        assert computed.calibration_ is before
        assert isinstance(computed.maps_.test, CalibratedTest)
        assert_frame_equal(computed.table_, table)


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestRefusals:
    """What makes no sense is refused in words, before any work where that can be."""

    def test_two_sided_f_contrasts(self, kind, effect_maps):
        design = INTERCEPT.assign(age=np.arange(N_SUBJECTS) - 2.0)
        model = make_model(kind.mask_img).fit(effect_maps, design_matrix=design)
        model.set_params(transformer__two_sided=True)
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            model.compute_contrast(np.eye(2), output_type="tdp")
        assert model.results_ is None

    @pytest.mark.parametrize("value", [3, "simes", True, PermutationCalibration, {"a": 1}], ids=str)
    def test_calibrations_of_another_type(self, fitted, effect_maps, value):
        match = rf"a JointCalibration or None\. Got {type(value).__name__}"
        fitted.set_params(calibration=value)
        with pytest.raises(TypeError, match=match):
            fitted.compute_contrast(output_type="tdp")
        # Of no concern to maps of other kinds.
        fitted.compute_contrast(output_type="z_score")
        with pytest.raises(TypeError, match=match):
            fitted.fit(effect_maps, design_matrix=INTERCEPT)

    def test_another_local_test(self, fitted, effect_maps):
        fitted.set_params(transformer__local_test="hommel")
        match = r"transformer__local_test must be left at the default with .*local_test='hommel'"
        with pytest.raises(ValueError, match=match):
            fitted.compute_contrast(output_type="tdp")
        assert fitted.results_ is None
        with pytest.raises(ValueError, match=match):
            clone(fitted).fit(effect_maps, design_matrix=INTERCEPT)

    @pytest.mark.parametrize(
        ("parameters", "match"),
        [
            ({"calibration__scheme": "flip"}, "'scheme' parameter of PermutationCalibration"),
            ({"transformer__alpha": 0.01}, "alpha must be at least 1 / n_permutations = 1 / 32"),
            (
                {"calibration__n_groups": 3},
                "n_groups must be left at the default for data in",
            ),
            ({"calibration__memory": "cache"}, "memory must be left at the default unless"),
        ],
        ids=["scheme", "alpha", "n_groups", "memory"],
    )
    def test_parameters_out_of_range(self, fitted, parameters, match):
        fitted.set_params(**parameters)
        with pytest.raises(ValueError, match=match):
            fitted.compute_contrast(output_type="tdp")
        assert not hasattr(fitted, "table_")

    def test_contrast_that_is_not_estimable(self, kind, effect_maps):
        design = INTERCEPT.assign(again=1.0)
        model = make_model(kind.mask_img).fit(effect_maps, design_matrix=design)
        with pytest.raises(ValueError, match="not estimable"):
            model.compute_contrast("again", output_type="tdp")


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestQuestions:
    """All that can be asked of a model can be asked of a calibrated one."""

    @pytest.fixture
    def by_hand(self, kind, data):
        return ByHand(p_of_flips(data[:, kind.mask]))

    @pytest.fixture(params=["clusters", "adaptive", "regions"])
    def model(self, request, kind, tested):
        return tested(
            {
                "clusters": ClusterTDPTransformer(2, alpha=ALPHA),
                "adaptive": AdaptiveTDPTransformer(0.5, alpha=ALPHA),
                "regions": RegionTDPTransformer(kind.labels_img, alpha=ALPHA),
            }[request.param]
        )

    @pytest.fixture
    def sets(self, kind, model, in_mask):
        return in_mask(getattr(model, "labels_img_", kind.labels_img))

    def test_bound_of_any_set(self, kind, model, by_hand):
        chosen = kind.mask & (np.arange(kind.n) % 3 == 0)
        members = chosen[kind.mask]
        found = set_bound(model, mask_img=kind.image(chosen.astype("uint8")))
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

    def test_element_at(self, kind, model):
        voxel = np.argwhere(kind.mask.reshape(kind.shape))[37]
        assert element_at(model, index=voxel) == 37

    def test_tdp_table(self, kind, model, by_hand, sets):
        table = get_tdp_table(model, max_peaks=1)
        assert len(table) == len(model.table_)
        for identity, cell in zip(table.iloc[:, 0], table["p_value"], strict=True):
            assert cell == f"{by_hand.p_value(sets == identity):.2g}"
        get_tdp_table(model, labels_img=kind.labels_img)

    def test_region_composition(self, kind, model, by_hand, sets):
        pieces = get_region_composition(model, kind.labels_img, labels=["3", "7", "40"])
        regions = kind.labels[kind.mask]
        assert len(pieces) > 1
        for row in pieces.itertuples():
            piece = sets == row[1]
            if row.region.isdigit():
                piece &= regions == int(row.region)
            else:
                piece &= regions == 0
            assert row.true_discoveries == by_hand.bound(piece)

    def test_forest(self, tested, by_hand):
        forest = tested(AdaptiveTDPTransformer(0.5, alpha=ALPHA)).forest_
        for tdp in (0.2, 0.6, 0.9):
            for cluster in forest.query(tdp):
                members = forest.members(cluster)
                assert by_hand.bound(members) >= tdp * members.size
        highest = forest.threshold_free_map()
        assert_array_equal(highest >= 0.6, forest.labels(forest.query(0.6)) > 0)

    def test_test_and_calibration_are_there(self, model):
        assert isinstance(model.maps_.test, CalibratedTest)
        assert model.maps_.test.calibration is model.calibration_.calibration_
        assert model.maps_.test.critical_vector(0.2) is not None

    def test_calibration_that_was_given_stays_unfitted(self, model):
        with pytest.raises(NotFittedError):
            check_is_fitted(model.calibration)
        check_is_fitted(model.calibration_)
        assert model.calibration_ is not model.calibration
