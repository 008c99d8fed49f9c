"""``ari freesurfer``: the results of mri_glmfit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from typer import Argument, Option

from ari_estimator.cli._choices import one_of
from ari_estimator.cli._command import TalkOptions
from ari_estimator.cli._images import mesh_files, read_image
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import infer, letters_of
from ari_estimator.cli._set_options import SetOptions
from ari_estimator.cli._test_options import LevelOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._regular_file import existing_file

if TYPE_CHECKING:
    from ari_estimator.interfaces import StatisticalMap
    from ari_estimator.interfaces._freesurfer import Sign

_SIGNS = ("abs", "pos", "neg")


@dataclass(frozen=True)
class SurfaceOptions(LevelOptions, SetOptions):
    """How to test a map of FreeSurfer, and which sets to use instead of its clusters."""

    mask: Annotated[
        list[Path] | None,
        Option(
            help="Mask of all vertices or voxels to test. Surfaces need a file of each hemisphere; "
            "a .label is one.",
            show_default="mask.mgh of the analysis",
            rich_help_panel="Test",
        ),
    ] = None

    def of(self, stat_map: StatisticalMap) -> Any:
        """Return what makes the sets of a map."""
        from ari_estimator.estimators import ClusterTDPTransformer

        test: dict[str, Any] = {"alpha": self.alpha, "local_test": self.local_test}
        if stat_map.labels_img is not None and not self.asked:
            self.refuse_in_vain("mri_surfcluster, which are as they are")
            return ClusterTDPTransformer(**test, **stat_map.parameters_of_clusters())
        parameters = stat_map.parameters()
        connectivity = parameters.pop("connectivity")
        mesh = getattr(stat_map.stat_img, "mesh", None)
        return self.transformer(test | parameters, mesh, connectivity)

    def sign_of(self, sign: str | None) -> Sign | None:
        """Return which effects to test, as read_freesurfer takes it."""
        given = [
            option
            for option, is_given in (
                ("--sign", sign is not None),
                ("--two-sided", self.two_sided),
                ("--directional", self.directional),
            )
            if is_given
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} must not be given together.")
        if sign not in (None, *_SIGNS):
            raise ValueError(f"--sign must be abs, pos or neg. Got {sign!r}.")
        if self.two_sided or self.directional:
            return "abs" if self.two_sided else "directional"
        return cast("Sign | None", sign)


def freesurfer(
    program: SurfaceOptions,
    results: ResultOptions,
    talk: TalkOptions,
    glm_dir: Annotated[
        Path | None,
        Argument(
            metavar="GLMDIR",
            help="The folder of mri_glmfit --glmdir, of one hemisphere or of a volume.",
            show_default=False,
        ),
    ] = None,
    lh: Annotated[
        Path | None,
        Option(help="Instead of GLMDIR: the folder of the left hemisphere.", show_default=False),
    ] = None,
    rh: Annotated[
        Path | None,
        Option(
            help="The folder of the right hemisphere. With --lh, both are one family.",
            show_default=False,
        ),
    ] = None,
    contrast: Annotated[
        str | None, Option(help="Name of the contrast.", show_default="the only one")
    ] = None,
    clusters: Annotated[
        str | None,
        Option(
            help="Clusters of mri_glmfit-sim or mri_surfcluster, such as cache.th30.abs. Copies of "
            "their tables with TDPs are written to --out.",
            show_default="the only ones",
        ),
    ] = None,
    ocn: Annotated[
        list[Path] | None,
        Option(
            help="Map of clusters of mri_surfcluster --ocn, instead of --clusters. Give it once "
            "for each hemisphere.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        list[Path] | None,
        Option(
            help="Table of clusters of mri_surfcluster --sum, with --ocn. A copy with TDPs is "
            "written to --out.",
            show_default=False,
        ),
    ] = None,
    sign: Annotated[
        str | None,
        Option(
            help="Effects to test: abs (two-sided p-values), pos or neg (one-sided).",
            autocompletion=one_of(_SIGNS),
            show_default="as of the clusters, otherwise abs",
            rich_help_panel="Test",
        ),
    ] = None,
    mesh: Annotated[
        list[Path] | None,
        Option(
            help="Mesh of the hemisphere, instead of --surface. Give it once for each hemisphere.",
            show_default=False,
        ),
    ] = None,
    surface: Annotated[
        str | None, Option(help="Surface of the subject: white, inflated.", show_default="white")
    ] = None,
    subjects_dir: Annotated[
        Path | None,
        Option(help="Folder of the subjects.", show_default="the variable SUBJECTS_DIR"),
    ] = None,
) -> Outcome:
    """Compute the TDP of each cluster of mri_glmfit, and add it to copies of its tables."""
    from ari_estimator.interfaces import read_freesurfer
    from ari_estimator.interfaces._cluster_summary import freesurfer_tables_with_tdp
    from ari_estimator.interfaces._freesurfer import contrasts_of

    if glm_dir is None and lh is None and rh is None:
        raise ValueError(
            "GLMDIR must be a folder of mri_glmfit; or give --lh, --rh or both. Got none."
        )
    refuse_options(
        "surfaces of the subject. Got --mesh",
        surface=mesh is not None and surface is not None,
        subjects_dir=mesh is not None and subjects_dir is not None,
    )
    refuse_options(
        "clusters of mri_surfcluster. Got --threshold, --tdp or --atlas, which ask for other sets",
        clusters=bool(program.asked) and clusters is not None,
        ocn=bool(program.asked) and ocn is not None,
    )
    stat_map = read_freesurfer(
        glm_dir,
        contrast,
        lh=lh,
        rh=rh,
        clusters=clusters,
        ocn=_by_side(ocn),
        sign=program.sign_of(sign),
        mesh=mesh_files(mesh),
        surface=surface or "white",
        subjects_dir=subjects_dir,
    )
    found = contrasts_of(glm_dir, lh, rh, contrast)
    if stat_map.labels_img is None and not program.asked and any(o.cluster_sets for o in found):
        sets = [f"{', '.join(one.cluster_sets) or 'none'} in {one.folder}" for one in found]
        raise ValueError(
            "--clusters must name the clusters to use, or --threshold, --tdp or --atlas must ask "
            f"for others. Found {'; '.join(sets)}. Got none."
        )
    if program.mask is not None:
        of_map = getattr(stat_map.stat_img, "mesh", None)
        stat_map = replace(stat_map, mask_img=read_image(program.mask, of_map, "--mask"))
    transformer = program.of(stat_map)
    has_tables = stat_map.labels_img is not None and not program.asked
    refuse_options("the clusters of --ocn", table=table is not None and not (ocn and has_tables))
    if table and results.out is None:
        raise ValueError("--table needs --out, the folder for the copies. Got no --out.")
    pairs = [one.clusters(clusters) for one in found] if has_tables and ocn is None else []
    tables = table or [pair[0] for pair in pairs if pair is not None]

    def copy_tables(folder: Path) -> dict[str, str]:
        copies = freesurfer_tables_with_tdp(transformer, tables)
        for name, content in copies.items():
            (folder / name).write_bytes(content)
        return {f"copy of {name.replace('_tdp', '')}": name for name in copies}

    name = f"contrast-{letters_of(stat_map.name)}"
    masks = [one.mask for one in found if one.mask is not None]
    mask = program.mask or masks or None
    outcome = infer(
        transformer, stat_map.stat_img, name, results, copy_tables if tables else None, mask=mask
    )
    used = f" Clusters: {', '.join(sorted({t.name for t in tables}))}." if tables else ""
    return replace(outcome, text=f"{outcome.text} Contrast: {stat_map.name}.{used}")


def _by_side(files: Sequence[Path] | None) -> Any:
    """Return the file of one analysis, or the files of both hemispheres by hemisphere."""
    from ari_estimator.images._hemispheres import sorted_files

    if not files or len(files) == 1:
        return files[0] if files else None
    if len(files) > 2:
        raise ValueError(f"--ocn must be given once for each hemisphere. Got {len(files)}.")
    pair = sorted_files([existing_file(file, "--ocn") for file in files], "--ocn").told()
    return {"left": pair.left, "right": pair.right}
