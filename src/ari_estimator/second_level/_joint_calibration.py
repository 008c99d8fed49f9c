"""Several calibrations that share the error level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from ari_estimator._nesting import refuse_nested
from ari_estimator.closed_testing import LargerBoundsTest
from ari_estimator.closed_testing._level_weights import check_level_weights, weighted_levels
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.images._space import Space
from ari_estimator.resampling._contrast import ContrastType


def _common(name: str, described: str) -> Any:
    """Return a property with the value of a parameter that all calibrations must agree in."""

    def value_of(self: JointCalibration) -> Any:
        first, *others = [getattr(one, name) for one in self.calibrations]
        for other in others:
            if (first is None) != (other is None) or not np.array_equal(first, other):
                raise ValueError(
                    f"{name} must be the same in all calibrations. Got {first!r} and {other!r}."
                )
        return first

    return property(value_of, doc=f"{described}, the same in all calibrations.")


class JointCalibration(SubjectCalibration):
    """Several calibrations that share the error level: the larger bound counts for each set.

    Bounds from p-values find strong voxels; bounds from cluster extents find broad clusters of weak
    ones. Each calibration has its share of the error level, so that all bounds hold at once. Each
    then finds a little less than with the whole level.

    Parameters
    ----------
    calibrations : sequence of PermutationCalibration and ClusterExtentCalibration
        At least two calibrations. They must agree in ``scheme``, ``blocks``, ``exchange``,
        ``variance_groups`` and ``missing``. With the same ``random_state``, they have the same
        permutations.

    weights : sequence of float or None, default=None
        The share of each calibration in the error level: positive numbers with sum 1. Choose them
        before you look at the bounds. None for equal shares.

    Attributes
    ----------
    alpha_ : float
        Error level of all calibrations together.

    calibrations_ : list of PermutationCalibration and ClusterExtentCalibration
        The fitted calibrations, each at its share of the error level.

    two_sided_ : bool
        Whether p-values are two-sided.

    weights_ : tuple of float
        The shares.

    See Also
    --------
    PermutationCalibration : Bounds from the p-values of single elements.
    ClusterExtentCalibration : Bounds from the sizes of clusters.

    Notes
    -----
    A calibration with the share w fails with probability at most ``w * alpha``. So all bounds hold
    at once with probability at least ``1 - alpha``, for any dependence between them.

    :class:`AdaptiveTDPTransformer` forms its clusters by the bounds from p-values, and gives the
    clusters it returns the larger bound.

    Examples
    --------
    >>> from ari_estimator import (
    ...     ARISecondLevelModel, ClusterExtentCalibration, JointCalibration, PermutationCalibration,
    ... )
    >>> calibration = JointCalibration(
    ...     [PermutationCalibration(random_state=0), ClusterExtentCalibration(random_state=0)]
    ... )
    >>> model = ARISecondLevelModel(calibration=calibration)
    """

    _parameter_constraints: dict[str, Any] = {
        "calibrations": "no_validation",  # by _checked
        "weights": "no_validation",
    }
    _bounds_by = "both"

    # The model asks a calibration for these.
    scheme: Any = _common("scheme", "How subjects are resampled")
    blocks: Any = _common("blocks", "Exchangeability blocks")
    exchange: Any = _common("exchange", "What may change places")
    variance_groups: Any = _common("variance_groups", "Groups of rows with their own variance")
    missing: Any = _common("missing", "What to do with NaN")

    def __init__(
        self,
        calibrations: Sequence[SubjectCalibration],
        *,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.calibrations = calibrations
        self.weights = weights

    def fit(
        self,
        data: ArrayLike,
        design: ArrayLike | None = None,
        contrast: ArrayLike | None = None,
        *,
        adjacency: Any = None,
        stat_type: ContrastType | None = None,
        alpha: float = 0.05,
        two_sided: TwoSided = False,
        masker: Any = None,
    ) -> JointCalibration:
        """Fit each calibration at its share of the error level.

        Parameters
        ----------
        data : array-like of shape (n_subjects, n_elements), or list
            As for :meth:`ClusterExtentCalibration.fit`, but not an iterator, which can be read only
            once.

        design : array-like of shape (n_subjects, n_columns) or None, default=None
            The design; a column of ones if None.

        contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None, default=None
            The contrast; may be None if there is one column.

        adjacency : sparse matrix, ndarray or graph, default=None
            Neighbours, for cluster extents. It must be None with a masker.

        stat_type : {"t", "F"} or None, default=None
            Type of the test. None is t for one row and F for several.

        alpha : float, default=0.05
            Error level of all calibrations together.

        two_sided : bool, default=False
            Whether to test effects in both directions instead of positive ones only.

        masker : masker or None, default=None
            A fitted masker of nilearn. ``data`` is then a list of images.

        Returns
        -------
        self : object
            The fitted calibrations.

        Raises
        ------
        TypeError
            If ``calibrations`` or ``weights`` have another type, or the data are an iterator.
        ValueError
            If there are fewer than two calibrations, or they or the weights do not fit together. Or
            for the reasons of the calibrations.
        """
        if isinstance(data, Iterator):
            raise TypeError(
                "data must be an array or a list, because each calibration reads them. Got "
                f"{type(data).__name__}, which can be read only once."
            )
        given = {"stat_type": stat_type, "two_sided": two_sided, "masker": masker}

        def fit_one(one: SubjectCalibration, level: float) -> SubjectCalibration:
            where = {} if one._bounds_by == "p-values" else {"adjacency": adjacency}
            fit: Any = clone(one).fit
            return fit(data, design, contrast, alpha=level, **given, **where)

        return self._fit_each(fit_one, alpha, two_sided)

    def _fit_family(
        self, data: np.ndarray, design: np.ndarray, rows: np.ndarray, space: Space, **options: Any
    ) -> JointCalibration:
        """Return calibrations that are fitted to the tested elements of a model."""
        fitted = clone(self)

        def fit_one(one: SubjectCalibration, level: float) -> SubjectCalibration:
            return one._fit_family(data, design, rows, space, **{**options, "alpha": level})

        return fitted._fit_each(fit_one, options["alpha"], options["two_sided"])

    def _fit_each(self, fit_one: Any, alpha: float, two_sided: TwoSided) -> JointCalibration:
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        refuse_nested(weights=self.weights, alpha=alpha, two_sided=two_sided)
        self._validate_params()
        weights = self._shares()
        check_alpha(alpha)
        levels = weighted_levels(alpha, weights)
        for one, level in zip(self.calibrations, levels, strict=True):
            if check_alpha(level) * one.n_permutations < 1:
                raise ValueError(
                    f"n_permutations must be at least 1 / {level:g} for {type(one).__name__}, "
                    f"which has this share of alpha={alpha!r}. Got {one.n_permutations}. With "
                    "fewer, it could find nothing."
                )
        self.calibrations_ = [
            fit_one(one, level) for one, level in zip(self.calibrations, levels, strict=True)
        ]
        self.weights_ = weights
        self.alpha_ = float(alpha)
        self.two_sided_ = two_sided
        return self

    def _validate_params(self) -> None:
        """Check the calibrations and their weights."""
        kinds = "PermutationCalibration and ClusterExtentCalibration"
        if not isinstance(self.calibrations, (list, tuple)):
            raise TypeError(
                f"calibrations must be a list of {kinds}. Got {type(self.calibrations).__name__}."
            )
        for one in self.calibrations:
            if not isinstance(one, SubjectCalibration) or isinstance(one, JointCalibration):
                raise TypeError(
                    f"calibrations must be a list of {kinds}. Got {type(one).__name__} in it."
                )
            one._validate_params()
        if len(self.calibrations) < 2:
            raise ValueError(
                f"calibrations must be at least two. Got {len(self.calibrations)}. Use a single "
                "calibration as it is."
            )
        self._shares()

    def _shares(self) -> tuple[float, ...]:
        """Return the share of each calibration in the error level."""
        n = len(self.calibrations)
        if self.weights is None:
            return (1 / n,) * n
        try:
            return check_level_weights(self.weights, n)
        except (TypeError, ValueError) as error:
            message = (
                str(error).replace("level_weights", "weights").replace("template", "calibration")
            )
            raise type(error)(message) from None

    @property
    def _bounds_forests(self) -> bool:
        return any(one._bounds_forests for one in self.calibrations)

    @property
    def _names(self) -> list[str]:
        """A short name of the bounds of each calibration."""
        names: list[str] = []
        for one in self.calibrations:
            number = 1 + sum(name.split(" ")[0] == one._bounds_by for name in names)
            names.append(one._bounds_by if number == 1 else f"{one._bounds_by} {number}")
        return names

    @property
    def _parts(self) -> Mapping[str, SubjectCalibration]:
        """The fitted calibrations by the name of their bounds."""
        return dict(zip(self._names, self.calibrations_, strict=True))

    def _settings(self) -> dict[str, Any]:
        """Return the parameters that affect the result."""
        each = [(type(one).__name__, one._settings()) for one in self.calibrations]
        return {"calibrations": each, "weights": self._shares()}

    def _with(self, **given: Any) -> SubjectCalibration:
        """Return calibrations that are not fitted, with other parameters of the resampling."""
        return type(self)([one._with(**given) for one in self.calibrations], weights=self.weights)

    def _test(self, alpha: float) -> LargerBoundsTest:
        """Return the test of these fitted calibrations at a level."""
        levels = weighted_levels(alpha, self.weights_)
        tests = {
            name: one._test(level)
            for (name, one), level in zip(self._parts.items(), levels, strict=True)
        }
        return LargerBoundsTest(tests, self.weights_)
