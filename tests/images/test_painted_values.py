"""Values painted from labels are those of an array, in less memory."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings

import nibabel
import numpy as np
import pytest
from nibabel import Nifti1Header, Nifti1Image
from scipy.ndimage import gaussian_filter

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, save
from ari_estimator.images._painted_values import PaintedValues
from ari_estimator.images._write_nifti import write_nifti

SHAPE = (90, 108, 90)


def noise(with_nan=False):
    """Return a map of a sphere with an active part, and its mask."""
    grid = np.indices(SHAPE) - np.reshape(SHAPE, (3, 1, 1, 1)) / 2
    mask = (grid**2).sum(axis=0) < 37**2
    z = gaussian_filter(np.random.default_rng(0).standard_normal(SHAPE), 1.5).astype(np.float32)
    z /= z.std()
    z[45:] += 1.5
    z[~mask] = np.nan if with_nan else 0
    return Nifti1Image(z, np.eye(4)), Nifti1Image(mask.astype(np.uint8), np.eye(4))


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_later_layers_cover_earlier_ones(dtype):
    below, above = np.array([0, 1, 2, 2], dtype), np.array([0, 0, 1, 0], dtype)
    painted = PaintedValues([(below, np.array([0, 0.1, 0.2])), (above, np.array([0, 0.9]))])
    assert (painted.shape, painted.dtype, len(painted)) == ((4,), np.float64, 4)
    assert np.asarray(painted).tolist() == [0, 0.1, 0.9, 0.2]
    assert painted[1:3].tolist() == [0.1, 0.9]
    assert np.asarray(pickle.loads(pickle.dumps(painted))).tolist() == [0, 0.1, 0.9, 0.2]
    assert np.asarray(painted, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("with_nan", [False, True])
@pytest.mark.parametrize("threshold", [2.5, [2, 3.5]])
def test_images_hold_what_arrays_do(threshold, with_nan):
    img, mask_img = noise(with_nan)
    if with_nan:
        mask_img = Nifti1Image(np.ones(SHAPE, np.uint8), np.eye(4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ari = ClusterTDPTransformer(threshold, mask_img=mask_img)
        tdp = ari.fit_transform(img).get_fdata()
    mask = mask_img.get_fdata() > 0
    fitted_map = ari.maps_
    assert np.array_equal(tdp[mask], fitted_map.tdp)
    assert tdp[~mask].sum() == 0
    labels = np.asarray(ari.labels_img_.dataobj)
    assert labels.dtype == np.int32
    assert np.array_equal(labels[mask], fitted_map.labels)
    table = ari.table_.set_index("cluster_id").tdp.to_dict()
    for label in np.unique(labels[labels > 0]):
        assert set(tdp[labels == label]) == {table[label]}


@pytest.mark.parametrize(
    ("transformer", "limit"),
    [
        (ClusterTDPTransformer(3), 4),
        (ClusterTDPTransformer([3, 3.5]), 4),
        (ClusterTDPTransformer(3, two_sided=True), 4),
        (AdaptiveTDPTransformer(0.7), 6),
    ],
)
def test_memory_of_a_map_whose_image_is_looked_at(transformer, limit):
    """In sizes of the map in single precision, of which a quarter is brain."""
    img, mask_img = noise()
    transformer.set_params(mask_img=mask_img).fit(img)  # which compiles and imports
    tracemalloc.start()
    try:
        tdp = transformer.fit_transform(img)
        tdp.get_fdata()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    n_bytes = 4 * np.prod(SHAPE)
    assert peak < limit * n_bytes


@pytest.mark.parametrize(
    ("transformer", "limit"),
    [
        (ClusterTDPTransformer(3), 2.4),
        (ClusterTDPTransformer(3, two_sided=True), 2.7),
    ],
)
def test_memory_of_the_steps_before_the_image(transformer, limit):
    """The C library keeps freed arrays, so what these steps take comes on top of the image."""
    shape = (150, 180, 150)
    mask = np.zeros(shape, dtype=np.uint8)
    mask[25:-25, 30:-30, 30:-30] = 1
    z = np.random.default_rng(0).standard_normal(shape, dtype=np.float32) * mask
    img, mask_img = Nifti1Image(z, np.eye(4)), Nifti1Image(mask, np.eye(4))
    small = noise()
    transformer.set_params(mask_img=small[1]).fit(small[0])  # which compiles and imports
    transformer.set_params(mask_img=mask_img)
    tracemalloc.start()
    try:
        transformer.fit_transform(img)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit * z.nbytes


@pytest.mark.parametrize("transformer", [ClusterTDPTransformer(3), AdaptiveTDPTransformer(0.7)])
def test_memory_of_saving_a_map(transformer, tmp_path):
    """The TDP image and the label image would have three sizes of the map together."""
    img, mask_img = noise()
    transformer.set_params(mask_img=mask_img).fit(img)
    save(transformer, tmp_path / "before", prefix="map")  # which imports
    tracemalloc.start()
    try:
        files = save(transformer, tmp_path / "out", prefix="map")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.9 * 4 * np.prod(SHAPE)
    written = nibabel.load(files["TDP image"])
    assert np.array_equal(written.get_fdata()[mask_img.get_fdata() > 0], transformer.maps_.tdp)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("shape", [(5, 6, 7), (9, 4, 40)])
@pytest.mark.parametrize("what", ["painted_tdp", "painted_labels", "tdp"])
def test_a_file_that_is_written_plane_by_plane_is_the_file_of_nibabel(
    what, shape, endianness, ending, tmp_path
):
    rng = np.random.default_rng(0)
    affine = np.diag([-2, 2, 3, 1])
    mask_img = Nifti1Image(
        (rng.random(shape, dtype=np.float32) > 0.4).astype(np.uint8, order="F"),
        affine,
        Nifti1Header(endianness=endianness),
    )
    z = rng.standard_normal(shape) + np.linspace(0, 5, shape[0])[:, np.newaxis, np.newaxis]
    fitted_map = ClusterTDPTransformer([1, 3], mask_img=mask_img).fit(Nifti1Image(z, affine)).maps_
    own, of_nibabel = tmp_path / f"own{ending}", tmp_path / f"nibabel{ending}"
    img = fitted_map.to_image(getattr(fitted_map, what), "some values")
    write_nifti(img, own)
    img.to_filename(of_nibabel)  # which looks at the data
    assert own.read_bytes() == of_nibabel.read_bytes()
    write_nifti(img, own)
    assert own.read_bytes() == of_nibabel.read_bytes()
