"""The rule for options of commands that would do nothing: they are refused."""

from __future__ import annotations


def refuse_options(what_for: str, **is_given: bool) -> None:
    """Refuse options that were given although they would do nothing.

    Parameters
    ----------
    what_for : str
        What the options are for, and what was found instead, as the end of a sentence.

    **is_given : bool
        Whether each option was given, by its name.

    Raises
    ------
    ValueError
        If one was. The message names the first.
    """
    for name, given in is_given.items():
        if given:
            raise ValueError(f"--{name.replace('_', '-')} is for {what_for}.")
