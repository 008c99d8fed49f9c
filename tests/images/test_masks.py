"""Warnings and refusals say which mask was used: given, of a masker, or computed; and its size."""

import re

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.maskers import NiftiMasker, SurfaceMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    set_bound,
)

SHAPE = (9, 8, 7)
AFFINE = np.diag([3.0, 3, 3, 1])
MASK = np.ones(SHAPE, dtype=np.uint8)
MASK[0] = 0
N_MASK = 448
INTERCEPT = pd.DataFrame({"intercept": np.ones(8)})

GIVEN = "the mask given as mask_img"
OF_MASKER = "the mask of the masker given as mask_img"
COMPUTED = "the mask computed from the maps"


def volume(values):
    return Nifti1Image(values, AFFINE)


def z_values(seed=0):
    z = np.random.default_rng(seed).standard_normal(SHAPE)
    z[MASK == 0] = 0
    return z


MASK_IMG = volume(MASK)

VOLUME_MASKS = pytest.mark.parametrize(
    ("mask_img", "called"),
    [
        (lambda _: MASK_IMG, GIVEN),
        (lambda _: NiftiMasker(MASK_IMG, standardize=None), OF_MASKER),
        (lambda _: NiftiMasker(MASK_IMG, standardize=None).fit(), OF_MASKER),
        (lambda img: NiftiMasker(mask_strategy="background", standardize=None).fit(img), OF_MASKER),
        (lambda _: NiftiMasker(mask_strategy="background", standardize=None), COMPUTED),
        (lambda _: None, COMPUTED),
    ],
    ids=["image", "masker", "fitted masker", "masker fitted to maps", "masker without", "none"],
)


@VOLUME_MASKS
class TestVolumes:
    """Messages about a map, with each mask there is."""

    def test_nan(self, mask_img, called):
        z = z_values()
        full = volume(z.copy())
        z[3:5, 3, 3] = np.nan
        ari = ClusterTDPTransformer(2, mask_img=mask_img(full)).fit(full)
        match = re.escape(f"NaN in 2 of the {N_MASK} voxels of {called}. They are left out")
        with pytest.warns(UserWarning, match=match):
            ari.transform(volume(z))

    def test_nan_everywhere_and_constant(self, mask_img, called):
        full = volume(z_values())
        ari = ClusterTDPTransformer(2, mask_img=mask_img(full)).fit(full)
        with pytest.raises(ValueError, match=rf"NaN in all {N_MASK} voxels of {called}\. Pass"):
            ari.transform(volume(np.full(SHAPE, np.nan)))
        with pytest.raises(ValueError, match=f"3.0, in all {N_MASK} voxels of {called}: it is no"):
            ari.transform(volume(np.full(SHAPE, 3.0)))

    def test_values_above_a_threshold(self, mask_img, called):
        full = volume(z_values())
        ari = ClusterTDPTransformer(2, mask_img=mask_img(full)).fit(full)
        z = z_values()
        z[z < 1] = np.nan
        n_nan = int(np.isnan(z[MASK > 0]).sum())
        with (
            pytest.warns(UserWarning, match=f"of the {N_MASK} voxels of {called}"),
            pytest.raises(ValueError, match=f"NaN in {n_nan} voxels of {called}, and almost"),
        ):
            ari.transform(volume(z))

    def test_zeros_of_a_p_map(self, mask_img, called):
        p = np.random.default_rng(0).random(SHAPE)
        p[MASK == 0] = 0
        full = volume(p.copy())
        p[2, 2, 2] = 0
        if called == COMPUTED:
            with pytest.raises(ValueError, match="mask_img must be given for a map of"):
                ClusterTDPTransformer(0.01, stat_type="p", mask_img=mask_img(full)).fit(full)
            return
        mask_img = mask_img(volume(z_values()))
        ari = ClusterTDPTransformer(0.01, stat_type="p", mask_img=mask_img).fit(full)
        match = f"exactly 0 in 1 voxels of {called}, which has {N_MASK}. They count"
        with pytest.warns(UserWarning, match=match):
            ari.transform(volume(p))
        p[2:5] = 0
        match = f"exactly 0 in 168 of the {N_MASK} voxels of {called}, and next to 0 nowhere"
        with pytest.raises(ValueError, match=match):
            ari.transform(volume(p))

    def test_another_grid(self, mask_img, called):
        full = volume(z_values())
        ari = ClusterTDPTransformer(2, mask_img=mask_img(full)).fit(full)
        other = Nifti1Image(np.ones((5, 5, 5)), AFFINE)
        start = "Maps must be on one grid" if called == COMPUTED else "mask_img must be on the grid"
        match = rf"{start}[^$]*{called}, of {N_MASK} voxels, of shape \(9, 8, 7\)[^$]*resample"
        with pytest.raises(ValueError, match=match):
            ari.transform(other)

    def test_sets_outside(self, mask_img, called):
        full = volume(z_values())
        ari = ClusterTDPTransformer(2, mask_img=mask_img(full)).fit(full)
        match = f"Got 1 outside of it: of {called}, which has {N_MASK} voxels"
        with pytest.raises(ValueError, match=match):
            set_bound(ari, indices=[[0, 0, 0], [4, 4, 4]])

    def test_regions_outside(self, mask_img, called):
        full = volume(z_values())
        labels = MASK.astype(np.int32)
        labels[0] = 7
        for make in (
            lambda **k: RegionTDPTransformer(volume(labels), **k),
            lambda **k: ClusterTDPTransformer(labels_img=volume(labels), **k),
        ):
            match = f"labels 7.*Tested is {called}, {N_MASK} voxels"
            with pytest.warns(UserWarning, match=match):
                make(mask_img=mask_img(full)).fit(full)


