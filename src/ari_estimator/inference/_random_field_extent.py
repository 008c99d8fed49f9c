"""A local test by the size of clusters, from random field theory."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ari_estimator.closed_testing import CriticalExtent, GaussianFieldExtent
from ari_estimator.graphs import VoxelGrid
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._space import Space
from ari_estimator.images._volume_part import VolumePart
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._map_family import MapFamily

# In each tail. Error rates of the theory are far above their level for more lenient heights.
_MOST_LENIENT = 0.001

# In voxels. The theory is for smooth fields.
_LEAST_SMOOTH = 2


@dataclass(frozen=True)
class RandomFieldExtent(ExtentTest):
    """Test a map by the size of its clusters, by random field theory.

    Give it as ``local_test``. The smallest significant size follows from the smoothness of the
    residuals, as in FSL and SPM.

    Parameters
    ----------
    height_threshold : float
        Cluster-forming threshold as a p-value. Voxels with a smaller p-value form clusters.
        P-values are two-sided with ``two_sided=True``, and then every cluster has one sign. You
        must **fix it before you see the data**, at 0.001 in each tail or below.

    fwhm : float, sequence of 3 floats or None, default=None
        Smoothness of the **residuals** of the model, in mm: the full width at half maximum along
        each axis of the image, or along all. It is not the width of the smoothing kernel.
        :func:`~ari_estimator.estimate_smoothness` estimates it from the maps of subjects. FSL's
        ``smoothest`` and the table of SPM print it. With None, the group model estimates it:
        :class:`~ari_estimator.ARISecondLevelModel`.

    connectivity : {6, 18, 26} or None, default=None
        Number of neighbours of a voxel. None is 26, for which bounds are largest.

    See Also
    --------
    ClusterExtent : The same, with a given size.

    Notes
    -----
    :class:`~ari_estimator.closed_testing.GaussianFieldExtent` has the formula [1]_. The theory
    assumes a smooth, stationary field with a Gaussian autocorrelation. In resting-state data, error
    rates at a level of 0.05 were up to 0.7, and much smaller at p < 0.001 than at p < 0.01 [2]_.
    Permutations do not need these assumptions.

    References
    ----------
    .. [1] Friston KJ, Worsley KJ, Frackowiak RSJ, Mazziotta JC, Evans AC (1994). Assessing the
       significance of focal activations using their spatial extent. Human Brain Mapping 1,
       210-220.
    .. [2] Eklund A, Nichols TE, Knutsson H (2016). Cluster failure: why fMRI inferences for
       spatial extent have inflated false-positive rates. PNAS 113, 7900-7905.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer, RandomFieldExtent
    >>> ari = ClusterTDPTransformer(local_test=RandomFieldExtent(0.001, fwhm=9))
    >>> _ = ari.fit(load_sample_motor_activation_image())
    >>> ari.table_[["cluster_id", "n_voxels", "true_discoveries"]].head(3)
       cluster_id  n_voxels  true_discoveries
    0           1      2177               654
    1           2       356                92
    2           3         7                 0
    """

    height_threshold: float
    fwhm: float | Sequence[float] | np.ndarray | None = None
    connectivity: Connectivity | None = None

    def __post_init__(self) -> None:
        self._check(fwhm=None if self.fwhm is None else _check_fwhm(self.fwhm))

    def _critical_extent(self, family: MapFamily) -> CriticalExtent:
        part = _grid_of(family.space)
        if self.fwhm is None:
            raise ValueError(
                "fwhm must be given for a map: only ARISecondLevelModel can estimate it from the "
                "residuals. estimate_smoothness does so from the maps of subjects. Got None."
            )
        fwhm = np.broadcast_to(self.fwhm, 3)
        lengths = np.linalg.norm(part.affine[:3, :3], axis=0)
        box = np.array([side.stop - side.start for side in VoxelGrid(part.mask).box]) * lengths
        if (fwhm >= box).any():
            axis = int(np.argmax(fwhm / box))
            raise ValueError(
                "fwhm must be smaller than the mask, in mm: the theory is for a search volume that "
                f"is large for the smoothness. Got {fwhm[axis]:g} mm on axis {axis}, where the "
                f"mask has {box[axis]:g} mm."
            )
        in_voxels = fwhm / lengths
        if in_voxels.min() < _LEAST_SMOOTH:
            warnings.warn(
                f"fwhm is {in_voxels.min():.2g} voxels on an axis. The theory is for smooth maps, "
                f"with {_LEAST_SMOOTH} voxels or more: sizes may be wrong.",
                UserWarning,
                stacklevel=2,
            )
        n_signs = 2 if family.statistic.two_sided else 1
        if self.height_threshold / n_signs > _MOST_LENIENT:
            warnings.warn(
                f"height_threshold is {self.height_threshold:g}. In random field theory, error "
                f"rates exceed their level for p-values above {_MOST_LENIENT:g} in each tail "
                "(Eklund et al., 2016). Take a smaller one, or permutations.",
                UserWarning,
                stacklevel=2,
            )
        return GaussianFieldExtent(
            self.height_threshold, family.n_tested, float(np.prod(in_voxels)), n_signs
        )


def _grid_of(space: Space) -> VolumePart:
    """Return the only part of a space, which must be a grid."""
    part = space.parts[0]
    if len(space.parts) > 1 or not isinstance(part, VolumePart):
        raise ValueError(
            "local_test must not be a RandomFieldExtent unless all elements are voxels of one "
            f"grid: the theory needs volumes. Got {space.element_name[1]}."
        )
    return part


def _check_fwhm(fwhm: Any) -> float | tuple[float, ...]:
    """Return the smoothness as plain numbers, checked."""
    values = [fwhm] if isinstance(fwhm, Real) else fwhm
    if isinstance(values, np.ndarray):
        values = values.tolist()
    is_list = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    if (
        not is_list
        or len(values) not in (1, 3)
        or not all(isinstance(value, Real) and not isinstance(value, bool) for value in values)
    ):
        raise TypeError(f"fwhm must be one number in mm, or three. Got {fwhm!r}.")
    plain = tuple(float(value) for value in values)
    if not all(0 < value < np.inf for value in plain):
        raise ValueError(f"fwhm must be above 0 mm. Got {fwhm!r}.")
    return plain[0] if len(plain) == 1 else plain
