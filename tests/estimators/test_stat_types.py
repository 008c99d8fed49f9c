"""Maps of z, t, F, chi-squared and p-values: one piece of evidence, one result."""

import warnings
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel import Nifti1Image
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel
from ari_estimator.inference import STATISTICS, make_statistic

# Old releases invert t and F with few digits: here to make test data, and for thresholds that
# are shown.
OLD_SCIPY = tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15)
RTOL = {"t": 1e-6} if OLD_SCIPY else {}

DF = {"t": 12, "F": (3, 29.5), "chi2": 3}

# The columns of a table that do not depend on the scale of the map.
COUNTS = ["cluster_id", "n_voxels", "true_discoveries", "tdp"]

# The values that have an upper tail.
ISF = {
    "z": stats.norm.isf,
    "t": stats.t(12).isf,
    "F": stats.f(3, 29.5).isf,
    "chi2": stats.chi2(3).isf,
    "p": lambda p: p,
    "neg_log10_p": lambda p: -np.log10(p),
    "one_minus_p": lambda p: 1 - p,
}

each_type = pytest.mark.parametrize("stat_type", list(STATISTICS))

P_TYPES = ["p", "neg_log10_p", "one_minus_p"]

each_p_type = pytest.mark.parametrize("stat_type", P_TYPES)

# The maps that a mask may be computed from.
NO_P_TYPES = [stat_type for stat_type in STATISTICS if stat_type not in P_TYPES]

# A map that has both signs, from z values, by stat_type.
SIGNED = {
    "z": lambda z: z,
    "t": lambda z: np.copysign(stats.t(12).isf(stats.norm.sf(np.abs(z))), z),
    # As the sig maps of FreeSurfer: of two-sided p-values, with the sign of the effect.
    "neg_log10_p": lambda z: np.copysign(-np.log10(2 * stats.norm.sf(np.abs(z))), z),
}

each_signed_type = pytest.mark.parametrize("stat_type", list(SIGNED))

each_case = pytest.mark.parametrize(
    ("stat_type", "two_sided"),
    [
        *((stat_type, False) for stat_type in STATISTICS),
        *((stat_type, True) for stat_type in SIGNED),
    ],
)


def statistic_of(stat_type, two_sided=False):
    return make_statistic(stat_type, DF.get(stat_type), two_sided)


def values_of(z, stat_type, two_sided=False):
    """Return a map with the upper tails of z values, or their signs and both tails."""
    if two_sided or stat_type in ("z", "t"):
        return SIGNED[stat_type](z)
    return ISF[stat_type](stats.norm.sf(z))


def at_p(p, stat_type, two_sided=False):
    """Return the value of a map that has a p-value."""
    return float(SIGNED[stat_type](stats.norm.isf(p / 2)) if two_sided else ISF[stat_type](p))


def beyond(values, stat_type, threshold):
    return values < threshold if stat_type == "p" else values > threshold


@pytest.fixture
def fit(mask_img, make_img):
    """Return a function that fits a transformer to a map, given as an array."""

    def fit(values, stat_type, threshold=None, **parameters):
        transformer = ClusterTDPTransformer(
            threshold,
            mask_img=mask_img,
            stat_type=stat_type,
            **{"df": DF.get(stat_type), **parameters},
        )
        transformer.tdp_img = transformer.fit_transform(make_img(values))
        return transformer

    return fit


def assert_same_sets(transformer, other):
    """Compare what does not depend on the scale of the map."""
    assert_array_equal(get_data(transformer.labels_img_), get_data(other.labels_img_))
    assert_array_equal(get_data(transformer.tdp_img), get_data(other.tdp_img))
    assert_frame_equal(transformer.table_[COUNTS], other.table_[COUNTS])
    # What has no sign cannot say "positive", but "positive" and "unsigned" take the same place.
    one, another = (t.table_["direction"].replace("unsigned", "positive")
                    for t in (transformer, other))  # fmt: skip
    assert one.tolist() == another.tolist()
    places = ["peak_x", "peak_y", "peak_z"]
    assert_frame_equal(transformer.table_[places], other.table_[places])


