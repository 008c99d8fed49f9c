"""Arrays of sensors and times, curves and networks, in all transformers and the group model."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel import Nifti1Image
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy.sparse import coo_array, csr_array
from scipy.spatial import ConvexHull
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    set_bound,
)
from ari_estimator.graphs import AdjacencyGraph, edges_of, product
from ari_estimator.reporting import get_methods, get_tdp_table, make_report

N_CHANNELS, N_TIMES = 6, 40
CHANNELS = [f"EEG{number}" for number in range(N_CHANNELS)]
TIMES = np.arange(N_TIMES) / 100
RING = coo_array(
    (
        np.ones(2 * N_CHANNELS),
        (
            np.r_[np.arange(N_CHANNELS), (np.arange(N_CHANNELS) + 1) % N_CHANNELS],
            np.r_[(np.arange(N_CHANNELS) + 1) % N_CHANNELS, np.arange(N_CHANNELS)],
        ),
    )
)
GRAPH = product(AdjacencyGraph(RING), N_TIMES)
PLACES = {"channel": CHANNELS, "time": TIMES}
LABELS = np.zeros((N_CHANNELS, N_TIMES), dtype=int)
LABELS[2:4, 10:20], LABELS[0] = 1, 2

TRANSFORMERS = {
    "clusters": lambda: ClusterTDPTransformer([2, 3], adjacency=GRAPH, coordinates=PLACES),
    "given clusters": lambda: ClusterTDPTransformer(labels_img=LABELS, coordinates=PLACES),
    "adaptive clusters": lambda: AdaptiveTDPTransformer(0.7, adjacency=GRAPH, coordinates=PLACES),
    "regions": lambda: RegionTDPTransformer(LABELS, coordinates=PLACES),
}


@pytest.fixture(params=TRANSFORMERS)
def make(request):
    """Make a transformer of arrays."""
    return TRANSFORMERS[request.param]


@pytest.fixture(name="X")
def maps_of_sensors():
    """Return two maps of sensors and times, with an effect in two channels."""
    maps = np.random.default_rng(0).standard_normal((2, N_CHANNELS, N_TIMES))
    maps[:, 2:4, 10:20] += 4
    return maps


@pytest.fixture
def subjects():
    """Return maps of twelve subjects."""
    maps = np.random.default_rng(1).standard_normal((12, N_CHANNELS, N_TIMES))
    maps[:, 2:4, 10:20] += 2
    return maps


class TestTransformers:
    def test_the_output_has_the_shape_of_the_maps(self, make, X):
        transformer = make()
        output = transformer.fit_transform(X)
        if isinstance(transformer, RegionTDPTransformer):
            assert output.shape == (2, 2)
            output = transformer.inverse_transform(output)
        assert output.shape == X.shape
        assert 0 < output.max() <= 1

    def test_one_map_gives_lists_of_one(self, make, X):
        transformer = make().fit(X[:1])
        assert [type(one) for one in transformer.table_] == [pd.DataFrame]
        assert len(transformer.maps_) == len(transformer.true_discoveries_) == 1
        assert_frame_equal(transformer.table_[0], make().fit(X).table_[0])

    @pytest.mark.parametrize("form", [list, np.ndarray.tolist, np.float32, np.asfortranarray])
    def test_other_forms_of_the_same_maps(self, make, X, form):
        X = X.astype(np.float32).astype(np.float64)
        assert_array_equal(make().fit_transform(form(X)), make().fit_transform(X))

    def test_the_shape_is_only_a_form(self, X):
        # The same graph on flat maps.
        flat = X.reshape(2, -1)
        for threshold in (2, 3):
            whole = ClusterTDPTransformer(threshold, adjacency=GRAPH).fit_transform(X)
            found = ClusterTDPTransformer(threshold, adjacency=GRAPH).fit_transform(flat)
            assert_array_equal(found, whole.reshape(2, -1))

    def test_peaks_have_names_or_indices(self, X):
        named = ClusterTDPTransformer(adjacency=GRAPH, coordinates=PLACES).fit(X).table_[0]
        plain = ClusterTDPTransformer(adjacency=GRAPH).fit(X).table_[0]
        channel, time = plain.loc[0, ["peak_index_0", "peak_index_1"]].astype(int)
        assert X[0, channel, time] == plain.loc[0, "peak_stat"]
        assert named.loc[0, "peak_channel"] == CHANNELS[channel]
        assert named.loc[0, "peak_time"] == TIMES[time]
        assert not {"peak_x", "peak_index_0", "size_mm3"} & {*named.columns}
        half = ClusterTDPTransformer(adjacency=GRAPH, coordinates={"channel": CHANNELS}).fit(X)
        assert half.table_[0].loc[0, "peak_index_1"] == time

    def test_positions_of_each_element(self):
        xyz = np.random.default_rng(0).uniform(-80, 80, (3, 30))
        z = np.zeros((1, 30))
        z[0, 4] = 6
        places = dict(zip("xyz", xyz, strict=True))
        ari = ClusterTDPTransformer(adjacency="lattice", coordinates=places).fit(z)
        assert_array_equal(ari.table_[0].loc[0, ["peak_x", "peak_y", "peak_z"]], xyz[:, 4])

    @given(st.integers(0, 2**32 - 1))
    def test_a_lattice_is_a_grid(self, seed):
        rng = np.random.default_rng(seed)
        one = rng.standard_normal((4, 5, 3)) + rng.uniform(0, 2)
        volume = Nifti1Image(one, np.eye(4))
        mask = Nifti1Image(np.ones(one.shape, dtype=np.int8), np.eye(4))
        for make in (ClusterTDPTransformer, AdaptiveTDPTransformer):
            parameter = {"threshold": 1.5} if make is ClusterTDPTransformer else {}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                of_grid = make(**parameter, mask_img=mask).fit(volume)
                of_array = make(**parameter, adjacency="lattice").fit(one[np.newaxis])
            columns = ["cluster_id", "threshold", "direction", "true_discoveries", "tdp"]
            assert_frame_equal(of_array.table_[0][columns], of_grid.table_[columns])

    @pytest.mark.parametrize("make", [ClusterTDPTransformer, AdaptiveTDPTransformer])
    def test_edges_of_a_mesh(self, make):
        rng = np.random.default_rng(0)
        points = rng.standard_normal((300, 3))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        faces = ConvexHull(points).simplices
        z = rng.standard_normal(300) + 4 * (points[:, 2] > 0.6)
        mesh = PolyMesh(left=InMemoryMesh(points, faces))
        of_mesh = make().fit(SurfaceImage(mesh, {"left": z}))
        ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
        half = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(300, 300))
        of_array = make(adjacency=half + half.T).fit(z[np.newaxis])
        columns = ["cluster_id", "threshold", "direction", "true_discoveries", "tdp", "peak_stat"]
        assert_frame_equal(of_array.table_[0][columns], of_mesh.table_[columns])

    def test_nan_elements_are_left_out(self, make, X):
        X[0, 2, 12] = X[0, 5, 3] = np.nan
        with pytest.warns(UserWarning, match=r"NaN in 2 of the 240 elements of all elements"):
            transformer = make().fit(X[:1])
        assert transformer.n_tested_ == [238]
        # Without them, the neighbours of the other elements are the same.
        kept = ~np.isnan(X[0].ravel())
        links = csr_array(
            (np.ones(len(edges := GRAPH.edges(kept)), bool), edges.T), shape=(kept.size,) * 2
        )[kept][:, kept]
        if isinstance(transformer, AdaptiveTDPTransformer):
            rest = clone(transformer).set_params(adjacency=links + links.T, coordinates=None)
            expected = rest.fit_transform(X[:1].reshape(1, -1)[:, kept])
            found = make().set_params(coordinates=None).fit_transform(X[:1])
            assert_array_equal(found.reshape(1, -1)[:, kept], expected)

    def test_a_mask(self, make, X):
        mask = np.zeros((N_CHANNELS, N_TIMES), dtype=bool)
        mask[:, 5:30] = True
        transformer = make().set_params(mask_img=mask)
        transformer.fit(X)
        assert transformer.n_elements_ == mask.sum()
        expected = np.where(mask, X, np.nan)
        with pytest.warns(UserWarning, match="NaN"):
            of_nan = make().fit(expected)
        assert_frame_equal(transformer.table_[0], of_nan.table_[0])

    def test_edges_of_a_network(self):
        n_nodes = 9
        first, second = np.triu_indices(n_nodes, k=1)
        z = np.random.default_rng(3).standard_normal((1, first.size))
        z[0, (first < 4) & (second < 4)] += 8
        ari = ClusterTDPTransformer(
            3, adjacency=edges_of(n_nodes), coordinates={"from": first, "to": second}
        ).fit(z)
        table = ari.table_[0]
        assert table.loc[0, "n_elements"] == 6
        assert table.loc[0, "true_discoveries"] >= 5
        assert table.loc[0, "peak_from"] < 4

    def test_parameters_that_fit_reads(self, make, X):
        transformer = make().fit(X)
        changed = {"coordinates": None}
        if hasattr(transformer, "labels_img") and transformer.labels_img is not None:
            changed["labels_img"] = LABELS + 1
        else:
            changed["adjacency"] = "lattice"
        for name, value in changed.items():
            again = make().fit(X).set_params(**{name: value})
            with pytest.raises(NotFittedError, match=f"{name} was set after fit"):
                again.transform(X)

    def test_degrees_of_freedom_in_the_shape_of_a_map(self, X):
        df = np.random.default_rng(0).uniform(5, 30, X.shape[1:])
        ari = ClusterTDPTransformer(2, adjacency=GRAPH, stat_type="t")
        shaped = clone(ari).set_params(df=df).fit(X).table_[0]
        assert_frame_equal(shaped, clone(ari).set_params(df=df.ravel()).fit(X).table_[0])

    def test_copies_and_pickles(self, make, X):
        transformer = make().fit(X)
        again = pickle.loads(pickle.dumps(transformer))
        assert_array_equal(again.transform(X), transformer.transform(X))

    def test_labels_in_the_shape_of_all_maps(self):
        X = np.random.default_rng(0).standard_normal((3, 20))
        regions = np.repeat(np.eye(3), [7, 7, 6], axis=0).T
        with pytest.raises(ValueError, match=r"shape of one map, \(20,\).*X\[np.newaxis\]"):
            RegionTDPTransformer(regions).fit(X)
        RegionTDPTransformer(regions, probability_threshold=0.5).fit(X)

    def test_places_do_not_change_with_the_array(self, make, X):
        times = TIMES.copy()
        transformer = make().set_params(coordinates={"channel": CHANNELS, "time": times}).fit(X)
        times[:] = 0
        assert_frame_equal(transformer.maps_[0].table, make().fit(X).maps_[0].table)

    def test_a_container_is_for_regions_only(self, make, X):
        plain = make().fit(X).transform(X)
        with config_context(transform_output="pandas"):
            assert_array_equal(make().fit_transform(X), plain)
        transformer = make().set_output(transform="pandas").fit(X)
        if isinstance(transformer, RegionTDPTransformer):
            for output in (transformer.transform(X), transformer.fit_transform(X)):
                assert isinstance(output, pd.DataFrame)
            return
        for method in (transformer.transform, transformer.fit_transform):
            with pytest.raises(
                ValueError, match=r"container 'default' for arrays of whole .*'pandas'"
            ):
                method(X)
        assert_array_equal(transformer.set_output(transform="default").fit_transform(X), plain)

    def test_a_second_fit_takes_other_arrays(self, X):
        ari = ClusterTDPTransformer(adjacency="lattice").fit(X)
        assert ari.fit(X[:, :3]).n_elements_ == 3 * N_TIMES

    @pytest.mark.parametrize("dtype", [np.float16, np.int16, np.uint8])
    def test_other_numbers(self, dtype):
        values = (np.random.default_rng(0).uniform(0, 6, (1, 50))).astype(dtype)
        ClusterTDPTransformer(adjacency="lattice").fit(values)


BAD_FITS = [
    ({"adjacency": RING}, None, r"6 rows for maps of shape \(6, 40\).*product\(AdjacencyGraph"),
    ({"adjacency": "grid"}, None, "'lattice' for neighbours along each axis. Got 'grid'"),
    ({"adjacency": "lattice", "connectivity": 6}, None, "for arrays, whose neighbours"),
    ({"adjacency": "lattice", "mesh": {}}, None, "mesh is for CIFTI images only"),
    ({"adjacency": "lattice", "coordinates": {"time": [1, 2]}}, None, "axis 0 has 6"),
    ({"adjacency": "lattice", "coordinates": {"": CHANNELS}}, None, "must have names"),
    ({"adjacency": "lattice", "coordinates": {"stat": CHANNELS}}, None, "must have names"),
    ({"adjacency": "lattice", "coordinates": {"a": np.ones((6, 2))}}, None, "broadcasts"),
    ({"adjacency": "lattice", "mask_img": np.ones((6, 41))}, None, "shape of one map"),
    ({"adjacency": "lattice", "mask_img": np.zeros((6, 40))}, None, "mask that is empty"),
    ({"adjacency": "lattice", "mask_img": LABELS}, None, "binary"),
    ({"labels_img": LABELS, "threshold": None, "adjacency": "lattice"}, None, "defines the"),
    ({"labels_img": LABELS[:5], "threshold": None}, None, "must have the shape of a map"),
    ({"adjacency": "lattice"}, lambda X: X[0, 0], "maps along its first"),
    ({"adjacency": "lattice"}, lambda X: X[:0], "n_maps"),
    ({"adjacency": "lattice"}, lambda X: X[:, :, :0], "must have elements"),
    ({"adjacency": "lattice"}, lambda X: np.ma.masked_less(X, -1), "must not be masked"),
    ({"adjacency": "lattice"}, lambda X: [X[0], X[1, :3]], "must have the same shape"),
    ({}, None, "mask_img must be a mask"),
]


class TestBadInput:
    @pytest.mark.parametrize(("parameters", "change", "match"), BAD_FITS)
    def test_refused(self, X, parameters, change, match):
        with pytest.raises((ValueError, TypeError), match=match):
            ClusterTDPTransformer(**{"threshold": 2, **parameters}).fit(
                X if change is None else change(X)
            )

    @pytest.mark.parametrize("values", [1j * np.ones((1, 3)), np.array([["a", "b"]])])
    def test_values_that_are_not_real(self, values):
        with pytest.raises(TypeError, match="Arrays must hold real numbers"):
            ClusterTDPTransformer(adjacency="lattice").fit(values)

    @pytest.mark.parametrize("coordinates", [["a"], "time", {1: [2]}])
    def test_coordinates_of_another_type(self, X, coordinates):
        with pytest.raises(TypeError, match="coordinates must be a dictionary"):
            ClusterTDPTransformer(adjacency="lattice", coordinates=coordinates).fit(X)

    def test_another_shape_in_transform(self, make, X):
        transformer = make().fit(X)
        with pytest.raises(ValueError, match=r"shape \(n_maps, 6, 40\).*pass X\[np.newaxis\]"):
            transformer.transform(X[0])
        with pytest.raises(ValueError, match=r"shape \(n_maps, 6, 40\). Got shape \(2, 6, 39\)"):
            transformer.transform(X[:, :, 1:])

    @pytest.mark.parametrize("parameter", [{"adjacency": "lattice"}, {"coordinates": PLACES}])
    def test_images_have_their_own_neighbours(self, parameter):
        (name,) = parameter
        volume = Nifti1Image(np.random.default_rng(0).standard_normal((5, 5, 5)), np.eye(4))
        with pytest.raises(ValueError, match=f"{name} is for numpy arrays.*for a volume"):
            ClusterTDPTransformer(**parameter).fit(volume)


class TestQuestions:
    def test_bounds_of_sets(self, X):
        ari = ClusterTDPTransformer(3, adjacency=GRAPH).fit(X)
        mask = LABELS == 1
        bound = set_bound(ari, mask_img=mask, map_index=1)
        assert bound == set_bound(ari, indices=np.argwhere(mask), map_index=1)
        regions = RegionTDPTransformer(LABELS).fit(X)
        assert bound.true_discoveries == regions.table_[1].loc[0, "true_discoveries"]

    def test_places_in_mm_are_refused(self, X):
        ari = ClusterTDPTransformer(3, adjacency=GRAPH).fit(X)
        with pytest.raises(ValueError, match="seed and radius are for images"):
            set_bound(ari, seed=(0, 0, 0), radius=4, map_index=0)
        with pytest.raises(ValueError, match="min_distance"):
            get_tdp_table(ari, min_distance=4, map_index=0)

    def test_tables_and_reports(self, make, X):
        transformer = make().fit(X)
        table = get_tdp_table(transformer, map_index=0)
        assert "center_x" not in table
        assert {"peak_channel", "peak_time", "p_value"} <= {*table.columns}
        report = str(make_report(transformer, map_index=0))
        assert "<img" in report
        assert "at channel EEG" in get_methods(transformer, map_index=0)

    def test_saved_and_loaded(self, make, X, tmp_path):
        transformer = make().fit(X)
        files = ari_estimator.save(transformer, tmp_path, map_index=1)
        assert files["TDP image"].suffix == ".npy"
        assert np.load(files["TDP image"]).shape == X.shape[1:]
        again = ari_estimator.load(tmp_path)
        assert_frame_equal(again.table_, transformer.table_[1])
        assert_array_equal(again.transform(X), transformer.transform(X))

    def test_an_archive_of_another_graph_is_refused(self, X, tmp_path):
        ari = ClusterTDPTransformer(adjacency=AdjacencyGraph(RING)).fit(X[:, :, 0])
        path = ari_estimator.save(ari, tmp_path, map_index=0)["archive"]
        with np.load(path) as archive:
            arrays = dict(archive)
        name = next(n for n in arrays if n.endswith("_edges"))
        arrays[name] = arrays[name] + 5
        np.savez(path, **arrays)
        with pytest.raises(ValueError, match=r"damaged|checksum|edges"):
            ari_estimator.load(path)


class TestGroups:
    def test_the_mean_of_subjects(self, subjects):
        transformer = ClusterTDPTransformer(3, adjacency=GRAPH, coordinates=PLACES)
        model = ARISecondLevelModel(transformer=transformer).fit(subjects)
        tdp = model.compute_contrast(output_type="tdp")
        z = model.compute_contrast(output_type="z_score")
        t = model.compute_contrast(output_type="stat")
        assert tdp.shape == z.shape == t.shape == subjects.shape[1:]
        expected = subjects.mean(0) / (subjects.std(0, ddof=1) / np.sqrt(12))
        assert_allclose(t, expected)
        alone = clone(transformer).fit(z[np.newaxis])
        assert_array_equal(alone.transform(z[np.newaxis])[0], tdp)
        assert_frame_equal(alone.table_[0], model.table_)

    @pytest.mark.parametrize("calibration", [None, PermutationCalibration(random_state=0)])
    def test_as_images_of_the_same_lattice(self, subjects, calibration):
        design = pd.DataFrame({"a": np.repeat([1, 0], 6), "b": np.repeat([0, 1], 6)})
        images = [
            Nifti1Image(one[..., np.newaxis].repeat(2, axis=-1), np.eye(4)) for one in subjects
        ]
        arrays = subjects[..., np.newaxis].repeat(2, axis=-1)
        mask = np.ones(arrays.shape[1:], dtype=np.int8)
        found = []
        for maps, transformer, mask_img in (
            (images, ClusterTDPTransformer(3), Nifti1Image(mask, np.eye(4))),
            (arrays, ClusterTDPTransformer(3, adjacency="lattice"), None),
            (list(arrays), ClusterTDPTransformer(3, adjacency="lattice"), mask.astype(bool)),
        ):
            model = ARISecondLevelModel(
                mask_img=mask_img, transformer=transformer, calibration=calibration
            ).fit(maps, design_matrix=design)
            model.compute_contrast("a + b", output_type="tdp")
            found.append(model.table_[["cluster_id", "threshold", "true_discoveries", "tdp"]])
        assert_frame_equal(found[0], found[1])
        assert_frame_equal(found[1], found[2])
        assert found[0]["true_discoveries"].sum() > 0

    def test_calibration_of_arrays(self, subjects):
        calibration = PermutationCalibration(random_state=0)
        shaped = clone(calibration).fit(subjects)
        flat = clone(calibration).fit(subjects.reshape(12, -1))
        assert shaped.lambda_ == flat.lambda_
        t = subjects.mean(0) / (subjects.std(0, ddof=1) / np.sqrt(12))
        ari = ClusterTDPTransformer(3, adjacency=GRAPH, stat_type="t", df=11)
        ari.fit(t[np.newaxis], calibration=shaped)
        model = ARISecondLevelModel(
            transformer=AdaptiveTDPTransformer(0.7, adjacency=GRAPH), calibration=calibration
        ).fit(subjects)
        model.compute_contrast(output_type="tdp")
        assert ari.true_discoveries_ == [model.true_discoveries_]

    def test_several_contrasts_and_gaps(self, subjects):
        subjects[3, 2, 12] = np.nan
        design = pd.DataFrame({"a": np.repeat([1, 0], 6), "b": np.repeat([0, 1], 6)})
        model = ARISecondLevelModel(
            transformer=ClusterTDPTransformer(2, adjacency=GRAPH), missing="omit"
        ).fit(subjects, design_matrix=design)
        found = model.compute_contrasts({"a": "a", "difference": "a - b"})
        assert {name: one.shape for name, one in found.items()} == {
            "a": (6, 40),
            "difference": (6, 40),
        }
        assert model.df_imgs_["a"][2, 12] == 9
        assert "12 maps of subjects" in str(model.generate_report())

    @pytest.mark.parametrize(
        ("change", "options", "match"),
        [
            (lambda X: [X[0], X[1, :3], X[2]], {}, r"\(3, 40\) for subject 1 and \(6, 40\)"),
            (lambda X: X * 1j, {}, "complex128 for subject 0"),
            (lambda X: [X[0], "a.nii"], {}, "Got str for subject 1"),
            (lambda X: np.ma.masked_less(X, -2), {}, "must not be masked"),
            (lambda X: X, {"map": 1}, "for arrays, which hold one map"),
        ],
    )
    def test_bad_maps(self, subjects, change, options, match):
        model = ARISecondLevelModel(transformer=ClusterTDPTransformer(adjacency="lattice"))
        with pytest.raises((ValueError, TypeError), match=match):
            model.fit(change(subjects), **options)

    @pytest.mark.parametrize(
        ("parameters", "match"),
        [
            ({"smoothing_fwhm": 4}, "for arrays, whose elements have no distances"),
            ({"target_shape": (3, 3, 3), "target_affine": np.eye(4)}, "for arrays"),
            ({"mask_img": np.ones((6, 41))}, "shape of a map"),
            ({"mask_img": np.zeros((6, 40))}, "empty"),
        ],
    )
    def test_bad_parameters(self, subjects, parameters, match):
        with pytest.raises(ValueError, match=match):
            ARISecondLevelModel(
                transformer=ClusterTDPTransformer(adjacency="lattice"), **parameters
            ).fit(subjects)

    def test_a_transformer_without_neighbours(self, subjects):
        model = ARISecondLevelModel().fit(subjects)
        with pytest.raises(ValueError, match="adjacency must say which elements"):
            model.compute_contrast(output_type="tdp")
