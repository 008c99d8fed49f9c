"""An image that nibabel has read already is not kept a second time."""

import nibabel
import numpy as np
import pytest
from nibabel import Nifti1Image
from numpy.testing import assert_array_equal

from ari_estimator import ClusterTDPTransformer


@pytest.fixture
def path(tmp_path):
    values = np.random.default_rng(0).standard_normal((8, 8, 8)).astype(np.float32)
    values[2:5, 2:5, 2:5] += 5
    Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "z.nii.gz")
    return tmp_path / "z.nii.gz"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_of_get_fdata_stay_and_nothing_is_kept_beside_them(path, dtype):
    expected = ClusterTDPTransformer(2.5).fit_transform(nibabel.load(path)).get_fdata()
    img = nibabel.load(path)
    kept = img.get_fdata(dtype=dtype)
    transformer = ClusterTDPTransformer(2.5)
    for tdp in (transformer.fit_transform(img), transformer.transform(img)):
        assert_array_equal(tdp.get_fdata(), expected)
    assert getattr(img, "_data_cache", None) is None
    assert img.get_fdata(dtype=dtype) is kept
