"""Calibration of the critical vector on the data at hand, by resampling subjects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any, Literal

import numpy as np
from nilearn.reporting import HTMLReport
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_memory

from ari_estimator._unused_options import refuse_unused
from ari_estimator._version import __version__
from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_draws import PValues
from ari_estimator.calibration._calibrate_subjects import calibrate_subjects
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.closed_testing import Calibration, LearnedTemplate
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._templates import TEMPLATES
from ari_estimator.estimators._report import report_on
from ari_estimator.images._subject_maps import masked_subjects
from ari_estimator.resampling import SCHEMES, SchemeName

# Sums of subjects that are streamed: few enough for memory, and many for power.
_N_GROUPS = 256


class PermutationCalibration(BaseEstimator):
    """Critical vector that is calibrated by permutations, from the data of all subjects.

    Bounds on true discoveries come from thresholds for the ordered p-values. Closed testing with
    Simes' test takes thresholds that are safe for the usual dependence of brain maps. Permutations
    of the subjects show the dependence that the data have, and the thresholds that it allows. These
    are mostly larger, and so are the bounds. The calibration assumes nothing about how voxels
    depend on each other. It assumes that subjects are exchangeable. If signs are flipped, as for
    one sample, it assumes that **errors are symmetric around 0**: with skewed errors the bounds do
    not hold. See Notes.

    Parameters
    ----------
    template : {"simes", "aorc", "beta", "higher_criticism", "power"} or LearnedTemplate, \
