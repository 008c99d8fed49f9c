"""Write the true discovery proportion of FSL's clusters."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators import ClusterTDPTransformer
from ari_estimator.files._given_path import given_path
from ari_estimator.files._whole_files import whole_files
from ari_estimator.interfaces._fsl_tables import fsl_tables_with_tdp
from ari_estimator.interfaces._result_names import check_prefix, results_folder
from ari_estimator.interfaces._results import write_results
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
    """Write the true discovery proportion (TDP) of FSL's clusters.

    This does the same as the R script ``get_tdp.R`` of ARIbrain.

    Parameters
    ----------
    stat_map : StatisticalMap
        A map from :func:`read_feat` or :func:`read_fsl` with a cluster index.

    folder : path
        Output folder. It is created if it does not exist. The links of an HTML page only work in
        the FEAT folder.

    tables : iterable of path, default=()
        Cluster tables of FSL, text or HTML, for example from :func:`find_feat_tables`. They are
        not changed. Copies have the new columns after the p-values of the clusters.

    alpha : float, default=0.05
        Error level.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure.

    overwrite : bool, default=False
        Whether to replace existing files.

    Returns
    -------
    ari : ClusterTDPTransformer
        The fitted transformer.

    files : dict of str to Path
        The written files by their content: the images, tables and other files of
        :func:`~ari_estimator.save`, named after the map (``zstat1_stat-tdp_statmap.nii.gz``), and
        the copies of tables (``cluster_zstat1_tdp.txt`` under ``"copy of cluster_zstat1.txt"``).

    Raises
    ------
    FileExistsError
        If a file exists and ``overwrite`` is False.
    ValueError
        If there are no clusters, if a table describes other clusters, or if the name of the map
        cannot be part of a file name.
    OSError
        If the folder is not writable, or something other than a file has the name of a result.
        Either all files are written, or nothing changes.

    Notes
    -----
    The results equal the results of ``get_tdp.R`` if the mask contains all nonzero voxels and
    ``two_sided=True``. The script always uses these settings.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from nilearn.image import load_img, new_img_like
    >>> from scipy.ndimage import label
    >>> from ari_estimator.interfaces import read_fsl, write_fsl_tdp
    >>> z_img = load_img(load_sample_motor_activation_image())
    >>> clusters = label(z_img.get_fdata() > 6)[0].astype(np.int32)
    >>> stat_map = read_fsl(z_img, cluster_index=new_img_like(z_img, clusters))
    >>> with TemporaryDirectory() as folder:
    ...     ari, files = write_fsl_tdp(stat_map, folder)
    >>> files["TDP image"].name
    'stat_stat-tdp_statmap.nii.gz'
    """
    prefix = stat_map.name or "stat"
    check_prefix(prefix, "stat_map.name")
    originals = [given_path(table, "tables") for table in tables]
    folder = results_folder(
        folder, prefix, overwrite=overwrite, inputs=originals, called=("folder", "stat_map.name")
    )
    ari = ClusterTDPTransformer(
        alpha=alpha, local_test=local_test, **stat_map.parameters_of_clusters()
    )
    ari.fit_transform(stat_map.stat_img)
    with whole_files(folder, overwrite=overwrite, inputs=originals) as temporary:
        names = write_results(ari, temporary, prefix=prefix)
        names |= write_table_copies(ari, originals, temporary)
    return ari, {what: folder / name for what, name in names.items()}


def write_table_copies(
    ari: ClusterTDPTransformer, tables: Iterable[str | PathLike[str]], folder: Path
) -> dict[str, str]:
    """Write copies of FSL's cluster tables with TDPs to an existing folder.

    Parameters
    ----------
    ari : ClusterTDPTransformer
        A transformer fitted with FSL's clusters.

    tables : iterable of path
        The tables.

    folder : Path
        The folder.

    Returns
    -------
    names : dict of str to str
        Names of the copies by their content.

    Raises
    ------
    ValueError
        If a table describes other clusters, or two tables have the same name.
    """
    paths = [given_path(table, "tables") for table in tables]
    copies = fsl_tables_with_tdp(ari, paths)
    if len(copies) < len(paths):
        raise ValueError(
            "tables must have different names, because their copies are in one folder. Got "
            f"{', '.join(str(path) for path in paths)}."
        )
    for name, content in copies.items():
        (folder / name).write_bytes(content)
    originals = (f"copy of {path.name}" for path in paths)
    return dict(zip(originals, copies, strict=True))
