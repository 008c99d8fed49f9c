"""Options of the sets: clusters at a threshold, clusters with a TDP, or regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ari_estimator.cli._atlas import AtlasOption, LutOption, atlas_parameters, refuse_neighbours
from ari_estimator.cli._choices import CONNECTIVITIES, THRESHOLD_SCALES, THRESHOLDS, one_of
from ari_estimator.cli._unused_options import refuse_options

if TYPE_CHECKING:
    from ari_estimator.estimators._base import BaseTDPTransformer

_PANEL = "Sets"

# Which sets use an option.
_USED_BY = {
    "connectivity": ("--threshold", "--tdp"),
    "cluster_threshold": ("--threshold", "--tdp"),
    "threshold_scale": ("--threshold",),
    "lut": ("--atlas",),
}


@dataclass(frozen=True)
class FormingOptions:
    """How to form clusters, at any threshold."""

    connectivity: Annotated[
        int | None,
        Option(
            help="Number of neighbours of a voxel: 6, 18 or 26.",
            autocompletion=one_of(CONNECTIVITIES),
            show_default="6, or as in the other program",
            rich_help_panel=_PANEL,
        ),
    ] = None
    cluster_threshold: Annotated[
        int, Option(help="Minimum cluster size, in voxels.", rich_help_panel=_PANEL)
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
            rich_help_panel=_PANEL,
        ),
    ] = None
    threshold_scale: Annotated[
        str,
        Option(
            help="Scale of --threshold: stat for values of the map, p for p-values.",
            autocompletion=one_of(THRESHOLD_SCALES),
            rich_help_panel=_PANEL,
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
            rich_help_panel=_PANEL,
        ),
    ] = None
    atlas: AtlasOption = None
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
