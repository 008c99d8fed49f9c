"""What holds for every transformer of statistical maps, on every kind of image."""

import functools
import inspect
import re
import warnings
from collections.abc import Sequence
from copy import copy

import numpy as np
import pandas as pd
import pytest
from nibabel.cifti2 import Cifti2Image, ScalarAxis
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
    confidence_curve,
    set_bound,
)
from ari_estimator.closed_testing import Hommel, LearnedTemplate
from ari_estimator.images._declared import Declaration, remember_declarations
from ari_estimator.inference import FittedMap

from ._kinds import KINDS

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


def made(name, kind, **parameters):
    """Return a transformer of maps of a kind, with the mask of the kind."""
    transformer = TRANSFORMERS[name](kind)
    return transformer.set_params(**{"mask_img": kind.mask_img, **kind.parameters, **parameters})


@pytest.fixture(params=TRANSFORMERS)
def make(request, kind):
    """Return a function from parameters to a transformer of maps of the kind."""
    return functools.partial(made, request.param, kind)


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
        assert is_single or isinstance(value, Sequence)
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


@functools.cache
def found_one_by_one(name, kind):
    found = []
    for seed in range(3):
        transformer = made(name, kind)
        found += found_by(transformer, transformer.fit_transform(kind.image(kind.z(seed))), kind)
    assert len({one[-1] for one in found}) == 3
    return found


@pytest.fixture
def one_by_one(kind, make):
    """Return what is found in three maps, each as an image of its own."""
    return found_one_by_one(make.args[0], kind)


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
        assert documented == {name for name in dir(transformer) if re.match("[a-z].*_$", name)}
        assert all(hasattr(transformer, name) for name in documented)

    def test_no_documented_attribute_is_there_before_fit(self, make):
        documented = {attribute.name for attribute in ClassDoc(type(make()))["Attributes"]}
        assert not [name for name in documented if hasattr(make(), name)]

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
        with pytest.raises(TypeError, match="Maps must be given to fit_transform"):
            transformer.fit_transform(None)

    def test_last_fit_gives_the_results(self, kind, make, z, one_by_one):
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
            (lambda transformer, img: transformer.generate_report(), "was not fitted to a map yet"),
            (
                lambda transformer, img: set_bound(transformer, mask_img=img),
                "not fitted to a map",
            ),
            (lambda transformer, img: confidence_curve(transformer), "not fitted to a map"),
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
    @pytest.mark.parametrize("form", ["tuple", "Series", "column of a table", "array of str"])
    def test_paths_of_several_images(self, kind, make, z, one_by_one, tmp_path, form):
        images = [kind.image(values) for values in z]
        paths = [kind.save(img, tmp_path / f"z{i}") for i, img in enumerate(images)]
        paths[0] = str(paths[0])
        maps = np.array(paths, dtype=str) if form == "array of str" else SEVERAL[form](paths)
        transformer = make()
        assert_same(found_by(transformer, transformer.fit_transform(maps), kind), one_by_one)
        for i in (0, 1):
            output = transformer.fit_transform(paths[i])
            assert_same(found_by(transformer, output, kind), one_by_one[i : i + 1])

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
                assert isinstance(getattr(transformer, name), Sequence), name
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
        yield "mask_img", kind.mask_img, [], kind.masker(kind.mask_img)
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
    values = kind.values(labels_img)
    is_of_labels = len(values) == 1
    same, other = (kind.image(np.squeeze(v)) for v in (values, np.roll(values, 1, axis=-1)))
    yield "labels_img", labels_img, [same], other
    if kind.masker:
        masker = kind.labels_masker if is_of_labels else kind.maps_masker
        yield "labels_img", masker(labels_img), [masker(same)], masker(other)
    if not is_of_labels:
        yield "probability_threshold", 0.5, [np.float64(0.5)], 0.25
    yield "resampling_target", None, [], "data"
    if isinstance(transformer, RegionTDPTransformer):
        alike = [tuple(NAMES), np.array(NAMES), pd.Index(NAMES)]
        yield "labels", NAMES, [list(NAMES), *alike], [*NAMES[1:], NAMES[0]]
        yield "labels", np.array(NAMES), alike, np.array([*NAMES[:2], "other"])
        lut = pd.DataFrame({"index": [3, 7, 40], "name": NAMES, "area": [1, np.nan, 2]})
        if is_of_labels:
            other = lut.assign(name=NAMES[::-1])
            yield "lut", lut, [lut.copy(), lut[["index", "name", "area"]]], other
            yield "background_label", 0, [np.int64(0)], 3


