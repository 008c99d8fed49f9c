"""A critical extent from the theory of smooth Gaussian random fields."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from ari_estimator.closed_testing._critical_extent import CriticalExtent
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.files._stored_array import stored_array

FRISTON = (
    "Friston KJ, Worsley KJ, Frackowiak RSJ, Mazziotta JC, Evans AC (1994). Assessing the "
    "significance of focal activations using their spatial extent. Human Brain Mapping 1, 210-220."
)

# Single voxels have no extent, and the theory is for clusters that are large for their voxels.
_SMALLEST = 2


class GaussianFieldExtent(CriticalExtent):
    """The largest cluster of a smooth Gaussian random field in three dimensions.

    Parameters
    ----------
    height : float
        Height threshold as a p-value; two-sided if ``n_signs`` is 2.

    n_voxels : int
        Number of voxels of the search volume.

    voxels_per_resel : float
        Volume of a resolution element: the product of the three FWHMs, in voxels.

    n_signs : {1, 2}, default=1
        2 if clusters of both signs count.

    Notes
    -----
    With height u on the z scale, V voxels and R = V / ``voxels_per_resel``, the expected number of
    clusters is ``m = R (4 ln 2)^(3/2) (2 pi)^-2 (u^2 - 1) exp(-u^2 / 2)``, and the expected number
    of voxels above u is ``N = V (1 - Phi(u))``. The largest of the clusters has at least k voxels
    with probability ``1 - exp(-m exp(-beta k^(2/3)))``, where
    ``beta = (Gamma(5/2) m / N)^(2/3)`` [1]_. The paper has ``u^2`` in place of ``u^2 - 1`` in m.
    FSL's ``cluster`` takes ``u^2 - 1``, the term of the expected Euler characteristic, which is
    closer for finite heights. Clusters of the other sign double the number ``m`` in the outer
    exponent.

    References
    ----------
    .. [1] Friston KJ, Worsley KJ, Frackowiak RSJ, Mazziotta JC, Evans AC (1994). Assessing the
       significance of focal activations using their spatial extent. Human Brain Mapping 1,
       210-220.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator.closed_testing import GaussianFieldExtent
    >>> extent = GaussianFieldExtent(height=0.001, n_voxels=230_000, voxels_per_resel=64)
    >>> extent.at(0.05)
    91
    >>> extent.p_values(np.array([20, 92, 150])).round(4)
    array([0.9511, 0.05  , 0.0044])
    """

    kind = "random field"

    def __init__(
        self, height: float, n_voxels: int, voxels_per_resel: float, n_signs: int = 1
    ) -> None:
        if n_signs not in (1, 2):
            raise ValueError(f"n_signs must be 1 or 2. Got {n_signs!r}.")
        self.height = float(height)
        self.n_voxels = int(n_voxels)
        self.voxels_per_resel = float(voxels_per_resel)
        self.n_signs = int(n_signs)
        tail = self.height / n_signs
        u = float(-ndtri(tail)) if 0 < tail < 1 else math.nan
        if not u > 1:
            raise ValueError(
                "height must be a p-value below 0.15 in each tail, since the theory is for high "
                f"thresholds. Got {height!r}."
            )
        if n_voxels < 1 or not 0 < self.voxels_per_resel < math.inf:
            raise ValueError(
                "n_voxels and voxels_per_resel must be positive. "
                f"Got {n_voxels!r} and {voxels_per_resel!r}."
            )
        n_resels = self.n_voxels / self.voxels_per_resel
        self._n_clusters = (
            n_resels
            * (4 * math.log(2)) ** 1.5
            / (2 * math.pi) ** 2
            * (u**2 - 1)
            * math.exp(-(u**2) / 2)
        )
        n_above = self.n_voxels * float(ndtr(-u))
        self._rate = (math.gamma(2.5) * self._n_clusters / n_above) ** (2 / 3)

    def __repr__(self) -> str:
        return (
            f"GaussianFieldExtent(height={self.height:g}, n_voxels={self.n_voxels}, "
            f"voxels_per_resel={self.voxels_per_resel:.6g}, n_signs={self.n_signs})"
        )

    def at(self, alpha: float) -> int:
        """Return the critical extent, see :meth:`CriticalExtent.at`."""
        level = float(check_alpha(alpha))
        n_large = -math.log1p(-level) / (self.n_signs * self._n_clusters)
        size = 0 if n_large >= 1 else math.floor((-math.log(n_large) / self._rate) ** 1.5)
        # Rounding may miss the size by one.
        size = max(size - 1, _SMALLEST - 1)
        while self.p_values(np.array([size + 1]))[0] > level:
            size += 1
        return size

    def p_values(self, sizes: np.ndarray) -> np.ndarray:
        """Return the adjusted p-values of clusters, see :meth:`CriticalExtent.p_values`."""
        sizes = np.asarray(sizes)
        n_large = self.n_signs * self._n_clusters * np.exp(-self._rate * sizes ** (2 / 3))
        return np.where(sizes < _SMALLEST, 1.0, -np.expm1(-n_large))

    def describe(self, alpha: float) -> dict[str, Any]:
        """Return where the extent comes from, see :meth:`CriticalExtent.describe`."""
        fwhm = self.voxels_per_resel ** (1 / 3)
        n_resels = self.n_voxels / self.voxels_per_resel
        return {
            "sentence": (
                f"The smallest significant size of a cluster, {self.at(alpha) + 1:,} voxels at a "
                f"familywise error level of {alpha:g}, came from Gaussian random field theory "
                f"(Friston et al., 1994), for {self.n_voxels:,} voxels with a smoothness of "
                f"{fwhm:.3g} voxels (geometric mean of the FWHMs; {n_resels:,.1f} resels)."
            ),
            "assumption": (
                "The bounds assume that the noise is a smooth, stationary Gaussian field with a "
                "Gaussian autocorrelation, and that its smoothness is known, as random field "
                "theory does. The theory is an approximation for high thresholds."
            ),
            "references": [FRISTON],
            "values": {"VoxelsPerResel": self.voxels_per_resel, "Resels": n_resels},
        }

    def to_arrays(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            "height": self.height,
            "n_voxels": self.n_voxels,
            "voxels_per_resel": self.voxels_per_resel,
            "n_signs": self.n_signs,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> GaussianFieldExtent:
        """Restore the extent, see :meth:`CriticalExtent.from_arrays`."""
        return cls(
            stored_array(arrays, "height", "f").item(),
            stored_array(arrays, "n_voxels", "iu").item(),
            stored_array(arrays, "voxels_per_resel", "f").item(),
            stored_array(arrays, "n_signs", "iu").item(),
        )
