"""``ari sample``: write a simulated study to try the other commands on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._out import parse_out
from ari_estimator.cli._outcome import Outcome


def sample(
    talk: TalkOptions,
    out: Annotated[
        Path,
        Argument(
            parser=parse_out,
            metavar="DIR",
            help="Folder to write to. It must be new or empty.",
            show_default=False,
        ),
    ],
    force: Annotated[
        bool,
        Option(
            "--force",
            help="Write to a folder that is not empty, and replace files of the same names.",
            rich_help_panel="Results",
        ),
    ] = False,
) -> Outcome:
    """Write a simulated study with a known truth, to try the other commands on.

    The study has the maps of 24 subjects, tables, group statistics, an atlas, surfaces, and small
    folders in the layout of FSL, SPM, AFNI and FreeSurfer.
    """
    from ari_estimator.datasets import write_sample_study

    try:
        files = write_sample_study(out, overwrite=force, inputs=inputs_of_command())
    except FileExistsError as error:
        raise FileExistsError(f"{error} --force writes there nevertheless.") from None
    told = "\n".join(f"  {line}" for line in _lines(out, files))
    folder = shlex.quote(str(out))
    text = (
        f"{len(files)} files of a simulated study of 24 subjects written to {out}:\n{told}\n"
        f"Next: cd {folder} && ari clusters zstat.nii.gz --mask mask.nii.gz --threshold 3.1 "
        "--cluster-threshold 20"
    )
    return Outcome(text, facts={"written": [str(file) for file in files]})


def _lines(folder: Path, files: Sequence[Path]) -> list[str]:
    """Return a line for each file, and one line for the folders of all subjects."""
    names = [file.relative_to(folder).as_posix() for file in files]
    subjects = [name for name in names if name.startswith("sub-")]
    others = [name for name in names if name not in subjects]
    return [f"{subjects[0]} ... {subjects[-1]}", *others]
