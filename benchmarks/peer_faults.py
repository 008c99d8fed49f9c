"""Differences from other packages, run on both: ``python benchmarks/peer_faults.py``.

Each case returns the result of the other package, the result of this package, and the right result.
The page shows the lines of each case as they are here, after the imports and helpers that they
need. The script skips packages that are not installed.
"""

from __future__ import annotations

import argparse
import inspect
import re
import textwrap
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# The page shows the lines up to the end mark, without those that make the page.
# -- begin
import nilearn.glm as peer
import numpy as np
from _page import add_page_argument, publish, table
from nibabel import Nifti1Image
from nilearn.datasets import load_fsaverage
from nilearn.surface import SurfaceImage
from scipy.stats import norm, t, ttest_1samp

import ari_estimator as ours
from ari_estimator.closed_testing import Hommel


def image(values):
    return Nifti1Image(np.asarray(values, dtype=float), np.eye(4))


def largest(img):
    return img.get_fdata().max().item()


# -- end
Results = tuple[object, object, str]


def tdp_above_1() -> Results:
    # Eight voxels in the mask, all with p < alpha.
    z_img = image(np.linspace(3.1, 4.5, 8).reshape(2, 2, 2))
    mask_img = image(np.ones((2, 2, 2)))
    theirs = largest(peer.cluster_level_inference(z_img, mask_img, threshold=3.1))
    mine = largest(ours.cluster_level_inference(z_img, mask_img, threshold=3.1))
    return theirs, mine, "a proportion is at most 1"


def underflow() -> Results:
    z = np.random.default_rng(0).standard_normal((10, 10, 10))
    z[:2, 0, 0] = 40, 3.2  # p = 0 in double precision, and p = 0.0007
    mask_img = image(np.ones(z.shape))
    theirs = peer.cluster_level_inference(image(z), mask_img, threshold=3.1).get_fdata()[0, 0, 0]
    mine = ours.cluster_level_inference(image(z), mask_img, threshold=3.1).get_fdata()[0, 0, 0]
    return theirs, mine, "1 of 2 voxels: p = 0.0007 alone is not a discovery among 1,000 voxels"


def thresholded_map() -> Results:
    z = np.random.default_rng(0).standard_normal((20, 20, 20))
    z_img = image(np.where(z > 2.5, z, 0))
    theirs = largest(peer.cluster_level_inference(z_img, threshold=2.5))
    try:
        mine = largest(ours.cluster_level_inference(z_img, threshold=2.5))
    except ValueError as error:  # "... give the mask of all tested voxels as mask_img ..."
        mine = type(error).__name__
    return theirs, mine, "nothing is active: the other voxels were tested, too"


def ties() -> Results:
    p = np.array([0.04, 0.08, 0.1])  # from 50 permutations
    mask_img = image(np.ones((1, 1, 3)))
    # nilearn takes them as z values.
    z_img = image([[norm.isf(p)]])
    theirs = largest(peer.cluster_level_inference(z_img, mask_img, threshold=1.2, alpha=0.1))
    ari = ours.ClusterTDPTransformer(0.5, stat_type="p", alpha=0.1, mask_img=mask_img)
    mine = largest(ari.fit_transform(image([[p]])))
    return theirs, mine, "1: the Simes test at 0.1 rejects every set of these p-values"


def surface_clusters() -> Results:
    mesh = load_fsaverage("fsaverage5")["white_matter"]
    faces, n = mesh.parts["left"].faces, mesh.parts["left"].n_vertices
    disc = np.arange(n) == 0
    for _ in range(6):  # all vertices within six steps of the first, so they are connected
        disc[faces[disc[faces].any(axis=1)]] = True
    rng = np.random.default_rng(0)
    z = {"left": np.where(disc, rng.uniform(3.2, 5, n), 0), "right": np.zeros(n)}
    z_img = SurfaceImage(mesh, z)
    mask_img = SurfaceImage(mesh, {name: np.ones(n, dtype=bool) for name in z})
    theirs, mine = (
        np.unique(inference(z_img, mask_img, threshold=3.1).data.parts["left"][disc]).round(2)
        for inference in (peer.cluster_level_inference, ours.cluster_level_inference)
    )
    return theirs, mine, "one cluster has one TDP"


def level_of_hemispheres() -> Results:
    mesh = load_fsaverage("fsaverage5")["white_matter"]
    n = mesh.parts["left"].n_vertices
    z = {"left": np.zeros(n), "right": np.zeros(n)}
    z["left"][0] = norm.isf(0.049 / n)
    z_img = SurfaceImage(mesh, z)
    mask_img = SurfaceImage(mesh, {name: np.ones(n, dtype=bool) for name in z})
    theirs, mine = (
        inference(z_img, mask_img, threshold=3.1).data.parts["left"].max().item()
        for inference in (peer.cluster_level_inference, ours.cluster_level_inference)
    )
    return theirs, mine, "0: among 2 n p-values, a discovery needs one of 0.05 / (2 n)"


