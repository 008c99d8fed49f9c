"""Volumes of other formats, rows of vertices in the file of a volume, and two affines."""

import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel import (
    AnalyzeImage,
    MGHImage,
    Nifti1Image,
    Nifti1Pair,
    Spm2AnalyzeImage,
    Spm99AnalyzeImage,
)
from nibabel.gifti import GiftiDataArray, GiftiImage
from nilearn.maskers import NiftiMasker
from numpy.testing import assert_array_equal

import ari_estimator
from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    PermutationCalibration,
    RegionTDPTransformer,
    cluster_level_inference,
    explore,
    set_bound,
)

SHAPE = (7, 6, 5)
# Voxels of 3 mm around the origin: what Analyze files can say.
AFFINE = np.array([[3.0, 0, 0, -9], [0, 3, 0, -7.5], [0, 0, 3, -6], [0, 0, 0, 1]])
ANALYZE_AFFINE = np.array([[-3.0, 0, 0, 9], [0, 3, 0, -7.5], [0, 0, 3, -6], [0, 0, 0, 1]])

FORMATS = {
    "mgz": (MGHImage, ".mgz"),
    "mgh": (MGHImage, ".mgh"),
    "analyze": (AnalyzeImage, ".img"),
    "spm99": (Spm99AnalyzeImage, ".img"),
    "spm2": (Spm2AnalyzeImage, ".hdr"),
    "pair": (Nifti1Pair, ".img"),
}


def z_values(seed=0):
    z = np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    z[1:4, 1:4, 1:4] += 4
    return z


MASK = np.ones(SHAPE, dtype=np.uint8)
MASK[0] = 0
LABELS = np.ones(SHAPE, dtype=np.uint8)
LABELS[4:] = 2
INTERCEPT = pd.DataFrame({"intercept": np.ones(8)})


@pytest.fixture(params=[f"{name}, {how}" for name in FORMATS for how in ("image", "path")])
def form(request, tmp_path):
    """Return a function from values to an image of a format or its path, and the affine."""
    name, how = request.param.split(", ")
    image_class, ending = FORMATS[name]
    affine = ANALYZE_AFFINE if "nalyze" in image_class.__name__ else AFFINE
    numbers = iter(range(1000))

    def make(values):
        dtype = np.float32 if values.dtype.kind == "f" else np.uint8
        if name in ("analyze", "spm99", "spm2") and dtype == np.uint8:
            dtype = np.int16
        img = image_class(values.astype(dtype), affine)
        if how == "image":
            return img
        path = tmp_path / f"volume{next(numbers)}{ending}"
        img.to_filename(path)
        return path if name != "mgh" else str(path)

    make.affine = affine
    return make


def test_maps_masks_and_labels_of_any_format_give_what_nifti_gives(form):
    nifti = {n: Nifti1Image(v, form.affine) for n, v in (("mask", MASK), ("labels", LABELS))}
    other = {"mask": form(MASK), "labels": form(LABELS)}
    z_img = Nifti1Image(z_values(), form.affine)
    for make in (
        lambda of: ClusterTDPTransformer(2.5, mask_img=of["mask"]),
        lambda of: ClusterTDPTransformer(2.5, mask_img=NiftiMasker(of["mask"], standardize=None)),
        lambda of: ClusterTDPTransformer(labels_img=of["labels"], mask_img=of["mask"]),
        lambda of: AdaptiveTDPTransformer(0.5, mask_img=of["mask"]),
    ):
        expected = make(nifti).fit_transform(z_img)
        ari = make(other)
        found = ari.fit_transform(form(z_values()))
        assert type(found) is Nifti1Image
        assert type(ari.labels_img_) is Nifti1Image
        assert_array_equal(found.affine, form.affine)
        assert expected.get_fdata().any()
        assert_array_equal(found.get_fdata(), expected.get_fdata())
    expected = RegionTDPTransformer(nifti["labels"], mask_img=nifti["mask"]).fit_transform(z_img)
    for target in (None, "data"):
        regions = RegionTDPTransformer(
            other["labels"], mask_img=other["mask"], resampling_target=target
        )
        assert_array_equal(regions.fit_transform(form(z_values())), expected)


def test_lists_and_series_of_volumes_of_any_format(form):
    values = [z_values(seed) for seed in range(2)]
    expected = ClusterTDPTransformer(2.5).fit_transform(
        [Nifti1Image(z, form.affine) for z in values]
    )
    found = ClusterTDPTransformer(2.5).fit_transform([form(z) for z in values])
    assert [type(img) for img in found] == [Nifti1Image] * 2
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one.get_fdata(), other.get_fdata())
    together = ClusterTDPTransformer(2.5).fit_transform(form(np.stack(values, axis=-1)))
    assert_array_equal(together.get_fdata()[..., 1], expected[1].get_fdata())