class TestOneSidedEvidence:
    """The same upper tails, in seven notations."""

    @each_type
    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("seed", [0, 1])
    def test_gives_the_same_clusters_counts_and_tdp(
        self, make_map, fit, stat_type, local_test, seed
    ):
        z = make_map(seed, effect=4.5)
        of_z = fit(z, "z", 2.5, local_test=local_test)
        assert of_z.table_["true_discoveries"].iloc[0] > 10
        threshold = values_of(np.array(2.5), stat_type).item()
        transformer = fit(values_of(z, stat_type), stat_type, threshold, local_test=local_test)
        assert_same_sets(transformer, of_z)
        assert transformer.true_discoveries_ == of_z.true_discoveries_
        p = transformer.maps_.test.p_values
        # 1 - p has 16 digits after the point, and no more.
        assert_allclose(p, of_z.maps_.test.p_values, rtol=RTOL.get(stat_type, 1e-10), atol=1e-15)

    @each_type
    def test_peaks_are_values_of_the_map(self, z, fit, stat_type):
        values = values_of(z, stat_type)
        transformer = fit(values, stat_type)
        # The map must not be read where a table is compared to itself: by position.
        affine = np.linalg.inv(transformer.mask_img_.affine)
        for row in transformer.table_.itertuples():
            ijk = np.round(affine @ [row.peak_x, row.peak_y, row.peak_z, 1])[:3].astype(int)
            assert row.peak_stat == values[tuple(ijk)]
        of_z = fit(z, "z").table_["peak_stat"].to_numpy()
        assert_allclose(transformer.table_["peak_stat"], values_of(of_z, stat_type), rtol=1e-12)

    @each_type
    def test_several_thresholds_are_nested_and_the_strictest_is_shown(
        self, z, mask, fit, stat_type
    ):
        values = values_of(z, stat_type)
        tails = [0.05, 0.01, 0.001, 1e-4]
        on_scale = [float(ISF[stat_type](p)) for p in tails]
        shuffled = [on_scale[i] for i in (2, 0, 3, 1, 0)]
        transformer = fit(values, stat_type, shuffled)
        table = transformer.table_.iloc[:-1]
        assert table["threshold"].drop_duplicates().tolist() == on_scale
        strictest = np.zeros(z.shape)
        for threshold in on_scale:
            strictest[mask & beyond(values, stat_type, threshold)] = threshold
        shown = get_data(transformer.labels_img_)
        assert_array_equal(shown > 0, strictest != 0)
        threshold_of = table.set_index("cluster_id")["threshold"]
        assert_array_equal(threshold_of[shown[shown > 0]], strictest[shown > 0])
        # Every cluster is within one of the next more lenient threshold.
        n_voxels = table.groupby("threshold")["n_voxels"].sum()[on_scale].tolist()
        assert all(stricter < lenient for lenient, stricter in pairwise(n_voxels))
        rest = transformer.table_["n_voxels"].iloc[-1]
        assert rest == mask.sum() - n_voxels[0]
        assert_same_sets(transformer, fit(z, "z", [stats.norm.isf(p) for p in tails]))
        assert_same_sets(
            transformer, fit(values, stat_type, tuple(shuffled_p(tails)), threshold_scale="p")
        )

    @each_type
    def test_concentration_threshold_without_discoveries_is_none(self, fit, stat_type):
        z = np.random.default_rng(3).standard_normal((8, 9, 10)) / 2
        transformer = fit(values_of(z, stat_type), stat_type, "concentration")
        assert transformer.true_discoveries_ == 0
        assert transformer.table_["cluster_id"].tolist() == [0]
        assert not get_data(transformer.tdp_img).any()

    @each_type
    def test_nan_voxels_are_left_out(self, z, fit, stat_type):
        z = z.copy()
        z[2, 3:5, 4:6] = np.nan
        with pytest.warns(UserWarning, match="NaN in 4 of"):
            transformer = fit(values_of(z, stat_type), stat_type)
        with pytest.warns(UserWarning, match="NaN in 4 of"):
            of_z = fit(z, "z")
        assert_same_sets(transformer, of_z)

    @each_type
    def test_arrays_and_images_agree(self, z, mask, mask_img, fit, stat_type):
        values = values_of(z, stat_type)
        tdp = ClusterTDPTransformer(
            mask_img=mask_img, stat_type=stat_type, df=DF.get(stat_type)
        ).fit_transform(values[mask])
        assert_array_equal(tdp, get_data(fit(values, stat_type).tdp_img)[mask])


class TestDirection:
    """Only z and t tell an effect from its opposite; p-values may be of either test."""

    @each_type
    def test_of_clusters(self, z, fit, stat_type):
        values = values_of(z, stat_type)
        expected = "positive" if stat_type in ("z", "t") else "unsigned"
        for threshold in (None, "concentration"):
            table = fit(values, stat_type, threshold).table_
            assert set(table["direction"][:-1]) == {expected}
            assert table["direction"].iloc[-1] == "rest"

    @each_type
    def test_of_given_sets(self, z, make_img, mask, mask_img, stat_type):
        labels_img = make_img((mask & (z > 2)).astype("int32"))
        expected = {False: "positive" if stat_type in ("z", "t") else "unsigned", True: "both"}
        for two_sided in (False, True) if stat_type in SIGNED else (False,):
            parameters = {"mask_img": mask_img, "stat_type": stat_type, "df": DF.get(stat_type)}
            for transformer in (
                ClusterTDPTransformer(labels_img=labels_img, two_sided=two_sided, **parameters),
                RegionTDPTransformer(labels_img, two_sided=two_sided, **parameters),
            ):
                transformer.fit_transform(make_img(values_of(z, stat_type)))
                if "direction" in transformer.table_:
                    directions = transformer.table_["direction"].tolist()
                    assert directions == [expected[two_sided], "rest"]

    @each_signed_type
    def test_of_two_sided_clusters_is_the_sign(self, z, fit, stat_type):
        table = fit(SIGNED[stat_type](z), stat_type, two_sided=True).table_.iloc[:-1]
        assert (
            table["direction"] == np.where(table["peak_stat"] > 0, "positive", "negative")
        ).all()


def shuffled_p(tails):
    return [tails[i] for i in (1, 3, 0, 2)]


class TestSquares:
    """F and chi-squared values that are squares have the p-values of two sides."""

    @pytest.fixture
    def of_two_sided_z(self, z, fit):
        # Of one sign, so that a square forms the same clusters.
        return fit(np.abs(z), "z", 2.5, two_sided=True)

    def test_of_z_is_chi_squared(self, z, fit, of_two_sided_z):
        squares = fit(z**2, "chi2", 2.5**2, df=1)
        assert_same_sets(squares, of_two_sided_z)
        p = of_two_sided_z.maps_.test.p_values
        assert_allclose(squares.maps_.test.p_values, p, rtol=1e-11)

    @pytest.mark.parametrize("df", [5, 12.5, 200])
    def test_of_t_is_f(self, z, fit, df):
        of_t = fit(np.abs(z), "t", 2.5, df=df, two_sided=True)
        of_f = fit(z**2, "F", 2.5**2, df=(1, df))
        assert_same_sets(of_f, of_t)
        assert_allclose(of_f.maps_.test.p_values, of_t.maps_.test.p_values, rtol=1e-11)

    def test_has_the_default_threshold_of_the_upper_tail(self, z, fit):
        # F and chi-squared have one tail, which covers both directions: no 0.002.
        squares = fit(z**2, "chi2", df=1)
        assert_allclose(squares.table_["threshold"][0], stats.norm.isf(0.0005) ** 2)

    def test_does_not_tell_positive_from_negative(self, z, fit):
        # The positive and the negative effect touch.
        table = fit(z**2, "chi2", 2.5**2, df=1).table_
        of_z = fit(z, "z", 2.5, two_sided=True).table_
        assert set(table["direction"]) == {"unsigned", "rest"}
        assert table["n_voxels"].iloc[0] > of_z["n_voxels"].iloc[0]
        assert table["n_voxels"].iloc[-1] == of_z["n_voxels"].iloc[-1]


