"""Input that must be refused, by an error that says which argument is wrong and what it got."""

from copy import copy

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.exceptions import DimensionError, MaskWarning
from nilearn.image import get_data, new_img_like
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, cluster_level_inference

BAD_THRESHOLDS = [
    *(
        (value, ValueError, "'threshold' cannot be negative")
        for value in (-1, -0.1, [-1, 2], (3, -2), np.array([3.0, -1]), np.nan, [3, np.nan], -np.inf)
    ),
    *((value, ValueError, "'threshold'.*at least one") for value in ([], (), np.array([]))),
    *(
        (value, TypeError, "'threshold'")
        for value in (
            "abc", "3.1", "", b"3", True, False, [True], [3, None], ["3"], [[3]], 3j,
            np.array([[3.0]]), np.array([True]), ClusterTDPTransformer,
            # It can be read only once, so that a second map would have no threshold.
            iter([2.0, 3.0]),
        )
    ),
]  # fmt: skip


@pytest.fixture
def noise():
    """Return the z values of pure noise in a brain of 8000 voxels, zero around it."""
    z = np.zeros((24, 24, 24))
    z[2:22, 2:22, 2:22] = np.random.default_rng(0).standard_normal((20, 20, 20))
    return z


def as_img(data):
    return Nifti1Image(np.asarray(data), np.eye(4))


class TestThresholds:
    """Cluster-forming thresholds that are none."""

    @pytest.mark.parametrize(
        ("value", "error", "match"),
        BAD_THRESHOLDS,
        ids=lambda value: repr(value).split(" at 0x")[0][:30],
    )
    def test_threshold_that_is_none_is_refused(self, z_img, mask_img, value, error, match):
        with pytest.raises(error, match=match) as info:
            ClusterTDPTransformer(value, mask_img=mask_img).fit(z_img)
        is_empty = "at least one" in match
        assert is_empty or repr(value) in str(info.value) or f"={value}'" in str(info.value)
        fitted = ClusterTDPTransformer(mask_img=mask_img).fit(z_img)
        with pytest.raises(error, match=match):
            fitted.set_params(threshold=value).transform(z_img)
        with pytest.raises(error, match=match):
            cluster_level_inference(z_img, mask_img=mask_img, threshold=value)
        model = ARISecondLevelModel(mask_img, transformer=ClusterTDPTransformer(value))
        design = pd.DataFrame({"intercept": np.ones(3)})
        with pytest.raises(error, match=match):
            model.fit([copy(z_img) for _ in range(3)], design_matrix=design).compute_contrast(
                output_type="tdp"
            )

    def test_threshold_scale_without_a_number_is_refused(self, z_img, mask_img):
        for threshold in (None, "concentration"):
            transformer = ClusterTDPTransformer(threshold, threshold_scale="p", mask_img=mask_img)
            with pytest.raises(ValueError, match=r"threshold_scale must be left at the default"):
                transformer.fit(z_img)

    @pytest.mark.parametrize("alpha", [0, 1.5, "0.05", None, True])
    def test_level_that_is_none_is_refused_by_the_function(self, z_img, mask_img, alpha):
        with pytest.raises((TypeError, ValueError), match="alpha should be between 0 and 1"):
            cluster_level_inference(z_img, mask_img=mask_img, alpha=alpha)


