"""Files of ``ari report``: the page, its figures, and texts for a paper."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from ari_estimator.cli._choices import FIGURE_FORMATS, one_of
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._out import naming_force, parse_out
from ari_estimator.cli._pages import PageOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._deferred_signals import deferred_signals
from ari_estimator.files._output_path import file_to_write, folder_to_write
from ari_estimator.files._whole_files import whole_file, whole_files

if TYPE_CHECKING:
    from ari_estimator.reporting._page_report import PageReport

_PANEL = "For a paper"

# The formats of get_methods, by the ending of a file.
_FORMATS = {".md": "markdown", ".html": "html", ".tex": "latex", ".bib": "bibtex"}

_SVG, _DPI = "svg", 300.0

# Files by what they hold.
Files = dict[str, Path]


@dataclass(frozen=True)
class ReportOptions(PageOptions):
    """Where a report goes, with its figures and its texts."""

    methods: Annotated[
        list[Path] | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="File for methods and results: .md, .html or .tex; or .bib for the references. "
            "Repeat it for several.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    save_figures: Annotated[
        Path | None,
        Option(
            parser=parse_out,
            metavar="PATH",
            help="Folder for the figures, one file each.",
            show_default=False,
            rich_help_panel=_PANEL,
        ),
    ] = None
    file_format: Annotated[
        str | None,
        Option(
            help="Format of --save-figures: svg, pdf or png.",
            autocompletion=one_of(FIGURE_FORMATS),
            show_default=_SVG,
            rich_help_panel=_PANEL,
        ),
    ] = None
    dpi: Annotated[
        float | None,
        Option(
            help="Resolution of --save-figures, in dots per inch.",
            show_default=f"{_DPI:g}",
            rich_help_panel=_PANEL,
        ),
    ] = None

    def check_files(self, out: Path) -> None:
        """Refuse files that must not be written before work is done.

        Parameters
        ----------
        out : Path
            The page.

        Raises
        ------
        ValueError
            If an option has no effect or a wrong value, or two files have one name.
        OSError
            If a file cannot be written, or exists without --force.
        """
        for path in self.methods or []:
            if path.suffix.lower() not in _FORMATS:
                raise ValueError(
                    f"--methods must name a file that ends in {', '.join(_FORMATS)}. "
                    f"Got {str(path)!r}."
                )
        outputs = [(path, "--methods") for path in self.methods or []]
        if self.save_figures is None:
            refuse_options(
                "figures of --save-figures. Got none",
                file_format=self.file_format is not None,
                dpi=self.dpi is not None,
            )
        else:
            outputs += self._figure_outputs(self.save_figures)
        taken = {out.resolve(): "--out"}
        for path, option in outputs:
            with naming_force():
                file_to_write(path, option, overwrite=self.force, inputs=inputs_of_command())
            if path.resolve() in taken:
                raise ValueError(
                    f"{option} must name a file of its own. Got {str(path)!r}, which "
                    f"{taken[path.resolve()]} names, too."
                )
            taken[path.resolve()] = option

    def _figure_outputs(self, folder: Path) -> list[tuple[Path, str]]:
        """Return all files that figures may be written to."""
        from ari_estimator.reporting._page_report import check_figure_files
        from ari_estimator.reporting._report_figure import FIGURE_NAMES

        check_figure_files(self._figure_format, self._resolution)
        names = [f"{name}.{self._figure_format}" for name in FIGURE_NAMES]
        folder = folder_to_write(folder, "--save-figures", names=names)
        return [(folder / name, "--save-figures") for name in names]

    @property
    def _figure_format(self) -> str:
        return _SVG if self.file_format is None else self.file_format

    @property
    def _resolution(self) -> float:
        return _DPI if self.dpi is None else self.dpi

    def write_all(self, document: PageReport, fitted: Any, max_sets: int, out: Path) -> Files:
        """Write the page, the figures and the texts that were checked before.

        Parameters
        ----------
        document : PageReport
            The report.

        fitted : object
            What it is on.

        max_sets : int
            Maximum number of clusters or regions with a sentence.

        out : Path
            The page.

        Returns
        -------
        files : dict of str to Path
            The files, by what they hold.
        """
        from ari_estimator.reporting import get_methods

        files = {"report": out}
        given: dict[str, Any] = {"overwrite": self.force, "inputs": inputs_of_command()}
        with naming_force(), ExitStack() as writing:
            page = writing.enter_context(whole_file(out, "--out", **given))
            page.write_text(document.html, encoding="utf-8")
            for path in self.methods or []:
                output_format: Any = _FORMATS[path.suffix.lower()]
                text = get_methods(fitted, output_format=output_format, max_sets=max_sets)
                temporary = writing.enter_context(whole_file(path, "--methods", **given))
                temporary.write_text(text, encoding="utf-8")
                what = "references" if output_format == "bibtex" else "methods"
                files[f"{what} {path.name}"] = path
            if self.save_figures is not None:
                folder = writing.enter_context(whole_files(self.save_figures, **given))
                names = document.write_figures(folder, self._figure_format, self._resolution)
                files |= {f"figure {name}": self.save_figures / name for name in names}
            # All are written: an interrupt must not come between their moves.
            with deferred_signals():
                writing.close()
        return files