def not_a_number() -> Results:
    z = np.random.default_rng(0).standard_normal((10, 10, 10))
    z[:3, :3, :3] += 4
    tested = image(np.indices(z.shape)[0] < 5)
    z_of_tested = np.where(tested.get_fdata(), z, np.nan)  # half of the brain was not measured
    mask_img = image(np.ones(z.shape))
    theirs = largest(peer.cluster_level_inference(image(z_of_tested), mask_img, threshold=2.5))
    # A warning says how many are excluded.
    mine = largest(ours.cluster_level_inference(image(z_of_tested), mask_img, threshold=2.5))
    right = largest(ours.cluster_level_inference(image(z), tested, threshold=2.5))
    return theirs, mine, f"{right:.3g}, as with a mask of the 500 voxels that were tested"


def t_maps() -> Results:
    values = t.rvs(9, size=(30, 30, 30), random_state=0)
    mask_img = image(np.ones(values.shape))
    theirs = largest(peer.cluster_level_inference(image(values), mask_img, threshold=3.1))
    ari = ours.ClusterTDPTransformer(3.1, mask_img=mask_img, stat_type="t", df=9)
    mine = largest(ari.fit_transform(image(values)))
    return theirs, mine, "0: nothing is active"


def several_thresholds() -> Results:
    z = np.random.default_rng(0).standard_normal((10, 10, 10))
    z[:3, :3, :3] += 4
    mask_img = image(np.ones(z.shape))
    try:
        theirs = largest(peer.cluster_level_inference(image(z), mask_img, threshold=(2.5, 3.5)))
    except TypeError as error:
        theirs = type(error).__name__
    mine = largest(ours.cluster_level_inference(image(z), mask_img, threshold=(2.5, 3.5)))
    right = largest(ours.cluster_level_inference(image(z), mask_img, threshold=[2.5, 3.5]))
    return theirs, mine, f"{right:.3g}, as with a list"


def hommel_value_of_sanssouci() -> Results:
    from sanssouci.post_hoc_bounds import _compute_hommel_value

    rng = np.random.default_rng(0)
    z = rng.standard_normal((1000, 50)) + 3 * (np.arange(50) < 20)
    theirs = np.mean([_compute_hommel_value(values, 0.05) for values in z]).item()
    mine = np.mean([Hommel(norm.sf(values)).value(0.05) for values in z]).item()
    return theirs, mine, "the smaller one, as in closed testing by its definition (see above)"


def identity_among_flips() -> Results:
    from sanssouci import get_permuted_p_values_one_sample

    data = np.random.default_rng(0).standard_normal((20, 100)) + 1
    p = np.sort(ttest_1samp(data, 0).pvalue)
    flips = get_permuted_p_values_one_sample(data, B=100, seed=0)
    theirs = np.isclose(flips, p).all(axis=1).any().item()
    calibration = ours.PermutationCalibration(n_permutations=100, random_state=0)
    calibration.fit(data, two_sided=True)
    pivotal_statistic = np.min(p * 100 / np.arange(1, 101))  # of the observed data
    mine = np.isclose(calibration.pivotal_statistics_, pivotal_statistic).any().item()
    return theirs, mine, "True (Hemerik & Goeman 2018)"


CASES = {
    "nilearn": {
        "A TDP above 1": tdp_above_1,
        "A p-value that underflows": underflow,
        "A thresholded map without a mask: TDP of pure noise": thresholded_map,
        "P-values that tie with alpha": ties,
        "Clusters of a surface: TDPs in a disc of 106 vertices": surface_clusters,
        "Error level of two hemispheres: one p-value of 0.049 / n among 2 n": level_of_hemispheres,
        "Voxels without a value": not_a_number,
        "A t map with 9 degrees of freedom: TDP of pure noise": t_maps,
        "Several thresholds, not in a list": several_thresholds,
    },
    "sanssouci": {
        "The Hommel value: mean of 1,000 families": hommel_value_of_sanssouci,
        "The observed data are one of the sign flips": identity_among_flips,
    },
}


def lines_of(case: Callable[[], Results]) -> str:
    """Return the lines of a case, without its first and last."""
    lines = inspect.getsource(case).rstrip().splitlines()
    return textwrap.dedent("\n".join(lines[1:-1]))


def setup_lines() -> str:
    """Return the imports and helpers that cases need."""
    text = Path(__file__).read_text(encoding="utf-8")
    lines = re.search(r"^# -- begin\n(.*?)\s*^# -- end$", text, re.M | re.S)[1].splitlines()
    return "\n".join(line for line in lines if "_page" not in line)


def shown(result: object) -> str:
    """Return a result as it stands in the page."""
    return f"{result:.3g}" if isinstance(result, float) else " ".join(str(result).split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_page_argument(parser)
    given = parser.parse_args()
    publish("peer_faults setup", f"```python\n{setup_lines()}\n```", given.page)
    for package, cases in CASES.items():
        try:
            release = f"{package} {version(package)}"
        except PackageNotFoundError:
            print(f"{package} is not installed")
            continue
        # Blocks of the page run as they are, if they are Python: sanssouci may not be there.
        language = "python" if package == "nilearn" else "text"
        parts = []
        for title, case in cases.items():
            theirs, mine, right = case()
            rows = [[shown(theirs), shown(mine), right]]
            parts += [
                f"### {title}",
                f"```{language}\n{lines_of(case)}\n```",
                table([release, "ari_estimator", "right"], rows),
            ]
        publish(f"peer_faults {package}", "\n\n".join(parts), given.page)


if __name__ == "__main__":
    main()
