"""How commands run: what they find is printed, and what goes wrong is told in one line."""

from __future__ import annotations

import shlex
import signal
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

from ari_estimator.cli._option_groups import with_option_groups
from ari_estimator.cli._outcome import Outcome

# Columns of what is not a terminal.
_WIDE = 160

DONE, UNEXPECTED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class TalkOptions:
    """How much a command says, and to whom."""

    quiet: Annotated[
        bool,
        Option(
            "--quiet",
            "-q",
            help="Print nothing but errors, and what --json asks for.",
            rich_help_panel="Output",
        ),
    ] = False
    json: Annotated[
        bool, Option("--json", help="Print JSON, for machines.", rich_help_panel="Output")
    ] = False
    debug: Annotated[
        bool, Option("--debug", help="Show where an error comes from.", rich_help_panel="Output")
    ] = False

    @property
    def shows_progress(self) -> bool:
        """Whether bars of progress are wanted, and there is a terminal to show them."""
        return not (self.quiet or self.json) and sys.stderr.isatty()


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
    def run(**given: Any) -> int:
        return run_and_tell(name, partial(function, **given), given["talk"])

    app.command(name, epilog=f"Example: {example}")(with_option_groups(run))


def run_and_tell(name: str, function: Callable[[], Outcome], talk: TalkOptions) -> int:
    """Run a command, print what it has found, and return its exit code.

    Parameters
    ----------
    name : str
        Name of the command.

    function : callable
        The command.

    talk : TalkOptions
        What to print.

    Returns
    -------
    code : int
        0 if it is done, 2 for bad input, 130 if it was interrupted, and 1 for what should not
        happen.
    """
    try:
        with _plain_warnings(talk.quiet), _termination():
            outcome = function()
    # What the package raises for bad input, and the system for files.
    except (ValueError, TypeError, OSError) as error:
        return _fail(name, _told(error), BAD_INPUT, talk)
    except KeyboardInterrupt:
        return _fail(name, "interrupted; nothing was written", INTERRUPTED, talk)
    except Exception as error:
        text = f"{_told(error)} (an unexpected {type(error).__name__}; --debug shows where)"
        return _fail(name, text, UNEXPECTED, talk)
    return _tell(name, outcome, talk)


def command_line() -> str:
    """Return the command line as it may be typed again."""
    return shlex.join(["ari", *sys.argv[1:]])


def print_error(name: str, text: str) -> None:
    """Print one line on standard error."""
    Console(stderr=True).print(
        f"{name}: {text}", style="red", soft_wrap=True, highlight=False, markup=False
    )


def _tell(name: str, outcome: Outcome, talk: TalkOptions) -> int:
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

            # Into a file, nothing is left out for want of room.
            print_outcome(outcome, Console(width=None if sys.stdout.isatty() else _WIDE))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough: typer ends without a word
        raise
    except OSError as error:
        return _fail(name, f"standard output: {_told(error)}", BAD_INPUT, talk)
    except KeyboardInterrupt:
        return _fail(name, "interrupted", INTERRUPTED, talk)
    return DONE


def _fail(name: str, text: str, code: int, talk: TalkOptions) -> int:
    if talk.debug:
        traceback.print_exc()
    print_error(f"ari {name}", text)
    return code


def _told(error: BaseException) -> str:
    """Return the message of an error as one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.strerror}: {error.filename}"
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _plain_warnings(quiet: bool) -> Iterator[None]:
    """Print warnings that are meant for users as one line each, and no others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not quiet:
            warnings.filterwarnings("default", category=UserWarning, module="ari_estimator")
            warnings.filterwarnings("default", category=UserWarning, module="nilearn")
        console = Console(stderr=True)

        def show(message: Any, *_: Any, **__: Any) -> None:
            text = " ".join(str(message).split())
            console.print(
                f"warning: {text}", style="yellow", soft_wrap=True, highlight=False, markup=False
            )

        warnings.showwarning = show
        yield


@contextmanager
def _termination() -> Iterator[None]:
    """Let a request to end be an interrupt, so that temporary files are removed."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread, where no signal arrives
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
