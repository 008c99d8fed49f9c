"""Files of other programs that were made to do harm, and files with bits that fell over."""

import gzip
import json
import os
import random
import struct
import time
import zlib

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nibabel import MGHImage, Nifti1Image, Nifti2Image, Spm99AnalyzeImage
from nibabel.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage
from nibabel.nifti1 import Nifti1Extension
from scipy.io import savemat

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.interfaces import (
    describe_map,
    fsl_tables_with_tdp,
    read_afni,
    read_feat,
    read_p_map,
    read_spm,
)

from ._files import AFFINE, attribute, spm_struct, write_feat, write_spm

# What functions may raise of a file.
DOCUMENTED = (ValueError, TypeError, OSError)

# Of one small file, in seconds of processor time: a hundred times as long as any takes, and far
# less than a parser that goes over the same text again and again.
LONGEST = 60.0


# SPM.mat.


@pytest.fixture
def folder(tmp_path, study):
    """Return the folder of an analysis of SPM."""
    write_spm(tmp_path / "spm", study)
    return tmp_path / "spm"


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("order", [0, 1])
def test_structs_of_matlab_in_any_order_are_read(folder, compressed, order):
    fields = list(spm_struct(erdf=29.0312).items())
    content = {"other": np.arange(99.0), "SPM": dict(fields[:: -1 if order else 1])}
    savemat(folder / "SPM.mat", content, do_compression=compressed)
    stat_map = read_spm(folder, "faces > houses")
    assert (stat_map.df, stat_map.name) == (29.0312, "faces > houses")
    assert read_spm(folder, 3).df == (2.0, 29.0312)


def test_names_of_contrasts_in_other_alphabets(folder):
    struct_ = spm_struct(contrasts=[("Gesichter größer Häuser", "T")])
    savemat(folder / "SPM.mat", {"SPM": struct_})
    assert read_spm(folder).name == "Gesichter größer Häuser"


