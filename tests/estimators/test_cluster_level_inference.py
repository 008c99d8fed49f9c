"""cluster_level_inference: nilearn's results where they are right, and none of its faults."""

import inspect

import numpy as np
import pytest
from nibabel import Nifti1Image
from nilearn.exceptions import DimensionError
from nilearn.glm import cluster_level_inference as nilearn_inference
from nilearn.glm.thresholding import DEFAULT_Z_THRESHOLD
from nilearn.image import get_data
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import ClusterTDPTransformer, cluster_level_inference

from ._kinds import KINDS


@pytest.fixture
def box_img(make_img):
    """Return a mask of 6 x 6 x 6 voxels with a margin around it."""
    box = np.zeros((8, 9, 10), dtype="uint8")
    box[1:7, 1:7, 1:7] = 1
    return make_img(box)


def in_box(values, box_img):
    """Return 216 values as a map, in the order of the box."""
    data = np.zeros(box_img.shape)
    data[get_data(box_img) > 0] = values
    return Nifti1Image(data, box_img.affine)


class TestAsNilearn:
    """The signature, and results on maps with which nothing is amiss."""

    def test_signature_has_nilearns_parameters_in_their_order(self):
        ours = inspect.signature(cluster_level_inference).parameters
        theirs = inspect.signature(nilearn_inference).parameters
        assert list(ours) == list(theirs)
        for name in ("mask_img", "alpha"):
            assert ours[name].default == theirs[name].default, name
        # The default that nilearn announces for its next version.
        assert_allclose(ours["threshold"].default, DEFAULT_Z_THRESHOLD, rtol=1e-12)
        assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in ours.values())

    @pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
    @pytest.mark.parametrize("threshold", [1.5, 2.0, 2.5, [2, 2.5, 4]])
    @pytest.mark.parametrize("seed", [0, 1, 2, 3])
    def test_synthetic_maps_equal_nilearns(
        self, make_map, make_img, mask_img, seed, threshold, alpha
    ):
        img = make_img(make_map(seed, effect=3.5))
        ours, theirs = (
            get_data(function(img, mask_img=mask_img, threshold=threshold, alpha=alpha))
            for function in (cluster_level_inference, nilearn_inference)
        )
        assert ours.any()
        # nilearn computes in single precision.
        assert_allclose(ours, theirs, atol=1e-6)

    @pytest.mark.parametrize("threshold", [2.5, 3.1, [2.5, 3.0, 3.5], [3, 4, 5], [1, 2, 3.5]])
    def test_motor_map_equals_nilearns(self, motor_img, threshold):
        ours, theirs = (
            function(motor_img, threshold=threshold)
            for function in (cluster_level_inference, nilearn_inference)
        )
        assert get_data(ours).any()
        assert_allclose(get_data(ours), get_data(theirs), atol=1e-6)
        assert ours.shape == theirs.shape
        assert_array_equal(ours.affine, theirs.affine)

    @pytest.mark.parametrize("form", ["image", "path", "str", "masker", "fitted masker"])
    def test_mask_and_map_may_come_in_every_form(self, z_img, mask_img, tmp_path, form):
        expected = cluster_level_inference(z_img, mask_img=mask_img, threshold=2)
        z_img.to_filename(tmp_path / "z.nii.gz")
        mask_img.to_filename(tmp_path / "mask.nii.gz")
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        stat, mask = {
            "image": (z_img, mask_img),
            "path": (tmp_path / "z.nii.gz", tmp_path / "mask.nii.gz"),
            "str": (str(tmp_path / "z.nii.gz"), str(tmp_path / "mask.nii.gz")),
            "masker": (z_img, masker),
            "fitted masker": (z_img, masker.fit()),
        }[form]
        tdp = cluster_level_inference(stat, mask, 2)
        assert_array_equal(get_data(tdp), get_data(expected))

    @pytest.mark.parametrize("kind", [KINDS["volume"], KINDS["surface"]], ids=lambda k: k.name)
    @pytest.mark.parametrize("threshold", [2.5, [1, 3]])
    def test_images_and_masks_of_every_kind_are_taken(self, kind, threshold, tmp_path):
        img = kind.image(kind.z())
        expected = ClusterTDPTransformer(threshold, mask_img=kind.mask_img).fit_transform(img)
        for mask_img in kind.masks(tmp_path).values():
            tdp = cluster_level_inference(img, mask_img, threshold)
            assert type(tdp) is type(img)
            assert_array_equal(kind.values(tdp), kind.values(expected))
        for several in (kind.image(np.stack([kind.z()] * 2)), [img, img]):
            with pytest.raises((TypeError, ValueError), match=r"3D|single map|Got:? list"):
                cluster_level_inference(several, kind.mask_img)

    def test_is_the_transformer_with_its_defaults(self, z_img, mask_img):
        tdp = cluster_level_inference(z_img, mask_img)
        expected = ClusterTDPTransformer(mask_img=mask_img).fit_transform(z_img)
        assert get_data(tdp).any()
        assert_array_equal(get_data(tdp), get_data(expected))

    def test_verbose_2_prints_a_line(self, z_img, mask_img, capsys):
        cluster_level_inference(z_img, mask_img=mask_img)
        assert capsys.readouterr().out == ""
        cluster_level_inference(z_img, mask_img=mask_img, verbose=2)
        assert "voxels tested" in capsys.readouterr().out

    @pytest.mark.parametrize("n_volumes", [2, 3])
    def test_several_maps_are_refused(self, z, z_img, make_img, mask_img, n_volumes):
        several = make_img(np.stack([z] * n_volumes, axis=-1))
        for maps in (several, [z_img] * n_volumes):
            with pytest.raises(DimensionError, match="Expected dimension is 3D"):
                cluster_level_inference(maps, mask_img=mask_img)


