"""What a map holds: what a user says, what a file declares, and what the values can be."""

from __future__ import annotations

import json
import re
import warnings
from importlib.resources import files as resources

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    explore,
    load,
    save,
)
from ari_estimator.images._declared import gifti_declarations
from ari_estimator.images._own_descriptions import OWN_HOLDS
from ari_estimator.interfaces import describe_map

SHAPE = (12, 11, 10)


@pytest.fixture(scope="module")
def z():
    values = np.random.default_rng(4).standard_normal(SHAPE)
    values[2:5, 2:5, 2:5] += 5
    return values


@pytest.fixture(scope="module")
def mask_img():
    return Nifti1Image(np.ones(SHAPE, dtype=np.uint8), np.eye(4))


def image_of(values, descrip="", intent=None):
    img = Nifti1Image(values, np.eye(4))
    img.header["descrip"] = descrip.encode()
    if intent is not None:
        img.header.set_intent(*intent)
    return img


def settled(img, mask_img, **parameters):
    """Return the statistic that a transformer takes, and what says so."""
    transformer = ClusterTDPTransformer(0.001, threshold_scale="p", mask_img=mask_img, **parameters)
    return transformer.fit(img).maps_.describe()["statistic"]


class TestDeclarations:
    """What headers, names and files beside a map say."""

    @pytest.mark.parametrize(
        ("descrip", "intent", "stat_type", "df"),
        [
            ("SPM{T_[23.0]} - contrast 1: faces > houses", None, "t", [23.0]),
            ("SPM{F_[2.0,21.0]} - contrast 3: any", None, "F", [2.0, 21.0]),
            ("SPM{Z} - contrast 1", None, "z", []),
            ("z_score of contrast [1.]", None, "z", []),
            ("", ("t test", (17,)), "t", [17.0]),
            ("", ("z score", ()), "z", []),
            ("", ("chi2", (3,)), "chi2", [3.0]),
            # The text of the header is trusted more than the code, which programs copy.
            ("SPM{T_[23.0]}", ("z score", ()), "t", [23.0]),
            # What it leaves open is filled.
            ("stat of contrast [1.]", ("t test", (17,)), "t", [17.0]),
            ("all of contrast", None, "z", []),
            ("FSL5.0", None, "z", []),
        ],
    )
    def test_header(self, z, mask_img, descrip, intent, stat_type, df):
        values = z**2 if stat_type in ("F", "chi2") else z
        found = settled(image_of(values, descrip, intent), mask_img)
        assert (found["stat_type"], found["df"]) == (stat_type, df)

    @pytest.mark.parametrize(
        ("name", "beside", "stat_type", "df"),
        [
            ("zstat1.nii.gz", None, "z", []),
            ("sub-1_stat-t_statmap.nii.gz", {"DegreesOfFreedom": 19}, "t", [19.0]),
            ("sub-1_stat-F_statmap.nii", {"df": [2, 19]}, "F", [2.0, 19.0]),
            ("sub-1_stat-z_statmap.nii", None, "z", []),
            ("sub-1_stat-p_statmap.nii", None, "p", []),
            ("one_vox_p_tstat1.nii.gz", None, "one_minus_p", []),
            ("brain.nii.gz", None, "z", []),
            # Directions, not statistics.
            ("gradient_z.nii.gz", None, "z", []),
        ],
    )
    def test_name(self, z, mask_img, tmp_path, name, beside, stat_type, df):
        values = {"F": z**2, "p": stats.norm.sf(z), "one_minus_p": stats.norm.cdf(z)}
        path = tmp_path / name
        image_of(values.get(stat_type, z)).to_filename(path)
        if beside is not None:
            path.with_name(f"{name.split('.')[0]}.json").write_text(json.dumps(beside))
        for given in (path, str(path), nib.load(path)):
            found = settled(given, mask_img)
            assert (found["stat_type"], found["df"]) == (stat_type, df)

    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("cope1", "effects"),
            ("con_0001", "effects"),
            ("beta_0001", "effects"),
            ("varcope1", "variances"),
            ("ResMS", "variances"),
            ("sub-1_stat-effect_statmap", "effects"),
            ("sub-1_stat-variance_statmap", "variances"),
            ("one_tfce_corrp_tstat1", "corrected p-values"),
            ("one_vox_corrp_tstat1", "corrected p-values"),
            ("one_tfce_p_tstat1", "p-values of TFCE or of clusters"),
            ("thresh_zstat1", "thresholded values"),
            ("zstat1_thresh", "thresholded values"),
            ("sub-1_stat-z_desc-thresh_statmap", "thresholded values"),
            ("cluster_mask_zstat1", "labels of clusters"),
            ("sub-1_desc-clusters_dseg", "labels of clusters"),
            ("sub-1_space-MNI_dseg", "labels"),
            ("tdof_t1", "degrees of freedom"),
        ],
    )
    def test_what_is_no_statistic_is_refused(self, z, mask_img, tmp_path, name, what):
        path = tmp_path / f"{name}.nii.gz"
        image_of(z).to_filename(path)
        with pytest.raises(ValueError, match=rf"The map holds .*{what}.*Pass "):
            ClusterTDPTransformer(mask_img=mask_img).fit(path)
        # Names lie, too.
        with pytest.warns(UserWarning, match="but stat_type='z'"):
            ClusterTDPTransformer(mask_img=mask_img, stat_type="z").fit(path)
        assert describe_map(path).refusal is not None

    @pytest.mark.parametrize("descrip", ["Contrast 1: faces", "effect_size of contrast [1.]"])
    def test_effects_of_headers_are_refused(self, z, mask_img, descrip):
        with pytest.raises(ValueError, match="The map holds effects"):
            ClusterTDPTransformer(mask_img=mask_img).fit(image_of(z, descrip))

    @pytest.mark.parametrize("loses_name", [False, True], ids=["named", "renamed"])
    def test_results_are_no_maps(self, z, mask_img, tmp_path, loses_name):
        ari = ClusterTDPTransformer(3, mask_img=mask_img).fit(image_of(z))
        files = save(ari, tmp_path, prefix="x")
        for what, holds in (("TDP", "true discovery proportions"), ("label", "labels of clusters")):
            file = files[f"{what} image"]
            if loses_name:
                file = file.rename(tmp_path / f"a{what}.nii.gz")
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(ValueError, match=f"The map holds {holds}, as the description"):
                    ClusterTDPTransformer(3, mask_img=mask_img).fit(file)
            assert describe_map(file).contradictions == ()

    def test_files_of_the_page_say_what_they_hold(self):
        script = (
            resources("ari_estimator.explorer").joinpath("assets/downloads.js").read_text("utf-8")
        )
        texts = re.findall(r'_saveImage\("\w+", \w+, "([^"]+)"', script)
        assert len(texts) == 3
        for text in texts:
            array = GiftiDataArray(np.zeros(3, "float32"), meta=GiftiMetaData({"Name": text}))
            (declared,) = gifti_declarations(GiftiImage(darrays=[array]))
            assert declared.holds == OWN_HOLDS[text]
            assert declared.program == "ari_estimator"

    def test_stat_of_nilearn_asks_for_both(self, z, mask_img):
        img = image_of(z, "stat of contrast [1.]")
        with pytest.raises(ValueError, match="stat_type and df must be given"):
            ClusterTDPTransformer(mask_img=mask_img).fit(img)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert settled(img, mask_img, stat_type="t", df=9)["df"] == [9.0]

    def test_t_without_degrees_of_freedom_says_where_they_are(self, z, mask_img, tmp_path):
        image_of(z).to_filename(tmp_path / "tstat1.nii.gz")
        with pytest.raises(ValueError, match="for a group, pass the image tdof_t1 as df"):
            ClusterTDPTransformer(mask_img=mask_img).fit(tmp_path / "tstat1.nii.gz")

    def test_subjects_maps_are_effects_and_welcome(self, z, mask_img, tmp_path):
        rng = np.random.default_rng(0)
        paths = [tmp_path / f"sub-{k}_stat-effect_statmap.nii.gz" for k in range(8)]
        for path in paths:
            image_of(rng.standard_normal(SHAPE)).to_filename(path)
        model = ARISecondLevelModel(mask_img=mask_img)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(paths, design_matrix=_ones(8)).compute_contrast(
                "intercept", output_type="tdp"
            )
        assert model.transformer_.maps_.describe()["statistic"]["said_by"] == "the model"

    def test_degrees_of_freedom_that_contradict_the_header_are_warned_of(self, z, mask_img):
        img = image_of(z, "", ("t test", (17,)))
        for stat_type in (None, "t"):
            transformer = ClusterTDPTransformer(mask_img=mask_img, stat_type=stat_type, df=60)
            with pytest.warns(UserWarning, match=r"has df=17.0, .* but df=60 was given"):
                transformer.fit(img)
            assert transformer.maps_.family.statistic.df == (60.0,)

    def test_no_map_borrows_degrees_of_freedom(self, z, mask_img):
        maps = [image_of(z, "", ("t test", (df,))) for df in (17, 0)]
        with pytest.raises(ValueError, match="declare different degrees of freedom"):
            ClusterTDPTransformer(mask_img=mask_img).fit(maps)

    def test_masked_values_are_what_the_map_of_fit_was(self, z, mask_img):
        img = image_of(z, "", ("t test", (6,)))
        transformer = ClusterTDPTransformer(3, mask_img=mask_img)
        tdp = transformer.fit_transform(img)
        array = transformer.masker_.transform(img)
        masked = transformer.masker_.transform(tdp)
        assert_array_equal(np.ravel(transformer.transform(array)), np.ravel(masked))

    def test_a_file_that_contradicts_itself_is_warned_of(self, z, mask_img, tmp_path):
        path = tmp_path / "sub-1_stat-z_statmap.nii.gz"
        image_of(z, "SPM{T_[23.0]} - contrast 1").to_filename(path)
        with pytest.warns(UserWarning, match=r"contradicts itself: the description .* says t"):
            assert settled(path, mask_img)["stat_type"] == "t"

    @pytest.mark.parametrize(
        ("name", "direction"),
        [
            ("zstat1.nii.gz", "positive"),
            ("zfstat1.nii.gz", "unsigned"),
            ("one_vox_ztstat.nii", "positive"),
            ("one_vox_zfstat_c2.nii", "unsigned"),
            ("one_vox_zgstat.nii", "unsigned"),
        ],
    )
    def test_z_values_of_f_tests_have_no_direction(self, z, mask_img, tmp_path, name, direction):
        path = tmp_path / name
        image_of(z).to_filename(path)
        for stat_type in (None, "z"):
            found = settled(path, mask_img, stat_type=stat_type)
            assert (found["stat_type"], found["direction"]) == ("z", direction)
        if direction == "unsigned":
            with pytest.raises(ValueError, match="'two_sided' must be False for z values of an F"):
                settled(path, mask_img, two_sided=True)

    @pytest.mark.parametrize(
        ("name", "stat_type"),
        [("T_MAP", "t"), ("SPMT_0001", "t"), ("group_t_stat", "t"), ("sub-1_stat-T_map", "t")],
    )
    def test_names_in_other_ways(self, z, mask_img, tmp_path, name, stat_type):
        path = tmp_path / f"{name}.nii.gz"
        image_of(z, "", ("t test", (17,))).to_filename(path)
        assert settled(path, mask_img)["stat_type"] == stat_type

    @pytest.mark.parametrize("name", ["no_effect", "placebo_effect", "pain_sig", "z_not_thresh"])
    def test_words_of_contrasts_are_not_words_of_programs(self, z, mask_img, tmp_path, name):
        path = tmp_path / f"{name}.nii.gz"
        image_of(z).to_filename(path)
        assert settled(path, mask_img)["said_by"] == "nothing"

    def test_cifti_headers_are_read(self, z):
        axes = ScalarAxis(["one"]), BrainModelAxis.from_mask(np.ones(300, bool), "CORTEX_LEFT")
        img = nib.Cifti2Image(z.ravel()[np.newaxis, :300], axes)
        img.nifti_header["descrip"] = b"SPM{T_[20.0]} - x"
        described = describe_map(img)
        assert (described.stat_type, described.df) == ("t", (20.0,))

    def test_cifti_names_are_read(self, tmp_path):
        axes = ScalarAxis(["one"]), BrainModelAxis.from_mask(np.ones(300, bool), "CORTEX_LEFT")
        values = np.random.default_rng(0).standard_normal((1, 300))
        path = tmp_path / "sub-1_stat-effect_statmap.dscalar.nii"
        nib.Cifti2Image(values, axes).to_filename(path)
        for given in (path, nib.load(path)):
            with pytest.raises(ValueError, match="The map holds effects"):
                ClusterTDPTransformer().fit(given)

    def test_what_was_taken_is_in_files_and_comes_back(self, z, mask_img, tmp_path):
        img = image_of(z, "SPM{T_[23.0]} - contrast 1: faces")
        transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(img)
        written = save(transformer, tmp_path / "out")
        sidecar = json.loads(written["sidecar"].read_text())
        assert sidecar["StatisticSource"] == transformer.maps_.asked_by.said_by
        assert sidecar["DegreesOfFreedom"] == [23.0]
        again = load(written["archive"])
        assert again.maps_.family.statistic == transformer.maps_.family.statistic
        assert again.maps_.describe()["statistic"] == transformer.maps_.describe()["statistic"]
        assert "SPM{T_[23.0]}" in transformer.generate_report().get_standalone()
        explore(transformer)


