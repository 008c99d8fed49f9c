"""A statistical map of another program, with all parameters to test it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nilearn.surface import SurfaceImage

from ari_estimator.closed_testing._two_sided import TwoSided
from ari_estimator.graphs._voxel_grid import Connectivity
from ari_estimator.images._declared import declarations_of, remember_source
from ari_estimator.inference import StatType
from ari_estimator.inference._statistics import CONVERTED, settle_statistic


@dataclass(frozen=True)
class StatisticalMap:
    """A statistical map with all parameters to test it.

    The readers for all programs return an object of this class.

    Parameters
    ----------
    stat_img : image
        The map.

    stat_type : {"z", "t", "F", "chi2", "p", "neg_log10_p", "one_minus_p"} or None, default=None
        Statistic of the map. With None, the header and the name of the file decide, and z is
        assumed if they declare nothing. The attribute holds the result.

    df : float, (float, float), image, path or None, default=None
        Degrees of freedom of t, chi2 and F values. For t, an image gives the degrees of freedom of
        each voxel.

    mask_img : image or None, default=None
        All tested voxels. None if the program left no mask; see
        :class:`~ari_estimator.ClusterTDPTransformer` for the mask in this case.

    labels_img : image or None, default=None
        Labels of the clusters found by the program; 0 is the rest.

    two_sided : bool or "directional", default=False
        Whether to test negative values too.

    connectivity : {6, 18, 26} or None, default=6
        Number of neighbours of a voxel in the clusters of the program; None for a surface, whose
        neighbours share an edge.

    name : str, default=""
        Name of the map in the program.

    said_by : str, default=""
        Source of the statistic, for reports, such as "the file 'SPM.mat'". With
        ``stat_type=None``, the attribute holds what declares the statistic.

    mesh : PolyMesh, dict or None, default=None
        Meshes of a CIFTI image.

    Raises
    ------
    TypeError
        If the degrees of freedom are not numbers.
    ValueError
        If ``stat_type``, ``df`` and ``two_sided`` are inconsistent.

    See Also
    --------
    read_feat, read_fsl, read_spm, read_afni : Readers of such maps.
    read_freesurfer, read_hcp, read_p_map : Further readers.

    Examples
    --------
    >>> from nilearn.datasets import load_sample_motor_activation_image
    >>> from ari_estimator import ClusterTDPTransformer
    >>> from ari_estimator.interfaces import StatisticalMap
    >>> stat_map = StatisticalMap(load_sample_motor_activation_image(), "t", df=500)
    >>> stat_map.parameters()["df"]
    500
    >>> ari = ClusterTDPTransformer(4.5, **stat_map.parameters())
    >>> tdp_img = ari.fit_transform(stat_map.stat_img)
    >>> int(ari.table_["n_voxels"].max())
    43758
    """

    stat_img: Any
    stat_type: StatType | None = None
    df: Any = None
    mask_img: Any = None
    labels_img: Any = None
    two_sided: TwoSided = False
    connectivity: Connectivity | None = 6
    name: str = ""
    said_by: str = ""
    mesh: Any = None

    def __post_init__(self) -> None:
        # Testing the map warns of contradictions.
        declared = [] if self.stat_type is not None else [declarations_of(self.stat_img)]
        settled = settle_statistic(declared, self.stat_type, self.df, self.two_sided)
        statistic = settled.statistic
        if self.stat_type is None:
            # t values with degrees of freedom that vary stay t values until they are tested.
            varies = settled.df_varies
            object.__setattr__(self, "stat_type", "t" if varies else statistic.stat_type)
            object.__setattr__(self, "df", self.df if varies else statistic.given_df)
            object.__setattr__(self, "said_by", settled.said_by.removesuffix(CONVERTED))
        if self.said_by:
            remember_source(self.stat_img, str(self.stat_type), statistic.df, self.said_by)

    def parameters(self) -> dict[str, Any]:
        """Return parameters for transformers that form clusters of the map.

        Returns
        -------
        parameters : dict
            ``mask_img``, ``stat_type``, ``df``, ``two_sided``, ``connectivity``, and ``mesh`` if
            the map has one, for a :class:`~ari_estimator.ClusterTDPTransformer` with a threshold
            or an :class:`~ari_estimator.AdaptiveTDPTransformer`.
        """
        return {**self._of_the_test(), "connectivity": self.connectivity}

    def parameters_of_clusters(self) -> dict[str, Any]:
        """Return parameters for a transformer that uses the clusters of the program.

        Returns
        -------
        parameters : dict
            ``labels_img``, ``mask_img``, ``stat_type``, ``df`` and ``two_sided``, for a
            :class:`~ari_estimator.ClusterTDPTransformer`.

        Raises
        ------
        ValueError
            If there are no clusters.
        """
        if self.labels_img is None:
            raise ValueError(
                f"There are no clusters of {self.name or 'the map'}: no image of them was found. "
                "Pass one, form clusters above a threshold, or use adaptive clusters."
            )
        if not any(np.any(part) for part in _arrays_of(self.labels_img)):
            raise ValueError(
                f"There are no clusters of {self.name or 'the map'}: the image of clusters is 0 "
                "everywhere. Form clusters above a lower threshold, or use adaptive clusters."
            )
        return {**self._of_the_test(), "labels_img": self.labels_img}

    def _of_the_test(self) -> dict[str, Any]:
        return {
            "mask_img": self.mask_img,
            "stat_type": self.stat_type,
            "df": self.df,
            "two_sided": self.two_sided,
            **({} if self.mesh is None else {"mesh": self.mesh}),
        }


def _arrays_of(img: Any) -> list[np.ndarray]:
    """Return the values of an image: one array, or one for each hemisphere."""
    if isinstance(img, SurfaceImage):
        return list(img.data.parts.values())
    return [np.asanyarray(img.dataobj)]
