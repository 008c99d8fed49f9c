"""Maps of permutation p-values, by the names that programs give."""

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, Nifti1Pair, save
from numpy.testing import assert_array_equal

from ari_estimator import ClusterTDPTransformer
from ari_estimator.interfaces import read_p_map

AFFINE = np.diag([3.0, 3, 3, 1])
N_PERMUTATIONS = 10_000


@pytest.fixture(scope="module")
def p(study):
    """Return p-values as permutations give them: multiples of 1/B, and 1/B at least."""
    rng = np.random.default_rng(0)
    null = np.sort(rng.standard_t(study.df, N_PERMUTATIONS - 1))
    above = null.size - np.searchsorted(null, study.t)
    return np.where(study.mask, (1 + above) / N_PERMUTATIONS, 1.0)


@pytest.fixture
def mask_img(study):
    return Nifti1Image(study.mask.astype("uint8"), AFFINE)


@pytest.fixture
def put(tmp_path):
    """Return a function that writes a map of double precision by a name."""

    def write(name, values):
        kind = Nifti1Pair if name.endswith(".img") else Nifti1Image
        save(kind(values, AFFINE), tmp_path / name)
        return tmp_path / name

    return write


HELD = {"p": lambda p: p, "one_minus_p": lambda p: 1 - p, "neg_log10_p": lambda p: -np.log10(p)}


def table_of(stat_map):
    """Return the table of a cluster-forming p-value."""
    ari = ClusterTDPTransformer(0.01, threshold_scale="p", **stat_map.parameters())
    ari.fit_transform(stat_map.stat_img)
    return ari.table_[["n_voxels", "true_discoveries", "tdp"]]


@pytest.fixture
def expected(p, mask_img):
    """Return a function from a connectivity to the table of the p-values themselves."""

    def of(connectivity):
        ari = ClusterTDPTransformer(
            0.01, threshold_scale="p", stat_type="p", mask_img=mask_img, connectivity=connectivity
        )
        ari.fit_transform(Nifti1Image(p, AFFINE))
        table = ari.table_[["n_voxels", "true_discoveries", "tdp"]]
        assert table["tdp"].max() > 0.5
        return table

    return of


class TestRecognised:
    """Uncorrected p-values of voxels."""

    @pytest.mark.parametrize(
        ("name", "held", "connectivity"),
        [
            ("my_study_vox_p_tstat1.nii.gz", "one_minus_p", 26),
            ("out_vox_p_fstat12.nii.gz", "one_minus_p", 26),
            ("lP+.img", "neg_log10_p", 18),
            ("lP-.img", "neg_log10_p", 18),
            ("lP+.nii", "neg_log10_p", 18),
        ],
    )
    def test_by_name(self, put, p, mask_img, expected, name, held, connectivity):
        stat_map = read_p_map(put(name, HELD[held](p)), mask_img=mask_img)
        assert (stat_map.stat_type, stat_map.connectivity) == (held, connectivity)
        pd.testing.assert_frame_equal(table_of(stat_map), expected(connectivity))

    @pytest.mark.parametrize(
        ("options", "held"),
        [("", "p"), ("-save1-p", "one_minus_p"), ("-LogP", "neg_log10_p")],
    )
    @pytest.mark.parametrize(
        "name",
        [
            "palm_vox_tstat_uncp.nii.gz",
            "palm_vox_tstat_uncp_c1.nii",
            "palm_vox_ztstat_uncp_m2_d1_c3.nii",
            "palm_vox_fstat_uncparap_c4.nii",
            "palm_vox_npc_fisher_uncp_c1.nii",
        ],
    )
    def test_of_palm_by_its_options(
        self, put, tmp_path, p, mask_img, expected, name, options, held
    ):
        (tmp_path / "palm_palmconfig.txt").write_text(
            f"# Configuration file for PALM.\n\n-i data.nii\n-m mask.nii\n-n 10000\n{options}\n"
        )
        stat_map = read_p_map(put(name, HELD[held](p)), mask_img=mask_img)
        assert (stat_map.stat_type, stat_map.connectivity) == (held, 26)
        pd.testing.assert_frame_equal(table_of(stat_map), expected(26))

    def test_of_palm_without_its_options(self, put, p, mask_img):
        path = put("x_vox_tstat_uncp_c1.nii", HELD["neg_log10_p"](p))
        assert read_p_map(path, mask_img=mask_img).stat_type == "neg_log10_p"
        for held in ("p", "one_minus_p"):
            path = put("x_vox_tstat_uncp_c1.nii", HELD[held](p))
            with pytest.raises(ValueError, match=r"stat_type must .* no 'x_palmconfig\.txt'"):
                read_p_map(path, mask_img=mask_img)
            assert read_p_map(path, mask_img=mask_img, stat_type=held).stat_type == held

    def test_log_of_one_minus_p_is_refused(self, put, tmp_path, p, mask_img):
        (tmp_path / "x_palmconfig.txt").write_text("-logp\n-save1-p\n")
        with pytest.raises(ValueError, match=r"holds -log10\(1 - p\)"):
            read_p_map(put("x_vox_tstat_uncp.nii", p), mask_img=mask_img)

    def test_nan_is_outside(self, put, p, study, expected):
        values = np.where(study.mask, HELD["neg_log10_p"](p), np.nan)
        stat_map = read_p_map(put("lP+.img", values))
        assert_array_equal(np.asanyarray(stat_map.mask_img.dataobj), study.mask)
        pd.testing.assert_frame_equal(table_of(stat_map), expected(18))


