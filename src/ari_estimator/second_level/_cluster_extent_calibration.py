"""Calibration of the size of clusters on the data at hand, by resampling subjects."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ari_estimator._nesting import refuse_nested
from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_extents import calibrate_extents
from ari_estimator.calibration._missing_rows import Missing, untestable, warn_of_left_out
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.closed_testing import ClusterExtentTest
from ari_estimator.closed_testing._calibrated_extent import CalibratedExtent
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._choice import Choice
from ari_estimator.estimators._subject_calibration import (
    N_GROUPS,
    SubjectCalibration,
    warn_of_few,
)
from ari_estimator.graphs._largest_component import LargestComponent
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._given_graph import as_graph
from ari_estimator.images._kinds import fit_frame
from ari_estimator.images._space import Space
from ari_estimator.images._subject_maps import masked_subjects
from ari_estimator.inference._extent_test import check_height
from ari_estimator.inference._supra_threshold_part import (
    check_extent_connectivity,
    supra_threshold_graph,
)
from ari_estimator.resampling import Exchange, SchemeName
from ari_estimator.resampling._contrast import ContrastType


class ClusterExtentCalibration(SubjectCalibration):
    """Smallest significant size of a cluster, calibrated by permutations of the subjects' data.

    A cluster is a connected component of elements beyond a height threshold. Permutations of the
    subjects show how large clusters of noise are. A cluster of at least ``critical_extent_``
    elements is significant, as in SPM, FSL randomise or PALM. Closed testing then bounds the true
    discoveries of any set, not only of clusters [1]_. **It finds most where single elements are
    weak**: in broad, smooth clusters.

    Parameters
    ----------
    height_threshold : float, default=0.001
        Elements with a smaller p-value form clusters. The p-value is two-sided if the test is.
        Choose it before you look at the data: the bounds hold for one height.

    connectivity : {6, 18, 26} or None, default=None
        Number of neighbours of a voxel. None is 26, which gives the largest bounds. It must be
        None for surfaces and for arrays.

    n_permutations : int, default=1000
        Number of permutations, including the data as observed. If fewer are possible, each is
        taken once. **Random permutations give the size a large Monte Carlo error**: see
        ``critical_extent_interval_``.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled, as in :class:`PermutationCalibration`.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Exchangeability blocks, as in :class:`PermutationCalibration`.

    exchange : {"within", "whole", "both"} or None, default=None
        What may change places, as in :class:`PermutationCalibration`.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows with their own variance, as in :class:`PermutationCalibration`.

    missing : {"omit"} or None, default=None
        What to do with NaN, as in :class:`PermutationCalibration`.

    n_groups : int, default=256
        Number of sums kept in memory if subjects are streamed. Leave the default for data in
        memory.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    chunk_size : int or None, default=None
        Permutations per task. None is half of each process's share, at most 2500. Results do not
        depend on it.

    n_jobs : int or None, default=None
        Number of processes. Results do not depend on it. None is one process, unless
        :func:`joblib.parallel_config` sets another number.

    memory : None, str or joblib.Memory, default=None
        Where to cache the result. The cache needs data in memory and an integer ``random_state``.

    verbose : int, default=1
        0 shows nothing; 1 shows a progress bar if the work takes more than two seconds.

    Attributes
    ----------
    alpha_ : float
        Error level.

    critical_extent_ : int
        Smallest significant size of a cluster, in voxels or vertices. It is one more than the
        ``floor(alpha B) + 1``-th largest of the B permutations' largest clusters.

    critical_extent_interval_ : tuple of two int
        95 % Monte Carlo interval for the size that all possible permutations would give. Both ends
        are ``critical_extent_`` if all of them were taken.

    df_ : int or ndarray of shape (n_elements,)
        Degrees of freedom of the residuals; one number for each element with v and G, and if data
        have gaps.

    extent_ : CriticalExtent of :mod:`ari_estimator.closed_testing`
        The critical extent at any error level, and p-values of clusters.

    graph_ : SupraThresholdGraph of :mod:`ari_estimator.closed_testing`
        The elements beyond the height threshold, with their neighbours.

    is_constant_ : ndarray of bool of shape (n_elements,)
        Elements without variance, or with too few subjects.

    largest_clusters_ : ndarray of int of shape (n_permutations,)
        Size of the largest cluster of each permutation. The first one is of the data as observed.

    n_features_in_ : int
        Number of elements.

    n_permutations_ : int
        Number of permutations.

    p_values_ : ndarray of shape (n_elements,)
        P-values of the data as observed.

    rank_ : int
        Number of independent rows of the contrast.

    scheme_ : str
        How subjects were resampled, in words.

    seed_ : int or None
        Seed of the permutations. None if nothing was random.

    smallest_p_values_ : ndarray of shape (n_permutations,)
        Smallest p-value of each permutation.

    stat_type_ : {"t", "F", "v", "G"}
        Name of the statistic.

    statistic_ : ndarray of shape (n_elements,)
        The statistic of the data as observed; 0 where data are constant or too few.

    two_sided_ : bool
        Whether p-values are two-sided. Elements of a cluster then have the same sign, and the
        largest cluster of a permutation is the largest one of both signs.

    See Also
    --------
    PermutationCalibration : Bounds from the p-values of single elements.
    JointCalibration : The larger of both bounds for each set.
    ClusterExtent : The same bounds for a single map, whose smallest significant size is known.

    Notes
    -----
    The largest cluster of the true nulls is at most as large as the largest cluster of the map. So
    it is significant with probability at most ``alpha``, if the statistics of the true nulls have
    the same joint distribution under each permutation. The conditions are the same as
    for :class:`PermutationCalibration`.

    Draws are computed in single precision. Rounding errors count against the data: an element of a
    draw that may be beyond the height counts as such.

    Sizes count voxels or vertices. **Vertices of a mesh have unequal areas**, and smoothness
    differs between places. Bounds are valid in any case, but large clusters are more likely where
    a map is smooth or the mesh is fine.

    References
    ----------
    .. [1] Goeman JJ, Górecki P, Monajemi R, Chen X, Nichols TE, Weeda W (2023). Cluster extent
       inference revisited: quantification and localisation of brain activity. Journal of the
       Royal Statistical Society Series B 85, 1128-1153.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import ClusterExtentCalibration
    >>> from ari_estimator.graphs import VoxelGrid
    >>> rng = np.random.default_rng(0)
    >>> data = rng.standard_normal((20, 1000))  # 20 subjects
    >>> data[:, :100] += 0.8  # weak effect in a slab
    >>> grid = VoxelGrid(np.ones((10, 10, 10), dtype=bool), connectivity=26)
    >>> calibration = ClusterExtentCalibration(0.05, n_permutations=1000, random_state=0)
    >>> calibration = calibration.fit(data, adjacency=grid)
    >>> calibration.critical_extent_, int(calibration.largest_clusters_[0])
    (18, 104)
    """

    _parameter_constraints: dict[str, Any] = {
        **SubjectCalibration._parameter_constraints,
        "height_threshold": "no_validation",  # by check_height
        "connectivity": [Choice(CONNECTIVITIES), None],
    }
    _of_this_kind = ("height_threshold",)
    _bounds_by = "extents"

    def __init__(
        self,
        height_threshold: float = 0.001,
        *,
        connectivity: Connectivity | None = None,
        n_permutations: int = 1000,
        scheme: SchemeName = "auto",
        blocks: ArrayLike | None = None,
        exchange: Exchange | None = None,
        variance_groups: ArrayLike | Literal["auto"] | None = None,
        missing: Missing = None,
        n_groups: int = N_GROUPS,
        random_state: int | np.random.RandomState | None = None,
        chunk_size: int | None = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 1,
    ) -> None:
        self.height_threshold = height_threshold
        self.connectivity = connectivity
        self.n_permutations = n_permutations
        self.scheme = scheme
        self.blocks = blocks
        self.exchange = exchange
        self.variance_groups = variance_groups
        self.missing = missing
        self.n_groups = n_groups
        self.random_state = random_state
        self.chunk_size = chunk_size
        self.n_jobs = n_jobs
        self.memory = memory
        self.verbose = verbose

    @property
    def _bounds_forests(self) -> bool:
        return False

    def fit(
        self,
        data: ArrayLike | Iterable[Any],
        design: ArrayLike | None = None,
        contrast: ArrayLike | None = None,
        *,
        adjacency: Any = None,
        stat_type: ContrastType | None = None,
        alpha: float = 0.05,
        two_sided: TwoSided = False,
        masker: Any = None,
    ) -> ClusterExtentCalibration:
        """Calibrate the smallest significant size of a cluster.

        Parameters
        ----------
        data : array-like of shape (n_subjects, n_elements), or iterable
            Values of voxels, vertices or sensors, as for :meth:`PermutationCalibration.fit`. With
            a masker: images or their paths.

        design : array-like of shape (n_subjects, n_columns) or None, default=None
            The design; a column of ones if None.

        contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None, default=None
            The contrast; may be None if there is one column.

        adjacency : sparse matrix, ndarray or graph, default=None
            Neighbours: a matrix, or a graph of :mod:`ari_estimator.graphs`, with a node for each
            element. It must be None with a masker, whose mask says which elements are neighbours.

        stat_type : {"t", "F"} or None, default=None
            Type of the test. None is t for one row and F for several.

        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``.

        two_sided : bool, default=False
            Whether to test effects in both directions instead of positive ones only.

        masker : masker or None, default=None
            A fitted masker of nilearn. ``data`` is then a list or iterator of images.

        Returns
        -------
        self : object
            The fitted calibration.

        Raises
        ------
        TypeError
            If ``data``, ``masker`` or ``adjacency`` have another type, or ``height_threshold`` is
            not one number.
        ValueError
            If no element is beyond the height in any permutation. If there is no adjacency and no
            masker, or both. If ``two_sided`` is "directional". Or for the reasons of
            :meth:`PermutationCalibration.fit`.

        Warns
        -----
        UserWarning
            For the reasons of :meth:`PermutationCalibration.fit`.
        """
        self._validate_params()
        if (adjacency is None) == (masker is None):
            got = "neither" if masker is None else "both"
            raise ValueError(
                "adjacency or masker must say which elements are neighbours. Got "
                f"{got}. Pass a matrix or a graph of ari_estimator.graphs for data in an array, "
                "or the masker of images."
            )
        if masker is not None:
            data = masked_subjects(data, masker)
            space = _space_of(masker)
        else:
            graph = as_graph(adjacency)
            space = Space((ArrayPart(np.ones(graph.n_nodes, dtype=bool), graph, {}),))
        return self._fit(
            data, design, contrast, space, stat_type=stat_type, alpha=alpha, two_sided=two_sided
        )

    def _fit_family(
        self, data: np.ndarray, design: np.ndarray, rows: np.ndarray, space: Space, **options: Any
    ) -> SubjectCalibration:
        """Return a calibration that is fitted to the tested elements of a model."""
        fitted = type(self)(**self.get_params(deep=False))
        return fitted._fit(data, design, rows, space, **options)

    def _fit(
        self,
        data: Any,
        design: Any,
        contrast: Any,
        space: Space,
        *,
        stat_type: ContrastType | None = None,
        alpha: float,
        two_sided: TwoSided,
    ) -> ClusterExtentCalibration:
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        refuse_nested(**self.get_params(deep=False), alpha=alpha, two_sided=two_sided)
        self._validate_params()
        height = check_height(self.height_threshold)
        check_alpha(alpha)
        if not isinstance(two_sided, (bool, np.bool_)):
            raise ValueError(
                "two_sided must be True or False for cluster extents, which do not have bounds "
                f"for each sign. Got {two_sided!r}. two_sided=True tests both signs."
            )
        n_elements = getattr(data, "shape", (None, None))[-1]
        if n_elements not in (None, space.n_elements):
            raise ValueError(
                f"adjacency must have a node for each element of the data, {n_elements}. Got "
                f"{space.n_elements}."
            )
        connectivity = check_extent_connectivity(space, self.connectivity)
        results, seed = self._calibrated(
            calibrate_extents,
            data,
            design,
            contrast,
            largest=LargestComponent(space.graph(connectivity)),
            stat_type=stat_type,
            alpha=alpha,
            two_sided=bool(two_sided),
            n_groups=self.n_groups,
            workers=Workers(self.n_jobs, self.chunk_size),
        )
        # Warn here, since results from a cache give no warning.
        doubt = results.pop("doubt")
        if doubt is not None:
            warnings.warn(doubt, UserWarning, stacklevel=3)
        left_out = untestable(results["df_"])
        warn_of_left_out(int(left_out.sum()), results["n_features_in_"])
        warn_of_constant(results["is_constant_"] & ~left_out)
        is_exhaustive = results.pop("is_exhaustive")
        warn_of_few(results["n_permutations_"], is_exhaustive=is_exhaustive)
        results["seed_"] = None if is_exhaustive else seed
        extremes = results.pop("extremes")
        extent = CalibratedExtent(
            extremes.largest_clusters,
            extremes.smallest_p_values,
            results["n_features_in_"],
            is_exhaustive,
            scheme=results["scheme_"],
            seed=results["seed_"],
        )
        signs = results["statistic_"] > 0 if two_sided else None
        graph = supra_threshold_graph(
            space, results["p_values_"], height, self.connectivity, signs=signs
        )
        self._keep(extent, graph, two_sided_=bool(two_sided), alpha_=float(alpha), **results)
        return self

    def _keep(self, extent: CalibratedExtent, graph: Any, **attributes: Any) -> None:
        """Set the results of this fit, or of a saved calibration."""
        for name, value in attributes.items():
            setattr(self, name, value)
        self.extent_ = extent
        self.graph_ = graph
        self.largest_clusters_ = extent.largest_clusters
        self.smallest_p_values_ = extent.smallest_p_values
        self.critical_extent_ = extent.at(self.alpha_) + 1
        between = extent.interval(self.alpha_) or (extent.at(self.alpha_),) * 2
        self.critical_extent_interval_ = (between[0] + 1, between[1] + 1)

    def _test(self, alpha: float) -> ClusterExtentTest:
        """Return the test of this fitted calibration at a level."""
        self.extent_.at(alpha)  # refuses a level that is too small
        return ClusterExtentTest(self.p_values_, self.graph_, self.extent_)


def _space_of(masker: Any) -> Space:
    """Return the elements of a masker, which must come in the order of its columns."""
    frame = fit_frame(masker, None, geometry={}, verbose=0)
    numbers = np.arange(frame.space.n_elements)
    if not np.array_equal(frame.from_columns(numbers), numbers):
        raise ValueError(
            "masker must have its columns in the order of the voxels. Got a masker of CIFTI images "
            "with another order. Use ARISecondLevelModel(calibration=...), which takes the images."
        )
    return frame.space
