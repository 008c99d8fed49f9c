"""``ari help``: what a term means, or the help of a command."""

from __future__ import annotations

from textwrap import fill
from typing import Annotated, Any

from typer import Argument
from typer.main import get_command

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._glossary import find_entry, read_glossary
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._unused_options import refuse_options

_INDENT = "  "


def help_on(
    talk: TalkOptions,
    words: Annotated[
        list[str] | None,
        Argument(
            metavar="TERM",
            help="A term, such as TDP or critical vector, or the name of a command.",
            show_default=False,
        ),
    ] = None,
) -> Outcome:
    """Explain a term, or show the help of a command. Without a term, list all terms."""
    term = " ".join(words or [])
    if not term:
        return _list_of_terms()
    if _is_command(term):
        refuse_options(f"terms of the glossary. {term!r} is a command", json=talk.json)
        _show_command(term)
        return Outcome("")
    entry = find_entry(term)
    facts = {"terms": list(entry.terms), "definition": entry.definition}
    definition = fill(entry.definition, 80, initial_indent=_INDENT, subsequent_indent=_INDENT)
    return Outcome(f"{entry.title}\n{definition}", facts=facts)


def _list_of_terms() -> Outcome:
    entries = read_glossary()
    lines = [
        *(entry.title for entry in entries),
        "",
        "'ari help TERM' explains a term. 'ari help COMMAND' shows the options of a command.",
    ]
    return Outcome("\n".join(lines), facts={"terms": [list(entry.terms) for entry in entries]})


def _is_command(name: str) -> bool:
    return name in getattr(_commands(), "commands", {})


def _show_command(name: str) -> None:
    """Print the help of a command."""
    _commands()([name, "--help"], prog_name="ari", standalone_mode=False)


def _commands() -> Any:
    from ari_estimator.cli._app import app  # which imports this module

    return get_command(app)
