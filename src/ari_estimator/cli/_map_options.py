"""Options of a statistical map: its files, its statistic, and how it is tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ari_estimator.cli._choices import STAT_TYPES, one_of
from ari_estimator.cli._images import name_of, of_map, read_image
from ari_estimator.cli._test_options import TestOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._given_path import given_path

_PANEL = "Test"


@dataclass(frozen=True, kw_only=True)
class MapOptions(TestOptions):
    """A statistical map, its statistic, and how to test it."""

    maps: Annotated[
        list[Path],
        Argument(
            metavar="MAP",
            help="Statistical map: a volume, a CIFTI file, or a surface file of each hemisphere "
            "with --mesh. Or an array (.npy), a matrix of edges (.csv, .tsv), .fif or .stc.",
            show_default=False,
        ),
    ]
    stat_type: Annotated[
        str | None,
        Option(
            help="Statistic in the map: z, t, F, chi2, p, neg_log10_p or one_minus_p.",
            autocompletion=one_of(STAT_TYPES),
            show_default="as the file declares, otherwise z",
            rich_help_panel=_PANEL,
        ),
    ] = None
    df: Annotated[
        str | None,
        Option(
            help="Degrees of freedom: one number for t and chi2, two for F (2,30). For t, also an "
            "image with one number per voxel, such as tdof_t1 of FSL.",
            show_default="as the file declares",
            rich_help_panel=_PANEL,
        ),
    ] = None

    adjacency: Annotated[
        str | None,
        Option(
            help="For an array or an object of MNE-Python: its neighbours. A matrix in a file "
            "(.npz of scipy, .npy, .csv), of all elements or of one axis; or lattice.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None

    map: Annotated[
        str | None,
        Option(
            help="For a file with several maps: the number of the map, counted from 0, or its name "
            "in CIFTI and GIfTI files.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None

    @property
    def name(self) -> str:
        """How names of files of results start."""
        return name_of(self.maps[0]) + of_map(self.map)

    def map_in_words(self, stat_img: Any) -> str | None:
        """Return which map was taken, for a sentence; None if there was no choice."""
        from ari_estimator.cli._array_files import is_array_file
        from ari_estimator.images._selected_map import names_of_maps

        if self.map is None:
            return None
        if is_array_file(self.maps[0]):
            return f"Map: {stat_img.comment!r}."
        name = next(iter(names_of_maps(stat_img).names), "")
        if name == self.map:
            return f"Map: {name!r}."
        return f"Map: {self.map}" + (f", {name!r}." if name else ".")

    def read(self) -> tuple[Any, dict[str, Any]]:
        """Return the map, and how it is tested, as parameters of a transformer."""
        from nilearn.surface import SurfaceImage

        from ari_estimator.cli._array_files import is_array_file, read_array_file
        from ari_estimator.images._selected_map import (
            as_map_choice,
            names_of_maps,
            selected_map,
        )
        from ari_estimator.inference import STATISTICS
        from ari_estimator.interfaces import read_p_map
        from ari_estimator.interfaces._p_maps import is_named_p_map

        parameters: dict[str, Any] = {
            "stat_type": self.stat_type,
            "df": _degrees_of_freedom(self.df),
        }
        if is_array_file(self.maps[0]):
            found = read_array_file(self.maps, self.adjacency, self.map, "MAP")
            return found.image, parameters | self.parameters(is_surface=False) | found.parameters
        refuse_options(
            "arrays, networks and files of MNE-Python", adjacency=self.adjacency is not None
        )
        held = STATISTICS.get(self.stat_type or "")
        holds_p = self.df is None and (self.stat_type is None or bool(held and held.is_p))
        is_one_volume = len(self.maps) == 1 and not self.mesh
        if not (is_one_volume and holds_p and is_named_p_map(self.maps[0])):
            stat_img = read_image(self.maps, self.mesh, "MAP")
            is_surface = isinstance(stat_img, SurfaceImage)
            parameters |= self.parameters(is_surface=is_surface)
            choice = as_map_choice(self.map, names_of_maps(stat_img).names)
            return selected_map(stat_img, choice), parameters
        refuse_options("maps other than p-values of FSL, PALM or SnPM", map=self.map is not None)
        parameters |= self.parameters(is_surface=False)
        known: Any = self.stat_type  # one of these
        stat_map = read_p_map(self.maps[0], mask_img=parameters["mask_img"], stat_type=known)
        of_file = {"stat_type": stat_map.stat_type, "mask_img": stat_map.mask_img}
        return stat_map.stat_img, parameters | of_file


def _degrees_of_freedom(text: str | None) -> float | tuple[float, float] | Path | None:
    """Return degrees of freedom as they are written on the command line."""
    from ari_estimator.files._regular_file import existing_file

    if text is None:
        return None
    path = given_path(text, "--df")
    if path.is_file():
        return path
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 2):
        if path.exists():  # but is no file
            existing_file(path, "--df")
        raise ValueError(
            f"--df must be a number, two with a comma between, or a file. Got {text!r}."
        )
    return values[0] if len(values) == 1 else (values[0], values[1])