class TestMasks:
    """Masks that are no mask of the map."""

    @pytest.fixture(params=["image", "masker"])
    def as_mask(self, request):
        """Return a function that hands on a mask as an image, or in a masker."""
        if request.param == "image":
            return lambda img: img
        return lambda img: NiftiMasker(mask_img=img, standardize=None)

    def test_mask_of_another_shape_is_refused(self, z_img, as_mask):
        other = Nifti1Image(np.ones((8, 9, 11), dtype="uint8"), z_img.affine)
        with pytest.raises(ValueError, match=r"mask_img must be on the grid.*\(8, 9, 11\)"):
            ClusterTDPTransformer(mask_img=as_mask(other)).fit_transform(z_img)

    @pytest.mark.parametrize("change", [(0, 0, 3.0), (0, 3, 13.0), (2, 2, 4.1)])
    def test_mask_of_another_affine_is_refused(self, z_img, mask, make_img, as_mask, change):
        affine = z_img.affine.copy()
        row, column, value = change
        affine[row, column] = value
        other = make_img(mask.astype("uint8"), affine)
        with pytest.raises(ValueError, match=r"mask_img must be on the grid[^$]*resample_to_img"):
            ClusterTDPTransformer(mask_img=as_mask(other)).fit_transform(z_img)

    @pytest.mark.parametrize("off", [0.0009, 0.0011])
    @pytest.mark.parametrize("where", ["origin", "size of a voxel"])
    def test_grids_are_one_if_no_voxel_is_off_by_a_thousandth(self, z_img, as_mask, off, where):
        affine = z_img.affine.copy()
        if where == "origin":
            affine[0, 3] += off * 3
        else:
            affine[2, 2] += off / 9 * 4  # the last of 10 voxels is off
        mask_img = as_mask(Nifti1Image(np.ones(z_img.shape, dtype="uint8"), affine))
        if off < 0.001:
            assert ClusterTDPTransformer(mask_img=mask_img).fit(z_img).n_tested_ == 720
        else:
            with pytest.raises(ValueError, match="mask_img must be on the grid"):
                ClusterTDPTransformer(mask_img=mask_img).fit(z_img)

    @pytest.mark.filterwarnings("ignore:imgs are being resampled")
    def test_maps_of_different_grids_are_refused(self, motor_img):
        other = Nifti1Image(get_data(motor_img)[1:], motor_img.affine)
        with pytest.raises(ValueError, match="Maps must be on one grid"):
            ClusterTDPTransformer().fit_transform([motor_img, other])

    @pytest.mark.parametrize("dtype", ["uint8", "float64"])
    @pytest.mark.parametrize("as_path", [True, False])
    def test_mask_that_is_not_binary_is_refused(
        self, z_img, mask, make_img, tmp_path, dtype, as_path
    ):
        # In a masker it is nilearn's: all that is not 0.
        values = mask.astype(dtype)
        values[3] *= 2
        mask_img = make_img(values)
        if as_path:
            mask_img.to_filename(tmp_path / "mask.nii.gz")
            mask_img = tmp_path / "mask.nii.gz"
        with pytest.raises(ValueError, match=r"must be binary.* Got nonzero values from 1.* to 2"):
            ClusterTDPTransformer(mask_img=mask_img).fit_transform(z_img)

    @pytest.mark.parametrize("value", [np.ones((8, 9, 10)), 3], ids=["array", "int"])
    def test_mask_that_is_no_image_is_refused(self, z_img, value):
        with pytest.raises((TypeError, ValueError), match=r"mask_img|Got: (ndarray|int)"):
            ClusterTDPTransformer(mask_img=value).fit(z_img)


class TestMaps:
    """Things that are no statistical map."""

    def test_intent_code_says_what_a_map_holds(self, z_img, mask_img):
        img = new_img_like(z_img, get_data(z_img), copy_header=True)
        img.header.set_intent("t test", (19,))
        transformer = ClusterTDPTransformer(mask_img=mask_img).fit(img)
        statistic = transformer.maps_.describe()["statistic"]
        assert (statistic["stat_type"], statistic["df"]) == ("t", [19.0])
        assert statistic["said_by"] == "the intent code 't test' of the header"
        told = ClusterTDPTransformer(mask_img=mask_img, stat_type="t", df=19).fit(z_img)
        assert_frame_equal(transformer.table_, told.table_)
        with pytest.raises(ValueError, match="must be given, since the maps declare different"):
            transformer.transform([z_img, img])

    def test_stat_type_that_contradicts_the_header_is_warned_of(self, z_img, mask_img):
        img = new_img_like(z_img, get_data(z_img), copy_header=True)
        img.header.set_intent("z score")
        transformer = ClusterTDPTransformer(mask_img=mask_img, stat_type="t", df=9)
        with pytest.warns(UserWarning, match="holds z values, as the intent .*, but stat_type='t'"):
            transformer.fit(img)
        assert transformer.maps_.family.statistic.df == (9.0,)

    @pytest.mark.parametrize("value", [0.0, 2.5, np.nan])
    def test_constant_map_without_a_mask_is_refused(self, make_img, mask_img, value):
        constant = make_img(np.full(mask_img.shape, value))
        with (
            pytest.warns(MaskWarning, match="Computed an empty mask"),
            pytest.raises(ValueError, match=r"constant|empty"),
        ):
            ClusterTDPTransformer().fit_transform(constant)

    @pytest.mark.parametrize(
        ("data", "n_dimensions"),
        [
            (lambda z: z[0], "2D"),
            (lambda z: np.stack([z, z], axis=-1)[..., None, None], "6D"),
            (lambda z: np.stack([z, z], axis=-1)[..., None] * np.ones(2), "5D"),
        ],
        ids=["2D", "6D", "5D"],
    )
    @pytest.mark.parametrize("with_mask", [True, False])
    def test_image_of_other_dimensions_is_refused(
        self, z, make_img, mask_img, data, n_dimensions, with_mask
    ):
        img = make_img(data(z))
        with pytest.raises(DimensionError, match=n_dimensions):
            ClusterTDPTransformer(mask_img=mask_img if with_mask else None).fit_transform(img)

    @pytest.mark.parametrize("dtype", ["complex64", "complex128"])
    def test_complex_map_is_refused(self, z, mask_img, make_img, dtype):
        with pytest.raises(ValueError, match=rf"real numbers\. Got {dtype}"):
            ClusterTDPTransformer(mask_img=mask_img).fit_transform(make_img(z.astype(dtype)))


