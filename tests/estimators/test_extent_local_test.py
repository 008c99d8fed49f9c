"""``local_test=ClusterExtent(...)``: bounds of a map from the size of its clusters."""

import pickle

import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.datasets import load_fsaverage
from nilearn.image import get_data
from nilearn.surface import SurfaceImage
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter, label
from sklearn import clone

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterExtent,
    ClusterTDPTransformer,
    RandomFieldExtent,
    RegionTDPTransformer,
    confidence_curve,
    estimate_smoothness,
    explore,
    load,
    save,
    set_bound,
)
from ari_estimator.closed_testing import GaussianFieldExtent
from ari_estimator.reporting import get_methods, get_tdp_table

AFFINE = np.diag([3.0, 3.0, 4.0, 1.0])

EVERY_NEIGHBOUR = np.ones((3, 3, 3))


@pytest.fixture(scope="module")
def z():
    """Return smooth noise with one effect of each sign."""
    rng = np.random.default_rng(1)
    z = gaussian_filter(rng.standard_normal((20, 22, 18)), 1)
    z /= z.std()
    z[4:10, 5:12, 4:11] += 3.5
    z[13:17, 5:10, 4:9] -= 4
    return z


@pytest.fixture(scope="module")
def img(z):
    return Nifti1Image(z, AFFINE)


@pytest.fixture(scope="module")
def mask_img(z):
    return Nifti1Image(np.ones(z.shape, dtype="uint8"), AFFINE)


@pytest.fixture(scope="module")
def ari(img, mask_img):
    extent = ClusterExtent(0.001, extent=25)
    return ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)


def test_default_clusters_are_those_of_the_extents(ari, z):
    clusters, n_clusters = label(z > 3.0902, EVERY_NEIGHBOUR)
    sizes = np.bincount(clusters.ravel())[1:]
    table = ari.table_[:-1]
    assert_array_equal(table["n_voxels"], np.sort(sizes)[::-1])
    assert_array_equal(table["true_discoveries"] > 0, table["n_voxels"] >= 25)
    assert table["true_discoveries"][0] > 40
    assert ari.true_discoveries_ == table["true_discoveries"].sum()
    assert (get_data(ari.transform(Nifti1Image(z, AFFINE)))[clusters == 0] == 0).all()
    assert n_clusters == len(table)


def test_clusters_of_a_lower_threshold_hold_those_of_the_height(img, mask_img, ari):
    extent = ClusterExtent(0.001, extent=25)
    wide = ClusterTDPTransformer(2, local_test=extent, connectivity=26, mask_img=mask_img).fit(img)
    assert wide.true_discoveries_ == ari.true_discoveries_
    assert wide.table_["true_discoveries"][0] >= ari.table_["true_discoveries"][0]


def test_two_sided_clusters_have_one_sign(z, img, mask_img, ari):
    extent = ClusterExtent(0.002, extent=25)
    both = ClusterTDPTransformer(two_sided=True, local_test=extent, mask_img=mask_img).fit(img)
    for direction, sign in {"positive": 1, "negative": -1}.items():
        clusters, _ = label(sign * z > 3.0902, EVERY_NEIGHBOUR)
        sizes = np.sort(np.bincount(clusters.ravel())[1:])[::-1]
        rows = both.table_[both.table_["direction"] == direction]
        assert_array_equal(rows["n_voxels"], sizes)
        assert_array_equal(rows["true_discoveries"] > 0, sizes >= 25)
    positive = both.table_[both.table_["direction"] == "positive"]
    assert_array_equal(positive["true_discoveries"], ari.table_["true_discoveries"][:-1])


def test_signs_that_touch_are_two_components(mask_img):
    """A block of each sign, side by side. Each has fewer voxels than the extent."""
    z = np.random.default_rng(0).standard_normal(mask_img.shape) / 2
    z[5:8, 5:8, 4:7], z[5:8, 5:8, 7:10] = 5, -5
    img = Nifti1Image(z, AFFINE)
    extent = ClusterExtent(0.001, extent=28)
    ari = ClusterTDPTransformer(two_sided=True, local_test=extent, mask_img=mask_img).fit(img)
    assert_array_equal(ari.table_["n_voxels"][:2], [27, 27])
    assert ari.true_discoveries_ == 0