@pytest.mark.parametrize("is_fitted", [False, True])
def test_thresholded_map_is_refused_by_the_mask_that_was_used(is_fitted):
    z = z_values()
    z[z < 1] = 0
    img = volume(z)
    masker = NiftiMasker(mask_strategy="background", standardize=None)
    n = int((z != 0).sum())
    called = OF_MASKER if is_fitted else COMPUTED
    with pytest.raises(ValueError, match=f"looks thresholded: it has .* voxels in {called}, "):
        ClusterTDPTransformer(2, mask_img=masker.fit(img) if is_fitted else masker).fit(img)
    match = f"it has {n} voxels in {COMPUTED}, almost none .*all tested voxels as mask"
    with pytest.raises(ValueError, match=match):
        ClusterTDPTransformer(2).fit(img)


class TestSurfacesAndGrayordinates:
    """Without a mask all elements are tested, and a masker's mask is a mask."""

    rng = np.random.default_rng(0)
    FACES = np.array([[i, i + 1, i + 2] for i in range(58)])
    MESH = PolyMesh(
        left=InMemoryMesh(rng.standard_normal((60, 3)), FACES),
        right=InMemoryMesh(rng.standard_normal((60, 3)), FACES),
    )

    def image(self, function):
        rng = np.random.default_rng(3)
        data = {side: rng.standard_normal(60) for side in ("left", "right")}
        function(data["left"])
        return SurfaceImage(self.MESH, data)

    def masks(self, img):
        ones = SurfaceImage(self.MESH, {s: np.ones(60, bool) for s in ("left", "right")})
        return [
            (None, "all vertices of the maps, since there is no mask"),
            (SurfaceMasker(), "all vertices of the maps, since there is no mask"),
            (SurfaceMasker().fit(img), OF_MASKER),
            (SurfaceMasker(ones), OF_MASKER),
            (ones, GIVEN),
        ]

    def test_nan(self):
        def punch(values):
            values[:3] = np.nan

        img = self.image(punch)
        for mask_img, called in self.masks(self.image(lambda _: None)):
            ari = ClusterTDPTransformer(2, mask_img=mask_img)
            with pytest.warns(UserWarning, match=f"NaN in 3 of the 120 vertices of {called}. They"):
                ari.fit(img)

    def test_zeros_that_are_tested(self):
        def pad(values):
            values[:20] = 0

        img = self.image(pad)
        start = r"exactly 0 in 20 of 120 vertices\. All of them are tested, since "
        for masker, why in (
            (None, "there is no mask. If"),
            (SurfaceMasker(), "there is no mask. If"),
            (SurfaceMasker().fit(img), f"{OF_MASKER} leaves none out. If"),
        ):
            with pytest.warns(UserWarning, match=start + why):
                ClusterTDPTransformer(2, mask_img=masker).fit(img)

    def test_other_meshes(self):
        ari = ClusterTDPTransformer(2).fit(self.image(lambda _: None))
        part = InMemoryMesh(np.random.default_rng(1).standard_normal((50, 3)), self.FACES[:40])
        other = SurfaceImage(PolyMesh(left=part), {"left": np.ones(50)})
        with pytest.raises(ValueError, match=r"a mask of .*: all vertices of the maps, since"):
            ari.transform(other)

    def test_grayordinates(self):
        axis = BrainModelAxis.from_mask(np.ones((4, 4, 4), bool), "THALAMUS_LEFT", AFFINE)
        values = np.random.default_rng(0).standard_normal((1, 64))
        values[0, 5] = np.nan
        img = Cifti2Image(values, (ScalarAxis(["z"]), axis))
        mask_img = Cifti2Image(np.ones((1, 64), np.float32), (ScalarAxis(["mask"]), axis))
        whole = "all grayordinates of the maps, since there is no mask"
        for mask, called in ((None, whole), (mask_img, GIVEN)):
            match = f"NaN in 1 of the 64 .* of {called}. They are"
            with pytest.warns(UserWarning, match=match):
                ClusterTDPTransformer(2, mask_img=mask).fit(img)


