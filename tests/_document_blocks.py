"""The code blocks of a page, and how each kind runs as a reader would run it."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib

LANGUAGES = ("python", "pycon", "shell", "console")

# Output may have other white space, and anything in place of "...".
COMPARISON = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

# Commands of a page that do not run in its test, and why.
NOT_RUN = {
    r"(python -m )?pip install\b": "changes the environment of the tests; CI installs the package",
    r"python -m venv\b": "an environment for what is not installed here",
    r"source \.venv\b": "the environment that is not made here",
    r"git (add|clone|switch|checkout|commit|push)\b": "needs a network or a checkout",
    r"(python -m )?pytest\b": "these are the tests",
    r"(ruff|mypy|codespell|vale|python docs/_style)\b": "CI runs the linters on the checkout",
    r"(python -m )?nox\b": "makes environments; CI runs its sessions",
    r"pre-commit\b": "changes the checkout; its hooks are the linters",
    r"python benchmarks\b": "takes many minutes, on the checkout",
    r"(python -m )?sphinx-build\b": "CI builds the site from the checkout",
    r"(python -m )?playwright install\b": "downloads a browser",
    r"\.ci/run\b": "runs all checks, this one included",
}

_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<ticks>`{3,}|~{3,})(?P<info>.*)")


@dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes
    ----------
    language : str
        One of LANGUAGES.

    source : str
        What is in it.

    line : int
        The line of the page on which the source starts, from 1 on.
    """

    language: str
    source: str
    line: int


def blocks_of(markdown: str) -> list[Block]:
    """Return the blocks that run, in their order; those in directives such as tabs too."""
    lines = markdown.splitlines()
    blocks: list[Block] = []
    start = 0
    while start < len(lines):
        fence = _FENCE.fullmatch(lines[start])
        start += 1
        if fence is None or fence["info"].lstrip().startswith("{") or not fence["info"].strip():
            continue
        end = start
        while end < len(lines) and lines[end].strip() != fence["ticks"]:
            end += 1
        language = fence["info"].split()[0]
        if language in LANGUAGES:
            source = textwrap.dedent("\n".join(lines[start:end])) + "\n"
            blocks.append(Block(language, source, start + 1))
        start = end + 1
    return blocks


def is_run(command: str) -> bool:
    """Tell whether a command is none of those that do not run."""
    return not any(re.match(pattern, command.strip()) for pattern in NOT_RUN)


def runnable(line: str) -> str:
    """Return a line of shell without the commands that do not run."""
    parts = [part for part in line.split(" && ") if is_run(part)]
    return " && ".join(parts)


@dataclass(frozen=True)
class Step:
    """A command of a ``console`` block, and what it prints."""

    command: str
    output: str


def steps_of(source: str) -> Iterator[Step]:
    """Yield commands (lines after ``$ ``, with their continuations) and the output below each."""
    command: list[str] = []
    output: list[str] = []
    for line in source.splitlines():
        continues = bool(command) and not output and command[-1].endswith("\\")
        if line.startswith("$ ") and not continues:
            if command:
                yield Step("\n".join(command), "\n".join(output))
            command, output = [line[2:]], []
        elif continues:
            command.append(line.removeprefix("> "))
        elif command:
            output.append(line)
        else:
            raise ValueError(f"A console block must start with '$ '. Got {line!r}.")
    if command:
        yield Step("\n".join(command), "\n".join(output))


class BlockError(Exception):
    """A block that does not run, or does not print what the page says."""


@dataclass
class PageRunner:
    """One page on its way: its Python namespace, and the folder where it is.

    Parameters
    ----------
    page : Path
        The file of the page.

    environment : mapping of str to str
        Of its shell.
    """

    page: Path
    environment: Mapping[str, str]
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def run(self, block: Block) -> None:
        """Run a block in the current folder; a shell block may change the folder.

        Raises
        ------
        BlockError
            If it fails. The message has the page, the line, the block and what it printed.
        """
        try:
            getattr(self, f"_run_{block.language}")(block)
        except BlockError as error:
            raise BlockError(
                f"{self.page}:{block.line}: this {block.language} block fails\n\n"
                f"{textwrap.indent(block.source, '    ')}\n{error}"
            ) from None

    def _run_python(self, block: Block) -> None:
        printed = StringIO()
        try:
            # Lines count from the start of the page, so that tracebacks show them.
            code = compile("\n" * (block.line - 1) + block.source, str(self.page), "exec")
            with redirect_stdout(printed), redirect_stderr(printed):
                exec(code, self.namespace)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise BlockError(f"{printed.getvalue()}{traceback.format_exc()}") from None

    def _run_pycon(self, block: Block) -> None:
        parser = doctest.DocTestParser()
        test = parser.get_doctest(block.source, {}, self.page.name, str(self.page), block.line - 1)
        test.globs = self.namespace
        told = StringIO()
        runner = doctest.DocTestRunner(verbose=False, optionflags=COMPARISON)
        runner.run(test, out=told.write, clear_globs=False)
        if runner.failures:
            raise BlockError(told.getvalue())

    def _run_shell(self, block: Block) -> None:
        script = "\n".join(runnable(line) for line in block.source.splitlines())
        code, printed = self._bash(script)
        if code:
            raise BlockError(f"exit code {code}\n{printed}")

    def _run_console(self, block: Block) -> None:
        checker = doctest.OutputChecker()
        for step in steps_of(block.source):
            if not is_run(step.command):
                continue
            code, printed = self._bash(step.command)
            wanted = step.output.strip()
            if wanted and checker.check_output(f"{wanted}\n", f"{printed.strip()}\n", COMPARISON):
                continue
            if wanted or code:
                raise BlockError(
                    f"$ {step.command}\nexit code {code}\nExpected:\n"
                    f"{textwrap.indent(wanted, '    ')}\nGot:\n{textwrap.indent(printed, '    ')}"
                )

    def _bash(self, script: str) -> tuple[int, str]:
        """Run a script, follow it to its folder, and return its exit code and all it prints."""
        if not script.strip():
            return 0, ""
        reading, writing = os.pipe()
        # The folder goes out by another way than what is printed.
        whole = f"trap 'pwd >&{writing}' EXIT\n{script}\n"
        try:
            done = subprocess.run(
                ["bash", "-e", "-u", "-c", whole],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                pass_fds=[writing],
                text=True,
                check=False,
            )
        finally:
            os.close(writing)
        with os.fdopen(reading) as folder:
            os.chdir(folder.readline().rstrip("\n") or ".")
        return done.returncode, done.stdout


def reader_environment(home: Path) -> dict[str, str]:
    """Return the environment of a reader: no network, no browser, no home, this Python."""
    nowhere = "http://127.0.0.1:9"
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {
        "PATH": os.pathsep.join(folders),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "BROWSER": "true",
        # Fonts are found once, not for each page.
        "MPLCONFIGDIR": matplotlib.get_configdir(),
        **{f"{kind}_proxy": nowhere for kind in ("http", "https", "all")},
    }