@pytest.mark.parametrize("connectivity", [6, 18])
def test_fewer_neighbours_give_smaller_bounds(img, mask_img, ari, connectivity):
    extent = ClusterExtent(0.001, 25, connectivity=connectivity)
    fewer = ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)
    assert 0 < fewer.true_discoveries_ < ari.true_discoveries_
    assert f"{connectivity} neighbours" in fewer.maps_.describe()["test"]["sentence"]
    assert f"{connectivity} neighbours" in fewer.maps_.describe()["sets"]["sentence"]
    assert "isoperimetric" not in fewer.maps_.describe()["test"]["sentence"]


def test_regions_and_any_other_sets(img, mask_img, ari):
    labels = np.zeros(img.shape, dtype="int32")
    labels[:11], labels[11:] = 1, 2
    labels_img = Nifti1Image(labels, AFFINE)
    extent = ClusterExtent(0.001, extent=25)
    regions = RegionTDPTransformer(labels_img, local_test=extent, mask_img=mask_img).fit(img)
    found = regions.table_.set_index("region_id")["true_discoveries"]
    assert found[1] == set_bound(ari, mask_img=Nifti1Image((labels == 1).astype("u1"), AFFINE))[1]
    sphere = set_bound(ari, seed=(21, 24, 28), radius=9)
    assert 0 < sphere.true_discoveries < sphere.n_tested
    assert sphere.p_value == 0.05
    assert set_bound(ari, seed=(57, 60, 60), radius=6).p_value == 1


@pytest.mark.parametrize(
    "extent", [ClusterExtent(0.001, np.int64(25)), RandomFieldExtent(0.001, (7, 7.5, 9), 18)]
)
def test_archives_hold_the_test(extent, img, mask_img, tmp_path):
    fitted = ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)
    save(fitted, tmp_path, prefix="map")
    again = load(tmp_path / "map_ari.npz")
    assert again.local_test == extent
    assert again.table_.equals(fitted.table_)
    assert again.maps_.describe() == fitted.maps_.describe()
    assert set_bound(again, seed=(21, 24, 28), radius=9) == set_bound(
        fitted, seed=(21, 24, 28), radius=9
    )
    assert clone(again).local_test == extent
    assert pickle.loads(pickle.dumps(again)).local_test == extent
    assert again.fit(img).table_.equals(fitted.table_)


@pytest.mark.parametrize(
    "text",
    [
        "ClusterExtent(0.001, 25)",
        "ClusterExtent(height_threshold=0.001, extent=1)",
        "ClusterExtent(height_threshold=0.001)",
        "open(file='x')",
        "ClusterExtent(height_threshold=__import__('os'), extent=3)",
        "(" * 5000,
    ],
)
def test_other_texts_in_an_archive_are_refused(text):
    from ari_estimator.interfaces._stored_local_test import local_test_from_text

    with pytest.raises(ValueError, match="local_test has a value that is not allowed"):
        local_test_from_text(text)


def test_reports_and_tables_say_where_bounds_are_from(ari):
    assert "Goeman et al., 2023" in get_methods(ari)
    assert "at least 25" in get_methods(ari)
    assert len(get_tdp_table(ari)) > 0
    curve = confidence_curve(ari)
    assert curve["true_discoveries"].iloc[-1] == ari.true_discoveries_
    assert (curve["true_discoveries"].diff().dropna() >= 0).all()


def test_several_maps(img, mask_img, ari):
    extent = ClusterExtent(0.001, extent=25)
    both = ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit([img, img])
    assert both.table_[1].equals(ari.table_)


