"""``ari group``: from the maps of subjects to clusters or regions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

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
        int | None, Option(help="Seed of the permutations.", rich_help_panel="Permutations")
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
    name = f"group_contrast-{letters_of(study.contrast)}"
    prefix = check_results(results, name)
    calibration = None
    if permutations is not None:
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
    model.fit(study.images, design_matrix=study.design)
    model.compute_contrast(study.contrast, output_type="tdp")
    outcome = outcome_of(model, results, prefix)
    outcome.facts["n_subjects"] = len(study.images)
    outcome.facts["contrast"] = study.contrast
    if model.calibration_ is not None:
        outcome.facts["lambda"] = model.calibration_.lambda_
        outcome.facts["n_permutations"] = model.calibration_.n_permutations_
        outcome.facts["scheme"] = model.calibration_.scheme_
    return outcome