class TestCopies:
    """Copies give the same results; what fit has read cannot be changed after it."""

    def test_clone_gives_the_same(self, kind, make, img):
        transformer = make(alpha=0.2, two_sided=True)
        found = found_by(transformer, transformer.fit_transform(img), kind)
        cloned = clone(transformer)
        assert_same(found_by(cloned, cloned.fit_transform(img), kind), found)

    def test_stored_transformer_gives_the_same(self, kind, make, z, copied, tmp_path):
        images = [kind.image(values) for values in z[:2]]
        masks = kind.masks(tmp_path)
        for form in masks.keys() & {"image", "masker", "fitted masker", "path"}:
            transformer = make(mask_img=masks[form], alpha=0.2)
            found = found_by(transformer, transformer.fit_transform(images), kind)
            restored = copied(transformer)
            assert_same(found_by(restored, restored.transform(images), kind), found)
            a_set = {"mask_img": kind.image((kind.z() > 1).astype("uint8")), "map_index": 1}
            assert set_bound(restored, **a_set) == set_bound(transformer, **a_set)
            assert_same(found_by(restored, restored.fit_transform(images), kind), found)

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    @pytest.mark.parametrize("which", [0, slice(1), slice(2)], ids=["one", "row", "rows"])
    @pytest.mark.parametrize("has_nan", [False, True], ids=["whole", "with NaN"])
    @pytest.mark.filterwarnings("ignore:The map is NaN")
    def test_a_fitted_map_does_not_change_with_the_array(
        self, kind, make, X, dtype, which, has_nan
    ):
        values = X[which].astype(dtype)
        values[..., 0] = np.nan if has_nan else 0
        transformer, untouched = make().fit(values), make().fit(values.copy())
        values[:] = 9
        both = [one.maps_ if which == 0 else one.maps_[0] for one in (transformer, untouched)]
        assert both[0].bounds.of_set() == both[1].bounds.of_set()
        assert_array_equal(both[0].test.p_values, both[1].test.p_values)
        assert_frame_equal(both[0].table, both[1].table)

    def test_equal_value_is_no_change_and_another_one_is_refused(self, kind, make, img, tmp_path):
        n_values = 0
        for name, value, equal, other in values_read_by_fit(kind, make(), tmp_path):
            transformer = make(**{name: value})
            if name in ("lut", "labels_img") and hasattr(transformer, "labels"):
                transformer.set_params(labels=None)  # a table or a masker has names
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

    @pytest.mark.parametrize("kind", ["volume"], indirect=True)
    def test_transformer_of_a_calibration_gives_the_same(self, kind, make, copied):
        rng = np.random.default_rng(3)
        data = rng.standard_normal((30, kind.mask.sum()))
        data[:, :20] += 1
        calibration = PermutationCalibration(
            LearnedTemplate.from_p_values(rng.random((200, data.shape[1])), k_max=10),
            n_permutations=100,
            blocks=np.repeat(np.arange(15), 2),
            random_state=np.random.RandomState(0),
        )
        other = copied(calibration).fit(data, alpha=0.2)
        assert other.lambda_ == calibration.fit(data, alpha=0.2).lambda_
        assert_array_equal(other.statistic_, calibration.statistic_)
        transformer = make(stat_type="t", df=29, alpha=0.2)
        output = transformer.fit_transform(calibration.statistic_, calibration=calibration)
        assert transformer.true_discoveries_ > 0
        restored = copied(transformer)
        assert_same(found_by(restored, output, kind), found_by(transformer, output, kind))
        assert set_bound(restored, mask_img=kind.mask_img) == set_bound(
            transformer, mask_img=kind.mask_img
        )
        again = make(stat_type="t", df=29, alpha=0.2)
        again.fit(calibration.statistic_, calibration=copied(calibration))
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
        table = pl.from_numpy(X)
        transformer = make().set_output(transform="polars")
        output = transformer.fit_transform(table)
        assert isinstance(output, pl.DataFrame)
        assert_array_equal(output.to_numpy(), make().fit_transform(X))
        assert output.columns == transformer.get_feature_names_out().tolist()
        assert transformer.transform(table).equals(output)

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
        pipeline = make_pipeline(make(), behind)
        means = pipeline.fit_transform(kind.image(z))
        tdp = kind.values(make().fit_transform(kind.image(z)))
        expected = [tdp[:, kind.labels == label].mean(1) for label in (3, 7, 40)]
        assert_allclose(means, np.transpose(expected), rtol=1e-6)
        assert means.max() > 0
        of_list = pipeline.fit_transform([kind.image(values) for values in z])
        assert_allclose(np.reshape(of_list, means.shape), means, rtol=1e-6)

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

    def test_verbose_2_prints_a_line_for_each_map(self, kind, make, z, capsys):
        transformer = make(verbose=2).fit([kind.image(values) for values in z])
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