class TestTwoSided:
    """z, t and signed -log10 p, with clusters of either sign."""

    @each_signed_type
    @pytest.mark.parametrize("seed", [0, 1])
    def test_positive_and_negative_clusters_are_apart(self, make_map, mask, fit, stat_type, seed):
        z = make_map(seed)
        values = SIGNED[stat_type](z)
        threshold = float(SIGNED[stat_type](np.array(2.5)))
        transformer = fit(values, stat_type, threshold, two_sided=True)
        table = transformer.table_
        assert set(table["direction"]) == {"positive", "negative", "rest"}
        labels = get_data(transformer.labels_img_)
        touch = False
        for row in table.iloc[:-1].itertuples():
            sign = {"positive": 1, "negative": -1}[row.direction]
            assert (sign * values[labels == row.cluster_id] > threshold).all()
            assert sign * row.peak_stat == (sign * values[labels == row.cluster_id]).max()
        for axis in range(3):
            one, other = (np.delete(labels, i, axis) for i in (0, -1))
            signs = np.sign(np.delete(z, 0, axis) * np.delete(z, -1, axis))
            touch |= bool(((one > 0) & (other > 0) & (signs < 0)).any())
        assert touch
        assert_array_equal(labels > 0, mask & (np.abs(values) > threshold))

    @each_signed_type
    @pytest.mark.parametrize("seed", [0, 1])
    def test_the_same_evidence_gives_the_same_result(self, make_map, fit, stat_type, seed):
        z = make_map(seed)
        threshold = float(SIGNED[stat_type](np.array(2.5)))
        transformer = fit(SIGNED[stat_type](z), stat_type, threshold, two_sided=True)
        of_z = fit(z, "z", 2.5, two_sided=True)
        assert_same_sets(transformer, of_z)
        rtol = RTOL.get(stat_type, 1e-11)
        assert_allclose(transformer.maps_.test.p_values, of_z.maps_.test.p_values, rtol=rtol)
        assert_allclose(of_z.maps_.test.p_values.min(), 2 * stats.norm.sf(np.abs(z)).min())

    @each_signed_type
    def test_other_sign_swaps_the_directions(self, z, fit, stat_type):
        values = SIGNED[stat_type](z)
        swap = {"positive": "negative", "negative": "positive", "rest": "rest"}
        for threshold in (None, [1.5, 3]):
            one, other = (
                fit(v, stat_type, threshold, two_sided=True).table_ for v in (values, -values)
            )
            columns = ["threshold", "direction", "n_voxels", "true_discoveries", "peak_stat"]
            other = other.assign(
                direction=other["direction"].map(swap), peak_stat=-other["peak_stat"]
            )
            one, other = (t[columns].sort_values(columns, ignore_index=True) for t in (one, other))
            assert_frame_equal(one.iloc[:-1], other.iloc[:-1])

    def test_of_freesurfer_nothing_is_doubled(self, z, mask, fit):
        sig = SIGNED["neg_log10_p"](z)
        transformer = fit(sig, "neg_log10_p", 2, two_sided=True)
        assert_allclose(transformer.maps_.test.p_values, 10.0 ** -np.abs(sig[mask]), rtol=1e-13)


class TestThresholds:
    """The default, p-values, and the concentration threshold, of one side and of two."""

    @each_case
    def test_default_is_one_in_a_thousand_in_each_tail(self, z, mask, fit, stat_type, two_sided):
        transformer = fit(values_of(z, stat_type, two_sided), stat_type, two_sided=two_sided)
        in_tails = (stats.norm.sf(z) < 0.001) | (two_sided & (stats.norm.cdf(z) < 0.001))
        assert_array_equal(get_data(transformer.labels_img_) > 0, mask & in_tails)
        expected = at_p(0.002 if two_sided else 0.001, stat_type, two_sided)
        assert_allclose(transformer.table_["threshold"][:-1], expected, rtol=1e-12)
        assert np.isnan(transformer.table_["threshold"].iloc[-1])

    @each_case
    @pytest.mark.parametrize("p", [0.3, 0.05, 0.01, 0.001, 1e-4])
    def test_of_the_map_and_of_p_values_agree(self, z, mask, fit, stat_type, two_sided, p):
        values = values_of(z, stat_type, two_sided)
        of_p = fit(values, stat_type, p, threshold_scale="p", two_sided=two_sided)
        in_clusters = get_data(of_p.labels_img_)[mask] > 0
        assert_array_equal(in_clusters, of_p.maps_.test.p_values < p)
        assert in_clusters.any()
        of_values = fit(values, stat_type, at_p(p, stat_type, two_sided), two_sided=two_sided)
        assert_same_sets(of_p, of_values)
        assert_frame_equal(of_p.table_, of_values.table_, rtol=1e-12)

    @each_case
    @pytest.mark.parametrize("seed", [0, 1])
    def test_concentration_threshold_gives_its_own_clusters_back(
        self, make_map, mask, fit, stat_type, two_sided, seed
    ):
        z = make_map(seed)
        values = values_of(z, stat_type, two_sided)
        transformer = fit(values, stat_type, "concentration", two_sided=two_sided)
        p_threshold = transformer.maps_.test.concentration_set(0.05).p_threshold
        in_clusters = get_data(transformer.labels_img_)[mask] > 0
        assert_array_equal(in_clusters, transformer.maps_.test.p_values <= p_threshold)
        threshold = transformer.table_["threshold"][0]
        assert_allclose(threshold, at_p(p_threshold, stat_type, two_sided), rtol=1e-9)
        again = fit(values, stat_type, threshold, two_sided=two_sided)
        assert_frame_equal(again.table_, transformer.table_)
        assert_same_sets(again, transformer)
        assert_same_sets(transformer, fit(z, "z", "concentration", two_sided=two_sided))
        directions = {"positive", "negative"} if two_sided else set()
        assert directions <= set(transformer.table_["direction"])


