"""Base of calibrations on the data at hand, by resampling subjects."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_memory

from ari_estimator._progress import progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator._version import __version__
from ari_estimator.calibration._missing_rows import MISSING, Missing
from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.estimators._choice import Choice
from ari_estimator.estimators._seeds import generator, seed_of
from ari_estimator.images._space import Space
from ari_estimator.resampling import EXCHANGES, SCHEMES

# Number of sums of streamed subjects: few enough for memory, enough for power.
N_GROUPS = 256

# With fewer random permutations, results depend strongly on the seed.
_ENOUGH = 1000

# Parameters that do not affect the result.
_OF_NO_EFFECT = ("chunk_size", "memory", "n_jobs", "verbose")


class SubjectCalibration(BaseEstimator):
    """Base of calibrations that resample the data of subjects.

    A subclass defines what is calibrated. This class knows how subjects are resampled.
    """

    # How subjects are resampled: the parameters that all calibrations have.
    _parameter_constraints: dict[str, Any] = {
        "n_permutations": [Interval(Integral, 2, None, closed="left")],
        "scheme": [Choice(SCHEMES)],
        "blocks": "no_validation",  # by Exchangeability, with the data
        "exchange": [Choice(EXCHANGES), None],
        "variance_groups": "no_validation",  # by variance_groups_of, with the design
        "missing": [Choice(MISSING), None],
        "n_groups": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
        "chunk_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "memory": "no_validation",  # by scikit-learn's check_memory
        "verbose": ["verbose"],
    }
    _of_this_kind: ClassVar[tuple[str, ...]] = ()
    # What the bounds come from, in a word or two.
    _bounds_by: ClassVar[str] = "p-values"
    # Whether one calibration can serve the elements of several contrasts.
    _serves_several_contrasts: ClassVar[bool] = False

    @property
    def _bounds_forests(self) -> bool:
        """Whether the bounds serve all clusters of a forest, which adaptive clusters need."""
        return True

    alpha_: float
    two_sided_: TwoSided

    @abstractmethod
    def _test(self, alpha: float) -> SimultaneousTest:
        """Return the test of this fitted calibration at a level."""

    @property
    def _parts(self) -> Mapping[str, SubjectCalibration]:
        """The calibrations that this one consists of, by the start of their parameters' names."""
        return {"": self}

    def _settings(self) -> dict[str, Any]:
        """Return the parameters that affect the result."""
        given = self.get_params()
        return {name: value for name, value in given.items() if name not in _OF_NO_EFFECT}

    def _with(self, **given: Any) -> SubjectCalibration:
        """Return a calibration that is not fitted, with other parameters of the resampling."""
        return clone(self).set_params(**given)

    def _fit_family(
        self, data: np.ndarray, design: np.ndarray, rows: np.ndarray, space: Space, **options: Any
    ) -> SubjectCalibration:
        """Return a calibration that is fitted to the tested elements of a model."""
        return clone(self).fit(data, design, rows, **options)

    def _calibrated(
        self, calibrate: Callable[..., Any], data: Any, *args: Any, **options: Any
    ) -> tuple[Any, int]:
        """Calibrate with the parameters of this object, and return the result and the seed."""
        is_streamed = isinstance(data, Iterator)
        if not is_streamed and self.n_groups != N_GROUPS:
            refuse_unused(
                "for data in memory: groups are for streamed subjects",
                {"n_groups": (self.n_groups, N_GROUPS)},
            )
        is_known = not is_streamed and isinstance(self.random_state, Integral)
        if self.memory is not None and not is_known:
            refuse_unused(
                "unless data are in memory and random_state is an integer: other results cannot "
                "be reproduced from a cache",
                {"memory": (self.memory, None)},
            )
        self._refuse_unused_of_kind()
        seed = seed_of(self.random_state)
        cached = check_memory(self.memory).cache(calibrate, ignore=["workers"])
        with progress("Calibration", shown=self.verbose != 0):
            results = cached(
                data,
                *args,
                n_permutations=self.n_permutations,
                scheme=self.scheme,
                blocks=self.blocks,
                exchange=self.exchange,
                variance_groups=self.variance_groups,
                missing=self.missing,
                **{name: getattr(self, name) for name in self._of_this_kind},
                rng=generator(seed),
                version=__version__,
                **options,
            )
        return results, seed

    def _refuse_unused_of_kind(self) -> None:
        """Refuse parameters of this class that would have no effect."""

    n_permutations: int
    scheme: Any
    blocks: Any
    exchange: Any
    variance_groups: Any
    missing: Missing
    n_groups: int
    random_state: Any
    memory: Any
    verbose: int


def warn_of_few(n_permutations: int, *, is_exhaustive: bool) -> None:
    """Warn of a large Monte Carlo error of few random permutations."""
    if n_permutations < _ENOUGH and not is_exhaustive:
        warnings.warn(
            f"n_permutations={n_permutations} random permutations leave a large Monte Carlo error: "
            f"another seed may give quite different bounds. Use at least {_ENOUGH}.",
            UserWarning,
            stacklevel=3,
        )