class TestThresholdedMaps:
    """Maps that were thresholded before: no mask can be computed from them."""

    MATCH = "looks thresholded: .*mask_img"

    THRESHOLDED = pytest.mark.parametrize(
        "threshold_map",
        [
            lambda z: np.where(z > 3, z, 0),
            lambda z: np.where(np.abs(z) > 3, z, 0),
            lambda z: np.where(z > 3, z, np.nan),
            lambda z: np.where(np.abs(z) > 3, z, np.nan),
            lambda z: np.where(z > 1, z, 0),
            lambda z: np.where(np.abs(z) > 0.5, z, 0),
            lambda z: np.where(z < -2, z, 0),
            lambda z: np.where(z > 0, z, 0),
        ],
        ids=[
            "z > 3", "|z| > 3", "z > 3, else NaN", "|z| > 3, else NaN", "z > 1", "|z| > 0.5",
            "z < -2", "z > 0",
        ],
    )  # fmt: skip

    @THRESHOLDED
    def test_thresholded_real_map_is_refused(self, motor_img, threshold_map):
        img = Nifti1Image(threshold_map(get_data(motor_img)), motor_img.affine)
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer().fit_transform(img)
        with pytest.raises(ValueError, match=self.MATCH):
            cluster_level_inference(img)

    @THRESHOLDED
    def test_thresholded_noise_is_refused(self, noise, threshold_map):
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer().fit_transform(as_img(threshold_map(noise)))

    def test_list_of_thresholded_maps_is_refused(self, noise):
        # Together their mask is the voxels that pass the threshold in one of them.
        others = np.where(noise == 0, 0, np.random.default_rng(1).standard_normal(noise.shape))
        maps = [as_img(np.where(z > 2, z, 0)) for z in (noise, others)]
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer().fit_transform(maps)
        stacked = as_img(np.stack([get_data(z) for z in maps], axis=-1))
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer().fit_transform(stacked)

    def test_thresholded_map_after_a_fit_to_another_map_is_fine(self, noise):
        transformer = ClusterTDPTransformer(2).fit(as_img(noise))
        assert not get_data(transformer.transform(as_img(np.where(noise > 2, noise, 0)))).any()

    def test_unfitted_masker_without_a_mask_does_not_help(self, noise):
        masker = NiftiMasker(mask_strategy="background", standardize=None)
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer(mask_img=masker).fit_transform(
                as_img(np.where(noise > 2, noise, 0))
            )

    @pytest.mark.parametrize(
        "as_mask", ["image", "masker", "fitted masker", "masker of all voxels"]
    )
    def test_thresholded_map_is_fine_with_the_mask_of_all_voxels(self, motor_img, as_mask):
        data = get_data(motor_img)
        masker = NiftiMasker(mask_strategy="background", standardize=None).fit(motor_img)
        mask = {
            "image": masker.mask_img_,
            "masker": NiftiMasker(mask_img=masker.mask_img_, standardize=None),
            "fitted masker": NiftiMasker(mask_img=masker.mask_img_, standardize=None).fit(),
            "masker of all voxels": masker,
        }[as_mask]
        thresholded = Nifti1Image(np.where(data > 2.5, data, 0), motor_img.affine)
        # Below the concentration threshold no voxel matters, as long as it is counted.
        tdp = ClusterTDPTransformer(3, mask_img=mask).fit_transform(thresholded)
        assert_array_equal(
            get_data(tdp), get_data(ClusterTDPTransformer(3).fit_transform(motor_img))
        )

    def test_pure_noise_thresholded_with_its_mask_has_no_discoveries(self, noise):
        tdp = ClusterTDPTransformer(2, mask_img=as_img((noise != 0).astype("uint8"))).fit_transform(
            as_img(np.where(noise > 2, noise, 0))
        )
        assert not get_data(tdp).any()

    @pytest.mark.filterwarnings("ignore:The map is NaN in")
    def test_map_with_nan_below_the_threshold_is_refused_whatever_the_mask(self, noise):
        # NaN leave the family, which is then the supra-threshold voxels again.
        mask_img = as_img((noise != 0).astype("uint8"))
        img = as_img(np.where(noise > 2, noise, np.nan))
        with pytest.raises(ValueError, match="looks thresholded: "):
            ClusterTDPTransformer(2, mask_img=mask_img).fit_transform(img)

    @pytest.mark.parametrize("n_voxels", [1, 2, 9])
    def test_map_with_few_voxels_left_is_refused(self, n_voxels):
        z = np.zeros((12, 12, 12))
        z.ravel()[800 : 800 + n_voxels] = np.linspace(-0.1, 3.5, n_voxels)[::-1]
        with pytest.raises(ValueError, match=rf"looks thresholded: .* has {n_voxels} voxels"):
            ClusterTDPTransformer(3).fit_transform(as_img(z))

    @pytest.mark.parametrize("two_sided", [False, True])
    def test_thresholded_map_whose_zeros_are_rounded_is_refused(self, noise, tmp_path, two_sided):
        # Stored as int16 with a slope and an intercept, zeros come back as 1e-5 or so.
        thresholded = np.where(np.abs(noise) > 2, noise, 0).astype("float32")
        img = as_img(thresholded)
        img.set_data_dtype(np.int16)
        img.to_filename(tmp_path / "z.nii.gz")
        assert (nib.load(tmp_path / "z.nii.gz").get_fdata() != 0).all()
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer(3, two_sided=two_sided).fit(tmp_path / "z.nii.gz")

    @pytest.mark.parametrize("decimals", [4, 3, 2, 1])
    def test_rounded_map_that_is_not_thresholded_passes(self, motor_img, decimals):
        z = np.round(get_data(motor_img), decimals)
        transformer = ClusterTDPTransformer(3).fit(Nifti1Image(z, motor_img.affine))
        assert transformer.n_features_in_ > 0.9 * 45448

    def test_map_of_whole_numbers_without_a_mask_is_refused(self, motor_img):
        # All voxels that round to 0 would leave the family.
        z = np.round(get_data(motor_img)).astype("int16")
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer(3).fit(Nifti1Image(z, motor_img.affine))

    @pytest.mark.parametrize("fitted", [False, True])
    def test_thresholded_map_as_the_mask_of_a_masker_is_refused(self, noise, fitted):
        thresholded = as_img(np.where(noise > 2, noise, 0))
        masker = NiftiMasker(mask_img=thresholded, standardize=None)
        with pytest.raises(ValueError, match="mask_img must be binary"):
            ClusterTDPTransformer(mask_img=masker.fit() if fitted else masker).fit(as_img(noise))

    def test_masker_fitted_to_a_thresholded_map_is_refused(self, noise):
        thresholded = as_img(np.where(noise > 2, noise, 0))
        masker = NiftiMasker(mask_strategy="background", standardize=None).fit(thresholded)
        with pytest.raises(ValueError, match=self.MATCH):
            ClusterTDPTransformer(mask_img=masker).fit(thresholded)

    def test_mask_that_goes_by_strong_values_is_refused(self, noise):
        masker = NiftiMasker(mask_strategy="epi", standardize=None)
        with pytest.raises(ValueError, match="mask_strategy='epi'"):
            ClusterTDPTransformer(mask_img=masker).fit(as_img(noise))

    @pytest.mark.filterwarnings("ignore:The map is NaN in 1 of")
    def test_nan_in_a_mask_of_active_voxels_is_left_out(self, noise):
        region = np.zeros(noise.shape, dtype="uint8")
        region[5:12, 5:12, 5:12] = 1
        z = np.abs(noise) + 4
        z[6, 6, 6] = np.nan
        transformer = ClusterTDPTransformer(3, mask_img=as_img(region)).fit(as_img(z))
        assert transformer.n_tested_ == 7**3 - 1

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("value", [0.0, 2.0])
    def test_constant_map_without_a_mask_is_refused(self, value):
        with pytest.raises(ValueError, match=r"mask_img|is constant"):
            ClusterTDPTransformer(3).fit_transform(as_img(np.full((12, 12, 12), value)))

    @pytest.mark.parametrize("seed", range(20))
    def test_noise_that_is_not_thresholded_passes(self, seed):
        z = np.zeros((12, 12, 12))
        z[2:10, 2:10, 2:10] = np.random.default_rng(seed).standard_normal((8, 8, 8))
        transformer = ClusterTDPTransformer(2).fit(as_img(z))
        assert transformer.n_tested_ == 512

    @pytest.mark.parametrize("background", [0, np.nan])
    def test_map_with_effects_of_both_signs_that_is_not_thresholded_passes(self, noise, background):
        z = np.where(noise == 0, background, noise)
        z[3:10, 3:10, 3:10] += 6
        z[12:18, 12:18, 12:18] -= 5
        transformer = ClusterTDPTransformer(3).fit(as_img(z))
        assert transformer.n_tested_ == 8000

    def test_map_without_background_passes(self):
        z = np.random.default_rng(0).standard_normal((10, 10, 10))
        transformer = ClusterTDPTransformer(2).fit(as_img(z))
        assert transformer.n_tested_ > 900

    def test_unthresholded_real_map_passes(self, motor_img):
        transformer = ClusterTDPTransformer().fit(motor_img)
        assert transformer.n_tested_ == 45448
