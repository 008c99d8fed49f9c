"""CIFTI files of many subjects: what nibabel reads, with grayordinates that are parsed once."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis, SeriesAxis
from nibabel.nifti1 import Nifti1Extension
from numpy.testing import assert_array_equal

from ari_estimator.images._cifti_files import CiftiFiles
from ari_estimator.images._cifti_header import are_same_models, axis_of, difference, new_image
from ari_estimator.images._grayordinate_maps import open_maps
from ari_estimator.images._grayordinate_masker import GrayordinateMasker

VOXELS = np.argwhere(np.ones((3, 4, 2)))
AXIS = (
    BrainModelAxis.from_surface([0, 2, 3, 7, 9], 12, name="CortexRight")
    + BrainModelAxis(
        "CIFTI_STRUCTURE_BRAIN_STEM", voxel=VOXELS, affine=np.eye(4), volume_shape=(3, 4, 2)
    )
    + BrainModelAxis.from_surface(np.arange(6), 12, name="CortexLeft")
)
N = len(AXIS)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes an image, and returns its file."""

    def write(name, rows=1, axis=AXIS, dtype=np.float32, of_maps=None, change=None):
        data = np.random.default_rng(len(name)).standard_normal((rows, len(axis)))
        data = (100 * data).astype(dtype)
        if of_maps is None:
            of_maps = ScalarAxis([f"{name} {k}" for k in range(rows)])
        img = Cifti2Image(data, (of_maps, axis))
        if change is not None:
            change(img)
        path = tmp_path / f"{name}.dscalar.nii"
        img.to_filename(path)
        return path

    return write


def assert_is_read(content, path):
    img = nib.load(path)
    assert content.axis == img.header.get_axis(0)
    assert axis_of(content.models) == img.header.get_axis(1)
    assert_array_equal(np.asarray(content.data), np.asarray(img.dataobj))
    for row in range(len(content.axis)):
        assert_array_equal(content.data[row], np.asarray(img.dataobj)[row])


def test_contents_are_those_of_nibabel(write):
    files = CiftiFiles()
    paths = [
        write("one"),
        write("of three", rows=3),
        write("doubles", dtype=np.float64),
        write("whole", dtype=np.int16),
        write("a name < with & signs"),
        write("series", rows=4, of_maps=SeriesAxis(0, 2, 4)),
    ]
    contents = [files.open(path, "A map") for path in paths]
    for content, path in zip(contents, paths, strict=True):
        assert_is_read(content, path)
    assert all(content.models is contents[0].models for content in contents)


def test_other_grayordinates_are_parsed_again(write):
    files = CiftiFiles()
    paths = [write("a"), write("b", axis=AXIS[1:]), write("c"), write("d", axis=AXIS[::-1])]
    contents = [files.open(path, "A map") for path in paths]
    for content, path in zip(contents, paths, strict=True):
        assert_is_read(content, path)
    assert difference(contents[0].models, contents[2].models) is None
    assert "4 in CORTEX_RIGHT" in difference(contents[1].models, contents[0].models)


def test_an_extension_before_the_header_of_cifti(write):
    """Files that are laid out in another way are left to nibabel."""

    def comment(img):
        img.nifti_header.extensions.append(Nifti1Extension("comment", b"first"))

    path = write("commented", change=comment)
    assert_is_read(CiftiFiles().open(path, "A map"), path)


@pytest.mark.parametrize("known", [False, True], ids=["first file", "second file"])
@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-40],
        lambda content: content.replace(b"<Matrix>", b"<Matrix ", 1),
        lambda content: content.replace(b"<MapName>", b"<!ENTITY>", 1),
        lambda content: content[:100],
    ],
    ids=["cut", "damaged", "entity", "header alone"],
)
def test_damaged_files_are_named(write, change, known):
    files = CiftiFiles()
    good, path = write("good"), write("bad file")
    if known:
        files.open(good, "A map")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=r"A map cannot be read: .*bad file"):
        np.asarray(files.open(path, "A map").data)


def test_a_header_of_other_size_than_the_data(write, tmp_path):
    path = write("sizes", rows=2)
    content = bytearray(path.read_bytes())
    content[56:64] = (3).to_bytes(8, "little")  # the fifth dimension
    path.write_bytes(content)
    with pytest.raises(ValueError, match="its data have shape"):
        CiftiFiles().open(path, "A map")


def test_files_that_are_no_cifti_files(tmp_path):
    path = tmp_path / "volume.dscalar.nii"
    nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4)).to_filename(path)
    with pytest.raises(TypeError, match=r"must hold a Cifti2Image. Got Nifti1Image"):
        CiftiFiles().open(path, "A map")
    with pytest.raises(FileNotFoundError, match="A map does not exist"):
        CiftiFiles().open(tmp_path / "none.dscalar.nii", "A map")


def test_images_share_grayordinates(write):
    models = CiftiFiles().open(write("a"), "A map").models
    one, other = (new_image(np.full((2, N), k), ["x", "y"], models) for k in (1.0, 2.0))
    assert one.header.matrix.get_index_map(1) is other.header.matrix.get_index_map(1)
    assert one.header.get_axis(1) == AXIS
    assert one.header.matrix.get_data_shape() == (2, N)
    assert one.to_bytes() != other.to_bytes()
    again = Cifti2Image.from_bytes(one.to_bytes())
    assert_array_equal(np.asarray(again.dataobj), np.asarray(one.dataobj))
    assert are_same_models(models, again.header.matrix.get_index_map(1))


def test_a_masker_of_files(write):
    paths = [write("a"), write("bb"), write("ccc", dtype=np.float64)]
    mask = np.zeros(N, dtype=np.uint8)
    mask[::2] = 1
    mask_img = Cifti2Image(mask[None], (ScalarAxis(["mask"]), AXIS))
    masker = GrayordinateMasker(mask_img).fit()
    values = masker.transform(paths)
    expected = np.concatenate([np.asarray(nib.load(path).dataobj) for path in paths])[:, ::2]
    assert values.dtype == np.float64
    assert_array_equal(values, expected)
    img = masker.inverse_transform(values)
    assert_array_equal(np.asarray(img.dataobj)[:, ::2], expected)
    assert not np.asarray(img.dataobj)[:, 1::2].any()
    assert_array_equal(masker.transform(img), values)
    assert masker.transform(paths[:2]).dtype == np.float32
    assert GrayordinateMasker().fit(paths).n_elements_ == N
    with pytest.raises(ValueError, match="mask_img must be a mask, because there are no images"):
        GrayordinateMasker().fit()


def test_one_map_is_read_of_a_large_file(write):
    maps = open_maps([write("a", rows=3), write("b", rows=3)], 2)
    assert [one.called.endswith("[2]") for one in maps] == [True, True]
    assert maps[0].values().shape == (N,)