class TestPermutationPValues:
    """P-values k / B, which tie with each other and with thresholds."""

    @given(
        counts=st.lists(st.integers(0, 40), min_size=2, max_size=18).filter(
            lambda counts: min(counts) < max(counts)
        ),
        n_permutations=st.sampled_from([400, 1000, 4999]),
        local_test=st.sampled_from(["simes", "hommel"]),
    )
    @settings(max_examples=150)
    def test_bounds_equal_bounds_of_fractions(self, counts, n_permutations, local_test):
        fractions = [Fraction(count + 1, n_permutations) for count in counts]
        data = np.array([float(p) for p in fractions]).reshape(1, 1, -1)
        transformer = ClusterTDPTransformer(
            0.01,
            mask_img=Nifti1Image(np.ones(data.shape, dtype="uint8"), np.eye(4)),
            stat_type="p",
            local_test=local_test,
        )
        transformer.fit_transform(Nifti1Image(data, np.eye(4)))
        h = hommel_value_of_fractions(fractions, local_test)
        assert transformer.maps_.test.value(0.05) == h
        assert transformer.maps_.test.value(0.05) == Hommel(data.ravel(), local_test).value(0.05)
        assert transformer.true_discoveries_ == len(counts) - h
        labels = get_data(transformer.labels_img_).ravel()
        assert_array_equal(labels > 0, [p < Fraction(1, 100) for p in fractions])

    def test_p_values_that_all_meet_the_simes_line_count(self, make_img, mask_img, mask):
        # p_(i) = i * alpha / m exactly; 0.05 * i / m in floating point misses some of them.
        m = int(mask.sum())
        data = np.ones(mask.shape)
        data[mask] = [float(Fraction(i, 20 * m)) for i in range(1, m + 1)]
        transformer = ClusterTDPTransformer(1.0, mask_img=mask_img, stat_type="p")
        transformer.fit_transform(make_img(data))
        assert transformer.true_discoveries_ >= 1
        assert transformer.maps_.test.set_p_value(np.ones(m, dtype=bool)) <= 0.05 * (1 + 1e-15)
        data[mask] = np.nextafter(data[mask], 1)
        transformer.fit_transform(make_img(data))
        assert transformer.true_discoveries_ == 0

    @pytest.mark.parametrize("scale", ["stat", "p"])
    def test_voxel_at_the_threshold_is_in_no_cluster(self, fit, mask, scale):
        p = np.random.default_rng(0).integers(1, 1001, mask.shape) / 1000
        p[mask] = np.where(np.arange(mask.sum()) % 7 == 0, 1 / 1000, p[mask])
        at = fit(p, "p", 1 / 1000, threshold_scale=scale)
        assert not get_data(at.labels_img_).any()
        above = fit(p, "p", 2 / 1000, threshold_scale=scale)
        assert_array_equal(get_data(above.labels_img_) > 0, mask & (p == 1 / 1000))

    def test_ties_at_the_concentration_threshold_are_all_in(self, fit, mask):
        p = np.random.default_rng(0).integers(1, 101, mask.shape) / 100
        p[:4] = np.random.default_rng(1).integers(1, 10, p[:4].shape) / 20_000
        transformer = fit(p, "p", "concentration")
        p_threshold = transformer.maps_.test.concentration_set(0.05).p_threshold
        in_clusters = get_data(transformer.labels_img_) > 0
        assert_array_equal(in_clusters, mask & (p <= p_threshold))
        assert (p[in_clusters] == p_threshold).sum() > 1
        threshold = transformer.table_["threshold"][0]
        assert threshold > p_threshold
        assert_frame_equal(fit(p, "p", threshold).table_, transformer.table_)


def hommel_value_of_fractions(p, local_test, alpha=Fraction(1, 20)):
    """Return the size of the largest set that the local test does not reject, exactly."""
    p = sorted(p)
    for size in range(len(p), 0, -1):
        factor = size * (sum(Fraction(1, i) for i in range(1, size + 1)) if local_test == "hommel"
                         else 1)  # fmt: skip
        if all(factor * q > rank * alpha for rank, q in enumerate(p[len(p) - size :], 1)):
            return size
    return 0


