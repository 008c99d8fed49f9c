"""Save results to a folder, and load them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nilearn.surface import SurfaceImage
from nilearn.surface.surface import data_to_gifti
from sklearn.utils.validation import check_is_fitted

from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._archive import stored_kind
from ari_estimator.estimators import PermutationCalibration
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.files._given_path import given_path
from ari_estimator.files._whole_files import whole_files
from ari_estimator.images._mne_objects import is_mne, values_of
from ari_estimator.images._own_descriptions import CLUSTERS, TDPS
from ari_estimator.images._painted_values import Values
from ari_estimator.images._write_nifti import write_nifti
from ari_estimator.interfaces._result_names import (
    ARCHIVE,
    check_prefix,
    image_names,
    results_folder,
)
from ari_estimator.interfaces._saved_calibration import KIND as CALIBRATION
from ari_estimator.interfaces._saved_calibration import (
    describe_calibration,
    load_calibration,
    save_calibration,
)
from ari_estimator.interfaces._saved_map import load_map, save_map
from ari_estimator.interfaces._sidecar import make_sidecar
from ari_estimator.interfaces._table_file import write_table


def save(
    fitted: Any,
    folder: str | Path,
    *,
    prefix: str = "map",
    map_index: int | None = None,
    overwrite: bool = False,
    command: str | None = None,
) -> dict[str, Path]:
    """Write the results of a map, or a calibration, to a folder.

    Parameters
    ----------
    fitted : transformer, ARISecondLevelModel, FittedMap or PermutationCalibration
        A transformer fitted to a map, a model after ``compute_contrast(output_type="tdp")``, a
        fitted map, or a fitted calibration.

    folder : str or Path
        Output folder. It is created if it does not exist. A ``~`` at the start means the home
        folder.

    prefix : str, default="map"
        First part of the file names, such as ``sub-01_task-faces``.

    map_index : int or None, default=None
        Number of the map, if the transformer was fitted to several.

    overwrite : bool, default=False
        Whether to replace existing files.

    command : str or None, default=None
        The command line, to be recorded in the sidecar.

    Returns
    -------
    files : dict of str to Path
        The written files by their content. Names follow BIDS derivatives:

        - ``"TDP image"``: ``_stat-tdp_statmap.nii.gz``
        - ``"label image"``: ``_desc-clusters_dseg.nii.gz``, for clusters
        - ``"statistic image"``: ``_stat-z_statmap.nii.gz``, for a model
        - ``"table"``: ``_clusters.tsv`` or ``_regions.tsv``
        - ``"sidecar"``: the same name with ``.json``: parameters, versions, meaning of the columns
        - ``"archive"``: ``_ari.npz``, for :func:`load`

        For a calibration, the files are ``"archive"`` and ``"sidecar"`` (``_calibration.json``).

        Images of surfaces are GIfTI files, one for each hemisphere
        (``_hemi-L_stat-tdp_statmap.func.gii``, under ``"TDP image, left"``). CIFTI images are
        ``.dscalar.nii`` files. Arrays are ``.npy`` files, and so are the values of objects of
        MNE-Python.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator was not fitted to a map.
    TypeError
        If ``fitted`` has another type.
    ValueError
        If ``prefix`` cannot start a file name, ``folder`` is empty, or ``map_index`` is not the
        number of a map.
    FileExistsError
        If a file exists and ``overwrite`` is False.
    OSError
        If the folder is not writable, or something other than a file has the name of a result.
        Either all files are written, or nothing changes.

    See Also
    --------
    load : Reads the results again.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> import ari_estimator
    >>> ari = ari_estimator.ClusterTDPTransformer()
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> with TemporaryDirectory() as folder:
    ...     files = ari_estimator.save(ari, folder, prefix="motor")
    ...     again = ari_estimator.load(folder)
    >>> files["table"].name
    'motor_clusters.tsv'
    >>> bounds = [ari_estimator.set_bound(a, seed=(39, -22, 58), radius=9) for a in (ari, again)]
    >>> bounds[0] == bounds[1]
    True
    """
    check_prefix(prefix)
    folder = results_folder(folder, prefix, overwrite=overwrite)
    with whole_files(folder, overwrite=overwrite) as temporary:
        names = write_results(
            fitted, temporary, prefix=prefix, map_index=map_index, command=command
        )
    return {what: folder / name for what, name in names.items()}


def write_results(
    fitted: Any,
    folder: Path,
    *,
    prefix: str,
    map_index: int | None = None,
    command: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Write the results of a map to an existing folder.

    Parameters
    ----------
    fitted, prefix, map_index, command
        As for :func:`save`, which writes all files or none.

    folder : Path
        The folder.

    extra : mapping or None, default=None
        Further entries of the sidecar.

    Returns
    -------
    names : dict of str to str
        Names of the files by their content.
    """
    if isinstance(fitted, PermutationCalibration):
        return _write_calibration(fitted, folder, prefix, map_index, command)
    fitted_map = as_fitted_map(fitted, map_index)
    description = fitted_map.describe()
    sets = description["sets"]["called"]
    names: dict[str, str] = {}

    def write_image(values: Values, what: str, ending: str, described: str) -> None:
        image = fitted_map.to_image(values, described)
        written = save_image(image, folder, prefix, ending)
        names.update({f"{what}{which}": name for which, name in written.items()})

    write_image(fitted_map.painted_tdp, "TDP image", "stat-tdp_statmap", TDPS)
    if fitted_map.made_by.has_labels:
        labels = fitted_map.painted_labels
        write_image(labels, "label image", "desc-clusters_dseg", CLUSTERS)
    if description["contrast"] is not None:
        # The map computed by the same analysis, which exists nowhere else.
        family = fitted_map.family
        called = family.statistic.called["bids"]
        values = family.values_in_mask
        write_image(values, "statistic image", f"stat-{called}_statmap", family.statistic.name)
    table = fitted_map.table
    names["table"] = f"{prefix}_{sets}.tsv"
    write_table(folder / names["table"], rounded_sizes(table))
    sidecar = make_sidecar(description, [str(name) for name in table.columns], command, extra)
    names["sidecar"] = f"{prefix}_{sets}.json"
    _write_json(folder / names["sidecar"], sidecar)
    names["archive"] = prefix + ARCHIVE
    save_map(folder / names["archive"], fitted_map)
    return names


