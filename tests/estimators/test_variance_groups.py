"""ARISecondLevelModel with groups of rows that have variances of their own."""

import warnings

import numpy as np
import pandas as pd
import pytest
from nilearn.glm.second_level import SecondLevelModel
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)

from ._kinds import KINDS

# Few of a large variance, many of a small one.
GROUP = np.repeat([0, 1], [6, 18])
LABELS = np.where(GROUP, "controls", "patients")

DESIGN = pd.DataFrame({"patients": GROUP == 0, "controls": GROUP == 1}, dtype=float)
CONTRAST = "controls - patients"

OUTPUTS = ("z_score", "stat", "p_value", "effect_size", "effect_variance")

pytestmark = pytest.mark.filterwarnings("ignore:.*random permutations leave")
LIBERAL = pytest.mark.filterwarnings("ignore:P-values of .* variance group")


@pytest.fixture(params=["volume", "surface"])
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def values(kind):
    """Return data of shape (n_subjects, n), in single precision."""
    values = np.random.default_rng(7).standard_normal((GROUP.size, kind.n))
    values[GROUP == 0] *= 3
    values[GROUP == 1, : kind.n // 4] += 5
    return values.astype(np.float32)


@pytest.fixture
def fit(kind, values):
    """Return a function from parameters to a fitted model."""

    def fit(design=DESIGN, **parameters):
        parameters.setdefault("transformer", ClusterTDPTransformer(2.5))
        model = ARISecondLevelModel(kind.mask_img, **parameters)
        return model.fit([kind.image(row) for row in values], design_matrix=design)

    return fit


@pytest.fixture
def in_mask(kind):
    return lambda img: kind.values(img)[0][kind.mask]


@pytest.fixture
def welch(kind, values):
    """Return Welch's test of all elements in the mask, by SciPy."""
    data = values[:, kind.mask].astype(float)
    return stats.ttest_ind(
        data[GROUP == 1], data[GROUP == 0], equal_var=False, alternative="greater"
    )


class TestMaps:
    """nilearn's maps, of v and G."""

    @pytest.mark.parametrize("groups", ["auto", GROUP, LABELS, LABELS.tolist()], ids=str)
    def test_of_two_groups_are_those_of_welch(self, fit, in_mask, welch, groups):
        model = fit(variance_groups=groups)
        maps = model.compute_contrast(CONTRAST, output_type="all")
        assert list(maps) == list(OUTPUTS)
        found = {name: in_mask(img) for name, img in maps.items()}
        assert_allclose(found["stat"], welch.statistic, rtol=1e-6)
        assert_allclose(found["p_value"], welch.pvalue, rtol=1e-5)
        assert_allclose(found["z_score"], stats.norm.isf(welch.pvalue), rtol=1e-5, atol=1e-6)
        ratio = found["effect_size"] / np.sqrt(found["effect_variance"])
        assert_allclose(ratio, welch.statistic, rtol=1e-5)

    def test_one_output_is_the_one_of_all(self, fit, in_mask):
        model = fit(variance_groups="auto")
        maps = model.compute_contrast(CONTRAST, output_type="all")
        for name in OUTPUTS:
            alone = model.compute_contrast(CONTRAST, output_type=name)
            assert_array_equal(in_mask(alone), in_mask(maps[name]))

    def test_effects_are_nilearns_and_no_other_map_is(self, fit, in_mask):
        found = fit(variance_groups="auto").compute_contrast(CONTRAST, output_type="all")
        without = fit().compute_contrast(CONTRAST, output_type="all")
        assert_array_equal(in_mask(found["effect_size"]), in_mask(without["effect_size"]))
        for name in OUTPUTS:
            if name != "effect_size":
                assert (in_mask(found[name]) != in_mask(without[name])).mean() > 0.9

    @pytest.mark.parametrize("scale", [1, -0.5])
    def test_variance_of_the_effect_is_the_one_of_the_means(
        self, fit, kind, values, in_mask, scale
    ):
        weights = [-scale, scale]
        found = fit(variance_groups="auto").compute_contrast(weights, output_type="effect_variance")
        data = values[:, kind.mask].astype(float)
        of_means = [data[g == GROUP].var(axis=0, ddof=1) / np.sum(g == GROUP) for g in (0, 1)]
        assert_allclose(in_mask(found), scale**2 * sum(of_means), rtol=1e-5)

    def test_one_group_gives_nilearns_maps(self, fit, in_mask):
        one = fit(variance_groups=np.zeros(GROUP.size))
        for contrast in (CONTRAST, np.eye(2)):
            found, expected = (
                model.compute_contrast(contrast, output_type="all") for model in (one, fit())
            )
            for name in OUTPUTS:
                if np.ndim(in_mask(found[name])) == 1:
                    assert_allclose(
                        in_mask(found[name]), in_mask(expected[name]), rtol=1e-4, atol=1e-5
                    )

    def test_f_contrast_of_groups_is_the_one_of_welch(self, kind, values, in_mask):
        groups = np.repeat([0, 1, 2], [6, 8, 10])
        design = pd.DataFrame(np.eye(3)[groups], columns=list("abc"))
        model = ARISecondLevelModel(kind.mask_img, variance_groups="auto")
        model.fit([kind.image(row) for row in values], design_matrix=design)
        contrast = [[1, -1, 0], [0, 1, -1]]
        # Welch's test of means, by hand.
        samples = [values[groups == g][:, kind.mask].astype(float) for g in range(3)]
        weights = np.array([len(s) / s.var(axis=0, ddof=1) for s in samples])
        means = np.array([s.mean(axis=0) for s in samples])
        grand = (weights * means).sum(0) / weights.sum(0)
        parts = (1 - weights / weights.sum(0)) ** 2 / np.array([[5], [7], [9]])
        g = (weights * (means - grand) ** 2).sum(0) / 2 / (1 + 2 * 1 / 8 * parts.sum(0))
        p_values = stats.f.sf(g, 2, 8 / (3 * parts.sum(0)))
        found = {
            name: in_mask(model.compute_contrast(contrast, output_type=name))
            for name in ("stat", "p_value", "z_score")
        }
        assert_allclose(found["stat"], g, rtol=1e-5)
        assert_allclose(found["p_value"], p_values, rtol=1e-4)
        assert_allclose(found["z_score"], stats.norm.isf(p_values), rtol=1e-4, atol=1e-5)

    def test_designs_of_lower_rank_give_the_maps_of_one_of_full_rank(self, fit, in_mask):
        design = DESIGN.assign(intercept=1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lower = fit(design, variance_groups="auto")
        full = fit(variance_groups="auto")
        for name in OUTPUTS:
            found, expected = (
                in_mask(model.compute_contrast(CONTRAST, output_type=name))
                for model in (lower, full)
            )
            assert_allclose(found, expected, rtol=1e-6, atol=1e-12)

    def test_constant_elements_have_no_effect(self, kind, values, in_mask):
        chosen = np.flatnonzero(kind.mask)[:3]
        values[GROUP == 1, chosen[:, np.newaxis]] = 2
        model = ARISecondLevelModel(kind.mask_img, variance_groups="auto")
        model.fit([kind.image(row) for row in values], design_matrix=DESIGN)
        with pytest.warns(UserWarning, match="no residual variance in 3 of"):
            maps = model.compute_contrast(CONTRAST, output_type="all")
        for name, value in {"z_score": 0, "stat": 0, "p_value": 1}.items():
            assert (in_mask(maps[name])[:3] == value).all()
            assert np.isfinite(in_mask(maps[name])).all()

    @pytest.mark.parametrize("kind", [KINDS["surface"]], ids=["surface"])
    def test_nan_of_surfaces_stays(self, kind, values, in_mask):
        values[3, np.flatnonzero(kind.mask)[2]] = np.nan
        model = ARISecondLevelModel(kind.mask_img, variance_groups="auto")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit([kind.image(row) for row in values], design_matrix=DESIGN)
            z = in_mask(model.compute_contrast(CONTRAST))
        assert np.flatnonzero(np.isnan(z)).tolist() == [2]


class TestBounds:
    """The sets, the local test and the calibration all see the same statistic."""

    @LIBERAL
    @pytest.mark.parametrize("two_sided", [False, True])
    @pytest.mark.parametrize("sets", ["clusters", "adaptive", "regions"])
    def test_parametric_bounds_are_those_of_the_z_map(self, kind, fit, sets, two_sided):
        transformer = {
            "clusters": ClusterTDPTransformer(2.5, two_sided=two_sided),
            "adaptive": AdaptiveTDPTransformer(0.5, two_sided=two_sided),
            "regions": RegionTDPTransformer(kind.labels_img, two_sided=two_sided),
        }[sets]
        model = fit(transformer=transformer, variance_groups="auto")
        model.compute_contrast(CONTRAST, output_type="tdp")
        z_img = model.compute_contrast(CONTRAST)
        alone = transformer.set_params(mask_img=kind.mask_img).fit(z_img)
        assert_frame_equal(model.table_, alone.table_)
        assert model.true_discoveries_ == alone.true_discoveries_

    @LIBERAL
    def test_p_values_of_the_family_are_those_of_welch(self, fit, welch):
        model = fit(variance_groups="auto")
        model.compute_contrast(CONTRAST, output_type="tdp")
        assert_allclose(model.maps_.family.p_values, welch.pvalue, rtol=1e-4)

    @pytest.mark.parametrize(
        ("contrast", "stat_type", "name"),
        [(CONTRAST, None, "v"), (np.eye(2), None, "G"), (CONTRAST, "F", "G")],
        ids=["v", "G", "G of one row"],
    )
    @pytest.mark.parametrize("groups", ["auto", LABELS], ids=["auto", "labels"])
    def test_calibration_takes_the_groups_of_the_model(
        self, kind, fit, values, contrast, stat_type, name, groups
    ):
        calibration = PermutationCalibration(n_permutations=60, random_state=0)
        model = fit(calibration=calibration, variance_groups=groups)
        model.compute_contrast(contrast, None, stat_type, output_type="tdp")
        fitted = model.calibration_
        assert (fitted.stat_type_, fitted.scheme_) == (name, "sign-flipping")
        assert calibration.variance_groups is None
        assert_array_equal(fitted.variance_groups, groups)
        assert_allclose(model.maps_.test.p_values, model.maps_.family.p_values, rtol=1e-4)
        rows = np.array([-1, 1]) if isinstance(contrast, str) else contrast
        alone = PermutationCalibration(
            n_permutations=60, random_state=0, variance_groups=groups
        ).fit(
            values[:, kind.mask].astype(float),
            DESIGN,
            rows if name == "v" else np.vstack([rows, rows]),
        )
        assert_allclose(fitted.lambda_, alone.lambda_, rtol=1e-6)
        found = alone.critical_vector_.true_discoveries(alone.p_values_)
        assert model.true_discoveries_ == found

    @pytest.mark.parametrize("contrast", [CONTRAST, np.eye(2)], ids=["v", "G"])
    def test_a_transformer_takes_the_calibration_of_the_map(self, kind, fit, contrast):
        model = fit(
            calibration=PermutationCalibration(n_permutations=60, random_state=0),
            variance_groups="auto",
        )
        model.compute_contrast(contrast, output_type="tdp")
        z_img = model.compute_contrast(contrast)
        alone = ClusterTDPTransformer(2.5, mask_img=kind.mask_img)
        alone.fit(z_img, calibration=model.calibration_)
        assert_frame_equal(alone.table_, model.table_)
        other = model.set_params(variance_groups=None).compute_contrast(contrast)
        with pytest.raises(ValueError, match="must be fitted to the data of the map"):
            alone.fit(other, calibration=model.calibration_)

    def test_other_groups_are_calibrated_anew(self, fit):
        model = fit(calibration=PermutationCalibration(n_permutations=60, random_state=0))
        seen = []
        for groups in (None, "auto", None):
            model.set_params(variance_groups=groups)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.compute_contrast(CONTRAST, output_type="tdp")
            seen.append(model.calibration_.stat_type_)
        assert seen == ["t", "v", "t"]

    @pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
    def test_auto_takes_the_groups_that_blocks_allow(self, kind, values):
        # Two sessions of each subject: the second has another variance.
        design = pd.DataFrame({"dose": np.linspace(-1, 1, 24), "mean": 1.0})
        blocks = np.tile(np.repeat([0, 1], 6), 2)
        model = ARISecondLevelModel(
            kind.mask_img,
            variance_groups="auto",
            calibration=PermutationCalibration(n_permutations=60, blocks=blocks, random_state=0),
        )
        model.fit([kind.image(row) for row in values], design_matrix=design)
        model.compute_contrast("dose", output_type="tdp")
        assert model.calibration_.scheme_ == "permutation within blocks"
        assert model.calibration_.stat_type_ == "v"
        assert_allclose(
            model.maps_.test.p_values, model.maps_.family.p_values, rtol=1e-4, atol=1e-6
        )


class TestWords:
    """What was tested is said."""

    @LIBERAL
    @pytest.mark.parametrize(
        ("contrast", "said"),
        [
            (CONTRAST, "the model with v statistics of 2 variance groups (6 and 18 rows)"),
            (np.eye(2), "the model with G statistics of 2 variance groups (6 and 18 rows)"),
        ],
        ids=["v", "G"],
    )
    def test_description_and_report_name_statistic_and_groups(self, fit, contrast, said):
        model = fit(variance_groups="auto")
        model.compute_contrast(contrast, output_type="tdp")
        statistic = model.maps_.describe()["statistic"]
        assert statistic["said_by"] == said
        assert said in statistic["sentence"]
        assert statistic["stat_type"] == "z"
        model.set_params(variance_groups=None).compute_contrast("patients", output_type="tdp")
        assert model.maps_.describe()["statistic"]["said_by"] == "the model"

    def test_parametric_bounds_warn_and_name_the_calibration(self, fit):
        model = fit(variance_groups="auto")
        match = r"2 variance groups \(6 and 18 rows\).*liberal.*0\.06 to 0\.17.*signs of residuals"
        with pytest.warns(UserWarning, match=match):
            model.compute_contrast(CONTRAST, output_type="tdp")

    def test_calibrated_bounds_and_maps_do_not_warn(self, fit):
        calibration = PermutationCalibration(random_state=0)
        model = fit(calibration=calibration, variance_groups="auto")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.compute_contrast(CONTRAST, output_type="tdp")
            model.compute_contrast(CONTRAST, output_type="all")

    @pytest.mark.parametrize("calibration", [None, PermutationCalibration(random_state=0)])
    def test_one_variance_warns_of_groups_that_differ(self, fit, calibration):
        model = fit(calibration=calibration)
        match = r"differ in variance \(6 and 18 rows.*variance_groups='auto'"
        with pytest.warns(UserWarning, match=match):
            model.compute_contrast(CONTRAST, output_type="tdp")

    def test_one_variance_does_not_warn_where_groups_are_alike(self, kind):
        values = np.random.default_rng(1).standard_normal((GROUP.size, kind.n))
        model = ARISecondLevelModel(kind.mask_img)
        model.fit([kind.image(row) for row in values], design_matrix=DESIGN)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.compute_contrast(CONTRAST, output_type="tdp")


@pytest.mark.parametrize("kind", [KINDS["volume"]], ids=["volume"])
class TestRefusals:
    """What makes no sense is refused in words."""

    @pytest.mark.parametrize(
        ("groups", "match"),
        [
            (GROUP[1:], "variance_groups must be 24 labels"),
            ("patients", "variance_groups must be labels, one for each row, 'auto' or None"),
            ([None, *GROUP[1:]], "variance_groups must have a label for each row"),
            (np.eye(24), "variance_groups must be 24 labels"),
        ],
        ids=["too few", "text", "missing", "table"],
    )
    def test_groups_that_are_none(self, fit, groups, match):
        with pytest.raises(ValueError, match=match):
            fit(variance_groups=groups)

    def test_auto_without_groups(self, fit):
        design = pd.DataFrame({"mean": np.ones(24)})
        with pytest.raises(ValueError, match="'auto', which finds one group"):
            fit(design, variance_groups="auto")

    def test_a_group_of_one_row(self, fit):
        groups = np.r_[2, GROUP[1:]]
        model = fit(DESIGN.assign(first=np.r_[1.0, np.zeros(23)]), variance_groups=groups)
        with pytest.raises(ValueError, match=r"given the design\. Got a group of 1 row"):
            model.compute_contrast(CONTRAST)

    @pytest.mark.parametrize(
        ("of_model", "of_calibration"),
        [(None, "auto"), (None, LABELS), ("auto", np.arange(24) % 2), (LABELS, np.arange(24) % 2)],
        ids=["none, auto", "none, labels", "auto, others", "labels, others"],
    )
    def test_other_groups_of_the_calibration(self, fit, of_model, of_calibration):
        calibration = PermutationCalibration(variance_groups=of_calibration)
        model = fit(calibration=calibration, variance_groups=of_model)
        match = r"the same in model and calibration.*variance_groups=.*calibration__variance_groups"
        with pytest.raises(ValueError, match=match):
            model.compute_contrast(CONTRAST, output_type="tdp")

    def test_the_same_groups_of_the_calibration_under_other_names(self, fit):
        calibration = PermutationCalibration(variance_groups=LABELS, random_state=0)
        model = fit(calibration=calibration, variance_groups="auto")
        model.compute_contrast(CONTRAST, output_type="tdp")
        assert model.calibration_.stat_type_ == "v"

    def test_two_sided_f_contrast(self, fit):
        model = fit(variance_groups="auto", transformer=ClusterTDPTransformer(two_sided=True))
        with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
            model.compute_contrast(np.eye(2), output_type="tdp")

    def test_contrasts_that_nilearn_refuses(self, fit):
        model = fit(variance_groups="auto")
        for contrast in ("nothing", [0, 0], [1, 2, 3]):
            with pytest.raises(ValueError, match="contrast"):
                model.compute_contrast(contrast)


def test_without_groups_maps_are_nilearns_by_every_bit(kind, values, in_mask):
    maps = [kind.image(row) for row in values]
    ours, theirs = (
        model(kind.mask_img).fit(maps, design_matrix=DESIGN)
        for model in (ARISecondLevelModel, SecondLevelModel)
    )
    for name in OUTPUTS:
        found, expected = (m.compute_contrast(CONTRAST, output_type=name) for m in (ours, theirs))
        assert_array_equal(in_mask(found), in_mask(expected))


def test_blocks_of_any_size_go_with_auto_where_signs_are_flipped():
    data = np.random.default_rng(0).standard_normal((12, 50))
    design = np.column_stack([np.ones(12), np.repeat([-1.0, 1], 6)])
    blocks = [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    calibration = PermutationCalibration(
        n_permutations=60, random_state=0, blocks=blocks, variance_groups="auto"
    ).fit(data, design, [1, 0])
    assert calibration.scheme_ == "sign-flipping of whole blocks"
    assert calibration.stat_type_ == "v"
