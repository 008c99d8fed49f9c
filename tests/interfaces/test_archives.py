"""What loading promises: parameters that were saved, no other file, little memory, one error."""

from __future__ import annotations

import inspect
import json
import os
import sys
import tracemalloc
import zipfile
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    TDPForest,
)
from ari_estimator.closed_testing import Calibration, LearnedTemplate
from ari_estimator.interfaces._stored_parameters import stored_names

from ._archives import AFFINE, HEAD, MAPS, NAMES, make_archives, rezipped, summary

# Peak memory of refusing a file: 16 MiB are unpacked of any file, and a little more is at work.
MOST_MEMORY = 48 * 2**20

pytestmark = pytest.mark.filterwarnings(
    "ignore:The map is NaN", "ignore:1 of the 2 regions", "ignore:n_permutations="
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Return a small file of each kind."""
    return make_archives(tmp_path_factory.mktemp("archives"))


def parameters_of(arrays, **changes):
    """Return arrays with other parameters."""
    parameters = json.loads(str(arrays["parameters"])) | changes
    return arrays | {"parameters": json.dumps(parameters)}


def refused(archive, path, match):
    """Check that a file is refused by an error that names it."""
    with pytest.raises(ValueError, match=match) as caught:
        archive.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_written_again_with_what_it_holds_is_the_same(archives, name, tmp_path):
    archive = archives[name]
    path = archive.write(tmp_path / "again_ari.npz", archive.arrays())
    assert summary(archive.load(path)) == summary(archive.load(archive.path))


# Which files were opened, connections made and folders made while this is a list.
_events: list[tuple[str, object]] | None = None
_WATCHED = ("open", "socket.", "urllib.", "os.mkdir", "os.rename", "os.remove", "subprocess.")


def _watch(event, arguments):
    if _events is not None and event.startswith(_WATCHED):
        _events.append((event, arguments[0]))


@pytest.fixture
def watched():
    """Return a list that fills with what a program does with files and the network."""
    global _events
    if not hasattr(sys, "_ari_watch"):
        sys.addaudithook(_watch)  # which stays
        sys._ari_watch = True
    _events = events = []
    yield events
    _events = None


INJECTED = {
    "lut": "http://127.0.0.1:9/lut.tsv",
    "labels_img": "victim.nii",
    "mask_img": "victim.nii",
    "mesh": {"left": "victim.gii"},
    "memory": "made_by_a_file",
    "labels": ["a", "b"],
    "background_label": 0,
    "resampling_target": "data",
    "verbose": 3,
    "n_jobs": 64,
    "chunk_size": 1,
    "template": "simes",
    "blocks": [1, 1],
    "no_such": 1,
}


@pytest.mark.parametrize("injected", INJECTED)
@pytest.mark.parametrize("name", [*MAPS, "a calibration", "a learned calibration"])
def test_a_parameter_that_is_not_saved_is_refused(archives, name, injected, tmp_path, watched):
    archive = archives[name]
    made = parameters_of(archive.arrays(), **{injected: INJECTED[injected]})
    path = archive.write(tmp_path / "made_ari.npz", made)
    watched.clear()
    refused(archive, path, rf"parameters of \w+ must be .*'{injected}'")
    assert {os.fspath(opened) for _, opened in watched} == {str(path)}


@pytest.mark.parametrize("name", NAMES)
def test_loading_opens_no_other_file(archives, name, watched):
    archive = archives[name]
    summary(archive.load(archive.path))  # which imports what it needs
    watched.clear()
    archive.load(archive.path)
    assert {os.fspath(opened) for _, opened in watched} == {str(archive.path)}


WRONG = {
    "threshold": ["/etc/passwd", True, {"a": 1}, [[1]], ["1"], -1, [], "NaN"],
    "threshold_scale": [None, "q"],
    "alpha": ["0.05", None, 0, 1, 2, True, [0.05]],
    "stat_type": ["f", 1, "t", "/etc/passwd"],
    "df": ["/etc/passwd", -1, [1, 2, 3], 5],
    "two_sided": [1, None, "False", True],
    "connectivity": [7, 6.5, "6"],
    "cluster_threshold": [-1, 1.5, None],
    "local_test": ["own", None],
}


@pytest.mark.parametrize("value", [(n, v) for n, values in WRONG.items() for v in values], ids=str)
def test_parameters_of_another_type_or_value_are_refused(archives, value, tmp_path):
    archive = archives["clusters"]
    made = parameters_of(archive.arrays(), **dict([value]))
    refused(archive, archive.write(tmp_path / "made_ari.npz", made), value[0])


@pytest.mark.parametrize("missing", ["alpha", "threshold"])
def test_a_parameter_that_is_missing_is_refused(archives, missing, tmp_path):
    archive = archives["clusters"]
    arrays = archive.arrays()
    parameters = json.loads(str(arrays["parameters"]))
    del parameters[missing]
    arrays["parameters"] = json.dumps(parameters)
    refused(archive, archive.write(tmp_path / "made_ari.npz", arrays), missing)


@pytest.mark.parametrize(
    "text",
    ["[" * 60_000, '{"alpha":' * 9000, "[]", "", "nul", "1" * 5000, "{}" + " " * 70_000],
    ids=["lists", "objects", "a list", "nothing", "no JSON", "a long number", "long"],
)
@pytest.mark.parametrize("name", ["clusters", "a calibration"])
def test_parameters_that_are_no_parameters_are_refused(archives, name, text, tmp_path):
    archive = archives[name]
    made = archive.arrays() | {"parameters": text}
    refused(archive, archive.write(tmp_path / "made_ari.npz", made), "is not a file of a")


@pytest.mark.parametrize(
    ("estimator", "others"),
    [
        (ClusterTDPTransformer, {"adjacency", "labels_img", "resampling_target"}),
        (AdaptiveTDPTransformer, {"adjacency"}),
        (
            RegionTDPTransformer,
            {"labels_img", "labels", "lut", "background_label", "probability_threshold",
             "resampling_target"},
        ),
        (
            PermutationCalibration,
            {"template", "level_weights", "blocks", "variance_groups", "chunk_size", "n_jobs",
             "memory"},
        ),
    ],
)  # fmt: skip
def test_each_parameter_is_stored_or_known_not_to_be(estimator, others):
    if estimator is not PermutationCalibration:
        others = others | {"mask_img", "mesh", "coordinates", "n_jobs"}
    parameters = set(inspect.signature(estimator).parameters)
    assert parameters - set(stored_names(estimator)) == others | {"verbose"}


def _npy(header, content=b""):
    """Return a member with any header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def _npy_of(shape, descr="<f8", content=b""):
    return _npy(f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}", content)


def _packed(new, name, content, way=zipfile.ZIP_DEFLATED):
    new.writestr(name, content, compress_type=way)


def _in_place_of(victim, made, way=zipfile.ZIP_DEFLATED):
    def change(new, name, content):
        _packed(new, name, made if name == f"{victim}.npy" else content, way)

    return change


def _as_well(*names, content=b""):
    def change(new, name, old):
        _packed(new, name, old)
        if name == "sha256.npy":
            for other in names:
                _packed(new, other, content or old)

    return change


def _encrypted(new, name, content):
    _packed(new, name, content)
    new.filelist[-1].flag_bits |= 1


def _elsewhere(new, name, content):
    _packed(new, name, content)
    new.filelist[-1].header_offset += 10**7


_ZEROS = BytesIO()
np.save(_ZEROS, np.zeros(2**26, dtype=np.uint8))
_OBJECTS = BytesIO()
np.save(_OBJECTS, np.array([{}], dtype=object), allow_pickle=True)

CRAFTED = {
    "a bomb of 64 MiB": (_in_place_of("values", _ZEROS.getvalue()), "would unpack to"),
    "a bomb of the kind": (_in_place_of("ari_estimator", _ZEROS.getvalue()), "would unpack to"),
    "a shape of 8 GB": (_in_place_of("values", _npy_of("(1000, 1000, 1000)")), "has 0 bytes"),
    "a shape of 2^80": (_in_place_of("values", _npy_of(f"({2**40}, {2**40})")), "bytes instead"),
    "a shape of nothing": (_in_place_of("values", _npy_of(f"(0, {2**60})")), "array"),
    "a long text": (_in_place_of("said_by", _npy_of("()", "<U99999999")), "has 0 bytes instead"),
    "no text": (_in_place_of("said_by", _npy_of("(9,)", "<U0")), "not an array of numbers"),
    "a negative shape": (_in_place_of("values", _npy_of("(-1,)")), "not an array of numbers"),
    "objects": (_in_place_of("values", _OBJECTS.getvalue()), "not an array of numbers"),
    "a structure": (_in_place_of("values", _npy_of("(1,)", [("a", "<f8")])), "not an array"),
    "dates": (_in_place_of("values", _npy_of("(1,)", "<M8[s]", bytes(8))), "not an array"),
    "brackets": (_in_place_of("values", _npy("(" * 4000)), "not an array of numbers"),
    "signs": (_in_place_of("values", _npy("-" * 9000 + "1")), "not an array of numbers"),
    "a broken header": (_in_place_of("values", _npy("{'descr': '''")), "not an array of numbers"),
    "a pickle": (_in_place_of("values", b"\x80\x04K\x01."), "not an array of numbers"),
    "nothing": (_in_place_of("values", b""), "not an array of numbers"),
    "an encrypted member": (_encrypted, "encrypted"),
    "bzip2": (_in_place_of("", b"", zipfile.ZIP_BZIP2), "encrypted or not packed"),
    "LZMA": (_in_place_of("", b"", zipfile.ZIP_LZMA), "encrypted or not packed"),
    "a member elsewhere": (_elsewhere, "is not a file of a"),
    "a name twice": (_as_well("values.npy"), "'values' twice"),
    "a path": (_as_well("../values.npy"), "which is not an array"),
    "an absolute path": (_as_well("/tmp/values.npy"), "which is not an array"),
    "no array": (_as_well("values.txt"), "which is not an array"),
    "an array of another file": (_as_well("curves.npy"), "'curves' that does not belong there"),
    "many members": (_as_well(*(f"test_{k}.npy" for k in range(3000))), "checksum"),
}


@pytest.mark.parametrize("crafted", CRAFTED)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_crafted_files_are_refused_and_take_little_memory(archives, crafted, tmp_path):
    archive = archives["clusters"]
    change, match = CRAFTED[crafted]
    path = rezipped(archive.path, tmp_path / "made_ari.npz", change)
    assert path.stat().st_size < 10 * 2**20
    tracemalloc.start()
    try:
        refused(archive, path, match)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", NAMES)
def test_a_bomb_among_the_arrays_of_any_file_is_refused(archives, name, tmp_path):
    archive = archives[name]
    victim = min(archive.arrays())
    change = _in_place_of(victim, _ZEROS.getvalue())
    refused(archive, rezipped(archive.path, tmp_path / "made_ari.npz", change), "would unpack to")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_its_checksum_or_with_another_one_is_refused(archives, name, tmp_path):
    archive = archives[name]
    path = tmp_path / "made_ari.npz"
    with np.load(archive.path) as stored:
        arrays = dict(stored)
    np.savez(path, **{n: array for n, array in arrays.items() if n != "sha256"})
    refused(archive, path, "'sha256' is missing")
    np.savez(path, **arrays | {"sha256": "0" * 64})
    refused(archive, path, "checksum of its arrays is wrong")
    np.savez(path, **arrays)
    assert summary(archive.load(path)) == summary(archive.load(archive.path))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_format_is_told_from_a_damaged_one(archives, name, tmp_path):
    archive = archives[name]
    path = tmp_path / "made_ari.npz"
    with np.load(archive.path) as stored:
        arrays = {n: stored[n] for n in stored.files if n != "sha256"}
    np.savez(path, **arrays | {"format": 2, "version": "0.0.9", "of_then": np.zeros(3)})
    refused(archive, path, r"was written by ari_estimator 0\.0\.9, in format 2\. Version .* reads")
    np.savez(path, ari_estimator=archive.kind)
    refused(archive, path, "was written by an earlier version of ari_estimator.*save it again")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_kind_is_named_by_its_kind(archives, name):
    other = next(other for other in archives.values() if other.kind != archives[name].kind)
    if archives[name].load is ari_estimator.load is other.load:
        return
    refused(archives[name], other.path, rf"a file of a .*: it is a file of a {other.kind}")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_file_is_refused_at_once(archives, name, tmp_path):
    archive = archives[name]
    with pytest.raises(FileNotFoundError):
        archive.load(tmp_path / "not_there_ari.npz")
    if archive.load is not ari_estimator.load:
        with pytest.raises(IsADirectoryError):
            archive.load(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe_ari.npz")
        with pytest.raises(ValueError, match="pipe"):
            archive.load(tmp_path / "pipe_ari.npz")
        with pytest.raises(ValueError, match="device"):
            archive.load("/dev/zero")


def _edited(name, change):
    """Return what changes one of the arrays."""
    return lambda arrays: arrays | {name: change(arrays[name])}


def _entry(position, value):
    def change(array):
        array = array.copy()
        array[position] = value
        return array

    return change


CONTRADICTIONS = {
    "fewer values": ("clusters", _edited("values", lambda a: a[:-1]), "79 elements.*78 values"),
    "one value": ("clusters", _edited("values", lambda a: a[5:6]), "79 elements.*1 values"),
    "a larger grid": (
        "clusters",
        _edited("frame_mask", lambda a: np.pad(a, 1, constant_values=True)),
        "elements",
    ),
    "an affine of NaN": ("clusters", _edited("frame_header", lambda a: a | 255), "is not a file"),
    "a statistic": ("clusters", lambda a: a | {"stat_type": "voodoo"}, "stat_type"),
    "degrees of freedom": ("clusters", lambda a: a | {"df": np.array([3.0])}, "df"),
    "two sides": ("clusters", lambda a: a | {"two_sided": True}, "two_sided is False"),
    "a kind": ("clusters", lambda a: a | {"kind": "hologram"}, "kind must be one of"),
    "a transformer": ("clusters", lambda a: a | {"transformer": "os.system"}, "transformer must"),
    "a test": ("clusters", lambda a: a | {"test_kind": "voodoo"}, "test_kind must be one of"),
    "a local test": ("clusters", lambda a: a | {"test_local_test": "voodoo"}, "local_test"),
    "labels": ("given clusters", _edited("regions_labels", _entry(3, 10**12)), "labels of regions"),
    "ids": ("given clusters", _edited("regions_ids", lambda a: a[::-1]), "ids of regions"),
    "names": ("given clusters", _edited("regions_names", lambda a: a[[0, 0]]), "names of regions"),
    "no regions": (
        "overlapping regions",
        lambda a: {k: v for k, v in a.items() if not k.startswith("regions_")},
        "labels_img",
    ),
    "regions of none": (
        "adaptive clusters",
        lambda a: (
            a
            | {"regions_labels": np.ones(79, dtype=int), "regions_ids": np.array([1])}
            | {"regions_names": np.array(["1"]), "regions_rest_id": 0}
        ),
        "labels_img",
    ),
    "elements": ("overlapping regions", _edited("regions_elements", _entry(0, 79)), "elements"),
    "elements twice": (
        "overlapping regions",
        _edited("regions_elements", _entry(0, 1)),
        "each element must occur once",
    ),
    "faces": ("a surface", _edited("frame_left_faces", _entry((0, 0), 18)), "faces"),
    "points": ("a surface", _edited("frame_left_points", _entry((0, 0), np.nan)), "finite"),
    "no hemisphere": (
        "a surface",
        lambda a: {k: v for k, v in a.items() if "_left_" not in k},
        "hemisphere",
    ),
    "a structure": (
        "grayordinates",
        _edited("frame_structures", lambda a: a[[0, 0]]),
        "each structure",
    ),
    "lengths": ("grayordinates", _edited("frame_lengths", _entry(0, 10**15)), "lengths"),
    "vertices": ("grayordinates", _edited("frame_vertices", _entry(0, 10**15)), "vertices"),
    "vertices twice": ("grayordinates", _edited("frame_vertices", _entry(0, 1)), "twice"),
    "a grid": ("grayordinates", _edited("frame_grid", lambda a: ~a), "grid"),
    "no mesh": (
        "grayordinates",
        lambda a: {k: v for k, v in a.items() if "_left_" not in k},
        "mesh",
    ),
    "a test of others": (
        "a calibrated map",
        _edited("test_p_values", lambda a: a[1:]),
        "p_values must be 40 numbers",
    ),
    "p-values": ("a calibrated map", _edited("test_p_values", _entry(0, 2.0)), r"\[0, 1\]"),
    "a template": (
        "a calibrated map",
        lambda a: a | {"test_calibration_template_name": "voodoo"},
        "template must be one of .*voodoo",
    ),
    "many thresholds": (
        "a calibrated map",
        lambda a: (
            a
            | {"test_calibration_template_k_max": 2**31 - 1}
            | {"test_calibration_template_n_elements": 2**31 - 1}
        ),
        "2,147,483,647 elements; at most",
    ),
    "lambda": (
        "a calibration",
        _edited("calibration_lambda_", lambda a: a * 2),
        "lambda_ must follow",
    ),
    "a level": ("a calibration", lambda a: a | {"calibration_alpha": 1e-9}, "alpha"),
    "NaN": (
        "a calibration",
        _edited("calibration_pivotal_statistics", _entry(0, np.nan)),
        "NaN",
    ),
    "raised statistics": (
        "a calibration",
        _edited("calibration_raised_statistics", lambda a: a / 2),
        "raised_statistics must be at least",
    ),
    "another size": (
        "a calibration",
        lambda a: (
            a
            | {
                "calibration_template_k_max": 2**31 - 1,
                "calibration_template_n_elements": 2**31 - 1,
            }
        ),
        "2,147,483,647 elements; at most",
    ),
    "permutations": ("a calibration", lambda a: a | {"n_permutations_": 31}, "n_permutations_"),
    "a scheme": (
        "a calibration",
        lambda a: parameters_of(a, scheme="voodoo"),
        "scheme",
    ),
    "a number of them": ("a calibration", lambda a: parameters_of(a, n_permutations=1), "must be"),
    "curves": (
        "a learned calibration",
        _edited("calibration_template_curves", lambda a: a[::-1]),
        "curves",
    ),
    "curves of fewer": (
        "a learned template",
        lambda a: a | {"n_elements": 3},
        "n_elements",
    ),
    "curves that fall": ("a learned template", _edited("curves", lambda a: a[:, ::-1]), "decrease"),
    "steps": ("a stepped calibration", lambda a: a | {"n_steps": 0}, "lambda_ must follow"),
    "one step": ("a stepped calibration", lambda a: a | {"n_steps": 1}, "lambda_ must follow"),
    "a name": ("a stepped calibration", lambda a: a | {"template_name": "voodoo"}, "voodoo"),
    "parents in a circle": ("a forest", _edited("parents", _entry(-1, 0)), "forest"),
    "parents beyond": ("a forest", _edited("parents", _entry(0, 10**6)), "parents"),
    "starts": ("a forest", _edited("starts", _entry(-1, 3)), "forest"),
    "an element twice": ("a forest", _edited("elements", lambda a: a * 0), "forest"),
    "discoveries": ("a forest", _edited("true_discoveries", lambda a: a + 99), "true_discoveries"),
    "booleans": ("a forest", _edited("is_cluster", lambda a: a.astype(int)), "is_cluster"),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_arrays_that_contradict_each_other_are_refused(archives, contradiction, tmp_path):
    name, change, match = CONTRADICTIONS[contradiction]
    archive = archives[name]
    path = archive.write(tmp_path / "made_ari.npz", change(archive.arrays()))
    refused(archive, path, match)


@pytest.mark.parametrize("name", NAMES)
def test_each_array_is_needed(archives, name, tmp_path):
    archive = archives[name]
    arrays = archive.arrays()
    expected = summary(archive.load(archive.path))
    optional = {"contrast", "blocks", "group_blocks", "seed_", "test_scheme", "test_seed"}
    for missing in set(arrays) - optional:
        rest = {n: array for n, array in arrays.items() if n != missing}
        path = archive.write(tmp_path / "made_ari.npz", rest)
        with pytest.raises(ValueError, match=r"made_ari\.npz"):
            assert summary(archive.load(path)) == expected, missing
    assert not set(arrays) & set(HEAD)


def test_what_shrinks_a_thousandfold_is_saved_so_that_it_can_be_loaded(tmp_path):
    template = LearnedTemplate(np.zeros((2200, 1000)), 1000)
    template.save(tmp_path / "template.npz")
    assert LearnedTemplate.load(tmp_path / "template.npz").n_curves == 2200


def test_a_small_mask_of_a_large_grid_is_saved_and_loaded(tmp_path):
    mask = np.zeros((220, 220, 220), dtype=np.uint8)
    mask[100:104, 100:104, 100:104] = 1
    z = np.zeros(mask.shape, dtype=np.float32)
    z[mask > 0] = np.random.default_rng(0).standard_normal(64)
    ari = ClusterTDPTransformer(2, mask_img=Nifti1Image(mask, AFFINE)).fit(Nifti1Image(z, AFFINE))
    files = ari_estimator.save(ari, tmp_path)
    assert files["archive"].stat().st_size < 200_000
    pd.testing.assert_frame_equal(ari_estimator.load(tmp_path).table_, ari.table_)


def test_more_thresholds_than_can_be_loaded_are_not_saved(tmp_path):
    z = np.random.default_rng(0).standard_normal((40, 40, 40))
    ari = ClusterTDPTransformer(2, mask_img=Nifti1Image(np.ones(z.shape), AFFINE))
    ari.fit(Nifti1Image(z, AFFINE))
    fitted_map = ari.maps_
    fitted_map.asked_by.parameters["threshold"] = np.arange(2100)
    with pytest.raises(ValueError, match="threshold must be at most 2,097 numbers"):
        ari_estimator.save(fitted_map, tmp_path)
    assert not list(tmp_path.iterdir())


def test_thresholds_keep_the_order_of_what_the_file_of_the_map_declared(tmp_path):
    p = np.random.default_rng(0).random((6, 6, 6))
    p[:3, :3, :3] /= 1e4
    p_img = Nifti1Image(p, AFFINE)
    p_img.header.set_intent("p value")
    mask_img = Nifti1Image(np.ones(p.shape, dtype=np.uint8), AFFINE)
    ari = ClusterTDPTransformer([0.00001, 0.2], mask_img=mask_img).fit(p_img)
    ari_estimator.save(ari, tmp_path)
    again = ari_estimator.load(tmp_path)
    pd.testing.assert_frame_equal(again.table_, ari.table_)
    np.testing.assert_array_equal(again.maps_.tdp, ari.maps_.tdp)


def test_loaders_of_parts_refuse_a_saved_map(archives):
    path = archives["clusters"].path
    for made in (Calibration, LearnedTemplate, TDPForest):
        with pytest.raises(ValueError, match="it is a file of a tested map"):
            made.load(path)


@pytest.mark.parametrize(
    ("labels", "stored"),
    [
        ({"blocks": list("aabbccddeeff")}, np.repeat(np.arange(6), 2)),
        ({"blocks": np.column_stack([-np.ones(12, int), np.repeat(range(1, 7), 2)])}, None),
        ({"variance_groups": "auto"}, "auto"),
        ({"variance_groups": np.repeat(["x", "y"], 6)}, np.repeat([0, 1], 6)),
    ],
    ids=["blocks", "nested blocks", "auto", "variance groups"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_labels_of_subjects_come_back_as_numbers(labels, stored, tmp_path):
    data = np.random.default_rng(0).standard_normal((12, 20))
    design = np.column_stack([np.repeat([1, 0], 6), np.ones(12)])
    if "blocks" in labels:
        design[:, 0] = np.tile([1, 0], 6)
    calibration = PermutationCalibration(n_permutations=40, random_state=0, **labels)
    calibration.fit(data, design, [1, 0], alpha=0.1)
    ari_estimator.save(calibration, tmp_path)
    again = ari_estimator.load(tmp_path)
    (name,) = labels
    np.testing.assert_array_equal(getattr(again, name), labels[name] if stored is None else stored)
    np.testing.assert_array_equal(again.df_, calibration.df_)
    assert again.fit(data, design, [1, 0], alpha=0.1).lambda_ == calibration.lambda_