class TestAtP:
    """The value of a map at a p-value, which the table shows."""

    @pytest.mark.parametrize("p", [0.9, 0.5, 0.3, 0.05, 0.001, 1e-6])
    @each_type
    def test_is_the_upper_quantile(self, stat_type, p):
        assert_allclose(statistic_of(stat_type).at_p(p), ISF[stat_type](p), rtol=1e-11, atol=1e-15)

    @pytest.mark.parametrize("p", [0.9, 0.3, 0.05, 0.001, 1e-6])
    @each_signed_type
    def test_is_absolute_if_two_sided(self, stat_type, p):
        value = statistic_of(stat_type, True).at_p(p)
        assert_allclose(value, SIGNED[stat_type](stats.norm.isf(p / 2)), rtol=1e-12)
        assert value > 0

    @pytest.mark.parametrize(
        ("statistic", "lowest"),
        [
            (make_statistic("z"), 1e-300),
            (make_statistic("z", two_sided=True), 1e-300),
            *((make_statistic("t", df, two_sided), 1e-100)
              for df in (1.0, 1.5, 5.0, 29.0, 1000.0, 1e12) for two_sided in (False, True)),
            *((make_statistic("F", df), 1e-140) for df in (
                (1.0, 1.0), (1.0, 5.0), (3.0, 29.5), (10.0, 1000.0), (100.0, 3.0), (3.0, 1e6),
                (3.0, 1e12), (1e20, 3.0),
              )),
            *((make_statistic("chi2", df), 1e-300) for df in (0.5, 1.0, 3.0, 1000.0)),
            (make_statistic("p"), 1e-300),
            (make_statistic("neg_log10_p"), 1e-300),
            (make_statistic("neg_log10_p", two_sided=True), 1e-300),
        ],
        ids=str,
    )  # fmt: skip
    def test_has_the_p_value_far_out_too(self, statistic, lowest):
        if OLD_SCIPY and statistic.stat_type in ("t", "F"):
            pytest.skip("this scipy is rough on the inverse of t and F, far out")
        p = np.concatenate([np.logspace(np.log10(lowest), -1, 60), np.linspace(0.2, 0.999, 9)])
        values = np.array([statistic.at_p(float(one)) for one in p])
        assert np.isfinite(values).all()
        assert_allclose(statistic.p_values(values), p, rtol=1e-11)
        # The smaller, the further out.
        assert (np.diff(statistic.evidence(values)) < 0).all()

    def test_one_minus_p_has_what_digits_it_can(self):
        values = [make_statistic("one_minus_p").at_p(p) for p in (1.0, 0.75, 0.001, 1e-16, 1e-30)]
        assert values == [0, 0.25, 0.999, np.nextafter(1, 0), 1]

    @pytest.mark.parametrize(
        ("stat_type", "two_sided", "value"),
        [
            ("z", False, -np.inf),
            ("t", False, -np.inf),
            ("p", False, 1),
            *((stat_type, False, 0) for stat_type in ("F", "chi2", "neg_log10_p", "one_minus_p")),
            *((stat_type, True, 0) for stat_type in SIGNED),
        ],
    )
    def test_of_one_is_where_every_value_is_beyond(self, stat_type, two_sided, value):
        # As text, since 0 and -0 are equal.
        assert str(statistic_of(stat_type, two_sided).at_p(1.0)) == str(float(value))

    @each_type
    def test_is_a_plain_number(self, stat_type):
        assert type(statistic_of(stat_type).at_p(0.001)) is float


class TestThresholdOfEvidence:
    """Back from the evidence to the scale of the map."""

    @pytest.mark.parametrize("threshold", [0.0, 1e-300, 0.001, 0.3, 1.0])
    @each_type
    def test_is_the_inverse_of_evidence_of_threshold(self, stat_type, threshold):
        for two_sided in (False, *([True] if stat_type in SIGNED else [])):
            statistic = statistic_of(stat_type, two_sided)
            evidence = statistic.evidence_of_threshold(threshold)
            assert statistic.threshold_of_evidence(evidence) == threshold

    @each_type
    def test_of_the_evidence_of_a_value_is_that_value(self, stat_type):
        statistic = statistic_of(stat_type)
        for value in (0.001, 0.3, 0.999):
            evidence = statistic.evidence(np.array([value])).item()
            assert statistic.threshold_of_evidence(evidence) == value


# Of all that make_statistic refuses, a few: that transformers ask it.
REFUSED = [
    ({"stat_type": "t"}, ValueError, "'df' must be .*stat_type='t'. Got None"),
    ({"df": 12}, ValueError, "'df' must be None for stat_type='z', .* Got 12"),
    ({"stat_type": "t", "df": [12]}, ValueError, r"'df' must be one number.*Got \[12\]"),
    ({"stat_type": "t", "df": "12"}, ValueError, "File not found: '12'"),
    ({"stat_type": "z", "df": np.full(3, 12)}, ValueError, "df may be an image or an array only"),
    ({"stat_type": "p", "two_sided": True}, ValueError, "'two_sided' must be False .*'p'.* Got Tr"),
    *(({"stat_type": value}, ValueError, f"'stat_type' parameter .*'neg_log10_p'.* Got {value!r}")
      for value in ("Z", "", 3)),
]  # fmt: skip

BAD_THRESHOLDS = [
    *(({"threshold": value, "threshold_scale": "p", "stat_type": stat_type}, ValueError,
       r"'threshold' must lie in \(0, 1\] with threshold_scale='p'. Got: 'threshold=")
      for value in (0, -0.1, 1.5, 3.1, np.nan, np.inf, [0.01, 0], (0.01, np.nan))
      for stat_type in ("z", "p")),
    *(({"threshold": value, "stat_type": stat_type}, ValueError,
       f"'threshold' must lie between 0 and 1.*stat_type={stat_type!r}.*Got: 'threshold=")
      for value in (3.1, -0.1, 1.001, np.nan, [0.01, 3.1]) for stat_type in ("p", "one_minus_p")),
    *(({"threshold": value, "stat_type": stat_type, "df": DF.get(stat_type)}, ValueError,
       "'threshold' cannot be negative or contain negative values, or NaN. Got: 'threshold=")
      for value in (-1, np.nan, [3, -0.1]) for stat_type in ("t", "F", "chi2", "neg_log10_p")),
    *(({"threshold": value, "threshold_scale": scale}, TypeError, "'threshold' must ")
      for value in ("p", True, ["0.01"]) for scale in ("stat", "p")),
    ({"threshold": [], "threshold_scale": "p"}, ValueError, "'threshold' .*at least one"),
    *(({"threshold": value, "threshold_scale": "p"}, ValueError,
       f"threshold_scale must be left at the default with threshold={value!r}, .* not a number")
      for value in (None, "concentration")),
    *(({"threshold_scale": value}, ValueError, f"'threshold_scale' parameter of .* Got {value!r}")
      for value in ("z", "P", "", None, 0.05)),
]  # fmt: skip


