"""CIFTI and GIfTI files as the Human Connectome Project has them, in the shell."""

import json

import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import (
    BrainModelAxis,
    Cifti2Image,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiLabel, GiftiMetaData

from ari_estimator.interfaces import read_surface_atlas

N = 12 * 12
GRID = np.arange(N).reshape(12, 12)
FACES = np.concatenate(
    [
        np.stack(corners, -1).reshape(-1, 3)
        for corners in (
            (GRID[:-1, :-1], GRID[:-1, 1:], GRID[1:, :-1]),
            (GRID[:-1, 1:], GRID[1:, 1:], GRID[1:, :-1]),
        )
    ]
)
CORTEX = np.setdiff1d(np.arange(N), [5, 6, 7])
VOXELS = np.argwhere(np.ones((4, 4, 4)))
LEFT, RIGHT = (BrainModelAxis.from_surface(CORTEX, N, name=f"Cortex{s}") for s in ("Left", "Right"))
AXIS = (
    LEFT
    + RIGHT
    + BrainModelAxis(
        "CIFTI_STRUCTURE_THALAMUS_LEFT", voxel=VOXELS, affine=2 * np.eye(4), volume_shape=(4, 4, 4)
    )
)
NAMES = ["01_tfMRI_level2_LH_hp200_s2", "01_tfMRI_level2_neg_LH_hp200_s2", "7"]


def write_mesh(path, side, shift):
    i, j = np.indices((12, 12)).reshape(2, -1)
    points = np.column_stack([shift + 2.0 * i, 3.0 * j, np.sin(i)]).astype(np.float32)
    write_gifti(path, side, [(points, "POINTSET"), (FACES.astype(np.int32), "TRIANGLE")])


def write_gifti(path, side, arrays):
    whose = {} if side is None else {"AnatomicalStructurePrimary": f"Cortex{side}"}
    darrays = [
        GiftiDataArray(
            data, f"NIFTI_INTENT_{intent}", meta=GiftiMetaData(facts[0] if facts else {})
        )
        for data, intent, *facts in arrays
    ]
    GiftiImage(darrays=darrays, meta=GiftiMetaData(whose)).to_filename(path)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a folder of z maps, an atlas and meshes whose names do not tell their sides."""
    folder = tmp_path_factory.mktemp("hcp")
    rng = np.random.default_rng(2)
    z = rng.standard_normal((3, len(AXIS)))
    z[:, 20:60] += 3
    z[:, -20:] += 3
    Cifti2Image(z, (ScalarAxis(NAMES), AXIS)).to_filename(folder / "z.dscalar.nii")
    Cifti2Image(z, (SeriesAxis(0, 1, 3), AXIS)).to_filename(folder / "z.dtseries.nii")
    cortex = LEFT + RIGHT
    table = {0: ("???", (0, 0, 0, 0)), 1: ("a", (1, 0, 0, 1)), 2: ("b", (0, 1, 0, 1))}
    labels = np.stack([np.repeat([1, 2], len(LEFT)), np.resize([1, 1, 2], len(cortex))])
    Cifti2Image(
        labels.astype(np.int32), (LabelAxis(["sides", "stripes"], table), cortex)
    ).to_filename(folder / "parcels.dlabel.nii")
    parcels = ParcelsAxis.from_brain_models([("left", LEFT), ("right", RIGHT)])
    Cifti2Image(np.zeros((1, 2)), (ScalarAxis(["z"]), parcels)).to_filename(
        folder / "p.pscalar.nii"
    )
    for name, side, shift in (("one", "Left", -30), ("two", "Right", 10)):
        write_mesh(folder / f"{name}.surf.gii", side, shift)
    return folder


def of_map(study, number):
    """Return the file of one map alone."""
    data = np.asarray(Cifti2Image.from_filename(study / "z.dscalar.nii").dataobj)[[number]]
    path = study / f"only{number}.dscalar.nii"
    Cifti2Image(data, (ScalarAxis(["z"]), AXIS)).to_filename(path)
    return path


def table_of(result):
    assert result.code == 0, result.err
    return json.loads(result.out)["table"]


@pytest.mark.parametrize(
    ("file", "choice", "number"),
    [
        ("z.dscalar.nii", ["--map", "1"], 1),
        ("z.dscalar.nii", ["--map", NAMES[0]], 0),
        ("z.dscalar.nii", ["--map", "LH"], 0),
        ("z.dscalar.nii", ["--map", "7"], 2),  # a name counts more than a number
        ("z.dtseries.nii", ["--map", "2"], 2),
        ("z.dscalar.nii[neg_LH]", [], 1),
        ("z.dtseries.nii[1]", [], 1),
    ],
)
def test_one_of_several_maps(run, study, file, choice, number):
    atlas = ("--atlas", study / "parcels.dlabel.nii[0]")
    result = run("regions", study / file, *choice, *atlas, "--json")
    expected = run("regions", of_map(study, number), *atlas, "--json")
    assert table_of(result) == table_of(expected)


def test_maps_are_named_in_the_refusal(refused, run, study):
    atlas = ("--atlas", study / "p.pscalar.nii")
    told = refused("regions", study / "z.dscalar.nii", *atlas)
    assert "--map must say which map" in told
    assert all(f"{k} {name!r}" in told for k, name in enumerate(NAMES))
    assert "3 maps without a name" in refused("regions", study / "z.dtseries.nii", *atlas)
    told = refused("regions", study / "z.dscalar.nii", "--map", "RH", *atlas)
    assert "'RH', which is the name of no map" in told
    assert "Got 3: there are 3 maps" in refused(
        "regions", study / "z.dscalar.nii", "--map", "3", *atlas
    )
    printed = run("regions", study / "z.dscalar.nii", "--map", "LH", *atlas)
    assert f"Map: LH, '{NAMES[0]}'." in " ".join(printed.out.split())
    printed = run("regions", study / "z.dscalar.nii", "--map", NAMES[1], *atlas)
    assert f"Map: '{NAMES[1]}'." in " ".join(printed.out.split())


def test_results_are_named_after_the_map(run, study, tmp_path):
    atlas = ("--atlas", study / "p.pscalar.nii", "--out", tmp_path)
    assert run("regions", study / "z.dscalar.nii", "--map", "neg_LH", *atlas).code == 0
    assert run("regions", study / "z.dscalar.nii[7]", *atlas).code == 0
    assert (tmp_path / "z.dscalar_map-negLH_regions.tsv").is_file()
    assert (tmp_path / "z.dscalar_map-7_regions.tsv").is_file()


@pytest.mark.parametrize("atlas", ["parcels.dlabel.nii[sides]", "p.pscalar.nii"])
def test_regions_need_no_mesh(run, study, atlas):
    """The atlas has the cortex alone, and is matched by structure."""
    command = ("regions", of_map(study, 0), "--atlas", study / atlas, "--json")
    plain = table_of(run(*command))
    meshes = ("--mesh", study / "one.surf.gii", "--mesh", study / "two.surf.gii")
    on_mesh = table_of(run(*command, *meshes))
    assert [row["n_grayordinates"] for row in plain] == [len(LEFT), len(RIGHT), len(VOXELS)]
    assert [row["true_discoveries"] for row in plain] == [
        row["true_discoveries"] for row in on_mesh
    ]
    assert "size_mm2" in on_mesh[0]
    assert "size_mm2" not in plain[0]


def test_given_clusters_need_no_mesh(run, refused, study):
    path = of_map(study, 0)
    labels = ("--labels", study / "parcels.dlabel.nii[stripes]")
    assert len(table_of(run("clusters", path, *labels, "--json"))) == 3
    told = refused("clusters", path, "--threshold", "2")
    assert "--mesh must have the mesh of CORTEX_LEFT, 144 vertices" in told


def test_an_atlas_of_several_maps(refused, study):
    told = refused("regions", of_map(study, 0), "--atlas", study / "parcels.dlabel.nii")
    assert "'parcels.dlabel.nii[0]'" in told
    told = refused("regions", of_map(study, 0), "--atlas", study / "parcels.dlabel.nii[x]")
    assert "0 'sides', 1 'stripes'" in told


def test_meshes_in_either_order(run, refused, study, tmp_path):
    path = of_map(study, 0)
    one, two = study / "one.surf.gii", study / "two.surf.gii"
    in_order, exchanged = (
        run("clusters", path, "--mesh", a, "--mesh", b, "--threshold", "2", "--json")
        for a, b in ((one, two), (two, one))
    )
    assert table_of(in_order) == table_of(exchanged)
    assert "--mesh has the right hemisphere first" in exchanged.err
    assert in_order.err == ""
    # The name says another side than the file.
    write_mesh(tmp_path / "lh.surf.gii", "Right", 10)
    told = refused("clusters", path, "--mesh", one, "--mesh", tmp_path / "lh.surf.gii")
    assert "its name says left, AnatomicalStructurePrimary in it says right" in told


@pytest.fixture
def surface(tmp_path):
    """Return the files of surfaces with effects and t values, whose intents say so."""
    rng = np.random.default_rng(3)
    t = {"Left": rng.standard_t(20, N), "Right": rng.standard_t(20, N)}
    t["Left"][20:60] += 4
    for side, shift in (("Left", -30), ("Right", 10)):
        write_mesh(tmp_path / f"{side[0]}.surf.gii", side, shift)
        values = t[side].astype(np.float32)
        arrays = [
            (values / 10, "ESTIMATE", {"Name": "effect"}),
            (values, "TTEST", {"Name": "faces", "intent_p1": "20"}),
        ]
        write_gifti(tmp_path / f"{side[0]}.func.gii", side, arrays)
        write_gifti(tmp_path / f"{side[0]}.t.func.gii", side, arrays[1:])
        write_gifti(tmp_path / f"{side[0]}.other.func.gii", side, arrays[::-1])
    return tmp_path


def test_arrays_of_gifti_have_names_and_intents(run, refused, surface):
    def files(name):
        return [surface / f"{side}.{name}" for side in "LR"]

    meshes = [part for path in files("surf.gii") for part in ("--mesh", path)]
    command = ("--threshold", "2.5", *meshes)
    told = refused("clusters", *files("func.gii"), *command)
    assert "0 'effect', 1 'faces'" in told
    results = [
        run("clusters", *files("func.gii"), *command, "--map", choice, "--json")
        for choice in ("1", "faces")
    ]
    alone = run("clusters", *files("t.func.gii"), *command, "--json")
    for result in results:
        assert table_of(result) == table_of(alone)
        statistic = json.loads(result.out)["statistic"]
        assert (statistic["stat_type"], statistic["df"]) == ("t", [20])
        assert "intent code 't test' of the arrays" in statistic["said_by"]
    left, right = files("func.gii")[0], files("other.func.gii")[1]
    assert "same maps in the same order" in refused("clusters", left, right, *command)


@pytest.mark.parametrize(("other", "is_told"), [("01_R_z", False), ("02_R_z", True)])
def test_names_of_gifti_arrays_may_differ_by_the_hemisphere_alone(run, surface, other, is_told):
    files, meshes = [], []
    for side, name in (("Left", "01_L_z"), ("Right", other)):
        values = np.linspace(-2, 4, N, dtype=np.float32)
        arrays = [(values, "ZSCORE", {"Name": "a"}), (values, "ZSCORE", {"Name": name})]
        files.append(surface / f"{side[0]}.named.func.gii")
        write_gifti(files[-1], side, arrays)
        meshes += ["--mesh", surface / f"{side[0]}.surf.gii"]
    result = run("clusters", *files, "--threshold", "2.5", *meshes, "--map", "01_L_z")
    assert result.code == 0, result.err
    assert ("different names in both hemispheres" in result.err) is is_told


def test_names_of_maps_are_declarations(run, refused, study):
    for names, map_, told in (
        (["cope1", "tstat1", "zstat1"], "cope1", "holds effects, as the name 'cope1' of the map"),
        (["cope1", "tstat1", "zstat1"], "1", "--df must be one number"),
    ):
        data = np.asarray(Cifti2Image.from_filename(study / "z.dscalar.nii").dataobj)
        path = study / "named.dscalar.nii"
        Cifti2Image(data, (ScalarAxis(names), AXIS)).to_filename(path)
        atlas = ("--atlas", study / "p.pscalar.nii")
        assert told in refused("regions", path, "--map", map_, *atlas)
    result = run("regions", path, "--map", "zstat1", *atlas, "--json")
    assert "zstat1" in json.loads(result.out)["statistic"]["said_by"]


def test_names_of_hcp_files_are_declarations(run, refused, study):
    data = np.asarray(Cifti2Image.from_filename(study / "z.dscalar.nii").dataobj)
    atlas = ("--atlas", study / "p.pscalar.nii")
    for what in ("cope", "zstat"):
        path = study / f"01_tfMRI_MOTOR_level2_{what}_hp200_s2_MSMAll.dscalar.nii"
        Cifti2Image(data, (ScalarAxis(NAMES), AXIS)).to_filename(path)
        command = ("regions", path, "--map", "LH", *atlas)
        if what == "cope":
            assert "holds effects" in refused(*command)
        else:
            assert "_level2_zstat_" in run(*command).out


def test_a_volume_of_several(run, refused, files, tmp_path):
    data = np.random.default_rng(0).standard_normal((10, 9, 8, 3))
    data[2:5, 2:5, 2:5] += 4
    for name, values in (("four", data), ("one", data[..., 1])):
        img = Nifti1Image(values, np.diag([3.0, 3, 3, 1]))
        img.header.set_intent("t test", (12,))
        img.to_filename(tmp_path / f"{name}.nii.gz")
    command = ("--atlas", files.atlas, "--json")
    chosen = run("regions", tmp_path / "four.nii.gz", "--map", "1", *command)
    assert table_of(chosen) == table_of(run("regions", tmp_path / "one.nii.gz", *command))
    assert json.loads(chosen.out)["statistic"]["df"] == [12]
    assert "--map must be the name" in refused(
        "regions", tmp_path / "four.nii.gz", "--map", "x", *command
    )


def test_cifti_1_names_the_converter(refused, study, tmp_path):
    """The XML of the first version says so; the rest is as in the second one."""
    path = tmp_path / "a b.dscalar.nii"
    content = of_map(study, 0).read_bytes()
    assert content.count(b'<CIFTI Version="2.0"') == 1
    path.write_bytes(content.replace(b'Version="2.0"', b'Version="1.0"'))
    told = refused("clusters", path)
    assert "MAP must be a CIFTI-2 file. Got CIFTI-1" in told
    assert (
        f"-file-convert -cifti-version-convert '{path}' 2 '{tmp_path}/a b_v2.dscalar.nii'" in told
    )
    assert "Got CIFTI-1" in refused("group", path)


@pytest.fixture
def label_files(surface):
    """Return label files of both hemispheres with names, as Workbench writes them."""

    def write(tables):
        files = []
        for side, table in zip(("Left", "Right"), tables, strict=True):
            data = np.resize([0, *table], N).astype(np.int32)
            img = GiftiImage(
                darrays=[GiftiDataArray(data, "NIFTI_INTENT_LABEL")],
                meta=GiftiMetaData({"AnatomicalStructurePrimary": f"Cortex{side}"}),
            )
            for key, name in {0: "???", **table}.items():
                label = GiftiLabel(key, 1.0, 0.5, 0.0, 1.0)
                label.label = name
                img.labeltable.labels.append(label)
            files.append(surface / f"{side[0]}.areas.label.gii")
            img.to_filename(files[-1])
        return [part for file in files for part in ("--atlas", file)]

    return write


def test_gifti_labels_bring_their_names(run, refused, surface, label_files):
    maps = [surface / f"{side}.t.func.gii" for side in "LR"]
    command = ("regions", *maps)
    for side in "LR":
        command += ("--mesh", surface / f"{side}.surf.gii")
    atlas = label_files([{1: "L_a", 2: "L_b"}, {3: "R_a"}])
    names = [row["region"] for row in table_of(run(*command, *atlas, "--json"))]
    assert names == ["L_a", "L_b", "R_a", "rest"]
    told = refused(*command, *label_files([{1: "a"}, {1: "b"}]))
    assert "Got 'a' and 'b' for label 1" in told
    meshes = {"left": surface / "L.surf.gii", "right": surface / "R.surf.gii"}
    label_files([{1: "a", 2: "b"}, {1: "a"}])
    read = read_surface_atlas(*(surface / f"{s}.areas.label.gii" for s in "LR"), mesh=meshes)
    assert read.lut.to_dict("list") == {
        "index": [1, 2],
        "name": ["a", "b"],
        "color": ["#ff8000", "#ff8000"],
    }


def test_info_names_the_maps(run, study, surface):
    told = " ".join(run("info", study / "z.dscalar.nii").out.split())
    assert f"maps 0 {NAMES[0]!r}, 1 {NAMES[1]!r}, 2 '7'" in told
    result = run("info", surface / "L.func.gii", "--json")
    assert json.loads(result.out)["maps"][0]["map_names"] == ["effect", "faces"]
    assert (
        json.loads(run("info", study / "z.dtseries.nii", "--json").out)["maps"][0]["map_names"]
        == []
    )
