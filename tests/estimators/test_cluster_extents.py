"""Cluster extents that are calibrated by permutations, alone and beside p-values."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from scipy import stats

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterExtentCalibration,
    ClusterTDPTransformer,
    JointCalibration,
    PermutationCalibration,
    RegionTDPTransformer,
    expected_tdp,
    load,
    save,
)
from ari_estimator.closed_testing import CalibratedExtent
from ari_estimator.graphs import AdjacencyGraph, VoxelGrid
from ari_estimator.reporting import get_methods, get_tdp_table

from ._kinds import KINDS, components

pytestmark = pytest.mark.filterwarnings("ignore:n_permutations")

N = 8  # 256 sign flips, all of which are taken
SHAPE = (6, 6, 6)
CUBE = np.ones(SHAPE, dtype=bool)


def _data(seed=0, n=N, effect=1.5):
    data = np.random.default_rng(seed).standard_normal((n, CUBE.size))
    data[:, : CUBE.size // 3] += effect
    return data


def _p_values(data, two_sided=False):
    t, p = stats.ttest_1samp(data, 0, alternative="two-sided" if two_sided else "greater")
    return t, p


def _largest(t, p, graph, height, two_sided):
    sides = [t > 0, t <= 0] if two_sided else [np.ones(t.size, dtype=bool)]
    return max(np.bincount(graph.components((p < height) & s)[0])[1:].max(initial=0) for s in sides)


def _all_flips(data):
    return [np.reshape(s, (-1, 1)) * data for s in itertools.product([1, -1], repeat=len(data))]


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_all_sign_flips_one_by_one(connectivity, two_sided):
    data, grid = _data(), VoxelGrid(CUBE, connectivity)
    fitted = ClusterExtentCalibration(0.03, n_permutations=256).fit(
        data, adjacency=grid, alpha=0.1, two_sided=two_sided
    )
    each = [_p_values(flipped, two_sided) for flipped in _all_flips(data)]
    sizes = np.array([_largest(t, p, grid, 0.03, two_sided) for t, p in each])
    assert sorted(fitted.largest_clusters_) == sorted(sizes)
    np.testing.assert_allclose(
        sorted(fitted.smallest_p_values_), sorted(p.min() for _, p in each), rtol=1e-3
    )
    assert fitted.largest_clusters_[0] == sizes[0]
    # The 26th largest of 256 is significant at 0.1; the next one is not.
    k = np.sort(sizes)[::-1][25]
    assert fitted.critical_extent_ == k + 1 == fitted.extent_.at(0.1) + 1
    assert fitted.critical_extent_interval_ == (k + 1, k + 1)
    assert fitted.seed_ is None
    for size in (1, k, k + 1, sizes.max()):
        assert fitted.extent_.p_values(np.array([size]))[0] == (sizes >= size).mean()
    test = fitted._test(0.1)
    if sizes[0] > k:
        assert test.bounds(0.1).of_set() >= 1
    names = test.familywise_p_values(np.zeros(CUBE.size, dtype=int))
    assert names["p_fwe_cluster"][0] == (sizes >= sizes[0]).mean()


def test_sizes_do_not_depend_on_how_the_work_is_spread():
    data, grid = _data(1, 16), VoxelGrid(CUBE, 26)
    alone = ClusterExtentCalibration(0.05, n_permutations=300, random_state=3)
    spread = ClusterExtentCalibration(
        0.05, n_permutations=300, random_state=3, chunk_size=50, n_jobs=2
    )
    with parallel_config(backend="threading"):
        sizes = [one.fit(data, adjacency=grid).largest_clusters_ for one in (alone, spread)]
    assert_array_equal(*sizes)
    # The draws are those of a calibration of p-values.
    draws = PermutationCalibration(n_permutations=300, random_state=3).fit(data)
    assert draws.seed_ == alone.seed_ == 3
    assert_array_equal(draws.p_values_, alone.p_values_)


def test_a_cache_is_read_for_the_same_neighbours_only(tmp_path):
    data = _data(1, 16)
    given = {"n_permutations": 100, "random_state": 0, "memory": str(tmp_path)}
    found = [
        ClusterExtentCalibration(0.05, **given).fit(data, adjacency=VoxelGrid(CUBE, n))
        for n in (26, 26, 6)
    ]
    assert_array_equal(found[0].largest_clusters_, found[1].largest_clusters_)
    assert (found[0].largest_clusters_ > found[2].largest_clusters_).any()


@pytest.mark.parametrize("scheme", ["permutation", "sign_flip", "bootstrap"])
@pytest.mark.parametrize("is_f", [False, True])
def test_schemes_and_designs(scheme, is_f):
    data = _data(2, 18, effect=0)
    design = np.eye(3)[np.arange(18) % 3]
    contrast = np.array([[1.0, -1, 0], [0, 1, -1]]) if is_f else np.array([1.0, -1, 0])
    fitted = ClusterExtentCalibration(0.05, n_permutations=100, scheme=scheme, random_state=0).fit(
        data, design, contrast, adjacency=VoxelGrid(CUBE, 26)
    )
    grid = VoxelGrid(CUBE, 26)
    own = np.bincount(grid.components(fitted.p_values_ < 0.05)[0])[1:].max(initial=0)
    assert fitted.largest_clusters_[0] == own
    assert fitted.largest_clusters_.shape == (100,)
    assert fitted.stat_type_ == ("F" if is_f else "t")
    low, high = fitted.critical_extent_interval_
    assert low <= fitted.critical_extent_ <= high


def test_variance_groups_and_gaps():
    data, grid = _data(3, 16), VoxelGrid(CUBE, 26)
    design = np.eye(2)[np.repeat([0, 1], 8)]
    given = {"n_permutations": 100, "random_state": 0}
    welch = ClusterExtentCalibration(0.05, variance_groups="auto", **given)
    assert welch.fit(data, design, [1, -1], adjacency=grid).stat_type_ == "v"
    data[0, :20] = np.nan
    data[1:, 30] = np.nan
    with pytest.warns(UserWarning, match="1 of 216 elements lack too many subjects"):
        gaps = ClusterExtentCalibration(0.05, missing="omit", **given).fit(data, adjacency=grid)
    assert gaps.p_values_[30] == 1
    own = np.bincount(grid.components(gaps.p_values_ < 0.05)[0])[1:].max()
    assert gaps.largest_clusters_[0] == own


def test_streamed_subjects():
    data, grid = _data(4, 12), VoxelGrid(CUBE, 26)
    given = {"n_permutations": 100, "random_state": 0}
    streamed = ClusterExtentCalibration(0.05, **given).fit(iter(data), adjacency=grid)
    assert streamed.largest_clusters_[0] > 1


def test_few_random_permutations_are_warned_of():
    with pytest.warns(UserWarning, match="n_permutations=100 random permutations leave a large"):
        ClusterExtentCalibration(0.05, n_permutations=100, random_state=0).fit(
            _data(0, 12), adjacency=VoxelGrid(CUBE, 26)
        )


BAD = {
    "several heights": ({"height_threshold": [0.01, 0.001]}, {}, TypeError, "must be one p-value"),
    "a text": ({"height_threshold": "0.01"}, {}, TypeError, "must be a p-value, as one number"),
    "0": ({"height_threshold": 0}, {}, ValueError, "between 0 and 0.5"),
    "a z value": ({"height_threshold": 3.09}, {}, ValueError, "such as 0.001 for z > 3.09"),
    "nothing passes": (
        {"height_threshold": 1e-12}, {}, ValueError, "must be passed by some element",
    ),
    "connectivity of arrays": (
        {"connectivity": 26}, {}, ValueError, "connectivity .*has no effect|connectivity must be",
    ),
    "signs": ({}, {"two_sided": "directional"}, ValueError, "True or False for cluster extents"),
    "no neighbours": ({}, {"adjacency": None}, ValueError, "Got neither"),
    "other neighbours": (
        {}, {"adjacency": AdjacencyGraph(np.zeros((9, 9)))}, ValueError, "for each element",
    ),
    "alpha": ({}, {"alpha": 0.001}, ValueError, "alpha must be at least 1 / n_permutations"),
}  # fmt: skip


@pytest.mark.parametrize(("parameters", "arguments", "error", "said"), BAD.values(), ids=BAD)
def test_bad_input(parameters, arguments, error, said):
    calibration = ClusterExtentCalibration(
        **{"height_threshold": 0.05, "n_permutations": 100, "random_state": 0, **parameters}
    )
    with pytest.raises(error, match=said):
        calibration.fit(_data(), **{"adjacency": VoxelGrid(CUBE, 26), **arguments})


@pytest.fixture(scope="module", params=["volume", "surface", "CIFTI image"])
def kind(request):
    return KINDS[request.param]


@pytest.fixture(scope="module")
def maps(kind):
    values = np.random.default_rng(0).standard_normal((16, kind.n)).astype("float32")
    values[:, : kind.n // 3] += 1.2
    return [kind.image(row) for row in values]


def _model(kind, maps, calibration, transformer=None):
    transformer = transformer or ClusterTDPTransformer(2, **kind.parameters)
    model = ARISecondLevelModel(kind.mask_img, transformer=transformer, calibration=calibration)
    return model.fit(maps, design_matrix=pd.DataFrame({"mean": np.ones(16)}))


EXTENTS = ClusterExtentCalibration(0.02, n_permutations=200, random_state=0)
VOXELS = PermutationCalibration(n_permutations=200, random_state=0)
JOINT = JointCalibration([VOXELS, EXTENTS])


def test_a_model_takes_the_neighbours_of_its_mask(kind, maps):
    model = _model(kind, maps, EXTENTS)
    model.compute_contrast(output_type="tdp")
    fitted = model.calibration_
    assert fitted.p_values_.size == kind.mask.sum()
    z = kind.values(model.compute_contrast(output_type="z_score"))[0]
    above = kind.mask & (stats.norm.sf(z) < 0.02)
    own = components(above, kind.neighbours(26))
    assert fitted.largest_clusters_[0] == max(map(len, own))
    table = model.table_
    assert ((table["true_discoveries"] > 0) == (table["p_fwe_cluster"] <= 0.05)).all()
    assert table["true_discoveries"].iloc[0] > 0
    assert (table["p_fwe_peak"] >= 1 / 200).all()
    # The same element, size and level give the same draws.
    assert model.compute_contrast(output_type="tdp") is not None
    assert model.calibration_ is fitted


@pytest.mark.parametrize("calibration", [EXTENTS, JOINT], ids=["extents", "joint"])
def test_archives_and_reports(kind, maps, calibration, tmp_path):
    model = _model(kind, maps, calibration)
    model.compute_contrast(output_type="tdp")
    again = load(save(model, tmp_path)["archive"])
    pd.testing.assert_frame_equal(again.table_, model.table_)
    assert again.maps_.describe()["test"] == model.maps_.describe()["test"]
    assert {"p_fwe_cluster", "p_fwe_peak"} <= set(get_tdp_table(again))
    text = str(get_methods(model))
    assert "smallest significant size of a cluster" in text
    assert "The seed was 0" in text
    if calibration is JOINT:
        assert "0.025 for bounds by p-values and 0.025 for bounds by extents" in text
        assert "by p-values" in text
        if kind.name == "volume":  # pages take long
            page = again.generate_report().html
            assert "p (FWE) of cluster" in page
            assert "Bound by" in page


def test_the_larger_bound_counts(kind, maps):
    model = _model(kind, maps, JOINT)
    model.compute_contrast(output_type="tdp")
    joint = model.maps_
    voxels, extents = model.calibration_.calibrations_
    assert voxels.alpha_ == extents.alpha_ == 0.025
    sets = joint.partitions[0]
    n_labels = sets.ids.size + 1
    parts = [
        one._test(0.025).bounds(0.025).by_label(sets.labels, n_labels) for one in (voxels, extents)
    ]
    found = joint.bounds.by_label(sets.labels, n_labels)
    assert_array_equal(found, np.maximum(*parts))
    names = np.array(["p-values", "extents"])
    for row, label in zip(joint.table.to_dict("records"), [*range(1, n_labels), 0], strict=True):
        largest = [part[label] for part in parts]
        expected = " and ".join(names[np.array(largest) == max(largest)])
        assert row["bound_by"] == (expected if max(largest) else "none")
    p = [one._test(0.025).set_p_value(np.arange(9)) for one in (voxels, extents)]
    assert joint.test.set_p_value(np.arange(9)) == min(2 * min(p), 1)


def test_adaptive_clusters_are_formed_by_p_values_and_have_both_bounds():
    kind = KINDS["volume"]
    values = np.random.default_rng(0).standard_normal((16, kind.n)).astype("float32")
    values[:, : kind.n // 3] += 1.2
    maps = [kind.image(row) for row in values]
    transformer = AdaptiveTDPTransformer(0.3, alpha=0.05)
    model = _model(kind, maps, JOINT, transformer)
    model.compute_contrast(output_type="tdp")
    half = _model(kind, maps, VOXELS, AdaptiveTDPTransformer(0.3, alpha=0.025))
    half.compute_contrast(output_type="tdp")
    assert_array_equal(model.maps_.labels, half.maps_.labels)
    assert (model.table_["true_discoveries"] >= half.table_["true_discoveries"]).all()
    assert model.maps_.confidence_curve()["true_discoveries"].is_monotonic_increasing
    with pytest.raises(ValueError, match="must not be an AdaptiveTDPTransformer with a Cluster"):
        _model(kind, maps, EXTENTS, transformer)


def test_weights_share_the_level():
    data, grid = _data(5, 20), VoxelGrid(CUBE, 26)
    joint = JointCalibration([VOXELS, EXTENTS], weights=[0.2, 0.8]).fit(data, adjacency=grid)
    assert [one.alpha_ for one in joint.calibrations_] == [0.01, 0.04]
    whole = EXTENTS.fit(data, adjacency=grid)
    at = whole.extent_.at(0.04)
    assert joint.calibrations_[1].critical_extent_ == at + 1
    with pytest.raises(ValueError, match=r"n_permutations must be at least 1 / 0\.0025"):
        JointCalibration([VOXELS, EXTENTS], weights=[0.05, 0.95]).fit(data, adjacency=grid)


BAD_JOINT = {
    "one": (JointCalibration([VOXELS]), ValueError, "at least two"),
    "none": (JointCalibration(VOXELS), TypeError, "must be a list of PermutationCalibration"),
    "a text": (JointCalibration([VOXELS, "extents"]), TypeError, "Got str in it"),
    "itself": (JointCalibration([VOXELS, JOINT]), TypeError, "Got JointCalibration in it"),
    "sum": (JointCalibration([VOXELS, EXTENTS], weights=[1, 1]), ValueError, "weights must be 2"),
    "a weight": (JointCalibration([VOXELS, EXTENTS], weights=0.5), TypeError, "per calibration"),
}


@pytest.mark.parametrize(("joint", "error", "said"), BAD_JOINT.values(), ids=BAD_JOINT)
def test_bad_joint_calibrations(joint, error, said):
    with pytest.raises(error, match=said):
        joint.fit(_data(), adjacency=VoxelGrid(CUBE, 26))
    with pytest.raises(error, match=said):
        _model(KINDS["volume"], [], joint)


def test_calibrations_agree_in_how_subjects_are_resampled():
    other = ClusterExtentCalibration(scheme="sign_flip")
    maps = [KINDS["volume"].image(row) for row in np.zeros((16, KINDS["volume"].n))]
    model = _model(KINDS["volume"], maps, JOINT)
    model.set_params(calibration=JointCalibration([VOXELS, other]))
    with pytest.raises(ValueError, match="scheme must be the same in all calibrations"):
        model.compute_contrast(output_type="tdp")


@pytest.mark.parametrize("calibration", [EXTENTS, JOINT], ids=["extents", "joint"])
def test_several_contrasts_together_are_refused(calibration):
    kind = KINDS["volume"]
    maps = [kind.image(row) for row in np.random.default_rng(0).standard_normal((16, kind.n))]
    model = _model(kind, maps, calibration)
    with pytest.raises(ValueError, match="must be a PermutationCalibration for several contrasts"):
        model.compute_contrasts({"a": "mean", "b": [-1]})


def test_a_fitted_calibration_serves_the_map_of_its_contrast():
    kind = KINDS["volume"]
    values = np.random.default_rng(0).standard_normal((16, kind.n)).astype("float32")
    values[:, : kind.n // 3] += 1.2
    maps = [kind.image(row) for row in values]
    model = _model(kind, maps, EXTENTS)
    model.compute_contrast(output_type="tdp")
    z_img = model.compute_contrast(output_type="z_score")
    regions = RegionTDPTransformer(kind.labels_img, mask_img=kind.mask_img)
    regions.fit(z_img, calibration=model.calibration_)
    assert regions.true_discoveries_ == model.true_discoveries_
    # The calibration of images with a masker is that of the model.
    masker = model.masker_
    alone = ClusterExtentCalibration(0.02, n_permutations=200, random_state=0)
    alone.fit(maps, masker=masker)
    assert_array_equal(alone.largest_clusters_, model.calibration_.largest_clusters_)
    other = RegionTDPTransformer(kind.labels_img, mask_img=kind.mask_img)
    with pytest.raises(ValueError, match="fitted to the data of the map"):
        other.fit(kind.image(kind.z()), calibration=model.calibration_)


def test_forecasts_use_the_neighbours_of_the_pilot():
    kind = KINDS["volume"]
    values = np.random.default_rng(0).standard_normal((16, kind.n)).astype("float32")
    values[:, : kind.n // 3] += 1.2
    calibration = ClusterExtentCalibration(0.02, n_permutations=60, random_state=0)
    model = _model(kind, [kind.image(row) for row in values], calibration)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = expected_tdp(model, n_subjects=[20], n_simulations=2, random_state=0)
    assert (table["expected_tdp"] <= 1).all()


def test_p_values_never_fall_below_one_permutation():
    extent = CalibratedExtent(np.array([5, 3, 2, 2]), np.array([0.1, 0.2, 0.3, 0.4]), 10)
    assert extent.p_values(np.array([0, 1, 2, 3, 5, 9])).tolist() == [1, 1, 1, 0.5, 0.25, 0.25]
    assert extent.peak_p_values(np.array([0.01, 0.1, 0.35])).tolist() == [0.25, 0.25, 0.75]
    assert extent.at(0.25) == 3
    assert extent.interval(0.25) == (2, 10)


@pytest.mark.parametrize(
    "use", [lambda one, folder: save(one, folder), lambda one, _: get_methods(one)]
)
def test_calibrations_are_saved_and_reported_with_their_map(use, tmp_path):
    fitted = EXTENTS.fit(_data(5, 20), adjacency=VoxelGrid(CUBE, 26))
    with pytest.raises(TypeError, match="Got a ClusterExtentCalibration, which has none"):
        use(fitted, tmp_path)


def test_arrays_have_the_neighbours_of_their_adjacency():
    data = _data(6, 16).reshape(16, *SHAPE)
    transformer = ClusterTDPTransformer(2, adjacency="lattice")
    given = {"n_permutations": 100, "random_state": 0}
    model = ARISecondLevelModel(
        transformer=transformer, calibration=ClusterExtentCalibration(0.05, **given)
    ).fit(list(data), design_matrix=pd.DataFrame({"mean": np.ones(16)}))
    model.compute_contrast(output_type="tdp")
    alone = ClusterExtentCalibration(0.05, **given)
    alone.fit(data.reshape(16, -1), adjacency=VoxelGrid(CUBE, 6))
    assert_array_equal(model.calibration_.largest_clusters_, alone.largest_clusters_)


def test_the_emotion_study_by_sign_flips(shared_path):
    paths = sorted(shared_path("data", "emotion_regulation").glob("sub-*.nii.gz"))
    model = ARISecondLevelModel(
        transformer=ClusterTDPTransformer(
            0.001, threshold_scale="p", connectivity=26, cluster_threshold=20
        ),
        calibration=ClusterExtentCalibration(random_state=0),
    ).fit([str(path) for path in paths], design_matrix=pd.DataFrame({"mean": np.ones(30)}))
    model.compute_contrast(output_type="tdp")
    assert model.calibration_.critical_extent_ == 49
    table = model.table_.head(4)
    assert table["n_voxels"].tolist() == [1353, 560, 221, 73]
    assert (table["true_discoveries"] >= [220, 75, 1, 1]).all()
    assert_array_equal(table["p_fwe_cluster"], [0.001, 0.002, 0.01, 0.031])
