"""Maps in objects of MNE-Python: sensors, times, frequencies, sources."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, cast

import numpy as np

from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._array_part import ArrayPart
from ari_estimator.images._frame import GIVEN, check_binary
from ari_estimator.images._mne_objects import (
    bad_channels,
    bad_in_all,
    check_map,
    difference,
    values_of,
    with_bad_channels,
    with_values,
    without_bad_channels,
)
from ari_estimator.images._mne_part import holds_data, part_of
from ari_estimator.images._painted_values import Values
from ari_estimator.images._space import Space


class MneFrame(ArrayFrame):
    """The family of objects of MNE-Python: their elements, without bad channels.

    A channel that is bad in all maps of ``fit`` is not in the mask. A channel that is bad in some
    maps is in the mask, and NaN in these maps.
    """

    kind = "MNE-Python object"
    geometry_names: ClassVar[tuple[str, ...]] = ("adjacency",)

    # The object that results are copies of. Its bad channels are those that are bad in all maps of
    # fit.
    _like: Any = None

    # Channels that are in the mask of the user and hold data, but are bad in all maps of fit.
    _left_out: Sequence[str] = ()

    @staticmethod
    def read(img: Any, *, single: bool) -> Any:
        """Return an object of one map, checked."""
        return check_map(img)

    def read_single(self, img: Any) -> Any:
        """Return an object that holds a set, checked. It has no bad channels."""
        return with_bad_channels(check_map(img), frozenset())

    def read_labels(self, img: Any) -> Any:
        """Return an object that holds labels, checked. It has no bad channels."""
        return with_bad_channels(check_map(img, "labels_img"), frozenset())

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
        of_maps = [mask_img] if imgs is None else list(imgs)
        of_maps = [check_map(getattr(one, "like", one)) for one in of_maps]
        # Not the channels that are bad in the first map only.
        like = with_bad_channels(of_maps[0], bad_in_all(of_maps))
        part = part_of(like, geometry.get("adjacency"))
        called = "all elements of the map, without bad channels"
        if len(of_maps) > 1:
            called = "all elements of the maps, without channels that are bad in all of them"
        is_inside = np.ones(part.mask.shape, dtype=bool)
        if mask_img is not None:
            masker = getattr(mask_img, "mask_img_", None)
            if masker is None:
                check_map(mask_img, "mask_img")
                differ = difference(like, mask_img)
                if differ is not None:
                    raise ValueError(f"The map and mask_img must not differ in {differ}.")
                check_binary(values_of(mask_img))
            inside = values_of(mask_img) if masker is None else masker
            is_inside = np.nan_to_num(inside).astype(bool)
            mask = part.mask & is_inside
            called = getattr(mask_img, "mask_called", GIVEN)
            if not mask.any():
                raise ValueError("mask_img must have elements. Got a mask that is empty.")
            part = ArrayPart(mask, part.whole_graph, part.positions)
        frame = cls(part.mask, None, Space((part,)), mask_called=called)
        frame._like = like
        bads = bad_channels(like)
        if bads:
            is_left_out = holds_data(like) & is_inside.reshape(len(is_inside), -1).any(axis=1)
            is_left_out &= [name in bads for name in like.ch_names]
            frame._left_out = np.array(like.ch_names)[is_left_out].tolist()
        return frame

    def check(self, img: Any, name: str) -> None:
        """Raise a ValueError unless an object has the places of the mask."""
        differ = difference(self._like, img)
        if differ is not None:
            raise ValueError(
                f"The {name} and the map that the transformer is fitted to must have the same "
                f"places. They differ in {differ}."
            )
        if name == "map":
            self._warn_of_left_out(img)

    def _warn_of_left_out(self, img: Any) -> None:
        """Warn of good channels of a map that the mask leaves out, since they were bad in fit."""
        bads = bad_channels(img)
        names = [name for name in self._left_out if name not in bads]
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            warnings.warn(
                f"The map has good channels that are not tested: {', '.join(names[:5])}{more}. "
                "They are bad in all maps that the transformer is fitted to, so the mask leaves "
                "them out. To test them, call fit with this map.",
                UserWarning,
                stacklevel=2,
            )

    def arrays(self, img: Any) -> Iterator[np.ndarray]:
        """Yield the values of the map, an array of shape (n_elements,), NaN in bad channels."""
        yield without_bad_channels(values_of(img), img)[self.mask_img]

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
