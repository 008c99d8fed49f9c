"""Calibration of the critical vector on the data at hand, by resampling subjects."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Literal

import numpy as np
from nilearn.reporting import HTMLReport
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from ari_estimator._report_hook import report_on
from ari_estimator.closed_testing import CriticalVector, LearnedTemplate, Template
from ari_estimator.closed_testing._calibration import step_down
from ari_estimator.closed_testing._lambda import lambda_rank
from ari_estimator.closed_testing._learned_template import fingerprints, refuse_shared
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._templates import TEMPLATES, make_template
from ari_estimator.estimators._resampling_passes import (
    pivots_by_rank,
    pivots_by_tail,
    rank_p_values,
)
from ari_estimator.estimators._subject_data import resample_subjects
from ari_estimator.estimators._workers import Workers
from ari_estimator.resampling import SCHEMES, SchemeName

PValues = Literal["parametric", "rank"]

# Thresholds of templates that lose by having many. That of Notip, Blain et al. (2022).
_N_RANKS = 1000


class PermutationCalibration(BaseEstimator):
    """Critical vector that is calibrated by permutations, from the data of all subjects.

    What bounds true discoveries are thresholds for the ordered p-values. Closed testing with
    Simes' test takes thresholds that are safe for the usual dependence of brain maps; permutations
    of the subjects show the dependence that there is, and what thresholds it allows for. Mostly
    these are larger, and so are the bounds. Nothing is assumed of how voxels depend on each
    other. What is assumed is that subjects are exchangeable; and, where signs are flipped, as
    for one sample, that **errors are symmetric around 0**: with skewed errors the bounds do not
    hold. See Notes.

    Parameters
    ----------
    template : {"simes", "aorc", "beta", "higher_criticism", "power"} or LearnedTemplate, \