class TestDegreesOfFreedom:
    """Infinite ones, and those of each voxel."""

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_infinite_ones_are_those_of_z(self, z, mask_img, two_sided):
        t, normal = (
            ClusterTDPTransformer(3, mask_img=mask_img, two_sided=two_sided, **parameters)
            .fit(image_of(z)).maps_.family.p_values
            for parameters in ({"stat_type": "t", "df": np.inf}, {})
        )  # fmt: skip
        assert_array_equal(t, normal)

    def test_infinite_second_ones_of_f(self, z, mask_img):
        transformer = ClusterTDPTransformer(stat_type="F", df=(3, np.inf), mask_img=mask_img)
        transformer.fit(image_of(z**2))
        expected = stats.chi2.sf(3 * z.ravel() ** 2, 3)
        assert_allclose(np.sort(transformer.maps_.family.p_values), np.sort(expected), rtol=1e-12)
        assert transformer.maps_.describe()["statistic"]["df"] == [3.0, "inf"]

    @pytest.mark.parametrize("form", ["image", "path", "array"])
    @pytest.mark.parametrize("two_sided", [False, True])
    def test_those_of_each_voxel(self, z, mask_img, tmp_path, form, two_sided):
        df = np.random.default_rng(1).uniform(4, 30, SHAPE)
        df[0, 0, 0] = np.inf
        img = image_of(df)
        img.to_filename(tmp_path / "tdof_t1.nii.gz")
        given = {"image": img, "path": tmp_path / "tdof_t1.nii.gz"}
        transformer = ClusterTDPTransformer(
            3, mask_img=mask_img, stat_type="t", two_sided=two_sided,
            df=given.get(form, df.ravel()),
        )  # fmt: skip
        tdp = transformer.fit_transform(image_of(z))
        p = stats.t.sf(np.abs(z) if two_sided else z, df) * (1 + two_sided)
        expected = transformer.maps_.to_image(p.ravel(), "p").get_fdata().ravel()
        found = transformer.maps_.to_image(transformer.maps_.family.p_values, "p")
        assert_allclose(found.get_fdata().ravel(), expected, rtol=1e-10)
        assert_array_equal(transformer.transform(image_of(z)).get_fdata(), tdp.get_fdata())
        written = save(transformer, tmp_path / "out")
        assert load(written["archive"]).maps_.true_discoveries == transformer.true_discoveries_

    @pytest.mark.parametrize(
        ("df", "match"),
        [
            (np.ones((3, 3)), r"df must have shape \(1320,\)"),
            (np.full(1320, -1.0), "df must not be negative"),
            (np.zeros(1320), "df must be positive somewhere"),
            (Nifti1Image(np.ones((3, 3, 3)), np.eye(4)), "df"),
        ],
    )
    def test_bad_ones_of_each_voxel_are_refused(self, z, mask_img, df, match):
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer(mask_img=mask_img, stat_type="t", df=df).fit(image_of(z))