def test_a_group_model_tests_its_map(mask_img):
    rng = np.random.default_rng(0)
    maps = [Nifti1Image(rng.standard_normal(mask_img.shape) + 0.1, AFFINE) for _ in range(10)]
    transformer = ClusterTDPTransformer(local_test=ClusterExtent(0.01, 10))
    model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer).fit(
        maps, design_matrix=pd.DataFrame({"intercept": np.ones(10)})
    )
    model.compute_contrast("intercept", output_type="tdp")
    assert model.true_discoveries_ >= 0


def test_vertices_are_bounded_by_packing():
    meshes = load_fsaverage("fsaverage5")["pial"]
    rng = np.random.default_rng(0)
    data = {part: rng.standard_normal(10242) for part in ("left", "right")}
    points = meshes.parts["left"].coordinates
    near = np.linalg.norm(points - points[0], axis=1) < 25
    data["left"][near] += 8
    img = SurfaceImage(meshes, data)
    ari = ClusterTDPTransformer(local_test=ClusterExtent(0.001, extent=15)).fit(img)
    first = ari.table_.iloc[0]
    assert first["n_vertices"] > 100
    assert 0.7 * first["n_vertices"] / 15 < first["true_discoveries"] <= first["n_vertices"] / 15
    with pytest.raises(ValueError, match="connectivity"):
        ClusterTDPTransformer(local_test=ClusterExtent(0.001, 15, connectivity=26)).fit(img)
    with pytest.raises(ValueError, match="unless all elements are voxels of one grid"):
        ClusterTDPTransformer(local_test=RandomFieldExtent(0.001, 8)).fit(img)


def test_smaller_masks_leave_other_voxels_out(img, mask_img, z):
    """A hole in the mask is not in any component. It may divide one."""
    mask = np.ones(z.shape, dtype="uint8")
    mask[:, 8] = 0
    extent = ClusterExtent(0.001, extent=25)
    ari = ClusterTDPTransformer(local_test=extent, mask_img=Nifti1Image(mask, AFFINE)).fit(img)
    clusters, _ = label((z > 3.0902) & (mask > 0), EVERY_NEIGHBOUR)
    sizes = np.sort(np.bincount(clusters.ravel())[1:])[::-1]
    assert_array_equal(ari.table_["n_voxels"][:-1], sizes)


def test_the_emotion_study(shared_path):
    """Clusters that Simes' tests bound by 457, 67, 0 and 0, with the size by permutation."""
    paths = sorted(shared_path("data", "emotion_regulation").glob("sub-*.nii.gz"))
    maps = np.stack([get_data(str(path)) for path in paths])
    error = maps.std(axis=0, ddof=1) / np.sqrt(30)
    mask = error > 0
    t = np.divide(maps.mean(axis=0), error, out=np.zeros(mask.shape), where=mask)
    affine = np.diag([3.44, 3.44, 4.5, 1])
    ari = ClusterTDPTransformer(
        local_test=ClusterExtent(0.001, 49),
        mask_img=Nifti1Image(mask.astype("uint8"), affine),
        stat_type="t",
        df=29,
    ).fit(Nifti1Image(t, affine))
    assert_array_equal(ari.table_["n_voxels"][:4], [1353, 560, 221, 73])
    assert (ari.table_["true_discoveries"][:4] >= [220, 75, 1, 1]).all()


