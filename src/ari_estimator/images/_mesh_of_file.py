"""A mesh that was read from a file, and knows which."""

from __future__ import annotations

from pathlib import Path

from nilearn.surface import FileMesh, InMemoryMesh


class MeshOfFile(InMemoryMesh):
    """A mesh of a GIfTI file, in memory.

    nilearn's ``FileMesh`` reads its file whenever someone looks at the mesh, hundreds of times in a
    group study.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    file_path : Path
        The file. Its name and its metadata tell the hemisphere.
    """

    def __init__(self, path: Path) -> None:
        read = FileMesh(path).loaded()
        super().__init__(read.coordinates, read.faces)
        self.file_path = path