default="simes"
        Shape of the thresholds, of which the scale is calibrated.

    n_permutations : int, default=1000
        Number of resamples, the data as observed included. If no more are possible, all of
        them are taken, once each.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled. "auto" flips signs where the mean of all subjects is tested,
        and permutes otherwise; both on the residuals of nuisance variables (Freedman-Lane).
        "bootstrap" draws residuals of the whole model with replacement.

    blocks : array-like of shape (n_subjects,) or None, default=None
        Labels of exchangeability blocks, such as the subject of repeated measures. Rows are
        permuted within blocks; signs are flipped for whole blocks.

    p_values : {"parametric", "rank"}, default="parametric"
        P-values of t statistics: the tail of the t distribution, or the share of resamples with
        a statistic that is as large. Ranks are multiples of ``1 / n_permutations``, which is
        coarse for the strongest voxels.

    k_max : int, None or "auto", default="auto"
        Number of thresholds; None for as many as the template has. "auto" for all of Simes'
        template and of a learned one, and for 1000 of the others: with the dependence that brain
        maps have, those follow the bulk of the p-values so closely that thresholds for
        large ranks would decide, and leave none of use for small ones.

    delta : int, default=0
        Shift of the template: the ``delta`` smallest p-values do not count, in exchange for
        larger thresholds of the others. No set has a bound above its size less ``delta``.

    step_down : bool, default=False
        Whether voxels below the first threshold are left out, and the rest calibrated again,
        until none is added. Never worse, at the cost of a few more passes. With a shift, no
        voxel is below the first threshold, and nothing changes.

    allow_shared_data : bool, default=False
        Whether a learned template may be calibrated on subjects that it was learned from. The
        bounds do not hold then.

    n_groups : int, default=256
        Of subjects that are streamed, how many sums are kept in memory: signs are flipped for
        groups of subjects, if there are more of them.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the resamples.

    chunk_size : int or None, default=None
        Resamples per task; None for half a share of each process, but no more than 2500. Results
        do not depend on it. P-values by rank are computed in tasks of some elements instead.

    n_jobs : int or None, default=None
        Number of processes. Results do not depend on it. None for one, or for what
        :func:`joblib.parallel_config` says.

    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    calibration_ : ari_estimator.closed_testing.Calibration
        The calibration, which can be saved, loaded and asked for other levels.

    critical_vector_ : ari_estimator.closed_testing.CriticalVector
        Thresholds that bound the true discoveries of any set of these p-values.

    lambda_ : float
        Scale of the template.

    pivotal_statistics_ : ndarray of shape (n_permutations,)
        Largest scale that each resample would allow for; the first is that of the data as
        observed.

    p_values_ : ndarray of shape (n_elements,)
        P-values of the data as observed.

    t_values_ : ndarray of shape (n_elements,)
        Their t statistics; 0 where data are constant.

    df_ : int
        Degrees of freedom of t.

    two_sided_ : bool
        Whether p-values are two-sided.

    n_permutations_ : int
        Number of resamples.

    scheme_ : str
        What was resampled, in words.

    is_constant_ : ndarray of bool of shape (n_elements,)
        Elements without variance, which are no discovery whatever their mean.

    n_features_in_ : int
        Number of elements.

    See Also
    --------
    ARISecondLevelModel : Takes a calibration, for images.
    ClusterTDPTransformer.fit_transform : Takes one that is fitted, for the map of its contrast.
    learn_template : Template from other data.
    ari_estimator.closed_testing.calibrate : From a matrix of p-values.

    Notes
    -----
    With probability at least ``1 - alpha``, no k-th smallest p-value of the inactive voxels is
    below the k-th threshold, for all k at once: the joint error rate [1]_ is controlled, from
    which the bounds of all sets follow. That holds exactly if errors are exchangeable
    (permutation) or symmetric (sign-flipping), independent between subjects or blocks and with
    no other nuisance than an intercept; it holds for larger samples with nuisance, and for the
    bootstrap [2]_. It needs no assumption on how voxels depend on each other [3]_.

    Skewed errors, or outliers of one sign, make sign-flipping too liberal, the more so the fewer
    subjects and the more independent voxels there are. An extreme case: with lognormal errors,
    two-sided, of 12 subjects the error at 0.05 is 0.15 with a single voxel and 0.95 with a
    hundred independent ones; of 100 subjects it is still 0.77. Student's t-test, and with it
    closed testing of a z map, fails in the same way. Permutation, of groups or a covariate, does
    not need symmetry.

    Statistics are computed in single precision, and the one that decides, and all that
    might, in double precision: ``lambda_`` is that of double precision.

    References
    ----------
    .. [1] Blanchard G, Neuvial P, Roquain E (2020). Post hoc confidence bounds on false
       positives using reference families. Annals of Statistics 48, 1281-1303.
    .. [2] Davenport S, Thirion B, Neuvial P (2022). FDP control in mass-univariate linear
       models using the residual bootstrap. arXiv:2208.13724.
    .. [3] Andreella A, Hemerik J, Finos L, Weeda W, Goeman J (2023). Permutation-based true
       discovery proportions for functional magnetic resonance imaging cluster analysis.
       Statistics in Medicine 42, 2311-2340.

    Examples
    --------
    >>> import numpy as np
    >>> from ari_estimator import PermutationCalibration
    >>> rng = np.random.default_rng(0)
    >>> data = rng.standard_normal((20, 500))  # 20 subjects
    >>> data[:, :50] += 2  # active voxels
    >>> calibration = PermutationCalibration(n_permutations=200, random_state=0).fit(data)
    >>> calibration.scheme_
    'sign-flipping'
    >>> calibration.critical_vector_.true_discoveries(calibration.p_values_[:60])
    50
    """

    _parameter_constraints: dict[str, Any] = {
        "template": [StrOptions(set(TEMPLATES)), LearnedTemplate],
        "n_permutations": [Interval(Integral, 2, None, closed="left")],
        "scheme": [StrOptions(set(SCHEMES))],
        "blocks": "no_validation",  # by check_blocks, with the data
        "p_values": [StrOptions({"parametric", "rank"})],
        "k_max": "no_validation",  # by make_template, with the data
        "delta": "no_validation",
        "step_down": ["boolean"],
        "allow_shared_data": ["boolean"],
        "n_groups": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
        "chunk_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        template: str | LearnedTemplate = "simes",
        *,
        n_permutations: int = 1000,
        scheme: SchemeName = "auto",
        blocks: ArrayLike | None = None,
        p_values: PValues = "parametric",
        k_max: int | Literal["auto"] | None = "auto",
        delta: int = 0,
        step_down: bool = False,
        allow_shared_data: bool = False,
        n_groups: int = 256,
        random_state: int | np.random.RandomState | None = None,
        chunk_size: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.template = template
        self.n_permutations = n_permutations
        self.scheme = scheme
        self.blocks = blocks
        self.p_values = p_values
        self.k_max = k_max
        self.delta = delta
        self.step_down = step_down
        self.allow_shared_data = allow_shared_data
        self.n_groups = n_groups
        self.random_state = random_state
        self.chunk_size = chunk_size
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(
        self,
        data: ArrayLike | Iterable[Any],
        design: ArrayLike | None = None,
        contrast: ArrayLike | None = None,
        *,
        alpha: float = 0.05,
        two_sided: bool = False,
        masker: Any = None,
    ) -> PermutationCalibration:
        """Calibrate the critical vector of a contrast.

        Parameters
        ----------
        data : array-like of shape (n_subjects, n_elements), or iterable
            The data, finite: voxels, vertices, sensors, genes. Or an iterator over the
            subjects, each of shape (n_elements,), which is gone through once and never kept
            whole; without a design, for the mean. With a masker, images or their paths.

        design : array-like of shape (n_subjects, n_columns) or None, default=None
            The design; a column of ones if None.

        contrast : array-like of shape (n_columns,) or None, default=None
            The contrast; may be None if there is one column.

        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``.

        two_sided : bool, default=False
            Whether deviations in both directions count; otherwise positive ones.

        masker : masker or None, default=None
            A fitted masker of nilearn. ``data`` is then a list or iterator of images.

        Returns
        -------
        self : object
            The calibration.

        Raises
        ------
        TypeError
            If ``data`` is neither, ``masker`` is no masker, or ``two_sided`` is not True or
            False.
        ValueError
            If data are not finite or of fewer than two subjects, a parameter is out of its
            range, the design does not go with the data, the contrast is not estimable or has
            several rows, there are too few resamples for ``alpha``, or the template was
            learned from subjects of the data.

        Warns
        -----
        UserWarning
            If elements are constant, or images are NaN in the mask, which nilearn takes for 0.
        """
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        self._validate_params()
        check_alpha(alpha)
        if not isinstance(two_sided, (bool, np.bool_)):
            raise TypeError(f"two_sided must be True or False. Got {two_sided!r}.")
        resampled = resample_subjects(
            data,
            design,
            contrast,
            two_sided=bool(two_sided),
            n_permutations=self.n_permutations,
            scheme=self.scheme,
            blocks=self.blocks,
            n_groups=self.n_groups,
            random_state=self.random_state,
            masker=masker,
        )
        null = resampled.null
        lambda_rank(null.n_draws, alpha)  # which refuses a level that is too small
        template = self._make_template(null.n_elements)
        self._check_is_other_data(resampled.data)
        workers = Workers(self.n_jobs, self.chunk_size, self.verbose)
        if self.p_values == "rank":
            counts, p_values = rank_p_values(null, workers)
        else:
            p_values = null.observed_p_values

        def pivots_of(keep: np.ndarray | None) -> np.ndarray:
            kept = null if keep is None else null.select(keep)
            if self.p_values == "parametric":
                return pivots_by_tail(kept, template, alpha, workers)
            return pivots_by_rank(
                counts if keep is None else rank_p_values(kept, workers)[0], template
            )

        self.calibration_ = step_down(
            pivots_of, p_values, template, alpha, enabled=bool(self.step_down)
        )
        self.p_values_ = p_values
        self.t_values_ = null.exact_t(0)
        self.df_ = null.tail.df
        self.two_sided_ = null.tail.two_sided
        self.is_constant_ = null.is_constant
        self.n_permutations_ = null.n_draws
        self.scheme_ = resampled.scheme
        self.n_features_in_ = null.n_elements
        return self

    def generate_report(self, title: str | None = None) -> HTMLReport:
        """Return a report of the calibration.

        Parameters
        ----------
        title : str or None, default=None
            Title of the report; the name of the class if None.

        Returns
        -------
        report : nilearn.reporting.HTMLReport
            The report, which notebooks show, with ``save_as_html`` and ``open_in_browser``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the calibration is not fitted.
        """
        return report_on(self, title=title)

    def _make_template(self, n_elements: int) -> Template:
        is_auto = isinstance(self.k_max, str) and self.k_max == "auto"
        k_max: Any = None if is_auto else self.k_max
        template = make_template(self.template, n_elements, k_max=k_max, delta=self.delta)
        if not is_auto or self.template == "simes" or isinstance(self.template, Template):
            return template
        return template.cut(max(min(template.n_ranks, _N_RANKS), self.delta + 1))

    def _check_is_other_data(self, data: np.ndarray | None) -> None:
        """Refuse a template that was learned from subjects of the data."""
        if isinstance(self.template, LearnedTemplate) and not self.allow_shared_data:
            if data is None:
                raise ValueError(
                    "allow_shared_data must be True for a learned template and subjects that are "
                    "streamed: whether it was learned from them cannot be told. Set it if it was "
                    "not."
                )
            refuse_shared(self.template, fingerprints(data))

    @property
    def lambda_(self) -> float:
        """Scale of the template."""
        return self.calibration_.lambda_

    @property
    def pivotal_statistics_(self) -> np.ndarray:
        """Largest scale that each resample would allow for."""
        return self.calibration_.pivotal_statistics

    @property
    def critical_vector_(self) -> CriticalVector:
        """Thresholds that bound the true discoveries of any set."""
        return self.calibration_.critical_vector