class TestBadInput:
    @pytest.mark.parametrize("height", [0, 0.5, 3.1, -1, np.nan])
    def test_heights_out_of_range(self, height):
        with pytest.raises(ValueError, match="height_threshold must be a p-value between 0 and"):
            ClusterExtent(height, 30)

    @pytest.mark.parametrize("height", [[0.001, 0.01], (0.001,), np.array([0.01])])
    def test_several_heights(self, height):
        with pytest.raises(TypeError, match="must be one p-value: the error level holds for one"):
            ClusterExtent(height, 30)

    @pytest.mark.parametrize("height", ["0.001", None, True])
    def test_heights_of_other_types(self, height):
        with pytest.raises(TypeError, match="height_threshold must be a p-value, as one number"):
            ClusterExtent(height, 30)

    @pytest.mark.parametrize("extent", [0, 1])
    def test_small_extents(self, extent):
        with pytest.raises(ValueError, match="extent must be at least 2"):
            ClusterExtent(0.001, extent)

    def test_extents_larger_than_the_mask(self, img, mask_img):
        extent = ClusterExtent(0.001, 1_000_000)
        with pytest.raises(ValueError, match="extent must be at most the number of tested voxels"):
            ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)

    def test_another_connectivity(self):
        with pytest.raises(ValueError, match="connectivity must be 6, 18, 26 or None"):
            ClusterExtent(0.001, 30, connectivity=8)

    def test_a_height_that_nothing_passes(self, img, mask_img):
        extent = ClusterExtent(1e-30, 30)
        with pytest.warns(UserWarning, match="No voxel passes the height threshold p < 1e-30"):
            ari = ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)
        assert ari.true_discoveries_ == 0
        assert len(ari.table_) == 1

    def test_a_smaller_alpha(self, img, mask_img):
        ari = ClusterTDPTransformer(
            local_test=ClusterExtent(0.001, 30), alpha=0.01, mask_img=mask_img
        )
        with pytest.raises(ValueError, match=r"alpha must be at least 0.05, the level at which"):
            ari.fit(img)

    def test_bounds_for_each_sign(self, img, mask_img):
        ari = ClusterTDPTransformer(
            local_test=ClusterExtent(0.001, 30), two_sided="directional", mask_img=mask_img
        )
        with pytest.raises(ValueError, match="two_sided must be True or False with cluster ext"):
            ari.fit(img)

    def test_adaptive_clusters(self, img, mask_img):
        ari = AdaptiveTDPTransformer(local_test=ClusterExtent(0.001, 30), mask_img=mask_img)
        with pytest.raises(ValueError, match="for adaptive clusters, which voxels must form"):
            ari.fit(img)

    def test_pages_that_compute_bounds_by_themselves(self, ari):
        with pytest.raises(
            TypeError, match=r"clusters of a forest, which .* pages of explore need"
        ):
            explore(ari)

    @pytest.mark.parametrize("local_test", [5, None, "extent", ClusterExtent])
    def test_other_local_tests(self, img, local_test):
        with pytest.raises(ValueError, match="must be one of 'simes', 'hommel' or a ClusterExt"):
            ClusterTDPTransformer(local_test=local_test).fit(img)


