"""``ari group --joint``: several contrasts as one family."""

import json
import shlex
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, load

N = 10
DOSE = np.tile([0.0, 1, 2, 3, 4], 2)
GROUP = np.repeat([0.0, 1], 5)
BOTH = ["--contrast", "dose", "--contrast", "group"]


@pytest.fixture
def study(tmp_path, run):
    rng = np.random.default_rng(2)
    maps = [tmp_path / f"sub-{k:02}_con.nii.gz" for k in range(N)]
    for k, path in enumerate(maps):
        data = rng.standard_normal((7, 6, 5))
        data[:3] += 2 * DOSE[k] + 4 * GROUP[k]
        Nifti1Image(data, np.diag([3.0, 3, 3, 1])).to_filename(path)
    mask = tmp_path / "mask.nii.gz"
    Nifti1Image(np.ones((7, 6, 5), np.uint8), np.diag([3.0, 3, 3, 1])).to_filename(mask)
    design = pd.DataFrame(
        {"participant_id": [f"sub-{k:02}" for k in range(N)], "dose": DOSE, "group": GROUP}
    )
    design.to_csv(tmp_path / "design.tsv", sep="\t", index=False)
    given = [*maps, "--design", tmp_path / "design.tsv", "--mask", mask, "--threshold", "2"]

    def call(*options):
        return run("group", *given, *options)

    return SimpleNamespace(call=call, maps=maps, mask=mask, design=design, out=tmp_path / "out")


def test_bounds_are_those_of_the_model(study):
    result = study.call(*BOTH, "--joint", "--json")
    assert result.code == 0, result
    told = json.loads(result.out)
    model = ARISecondLevelModel(study.mask, transformer=ClusterTDPTransformer(2))
    design = study.design.drop(columns="participant_id").assign(intercept=1.0)
    model.fit([str(path) for path in study.maps], design_matrix=design)
    model.compute_contrasts({"dose": "dose", "group": "group"})
    assert [row["true_discoveries"] for row in told["table"]] == (
        model.table_["true_discoveries"].tolist()
    )
    assert [row["contrast"] for row in told["table"]] == model.table_["contrast"].tolist()
    assert told["true_discoveries"] == model.joint_test_.bounds(0.05).of_set() > 0
    assert list(told["contrasts"]) == ["dose", "group"]


def test_files_of_each_contrast_and_a_table_of_all(study):
    result = study.call(*BOTH, "--joint", "--out", study.out)
    assert result.code == 0, result
    names = {path.name for path in study.out.iterdir()}
    for name in ("dose", "group"):
        assert {
            f"group_contrast-{name}_ari.npz",
            f"group_contrast-{name}_clusters.tsv",
            f"group_contrast-{name}_stat-tdp_statmap.nii.gz",
        } <= names
    table = pd.read_csv(study.out / "group_contrasts.tsv", sep="\t")
    own = pd.read_csv(study.out / "group_contrast-group_clusters.tsv", sep="\t")
    rows = table[table["contrast"] == "group"].drop(columns="contrast").reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, own)
    again = load(study.out / "group_contrast-group_ari.npz")
    assert "2 contrasts together" in again.maps_.describe()["test"]["sentence"]
    options = json.loads((study.out / "group_contrast-group_contrast.json").read_text())["Options"]
    assert "--joint" in shlex.split(options)
    assert "--contrast=dose" in shlex.split(options)


@pytest.mark.filterwarnings("ignore:.*permutations:UserWarning")
@pytest.mark.parametrize(("n_given", "n_taken"), [(5, 32), (N, 40)])
def test_seed_is_an_option_only_if_permutations_are_drawn(study, run, n_given, n_taken):
    """Five rows have 32 sign flips, which are all taken."""
    study.design["dose"] = np.linspace(-1, 1, N)
    study.design.iloc[:n_given].to_csv(study.out.parent / "few.tsv", sep="\t", index=False)
    result = run(
        "group", *study.maps[:n_given], "--design", study.out.parent / "few.tsv",
        "--mask", study.mask, "--threshold", "2", "--regressor", "dose", "--joint",
        "--contrast", "dose", "--contrast", "intercept", "--scheme", "sign_flip",
        "--permutations", "40", "--out", study.out, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert json.loads(result.out)["test"]["NumberOfPermutations"] == n_taken
    told = json.loads((study.out / "group_contrast-dose_contrast.json").read_text())["Options"]
    assert ("--seed" in told) is (n_given == N)


def test_nothing_is_replaced_without_force(study):
    study.call(*BOTH, "--joint", "--out", study.out)
    before = {path.name: path.read_bytes() for path in study.out.iterdir()}
    result = study.call(*BOTH, "--joint", "--out", study.out)
    assert result.code == 2
    assert "--force" in result.err
    assert {path.name: path.read_bytes() for path in study.out.iterdir()} == before
    assert study.call(*BOTH, "--joint", "--out", study.out, "--force").code == 0


def test_a_table_for_each_contrast_in_the_terminal(study):
    result = study.call(*BOTH, "--joint")
    assert result.out.count("discoveries") >= 2
    assert "dose: at least" in result.out
    assert "hold at once" in result.out


def test_permutations_are_told(study):
    result = study.call(*BOTH, "--joint", "--permutations", "100", "--seed", "1", "--json")
    told = json.loads(result.out)
    assert told["test"]["NumberOfPermutations"] == 100
    assert told["test"]["Seed"] == 1
    assert told["test"]["FamilySizes"] == {"dose": 210, "group": 210}


def test_both_directions_of_one_regressor_have_their_own_files(study):
    options = ["--contrast", "dose", "--contrast", "-dose", "--joint", "--out", study.out]
    result = study.call(*options)
    assert result.code == 0, result
    for prefix, name in (("group_contrast-dose", "dose"), ("group_contrast-dose2", "-dose")):
        told = json.loads((study.out / f"{prefix}_contrast.json").read_text())
        assert told["Name"] == name
        rows = pd.read_csv(study.out / "group_contrasts.tsv", sep="\t")
        own = pd.read_csv(study.out / f"{prefix}_clusters.tsv", sep="\t")
        # A table for spreadsheets has an apostrophe before a text that could be a formula.
        is_own = rows["contrast"].str.lstrip("'") == name
        assert rows.loc[is_own, "peak_stat"].tolist() == own["peak_stat"].tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (BOTH, "--contrast must be given once, or together with --joint"),
        (["--contrast", "dose", "--joint"], "--joint needs at least two --contrast. Got dose"),
        (["--joint"], "--joint needs at least two --contrast. Got none"),
        (["--contrast", "dose", "--contrast", "dose", "--joint"], "--contrast must differ"),
        (["--contrast", "dose", "--contrast", "sex", "--joint"], "sex"),
    ],
)
def test_refused(study, options, said):
    result = study.call(*options)
    assert result.code == 2, result
    assert said in result.err.replace("\n", " ")
    assert result.out == ""
