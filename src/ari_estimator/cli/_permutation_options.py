"""Options of ``ari group`` for bounds that are calibrated by permutations."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import randbelow
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ari_estimator.cli._choices import CALIBRATIONS, SCHEMES, TEMPLATES, one_of
from ari_estimator.cli._unused_options import refuse_options

if TYPE_CHECKING:
    from ari_estimator.cli._design import DesignOptions
    from ari_estimator.estimators._subject_calibration import SubjectCalibration

_PANEL = "Permutations"

# What --calibrate takes if --permutations is not given.
_N_PERMUTATIONS = 1000

_HEIGHT = 0.001


@dataclass(frozen=True)
class PermutationOptions:
    """How to calibrate the bounds by permutations."""

    permutations: Annotated[
        int | None,
        Option(
            help="Calibrate the bounds with this number of permutations or sign flips.",
            show_default="parametric bounds",
            rich_help_panel=_PANEL,
        ),
    ] = None
    calibrate: Annotated[
        str | None,
        Option(
            help="What to calibrate: voxels (thresholds for p-values), extent (the size of "
            "clusters), or joint (both, the larger bound for each set).",
            show_default="voxels, with --permutations",
            autocompletion=one_of(CALIBRATIONS),
            rich_help_panel=_PANEL,
        ),
    ] = None
    height_threshold: Annotated[
        float,
        Option(
            help="For extent and joint: voxels with a smaller p-value form clusters.",
            rich_help_panel=_PANEL,
        ),
    ] = _HEIGHT
    template: Annotated[
        list[str] | None,
        Option(
            help="Template: simes, aorc, beta, higher_criticism, power or joint. Repeat it to "
            "calibrate several together.",
            show_default="simes",
            autocompletion=one_of(TEMPLATES),
            rich_help_panel=_PANEL,
        ),
    ] = None
    level_weights: Annotated[
        list[float] | None,
        Option(
            help="Share of alpha of a template, once for each --template; the sum is 1.",
            show_default="one common scale",
            rich_help_panel=_PANEL,
        ),
    ] = None
    scheme: Annotated[
        str,
        Option(
            help="Scheme: auto, sign_flip, permutation or bootstrap.",
            autocompletion=one_of(SCHEMES),
            rich_help_panel=_PANEL,
        ),
    ] = "auto"
    seed: Annotated[
        int | None,
        Option(help="Seed of the permutations.", show_default="random", rich_help_panel=_PANEL),
    ] = None
    step_down: Annotated[
        bool,
        Option(
            "--step-down",
            help="Recalibrate after excluding voxels already rejected.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    n_jobs: Annotated[int, Option(help="Number of processes.", rich_help_panel=_PANEL)] = 1

    @property
    def _n_permutations(self) -> int | None:
        if self.permutations is None and self.calibrate is not None:
            return _N_PERMUTATIONS
        return self.permutations

    def drawn(self) -> PermutationOptions:
        """Return the options with a seed, if there are permutations."""
        if self._n_permutations is None or self.seed is not None:
            return self
        return type(self)(**{**vars(self), "seed": randbelow(2**31)})

    def calibration(
        self, resampling: dict[str, Any], *, design: DesignOptions, connectivity: int | None
    ) -> SubjectCalibration | None:
        """Return the calibration, or None without permutations.

        Parameters
        ----------
        resampling : dict
            Parameters of the calibration that follow from the design.

        design : DesignOptions
            The design. Some of its options are for the calibration.

        connectivity : int or None
            Number of neighbours of a voxel, if it was given.

        Returns
        -------
        calibration : calibration or None
            Not fitted.

        Raises
        ------
        ValueError
            If an option has an unknown value, or would have no effect.
        """
        n_permutations = self._n_permutations
        if n_permutations is None:
            refuse_options(
                "--permutations. Got none",
                template=bool(self.template),
                level_weights=bool(self.level_weights),
                scheme=self.scheme != "auto",
                blocks=design.blocks is not None,
                exchange=design.exchange is not None,
                seed=self.seed is not None,
                step_down=self.step_down,
                n_jobs=self.n_jobs != 1,
                height_threshold=self.height_threshold != _HEIGHT,
            )
            return None
        from ari_estimator.estimators import PermutationCalibration
        from ari_estimator.second_level import ClusterExtentCalibration, JointCalibration

        kind = self.calibrate or "voxels"
        if kind not in CALIBRATIONS:
            raise ValueError(f"--calibrate must be one of {list(CALIBRATIONS)}. Got {kind!r}.")
        shared: dict[str, Any] = {
            "n_permutations": n_permutations,
            "scheme": self.scheme,
            **resampling,
            "random_state": self.seed,
            "n_jobs": self.n_jobs,
        }
        if kind == "voxels":
            refuse_options(
                "--calibrate extent and joint. Got voxels",
                height_threshold=self.height_threshold != _HEIGHT,
            )
        else:
            neighbours: Any = connectivity
            extents = ClusterExtentCalibration(
                self.height_threshold, connectivity=neighbours, **shared
            )
        if kind == "extent":
            refuse_options(
                "--calibrate voxels and joint. Got extent",
                template=bool(self.template),
                level_weights=bool(self.level_weights),
                step_down=self.step_down,
            )
            return extents
        given = self.template or ["simes"]
        voxels = PermutationCalibration(
            given[0] if len(given) == 1 else given,
            level_weights=self.level_weights or None,
            step_down=self.step_down,
            **shared,
        )
        return voxels if kind == "voxels" else JointCalibration([voxels, extents])

    def again(self, *, are_drawn: bool) -> list[str]:
        """Return the options for the same calibration, with a seed if permutations are drawn."""
        if self._n_permutations is None:
            return []
        given = ["--seed", str(self.seed)] if are_drawn else []
        given += ["--permutations", str(self._n_permutations), "--scheme", self.scheme]
        if self.calibrate is not None:
            given += ["--calibrate", self.calibrate]
        if self.height_threshold != _HEIGHT:
            given += ["--height-threshold", str(self.height_threshold)]
        given += [f"--template={one}" for one in self.template or []]
        given += [f"--level-weights={weight}" for weight in self.level_weights or []]
        return [*given, "--step-down"] if self.step_down else given
