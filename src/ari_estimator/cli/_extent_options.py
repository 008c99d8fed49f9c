"""Options of bounds from cluster extents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ari_estimator.cli._unused_options import refuse_options

if TYPE_CHECKING:
    from ari_estimator.inference._extent_test import ExtentTest

_PANEL = "Cluster extents"

_HEIGHT = 0.001

# The level of the sizes that programs print.
_ALPHA = 0.05


@dataclass(frozen=True)
class ExtentOptions:
    """Bounds from the size of clusters, instead of p-values of voxels."""

    extent: Annotated[
        int | None,
        Option(
            help="Take bounds from cluster extents: smallest number of voxels of a cluster that "
            "another program calls significant, such as FWEc of SPM.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    extent_alpha: Annotated[
        float,
        Option(
            help="For --extent: the familywise error level at which the program calls this size "
            "significant. --alpha must not be smaller.",
            rich_help_panel=_PANEL,
        ),
    ] = _ALPHA
    fwhm: Annotated[
        str | None,
        Option(
            help="Instead of --extent: smoothness of the residuals in mm, one number or three with "
            "commas (8,8,9). Random field theory then gives the size.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    height_threshold: Annotated[
        float,
        Option(
            help="For --extent and --fwhm: voxels with a smaller p-value form clusters.",
            rich_help_panel=_PANEL,
        ),
    ] = _HEIGHT

    def test_of(self, local_test: str, connectivity: int | None = None) -> str | ExtentTest:
        """Return the local test.

        Parameters
        ----------
        local_test : str
            Name of the test of voxels, if no extents are asked for.

        connectivity : int or None, default=None
            Number of neighbours of a voxel; None is 26.

        Returns
        -------
        local_test : str or ExtentTest
            The parameter of a transformer.

        Raises
        ------
        ValueError
            If options would do nothing, or exclude each other.
        """
        from ari_estimator.inference import ClusterExtent, RandomFieldExtent

        if self.extent is None and self.fwhm is None:
            refuse_options(
                "--extent and --fwhm. Got neither",
                height_threshold=self.height_threshold != _HEIGHT,
                extent_alpha=self.extent_alpha != _ALPHA,
            )
            return local_test
        if self.extent is not None and self.fwhm is not None:
            raise ValueError(
                "--extent and --fwhm both give the size of significant clusters: give one of them. "
                "Got both."
            )
        refuse_options(
            "bounds from p-values of voxels. Got --extent or --fwhm",
            local_test=local_test != "simes",
        )
        known: Any = {"height_threshold": self.height_threshold, "connectivity": connectivity}
        if self.extent is not None:
            return ClusterExtent(extent=self.extent, alpha=self.extent_alpha, **known)
        refuse_options("--extent. Got --fwhm", extent_alpha=self.extent_alpha != _ALPHA)
        return RandomFieldExtent(fwhm=_numbers(str(self.fwhm)), **known)


def _numbers(text: str) -> float | tuple[float, ...]:
    """Return the smoothness as it is written on the command line."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) not in (1, 3):
        raise ValueError(
            f"--fwhm must be one number in mm, or three with commas, such as 8,8,9. Got {text!r}."
        )
    return values[0] if len(values) == 1 else values