class TestRefused:
    """What is no uncorrected p-value of a voxel."""

    @pytest.mark.parametrize(
        ("name", "match"),
        [
            ("x_vox_corrp_tstat1.nii.gz", r"FSL randomise .*corrected.*\*_vox_p_\*"),
            ("x_tfce_corrp_tstat1.nii.gz", "FSL randomise .*corrected"),
            ("x_clusterm_corrp_tstat1.nii.gz", "FSL randomise .*corrected"),
            ("x_tfce_p_tstat1.nii.gz", r"a p-value of TFCE .*\*_vox_p_\*"),
            ("palm_vox_tstat_fwep_c1.nii", r"PALM .*corrected.*\*_vox_\*_uncp"),
            ("palm_vox_tstat_mcfwep_c1.nii", "PALM .*corrected"),
            ("palm_vox_tstat_fdrp.nii", "PALM .*corrected"),
            ("palm_vox_tstat_fdrparap_m1_c1.nii", "PALM .*corrected"),
            ("palm_tfce_tstat_uncp_c1.nii", "PALM .*a p-value of TFCE"),
            ("palm_clustere_tstat_uncp_c1.nii", "PALM .*or of a cluster"),
            ("lP_FWE+.img", r"SnPM .*corrected.*lP\+ and lP-"),
            ("lP_FDR-.img", "SnPM .*corrected"),
            ("x_tstat1.nii.gz", r"it holds the statistic.*\*_vox_p_\*"),
            ("palm_vox_tstat_c1.nii", "it holds the statistic"),
            ("snpmT+.img", r"SnPM .*it holds the statistic.*lP\+"),
        ],
    )
    def test_by_name_and_reason(self, put, p, mask_img, name, match):
        for stat_type in (None, "p"):
            with pytest.raises(ValueError, match=f"cannot be tested: .*{match}|{match}"):
                read_p_map(put(name, p), mask_img=mask_img, stat_type=stat_type)

    def test_unknown_names_need_their_type(self, put, p, mask_img, expected):
        path = put("mine.nii", p)
        with pytest.raises(ValueError, match=r"stat_type must be given for 'mine\.nii'"):
            read_p_map(path, mask_img=mask_img)
        stat_map = read_p_map(path, mask_img=mask_img, stat_type="p")
        pd.testing.assert_frame_equal(table_of(stat_map), expected(6))
        for stat_type in ("z", "P"):
            with pytest.raises(ValueError, match=f"stat_type must be 'p', .* Got '{stat_type}'"):
                read_p_map(path, mask_img=mask_img, stat_type=stat_type)

    def test_a_mask_is_needed(self, put, p):
        with pytest.raises(ValueError, match="mask_img must be given for 'x_vox_p_tstat1"):
            read_p_map(put("x_vox_p_tstat1.nii", 1 - p))

    @pytest.mark.parametrize("kind", ["text", "truncated", "empty"])
    def test_damaged_files(self, put, p, mask_img, damage, kind):
        path = put("x_vox_p_tstat1.nii.gz", 1 - p)
        damage(path, kind)
        with pytest.raises(ValueError, match=r"p-value map cannot be read: .*x_vox_p_tstat1"):
            read_p_map(path, mask_img=mask_img)

    def test_missing_files(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="p-value map does not exist"):
            read_p_map(tmp_path / "x_vox_p_tstat1.nii.gz")
        with pytest.raises(IsADirectoryError, match="p-value map must be a file"):
            read_p_map(tmp_path)