class TestFaultsOfNilearn:
    """Maps on which nilearn is wrong. What it does is asserted too, to know when it changes."""

    def test_tdp_is_one_where_all_voxels_are_active(self, box_img):
        img = in_box(np.random.default_rng(0).uniform(5, 6, 216), box_img)
        tdp = get_data(cluster_level_inference(img, mask_img=box_img, threshold=3.1))
        assert_array_equal(tdp, get_data(box_img))
        assert get_data(nilearn_inference(img, mask_img=box_img, threshold=3.1)).max() > 1

    def test_tdp_is_at_most_one_where_p_values_underflow(self, box_img):
        z = np.random.default_rng(0).standard_normal(216)
        z[:8] = 40
        img = in_box(z, box_img)
        tdp = get_data(cluster_level_inference(img, mask_img=box_img, threshold=3.1))
        assert tdp.max() == 1
        assert get_data(nilearn_inference(img, mask_img=box_img, threshold=3.1)).max() > 1

    def test_thresholded_noise_without_a_mask_is_refused(self):
        noise = np.random.default_rng(0).standard_normal((20, 20, 20))
        img = Nifti1Image(np.where(noise > 2, noise, 0), np.eye(4))
        with pytest.raises(ValueError, match="looks thresholded: "):
            cluster_level_inference(img)
        assert get_data(nilearn_inference(img, threshold=2)).min(initial=2, where=noise > 2) > 0

    def test_exact_ties_are_rejected(self):
        # Of p = 0.3, 0.5, 0.9 at alpha = 3/4 Simes' test rejects all three together, since
        # 0.5 is exactly 2/3 of alpha, but not the last two. So h = 2, not 3.
        img = Nifti1Image(stats.norm.isf([[[0.3, 0.5, 0.9]]]), np.eye(4))
        mask_img = Nifti1Image(np.ones((1, 1, 3), dtype="uint8"), np.eye(4))
        ours, theirs = (
            get_data(function(img, mask_img=mask_img, threshold=0.1, alpha=0.75))
            for function in (cluster_level_inference, nilearn_inference)
        )
        assert ours.tolist() == [[[1, 0, 0]]]
        assert not theirs.any()

    @pytest.mark.parametrize("container", [tuple, np.array, sorted])
    def test_thresholds_may_come_in_any_sequence(self, z_img, mask_img, container):
        tdp = cluster_level_inference(z_img, mask_img=mask_img, threshold=container([3.5, 2.5]))
        expected = cluster_level_inference(z_img, mask_img=mask_img, threshold=[2.5, 3.5])
        assert len(np.unique(get_data(expected))) > 3
        assert_array_equal(get_data(tdp), get_data(expected))

    def test_nan_leave_the_family(self, z, mask, mask_img, make_img):
        is_nan = mask & (np.random.default_rng(0).random(z.shape) < 0.2)
        img = make_img(np.where(is_nan, np.nan, z))
        with pytest.warns(UserWarning, match=f"NaN in {is_nan.sum()} of the {mask.sum()} voxels"):
            tdp = cluster_level_inference(img, mask_img=mask_img, threshold=2)
        smaller = make_img((mask & ~is_nan).astype("uint8"))
        expected = cluster_level_inference(make_img(z), mask_img=smaller, threshold=2)
        assert_array_equal(get_data(tdp), get_data(expected))
        # As z = 0 they would have made the bounds smaller.
        as_zero = cluster_level_inference(
            make_img(np.where(is_nan, 0, z)), mask_img=mask_img, threshold=2
        )
        assert (get_data(as_zero) <= get_data(tdp)).all()
        assert (get_data(as_zero) < get_data(tdp)).any()

    def test_infinite_voxels_are_the_strongest_of_their_cluster(self, z, mask_img, make_img):
        z = z.copy()
        z[2, 2, 2] = np.inf
        finite = z.copy()
        finite[2, 2, 2] = 37
        infinite, large = (
            get_data(cluster_level_inference(make_img(data), mask_img=mask_img, threshold=2))
            for data in (z, finite)
        )
        assert infinite[2, 2, 2] > 0
        assert_array_equal(infinite, large)
