"""scikit-learn's and nilearn's checks of estimators, all of them, on the public classes.

Those that must fail are listed with the reason. One that passes after all is an error, and so is
a name that no check has.
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

of_nilearn = pytest.importorskip("nilearn._utils.estimator_checks")

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    # nilearn only warns of this.
    pytest.mark.filterwarnings("error:Attributes of .* should be in order"),
]

OTHER_WORDS = "refused, with a message in words of brain maps"

CHECKS_OF_ARRAYS = {
    "check_complex_data": OTHER_WORDS,
    "check_dtype_object": "values of Python objects are refused, not converted",
    "check_estimators_dtypes": "a constant map, of small numbers cut to integers, is refused",
    "check_estimators_empty_data_messages": OTHER_WORDS,
    "check_fit1d": "one map may be one-dimensional",
    "check_fit2d_predict1d": "one map may be one-dimensional",
    "check_n_features_in_after_fitting": OTHER_WORDS,
    "check_transformer_data_not_an_array": "a list is one of images",
}

CHECKS_OF_CALIBRATIONS = {
    "check_complex_data": OTHER_WORDS,
    "check_dtype_object": "values of Python objects are refused, not converted",
    "check_estimators_empty_data_messages": OTHER_WORDS,
    "check_fit2d_1sample": OTHER_WORDS,
    "check_fit_score_takes_y": "fit takes a design, where others take a target",
}

GIVE_ARRAYS = """
    check_complex_data check_dict_unchanged check_dont_overwrite_parameters check_dtype_object
    check_estimators_dtypes check_estimators_empty_data_messages
    check_estimators_fit_returns_self check_estimators_nan_inf check_estimators_overwrite_params
    check_estimators_pickle check_f_contiguous_array_estimator check_fit1d check_fit2d_1feature
    check_fit2d_1sample check_fit2d_predict1d check_fit_check_is_fitted check_fit_idempotent
    check_fit_score_takes_y check_methods_sample_order_invariance
    check_methods_subset_invariance check_n_features_in check_n_features_in_after_fitting
    check_pipeline_consistency check_positive_only_tag_during_fit check_readonly_memmap_input
