"""A local test by the size of clusters, which is known to be significant."""

from __future__ import annotations

from dataclasses import dataclass

from ari_estimator.closed_testing import CriticalExtent, KnownExtent
from ari_estimator.closed_testing._known_extent import check_extent
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.inference._extent_test import ExtentTest
from ari_estimator.inference._map_family import MapFamily


@dataclass(frozen=True)
class ClusterExtent(ExtentTest):
    """Test a map by the size of its clusters, given the smallest significant size.

    Give it as ``local_test``. Then bounds do not come from the p-values of single voxels, but from
    the extent of supra-threshold clusters: a cluster that another program calls significant gets a
    TDP above 0.

    Parameters
    ----------
    height_threshold : float
        Cluster-forming threshold as a p-value, below 0.5. Voxels with a smaller p-value form
        clusters. P-values are two-sided with ``two_sided=True``, and then every cluster has one
        sign. You must **fix it before you see the data**.

    extent : int
        The smallest number of voxels (or vertices) of a cluster that is **known to be
        significant** at this height: SPM's ``FWEc``, or the number that FSL or AFNI's 3dClustSim
        prints. At least 2. If there is none, take the size of the smallest cluster that the
        program calls significant.

    alpha : float, default=0.05
        The familywise error level of that number. The ``alpha`` of the transformer must not be
        smaller.

    connectivity : {6, 18, 26} or None, default=None
        Number of neighbours of a voxel **in the program that gave the number**. None is 26 on
        grids, as in FSL, and is necessary without a grid. SPM takes 18, and AFNI's default is 6.
        Bounds are largest with 26.

    See Also
    --------
    RandomFieldExtent : The same, with the size from random field theory.

    Notes
    -----
    :class:`~ari_estimator.closed_testing.ClusterExtentTest` describes the bounds [1]_. The page
    "Bounds from cluster extents" of the docs says how to read the size off other programs, and how
    close the bounds are.

    References
    ----------
    .. [1] Goeman JJ, Górecki P, Monajemi R, Chen X, Nichols TE, Weeda W (2023). Cluster extent
       inference revisited: quantification and localisation of brain activity. Journal of the
       Royal Statistical Society Series B 85, 1128-1153.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterExtent, ClusterTDPTransformer
    >>> ari = ClusterTDPTransformer(local_test=ClusterExtent(0.001, extent=60))
    >>> _ = ari.fit(load_sample_motor_activation_image())
    >>> ari.table_[["cluster_id", "n_voxels", "true_discoveries"]].head(3)
       cluster_id  n_voxels  true_discoveries
    0           1      2177               416
    1           2       356                52
    2           3         7                 0
    """

    height_threshold: float
    extent: int
    alpha: float = 0.05
    connectivity: Connectivity | None = None

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        self._check(extent=check_extent(self.extent), alpha=float(self.alpha))

    def _critical_extent(self, family: MapFamily) -> CriticalExtent:
        if self.extent > family.n_tested:
            raise ValueError(
                f"extent must be at most the number of tested {family.space.element_name[1]}, "
                f"{family.n_tested:,}. Got {self.extent:,}. Give a number of elements, not mm³."
            )
        return KnownExtent(self.extent, self.alpha)