def element(kind, content):
    return struct.pack("<2I", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def matrix(kind, dims, *parts, name=b""):
    """Return an array of a MATLAB file."""
    head = element(6, struct.pack("<2I", kind, 0)) + element(5, struct.pack("<2i", *dims))
    return element(14, head + element(1, name) + b"".join(parts))


def mat_file(*variables):
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + b"".join(variables)


def compressed(variable):
    content = zlib.compress(variable, 9)
    return struct.pack("<2I", 15, len(content)) + content


def struct_of(**fields):
    names = b"".join(name.encode().ljust(32, b"\0") for name in fields)
    length = element(5, struct.pack("<i", 32))
    return matrix(2, (1, 1), length, element(1, names), *fields.values(), name=b"SPM")


def nested(depth):
    cell = matrix(6, (0, 0), element(9, b""))
    for _ in range(depth):
        cell = matrix(1, (1, 1), cell)
    return cell


def test_cells_within_cells_are_passed_over(folder):
    # So many let scipy die.
    erdf = matrix(6, (1, 1), element(9, struct.pack("<d", 29)))
    x_x = matrix(
        2, (1, 1), element(5, struct.pack("<i", 32)), element(1, b"erdf".ljust(32, b"\0")), erdf
    )
    content = struct_of(xY=nested(20_000), xX=x_x)
    (folder / "SPM.mat").write_bytes(mat_file(compressed(content)))
    start = time.process_time()
    with pytest.raises(ValueError, match="from 1 to 0"):
        read_spm(folder)
    (folder / "SPM.mat").write_bytes(mat_file(compressed(matrix(1, (1, 1), nested(20_000)))))
    with pytest.raises(ValueError, match="must hold a struct SPM"):
        read_spm(folder)
    assert time.process_time() - start < LONGEST


def test_files_of_matlab_that_expand_without_end(folder):
    # 540 MB, which come to 2 MB.
    deflate = zlib.compressobj(1)
    head = struct.pack("<2I", 14, 2**32 - 8) + bytes(120)
    pieces = [deflate.compress(head), *(deflate.compress(bytes(2**20)) for _ in range(540))]
    content = b"".join([*pieces, deflate.flush()])
    tag = struct.pack("<2I", 15, len(content))
    (folder / "SPM.mat").write_bytes(mat_file(tag + content))
    with pytest.raises(ValueError, match=r"SPM\.mat cannot be read"):
        read_spm(folder)


@pytest.mark.parametrize("erdf", [np.nan, np.inf, 0.0, -3.0, "29", np.ones(3), np.zeros((0, 0))])
def test_degrees_of_freedom_of_matlab_that_are_none(folder, erdf):
    savemat(folder / "SPM.mat", {"SPM": spm_struct(erdf=erdf)})
    with pytest.raises(ValueError, match=r"SPM\.xX\.erdf"):
        read_spm(folder)


# AFNI.


def write_afni(path, aux=(0, 3, 1, 9), values=None):
    values = np.random.default_rng(0).standard_normal((6, 5, 4)) if values is None else values
    attributes = [
        attribute("string", "TYPESTRING", "3DIM_HEAD_FUNC"),
        attribute("string", "BYTEORDER_STRING", "LSB_FIRST"),
        attribute("string", "BRICK_LABS", "t"),
        attribute("integer", "BRICK_TYPES", [3]),
        attribute("integer", "DATASET_DIMENSIONS", [6, 5, 4, 0, 0]),
        attribute("integer", "DATASET_RANK", [3, 1, 0, 0, 0, 0, 0, 0]),
        attribute("integer", "SCENE_DATA", [0, 2, 0]),
        attribute("integer", "ORIENT_SPECIFIC", [0, 3, 4]),
        attribute("float", "DELTA", [3.0, 3.0, 3.0]),
        attribute("float", "ORIGIN", [0.0, 0.0, 0.0]),
        attribute("float", "IJK_TO_DICOM_REAL", [3.0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0]),
        attribute("float", "BRICK_FLOAT_FACS", [0.0]),
        attribute("float", "BRICK_STATAUX", list(aux)),
    ]
    path.write_text("\n".join(attributes))
    path.with_suffix(".BRIK").write_bytes(values.astype("<f4").tobytes("F"))


@pytest.mark.parametrize(
    "aux",
    [
        (0, 3, 1, np.inf),
        (0, 3, 1, np.nan),
        (0, 3, np.nan, 9),
        (0, 3, np.inf, 9),
        (0, 3, 1e30, 9),
        (0, 3, -1, 9),
        (0, 3),
        (7, 3, 1, 9),
        (-1, 3, 1, 9),
        (0, 3, 1, 9, 0, 5, 0),
        (0, 3, 1, 9) * 10_000,
    ],
    ids=str,
)
def test_lists_of_statistics_of_afni_that_are_damaged(tmp_path, aux):
    path = tmp_path / "map+tlrc.HEAD"
    write_afni(path, aux)
    for door in (read_afni, describe_map):
        with pytest.raises(
            ValueError, match=r"statistics in the header of .* are damaged"
        ) as caught:
            door(path)
        assert len(str(caught.value)) < 1000


def test_a_brick_that_is_shorter_than_its_header_says(tmp_path):
    write_afni(tmp_path / "map+tlrc.HEAD", values=np.zeros((6, 5, 3)))
    with pytest.raises(ValueError, match="holds 480 bytes"):
        read_afni(tmp_path / "map+tlrc.HEAD")


# Texts and tables.


def z_map(folder, text):
    """Write a map of t values and a sidecar beside it."""
    img = Nifti1Image(np.random.default_rng(0).standard_normal((6, 5, 4)), AFFINE)
    img.to_filename(folder / "sub-1_stat-t_statmap.nii")
    (folder / "sub-1_stat-t_statmap.json").write_bytes(text)
    return folder / "sub-1_stat-t_statmap.nii"


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"df": ' + b"9" * 10_000 + b"}",
        b'{"df": 1' + b"0" * 400 + b"}",
        b'{"df": "\xff"}',
        b"\0" * 100,
        b'{"df": ' * 50_000,
        b"[1]",
        b" " * 2_000_000,
    ],
    ids=["deep", "digits", "large", "no UTF-8", "NUL", "objects", "list", "long"],
)
def test_sidecars_that_are_none_are_told(tmp_path, text):
    path = z_map(tmp_path, text)
    with pytest.warns(UserWarning, match="Degrees of freedom in it count for nothing"):
        assert describe_map(path).df == ()


