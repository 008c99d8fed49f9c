"""``ari group`` with the files of randomise and PALM: a 4D image, design.mat and more."""

import json
import shlex
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from numpy.testing import assert_allclose

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, PermutationCalibration

N = 12
GROUP = np.repeat([1.0, 0], 6)
AGE = np.tile([-5.0, -3, -1, 1, 3, 5], 2)
DESIGN = np.column_stack([GROUP, 1 - GROUP, AGE])
CONTRASTS = np.array([[1.0, -1, 0], [0, 0, 1]])
AFFINE = np.diag([3.0, 3, 3, 1])


def vest(path, matrix, head=""):
    rows = "\n".join("\t".join(f"{value:e}" for value in row) for row in np.atleast_2d(matrix))
    path.write_text(f"{head}/Matrix\n{rows}\n")
    return path


@pytest.fixture
def study(tmp_path, run):
    rng = np.random.default_rng(5)
    data = rng.standard_normal((7, 6, 5, N)).astype("float32")
    data[:3] += 3 * GROUP + 0.3 * AGE
    path = tmp_path / "all.nii.gz"
    Nifti1Image(data, AFFINE).to_filename(path)
    mask = tmp_path / "mask.nii.gz"
    Nifti1Image(np.ones((7, 6, 5), np.uint8), AFFINE).to_filename(mask)
    vest(tmp_path / "design.mat", DESIGN, f"/NumWaves 3\n/NumPoints {N}\n")
    vest(tmp_path / "design.con", CONTRASTS, "/ContrastName1 A > B\n/NumContrasts 2\n")
    vest(tmp_path / "design.fts", [[1, 1]], "/NumContrasts 1\n")

    def call(*options, image=path, design="design.mat"):
        return run(
            "group", image, "--design", tmp_path / design, "--mask", mask, "--threshold", "2",
            *options,
        )  # fmt: skip

    return SimpleNamespace(
        call=call, data=data, mask=mask, folder=tmp_path, out=tmp_path / "out", path=path
    )


def con(study, number=None):
    path = study.folder / "design.con"
    return ["--contrast", str(path) if number is None else f"{path}:{number}"]


def told(result):
    assert result.code == 0, result
    return json.loads(result.out)


def model_of(study, design, **parameters):
    columns = [f"EV{i}" for i in range(1, design.shape[1] + 1)]
    maps = [Nifti1Image(study.data[..., i], AFFINE) for i in range(N)]
    model = ARISecondLevelModel(study.mask, transformer=ClusterTDPTransformer(2), **parameters)
    return model.fit(maps, design_matrix=pd.DataFrame(design, columns=columns))


@pytest.mark.parametrize("number", [1, 2])
def test_one_contrast_by_its_number(study, number):
    found = told(study.call(*con(study, number), "--json"))
    model = model_of(study, DESIGN)
    model.compute_contrast(CONTRASTS[number - 1], output_type="tdp")
    assert found["true_discoveries"] == model.true_discoveries_
    assert [row["peak_stat"] for row in found["table"]] == model.table_["peak_stat"].tolist()
    assert found["contrast"] == ["C1 A > B", "C2"][number - 1]
    assert found["design"]["df"] == N - 3


def test_an_f_test_by_its_number(study):
    found = told(study.call(*con(study), "--ftests", f"{study.folder / 'design.fts'}:1", "--json"))
    model = model_of(study, DESIGN)
    model.compute_contrast(CONTRASTS, output_type="tdp")
    assert found["contrast"] == "F1"
    assert found["true_discoveries"] == model.true_discoveries_


@pytest.mark.parametrize("is_joint", [False, True], ids=["alone", "joint"])
def test_an_f_test_of_one_contrast_has_no_direction(study, is_joint):
    vest(study.folder / "one.fts", [[1, 0]])
    vest(study.folder / "down.con", -CONTRASTS)
    ftests = ["--ftests", str(study.folder / "one.fts") + ("" if is_joint else ":1")]
    joint = ["--joint"] if is_joint else []
    contrasts = ["--contrast", study.folder / "down.con"]
    options = [*contrasts, *ftests, *joint, "--json", "--out", study.out]
    found = told(study.call(*options))["table"]
    model = model_of(study, DESIGN)
    model.compute_contrast(CONTRASTS[0], second_level_stat_type="F", output_type="tdp")
    peaks = [row["peak_stat"] for row in found if row.get("contrast", "F1") == "F1"]
    assert_allclose(peaks, model.table_["peak_stat"])


