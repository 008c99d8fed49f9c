"""``ari group``: from the maps of subjects to clusters or regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from secrets import randbelow
from typing import Annotated, Any

from typer import Argument, Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._options import ResultOptions, SetOptions, TestOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._results import check_results, letters_of, outcome_of
from ari_estimator.cli._unused_options import refuse_options


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
            help="Map of each subject, or patterns such as 'sub-*/con_0001.nii.gz'; or a folder "
            "of BIDS derivatives, see --select (--mask may then be a folder of brain masks). None "
            "if --design has a column path.",
            show_default=False,
        ),
    ] = None,
    smoothing_fwhm: Annotated[
        float | None, Option(help="Smoothing of the maps, full width at half maximum in mm.", min=0)
    ] = None,
    permutations: Annotated[
        int | None,
        Option(
            help="Calibrate bounds by so many permutations or sign flips of the subjects.",
            show_default="parametric bounds",
            rich_help_panel="Permutations",
        ),
    ] = None,
    template: Annotated[
        str,
        Option(
            help="simes, aorc, beta, higher_criticism or power.", rich_help_panel="Permutations"
        ),
    ] = "simes",
    seed: Annotated[
        int | None,
        Option(
            help="Seed of the permutations.", show_default="drawn", rich_help_panel="Permutations"
        ),
    ] = None,
    step_down: Annotated[
        bool,
        Option(
            "--step-down",
            help="Calibrate again without what is found.",
            rich_help_panel="Permutations",
        ),
    ] = False,
    n_jobs: Annotated[int, Option(help="Number of processes.", rich_help_panel="Permutations")] = 1,
) -> Outcome:
    """Test a contrast of a group of subjects, and say how much of each cluster is active."""
    from ari_estimator.cli._study import read_study
    from ari_estimator.estimators import ARISecondLevelModel, PermutationCalibration

    folder_of_masks = None
    if test.mask is not None and test.mask[0].is_dir():
        folder_of_masks, test = test.mask[0], replace(test, mask=None)
    study = read_study(images or [], design, mesh=test.mesh, folder_of_masks=folder_of_masks)
    record = study.record
    name = f"group_contrast-{letters_of(record.contrast)}"
    prefix = check_results(results, name)
    calibration = None
    if permutations is not None:
        seed = randbelow(2**31) if seed is None else seed
        calibration = PermutationCalibration(
            template,
            n_permutations=permutations,
            blocks=study.blocks,
            step_down=step_down,
            random_state=seed,
            n_jobs=n_jobs,
            verbose=int(talk.shows_progress),
        )
    else:
        refuse_options(
            "--permutations. Got none",
            template=template != "simes",
            seed=seed is not None,
            step_down=step_down,
            n_jobs=n_jobs != 1,
        )
    parameters = test.parameters(is_surface=study.is_surface)
    mask_img, mesh = parameters.pop("mask_img"), parameters.pop("mesh")
    if mesh is not None and not study.is_surface:
        raise ValueError("--mesh is for surfaces, and the maps are none.")
    model = ARISecondLevelModel(
        mask_img=study.mask_img if mask_img is None else mask_img,
        smoothing_fwhm=smoothing_fwhm,
        transformer=sets.transformer(parameters, test.mesh),
        calibration=calibration,
    )
    model.fit(study.images, design_matrix=record.design)
    model.compute_contrast(record.contrast, output_type="tdp")
    mask = _mask_in_words(test.mask, study.mask_img, folder_of_masks)
    more = ["--seed", str(seed), "--permutations", str(permutations)] if permutations else []
    outcome = outcome_of(
        model,
        results,
        prefix,
        lambda folder: record.write(folder, prefix, more),
        extra=record.sidecar(mask),
    )
    lines = [outcome.text, record.text(mask)]
    outcome.facts["n_subjects"] = len(study.images)
    outcome.facts["contrast"] = record.contrast
    outcome.facts["design"] = record.facts(mask)
    if model.calibration_ is not None:
        fitted = model.calibration_
        outcome.facts["lambda"] = fitted.lambda_
        outcome.facts["n_permutations"] = fitted.n_permutations_
        outcome.facts["scheme"] = fitted.scheme_
        outcome.facts["seed"] = seed
        lines.append(f"{fitted.n_permutations_:,} permutations · {fitted.scheme_} · seed {seed}")
    return replace(outcome, text="\n".join(lines))


def _mask_in_words(given: Sequence[Path] | None, of_subjects: Any, folder: Path | None) -> str:
    """Return which mask there is: a file, or how it was made."""
    if given is not None:
        return ", ".join(str(path) for path in given)
    if of_subjects is None:
        return "computed from the maps"
    place = "" if folder is None else f" in {folder}"
    return f"common to the brain masks of all subjects{place}"