def refused(cases):
    return pytest.mark.parametrize(
        ("parameters", "error", "match"), [pytest.param(*case, id=str(case[0])) for case in cases]
    )


class TestBadParameters:
    """Parameters that do not go together."""

    @refused([*REFUSED, *BAD_THRESHOLDS])
    def test_cluster_transformer_refuses(self, z_img, mask_img, parameters, error, match):
        transformer = ClusterTDPTransformer(mask_img=mask_img).set_params(**parameters)
        with pytest.raises(error, match=match):
            transformer.fit(z_img)

    @refused(REFUSED)
    def test_region_transformer_refuses(self, z_img, mask_img, parameters, error, match):
        transformer = RegionTDPTransformer(mask_img, mask_img=mask_img).set_params(**parameters)
        with pytest.raises(error, match=match):
            transformer.fit(z_img)

    @refused([REFUSED[0], REFUSED[-1], BAD_THRESHOLDS[0], BAD_THRESHOLDS[-1]])
    def test_what_was_set_after_fit_is_refused(self, z_img, mask_img, parameters, error, match):
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(z_img)
        with pytest.raises(error, match=match):
            transformer.set_params(**parameters).transform(z_img)

    @pytest.mark.parametrize(
        ("stat_type", "threshold"),
        [("p", 0), ("p", 1), ("one_minus_p", 0), ("one_minus_p", 1), ("F", 0), ("chi2", 1e300)],
    )
    def test_thresholds_at_the_ends_are_fine(self, z, mask, fit, stat_type, threshold):
        values = values_of(z, stat_type)
        labels = get_data(fit(values, stat_type, threshold).labels_img_)
        assert_array_equal(labels > 0, mask & beyond(values, stat_type, threshold))

    @pytest.mark.parametrize(
        ("stat_type", "threshold", "name"),
        [
            ("z", 0.001, "z"),
            ("t", [0.05, 3.1], "t"),
            ("F", 0.01, "F"),
            ("chi2", 0.01, "chi-squared"),
            ("neg_log10_p", 0.05, "-log10 p"),
            ("one_minus_p", 0.05, "1 - p"),
        ],
    )
    def test_what_looks_like_a_p_value_is_warned_of(self, z, fit, stat_type, threshold, name):
        values = values_of(z, stat_type)
        with pytest.warns(UserWarning, match=f"is read as a {name} value.*threshold_scale='p'"):
            fit(values, stat_type, threshold)

    @pytest.mark.parametrize(
        ("stat_type", "threshold", "scale"),
        [("z", 0, "stat"), ("z", 0.1, "stat"), ("p", 0.001, "stat"), ("z", 0.001, "p")],
    )
    def test_usual_thresholds_are_not_warned_of(self, z, fit, stat_type, threshold, scale):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            fit(values_of(z, stat_type), stat_type, threshold, threshold_scale=scale)

    def test_threshold_of_p_of_one_takes_all_voxels(self, z, mask, fit):
        assert_array_equal(get_data(fit(z, "z", 1, threshold_scale="p").labels_img_) > 0, mask)

    @pytest.mark.parametrize("stat_type", ["t", "p"])
    def test_second_level_model_refuses_other_maps_than_z(
        self, make_map, make_img, mask_img, stat_type
    ):
        images = [make_img(make_map(seed)) for seed in range(3)]
        design = pd.DataFrame({"intercept": np.ones(3)})
        transformer = ClusterTDPTransformer(stat_type=stat_type, df=DF.get(stat_type))
        match = f"transformer__stat_type must be 'z'.* Got {stat_type!r}"
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        with pytest.raises(ValueError, match=match):
            model.fit(images, design_matrix=design)
        model.set_params(transformer=ClusterTDPTransformer()).fit(images, design_matrix=design)
        model.set_params(transformer__stat_type=stat_type, transformer__df=DF.get(stat_type))
        with pytest.raises(ValueError, match=match):
            model.compute_contrast(output_type="tdp")


