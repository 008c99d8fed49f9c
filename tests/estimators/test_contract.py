"""What holds for every transformer of statistical maps, on every kind of image."""

import copy
import functools
import inspect
import pickle
import re
import warnings

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from nilearn.exceptions import DimensionError
from nilearn.maskers import NiftiLabelsMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from numpydoc.docscrape import ClassDoc
from pandas.testing import assert_frame_equal
from scipy import stats
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    cluster_level_inference,
    confidence_curve,
    set_bound,
)
from ari_estimator.closed_testing import Hommel, LearnedTemplate
from ari_estimator.inference import FittedMap

from ._kinds import KINDS, sheet

NAMES = ["front", "middle", "back"]

TRANSFORMERS = {
    "clusters": lambda kind: ClusterTDPTransformer([1.5, 2.5]),
    "given clusters": lambda kind: ClusterTDPTransformer(labels_img=kind.labels_img),
    "adaptive clusters": lambda kind: AdaptiveTDPTransformer([0.5, 0.8]),
    "threshold-free map": lambda kind: AdaptiveTDPTransformer(None),
    "regions": lambda kind: RegionTDPTransformer(kind.labels_img, labels=NAMES),
    "overlapping regions": lambda kind: RegionTDPTransformer(
        kind.overlapping_img, probability_threshold=0.5
    ),
}

CLASSES = pytest.mark.parametrize(
    "transformer_class", [ClusterTDPTransformer, AdaptiveTDPTransformer, RegionTDPTransformer]
)

# Kinds of images that are there as files, and those that nilearn has maskers for.
IN_FILES = pytest.mark.parametrize("kind", ["volume", "CIFTI image"], indirect=True)
WITH_MASKER = pytest.mark.parametrize("kind", ["volume", "surface"], indirect=True)


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture(params=TRANSFORMERS)
def make(request, kind):
    """Return a function from parameters to a transformer of maps of the kind."""

    def make(**parameters):
        transformer = TRANSFORMERS[request.param](kind)
        return transformer.set_params(
            **{"mask_img": kind.mask_img, **kind.parameters, **parameters}
        )

    return make


@pytest.fixture
def clusters(kind):
    """Return a function from parameters to a ClusterTDPTransformer of maps of the kind."""
    return lambda **parameters: ClusterTDPTransformer(**{**kind.parameters, **parameters})


@pytest.fixture
def z(kind):
    """Return three maps, of shape (3, n)."""
    return np.stack([kind.z(seed) for seed in range(3)])


@pytest.fixture
def img(kind):
    return kind.image(kind.z())


@pytest.fixture(name="X")
def masked_maps(kind, z):
    """Return the values of three maps in the mask."""
    return z[:, kind.mask]


def found_by(transformer, output, kind, mask=None):
    """Return what a transformer says of each map, in the same form whatever the maps were."""
    is_single = isinstance(transformer.maps_, FittedMap)

    def each(value):
        assert is_single or isinstance(value, list)
        return [value] if is_single else value

    tdp, maps = kind.rows(output, mask), each(transformer.maps_)
    labels = [None] * len(tdp)
    if not isinstance(transformer, RegionTDPTransformer):
        labels = kind.rows(transformer.labels_img_, mask)
        assert labels.dtype.kind == "i"
    forests = each(getattr(transformer, "forest_", None if is_single else [None] * len(tdp)))
    results = (each(transformer.table_), each(transformer.n_tested_))
    bounds = each(transformer.true_discoveries_)
    return list(zip(tdp, labels, maps, forests, *results, bounds, strict=True))


