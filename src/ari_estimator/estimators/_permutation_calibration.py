"""Calibration of the critical vector on the data at hand, by resampling subjects."""

from __future__ import annotations

import warnings
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
from ari_estimator.resampling import EXCHANGES, SCHEMES, Exchange, SchemeName

# Sums of subjects that are streamed: few enough for memory, and many for power.
_N_GROUPS = 256

# With fewer random permutations, lambda is a matter of the seed.
_ENOUGH = 1000


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
        them are taken, once each. Random ones give ``lambda_`` a Monte Carlo error, see
        :meth:`ari_estimator.closed_testing.Calibration.lambda_interval`.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled. "auto" flips signs where the mean of all subjects is tested, or
        where permutation would mix groups of unequal variance, and permutes otherwise; both on the
        residuals of nuisance variables (Freedman-Lane). "bootstrap" draws residuals of the whole
        model with replacement.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Labels of exchangeability blocks, such as the subject of repeated measures; or a table of
        nested levels, as for :meth:`ari_estimator.resampling.Exchangeability.of`.

    exchange : {"within", "whole", "both"} or None, default=None
        What labels of blocks stand for: rows change places within their block, blocks of equal
        size change places as wholes, or both. None takes whole blocks, such as for groups of
        subjects, unless what the contrast tests varies within blocks alone. Signs are always
        flipped for whole blocks. Rows of whole blocks take each other's place in their order within
        the block: sort them alike, by session for example.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows that have a variance of their own. The statistic is then v or G in place of
        t or F, after Welch. "auto" takes the groups that columns of the design with two values
        tell apart, or else the rows that blocks let change places. None for one variance.

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

    df_ : int or ndarray of shape (n_elements,)
        Degrees of freedom of the residuals; of each element for v and G.

    is_constant_ : ndarray of bool of shape (n_elements,)
        Elements without variance, which are no discovery whatever their mean.

    lambda_ : float
        Scale of the template.

    lambda_interval_ : tuple of two float
        95 % interval for the scale that all permutations would give. Both ends are ``lambda_`` if
        all permutations were taken.

    n_features_in_ : int
        Number of elements.

    n_permutations_ : int
        Number of permutations.

    p_values_ : ndarray of shape (n_elements,)
        P-values of the data as observed.

    pivotal_statistics_ : ndarray of shape (n_permutations,)
        Largest scale that each permutation allows. The data as observed come first.

    rank_ : int
        Number of independent rows of the contrast.

    scheme_ : str
        How subjects were resampled, in words.

    seed_ : int or None
        Seed of the permutations: with ``random_state=seed_`` they are the same. None if there was
        nothing to draw.

    stat_type_ : {"t", "F", "v", "G"}
        What the statistic is called.

    statistic_ : ndarray of shape (n_elements,)
        The statistic of the data as observed; 0 where data are constant.

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
    not need symmetry. It needs errors of equal variance: with 10 and 30 subjects and standard
    deviations in the ratio 2 to 1 the error at 0.05 is 0.63 over 60 independent voxels. With
    ``variance_groups`` signs of residuals are flipped, which needs symmetry again.

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
        "blocks": "no_validation",  # by Exchangeability, with the data
        "exchange": [StrOptions(set(EXCHANGES)), None],
        "variance_groups": "no_validation",  # by variance_groups_of, with the design
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
        exchange: Exchange | None = None,
        variance_groups: ArrayLike | Literal["auto"] | None = None,
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
        self.exchange = exchange
        self.variance_groups = variance_groups
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

        contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None, default=None
            The contrast; may be None if there is one column. Several rows are an F contrast.

        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``.

        two_sided : bool, default=False
            Whether deviations in both directions count; otherwise positive ones. It must be False
            for an F contrast.

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
            range, the design does not go with the data, the contrast is not estimable, the
            scheme, blocks or variance groups do not go with the contrast, there are too few
            permutations for ``alpha``, or the template was learned from subjects of the data.

        Warns
        -----
        UserWarning
            If elements are constant; if images are NaN in the mask, which nilearn takes for 0; if
            groups differ in variance, or the scheme mixes variance groups; or if there
            are fewer than 1000 random permutations.
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
        seed = seed_of(self.random_state)
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
            exchange=self.exchange,
            variance_groups=self.variance_groups,
            p_values=self.p_values,
            k_max=self.k_max,
            delta=self.delta,
            step_down=bool(self.step_down),
            allow_shared_data=self.allow_shared_data,
            n_groups=self.n_groups,
            rng=generator(seed),
            version=__version__,
            workers=Workers(self.n_jobs, self.chunk_size, self.verbose),
        )
        # Here, since what is read from a cache gives no warning.
        doubt = results.pop("doubt")
        if doubt is not None:
            warnings.warn(doubt, UserWarning, stacklevel=2)
        warn_of_constant(results["is_constant_"])
        is_exhaustive = results["calibration"].is_exhaustive
        _warn_of_few(results["n_permutations_"], is_exhaustive=is_exhaustive)
        results["seed_"] = None if is_exhaustive else seed
        self._keep(two_sided=bool(two_sided), **results)
        return self

    def _keep(self, calibration: Calibration, *, two_sided: bool, **attributes: Any) -> None:
        """Keep what was found: by this fit, or before this was saved."""
        self.calibration_ = calibration
        self.lambda_ = calibration.lambda_
        self.lambda_interval_ = calibration.lambda_interval()
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


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return the seed that stands for a random state, as scikit-learn takes it.

    Parameters
    ----------
    random_state : int, numpy.random.RandomState or None
        A seed, what gives one, or None for one that is different each time.

    Returns
    -------
    seed : int
        The seed, which can be recorded.
    """
    if isinstance(random_state, Integral):
        return int(random_state)
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    return int(check_random_state(random_state).randint(2**31))


def generator(seed: int) -> np.random.Generator:
    """Return where random numbers come from, for a seed.

    Parameters
    ----------
    seed : int
        The seed.

    Returns
    -------
    rng : numpy.random.Generator
        The generator.
    """
    return np.random.default_rng(check_random_state(seed).randint(2**31, size=4))


def _warn_of_few(n_permutations: int, *, is_exhaustive: bool) -> None:
    if n_permutations < _ENOUGH and not is_exhaustive:
        warnings.warn(
            f"n_permutations={n_permutations} random permutations leave a large Monte Carlo error: "
            f"another seed may give quite different bounds. Take {_ENOUGH} at least.",
            UserWarning,
            stacklevel=3,
        )
