"""Family-wise error of surface TDP where nothing is active: ``python benchmarks/surface_error.py``.

A simulation of a minute or two, which ``python benchmarks`` leaves out. Two null hemispheres of
fsaverage5 hold noise, and whatever gets a TDP above 0 is an error. With Simes' test and
independent noise, the error of a family is exactly alpha if any set counts. The clusters of a
threshold are some of all sets, and could hide errors. At z > 3.1 next to nothing is hidden: a
vertex with a p-value up to alpha / n makes a discovery of whatever cluster it is in, and one of n
vertices has such a p-value with probability 1 - (1 - alpha / n)^n, which is 0.0488 for 0.05. At
lower thresholds nilearn, which loops over clusters, takes far longer. The error of any set is
counted as well, for our bounds.

nilearn tests each hemisphere as a family of its own, so that it errs in one of them with
probability 1 - 0.95^2 = 0.0975, or 0.0952 if clusters count.
"""

from __future__ import annotations

import warnings

import numpy as np
from _surface_maps import adjacency, smoother
from nilearn.datasets import load_fsaverage
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.sparse import csr_array, diags_array, eye_array
from scipy.special import ndtr
from scipy.stats import binomtest

from ari_estimator import ClusterTDPTransformer
from ari_estimator.closed_testing import Hommel

ALPHA = 0.05

THRESHOLD = 3.1


def noise_filter(mesh: InMemoryMesh, n_rounds: int) -> csr_array:
    """Return the matrix that smooths independent noise and keeps the variance of each vertex."""
    one_round = smoother(adjacency(mesh))
    matrix = csr_array(eye_array(mesh.n_vertices))
    for _ in range(n_rounds):
        matrix = csr_array(one_round @ matrix)
    return csr_array(diags_array(1 / np.sqrt(matrix.power(2).sum(axis=1))) @ matrix)


def any_above_0(img: SurfaceImage) -> bool:
    """Tell whether anything is above 0 in an image."""
    return any(values.any() for values in img.data.parts.values())


def main(n_runs: int = 2000) -> None:
    warnings.simplefilter("ignore", FutureWarning)
    files = load_fsaverage("fsaverage5")["white_matter"]
    # In memory, since nilearn reads such files again whenever it needs something of them.
    mesh = PolyMesh(**{name: part.loaded() for name, part in files.parts.items()})
    n_vertices = {name: part.n_vertices for name, part in mesh.parts.items()}
    mask_img = SurfaceImage(mesh, {name: np.ones(n, dtype=bool) for name, n in n_vertices.items()})
    ari = ClusterTDPTransformer(THRESHOLD, alpha=ALPHA, mask_img=mask_img).fit()
    print(
        f"Error of any discovery on two null hemispheres, {sum(n_vertices.values()):,} vertices, "
        f"alpha = {ALPHA}, {n_runs:,} runs, with 99 % Clopper-Pearson intervals"
    )
    for kind, n_rounds in (("independent", 0), ("smooth", 4)):
        rng = np.random.default_rng(0)
        filters = {name: noise_filter(part, n_rounds) for name, part in mesh.parts.items()}
        n_errors = {
            f"ours, clusters of z > {THRESHOLD}": 0,
            "ours, any set": 0,
            f"nilearn, clusters of z > {THRESHOLD}": 0,
        }
        for _ in range(n_runs):
            data = {
                name: matrix @ rng.standard_normal(n_vertices[name])
                for name, matrix in filters.items()
            }
            img = SurfaceImage(mesh, data)
            errors = (
                any_above_0(ari.transform(img)),
                Hommel(ndtr(-np.concatenate(list(data.values())))).true_discoveries(ALPHA) > 0,
                any_above_0(nilearn_inference(img, mask_img, THRESHOLD, ALPHA)),
            )
            for name, is_error in zip(n_errors, errors, strict=True):
                n_errors[name] += is_error
        print(f" {kind} noise")
        for name, n in n_errors.items():
            low, high = binomtest(n, n_runs).proportion_ci(0.99, method="exact")
            is_controlled = "NO" if low > ALPHA else "yes"
            print(
                f"  {name:<28} {n:4d} errors: {n / n_runs:.4f} [{low:.4f}, {high:.4f}]"
                f"   <= {ALPHA} within the interval: {is_controlled}"
            )


if __name__ == "__main__":
    main()
