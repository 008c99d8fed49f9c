"""Files that were made to do harm: refused in one sentence, soon, and with little memory."""

import base64
import gzip
import os
import resource
import struct
import sys
import zlib

import numpy as np
import pytest
from nibabel import Nifti1Image, Nifti1Pair, Nifti2Image, Spm99AnalyzeImage
from nibabel.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage
from nibabel.nifti1 import Nifti1Extension
from scipy.io import savemat

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.interfaces import describe_map, read_afni, read_fsl, read_p_map

SHAPE = (6, 5, 4)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
VALUES = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)

# What a test may take beyond what it had: far less than what the files say.
MOST_MEMORY = 300 * 2**20


def tdp_of(path):
    return ClusterTDPTransformer(2.0).fit_transform(path)


def masked(path):
    img = Nifti1Image(VALUES, AFFINE)
    return ClusterTDPTransformer(2.0, mask_img=str(path)).fit_transform(img)


def regions_of(path):
    return RegionTDPTransformer(str(path)).fit_transform(Nifti1Image(VALUES, AFFINE))


def group_of(path):
    return ARISecondLevelModel().fit([str(path)] * 3)


# Every door that a volume may come in by.
DOORS = [describe_map, tdp_of, masked, regions_of, group_of, read_fsl, read_afni]


@pytest.fixture
def refuse():
    """Return a function that checks that a door refuses a file by its name, without its memory."""

    def check(path, match, door=describe_map):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ValueError, match=match) as caught:
            door(path)
        assert os.path.basename(path) in str(caught.value)
        if sys.platform == "linux":
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            assert 1024 * grown < MOST_MEMORY

    return check


def nifti_bytes(shape=SHAPE, offset=352, data=None):
    """Return a NIfTI file whose header says what is asked."""
    header = Nifti1Image(VALUES, AFFINE).header
    block = bytearray(header.binaryblock)
    block[40:56] = struct.pack("<8h", len(shape), *shape, *(1,) * (7 - len(shape)))
    block[108:112] = struct.pack("<f", offset)
    return bytes(block) + b"\0" * 4 + (VALUES.tobytes("F") if data is None else data)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("content", "match"),
    [
        (nifti_bytes((30000, 30000, 30000)), "holds 108,000,000,000,352 bytes"),
        (nifti_bytes(offset=1e12), "holds 999,999,995,904 bytes"),
        (nifti_bytes(offset=-1e9), "within the header"),
        (nifti_bytes(offset=np.nan), "within the header"),
        (nifti_bytes((-6, 5, 4)), "shape"),
        (nifti_bytes((6, 0, 4)), "shape"),
        (nifti_bytes(data=b"\0" * 100), "holds 832 bytes"),
        (b"", "Empty file|begin with the header|unpack"),
        (b"text\n" * 200, "does not begin with the header"),
    ],
    ids=["huge", "offset", "before", "NaN", "negative", "zero", "truncated", "empty", "text"],
)
def test_headers_of_volumes_that_cannot_be_true(tmp_path, refuse, door, content, match):
    path = tmp_path / "map.nii"
    path.write_bytes(content)
    refuse(path, match, door)


@pytest.mark.parametrize("door", DOORS)
def test_gzip_that_expands_without_end(tmp_path, refuse, door):
    # 1 GB of zeros is 1 MB; its header says that it holds as much again.
    path = tmp_path / "map.nii.gz"
    deflate = zlib.compressobj(9, wbits=31)
    head = nifti_bytes((1024, 1024, 512), data=b"")
    pieces = [deflate.compress(head), *(deflate.compress(bytes(2**20)) for _ in range(64))]
    path.write_bytes(b"".join([*pieces, deflate.flush()]))
    refuse(path, "holds 2,147,484,000 bytes", door)


def test_gzip_that_goes_on_after_the_data_is_read_as_far_as_the_header_says(tmp_path):
    path = tmp_path / "map.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes() + bytes(100 * 2**20)))
    assert describe_map(path).shape == SHAPE


@pytest.mark.parametrize("at", [50, 200, -6, -2])
def test_bits_that_fell_over_in_gzip_are_found(tmp_path, refuse, at):
    path = tmp_path / "map.nii.gz"
    content = bytearray(gzip.compress(nifti_bytes()))
    content[at] ^= 8
    path.write_bytes(content)
    refuse(path, "cannot be read", tdp_of)


@pytest.mark.skipif(sys.platform != "linux", reason="not all systems have files with holes")
def test_files_with_holes(tmp_path, refuse):
    path = tmp_path / "map.nii"
    path.write_bytes(nifti_bytes((2000, 2000, 2000), data=b""))
    os.truncate(path, 352 + 4 * 2000**3)
    refuse(path, "holes")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("door", [*DOORS, read_p_map])
@pytest.mark.parametrize("name", ["map.nii", "map.nii.gz", "map.mgz"])
def test_pipes_are_refused_and_not_waited_for(tmp_path, refuse, door, name):
    path = tmp_path / name
    os.mkfifo(path)
    refuse(path, "file on a disk.*a pipe", door)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("door", [describe_map, tdp_of])
