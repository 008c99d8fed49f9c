"""Where a map lies, as the page needs it: one class for each kind of image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from ari_estimator.images._frame import Frame


class PageGeometry(ABC):
    """Where the tested elements of a map lie, and what they are drawn on.

    The script of the page that reads it is named by ``kind``.
    """

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def of(
        cls, frame: Frame, parts: tuple[Any, ...], *, bg_img: Any, surf_mesh: Any, like: Any
    ) -> PageGeometry:
        """Return the geometry of a map.

        Parameters
        ----------
        frame : Frame
            Where the map lies.

        parts : tuple of VolumePart and SurfacePart
            Its tested elements.

        bg_img : image, str or None
            What to draw on.

        surf_mesh : PolyMesh, dict or None
            Meshes to draw surfaces on.

        like : image or None
            The map, if it is an image.

        Raises
        ------
        TypeError, ValueError
            If there is nothing to draw on what was given.
        """

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return what JSON can hold of it."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return its arrays, to be packed."""

    @abstractmethod
    def neighbours(self, connectivity: int) -> str:
        """Return who is whose neighbour, in words."""