def test_functions_take_volumes_of_any_format(form):
    z_img, mask_img = Nifti1Image(z_values(), form.affine), Nifti1Image(MASK, form.affine)
    expected = cluster_level_inference(z_img, mask_img, threshold=2.5)
    found = cluster_level_inference(form(z_values()), form(MASK), threshold=2.5)
    assert_array_equal(found.get_fdata(), expected.get_fdata())
    page = explore(form(z_values()), mask_img=form(MASK), bg_img=form(np.abs(z_values())))
    assert type(page) is type(explore(z_img, mask_img=mask_img))
    ari = ClusterTDPTransformer(2.5, mask_img=mask_img).fit(z_img)
    inside = (z_values() > 3) & (MASK > 0)
    bound = set_bound(ari, mask_img=form(inside.astype(np.uint8)))
    assert bound == set_bound(ari, indices=np.argwhere(inside))


def test_maps_of_subjects_of_any_format(form):
    values = [z_values(seed) for seed in range(8)]
    niftis = [Nifti1Image(z, form.affine) for z in values]
    model = ARISecondLevelModel(mask_img=Nifti1Image(MASK, form.affine))
    expected = model.fit(niftis, design_matrix=INTERCEPT).compute_contrast(output_type="tdp")
    assert expected.get_fdata().any()
    maps = [form(z) for z in values]
    mask_img = form(MASK)
    model = ARISecondLevelModel(mask_img=mask_img)
    given = [(maps, None)]
    if not isinstance(maps[0], nib.spatialimages.SpatialImage):
        paths = [str(path) for path in maps]
        labels = [f"sub-{k}" for k in range(8)]
        columns = {"subject_label": labels, "map_name": "m", "effects_map_path": paths}
        given += [(pd.Series(paths), None), (pd.DataFrame(columns), "m")]
    for form_of_input, name in given:
        model.fit(form_of_input, design_matrix=INTERCEPT)
        assert model.mask_img is mask_img
        found = model.compute_contrast(first_level_contrast=name, output_type="tdp")
        assert type(found) is Nifti1Image
        assert_array_equal(found.get_fdata(), expected.get_fdata())
    masker = NiftiMasker(Nifti1Image(MASK, form.affine), standardize=None).fit()
    lambdas = [
        PermutationCalibration(n_permutations=20, random_state=0)
        .fit(images, masker=masker, alpha=0.1)
        .lambda_
        for images in (niftis, maps)
    ]
    assert lambdas[0] == lambdas[1]


def test_the_text_of_an_analyze_header_stays():
    img = Spm99AnalyzeImage(z_values(), ANALYZE_AFFINE)
    img.header["descrip"] = b"SPM{T_[14.0]}"
    ari = ClusterTDPTransformer(2.5).fit(img)
    as_t = ClusterTDPTransformer(2.5, stat_type="t", df=14).fit(
        Nifti1Image(z_values(), ANALYZE_AFFINE)
    )
    assert_array_equal(ari.maps_.family.p_values, as_t.maps_.family.p_values)


def test_an_atlas_of_freesurfer(shared_path):
    atlas = nib.load(shared_path("data", "genuine", "lh.Yeo2011.mgz"))
    with pytest.raises(ValueError, match=r"Got shape \(163842, 1, 1\): .* of fsaverage"):
        ClusterTDPTransformer(labels_img=atlas, mask_img=Nifti1Image(MASK, AFFINE)).fit()