def test_the_record_repeats_t_and_f_as_one_family(study, run):
    vest(study.folder / "both.con", [*CONTRASTS, -CONTRASTS[1]])
    vest(study.folder / "one.fts", [[0, 1, 0], [1, 1, 0]])
    ftests = ["--ftests", study.folder / "one.fts", "--joint", "--json"]
    contrasts = ["--contrast", study.folder / "both.con"]
    first = told(study.call(*contrasts, *ftests, "--out", study.out))
    record = json.loads((study.out / "group_contrast-F1_contrast.json").read_text())
    options = shlex.split(record["Options"])
    options[1] = str(study.out / options[1])
    again = told(run("group", *options, "--json"))
    assert again["true_discoveries"] == first["true_discoveries"] > 0


def test_all_tests_as_one_family(study):
    ftests = ["--ftests", study.folder / "design.fts"]
    found = told(study.call(*con(study), *ftests, "--joint", "--json"))
    model = model_of(study, DESIGN)
    model.compute_contrasts({"C1 A > B": CONTRASTS[0], "C2": CONTRASTS[1], "F1": CONTRASTS})
    assert list(found["contrasts"]) == ["C1 A > B", "C2", "F1"]
    assert found["true_discoveries"] == model.joint_test_.bounds(0.05).of_set()


def test_blocks_and_variance_groups_of_files(study):
    blocks = np.repeat(np.arange(1, 7), 2)
    vest(study.folder / "design.grp", blocks[:, np.newaxis], "/NumWaves 1\n")
    (study.folder / "VG.csv").write_text("\n".join(map(str, (GROUP + 1).astype(int))) + "\n")
    options = ["--blocks", study.folder / "design.grp", "--permutations", "60", "--seed", "0"]
    found = told(study.call(*con(study, 2), *options, "--json"))
    calibration = PermutationCalibration(n_permutations=60, blocks=blocks, random_state=0)
    model = model_of(study, DESIGN, calibration=calibration)
    model.compute_contrast(CONTRASTS[1], output_type="tdp")
    assert found["lambda"] == model.calibration_.lambda_
    groups = told(
        study.call(*con(study, 1), "--variance-groups", study.folder / "VG.csv", "--json")
    )
    model = model_of(study, DESIGN, variance_groups=GROUP)
    model.compute_contrast(CONTRASTS[0], output_type="tdp")
    assert groups["true_discoveries"] == model.true_discoveries_


def test_demean_is_an_intercept_that_is_not_tested(study):
    vest(study.folder / "raw.mat", np.column_stack([GROUP, AGE + 40]))
    vest(study.folder / "raw.con", [[1.0, 0]])
    raw = ["--contrast", study.folder / "raw.con"]
    found = told(study.call(*raw, "--demean", "--json", design="raw.mat"))
    model = model_of(study, np.column_stack([GROUP, AGE, np.ones(N)]))
    model.compute_contrast([1, 0, 0], output_type="tdp")
    assert found["true_discoveries"] == model.true_discoveries_ > 0
    assert found["design"]["df"] == N - 3
    result = study.call(*con(study, 1), "--demean")
    assert result.code == 0  # the group columns vary, and their difference is still there
    vest(study.folder / "mean.mat", np.column_stack([np.ones(N), AGE]))
    result = study.call(*raw, "--demean", design="mean.mat")
    assert result.code == 2
    assert "nothing of the constant columns EV1" in result.err.replace("\n", " ")


def test_covariates_that_are_not_centred_are_told(study):
    vest(study.folder / "mean.mat", np.column_stack([np.ones(N), AGE + 40]))
    vest(study.folder / "mean.con", [[1.0, 0]])
    result = study.call("--contrast", study.folder / "mean.con", design="mean.mat")
    assert result.code == 0
    assert "not centred" in result.err.replace("\n", " ")


def test_the_record_repeats_the_test(study, run):
    first = told(study.call(*con(study, 1), "--out", study.out, "--json"))
    record = json.loads((study.out / "group_contrast-C1AB_contrast.json").read_text())
    options = shlex.split(record["Options"])
    options[1] = str(study.out / options[1])
    again = told(run("group", *options, "--json"))
    assert again["table"] == first["table"]


