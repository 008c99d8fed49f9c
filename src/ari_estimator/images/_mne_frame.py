"""Maps in objects of MNE-Python: sensors, times, frequencies, sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._frame import GIVEN, check_binary
from ari_estimator.images._mne_objects import (
    check_map,
    difference,
    values_of,
    with_values,
)
from ari_estimator.images._mne_part import part_of
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space


class MneFrame(ArrayFrame):
    """The family of objects of MNE-Python: their elements, without bad channels."""

    kind = "MNE-Python object"
    geometry_names: ClassVar[tuple[str, ...]] = ("adjacency",)

    # The object that results are copies of.
    _like: Any = None

    @staticmethod
    def read(img: Any, *, single: bool) -> Any:
        """Return an object of one map, checked."""
        return check_map(img)

    def read_single(self, img: Any) -> Any:
        """Return an object of one map, checked."""
        return check_map(img)

    def read_labels(self, img: Any) -> Any:
        """Return an object that holds labels, checked."""
        return check_map(img, "labels_img")

    @staticmethod
    def n_maps(img: Any) -> int:
        """Return 1: an object holds one map."""
        return 1

    @classmethod
    def is_single(cls, img: Any) -> bool:
        """Tell that an object is a single map."""
        return True

    @classmethod
    def fit(
        cls,
        mask_img: Any,
        imgs: Sequence[Any] | None,
        *,
        geometry: Mapping[str, Any],
        verbose: int,
    ) -> MneFrame:
        """Return the frame of the elements of a map, or of those in a mask."""
        like = mask_img if imgs is None else imgs[0]
        like = check_map(getattr(like, "like", like))
        part = part_of(like, geometry.get("adjacency"))
        called = "all elements of the map, without bad channels"
        if mask_img is not None:
            masker = getattr(mask_img, "mask_img_", None)
            if masker is None:
                check_map(mask_img, "mask_img")
                differ = difference(like, mask_img)
                if differ is not None:
                    raise ValueError(f"The map and mask_img must not differ in {differ}.")
                check_binary(values_of(mask_img))
            inside = values_of(mask_img) if masker is None else masker
            mask = part.mask & np.nan_to_num(inside).astype(bool)
            called = getattr(mask_img, "mask_called", GIVEN)
            if not mask.any():
                raise ValueError("mask_img must have elements. Got a mask that is empty.")
            part = ArrayPart(mask, part.whole_graph, part.positions)
        frame = cls(part.mask, None, Space((part,)), mask_called=called)
        frame._like = like
        return frame

    def check(self, img: Any, name: str) -> None:
        """Raise a ValueError unless an object has the places of the mask."""
        differ = difference(self._like, img)
        if differ is not None:
            raise ValueError(
                f"The {name} and the map that the transformer is fitted to must have the same "
                f"places. They differ in {differ}."
            )

    def arrays(self, img: Any) -> Iterator[np.ndarray]:
        """Yield the values of the map, an array of shape (n_elements,)."""
        yield values_of(img)[self.mask_img]

    def image(
        self, rows: Iterable[Values], n_maps: int | None, description: str, like: Any = None
    ) -> Any:
        """Return results as copies of the object, 0 outside of the mask."""
        like = self._like if like is None else like
        made = [with_values(like, self._whole(row), description) for row in rows]
        return made[0] if n_maps is None else made

    @property
    def stored_kind(self) -> str:
        """Arrays: archives do not hold objects of other packages."""
        return ArrayFrame.kind

    @staticmethod
    def form(img: Any) -> Any:
        """Return the object itself."""
        return img

    def restore(self, form: Any, rows: Iterable[Values], description: str) -> Any:
        """Return results in a copy of the object."""
        return self.image(rows, None, description, form)

    @staticmethod
    def single(img: Any) -> Any:
        """Return the object itself, which is one map."""
        return img

    def all_values(self, img: Any) -> np.ndarray:
        """Return all values of an object, those outside of the mask included."""
        return cast("np.ndarray", values_of(img).ravel())
