"""Bounds on positive and on negative effects at once, through every door of the estimators."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.special import ndtr

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
    explore,
    learn_template,
    load,
    save,
    set_bound,
)
from ari_estimator.closed_testing import Hommel
from ari_estimator.plotting import plot_pivotal_statistics
from ari_estimator.reporting import get_methods, get_tdp_table, make_report

SHAPE = (9, 9, 9)
N_SUBJECTS = 14
BY_SIGN = ["true_discoveries_positive", "true_discoveries_negative"]


@pytest.fixture(scope="module")
def maps():
    """Return a map of each subject, with a positive and a negative block."""
    rng = np.random.default_rng(3)
    effect = np.zeros(SHAPE)
    effect[1:5, 1:5, 1:5] = 1.4
    effect[6:9, 5:9, 5:9] = -1.4
    return [
        Nifti1Image((effect + rng.standard_normal(SHAPE)).astype(np.float32), np.eye(4))
        for _ in range(N_SUBJECTS)
    ]


@pytest.fixture(scope="module")
def mask_img():
    return Nifti1Image(np.ones(SHAPE, dtype=np.uint8), np.eye(4))


@pytest.fixture(scope="module")
def z_img(maps, mask_img):
    model = ARISecondLevelModel(mask_img).fit(maps, design_matrix=design())
    return model.compute_contrast(output_type="z_score")


def design():
    return pd.DataFrame({"mean": np.ones(N_SUBJECTS)})


@pytest.fixture(scope="module")
def atlas_img():
    labels = np.ones(SHAPE, dtype=np.int16)
    labels[4:] = 2
    return Nifti1Image(labels, np.eye(4))


@pytest.fixture(params=["clusters", "concentration", "adaptive", "threshold-free", "regions"])
def make(request, mask_img, atlas_img):
    """Return a function that makes a transformer of each kind."""
    kinds = {
        "clusters": lambda **p: ClusterTDPTransformer([2.5, 3.5], mask_img=mask_img, **p),
        "concentration": lambda **p: ClusterTDPTransformer("concentration", mask_img=mask_img, **p),
        "adaptive": lambda **p: AdaptiveTDPTransformer([0.5, 0.8], mask_img=mask_img, **p),
        "threshold-free": lambda **p: AdaptiveTDPTransformer(None, mask_img=mask_img, **p),
        "regions": lambda **p: RegionTDPTransformer(atlas_img, mask_img=mask_img, **p),
    }
    return lambda **p: kinds[request.param](two_sided="directional", alpha=0.1, verbose=0, **p)


def sides_of(z_img, local_test="simes"):
    """Return the bounds of each side at half the level, from one-sided p-values."""
    z = z_img.get_fdata().ravel()
    return {
        side: Hommel(ndtr(-sign * z), local_test).bounds(0.05)
        for side, sign in (("positive", 1), ("negative", -1))
    }


@pytest.mark.parametrize("local_test", ["simes", "hommel"])
def test_tables_hold_the_bounds_of_one_sided_tests_at_half_the_level(make, z_img, local_test):
    transformer = make(local_test=local_test).fit(z_img)
    fitted_map, table = transformer.maps_, transformer.table_
    sides = sides_of(z_img, local_test)
    assert fitted_map.true_discoveries_by_sign == {s: one.of_set() for s, one in sides.items()}
    assert transformer.true_discoveries_ == sum(one.of_set() for one in sides.values()) > 0
    assert_array_equal(table["true_discoveries"], table[BY_SIGN].sum(axis=1))
    bounds = fitted_map.bounds
    for partition in fitted_map.partitions:
        for label, (set_id, direction) in enumerate(
            zip(partition.ids, partition.directions, strict=True), start=1
        ):
            members = partition.members[partition.labels == label]
            row = table[table.iloc[:, 0] == set_id].iloc[0]
            for side, name in zip(sides, BY_SIGN, strict=True):
                assert (
                    row[name] == sides[side].of_set(members) == bounds.sides[side].of_set(members)
                )
                if direction in sides and direction != side:
                    assert row[name] == 0


def test_bounds_of_any_set_agree_with_its_curve_and_description(make, z_img):
    fitted_map = make().fit(z_img).maps_
    bound = set_bound(fitted_map, seed=(4, 4, 4), radius=5)
    curve = confidence_curve(fitted_map, seed=(4, 4, 4), radius=5)
    assert bound.true_discoveries == bound.positive + bound.negative
    assert list(curve[["true_discoveries", *BY_SIGN]].iloc[-1]) == [
        bound.true_discoveries, bound.positive, bound.negative
    ]  # fmt: skip
    assert len(bound) == 4
    assert re.search(r"positive=\d+, negative=\d+\)$", repr(bound))
    description = json.loads(json.dumps(fitted_map.describe()))
    assert description["statistic"]["two_sided"] == "directional"
    assert description["family"]["true_discoveries_by_sign"] == fitted_map.true_discoveries_by_sign
    assert "sign" in description["test"]["sentence"]


def test_a_saved_map_is_the_same_when_loaded(make, z_img, tmp_path):
    transformer = make().fit(z_img)
    save(transformer, tmp_path, prefix="a")
    again = load(tmp_path / "a_ari.npz")
    assert again.two_sided == "directional"
    assert_frame_equal(again.table_, transformer.table_)
    assert again.maps_.describe()["test"] == transformer.maps_.describe()["test"]
    sidecar = json.loads(next(tmp_path.glob("a*.json")).read_text())
    assert sidecar["TwoSided"] == "directional"
    assert set(sidecar["TrueDiscoveriesBySign"]) == {"positive", "negative"}
    assert "negative effect" in sidecar[BY_SIGN[1]]["Description"]


def test_several_maps_are_tested_one_by_one(make, z_img):
    other = Nifti1Image(-z_img.get_fdata(), np.eye(4))
    transformer = make().fit([z_img, other])
    first, second = (one.true_discoveries_by_sign for one in transformer.maps_)
    assert first == {"positive": second["negative"], "negative": second["positive"]}


def test_cost_against_two_sided_bounds_is_small(z_img, mask_img):
    found = {
        two_sided: ClusterTDPTransformer(two_sided=two_sided, mask_img=mask_img).fit(z_img)
        for two_sided in (True, "directional")
    }
    both, each = (one.true_discoveries_ for one in found.values())
    assert 0.8 * both < each <= both


def test_a_signed_map_of_log_p_values_has_the_bounds_of_its_z_map(z_img, mask_img):
    z = z_img.get_fdata()
    signed = Nifti1Image(-np.log10(2 * ndtr(-np.abs(z))) * np.sign(z), np.eye(4))
    parameters = {"two_sided": "directional", "mask_img": mask_img}
    of_z = ClusterTDPTransformer(**parameters).fit(z_img)
    of_p = ClusterTDPTransformer(stat_type="neg_log10_p", **parameters).fit(signed)
    assert of_p.maps_.true_discoveries_by_sign == of_z.maps_.true_discoveries_by_sign


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"two_sided": "both"}, ValueError, "'two_sided' parameter .* 'directional'"),
        ({"two_sided": 1}, ValueError, "'two_sided' parameter"),
        ({"two_sided": None}, ValueError, "'two_sided' parameter"),
        ({"stat_type": "p"}, ValueError, "'two_sided' must be False for stat_type='p'"),
        ({"stat_type": "F", "df": (1, 9)}, ValueError, "must be False .*Got 'directional'"),
        ({"stat_type": "chi2", "df": 2}, ValueError, "must be False .*Got 'directional'"),
    ],
    ids=str,
)
def test_statistics_without_a_sign_and_other_words_are_refused(
    z_img, mask_img, parameters, error, match
):
    transformer = ClusterTDPTransformer(
        mask_img=mask_img, **{"two_sided": "directional", **parameters}
    )
    with pytest.raises(error, match=match):
        transformer.fit(z_img)


def test_a_map_of_log_p_values_without_signs_gets_a_warning(z_img, mask_img):
    unsigned = Nifti1Image(-np.log10(2 * ndtr(-np.abs(z_img.get_fdata()))), np.eye(4))
    parameters = {"stat_type": "neg_log10_p", "mask_img": mask_img}
    with pytest.warns(UserWarning, match=r"All values of the map have one sign"):
        ClusterTDPTransformer(two_sided="directional", **parameters).fit(unsigned)
    ClusterTDPTransformer(two_sided=True, **parameters).fit(unsigned)


def data_of(maps):
    return np.stack([one.get_fdata().ravel() for one in maps])


GROUPS = np.repeat([1.0, 0.0], N_SUBJECTS // 2)


@pytest.mark.parametrize(
    ("parameters", "of_fit"),
    [
        ({}, {}),
        ({"template": "beta", "k_max": 20}, {}),
        ({"template": ["simes", "beta"]}, {}),
        ({"step_down": True}, {}),
        ({"p_values": "rank"}, {}),
        ({"scheme": "bootstrap"}, {}),
        ({}, {"design": np.c_[GROUPS, 1 - GROUPS], "contrast": [1, -1]}),
        (
            {"variance_groups": GROUPS},
            {"design": np.c_[GROUPS, 1 - GROUPS], "contrast": [1, -1]},
        ),
        ({"missing": "omit"}, {}),
    ],
    ids=str,
)
def test_each_sign_has_the_calibration_of_its_one_sided_test(maps, parameters, of_fit):
    data = data_of(maps)[:, ::3]
    if "missing" in parameters:
        data[0, :10] = np.nan
    make = lambda: PermutationCalibration(  # noqa: E731
        n_permutations=60, random_state=0, verbose=0, **parameters
    )
    both = make().fit(data, alpha=0.1, two_sided="directional", **of_fit)
    # The signs of all data reversed: the same draws, with statistics of the other sign.
    alone = {
        "positive": make().fit(data, alpha=0.05, **of_fit),
        "negative": make().fit(-data, alpha=0.05, **of_fit),
    }
    assert list(both.sides_) == list(alone)
    for side, one in alone.items():
        part = both.sides_[side]
        assert part.calibration_.alpha == 0.05
        assert part.lambda_ == pytest.approx(one.lambda_, rel=1e-6)
        np.testing.assert_allclose(part.p_values_, one.p_values_, rtol=1e-6)
        np.testing.assert_allclose(part.statistic_, one.statistic_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(part.pivotal_statistics_, one.pivotal_statistics_, rtol=1e-3)
    own = np.where(both.statistic_ > 0, alone["positive"].p_values_, alone["negative"].p_values_)
    np.testing.assert_allclose(both.p_values_, np.minimum(2 * own, 1), rtol=1e-6)
    assert not hasattr(both, "critical_vector_")  # no vector of one side for both
    assert (both.alpha_, both.two_sided_) == (0.1, "directional")


def test_streamed_subjects_have_the_calibration_of_the_same_data(maps):
    data = data_of(maps)[:, ::5]
    in_memory, streamed = (
        PermutationCalibration(n_permutations=60, random_state=0, verbose=0).fit(
            one, alpha=0.1, two_sided="directional"
        )
        for one in (data, iter(data))
    )
    for side in ("positive", "negative"):
        assert streamed.sides_[side].lambda_ == pytest.approx(in_memory.sides_[side].lambda_)


@pytest.fixture(scope="module")
def calibration(maps):
    calibration = PermutationCalibration(n_permutations=100, random_state=0, verbose=0)
    return calibration.fit(data_of(maps), alpha=0.1, two_sided="directional")


def test_a_calibrated_map_is_bounded_by_both_calibrations(make, z_img, calibration, tmp_path):
    transformer = make()
    transformer.fit(z_img, calibration=calibration)
    fitted_map = transformer.maps_
    z = z_img.get_fdata().ravel()
    for side, sign in (("positive", 1), ("negative", -1)):
        part = calibration.sides_[side]
        on_side = np.flatnonzero(sign * z > 0)
        wanted = part.critical_vector_.true_discoveries(part.p_values_[on_side])
        assert fitted_map.bounds.sides[side].of_set() == wanted > 0
    low, high = fitted_map.true_discoveries_interval
    assert low <= fitted_map.true_discoveries <= high
    assert_array_equal(
        transformer.table_["true_discoveries"], transformer.table_[BY_SIGN].sum(axis=1)
    )
    save(transformer, tmp_path, prefix="a")
    again = load(tmp_path / "a_ari.npz")
    assert_frame_equal(again.table_, transformer.table_)
    assert again.maps_.describe()["test"] == fitted_map.describe()["test"]


def test_a_saved_calibration_is_the_same_when_loaded(z_img, mask_img, calibration, tmp_path):
    save(calibration, tmp_path, prefix="c")
    again = load(next(tmp_path.glob("c*.npz")))
    assert (again.alpha_, again.two_sided_) == (0.1, "directional")
    assert_array_equal(again.p_values_, calibration.p_values_)
    parameters = {"two_sided": "directional", "alpha": 0.1, "mask_img": mask_img}
    tables = []
    for one in (calibration, again):
        transformer = ClusterTDPTransformer(2.5, **parameters)
        transformer.fit(z_img, calibration=one)
        tables.append(transformer.table_)
    assert_frame_equal(*tables)
    sidecar = json.loads(next(tmp_path.glob("c*.json")).read_text())
    assert (sidecar["TwoSided"], sidecar["Alpha"]) == ("directional", 0.1)
    assert sidecar["BySign"]["positive"]["Lambda"] == calibration.sides_["positive"].lambda_


@pytest.mark.parametrize("two_sided", [True, False])
def test_a_calibration_of_other_sides_is_refused(z_img, mask_img, calibration, two_sided):
    transformer = ClusterTDPTransformer(two_sided=two_sided, alpha=0.1, mask_img=mask_img)
    with pytest.raises(ValueError, match="two_sided must be 'directional', as in the calibration"):
        transformer.fit(z_img, calibration=calibration)


def test_a_calibration_of_the_opposite_contrast_is_refused(z_img, mask_img, calibration):
    opposite = Nifti1Image(-z_img.get_fdata(), z_img.affine)
    transformer = ClusterTDPTransformer(two_sided="directional", alpha=0.1, mask_img=mask_img)
    with pytest.raises(ValueError, match=r"other sign in \d+ voxels: .* opposite contrast"):
        transformer.fit(opposite, calibration=calibration)


def test_a_signed_p_map_needs_a_calibration_of_each_sign(maps, z_img, mask_img):
    z = z_img.get_fdata()
    signed = Nifti1Image(-np.log10(2 * ndtr(-np.abs(z))) * np.sign(z), np.eye(4))
    both = PermutationCalibration(n_permutations=100, random_state=0, verbose=0)
    both.fit(data_of(maps), alpha=0.1, two_sided=True)
    transformer = ClusterTDPTransformer(
        two_sided="directional", alpha=0.1, mask_img=mask_img, stat_type="neg_log10_p"
    )
    with pytest.raises(ValueError, match="two_sided must be True, as in the calibration"):
        transformer.fit(signed, calibration=both)


def test_levels_and_contrasts_that_have_no_bounds_of_each_sign_are_refused(maps, mask_img):
    data = data_of(maps)[:, ::20]
    calibration = PermutationCalibration(n_permutations=30, random_state=0, verbose=0)
    with pytest.raises(ValueError, match=r"at least 2 / n_permutations = 2 / 30 with two_sided"):
        calibration.fit(data, alpha=0.05, two_sided="directional")
    with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
        calibration.fit(data, stat_type="F", alpha=0.1, two_sided="directional")
    with pytest.raises(ValueError, match="'two_sided' parameter of learn_template"):
        learn_template(data, two_sided="directional", n_permutations=30)
    model = ARISecondLevelModel(
        mask_img, transformer=ClusterTDPTransformer(two_sided="directional")
    ).fit(maps, design_matrix=pd.DataFrame({"a": GROUPS, "b": 1 - GROUPS}))
    with pytest.raises(ValueError, match="two_sided='directional' is for a single contrast"):
        model.compute_contrasts({"a": "a", "b": "b"})
    with pytest.raises(ValueError, match="two_sided must be False for an F contrast"):
        model.compute_contrast("a", second_level_stat_type="F", output_type="tdp")


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_model_reports_both_signs(maps, mask_img, calibrated, z_img):
    calibration = PermutationCalibration(n_permutations=100, random_state=0) if calibrated else None
    model = ARISecondLevelModel(
        mask_img,
        transformer=ClusterTDPTransformer(2.5, two_sided="directional", alpha=0.1),
        calibration=calibration,
    ).fit(maps, design_matrix=design())
    model.compute_contrast(output_type="tdp")
    fitted_map = model.maps_
    assert min(fitted_map.true_discoveries_by_sign.values()) > 0
    text = get_methods(model)
    assert "half of the error level (0.05)" in text
    found = fitted_map.true_discoveries_by_sign
    assert (
        f"at least {found['positive']} with a positive effect and "
        f"{found['negative']} with a negative effect."
    ) in text
    assert set(BY_SIGN) <= set(get_tdp_table(model))
    if calibrated:
        page = make_report(model).get_standalone()
        for words in ("Positive effects, at least", "for negative effects", "Positive, at least"):
            assert words in page
        with pytest.raises(ValueError, match=r"pass sides_\['positive'\]"):
            plot_pivotal_statistics(model)


def test_what_needs_one_calibration_or_one_vector_says_so(z_img, mask_img, calibration):
    with pytest.raises(ValueError, match=r"pass its sides_\['positive'\]"):
        calibration.generate_report()
    with pytest.raises(ValueError, match=r"pass sides_\['positive'\]"):
        plot_pivotal_statistics(calibration)
    assert "Lambda" in str(get_methods(calibration.sides_["negative"]))
    with pytest.raises(ValueError, match="two_sided='directional' is not for a page"):
        explore(z_img, mask_img=mask_img, two_sided="directional")
    fitted = AdaptiveTDPTransformer(two_sided="directional", mask_img=mask_img).fit(z_img)
    with pytest.raises(ValueError, match="two_sided='directional' is not for a page"):
        explore(fitted)
