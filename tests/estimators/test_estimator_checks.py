"""scikit-learn's and nilearn's checks of estimators, all of them.

Those that must fail are listed with the reason: one that passes after all is an error.
"""

import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn import image
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks as of_sklearn

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
)

if not hasattr(of_sklearn, "estimator_checks_generator"):
    pytest.skip("scikit-learn before 1.6 cannot be told what must fail", allow_module_level=True)

of_nilearn = pytest.importorskip("nilearn._utils.estimator_checks")

pytestmark = pytest.mark.filterwarnings("ignore")

OTHER_WORDS = "refused, with a message in words of brain maps"

TRANSFORMER_OF_ARRAYS = {
    "check_complex_data": OTHER_WORDS,
    "check_dtype_object": "values of Python objects are refused, not converted",
    "check_estimators_empty_data_messages": OTHER_WORDS,
    "check_estimators_dtypes": "a constant map, of small numbers cut to integers, is refused",
    "check_estimators_nan_inf": "NaN is no error: it leaves the family, with a warning",
    "check_transformer_data_not_an_array": "a list is one of images",
    "check_fit1d": "one map may be one-dimensional",
    "check_fit2d_predict1d": "one map may be one-dimensional",
    "check_n_features_in_after_fitting": OTHER_WORDS,
}

CALIBRATION = {
    "check_complex_data": OTHER_WORDS,
    "check_dtype_object": "values of Python objects are refused, not converted",
    "check_estimators_empty_data_messages": OTHER_WORDS,
    "check_fit2d_1sample": OTHER_WORDS,
    "check_fit_score_takes_y": "fit takes a design, where others take a target",
}


class ColumnsAsMask:
    """Makes the mask of a transformer from the columns of an array, which varies in the checks.

    A mixin. Without a mask, arrays are refused: where a voxel lies, they do not say.
    """

    def _fit(self, X):
        given = self.mask_img
        if isinstance(X, np.ndarray) and given is None:
            n_columns = np.atleast_2d(X).shape[1]
            self.mask_img = Nifti1Image(np.ones((n_columns, 1, 1), dtype=np.uint8), np.eye(4))
        try:
            maps = super()._fit(X)
        finally:
            self.mask_img = given
        self._fitted_with["mask_img"] = given
        return maps


class ClustersOfArrays(ColumnsAsMask, ClusterTDPTransformer):
    """Clusters in a row of voxels."""


class AdaptiveClustersOfArrays(ColumnsAsMask, AdaptiveTDPTransformer):
    """Adaptive clusters in a row of voxels."""


SKLEARN = {
    ClustersOfArrays: TRANSFORMER_OF_ARRAYS,
    AdaptiveClustersOfArrays: TRANSFORMER_OF_ARRAYS,
    PermutationCalibration: CALIBRATION,
    # nilearn's list: its model is the base of ours.
    ARISecondLevelModel: of_nilearn.return_expected_failed_checks(ARISecondLevelModel()),
}


@of_sklearn.parametrize_with_checks(
    [
        ClustersOfArrays(),
        AdaptiveClustersOfArrays(),
        PermutationCalibration(n_permutations=20),
        ARISecondLevelModel(),
    ],
    expected_failed_checks=lambda estimator: SKLEARN[type(estimator)],
)
def test_sklearn(estimator, check):
    check(estimator)


NOT_OF_NILEARN = {
    "check_doc_link": "asks for a link into nilearn's documentation",
    "check_tags": "asks for _more_tags, of scikit-learn before 1.6, which finds none either way",
}

TRANSFORMER_OF_IMAGES = {
    **NOT_OF_NILEARN,
    "check_doc_attributes": "some attributes are set by fit_transform only, as documented",
    "check_img_estimator_dict_unchanged": "a report is one of a map, which fit does not keep",
    "check_img_estimator_dtypes": "a constant image, random numbers cut to integers, is refused",
    "check_img_estimator_dtypes_transform": (
        "a constant image, random numbers cut to integers, is refused"
    ),
    "check_img_estimator_n_elements": "elements are n_features_in_, as in scikit-learn",
    "check_img_estimator_verbose": "there is a line for each map, and none for the mask",
}

