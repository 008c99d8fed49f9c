"""Calibration of the critical vector on the data at hand, by resampling subjects."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from nilearn.reporting import HTMLReport
from numpy.typing import ArrayLike

from ari_estimator._nesting import refuse_nested
from ari_estimator._unused_options import refuse_unused
from ari_estimator.calibration import Workers
from ari_estimator.calibration._calibrate_draws import PValues
from ari_estimator.calibration._calibrate_subjects import calibrate_subjects
from ari_estimator.calibration._missing_rows import Missing, untestable, warn_of_left_out
from ari_estimator.calibration._subject_data import warn_of_constant
from ari_estimator.closed_testing import (
    CalibratedTest,
    Calibration,
    DirectionalTest,
    SimultaneousTest,
    SplitCalibration,
    Template,
)
from ari_estimator.closed_testing._level_share import level_share
from ari_estimator.closed_testing._make_template import NAMES, TemplateLike
from ari_estimator.closed_testing._rational import check_alpha
from ari_estimator.closed_testing._two_sided import DIRECTIONAL, TwoSided, check_two_sided
from ari_estimator.estimators._choice import Choice
from ari_estimator.estimators._report import report_on
from ari_estimator.estimators._subject_calibration import (
    N_GROUPS,
    SubjectCalibration,
    warn_of_few,
)
from ari_estimator.images._subject_maps import masked_subjects
from ari_estimator.resampling import Exchange, SchemeName
from ari_estimator.resampling._contrast import ContrastType


class PermutationCalibration(SubjectCalibration):
    """Critical vector calibrated by permutations of the subjects' data.

    Bounds on true discoveries come from thresholds for the ordered p-values. Closed testing with
    Simes' test uses thresholds that are safe for the usual dependence of brain maps. Permutations
    of the subjects show how voxels depend on each other in the data at hand. The calibrated
    thresholds are usually larger, and so are the bounds. The calibration makes no assumption
    about the dependence between voxels. It assumes that subjects are exchangeable.
    Sign-flipping, as in one-sample designs, assumes that **errors are symmetric around 0**: with
    skewed errors the bounds do not hold. See Notes.

    Parameters
    ----------
    template : {"simes", "aorc", "beta", "higher_criticism", "power", "joint"}, Template or list, \
