"""Where the ``ari`` command starts: it can be interrupted before the rest is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ari_estimator.cli._exit_code import ExitCode
from ari_estimator.cli._interrupts import ending_by_interrupt, left_by_interrupt
from ari_estimator.cli._rare_collections import rare_collections
from ari_estimator.files._deferred_signals import deferred_signals


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the ``ari`` command.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        The command line, without the name of the program. None for the command line of the
        process, which ends when this function returns: later signals do not change its exit code.

    Returns
    -------
    code : int
        0 if all is done, 2 for bad usage or bad input, 130 after an interrupt, 1 for what
        should not happen.
    """
    ends_process = arguments is None
    with (
        ending_by_interrupt(ends_process=ends_process),
        rare_collections(ends_process=ends_process),
    ):
        written: list[Path] = []
        try:
            # An interrupt in the middle of an import would leave modules half made.
            with deferred_signals():
                from ari_estimator.cli._app import run
                from ari_estimator.files._whole_files import recorded_files
            with recorded_files() as written:
                return int(run(None if arguments is None else list(arguments)))
        except KeyboardInterrupt:  # before or after the command itself
            if sys.stderr is not None:
                print(f"ari: {left_by_interrupt(written)}", file=sys.stderr)
            return int(ExitCode.INTERRUPTED)
