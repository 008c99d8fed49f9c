"""The exit codes of the commands."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    INTERRUPTED = 130
