"""Time to import all public names of the package, compared with nilearn.glm."""

from __future__ import annotations

import subprocess
import sys

from _measure import report, side_by_side


def main() -> None:
    print("Import")
    times = side_by_side(
        {
            name: lambda code=code: subprocess.run([sys.executable, "-c", code])
            for name, code in (
                ("nilearn.glm", "import nilearn.glm"),
                ("ari_estimator", "from ari_estimator import *"),
            )
        }
    )
    report("ari_estimator / nilearn.glm", times["ari_estimator"] / times["nilearn.glm"], 1.05,
           row=("import of all public names", "importing `nilearn.glm`"))  # fmt: skip


if __name__ == "__main__":
    main()
