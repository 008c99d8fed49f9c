"""Objects of MNE-Python as statistical maps and as maps of subjects."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)
from ari_estimator.plotting import plot_tdp_array
from ari_estimator.reporting import get_methods

mne = pytest.importorskip("mne")

N_EEG, N_TIMES = 10, 40
NAMES = ["Fz", "Cz", "Pz", "Oz", "C3", "C4", "P3", "P4", "O1", "O2", "EOG"]
SHAPE = (len(NAMES), N_TIMES)
ICO_1 = [np.arange(42)] * 2


@pytest.fixture(scope="module", autouse=True)
def quiet():
    """Show no messages of MNE-Python."""
    with mne.use_log_level("ERROR"):
        yield


@pytest.fixture(scope="module")
def info():
    """Return ten EEG channels with positions, and one of the eyes."""
    info = mne.create_info(NAMES, 100.0, ["eeg"] * N_EEG + ["eog"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        info.set_montage("standard_1020", on_missing="ignore")
    return info


def values(seed=0, shape=SHAPE):
    """Return values with an effect in some channels."""
    z = np.random.default_rng(seed).standard_normal(shape)
    z[1:4, ..., 10:25] += 4
    return z


MAKERS = {
    "evoked": lambda info, seed=0: mne.EvokedArray(values(seed), info, tmin=-0.1),
    "tfr": lambda info, seed=0: mne.time_frequency.AverageTFRArray(
        info,
        values(seed, (len(NAMES), 3, N_TIMES)),
        times=np.arange(N_TIMES) / 100,
        freqs=[4.0, 8.0, 16.0],
    ),
    "spectrum": lambda info, seed=0: mne.time_frequency.SpectrumArray(
        values(seed, (N_EEG, N_TIMES)),
        mne.pick_info(info, range(N_EEG)),
        np.arange(N_TIMES, dtype=float),
    ),
    "source": lambda info, seed=0: mne.SourceEstimate(
        values(seed, (84, N_TIMES)), ICO_1, 0, 0.01, subject="fsaverage"
    ),
}

PLACES = {
    "evoked": ["peak_channel", "peak_time"],
    "tfr": ["peak_channel", "peak_freq", "peak_time"],
    "spectrum": ["peak_channel", "peak_freq"],
    "source": ["peak_hemisphere", "peak_vertex", "peak_time"],
}


def data_of(one):
    """Return the values of an object."""
    if isinstance(one, mne.time_frequency.Spectrum):
        return one.get_data(picks="all", exclude=())
    return one.data


@pytest.fixture(params=MAKERS)
def kind(request):
    """Return the name of a kind of object."""
    return request.param


@pytest.fixture
def make(kind, info):
    """Make an object."""
    return lambda seed=0: MAKERS[kind](info, seed)


class TestMaps:
    def test_what_comes_in_goes_out(self, kind, make):
        stat = make()
        ari = ClusterTDPTransformer(3)
        tdp = ari.fit_transform(stat)
        assert type(tdp) is type(stat)
        assert data_of(tdp).shape == data_of(stat).shape
        assert 0 < data_of(tdp).max() <= 1
        assert_array_equal(data_of(stat), data_of(make()))  # as it was
        assert type(ari.labels_img_) is type(stat)
        assert [name for name in ari.table_ if name.startswith("peak_")][1:] == PLACES[kind]
        assert ari.table_.loc[0, "n_elements"] > 5

    def test_as_arrays_with_the_same_neighbours(self, kind, make):
        stat = make()
        ari = AdaptiveTDPTransformer(0.7).fit(stat)
        part = ari.maps_.frame.space.parts[0]
        array = np.where(part.mask, data_of(stat), np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            of_array = AdaptiveTDPTransformer(0.7, adjacency=part.whole_graph).fit(
                array[np.newaxis]
            )
        assert_array_equal(ari.table_["true_discoveries"], of_array.table_[0]["true_discoveries"])

    def test_several_maps(self, make):
        maps = [make(seed) for seed in (0, 1)]
        ari = ClusterTDPTransformer(3)
        tdp = ari.fit_transform(maps)
        alone = ClusterTDPTransformer(3).fit(maps[0]).transform(maps[1])
        assert_array_equal(data_of(tdp[1]), data_of(alone))
        assert len(ari.table_) == 2

    def test_channels_without_data_and_bad_channels_are_left_out(self, info):
        stat = MAKERS["evoked"](info)
        stat.data[-1] = 30  # the eyes
        ari = ClusterTDPTransformer(3).fit(stat)
        assert ari.n_tested_ == N_EEG * N_TIMES
        stat.info["bads"] = ["Cz"]
        tdp = ClusterTDPTransformer(3).fit_transform(stat)
        assert not tdp.data[[1, -1]].any()

    @pytest.mark.parametrize("kind", ["evoked", "tfr", "spectrum"])
    @pytest.mark.parametrize("bads", [([], ["Cz"]), (["Cz"], []), (["Cz", "Pz"], ["Pz"])])
    def test_each_map_leaves_out_its_own_bad_channels(self, info, kind, bads):
        maps = [MAKERS[kind](info) for _ in bads]
        for one, names in zip(maps, bads, strict=True):
            one.info["bads"] = names
        n_of_channel = data_of(maps[0])[0].size
        ari = ClusterTDPTransformer(3)
        found = ari.fit_transform(maps)
        for one, names, tdp, n_tested in zip(maps, bads, found, ari.n_tested_, strict=True):
            assert n_tested == (N_EEG - len(names)) * n_of_channel
            alone = ClusterTDPTransformer(3).fit_transform(one)
            assert_array_equal(data_of(tdp), data_of(alone))
            assert tdp.info["bads"] == one.info["bads"] == names
            assert not data_of(tdp)[[NAMES.index(name) for name in names]].any()

    def test_bad_channels_of_a_map_after_fit(self, info):
        good, bad = MAKERS["evoked"](info), MAKERS["evoked"](info)
        bad.info["bads"] = ["Cz"]
        later = ClusterTDPTransformer(3).fit(good).transform(bad)
        assert_array_equal(later.data, ClusterTDPTransformer(3).fit_transform(bad).data)
        fitted = ClusterTDPTransformer(3).fit(bad)
        with pytest.warns(UserWarning, match=r"good channels that are not tested: Cz\."):
            later = fitted.transform(good)
        assert not later.data[1].any()
        mask = mne.EvokedArray(np.ones(SHAPE), info, tmin=-0.1)
        mask.data[1] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the mask leaves the channel out, not its badness
            ClusterTDPTransformer(3, mask_img=mask).fit(bad).transform(good)

    def test_bad_channels_of_labels_and_sets_belong_to_them_still(self, info):
        stat, labels = MAKERS["evoked"](info), MAKERS["evoked"](info)
        labels.data = np.repeat(np.arange(1.0, len(NAMES) + 1)[:, np.newaxis], N_TIMES, axis=1)
        labels.info["bads"] = ["Cz"]
        assert 2 in RegionTDPTransformer(labels).fit(stat).region_ids_
        labels.data = (labels.data == 2).astype(float)
        bound = ari_estimator.set_bound(ClusterTDPTransformer(3).fit(stat), mask_img=labels)
        assert bound.n_tested == N_TIMES

    @pytest.mark.parametrize("kind", ["misc", "emg", "bio"])
    def test_channels_that_hold_no_data_are_tested_if_no_others_are_there(self, kind):
        names = ["a", "b", "c", "trigger"]
        of_kind = mne.create_info(names, 100.0, [kind] * 3 + ["stim"])
        subjects = [mne.EvokedArray(values(seed, (4, 30)), of_kind) for seed in range(8)]
        ari = ClusterTDPTransformer(1, adjacency=np.ones((4, 4))).fit(subjects[0])
        assert ari.n_tested_ == 90
        labels = mne.EvokedArray(np.repeat([[1.0], [1], [2], [0]], 30, axis=1), of_kind)
        regions = RegionTDPTransformer(labels).fit(subjects[0])
        assert regions.table_["n_elements"].tolist()[:2] == [60, 30]
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(1, adjacency=np.ones((4, 4))))
        assert model.fit(subjects).compute_contrast(output_type="tdp").data[1].any()
        assert model.n_tested_ == 90
        with pytest.raises(ValueError, match=r"have a position.*drop_channels, or pass adjacency"):
            ClusterTDPTransformer(1).fit(subjects[0])

    def test_sets_questions_reports_and_files(self, make, tmp_path):
        stat = make()
        labels = make()
        mask = np.zeros(data_of(stat).shape)
        mask[1:4] = 1
        whole = np.zeros(data_of(stat).shape)
        whole[1:4] = 7
        labels = ari_estimator.images._mne_objects.with_values(labels, whole, "")
        regions = RegionTDPTransformer(labels).fit(stat)
        assert regions.region_ids_.tolist() == [7]
        ari = ClusterTDPTransformer(3).fit(stat)
        bound = ari_estimator.set_bound(
            ari, mask_img=ari_estimator.images._mne_objects.with_values(stat, mask, "")
        )
        assert bound.true_discoveries == regions.table_.loc[0, "true_discoveries"]
        assert "neighbours in the given adjacency" in get_methods(ari)
        assert "<img" in str(ari.generate_report())
        plot_tdp_array(ari, output_file=tmp_path / "figure.png", dpi=40)
        ari_estimator.save(ari, tmp_path / "results")
        again = ari_estimator.load(tmp_path / "results")
        assert again.true_discoveries_ == ari.true_discoveries_
        assert again.table_["true_discoveries"].equals(ari.table_["true_discoveries"])

    def test_neighbours_of_sensors_are_those_of_mne(self, info):
        stat = MAKERS["evoked"](info)
        matrix, names = mne.channels.find_ch_adjacency(mne.pick_info(info, range(N_EEG)), "eeg")
        assert names == NAMES[:N_EEG]
        given = np.zeros((11, 11), dtype=bool)
        given[:N_EEG, :N_EEG] = matrix.toarray() > 0
        own = ClusterTDPTransformer(2).fit(stat)
        of_mne = ClusterTDPTransformer(2, adjacency=given).fit(stat)
        assert own.table_.equals(of_mne.table_)

    def test_clusters_are_those_of_mne(self, info):
        stat = MAKERS["evoked"](info)
        stat.pick(NAMES[:N_EEG])
        matrix, _ = mne.channels.find_ch_adjacency(stat.info, "eeg")
        for threshold in (1, 2, 3):
            ours = ClusterTDPTransformer(threshold).fit(stat).labels_img_.data.astype(int)
            _, theirs, _, _ = mne.stats.spatio_temporal_cluster_1samp_test(
                np.zeros((2, N_TIMES, N_EEG)) + stat.data.T,
                stat_fun=lambda X: X[0],
                threshold=threshold,
                tail=1,
                adjacency=matrix,
                n_permutations=1,
                out_type="mask",
            )
            expected = {tuple(np.flatnonzero(one.T)) for one in theirs}
            found = {tuple(np.flatnonzero(ours == n)) for n in range(1, ours.max() + 1)}
            assert found == expected


class TestGroups:
    @pytest.mark.parametrize("calibration", [None, PermutationCalibration(random_state=0)])
    def test_a_list_of_subjects(self, kind, make, calibration):
        subjects = [make(seed) for seed in range(8)]
        model = ARISecondLevelModel(
            transformer=ClusterTDPTransformer(3), calibration=calibration
        ).fit(subjects)
        tdp = model.compute_contrast(output_type="tdp")
        assert type(tdp) is type(subjects[0])
        t = model.compute_contrast(output_type="stat")
        data = np.stack([data_of(one) for one in subjects])
        expected = data.mean(0) / (data.std(0, ddof=1) / np.sqrt(8))
        inside = model.maps_.frame.mask_img
        assert_allclose(data_of(t)[inside], expected[inside])
        assert model.table_.loc[0, "true_discoveries"] > 0

    def test_epochs(self, info):
        trials = np.stack([values(seed) for seed in range(12)]) * 1e-6
        epochs = mne.EpochsArray(trials, info, tmin=-0.1)
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(3)).fit(epochs)
        tdp = model.compute_contrast(output_type="tdp")
        assert isinstance(tdp, mne.Evoked)
        assert_allclose(tdp.times, epochs.times)
        evoked = [mne.EvokedArray(one, info, tmin=-0.1) for one in trials]
        of_list = ARISecondLevelModel(transformer=ClusterTDPTransformer(3)).fit(evoked)
        assert_array_equal(of_list.compute_contrast(output_type="tdp").data, tdp.data)

    @pytest.mark.parametrize("subject", [0, 2])
    def test_a_channel_that_is_bad_in_one_subject(self, info, subject):
        subjects = [MAKERS["evoked"](info, seed) for seed in range(9)]
        subjects[subject].info["bads"] = ["Oz"]
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(3)).fit(subjects)
        with pytest.warns(UserWarning, match=f"NaN in {N_TIMES} of the"):
            model.compute_contrast(output_type="tdp")
        assert model.n_tested_ == (N_EEG - 1) * N_TIMES
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(3), missing="omit")
        tdp = model.fit(subjects).compute_contrast(output_type="tdp")
        assert model.n_tested_ == N_EEG * N_TIMES
        assert (tdp.data[3] > 0).any()
        assert model.df_img_.data[3, 0] == 7
        assert model.df_img_.info["bads"] == []
        assert subjects[subject].info["bads"] == ["Oz"]
        for one in subjects:
            one.info["bads"] = ["Oz"]
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(3)).fit(subjects)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.compute_contrast(output_type="tdp")
        assert model.n_tested_ == (N_EEG - 1) * N_TIMES


@pytest.fixture
def meg():
    """Return some channels of a system that MNE-Python has a template of, in another order."""
    names = mne.channels.read_layout("Vectorview-all").names
    names = [names[k] for k in np.random.default_rng(3).permutation(len(names))[:80]]
    info = mne.create_info(names, 100.0, ["mag" if n.endswith("1") else "grad" for n in names])
    for number, channel in enumerate(info["chs"]):
        channel["loc"][:3] = 0.1, 0.001 * number, 0.1
    return info


class TestTemplatesOfNeighbours:
    def test_missing_channels_and_another_order(self, meg):
        stat = mne.EvokedArray(np.random.default_rng(0).standard_normal((80, 6)), meg)
        places = {name: k for k, name in enumerate(meg.ch_names)}
        pairs = set()
        for kind in ("mag", "grad"):
            matrix, names = mne.channels.find_ch_adjacency(meg, kind)
            found = [(names[i], names[j]) for i, j in zip(*matrix.nonzero(), strict=True)]
            pairs |= {(a, b) for a, b in found if a != b and a in places and b in places}
        assert len(pairs) > 100
        matrix = np.zeros((80, 80))
        for a, b in pairs:
            matrix[places[a], places[b]] = 1
        own = ClusterTDPTransformer(0.5).fit(stat)
        given = ClusterTDPTransformer(0.5, adjacency=matrix).fit(stat)
        assert_array_equal(own.labels_img_.data, given.labels_img_.data)

    def test_a_channel_that_the_template_does_not_know(self, meg):
        mne.rename_channels(meg, {meg.ch_names[0]: "MEG X1"})
        stat = mne.EvokedArray(np.ones((80, 2)), meg)
        with pytest.raises(ValueError, match=r"no neighbours of the \w+ channels MEG X1"):
            ClusterTDPTransformer(0.5).fit(stat)


@pytest.mark.parametrize(
    ("make", "sizes", "expected"),
    [
        (mne.SourceEstimate, [2, 1], {"peak_hemisphere": "right"}),
        (mne.VolSourceEstimate, [3], {}),
        (mne.VolSourceEstimate, [2, 1], {"peak_source_space": "volume 1"}),
        (mne.MixedSourceEstimate, [1, 1, 1], {"peak_source_space": "volume 0"}),
    ],
)
def test_source_spaces_have_their_names(make, sizes, expected):
    vertices = np.split(np.array([4, 6, 9]), np.cumsum(sizes)[:-1])
    stat = make(np.array([[0.0], [1], [5]]), vertices, 0, 1)
    (row,) = (
        ClusterTDPTransformer(3, adjacency=np.eye(3)).fit(stat).table_.iloc[:1].to_dict("records")
    )
    assert row["peak_vertex"] == 9
    names = ("peak_hemisphere", "peak_source_space")
    assert {name: row[name] for name in names if name in row} == expected


class TestBadInput:
    def test_values_of_the_size_of_volts(self, info):
        evoked = mne.EvokedArray(1e-6 * values(), info)
        with pytest.raises(ValueError, match=r"physical values.*ARISecondLevelModel"):
            ClusterTDPTransformer().fit(evoked)
        with pytest.warns(UserWarning, match="physical values"):
            ClusterTDPTransformer(stat_type="z").fit(evoked)

    def test_neighbours_that_are_not_known(self, info):
        lost = mne.EvokedArray(values(), mne.create_info(NAMES, 100.0, "eeg"))
        with pytest.raises(ValueError, match=r"position.*Fz, Cz, Pz, Oz, C3 and 6 more"):
            ClusterTDPTransformer().fit(lost)
        ClusterTDPTransformer(adjacency=np.eye(len(NAMES))).fit(lost)
        stc = mne.SourceEstimate(values(0, (84, 5)), [np.arange(0, 84, 2)] * 2, 0, 1)
        with pytest.raises(ValueError, match=r"Pass the source space"):
            ClusterTDPTransformer().fit(stc)
        labels = stc.copy()
        labels.data = np.ones((84, 5))
        regions = RegionTDPTransformer(labels).fit(stc)  # no need of neighbours
        assert "<img" in str(regions.generate_report())
        with pytest.raises(ValueError, match=r"row for each vertex, 84, or .* 420. Got 7"):
            ClusterTDPTransformer(adjacency=np.eye(7)).fit(stc)

    def test_objects_that_are_no_maps(self, info):
        trials = np.stack([values(), values(1)])
        vector = mne.VectorSourceEstimate(values(0, (84, 3, 5)), ICO_1, 0, 0.01)
        for given, match in (
            (mne.EpochsArray(trials, info), "Epochs are trials"),
            (vector, r"Pass stc.magnitude\(\)"),
            (mne.EvokedArray(values() * 1j, info), "complex values"),
            (info, "must be an Evoked"),
        ):
            with pytest.raises(TypeError, match=match):
                ClusterTDPTransformer().fit(given)
        ClusterTDPTransformer(1.5).fit(vector.magnitude())

    def test_places_that_differ(self, info):
        evoked = MAKERS["evoked"](info)
        stc = MAKERS["source"](info)
        other = stc.copy()
        other.subject = "sub-01"
        for one, two, match in (
            (evoked, evoked.copy().crop(0, 0.1), "times: 40 from -0.1 to 0.29 and 11 from 0"),
            (evoked, evoked.copy().pick(NAMES[:5]), "channels: .*equalize_channels"),
            (evoked, evoked.copy().reorder_channels(NAMES[::-1]), "another order"),
            (evoked, stc, "kind: EvokedArray and SourceEstimate"),
            (stc, other, "'fsaverage' and 'sub-01'.*Morph"),
        ):
            with pytest.raises(ValueError, match=match):
                ARISecondLevelModel().fit([one, two])
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer().fit(one).transform(two)

    def test_one_object_is_not_a_group(self, info):
        with pytest.raises(TypeError, match="a list with an object for each subject, or Epochs"):
            ARISecondLevelModel().fit(MAKERS["evoked"](info))
        with pytest.raises(TypeError, match=r"Got objects of MNE-Python and ndarray"):
            ARISecondLevelModel().fit([MAKERS["evoked"](info), values()])

    @pytest.mark.parametrize("parameter", [{"mesh": {}}, {"coordinates": {"a": [1]}}])
    def test_parameters_of_other_kinds(self, info, parameter):
        with pytest.raises(ValueError, match=r"only\. Got one for a MNE-Python object"):
            ClusterTDPTransformer(**parameter).fit(MAKERS["evoked"](info))