@pytest.mark.parametrize("is_given", [False, True])
def test_maps_of_subjects_that_are_nan(is_given):
    maps = []
    for seed in range(8):
        z = z_values(seed)
        if seed == 3:
            z[4, 4, 4:6] = np.nan
        maps.append(volume(z))
    origin = "given as mask_img" if is_given else "computed from the maps"
    match = f"2 voxels of the mask are NaN .* The mask was {origin}, and has {N_MASK} voxels"
    if is_given:  # nilearn computes a mask without what is NaN in one of the maps
        model = ARISecondLevelModel(mask_img=MASK_IMG).fit(maps, design_matrix=INTERCEPT)
        with pytest.warns(UserWarning, match=match):
            model.compute_contrast(output_type="z_score")
    masker = NiftiMasker(MASK_IMG if is_given else None, mask_strategy="background")
    masker.set_params(standardize=None)
    masker = masker.fit() if is_given else masker.fit(maps[0])
    with pytest.warns(UserWarning, match=match):
        PermutationCalibration(n_permutations=20).fit(maps, masker=masker, alpha=0.1)


@pytest.mark.parametrize("is_given", [False, True])
def test_the_mask_of_a_model_is_called_so(is_given):
    model = ARISecondLevelModel(mask_img=MASK_IMG if is_given else None)
    model.fit([volume(z_values(seed)) for seed in range(8)], design_matrix=INTERCEPT)
    model.compute_contrast(output_type="tdp")
    origin = "given as mask_img" if is_given else "computed from the maps"
    match = f"of the mask of the model, {origin}, which has {N_MASK} voxels"
    with pytest.raises(ValueError, match=match):
        set_bound(model, indices=[[0, 0, 0]])


def test_arrays_have_a_given_mask():
    values = z_values()[MASK > 0]
    values[:2] = np.nan
    with pytest.warns(UserWarning, match=f"NaN in 2 of the {N_MASK} voxels of {GIVEN}"):
        ClusterTDPTransformer(2, mask_img=MASK_IMG).fit(values)