default="simes"
        Shape of the thresholds. Their scale is calibrated.

    n_permutations : int, default=1000
        Number of permutations, the data as observed included. If no more are possible, all of
        them are taken, once each.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled. "auto" flips signs where the mean of all subjects is tested,
        and permutes otherwise; both on the residuals of nuisance variables (Freedman-Lane).
        "bootstrap" draws residuals of the whole model with replacement.

    blocks : array-like of shape (n_subjects,) or None, default=None
        Labels of exchangeability blocks, such as the subject of repeated measures. Rows are
        permuted within blocks; signs are flipped for whole blocks.

    p_values : {"parametric", "rank"}, default="parametric"
        P-values of t statistics: the tail of the t distribution, or the share of permutations with
        a statistic that is as large. Ranks are multiples of ``1 / n_permutations``, which is
        coarse for the strongest voxels.

    k_max : int, None or "auto", default="auto"
        Number of thresholds; None for as many as the template has. "auto" for all of Simes'
        template and of a learned one, and for 1000 of the others: with the dependence that brain
        maps have, those follow the bulk of the p-values so closely that thresholds for
        large ranks would decide, and leave none of use for small ones.

    delta : int, default=0
        How many of the smallest p-values the template gives up. Its first ``delta`` thresholds are
        0, and the other thresholds are larger in return. Each bound then takes ``delta`` elements
        off: a set of n elements has at most ``n - delta`` true discoveries. That pays off for large
        sets, and loses small ones.

    step_down : bool, default=False
        Whether voxels below the first threshold are left out, and the rest calibrated again,
        until none is added. Never worse, at the cost of a few more passes. It must be False with
        a shift, since no voxel is below the first threshold then.

    allow_shared_data : bool, default=False
        Whether a learned template may be calibrated on subjects that it was learned from. The
        bounds do not hold then. It must be False for other templates.

    n_groups : int, default=256
        How many sums of subjects are kept in memory, if subjects are streamed. If there are more
        subjects, they form groups, and the signs of whole groups are flipped. It must be left at
        the default for data in memory.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    chunk_size : int or None, default=None
        Permutations per task; None for half a share of each process, but no more than 2500. Results
        do not depend on it. It must be None with ``p_values="rank"``, whose tasks are elements.

    n_jobs : int or None, default=None
        Number of processes. Results do not depend on it. None for one, or for what
        :func:`joblib.parallel_config` says.

    memory : None, str or joblib.Memory, default=None
        Where to cache the result. The next calibration of the same data with the same parameters
        takes it from there. It needs data in memory and an integer as ``random_state``.

    verbose : int, default=0
        Whether to show progress.

    Attributes
    ----------
    calibration_ : ari_estimator.closed_testing.Calibration
        The calibration, which can be saved, loaded and asked for other levels.

    critical_vector_ : ari_estimator.closed_testing.CriticalVector
        Thresholds that bound the true discoveries of any set of these p-values.

    df_ : int
        Degrees of freedom of t.

    is_constant_ : ndarray of bool of shape (n_elements,)
        Elements without variance, which are no discovery whatever their mean.

    lambda_ : float
        Scale of the template.

    n_features_in_ : int
        Number of elements.

    n_permutations_ : int
        Number of permutations.

    p_values_ : ndarray of shape (n_elements,)
        P-values of the data as observed.

    pivotal_statistics_ : ndarray of shape (n_permutations,)
        Largest scale that each permutation allows. The data as observed come first.

    scheme_ : str
        How subjects were resampled, in words.

    t_values_ : ndarray of shape (n_elements,)
        The t statistics of the data as observed; 0 where data are constant.

    two_sided_ : bool
        Whether p-values are two-sided.

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

    Statistics are computed in single precision. Those that may decide about ``lambda_`` are
    computed again in double precision, so that ``lambda_`` has double precision.

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
        "memory": "no_validation",  # by scikit-learn's check_memory
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
        n_groups: int = _N_GROUPS,
        random_state: int | np.random.RandomState | None = None,
        chunk_size: int | None = None,
        n_jobs: int | None = None,
        memory: Any = None,
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
        self.memory = memory
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
            several rows, there are too few permutations for ``alpha``, or the template was
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
        if masker is not None:
            data = masked_subjects(data, masker)
        self._refuse_unused(is_streamed=isinstance(data, Iterator))
        calibrate = check_memory(self.memory).cache(calibrate_subjects, ignore=["workers"])
        results = calibrate(
            data,
            design,
            contrast,
            alpha=alpha,
            two_sided=bool(two_sided),
            template=self.template,
            n_permutations=self.n_permutations,
            scheme=self.scheme,
            blocks=self.blocks,
            p_values=self.p_values,
            k_max=self.k_max,
            delta=self.delta,
            step_down=bool(self.step_down),
            allow_shared_data=self.allow_shared_data,
            n_groups=self.n_groups,
            rng=generator(self.random_state),
            version=__version__,
            workers=Workers(self.n_jobs, self.chunk_size, self.verbose),
        )
        # Here, since what is read from a cache gives no warning.
        warn_of_constant(results["is_constant_"])
        self._keep(two_sided=bool(two_sided), **results)
        return self

    def _keep(self, calibration: Calibration, *, two_sided: bool, **attributes: Any) -> None:
        """Keep what was found: by this fit, or before this was saved."""
        self.calibration_ = calibration
        self.lambda_ = calibration.lambda_
        self.pivotal_statistics_ = calibration.pivotal_statistics
        self.critical_vector_ = calibration.critical_vector
        self.two_sided_ = two_sided
        for name, value in attributes.items():
            setattr(self, name, value)

    def _refuse_unused(self, *, is_streamed: bool) -> None:
        """Refuse parameters that would do nothing for these data."""
        unused: dict[str, dict[str, Any]] = {}
        if not isinstance(self.template, LearnedTemplate):
            why = f"with template={self.template!r}, which was not learned from data"
            unused[why] = {"allow_shared_data": False}
        if not is_streamed:
            why = "for data that are in memory: groups are for subjects that are streamed"
            unused[why] = {"n_groups": _N_GROUPS}
        if self.p_values == "rank":
            unused["with p_values='rank'"] = {"chunk_size": None}
        if self.delta > 0:
            why = f"with delta={self.delta}, since no element is below a first threshold then"
            unused[why] = {"step_down": False}
        if is_streamed or not isinstance(self.random_state, Integral):
            why = (
                "unless data are in memory and random_state is an integer: nothing else is "
                "computed twice in the same way"
            )
            unused[why] = {"memory": None}
        for why, defaults in unused.items():
            for name, default in defaults.items():
                if getattr(self, name) != default:
                    refuse_unused(why, {name: (getattr(self, name), default)})

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


def generator(random_state: int | np.random.RandomState | None) -> np.random.Generator:
    """Return where random numbers come from, for a seed as scikit-learn takes it.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState or None
        The seed.

    Returns
    -------
    rng : numpy.random.Generator
        The generator.
    """
    return np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))
