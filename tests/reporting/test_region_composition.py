"""Pieces of clusters in the regions of an atlas, each bounded by itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nibabel.cifti2.cifti2 import Cifti2Image
from nibabel.cifti2.cifti2_axes import BrainModelAxis, ScalarAxis
from nilearn.image import get_data
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import ndimage
from sklearn.exceptions import NotFittedError

from ari_estimator import (
    ARISecondLevelModel,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    set_bound,
)
from ari_estimator.reporting import get_region_composition

SHAPE = (10, 11, 9)

COLUMNS = ["cluster_id", "region", "n_voxels", "share", "true_discoveries", "tdp", "weight"]

AFFINE = np.diag([3.0, 2.0, 4.0, 1.0])


def make_img(data):
    return Nifti1Image(np.asarray(data), AFFINE)


def z_map(seed=0, effect=3.5):
    z = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(SHAPE), 0.7)
    z /= z.std()
    z[1:5, 2:7, 2:7] += effect
    z[6:9, 3:9, 2:7] += effect
    return z


@pytest.fixture(scope="module")
def mask():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[1:-1, 1:, 1:] = True
    mask[np.random.default_rng(7).random(SHAPE) < 0.03] = False
    return mask


@pytest.fixture(scope="module")
def mask_img(mask):
    return make_img(mask.astype("uint8"))


@pytest.fixture(scope="module")
def fit(mask_img):
    """Return a function that fits a transformer to the map of a seed."""

    def fit(threshold=2.0, seed=0, **parameters):
        transformer = ClusterTDPTransformer(threshold, mask_img=mask_img, **parameters)
        transformer.fit_transform(make_img(z_map(seed)))
        return transformer

    return fit


@pytest.fixture(scope="module")
def atlas():
    """Return labels with gaps between them, some voxels in none, and a label elsewhere."""
    labels = np.zeros(SHAPE, dtype="int32")
    labels[:3, :8] = 3
    labels[3:7, :8] = 40
    labels[7:, 2:5] = 7
    labels[-1, 0] = 11
    return labels


@pytest.fixture(scope="module")
def atlas_img(atlas):
    return make_img(atlas)


def expected_pieces(transformer, sets, regions):
    """Return the pieces of sets, each by its own bound, in order."""
    rows = []
    for set_id, members in sets.items():
        of_set = []
        for number, (name, region) in enumerate(regions.items()):
            piece = members & region
            if piece.any():
                bound = set_bound(transformer, indices=np.argwhere(piece))
                share = bound.n_tested / members.sum()
                weight = share * bound.tdp
                order = (-bound.true_discoveries, -bound.n_tested, number)
                of_set.append((order, (set_id, name, bound.n_tested, share, *bound[1:3], weight)))
        rows += [row for _, row in sorted(of_set)]
    return pd.DataFrame(rows, columns=COLUMNS)


def assert_pieces(composition, expected):
    assert composition.columns.tolist()[1:] == expected.columns.tolist()[1:]
    assert_frame_equal(
        composition.set_axis(COLUMNS, axis=1), expected, check_dtype=False, rtol=1e-12
    )


def clusters_of(transformer, tested):
    labels = get_data(transformer.labels_img_)
    ids = transformer.table_["cluster_id"][:-1]
    return {i: tested & (labels == i) for i in ids}


def by_label(atlas, names=None):
    labels = np.unique(atlas[atlas > 0]).tolist()
    names = dict(zip(labels, names or map(str, labels), strict=True))
    return {names[label]: atlas == label for label in labels}


class TestPieces:
    """What a cluster and a region have in common."""

    @pytest.mark.parametrize("seed", [0, 1, 2])
    @pytest.mark.parametrize("two_sided", [False, True])
    def test_are_bounded_each_by_itself(self, fit, mask, atlas, atlas_img, seed, two_sided):
        transformer = fit(1.0, seed, two_sided=two_sided)
        composition = get_region_composition(transformer, atlas_img)
        expected = expected_pieces(transformer, clusters_of(transformer, mask), by_label(atlas))
        assert len(expected) >= 5
        assert expected["true_discoveries"].max() > 5
        assert_pieces(composition, expected)
        assert composition.columns.tolist() == COLUMNS

    def test_weight_is_share_times_tdp(self, fit, atlas_img):
        composition = get_region_composition(fit(), atlas_img)
        product = composition["share"] * composition["tdp"]
        assert_allclose(composition["weight"], product, rtol=1e-14)
        assert (composition["weight"] > 0).any()

    def test_go_from_the_heaviest_to_the_lightest(self, fit, atlas_img):
        for threshold in (0.5, 1.0, 2.0):
            transformer = fit(threshold)
            composition = get_region_composition(transformer, atlas_img)
            ids = composition["cluster_id"].drop_duplicates().tolist()
            in_table = transformer.table_["cluster_id"][:-1]
            assert ids == [i for i in in_table if i in ids]
            for _, rows in composition.groupby("cluster_id"):
                assert (np.diff(rows["weight"]) <= 0).all()
                without = rows[rows["weight"] == 0]
                assert (np.diff(without["n_voxels"]) <= 0).all()

    def test_of_a_partition_add_up(self, fit, mask):
        everywhere = np.ones(SHAPE, dtype="uint8")
        everywhere[5:] = 2
        transformer = fit(1.0)
        composition = get_region_composition(transformer, make_img(everywhere))
        of_clusters = composition.groupby("cluster_id")
        table = transformer.table_.iloc[:-1].set_index("cluster_id")
        assert_array_equal(of_clusters["n_voxels"].sum(), table["n_voxels"])
        assert_allclose(of_clusters["share"].sum(), 1)
        # Bounds of pieces add up to no more than that of the whole.
        assert (of_clusters["true_discoveries"].sum() <= table["true_discoveries"]).all()
        assert (of_clusters["weight"].sum() <= table["tdp"] + 1e-12).all()

    def test_of_several_thresholds_are_those_of_each(self, fit, atlas_img):
        several = get_region_composition(fit([1.0, 2.0, 3.5]), atlas_img)
        n_before, frames = 0, []
        for threshold in (1.0, 2.0, 3.5):
            transformer = fit(threshold)
            one = get_region_composition(transformer, atlas_img)
            frames.append(one.assign(cluster_id=one["cluster_id"] + n_before))
            n_before += len(transformer.table_) - 1
        assert_frame_equal(several, pd.concat(frames, ignore_index=True))

    def test_names_are_those_of_the_atlas(self, fit, mask, atlas, atlas_img, tmp_path):
        transformer = fit()
        names = ["three", "seven", "eleven", "forty"]
        regions = by_label(atlas, names)
        expected = expected_pieces(transformer, clusters_of(transformer, mask), regions)
        lut = pd.DataFrame({"index": [40, 11, 7, 3], "name": names[::-1]})
        lut.to_csv(tmp_path / "lut.tsv", sep="\t", index=False)
        atlas_img.to_filename(tmp_path / "atlas.nii.gz")
        for parameters in (
            {"labels": names},
            {"labels": ["Background", *names]},
            {"lut": lut},
            {"lut": tmp_path / "lut.tsv"},
        ):
            assert_pieces(get_region_composition(transformer, atlas_img, **parameters), expected)
        from_file = get_region_composition(transformer, tmp_path / "atlas.nii.gz", labels=names)
        assert_pieces(from_file, expected)

    def test_background_is_no_region(self, fit, mask, atlas, atlas_img):
        transformer = fit()
        regions = {str(label): atlas == label for label in (0, 3, 7, 11)}
        expected = expected_pieces(transformer, clusters_of(transformer, mask), regions)
        composition = get_region_composition(transformer, atlas_img, background_label=40)
        assert_pieces(composition, expected)
        assert "0" in set(composition["region"])

    def test_of_clusters_that_an_image_gives(self, mask, mask_img, atlas, atlas_img):
        labels = np.zeros(SHAPE, dtype="int16")
        labels[1:5, 2:7, 2:7] = 90
        labels[6:9, 3:9, 2:7] = 2
        labels[6:9, 9:, 2:7] = 5
        transformer = ClusterTDPTransformer(labels_img=make_img(labels), mask_img=mask_img)
        transformer.fit_transform(make_img(z_map()))
        sets = {i: mask & (labels == i) for i in (2, 5, 90)}
        expected = expected_pieces(transformer, sets, by_label(atlas))
        composition = get_region_composition(transformer, atlas_img)
        assert_pieces(composition, expected)
        # One is in no region, and has no piece.
        assert composition["cluster_id"].drop_duplicates().tolist() == [2, 90]

    @pytest.mark.filterwarnings("ignore:.*given clusters have negative values")
    @given(
        labels=arrays(np.uint8, SHAPE, elements=st.integers(0, 3), fill=st.integers(0, 3)),
        regions=arrays(np.uint8, SHAPE, elements=st.integers(0, 4), fill=st.integers(0, 4)),
    )
    @settings(max_examples=20)
    def test_of_random_clusters_and_regions(self, mask, mask_img, labels, regions):
        labels[5, 5, 5], regions[5, 5, 5] = 1, 2
        transformer = ClusterTDPTransformer(labels_img=make_img(labels), mask_img=mask_img)
        transformer.fit_transform(make_img(z_map()))
        ids = transformer.table_["cluster_id"][:-1]
        sets = {i: mask & (labels == i) for i in ids}
        expected = expected_pieces(transformer, sets, by_label(regions))
        assert_pieces(get_region_composition(transformer, make_img(regions)), expected)


class TestOverlaps:
    """Regions that overlap, and sets that do."""

    @pytest.fixture
    def maps(self, atlas):
        maps = np.stack([atlas == 3, atlas > 0, atlas == 40, atlas == -1], axis=-1)
        return maps * np.array([0.9, 0.5, 0.2, 1.0])

    def test_of_an_atlas_of_several_maps(self, fit, mask, maps):
        transformer = fit(1.0)
        sets = clusters_of(transformer, mask)
        for threshold, names in ((None, "1234"), (0.0, "1234"), (0.4, "1234"), (0.5, "abcd")):
            regions = {name: maps[..., i] > (threshold or 0) for i, name in enumerate(names)}
            composition = get_region_composition(
                transformer,
                make_img(maps),
                probability_threshold=threshold,
                labels=list(names) if names == "abcd" else None,
            )
            assert_pieces(composition, expected_pieces(transformer, sets, regions))
        of_first = get_region_composition(transformer, make_img(maps)).groupby("cluster_id").first()
        assert of_first["share"].iloc[0] < 1

    @pytest.mark.parametrize("overlapping_atlas", [False, True])
    def test_of_regions_that_overlap(self, mask, mask_img, atlas, maps, overlapping_atlas):
        boxes = np.zeros((*SHAPE, 3))
        boxes[1:5, 2:7, 2:7, 0] = 1
        boxes[3:8, 2:7, 2:7, 1] = 1
        boxes[8:, :2, :, 2] = 1
        names = ["one", "two", "three"]
        transformer = RegionTDPTransformer(make_img(boxes), labels=names, mask_img=mask_img)
        transformer.fit_transform(make_img(z_map()))
        sets = {i: mask & (boxes[..., i - 1] > 0) for i in (1, 2, 3)}
        if overlapping_atlas:
            regions = {str(i + 1): maps[..., i] > 0 for i in range(4)}
            composition = get_region_composition(transformer, make_img(maps))
        else:
            regions = by_label(atlas)
            composition = get_region_composition(transformer, make_img(atlas))
        assert composition.columns.tolist() == ["region_id", *COLUMNS[1:]]
        expected = expected_pieces(transformer, sets, regions)
        assert_pieces(composition, expected)
        assert composition["region_id"].drop_duplicates().tolist() == [1, 2]

    def test_regions_have_themselves_as_pieces(self, mask_img, atlas_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with pytest.warns(UserWarning, match="no voxels in the mask"):
            transformer.fit_transform(make_img(z_map()))
        composition = get_region_composition(transformer, atlas_img)
        table = transformer.table_[transformer.table_["n_voxels"] > 0].iloc[:-1]
        assert composition["region"].tolist() == table["region"].tolist() == ["3", "7", "40"]
        for column in ("region_id", "n_voxels", "true_discoveries", "tdp"):
            assert_array_equal(composition[column], table[column])
        assert (composition["share"] == 1).all()
        assert_array_equal(composition["weight"], composition["tdp"])


class TestNaN:
    """Voxels that are NaN are in no piece."""

    @pytest.mark.parametrize("overlapping", [False, True])
    def test_they_do_not_count(self, mask, mask_img, atlas, overlapping):
        z = z_map()
        z[np.random.default_rng(4).random(SHAPE) < 0.1] = np.nan
        transformer = ClusterTDPTransformer(1.0, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN"):
            transformer.fit_transform(make_img(z))
        sets = clusters_of(transformer, mask & np.isfinite(z))
        if overlapping:
            maps = np.stack([atlas == 3, atlas > 0, atlas == 40], axis=-1).astype(float)
            regions = {str(i + 1): maps[..., i] > 0 for i in range(3)}
            composition = get_region_composition(transformer, make_img(maps))
        else:
            regions = by_label(atlas)
            composition = get_region_composition(transformer, make_img(atlas))
        expected = expected_pieces(transformer, sets, regions)
        assert len(expected) > 3
        assert_pieces(composition, expected)

    def test_they_do_not_count_where_regions_overlap(self, mask, mask_img, atlas):
        z = z_map()
        z[np.random.default_rng(4).random(SHAPE) < 0.1] = np.nan
        boxes = np.zeros((*SHAPE, 2))
        boxes[1:5, 2:7, 2:7, 0] = 1
        boxes[3:8, 2:7, 2:7, 1] = 1
        transformer = RegionTDPTransformer(make_img(boxes), mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN"):
            transformer.fit_transform(make_img(z))
        tested = mask & np.isfinite(z)
        sets = {i: tested & (boxes[..., i - 1] > 0) for i in (1, 2)}
        for i, members in sets.items():
            row = transformer.table_.set_index("region_id").loc[i]
            bound = set_bound(transformer, indices=np.argwhere(members))
            assert (row["n_voxels"], row["true_discoveries"], row["tdp"]) == bound[:3]
            assert row["peak_stat"] == z[members].max()
        expected = expected_pieces(transformer, sets, by_label(atlas))
        assert_pieces(get_region_composition(transformer, make_img(atlas)), expected)

    def test_share_is_of_the_tested_voxels(self, mask_img, atlas_img):
        z = z_map()
        z[3:7, 4:6] = np.nan
        regions = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN|no voxels in the mask"):
            regions.fit_transform(make_img(z))
        assert (get_region_composition(regions, atlas_img)["share"] == 1).all()


class TestNothing:
    """No clusters, or none that a region reaches into."""

    def assert_empty(self, composition, filled):
        assert len(composition) == 0
        assert composition.columns.tolist() == filled.columns.tolist()
        assert composition.dtypes.tolist() == filled.dtypes.tolist()

    def test_without_clusters_is_empty(self, fit, atlas, atlas_img):
        filled = get_region_composition(fit(), atlas_img)
        maps = np.stack([atlas == 3, atlas > 0], axis=-1).astype(float)
        for threshold in (100.0, [100.0, 200.0]):
            self.assert_empty(get_region_composition(fit(threshold), atlas_img), filled)
            self.assert_empty(get_region_composition(fit(threshold), make_img(maps)), filled)

    def test_of_a_threshold_without_clusters_has_no_rows(self, fit, atlas_img):
        one, two = (get_region_composition(fit(t), atlas_img) for t in (2.0, [2.0, 100.0]))
        assert_frame_equal(one, two)

    def test_of_an_atlas_outside_of_all_clusters_is_empty(self, fit, atlas_img):
        corner = np.zeros(SHAPE, dtype="uint8")
        corner[0, 0, 0] = 1
        filled = get_region_composition(fit(), atlas_img)
        self.assert_empty(get_region_composition(fit(), make_img(corner)), filled)

    def test_of_a_map_without_discoveries_has_pieces_of_no_weight(self, mask_img, atlas_img):
        z = np.random.default_rng(3).standard_normal(SHAPE) / 2
        transformer = ClusterTDPTransformer(0.5, mask_img=mask_img)
        transformer.fit_transform(make_img(z))
        composition = get_region_composition(transformer, atlas_img)
        assert len(composition) > 10
        assert not composition[["true_discoveries", "tdp", "weight"]].to_numpy().any()

    def test_of_a_map_of_discoveries_alone_has_pieces_of_full_weight(self, mask_img, atlas_img):
        z = 9 + np.random.default_rng(3).standard_normal(SHAPE)
        transformer = ClusterTDPTransformer(2.0, mask_img=mask_img)
        transformer.fit_transform(make_img(z))
        composition = get_region_composition(transformer, atlas_img)
        assert (composition["tdp"] == 1).all()
        assert_array_equal(composition["weight"], composition["share"])


class TestEstimators:
    """Whatever has seen a map has a composition."""

    def test_of_one_of_several_maps(self, fit, mask_img, atlas_img):
        several = ClusterTDPTransformer(2.0, mask_img=mask_img)
        several.fit_transform([make_img(z_map(seed)) for seed in range(2)])
        for i in range(2):
            expected = get_region_composition(fit(2.0, seed=i), atlas_img)
            assert_frame_equal(get_region_composition(several, atlas_img, map_index=i), expected)
        with pytest.raises(ValueError, match="one of the 2 maps, from 0 to 1"):
            get_region_composition(several, atlas_img)

    def test_of_a_second_level_model(self, mask_img, atlas_img):
        model = ARISecondLevelModel(mask_img=mask_img)
        images = [make_img(z_map(seed, 1.5)) for seed in range(6)]
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(6)}))
        with pytest.raises(NotFittedError, match="has not computed the TDP of a contrast yet"):
            get_region_composition(model, atlas_img)
        model.compute_contrast(output_type="tdp")
        composition = get_region_composition(model, atlas_img)
        assert composition["weight"].max() > 0
        assert_frame_equal(composition, get_region_composition(model.transformer_, atlas_img))

    def test_before_a_map_was_seen_is_refused(self, mask_img, atlas_img):
        with pytest.raises(NotFittedError, match="Call fit or fit_transform with a map"):
            get_region_composition(ClusterTDPTransformer(mask_img=mask_img).fit(), atlas_img)

    def test_of_something_else_is_refused(self, atlas_img):
        with pytest.raises(TypeError, match=r"or a FittedMap\. Got Nifti1Image"):
            get_region_composition(atlas_img, atlas_img)

    def test_of_a_surface(self):
        i, j = np.indices((12, 12)).reshape(2, -1)
        corner = np.arange(144).reshape(12, 12)
        a, b, c = corner[:-1, :-1], corner[1:, :-1], corner[:-1, 1:]
        faces = np.stack([a, b, c], axis=-1).reshape(-1, 3)
        mesh = PolyMesh(*(InMemoryMesh(np.column_stack([x + 0 * i, i, j]), faces) for x in (-9, 9)))
        rng = np.random.default_rng(0)
        z = {h: rng.standard_normal(144) + 4 * (j > 5) for h in mesh.parts}
        labels = {"left": (i > 5) + 1, "right": (i > 3) * 3}
        transformer = ClusterTDPTransformer(1.0)
        transformer.fit_transform(SurfaceImage(mesh, z))
        composition = get_region_composition(transformer, SurfaceImage(mesh, labels))
        assert composition.columns.tolist() == [*COLUMNS[:2], "n_vertices", *COLUMNS[3:]]
        of_cluster = {h: transformer.labels_img_.data.parts[h] for h in mesh.parts}
        n_pieces = 0
        for h in mesh.parts:
            for cluster_id in set(of_cluster[h]) - {0}:
                members = of_cluster[h] == cluster_id
                for label in set(labels[h][members].tolist()) - {0}:
                    piece = np.flatnonzero(members & (labels[h] == label))
                    bound = set_bound(transformer, indices={h: piece})
                    row = composition[
                        (composition["cluster_id"] == cluster_id)
                        & (composition["region"] == str(label))
                    ]
                    assert row["n_vertices"].item() == piece.size
                    assert row["share"].item() == piece.size / members.sum()
                    assert row["true_discoveries"].item() == bound.true_discoveries
                    n_pieces += 1
        assert n_pieces == len(composition) > 3

    def test_of_grayordinates(self):
        axis = BrainModelAxis.from_mask(
            np.ones((6, 7, 8)), affine=np.eye(4), name="CIFTI_STRUCTURE_THALAMUS_LEFT"
        )
        rng = np.random.default_rng(0)
        axis = axis[rng.permutation(len(axis))]
        labels = rng.integers(0, 3, (1, len(axis)))
        z = rng.standard_normal((1, len(axis))) + 3 * (axis.voxel[:, 0] < 3)
        transformer = ClusterTDPTransformer(2.0)
        transformer.fit_transform(Cifti2Image(z, (ScalarAxis(["z"]), axis)))
        atlas = Cifti2Image(labels.astype("float32"), (ScalarAxis(["atlas"]), axis))
        composition = get_region_composition(transformer, atlas)
        of_cluster = np.asarray(transformer.labels_img_.dataobj)[0]
        for row in composition.itertuples():
            members = of_cluster == row.cluster_id
            piece = np.flatnonzero(members & (labels[0] == int(row.region)))
            bound = set_bound(transformer, indices=piece)
            assert row.share == bound.n_tested / members.sum()
            assert (row.true_discoveries, row.tdp) == bound[1:3]
        assert composition.iloc[:, 2].sum() == ((of_cluster > 0) & (labels[0] > 0)).sum()


class TestBadAtlas:
    """What must be refused, by an error that says why."""

    def test_other_grids_are_resampled_if_wished(self, fit, atlas, atlas_img):
        fine = np.kron(atlas, np.ones((2, 2, 2), dtype="int32"))
        affine = AFFINE @ np.array(
            [[0.5, 0, 0, -0.25], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1]]
        )
        fine_img = Nifti1Image(fine, affine)
        transformer = fit()
        with pytest.raises(ValueError, match="must be on the grid"):
            get_region_composition(transformer, fine_img)
        assert_frame_equal(
            get_region_composition(transformer, fine_img, resampling_target="data"),
            get_region_composition(transformer, atlas_img),
        )

    @pytest.mark.parametrize("value", ["labels", "", True], ids=repr)
    def test_resampling_target(self, fit, atlas_img, value):
        with pytest.raises(ValueError, match=r"resampling_target must be 'data' or None. Got"):
            get_region_composition(fit(), atlas_img, resampling_target=value)

    @pytest.mark.parametrize(
        ("parameters", "match"),
        [
            ({"labels": ["a", "b"]}, "a name for each of the 4 regions"),
            ({"labels": list("abcd"), "lut": "lut.tsv"}, "give one of them. Got both"),
            ({"probability_threshold": 0.5}, "probability_threshold is for .* several maps"),
        ],
        ids=["labels", "both", "probability_threshold"],
    )
    def test_parameters_that_do_not_fit(self, fit, atlas_img, parameters, match):
        with pytest.raises(ValueError, match=match):
            get_region_composition(fit(), atlas_img, **parameters)

    def test_atlas_without_regions(self, fit):
        with pytest.raises(ValueError, match="at least one region"):
            get_region_composition(fit(), make_img(np.zeros(SHAPE)))

    def test_atlas_that_holds_no_labels(self, fit, mask):
        with pytest.raises(ValueError, match="must hold integers"):
            get_region_composition(fit(), make_img(z_map()))
        with pytest.raises(ValueError, match="must not hold negative labels"):
            get_region_composition(fit(), make_img(-np.ones(SHAPE)))

    def test_atlas_that_is_no_image(self, fit):
        for value in (None, 3):
            with pytest.raises(TypeError):
                get_region_composition(fit(), value)