class TestRandomFields:
    @pytest.mark.parametrize("fwhm", [0, -3, np.inf, np.nan, (8, 8, 0)])
    def test_smoothness_that_is_none(self, fwhm):
        with pytest.raises(ValueError, match="fwhm must be above 0 mm"):
            RandomFieldExtent(0.001, fwhm)

    @pytest.mark.parametrize("fwhm", ["8", (8, 8), True, [[8]]])
    def test_smoothness_of_other_types(self, fwhm):
        with pytest.raises(TypeError, match="fwhm must be one number in mm, or three"):
            RandomFieldExtent(0.001, fwhm)

    def test_smoothness_larger_than_the_brain(self, img, mask_img):
        ari = ClusterTDPTransformer(local_test=RandomFieldExtent(0.001, 70), mask_img=mask_img)
        with pytest.raises(ValueError, match=r"smaller than the mask.*Got 70 mm on axis 0, where"):
            ari.fit(img)

    @pytest.mark.parametrize(
        ("extent", "message"),
        [
            (RandomFieldExtent(0.001, 4), "fwhm is 1 voxels on an axis"),
            (RandomFieldExtent(0.01, 9), "height_threshold is 0.01. In random field theory"),
        ],
    )
    def test_where_the_theory_does_not_hold(self, extent, message, img, mask_img):
        with pytest.warns(UserWarning, match=message):
            ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img)

    def test_the_table_has_p_values_of_clusters(self, img, mask_img, ari):
        extent = RandomFieldExtent(0.001, (8, 8, 9))
        table = (
            ClusterTDPTransformer(local_test=extent, mask_img=mask_img).fit(img).table_.iloc[:-1]
        )
        known = GaussianFieldExtent(0.001, 20 * 22 * 18, 8 * 8 * 9 / 36)
        assert_array_equal(table["p_fwe_cluster"], known.p_values(table["n_voxels"].to_numpy()))
        assert_array_equal(table["p_fwe_cluster"] <= 0.05, table["true_discoveries"] > 0)
        assert "p_fwe_peak" not in table
        # One known size says nothing of other sizes.
        assert "p_fwe_cluster" not in ari.table_

    def test_the_size_grows_with_the_smoothness(self, img, mask_img):
        sizes = [
            ClusterTDPTransformer(local_test=RandomFieldExtent(0.001, fwhm), mask_img=mask_img)
            .fit(img)
            .maps_.describe()["test"]["values"]["SmallestSignificantExtent"]
            for fwhm in (8, 10, 14)
        ]
        assert sizes == sorted(set(sizes))

    @pytest.mark.parametrize("fwhm", [2.0, 3.0])
    def test_smoothness_is_estimated_from_residuals(self, fwhm):
        rng, shape = np.random.default_rng(0), (24, 24, 24)
        sigma = fwhm / np.sqrt(8 * np.log(2))
        noise = [gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap") for _ in range(16)]
        group = np.repeat([0.0, 1.0], 8)
        effect = np.zeros(shape)
        effect[5:15, 5:15, 5:15] = 2
        mask_img = Nifti1Image(np.ones(shape, dtype="uint8"), AFFINE)
        maps = [
            Nifti1Image(e * (1 + effect) + g * effect, AFFINE)
            for e, g in zip(noise, group, strict=True)
        ]
        design = np.column_stack([np.ones(16), group])
        found = estimate_smoothness(maps, mask_img, design_matrix=design)
        np.testing.assert_allclose(found, fwhm * np.diag(AFFINE)[:3], rtol=0.06)

    def test_a_group_model_estimates_the_smoothness(self, mask_img):
        rng = np.random.default_rng(0)
        maps = [
            Nifti1Image(gaussian_filter(rng.standard_normal(mask_img.shape), 1.1), AFFINE)
            for _ in range(12)
        ]
        design = pd.DataFrame({"group": np.repeat([0.0, 1.0], 6), "intercept": np.ones(12)})
        transformer = ClusterTDPTransformer(local_test=RandomFieldExtent(0.001))
        model = ARISecondLevelModel(mask_img=mask_img, transformer=transformer)
        model.fit(maps, design_matrix=design).compute_contrast("group", output_type="tdp")
        found = model.transformer_.local_test.fwhm
        np.testing.assert_allclose(
            found, estimate_smoothness(maps, mask_img, design_matrix=design), rtol=1e-5
        )
        assert transformer.local_test.fwhm is None
        with pytest.raises(ValueError, match="fwhm must be given for a map: only ARISecondLevelM"):
            ClusterTDPTransformer(local_test=RandomFieldExtent(0.001)).fit(maps[0])

    @pytest.mark.parametrize(
        ("design", "message"),
        [
            (np.ones((3, 1)), "design_matrix must have 4 rows"),
            (np.full((4, 1), np.nan), "design_matrix must be finite"),
            (np.eye(4)[:, :2], "at least 3 degrees of freedom"),
        ],
    )
    def test_designs_that_do_not_fit(self, design, message, mask_img):
        rng = np.random.default_rng(0)
        maps = [Nifti1Image(rng.standard_normal(mask_img.shape), AFFINE) for _ in range(4)]
        with pytest.raises(ValueError, match=message):
            estimate_smoothness(maps, mask_img, design_matrix=design)

    def test_rough_residuals(self, mask_img):
        signs = (-1.0) ** np.indices(mask_img.shape).sum(axis=0)
        rng = np.random.default_rng(0)
        maps = [Nifti1Image(signs * rng.standard_normal(), AFFINE) for _ in range(6)]
        with pytest.raises(ValueError, match=r"residuals must be smooth.*Got -1 on axis 0"):
            estimate_smoothness(maps, mask_img)