class TestRowsOfVertices:
    """Surfaces in the file of a volume."""

    MESHES = pytest.mark.parametrize(
        ("shape", "mesh"),
        [
            ((163842, 1, 1), "of fsaverage in"),
            ((40962, 1, 1), "of fsaverage6 in"),
            ((1, 2562, 1), "of fsaverage4 in"),
            ((1, 1, 10242), "of fsaverage5 in"),
            ((32492, 1, 1), "of fsLR 32k in"),
            ((64984, 1, 1), "of fsLR 32k, both hemispheres in"),
            ((27307, 1, 6), "of fsaverage in"),  # cut into pieces by FreeSurfer
            ((123457, 1, 1), "on an unknown mesh"),
        ],
        ids=str,
    )

    @MESHES
    @pytest.mark.parametrize("form", [Nifti1Image, MGHImage])
    @pytest.mark.filterwarnings("ignore:Using large vector Freesurfer hack")
    def test_is_refused_as_a_map(self, form, shape, mesh):
        img = form(np.zeros(shape, np.float32), np.eye(4))
        match = rf"Got shape \({shape[0]}, .* a surface.*{mesh}.*SurfaceImage.*mesh"
        for ari in (ClusterTDPTransformer(), RegionTDPTransformer(img), AdaptiveTDPTransformer()):
            with pytest.raises(ValueError, match=match):
                ari.fit(img)
        with pytest.raises(ValueError, match=match):
            cluster_level_inference(img)
        with pytest.raises(ValueError, match=match):
            explore(img)
        with pytest.raises(ValueError, match=match):
            ClusterTDPTransformer().fit([img, img])

    def test_is_refused_in_every_other_door(self, tmp_path):
        row = Nifti1Image(np.ones((10242, 1, 1), np.float32), np.eye(4))
        many = Nifti1Image(np.ones((10242, 1, 1, 8), np.float32), np.eye(4))
        path = tmp_path / "lh.ces.nii.gz"
        row.to_filename(path)
        z_img, mask_img = Nifti1Image(z_values(), AFFINE), Nifti1Image(MASK, AFFINE)
        fitted = ClusterTDPTransformer(mask_img=mask_img).fit(z_img)
        masker = NiftiMasker(mask_img, standardize=None).fit()
        model = ARISecondLevelModel(mask_img=mask_img)
        subjects = [Nifti1Image(z_values(seed), AFFINE) for seed in range(8)]
        doors = {
            "path": lambda: ClusterTDPTransformer().fit(path),
            "maps in one image": lambda: ClusterTDPTransformer().fit(many),
            "mask": lambda: ClusterTDPTransformer(mask_img=row).fit(),
            "masker": lambda: ClusterTDPTransformer(mask_img=NiftiMasker(row)).fit(),
            "fitted masker": lambda: ClusterTDPTransformer(
                mask_img=NiftiMasker(row, standardize=None).fit()
            ).fit(),
            "clusters": lambda: ClusterTDPTransformer(labels_img=row, mask_img=mask_img).fit(),
            "set": lambda: set_bound(fitted, mask_img=row),
            "subjects": lambda: model.fit([row] * 8, design_matrix=INTERCEPT),
            "subjects in files": lambda: model.fit([path] * 8, design_matrix=INTERCEPT),
            "subjects in one image": lambda: model.fit(many, design_matrix=INTERCEPT),
            "mask of a model": lambda: ARISecondLevelModel(mask_img=row).fit(
                subjects, design_matrix=INTERCEPT
            ),
            "calibration": lambda: PermutationCalibration(n_permutations=20).fit(
                [row] * 8, masker=masker, alpha=0.1
            ),
        }
        for door, enter in doors.items():
            with pytest.raises(ValueError, match="a surface") as error:
                enter()
            assert "of fsaverage5 in the file of a volume, and its 10242" in str(error.value), door

    def test_is_refused_where_other_programs_write(self, tmp_path):
        Nifti1Image(np.ones((10242, 1, 1), np.float32), np.eye(4)).to_filename(
            tmp_path / "x_dpv_npc_uncp.nii.gz"
        )
        with pytest.raises(ValueError, match="a surface of fsaverage5"):
            ari_estimator.interfaces.read_p_map(tmp_path / "x_dpv_npc_uncp.nii.gz", stat_type="p")

    @pytest.mark.parametrize("shape", [(60, 1, 1), (40, 30, 1), (1, 8, 9), (107, 6, 1)])
    def test_slices_and_short_rows_are_volumes(self, shape):
        z = np.random.default_rng(0).standard_normal(shape)
        mask_img = Nifti1Image(np.ones(shape, np.uint8), np.eye(4))
        ari = ClusterTDPTransformer(2, mask_img=mask_img).fit(Nifti1Image(z, np.eye(4)))
        assert ari.n_tested_ == z.size

    def test_genuine_file(self, shared_path):
        path = shared_path("data", "genuine", "freesurfer_lh.sig.nii.gz")
        with pytest.raises(ValueError, match="that is a surface of fsaverage in the file of a vol"):
            ClusterTDPTransformer().fit(path)