# Images come out, where checks compare or slice arrays. Below they are compared as images.
IMAGES_TO_IMAGES = {
    **TRANSFORMER_OF_IMAGES,
    "check_img_estimator_fit_idempotent": "compares arrays",
    "check_img_estimator_pipeline_consistency": "compares arrays",
    "check_nilearn_methods_sample_order_invariance": "slices an array",
    "check_set_output": "asks for arrays of images",
}

REGIONS = {
    **TRANSFORMER_OF_IMAGES,
    "check_img_estimator_dtype_bool": "values of regions are numbers, whatever they are given as",
    "check_img_estimator_dtypes_inverse_transform": "images of regions are doubles",
    "check_img_estimator_pickle": "counts elements where there are regions",
    "check_set_output": "hands a surface to a transformer that was fitted to a volume",
}


def regions():
    """Return an estimator of two regions on the grid of nilearn's random maps."""
    shape = of_nilearn.generate_data_to_fit(ClusterTDPTransformer())[0].shape
    labels = np.ones(shape, dtype=np.int32)
    labels[: shape[0] // 2] = 2
    labels_img = Nifti1Image(labels, np.eye(4))
    # Reading fills a cache of nibabel's, which would pass for a change of the parameter.
    image.get_data(labels_img)
    return RegionTDPTransformer(labels_img)


NILEARN = [
    (ClusterTDPTransformer(), IMAGES_TO_IMAGES),
    (AdaptiveTDPTransformer(), IMAGES_TO_IMAGES),
    (regions(), REGIONS),
    (
        PermutationCalibration(n_permutations=20),
        {**NOT_OF_NILEARN, "check_doc_attributes": "some attributes are those of calibration_"},
    ),
    (
        ARISecondLevelModel(),
        {
            "check_doc_link": NOT_OF_NILEARN["check_doc_link"],
            "check_img_estimator_pipeline_consistency": "names a step after nilearn's class",
        },
    ),
]


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(
            estimator,
            check,
            id=f"{type(estimator).__name__}-{name}",
            marks=[pytest.mark.xfail(reason=failures[name])] if name in failures else [],
        )
        for given, failures in NILEARN
        for estimator, check, name in of_nilearn.nilearn_check_estimator([given])
    ],
)
def test_nilearn(estimator, check):
    check(estimator)


def test_listed_checks_are_there():
    for given, failures in NILEARN:
        names = {name for *_, name in of_nilearn.nilearn_check_estimator([given])}
        assert set(failures) <= names
    for estimator in (ClusterTDPTransformer(), regions()):
        assert len(of_nilearn.nilearn_check_estimator([estimator])) >= 20


@pytest.mark.parametrize("estimator", [ClusterTDPTransformer(2), AdaptiveTDPTransformer(0.5)])
def test_images_are_those_of_a_pipeline_a_second_fit_and_another_order(estimator):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((6, 7, 8, 5))
    values[:3, :3, :3] += 3
    maps = Nifti1Image(values, np.eye(4))
    mask_img = Nifti1Image(np.ones((6, 7, 8), dtype=np.uint8), np.eye(4))
    estimator.set_params(mask_img=mask_img)
    expected = estimator.fit(maps).transform(maps).get_fdata()
    assert expected.any(axis=(0, 1, 2)).all()
    np.testing.assert_array_equal(estimator.fit(maps).transform(maps).get_fdata(), expected)
    pipeline = make_pipeline(clone(estimator))
    np.testing.assert_array_equal(pipeline.fit(maps).transform(maps).get_fdata(), expected)
    order = rng.permutation(5)
    shuffled = estimator.transform(image.index_img(maps, order))
    np.testing.assert_array_equal(shuffled.get_fdata(), expected[..., order])