default="simes"
        Shape of the thresholds. Their scale is calibrated. A list of names and templates calibrates
        all of them together: their curves cross at fixed ranks, and the largest threshold
        counts (:class:`~ari_estimator.closed_testing.JointTemplate`). "joint" is Simes' template
        with a shifted one, which gains in sets with many discoveries.

    level_weights : sequence of float or None, default=None
        Splits the error level between the templates of a list instead, each calibrated at its
        share: a positive number for each, with sum 1
        (:class:`~ari_estimator.closed_testing.SplitCalibration`). Choose them before you look
        at the bounds.

    n_permutations : int, default=1000
        Number of permutations, including the data as observed. If fewer are possible, each is
        taken once. Random permutations give ``lambda_`` a Monte Carlo error, see
        :meth:`ari_estimator.closed_testing.Calibration.lambda_interval`.

    scheme : {"auto", "sign_flip", "permutation", "bootstrap"}, default="auto"
        How subjects are resampled. "auto" flips signs if the contrast tests the mean of all
        subjects, or if permutation would mix variance groups. Otherwise it permutes. Both use
        the residuals of the nuisance variables (Freedman-Lane). "bootstrap" draws residuals of
        the full model with replacement.

    blocks : array-like of shape (n_subjects,) or (n_subjects, n_levels), or None, default=None
        Labels of exchangeability blocks, such as the subject of each map; or a table of
        nested levels, as for :meth:`ari_estimator.resampling.Exchangeability.of`.

    exchange : {"within", "whole", "both"} or None, default=None
        What may change places: rows within their block ("within"), blocks of equal size as
        wholes ("whole"), or both. None uses "within" if the contrast varies only within blocks,
        and "whole" otherwise, for example for groups of subjects. Sign-flipping always flips
        whole blocks. When blocks change places, each row takes the place of the same row in
        another block: sort the rows of all blocks in the same way, for example by session.

    variance_groups : array-like of shape (n_subjects,), "auto" or None, default=None
        Groups of rows with their own variance. The statistic is then v or G (Welch) instead of
        t or F. "auto" takes the groups that columns of the design with two values define; if
        there are none, it takes the rows that may change places. None for one common variance.

    missing : {"omit"} or None, default=None
        What to do with NaN. "omit" leaves a subject out of the elements in which it is NaN. The
        gap of a subject moves with the subject, and the statistic of each permutation uses the
        rows that are present after the move. Elements that lack too many subjects are left out.
        None refuses NaN. See Notes: **gaps must be independent of the errors and, for
        permutation, of the design**.

    p_values : {"parametric", "rank"}, default="parametric"
        P-values of the statistics: the tail of their distribution ("parametric"), or the
        proportion of permutations with a statistic at least as large ("rank"). Ranks are multiples
        of ``1 / n_permutations``, which is coarse for the strongest voxels.

    k_max : int, None or "auto", default="auto"
        Number of thresholds; for a list, of each template. None uses all thresholds of the
        template. "auto" uses all for Simes' template and for existing ones, and 1000 for the
        others. In brain maps, those other templates follow the bulk of the p-values closely:
        without a limit, thresholds for large ranks would decide the calibration, and thresholds
        for small ranks would be useless.

    delta : int, default=0
        How many of the smallest p-values the template ignores. Its first ``delta`` thresholds
        are 0, and the other thresholds are larger in return. A set of n elements then has at most
        ``n - delta`` true discoveries. Large sets gain; small sets lose. It must be 0 for several
        templates: put a template with a shift in the list.

    step_down : bool, default=False
        Whether to recalibrate after excluding voxels already rejected, those below the first
        threshold, until none is added. Bounds never get worse; it takes a few more passes. It
        must be False if ``delta`` is positive, because the first threshold is then 0.

    allow_shared_data : bool, default=False
        Whether a learned template, or a learned relation between templates, may be calibrated on
        the subjects it was learned from. The bounds then do not hold. It must be False for other
        templates.

    n_groups : int, default=256
        Number of sums kept in memory if subjects are streamed. More subjects than that form
        groups, and sign-flipping flips whole groups. Leave the default for data in memory.

    random_state : int, numpy.random.RandomState or None, default=None
        Seed of the permutations.

    chunk_size : int or None, default=None
        Permutations per task. None is half of each process's share, at most 2500. Results do
        not depend on it. It must be None with ``p_values="rank"``, whose tasks are elements.

    n_jobs : int or None, default=None
        Number of processes. Results do not depend on it. None is one process, unless
        :func:`joblib.parallel_config` sets another number.

    memory : None, str or joblib.Memory, default=None
        Where to cache the result. The next calibration with the same data and parameters reads
        it from there. The cache needs data in memory and an integer ``random_state``.

    verbose : int, default=1
        0 shows nothing; 1 shows a progress bar if the work takes more than two seconds.

    Attributes
    ----------
    alpha_ : float
        Error level.

    calibration_ : Calibration or SplitCalibration of :mod:`ari_estimator.closed_testing`
        The calibration; a split one with ``level_weights``. You can save it, load it, and evaluate
        it at other levels.

    critical_vector_ : ari_estimator.closed_testing.CriticalVector
        Thresholds that bound the true discoveries of any set of these p-values.

    df_ : int or ndarray of shape (n_elements,)
        Degrees of freedom of the residuals; one number for each element with v and G, and if data
        have gaps. It is 0 in elements that lack too many subjects.

    is_constant_ : ndarray of bool of shape (n_elements,)
        Elements without variance, or with too few subjects. They are never a discovery, for any
        mean.

    lambda_ : float or ndarray of shape (n_templates,)
        Scale of the template; one for each template that shares the level.

    lambda_interval_ : tuple of two float
        95 % Monte Carlo interval for the scale that all possible permutations would give. Both
        ends are ``lambda_`` if all of them were taken.

    n_features_in_ : int
        Number of elements.

    n_permutations_ : int
        Number of permutations.

    p_values_ : ndarray of shape (n_elements,)
        P-values of the data as observed.

    pivotal_statistics_ : ndarray of shape (n_permutations,)
        Largest scale that each permutation allows. The first one is of the data as observed.

    rank_ : int
        Number of independent rows of the contrast.

    scheme_ : str
        How subjects were resampled, in words.

    seed_ : int or None
        Seed of the permutations: ``random_state=seed_`` draws the same ones. None if nothing was
        random.

    sides_ : dict of str to PermutationCalibration, or None
        With ``two_sided="directional"``, the calibrations of ``"positive"`` and ``"negative"``
        effects, at ``alpha / 2`` each. This object then has no ``calibration_``,
        ``critical_vector_``, ``lambda_``, ``lambda_interval_`` and ``pivotal_statistics_``, and
        ``p_values_`` are twice the p-values of the observed sign. None otherwise.

    stat_type_ : {"t", "F", "v", "G"}
        Name of the statistic.

    statistic_ : ndarray of shape (n_elements,)
        The statistic of the data as observed; 0 where data are constant or too few.

    two_sided_ : bool or "directional"
        Whether p-values are two-sided, or each sign has its own calibration.

    See Also
    --------
    ARISecondLevelModel : Calibrates contrasts of images.
    ClusterTDPTransformer.fit_transform : Uses a fitted calibration for the map of its contrast.
    learn_template : Learns a template from other data.
    ari_estimator.closed_testing.calibrate : Calibrates from a matrix of p-values.

    Notes
    -----
    With probability at least ``1 - alpha``, no k-th smallest p-value of the inactive voxels is
    below the k-th threshold, for all k at once. This controls the joint error rate [1]_, which
    gives the bounds of all sets. The control is exact if errors are exchangeable (permutation) or
    symmetric (sign-flipping), independent between subjects or blocks, and if the only nuisance
    is an intercept. With other nuisance variables, and for the bootstrap [2]_, it holds in large
    samples. It needs no assumption about the dependence between voxels [3]_.

    Skewed errors, or outliers of one sign, make sign-flipping too liberal. Few subjects and many
    independent voxels make it worse. An extreme case are lognormal errors, tested two-sided: with
    12 subjects the error at 0.05 is 0.15 for a single voxel and 0.95 for a hundred independent
    voxels; with 100 subjects it is still 0.77. Student's t-test fails in the
    same way, and so does closed testing of a z map. Permutation of groups or of a covariate does
    not need symmetry. It needs errors of equal variance: with groups of 10 and 30 subjects and
    standard deviations of 2 and 1, the error at 0.05 is 0.63 over 60 independent voxels.
    ``variance_groups`` uses sign-flipping of residuals instead, which needs symmetry.

    With ``missing="omit"``, all elements share one permutation or sign vector. A row moves with its
    value and its gap, so it brings its gap to another place in the design. With nuisance variables,
    the residuals come from the null model of the rows present. Degrees of freedom then differ
    between elements, and statistics are compared by the standard normal values of their p-values.
    An element stays in if the rows left determine the contrast, and leave degrees of freedom, in
    every arrangement of its gaps that the scheme allows. Two groups of 8 and 20, for example,
    allow up to 7 gaps under permutation, wherever they are. So the choice of elements depends
    neither on the values nor on the draws. The control is exact under the conditions above if the
    gaps are independent of the errors: a subject must not lack an element because of its value
    there. For permutation, gaps must also be independent of the design: **if one group lacks an
    element more often, gaps and data are not exchangeable together.** Sign-flipping allows gaps
    that depend on the design. The page "Validation" has measured errors.

    Statistics are computed in single precision. Those that may determine ``lambda_`` are computed
    again in double precision, so ``lambda_`` has double precision.

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
        **SubjectCalibration._parameter_constraints,
        "template": [Choice(NAMES), Template, list, tuple],
        "level_weights": "no_validation",  # by check_level_weights, with the templates
        "p_values": [Choice(["parametric", "rank"])],
        "k_max": "no_validation",  # by make_template, with the data
        "delta": "no_validation",
        "step_down": ["boolean"],
        "allow_shared_data": ["boolean"],
    }
    _of_this_kind = (
        "template", "level_weights", "p_values", "k_max", "delta", "step_down", "allow_shared_data",
    )  # fmt: skip
    _serves_several_contrasts = True

    def __init__(
        self,
        template: TemplateLike = "simes",
        *,
        level_weights: Sequence[float] | None = None,
        n_permutations: int = 1000,
        scheme: SchemeName = "auto",
        blocks: ArrayLike | None = None,
        exchange: Exchange | None = None,
        variance_groups: ArrayLike | Literal["auto"] | None = None,
        missing: Missing = None,
        p_values: PValues = "parametric",
        k_max: int | Literal["auto"] | None = "auto",
        delta: int = 0,
        step_down: bool = False,
        allow_shared_data: bool = False,
        n_groups: int = N_GROUPS,
        random_state: int | np.random.RandomState | None = None,
        chunk_size: int | None = None,
        n_jobs: int | None = None,
        memory: Any = None,
        verbose: int = 1,
    ) -> None:
        self.template = template
        self.level_weights = level_weights
        self.n_permutations = n_permutations
        self.scheme = scheme
        self.blocks = blocks
        self.exchange = exchange
        self.variance_groups = variance_groups
        self.missing = missing
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
        stat_type: ContrastType | None = None,
        alpha: float = 0.05,
        two_sided: TwoSided = False,
        masker: Any = None,
    ) -> PermutationCalibration:
        """Calibrate the critical vector of a contrast.

        Parameters
        ----------
        data : array-like of shape (n_subjects, n_elements) or (n_subjects, ...), or iterable
            Values of voxels, vertices, sensors or genes: finite, or NaN with ``missing="omit"``.
            Or an iterator over the subjects, each of shape (n_elements,). It is read once and
            never held in memory as a whole. It allows only a test of the mean, without a design.
            With a masker: images or their paths.

        design : array-like of shape (n_subjects, n_columns) or None, default=None
            The design; a column of ones if None.

        contrast : array-like of shape (n_columns,) or (n_rows, n_columns), or None, default=None
            The contrast; may be None if there is one column.

        stat_type : {"t", "F"} or None, default=None
            Type of the test. None is t for one row and F for several. "F" also tests a single
            row, and then has no direction.

        alpha : float, default=0.05
            Error level, at least ``1 / n_permutations``.

        two_sided : bool or "directional", default=False
            Whether to test effects in both directions instead of positive ones only. "directional"
            calibrates a vector for each sign at ``alpha / 2``, with the same draws: bounds on
            positive and on negative effects then hold at once. It must be False for an F contrast.

        masker : masker or None, default=None
            A fitted masker of nilearn. ``data`` is then a list or iterator of images.

        Returns
        -------
        self : object
            The fitted calibration.

        Raises
        ------
        TypeError
            If ``data`` is neither an array nor an iterable, ``masker`` is not a masker, or
            ``two_sided`` is neither a bool nor "directional".
        ValueError
            If data are not finite or have fewer than two subjects. If a parameter is out of
            range. If the design does not fit the data. If the contrast is not estimable. If the
            scheme, blocks or variance groups do not fit the contrast. If missing values are left
            out, and there are variance groups, the bootstrap or streamed subjects. If there are too
            few permutations for ``alpha``. If the template was learned from subjects of the data.

        Warns
        -----
        UserWarning
            If elements are constant, or lack too many subjects. If images are NaN in the mask,
            which nilearn reads as 0. If groups seem to differ in variance, or the scheme mixes
            variance groups. If there are fewer than 1000 random permutations. The warning of
            unequal variance comes too often if single subjects differ in noise.
        """
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        refuse_nested(**self.get_params(deep=False), alpha=alpha, two_sided=two_sided)
        self._validate_params()
        workers = Workers(self.n_jobs, self.chunk_size)
        check_alpha(alpha)
        if not isinstance(two_sided, bool):
            two_sided = check_two_sided(two_sided)
        if masker is not None:
            data = masked_subjects(data, masker)
        results, seed = self._calibrated(
            calibrate_subjects,
            data,
            design,
            contrast,
            stat_type=stat_type,
            alpha=alpha,
            two_sided=two_sided,
            n_groups=self.n_groups,
            workers=workers,
        )
        # Warn here, since results from a cache give no warning.
        doubt = results.pop("doubt")
        if doubt is not None:
            warnings.warn(doubt, UserWarning, stacklevel=2)
        left_out = untestable(results["df_"])
        warn_of_left_out(int(left_out.sum()), results["n_features_in_"])
        warn_of_constant(results["is_constant_"] & ~left_out)
        sides = results.pop("sides")
        is_exhaustive = next(iter(sides.values()))[0].is_exhaustive
        warn_of_few(results["n_permutations_"], is_exhaustive=is_exhaustive)
        results["seed_"] = None if is_exhaustive else seed
        self._keep(sides, two_sided=two_sided, alpha=float(alpha), **results)
        return self

    def _test(self, alpha: float) -> SimultaneousTest:
        """Return the test of this fitted calibration at a level."""
        if self.sides_ is not None:
            share = level_share(alpha, 2)
            own: dict[str, Any] = {side: one._test(share) for side, one in self.sides_.items()}
            return DirectionalTest(**own, signs=np.sign(self.statistic_))
        return CalibratedTest(
            self.p_values_, self.calibration_.at(alpha), scheme=self.scheme_, seed=self.seed_
        )

    def _keep(
        self,
        sides: Mapping[str, tuple[Calibration | SplitCalibration, np.ndarray]],
        *,
        two_sided: TwoSided,
        alpha: float,
        **attributes: Any,
    ) -> None:
        """Set the results of this fit, or of a saved calibration."""
        self.two_sided_ = two_sided
        self.alpha_ = alpha
        self.sides_: dict[str, PermutationCalibration] | None = None
        if two_sided == DIRECTIONAL:
            self._keep_sides(sides, attributes)
        else:
            calibration, self.p_values_ = sides[""]
            self.calibration_ = calibration
            self.lambda_ = calibration.lambda_
            self.lambda_interval_ = calibration.lambda_interval()
            self.pivotal_statistics_ = calibration.pivotal_statistics
            self.critical_vector_ = calibration.critical_vector
        for name, value in attributes.items():
            setattr(self, name, value)

    def _keep_sides(
        self,
        sides: Mapping[str, tuple[Calibration | SplitCalibration, np.ndarray]],
        attributes: dict[str, Any],
    ) -> None:
        """Set a one-sided calibration for each sign, and the p-values of both together."""
        self.sides_ = {}
        statistic = attributes["statistic_"]
        for side, sign in (("positive", 1), ("negative", -1)):
            part = type(self)(**self.get_params(deep=False))
            of_part = {**attributes, "statistic_": sign * statistic + 0.0}
            share = sides[side][0].alpha
            part._keep({"": sides[side]}, two_sided=False, alpha=share, **of_part)
            self.sides_[side] = part
        own = np.where(statistic < 0, sides["negative"][1], sides["positive"][1])
        self.p_values_ = np.minimum(2 * np.where(statistic == 0, 1.0, own), 1.0)

    def _refuse_unused_of_kind(self) -> None:
        """Refuse parameters of this class that would have no effect."""
        unused: dict[str, dict[str, Any]] = {}
        entries = self.template if isinstance(self.template, (list, tuple)) else [self.template]
        made = [one for one in entries if isinstance(one, Template)]
        if not any(one.is_learned for one in made):
            which = f"template={self.template!r}, which was not learned from data"
            unused[f"with {which}"] = {"allow_shared_data": False}
        if made and len(made) == len(entries) and all(one.delta > 0 for one in made):
            why = "with templates that all have a shift, because the first threshold is then 0"
            unused[why] = {"step_down": False}
        if self.p_values == "rank":
            unused["with p_values='rank'"] = {"chunk_size": None}
        if self.delta > 0:
            why = f"with delta={self.delta}, because the first threshold is then 0"
            unused[why] = {"step_down": False}
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
            The report. Notebooks show it; ``save_as_html`` and ``open_in_browser`` exist too.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the calibration is not fitted.
        """
        return report_on(self, title=title)