def log_p_of(z):
    """Return -log10 of the upper tails of z values."""
    return -stats.norm.logsf(z) / np.log(10)


class TestLaterMaps:
    """After a fit to maps that declare their statistic, other maps may declare nothing."""

    @pytest.fixture
    def logs(self, kind, make, z):
        """Return a transformer fitted to a map that declares -log10 p, and all of these maps."""
        images = [kind.image(values) for values in log_p_of(z)]
        declared = images[0]
        said = Declaration("-log10 p", "its file")
        if isinstance(declared, SurfaceImage):
            remember_declarations(declared, [said])
        elif isinstance(declared, Cifti2Image):
            axes = (ScalarAxis(["lP+"]), declared.header.get_axis(1))
            declared = Cifti2Image(declared.get_fdata(), axes)
        else:
            declared.header.set_intent("log10 p value")
        return make().fit(declared), [declared, *images[1:]]

    def test_an_image_that_declares_nothing_is_refused(self, kind, logs):
        transformer, (declared, bare, _) = logs
        assert kind.rows(transformer.transform(declared)).any()
        match = r"stat_type must be given: .* and fit has read .*stat_type='neg_log10_p'\. For z"
        for given in (bare, [bare, bare]):
            with pytest.raises(ValueError, match=match):
                transformer.transform(given)
        for again in (transformer.transform, transformer.fit):
            with pytest.raises(ValueError, match="stat_type must be given, since the maps declare"):
                again([declared, bare])

    def test_an_array_is_what_fit_has_read(self, kind, logs, X):
        transformer, images = logs
        found = transformer.transform(log_p_of(X))
        transformer.set_params(stat_type="neg_log10_p")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            expected = [kind.rows(transformer.transform(img)) for img in images]
        assert_allclose(found, np.concatenate(expected))

    @IN_FILES
    def test_results_are_no_maps(self, kind, make, img):
        transformer = make()
        if not isinstance(transformer, RegionTDPTransformer):
            tdp = transformer.fit_transform(img)
            both = {"true discovery proportions": tdp, "labels of": transformer.labels_img_}
            for holds, result in both.items():
                with pytest.raises(ValueError, match=f"The map holds {holds}"):
                    make().fit(result)

    def test_z_may_be_assumed_beside_z(self, kind, make, z):
        transformer = make().fit(kind.image(z[0]))
        assert_array_equal(
            kind.rows(transformer.transform(kind.image(z[1]))),
            make().fit_transform(z[1:2, kind.mask]),
        )


class TestValues:
    """Values that are missing, infinite, or of the other sign."""

    @pytest.mark.parametrize(
        "two_sided", [False, True, "directional"], ids=["one-sided", "two-sided", "directional"]
    )
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
            with pytest.warns(UserWarning, match=r"infinite in 3 \w+: \+inf in 2, -inf in 1"):
                output = one.fit_transform(kind.image(infinite))
            expected = other.fit_transform(kind.image(large))
            assert one.n_tested_ == kind.mask.sum()
            assert one.true_discoveries_ == other.true_discoveries_
            assert_array_equal(kind.rows(output), kind.rows(expected))
            p_values = one.maps_.test.p_values
            assert ((p_values == 0).sum(), (p_values == 1).sum()) == (
                (3, 0) if two_sided else (2, 1)
            )

    def test_sign_of_a_two_sided_map_is_of_no_importance(self, kind, make, z):
        one, other = make(two_sided=True), make(two_sided=True)
        output = kind.rows(one.fit_transform(kind.image(z[0])))
        assert output.any()
        assert_array_equal(kind.rows(other.fit_transform(kind.image(-z[0]))), output)
        peaks, of_negated = (np.sort(t.table_["peak_stat"]) for t in (one, other))
        assert_array_equal(peaks, -of_negated[::-1])
        one_sided = make().fit(kind.image(z[0]))
        assert one.true_discoveries_ == other.true_discoveries_ > one_sided.true_discoveries_

    def test_family_is_the_same_whatever_the_sets(self, kind, make, img, z):
        transformer = make().fit(img)
        p_values, is_high = stats.norm.sf(z[0][kind.mask]), z[0] > 1
        hommel = Hommel(p_values)
        assert_allclose(np.sort(transformer.maps_.test.p_values), np.sort(p_values), rtol=1e-13)
        assert transformer.true_discoveries_ == hommel.true_discoveries() > 0
        bound = set_bound(transformer, mask_img=kind.image(is_high.astype("uint8")))
        assert bound.n_tested == is_high[kind.mask].sum()
        members = p_values[is_high[kind.mask]]
        assert bound.true_discoveries == hommel.critical_vector().true_discoveries(members)
        curve = confidence_curve(transformer)
        assert curve["true_discoveries"].iloc[-1] == transformer.true_discoveries_