class TestTwoAffines:
    """sform and qform of one header."""

    @staticmethod
    def image(values, qform, codes=(2, 1)):
        img = Nifti1Image(values, AFFINE)
        img.header.set_sform(AFFINE, code=codes[0])
        img.header.set_qform(qform, code=codes[1])
        return Nifti1Image.from_bytes(img.to_bytes())

    MIRRORED = AFFINE * [[-1], [1], [1], [1]]
    MATCH = "sform and qform .*left and right.* RAS by the sform, to LAS by the qform. The sform is"

    def test_are_warned_of_in_every_door(self, tmp_path):
        z_img = self.image(z_values(), self.MIRRORED)
        path = tmp_path / "z.nii.gz"
        z_img.to_filename(path)
        of_one = self.image(z_values()[..., np.newaxis], self.MIRRORED)
        mask_img = self.image(MASK, self.MIRRORED)
        plain, plain_mask = Nifti1Image(z_values(), AFFINE), Nifti1Image(MASK, AFFINE)
        labels_img = self.image(LABELS, self.MIRRORED)
        subjects = [self.image(z_values(seed), self.MIRRORED) for seed in range(8)]
        doors = [
            lambda: ClusterTDPTransformer(2.5).fit(z_img),
            lambda: ClusterTDPTransformer(2.5).fit(path),
            lambda: ClusterTDPTransformer(2.5).fit([z_img, z_img]),
            lambda: ClusterTDPTransformer(2.5).fit(of_one),
            lambda: cluster_level_inference(of_one, threshold=2.5),
            lambda: ClusterTDPTransformer(2.5, mask_img=mask_img).fit(plain),
            lambda: RegionTDPTransformer(labels_img, mask_img=plain_mask).fit(plain),
            lambda: cluster_level_inference(z_img, threshold=2.5),
            lambda: ARISecondLevelModel().fit(subjects, design_matrix=INTERCEPT),
        ]
        for enter in doors:
            with pytest.warns(UserWarning, match=self.MATCH):
                enter()

    def test_the_sform_is_used(self):
        with pytest.warns(UserWarning, match=self.MATCH):
            ari = ClusterTDPTransformer(2.5).fit(self.image(z_values(), self.MIRRORED))
        expected = ClusterTDPTransformer(2.5).fit(Nifti1Image(z_values(), AFFINE))
        pd.testing.assert_frame_equal(ari.table_, expected.table_)

    @pytest.mark.parametrize(
        ("qform", "codes"),
        [
            (AFFINE, (2, 1)),
            (np.array([[1, 0, 0, 20], *np.eye(4)[1:]]) @ AFFINE, (2, 1)),  # moved
            (AFFINE * [[1], [-1], [-1], [1]], (2, 1)),  # turned about the first axis
            (MIRRORED, (2, 0)),
            (MIRRORED, (0, 1)),
        ],
        ids=["same", "moved", "turned", "no qform", "no sform"],
    )
    def test_other_differences_are_none_of_left_and_right(self, qform, codes):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ClusterTDPTransformer(2.5).fit(self.image(z_values(), qform, codes))


class TestGifti:
    """The file of a hemisphere has no mesh, so it is refused wherever an image is wanted."""

    DESIGN = pd.DataFrame({"intercept": [1.0, 1, 1, 1]})

    DOORS = {
        "map": lambda gifti, z: ClusterTDPTransformer(3).fit(gifti),
        "list": lambda gifti, z: ClusterTDPTransformer(3).fit([gifti, gifti]),
        "iterator": lambda gifti, z: ClusterTDPTransformer(3, mask_img=mask_of(z)).fit(
            iter([gifti])
        ),
        "transform": lambda gifti, z: (
            ClusterTDPTransformer(3, mask_img=mask_of(z)).fit(z).transform(gifti)
        ),
        "mask": lambda gifti, z: ClusterTDPTransformer(3, mask_img=gifti).fit(z),
        "regions": lambda gifti, z: RegionTDPTransformer(gifti, mask_img=mask_of(z)).fit(z),
        "clusters": lambda gifti, z: ClusterTDPTransformer(labels_img=gifti).fit(z),
        "df": lambda gifti, z: ClusterTDPTransformer(
            3, stat_type="t", df=gifti, mask_img=mask_of(z)
        ).fit(z),
        "cluster-level inference": lambda gifti, z: cluster_level_inference(gifti),
        "page": lambda gifti, z: explore(gifti),
        "set": lambda gifti, z: set_bound(
            ClusterTDPTransformer(3, mask_img=mask_of(z)).fit(z), mask_img=gifti
        ),
        "subjects": lambda gifti, z: ARISecondLevelModel().fit(
            [gifti] * 4, design_matrix=TestGifti.DESIGN
        ),
        "mask of subjects": lambda gifti, z: ARISecondLevelModel(mask_img=gifti).fit(
            [z] * 4, design_matrix=TestGifti.DESIGN
        ),
    }

    @pytest.mark.parametrize("form", [str, Path, nib.load])
    @pytest.mark.parametrize("door", DOORS)
    def test_a_gifti_image_is_refused_by_name_and_as_an_object(self, tmp_path, door, form):
        z = np.random.default_rng(0).standard_normal(SHAPE)
        path = tmp_path / "lh.func.gii"
        values = GiftiDataArray(np.zeros(20, "float32"), intent="NIFTI_INTENT_NONE")
        GiftiImage(darrays=[values]).to_filename(path)
        got = "GiftiImage" if form is nib.load else r"the GIfTI file '.*lh\.func\.gii'"
        match = rf"Got {got}\. The file of a hemisphere has no mesh\. Pass a nilearn SurfaceImage"
        with pytest.raises(TypeError, match=match):
            self.DOORS[door](form(path), Nifti1Image(z, AFFINE))


def mask_of(img):
    return Nifti1Image(np.ones(img.shape, "uint8"), img.affine)
