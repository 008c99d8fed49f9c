"""Time to import the package, beside nilearn.glm."""

from __future__ import annotations

import subprocess
import sys

from _measure import report, side_by_side


def main() -> None:
    print("Import")
    times = side_by_side(
        {
            name: lambda name=name: subprocess.run([sys.executable, "-c", f"import {name}"])
            for name in ("nilearn.glm", "ari_estimator")
        }
    )
    report("ari_estimator / nilearn.glm", times["ari_estimator"] / times["nilearn.glm"], 1.15,
           row=("import", "importing `nilearn.glm`"))  # fmt: skip


if __name__ == "__main__":
    main()
