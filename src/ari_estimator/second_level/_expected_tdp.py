"""The TDP to expect of a future study, from a pilot study."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted

from ari_estimator._nesting import refuse_nested
from ari_estimator._progress import progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.estimators._seeds import seed_of
from ari_estimator.estimators._subject_calibration import SubjectCalibration
from ari_estimator.inference import FittedMap
from ari_estimator.inference._local_tests import LOCAL_TESTS, refuse_extents
from ari_estimator.second_level._ari_second_level_model import ARISecondLevelModel
from ari_estimator.second_level._contrast_calibration import columns_of
from ari_estimator.second_level._study_simulator import StudySimulator

# Fewer subjects tell next to nothing about the size of effects.
_SMALLEST_PILOT = 4

# More subjects than any study has; the weights of more would not fit in memory.
_LARGEST_STUDY = 100_000

_QUANTILES = (10, 50, 90)

# z values beyond this are not distinguished; their p-values are below 1e-300.
_LARGEST_Z = 37.0

# Size of the table from t to z.
_N_NODES = 2001

# Tests a simulated study: effects, number of subjects, source of random numbers, and a seed.
StudyTester = Callable[[np.ndarray, int, np.random.Generator, int], SimultaneousTest]


def expected_tdp(
    model: ARISecondLevelModel,
    n_subjects: int | Sequence[int],
    second_level_contrast: Any = None,
    first_level_contrast: Any = None,
    *,
    shrink: bool = True,
    n_simulations: int = 100,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 1,
) -> pd.DataFrame:
    """Return the TDP to expect of a study of so many subjects, from a pilot study.

    The sets are the clusters or regions that the model finds in the pilot. The function simulates
    studies with the effects and the errors of the pilot, tests each as the model does, and returns
    the bounds of these sets. **The result is a forecast, not a guarantee**: see Notes.

    Parameters
    ----------
    model : ARISecondLevelModel
        The model, fitted to the maps of the pilot: at least 4 subjects, in a one-sample design. Its
        transformer defines the sets, the error level and the local test. Its calibration, if it
        has one, is repeated in each simulated study, which takes time. The model is not changed.

    n_subjects : int or sequence of int
        Number of subjects of the future study, or several to compare: from 2 to 100,000.

    second_level_contrast : str, array-like of shape (1,), or None, default=None
        The contrast, as for :meth:`ARISecondLevelModel.compute_contrast`.

    first_level_contrast : str, array-like or None, default=None
        The contrast of the first-level models that are the input, or the name of their map.

    shrink : bool, default=True
        Whether to shrink the effects of the pilot. False takes them as they are: **the forecast is
        then far too high**, since strong effects of a pilot were partly luck.

    n_simulations : int, default=100
        Number of simulated studies for each number of subjects, at least 2.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the simulations. The row of a number of subjects does not depend on the other
        numbers.

    verbose : int, default=1
        0 shows nothing; 1 shows a progress bar if the work takes more than two seconds.

    Returns
    -------
    forecast : pandas.DataFrame
        A row for each set and number of subjects, and for all tested elements together. Columns:

        - ``set``: such as ``"cluster 1"`` with the ids of the model's table, the name of the
          region, or ``"all"``;
        - ``n_voxels`` or ``n_vertices``: the size of the set;
        - ``n_subjects``;
        - ``expected_tdp``: the mean of the TDP bound over the simulated studies;
        - ``std_error``: the Monte Carlo standard error of this mean;
        - ``tdp_10``, ``tdp_50``, ``tdp_90``: quantiles in percent;
        - ``prob_above_0``: the share of studies whose bound is above 0.

    Raises
    ------
    TypeError
        If ``model`` is not an ARISecondLevelModel, or an argument has the wrong type.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If the design is not a single constant column. If the pilot is too small. If the model has
        variance groups, missing values or blocks, which simulations do not have. If a number is out
        of range. If a study is so small that its sign flips are too few for its error level.

    See Also
    --------
    ARISecondLevelModel : Tests the pilot, and later the study.

    Notes
    -----
    **Effects.** The effect size of a voxel is its mean over its standard deviation. Voxels and
    clusters that stand out in a pilot do so partly by luck: their effects are too large [1]_. The
    effect sizes of all voxels are shrunk by empirical Bayes. Their distribution is the
    nonparametric maximum likelihood estimate [2]_, given that t statistics have noncentral t
    distributions. Each simulated study draws its effects from their posterior, with its mean and
    standard deviation. Neighbours deviate together, as the errors of the pilot do. So the quantiles
    include the uncertainty of the effects, and not only the variation between subjects.

    **Errors.** The errors of a subject are a sum of the residuals of the pilot with Gaussian
    weights. They are Gaussian, have the pilot's correlation between voxels, and are new for each
    subject. Flipped or resampled residuals would repeat the maps of the pilot in a large study.

    **Limits.** In simulations with pilots of 20 subjects, forecasts are right within about 0.1 on
    average. The forecast from one pilot is off by 0.1 to 0.3, and more for smaller pilots. **The
    quantiles are too close together**: about 60 % of later studies are between ``tdp_10`` and
    ``tdp_90``, because the distribution of effects is itself estimated. Noise that is common to
    large parts of the brain can look like an effect. Simulated errors span no more dimensions than
    the pilot has subjects, and they have no outliers. The page "How much power do I have?" has the
    tables. Subjects of the future study must come from the population of the pilot. Do not add the
    pilot to the study if the pilot decided the number of subjects: bounds may then not hold.

    References
    ----------
    .. [1] Efron B (2011). Tweedie's formula and selection bias. Journal of the American Statistical
       Association 106, 1602-1614.
    .. [2] Koenker R, Mizera I (2014). Convex optimization, shape constraints, compound decisions,
       and empirical Bayes rules. Journal of the American Statistical Association 109, 674-685.

    Examples
    --------
    >>> from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, expected_tdp
    >>> from ari_estimator.datasets import load_simulated_group
    >>> import pandas as pd
    >>> pilot = load_simulated_group(n_subjects=12)
    >>> model = ARISecondLevelModel(
    ...     mask_img=pilot.mask_img,
    ...     transformer=ClusterTDPTransformer(threshold=3.1, cluster_threshold=100),
    ... )
    >>> model = model.fit(pilot.cmaps, design_matrix=pd.DataFrame({"mean": [1.0] * 12}))
    >>> forecast = expected_tdp(model, [12, 40], n_simulations=10, random_state=0)
    >>> forecast[["set", "n_voxels", "n_subjects", "expected_tdp"]].round(2)
             set  n_voxels  n_subjects  expected_tdp
    0  cluster 1       270          12          0.02
    1  cluster 1       270          40          0.61
    2        all     45448          12          0.00
    3        all     45448          40          0.02
    """
    refuse_nested(n_subjects=n_subjects, second_level_contrast=second_level_contrast)
    if not isinstance(model, ARISecondLevelModel):
        raise TypeError(
            "model must be an ARISecondLevelModel that is fitted to the maps of the pilot. Got "
            f"{type(model).__name__}."
        )
    check_is_fitted(model)
    numbers = _numbers_of_subjects(n_subjects)
    if not isinstance(shrink, (bool, np.bool_)):
        raise TypeError(f"shrink must be True or False. Got {shrink!r}.")
    _check_whole_number("n_simulations", n_simulations, 2)
    _check_whole_number("verbose", verbose, 0)
    validate_parameter_constraints(
        {"random_state": ["random_state"]}, {"random_state": random_state}, "expected_tdp"
    )
    _check_model(model)
    seed = seed_of(random_state)
    with progress("Testing the pilot", shown=verbose != 0):
        pilot = _read_pilot(model, second_level_contrast, first_level_contrast)
        simulator = StudySimulator(pilot.data, shrinks=bool(shrink))
    study = _tester_of(model, pilot.found, simulator)
    tdps = {n: np.empty((n_simulations, len(pilot.names))) for n in numbers}
    total = n_simulations * len(numbers)
    with progress("Simulated studies", total, shown=verbose != 0) as task:
        for number in range(n_simulations):
            # All numbers of subjects have the same effects, so that they can be compared.
            effects = simulator.draw_effects(np.random.default_rng([seed, number]))
            for n in sorted(numbers):  # small studies first: they may have too few sign flips
                rng = np.random.default_rng([seed, number, n])
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # they came with the pilot
                    try:
                        test = study(effects, n, rng, int(rng.integers(2**31)))
                    except ValueError as error:
                        raise ValueError(
                            f"n_subjects must be larger: a study of {n} cannot be tested like the "
                            f"pilot. {error}"
                        ) from error
                    tdps[n][number] = _tdps_of_sets(pilot.found, test)
                task.advance()
    return _forecast(pilot, tdps)


class _Pilot(NamedTuple):
    """A pilot study: its tested map, the data of its subjects, and its sets.

    Attributes
    ----------
    found : FittedMap
        The tested map.

    data : ndarray of shape (n_pilot, n_tested)
        Maps of the subjects, with the sign of the contrast.

    names : list of str
        Names of the sets; the last one is all tested elements.

    sizes : list of int
        Their sizes.
    """

    found: FittedMap
    data: np.ndarray
    names: list[str]
    sizes: list[int]


def _numbers_of_subjects(n_subjects: Any) -> list[int]:
    """Return the numbers of subjects, each once."""
    given = [n_subjects] if np.ndim(n_subjects) == 0 else list(n_subjects)
    if not given:
        raise ValueError("n_subjects must have at least one number. Got an empty sequence.")
    for number in given:
        _check_whole_number("n_subjects", number, 2)
        if number > _LARGEST_STUDY:
            raise ValueError(f"n_subjects must be at most {_LARGEST_STUDY:,}. Got {number:,}.")
    return list(dict.fromkeys(int(number) for number in given))


def _check_whole_number(name: str, value: Any, least: int) -> None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number. Got {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}. Got {value!r}.")


def _check_model(model: ARISecondLevelModel) -> None:
    """Refuse models whose studies cannot be simulated."""
    design = model.design_matrix_
    values = design.to_numpy(dtype=np.float64)
    if values.shape[1] != 1 or np.ptp(values) > 0:
        raise ValueError(
            "model must have a one-sample design, which is a single constant column. Got the "
            f"columns {', '.join(map(repr, design.columns))}. For paired data, fit the model to "
            "the difference maps of subjects. Groups and covariates cannot be simulated."
        )
    if len(values) < _SMALLEST_PILOT:
        raise ValueError(
            f"A pilot must have at least {_SMALLEST_PILOT} subjects. Got {len(values)}."
        )
    refuse_unused(
        "in the model of a pilot, because simulated subjects have neither groups nor gaps",
        {"variance_groups": (model.variance_groups, None), "missing": (model.missing, None)},
    )
    if model.calibration is not None:
        refuse_unused(
            "in the model of a pilot, because simulated subjects have no blocks, groups or gaps",
            {
                f"calibration__{name}": (getattr(model.calibration, name), None)
                for name in ("blocks", "exchange", "variance_groups", "missing")
            },
        )


def _read_pilot(model: ARISecondLevelModel, contrast: Any, first_level_contrast: Any) -> _Pilot:
    """Test the pilot, and return its sets and the data of its subjects."""
    model._check_first_level(first_level_contrast)
    prepared = model._prepared(contrast, first_level_contrast, None)
    make_test = None
    if model.calibration is not None:
        make_test = model._calibrated_test(model.calibration, first_level_contrast, prepared)
    model._tdp_of(prepared, make_test)
    transformer, read = prepared.transformer, prepared.read
    found = transformer.maps_
    columns = columns_of(model._family_masker, transformer._frame, found.family.is_tested)
    sign = np.sign(read.rows[0] * model.design_matrix_.iloc[0, 0])
    names: list[str] = []
    sizes: list[int] = []
    for sets in found.partitions:
        called = found.made_by.called.removesuffix("s")
        names += map(str, sets.names or [f"{called} {number}" for number in sets.ids])
        sizes += sets.sizes[1:].tolist()
    data = read.data[:, columns].astype(np.float64)
    data *= sign
    return _Pilot(found, data, [*names, "all"], [*sizes, found.n_tested])


def _tester_of(
    model: ARISecondLevelModel, found: FittedMap, simulator: StudySimulator
) -> StudyTester:
    """Return a function that simulates a study and tests it as the model tests the pilot."""
    parameters = found.asked_by.parameters
    local_test, two_sided = parameters["local_test"], parameters["two_sided"]
    refuse_extents(local_test, "expected_tdp: sizes of clusters are not known for other studies")

    def parametric(
        effects: np.ndarray, n_subjects: int, rng: np.random.Generator, seed: int
    ) -> SimultaneousTest:
        z = _z_of_t(simulator.draw_t(effects, n_subjects, rng), n_subjects - 1)
        return LOCAL_TESTS[local_test](replace(found.family, stat=z))

    def calibrated(
        effects: np.ndarray, n_subjects: int, rng: np.random.Generator, seed: int
    ) -> SimultaneousTest:
        maps = simulator.draw_maps(effects, n_subjects, rng)
        given: Any = model.calibration
        one_sample = np.ones((n_subjects, 1)), np.ones(1)
        fitted: SubjectCalibration = given._with(
            random_state=seed, memory=None, verbose=0
        )._fit_family(maps, *one_sample, found.family.space, alpha=found.alpha, two_sided=two_sided)
        return fitted._test(found.alpha)

    return parametric if model.calibration is None else calibrated


def _z_of_t(t: np.ndarray, df: int) -> np.ndarray:
    """Return z values with the p-values of t statistics, to seven digits, from a table."""
    # The z value is almost this transformation.
    close = np.sqrt(df * np.log1p(t**2 / df))
    nodes = np.linspace(0, close.max(), _N_NODES)
    t_of_nodes = np.sqrt(df * np.expm1(nodes**2 / df))
    z_of_nodes = np.minimum(-ndtri(stdtr(df, -t_of_nodes)), _LARGEST_Z)
    return np.copysign(np.interp(close, nodes, z_of_nodes), t)


def _tdps_of_sets(found: FittedMap, test: SimultaneousTest) -> np.ndarray:
    """Return the TDP of the sets of the pilot, and of all elements, by another test."""
    bounds = test.bounds(found.alpha)
    tdps = []
    for sets in found.partitions:
        of_sets = bounds.by_label(sets.labels, sets.ids.size + 1, subset=sets.elements)
        tdps += (of_sets[1:] / np.maximum(sets.sizes[1:], 1)).tolist()
    return np.array([*tdps, bounds.of_set() / found.n_tested])


def _forecast(pilot: _Pilot, tdps: dict[int, np.ndarray]) -> pd.DataFrame:
    """Return the table of all sets and numbers of subjects."""
    size = f"n_{pilot.found.frame.space.element_name[1]}"
    frames = []
    for n, of_studies in tdps.items():
        columns: dict[str, Any] = {"set": pilot.names, size: pilot.sizes, "n_subjects": n}
        columns["expected_tdp"] = of_studies.mean(axis=0)
        columns["std_error"] = of_studies.std(axis=0, ddof=1) / np.sqrt(len(of_studies))
        for quantile in _QUANTILES:
            columns[f"tdp_{quantile}"] = np.percentile(of_studies, quantile, axis=0)
        columns["prob_above_0"] = (of_studies > 0).mean(axis=0)
        frames.append(pd.DataFrame(columns))
    # The sets one after the other, each with all numbers of subjects.
    return pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)