class TestMasks:
    """What may be a mask, and what is none."""

    def test_forms_of_one_mask_give_the_same(self, kind, make, img, one_by_one, tmp_path):
        for form, mask_img in kind.masks(tmp_path).items():
            transformer = make(mask_img=mask_img)
            output = transformer.fit_transform(img)
            assert_same(found_by(transformer, output, kind), one_by_one[:1])
            if form == "masker":
                assert not hasattr(mask_img, "mask_img_")
                assert transformer.get_params()["mask_img__mask_img"] is mask_img.mask_img
            if form == "fitted masker":
                assert transformer.masker_ is mask_img

    @pytest.mark.parametrize(
        ("values", "match"),
        [
            (lambda mask: np.zeros_like(mask, "uint8"), "empty"),
            (lambda mask: (mask * (1 + np.arange(mask.size) % 2)).astype("uint8"), "from 1 to 2"),
            (lambda mask: np.where(mask, np.linspace(0.5, 4, mask.size), 0), "must be binary"),
            (lambda mask: np.full(mask.size, np.nan), "empty"),
            (lambda mask: np.stack([mask, mask]).astype("uint8"), "a single map|one map|3D"),
        ],
        ids=["empty", "two values", "z values", "NaN", "several"],
    )
    def test_mask_that_is_none_is_refused(self, kind, clusters, img, values, match):
        masks = [kind.image(values(kind.mask))]
        if kind.masker:
            masks.append(kind.masker(masks[0], standardize=None))
        for mask_img in masks:
            for maps in (img, None):
                with pytest.raises((ValueError, DimensionError), match=match):
                    clusters(mask_img=mask_img).fit(maps)

    def test_mask_and_maps_on_another_grid_are_refused(self, kind, clusters, img):
        other = kind.other_image
        ones = kind.image(np.ones(kind.n, dtype="uint8"))
        match = r"map and mask_img must .* the same|mask_img must be on the grid of the map"
        for mask_img in (ones, kind.masker(ones) if kind.masker else ones):
            for method in ("fit", "fit_transform"):
                with pytest.raises(ValueError, match=match):
                    getattr(clusters(mask_img=mask_img), method)(other)
            fitted = clusters(mask_img=mask_img).fit(img)
            for maps in (other, [img, other]):
                with pytest.raises(ValueError, match=match):
                    fitted.transform(maps)

    def test_other_kinds_are_refused(self, kind, img):
        for other in KINDS.values():
            if other is kind:
                continue
            wrong = type(other.mask_img).__name__
            match = rf"mask_img must be of the same kind as the maps, a {kind.name}\. Got {wrong}"
            with pytest.raises(TypeError, match=match):
                ClusterTDPTransformer(mask_img=other.mask_img).fit(img)
            if other.masker:
                with pytest.raises(
                    TypeError, match=rf"a {kind.name}\. Got {other.masker.__name__}"
                ):
                    ClusterTDPTransformer(mask_img=other.masker()).fit(img)
            of_other = ClusterTDPTransformer(mask_img=other.mask_img, **other.parameters).fit()
            with pytest.raises(TypeError, match=rf"a {kind.name}\. Got a mask of a {other.name}"):
                of_other.transform(img)
            with pytest.raises(
                TypeError, match=rf"one kind, as the first is a {kind.name}.*{wrong}"
            ):
                ClusterTDPTransformer(**kind.parameters).fit([img, other.image(other.z())])
            for transformer in (
                ClusterTDPTransformer(labels_img=other.labels_img),
                RegionTDPTransformer(other.labels_img),
            ):
                match = rf"labels_img must be of the same kind .* a {kind.name}\. Got {wrong}"
                with pytest.raises(TypeError, match=match):
                    transformer.set_params(mask_img=kind.mask_img, **kind.parameters).fit(img)
            fitted = ClusterTDPTransformer(mask_img=kind.mask_img, **kind.parameters).fit(img)
            match = rf"mask_img must be of the same kind .* a {kind.name}\. Got {wrong}"
            with pytest.raises(TypeError, match=match):
                set_bound(fitted, mask_img=other.mask_img)

    @pytest.mark.parametrize("connectivity", [6, 18, 26])
    @pytest.mark.parametrize("kind", ["surface"], indirect=True)
    @pytest.mark.parametrize("make", ["clusters", "adaptive clusters"], indirect=True)
    def test_connectivity_of_voxels_is_refused_for_a_surface(self, make, img, connectivity):
        match = "connectivity must be left at the default for a surface.* Got connectivity="
        with pytest.raises(ValueError, match=f"{match}{connectivity}"):
            make(connectivity=connectivity).fit(img)

    def test_mesh_is_for_cifti_images(self, kind, img):
        if kind.name == "CIFTI image":
            match = r"mesh must have the mesh of CORTEX_RIGHT, 56 vertices"
            with pytest.raises(ValueError, match=match):
                ClusterTDPTransformer(mask_img=kind.mask_img).fit(img)
            return
        transformer = ClusterTDPTransformer(mask_img=kind.mask_img, mesh=KINDS["surface"].mesh)
        for maps in (img, None):
            with pytest.raises(ValueError, match=f"mesh is for CIFTI images only.*{kind.name}"):
                transformer.fit(maps)

    def test_arrays_need_a_mask(self, kind, clusters, X):
        masks = [None, *([kind.masker(standardize=None)] if kind.masker else [])]
        for mask_img in masks:
            match = "mask_img must be a mask.*where there are no images"
            for maps in (X, X[0], None):
                with pytest.raises(ValueError, match=match):
                    clusters(mask_img=mask_img).fit(maps)


