"""How commands run: they print results, and report errors in one line."""

from __future__ import annotations

import shlex
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from io import TextIOWrapper
from typing import Annotated, Any

from rich.console import Console
from typer import Option, Typer

from ari_estimator._progress import progress
from ari_estimator.cli._exit_code import ExitCode
from ari_estimator.cli._inputs import inputs_among
from ari_estimator.cli._interrupts import is_interrupt, left_by_interrupt
from ari_estimator.cli._option_groups import flat_options, with_option_groups
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._parameter_names import ParameterNames
from ari_estimator.cli._printing import output_console, print_error_line, print_plain
from ari_estimator.files._whole_files import recorded_files


@dataclass(frozen=True)
class TalkOptions:
    """How much a command prints, and in which form."""

    quiet: Annotated[
        bool,
        Option(
            "--quiet",
            "-q",
            help="Print only errors, and the output of --json.",
            rich_help_panel="Output",
        ),
    ] = False
    json: Annotated[
        bool, Option("--json", help="Print JSON, for other programs.", rich_help_panel="Output")
    ] = False
    debug: Annotated[
        bool, Option("--debug", help="Print the traceback of an error.", rich_help_panel="Output")
    ] = False

    @property
    def shows_progress(self) -> bool:
        """Whether bars of progress are wanted, if there is a terminal to show them."""
        return not (self.quiet or self.json)

    def say(self, step: str) -> None:
        """Print what the command does next, on standard error; nothing with --quiet or --json."""
        if self.shows_progress and sys.stderr is not None:
            print_error_line(step, "dim")


def add_command(app: Typer, function: Callable[..., Outcome], name: str, example: str) -> None:
    """Make a command of a function.

    Parameters
    ----------
    app : Typer
        What gets the command.

    function : callable
        Returns an Outcome. It has a parameter ``talk``, which is a TalkOptions.

    name : str
        Name of the command.

    example : str
        A command line, shown in its help.
    """

    @wraps(function)
    def run(**given: Any) -> ExitCode:
        names = ParameterNames(*flat_options(given))
        with inputs_among(given):
            return run_and_tell(name, partial(function, **given), given["talk"], names)

    app.command(name, epilog=f"Example: {example}")(with_option_groups(run))


def run_and_tell(
    name: str, function: Callable[[], Outcome], talk: TalkOptions, names: ParameterNames
) -> ExitCode:
    """Run a command, print what it has found, and return its exit code.

    Parameters
    ----------
    name : str
        Name of the command.

    function : callable
        The command.

    talk : TalkOptions
        What to print.

    names : ParameterNames
        What messages call the parameters of Python.

    Returns
    -------
    code : ExitCode
        0 if it is done, 2 for bad input, 130 if it was interrupted, and 1 for what should not
        happen.
    """
    with recorded_files() as written:
        try:
            return _run_and_tell(name, function, talk, names)
        except KeyboardInterrupt:
            return _fail(name, left_by_interrupt(written), ExitCode.INTERRUPTED, talk)


def _run_and_tell(
    name: str, function: Callable[[], Outcome], talk: TalkOptions, names: ParameterNames
) -> ExitCode:
    if sys.stdout is None and (talk.json or not talk.quiet):
        # Told before any work is done.
        text = "standard output is closed. --quiet prints nothing, and --out writes files."
        return _fail(name, text, ExitCode.BAD_INPUT, talk)
    try:
        with _plain_warnings(talk.quiet, names), progress(f"ari {name}", shown=talk.shows_progress):
            outcome = function()
    except Exception as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from None
        # What the package raises for bad input, and the system for files.
        if isinstance(error, (ValueError, TypeError, OSError)):
            return _fail(name, names.as_options(_told(error)), ExitCode.BAD_INPUT, talk)
        text = f"{_told(error)} (an unexpected {type(error).__name__}; --debug shows where)"
        return _fail(name, text, ExitCode.UNEXPECTED, talk)
    return _tell(name, outcome, talk)


def command_line() -> str:
    """Return the command line as it may be typed again."""
    return shlex.join(["ari", *sys.argv[1:]])


def print_error(name: str, text: str) -> None:
    """Print one line on standard error."""
    print_error_line(f"{name}: {text}", "red")


def _tell(name: str, outcome: Outcome, talk: TalkOptions) -> ExitCode:
    """Print what a command has found."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal or file may not have all letters of a name.
        sys.stdout.reconfigure(errors="replace")
    try:
        if talk.json:
            print(outcome.to_json())
        elif not talk.quiet:
            # Imported when it is needed, as pandas is: help and errors wait for neither.
            from ari_estimator.cli._terminal import print_outcome

            print_outcome(outcome, output_console())
        if sys.stdout is not None:  # it may be closed, if nothing is printed
            sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough: typer ends without a word
        raise
    except OSError as error:
        return _fail(name, f"standard output: {_told(error)}", ExitCode.BAD_INPUT, talk)
    return ExitCode.DONE


def _fail(name: str, text: str, code: ExitCode, talk: TalkOptions) -> ExitCode:
    if talk.debug:
        print_plain(Console(stderr=True), traceback.format_exc().rstrip(), soft_wrap=True)
    print_error(f"ari {name}", text)
    return code


def _told(error: BaseException) -> str:
    """Return the message of an error as one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _plain_warnings(quiet: bool, names: ParameterNames) -> Iterator[None]:
    """Print warnings that are meant for users as one line each, and no others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not quiet:
            warnings.filterwarnings("default", category=UserWarning, module="ari_estimator")
            warnings.filterwarnings("default", category=UserWarning, module="nilearn")

        def show(message: Any, *_: Any, **__: Any) -> None:
            text = names.as_options(" ".join(str(message).split()))
            print_error_line(f"warning: {text}", "yellow")

        warnings.showwarning = show
        yield
