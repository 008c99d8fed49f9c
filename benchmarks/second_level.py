"""A group study, compared with nilearn's model for the same z map."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _maps import brain_mask, z_map
from _measure import report, side_by_side
from nibabel import Nifti1Image
from nilearn.glm.second_level import SecondLevelModel

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer

N_SUBJECTS = 20


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)
    mask_img = brain_mask()
    design = pd.DataFrame({"intercept": np.ones(N_SUBJECTS)})
    maps = [
        Nifti1Image(z_map(2.0, seed).get_fdata().astype("float32"), mask_img.affine)
        for seed in range(N_SUBJECTS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{i}.nii.gz") for i in range(N_SUBJECTS)]
        for img, path in zip(maps, paths, strict=True):
            img.to_filename(path)
        for kind, subjects, n_rounds in (("in memory", maps, 9), ("in files", paths, 3)):
            print(f"Second-level model, {N_SUBJECTS} maps {kind}")

            def z_of(model, subjects=subjects):
                model.fit(subjects, design_matrix=design)
                return model.compute_contrast(output_type="z_score")

            times = side_by_side(
                {
                    "nilearn": lambda z_of=z_of: z_of(SecondLevelModel(mask_img)),
                    "ours": lambda z_of=z_of: z_of(ARISecondLevelModel(mask_img)),
                },
                n_rounds,
            )
            report(
                "z map: ours / nilearn",
                times["ours"] / times["nilearn"],
                1.05,
                row=(f"z map of {N_SUBJECTS} subjects", "nilearn's SecondLevelModel"),
            )
    # Few maps, so that the regression does not hide the time of the TDP.
    few = maps[:4]
    model = ARISecondLevelModel(mask_img).fit(few, design_matrix=design.iloc[:4])
    z_img = model.compute_contrast(output_type="z_score")
    transformer = ClusterTDPTransformer(mask_img=mask_img)
    times = side_by_side(
        {
            "z": lambda: model.compute_contrast(output_type="z_score"),
            "tdp": lambda: model.compute_contrast(output_type="tdp"),
            "transformer": lambda: transformer.fit_transform(z_img),
        },
        25,
    )
    report(
        "TDP on top of z / transformer",
        (times["tdp"] - times["z"]) / times["transformer"],
        1,
        row=("TDP on top of the z map", "ClusterTDPTransformer on the z map"),
    )


if __name__ == "__main__":
    main()