@pytest.mark.parametrize("df", ['"9"', "true", "null", "[9, 9, 9]", "{}", "[[9]]"])
def test_sidecars_without_degrees_of_freedom(tmp_path, df):
    assert describe_map(z_map(tmp_path, f'{{"df": {df}}}'.encode())).df == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("name", ["stats/dof", "mask.nii.gz", "cluster_mask_zstat1.nii.gz"])
def test_pipes_in_the_folder_of_feat(tmp_path, study, name):
    write_feat(tmp_path / "feat", study)
    (tmp_path / "feat" / name).unlink()
    os.mkfifo(tmp_path / "feat" / name)
    with pytest.raises(ValueError, match="a pipe"):
        read_feat(tmp_path / "feat", "tstat1")


@pytest.mark.parametrize("text", [b"29\0", b"9" * 20_000_000, b"", b"nan", b"inf", b"1 2", b"-1"])
def test_degrees_of_freedom_of_feat_that_are_none(tmp_path, study, text):
    write_feat(tmp_path / "feat", study)
    (tmp_path / "feat" / "stats" / "dof").write_bytes(text)
    with pytest.raises(ValueError, match="dof"):
        read_feat(tmp_path / "feat", "tstat1")


@pytest.fixture
def clusters(study):
    """Return an estimator with FSL's clusters."""
    ari = ClusterTDPTransformer(labels_img=Nifti1Image(study.clusters.astype("int32"), AFFINE))
    ari.fit(Nifti1Image(study.z, AFFINE))
    return ari


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<", "<![", "<td", "</", "<a b='", "<table>", "&#38", "<tr><td>1"]
)
def test_pages_that_parsers_never_come_to_the_end_of(tmp_path, clusters, piece):
    page = tmp_path / "cluster_zstat1.html"
    page.write_text(piece * (1_000_000 // len(piece)))
    start = time.process_time()
    with pytest.raises(ValueError, match="must have a table of clusters"):
        fsl_tables_with_tdp(clusters, [page])
    assert time.process_time() - start < LONGEST


def test_tables_in_comments_are_none(tmp_path, clusters):
    page = tmp_path / "cluster_zstat1.html"
    page.write_text("<!-- <table><tr><th>Cluster Index<th>Voxels</table> -->")
    with pytest.raises(ValueError, match="must have a table of clusters"):
        fsl_tables_with_tdp(clusters, [page])


@pytest.mark.parametrize("ending", ["txt", "html"])
@pytest.mark.parametrize(
    ("old", "new", "match"),
    [("1.07e-05", None, "a cell in each row"), ("1", "2", "each cluster once|the same clusters")],
)
def test_rows_of_cluster_tables_that_are_short_or_twice(
    tmp_path, study, clusters, ending, old, new, match
):
    write_feat(tmp_path / "feat", study)
    path = tmp_path / "feat" / f"cluster_zstat1.{ending}"
    text = path.read_text(encoding="latin-1")
    start, end = ("", "\t") if ending == "txt" else ("<td>", "<td>")
    line = next(line for line in text.splitlines() if f"{start}1{end}" in line and "1.07" in line)
    damaged_line = line.split(old)[0] if new is None else line.replace(old, new, 1)
    path.write_text(text.replace(line, damaged_line), encoding="latin-1")
    with pytest.raises(ValueError, match=match):
        fsl_tables_with_tdp(clusters, [path])


@pytest.mark.parametrize(
    "text",
    [b"index\tname\n1\t\0\n", b"a" * 17_000_000, b"\xff\xfe\x00" * 99, b"", b"index name\n" * 3],
    ids=["NUL", "long", "noise", "empty", "no table"],
)
def test_names_of_regions_that_are_no_table(tmp_path, study, text):
    (tmp_path / "lut.tsv").write_bytes(text)
    atlas = Nifti1Image(study.clusters.astype("int32"), AFFINE)
    regions = RegionTDPTransformer(atlas, lut=tmp_path / "lut.tsv")
    with pytest.raises(ValueError, match="lut"):
        regions.fit(Nifti1Image(study.z, AFFINE))


# Bits that fell over.


def write_volumes(folder, values):
    img = Nifti1Image(values, AFFINE)
    img.header.set_intent("t test", (9,))
    img.to_filename(folder / "one.nii")
    img.to_filename(folder / "packed.nii.gz")
    Nifti2Image(values, AFFINE).to_filename(folder / "two.nii")
    xml = (
        "<AFNI_attributes><AFNI_atr ni_type='float' atr_name='BRICK_STATAUX'>0 3 1 9</AFNI_atr>"
        "<AFNI_atr ni_type='String' atr_name='BRICK_LABS'>\"t\"</AFNI_atr></AFNI_attributes>"
    )
    img.header.extensions.append(Nifti1Extension(4, xml.encode()))
    img.to_filename(folder / "of_afni.nii")
    MGHImage(values, AFFINE).to_filename(folder / "of_freesurfer.mgh")
    MGHImage(values, AFFINE).to_filename(folder / "packed.mgz")
    Spm99AnalyzeImage(values, AFFINE).to_filename(folder / "pair.img")
    array = GiftiDataArray(
        values.ravel(), intent="NIFTI_INTENT_ZSCORE", datatype="NIFTI_TYPE_FLOAT32"
    )
    GiftiImage(darrays=[array]).to_filename(folder / "lh.map.gii")
    axis = BrainModelAxis.from_mask(np.ones((4, 4, 4), bool), affine=AFFINE, name="CEREBELLUM")
    Cifti2Image(values.ravel()[np.newaxis, :64], (ScalarAxis(["z"]), axis)).to_filename(
        folder / "map.dscalar.nii"
    )
    write_afni(folder / "map+tlrc.HEAD", values=values)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Return a folder with a small file of each format."""
    folder = tmp_path_factory.mktemp("originals")
    write_volumes(folder, np.random.default_rng(0).standard_normal((6, 5, 4)).astype("f4"))
    return folder


# The file that is damaged, and the one that is read then.
FILES = {
    "one.nii": "one.nii",
    "packed.nii.gz": "packed.nii.gz",
    "two.nii": "two.nii",
    "of_afni.nii": "of_afni.nii",
    "of_freesurfer.mgh": "of_freesurfer.mgh",
    "packed.mgz": "packed.mgz",
    "pair.hdr": "pair.img",
    "pair.mat": "pair.img",
    "lh.map.gii": "lh.map.gii",
    "map.dscalar.nii": "map.dscalar.nii",
    "map+tlrc.HEAD": "map+tlrc.HEAD",
}


def damaged(content, draw):
    """Return bytes with some that are other, missing or new."""
    content = bytearray(content)
    # Headers come first, and say most.
    place = draw.randrange(min(len(content), draw.choice([100, 600, len(content)])))
    kind = draw.randrange(10)
    if kind < 5:
        for _ in range(draw.choice([1, 1, 2, 4, 8])):
            content[(place + draw.randrange(8)) % len(content)] = draw.choice(
                [0, 1, 127, 128, 255, 45, 57, 60, 62, draw.randrange(256)]
            )
    elif kind == 5:
        del content[place:]
    elif kind == 6:
        del content[place : place + draw.choice([1, 2, 4, 16])]
    elif kind == 7:
        content[place:place] = draw.randbytes(draw.choice([1, 2, 4, 50]))
    else:
        width = draw.choice([4, 8])
        content[place : place + width] = draw.choice(
            [b"\xff" * width, b"\x7f" + b"\xff" * (width - 1), bytes(width), b"9" * width]
        )
    return bytes(content)


def check(door, path):
    """Check that a door takes a file, or says in a documented way that it does not."""
    start = time.process_time()
    try:
        door(path)
    except DOCUMENTED as error:
        if not str(error):
            pytest.fail("an error without a word")
    assert time.process_time() - start < LONGEST


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
def test_damaged_images_are_refused_or_read(originals, name, tmp_path, fuzz_cases):
    doors = [describe_map]
    if name == "map+tlrc.HEAD":
        doors.append(read_afni)
    elif name != "lh.map.gii":
        doors.append(lambda path: ClusterTDPTransformer(2.0).fit(path))
    for path in originals.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = (originals / name).read_bytes()
    # Not hash(name), which is another one in each process.
    draw = random.Random(name)
    for _ in range(fuzz_cases(60)):
        (tmp_path / name).write_bytes(damaged(content, draw))
        for door in doors:
            check(door, tmp_path / FILES[name])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_compressed", [True, False])
def test_damaged_structs_of_matlab_are_refused_or_read(folder, is_compressed, fuzz_cases):
    savemat(folder / "SPM.mat", {"SPM": spm_struct()}, do_compression=is_compressed)
    content = (folder / "SPM.mat").read_bytes()
    draw = random.Random(0)
    for _ in range(fuzz_cases(300)):
        (folder / "SPM.mat").write_bytes(damaged(content, draw))
        check(read_spm, folder)


@pytest.mark.filterwarnings("ignore")
def test_damaged_cluster_tables_are_refused_or_read(tmp_path, study, clusters, fuzz_cases):
    write_feat(tmp_path / "feat", study)
    draw = random.Random(0)
    for name in ("cluster_zstat1.txt", "cluster_zstat1.html"):
        path = tmp_path / "feat" / name
        content = path.read_bytes()
        for _ in range(fuzz_cases(150)):
            path.write_bytes(damaged(content, draw))
            check(lambda table: fsl_tables_with_tdp(clusters, [table]), path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.filterwarnings("ignore")
def test_any_sidecar_is_read_or_told(tmp_path, fuzz_cases):
    path = z_map(tmp_path, b"{}")
    sidecar = path.with_suffix(".json")

    @settings(
        max_examples=fuzz_cases(60),
        suppress_health_check=list(HealthCheck),
    )
    @given(value=JSON | st.binary())
    def of(value):
        content = value if isinstance(value, bytes) else json.dumps({"df": value}).encode()
        sidecar.write_bytes(content)
        check(describe_map, path)
        check(lambda of_map: ClusterTDPTransformer(2.0).fit(of_map), path)

    of()


@pytest.mark.filterwarnings("ignore")
def test_any_table_of_regions_is_read_or_refused(tmp_path, study, fuzz_cases):
    atlas = Nifti1Image(study.clusters.astype("int32"), AFFINE)
    z_img = Nifti1Image(study.z, AFFINE)
    content = pd.DataFrame({"index": [1, 2, 3, 4], "name": list("abcd")}).to_csv(sep="\t")
    path = tmp_path / "lut.tsv"
    draw = random.Random(0)
    for _ in range(fuzz_cases(60)):
        path.write_bytes(damaged(content.encode(), draw))
        check(lambda lut: RegionTDPTransformer(atlas, lut=lut).fit(z_img), path)


@pytest.mark.parametrize("name", ["map_vox_p_tstat1.nii.gz", "lP+.img"])
def test_damaged_maps_of_p_values(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"\0" * 999))
    with pytest.raises(ValueError, match="cannot be read"):
        read_p_map(tmp_path / name)


def test_sizes_of_images_that_someone_else_has_opened(tmp_path, study):
    path = tmp_path / "map.nii"
    Nifti1Image(study.z, AFFINE).to_filename(path)
    img = nib.load(path)
    os.truncate(path, 1000)
    with pytest.raises(ValueError, match="of a file of 1,000 bytes"):
        ClusterTDPTransformer(2.0).fit(img)
