"""Options of the test: its level and its sides, and which voxels or vertices are tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ari_estimator.cli._choices import LOCAL_TESTS, one_of
from ari_estimator.cli._images import mesh_files, read_image

if TYPE_CHECKING:
    from ari_estimator.closed_testing._two_sided import TwoSided

_PANEL = "Test"


@dataclass(frozen=True)
class LevelOptions:
    """How to test sets, for any map."""

    alpha: Annotated[
        float, Option(help="Error level of all bounds together.", rich_help_panel=_PANEL)
    ] = 0.05
    two_sided: Annotated[
        bool,
        Option("--two-sided", help="Test negative values as well.", rich_help_panel=_PANEL),
    ] = False
    directional: Annotated[
        bool,
        Option(
            "--directional",
            help="Test positive and negative effects, with bounds for each sign. Not with "
            "--two-sided.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    local_test: Annotated[
        str,
        Option(
            help="Local test: simes, or hommel, which holds under any dependence.",
            autocompletion=one_of(LOCAL_TESTS),
            rich_help_panel=_PANEL,
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
            rich_help_panel=_PANEL,
        ),
    ] = None
    mesh: Annotated[
        list[Path] | None,
        Option(
            help="Mesh of a hemisphere, for a surface or CIFTI map: *.surf.gii, or FreeSurfer's "
            "lh.white. Give it once for each hemisphere.",
            rich_help_panel=_PANEL,
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
