"""Write the figure and all numbers of the paper: ``python paper/make_paper.py``.

The example is computed here, from the sample study of the package. Error rates and ratios of times
come from tables of the documentation, which scripts in ``benchmarks`` write. ``--check`` writes
nothing: it compares the tables that need no computation, and ends with code 1 if the paper has
other numbers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAPER = ROOT / "paper" / "paper.md"
FIGURE = ROOT / "paper" / "tdp.png"

# Rows of the tables of the documentation, by the start of their first two cells.
_ERRORS = [
    ("parametric_error", "independent"),
    ("parametric_error", "smooth, kernel of 3 voxels"),
]
_PERMUTED = [
    "one sample, sign-flipping: Simes",
    "two groups, permutation: Simes",
    "covariate with nuisance, Freedman-Lane: Simes",
]
_TIMES = [
    ("cluster_tdp", "TDP of clusters, 2 mm brain, from image to image", ""),
    ("cluster_tdp", "the same, other maps, thresholds", "nilearn"),
    ("tdp_forest", "all clusters of a 2 mm brain with their bounds, 26 neighbours", "one argsort"),
    ("surface_tdp", "TDP of clusters, surfaces of 327,684 vertices", ""),
    ("permutation", "1,000 sign flips of 30 subjects, 2 mm brain, from data to lambda", "their"),
    (
        "permutation",
        "1,000 sign flips of 30 subjects, 2 mm brain, from data to lambda",
        "sanssouci",
    ),
]


def _rows(page: str, block: str) -> list[list[str]]:
    """Return the cells of the rows of a table of the documentation."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    text = text.split(f"<!-- begin {block} -->")[1].split(f"<!-- end {block} -->")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def _row(page: str, block: str, first: str, second: str = "") -> list[str]:
    for row in _rows(page, block):
        if row[0] == first and row[1].startswith(second):
            return row
    raise SystemExit(f"docs/{page} has no row {first!r} any more: choose another one here.")


def _table(caption: str, header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(row) for row in (header, *rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{body}\n\n: {caption}"


def validity() -> str:
    """Return the table of error rates."""
    rows = []
    for block, noise in _ERRORS:
        row = _row("validity.md", block, noise)
        rows.append([f"Simes test, {noise}", row[1], row[3]])
    for name in _PERMUTED:
        row = _row("validity.md", "calibration_error", name)
        rows.append([name.replace(": Simes", ""), row[1], row[2]])
    ours = _row("validity.md", "surface_error", "independent")
    rows.append(["clusters on two hemispheres, ari_estimator", ours[1], ""])
    rows.append(["clusters on two hemispheres, nilearn", ours[4].replace("**", ""), ""])
    return _table(
        "Share of simulated studies in which any bound exceeds the truth, at a level of 0.05, with "
        "99 % confidence intervals.",
        ["bound", "no signal", "signal"],
        rows,
    )


def exactness() -> str:
    """Return the sentence on the comparison with exhaustive closed testing."""
    compared = _row("validity.md", "exactness", "all")
    return (
        f"In random families of up to eight p-values, {compared[1]} results of the Simes test and "
        f"{compared[3]} of the Hommel test were compared with exhaustive closed testing in "
        f"rational arithmetic; {compared[2]} and {compared[4]} differed."
    )


def performance() -> str:
    """Return the table of ratios of times."""
    rows = [_row("benchmarks.md", *of_time) for of_time in _TIMES]
    return _table(
        "Ratios of run times, measured side by side in one run.",
        ["task", "compared with", "ratio"],
        [row[:3] for row in rows],
    )


def example() -> str:
    """Draw the figure, and return the table of the example."""
    from nilearn.image import get_data

    from ari_estimator import ClusterTDPTransformer
    from ari_estimator.datasets import load_sample_study
    from ari_estimator.plotting import plot_tdp
    from ari_estimator.reporting import get_tdp_table

    study = load_sample_study()
    ari = ClusterTDPTransformer(3.1, mask_img=study.mask_img, cluster_threshold=150)
    tdp_img = ari.fit_transform(study.z_img)
    plot_tdp(study.z_img, tdp_img, figsize=(9, 4), dpi=120, output_file=FIGURE)
    table = get_tdp_table(ari, max_peaks=1)
    mask = get_data(study.mask_img) > 0
    labels, truth = get_data(ari.labels_img_)[mask], get_data(study.effect_img)[mask] != 0
    rows = []
    for _, row in table.iterrows():
        label = int(row["cluster_id"])
        share = truth[labels == label].mean()
        numbers = [f"{row['n_voxels']:,}", f"{row['true_discoveries']:,}", str(row["tdp"])]
        rows.append([str(label or "rest of the brain"), *numbers, f"{share:.2f}"])
    return _table(
        "Clusters of the sample study, z > 3.1. The study is simulated, so the truth is known.",
        ["cluster", "voxels", "true discoveries, at least", "TDP, at least", "true proportion"],
        rows,
    )


def _published(text: str, name: str, block: str) -> str:
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
    new, n_found = re.subn(pattern, lambda _: f"{begin}\n\n{block}\n\n{end}", text, flags=re.S)
    if n_found != 1:
        raise SystemExit(f"{PAPER} must have {begin} and {end} once.")
    return new


def main(arguments: list[str]) -> int:
    """Write the paper, or check it."""
    old = text = PAPER.read_text(encoding="utf-8")
    made = [validity, exactness, performance] + ([] if "--check" in arguments else [example])
    for make in made:
        text = _published(text, make.__name__, make())
    if "--check" not in arguments:
        PAPER.write_text(text, encoding="utf-8", newline="\n")
    elif text != old:
        print("paper/paper.md has other numbers than the documentation: run paper/make_paper.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