def rounded_sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with sizes rounded to 7 digits, the precision of affines in files."""
    sizes = [name for name in table if str(name).startswith("size_mm")]
    rounded = {name: [float(f"{value:.7g}") for value in table[name]] for name in sizes}
    return table.assign(**rounded)


def _write_calibration(
    calibration: PermutationCalibration,
    folder: Path,
    prefix: str,
    map_index: int | None,
    command: str | None,
) -> dict[str, str]:
    check_is_fitted(calibration)
    refuse_unused("for a calibration, which has no maps", {"map_index": (map_index, None)})
    names = {"sidecar": f"{prefix}_calibration.json", "archive": prefix + ARCHIVE}
    _write_json(folder / names["sidecar"], describe_calibration(calibration, command))
    save_calibration(folder / names["archive"], calibration)
    return names


def _write_json(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    # A command may contain file names that are not valid Unicode; escape them as in JSON.
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def load(path: str | Path) -> Any:
    """Load results written by :func:`save`, to bound further sets without the maps.

    Parameters
    ----------
    path : str or Path
        The file ``*_ari.npz``, or a folder with one such file.

    Returns
    -------
    fitted : transformer or PermutationCalibration
        The transformer fitted to the map, for use with :func:`set_bound`, :func:`explore`,
        ``table_``, ``forest_``, ``generate_report`` and so on. For a model, it is the transformer
        of the contrast with its calibrated test. For a calibration, it is the fitted calibration.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not an archive in this version's format, is damaged, or holds anything that
        :func:`save` does not write, or if the folder has several archives. The message names the
        file.

    See Also
    --------
    save : Writes results.

    Notes
    -----
    The file holds the values of the map in the mask, the mask, meshes and parameters as plain
    arrays. Loading it runs no code and opens no other file or address. A checksum detects damage.
    **A file from someone else can still contain invented numbers.** The bounds are computed again,
    which takes no longer than reading an image.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> import ari_estimator
    >>> ari = ari_estimator.AdaptiveTDPTransformer(0.7)
    >>> tdp_img = ari.fit_transform(load_sample_motor_activation_image())
    >>> with TemporaryDirectory() as folder:
    ...     files = ari_estimator.save(ari, folder)
    ...     again = ari_estimator.load(files["archive"])
    >>> again.forest_.query(0.9).size
    3
    """
    archive = find_archive(path) or given_path(path, "path")
    read = load_calibration if stored_kind(archive) == CALIBRATION else load_map
    return read(archive)


def find_archive(path: str | Path) -> Path | None:
    """Return the file that :func:`load` reads: the path itself, or the archive in a folder.

    Parameters
    ----------
    path : str or Path
        A file or folder.

    Returns
    -------
    archive : Path or None
        The archive; None for a file with another name.

    Raises
    ------
    FileNotFoundError
        If the folder has no archive.
    ValueError
        If the folder has several archives.
    """
    path = given_path(path, "path")
    if not path.is_dir():
        return path if path.name.endswith(ARCHIVE) else None
    found = sorted(path.glob(f"*{ARCHIVE}"))
    if not found:
        raise FileNotFoundError(f"There is no file *{ARCHIVE} in {str(path)!r}.")
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise ValueError(f"path must name one of the files in {str(path)!r}. Got {names}.")
    return found[0]


def save_image(image: Any, folder: Path, prefix: str, what: str) -> dict[str, str]:
    """Write an image of results and return the names of its files."""
    names = image_names(prefix, what, image)
    if isinstance(image, np.ndarray) or is_mne(image):
        values = values_of(image) if is_mne(image) else image
        np.save(folder / names[""], values, allow_pickle=False)
        return names
    if not isinstance(image, SurfaceImage):
        write_nifti(image, folder / names[""])
        return names
    for name, values in zip(names.values(), image.data.parts.values(), strict=True):
        # GIFTI has single precision, which must not round a lower bound up.
        if values.dtype == np.float64:
            single = values.astype(np.float32)
            values = np.where(single > values, np.nextafter(single, np.float32(-1)), single)
        data_to_gifti(values, folder / name)
    return names