def test_pipes_in_place_of_cifti(tmp_path, refuse, door):
    os.mkfifo(tmp_path / "map.dscalar.nii")
    refuse(tmp_path / "map.dscalar.nii", "file on a disk.*a pipe", door)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("pipe", ["map.img", "map.mat"])
def test_pipes_beside_a_header(tmp_path, refuse, pipe):
    Spm99AnalyzeImage(VALUES, AFFINE).to_filename(tmp_path / "map.img")
    (tmp_path / pipe).unlink()
    os.mkfifo(tmp_path / pipe)
    refuse(tmp_path / "map.hdr", "a pipe")


def test_links_to_devices(tmp_path, refuse):
    path = tmp_path / "map.nii"
    path.symlink_to("/dev/zero")
    refuse(path, "a device")


@pytest.mark.parametrize("offset", [-1e35, -400, 1e35])
def test_data_of_a_pair_of_files_that_start_nowhere(tmp_path, refuse, offset):
    Spm99AnalyzeImage(VALUES, AFFINE).to_filename(tmp_path / "map.img")
    content = bytearray((tmp_path / "map.hdr").read_bytes())
    content[108:112] = struct.pack("<f", offset)
    (tmp_path / "map.hdr").write_bytes(content)
    refuse(tmp_path / "map.hdr", "data start at byte|says that it holds", tdp_of)


@pytest.mark.parametrize("image_class", [Nifti1Image, Nifti2Image, Nifti1Pair])
@pytest.mark.parametrize("size", [0, 7, -16, 2**30])
def test_extensions_of_headers_that_have_no_such_size(tmp_path, refuse, image_class, size):
    img = image_class(VALUES, AFFINE)
    img.header.extensions.append(Nifti1Extension(6, b"comment" + b" " * 40))
    path = tmp_path / ("map.hdr" if image_class is Nifti1Pair else "map.nii")
    img.to_filename(path)
    content = bytearray(path.read_bytes())
    start = 544 if image_class is Nifti2Image else 352
    content[start : start + 4] = struct.pack("<i", size)
    path.write_bytes(content)
    refuse(path, "an extension of its header")


def nested_cells(depth):
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = 1.0
    for _ in range(depth):
        outer = np.empty((1, 1), dtype=object)
        outer[0, 0] = cells
        cells = outer
    return cells


def test_cells_in_the_matrix_beside_an_image_of_two_files(tmp_path, refuse):
    Spm99AnalyzeImage(VALUES, AFFINE).to_filename(tmp_path / "map.img")
    savemat(tmp_path / "map.mat", {"M": nested_cells(50)}, do_compression=True)
    refuse(tmp_path / "map.img", "matrices of numbers only")


# XML.

LAUGHS = "".join(f'<!ENTITY l{k} "{"".join([f"&l{k - 1};"] * 10)}">' for k in range(1, 12))
DTDS = {
    "a billion laughs": f'[<!ENTITY l0 "ha">{LAUGHS}]',
    "another file": '[<!ENTITY l11 SYSTEM "file:///etc/passwd">]',
    "a parameter": '[<!ENTITY % l11 SYSTEM "file:///etc/passwd"> %l11;]',
}


def gifti(path, **attributes):
    array = GiftiDataArray(
        np.arange(642, dtype=np.float32),
        intent="NIFTI_INTENT_ZSCORE",
        datatype="NIFTI_TYPE_FLOAT32",
    )
    text = GiftiImage(darrays=[array]).to_xml().decode()
    for name, value in attributes.items():
        start = text.index(f'{name}="') + len(name) + 2
        text = text[:start] + value + text[text.index('"', start) :]
    path.write_text(text)
    return text


def with_document_type(text, declaration):
    start, end = text.index("<!DOCTYPE"), text.index("<GIFTI")
    return f"{text[:start]}<!DOCTYPE GIFTI {declaration}>{text[end:]}"


@pytest.mark.parametrize("dtd", DTDS)
def test_entities_in_gifti(tmp_path, refuse, dtd):
    path = tmp_path / "lh.map.gii"
    text = gifti(path)
    path.write_text(with_document_type(text, DTDS[dtd]).replace(">1<", ">&l11;<"))
    refuse(path, "declares the entity")


def test_the_document_type_of_gifti_is_no_harm(tmp_path):
    path = tmp_path / "lh.map.gii"
    text = gifti(path)
    path.write_text(with_document_type(text, 'SYSTEM "http://gifti.projects.nitrc.org/gifti.dtd"'))
    assert describe_map(path).n_elements == {"left": 642}


