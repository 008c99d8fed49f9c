"""``ari clusters`` from shell to result, compared with importing the parts of nilearn it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from _maps import brain_mask, z_map
from _measure import report, side_by_side


def main() -> None:
    print("Command line, 2 mm")
    with TemporaryDirectory() as folder:
        z, mask = Path(folder, "z.nii.gz"), Path(folder, "mask.nii.gz")
        z_map(1.5).to_filename(z)
        brain_mask().to_filename(mask)
        command = ["clusters", str(z), "--mask", str(mask), "--out", folder, "--force", "--quiet"]
        imports = "import nilearn.glm, nilearn.maskers"
        times = side_by_side(
            {
                "imports": lambda: subprocess.run([sys.executable, "-c", imports], check=True),
                "ari": lambda: subprocess.run(
                    [sys.executable, "-m", "ari_estimator", *command], check=True
                ),
            }
        )
    report("ari clusters --out / import nilearn.glm, nilearn.maskers",
           times["ari"] / times["imports"], 1.15,
           row=("`ari clusters` of a 2 mm map, from shell to files",
                "importing `nilearn.glm` and `nilearn.maskers`"))  # fmt: skip


if __name__ == "__main__":
    main()
