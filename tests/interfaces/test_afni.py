"""Datasets of AFNI, written by hand since nibabel only reads them."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image, load, save
from nilearn.image import get_data
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import ClusterTDPTransformer
from ari_estimator.interfaces import read_afni

from ._files import AFFINE, afni_extension, write_afni

N_SAMPLES, N_FITTED, N_OTHERS = 40, 1, 10


@pytest.fixture(scope="module")
def bricks(study):
    """Return sub-bricks with their labels, and the statistics of the header."""
    t, z = study.t, study.z
    r = t / np.sqrt(t**2 + study.df)
    multiple_r = np.sqrt(t**2 / (t**2 + 28))
    labels = [
        "Full_Fstat", "faces#0_Coef", "faces#0_Tstat", "faces_z", "r", "chi", "R of 2", "gam",
    ]  # fmt: skip
    values = [t**2, t / 9, t, z, r, z**2, multiple_r, abs(t)]
    aux = [
        0, 4, 2, 1, 29,
        2, 3, 1, 29,
        3, 5, 0,
        4, 2, 3, N_SAMPLES, N_FITTED, N_OTHERS,
        5, 6, 1, 1,
        6, 2, 3, 40, 2, 10,
        7, 9, 2, 1, 2,
    ]  # fmt: skip
    return values, labels, aux


@pytest.fixture(params=["HEAD", "NIfTI", "NIfTI bucket"])
def dataset(request, tmp_path, bricks):
    """Return a dataset, in each format."""
    values, labels, aux = bricks
    if request.param == "HEAD":
        write_afni(tmp_path / "stats+tlrc", values, labels, aux)
        return tmp_path / "stats+tlrc.HEAD"
    data = np.stack(values, -1).astype("float32")
    if request.param == "NIfTI bucket":
        data = data[:, :, :, np.newaxis]
    img = Nifti1Image(data, AFFINE)
    img.header.extensions.append(afni_extension(labels, aux))
    save(img, tmp_path / "stats.nii.gz")
    return tmp_path / "stats.nii.gz"


class TestStatistics:
    """Codes and degrees of freedom of sub-bricks."""

    @pytest.mark.parametrize(
        ("sub_brick", "stat_type", "df"),
        [
            (0, "F", (1.0, 29.0)),
            (2, "t", 29.0),
            ("faces#0_Tstat", "t", 29.0),
            (3, "z", None),
            ("chi", "chi2", 1.0),
        ],
    )
    def test_are_read(self, dataset, bricks, sub_brick, stat_type, df):
        values, labels, _ = bricks
        stat_map = read_afni(dataset, sub_brick)
        assert (stat_map.stat_type, stat_map.df) == (stat_type, df)
        index = sub_brick if isinstance(sub_brick, int) else labels.index(sub_brick)
        assert stat_map.name == labels[index]
        assert_array_equal(get_data(stat_map.stat_img), values[index].astype("f4"))
        assert_allclose(stat_map.stat_img.affine, AFFINE)

    def test_correlations_have_the_p_values_of_t_and_f(self, dataset, study):
        simple, multiple = read_afni(dataset, "r"), read_afni(dataset, "R of 2")
        assert (simple.stat_type, simple.df) == ("t", 29.0)
        r = get_data(read_afni(dataset, "r").stat_img)
        assert_allclose(r, study.t, rtol=1e-3, atol=1e-6)
        assert (multiple.stat_type, multiple.df) == ("F", (2.0, 28.0))
        # By the distribution of the coefficient itself.
        t = study.t[study.mask]
        p = stats.beta.sf(t**2 / (t**2 + 28), 1, 14)
        f = get_data(multiple.stat_img)[study.mask]
        assert_allclose(stats.f.sf(f, 2, 28), p, rtol=1e-3)

    @pytest.mark.parametrize(
        ("sub_brick", "match"),
        [
            ("gam", r"7 'gam' \(gamma\).* cannot be tested"),
            (1, r"1 'faces#0_Coef' \(no statistic\).* cannot be tested"),
        ],
    )
    def test_others_are_refused_by_name(self, dataset, sub_brick, match):
        with pytest.raises(ValueError, match=match):
            read_afni(dataset, sub_brick)

    @pytest.mark.parametrize("sub_brick", [None, 8, -1, "Tstat"])
    def test_those_that_are_there_are_named(self, dataset, sub_brick):
        with pytest.raises(ValueError, match=r"0 'Full_Fstat' \(F\), 1 'faces#0_Coef' \(no"):
            read_afni(dataset, sub_brick)

    def test_what_has_no_sign_is_not_two_sided(self, dataset):
        assert read_afni(dataset, 2, two_sided=True).two_sided
        for sub_brick in (0, "chi", "R of 2"):
            with pytest.raises(ValueError, match="two_sided must be False for sub-brick"):
                read_afni(dataset, sub_brick, two_sided=True)

    def test_sub_bricks_are_selected_as_by_afni(self, dataset):
        for selection in ("[2]", "[faces#0_Tstat]"):
            assert read_afni(f"{dataset}{selection}").name == "faces#0_Tstat"
        with pytest.raises(ValueError, match="sub_brick must be None where the path selects one"):
            read_afni(f"{dataset}[2]", 2)


class TestDatasets:
    """Names of files, masks and clusters."""

    @pytest.fixture
    def stem(self, tmp_path, study):
        write_afni(tmp_path / "t+orig", [study.t], ["T"], [0, 3, 1, study.df])
        write_afni(tmp_path / "mask+orig", [study.mask], ["mask"], [])
        write_afni(tmp_path / "clust+orig", [study.clusters], ["clust"], [])
        return tmp_path / "t+orig"

    @pytest.mark.parametrize("end", ["", ".", ".HEAD", ".BRIK", ".BRIK.gz"])
    def test_may_be_named_in_each_way(self, stem, study, end):
        if end == ".BRIK.gz":
            path = stem.with_name("t+orig.BRIK")
            stem.with_name("t+orig.BRIK.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        stat_map = read_afni(f"{stem}{end}")
        assert stat_map.df == study.df
        assert_array_equal(get_data(stat_map.stat_img), study.t.astype("f4"))

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_clusters_have_the_tdp_of_the_arrays(self, stem, study, two_sided):
        stat_map = read_afni(
            stem, mask_img=stem.with_name("mask+orig"), two_sided=two_sided,
            labels_img=str(stem.with_name("clust+orig.BRIK")),
        )  # fmt: skip
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit_transform(stat_map.stat_img)
        direct = ClusterTDPTransformer(
            labels_img=Nifti1Image(study.clusters.astype("int32"), AFFINE),
            mask_img=Nifti1Image(study.mask.astype("uint8"), AFFINE),
            stat_type="t", df=study.df, two_sided=two_sided,
        )  # fmt: skip
        direct.fit_transform(Nifti1Image(study.t.astype("float32"), AFFINE))
        pd.testing.assert_frame_equal(ari.table_, direct.table_)
        assert ari.table_["tdp"].iloc[0] > 0.3

    @pytest.mark.parametrize(
        ("code", "parameters", "stat_type", "df"),
        [
            (3, (29,), "t", 29.0),
            (4, (2, 27), "F", (2.0, 27.0)),
            (5, (), "z", None),
            (2, (29,), "t", 29),
        ],
    )
    def test_intent_of_one_volume(self, tmp_path, study, code, parameters, stat_type, df):
        values = study.t**2 if code == 4 else np.tanh(study.t) if code == 2 else study.t
        img = Nifti1Image(values.astype("float32"), AFFINE)
        img.header.set_intent(code, parameters)
        save(img, tmp_path / "a.nii")
        stat_map = read_afni(tmp_path / "a.nii")
        assert (stat_map.stat_type, stat_map.df) == (stat_type, df)

    def test_without_statistics_is_refused(self, tmp_path, study):
        save(Nifti1Image(study.t, AFFINE), tmp_path / "a.nii")
        with pytest.raises(ValueError, match=r"0 '#0' \(no statistic\)"):
            read_afni(tmp_path / "a.nii")
        with pytest.raises(ValueError, match="cannot be tested"):
            read_afni(tmp_path / "a.nii", 0)

    @pytest.mark.parametrize("aux", [[0, 3, 1], [0, 3], [0, 3, 4, 29], [0, 3, -2]])
    def test_damaged_statistics(self, stem, study, aux):
        write_afni(stem, [study.t], ["T"], aux)
        with pytest.raises(ValueError, match=r"statistics in the header of .* are damaged"):
            read_afni(stem)

    @pytest.mark.parametrize(
        ("aux", "match"),
        [
            ([0, 3, 0], "must have 1 parameters .* Got 0"),
            ([0, 3, 1, 0], "'df' must be positive"),
            ([0, 2, 3, 10, 1, 20], "must hold correlations"),
        ],
    )
    def test_wrong_parameters(self, stem, study, aux, match):
        write_afni(stem, [study.t], ["T"], aux)
        with pytest.raises(ValueError, match=match):
            read_afni(stem)

    def test_bad_files(self, stem, damage):
        with pytest.raises(FileNotFoundError, match=r"dataset does not exist.*none\+orig\.HEAD"):
            read_afni(stem.with_name("none+orig"))
        for file, kind in [
            ("t+orig.BRIK", "truncated"),
            ("t+orig.BRIK", "missing"),
            ("t+orig.HEAD", "text"),
        ]:
            damage(stem.with_name(file), kind)
            with pytest.raises(ValueError, match=r"cannot be read: .*t\+orig\.(HEAD|BRIK)'"):
                read_afni(stem)

    def test_headers_that_lack_something(self, stem):
        head = stem.with_name("t+orig.HEAD")
        attributes = head.read_text().split("\n\n")
        for name in ("DATASET_RANK", "BRICK_TYPES", "DELTA", "IJK_TO_DICOM_REAL"):
            head.write_text("\n\n".join(one for one in attributes if name not in one))
            with pytest.raises(ValueError, match=rf"cannot be read: .*t\+orig\.HEAD.*{name}"):
                read_afni(stem)

    def test_axes_are_those_that_nibabel_reads(self, stem):
        assert_allclose(load(stem.with_name("t+orig.HEAD")).affine, AFFINE)


class TestDeclared:
    """What transformers take a dataset for, as it is."""

    @pytest.fixture(params=["HEAD", "NIfTI"])
    def one_of(self, request, tmp_path):
        def write(values, *statistics):
            n = len(statistics)
            labels = [f"one{k}" for k in range(n)]
            aux = [number for k, one in enumerate(statistics) if one for number in (k, *one)]
            if request.param == "HEAD":
                write_afni(tmp_path / "stats+tlrc", [values] * n, labels, aux)
                return tmp_path / "stats+tlrc.HEAD"
            img = Nifti1Image(np.stack([values] * n, -1).astype("float32").squeeze(), AFFINE)
            img.header.extensions.append(afni_extension(labels, aux))
            save(img, tmp_path / "stats.nii.gz")
            return tmp_path / "stats.nii.gz"

        return write

    def test_the_code_of_a_statistic_is_read(self, one_of, study):
        path = one_of(np.where(study.mask, study.t, 0), (3, 1, 29))
        mask_img = Nifti1Image(study.mask.astype("uint8"), load(path).affine)
        for given in (path, str(path), load(path)):
            found = ClusterTDPTransformer(mask_img=mask_img).fit(given).maps_
            assert (found.family.statistic.stat_type, found.family.statistic.df) == ("t", (29.0,))
            assert found.asked_by.said_by == "the statistic code of AFNI, 3,"

    @pytest.mark.parametrize(
        ("statistics", "match"),
        [
            ([(3, 1, 29), None], "different quantities in its sub-bricks.*read_afni"),
            ([(2, 3, 40, 1, 10)], "holds correlations"),
            ([(9, 2, 1, 2)], "gamma"),
        ],
    )
    def test_what_cannot_be_tested_is_refused(self, one_of, study, statistics, match):
        path = one_of(np.where(study.mask, study.t, 0), *statistics)
        mask_img = Nifti1Image(study.mask.astype("uint8"), load(path).affine)
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(mask_img=mask_img).fit(path)

    def test_a_sub_brick_does_not_inherit_what_is_said_of_another(self, dataset, study):
        stat_map = read_afni(dataset, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mask_img = Nifti1Image(study.mask.astype("uint8"), stat_map.stat_img.affine)
            parameters = stat_map.parameters() | {"mask_img": mask_img}
            ClusterTDPTransformer(3, **parameters).fit(stat_map.stat_img)
