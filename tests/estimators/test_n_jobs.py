"""Several maps in several processes: the same results, warnings and errors as in one."""

from __future__ import annotations

import re
import warnings

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer, RegionTDPTransformer

AFFINE = np.diag([-3.0, 3.0, 3.0, 1.0])
SHAPE = (9, 8, 7)


def volumes(n_maps=3):
    z = np.random.default_rng(0).standard_normal((n_maps, *SHAPE))
    z[:, 2:5, 2:5, 2:5] += 4
    return [Nifti1Image(values, AFFINE) for values in z]


def files(folder):
    paths = [folder / f"{number}.nii.gz" for number in range(3)]
    for img, path in zip(volumes(), paths, strict=True):
        img.to_filename(path)
    return paths


def forms(folder):
    """Return the same maps in each form."""
    images = volumes()
    stack = np.stack([img.get_fdata() for img in images])
    return {
        "files": files(folder),
        "images": images,
        "one image": Nifti1Image(np.moveaxis(stack, 0, -1), AFFINE),
        "array": stack.reshape(len(stack), -1),
    }


@pytest.fixture(scope="module")
def options():
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[:4], labels[4:] = 1, 2
    mask_img = Nifti1Image(np.ones(SHAPE, dtype=np.uint8), AFFINE)
    return {"mask_img": mask_img, "verbose": 0}, Nifti1Image(labels, AFFINE)


def transformers(options, atlas_img):
    yield ClusterTDPTransformer(threshold=[1.5, 2.5], two_sided=True, **options)
    yield AdaptiveTDPTransformer(**options)
    yield RegionTDPTransformer(atlas_img, **options)


def assert_same(one, other):
    if isinstance(one, list):
        assert len(one) == len(other)
        for pair in zip(one, other, strict=True):
            assert_same(*pair)
    elif isinstance(one, Nifti1Image):
        np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
        assert one.header == other.header
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("form", ["files", "images", "one image", "array"])
def test_results_are_those_of_one_process(options, form, tmp_path):
    maps = forms(tmp_path)[form]
    for alone in transformers(*options):
        several = type(alone)(**{**alone.get_params(deep=False), "n_jobs": 2})
        assert_same(alone.fit_transform(maps), several.fit_transform(maps))
        assert_same(alone.transform(maps), several.transform(maps))
        assert_same(alone.table_, several.table_)
        assert alone.true_discoveries_ == several.true_discoveries_
        assert_same(alone.maps_[1].tdp, several.maps_[1].tdp)
        if hasattr(alone, "labels_img_"):
            assert_same(alone.labels_img_, several.labels_img_)


def test_warnings_of_processes_are_given(options):
    images = volumes()
    values = images[1].get_fdata().copy()
    values[0, 0, :3] = np.nan
    images[1] = Nifti1Image(values, AFFINE)
    caught = {}
    for n_jobs in (1, 2):
        ari = AdaptiveTDPTransformer(n_jobs=n_jobs, **options[0]).fit()
        with warnings.catch_warnings(record=True) as caught[n_jobs]:
            warnings.simplefilter("always")
            ari.transform(images)
    messages = {n_jobs: [str(one.message) for one in given] for n_jobs, given in caught.items()}
    assert messages[1] == messages[2]
    assert "NaN in 3 of the 504 voxels" in messages[2][0]


def test_errors_of_processes_are_raised(options, tmp_path):
    paths = files(tmp_path)
    Nifti1Image(np.full(SHAPE, 2.0), AFFINE).to_filename(paths[2])
    ari = ClusterTDPTransformer(n_jobs=2, **options[0]).fit()
    with pytest.raises(ValueError, match="The map is constant, 2"):
        ari.transform(paths)


@pytest.mark.parametrize("given", ["paths", "images"])
@pytest.mark.parametrize("damage", ["checksum", "end"])
def test_the_process_that_reads_a_compressed_file_checks_it(options, tmp_path, damage, given):
    paths = files(tmp_path)
    content = bytearray(paths[2].read_bytes())
    if damage == "checksum":
        content[-6] ^= 1
    else:
        del content[-30:]
    paths[2].write_bytes(content)
    maps = paths if given == "paths" else [nibabel.load(path) for path in paths]
    said = []
    for n_jobs in (1, 2):
        ari = ClusterTDPTransformer(n_jobs=n_jobs, **options[0]).fit()
        for method in (ari.transform, ari.fit_transform):
            with pytest.raises(ValueError, match=re.escape(repr(str(paths[2])))) as caught:
                method(maps)
            said.append(str(caught.value).partition(" cannot be read: ")[2])
    assert len(set(said)) == 1
    assert said[0]


@pytest.mark.parametrize("n_jobs", [0, 1.5, "all"])
def test_a_number_of_processes_must_be_an_integer_and_not_0(options, n_jobs):
    with pytest.raises(ValueError, match=r"'n_jobs' parameter .* must be"):
        ClusterTDPTransformer(n_jobs=n_jobs, **options[0]).fit(volumes()[0])
    ari = ClusterTDPTransformer(**options[0]).fit(volumes()[0]).set_params(n_jobs=n_jobs)
    with pytest.raises(ValueError, match=r"'n_jobs' parameter .* must be"):
        ari.transform(volumes())


def test_a_single_map_and_an_iterator_take_one_process(options, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("processes were started")

    monkeypatch.setattr("ari_estimator.calibration.Workers", refuse)
    ari = ClusterTDPTransformer(n_jobs=2, **options[0])
    ari.fit_transform(volumes()[0])
    assert len(ari.transform(iter(volumes()))) == 3
