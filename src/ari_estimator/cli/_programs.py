"""``ari fsl``, ``ari spm`` and ``ari afni``: the results of other programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._extent_options import ExtentOptions
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import infer, letters_of
from ari_estimator.cli._set_options import SetOptions
from ari_estimator.cli._test_options import LevelOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._absent_content import is_named
from ari_estimator.files._given_path import given_path

if TYPE_CHECKING:
    from ari_estimator.interfaces import StatisticalMap


@dataclass(frozen=True)
class ProgramOptions(LevelOptions, ExtentOptions, SetOptions):
    """How to test a map of another program, and which sets to use instead of its clusters."""

    mask: Annotated[
        Path | None,
        Option(
            help="Mask of all voxels to test.",
            show_default="the mask of the program",
            rich_help_panel="Test",
        ),
    ] = None

    def of(self, stat_map: StatisticalMap) -> Any:
        """Return what makes the sets of a map.

        Raises
        ------
        ValueError
            If several kinds of sets are asked for, or options would do nothing.
        """
        from ari_estimator.estimators import ClusterTDPTransformer

        connectivity = stat_map.connectivity if self.connectivity is None else self.connectivity
        test: dict[str, Any] = {
            "alpha": self.alpha,
            "local_test": self.test_of(self.local_test, connectivity),
        }
        if stat_map.labels_img is None or self.asked:
            parameters = stat_map.parameters()
            del parameters["connectivity"]
            return self.transformer(test | parameters, connectivity=connectivity)
        self.refuse_in_vain("the program, which are as they are")
        return ClusterTDPTransformer(**test, **stat_map.parameters_of_clusters())

    def mask_in_words(self, stat_map: StatisticalMap) -> str | None:
        """Return which mask there is; None if it is computed from the map."""
        from ari_estimator.images._declared import file_of

        if self.mask is not None:
            return str(self.mask)
        if stat_map.mask_img is None:
            return None
        file = file_of(stat_map.mask_img)
        return "all voxels of the map that are not NaN" if file is None else str(file)


def fsl(
    path: Annotated[
        Path,
        Argument(
            metavar="FEAT",
            help="A .feat folder (for a group, .gfeat/cope1.feat), or a map such as zstat1.nii.gz.",
            show_default=False,
        ),
    ],
    program: ProgramOptions,
    results: ResultOptions,
    talk: TalkOptions,
    stat: Annotated[
        str | None,
        Option(help="Map in the folder: zstat1, tstat1, zfstat1.", show_default="zstat1"),
    ] = None,
    df: Annotated[
        str | None,
        Option(help="For a t map: degrees of freedom, or the file dof of FEAT."),
    ] = None,
    clusters: Annotated[
        Path | None,
        Option(help="For a map: its cluster index, such as cluster_mask_zstat1.nii.gz."),
    ] = None,
    table: Annotated[
        list[Path] | None,
        Option(
            help="Cluster table, text or HTML. A copy with TDPs is written to --out. Repeat it for "
            "several.",
            show_default="the tables of the folder",
        ),
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of FSL, and add it to copies of FSL's tables."""
    from ari_estimator.interfaces import find_feat_tables, read_feat, read_fsl
    from ari_estimator.interfaces._fsl_tdp import write_table_copies

    if path.is_dir():
        refuse_options(
            "a single map, and FEAT a folder", df=df is not None, clusters=clusters is not None
        )
        name = stat or "zstat1"
        called = f"Map: {name}{_default(stat, 'the default', '--stat')}."
        stat_map = read_feat(path, name, two_sided=program.sides)
        tables = find_feat_tables(path, name) if table is None else table
        if program.mask is not None:
            stat_map = _with_mask(stat_map, program.mask)
    else:
        refuse_options("a folder, and FEAT a single map", stat=stat is not None)
        stat_map = read_fsl(
            path,
            stat_type=None if df is None else "t",
            df=None if df is None else _degrees(df),
            mask_img=program.mask,
            cluster_index=clusters,
            two_sided=program.sides,
        )
        if df is not None:
            stat_map = replace(stat_map, said_by="--df")
        tables = table or []
        called = None
    transformer = program.of(stat_map)
    if program.asked or stat_map.labels_img is None:
        if table:
            raise ValueError(
                "--table needs the clusters of FSL. Got other sets, or no clusters of FSL."
            )
        tables = []
    if table and results.out is None:
        raise ValueError("--table needs --out, the folder for the copies. Got no --out.")

    def copy_tables(folder: Path) -> dict[str, str]:
        return write_table_copies(transformer, tables, folder)

    mask = program.mask_in_words(stat_map)
    copies = copy_tables if tables else None
    outcome = infer(transformer, stat_map.stat_img, stat_map.name, results, copies, mask=mask)
    return _with_map(outcome, called)


