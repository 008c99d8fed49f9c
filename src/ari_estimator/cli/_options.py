"""Options of commands: the statistic, the test, the sets, and where results go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ari_estimator.cli._choices import (
    CONNECTIVITIES,
    LOCAL_TESTS,
    STAT_TYPES,
    THRESHOLD_SCALES,
    THRESHOLDS,
    one_of,
)
from ari_estimator.cli._images import mesh_files, name_of, of_map, read_atlas, read_image
from ari_estimator.cli._out import parse_out
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._given_path import given_path

if TYPE_CHECKING:
    from ari_estimator.closed_testing._two_sided import TwoSided
    from ari_estimator.estimators._base import BaseTDPTransformer

_TEST, _SETS, _RESULTS = "Test", "Sets", "Results"

# Which sets use an option.
_USED_BY = {
    "connectivity": ("--threshold", "--tdp"),
    "cluster_threshold": ("--threshold", "--tdp"),
    "threshold_scale": ("--threshold",),
    "lut": ("--atlas",),
}

LutOption = Annotated[
    Path | None,
    Option(
        help="Table with the names of the regions, in columns index and name.",
        rich_help_panel=_SETS,
    ),
]


@dataclass(frozen=True)
class LevelOptions:
    """How to test sets, for any map."""

    alpha: Annotated[
        float, Option(help="Error level of all bounds together.", rich_help_panel=_TEST)
    ] = 0.05
    two_sided: Annotated[
        bool,
        Option("--two-sided", help="Test negative values as well.", rich_help_panel=_TEST),
    ] = False
    directional: Annotated[
        bool,
        Option(
            "--directional",
            help="Test positive and negative effects, with bounds for each sign. Not with "
            "--two-sided.",
            rich_help_panel=_TEST,
        ),
    ] = False
    local_test: Annotated[
        str,
        Option(
            help="Local test: simes, or hommel, which holds under any dependence.",
            autocompletion=one_of(LOCAL_TESTS),
            rich_help_panel=_TEST,
        ),
    ] = "simes"

    @property
    def sides(self) -> TwoSided:
        """The signs to test, as the parameter two_sided of a transformer."""
        if not self.directional:
            return self.two_sided
        if self.two_sided:
            raise ValueError(
                "--directional and --two-sided must not be given together: the bounds of "
                "--two-sided do not state signs, and the bounds of --directional do. Got both."
            )
        return "directional"


@dataclass(frozen=True)
class TestOptions(LevelOptions):
    """How to test all sets, and which voxels or vertices to test."""

    mask: Annotated[
        list[Path] | None,
        Option(
            help="Mask of all voxels or vertices to test. Surfaces need a file of each hemisphere; "
            "a .label is one.",
            rich_help_panel=_TEST,
        ),
    ] = None
    mesh: Annotated[
        list[Path] | None,
        Option(
            help="Mesh of a hemisphere, for a surface or CIFTI map: *.surf.gii, or FreeSurfer's "
            "lh.white. Give it once for each hemisphere.",
            rich_help_panel=_TEST,
        ),
    ] = None

    def parameters(self, *, is_surface: bool) -> dict[str, Any]:
        """Return them as parameters of a transformer, for maps of a kind."""
        return {
            "alpha": self.alpha,
            "two_sided": self.sides,
            "mask_img": None if self.mask is None else read_image(self.mask, self.mesh, "--mask"),
            # Surfaces bring their meshes along.
            "mesh": None if is_surface else mesh_files(self.mesh),
            "local_test": self.local_test,
        }


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
            rich_help_panel=_TEST,
        ),
    ] = None
    df: Annotated[
        str | None,
        Option(
            help="Degrees of freedom: one number for t and chi2, two for F (2,30). For t, also an "
            "image with one number per voxel, such as tdof_t1 of FSL.",
            show_default="as the file declares",
            rich_help_panel=_TEST,
        ),
    ] = None

    adjacency: Annotated[
        str | None,
        Option(
            help="For an array or an object of MNE-Python: its neighbours. A matrix in a file "
            "(.npz of scipy, .npy, .csv), of all elements or of one axis; or lattice.",
            show_default=False,
            rich_help_panel=_TEST,
        ),
    ] = None

    map: Annotated[
        str | None,
        Option(
            help="For a file with several maps: the number of the map, counted from 0, or its name "
            "in CIFTI and GIfTI files.",
            show_default=False,
            rich_help_panel=_TEST,
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
            "df": degrees_of_freedom(self.df),
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


@dataclass(frozen=True)
class FormingOptions:
    """How to form clusters, at any threshold."""

    connectivity: Annotated[
        int | None,
        Option(
            help="Number of neighbours of a voxel: 6, 18 or 26.",
            autocompletion=one_of(CONNECTIVITIES),
            show_default="6, or as in the other program",
            rich_help_panel=_SETS,
        ),
    ] = None
    cluster_threshold: Annotated[
        int, Option(help="Minimum cluster size, in voxels.", rich_help_panel=_SETS)
    ] = 0

    def forming(self, default: int | None = None) -> dict[str, Any]:
        """Return them as parameters of a transformer, with a default for the connectivity."""
        return {
            "connectivity": default if self.connectivity is None else self.connectivity,
            "cluster_threshold": self.cluster_threshold,
        }


@dataclass(frozen=True)
class ThresholdOptions(FormingOptions):
    """Clusters at one or several thresholds."""

    threshold: Annotated[
        list[str] | None,
        Option(
            help="Cluster-forming threshold in units of the map, or 'concentration'. Repeat it for "
            "several. Without it, 3.09 on the z scale.",
            autocompletion=one_of(THRESHOLDS),
            rich_help_panel=_SETS,
        ),
    ] = None
    threshold_scale: Annotated[
        str,
        Option(
            help="Scale of --threshold: stat for values of the map, p for p-values.",
            autocompletion=one_of(THRESHOLD_SCALES),
            rich_help_panel=_SETS,
        ),
    ] = "stat"

    def clusters(self, default: int | None = None) -> dict[str, Any]:
        """Return them as parameters of a ClusterTDPTransformer."""
        return {
            "threshold": one_or_several(self.threshold, _height),
            "threshold_scale": self.threshold_scale,
            **self.forming(default),
        }


@dataclass(frozen=True)
class SetOptions(ThresholdOptions):
    """Which sets to test: clusters at a threshold, clusters with a TDP, or regions."""

    tdp: Annotated[
        list[float] | None,
        Option(
            help="Find the largest clusters with a TDP of at least this. Repeat it for several.",
            rich_help_panel=_SETS,
        ),
    ] = None
    atlas: Annotated[
        list[Path] | None,
        Option(
            help="Label image of regions. Surfaces need a file of each hemisphere; .annot and "
            ".label of FreeSurfer have the names of their regions.",
            rich_help_panel=_SETS,
        ),
    ] = None
    lut: LutOption = None

    @property
    def asked(self) -> list[str]:
        """Which options ask for sets."""
        given = {"--threshold": self.threshold, "--tdp": self.tdp, "--atlas": self.atlas}
        return [option for option, value in given.items() if value]

    def refuse_in_vain(self, sets: str) -> None:
        """Raise a ValueError if an option was given that would do nothing for these sets."""
        default = SetOptions()
        for name, used_by in _USED_BY.items():
            is_given = getattr(self, name) != getattr(default, name)
            refuse_options(
                f"sets of {' or '.join(used_by)}. Got sets of {sets}",
                **{name: is_given and sets not in used_by},
            )

    def transformer(
        self,
        parameters: dict[str, Any],
        mesh: Sequence[Path] | None = None,
        connectivity: int | None = None,
    ) -> BaseTDPTransformer:
        """Return what makes the sets.

        Parameters
        ----------
        parameters : dict
            What the map holds, and how it is tested.

        mesh : sequence of Path or None, default=None
            Meshes of surfaces.

        connectivity : int or None, default=None
            Connectivity of clusters, if none is given.

        Returns
        -------
        transformer : transformer
            Not fitted.

        Raises
        ------
        ValueError
            If more than one kind of sets is asked for, or options would do nothing.
        """
        from ari_estimator.estimators import (
            AdaptiveTDPTransformer,
            ClusterTDPTransformer,
            RegionTDPTransformer,
        )

        if len(self.asked) > 1:
            raise ValueError(
                f"{' and '.join(self.asked)} ask for different sets: give one of them."
            )
        self.refuse_in_vain(self.asked[0] if self.asked else "--threshold")
        if self.atlas:
            refuse_neighbours(parameters)
            return RegionTDPTransformer(
                **atlas_parameters(self.atlas, self.lut, mesh), **parameters
            )
        if self.tdp:
            tdps = one_or_several(self.tdp, float)
            return AdaptiveTDPTransformer(tdps, **self.forming(connectivity), **parameters)
        return ClusterTDPTransformer(**self.clusters(connectivity), **parameters)


@dataclass(frozen=True)
class ResultOptions:
    """Where results go."""

    out: Annotated[
        Path | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Folder for the results. Without it, the command writes no files.",
            show_default=False,
            rich_help_panel=_RESULTS,
        ),
    ] = None
    prefix: Annotated[
        str | None,
        Option(
            help="Start of the file names.",
            show_default="name of the map",
            rich_help_panel=_RESULTS,
        ),
    ] = None
    force: Annotated[
        bool,
        Option("--force", help="Replace existing files.", rich_help_panel=_RESULTS),
    ] = False


def degrees_of_freedom(text: str | None) -> float | tuple[float, float] | Path | None:
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


def refuse_neighbours(parameters: dict[str, Any]) -> None:
    """Refuse --adjacency for regions, which need no neighbours. A network loses its own."""
    adjacency = parameters.pop("adjacency", None)
    refuse_options(
        "clusters, and regions have no need of neighbours",
        adjacency=adjacency is not None and "coordinates" not in parameters,
    )


def atlas_parameters(
    atlas: Sequence[Path], lut: Path | None, mesh: Sequence[Path] | None
) -> dict[str, Any]:
    """Return an atlas as parameters of a RegionTDPTransformer."""
    import numpy as np
    from nilearn.surface import SurfaceImage

    from ari_estimator.files._regular_file import existing_file
    from ari_estimator.images._mne_objects import is_mne

    labels_img, named = read_atlas(atlas, mesh, "--atlas")
    if lut is not None:
        existing_file(lut, "--lut")
    # Only volumes and CIFTI images are resampled. For others, another mesh or shape is an error.
    is_fixed = isinstance(labels_img, (SurfaceImage, np.ndarray)) or is_mne(labels_img)
    target = None if is_fixed else "data"
    names = named if lut is None else lut
    return {"labels_img": labels_img, "lut": names, "resampling_target": target}


def _height(text: str) -> float | str:
    if text == "concentration":
        return text
    try:
        return float(text)
    except ValueError:
        message = f"--threshold must be a number or 'concentration'. Got {text!r}."
        raise ValueError(message) from None


def one_or_several(values: Sequence[Any] | None, convert: Any) -> Any:
    """Return what an option was given: None, a value, or a list of several."""
    if not values:
        return None
    converted = [convert(value) for value in values]
    return converted[0] if len(converted) == 1 else converted
