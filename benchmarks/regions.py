"""TDP of 400 regions of a 2 mm brain, compared with a sort and a count.

The floor from p-values to bounds is a sort of the p-values and a count of the labels. The floor of
the estimator, which is fitted before the clock starts, adds its other work: it computes p-values
from z values and, for an image, extracts the values in the mask.

The ratio depends on how fast numpy sorts. With AVX-512 instructions it is slow on some AMD
processors. There, ``NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" python benchmarks`` sorts without
them, several times faster. That is the stricter comparison.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from _maps import brain_mask, z_map
from _measure import report, side_by_side
from nibabel import Nifti1Image
from scipy.spatial import cKDTree
from scipy.special import ndtr

from ari_estimator import RegionTDPTransformer
from ari_estimator.closed_testing import Hommel

N_REGIONS = 400

WHAT = f"bounds of {N_REGIONS} regions, 2 mm brain, from p-values"


def region_labels(mask: np.ndarray) -> np.ndarray:
    """Return regions 1, ..., 400 around random voxels of a mask, and 0 far from all of them."""
    voxels = np.argwhere(mask)
    centres = np.random.default_rng(0).choice(voxels, N_REGIONS, replace=False)
    distance, nearest = cKDTree(centres).query(voxels)
    return np.where(distance < 8, nearest + 1, 0)


def z_maps(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Return z values of maps with more and more signal."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(int(mask.sum()))
    chance = rng.random(noise.size)
    return {
        "noise alone": noise,
        "smooth, a little activation": z_map(2.0).get_fdata()[mask],
        "a tenth of the voxels active, z ~ 3": noise + 3 * (chance < 0.1),
        "half of the voxels active, z ~ 4": noise + 4 * (chance < 0.5),
    }


def main() -> None:
    mask_img = brain_mask()
    mask = mask_img.get_fdata() > 0
    labels = region_labels(mask)
    n_labels = N_REGIONS + 1

    def image_of(values):
        volume = np.zeros(mask.shape, dtype=values.dtype)
        volume[mask] = values
        return Nifti1Image(volume, mask_img.affine)

    atlas_img = image_of(labels.astype(np.int32))
    regions = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()

    def sort_and_count(p):
        return np.sort(p), np.bincount(labels, minlength=n_labels)

    def bounds(p):
        vector = Hommel(p).critical_vector(0.05)
        return vector.true_discoveries_by_label(p, labels, n_labels)

    def loop(z):
        p = ndtr(-z)
        vector = Hommel(p).critical_vector(0.05)
        return [vector.true_discoveries(p[labels == label]) for label in range(1, n_labels)]

    print(
        f"Bounds of {N_REGIONS} regions, {labels.size:,} voxels, compared with np.sort and "
        "np.bincount"
    )
    for kind, z in z_maps(mask).items():
        p = ndtr(-z)
        img = image_of(z)
        values = img.get_fdata()
        times = side_by_side(
            {
                "sort": partial(sort_and_count, p),
                "bounds": partial(bounds, p),
                "array floor": lambda z=z: sort_and_count(ndtr(-z)),
                "array": partial(regions.transform, z),
                "image floor": lambda values=values: sort_and_count(ndtr(-values[mask])),
                "image": partial(regions.transform, img),
                "loop": partial(loop, z),
            },
            n_rounds=31,
        )
        print(f" {kind} ({Hommel(p).true_discoveries():,} found)")
        report(
            "p-values to bounds / sort and count",
            times["bounds"] / times["sort"],
            1.5,
            row=(WHAT, "one sort, one count of labels"),
        )
        report(
            "transform an array / p-values, sort and count",
            times["array"] / times["array floor"],
            1.5,
        )
        report(
            "transform an image / mask, p-values, sort and count",
            times["image"] / times["image floor"],
            1.2,
            row=(f"transform of an image with {N_REGIONS} regions", "mask, p-values, sort, count"),
        )
        report(
            "loop over regions of an array / transform it",
            times["loop"] / times["array"],
            1,
            at_least=True,
            row=("the same from z values", "a loop over the regions"),
        )


if __name__ == "__main__":
    main()