def test_volumes_of_a_4d_image_and_a_table(study):
    table = pd.DataFrame({"group": GROUP, "age": AGE})
    table.to_csv(study.folder / "table.tsv", sep="\t", index=False)
    result = study.call("--contrast", "age", "--json", design="table.tsv")
    found = told(result)
    model = model_of(study, np.column_stack([GROUP, AGE, np.ones(N)]))
    model.compute_contrast([0, 1, 0], output_type="tdp")
    assert found["true_discoveries"] == model.true_discoveries_
    assert "The first row is assigned to the first map" in result.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--contrast must name the file of contrasts"),
        (["design.con"], "The files have 2 tests: C1 A > B, C2. Choose one by its number"),
        (["design.con:3"], "--contrast must end in a number from 1 to 2. Got 3"),
        (["design.con:1", "--joint"], "--joint needs at least two tests. Got C1 A > B"),
        (["design.con:1", "--regressor", "EV1"], "--regressor is for a table"),
        (["design.con:1", "--formula", "EV1"], "--formula is for a table"),
        (["design.con:1", "--no-intercept"], "--no-intercept is for a table"),
        (["design.con:1", "--drop-missing"], "--drop-missing is for a table"),
        (["none.con"], "none.con"),
    ],
)
def test_refused(study, options, said):
    if options and options[0].startswith(("design", "none")):
        options = ["--contrast", str(study.folder / options[0]), *options[1:]]
    result = study.call(*options)
    assert result.code == 2, result
    assert said in result.err.replace("\n", " ")


def test_a_4d_file_by_its_name_in_python(study):
    design = pd.DataFrame(DESIGN, columns=["EV1", "EV2", "EV3"])
    model = ARISecondLevelModel(study.mask, transformer=ClusterTDPTransformer(2))
    model.fit(str(study.path), design_matrix=design)
    model.compute_contrast("EV3", output_type="tdp")
    expected = model_of(study, DESIGN)
    expected.compute_contrast("EV3", output_type="tdp")
    pd.testing.assert_frame_equal(model.table_, expected.table_)


def test_one_volume_of_the_4d_file_of_each_subject(study, run):
    files = [study.folder / f"sub-{k:02}.nii.gz" for k in range(4)]
    for k, file in enumerate(files):
        Nifti1Image(study.data[..., 3 * k : 3 * k + 3], AFFINE).to_filename(file)
    given = ["group", *files, "--mask", study.mask, "--threshold", "2", "--json"]
    found = told(run(*given, "--map", "2", "--out", study.out))
    (record,) = study.out.glob("*_contrast.json")
    assert "--map=2" in json.loads(record.read_text())["Options"]
    model = ARISecondLevelModel(study.mask, transformer=ClusterTDPTransformer(2))
    maps = [Nifti1Image(study.data[..., 3 * k + 2], AFFINE) for k in range(4)]
    model.fit(maps, design_matrix=pd.DataFrame({"intercept": np.ones(4)}))
    model.compute_contrast(output_type="tdp")
    assert [row["peak_stat"] for row in found["table"]] == model.table_["peak_stat"].tolist()
    for map_, said in ((None, f"Got 3 maps in {files[0]}"), (3, "Got 3: there are 3 maps in")):
        result = run(*given, *([] if map_ is None else ["--map", map_]))
        assert result.code == 2
        assert said in result.err
        assert "--map" in result.err


def test_number_of_rows_and_options_of_files_with_a_table(study):
    vest(study.folder / "few.mat", DESIGN[:-1])
    result = study.call(*con(study, 1), design="few.mat")
    assert "a row for each of the 12 maps. Got 11 rows" in result.err.replace("\n", " ")
    pd.DataFrame({"age": AGE}).to_csv(study.folder / "t.tsv", sep="\t", index=False)
    for option in (["--demean"], ["--ftests", "design.fts"]):
        result = study.call("--contrast", "age", *option, design="t.tsv")
        assert f"{option[0]} is for files of FSL or PALM" in result.err.replace("\n", " ")


def test_a_row_of_zeros_and_a_file_that_is_not_there_are_named(study):
    vest(study.folder / "zero.con", [[1, -1, 0], [0, 0, 0]], "/ContrastName2 nothing\n")
    result = study.call("--contrast", study.folder / "zero.con", "--joint")
    assert "each row of 'C2 nothing'" in result.err.replace("\n", " ")
    result = study.call("--contrast", study.folder / "no.con")
    assert "--contrast does not exist" in result.err.replace("\n", " ")


def test_a_file_of_one_map_is_told(study):
    path = study.folder / "one.nii.gz"
    Nifti1Image(study.data[..., :1], AFFINE).to_filename(path)
    design = pd.DataFrame(DESIGN, columns=["EV1", "EV2", "EV3"])
    model = ARISecondLevelModel(study.mask, transformer=ClusterTDPTransformer(2))
    with pytest.raises((ValueError, TypeError), match=r"(?i)at least two|12 rows"):
        model.fit(str(path), design_matrix=design)
