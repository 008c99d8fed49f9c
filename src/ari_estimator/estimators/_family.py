"""One statistical map as closed testing sees it: a family of p-values on a grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ari_estimator.closed_testing import CriticalVector, Hommel
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators._thresholded import check_rest_of_nan


def z_to_p(z: np.ndarray, two_sided: bool) -> np.ndarray:
    """Return upper-tail p-values of z values, or two-sided ones.

    The tail is computed as such, not as one minus the rest, so that small p-values keep
    their digits. +inf gives 0, and -inf gives 1 (or 0 if two-sided).
    """
    if two_sided:
        p = np.abs(z)
        np.negative(p, out=p)
        ndtr(p, out=p)
        p *= 2
        return p
    p = np.negative(z)
    return ndtr(p, out=p)


@dataclass(frozen=True)
class MapFamily:
    """The voxels of one map that are tested, and the closed testing of them.

    Attributes
    ----------
    z : ndarray of shape (n_tested,)
        z values, in the C order of the mask.

    mask : ndarray of bool of shape (nx, ny, nz)
        The tested voxels.

    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    two_sided : bool
        Whether deviations in both directions count.

    hommel : Hommel
        Closed testing of the p-values.

    alpha : float
        Error level of the inference.

    critical_vector : CriticalVector
        The critical vector at that level.
    """

    z: np.ndarray
    mask: np.ndarray
    affine: np.ndarray
    two_sided: bool
    hommel: Hommel
    alpha: float
    critical_vector: CriticalVector

    @property
    def p_values(self) -> np.ndarray:
        """P-values of the tested voxels, an array of shape (n_tested,)."""
        return self.hommel.p_values

    @property
    def evidence(self) -> np.ndarray:
        """What is thresholded, and peaks: z, or its absolute value if two-sided."""
        return np.abs(self.z) if self.two_sided else self.z

    @property
    def directions(self) -> tuple[int, ...]:
        """Signs of the deviations that are looked for."""
        return (1, -1) if self.two_sided else (1,)


def warn_of_nan(z: np.ndarray) -> None:
    """Warn if voxels of a map are NaN, and so not in the family."""
    n_nan = int(np.isnan(z).sum())
    if 0 < n_nan < z.size:
        warnings.warn(
            f"The map is NaN in {n_nan} of the {z.size} voxels of the mask. They are left out "
            f"of the family, which has {z.size - n_nan} voxels.",
            UserWarning,
            stacklevel=2,
        )


def form_family(
    z: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    *,
    alpha: float,
    two_sided: bool,
    local_test: LocalTest,
) -> tuple[MapFamily, np.ndarray]:
    """Form the family of one map and test it.

    Parameters
    ----------
    z : ndarray of shape (n_voxels,)
        z values in the mask; NaN where there is none.

    mask : ndarray of bool of shape (nx, ny, nz)
        Mask of ``n_voxels`` voxels.

    affine : ndarray of shape (4, 4)
        From voxel indices to millimetres.

    alpha : float
        Error level.

    two_sided : bool
        Whether deviations in both directions count.

    local_test : {"simes", "hommel"}
        The local test.

    Returns
    -------
    family : MapFamily
        The family, without the voxels that are NaN.

    is_tested : ndarray of bool of shape (n_voxels,)
        Which voxels are in the family.

    Raises
    ------
    ValueError
        If the map is NaN, or one and the same value, throughout the mask, or if the
        voxels that are not NaN look like those above a threshold.
    """
    is_tested = ~np.isnan(z)
    if not is_tested.any():
        raise ValueError(f"The map is NaN in all {z.size} voxels of the mask: nothing to test.")
    n_nan = z.size - int(is_tested.sum())
    if n_nan:
        z = z[is_tested]
        mask = mask.copy()
        mask[mask] = is_tested
    if z.size > 1 and z.min() == z.max():
        raise ValueError(
            f"The map is constant, {z[0]}, in all {z.size} voxels of the mask: it is no "
            "statistical map."
        )
    if n_nan:
        check_rest_of_nan(z, n_nan)
    hommel = Hommel(z_to_p(z, two_sided), local_test)
    family = MapFamily(
        z,
        mask,
        affine,
        two_sided,
        hommel,
        alpha,
        hommel.critical_vector(alpha),
    )
    return family, is_tested
