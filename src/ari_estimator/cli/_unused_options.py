"""Refuse options of commands that would have no effect."""

from __future__ import annotations


def refuse_options(what_for: str, **is_given: bool) -> None:
    """Refuse given options that would have no effect.

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
