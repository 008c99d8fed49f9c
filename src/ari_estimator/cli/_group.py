"""``ari group``: test a group, and compute the TDP of clusters or regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ari_estimator.cli._calibration_facts import are_drawn, calibration_facts, calibration_lines
from ari_estimator.cli._choices import MISSING, one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._degrees_of_freedom import df_in_words, write_df
from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._group_contrasts import outcome_of_contrasts, prefixes_of
from ari_estimator.cli._group_model import SmoothingOption, group_model
from ari_estimator.cli._options_again import options_again
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._permutation_options import PermutationOptions
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import check_results, letters_of, outcome_of
from ari_estimator.cli._set_options import SetOptions
from ari_estimator.cli._test_options import TestOptions

if TYPE_CHECKING:
    from ari_estimator.cli._study import Study


def group(
    design: DesignOptions,
    sets: SetOptions,
    test: TestOptions,
    resampled: PermutationOptions,
    results: ResultOptions,
    talk: TalkOptions,
    images: Annotated[
        list[str] | None,
        Argument(
            metavar="IMG",
            help="Maps of the subjects, or patterns such as 'sub-*/con_0001.nii.gz' and "
            "'sub-*/{lh,rh}.func.gii'. They are volumes, CIFTI files, one CIFTI file with a map "
            "for each subject, or a surface file of each hemisphere with --mesh. Or a folder of "
            "BIDS derivatives, see --select (--mask may then be a folder of masks). Leave IMG out "
            "if --design has a column path.",
            show_default=False,
        ),
    ] = None,
    smoothing_fwhm: SmoothingOption = None,
    missing: Annotated[
        str | None,
        Option(
            help="What to do with NaN in maps: omit leaves a subject out of the voxels in which it "
            "is NaN.",
            show_default="as nilearn: 0 in volumes",
            autocompletion=one_of(MISSING),
        ),
    ] = None,
) -> Outcome:
    """Test a contrast of a group of subjects, and compute the TDP of each cluster."""
    from ari_estimator.cli._study import read_study

    study = read_study(images or [], design, mesh=test.mesh, mask=test.mask)
    record = study.records[0]
    endings = ("_design.tsv", "_contrast.json")
    if design.joint:
        prefixes = prefixes_of(results, study.records, endings)
    else:
        name = f"group_contrast-{letters_of(record.called)}"
        prefix = check_results(results, name, endings)
    resampled = resampled.drawn()
    calibration = resampled.calibration(
        study.resampling, design=design, connectivity=sets.connectivity
    )
    model = group_model(
        study,
        sets,
        test,
        smoothing_fwhm=smoothing_fwhm,
        calibration=calibration,
        missing=missing,
    )
    stat_type = "F" if design.f_test else None
    mask = _mask_in_words(test.mask, study)
    more = [*options_again(sets), *options_again(test)]
    if missing is not None:
        more += ["--missing", missing]
    if smoothing_fwhm is not None:
        more += ["--smoothing-fwhm", str(smoothing_fwhm)]
    if design.joint:
        contrasts = {record.called: record.tested for record in study.records}
        model.compute_contrasts(contrasts, second_level_stat_type=stat_type)
        more += resampled.again(are_drawn=are_drawn(model.transformers_.values()))
        return outcome_of_contrasts(model, study.records, results, prefixes, more, mask=mask)
    model.compute_contrast(record.tested, second_level_stat_type=stat_type, output_type="tdp")
    more += resampled.again(are_drawn=are_drawn([model.transformer_]))
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
        outcome.facts.update(calibration_facts(model))
        lines += calibration_lines(model)
    return replace(outcome, text="\n".join(lines))


def _mask_in_words(given: Sequence[Path] | None, study: Study) -> str:
    """Return which mask there is: a file, or how it was made."""
    folder = study.folder_of_masks
    if given is not None and folder is None:
        return ", ".join(str(path) for path in given)
    if study.mask_img is None:
        is_cifti = study.has_mesh and not study.is_surface
        return "all grayordinates of the maps" if is_cifti else "computed from the maps"
    place = "" if folder is None else f" in {folder}"
    return f"common to the brain masks of all subjects{place}"
