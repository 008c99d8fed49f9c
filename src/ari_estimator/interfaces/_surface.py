"""Surfaces and their regions from files of FreeSurfer and other programs."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

from nilearn.surface import SurfaceImage

from ari_estimator.images._surface_atlas import SurfaceAtlas, atlas_of_files
from ari_estimator.images._surface_files import surface_of_files

_Path = str | PathLike[str]


def read_surface(
    left: _Path | None = None, right: _Path | None = None, *, mesh: Any
) -> SurfaceImage:
    """Read a map of one hemisphere or of both from files.

    Parameters
    ----------
    left, right : path or None, default=None
        The file of each hemisphere: GIfTI; ``.mgh``, ``.mgz`` or NIfTI with the vertices in one
        row, of shape (n_vertices, 1, 1); a file like FreeSurfer's ``lh.thickness``; or a
        ``.label``, which is a mask.

    mesh : PolyMesh or dict
        The meshes, or a dictionary of meshes or their files by "left" and "right": GIfTI, or
        FreeSurfer's ``lh.white``, ``lh.inflated``, ``lh.pial``.

    Returns
    -------
    img : SurfaceImage
        The values in memory. What the files declare, by their names, headers and intents, is used
        when the map is tested.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If a file is damaged, of another hemisphere, or has other vertices than its mesh; if the
        hemispheres hold different statistics; if there is no file.

    See Also
    --------
    read_freesurfer : Reads a folder of mri_glmfit.
    read_surface_atlas : Reads regions.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nibabel import MGHImage
    >>> from nilearn.datasets import load_fsaverage
    >>> from ari_estimator.interfaces import read_surface
    >>> mesh = {"left": load_fsaverage("fsaverage5")["white_matter"].parts["left"]}
    >>> with TemporaryDirectory() as name:
    ...     path = Path(name) / "lh.z.mgh"
    ...     MGHImage(np.zeros((10242, 1, 1), dtype=np.float32), np.eye(4)).to_filename(path)
    ...     img = read_surface(path, mesh=mesh)
    >>> img.shape
    (10242,)
    """
    files = {side: file for side, file in (("left", left), ("right", right)) if file is not None}
    if not files:
        raise ValueError("left or right must be the file of a hemisphere. Got neither.")
    return surface_of_files(files, mesh, "The map")


def read_surface_atlas(
    left: _Path | Iterable[_Path] | None = None,
    right: _Path | Iterable[_Path] | None = None,
    *,
    mesh: Any,
) -> SurfaceAtlas:
    """Read regions from the annotations or labels of FreeSurfer, or from GIfTI labels.

    Parameters
    ----------
    left, right : path, iterable of path, or None, default=None
        For each hemisphere one ``.annot`` or ``.label.gii`` file, or one or more ``.label`` files,
        one for each region.

    mesh : PolyMesh or dict
        The meshes, or a dictionary of meshes or their files by "left" and "right".

    Returns
    -------
    atlas : SurfaceAtlas
        ``labels_img`` and ``lut``, for a :class:`~ari_estimator.RegionTDPTransformer`, in that
        order. ``lut`` has the columns ``index``, ``name`` and, for annotations, ``color``.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, TypeError
        If there is no such file.
    ValueError
        If a file is damaged, of another hemisphere, or does not fit its mesh; if there is no file.

    Notes
    -----
    Labels of GIfTI keep their numbers. Labels of annotations are numbered as in FreeSurfer's table
    of all structures: 1000 and the entry of the colour table on the left, 2000 and the entry on the
    right. If both hemispheres have regions of the same name, all names begin with ``lh.`` or
    ``rh.``. Vertices that are unknown, or of the medial wall, are in no region.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from nibabel.freesurfer.io import write_annot
    >>> from nilearn.datasets import load_fsaverage
    >>> from ari_estimator.interfaces import read_surface_atlas
    >>> mesh = {"left": load_fsaverage("fsaverage5")["white_matter"].parts["left"]}
    >>> colours = np.array([[25, 5, 25, 0], [255, 192, 32, 0]])
    >>> with TemporaryDirectory() as name:
    ...     path = Path(name) / "lh.aparc.annot"
    ...     labels = (np.arange(10242) < 20).astype(int)
    ...     write_annot(path, labels, colours, ["unknown", "insula"], fill_ctab=True)
    ...     atlas = read_surface_atlas(path, mesh=mesh)
    >>> atlas.lut
       index    name    color
    0   1001  insula  #ffc020
    """
    given = {"left": left, "right": right}
    files = {
        side: [paths] if isinstance(paths, (str, PathLike)) else list(paths)
        for side, paths in given.items()
        if paths is not None
    }
    if not any(files.values()):
        raise ValueError("left or right must be files of a hemisphere. Got neither.")
    return atlas_of_files(files, mesh, "The atlas", "mesh")
