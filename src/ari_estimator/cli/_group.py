"""``ari group``: test a group, and compute the TDP of clusters or regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ari_estimator.cli._choices import MISSING, SCHEMES, TEMPLATES, one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._degrees_of_freedom import df_in_words, write_df
from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._group_contrasts import outcome_of_contrasts, prefixes_of
from ari_estimator.cli._options import ResultOptions, SetOptions, TestOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._results import check_results, letters_of, outcome_of
from ari_estimator.cli._unused_options import refuse_options

if TYPE_CHECKING:
    from ari_estimator.cli._study import Study


def group(
    design: DesignOptions,
    sets: SetOptions,
    test: TestOptions,
    results: ResultOptions,
    talk: TalkOptions,
    images: Annotated[
        list[str] | None,
        Argument(
            metavar="IMG",
            help="Maps of the subjects, or patterns such as 'sub-*/con_0001.nii.gz' and "
            "'sub-*/{lh,rh}.func.gii'. They are volumes, CIFTI files, one CIFTI file with a map "
            "for each subject, or surface files of both hemispheres with --mesh. Or a folder of "
            "BIDS derivatives, see --select (--mask may then be a folder of masks). Leave IMG out "
            "if --design has a column path.",
            show_default=False,
        ),
    ] = None,
    smoothing_fwhm: Annotated[
        float | None, Option(help="Smooth the maps first: full width at half maximum in mm.")
    ] = None,
    missing: Annotated[
        Any,
        Option(
            help="What to do with NaN in maps: omit leaves a subject out of the voxels in which it "
            "is NaN.",
            show_default="as nilearn: 0 in volumes",
            autocompletion=one_of(MISSING),
        ),
    ] = None,
    permutations: Annotated[
        int | None,
        Option(
            help="Calibrate the bounds with this number of permutations or sign flips.",
            show_default="parametric bounds",
            rich_help_panel="Permutations",
        ),
    ] = None,
    template: Annotated[
        list[str] | None,
        Option(
            help="Template: simes, aorc, beta, higher_criticism, power or joint. Repeat it to "
            "calibrate several together.",
            show_default="simes",
            autocompletion=one_of(TEMPLATES),
            rich_help_panel="Permutations",
        ),
    ] = None,
    level_weights: Annotated[
        list[float] | None,
        Option(
            help="Share of alpha of a template, once for each --template; the sum is 1.",
            show_default="one common scale",
            rich_help_panel="Permutations",
        ),
    ] = None,
    scheme: Annotated[
        Any,
        Option(
            help="Scheme: auto, sign_flip, permutation or bootstrap.",
            autocompletion=one_of(SCHEMES),
            rich_help_panel="Permutations",
        ),
    ] = "auto",
    seed: Annotated[
        int | None,
        Option(
            help="Seed of the permutations.", show_default="random", rich_help_panel="Permutations"
        ),
    ] = None,
    step_down: Annotated[
        bool,
        Option(
            "--step-down",
            help="Recalibrate after excluding voxels already rejected.",
            rich_help_panel="Permutations",
        ),
    ] = False,
    n_jobs: Annotated[int, Option(help="Number of processes.", rich_help_panel="Permutations")] = 1,
) -> Outcome:
    """Test a contrast of a group of subjects, and compute the TDP of each cluster."""
    from ari_estimator.cli._study import read_study
    from ari_estimator.estimators import PermutationCalibration
    from ari_estimator.second_level import ARISecondLevelModel

    folder_of_masks = None
    if test.mask is not None and test.mask[0].is_dir():
        folder_of_masks, test = test.mask[0], replace(test, mask=None)
    study = read_study(images or [], design, mesh=test.mesh, folder_of_masks=folder_of_masks)
    record = study.records[0]
    endings = ("_design.tsv", "_contrast.json")
    if design.joint:
        prefixes = prefixes_of(results, study.records, endings)
    else:
        name = f"group_contrast-{letters_of(record.called)}"
        prefix = check_results(results, name, endings)
    calibration = None
    if permutations is not None:
        seed = randbelow(2**31) if seed is None else seed
        calibration = PermutationCalibration(
            template[0] if template and len(template) == 1 else template or "simes",
            level_weights=level_weights or None,
            n_permutations=permutations,
            scheme=scheme,
            **study.resampling,
            step_down=step_down,
            random_state=seed,
            n_jobs=n_jobs,
        )
    else:
        refuse_options(
            "--permutations. Got none",
            template=bool(template),
            level_weights=bool(level_weights),
            scheme=scheme != "auto",
            blocks=design.blocks is not None,
            exchange=design.exchange is not None,
            seed=seed is not None,
            step_down=step_down,
            n_jobs=n_jobs != 1,
        )
    parameters = test.parameters(is_surface=study.is_surface)
    mask_img, mesh = parameters.pop("mask_img"), parameters.pop("mesh")
    if mesh is not None and not study.has_mesh:
        raise ValueError("--mesh is for surfaces and CIFTI files. Got volumes.")
    model = ARISecondLevelModel(
        mask_img=study.mask_img if mask_img is None else mask_img,
        smoothing_fwhm=smoothing_fwhm,
        transformer=sets.transformer({**parameters, "mesh": mesh}, test.mesh),
        calibration=calibration,
        variance_groups=study.variance_groups,
        missing=missing,
    )
    model.fit(study.images, design_matrix=record.design)
    stat_type = "F" if design.f_test else None
    mask = _mask_in_words(test.mask, study, folder_of_masks)
    more = [] if missing is None else ["--missing", missing]
    if smoothing_fwhm is not None:
        more += ["--smoothing-fwhm", str(smoothing_fwhm)]
    if permutations:
        more += ["--seed", str(seed), "--permutations", str(permutations), "--scheme", scheme]
        more += [f"--template={one}" for one in template or []]
        more += [f"--level-weights={weight}" for weight in level_weights or []]
        more += ["--step-down"] if step_down else []
    if design.joint:
        contrasts = {record.called: record.tested for record in study.records}
        model.compute_contrasts(contrasts, second_level_stat_type=stat_type)
        return outcome_of_contrasts(model, study.records, results, prefixes, more, mask=mask)
    model.compute_contrast(record.tested, second_level_stat_type=stat_type, output_type="tdp")
    outcome = outcome_of(
        model,
        results,
        prefix,
        lambda folder: record.write(folder, prefix, more) | write_df(model.df_img_, folder, prefix),
        extra=record.sidecar(mask),
        mask=mask,
    )
    lines = [outcome.text, record.text(outcome.files.get("design"))]
    if model.df_img_ is not None:
        lines.append(df_in_words(model, model.df_img_))
    outcome.facts["n_subjects"] = record.n_subjects
    outcome.facts["n_rows"] = len(record.design)
    outcome.facts["contrast"] = record.called
    outcome.facts["design"] = record.facts(mask)
    if model.calibration_ is not None:
        fitted = model.calibration_
        parts = fitted.sides_ or {"": fitted}
        each = {sign: one.calibration_.parts for sign, one in parts.items()}
        lambdas = {sign: _alone([one.lambda_ for one in own]) for sign, own in each.items()}
        intervals = {
            sign: _alone([list(one.lambda_interval()) for one in own]) for sign, own in each.items()
        }
        outcome.facts["lambda"] = lambdas.get("", lambdas)
        outcome.facts["lambda_interval"] = intervals.get("", intervals)
        outcome.facts["true_discoveries_interval"] = model.maps_.true_discoveries_interval
        outcome.facts["n_permutations"] = fitted.n_permutations_
        outcome.facts["scheme"] = fitted.scheme_
        outcome.facts["statistic"] = fitted.stat_type_
        outcome.facts["seed"] = fitted.seed_
        taken = f"{fitted.n_permutations_:,} permutations"
        drawn = "all that there are" if fitted.seed_ is None else f"seed {fitted.seed_}"
        lines.append(f"{taken} · {fitted.scheme_} · {fitted.stat_type_} statistics · {drawn}")
        ends = model.maps_.true_discoveries_interval
        if ends is not None:
            in_words = " · ".join(
                _lambda_in_words(sign, one, len(own)) for sign, own in each.items() for one in own
            )
            its = "its" if sum(map(len, each.values())) == 1 else "their"
            lines.append(f"{in_words} · at {its} ends at least {ends[0]:,} and {ends[1]:,} active")
    return replace(outcome, text="\n".join(lines))


def _alone(values: list[Any]) -> Any:
    """Return the only value, or all of several templates."""
    return values[0] if len(values) == 1 else values


def _lambda_in_words(sign: str, calibration: Any, n_templates: int) -> str:
    """Return lambda of a sign and a template, with its Monte Carlo interval."""
    of = f" of {sign} effects" if sign else ""
    if n_templates > 1:
        of += f" of {calibration.template.in_words} at level {calibration.alpha:.3g}"
    low, high = calibration.lambda_interval()
    return (
        f"lambda{of} {calibration.lambda_:.3g} · 95 % Monte Carlo interval {low:.3g} to {high:.3g}"
    )


def _mask_in_words(given: Sequence[Path] | None, study: Study, folder: Path | None) -> str:
    """Return which mask there is: a file, or how it was made."""
    if given is not None:
        return ", ".join(str(path) for path in given)
    if study.mask_img is None:
        is_cifti = study.has_mesh and not study.is_surface
        return "all grayordinates of the maps" if is_cifti else "computed from the maps"
    place = "" if folder is None else f" in {folder}"
    return f"common to the brain masks of all subjects{place}"
