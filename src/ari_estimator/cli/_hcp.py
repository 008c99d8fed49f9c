"""``ari hcp``: the results of a task analysis of the HCP pipelines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import mesh_files, read_image
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._programs import ProgramOptions
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import infer, letters_of


def hcp(
    path: Annotated[
        Path,
        Argument(
            metavar="FEAT",
            help="The folder of a task analysis: tfMRI_MOTOR_hp200_s2_level2.feat.",
            show_default=False,
        ),
    ],
    program: ProgramOptions,
    results: ResultOptions,
    talk: TalkOptions,
    contrast: Annotated[
        str | None,
        Option(
            help="Number of the contrast, counted from 1, or its name in Contrasts.txt.",
            show_default="the only one",
        ),
    ] = None,
    mesh: Annotated[
        list[Path] | None,
        Option(
            help="Mesh of a hemisphere. Give it once for each hemisphere.",
            show_default="midthickness of the subject, in MNINonLinear/fsaverage*",
        ),
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of a contrast of the HCP pipelines."""
    from ari_estimator.interfaces import read_hcp

    number = int(contrast) if contrast is not None and contrast.isdecimal() else contrast
    stat_map = read_hcp(path, number, mesh=mesh_files(mesh), two_sided=program.sides)
    if program.mask is not None:
        stat_map = replace(stat_map, mask_img=read_image([program.mask], None, "--mask"))
    outcome = infer(
        program.of(stat_map),
        stat_map.stat_img,
        f"contrast-{letters_of(stat_map.name)}",
        results,
        mask=program.mask_in_words(stat_map),
    )
    used = stat_map.mesh
    on = "" if used is None else f" Mesh: {', '.join(str(used[side]) for side in sorted(used))}."
    return replace(outcome, text=f"{outcome.text} Contrast: {stat_map.name}.{on}")