NOT_BETWEEN = "alpha should be between 0 and 1"

BAD_PARAMETERS = [
    *(("alpha", value, ValueError, NOT_BETWEEN) for value in (0, 1, -1, 2, 1.5, np.nan, np.inf)),
    *(
        ("alpha", value, TypeError, NOT_BETWEEN)
        for value in ("0.05", None, [0.05], np.array([0.05]), True, 0.05j)
    ),
    ("stat_type", "Z", ValueError, "'stat_type'"),
    ("df", 3, ValueError, "df"),
    *(("two_sided", value, ValueError, "'two_sided'.*Got") for value in ("yes", 1, None)),
    *(
        ("local_test", value, ValueError, "'local_test'.*Got")
        for value in ("bonferroni", "Simes", "", None)
    ),
    *(("verbose", value, ValueError, "'verbose'.*Got") for value in (-1, "loud")),
    *(("connectivity", value, ValueError, "'connectivity'.*Got") for value in (7, 0, -6, 6.0, "6")),
    *(
        ("cluster_threshold", value, ValueError, "'cluster_threshold'.*Got")
        for value in (-1, 2.5, "5", None)
    ),
    *(
        ("resampling_target", value, ValueError, "'resampling_target'.*Got")
        for value in ("map", True)
    ),
    *(
        ("background_label", value, ValueError, "'background_label'.*Got")
        for value in (0.0, "0", None, 1.5)
    ),
    *(
        ("probability_threshold", value, ValueError, "'probability_threshold'.*Got")
        for value in (-0.1, np.nan, "0.5", [0.5])
    ),
]


