"""The examples of docs/software.md, on files as the programs write them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel import Nifti1Image, save

from ._files import AFFINE, write_afni, write_feat, write_spm

DOCUMENT = Path(__file__).parents[2] / "docs" / "software.md"


def test_examples_run(tmp_path, study, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_feat(Path("group.gfeat", "cope1.feat"), study)
    write_spm(Path("spm"), study)
    write_afni(Path("stats+tlrc"), [study.t / 9, study.t], ["coef", "faces#0_Tstat"], [1, 3, 1, 29])
    write_afni(Path("mask+tlrc"), [study.mask], ["mask"], [])
    write_afni(Path("clusters+tlrc"), [study.clusters], ["clusters"], [])
    mask = study.mask.astype("uint8")
    save(Nifti1Image(mask, AFFINE), "mask.nii.gz")
    p = np.where(study.t > 3, 1 / 1000, np.where(study.t > 0, 0.3, 0.7))
    save(Nifti1Image(np.where(mask, 1 - p, 0), AFFINE), "randomise_vox_p_tstat1.nii.gz")
    rng = np.random.default_rng(0)
    for k in range(1, 13):
        name = f"sub-{k:02d}_task-x_space-MNI152NLin2009cAsym"
        folders = [Path("derivatives", d, f"sub-{k:02d}") for d in ("glm", "fmriprep")]
        for folder in folders:
            folder.mkdir(parents=True)
        effect = 0.4 * study.t + rng.standard_normal(study.t.shape)
        save(
            Nifti1Image(effect, AFFINE),
            folders[0] / f"{name}_contrast-faces_stat-effect_statmap.nii.gz",
        )
        save(Nifti1Image(mask, AFFINE), folders[1] / f"{name}_desc-brain_mask.nii.gz")
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 6
    names = {}
    tables = []
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
        tables.append(names["ari"].table_)
    tables[-1] = names["model"].table_
    for table in tables:
        assert table["true_discoveries"].max() > 0
    counts = [table["true_discoveries"].tolist() for table in tables]
    assert counts[0] == counts[1]  # the z map of FEAT, and its t map
    assert Path("group.gfeat", "cope1.feat", "cluster_zstat1_tdp.html").exists()
    assert pd.read_csv(Path("tdp", "cluster_zstat1_tdp.txt"), sep="\t")["TDP"].max() > 0.5