class TestValues:
    """Values that no such statistic has, and infinite ones."""

    @pytest.mark.parametrize(
        ("make", "match"),
        [
            (lambda z: np.where(z > 6, 388.0, z), "from .* to 388, but the smallest p-value"),
            (lambda z: np.tanh(z / 4), r"All lie in \[-1, 1\]"),
            (lambda z: 0.2 * z, "robust standard deviation is 0.2"),
            (lambda z: 40 * z, "robust standard deviation is 4"),
            (lambda z: np.rint(3 * z), "whole numbers"),
            (lambda z: z**2, "one sign, from .*, as F, chi2"),
        ],
    )
    def test_what_is_no_z_map_is_warned_of(self, z, mask_img, make, match):
        with pytest.warns(UserWarning, match=rf"does not look like z values.*{match}"):
            ClusterTDPTransformer(mask_img=mask_img).fit(image_of(make(z)))

    @pytest.mark.parametrize("scale", [0.6, 1, 2.3, 3.5])
    @pytest.mark.parametrize("padded", [False, True])
    def test_genuine_maps_are_not(self, z, mask_img, scale, padded):
        values = scale * z - 0.5
        if padded:
            values[6:] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", "The map is exactly 0 in")  # which is right
            ClusterTDPTransformer(mask_img=mask_img).fit(image_of(values))

    @pytest.mark.parametrize(
        ("folder", "name", "match"),
        [
            ("auditory_z", "zstat", None),
            ("auditory_z", "pvalue", None),
            ("whole_brain_z", "z", r"infinite in 2 voxels: \+inf in 0, -inf in 2"),
        ],
    )
    def test_real_maps_warn_of_what_is_so(self, shared_path, folder, name, match):
        path = shared_path("data", folder, f"{name}.nii.gz")
        mask_img = shared_path("data", folder, "mask.nii.gz")
        transformer = ClusterTDPTransformer(0.001, threshold_scale="p", mask_img=mask_img)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            transformer.fit(path)
        told = [str(one.message) for one in caught]
        assert len(told) == (match is not None)
        assert all(re.search(match, text) for text in told)

    @pytest.mark.parametrize("df", [2, 5, 29])
    def test_nor_are_t_maps_of_few_degrees_of_freedom(self, mask_img, df):
        t = np.random.default_rng(3).standard_t(df, SHAPE)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(mask_img=mask_img, stat_type="t", df=df).fit(image_of(t))

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_infinite_values_are_counted_and_are_no_peaks(self, z, mask_img, two_sided):
        values = z.copy()
        values[2, 2, 2], values[3, 3, 3], values[8, 8, 8] = np.inf, np.inf, -np.inf
        transformer = ClusterTDPTransformer(3, mask_img=mask_img, two_sided=two_sided)
        strongest = "-inf and [+]inf are both the" if two_sided else "[+]inf is the"
        match = rf"infinite in 3 voxels: \+inf in 2, -inf in 1. {strongest} strongest evidence"
        with pytest.warns(UserWarning, match=match):
            transformer.fit(image_of(values))
        assert (
            transformer.table_["peak_stat"].iloc[0]
            == values[2:5, 2:5, 2:5][np.isfinite(values[2:5, 2:5, 2:5])].max()
        )

    def test_a_set_of_nothing_but_infinite_values_has_an_infinite_peak(self, z, mask_img):
        values = np.clip(z, -2, 2) * 1.01
        values[8, 8, 8] = np.inf
        with pytest.warns(UserWarning, match="infinite in 1 voxels"):
            transformer = ClusterTDPTransformer(3, mask_img=mask_img).fit(image_of(values))
        assert transformer.table_["peak_stat"].iloc[0] == np.inf


def _ones(n):
    return pd.DataFrame({"intercept": [1.0] * n})