class TestBadValues:
    """Maps with values that their statistic cannot have."""

    @pytest.mark.parametrize(
        ("stat_type", "value", "match"),
        [
            ("p", np.inf, r"stat_type='p' cannot have values outside \[0, 1\]. Got .* to inf"),
            ("neg_log10_p", -0.5, "'neg_log10_p' cannot .* below 0.*-0.5.*set two_sided=True"),
            ("F", -0.01, "stat_type='F' cannot have values below 0. Got values from -0.01 to"),
        ],
    )
    def test_are_refused(self, z, fit, mask_img, make_img, stat_type, value, match):
        values = values_of(z, stat_type)
        values[3, 3, 3] = value
        with pytest.raises(ValueError, match=match):
            fit(values, stat_type)
        regions = RegionTDPTransformer(
            mask_img, mask_img=mask_img, stat_type=stat_type, df=DF.get(stat_type)
        )
        with pytest.raises(ValueError, match=match):
            regions.fit_transform(make_img(values))
        # Outside of the mask anything may be.
        values[3, 3, 3] = 0.5
        values[0, 0, 0] = value
        fit(values, stat_type)

    def test_z_map_taken_for_a_p_map_is_refused(self, z, fit):
        with pytest.raises(ValueError, match=r"cannot have values outside \[0, 1\]"):
            fit(z, "p")

    def test_p_map_with_zeros_warns_with_their_number(self, z, mask, fit):
        p = values_of(z, "p")
        p[3, 3, 3:5] = 0
        p[0, 0, 0] = 0
        assert not mask[0, 0, 0]
        with pytest.warns(UserWarning, match="exactly 0 in 2 voxels of the mask.*discoveries") as w:
            transformer = fit(p, "p")
        assert len(w) == 1
        assert (transformer.maps_.test.p_values == 0).sum() == 2

    @pytest.mark.parametrize("share", [0.03, 0.5])
    def test_p_map_that_is_padded_with_zeros_is_refused(self, mask, mask_img, make_img, share):
        p = np.random.default_rng(0).uniform(1e-5, 1, mask.shape)
        n_zero = int(share * mask.sum())
        p[tuple(np.argwhere(mask)[:n_zero].T)] = 0
        p[tuple(np.argwhere(mask)[-1])] = 1.1e-6
        match = f"exactly 0 in {n_zero} of the {mask.sum()} voxels of the mask.* it looks padded"
        for transformer in (
            ClusterTDPTransformer(mask_img=mask_img, stat_type="p"),
            RegionTDPTransformer(mask_img, mask_img=mask_img, stat_type="p"),
        ):
            for maps in (make_img(p), p[mask]):
                with pytest.raises(ValueError, match=match):
                    transformer.fit_transform(maps)
        # The strongest p-values may underflow, where others are close to that.
        p[tuple(np.argwhere(mask)[-1])] = 9e-7
        with pytest.warns(UserWarning, match=f"exactly 0 in {n_zero} voxels of the mask"):
            transformer.fit_transform(make_img(p))

    def test_p_map_of_few_zeros_is_not_refused(self, mask, mask_img, make_img):
        p = np.random.default_rng(0).uniform(1e-5, 1, mask.shape)
        n_zero = int(0.02 * mask.sum())
        p[tuple(np.argwhere(mask)[:n_zero].T)] = 0
        transformer = ClusterTDPTransformer(mask_img=mask_img, stat_type="p")
        with pytest.warns(UserWarning, match=f"exactly 0 in {n_zero} voxels of the mask"):
            transformer.fit_transform(make_img(p))
        p[tuple(np.argwhere(mask)[n_zero])] = 0
        with pytest.raises(ValueError, match="looks padded"):
            transformer.fit_transform(make_img(p))

    @each_type
    def test_other_maps_do_not_warn(self, z, fit, stat_type):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            fit(values_of(z, stat_type), stat_type)


