"""Which of several maps of an image is meant, by its number or its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple

# Subject, task, level, contrast, temporal filter, smoothing and so on.
_OF_HCP = re.compile(r".+_level[12]_(?P<contrast>.+?)_hp\d.*")

# Names in an error.
_MOST_NAMES = 20


class MapNames(NamedTuple):
    """The maps of an image, to choose one.

    Attributes
    ----------
    n_maps : int
        Number of maps.

    names : sequence of str
        Their names; empty where the format has none.

    called : str
        The image, for messages.

    whose : str
        What the choice is for, for messages: "the image".
    """

    n_maps: int
    names: Sequence[str]
    called: str
    whose: str = "the image"

    def number(self, map_: int | str | None) -> int:
        """Return the number of the map that is asked for.

        Parameters
        ----------
        map_ : int, str or None
            A number, from 0; a name; or the contrast in a name of the HCP pipelines, ``"LH"`` in
            ``"100307_tfMRI_MOTOR_level2_LH_hp200_s2"``. None if there is only one map.

        Raises
        ------
        TypeError
            If it is something else.
        ValueError
            If there is no such map, or several and no choice. The error names the maps.
        """
        check_choice(map_)
        if map_ is None:
            if self.n_maps == 1:
                return 0
            raise ValueError(
                f"map must say which map of {self.whose} to test, by its number or its name. "
                f"Got None, and {self.in_words}."
            )
        if isinstance(map_, str):
            return self._by_name(map_)
        if not 0 <= map_ < self.n_maps:
            raise ValueError(
                f"map must be the name or the number of a map in {self.whose}, counted from 0. "
                f"Got {map_}: there {'is' if self.n_maps == 1 else 'are'} {self.in_words}."
            )
        return int(map_)

    def _by_name(self, text: str) -> int:
        places = [number for number, name in enumerate(self.names) if name == text]
        if not places:
            places = [k for k, name in enumerate(self.names) if _contrast_in(name) == text]
        if len(places) == 1:
            return places[0]
        problem = "no map" if not places else f"{len(places)} maps"
        raise ValueError(
            f"map must be the name or the number of a map in {self.whose}. Got {text!r}, "
            f"which is the name of {problem}: there {'is' if self.n_maps == 1 else 'are'} "
            f"{self.in_words}."
        )

    @property
    def in_words(self) -> str:
        """The number of maps and their names."""
        count = f"{self.n_maps} map{'' if self.n_maps == 1 else 's'}"
        if not any(self.names):
            return f"{count} without a name in {self.called}"
        named = enumerate(self.names[:_MOST_NAMES])
        shown = ", ".join(f"{number} {name!r}" for number, name in named)
        n_more = len(self.names) - _MOST_NAMES
        return f"{count} in {self.called}: {shown}{f' and {n_more} more' if n_more > 0 else ''}"


def _contrast_in(name: str) -> str | None:
    """Return the contrast in a name that the HCP pipelines give to a map; None of other names."""
    match = _OF_HCP.fullmatch(name)
    return None if match is None else match["contrast"]


def check_choice(map_: Any) -> None:
    """Raise a TypeError unless something is a number, a name or None."""
    if isinstance(map_, bool) or not isinstance(map_, (Integral, str, type(None))):
        raise TypeError(f"map must be a name, a number or None. Got {type(map_).__name__}.")
