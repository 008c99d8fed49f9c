"""The version of a CIFTI file, which its XML says."""

from __future__ import annotations

import re
import shlex
from os import PathLike, fspath

from ari_estimator.images._reading_errors import ToldError

_VERSION = re.compile(rb"<CIFTI\b[^<>]*\bVersion\s*=\s*[\"']\s*(?P<version>[^\"']*)")


def refuse_cifti_1(xml: bytes, path: str | PathLike[str], what: str) -> None:
    """Raise an error that names the converter, if a file has the first version of the format.

    Parameters
    ----------
    xml : bytes
        The XML of the file.

    path : str or path-like
        The file.

    what : str
        What it should be, for messages.

    Raises
    ------
    ToldError
        If the file is CIFTI-1.
    """
    match = _VERSION.search(xml)
    if match is None or match["version"].split(b".")[0] != b"1":
        return
    name = fspath(path)
    end = "." + ".".join(name.rpartition("/")[2].split(".")[-2:])
    new = f"{name.removesuffix(end)}_v2{end}"
    raise ToldError(
        f"{what} must be a CIFTI-2 file. Got CIFTI-1: {name!r}. Convert it with Connectome "
        f"Workbench: wb_command -file-convert -cifti-version-convert {shlex.quote(name)} 2 "
        f"{shlex.quote(new)}"
    )
