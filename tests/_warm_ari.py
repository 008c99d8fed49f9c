"""The ``ari`` command without the wait for its imports: each run is a fork of one process.

As a script, this file is that process: ``python _warm_ari.py SOCKET``. It prints a line when it is
ready, and ends when its standard input does. ``write_command`` writes the program that a shell
starts in place of ``ari``.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import socket
import sys
import tempfile
import traceback
from pathlib import Path

# Hands its arguments, folder, environment and channels over, and ends as the fork does.
_COMMAND = """\
#!{python} -IS
import json, os, socket, sys

connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
socket.send_fds(connection, [b"+"], [0, 1, 2])
connection.sendall(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]).encode())
connection.shutdown(socket.SHUT_WR)
sys.exit(int(connection.recv(8)))
"""


def write_command(path: Path, address: Path) -> None:
    """Write a program that runs ``ari`` in a fork of the process that listens at an address."""
    path.write_text(_COMMAND.format(python=sys.executable, address=str(address)), encoding="utf-8")
    path.chmod(0o755)


def _import_all() -> None:
    import ari_estimator

    for module in pkgutil.walk_packages(ari_estimator.__path__, "ari_estimator."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _run(connection: socket.socket) -> int:
    """Take over what a command hands over, and run it."""
    from ari_estimator.cli import main

    _, channels, _, _ = socket.recv_fds(connection, 1, 3)
    given = b"".join(iter(lambda: connection.recv(65536), b""))
    connection.close()
    for number, channel in enumerate(channels):
        os.dup2(channel, number)
        os.close(channel)
    sys.argv, folder, environment = json.loads(given)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # the folder of the environment that was
    try:
        return main()
    except BaseException:  # a fork must not go on as the process that it was
        traceback.print_exc()
        return 1


def _end(code: int) -> None:
    """End at once: Python takes a second to clear away all that is imported."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve(address: str) -> None:
    """Fork for each command: one process that waits, and one that runs it."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            child = os.fork()
            if child == 0:
                _end(_run(connection))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.sendall(str(code).encode())
            os._exit(0)
        connection.close()
        while _reap():
            pass


def _reap() -> int:
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return 0


if __name__ == "__main__":
    _import_all()
    gc.freeze()  # or each fork copies all that it does not use
    _serve(sys.argv[1])