class TestWithoutAMask:
    """The mask is computed from the map: its background is constant."""

    @pytest.fixture
    def brain(self):
        brain = np.zeros((16, 16, 16), dtype=bool)
        brain[2:14, 2:14, 2:14] = True
        return brain

    @pytest.fixture
    def effect(self, brain):
        """Return z values in a brain."""
        z = np.random.default_rng(0).standard_normal(brain.shape)
        z[3:8, 3:8, 3:8] += 4
        return z

    def test_zeros_in_a_mask_that_is_too_large_are_warned_of(self, brain, effect, make_img):
        z_img, mask_img = (
            make_img(np.where(brain, effect, 0)),
            make_img(np.ones(brain.shape, "uint8")),
        )
        n_zero = int((~brain).sum())
        with pytest.warns(UserWarning, match=f"exactly 0 in {n_zero} of 4096 .* mask_img leaves"):
            ClusterTDPTransformer(mask_img=mask_img).fit(z_img)

    def test_zeros_that_nan_brings_into_the_mask_are_warned_of(self, brain, effect, make_img):
        z = np.where(brain, effect, 0)
        z[0] = np.nan
        n_zero = int((z == 0).sum())
        with pytest.warns(UserWarning, match=f"exactly 0 in {n_zero} of .* give a mask"):
            ClusterTDPTransformer().fit(make_img(z))

    def transformer_of(self, stat_type, **parameters):
        return ClusterTDPTransformer(stat_type=stat_type, df=DF.get(stat_type), **parameters)

    @pytest.mark.parametrize(
        ("stat_type", "background"), [*((stat_type, 0) for stat_type in NO_P_TYPES), ("t", np.nan)]
    )
    def test_is_what_is_not_background(self, brain, effect, make_img, stat_type, background):
        values = np.where(brain, values_of(effect, stat_type), background)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Non-finite")
            warnings.filterwarnings("ignore", ".*[Nn]a[Nn]")
            transformer = self.transformer_of(stat_type)
            tdp = transformer.fit_transform(make_img(values))
        tested = np.zeros(brain.shape, dtype=bool)
        tested[get_data(transformer.mask_img_) > 0] = transformer.maps_.family.is_tested
        assert_array_equal(tested, brain)
        mask_img = make_img(brain.astype("uint8"))
        expected = self.transformer_of(stat_type, mask_img=mask_img)
        assert_array_equal(
            get_data(tdp), get_data(expected.fit_transform(make_img(np.where(brain, values, 0.5))))
        )
        assert get_data(tdp).max() > 0.5

    @pytest.mark.parametrize("stat_type", NO_P_TYPES)
    @pytest.mark.parametrize("p", [0.05, 0.001])
    @pytest.mark.filterwarnings("ignore")
    def test_thresholded_map_is_refused(self, brain, effect, make_img, stat_type, p):
        values = np.where(brain & (stats.norm.sf(effect) < p), values_of(effect, stat_type), 0)
        with pytest.raises(ValueError, match="looks thresholded: "):
            self.transformer_of(stat_type).fit_transform(make_img(values))
        # With the mask of all voxels that were tested, it is as good as it can be.
        values = np.where(brain & ~(stats.norm.sf(effect) < p), float(ISF[stat_type](0.5)), values)
        values[~brain] = 0.5
        mask_img = make_img(brain.astype("uint8"))
        self.transformer_of(stat_type, mask_img=mask_img).fit_transform(make_img(values))

    @pytest.mark.parametrize("background", [0, 1, np.nan])
    @pytest.mark.parametrize("is_masker", [False, True])
    @each_p_type
    def test_map_of_p_values_is_refused(
        self, brain, effect, make_img, stat_type, background, is_masker
    ):
        img = make_img(np.where(brain, values_of(effect, stat_type), background))
        match = f"mask_img must be given for a map of stat_type='{stat_type}': no mask can"
        mask_img = NiftiMasker() if is_masker else None
        labels_img = make_img(brain.astype("uint8"))
        for transformer in (
            self.transformer_of(stat_type, mask_img=mask_img),
            RegionTDPTransformer(labels_img, stat_type=stat_type, mask_img=mask_img),
        ):
            for maps in (img, [img, img]):
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Non-finite")
                    warnings.filterwarnings("ignore", ".*[Nn]a[Nn]")
                    with pytest.raises(ValueError, match=match):
                        transformer.fit(maps)

    def test_map_of_signed_p_values_is_refused(self, brain, effect, make_img):
        img = make_img(np.where(brain, SIGNED["neg_log10_p"](effect), 0))
        with pytest.raises(ValueError, match="mask_img must be given"):
            self.transformer_of("neg_log10_p", two_sided=True).fit(img)

    @pytest.mark.parametrize("background", [0, 1, np.nan, 0.5])
    @each_p_type
    def test_background_of_p_values_is_no_part_of_the_family_under_a_mask(
        self, brain, effect, make_img, stat_type, background
    ):
        img = make_img(np.where(brain, values_of(effect, stat_type), background))
        labels_img = make_img((effect > 2).astype("uint8"))
        mask_img = make_img(brain.astype("uint8"))
        for parameters in ({}, {"labels_img": labels_img}):
            transformer = self.transformer_of(stat_type, mask_img=mask_img, **parameters)
            tdp_img = transformer.fit_transform(img)
            assert transformer.maps_.test.p_values.size == brain.sum()
            assert transformer.table_["n_voxels"].sum() == brain.sum()
            assert_allclose(
                transformer.maps_.test.p_values,
                stats.norm.sf(effect[brain]),
                rtol=1e-10,
                atol=1e-15,
            )
            assert not get_data(tdp_img)[~brain].any()

    @pytest.mark.parametrize("stat_type", ["z", "t"])
    def test_two_sided_map_that_was_thresholded_is_refused(
        self, brain, effect, make_img, stat_type
    ):
        effect[8:12, 3:8, 3:8] -= 4
        values = SIGNED[stat_type](effect)
        transformer = self.transformer_of(stat_type, two_sided=True)
        transformer.fit(make_img(np.where(brain, values, 0)))
        threshold = SIGNED[stat_type](np.array(2.5))
        values[np.abs(values) < threshold] = 0
        with pytest.raises(ValueError, match="looks thresholded: "):
            transformer.fit(make_img(np.where(brain, values, 0)))

    @pytest.mark.parametrize(("stat_type", "value"), [("F", -1), ("chi2", -1)])
    def test_impossible_values_are_refused(self, brain, effect, make_img, stat_type, value):
        values = np.where(brain, values_of(effect, stat_type), 0)
        values[5, 5, 5] = value
        with pytest.raises(ValueError, match="cannot have values"):
            self.transformer_of(stat_type).fit(make_img(values))


class TestRegions:
    """RegionTDPTransformer takes the same maps."""

    @pytest.fixture
    def regions_img(self, make_img):
        labels = np.zeros((8, 9, 10), dtype="int32")
        labels[1:4, 1:5, 1:6] = 1
        labels[4:7, 1:5, 2:6] = 2
        labels[1:7, 5:] = 3
        return make_img(labels)

    @each_type
    def test_the_same_evidence_gives_the_same_tdp(
        self, z, make_img, mask_img, regions_img, stat_type
    ):
        of_z, tdp = (
            RegionTDPTransformer(
                regions_img, mask_img=mask_img, stat_type=one, df=DF.get(one)
            ).fit_transform(make_img(values_of(z, one)))
            for one in ("z", stat_type)
        )
        assert of_z[0, 0] > 0.2
        assert_array_equal(tdp, of_z)

    @each_signed_type
    def test_two_sided_regions_count_both_signs(
        self, z, make_img, mask_img, regions_img, stat_type
    ):
        regions = RegionTDPTransformer(
            regions_img,
            mask_img=mask_img,
            stat_type=stat_type,
            df=DF.get(stat_type),
            two_sided=True,
        )
        tdp = regions.fit_transform(make_img(SIGNED[stat_type](z)))
        assert (tdp[0, :2] > 0.1).all()
        # The strongest value of a region, with its sign.
        assert (np.sign(regions.table_["peak_stat"][:2]) == [1, -1]).all()


def test_an_array_is_converted_as_the_map_of_the_fit_was():
    rng = np.random.default_rng(0)
    t, df = rng.standard_t(5, (10, 10, 10)), np.full((10, 10, 10), 5.0)
    t[:3] += 12
    t_img = Nifti1Image(t, np.eye(4))
    t_img.header.set_intent("t test")
    mask_img = Nifti1Image(np.ones(t.shape, "uint8"), np.eye(4))
    masker = NiftiMasker(mask_img, standardize=None).fit()
    ari = ClusterTDPTransformer(1, mask_img=masker, df=Nifti1Image(df, np.eye(4)))
    expected = masker.transform(ari.fit_transform(t_img))
    assert 0 < expected.max() < 1
    assert_array_equal(ari.transform(masker.transform(t_img)), expected)