@pytest.mark.parametrize("name", ["lh.map.gii", "lh.map.gii.gz"])
def test_arrays_of_gifti_that_expand_to_more_than_they_say(tmp_path, refuse, name):
    path = tmp_path / "lh.map.gii"
    text = gifti(path)
    bomb = base64.b64encode(zlib.compress(bytes(200 * 2**20))).decode()
    start, end = text.index("<Data>") + 6, text.index("</Data>")
    content = (text[:start] + bomb + text[end:]).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    refuse(tmp_path / name, "an array that should have 2,568 bytes expands to more")


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"Dim0": "1000000000000"}, "arrays say that they have 4,000,000,000,000 bytes"),
        ({"Dim0": "-642"}, "shape"),
        ({"Dim0": "640"}, "should have 2,560 bytes expands to more"),
        ({"Dimensionality": "1000000000000"}, "has 1000000000000 dimensions"),
        ({"Encoding": "ExternalFileBinary"}, "in another file"),
        ({"Encoding": "Morse"}, "damaged"),
        ({"DataType": "NIFTI_TYPE_UTF8"}, "damaged"),
    ],
)
def test_attributes_of_gifti_that_cannot_be_true(tmp_path, refuse, attributes, match):
    path = tmp_path / "lh.map.gii"
    gifti(path, **attributes)
    refuse(path, match)


def test_elements_of_xml_without_end(tmp_path, refuse):
    path = tmp_path / "lh.map.gii"
    path.write_text("<GIFTI>" + "<MetaData>" * 100_000)
    refuse(path, "more than 100 elements within each other")


def cifti(path, old="", new=""):
    axis = BrainModelAxis.from_mask(np.ones((4, 4, 4), bool), affine=AFFINE, name="CEREBELLUM")
    values = np.random.default_rng(0).standard_normal((1, 64)).astype(np.float32)
    Cifti2Image(values, (ScalarAxis(["z"]), axis)).to_filename(path)
    content = path.read_bytes()
    assert old.encode() in content
    assert len(old) == len(new)
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))


@pytest.mark.parametrize("door", [describe_map, tdp_of])
@pytest.mark.parametrize("dtd", DTDS)
def test_entities_in_cifti(tmp_path, refuse, door, dtd):
    path = tmp_path / "map.dscalar.nii"
    cifti(path)
    content = path.read_bytes()
    size = struct.unpack("<i", content[544:548])[0]
    xml = content[552 : 544 + size].rstrip(b"\0")
    start = xml.index(b"<CIFTI")
    xml = xml[:start] + f"<!DOCTYPE CIFTI {DTDS[dtd]}>".encode() + xml[start:]
    xml += b"\0" * (-(len(xml) + 8) % 16)
    head = bytearray(content[:544])
    head[168:176] = struct.pack("<q", 544 + 8 + len(xml))
    path.write_bytes(
        bytes(head) + struct.pack("<2i", len(xml) + 8, 32) + xml + content[544 + size :]
    )
    refuse(path, "declares the entity", door)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("0 0 1\n", "0 0 9\n", "invalid entry|in its grid"),
        ("0 0 1\n", "0 0 0\n", "in it once. Got 1 of them"),
        ('VolumeDimensions="4,4,4"', 'VolumeDimensions="4,4,2"', "invalid entry|in its grid"),
    ],
)
def test_voxels_of_cifti_that_are_not_in_its_grid(tmp_path, old, new, match):
    path = tmp_path / "map.dscalar.nii"
    cifti(path, old, new)
    with pytest.raises(ValueError, match=match):
        tdp_of(path)


def test_grids_of_cifti_that_no_one_has(tmp_path):
    axis = BrainModelAxis.from_mask(np.ones((4, 4, 4), bool), affine=AFFINE, name="CEREBELLUM")
    axis.volume_shape = (30000, 30000, 30000)
    img = Cifti2Image(np.zeros((1, 64), dtype=np.float32), (ScalarAxis(["z"]), axis))
    with pytest.raises(ValueError, match="a grid of a size in use"):
        ClusterTDPTransformer(2.0).fit_transform(img)


def test_entities_in_the_extension_of_afni(tmp_path):
    img = Nifti1Image(VALUES, AFFINE)
    xml = f"<!DOCTYPE a {DTDS['a billion laughs']}><AFNI_attributes>&l11;</AFNI_attributes>"
    img.header.extensions.append(Nifti1Extension(4, xml.encode()))
    path = tmp_path / "map.nii"
    img.to_filename(path)
    for door in (describe_map, tdp_of, read_afni):
        with pytest.raises(ValueError, match="declares the entity"):
            door(path)


@pytest.mark.parametrize(
    "affine",
    [
        np.zeros((4, 4)),
        np.full((4, 4), np.nan),
        np.diag([3.0, 3, 0, 1]),
        np.diag([3, np.inf, 3, 1]),
    ],
    ids=["zeros", "NaN", "flat", "infinite"],
)
@pytest.mark.parametrize("argument", ["map", "mask_img", "labels_img"])
def test_affines_that_do_not_tell_where_voxels_are(affine, argument):
    good = {"map": VALUES, "mask_img": VALUES > -9, "labels_img": VALUES > 0}
    images = {name: Nifti1Image(values.astype(np.float32), AFFINE) for name, values in good.items()}
    bad = Nifti1Image(good[argument].astype(np.float32), AFFINE)
    bad._affine = affine
    images[argument] = bad
    ari = ClusterTDPTransformer(mask_img=images["mask_img"], labels_img=images["labels_img"])
    with pytest.raises(ValueError, match="affine of a volume must be finite"):
        ari.fit_transform(images["map"])
