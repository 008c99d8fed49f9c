"""Several contrasts of a model as one family: compute_contrasts."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    load,
    save,
    set_bound,
)
from ari_estimator.closed_testing import CalibratedTest, Hommel, LevelShare

from ._kinds import KINDS

N = 8
DESIGN = pd.DataFrame(
    {"group": np.repeat([0.0, 1.0], 4), "age": np.arange(N) % 4 - 1.5, "intercept": np.ones(N)}
)
CONTRASTS = {"mean": "intercept", "age": "age", "any": np.eye(3)[:2]}
SETS = {
    "clusters": lambda kind: ClusterTDPTransformer(2.5, **kind.parameters),
    "adaptive": lambda kind: AdaptiveTDPTransformer(0.5, **kind.parameters),
    "regions": lambda kind: RegionTDPTransformer(kind.labels_img),
}
BUDGETS = pytest.mark.parametrize("error_budget", ["joint", "split"])

pytestmark = [
    pytest.mark.filterwarnings("ignore:Overriding provided-default estimator parameters"),
    pytest.mark.filterwarnings("ignore:n_permutations"),
    pytest.mark.filterwarnings("ignore:The contrast tests the mean"),
    pytest.mark.filterwarnings("ignore:The groups of the design differ"),
]


@pytest.fixture(scope="module", params=["volume", "surface"])
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def maps(kind):
    values = np.random.default_rng(0).standard_normal((N, kind.n)).astype("float32")
    values[:, : kind.n // 3] += 3
    values[4:, kind.n // 2 : 2 * kind.n // 3] += 6
    return [kind.image(row) for row in values]


def fitted(kind, maps, sets="clusters", **parameters):
    model = ARISecondLevelModel(kind.mask_img, transformer=SETS[sets](kind), **parameters)
    return model.fit(maps, design_matrix=DESIGN)


def calibration(**parameters):
    return PermutationCalibration(n_permutations=60, random_state=0, **parameters)


@pytest.mark.parametrize("sets", SETS)
def test_parametric_bounds_are_those_of_one_family_of_all_p_values(kind, maps, sets):
    model = fitted(kind, maps, sets)
    images = model.compute_contrasts(CONTRASTS)
    z = [model.compute_contrast(c, output_type="z_score") for c in CONTRASTS.values()]
    p_values = stats.norm.sf(np.concatenate([kind.values(img)[0][kind.mask] for img in z]))
    whole = Hommel(p_values)
    model.compute_contrasts(CONTRASTS)
    assert model.joint_test_.bounds(0.05).of_set() == whole.bounds(0.05).of_set() > 0
    n = int(kind.mask.sum())
    for i, (name, transformer) in enumerate(model.transformers_.items()):
        expected = whole.bounds(0.05).of_set(np.arange(i * n, (i + 1) * n))
        assert transformer.true_discoveries_ == expected
        assert transformer.maps_.asked_by.group.contrast is not None
        assert_array_equal(kind.rows(images[name]).shape[0], 1)
    assert list(model.transformers_) == list(images) == list(CONTRASTS)


@pytest.mark.parametrize("sets", SETS)
@BUDGETS
@pytest.mark.parametrize("is_calibrated", [False, True], ids=["parametric", "permutations"])
def test_table_names_the_contrast_of_each_set(kind, maps, sets, is_calibrated, error_budget):
    model = fitted(kind, maps, sets, calibration=calibration() if is_calibrated else None)
    model.compute_contrasts(CONTRASTS, error_budget=error_budget)
    assert model.table_.columns[0] == "contrast"
    for name, transformer in model.transformers_.items():
        rows = model.table_[model.table_["contrast"] == name].drop(columns="contrast")
        pd.testing.assert_frame_equal(
            rows.reset_index(drop=True), transformer.table_, check_dtype=False
        )


@BUDGETS
@pytest.mark.parametrize("is_calibrated", [False, True], ids=["parametric", "permutations"])
def test_bounds_are_never_larger_than_of_one_contrast_alone(
    kind, maps, is_calibrated, error_budget
):
    chosen = calibration(scheme="sign_flip") if is_calibrated else None
    model = fitted(kind, maps, calibration=chosen)
    model.compute_contrasts(CONTRASTS, error_budget=error_budget)
    together = {name: one.true_discoveries_ for name, one in model.transformers_.items()}
    for name, contrast in CONTRASTS.items():
        model.compute_contrast(contrast, output_type="tdp")
        # Other draws may give another lambda, and one draw of 60 is one step of it.
        slack = 1.25 if is_calibrated and error_budget == "joint" else 1
        assert together[name] <= slack * model.true_discoveries_


def test_split_gives_each_contrast_a_share_of_the_level(kind, maps):
    model = fitted(kind, maps)
    model.compute_contrasts(CONTRASTS, error_budget="split")
    assert model.joint_test_ is None
    shares = {n: t.maps_.bounds.of_set() for n, t in model.transformers_.items()}
    model.set_params(transformer__alpha=0.05 / 3)
    for name, contrast in CONTRASTS.items():
        model.compute_contrast(contrast, output_type="tdp")
        assert shares[name] == model.true_discoveries_


def test_joint_test_of_a_calibration_covers_all_elements(kind, maps):
    model = fitted(kind, maps, calibration=calibration())
    with pytest.warns(UserWarning, match="n_permutations=60"):
        model.compute_contrasts(CONTRASTS)
    assert isinstance(model.joint_test_, CalibratedTest)
    assert model.joint_test_.n_elements == 3 * kind.mask.sum()
    # The mean has no permutation, so all contrasts flip signs.
    assert "sign-flipping" in model.joint_test_.scheme
    model.compute_contrasts({"age": "age", "group": "group"})
    assert "permutation" in model.joint_test_.scheme


def test_calibration_is_reused_for_other_sets(kind, maps):
    model = fitted(kind, maps, calibration=PermutationCalibration(n_permutations=60))
    model.compute_contrasts(CONTRASTS)
    first = model.joint_test_
    model.set_params(transformer__threshold=1.5)
    model.compute_contrasts(CONTRASTS)
    assert model.joint_test_ is first
    model.set_params(transformer__alpha=0.1)
    model.compute_contrasts(CONTRASTS)
    assert model.joint_test_ is not first


def test_f_contrasts_have_no_sign_beside_two_sided_t(kind, maps):
    model = fitted(kind, maps).set_params(transformer__two_sided=True)
    model.compute_contrasts(CONTRASTS)
    sides = {
        name: one.maps_.family.statistic.two_sided for name, one in model.transformers_.items()
    }
    assert sides == {"mean": True, "age": True, "any": False}
    with pytest.raises(ValueError, match="transformer__two_sided must be False for an F contrast"):
        model.compute_contrast(CONTRASTS["any"], output_type="tdp")


@pytest.mark.parametrize("stat_type", ["F", {"mean": "F"}], ids=["all", "by name"])
def test_type_of_the_test_for_all_or_by_name(kind, maps, stat_type):
    model = fitted(kind, maps)
    contrasts = {"mean": "intercept", "age": "age"}
    model.compute_contrasts(contrasts, second_level_stat_type=stat_type)
    has_direction = {
        n: t.maps_.family.statistic.has_direction for n, t in model.transformers_.items()
    }
    assert has_direction == {"mean": False, "age": stat_type != "F"}


@pytest.mark.parametrize("output_type", ["z_score", "effect_size", "all"])
def test_other_outputs_are_those_of_each_contrast(kind, maps, output_type):
    model = fitted(kind, maps)
    images = model.compute_contrasts({"mean": "intercept", "age": "age"}, output_type=output_type)
    one = model.compute_contrast("age", output_type=output_type)
    found, expected = (
        (images["age"], one) if output_type != "all" else (images["age"]["stat"], one["stat"])
    )
    assert_allclose(kind.values(found), kind.values(expected))


def test_results_of_several_contrasts_end_with_the_next_contrast(kind, maps):
    model = fitted(kind, maps)
    model.compute_contrasts(CONTRASTS)
    assert model.transformer_ is None
    model.compute_contrast("age", output_type="tdp")
    assert model.transformers_ is None
    assert "contrast" not in model.table_.columns
    model.compute_contrasts(CONTRASTS)
    model.fit(maps, design_matrix=DESIGN)
    assert model.joint_test_ is None


@BUDGETS
@pytest.mark.parametrize("is_calibrated", [False, True], ids=["parametric", "permutations"])
def test_saved_and_loaded(kind, maps, tmp_path, is_calibrated, error_budget):
    model = fitted(kind, maps, calibration=calibration() if is_calibrated else None)
    model.compute_contrasts(CONTRASTS, error_budget=error_budget)
    one = model.transformers_["age"]
    save(one, tmp_path)
    again = load(tmp_path)
    pd.testing.assert_frame_equal(again.table_, one.table_)
    assert again.maps_.describe()["test"] == one.maps_.describe()["test"]
    seed = tuple(again.table_.loc[0, ["peak_x", "peak_y", "peak_z"]])
    more = {"mesh_part": "left"} if kind.name == "surface" else {}
    del more
    assert set_bound(again, seed=seed, radius=8) == set_bound(one, seed=seed, radius=8)


def test_level_is_split_where_no_permutation_serves_all(maps, kind):
    blocks = np.repeat([0, 1, 2, 3], 2)
    design = pd.DataFrame(
        {
            "group": np.repeat([0.0, 1.0], 4),
            "session": np.tile([0.0, 1.0], 4),
            "intercept": np.ones(N),
        }
    )
    model = ARISecondLevelModel(
        kind.mask_img,
        transformer=ClusterTDPTransformer(2, alpha=0.5, **kind.parameters),
        calibration=calibration(blocks=blocks, scheme="permutation"),
    ).fit(maps, design_matrix=design)
    with pytest.warns(UserWarning, match="split between the contrasts, 0.5 / 2 each"):
        model.compute_contrasts({"group": "group", "session": "session"})
    tests = {name: one.maps_.test for name, one in model.transformers_.items()}
    assert all(isinstance(test, LevelShare) for test in tests.values())
    assert "whole" in tests["group"].own.scheme
    assert "within" in tests["session"].own.scheme


def test_blocks_that_serve_all_contrasts_are_told(maps, kind):
    """Whole blocks serve a difference between blocks and its interaction with another within."""
    group, session = np.repeat([0.0, 1.0], 4), np.tile([0.0, 1.0], 4)
    design = pd.DataFrame(
        {"group": group, "session": session, "both": group * session, "intercept": np.ones(N)}
    )
    model = ARISecondLevelModel(
        kind.mask_img,
        transformer=ClusterTDPTransformer(2, alpha=0.5, **kind.parameters),
        calibration=calibration(blocks=np.repeat([0, 1, 2, 3], 2)),
    ).fit(maps, design_matrix=design)
    said = "All contrasts are resampled by permutation of whole .*'both' by permutation within bl"
    with pytest.warns(UserWarning, match=said):
        model.compute_contrasts({"group": "group", "both": "both"})
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="All contrasts are resampled")
        model.compute_contrasts({"session": "session", "both": "both"})


@pytest.mark.parametrize(
    ("contrasts", "options", "error", "match"),
    [
        (["age", "group"], {}, TypeError, "dictionary of names to contrasts"),
        ({1: "age", 2: "group"}, {}, TypeError, "dictionary of names"),
        ({"age": "age"}, {}, ValueError, r"at least two. Got \['age'\]"),
        (CONTRASTS, {"error_budget": "each"}, ValueError, "error_budget must be one of"),
        (CONTRASTS, {"error_budget": "split", "output_type": "stat"}, ValueError, "error_budget"),
        (CONTRASTS, {"output_type": "t"}, ValueError, "'output_type' must be one of"),
        (CONTRASTS, {"second_level_stat_type": {"sex": "F"}}, ValueError, r"Got \['sex'\]"),
        ({"age": "age", "sex": "sex"}, {}, ValueError, "Contrast 'sex'"),
        ({"age": "age", "sex": "sex"}, {"output_type": "stat"}, ValueError, "Contrast 'sex'"),
        ({"age": "age", "it": object()}, {}, TypeError, "Contrast 'it'"),
        ({"age": "age", "age\0": "age"}, {}, ValueError, "names without NUL"),
    ],
)
def test_bad_input(kind, maps, contrasts, options, error, match):
    model = fitted(kind, maps)
    with pytest.raises(error, match=match):
        model.compute_contrasts(contrasts, **options)


def test_a_share_that_is_too_small_names_the_contrast(kind, maps):
    few = PermutationCalibration(n_permutations=30, random_state=0)
    model = fitted(kind, maps, calibration=few)
    with pytest.raises(ValueError, match="Contrast 'mean': alpha must be at least"):
        model.compute_contrasts(CONTRASTS, error_budget="split")


def test_elements_follow_the_order_of_the_contrasts(kind, maps):
    model = fitted(kind, maps, calibration=calibration())
    model.compute_contrasts(CONTRASTS)
    first = model.joint_test_.p_values
    model.compute_contrasts(dict(reversed(CONTRASTS.items())))
    parts = np.split(first, len(CONTRASTS))
    assert_array_equal(model.joint_test_.p_values, np.concatenate(parts[::-1]))
    assert [t.maps_.test.elements.start for t in model.transformers_.values()] == [
        0, first.size // 3, 2 * first.size // 3,
    ]  # fmt: skip
