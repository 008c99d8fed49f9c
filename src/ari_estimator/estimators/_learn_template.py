"""Learn templates from the data of other subjects."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_parameter_constraints

from ari_estimator._nesting import refuse_nested
from ari_estimator._progress import progress
from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration import Workers, learn_from_draws
from ari_estimator.calibration._calibrate_draws import learn_crossings
from ari_estimator.calibration._subject_data import (
    check_data,
    resample_subjects,
    warn_of_constant,
)
from ari_estimator.closed_testing import JointTemplate, LearnedTemplate, Template
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._make_template import each_template
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._sketches import sketches
from ari_estimator.estimators._choice import Choice
from ari_estimator.estimators._seeds import generator, seed_of
from ari_estimator.resampling import EXCHANGES, SCHEMES, Exchange, SchemeName

_PARAMETER_CONSTRAINTS = {
    "two_sided": ["boolean"],
    "n_permutations": [Interval(Integral, 2, None, closed="left")],
    "k_max": [Interval(Integral, 1, None, closed="left")],
    "scheme": [Choice(SCHEMES)],
    "exchange": [Choice(EXCHANGES), None],
    "random_state": ["random_state"],
    "chunk_size": [Interval(Integral, 1, None, closed="left"), None],
    "n_jobs": [Integral, None],
    "verbose": ["verbose"],
}


def learn_template(
    data: ArrayLike,
    design: ArrayLike | None = None,
    contrast: ArrayLike | None = None,
    *,
    two_sided: bool = False,
    n_permutations: int = 1000,
    k_max: int = 1000,
    templates: Sequence[str | Template] | None = None,
    alpha: float = 0.05,
    scheme: SchemeName = "auto",
    blocks: ArrayLike | None = None,
    exchange: Exchange | None = None,
    variance_groups: ArrayLike | Literal["auto"] | None = None,
    random_state: int | np.random.RandomState | None = None,
    chunk_size: int | None = None,
    n_jobs: int | None = None,
    verbose: int = 1,
) -> LearnedTemplate | JointTemplate:
    """Learn a template from the data of other subjects.

    A learned template has the shape of the smallest p-values of brain maps. It usually gives larger
    bounds than a fixed template. Learn it from another study with the same mask, or from some of
    the subjects, and leave these subjects out of the study. **If you learn it from the data of the
    study, it adapts to these data and the bounds do not hold.**

    Parameters
    ----------
    data : array-like of shape (n_subjects, n_elements)
        The data to learn from, with the same elements as the study.

    design : array-like of shape (n_subjects, n_columns) or None, default=None
        The design matrix; a column of ones if None.

    contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None, default=None
        The contrast. It may be None if the design has one column. Several rows define an F
        contrast.

    two_sided : bool, default=False
        Whether to test both directions; as in the study. For a study with "directional", whose
        tests are one-sided, set False.

    n_permutations : int, default=1000
        Number of permutations, which is also the number of curves to choose from.

    k_max : int, default=1000
        Number of thresholds. It has no effect with ``templates``.

    templates : sequence of str or Template, or None, default=None
        At least two templates. If given, the function learns how they go together instead of a
        shape: each is calibrated on these data, and the ranks at which their curves cross are kept.

    alpha : float, default=0.05
        Level of this calibration. It has no effect without ``templates``.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are permuted, as in :class:`PermutationCalibration`.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Exchangeability blocks, as in :class:`PermutationCalibration`.

    exchange : {"within", "whole", "both"} or None, default=None
        How blocks are exchanged, as in :class:`PermutationCalibration`.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows that differ in variance, as in :class:`PermutationCalibration`.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    chunk_size : int or None, default=None
        Permutations per task.

    n_jobs : int or None, default=None
        Number of processes.

    verbose : int, default=1
        0 shows nothing; 1 shows a progress bar if the work takes more than two seconds.

    Returns
    -------
    template : LearnedTemplate or JointTemplate
        Template for ``PermutationCalibration(template=template)``.

    Raises
    ------
    ValueError
        If data, design or contrast are malformed, as for :meth:`PermutationCalibration.fit`. If
        templates do not fit, or a parameter has no effect.

    Notes
    -----
    Each permutation gives its ``k_max`` smallest p-values, in order. For each rank, these p-values
    are then sorted over the permutations. The result is a family of nested curves. Calibration
    chooses the highest curve that controls the joint error rate [1]_.

    References
    ----------
    .. [1] Blain A, Thirion B, Neuvial P (2022). Notip: Non-parametric true discovery
       proportion control for brain imaging. NeuroImage 260, 119492.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import PermutationCalibration, learn_template
    >>> data = np.random.default_rng(0).standard_normal((40, 500))
    >>> template = learn_template(data[:20], n_permutations=100, k_max=50, random_state=0)
    >>> calibration = PermutationCalibration(template, n_permutations=100, random_state=0)
    >>> calibration.fit(data[20:]).critical_vector_
    CriticalVector(k_max=50)
    """
    arguments = locals()
    refuse_nested(**arguments)
    workers = Workers(n_jobs, chunk_size)
    checked_here = {name: arguments[name] for name in _PARAMETER_CONSTRAINTS}
    validate_parameter_constraints(_PARAMETER_CONSTRAINTS, checked_here, "learn_template")
    if templates is None:
        refuse_unused("without templates", {"alpha": (alpha, 0.05)})
    else:
        refuse_unused("with templates", {"k_max": (k_max, 1000)})
        check_alpha(alpha)
        if len(templates) < 2:
            raise ValueError(f"templates must be at least two templates. Got {len(templates)}.")
    checked = check_data(data)
    with progress("Template", shown=verbose != 0):
        null = resample_subjects(
            checked,
            design,
            contrast,
            two_sided=bool(two_sided),
            n_permutations=n_permutations,
            scheme=scheme,
            blocks=blocks,
            exchange=exchange,
            variance_groups=variance_groups,
            rng=generator(seed_of(random_state)),
        ).null
        warn_of_constant(null.is_constant)
        subjects = sketches(checked)
        if templates is None:
            return learn_from_draws(null, k_max, subjects=subjects, workers=workers)
        lambda_rank(null.n_permutations, alpha)  # refuses an alpha that is too small
        made = each_template(templates, null.n_elements, k_max="auto")
        return learn_crossings(null, made, alpha, subjects=subjects, workers=workers)