def assert_same(found, expected):
    """Assert that the same was found in the same maps, to the last bit."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for mine, theirs in zip(one[:2], other[:2], strict=True):
            assert_array_equal(mine, theirs)
        assert_array_equal(one[2].test.p_values, other[2].test.p_values)
        assert repr(one[2]) == repr(other[2])
        if other[3] is not None:
            for name in ("elements", "starts", "parents", "true_discoveries"):
                assert_array_equal(getattr(one[3], name), getattr(other[3], name))
        assert_frame_equal(one[4], other[4])
        assert one[5:] == other[5:]


@pytest.fixture
def one_by_one(kind, make, z):
    """Return what is found in three maps, each as an image of its own."""
    found = []
    for values in z:
        transformer = make()
        found += found_by(transformer, transformer.fit_transform(kind.image(values)), kind)
    assert len({one[-1] for one in found}) == 3
    return found


def results_of(transformer):
    """Return the names of the results that a transformer has."""
    return {
        name
        for name in ("maps_", "table_", "labels_img_", "forest_", "n_tested_", "true_discoveries_")
        if hasattr(transformer, name)
    }


class TestParameters:
    """Parameters are stored as they are, and documented attributes are there."""

    @CLASSES
    def test_init_stores_parameters_as_they_are(self, transformer_class):
        parameters = {name: object() for name in inspect.signature(transformer_class).parameters}
        transformer = transformer_class(**parameters)
        assert vars(transformer) == parameters
        assert transformer.get_params(deep=False) == parameters

    @CLASSES
    def test_all_but_the_first_are_keyword_only_and_have_a_default(self, transformer_class):
        first, *others = inspect.signature(transformer_class).parameters.values()
        assert first.kind is first.POSITIONAL_OR_KEYWORD
        assert (first.default is first.empty) == (transformer_class is RegionTDPTransformer)
        for parameter in others:
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert parameter.default is not parameter.empty

    @CLASSES
    def test_set_params_sets_and_refuses_what_is_unknown(self, transformer_class):
        transformer = transformer_class(0.5)
        assert transformer.set_params(alpha=0.1, df=3) is transformer
        assert (transformer.alpha, transformer.df) == (0.1, 3)
        with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
            transformer.set_params(treshold=3)

    @CLASSES
    def test_repr_shows_what_is_not_the_default(self, transformer_class):
        name = next(iter(inspect.signature(transformer_class).parameters))
        assert repr(transformer_class(0.25)) == f"{transformer_class.__name__}({name}=0.25)"

    def test_html_names_the_parameters_and_links_to_nobody_elses_pages(self, make, img):
        transformer = make(alpha=0.03125)
        for estimator in (transformer, clone(transformer).fit(img), make_pipeline(transformer)):
            html = estimator._repr_html_()
            assert type(transformer).__name__ in html
            assert "0.03125" in html
            assert "nilearn.github.io" not in html
        assert not re.findall(r'href="http[^"]*', transformer._repr_html_())
        assert not re.findall(r'href="http[^"]*', clone(transformer).fit(img)._repr_html_())

    def test_documented_attributes_are_there_after_fit(self, make, img):
        transformer = make().fit(img)
        documented = {attribute.name for attribute in ClassDoc(type(transformer))["Attributes"]}
        assert documented == {name for name in vars(transformer) if re.match("[a-z].*_$", name)}

    def test_mask_is_counted(self, kind, make, img):
        transformer = make().fit(img)
        n_elements = kind.mask.sum()
        assert transformer.n_elements_ == transformer.n_features_in_ == n_elements
        assert transformer.n_tested_ == transformer.maps_.n_tested == n_elements
        assert_array_equal(kind.values(transformer.mask_img_)[0] != 0, kind.mask)
        masker = type(None) if kind.masker is None else kind.masker
        assert isinstance(transformer.masker_, masker)


class TestFit:
    """fit, transform and fit_transform."""

    def test_fit_returns_self_and_leaves_parameters(self, make, img):
        transformer = make()
        before = transformer.get_params()
        assert transformer.fit(img, y=None) is transformer
        transformer.fit_transform(img, y=None)
        after = transformer.get_params()
        assert before.keys() == after.keys()
        assert all(after[name] is value for name, value in before.items())

    @pytest.mark.parametrize("form", ["single", "list", "several"])
    def test_fit_finds_what_fit_transform_finds(self, kind, make, z, one_by_one, form):
        maps, n_maps = {
            "single": (kind.image(z[0]), 1),
            "list": ([kind.image(values) for values in z], 3),
            "several": (kind.image(z), 3),
        }[form]
        transformer = make().fit(maps)
        output = transformer.transform(maps)
        assert_same(found_by(transformer, output, kind), one_by_one[:n_maps])

    def test_transform_leaves_what_was_found_in_fit(self, kind, make, z, one_by_one):
        transformer = make().fit(kind.image(z[0]))
        before = vars(transformer).copy()
        other = transformer.transform(kind.image(z[1]))
        assert_array_equal(kind.rows(other)[0], one_by_one[1][0])
        assert vars(transformer).keys() == before.keys()
        assert all(getattr(transformer, name) is before[name] for name in results_of(transformer))

    def test_fit_to_nothing_learns_the_mask_alone(self, kind, make, img, one_by_one):
        transformer = make().fit(img).fit()
        assert not results_of(transformer)
        assert transformer.n_elements_ == kind.mask.sum()
        assert_array_equal(kind.rows(transformer.transform(img))[0], one_by_one[0][0])
        assert not results_of(transformer)
        with pytest.raises(TypeError, match="Maps must be given to fit_transform. Got NoneType"):
            transformer.fit_transform(None)

    def test_results_are_those_of_the_last_fit(self, kind, make, z, one_by_one):
        transformer = make().fit([kind.image(values) for values in z])
        output = transformer.fit_transform(kind.image(z[2]))
        assert_same(found_by(transformer, output, kind), one_by_one[2:])

    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    @pytest.mark.parametrize("failure", ["parameter", "grid", "array", "constant"])
    def test_fit_that_fails_leaves_nothing(self, kind, make, img, failure, method):
        transformer = make().fit(img)
        X, match = {
            "parameter": (img, "alpha"),
            "grid": (kind.other_image, "same|grid"),
            "array": (np.zeros((1, 5)), "Got shape"),
            "constant": (kind.image(np.ones(kind.n)), "constant"),
        }[failure]
        transformer.set_params(alpha=2 if failure == "parameter" else 0.05)
        with pytest.raises(ValueError, match=match):
            getattr(transformer, method)(X)
        transformer.set_params(alpha=0.05)
        assert not results_of(transformer)
        assert not hasattr(transformer, "region_names_")
        with pytest.raises(NotFittedError):
            transformer.transform(img)

    @pytest.mark.parametrize(
        ("call", "match"),
        [
            (lambda transformer, img: transformer.transform(img), "instance is not fitted"),
            (lambda transformer, img: transformer.get_feature_names_out(), "is not fitted"),
            (lambda transformer, img: transformer.generate_report(), "has seen no map yet"),
            (lambda transformer, img: set_bound(transformer, mask_img=img), "seen no map yet"),
            (lambda transformer, img: confidence_curve(transformer), "seen no map yet"),
        ],
        ids=["transform", "get_feature_names_out", "generate_report", "set_bound", "curve"],
    )
    def test_nothing_works_before_fit(self, make, img, call, match):
        for transformer in (make(), clone(make().fit(img))):
            with pytest.raises(NotFittedError, match=match):
                call(transformer, img)

    def test_maps_and_mask_are_left_as_they_were(self, kind, make, z):
        mask_img = kind.mask_img
        for values in (z, z[:1], z[0]):
            img = kind.image(values.copy())
            maps = img if values.ndim == 2 else [img]
            make(mask_img=mask_img, two_sided=True).fit(maps).transform(maps)
            assert img.shape == kind.image(values).shape
            assert_array_equal(kind.values(img), np.atleast_2d(values))
        assert_array_equal(kind.values(mask_img)[0], kind.mask)


def as_objects(images):
    """Return images in an array."""
    array = np.empty(len(images), dtype=object)
    array[:] = images
    return array


SEVERAL = {
    "list": list,
    "tuple": tuple,
    "Series": pd.Series,
    "array": as_objects,
    "column of an array": lambda images: as_objects(images)[:, np.newaxis],
    "column of a table": lambda images: pd.DataFrame({"map": images}),
}

ARRAYS = {
    "array": np.asarray,
    "column-major array": np.asfortranarray,
    "table": pd.DataFrame,
    "table with names": lambda X: pd.DataFrame(X, columns=[f"v{i}" for i in range(X.shape[1])]),
}


class TestForms:
    """Maps may come in many forms, and results are in the same form."""

    @pytest.mark.parametrize("form", SEVERAL)
    def test_several_images(self, kind, make, z, one_by_one, form):
        images = [kind.image(values) for values in z]
        maps = SEVERAL[form](images)
        transformer = make()
        output = transformer.fit_transform(maps)
        assert_same(found_by(transformer, output, kind), one_by_one)
        again = transformer.transform(maps)
        assert_array_equal(kind.rows(again), kind.rows(output))
        if isinstance(transformer, RegionTDPTransformer):
            assert isinstance(output, np.ndarray)
        else:
            for images_out in (output, again, transformer.labels_img_):
                assert isinstance(images_out, list)
                assert [type(one) for one in images_out] == [type(one) for one in images]
                assert [one.shape for one in images_out] == [one.shape for one in images]

    @IN_FILES
    @pytest.mark.parametrize("form", SEVERAL)
    @pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
    def test_paths_of_several_images(self, kind, make, z, one_by_one, tmp_path, form, as_path):
        paths = [
            as_path(kind.save(kind.image(values), tmp_path / f"z{i}")) for i, values in enumerate(z)
        ]
        maps = np.array(paths) if form == "array" else SEVERAL[form](paths)
        transformer = make()
        assert_same(found_by(transformer, transformer.fit_transform(maps), kind), one_by_one)
        single = make()
        assert_same(found_by(single, single.fit_transform(paths[1]), kind), one_by_one[1:2])

    @pytest.mark.parametrize("n_maps", [1, 3])
    def test_image_of_several_maps(self, kind, make, z, one_by_one, n_maps):
        img = kind.image(z[:n_maps])
        transformer = make()
        output = transformer.fit_transform(img)
        # An image of one map is a single map, whatever its shape.
        assert isinstance(transformer.table_, pd.DataFrame if n_maps == 1 else list)
        assert_same(found_by(transformer, output, kind), one_by_one[:n_maps])
        if not isinstance(transformer, RegionTDPTransformer):
            for image in (output, transformer.labels_img_):
                assert type(image) is type(img)
                assert image.shape == img.shape

    @pytest.mark.parametrize("form", ARRAYS)
    def test_array(self, kind, make, X, one_by_one, form):
        before = X.copy()
        transformer = make()
        output = transformer.fit_transform(ARRAYS[form](X))
        assert isinstance(output, np.ndarray)
        assert output.dtype == np.float64
        assert_same(found_by(transformer, output, kind), one_by_one)
        assert_array_equal(transformer.transform(ARRAYS[form](X)), output)
        assert_array_equal(X, before)

    def test_single_map(self, kind, make, img, X, one_by_one):
        for maps in (img, X[0]):
            transformer = make()
            output = transformer.fit_transform(maps)
            assert isinstance(transformer.maps_, FittedMap)
            assert isinstance(transformer.n_tested_, int)
            assert isinstance(transformer.true_discoveries_, int)
            assert_same(found_by(transformer, output, kind), one_by_one[:1])
            if isinstance(transformer, RegionTDPTransformer):
                assert output.shape == (1, 3)
            elif maps is img:
                assert type(output) is type(transformer.labels_img_) is type(img)
            else:
                assert output.shape == transformer.labels_img_.shape == X[0].shape

    def test_one_map_in_a_list_or_an_array_of_one_row_gives_lists(self, kind, make, img, X):
        for maps in ([img], X[:1]):
            transformer = make()
            assert len(transformer.fit_transform(maps)) == 1
            for name in results_of(transformer) - {"labels_img_"}:
                assert isinstance(getattr(transformer, name), list), name
                assert len(getattr(transformer, name)) == 1, name

    @pytest.mark.parametrize("dtype", ["float32", "int32", ">f8"])
    def test_values_of_every_type_are_tested_as_doubles(self, kind, make, X, dtype):
        given = np.round(3 * X).astype(dtype)
        transformer, of_doubles = make(), make()
        found = found_by(transformer, transformer.fit_transform(given), kind)
        expected = of_doubles.fit_transform(given.astype(float))
        assert found[0][0].dtype == np.float64
        assert_same(found, found_by(of_doubles, expected, kind))
        p_values = np.sort(transformer.maps_[0].test.p_values)
        assert_allclose(p_values, np.sort(stats.norm.sf(given[0].astype(float))), rtol=1e-13)


ROUND_TRIPS = {
    "pickle": lambda given, folder: pickle.loads(pickle.dumps(given)),
    "cloudpickle": lambda given, folder: cloudpickle.loads(cloudpickle.dumps(given)),
    "joblib": lambda given, folder: joblib.load(*joblib.dump(given, folder / "stored.joblib")),
    "deepcopy": lambda given, folder: copy.deepcopy(given),
}

TRIPS = pytest.mark.parametrize("round_trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())


def remade(mesh, shift=0.0):
    """Return the parts of a mesh as new objects, moved by some mm."""
    return {
        name: InMemoryMesh(part.coordinates + np.float32(shift), part.faces.copy())
        for name, part in mesh.parts.items()
    }


def values_read_by_fit(kind, transformer, folder):
    """Return (name, value, equal values, another value) of parameters that fit reads."""
    fewer = kind.mask.copy()
    fewer[np.flatnonzero(fewer)[0]] = False
    fewer_img = kind.image(fewer.astype("uint8"))
    yield "mask_img", kind.mask_img, [kind.mask_img], fewer_img
    if kind.masker:
        one, same, other = (
            kind.masker(img, standardize=None) for img in (kind.mask_img, kind.mask_img, fewer_img)
        )
        yield "mask_img", one, [same], other
        yield "mask_img", one.fit(), [clone(same).fit()], clone(other).fit()
    if kind.suffix:
        path = kind.save(kind.mask_img, folder / "mask")
        for as_path in (str, type(path)):
            yield "mask_img", as_path(path), [as_path(str(path))], as_path(folder / "other")
    if kind.parameters:
        moved = remade(kind.mesh, 0.5)
        yield "mesh", kind.mesh, [PolyMesh(**remade(kind.mesh))], PolyMesh(**moved)
        yield "mesh", kind.mesh.parts, [remade(kind.mesh)], moved
    labels_img = transformer.get_params().get("labels_img")
    if labels_img is None:
        return
    (values,) = kind.values(labels_img)[:1]
    if len(kind.values(labels_img)) == 1:
        yield "labels_img", labels_img, [kind.labels_img], kind.image(np.roll(values, 1))
    else:
        other = kind.image(kind.values(labels_img)[::-1])
        yield "labels_img", labels_img, [kind.overlapping_img], other
        yield "probability_threshold", 0.5, [np.float64(0.5)], 0.25
    yield "resampling_target", None, [], "data"
    if isinstance(transformer, RegionTDPTransformer):
        alike = [tuple(NAMES), np.array(NAMES), pd.Series(NAMES, index=[4, 5, 6])]
        yield "labels", NAMES, [list(NAMES), *alike], [*NAMES[1:], NAMES[0]]
        yield "labels", np.array(NAMES), alike, np.array([*NAMES[:2], "other"])
        lut = pd.DataFrame({"index": [3, 7, 40], "name": NAMES, "area": [1, np.nan, 2]})
        if transformer.probability_threshold is None:
            other = lut.assign(name=NAMES[::-1])
            yield "lut", lut, [lut.copy(), lut[["index", "name", "area"]]], other
            yield "background_label", 0, [np.int64(0), 0.0], 3


class TestCopies:
    """Copies give the same results; what fit has read cannot be changed after it."""

    def test_clone_gives_the_same(self, kind, make, img):
        transformer = make(alpha=0.2, two_sided=True)
        found = found_by(transformer, transformer.fit_transform(img), kind)
        cloned = clone(transformer)
        assert_same(found_by(cloned, cloned.fit_transform(img), kind), found)

    @TRIPS
    def test_stored_transformer_gives_the_same(self, kind, make, z, round_trip, tmp_path):
        images = [kind.image(values) for values in z]
        for mask_img in kind.masks(tmp_path).values():
            transformer = make(mask_img=mask_img, alpha=0.2)
            found = found_by(transformer, transformer.fit_transform(images), kind)
            restored = round_trip(transformer, tmp_path)
            assert_same(found_by(restored, restored.transform(images), kind), found)
            bound, other = (
                set_bound(t, mask_img=kind.image(kind.z() > 1.0), map_index=1)
                if kind.name == "surface"
                else set_bound(t, mask_img=kind.image((kind.z() > 1).astype("uint8")), map_index=1)
                for t in (transformer, restored)
            )
            assert bound == other
            assert_same(found_by(restored, restored.fit_transform(images), kind), found)

    def test_equal_value_is_no_change_and_another_one_is_refused(self, kind, make, img, tmp_path):
        n_values = 0
        for name, value, equal, other in values_read_by_fit(kind, make(), tmp_path):
            parameters = {name: value} | ({"labels": None} if name == "lut" else {})
            transformer = make(**parameters)
            found = kind.rows(transformer.fit_transform(img))
            for same in equal:
                transformer.set_params(**{name: same})
                assert_array_equal(kind.rows(transformer.transform(img)), found)
            transformer.set_params(**{name: other})
            match = rf"{name} was set after fit, which reads it\. Call fit again\."
            with pytest.raises(NotFittedError, match=match):
                transformer.transform(img)
            transformer.set_params(**{name: value})
            assert_array_equal(kind.rows(transformer.transform(img)), found)
            n_values += 1
        assert n_values >= 3

    def test_parameters_of_the_test_take_effect_at_once(self, kind, make, img):
        changes = [
            {"alpha": 0.4},
            {"local_test": "hommel"},
            {"two_sided": True},
            {"stat_type": "t", "df": 12},
        ]
        own = make().get_params()
        if "tdp_threshold" in own:
            changes += [{"tdp_threshold": 0.3}, {"cluster_threshold": 5}]
        elif own.get("threshold") is not None:
            changes += [{"threshold": 1.8}, {"cluster_threshold": 5}]
            changes += [{"threshold": 0.02, "threshold_scale": "p"}]
        if "cluster_threshold" in own and own.get("labels_img") is None and kind.name != "surface":
            changes += [{"connectivity": 26}]
        transformer = make().fit(img)
        before = kind.rows(transformer.transform(img))
        n_changed = 0
        for change in changes:
            expected = kind.rows(make(**change).fit_transform(img))
            assert_array_equal(kind.rows(transformer.set_params(**change).transform(img)), expected)
            n_changed += (expected != before).any()
            transformer = make().fit(img)
        assert n_changed >= len(changes) - 1

    @TRIPS
    @pytest.mark.parametrize("kind", ["volume"], indirect=True)
    def test_transformer_of_a_calibration_gives_the_same(self, kind, make, round_trip, tmp_path):
        rng = np.random.default_rng(3)
        data = rng.standard_normal((12, kind.mask.sum()))
        data[:, :40] += 1.5
        calibration = PermutationCalibration(
            LearnedTemplate.from_p_values(rng.random((20, data.shape[1])), k_max=50),
            n_permutations=30,
            blocks=np.repeat(np.arange(6), 2),
            random_state=np.random.RandomState(0),
        )
        other = round_trip(calibration, tmp_path)
        assert_array_equal(calibration.fit(data).t_values_, other.fit(data).t_values_)
        assert calibration.lambda_ == other.lambda_
        transformer = make(stat_type="t", df=11)
        output = transformer.fit_transform(calibration.t_values_, calibration=calibration)
        assert transformer.true_discoveries_ > 0
        restored = round_trip(transformer, tmp_path)
        assert_same(found_by(restored, output, kind), found_by(transformer, output, kind))
        assert set_bound(restored, mask_img=kind.mask_img) == set_bound(
            transformer, mask_img=kind.mask_img
        )
        again = make(stat_type="t", df=11)
        again.fit(calibration.t_values_, calibration=round_trip(calibration, tmp_path))
        assert_same(found_by(again, output, kind), found_by(transformer, output, kind))


class TestContainers:
    """Arrays may come out as tables, and columns have names."""

    def test_pandas_output_has_names_of_columns(self, make, X):
        plain = make().fit_transform(X)
        transformer = make().set_output(transform="pandas")
        output = transformer.fit_transform(X)
        assert_array_equal(output.to_numpy(), plain)
        assert output.columns.tolist() == transformer.get_feature_names_out().tolist()
        assert_frame_equal(transformer.transform(X), output)
        assert transformer.transform(X[0]).shape == (1, plain.shape[1])

    def test_pandas_output_keeps_the_index(self, make, X):
        table = pd.DataFrame(X, index=["sub-1", "sub-2", "sub-3"])
        transformer = make().set_output(transform="pandas")
        assert transformer.fit_transform(table).index.equals(table.index)
        assert transformer.transform(table[1:]).index.tolist() == ["sub-2", "sub-3"]

    def test_polars_output_goes_in_again(self, make, X):
        pl = pytest.importorskip("polars")
        transformer = make().set_output(transform="polars")
        output = transformer.fit_transform(X)
        plain = make().fit_transform(X)
        assert isinstance(output, pl.DataFrame)
        assert_array_equal(output.to_numpy(), plain)
        assert output.columns == transformer.get_feature_names_out().tolist()
        # As in a pipeline, after a step with polars output.
        assert_array_equal(transformer.transform(pl.from_numpy(X)).to_numpy(), plain)

    def test_images_stay_images_and_regions_of_images_become_tables(self, kind, make, z):
        images = [kind.image(values) for values in z]
        expected = kind.rows(make().fit_transform(images))
        transformer = make().set_output(transform="pandas")
        with config_context(transform_output="pandas"):
            outputs = (transformer.fit_transform(images), make().fit_transform(images))
        for output in outputs:
            is_table = isinstance(output, pd.DataFrame)
            assert is_table == isinstance(transformer, RegionTDPTransformer)
            assert_array_equal(kind.rows(output), expected)

    def test_container_is_kept_handed_on_and_followed(self, make, X):
        transformer = make().set_output(transform="pandas")
        assert transformer.set_output() is transformer
        with config_context(transform_output="pandas"):
            outputs = [make().fit_transform(X), transformer.fit_transform(X)]
            default = make().set_output(transform="default").fit_transform(X)
        outputs += [clone(transformer).fit_transform(X), transformer.transform(X)]
        pipeline = make_pipeline(make()).set_output(transform="pandas")
        outputs += [pipeline.fit_transform(X)]
        assert all(isinstance(output, pd.DataFrame) for output in outputs)
        assert isinstance(default, np.ndarray)
        assert isinstance(make().fit_transform(X), np.ndarray)

    @CLASSES
    @pytest.mark.parametrize("value", ["arrow", "numpy", "", True])
    def test_unknown_container_is_refused(self, transformer_class, value):
        with pytest.raises(ValueError, match=rf"transform must be .* Got {value!r}"):
            transformer_class(0.5).set_output(transform=value)

    def test_names_of_columns(self, kind, make):
        transformer, n = make().fit(), kind.mask.sum()
        names = transformer.get_feature_names_out()
        assert names.dtype == object
        if isinstance(transformer, RegionTDPTransformer):
            assert names.tolist() == transformer.region_names_
            return
        assert names.tolist() == [f"{kind.element}_{i}" for i in range(n)]
        given = [f"v{i}" for i in range(n)]
        assert transformer.get_feature_names_out(given).tolist() == given
        with pytest.raises(ValueError, match=rf"input_features must have shape \({n},\)"):
            transformer.get_feature_names_out(["a", "b"])

    def test_table_of_other_columns_is_refused_in_the_words_of_sklearn(self, make, X):
        table = pd.DataFrame(X, columns=[f"v{i}" for i in range(X.shape[1])])
        transformer = make().fit(table)
        assert transformer.feature_names_in_.tolist() == table.columns.tolist()
        output = transformer.transform(table)
        match = "The feature names should match those that were passed during fit"
        for other in (table[table.columns[::-1]], table.rename(columns={"v3": "w"})):
            with pytest.raises(ValueError, match=match):
                transformer.transform(other)
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            assert_array_equal(transformer.transform(X), output)
        if not isinstance(transformer, RegionTDPTransformer):
            assert transformer.get_feature_names_out().tolist() == table.columns.tolist()
            with pytest.raises(ValueError, match="input_features is not equal to feature_names_in"):
                transformer.get_feature_names_out(table.columns[::-1])
        # Another fit forgets the names, and images have none.
        assert not hasattr(transformer.fit(X), "feature_names_in_")
        with pytest.warns(UserWarning, match="X has feature names, but"):
            transformer.transform(table)


class TestPipelines:
    """As a step among others."""

    @WITH_MASKER
    @pytest.mark.parametrize("is_cloned", [False, True], ids=["as given", "cloned"])
    @pytest.mark.parametrize("is_shared", [False, True], ids=["mask", "masker"])
    def test_masker_before_gives_arrays(self, kind, make, z, X, is_cloned, is_shared):
        masker = kind.masker(kind.mask_img, standardize=None)
        pipeline = make_pipeline(masker, make(mask_img=masker if is_shared else kind.mask_img))
        pipeline = clone(pipeline) if is_cloned else pipeline
        output = pipeline.fit_transform(kind.image(z))
        assert isinstance(output, np.ndarray)
        # Maskers of nilearn give single precision.
        assert_allclose(output, make().fit_transform(X), atol=1e-6)
        assert_array_equal(pipeline.transform(kind.image(z)), output)
        assert len(pipeline[-1].table_) == 3
        name = f"{type(pipeline[-1]).__name__.lower()}__alpha"
        pipeline.set_params(**{name: 0.4})
        expected = make(alpha=0.4).fit_transform(X)
        assert_allclose(pipeline.fit_transform(kind.image(z)), expected, atol=1e-6)
        # One map.
        single = np.ravel(pipeline.fit_transform(kind.image(z[1])))
        assert_allclose(single, expected[1], atol=1e-6)

    @WITH_MASKER
    def test_array_goes_back_to_an_image_with_the_masker(self, kind, make, z):
        masker = kind.masker(kind.mask_img, standardize=None).fit()
        transformer = make(mask_img=masker)
        output = transformer.fit_transform(z[:, kind.mask])
        assert transformer.masker_ is masker
        if isinstance(transformer, RegionTDPTransformer):
            assert_allclose(
                kind.values(transformer.inverse_transform(output)).max(1), output.max(1)
            )
        else:
            assert_allclose(kind.rows(masker.inverse_transform(output)), output, atol=1e-6)

    @WITH_MASKER
    def test_masker_that_changes_values_is_warned_of(self, kind, make, img, X):
        masker = kind.masker(kind.mask_img, standardize="zscore_sample", reports=False)
        with pytest.warns(
            UserWarning, match=r"standardize='zscore_sample'\. Only its mask is used"
        ):
            output = make(mask_img=masker).fit_transform(img)
        assert_array_equal(kind.rows(output), kind.rows(make().fit_transform(img)))
        with pytest.warns(UserWarning, match=r"standardize=.* null distribution"):
            make(mask_img=masker).fit(X)

    @pytest.mark.parametrize("kind", ["volume"], indirect=True)
    def test_labels_masker_behind_gives_means_of_regions(self, kind, make, z):
        if isinstance(make(), RegionTDPTransformer):
            make = functools.partial(AdaptiveTDPTransformer, 0.5, mask_img=kind.mask_img)
        behind = NiftiLabelsMasker(kind.labels_img, standardize=None, reports=False)
        means = make_pipeline(make(), behind).fit_transform(kind.image(z))
        tdp = kind.values(make().fit_transform(kind.image(z)))
        expected = [tdp[:, kind.labels == label].mean(1) for label in (3, 7, 40)]
        assert_allclose(means, np.transpose(expected), rtol=1e-6)
        assert means.max() > 0

    def test_feature_union_joins_arrays(self, make, X):
        levels = (0.01, 0.4)
        union = FeatureUnion([(f"alpha{alpha}", make(alpha=alpha)) for alpha in levels])
        both = union.fit_transform(X)
        apart = [make(alpha=alpha).fit_transform(X) for alpha in levels]
        assert_array_equal(both, np.hstack(apart))
        names = make().fit(X).get_feature_names_out()
        expected = [f"alpha{alpha}__{name}" for alpha in levels for name in names]
        assert union.get_feature_names_out().tolist() == expected

    @WITH_MASKER
    def test_model_tests_its_z_map(self, kind, make):
        rng = np.random.default_rng(11)
        subjects = 0.3 * kind.z() + rng.standard_normal((12, kind.n))
        images = [kind.image(values) for values in subjects]
        transformer = make(mask_img=None, two_sided=True)
        model = ARISecondLevelModel(mask_img=kind.mask_img, transformer=transformer)
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(12)}))
        output = model.compute_contrast("intercept", output_type="tdp")
        alone = make(two_sided=True)
        z_img = model.compute_contrast("intercept", output_type="z_score")
        expected = found_by(alone, alone.fit_transform(z_img), kind)
        assert alone.true_discoveries_ > 0
        assert_same(found_by(model.transformer_, output, kind), expected)
        for name in results_of(alone):
            assert getattr(model, name) is getattr(model.transformer_, name)
        assert hasattr(model, "labels_img_") == hasattr(alone, "labels_img_")
        assert not results_of(transformer)
        assert_array_equal([kind.values(img)[0] for img in images], subjects)
        # The next contrast is tested with what is set then.
        model.set_params(transformer__alpha=0.4)
        output = model.compute_contrast("intercept", output_type="tdp")
        expected = make(two_sided=True, alpha=0.4).fit_transform(z_img)
        assert_array_equal(kind.rows(output), kind.rows(expected))


class TestWords:
    """What is printed."""

    def test_verbose_prints_a_line_for_each_map(self, kind, make, z, capsys):
        transformer = make(verbose=1).fit([kind.image(values) for values in z])
        what = "regions" if isinstance(transformer, RegionTDPTransformer) else "clusters"
        elements = {"vertex": "vertices"}.get(kind.element, f"{kind.element}s")
        expected = [
            f"[{type(transformer).__name__}] {kind.mask.sum()} {elements} tested, as z values: "
            f"at least {bound} true discoveries; {len(table) - 1} {what}"
            for bound, table in zip(transformer.true_discoveries_, transformer.table_, strict=True)
        ]
        assert capsys.readouterr().out.splitlines() == expected

    @pytest.mark.filterwarnings("error")
    def test_default_is_silent(self, make, img, X, capfd):
        for maps in (img, [img, img], X):
            make().fit(maps).transform(maps)
        assert capfd.readouterr() == ("", "")


class TestValues:
    """Values that are missing, infinite, or of the other sign."""

    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    def test_nan_is_as_if_masked_out(self, kind, make, z, two_sided):
        is_nan = np.random.default_rng(5).random(kind.n) < 0.1
        smaller = kind.mask & ~is_nan
        n_nan, n_mask = (is_nan & kind.mask).sum(), kind.mask.sum()
        transformer = make(two_sided=two_sided)
        with pytest.warns(UserWarning, match="NaN") as record:
            output = transformer.fit_transform(kind.image(np.where(is_nan, np.nan, z[0])))
        assert len(record) == 1
        message = str(record[0].message)
        assert re.search(rf"NaN in {n_nan} of the {n_mask} .* has {n_mask - n_nan} ", message)
        masked = make(two_sided=two_sided, mask_img=kind.image(smaller.astype("uint8")))
        expected = masked.fit_transform(kind.image(z[0]))
        assert kind.rows(expected, smaller).any()
        found, same = (
            found_by(t, out, kind, smaller)
            for t, out in ((transformer, output), (masked, expected))
        )
        assert_same(found, same)
        # In an array as well.
        values = np.where(is_nan, np.nan, z[0])[kind.mask]
        with pytest.warns(UserWarning, match=f"NaN in {n_nan} of"):
            of_array = make(two_sided=two_sided).fit_transform(values)
        assert_array_equal(np.atleast_2d(of_array), kind.rows(output))

    def test_each_map_with_nan_is_warned_of(self, kind, make, X):
        X[0, 0] = np.nan
        X[2, :5] = np.nan
        transformer = make()
        with pytest.warns(UserWarning, match="NaN in") as record:
            transformer.fit(X)
        assert [int(re.search(r"NaN in (\d+)", str(w.message))[1]) for w in record] == [1, 5]
        n = kind.mask.sum()
        assert transformer.n_tested_ == [n - 1, n, n - 5]

    @pytest.mark.filterwarnings("error")
    def test_nan_outside_of_the_mask_does_not_matter(self, kind, make, z, one_by_one):
        transformer = make()
        output = transformer.fit_transform(kind.image(np.where(kind.mask, z[0], np.nan)))
        assert_same(found_by(transformer, output, kind), one_by_one[:1])

    def test_infinite_values_stay_in(self, kind, make, z):
        first, second, third = np.flatnonzero(kind.mask)[:3]
        infinite, large = z[0].copy(), z[0].copy()
        infinite[[first, second, third]] = np.inf, -np.inf, np.inf
        # Their p-values are 0 and 1 as well.
        large[[first, second, third]] = 1e9, -1e9, 1e9
        for two_sided in (False, True):
            one, other = make(two_sided=two_sided), make(two_sided=two_sided)
            output = one.fit_transform(kind.image(infinite))
            expected = other.fit_transform(kind.image(large))
            assert one.n_tested_ == kind.mask.sum()
            assert one.true_discoveries_ == other.true_discoveries_
            assert one.table_["peak_stat"].abs().max() == np.inf
            if "threshold-free" not in repr(one) and not hasattr(one, "forest_"):
                assert_array_equal(kind.rows(output), kind.rows(expected))
            p_values = one.maps_.test.p_values
            assert ((p_values == 0).sum(), (p_values == 1).sum()) == (
                (3, 0) if two_sided else (2, 1)
            )

    def test_sign_of_a_two_sided_map_is_of_no_importance(self, kind, make, img, z):
        one, other = make(two_sided=True), make(two_sided=True)
        output, of_negated = one.fit_transform(img), other.fit_transform(kind.image(-z[0]))
        assert kind.rows(output).any()
        assert_array_equal(kind.rows(of_negated), kind.rows(output))
        assert_array_equal(
            -other.table_["peak_stat"].abs().sort_values(),
            -one.table_["peak_stat"].abs().sort_values(),
        )
        assert one.true_discoveries_ == other.true_discoveries_ > make().fit(img).true_discoveries_

    def test_family_is_the_same_whatever_the_sets(self, kind, make, img, z):
        transformer = make().fit(img)
        p_values = stats.norm.sf(z[0][kind.mask])
        hommel = Hommel(p_values)
        assert_allclose(np.sort(transformer.maps_.test.p_values), np.sort(p_values), rtol=1e-13)
        assert transformer.true_discoveries_ == hommel.true_discoveries() > 0
        members = (z[0] > 1)[kind.mask]
        indices = {"vertex": None}.get(kind.element, np.argwhere(kind.mask & (z[0] > 1)))
        bound = set_bound(transformer, mask_img=kind.image((z[0] > 1).astype("uint8")))
        assert bound.n_tested == members.sum()
        assert bound.true_discoveries == hommel.critical_vector().true_discoveries(
            p_values[members]
        )
        assert indices is None or len(indices) == members.sum()
        assert len(confidence_curve(transformer)) == kind.mask.sum()
