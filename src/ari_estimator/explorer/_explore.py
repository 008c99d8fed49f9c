"""From a map, or what was found in one, to the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ari_estimator._nesting import refuse_nested
from ari_estimator._unused_options import refuse_unused
from ari_estimator.closed_testing._local_tests import LocalTest
from ari_estimator.estimators import AdaptiveTDPTransformer
from ari_estimator.estimators._as_fitted_map import as_fitted_map
from ari_estimator.explorer._array_geometry import ArrayGeometry
from ari_estimator.explorer._cifti_geometry import CiftiGeometry
from ari_estimator.explorer._document import ExplorerDocument
from ari_estimator.explorer._page import render_page
from ari_estimator.explorer._page_data import PageData, refuse_sides
from ari_estimator.explorer._page_geometry import PageGeometry
from ari_estimator.explorer._page_size import check_size, check_size_of_map
from ari_estimator.explorer._second_map import SecondMap, read_second_map
from ari_estimator.explorer._surface_geometry import SurfaceGeometry
from ari_estimator.explorer._volume_geometry import VolumeGeometry
from ari_estimator.files._input_files import input_files
from ari_estimator.files._output_path import file_to_write
from ari_estimator.graphs._voxel_grid import CONNECTIVITIES, Connectivity
from ari_estimator.images._array_frame import ArrayFrame
from ari_estimator.images._cifti import CiftiFrame
from ari_estimator.images._frame import Frame
from ari_estimator.images._kinds import kind_of
from ari_estimator.images._labels import Regions, read_regions
from ari_estimator.images._maps import as_map
from ari_estimator.images._mne_frame import MneFrame
from ari_estimator.images._region_names import Names
from ari_estimator.images._surfaces import SurfaceFrame
from ari_estimator.images._volumes import VolumeFrame
from ari_estimator.inference import FittedMap, StatType, TDPForest
from ari_estimator.inference._adaptive_clusters import grow_forest
from ari_estimator.inference._tdp_forest import check_tdp

# What the page can show.
_GEOMETRIES: dict[type[Frame], type[PageGeometry]] = {
    VolumeFrame: VolumeGeometry,
    SurfaceFrame: SurfaceGeometry,
    CiftiFrame: CiftiGeometry,
    ArrayFrame: ArrayGeometry,
    MneFrame: ArrayGeometry,
}


def explore(
    stat_img: Any,
    *,
    mask_img: Any = None,
    alpha: float = 0.05,
    stat_type: StatType | None = None,
    df: Any = None,
    two_sided: bool = False,
    connectivity: Connectivity | None = None,
    local_test: LocalTest = "simes",
    mesh: Any = None,
    map_index: int | None = None,
    tdp: float = 0.7,
    bg_img: Any = "auto",
    surf_mesh: Any = None,
    labels_img: Any = None,
    labels: Names | None = None,
    lut: pd.DataFrame | str | Path | None = None,
    second_map: Any = None,
    title: str | None = None,
    output_file: str | Path | None = None,
) -> ExplorerDocument:
    """Make a page to explore a map with, in a browser and offline.

    One file holds the map and all its clusters with their bounds: any true discovery proportion
    (TDP) can be asked for, clusters grown and shrunk one by one, and spheres, drawn regions and
    regions of an atlas bounded. All bounds hold at once, no matter how much you look at.

    Parameters
    ----------
    stat_img : 3D Niimg-like object, SurfaceImage, Cifti2Image, estimator or FittedMap
        A statistical map; or what was fitted to one, whose bounds are shown, calibrated ones
        too.

    mask_img : image, masker or None, default=None
        All voxels that are tested, as for :class:`AdaptiveTDPTransformer`. This and the other
        parameters up to ``mesh`` are for maps.

    alpha : float, default=0.05
        Error level, strictly between 0 and 1.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        What the map holds. None is what its file declares, and z where that declares nothing.

    df : float, (float, float), image, path, ndarray or None, default=None
        Degrees of freedom, as for :class:`~ari_estimator.ClusterTDPTransformer`.

    two_sided : bool, default=False
        Whether negative values count as well.

    connectivity : {6, 18, 26} or None, default=None
        Voxels of a cluster share a face (6), or also an edge (18), or a corner (26). None for
        the value that the map was fitted with, or 6. Vertices of a surface share an edge of its
        mesh: for a surface it must be None.

    local_test : {"simes", "hommel"}, default="simes"
        Local test of the closed testing procedure.

    mesh : PolyMesh, dict or None, default=None
        For CIFTI maps: meshes of the cortex, as for :class:`AdaptiveTDPTransformer`.

    map_index : int or None, default=None
        Which map is meant, if a transformer was fitted to several.

    tdp : float, default=0.7
        TDP of the clusters that are shown first, in [0, 1].

    bg_img : "auto", 3D Niimg-like object, SurfaceImage or None, default="auto"
        What to draw on: an anatomical image. For surfaces, an image such as the depth of sulci;
        large values are dark. "auto", or "MNI152", is nilearn's template, and nothing if the map
        is in another space. For surfaces, "auto" is the folds of their mesh. A CIFTI map takes
        either image, and finds the other background by itself. None for no background.

    surf_mesh : PolyMesh, dict or None, default=None
        For surfaces and CIFTI: other meshes of the same vertices to draw on, such as inflated ones;
        or a dictionary of meshes or their files for "left" and "right". Sizes and places remain
        vertices of the mesh of the map. The page can draw that mesh, too.

    labels_img : 3D Niimg-like object, SurfaceImage, Cifti2Image or None, default=None
        Atlas: a label for each voxel, resampled to the map, or for each vertex. A CIFTI label file
        (dlabel) brings the names.

    labels : sequence of str, dict, Series or None, default=None
        Names of the regions, by ascending label. Or a dictionary, or the index of a Series, with
        the name of each label.

    lut : pandas.DataFrame, str, Path or None, default=None
        Look-up table of the regions, with columns ``index`` and ``name``, or a file of one.

    second_map : 3D Niimg-like object, SurfaceImage, Cifti2Image or None, default=None
        Another map, on the grid, mesh or grayordinates of the first one. The page shows its values
        beside the first map. It has no influence on any bound.

    title : str or None, default=None
        Title of the page. None for the name of the map's file, if it has one. Files that the page
        saves start with the name of the map's file, or with the title if there is none.

    output_file : str, Path or None, default=None
        File to write the page to. An existing file is replaced, unless it is one of the
        given files. A ``~`` at the start is the home folder.

    Returns
    -------
    document : ExplorerDocument
        The page, with ``save_as_html`` and ``open_in_browser``.

    Raises
    ------
    TypeError
        If the map is not an image, or if another image is not of its kind.
    ValueError
        If a parameter is out of its range, or is for maps and ``stat_img`` is fitted. If the map
        is too large for browsers. If ``second_map`` lies elsewhere than the map.
    FileNotFoundError
        If nilearn has no niivue, which draws the brain.
    OSError
        If ``output_file`` cannot be written: it is a folder, for example.
    sklearn.exceptions.NotFittedError
        If a transformer or model was not fitted to a map.

    See Also
    --------
    AdaptiveTDPTransformer : Clusters of a TDP.
    TDPForest : What the page asks.

    Notes
    -----
    The numbers of the page equal :class:`TDPForest` and :func:`set_bound`, to the last
    digit. The file sends nothing anywhere, and a policy in it forbids it to.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import explore
    >>> page = explore(load_sample_motor_activation_image(), two_sided=True)
    >>> page.save_as_html("motor.html")  # doctest: +SKIP
    """
    refuse_nested(**locals())
    tdp = check_tdp(tdp)
    if output_file is not None:
        given = (stat_img, mask_img, df, mesh, bg_img, surf_mesh, labels_img, lut, second_map)
        file_to_write(output_file, "output_file", inputs=input_files(*given))
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a string or None. Got {type(title).__name__}.")
    if isinstance(stat_img, (BaseEstimator, FittedMap)):
        refuse_unused(
            f"since the map of the {type(stat_img).__name__} was tested before",
            {
                "mask_img": (mask_img, None),
                "alpha": (alpha, 0.05),
                "stat_type": (stat_type, None),
                "df": (df, None),
                "two_sided": (two_sided, False),
                "local_test": (local_test, "simes"),
                "mesh": (mesh, None),
            },
        )
        fitted_map = as_fitted_map(stat_img, map_index)
        space_img = None
    else:
        _check_can_be_shown(stat_img)
        refuse_unused("for a single map", {"map_index": (map_index, None)})
        refuse_sides(two_sided)
        space_img = as_map(stat_img)
        transformer = AdaptiveTDPTransformer(
            tdp,
            alpha=alpha,
            mask_img=mask_img,
            stat_type=stat_type,
            df=df,
            two_sided=two_sided,
            connectivity=_check_connectivity(connectivity),
            local_test=local_test,
            mesh=mesh,
        )
        check_size_of_map(space_img, mask_img, mesh)
        fitted_map = transformer.fit(space_img).maps_
    frame, family = fitted_map.frame, fitted_map.family
    check_size(family.n_tested, family.space.element_name[1])
    geometry = _geometry_class(type(frame)).of(
        frame, family.space.parts, bg_img=bg_img, surf_mesh=surf_mesh, like=space_img
    )
    forest, neighbours = _forest_of(fitted_map, connectivity)
    name = name_of(stat_img)
    data = PageData(
        fitted_map=fitted_map,
        geometry=geometry,
        forest=forest,
        connectivity=neighbours,
        tdp=tdp,
        regions=_regions_of(fitted_map, labels_img, labels, lut),
        second=_second_of(fitted_map, second_map),
        name=name or title or "map",
        file_stem=name or _file_stem_of(title) or "map",
    )
    if title is None:
        title = f"ARI explorer: {name}" if name else "ARI explorer"
    document = ExplorerDocument(render_page(title, data.to_dict()))
    if output_file is not None:
        document.save_as_html(output_file)
    return document


def _check_can_be_shown(stat_img: Any) -> None:
    """Raise a TypeError unless it is an image that the page can show."""
    _geometry_class(kind_of(stat_img))
    if isinstance(stat_img, (np.ndarray, pd.DataFrame)):
        raise TypeError(
            "stat_img must be an image, or a transformer fitted to an array. "
            f"Got {type(stat_img).__name__}."
        )


def _geometry_class(frame_class: type[Frame]) -> type[PageGeometry]:
    """Return how a kind of image is shown."""
    if frame_class not in _GEOMETRIES:
        raise TypeError(
            "stat_img must be, or be fitted to, an image or an array. "
            f"Got a {frame_class.kind}, which the page cannot show."
        )
    return _GEOMETRIES[frame_class]


def _check_connectivity(connectivity: Connectivity | None) -> Connectivity | None:
    """Return which voxels are neighbours, where a user may have given any number."""
    if connectivity is not None and connectivity not in CONNECTIVITIES:
        raise ValueError(f"connectivity must be 6, 18, 26 or None. Got {connectivity!r}.")
    return connectivity


def _forest_of(
    fitted_map: FittedMap, connectivity: Connectivity | None
) -> tuple[TDPForest, Connectivity]:
    """Return all clusters of a map, and which voxels are neighbours in them."""
    given = fitted_map.frame.space.check_connectivity(_check_connectivity(connectivity))
    own = fitted_map.made_by.connectivity
    neighbours: Any = own if connectivity is None and own is not None else given
    forest = fitted_map.forest
    if forest is None or neighbours != own:
        forest = grow_forest(fitted_map.family, fitted_map.bounds, neighbours)
    return forest, neighbours


def _regions_of(
    fitted_map: FittedMap,
    labels_img: Any,
    labels: Names | None,
    lut: pd.DataFrame | str | Path | None,
) -> Regions | None:
    """Return the atlas of the tested voxels."""
    if labels_img is None:
        refuse_unused(
            "without a labels_img",
            {"labels": (labels, None), "lut": (lut, None)},
        )
        return None
    frame = fitted_map.frame
    # For others, an atlas has the vertices or the shape of the map.
    resample = isinstance(frame, (VolumeFrame, CiftiFrame))
    regions = read_regions(frame, labels_img, labels=labels, lut=lut, resample=resample)
    if regions.overlap:
        raise ValueError(
            "labels_img must be an image of labels, for a page. Got several maps: give each voxel "
            "or vertex the label of one of them."
        )
    return regions.among(fitted_map.family.is_tested)


def _second_of(fitted_map: FittedMap, second_map: Any) -> SecondMap | None:
    """Return what the page shows of a second map."""
    if second_map is None:
        return None
    return read_second_map(fitted_map, second_map, name_of(second_map) or "second map")


def _file_stem_of(title: str | None) -> str:
    """Return a title as the name of a file, "" if nothing of it can be in one."""
    return re.sub(r"[^\w-]+", "_", title or "").strip("_")[:60]


def name_of(stat_img: Any) -> str:
    """Return the name of the file of a map, "" if there is none."""
    get_filename = getattr(stat_img, "get_filename", None)
    if isinstance(stat_img, (str, Path)):
        path: Any = stat_img
    else:
        path = get_filename() if get_filename is not None else None
    name = Path(path).name if path else ""
    for ending in (".gz", ".nii", ".img", ".hdr", ".gii", ".dscalar", ".dtseries"):
        name = name.removesuffix(ending)
    return name