"""

CHECKS_OF_MODELS = dict.fromkeys(
    GIVE_ARRAYS.split(),
    "a second-level model takes images of the subjects, and no array",
)

# Columns of the arrays in scikit-learn's checks, where there are not three of them. A transformer
# takes an array only with a mask of as many voxels.
N_COLUMNS = {
    "check_complex_data": 1,
    "check_dtype_object": 10,
    "check_estimators_dtypes": 5,
    "check_estimators_fit_returns_self": 2,
    "check_estimators_overwrite_params": 2,
    "check_fit1d": 20,
    "check_fit2d_1feature": 1,
    "check_fit2d_1sample": 10,
    "check_fit_check_is_fitted": 2,
    "check_fit_idempotent": 2,
    "check_n_features_in": 2,
    "check_n_features_in_after_fitting": 4,
    "check_positive_only_tag_during_fit": 4,
    "check_readonly_memmap_input": 2,
}


def loaded(values):
    """Return an image whose cache is filled: that would pass for a change of the parameter."""
    img = Nifti1Image(values, np.eye(4))
    image.get_data(img)
    return img


def halves(shape):
    """Return an image of two regions."""
    labels = np.ones(shape, dtype=np.int32)
    labels[: shape[0] // 2] = 2
    return loaded(labels)


def with_mask(estimator, n_voxels):
    """Return a transformer that tests a row of voxels; other estimators as they are."""
    if not hasattr(estimator, "transform"):
        return estimator
    shape = (n_voxels, 1, 1)
    given = {"mask_img": loaded(np.ones(shape, dtype=np.uint8))}
    if isinstance(estimator, RegionTDPTransformer):
        given["labels_img"] = halves(shape)
    return clone(estimator).set_params(**given)


def cases(estimators, checks_of):
    """Return the parameters of a test: each estimator with each check of it."""
    parameters = []
    for estimator, failures in estimators:
        checks = list(checks_of(estimator))
        stale = set(failures) - {name for _, _, name in checks}
        assert not stale, f"no check of {estimator} has these names: {stale}"
        for given, check, name in checks:
            marks = []
            if name in failures:
                marks.append(pytest.mark.xfail(reason=failures[name], strict=True))
            of = type(estimator).__name__
            parameters.append(pytest.param(given, check, id=f"{of}-{name}", marks=marks))
    return parameters


def sklearns_checks(estimator):
    for _, check in of_sklearn.estimator_checks_generator(estimator):
        name = check.func.__name__
        yield with_mask(estimator, N_COLUMNS.get(name, 3)), check, name


@pytest.mark.parametrize(
    ("estimator", "check"),
    cases(
        [
            (ClusterTDPTransformer(), CHECKS_OF_ARRAYS),
            (AdaptiveTDPTransformer(), CHECKS_OF_ARRAYS),
            (RegionTDPTransformer(halves((3, 1, 1))), CHECKS_OF_ARRAYS),
            (PermutationCalibration(n_permutations=20), CHECKS_OF_CALIBRATIONS),
            (ARISecondLevelModel(), CHECKS_OF_MODELS),
            (ARISecondLevelModel(calibration=PermutationCalibration()), CHECKS_OF_MODELS),
        ],
        sklearns_checks,
    ),
)
def test_sklearn(estimator, check):
    check(estimator)


NOT_OF_NILEARN = {
    "check_doc_link": "asks for a link into nilearn's documentation",
    "check_tags": "asks for _more_tags, of scikit-learn before 1.6, which finds none either way",
}

# The bar appears on interactive terminals and in notebooks only, and never on standard output.
PROGRESS = {
    "check_verbose": "verbose=1, a progress bar for long work, is the default",
    "check_doc_attributes": "asks for default=0 of verbose; the rest of it is checked below",
}

TRANSFORMER_OF_IMAGES = {
    **NOT_OF_NILEARN,
    **PROGRESS,
    "check_img_estimator_verbose": "verbose=1, a progress bar for long work, prints nothing",
    "check_img_estimator_dtypes": "a constant image, random numbers cut to integers, is refused",
    "check_img_estimator_dtypes_transform": (
        "a constant image, random numbers cut to integers, is refused"
    ),
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

MODEL = {
    "check_doc_link": NOT_OF_NILEARN["check_doc_link"],
    "check_img_estimator_pipeline_consistency": "names a step after nilearn's class",
}


def grid():
    """Return the shape of nilearn's random maps."""
    return of_nilearn.generate_data_to_fit(ClusterTDPTransformer())[0].shape


@pytest.mark.parametrize(
    ("estimator", "check"),
    cases(
        [
            (ClusterTDPTransformer(), IMAGES_TO_IMAGES),
            (AdaptiveTDPTransformer(), IMAGES_TO_IMAGES),
            (RegionTDPTransformer(halves(grid())), REGIONS),
            (PermutationCalibration(n_permutations=20), {**NOT_OF_NILEARN, **PROGRESS}),
            (ARISecondLevelModel(), MODEL),
        ],
        lambda estimator: of_nilearn.nilearn_check_estimator([estimator]),
    ),
)
def test_nilearn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator",
    [
        ClusterTDPTransformer(),
        AdaptiveTDPTransformer(),
        RegionTDPTransformer(halves(grid())),
        PermutationCalibration(n_permutations=20),
    ],
)
def test_attributes_are_documented_as_nilearn_asks(estimator, monkeypatch):
    text = type(estimator).__doc__
    assert "verbose : int, default=1" in text
    text = text.replace("verbose : int, default=1", "verbose : int, default=0")
    monkeypatch.setattr(type(estimator), "__doc__", text)
    of_nilearn.check_doc_attributes(estimator)


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
