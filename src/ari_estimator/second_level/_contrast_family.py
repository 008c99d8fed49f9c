"""The tests of several contrasts of a model, whose bounds hold together."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.base import clone

from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_contrasts import CalibratedFamily, calibrate_contrasts
from ari_estimator.calibration._subject_contrasts import ContrastOfFamily
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.closed_testing import (
    CalibratedTest,
    FamilyPart,
    Hommel,
    LevelShare,
    SimultaneousTest,
)
from ari_estimator.closed_testing._critical_vector_test import CriticalVectorTest
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators._permutation_calibration import PermutationCalibration
from ari_estimator.estimators._subject_calibration import warn_of_few
from ari_estimator.resampling._common_scheme import NoCommonSchemeError

ErrorBudget = Literal["joint", "split"]

ERROR_BUDGETS: tuple[str, ...] = ("joint", "split")


class FamilyTests(NamedTuple):
    """Tests of several contrasts, whose bounds hold together.

    Attributes
    ----------
    whole : CriticalVectorTest or None
        The test of all elements of all contrasts; None if the error level is split.

    tests : dict of str to SimultaneousTest
        The test of each contrast.
    """

    whole: CriticalVectorTest | None
    tests: dict[str, SimultaneousTest]


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Say in errors which of several contrasts they are about.

    Parameters
    ----------
    name : str
        Name of the contrast.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Contrast {name!r}: {error}") from error


def parametric_tests(
    p_values: Mapping[str, np.ndarray], local_test: LocalTest, error_budget: ErrorBudget
) -> FamilyTests:
    """Return closed tests of several contrasts.

    Parameters
    ----------
    p_values : mapping of str to ndarray of shape (n_tested,)
        P-values of the tested elements of each contrast.

    local_test : {"simes", "hommel"}
        The local test.

    error_budget : {"joint", "split"}
        One family of all elements, or an equal share of the level for each contrast.

    Returns
    -------
    tests : FamilyTests
        The tests.
    """
    if error_budget == "split":
        return _shared({n: Hommel.of_valid(p, local_test) for n, p in p_values.items()})
    whole = Hommel.of_valid(np.concatenate(list(p_values.values())), local_test)
    return _parts_of(whole, {name: p.size for name, p in p_values.items()})


def _parts_of(whole: CriticalVectorTest, sizes: dict[str, int]) -> FamilyTests:
    ends = np.cumsum([0, *sizes.values()]).tolist()
    tests: dict[str, SimultaneousTest] = {
        name: FamilyPart(whole, slice(start, start + size), sizes)
        for (name, size), start in zip(sizes.items(), ends[:-1], strict=True)
    }
    return FamilyTests(whole, tests)


def _shared(own: Mapping[str, CriticalVectorTest]) -> FamilyTests:
    return FamilyTests(None, {name: LevelShare(test, list(own)) for name, test in own.items()})


def calibrated_tests(
    calibration: PermutationCalibration,
    data: np.ndarray,
    design: np.ndarray,
    contrasts: Mapping[str, ContrastOfFamily],
    *,
    alpha: float,
    error_budget: ErrorBudget,
) -> FamilyTests:
    """Return the calibrated tests of several contrasts.

    Parameters
    ----------
    calibration : PermutationCalibration
        The calibration, not fitted.

    data : ndarray of shape (n_subjects, n_elements)
        The data of the model.

    design : ndarray of shape (n_subjects, n_columns)
        The design of the model.

    contrasts : mapping of str to ContrastOfFamily
        The contrasts.

    alpha : float
        Error level of all contrasts together.

    error_budget : {"joint", "split"}
        One family of all elements, or an equal share of the level for each contrast.

    Returns
    -------
    tests : FamilyTests
        The tests.

    Warns
    -----
    UserWarning
        If no permutation serves all contrasts, so the level is split.
    """
    # Elements that no contrast tests may have no data.
    used = np.unique(np.concatenate([one.columns for one in contrasts.values()]))
    if used.size < data.shape[1]:
        data = data[:, used]
    own = {
        name: one._replace(columns=np.searchsorted(used, one.columns))
        for name, one in contrasts.items()
    }
    if error_budget == "joint":
        try:
            return _calibrated_jointly(clone(calibration), data, design, own, alpha)
        except NoCommonSchemeError as reason:
            warnings.warn(
                f"The error level is split between the contrasts, {alpha:g} / {len(own)} each, "
                f"because no permutation serves all of them. {reason}",
                UserWarning,
                stacklevel=2,
            )
    return _calibrated_alone(calibration, data, design, own, alpha)


def _calibrated_jointly(
    calibration: PermutationCalibration,
    data: np.ndarray,
    design: np.ndarray,
    contrasts: Mapping[str, ContrastOfFamily],
    alpha: float,
) -> FamilyTests:
    workers = Workers(calibration.n_jobs, calibration.chunk_size)
    found: CalibratedFamily
    found, seed = calibration._calibrated(
        calibrate_contrasts, data, design, dict(contrasts), alpha=alpha, workers=workers
    )
    for doubt in found.doubts:
        warnings.warn(doubt, UserWarning, stacklevel=2)
    warn_of_constant(found.is_constant)
    is_exhaustive = found.calibration.is_exhaustive
    warn_of_few(found.calibration.n_permutations, is_exhaustive=is_exhaustive)
    whole = CalibratedTest(
        found.p_values,
        found.calibration,
        scheme=" and ".join(dict.fromkeys(found.schemes.values())),
        seed=None if is_exhaustive else seed,
    )
    return _parts_of(whole, {n: e.stop - e.start for n, e in found.elements.items()})


def _calibrated_alone(
    calibration: PermutationCalibration,
    data: np.ndarray,
    design: np.ndarray,
    contrasts: Mapping[str, ContrastOfFamily],
    alpha: float,
) -> FamilyTests:
    share = level_share(alpha, len(contrasts))
    own: dict[str, CriticalVectorTest] = {}
    for name, one in contrasts.items():
        with naming(name):
            fitted = clone(calibration).fit(
                data[:, one.columns],
                design,
                one.weights,
                stat_type=one.stat_type,
                alpha=share,
                two_sided=one.two_sided,
            )
        test: Any = fitted._test(share)  # one critical vector, since it is not directional
        own[name] = test
    return _shared(own)