def spm(
    path: Annotated[
        Path,
        Argument(
            metavar="SPM",
            help="The folder of an analysis, its SPM.mat, or a map such as spmT_0001.nii.",
            show_default=False,
        ),
    ],
    program: ProgramOptions,
    results: ResultOptions,
    talk: TalkOptions,
    contrast: Annotated[
        str | None, Option(help="Number or name of the contrast.", show_default="the first")
    ] = None,
    clusters: Annotated[
        Path | None,
        Option(help="Clusters saved by SPM with 'all clusters (n-ary)'."),
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of an SPM analysis."""
    from ari_estimator.interfaces import read_spm
    from ari_estimator.interfaces._reading import stem_of

    number = int(contrast) if contrast is not None and contrast.isdecimal() else contrast
    stat_map = read_spm(path, number, labels_img=clusters, two_sided=program.sides)
    if program.mask is not None:
        stat_map = _with_mask(stat_map, program.mask)
    is_map = is_named(path) and path.suffix != ".mat"
    name = stem_of(path) if is_map else f"contrast-{letters_of(stat_map.name)}"
    mask = program.mask_in_words(stat_map)
    outcome = infer(program.of(stat_map), stat_map.stat_img, name, results, mask=mask)
    if is_map:
        return outcome
    taken = _default(contrast, "the first", "--contrast")
    return _with_map(outcome, f"Contrast: {stat_map.name}{taken}.")


def afni(
    path: Annotated[
        str,
        Argument(
            metavar="DATASET",
            help="stats+tlrc, a .HEAD or .BRIK file, or NIfTI; with a sub-brick: 'stats+tlrc[2]'.",
            show_default=False,
        ),
    ],
    program: ProgramOptions,
    results: ResultOptions,
    talk: TalkOptions,
    sub_brick: Annotated[
        str | None, Option(help="Number (from 0) or label of the sub-brick with the statistic.")
    ] = None,
    clusters: Annotated[
        str | None, Option(help="Cluster map written by 3dClusterize -pref_map.")
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of an AFNI dataset."""
    from ari_estimator.interfaces import output_stem, read_afni

    chosen = int(sub_brick) if sub_brick is not None and sub_brick.isdecimal() else sub_brick
    stat_map = read_afni(
        path,
        chosen,
        mask_img=program.mask,
        labels_img=clusters,
        two_sided=program.sides,
    )
    name = f"{output_stem(path.partition('[')[0])}_contrast-{letters_of(stat_map.name)}"
    mask = program.mask_in_words(stat_map)
    outcome = infer(program.of(stat_map), stat_map.stat_img, name, results, mask=mask)
    return _with_map(outcome, f"Sub-brick: {stat_map.name}." if stat_map.name else None)


def _default(given: str | None, what: str, option: str) -> str:
    """Return that an option was left out, and what was taken; empty if it was given."""
    return "" if given is not None else f", {what} ({option} takes another)"


def _with_map(outcome: Outcome, called: str | None) -> Outcome:
    """Return a result that also names the map that was taken from several."""
    return outcome if called is None else replace(outcome, text=f"{outcome.text} {called}")


def _with_mask(stat_map: StatisticalMap, mask: Path) -> StatisticalMap:
    from ari_estimator.interfaces._reading import read_mask

    return replace(stat_map, mask_img=read_mask(mask, "--mask"))


def _degrees(text: str) -> float:
    """Return degrees of freedom, a number or a file of one."""
    from ari_estimator.interfaces._reading import read_text

    written = read_text(text, "--df").strip() if given_path(text, "--df").exists() else text
    try:
        return float(written)
    except ValueError:
        message = f"--df must be a number, or a file of one. Got {written[:40]!r}."
        raise ValueError(message) from None
