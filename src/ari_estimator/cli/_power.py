"""``ari power``: the TDP to expect of a larger study, from the maps of a pilot study."""

from __future__ import annotations

from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ari_estimator.cli._choices import TEMPLATES, one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._design import DesignOptions
from ari_estimator.cli._group_model import SmoothingOption, group_model
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._out import naming_force, parse_out
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._set_options import SetOptions
from ari_estimator.cli._test_options import TestOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._output_path import file_to_write
from ari_estimator.files._whole_files import whole_file

if TYPE_CHECKING:
    import pandas as pd


def power(
    sets: SetOptions,
    test: TestOptions,
    talk: TalkOptions,
    images: Annotated[
        list[str],
        Argument(
            metavar="IMG",
            help="Maps of the subjects of the pilot, or patterns such as "
            "'sub-*/con_0001.nii.gz', as for ari group.",
            show_default=False,
        ),
    ],
    n_subjects: Annotated[
        list[int],
        Option(
            help="Number of subjects of the larger study. Repeat it for several.",
            show_default=False,
        ),
    ],
    select: Annotated[
        list[str] | None,
        Option(
            help="For a folder of BIDS derivatives: which maps to use, such as contrast=faces. "
            "Repeat it for several.",
            show_default=False,
        ),
    ] = None,
    map_: Annotated[
        str | None,
        Option(
            "--map",
            help="For files with several maps each: number of the map, counted from 0; or its name "
            "in CIFTI files.",
            show_default=False,
        ),
    ] = None,
    simulations: Annotated[int, Option(help="Number of simulated studies.")] = 100,
    no_shrinkage: Annotated[
        bool,
        Option(
            "--no-shrinkage",
            help="Take the effects of the pilot as they are. The forecast is then far too high.",
        ),
    ] = False,
    smoothing_fwhm: SmoothingOption = None,
    permutations: Annotated[
        int | None,
        Option(
            help="Calibrate the bounds of each simulated study with this number of sign flips.",
            show_default="parametric bounds",
            rich_help_panel="Permutations",
        ),
    ] = None,
    template: Annotated[
        str,
        Option(
            help="Template: simes, aorc, beta, higher_criticism, power or joint.",
            autocompletion=one_of(TEMPLATES),
            rich_help_panel="Permutations",
        ),
    ] = "simes",
    seed: Annotated[int | None, Option(help="Seed.", show_default="random")] = None,
    out: Annotated[
        Path | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Table to write; its name ends in .tsv.",
            show_default="no file",
            rich_help_panel="Results",
        ),
    ] = None,
    force: Annotated[
        bool, Option("--force", help="Replace an existing file.", rich_help_panel="Results")
    ] = False,
) -> Outcome:
    """Forecast the TDP of a larger study from the maps of a one-sample pilot study."""
    from ari_estimator.cli._study import read_study
    from ari_estimator.estimators import PermutationCalibration
    from ari_estimator.second_level import expected_tdp

    if out is not None:
        if out.suffix.lower() != ".tsv":
            raise ValueError(f"--out must name a file that ends in .tsv. Got {str(out)!r}.")
        with naming_force():
            out = file_to_write(out, "--out", overwrite=force, inputs=inputs_of_command())
    else:
        refuse_options("--out. Got none", force=force)
    seed = randbelow(2**31) if seed is None else seed
    calibration = None
    if permutations is None:
        refuse_options("--permutations. Got none", template=template != "simes")
    else:
        calibration = PermutationCalibration(
            template, n_permutations=permutations, random_state=seed
        )
    options = DesignOptions(select=select, map=map_)
    study = read_study(images, options, mesh=test.mesh, mask=test.mask)
    model = group_model(study, sets, test, smoothing_fwhm=smoothing_fwhm, calibration=calibration)
    forecast = expected_tdp(
        model,
        n_subjects,
        study.records[0].tested,
        shrink=not no_shrinkage,
        n_simulations=simulations,
        random_state=seed,
        verbose=int(talk.shows_progress),
    )
    files = {}
    if out is not None:
        from ari_estimator.interfaces._table_file import write_table

        writing = whole_file(out, "--out", overwrite=force, inputs=inputs_of_command())
        with naming_force(), writing as temporary:
            write_table(temporary, forecast)
        files["table"] = out
    facts = {
        "forecast": forecast.to_dict("records"),
        "n_pilot": len(study.images),
        "simulations": simulations,
        "seed": seed,
    }
    return Outcome(_in_words(forecast, len(study.images), simulations, seed), None, files, facts)


def _in_words(forecast: pd.DataFrame, n_pilot: int, simulations: int, seed: int) -> str:
    """Return the forecast as lines of text."""
    lines = forecast.to_string(index=False, float_format="{:.2f}".format)
    return (
        f"{lines}\n"
        f"Forecast from a pilot of {n_pilot} subjects · {simulations:,} simulated studies for each "
        f"number of subjects · seed {seed}\n"
        "This is no guarantee, and the range from tdp_10 to tdp_90 is too narrow: see 'How much "
        "power do I have?' in the documentation."
    )
