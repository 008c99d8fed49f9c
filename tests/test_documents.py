"""README and documents: every block runs as it stands, in order, and fits the types."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import os
import re
import socket
import subprocess
import sys
import tempfile
import webbrowser
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import ari_estimator

from . import _warm_ari
from ._document_blocks import (
    Block,
    BlockError,
    PageRunner,
    blocks_of,
    reader_environment,
    runnable,
    steps_of,
)

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("docs/tutorials/*.md")]),
]
NAMES = {page.relative_to(ROOT).as_posix(): page for page in PAGES}


def _blocks(page: Path) -> list[Block]:
    return blocks_of(page.read_text(encoding="utf-8"))


WITH_BLOCKS = [name for name, page in NAMES.items() if _blocks(page)]


# Pages on which a new user starts: their commands are the installed programs. On other pages,
# ``ari`` need not import everything for each command.
FIRST_PAGES = ("README.md", "docs/start.md")


@pytest.fixture(scope="session")
def warm_ari():
    """Return a folder with an ``ari`` that starts at once."""
    # Names of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="ari") as name:
        folder = Path(name)
        home, commands = folder / "home", folder / "bin"
        home.mkdir()
        commands.mkdir()
        with subprocess.Popen(
            [sys.executable, _warm_ari.__file__, str(folder / "socket")],
            env=reader_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            assert program.stdout.readline() == "ready\n"
            _warm_ari.write_command(commands / "ari", folder / "socket")
            yield commands
            program.stdin.close()


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """Return what runs pages in a clean folder, without a network, a home or a browser."""
    home, folder = tmp_path / "home", tmp_path / "page"
    home.mkdir()
    folder.mkdir()
    monkeypatch.chdir(folder)
    environment = reader_environment(home)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(webbrowser, "open", lambda *_, **__: True)
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise OSError(f"Pages must not need a network. Got a connection to {address}.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)

    def run(page, commands=None):
        path = os.pathsep.join(filter(None, [commands and str(commands), environment["PATH"]]))
        return PageRunner(page, environment | {"PATH": path})

    yield run
    plt.close("all")


@pytest.mark.skipif(sys.platform == "win32", reason="pages are for bash")
@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_page_runs(name, runner, request):
    blocks = _blocks(NAMES[name])
    runs_commands = any(block.language in ("shell", "console") for block in blocks)
    is_warm = runs_commands and name not in FIRST_PAGES
    page = runner(NAMES[name], request.getfixturevalue("warm_ari") if is_warm else None)
    for block in blocks:
        try:
            page.run(block)
        except BlockError as error:
            pytest.fail(str(error), pytrace=False)


BLOCKS = """\
Text

```python
x = 2
```

- A list

  ```pycon
  >>> x + 1
  3
  >>> print("many words")
  many ...

  ```

````{tab-item} Shell
```shell
mkdir inner && cd inner
```
````

```text
not run
```

```console
$ pwd
.../inner
$ echo one \\
> two
one   two
$ false
```
"""


def test_blocks_are_found_in_order():
    blocks = blocks_of(BLOCKS)
    assert [block.language for block in blocks] == ["python", "pycon", "shell", "console"]
    assert [block.line for block in blocks] == [4, 10, 19, 28]
    steps = list(steps_of(blocks[-1].source))
    assert [step.command for step in steps] == ["pwd", "echo one \\\ntwo", "false"]
    assert [step.output for step in steps] == [".../inner", "one   two", ""]


@pytest.mark.skipif(sys.platform == "win32", reason="pages are for bash")
def test_runner_shares_names_and_folder_and_reports_failures(runner):
    page = runner(Path("page.md"))
    *others, console = blocks_of(BLOCKS)
    for block in others:
        page.run(block)
    assert Path.cwd().name == "inner"
    with pytest.raises(BlockError, match=r"page\.md:28: this console block[\s\S]*\$ false\nexit"):
        page.run(console)


@pytest.mark.skipif(sys.platform == "win32", reason="pages are for bash")
@pytest.mark.parametrize(
    ("language", "source", "told"),
    [
        ("python", "1 / 0\n", "ZeroDivisionError"),
        ("python", "import sys\nsys.exit(1)\n", "SystemExit"),
        ("pycon", ">>> 1 + 1\n3\n", "Got:"),
        ("shell", "echo said\nfalse\ntrue\n", "said"),
        ("shell", "echo $not_set\n", "not_set"),
        ("console", "$ echo one\ntwo\n", "two"),
    ],
)
def test_runner_reports(runner, language, source, told):
    with pytest.raises(BlockError, match=told):
        runner(Path("page.md")).run(Block(language, source, 1))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("python -m pip install . && python -m ari_estimator demo", "python -m ari_estimator demo"),
        ("python -m pip install '.[test]' && python -m pytest", ""),
        ("ari sample study && cd study", "ari sample study && cd study"),
    ],
)
def test_installation_is_not_run(line, left):
    assert runnable(line) == left


def _without_prompts(text: str) -> str:
    """Return the Python of a session; the text itself if it is none."""
    if ">>> " not in text:
        return text
    return "".join(example.source for example in doctest.DocTestParser().get_examples(text))


def _modules() -> dict[str, str]:
    """Return the examples of documents, and those of docstrings, as modules by name."""
    sources = {
        re.sub(r"\W", "_", os.path.splitext(name)[0]): [
            _without_prompts(block.source)
            for block in _blocks(page)
            if block.language in ("python", "pycon")
        ]
        for name, page in NAMES.items()
    }
    for name in ari_estimator.__all__:
        documented = inspect.getdoc(getattr(ari_estimator, name)) or ""
        sources[f"of_{name}"] = [_without_prompts(documented)] if ">>> " in documented else []
    return {name: "\n".join(parts) + "\n" for name, parts in sources.items() if parts}


# What fitted attributes are depends on what was given, one map or several, a calibration or none.
# Blocks of a page may define a name such as "design" again.
NOT_CHECKED = ("union-attr", "has-type", "used-before-def")

# nibabel.load has a type that no image has.
MYPY_CONFIG = """
[mypy]
ignore_missing_imports = True
allow_redefinition = True
error_summary = False

[mypy-nibabel.*]
follow_imports = skip
"""


@pytest.mark.skipif(not importlib.util.find_spec("mypy"), reason="needs mypy")
def test_examples_fit_the_types(tmp_path):
    modules = _modules()
    assert len(modules) > 15
    for name, source in modules.items():
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    options = [f"--disable-error-code={code}" for code in NOT_CHECKED]
    config = tmp_path / "mypy.ini"
    config.write_text(MYPY_CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", f"--config-file={config}", *options, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
