"""Arrays in the page: a heat map of rows and columns, and the head for sensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ari_estimator._unused_options import refuse_unused
from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.images._array_axes import ArrayAxis, axes_of, title_of
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._frame import Frame
from ari_estimator.images._mne_objects import sensor_places


@dataclass(frozen=True)
class ArrayGeometry(PageGeometry):
    """The rows and columns of an array.

    Attributes
    ----------
    part : ArrayPart
        The tested elements.

    rows, columns : ArrayAxis
        Names of the places along both axes. A curve has one row.

    head : ndarray of shape (n_rows, 2), or None
        Where the sensors of the rows are on a head that is seen from above, in its radii; the nose
        is up. None if that is not known.
    """

    kind = "array"

    part: ArrayPart
    rows: ArrayAxis
    columns: ArrayAxis
    head: np.ndarray | None

    @classmethod
    def of(
        cls, frame: Frame, parts: tuple[Any, ...], *, bg_img: Any, surf_mesh: Any, like: Any
    ) -> ArrayGeometry:
        """Return the geometry of an array."""
        refuse_unused(
            "for arrays and objects of MNE-Python",
            {
                "bg_img": (None if isinstance(bg_img, str) and bg_img == "auto" else bg_img, None),
                "surf_mesh": (surf_mesh, None),
            },
        )
        (part,) = parts
        axes = axes_of(part)
        if len(axes) > 2:
            raise ValueError(
                "stat_img must have at most two axes, for a page: rows and columns. Got a map of "
                f"shape {part.mask.shape}. Test a part of it, such as one frequency, or use "
                "ari_estimator.plotting.plot_tdp_array."
            )
        rows = axes[0] if len(axes) == 2 else ArrayAxis({"": np.array([""])})
        return cls(part, rows, axes[-1], _on_head(sensor_places(getattr(frame, "_like", None))))

    def info(self) -> dict[str, Any]:
        """Return the shape, the names of places, and where sensors are.

        Tables have a column for each of the coordinates, by its name.
        """
        shape = len(self.rows.texts), len(self.columns.texts)
        n_axes = self.part.mask.ndim
        return {
            "kind": self.kind,
            "shape": list(shape),
            "row": self.rows.title or None,
            "column": self.columns.title,
            "rows": self.rows.texts,
            "columns": self.columns.texts,
            "coordinates": [
                {
                    "name": name,
                    "title": title_of(name),
                    "shape": [1] * (2 - n_axes) + list(values.shape),
                    "values": [_in_json(value) for value in values.ravel()],
                }
                for name, values in self.part.places.items()
            ],
            "head": None if self.head is None else self.head.round(4).tolist(),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the mask."""
        return {"mask": self.part.mask.ravel()}

    def neighbours(self, connectivity: int) -> str:
        """Return who is whose neighbour, in words."""
        return "neighbours by the given adjacency"


def _in_json(value: Any) -> float | str:
    """Return a coordinate as a number if JSON can hold it, otherwise as tables write it."""
    if value.dtype.kind in "iu":
        return int(value)
    if value.dtype.kind != "f":
        return str(value)
    if np.isnan(value):
        return ""
    # Python shows fewer digits of a single than of its double, in tables too.
    return float(str(value)) if np.isfinite(value) else str(value)


def _on_head(places: np.ndarray | None) -> np.ndarray | None:
    """Return sensors seen from above: angles from the top become distances from the middle."""
    if places is None:
        return None
    is_known = np.isfinite(places).all(axis=1) & (places != 0).any(axis=1)
    if not is_known.any():
        return None
    # The middle of a sphere of about the same sensors lies below their mean.
    middle = places[is_known].mean(axis=0) - [0, 0, np.ptp(places[is_known, 2]) / 2]
    x, y, z = (places - middle).T
    across = np.hypot(x, y)
    angle = np.arctan2(across, z) / (np.pi / 2)
    around = np.arctan2(y, x)
    flat = np.column_stack([angle * np.cos(around), angle * np.sin(around)])
    flat /= max(1.0, float(np.abs(flat[is_known]).max(initial=0)))
    flat[~is_known] = np.nan
    return np.where(np.isfinite(flat), flat, 9.0)  # out of sight
