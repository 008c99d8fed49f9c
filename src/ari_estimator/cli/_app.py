"""The commands, and how the command line is read."""

from __future__ import annotations

from typing import Annotated

from typer import Exit, Option, Typer
from typer.main import get_command

from ari_estimator._version import __version__
from ari_estimator.cli._clusters import adaptive, clusters, regions
from ari_estimator.cli._command import add_command, print_error
from ari_estimator.cli._demo import demo
from ari_estimator.cli._exit_code import ExitCode
from ari_estimator.cli._explore import explore
from ari_estimator.cli._freesurfer import freesurfer
from ari_estimator.cli._group import group
from ari_estimator.cli._hcp import hcp
from ari_estimator.cli._help import help_on
from ari_estimator.cli._info import info
from ari_estimator.cli._interrupts import is_interrupt
from ari_estimator.cli._power import power
from ari_estimator.cli._programs import afni, fsl, spm
from ari_estimator.cli._report import report
from ari_estimator.cli._sample import sample

app = Typer(
    name="ari",
    help="All-Resolutions Inference: how much of each cluster is truly active.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # All commands inherit this.
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"ari_estimator {__version__}")
        raise Exit


@app.callback()
def _of_all_commands(
    version: Annotated[
        bool, Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """All-Resolutions Inference: how much of each cluster is truly active."""


# Each with a name and an example.
_COMMANDS = (
    (clusters, "clusters", "zstat.nii.gz --mask mask.nii.gz --threshold 3.1 --out results"),
    (adaptive, "adaptive", "zstat.nii.gz --mask mask.nii.gz --tdp 0.7 --out results"),
    (regions, "regions", "zstat.nii.gz --mask mask.nii.gz --atlas atlas.nii.gz --lut atlas.tsv"),
    (group, "group", "--design design.tsv --contrast 'group[T.patient]' --mask mask.nii.gz"),
    (power, "power", "'sub-*/*_effect.nii.gz' --n-subjects 40 --mask mask.nii.gz --threshold 3.1"),
    (explore, "explore", "zstat.nii.gz --mask mask.nii.gz --out explorer.html"),
    (report, "report", "zstat.nii.gz --mask mask.nii.gz --tdp 0.7 --out report.html"),
    (fsl, "fsl", "cope1.feat --stat zstat1 --out cope1.feat/tdp"),
    (spm, "spm", "analysis/ --contrast 1 --tdp 0.7 --out results"),
    (afni, "afni", "'stats+tlrc[2]' --mask mask+tlrc.HEAD --threshold 3.3 --out results"),
    (freesurfer, "freesurfer", "--lh lh.glmdir --rh rh.glmdir --contrast age --out results"),
    (hcp, "hcp", "tfMRI_MOTOR_hp200_s2_level2.feat --contrast LH --out results"),
    (demo, "demo", "--out results"),
    (sample, "sample", "study"),
    (info, "info", "tstat1.nii.gz --json"),
    (help_on, "help", "TDP"),
)
for _command, _name, _example in _COMMANDS:
    add_command(app, _command, _name, f"ari {_name} {_example}")


def run(given: list[str] | None) -> int:
    """Run the ``ari`` command, see :func:`~ari_estimator.cli.main`.

    Parameters
    ----------
    given : list of str or None
        The command line, without the name of the program. None for the command line of the process.

    Returns
    -------
    code : int
        The exit code.

    Raises
    ------
    KeyboardInterrupt
        If there is an interrupt before or after the command itself.
    """
    try:
        code = get_command(app)(given, prog_name="ari", standalone_mode=False)
    except SystemExit as done:  # --show-completion ends so
        return int(done.code or 0)
    except Exception as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from None
        # Bad usage: of all releases of typer, what their errors have in common.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        name = context.command_path if context is not None else "ari"
        if not str(error.format_message()):  # of no arguments, where help was printed
            return ExitCode.BAD_INPUT
        message = error.format_message()
        end = "" if message.endswith((".", "?", "!")) else "."
        print_error(name, f"{message}{end} See {name} --help.")
        return ExitCode.BAD_INPUT
    # typer returns the number for an interrupt that no command has told of.
    if code == ExitCode.INTERRUPTED and not isinstance(code, ExitCode):
        raise KeyboardInterrupt
    return code or 0
