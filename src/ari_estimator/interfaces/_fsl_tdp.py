"""The true discovery proportion of FSL's clusters, as files beside those of FSL."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators import ClusterTDPTransformer
from ari_estimator.interfaces._atomic import whole_files
from ari_estimator.interfaces._fsl_tables import fsl_tables_with_tdp
from ari_estimator.interfaces._statistical_map import StatisticalMap


def write_fsl_tdp(
    stat_map: StatisticalMap,
    folder: str | PathLike[str],
    *,
    tables: Iterable[str | PathLike[str]] = (),
    alpha: float = 0.05,
    local_test: LocalTest = "simes",
    overwrite: bool = False,
) -> tuple[ClusterTDPTransformer, dict[str, Path]]:
    """Write the true discovery proportion (TDP) of the clusters that FSL has found.

    What the R script ``get_tdp.R`` of ARIbrain does.

    Parameters
    ----------
    stat_map : StatisticalMap
        From :func:`read_feat` or :func:`read_fsl`, with a cluster index.

    folder : path
        Where to write; made if it is not there. The links of an HTML page lead somewhere in
        the FEAT folder alone.

    tables : iterable of path, default=()
        Cluster tables of FSL, text or HTML, such as :func:`find_feat_tables` gives. They stay
        as they are: copies have the new columns, after the p-values of the clusters.

    alpha : float, default=0.05
        Error level.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure.

    overwrite : bool, default=False
        Whether files of the same names are replaced.

    Returns
    -------
    ari : ClusterTDPTransformer
        With the table, and all that can be asked of the map.

    files : dict of str to Path
        What was written, by name: ``zstat1_tdp.nii.gz``, the TDP of each voxel's cluster;
        ``zstat1_tdp.tsv``, the table of the clusters and the rest of the brain;
        ``cluster_zstat1_tdp.txt``, the copy of a table.

    Raises
    ------
    FileExistsError
        If a file is there already, and ``overwrite`` is False.
    ValueError
        If there are no clusters, or a table is of other clusters.

    Notes
    -----
    Numbers equal those of ``get_tdp.R`` with the mask of all voxels that are not 0 and
    ``two_sided=True``, which it takes without asking.
    """
    tables = [Path(table) for table in tables]
    ari = ClusterTDPTransformer(
        alpha=alpha, local_test=local_test, **stat_map.parameters_of_clusters()
    )
    tdp_img = ari.fit_transform(stat_map.stat_img)
    copies = fsl_tables_with_tdp(ari, tables)
    name = stat_map.name or "stat"
    folder = Path(folder)
    images, own_tables = f"{name}_tdp.nii.gz", f"{name}_tdp.tsv"
    files = {file: folder / file for file in (images, own_tables, *copies)}
    if len(files) < 2 + len(tables):
        raise ValueError(
            "tables must have names of their own, for their copies are in one folder. Got "
            f"{', '.join(str(table) for table in tables)}."
        )
    there = [str(path) for path in files.values() if path.exists()]
    if there and not overwrite:
        raise FileExistsError(f"Not overwritten, without overwrite=True: {', '.join(there)}.")
    with whole_files(folder) as temporary:
        tdp_img.to_filename(temporary / images)
        ari.table_.to_csv(temporary / own_tables, sep="\t", index=False, na_rep="n/a")
        for file, copy in copies.items():
            (temporary / file).write_bytes(copy)
    return ari, files
