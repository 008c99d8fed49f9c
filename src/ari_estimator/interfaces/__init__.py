"""Read files of other programs, and write results."""

from ari_estimator.images._fs_lr import find_fs_lr
from ari_estimator.interfaces._afni import read_afni
from ari_estimator.interfaces._bids import (
    BIDSName,
    find_group_mask,
    find_subject_maps,
    output_stem,
)
from ari_estimator.interfaces._cluster_summary import freesurfer_tables_with_tdp
from ari_estimator.interfaces._describe_map import MapDescription, describe_map
from ari_estimator.interfaces._freesurfer import find_freesurfer_tables, read_freesurfer
from ari_estimator.interfaces._fsl import find_feat_tables, read_feat, read_fsl
from ari_estimator.interfaces._fsl_design import FSLDesign, read_fsl_design, read_fsl_labels
from ari_estimator.interfaces._fsl_tables import fsl_tables_with_tdp
from ari_estimator.interfaces._fsl_tdp import write_fsl_tdp
from ari_estimator.interfaces._hcp import read_hcp
from ari_estimator.interfaces._p_maps import read_p_map
from ari_estimator.interfaces._results import load, save
from ari_estimator.interfaces._select_map import select_map
from ari_estimator.interfaces._spm import read_spm
from ari_estimator.interfaces._statistical_map import StatisticalMap
from ari_estimator.interfaces._surface import read_surface, read_surface_atlas

__all__ = [
    "BIDSName",
    "FSLDesign",
    "MapDescription",
    "StatisticalMap",
    "describe_map",
    "find_feat_tables",
    "find_freesurfer_tables",
    "find_fs_lr",
    "find_group_mask",
    "find_subject_maps",
    "freesurfer_tables_with_tdp",
    "fsl_tables_with_tdp",
    "load",
    "output_stem",
    "read_afni",
    "read_feat",
    "read_freesurfer",
    "read_fsl",
    "read_fsl_design",
    "read_fsl_labels",
    "read_hcp",
    "read_p_map",
    "read_spm",
    "read_surface",
    "read_surface_atlas",
    "save",
    "select_map",
    "write_fsl_tdp",
]
