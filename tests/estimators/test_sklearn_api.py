"""ClusterTDPTransformer as a scikit-learn estimator: parameters, pipelines, output, caching."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from nilearn.image import get_data
from nilearn.maskers import NiftiLabelsMasker, NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils.validation import check_is_fitted

from ari_estimator import ClusterTDPTransformer

PARAMETERS = {
    "threshold": [2.5, 3.5],
    "threshold_scale": "p",
    "labels_img": None,
    "resampling_target": "data",
    "stat_type": "t",
    "df": 19,
    "mesh": None,
    "alpha": 0.1,
    "mask_img": None,
    "two_sided": True,
    "connectivity": 26,
    "cluster_threshold": 4,
    "local_test": "hommel",
    "verbose": 1,
}


@pytest.fixture(name="X")
def masked_maps(make_map, mask):
    """Return three masked maps, an array of shape (3, n_voxels)."""
    return np.stack([make_map(seed)[mask] for seed in range(3)])


@pytest.fixture
def images(make_map, make_img):
    """Return three maps as images."""
    return [make_img(make_map(seed)) for seed in range(3)]


@pytest.fixture(scope="session")
def atlas_img(make_img, mask):
    """Return an atlas of three regions, of which the third has no effect."""
    labels = np.zeros(mask.shape, dtype="int32")
    labels[1:5, :5], labels[1:5, 5:], labels[5:] = 1, 2, 3
    return make_img(labels)


class TestParameters:
    """get_params, set_params, clone and what depends on them."""

    def test_init_stores_parameters_as_they_are(self):
        parameters = {**PARAMETERS, "threshold": np.array([1.0, 2.0])}
        transformer = ClusterTDPTransformer(**parameters)
        for name, value in parameters.items():
            assert getattr(transformer, name) is value, name
        assert vars(transformer).keys() == parameters.keys()

    def test_all_but_the_threshold_are_keyword_only(self):
        with pytest.raises(TypeError, match="positional"):
            ClusterTDPTransformer(3, 0.05)

    def test_get_params_gives_all_parameters(self):
        assert ClusterTDPTransformer(**PARAMETERS).get_params() == PARAMETERS

    def test_set_params_returns_self_and_sets(self):
        transformer = ClusterTDPTransformer()
        assert transformer.set_params(**PARAMETERS) is transformer
        assert transformer.get_params() == PARAMETERS
        with pytest.raises(ValueError, match="Invalid parameter 'treshold'"):
            transformer.set_params(treshold=3)

    @pytest.mark.parametrize("threshold", [2.5, [2, 3], np.array([2.0, 3.0]), "concentration"])
    def test_clone_gives_the_same_results_and_is_not_fitted(self, threshold, z_img, mask_img):
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img, alpha=0.2)
        tdp = transformer.fit_transform(z_img)
        cloned = clone(transformer)
        with pytest.raises(NotFittedError):
            check_is_fitted(cloned)
        assert_array_equal(get_data(cloned.fit_transform(z_img)), get_data(tdp))
        assert_frame_equal(cloned.table_, transformer.table_)

    @pytest.mark.parametrize(
        "parameters",
        [
            {"alpha": 0.3},
            {"threshold": 1.5},
            {"threshold": 0.01, "threshold_scale": "p"},
            {"connectivity": 26},
            {"cluster_threshold": 10},
            {"two_sided": True},
            {"local_test": "hommel"},
            {"stat_type": "t", "df": 12},
        ],
        ids=str,
    )
    def test_parameters_of_the_test_take_effect_at_once(self, z_img, mask_img, parameters):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        expected = ClusterTDPTransformer(2, mask_img=mask_img).set_params(**parameters)
        tdp_img = transformer.set_params(**parameters).transform(z_img)
        assert_array_equal(get_data(tdp_img), get_data(expected.fit_transform(z_img)))

    @pytest.mark.parametrize("as_masker", [False, True])
    def test_mask_that_is_set_after_fit_is_refused(self, z_img, mask_img, make_img, as_masker):
        other = make_img(np.roll(get_data(mask_img), 1))
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).fit(z_img)
        transformer.set_params(mask_img=NiftiMasker(other) if as_masker else other)
        match = r"mask_img was set after fit, which reads it\. Call fit again\."
        with pytest.raises(NotFittedError, match=match):
            transformer.transform(z_img)
        # fit_transform fits again.
        transformer.fit_transform(z_img)

    def test_parameters_of_the_masker_are_nested(self, mask_img):
        transformer = ClusterTDPTransformer(mask_img=NiftiMasker(standardize=None))
        transformer.set_params(mask_img__mask_img=mask_img)
        assert transformer.get_params()["mask_img__mask_img"] is mask_img

    @pytest.mark.parametrize("as_masker", [False, True])
    def test_fit_leaves_parameters_as_they_were(self, z_img, mask_img, as_masker):
        given = NiftiMasker(mask_img=mask_img, standardize=None) if as_masker else mask_img
        thresholds = [3, 2]
        transformer = ClusterTDPTransformer(thresholds, mask_img=given)
        before = transformer.get_params()
        transformer.fit_transform(z_img)
        after = transformer.get_params()
        assert before.keys() == after.keys()
        for name, value in before.items():
            assert after[name] is value, name
        assert thresholds == [3, 2]

    def test_fit_returns_self_and_takes_y(self, z_img, mask_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img)
        assert transformer.fit(z_img) is transformer
        assert transformer.fit(z_img, y=None) is transformer
        assert get_data(transformer.fit_transform(z_img, y=None)).shape == z_img.shape

    def test_parameter_grid_can_be_set(self, z_img, mask_img, definition, z, mask):
        pipeline = Pipeline([("tdp", ClusterTDPTransformer(mask_img=mask_img))])
        grid = ParameterGrid({"tdp__threshold": [2, 3], "tdp__alpha": [0.01, 0.1]})
        results = []
        for parameters in grid:
            tdp = get_data(clone(pipeline).set_params(**parameters).fit_transform(z_img))
            results.append(tdp)
            expected = definition.tdp_volume(
                z, mask, parameters["tdp__threshold"], alpha=parameters["tdp__alpha"]
            )
            assert_allclose(tdp, expected, rtol=1e-14)
        assert len({tdp.tobytes() for tdp in results}) == len(grid) == 4

    @pytest.mark.parametrize("kind", ["images", "array"])
    def test_pickled_estimator_gives_the_same_results(self, images, X, mask_img, kind):
        maps = images if kind == "images" else X
        transformer = ClusterTDPTransformer([1, 2], mask_img=mask_img)
        tdp = transformer.fit_transform(maps)
        restored = pickle.loads(pickle.dumps(transformer))
        for one, other in zip(tdp, restored.transform(maps), strict=True):
            assert_array_equal(*(m if kind == "array" else get_data(m) for m in (one, other)))
        for table, other in zip(transformer.table_, restored.table_, strict=True):
            assert_frame_equal(table, other)
        assert restored.true_discoveries_ == transformer.true_discoveries_
        assert restored.maps_[0].test.value(0.01) == transformer.maps_[0].test.value(0.01)

    def test_html_repr_names_the_estimator_and_its_parameters(self, z_img, mask_img):
        transformer = ClusterTDPTransformer(threshold=2.75, mask_img=mask_img)
        for estimator in (transformer, clone(transformer).fit(z_img), make_pipeline(transformer)):
            html = estimator._repr_html_()
            assert "ClusterTDPTransformer" in html
            assert "2.75" in html

    def test_repr_shows_what_is_not_default(self):
        assert repr(ClusterTDPTransformer(2.75)) == "ClusterTDPTransformer(threshold=2.75)"


class TestPipelines:
    """As a step before a labels masker, or after a masker."""

    @pytest.mark.parametrize("threshold", [2, [1, 2], "concentration"])
    def test_labels_masker_gives_mean_tdp_of_regions(self, z_img, mask_img, atlas_img, threshold):
        pipeline = make_pipeline(
            ClusterTDPTransformer(threshold, mask_img=mask_img),
            NiftiLabelsMasker(atlas_img, standardize=None),
        )
        means = np.ravel(pipeline.fit_transform(z_img))
        tdp = get_data(ClusterTDPTransformer(threshold, mask_img=mask_img).fit_transform(z_img))
        labels = get_data(atlas_img)
        assert_allclose(means, [tdp[labels == i].mean() for i in (1, 2, 3)], rtol=1e-6)
        assert means[0] > 0

    def test_labels_masker_takes_lists_and_4d_images(self, images, mask_img, atlas_img, make_img):
        pipeline = make_pipeline(
            ClusterTDPTransformer(2, mask_img=mask_img),
            NiftiLabelsMasker(atlas_img, standardize=None),
        )
        four_d = make_img(np.stack([get_data(img) for img in images], axis=-1))
        means = pipeline.fit_transform(four_d)
        assert means.shape == (3, 3)
        assert_allclose(means, np.stack(pipeline.fit_transform(images)).reshape(3, 3), rtol=1e-6)

    @pytest.mark.parametrize("cloned", [False, True])
    @pytest.mark.parametrize("same_masker", [True, False])
    def test_masker_before_gives_arrays(self, images, X, mask_img, cloned, same_masker):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        pipeline = make_pipeline(
            masker, ClusterTDPTransformer(2, mask_img=masker if same_masker else mask_img)
        )
        if cloned:
            pipeline = clone(pipeline)
        tdp = pipeline.fit_transform(images)
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(X)
        assert isinstance(tdp, np.ndarray)
        assert tdp.shape == X.shape
        # Maskers of nilearn give single precision.
        assert_allclose(tdp, expected, atol=1e-6)
        assert_array_equal(pipeline.transform(images), tdp)
        assert len(pipeline[-1].table_) == 3

    def test_array_output_goes_back_to_images_with_the_masker(self, images, mask_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        pipeline = make_pipeline(masker, ClusterTDPTransformer(2, mask_img=masker))
        tdp = masker.inverse_transform(pipeline.fit_transform(images[:1]))
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(images[0])
        assert_allclose(np.squeeze(get_data(tdp)), get_data(expected), atol=1e-6)

    def test_parameters_are_set_through_a_pipeline(self, mask_img):
        pipeline = make_pipeline(ClusterTDPTransformer(mask_img=mask_img))
        pipeline.set_params(clustertdptransformer__threshold=[2, 3])
        assert pipeline[0].threshold == [2, 3]
        assert pipeline.get_params()["clustertdptransformer__threshold"] == [2, 3]

    def test_feature_union_joins_arrays_of_two_thresholds(self, X, mask_img):
        union = FeatureUnion(
            [(f"z{t}", ClusterTDPTransformer(t, mask_img=mask_img)) for t in (2, 3)]
        )
        both = union.fit_transform(X)
        assert_array_equal(
            both,
            np.hstack(
                [ClusterTDPTransformer(t, mask_img=mask_img).fit_transform(X) for t in (2, 3)]
            ),
        )
        names = union.get_feature_names_out()
        assert names.size == both.shape[1]
        assert names[0] == "z2__voxel_0"


class TestOutput:
    """Containers of arrays, and names of their columns."""

    def test_pandas_output_has_a_column_for_each_voxel(self, X, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).set_output(transform="pandas")
        tdp = transformer.fit_transform(X)
        plain = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(X)
        assert isinstance(tdp, pd.DataFrame)
        assert_array_equal(tdp.to_numpy(), plain)
        assert tdp.columns.tolist() == transformer.get_feature_names_out().tolist()
        assert isinstance(transformer.transform(X), pd.DataFrame)

    def test_pandas_output_keeps_the_index_of_the_input(self, X, mask_img):
        data = pd.DataFrame(X, index=["sub-1", "sub-2", "sub-3"])
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).set_output(transform="pandas")
        assert transformer.fit_transform(data).index.tolist() == ["sub-1", "sub-2", "sub-3"]

    def test_polars_output_has_a_column_for_each_voxel_and_goes_in_again(self, X, mask_img):
        pl = pytest.importorskip("polars")
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).set_output(transform="polars")
        tdp = transformer.fit_transform(X)
        plain = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(X)
        assert isinstance(tdp, pl.DataFrame)
        assert_array_equal(tdp.to_numpy(), plain)
        assert tdp.columns == transformer.get_feature_names_out().tolist()
        # As in a pipeline, after a step with polars output.
        assert_array_equal(transformer.transform(pl.from_numpy(X)).to_numpy(), plain)

    @pytest.mark.parametrize("how", ["set_output", "config"])
    def test_images_stay_images(self, images, mask_img, how, assert_same_images):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img)
        expected = transformer.fit_transform(images)
        if how == "set_output":
            tdp = transformer.set_output(transform="pandas").fit_transform(images)
        else:
            with config_context(transform_output="pandas"):
                tdp = transformer.fit_transform(images)
        assert_same_images(tdp, expected)

    def test_global_pandas_output_is_followed(self, X, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img)
        with config_context(transform_output="pandas"):
            tdp = transformer.fit_transform(X)
            default = transformer.set_output(transform="default").transform(X)
        assert isinstance(tdp, pd.DataFrame)
        assert isinstance(default, np.ndarray)
        assert isinstance(transformer.fit_transform(X), np.ndarray)

    def test_set_output_of_none_changes_nothing(self, X, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).set_output(transform="pandas")
        assert transformer.set_output() is transformer
        assert isinstance(transformer.fit_transform(X), pd.DataFrame)

    def test_pipeline_hands_on_set_output(self, X, mask_img):
        pipeline = make_pipeline(ClusterTDPTransformer(2, mask_img=mask_img))
        pipeline.set_output(transform="pandas")
        assert isinstance(pipeline.fit_transform(X), pd.DataFrame)

    def test_clone_keeps_the_output_that_was_set(self, X, mask_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img).set_output(transform="pandas")
        assert isinstance(clone(transformer).fit_transform(X), pd.DataFrame)

    def test_feature_names_are_those_of_voxels(self, mask, mask_img):
        names = ClusterTDPTransformer(mask_img=mask_img).fit().get_feature_names_out()
        assert names.dtype == object
        assert names.tolist() == [f"voxel_{i}" for i in range(mask.sum())]

    def test_feature_names_may_be_given(self, mask, mask_img):
        given = [f"v{i}" for i in range(mask.sum())]
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit()
        assert transformer.get_feature_names_out(given).tolist() == given

    def test_feature_names_of_another_number_are_refused(self, mask, mask_img):
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit()
        with pytest.raises(ValueError, match="input_features"):
            transformer.get_feature_names_out(["a", "b"])


class TestOneMap:
    """One map as a one-dimensional array, which is what a masker makes of a 3D image."""

    def test_array_in_array_out_with_single_attributes(self, z, mask, mask_img, z_img):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img)
        tdp = transformer.fit_transform(z[mask])
        of_image = ClusterTDPTransformer(2, mask_img=mask_img)
        assert_array_equal(tdp, get_data(of_image.fit_transform(z_img))[mask])
        assert transformer.labels_img_.shape == tdp.shape == (mask.sum(),)
        assert_frame_equal(transformer.table_, of_image.table_)
        assert transformer.true_discoveries_ == of_image.true_discoveries_

    def test_pipeline_behind_a_masker_takes_a_3d_image(self, mask, mask_img, z_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        pipeline = make_pipeline(masker, ClusterTDPTransformer(2, mask_img=masker))
        tdp = np.ravel(pipeline.fit_transform(z_img))
        expected = ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(z_img)
        assert_array_equal(tdp, get_data(expected)[mask])

    def test_masker_that_changes_values_is_warned_of(self, mask_img, z_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None, smoothing_fwhm=4)
        pipeline = make_pipeline(masker, ClusterTDPTransformer(2, mask_img=masker))
        with pytest.warns(UserWarning, match="smoothing_fwhm=4.*null distribution"):
            pipeline.fit_transform(z_img)


class TestVerbosity:
    """What is printed."""

    def test_verbose_prints_a_line_for_each_map(self, images, mask_img, mask, capsys):
        transformer = ClusterTDPTransformer(2, mask_img=mask_img, verbose=1)
        transformer.fit_transform(images)
        lines = capsys.readouterr().out.strip().splitlines()
        lines = [line for line in lines if "voxels tested" in line]
        assert len(lines) == 3
        for line, bound in zip(lines, transformer.true_discoveries_, strict=True):
            assert "ClusterTDPTransformer" in line
            assert f"{mask.sum()} voxels" in line
            assert f"{bound} true discoveries" in line

    @pytest.mark.parametrize("with_mask", [True, False])
    def test_default_is_silent(self, motor_img, z_img, mask_img, with_mask, capfd):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if with_mask:
                ClusterTDPTransformer(mask_img=mask_img).fit_transform(z_img)
            else:
                ClusterTDPTransformer().fit_transform(motor_img)
        assert capfd.readouterr() == ("", "")


def test_signature_has_a_default_for_every_parameter():
    parameters = inspect.signature(ClusterTDPTransformer).parameters.values()
    assert all(parameter.default is not parameter.empty for parameter in parameters)
    assert {parameter.name for parameter in parameters} == set(PARAMETERS)
