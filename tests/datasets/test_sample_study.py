"""The sample study: its contents, its truth, and what its examples show."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.datasets import load_sample_study


@pytest.fixture(scope="module")
def study():
    return load_sample_study()


@pytest.fixture(scope="module")
def design(study):
    """Return a design with the group difference and the centred age."""
    participants = study.participants
    return pd.DataFrame(
        {
            "intercept": 1.0,
            "patient": (participants["group"] == "patient").astype(float),
            "age": participants["age"] - participants["age"].mean(),
        }
    )


def _data(img):
    return np.asarray(img.get_fdata())


def test_each_subject_has_a_map_a_row_and_a_surface_map(study):
    participants = study.participants
    assert len(study.maps) == len(participants) == len(study.surface_maps) == 24
    assert participants.columns.tolist() == ["participant_id", "group", "age"]
    assert participants["participant_id"].is_unique
    assert participants["group"].value_counts().to_dict() == {"patient": 12, "control": 12}
    assert participants["age"].between(18, 80).all()
    assert "24 subjects" in study.description


def test_volumes_are_on_one_grid_and_zero_outside_of_the_mask(study):
    outside = _data(study.mask_img) == 0
    assert np.count_nonzero(~outside) == 45_448
    for name in ("z_img", "t_img", "effect_img", "group_effect_img", "age_effect_img", "atlas_img"):
        np.testing.assert_array_equal(study[name].affine, study.mask_img.affine)
        assert not _data(study[name])[outside].any(), name
    for img in study.maps:
        assert not _data(img)[outside].any()


def test_statistics_are_those_of_the_maps(study):
    from scipy import stats

    mask = _data(study.mask_img) == 1
    values = np.stack([_data(img)[mask] for img in study.maps])
    expected = stats.ttest_1samp(values, 0).statistic
    t_values, z_values = _data(study.t_img)[mask], _data(study.z_img)[mask]
    np.testing.assert_allclose(t_values, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(stats.norm.sf(z_values), stats.t.sf(t_values, 23), rtol=1e-4)


@pytest.mark.parametrize(("name", "stat_type", "df"), [("t_img", "t", (23.0,)), ("z_img", "z", ())])
def test_statistics_declare_what_they_are(study, name, stat_type, df):
    ari = ClusterTDPTransformer(3.5, mask_img=study.mask_img).fit(study[name])
    statistic = ari.maps_.describe()["statistic"]
    assert (statistic["stat_type"], tuple(statistic["df"] or ())) == (stat_type, df)
    assert ari.true_discoveries_ == 1569


def test_what_is_left_without_the_true_effects_is_noise_of_variance_one(study):
    mask = _data(study.mask_img) == 1
    participants = study.participants
    is_patient = (participants["group"] == "patient").to_numpy()
    age = (participants["age"] - participants["age"].mean()).to_numpy()
    effects = _data(study.effect_img)[mask]
    effects = (
        effects
        + (is_patient - is_patient.mean())[:, None] * _data(study.group_effect_img)[mask]
        + age[:, None] * _data(study.age_effect_img)[mask]
    )
    noise = np.stack([_data(img)[mask] for img in study.maps]) - effects
    assert noise.mean() == pytest.approx(0, abs=0.02)
    assert noise.var() == pytest.approx(1, abs=0.03)


def test_all_calls_return_the_same(study):
    again = load_sample_study()
    pd.testing.assert_frame_equal(again.participants, study.participants)
    for one, other in zip(again.maps, study.maps, strict=True):
        np.testing.assert_array_equal(_data(one), _data(other))


def test_clusters_differ_in_their_tdp(study):
    table = (
        ClusterTDPTransformer(threshold=3.1, two_sided=True, mask_img=study.mask_img)
        .fit(study.z_img)
        .table_.iloc[:-1]
    )
    large = table[table["n_voxels"] >= 100]
    assert len(large) >= 5
    assert large["tdp"].nunique() >= 4
    assert large["tdp"].max() > 0.7
    # A large cluster without a true discovery, and one of negative values with some.
    assert large["tdp"].min() == 0
    assert (large.loc[large["direction"] == "negative", "tdp"] > 0).any()


@pytest.mark.parametrize("two_sided", [False, True])
def test_bounds_hold(study, two_sided):
    """No cluster has fewer truly active voxels than its bound."""
    ari = ClusterTDPTransformer(threshold=3.1, two_sided=two_sided, mask_img=study.mask_img)
    ari.fit(study.z_img)
    active = _data(study.effect_img) != 0
    labels = _data(ari.labels_img_)
    for row in ari.table_.iloc[:-1].itertuples():
        assert row.true_discoveries <= np.count_nonzero(active[labels == row.cluster_id])


@pytest.mark.parametrize("name", ["patient", "age"])
def test_effects_in_the_design_are_found_by_permutation(study, design, name):
    from ari_estimator import ARISecondLevelModel, PermutationCalibration

    model = ARISecondLevelModel(
        mask_img=study.mask_img,
        transformer=ClusterTDPTransformer(threshold=3.1),
        calibration=PermutationCalibration(n_permutations=200, random_state=0),
    ).fit(study.maps, design_matrix=design)
    tdp = _data(model.compute_contrast(name, output_type="tdp"))
    truth = _data(study.group_effect_img if name == "patient" else study.age_effect_img)
    assert tdp.max() > 0.1
    assert truth[tdp == tdp.max()].mean() > 0


def test_regions_have_names_and_voxels(study):
    labels = _data(study.atlas_img)
    assert study.atlas_lut["name"].is_unique
    assert set(np.unique(labels)) == {0, *study.atlas_lut["index"]}
    ari = RegionTDPTransformer(
        labels_img=study.atlas_img, lut=study.atlas_lut, mask_img=study.mask_img
    ).fit(study.z_img)
    by_name = ari.table_.set_index("region")["tdp"]
    assert by_name["right sensorimotor cortex"] > 0.3
    assert by_name["occipital cortex"] == 0


def test_surface_maps_are_those_of_the_volumes(study):
    cortex = study.surface_mask_img.data.parts
    assert {side: mask.sum() for side, mask in cortex.items()} == {"left": 9710, "right": 9714}
    for img in (study.surface_img, *study.surface_maps[:2]):
        for side, mask in cortex.items():
            assert not img.data.parts[side][mask == 0].any()
    ari = ClusterTDPTransformer(two_sided=True, mask_img=study.surface_mask_img)
    assert ari.fit(study.surface_img).table_["tdp"].max() > 0.3