class TestBadInput:
    """Errors say which argument is wrong and what it got."""

    @pytest.mark.parametrize("kind", ["volume"], indirect=True)
    @pytest.mark.parametrize("make", ["clusters", "adaptive clusters", "regions"], indirect=True)
    @pytest.mark.parametrize(
        ("name", "value", "error", "match"),
        [pytest.param(*case, id=f"{case[0]}={case[1]!r}") for case in BAD_PARAMETERS],
    )
    def test_bad_parameter_is_refused(self, kind, make, img, name, value, error, match):
        if name not in make().get_params():
            with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
                make(**{name: value})
            return
        for method in ("fit", "fit_transform"):
            with pytest.raises(error, match=match) as info:
                getattr(make(**{name: value}), method)(img)
            assert re.search(
                rf"{re.escape(repr(value))}|={re.escape(str(value))}'", str(info.value)
            )
        fitted = make().fit(img).set_params(**{name: value})
        with pytest.raises((error, NotFittedError), match=f"{match}|{name} was set after fit"):
            fitted.transform(img)
        model = ARISecondLevelModel(kind.mask_img, transformer=make(**{name: value}))
        design = pd.DataFrame({"intercept": np.ones(4)})
        with pytest.raises(error, match=name):
            model.fit([copy(img) for _ in range(4)], design_matrix=design).compute_contrast(
                output_type="tdp"
            )

    @pytest.mark.parametrize("value", [0.0, 2.5, -3.0, np.inf])
    def test_constant_map_is_refused(self, kind, make, img, value):
        constant = kind.image(np.full(kind.n, value))
        n_voxels = kind.mask.sum()
        for maps in (constant, [img, constant], np.full(n_voxels, value)):
            with pytest.raises(
                ValueError, match=f"The map is constant, {value}, in all {n_voxels}"
            ):
                make().fit(maps)
        with pytest.raises(ValueError, match="The map is constant, 4"):
            make().fit(kind.image(np.full(kind.n, 4, dtype="int16")))
        some_nan = np.where(np.arange(kind.n) % 2, np.nan, value)
        with pytest.warns(UserWarning, match="NaN"), pytest.raises(ValueError, match="constant"):
            make().fit(kind.image(some_nan))

    def test_map_of_nan_alone_is_refused(self, kind, make):
        nothing = kind.image(np.full(kind.n, np.nan))
        with pytest.raises(ValueError, match=f"NaN in all {kind.mask.sum()} .* of the mask"):
            make().fit(nothing)

    @pytest.mark.parametrize("dtype", ["object", "bool", "complex128", "U5"])
    def test_values_that_are_no_real_numbers_are_refused(self, kind, clusters, X, dtype):
        with pytest.raises(ValueError, match=r"must hold real numbers\. Got"):
            clusters(mask_img=kind.mask_img).fit_transform(X.astype(dtype))

    @pytest.mark.parametrize(
        ("value", "error", "match"),
        [
            *(([], ValueError, "at least one image"), ((), ValueError, "at least one image")),
            (pd.Series([], dtype=object), ValueError, "at least one image"),
            *((value, TypeError, "Maps must be .*Got int") for value in (3, 0)),
            ({"a": 1}, TypeError, "Maps must be .*Got dict"),
            ({1, 2}, TypeError, "Maps must be .*Got set"),
            (object(), TypeError, "Maps must be .*Got object"),
            ([1, 2], TypeError, "Got:? ?int"),
            ([None], TypeError, "Got:? ?NoneType"),
            ([np.zeros(3)], TypeError, "Got:? ?ndarray"),
            (csr_array(np.eye(3)), TypeError, "Maps must be dense.*sparse csr_array"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_is_no_map_is_refused(self, kind, clusters, img, value, error, match):
        transformer = clusters(mask_img=kind.mask_img).fit(img)
        for method in (transformer.transform, transformer.fit_transform, transformer.fit):
            with pytest.raises(error, match=match):
                method(value)

    @IN_FILES
    def test_missing_file_is_named(self, kind, clusters, tmp_path):
        path = tmp_path / f"no_map{kind.suffix}"
        for maps in (path, str(path), [path], pd.Series([str(path)])):
            with pytest.raises((ValueError, FileNotFoundError), match="no_map"):
                clusters().fit(maps)
        with pytest.raises((ValueError, FileNotFoundError), match="no_map"):
            clusters(mask_img=path).fit()

    def test_image_of_several_maps_in_a_list_is_refused(self, kind, clusters, img, z):
        with pytest.raises((DimensionError, ValueError), match=r"3D|single map|one map"):
            clusters(mask_img=kind.mask_img).fit([img, kind.image(z)])

    @pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
    @pytest.mark.parametrize(
        "reshape",
        [
            lambda values: values[1:],
            lambda values: values[None, None],
            lambda values: values[None, 1:],
            lambda values: np.r_[values, values][None],
            lambda values: values[:, None],
            lambda values: values[:0][None],
            lambda values: values[None][:0],
            lambda values: pd.DataFrame(values),
            lambda values: np.array(4.0),
        ],
        ids=["one too few", "3D", "one too few in a row", "twice", "column", "nothing", "no map",
             "table", "0D"],
    )  # fmt: skip
    def test_array_of_another_shape_is_refused(self, kind, clusters, X, reshape, method):
        given, n = reshape(X[0]), kind.mask.sum()
        match = rf"\(n_maps, {n}\).* each {kind.element} .* Got shape {re.escape(str(given.shape))}"
        with pytest.raises(ValueError, match=match):
            getattr(clusters(mask_img=kind.mask_img).fit(), method)(given)
