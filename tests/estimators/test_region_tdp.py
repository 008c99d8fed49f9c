"""RegionTDPTransformer: bounds of regions of an atlas, one column each."""

import inspect
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nilearn.image import get_data, resample_to_img
from nilearn.maskers import NiftiLabelsMasker, NiftiMasker, SurfaceMasker
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

from ari_estimator import ARISecondLevelModel, ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel

# The labels of the atlas, which has 0 in between.
IDS = [3, 7, 40]

COLUMNS = [
    "region_id",
    "region",
    "n_voxels",
    "size_mm3",
    "true_discoveries",
    "tdp",
    "peak_stat",
    "peak_x",
    "peak_y",
    "peak_z",
]

RESULTS = ["table_", "maps_", "n_tested_", "true_discoveries_"]


@pytest.fixture(scope="module")
def labels():
    """Return labels of three regions: the two effects of the maps, and none."""
    labels = np.zeros((8, 9, 10), dtype="int32")
    labels[1:4, 1:5, 1:7] = 40
    labels[4:8, 1:6, 2:7] = 3
    labels[:, 6:, :8] = 7
    return labels


@pytest.fixture(scope="module")
def atlas_img(labels, make_img):
    return make_img(labels)


@pytest.fixture(scope="module")
def overlapping():
    """Return the probabilities of four regions that overlap, of shape (8, 9, 10, 4)."""
    rng = np.random.default_rng(1)
    maps = np.round(rng.random((8, 9, 10, 4)), 2)
    maps[5:, ..., 0] = 0
    maps[:2, ..., 1] = 0
    maps[..., 6:, 2] = 0
    return maps


@pytest.fixture(name="X", scope="module")
def masked_maps(make_map, mask):
    """Return three masked maps, an array of shape (3, n_voxels)."""
    return np.stack([make_map(seed)[mask] for seed in range(3)])


@pytest.fixture
def images(make_map, make_img):
    """Return three maps as images."""
    return [make_img(make_map(seed)) for seed in range(3)]


@pytest.fixture(scope="module")
def tdp_of(definition, mask):
    """Return a function from a map and sets of voxels to the TDP of each: by the formulas."""

    def compute(z, members, alpha=0.05, local_test="simes", two_sided=False):
        p = 2 * stats.norm.sf(np.abs(z)) if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask], alpha, local_test)
        sets = [p[mask & inside] for inside in members]
        return [definition.true_discoveries(s, h, alpha, local_test) / s.size for s in sets]

    return compute


@pytest.fixture(scope="module")
def surfaces():
    """Return two maps and an atlas on two small meshes, of 30 and of 25 vertices."""
    rng = np.random.default_rng(0)
    sizes = {"left": 30, "right": 25}
    mesh = PolyMesh(
        **{
            side: InMemoryMesh(
                rng.random((n, 3)), np.array([[i, i + 1, i + 2] for i in range(n - 2)])
            )
            for side, n in sizes.items()
        }
    )
    atlas = {side: rng.choice([0, 2, 5], n) for side, n in sizes.items()}
    maps = {
        side: rng.standard_normal((n, 2)) + 3 * (atlas[side] == 5)[:, None]
        for side, n in sizes.items()
    }
    return SurfaceImage(mesh, maps), SurfaceImage(mesh, atlas)


def flat(img):
    """Return the data of a surface image, left before right."""
    return np.concatenate([img.data.parts[side] for side in ("left", "right")])


def table_of_names(ids, names):
    return pd.DataFrame({"index": ids, "name": names})


@pytest.fixture(scope="module")
def two_groups():
    """Return 12 maps on a small grid, of which half have an effect in a region; an atlas."""
    rng = np.random.default_rng(2)
    z = rng.standard_normal((12, 5, 5, 5))
    y = np.tile([0, 1], 6)
    z[y == 1, :2] += 3
    z[y == 0, 3:] += 3
    atlas = np.repeat([1, 1, 0, 2, 2], 25).reshape(5, 5, 5).astype("int16")
    return [Nifti1Image(one, np.eye(4)) for one in z], y, Nifti1Image(atlas, np.eye(4))


@pytest.fixture(scope="module", params=["labels", "overlapping"])
def parameters(request, atlas_img, overlapping, make_img, mask_img):
    atlas = {
        "labels": {"labels_img": atlas_img},
        "overlapping": {"labels_img": make_img(overlapping), "probability_threshold": 0},
    }[request.param]
    return {**atlas, "mask_img": mask_img}


class TestBounds:
    """The values of the array."""

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    @pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
    def test_equal_those_of_each_region(
        self, make_map, make_img, labels, atlas_img, mask_img, tdp_of, alpha, two_sided, local_test
    ):
        transformer = RegionTDPTransformer(
            atlas_img, mask_img=mask_img, alpha=alpha, two_sided=two_sided, local_test=local_test
        )
        for seed in range(3):
            z = make_map(seed)
            tdp = transformer.fit_transform(make_img(z))
            members = [labels == i for i in IDS]
            assert tdp.shape == (1, 3)
            assert_allclose(tdp[0], tdp_of(z, members, alpha, local_test, two_sided), rtol=1e-14)
            assert tdp.max() > 0 or alpha == 0.01

    def test_equal_those_of_hommel_and_of_given_clusters(
        self, z, z_img, mask, labels, atlas_img, mask_img
    ):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        vector = Hommel(stats.norm.sf(z[mask])).critical_vector(0.05)
        bounds = [vector.true_discoveries(stats.norm.sf(z[mask & (labels == i)])) for i in IDS]
        assert transformer.table_["true_discoveries"][:-1].tolist() == bounds
        clusters = ClusterTDPTransformer(labels_img=atlas_img, mask_img=mask_img)
        clusters.fit_transform(z_img)
        assert clusters.table_["tdp"][:-1].tolist() == tdp[0].tolist()

    @pytest.mark.parametrize("stat_type", ["p", "neg_log10_p", "t"])
    def test_maps_may_hold_another_statistic(
        self, z, make_img, labels, atlas_img, mask_img, stat_type, tdp_of
    ):
        p = stats.norm.sf(z)
        values = {"p": p, "neg_log10_p": -np.log10(p), "t": stats.t.isf(p, 12)}[stat_type]
        transformer = RegionTDPTransformer(
            atlas_img,
            mask_img=mask_img,
            stat_type=stat_type,
            df=12 if stat_type == "t" else None,
        )
        tdp = transformer.fit_transform(make_img(values))
        assert_allclose(tdp[0], tdp_of(z, [labels == i for i in IDS]), rtol=1e-14)

    def test_without_a_mask_nilearns_background_mask_is_the_family(self, motor_img):
        halves = np.ones(motor_img.shape, dtype="int32")
        halves[27:] = 2
        transformer = RegionTDPTransformer(Nifti1Image(halves, motor_img.affine))
        tdp = transformer.fit_transform(motor_img)
        assert transformer.n_tested_ == 45448
        assert_allclose(tdp, [[0.074, 0.011]], atol=5e-4)

    @given(
        arrays(float, (3, 3, 2), elements=st.floats(-3, 8)),
        arrays("int16", (3, 3, 2), elements=st.sampled_from([0, 1, 2, 30])),
        st.sampled_from(["simes", "hommel"]),
    )
    @settings(deadline=None, derandomize=True, max_examples=25)
    def test_bounds_of_all_regions_are_those_of_one_at_a_time(self, z, labels, local_test):
        z.flat[0], labels.flat[0] = -4, 1
        whole = Nifti1Image(np.ones(z.shape, dtype="uint8"), np.eye(4))
        img = Nifti1Image(z, np.eye(4))

        def transform(atlas):
            transformer = RegionTDPTransformer(
                Nifti1Image(atlas, np.eye(4)), mask_img=whole, local_test=local_test
            )
            return transformer.fit_transform(img)[0], transformer

        together, transformer = transform(labels)
        alone = [
            transform(np.where(labels == i, i, 0).astype("int16"))[0]
            for i in np.unique(labels[labels > 0])
        ]
        assert_array_equal(together, np.concatenate(alone))
        bounds = transformer.table_["true_discoveries"]
        assert bounds.sum() <= transformer.true_discoveries_

    @given(
        arrays(float, 12, elements=st.floats(-3, 8)),
        st.permutations(range(12)),
        st.sampled_from(["simes", "hommel"]),
    )
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_one_voxel_more_adds_one_discovery_or_none(self, z, order, local_test):
        z[0] = -4
        shape = (3, 2, 2)
        # Nested regions, each with one voxel more than the one before.
        nested = np.zeros((12, 12), dtype="uint8")
        for size in range(1, 13):
            nested[order[:size], size - 1] = 1
        transformer = RegionTDPTransformer(
            Nifti1Image(nested.reshape(*shape, 12), np.eye(4)),
            mask_img=Nifti1Image(np.ones(shape, dtype="uint8"), np.eye(4)),
            local_test=local_test,
        )
        z[1:] += np.linspace(0, 0.01, 11)  # no constant map
        transformer.fit_transform(Nifti1Image(z.reshape(shape), np.eye(4)))
        bounds = transformer.table_["true_discoveries"][:-1]
        assert set(np.diff(bounds, prepend=0)) <= {0, 1}
        assert bounds.iloc[-1] == transformer.true_discoveries_


class TestMaps:
    """One row for each map, whatever the maps come as."""

    @pytest.fixture
    def one_by_one(self, images, parameters):
        """Return fitted transformers, one for each map, and their rows."""
        transformers = [RegionTDPTransformer(**parameters) for _ in images]
        rows = [t.fit_transform(img) for t, img in zip(transformers, images, strict=True)]
        assert all(row.shape == rows[0].shape for row in rows)
        return transformers, np.concatenate(rows)

    @pytest.mark.parametrize("form", ["list", "tuple", "Series", "4D", "paths", "array", "frame"])
    def test_forms_of_the_same_maps_give_the_same_array(
        self, images, X, make_img, parameters, one_by_one, tmp_path, form
    ):
        if form == "paths":
            for i, img in enumerate(images):
                img.to_filename(tmp_path / f"{i}.nii.gz")
        maps = {
            "list": lambda: images,
            "tuple": lambda: tuple(images),
            "Series": lambda: pd.Series(images),
            "4D": lambda: make_img(np.stack([get_data(img) for img in images], axis=-1)),
            "paths": lambda: [tmp_path / f"{i}.nii.gz" for i in range(3)],
            "array": lambda: X,
            "frame": lambda: pd.DataFrame(X),
        }[form]()
        transformer = RegionTDPTransformer(**parameters)
        tdp = transformer.fit_transform(maps)
        transformers, expected = one_by_one
        assert isinstance(tdp, np.ndarray)
        assert_array_equal(tdp, expected)
        assert tdp.dtype == np.float64
        assert_array_equal(transformer.transform(maps), expected)
        assert len(transformer.table_) == 3
        for i, single in enumerate(transformers):
            assert_frame_equal(transformer.table_[i], single.table_)
            assert transformer.true_discoveries_[i] == single.true_discoveries_

    def test_one_map_is_one_row(self, images, X, parameters, one_by_one):
        for single in (images[1], X[1]):
            transformer = RegionTDPTransformer(**parameters)
            assert_array_equal(transformer.fit_transform(single), one_by_one[1][1:2])
            assert isinstance(transformer.table_, pd.DataFrame)
            assert isinstance(transformer.true_discoveries_, int)
        transformer.fit_transform(images[1:2])
        assert isinstance(transformer.table_, list)

    def test_transform_keeps_no_results(self, images, parameters):
        transformer = RegionTDPTransformer(**parameters).fit()
        transformer.transform(images)
        assert not any(hasattr(transformer, name) for name in RESULTS)
        assert not hasattr(transformer, "labels_img_")

    def test_surfaces(self, surfaces, definition):
        maps, atlas = surfaces
        transformer = RegionTDPTransformer(atlas, labels=["two", "five"])
        tdp = transformer.fit_transform(maps)
        z, labels = flat(maps).T, flat(atlas)
        for row, values in zip(tdp, z, strict=True):
            p = stats.norm.sf(values)
            h = definition.hommel_value(p)
            sets = [p[labels == i] for i in (2, 5)]
            assert_allclose(row, [definition.true_discoveries(s, h) / s.size for s in sets])
        assert (tdp[:, 1] > 0).all()
        table = transformer.table_[0]
        assert table["n_vertices"].tolist() == [(labels == i).sum() for i in (2, 5, 0)]
        assert "size_mm2" in table
        assert transformer.fit_transform(list_of(maps)).tolist() == tdp.tolist()


def list_of(img):
    """Return the maps of a surface image as images."""
    return [
        SurfaceImage(img.mesh, {side: values[:, i] for side, values in img.data.parts.items()})
        for i in range(img.shape[1])
    ]


class TestNames:
    """Names by labels, by a look-up table, or by the numbers of the regions."""

    @pytest.fixture
    def names(self, atlas_img, mask_img):
        """Return a function from parameters to the names that come of them."""

        def fit(labels_img=atlas_img, **parameters):
            transformer = RegionTDPTransformer(labels_img, mask_img=mask_img, **parameters).fit()
            assert all(isinstance(name, str) for name in transformer.region_names_)
            assert isinstance(transformer.region_names_, list)
            out = transformer.get_feature_names_out()
            assert out.dtype == object
            assert out.tolist() == transformer.region_names_
            return transformer.region_names_

        return fit

    def test_default_is_the_labels(self, names):
        assert names() == ["3", "7", "40"]

    def test_region_ids_are_the_labels(self, atlas_img, mask_img):
        ids = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit().region_ids_
        assert ids.tolist() == IDS
        assert ids.dtype.kind == "i"

    @pytest.mark.parametrize(
        "given",
        [
            ["a", "b", "c"],
            ("a", "b", "c"),
            np.array(["a", "b", "c"]),
            pd.Series(["a", "b", "c"], index=[5, 6, 7]),
            ["Background", "a", "b", "c"],
            ["background", "a", "b", "c"],
        ],
        ids=["list", "tuple", "array", "Series", "Background", "background"],
    )
    def test_labels_are_by_ascending_label(self, names, given):
        assert names(labels=given) == ["a", "b", "c"]

    def test_names_may_be_anything(self, names):
        assert names(labels=["Background", "unknown", "nan"]) == ["Background", "unknown", "nan"]
        assert names(labels=["a", "b", "Background"]) == ["a", "b", "Background"]
        assert names(labels=[1, 2, 3]) == ["1", "2", "3"]
        lut = table_of_names([3, 7, 40], ["unknown", "rest", "Background"])
        assert names(lut=lut) == ["unknown", "rest", "Background"]

    def test_labels_are_left_as_they_were(self, names):
        labels = ["background", "a", "b", "c"]
        names(labels=labels)
        assert labels == ["background", "a", "b", "c"]

    @pytest.mark.parametrize(
        "lut",
        [
            table_of_names([3, 7, 40], ["a", "b", "c"]),
            table_of_names([40, 3, 7], ["c", "a", "b"]),
            table_of_names([0, 3, 7, 40], ["Background", "a", "b", "c"]),
            table_of_names([99, 40, 0, 7, 1, 3], ["x", "c", "Unknown", "b", "y", "a"]),
            table_of_names([3.0, 7.0, 40.0], ["a", "b", "c"]),
            table_of_names([3, 7, 7, 40], ["a", "b", "b", "c"]),
            pd.DataFrame(
                {"name": ["c", "b", "a"], "color": ["#fff"] * 3, "index": [40, 7, 3]},
                index=["z", "y", "x"],
            ),
        ],
        ids=["ordered", "any order", "background", "extra rows", "floats", "twice", "columns"],
    )
    def test_lut_is_by_index(self, names, lut):
        before = lut.copy()
        assert names(lut=lut) == ["a", "b", "c"]
        assert_frame_equal(lut, before)

    @pytest.mark.parametrize("sep", [",", "\t", ";"])
    @pytest.mark.parametrize("as_path", [str, lambda path: path], ids=["str", "Path"])
    def test_lut_may_be_a_file(self, names, tmp_path, sep, as_path):
        path = tmp_path / ("lut.tsv" if sep == "\t" else "lut.csv")
        lut = table_of_names([40, 0, 3, 7, 8], ["Left thalamus", "Background", "a", "b-c", "x"])
        lut.to_csv(path, sep=sep, index=False)
        assert names(lut=as_path(path)) == ["a", "b-c", "Left thalamus"]

    def test_names_are_those_of_nilearns_masker(
        self, names, atlas_img, mask_img, z_img, labels, make_img
    ):
        lut = table_of_names([0, 40, 3, 7], ["Background", "c", "a", "b"])
        with_background = make_img(np.where(labels == 0, 5, labels))
        for img, parameters in (
            (atlas_img, {}),
            (atlas_img, {"labels": ["a", "b", "c"]}),
            (atlas_img, {"labels": ["Background", "a", "b", "c"]}),
            (atlas_img, {"lut": lut}),
            (atlas_img, {"lut": lut[1:]}),
            (with_background, {"background_label": 5}),
            (atlas_img, {"background_label": 7}),
        ):
            masker = NiftiLabelsMasker(img, standardize=None, reports=False, **parameters)
            masker.fit(z_img).transform(z_img)
            assert names(img, **parameters) == list(masker.region_names_.values()), parameters

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (["a", "a", "b"], ["a 3", "a 7", "b"]),
            (["a", "a", "a"], ["a 3", "a 7", "a 40"]),
            (["a 7", "a", "a"], ["a 7 3", "a 7 7", "a 40"]),
        ],
    )
    def test_repeated_names_get_their_label(self, names, given, expected):
        assert names(labels=given) == expected
        assert names(lut=table_of_names(IDS, given)) == expected

    @given(st.lists(st.sampled_from(["a", "a 3", "a 7", "a 3 3", "b"]), min_size=3, max_size=3))
    @settings(deadline=None, derandomize=True, max_examples=20)
    def test_names_are_unique_in_any_case(self, given):
        atlas = np.array([0, 3, 7, 40], dtype="int16").reshape(2, 2, 1)
        transformer = RegionTDPTransformer(
            Nifti1Image(atlas, np.eye(4)),
            labels=given,
            mask_img=Nifti1Image(np.ones(atlas.shape, dtype="uint8"), np.eye(4)),
        )
        names = transformer.fit().region_names_
        assert len(set(names)) == 3
        assert all(name.startswith(old) for name, old in zip(names, given, strict=True))

    def test_background_label_has_no_name(self, names, labels, make_img, atlas_img, mask_img):
        assert names(background_label=7, labels=["zero", "a", "c"]) == ["zero", "a", "c"]
        minus = make_img(labels - 1)
        ids = RegionTDPTransformer(minus, mask_img=mask_img, background_label=-1).fit().region_ids_
        assert ids.tolist() == [2, 6, 39]

    @pytest.mark.parametrize(
        ("given", "n"),
        [([], 0), (["a", "b"], 2), (["a", "b", "c", "d"], 4), (["Background", "a"], 2)],
    )
    def test_labels_of_another_number_are_refused(self, names, given, n):
        with pytest.raises(ValueError, match=f"labels must .* each of the 3 regions.* Got {n}"):
            names(labels=given)

    def test_one_string_is_no_list_of_names(self, names):
        with pytest.raises(TypeError, match=r"labels must be a sequence of names.* Got .*'abc'"):
            names(labels="abc")

    def test_labels_and_lut_together_are_refused(self, names):
        with pytest.raises(ValueError, match=r"labels and lut .* Got both"):
            names(labels=["a", "b", "c"], lut=table_of_names(IDS, ["a", "b", "c"]))

    @pytest.mark.parametrize(
        ("lut", "match"),
        [
            (table_of_names([3, 40], ["a", "c"]), r".* must name all .* no name for \[7\]"),
            (table_of_names([3, 7, 40], ["a", None, "c"]), r"no name for \[7\]"),
            (table_of_names(["3", "7", "40"], ["a", "b", "c"]), r"no name for \[3, 7, 40\]"),
            (table_of_names([3, 7, 7, 40], ["a", "b", "x", "c"]), r"one name.* several for \[7\]"),
            (pd.DataFrame({"id": IDS, "name": ["a", "b", "c"]}), r"columns .* Got \['id', 'name'"),
            (pd.DataFrame({"index": IDS, "label": ["a", "b", "c"]}), r"columns .*'label'\]"),
        ],
        ids=["missing", "empty", "strings", "two names", "no index", "no name"],
    )  # fmt: skip
    def test_lut_that_does_not_fit_is_refused(self, names, lut, match):
        with pytest.raises(ValueError, match=f"lut.*{match}"):
            names(lut=lut)

    @pytest.mark.parametrize("lut", [{"index": [3], "name": ["a"]}, ["a", "b", "c"], 3])
    def test_lut_of_another_type_is_refused(self, names, lut):
        with pytest.raises(TypeError, match=f"lut must be a DataFrame.* Got {type(lut).__name__}"):
            names(lut=lut)

    def test_missing_lut_file_is_named(self, names, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"none\.tsv"):
            names(lut=tmp_path / "none.tsv")

    def test_names_of_maps_are_in_their_order(self, names, overlapping, make_img):
        img = make_img((overlapping > 0).astype("uint8"))
        assert names(img) == ["1", "2", "3", "4"]
        assert names(img, labels=["d", "c", "b", "a"]) == ["d", "c", "b", "a"]
        assert names(img, labels=["Background", "d", "c", "b", "a"]) == ["d", "c", "b", "a"]
        assert names(img, labels=["a", "b", "a", "c"]) == ["a 1", "b", "a 3", "c"]
        for first in (0, 1):
            lut = table_of_names(np.arange(4)[::-1] + first, ["a", "b", "c", "d"])
            assert names(img, lut=lut) == ["d", "c", "b", "a"]
        with pytest.raises(ValueError, match=r"labels must .* each of the 4 maps.* Got 3"):
            names(img, labels=["a", "b", "c"])
        with pytest.raises(ValueError, match=r"lut must .* each of the 4 maps.* Got 3"):
            names(img, lut=table_of_names([1, 2, 3], ["a", "b", "c"]))
        with pytest.raises(ValueError, match="lut must have columns"):
            names(img, lut=pd.DataFrame({"region": ["a", "b", "c", "d"]}))


class TestBackground:
    """The label of what is in no region."""

    @pytest.mark.parametrize("background", [-1, 5, 1000])
    def test_any_label_may_be_the_background(
        self, z_img, labels, make_img, atlas_img, mask_img, background
    ):
        other = make_img(np.where(labels == 0, background, labels))
        tables = []
        for img, label in ((atlas_img, 0), (other, background)):
            transformer = RegionTDPTransformer(img, background_label=label, mask_img=mask_img)
            transformer.fit_transform(z_img)
            assert transformer.table_["region_id"].iloc[-1] == label
            tables.append(transformer.table_.drop(columns="region_id"))
        assert_frame_equal(*tables)

    def test_zero_is_a_region_where_the_background_is_another(
        self, z, z_img, labels, atlas_img, mask_img, tdp_of
    ):
        transformer = RegionTDPTransformer(atlas_img, background_label=7, mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        assert transformer.region_ids_.tolist() == [0, 3, 40]
        assert_allclose(tdp[0], tdp_of(z, [labels == i for i in (0, 3, 40)]), rtol=1e-14)

    def test_atlas_without_background_has_no_rest(self, z_img, labels, make_img, mask_img):
        filled = make_img(np.where(labels == 0, 9, labels))
        transformer = RegionTDPTransformer(filled, mask_img=mask_img)
        transformer.fit_transform(z_img)
        rest = transformer.table_.iloc[-1]
        assert rest["region"] == "rest"
        assert rest["n_voxels"] == rest["true_discoveries"] == 0
        assert np.isnan(rest["tdp"])

    @pytest.mark.parametrize("value", [0.0, "0", None, 1.5])
    def test_background_label_must_be_an_integer(self, atlas_img, mask_img, value):
        with pytest.raises(ValueError, match=f"'background_label'.* Got {value!r}"):
            RegionTDPTransformer(atlas_img, background_label=value, mask_img=mask_img).fit()


class TestOverlap:
    """An image of several maps, one for each region."""

    @pytest.mark.parametrize("threshold", [0, 0.25, 0.5, 0.9])
    @pytest.mark.parametrize("nan", [False, True])
    def test_each_region_is_as_if_it_were_alone(
        self, z, z_img, overlapping, mask, mask_img, make_img, tdp_of, threshold, nan
    ):
        given = np.where(overlapping == 0, np.nan, overlapping) if nan else overlapping
        transformer = RegionTDPTransformer(
            make_img(given), probability_threshold=threshold, mask_img=mask_img
        )
        tdp = transformer.fit_transform(z_img)
        members = np.moveaxis(overlapping > threshold, -1, 0)
        assert (members.sum(axis=0) > 1).any()
        assert_allclose(tdp[0], tdp_of(z, members), rtol=1e-14)
        alone = [
            RegionTDPTransformer(make_img(m.astype("uint8")), mask_img=mask_img)
            .fit_transform(z_img)
            .item()
            for m in members
        ]
        assert tdp[0].tolist() == alone
        table = transformer.table_
        assert table["region_id"].tolist() == [1, 2, 3, 4, 0]
        assert table["region"].tolist() == ["1", "2", "3", "4", "rest"]
        assert transformer.region_ids_.tolist() == [1, 2, 3, 4]
        rest = ~members.any(axis=0)
        sizes = [(m & mask).sum() for m in (*members, rest)]
        assert table["n_voxels"].tolist() == sizes
        assert_allclose(table["size_mm3"], np.multiply(sizes, 24))
        peaks = [z[m & mask].max() if (m & mask).any() else np.nan for m in (*members, rest)]
        assert_array_equal(table["peak_stat"], peaks)
        assert_allclose(table["tdp"][:-1], tdp[0])

    @pytest.mark.parametrize(
        ("dtype", "value"), [("uint8", 1), ("uint8", 100), ("float32", 1), ("float32", 0.25)]
    )
    def test_binary_maps_need_no_threshold(
        self, z_img, overlapping, mask_img, make_img, dtype, value
    ):
        binary = np.where(overlapping > 0.5, value, 0).astype(dtype)
        maps = RegionTDPTransformer(make_img(binary), mask_img=mask_img)
        of_threshold = RegionTDPTransformer(
            make_img(overlapping), mask_img=mask_img, probability_threshold=0.5
        )
        assert_array_equal(maps.fit_transform(z_img), of_threshold.fit_transform(z_img))
        assert_frame_equal(maps.table_, of_threshold.table_)

    def test_maps_that_are_not_binary_need_a_threshold(
        self, overlapping, mask_img, make_img, surfaces
    ):
        match = "probability_threshold must say .* maps that are not binary. Got None"
        one_of_them = (overlapping > 0.5).astype(float)
        one_of_them[4, 4, 4, 2] = 0.5
        for maps in (overlapping, one_of_them):
            with pytest.raises(ValueError, match=match):
                RegionTDPTransformer(make_img(maps), mask_img=mask_img).fit()
        img, _ = surfaces
        parts = {side: np.arange(2.0 * len(v)).reshape(-1, 2) for side, v in img.data.parts.items()}
        with pytest.raises(ValueError, match=match):
            RegionTDPTransformer(SurfaceImage(img.mesh, parts)).fit(img)

    def test_volume_of_one_map_is_an_image_of_labels(self, z_img, labels, atlas_img, mask_img):
        four_d = Nifti1Image(labels[..., np.newaxis], atlas_img.affine)
        of_one = RegionTDPTransformer(four_d, mask_img=mask_img)
        of_labels = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        assert_array_equal(of_one.fit_transform(z_img), of_labels.fit_transform(z_img))
        assert_frame_equal(of_one.table_, of_labels.table_)
        assert of_one.region_ids_.tolist() == list(IDS)
        with pytest.raises(ValueError, match=r"Got 0\.5 for an image of labels"):
            of_one.set_params(probability_threshold=0.5).fit()

    def test_threshold_is_not_reached_but_exceeded(self, z_img, mask, mask_img, make_img):
        steps = np.zeros((*mask.shape, 2))
        steps[:4, ..., 0], steps[4:, ..., 0], steps[..., 1] = 0.5, 0.75, 1
        transformer = RegionTDPTransformer(
            make_img(steps), probability_threshold=0.5, mask_img=mask_img
        )
        transformer.fit_transform(z_img)
        assert transformer.table_["n_voxels"].tolist() == [mask[4:].sum(), mask.sum(), 0]

    def test_regions_that_do_not_overlap_are_those_of_labels(
        self, z_img, labels, atlas_img, mask_img, make_img
    ):
        binary = make_img(np.stack([labels == i for i in IDS], axis=-1).astype("uint8"))
        maps = RegionTDPTransformer(binary, mask_img=mask_img, labels=["a", "b", "c"])
        of_labels = RegionTDPTransformer(atlas_img, mask_img=mask_img, labels=["a", "b", "c"])
        assert_array_equal(maps.fit_transform(z_img), of_labels.fit_transform(z_img))
        assert_frame_equal(
            maps.table_.drop(columns="region_id"), of_labels.table_.drop(columns="region_id")
        )

    def test_nan_voxels_are_left_out_of_every_region(
        self, z, z_img, overlapping, mask, mask_img, make_img
    ):
        is_nan = np.random.default_rng(5).random(z.shape) < 0.1
        img = make_img(overlapping)
        of_nan = RegionTDPTransformer(img, mask_img=mask_img, probability_threshold=0.5)
        with pytest.warns(UserWarning, match=f"NaN in {(is_nan & mask).sum()} of"):
            tdp = of_nan.fit_transform(make_img(np.where(is_nan, np.nan, z)))
        smaller = RegionTDPTransformer(
            img, mask_img=make_img((mask & ~is_nan).astype("uint8")), probability_threshold=0.5
        )
        assert_array_equal(tdp, smaller.fit_transform(z_img))
        assert_frame_equal(of_nan.table_, smaller.table_)

    @pytest.mark.parametrize("dtype", [float, "uint8", bool])
    def test_surfaces_of_several_maps(self, surfaces, dtype):
        maps, _ = surfaces
        rng = np.random.default_rng(3)
        members = {
            side: rng.random((len(values), 3)) < 0.5 for side, values in maps.data.parts.items()
        }
        img = SurfaceImage(maps.mesh, {side: m.astype(dtype) for side, m in members.items()})
        transformer = RegionTDPTransformer(img, labels=["a", "b", "c"])
        tdp = transformer.fit_transform(maps)
        alone = [
            RegionTDPTransformer(
                SurfaceImage(maps.mesh, {side: m[:, i].astype(int) for side, m in members.items()})
            ).fit_transform(maps)
            for i in range(3)
        ]
        assert_array_equal(tdp, np.hstack(alone))
        assert tdp.max() > 0
        inside = np.concatenate([members["left"], members["right"]])
        assert transformer.table_[0]["n_vertices"].tolist() == [
            *inside.sum(axis=0), (~inside.any(axis=1)).sum()
        ]  # fmt: skip

    def test_surface_probabilities_have_a_threshold(self, surfaces):
        maps, _ = surfaces
        rng = np.random.default_rng(3)
        parts = {side: rng.random((len(v), 2)) for side, v in maps.data.parts.items()}
        probabilities = RegionTDPTransformer(
            SurfaceImage(maps.mesh, parts), probability_threshold=0.4
        )
        binary = RegionTDPTransformer(
            SurfaceImage(maps.mesh, {side: (v > 0.4) * 1.0 for side, v in parts.items()})
        )
        assert_array_equal(probabilities.fit_transform(maps), binary.fit_transform(maps))

    def test_background_label_is_refused(self, overlapping, make_img, mask_img):
        with pytest.raises(ValueError, match=r"background_label .* Got 3 .*several maps"):
            RegionTDPTransformer(make_img(overlapping), mask_img=mask_img, background_label=3).fit()

    def test_probability_threshold_of_labels_is_refused(self, atlas_img, mask_img):
        for value in (0, 0.5):
            with pytest.raises(ValueError, match=f"probability_threshold .* Got {value}.* labels"):
                RegionTDPTransformer(
                    atlas_img, mask_img=mask_img, probability_threshold=value
                ).fit()

    @pytest.mark.parametrize("value", [-0.1, np.nan, "0.5", [0.5]])
    def test_threshold_that_is_none_is_refused(self, overlapping, make_img, mask_img, value):
        with pytest.raises(ValueError, match="'probability_threshold'"):
            RegionTDPTransformer(
                make_img(overlapping), mask_img=mask_img, probability_threshold=value
            ).fit()


class TestTable:
    """One row for each region and one for the rest."""

    def test_rows_are_regions_and_the_rest(
        self, z, z_img, mask, labels, atlas_img, mask_img, definition
    ):
        transformer = RegionTDPTransformer(atlas_img, labels=["a", "b", "c"], mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        table = transformer.table_
        assert table.columns.tolist() == COLUMNS
        assert table["region_id"].tolist() == [*IDS, 0]
        assert table["region"].tolist() == ["a", "b", "c", "rest"]
        p = stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        for _, row in table.iterrows():
            inside = mask & (labels == row["region_id"])
            assert row["n_voxels"] == inside.sum()
            assert_allclose(row["size_mm3"], inside.sum() * 24)
            assert row["true_discoveries"] == definition.true_discoveries(p[inside], h)
            assert row["tdp"] == row["true_discoveries"] / row["n_voxels"]
            assert row["peak_stat"] == z[inside].max()
            peak = np.argwhere(inside & (z == row["peak_stat"]))[0]
            xyz = z_img.affine[:3, :3] @ peak + z_img.affine[:3, 3]
            assert_allclose(row[["peak_x", "peak_y", "peak_z"]].astype(float), xyz)
        assert table["tdp"][:-1].tolist() == tdp[0].tolist()
        assert transformer.n_tested_ == table["n_voxels"].sum() == mask.sum()
        assert transformer.true_discoveries_ == definition.true_discoveries(p[mask], h)
        assert transformer.maps_.test.value(0.05) == h


class TestOutsideTheMask:
    """Regions, and voxels of regions, that are not tested."""

    @pytest.fixture
    def with_outside(self, labels, mask):
        """Return the labels and a fourth region, 20, where there is no mask."""
        assert not mask[0].any()
        result = labels.copy()
        result[0, :3] = 20
        return result

    def test_region_outside_is_nan_with_a_warning_at_fit(
        self, images, labels, with_outside, atlas_img, mask_img, make_img
    ):
        transformer = RegionTDPTransformer(make_img(with_outside), mask_img=mask_img)
        match = r"1 of the 4 regions of labels_img have no voxels in the mask \(labels 20\)"
        with pytest.warns(UserWarning, match=match):
            transformer.fit(images[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tdp = transformer.transform(images)
        assert transformer.region_ids_.tolist() == [3, 7, 20, 40]
        assert np.isnan(tdp[:, 2]).all()
        others = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit_transform(images)
        assert_array_equal(np.delete(tdp, 2, axis=1), others)

    @pytest.mark.filterwarnings("ignore:1 of the")
    def test_row_of_a_region_outside_is_empty(self, z_img, with_outside, mask_img, make_img):
        transformer = RegionTDPTransformer(make_img(with_outside), mask_img=mask_img)
        transformer.fit_transform(z_img)
        row = transformer.table_.iloc[2]
        assert row["region_id"] == 20
        assert row["n_voxels"] == row["size_mm3"] == row["true_discoveries"] == 0
        assert row[["tdp", "peak_stat", "peak_x", "peak_y", "peak_z"]].isna().all()
        assert transformer.table_.drop(index=2).notna().all(axis=None)

    def test_map_of_several_that_is_outside_is_nan(self, z_img, overlapping, mask_img, make_img):
        maps = overlapping.copy()
        maps[1:, ..., 1] = 0
        maps[0, 0, 0, 1] = 1
        transformer = RegionTDPTransformer(
            make_img(maps), mask_img=mask_img, probability_threshold=0
        )
        with pytest.warns(UserWarning, match=r"1 of the 4 regions .*\(labels 2\)"):
            tdp = transformer.fit_transform(z_img)
        assert np.isnan(tdp[0]).tolist() == [False, True, False, False]

    @pytest.mark.filterwarnings("error")
    def test_all_regions_within_the_mask_warn_of_nothing(self, z_img, atlas_img, mask_img):
        RegionTDPTransformer(atlas_img, mask_img=mask_img).fit_transform(z_img)

    def test_region_that_is_nan_in_one_map_is_nan_there(
        self, z, labels, atlas_img, mask_img, make_img
    ):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with pytest.warns(UserWarning, match="NaN in"):
            tdp = transformer.fit_transform(
                [make_img(z), make_img(np.where(labels == 7, np.nan, z))]
            )
        assert np.isnan(tdp).tolist() == [[False] * 3, [False, True, False]]
        assert transformer.table_[1]["n_voxels"][1] == 0

    def test_nan_voxels_are_left_out_as_if_masked_out(
        self, z, z_img, mask, atlas_img, mask_img, make_img
    ):
        is_nan = np.random.default_rng(5).random(z.shape) < 0.1
        of_nan = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with pytest.warns(UserWarning, match=f"NaN in {(is_nan & mask).sum()} of"):
            tdp = of_nan.fit_transform(make_img(np.where(is_nan, np.nan, z)))
        smaller = RegionTDPTransformer(
            atlas_img, mask_img=make_img((mask & ~is_nan).astype("uint8"))
        )
        assert_array_equal(tdp, smaller.fit_transform(z_img))
        assert_frame_equal(of_nan.table_, smaller.table_)


class TestInverseTransform:
    """From values of regions back to images."""

    def test_each_voxel_shows_the_value_of_its_region(
        self, labels, mask, atlas_img, mask_img, z_img
    ):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        img = transformer.inverse_transform([0.25, 0.5, -1])
        expected = np.select([labels == i for i in IDS], [0.25, 0.5, -1]) * mask
        assert isinstance(img, Nifti1Image)
        assert img.shape == z_img.shape
        assert_array_equal(img.affine, z_img.affine)
        assert_array_equal(get_data(img), expected)
        assert img.get_data_dtype() == np.float64

    @pytest.mark.parametrize("as_values", [np.asarray, pd.DataFrame, np.ndarray.tolist])
    def test_rows_become_maps(self, atlas_img, mask_img, as_values):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        rows = np.arange(6.0).reshape(2, 3)
        img = transformer.inverse_transform(as_values(rows))
        assert img.shape == (8, 9, 10, 2)
        for i, row in enumerate(rows):
            single = transformer.inverse_transform(row)
            assert_array_equal(get_data(img)[..., i], get_data(single))
        assert transformer.inverse_transform(rows[:1]).shape == (8, 9, 10, 1)

    def test_tdp_round_trip_is_the_image_of_given_clusters(
        self, images, atlas_img, mask_img, assert_same_images
    ):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        back = transformer.inverse_transform(transformer.fit_transform(images))
        clusters = ClusterTDPTransformer(labels_img=atlas_img, mask_img=mask_img)
        expected = np.stack([get_data(img) for img in clusters.fit_transform(images)], axis=-1)
        assert_array_equal(get_data(back), expected)

    def test_values_come_back_through_a_labels_masker(self, labels, atlas_img, mask_img, mask):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        rows = np.arange(6.0).reshape(2, 3)
        masker = NiftiLabelsMasker(
            atlas_img, mask_img=mask_img, standardize=None, reports=False
        ).fit()
        img = transformer.inverse_transform(rows)
        assert_allclose(masker.transform(img), rows, rtol=1e-6)

    def test_largest_value_is_shown_where_regions_overlap(
        self, overlapping, mask, mask_img, make_img
    ):
        transformer = RegionTDPTransformer(
            make_img(overlapping), mask_img=mask_img, probability_threshold=0.5
        ).fit()
        values = np.array([0.3, -0.2, 0.9, np.nan])
        shown = get_data(transformer.inverse_transform(values))
        of_regions = np.where(overlapping > 0.5, values, np.nan)
        inside = mask & (overlapping > 0.5).any(axis=-1)
        expected = np.zeros(mask.shape)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all NaN
            expected[inside] = np.nanmax(of_regions[inside], axis=-1)
        assert np.isnan(expected).any()
        assert (expected < 0).any()
        assert_array_equal(shown, expected)

    def test_nan_of_a_region_is_shown(self, labels, atlas_img, mask_img, mask):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        shown = get_data(transformer.inverse_transform([1, np.nan, 2]))
        assert_array_equal(np.isnan(shown), mask & (labels == 7))

    def test_surfaces(self, surfaces):
        maps, atlas = surfaces
        transformer = RegionTDPTransformer(atlas)
        tdp = transformer.fit_transform(maps)
        labels = flat(atlas)
        for values in (tdp, tdp[1]):
            img = transformer.inverse_transform(values)
            assert isinstance(img, SurfaceImage)
            assert img.mesh.parts.keys() == maps.mesh.parts.keys()
            two, five = values.T[..., None, :] if values.ndim == 2 else values
            expected = np.select([labels == 2, labels == 5], [0, 0])
            expected = np.zeros((labels.size, *values.shape[:-1]))
            expected[labels == 2], expected[labels == 5] = two, five
            assert_array_equal(flat(img), expected)

    @pytest.mark.parametrize(
        "values", [[1, 2], [[1, 2]], np.ones((2, 4)), np.ones((1, 1, 3)), 1.0, [], np.ones((0, 3))]
    )
    def test_values_of_another_shape_are_refused(self, atlas_img, mask_img, values):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        with pytest.raises(ValueError, match=r"X must have shape \(n_maps, 3\).* Got shape"):
            transformer.inverse_transform(values)

    def test_transformer_must_be_fitted(self, atlas_img):
        with pytest.raises(NotFittedError):
            RegionTDPTransformer(atlas_img).inverse_transform([1, 2, 3])


class TestSklearn:
    """Parameters, clones, containers of output."""

    def test_init_stores_parameters_as_they_are(self, atlas_img):
        names = list(inspect.signature(RegionTDPTransformer).parameters)
        parameters = {name: object() for name in names}
        transformer = RegionTDPTransformer(**parameters)
        assert vars(transformer) == parameters
        assert transformer.get_params(deep=False) == parameters
        with pytest.raises(TypeError, match="positional"):
            RegionTDPTransformer(atlas_img, ["a"])

    def test_set_params_sets(self, atlas_img):
        transformer = RegionTDPTransformer(atlas_img)
        assert transformer.set_params(alpha=0.1, labels=["a"]) is transformer
        assert (transformer.alpha, transformer.labels) == (0.1, ["a"])
        with pytest.raises(ValueError, match="Invalid parameter 'threshold'"):
            transformer.set_params(threshold=3)

    @pytest.mark.parametrize(
        "copy", [clone, lambda t: pickle.loads(pickle.dumps(t))], ids=["clone", "pickle"]
    )
    @pytest.mark.parametrize("overlap", [False, True])
    def test_copies_give_the_same_results(
        self, images, atlas_img, overlapping, make_img, mask_img, copy, overlap
    ):
        transformer = RegionTDPTransformer(
            make_img(overlapping) if overlap else atlas_img,
            probability_threshold=0 if overlap else None,
            mask_img=mask_img,
            alpha=0.2,
        )
        tdp = transformer.fit_transform(images)
        copied = copy(transformer)
        if copy is clone:
            with pytest.raises(NotFittedError):
                check_is_fitted(copied)
            copied.fit(images)
        else:
            assert_frame_equal(copied.table_[0], transformer.table_[0])
        assert_array_equal(copied.transform(images), tdp)
        assert copied.region_names_ == transformer.region_names_

    def test_fit_leaves_parameters_as_they_were(self, z_img, atlas_img, mask_img):
        lut = table_of_names(IDS, ["a", "b", "c"])
        transformer = RegionTDPTransformer(atlas_img, lut=lut, mask_img=mask_img)
        before = transformer.get_params()
        assert transformer.fit(z_img, y=None) is transformer
        after = transformer.get_params()
        assert all(after[name] is value for name, value in before.items())

    @pytest.mark.parametrize(
        "check",
        [
            "check_no_attributes_set_in_init",
            "check_get_params_invariance",
            "check_set_params",
            "check_estimator_cloneable",
            "check_estimator_repr",
            "check_valid_tag_types",
            "check_do_not_raise_errors_in_init_or_set_params",
            "check_mixin_order",
            "check_transformers_unfitted",
        ],
    )
    def test_check_of_sklearn(self, check):
        if not hasattr(estimator_checks, check):
            pytest.skip(f"this version of scikit-learn has no {check}")
        getattr(estimator_checks, check)("RegionTDPTransformer", RegionTDPTransformer("atlas.nii"))

    def test_parameter_that_is_set_after_fit_counts(self, z_img, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        expected = RegionTDPTransformer(atlas_img, mask_img=mask_img, alpha=0.5).fit_transform(
            z_img
        )
        assert_array_equal(transformer.set_params(alpha=0.5).transform(z_img), expected)

    def test_equal_numbers_and_names_are_no_change(self, z_img, atlas_img, mask_img):
        transformer = RegionTDPTransformer(
            atlas_img, mask_img=mask_img, background_label=int("1000"), resampling_target="data"
        )
        tdp = transformer.fit_transform(z_img)
        transformer.set_params(background_label=int("1000"), resampling_target="".join("data"))
        assert_array_equal(transformer.transform(z_img), tdp)

    @pytest.mark.parametrize("overlap", [False, True])
    def test_parameter_of_fit_that_is_set_after_fit_is_refused(
        self, z_img, labels, make_img, mask, mask_img, overlap
    ):
        fitted_with = {"labels_img": make_img(labels), "mask_img": mask_img}
        if overlap:
            maps = np.stack([labels == i for i in IDS], axis=-1)
            fitted_with["labels_img"] = make_img(maps * 0.5)
            fitted_with["probability_threshold"] = 0.2
        for name, value in {
            "labels_img": make_img(labels * 2),
            "mask_img": make_img(mask[::-1].astype("uint8")),
            "labels": ["a", "b", "c"],
            "lut": table_of_names(IDS, ["a", "b", "c"]),
            "background_label": 3,
            "probability_threshold": 0.3,
            "resampling_target": "data",
            "mesh": "fsaverage5",
        }.items():
            transformer = RegionTDPTransformer(**fitted_with).fit()
            tdp = transformer.transform(z_img)
            before = getattr(transformer, name)
            transformer.set_params(**{name: value})
            match = rf"{name} was set after fit, which reads it\. Call fit again\."
            with pytest.raises(NotFittedError, match=match):
                transformer.transform(z_img)
            # What was fitted is there still.
            transformer.set_params(**{name: before})
            assert_array_equal(transformer.transform(z_img), tdp)

    def test_pandas_output_has_the_names_for_columns(self, X, images, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, labels=["a", "b", "c"], mask_img=mask_img)
        plain = transformer.fit_transform(X)
        transformer.set_output(transform="pandas")
        for maps in (X, images):
            tdp = transformer.fit_transform(maps)
            assert isinstance(tdp, pd.DataFrame)
            assert tdp.columns.tolist() == ["a", "b", "c"]
            assert tdp.index.tolist() == [0, 1, 2]
            assert_array_equal(tdp.to_numpy(), plain)
            assert_frame_equal(transformer.transform(maps), tdp)
        assert transformer.transform(images[0]).shape == (1, 3)
        assert isinstance(clone(transformer).fit(images).transform(X), pd.DataFrame)

    def test_pandas_output_keeps_the_index_of_the_input(self, X, atlas_img, mask_img):
        data = pd.DataFrame(X, index=["sub-1", "sub-2", "sub-3"])
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        transformer.set_output(transform="pandas")
        assert transformer.fit_transform(data).index.tolist() == ["sub-1", "sub-2", "sub-3"]

    def test_global_pandas_output_is_followed(self, X, images, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with config_context(transform_output="pandas"):
            assert isinstance(transformer.fit_transform(images), pd.DataFrame)
            default = clone(transformer).set_output(transform="default").fit_transform(X)
        assert isinstance(default, np.ndarray)
        assert isinstance(transformer.transform(X), np.ndarray)

    def test_pandas_output_goes_back(self, X, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        plain = transformer.inverse_transform(transformer.fit_transform(X))
        transformer.set_output(transform="pandas")
        assert_array_equal(
            get_data(transformer.inverse_transform(transformer.transform(X))), get_data(plain)
        )

    def test_verbose_counts_regions(self, images, atlas_img, mask_img, capsys):
        RegionTDPTransformer(atlas_img, mask_img=mask_img, verbose=1).fit_transform(images)
        lines = [x for x in capsys.readouterr().out.splitlines() if "RegionTDPTransformer" in x]
        assert len(lines) == 3
        assert all("3 regions" in line for line in lines)


class TestPipelines:
    """As a step among others."""

    def test_masker_before_gives_the_same(self, images, X, atlas_img, mask_img):
        masker = NiftiMasker(mask_img=mask_img, standardize=None)
        expected = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit_transform(X)
        for given_mask in (masker, mask_img):
            pipeline = make_pipeline(masker, RegionTDPTransformer(atlas_img, mask_img=given_mask))
            for estimator in (pipeline, clone(pipeline)):
                # Maskers of nilearn give single precision.
                assert_allclose(estimator.fit_transform(images), expected, atol=1e-6)
                assert_allclose(np.squeeze(estimator.transform(images[1])), expected[1], atol=1e-6)

    def test_surface_masker_before_gives_the_same(self, surfaces):
        maps, atlas = surfaces
        masker = SurfaceMasker(
            mask_img=SurfaceImage(
                maps.mesh, {s: np.ones(len(v)) for s, v in maps.data.parts.items()}
            ),
            standardize=None,
            reports=False,
        )
        pipeline = make_pipeline(masker, RegionTDPTransformer(atlas, mask_img=masker))
        expected = RegionTDPTransformer(atlas).fit_transform(maps)
        assert_allclose(pipeline.fit_transform(maps), expected, atol=1e-6)

    def test_names_go_through_a_pipeline(self, images, atlas_img, mask_img):
        pipeline = make_pipeline(
            RegionTDPTransformer(atlas_img, labels=["a", "b", "c"], mask_img=mask_img)
        )
        pipeline.set_output(transform="pandas")
        assert pipeline.fit_transform(images).columns.tolist() == ["a", "b", "c"]
        union = FeatureUnion(
            [(f"alpha{a}", clone(pipeline[0]).set_params(alpha=a)) for a in (0.05, 0.2)]
        )
        assert union.fit(images).get_feature_names_out().tolist() == [
            f"alpha{a}__{name}" for a in (0.05, 0.2) for name in "abc"
        ]

    def test_classifier_learns_from_regions(self, two_groups):
        maps, y, atlas_img = two_groups
        whole = Nifti1Image(np.ones((5, 5, 5), dtype="uint8"), np.eye(4))
        pipeline = make_pipeline(
            RegionTDPTransformer(atlas_img, mask_img=whole), LogisticRegression()
        )
        assert (cross_val_score(pipeline, maps, y, cv=3) == 1).all()
        pipeline.fit(maps, y)
        assert pipeline[-1].coef_.shape == (1, 2)
        first, second = pipeline[-1].coef_[0]
        assert first > 0 > second
        assert_array_equal(pipeline.predict(maps[:4]), y[:4])
        masked = np.stack([get_data(m).ravel() for m in maps])
        assert_array_equal(pipeline.predict(masked), y)
        pipeline.set_params(regiontdptransformer__mask_img=None)
        assert (cross_val_score(pipeline, maps, y, cv=2) == 1).all()

    def test_parameters_can_be_searched(self, two_groups):
        maps, y, atlas_img = two_groups
        whole = Nifti1Image(np.ones((5, 5, 5), dtype="uint8"), np.eye(4))
        pipeline = make_pipeline(
            RegionTDPTransformer(atlas_img, mask_img=whole), LogisticRegression()
        )
        search = GridSearchCV(pipeline, {"regiontdptransformer__alpha": [0.01, 0.2]}, cv=2)
        assert search.fit(maps, y).best_score_ == 1

    @pytest.mark.parametrize("overlap", [False, True])
    def test_second_level_model(
        self, make_map, make_img, mask_img, atlas_img, overlapping, overlap
    ):
        images = [make_img(make_map(seed)) for seed in range(6)]
        atlas = make_img((overlapping > 0).astype("uint8")) if overlap else atlas_img
        model = ARISecondLevelModel(mask_img=mask_img, transformer=RegionTDPTransformer(atlas))
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(6)}))
        tdp = model.compute_contrast(output_type="tdp")
        z_img = model.compute_contrast(output_type="z_score")
        transformer = RegionTDPTransformer(atlas, mask_img=mask_img)
        assert_array_equal(tdp, transformer.fit_transform(z_img))
        assert tdp.shape == (1, 4 if overlap else 3)
        assert tdp.max() > 0
        assert_frame_equal(model.table_, transformer.table_)
        assert not hasattr(model, "labels_img_")
        assert model.true_discoveries_ == transformer.true_discoveries_
        assert model.transformer_.region_names_ == transformer.region_names_
        model.set_params(transformer__alpha=0.5)
        more = model.compute_contrast(output_type="tdp")
        assert (more >= tdp).all()
        assert (more > tdp).any()

    def test_second_level_model_of_surfaces(self, surfaces):
        maps, atlas = surfaces
        images = [
            SurfaceImage(maps.mesh, {s: v + shift for s, v in img.data.parts.items()})
            for img in list_of(maps)
            for shift in (0, 0.1, -0.1)
        ]
        model = ARISecondLevelModel(transformer=RegionTDPTransformer(atlas))
        model.fit(images, design_matrix=pd.DataFrame({"intercept": np.ones(6)}))
        tdp = model.compute_contrast(output_type="tdp")
        z_img = model.compute_contrast(output_type="z_score")
        assert_array_equal(tdp, RegionTDPTransformer(atlas).fit_transform(z_img))


class TestResampling:
    """An atlas on another grid."""

    @pytest.fixture
    def coarse(self):
        """Return an atlas on a coarser, shifted grid, which covers a part of the maps'."""
        affine = np.array([[-5.0, 0, 0, 11], [0, 5, 0, -8], [0, 0, 5, 4], [0, 0, 0, 1]])
        labels = np.random.default_rng(0).choice(np.array([0, 3, 8], dtype="int16"), (4, 3, 6))
        return Nifti1Image(labels, affine)

    def test_another_grid_is_refused(self, coarse, mask_img, labels, overlapping, make_img, z_img):
        four_d = Nifti1Image(overlapping, coarse.affine)
        for other in (coarse, four_d, make_img(labels[:, 1:]), make_img(overlapping[1:])):
            with pytest.raises(ValueError, match=r"labels_img must be on the grid[^$]*nearest"):
                RegionTDPTransformer(other, mask_img=mask_img).fit(z_img)

    def test_data_resamples_by_the_nearest_neighbour(self, coarse, mask_img, z_img):
        transformer = RegionTDPTransformer(coarse, mask_img=mask_img, resampling_target="data")
        tdp = transformer.fit_transform(z_img)
        on_grid = resample_to_img(
            coarse, z_img, interpolation="nearest", copy_header=True, force_resample=True
        )
        before = RegionTDPTransformer(on_grid, mask_img=mask_img)
        assert_array_equal(tdp, before.fit_transform(z_img))
        assert_frame_equal(transformer.table_, before.table_)
        assert (transformer.table_["n_voxels"] > 0).all()

    def test_maps_of_regions_are_resampled_too(self, coarse, mask_img, z_img):
        stacked = np.stack([get_data(coarse) == i for i in (3, 8)], axis=-1)
        four_d = Nifti1Image(stacked.astype("float32") * 0.5, coarse.affine)
        tdp = RegionTDPTransformer(
            four_d, mask_img=mask_img, resampling_target="data", probability_threshold=0.2
        ).fit_transform(z_img)
        labels = RegionTDPTransformer(coarse, mask_img=mask_img, resampling_target="data")
        assert_array_equal(tdp, labels.fit_transform(z_img))

    def test_what_the_atlas_does_not_cover_is_background(self, coarse, mask_img, z_img):
        tables = []
        for background in (0, 5, 1):
            data = get_data(coarse)
            atlas = Nifti1Image(
                np.where(data == 0, background, data).astype("int16"), coarse.affine
            )
            transformer = RegionTDPTransformer(
                atlas, mask_img=mask_img, resampling_target="data", background_label=background
            )
            transformer.fit_transform(z_img)
            assert transformer.table_["region_id"].iloc[-1] == background
            tables.append(transformer.table_.drop(columns="region_id"))
        for other in tables[1:]:
            assert_frame_equal(tables[0], other)

    def test_region_of_label_zero_does_not_grow(self, coarse, mask_img, z_img):
        data = get_data(coarse)
        swapped = np.select([data == 0, data == 3], [3, 0], data).astype("int16")
        n_voxels = []
        for labels, background in ((data, 0), (swapped, 3)):
            transformer = RegionTDPTransformer(
                Nifti1Image(labels, coarse.affine),
                mask_img=mask_img,
                resampling_target="data",
                background_label=background,
            )
            transformer.fit_transform(z_img)
            n_voxels.append(transformer.table_["n_voxels"].tolist())
        assert n_voxels[0] == n_voxels[1]

    def test_region_that_gets_lost_is_nan(self, coarse, mask_img, z_img):
        larger = np.concatenate([get_data(coarse)] * 2)
        larger[7, 0, 0] = 99
        transformer = RegionTDPTransformer(
            Nifti1Image(larger, coarse.affine), mask_img=mask_img, resampling_target="data"
        )
        with pytest.warns(UserWarning, match=r"no voxels in the mask \(labels 99\)"):
            tdp = transformer.fit_transform(z_img)
        assert np.isnan(tdp).tolist() == [[False, False, True]]

    def test_surfaces_are_not_resampled(self, surfaces):
        maps, atlas = surfaces
        with pytest.raises(ValueError, match="resampling_target='data' is there for volumes"):
            RegionTDPTransformer(atlas, resampling_target="data").fit(maps)


class TestBadInput:
    """Input that must be refused, with words that say why."""

    def test_atlas_must_be_given(self, z_img, mask_img):
        with pytest.raises(TypeError, match="labels_img"):
            RegionTDPTransformer()
        with pytest.raises(ValueError, match=r"labels_img must be an image of regions. Got None"):
            RegionTDPTransformer(None, mask_img=mask_img).fit(z_img)

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda labels: np.where(labels == 7, -7, labels), "not hold negative .* Got -7"),
            (lambda labels: labels * 0.35, r"hold integers. Got 1\.\d+.*'nearest'"),
            (lambda labels: np.where(labels == 7, np.nan, labels), "integers. Got NaN"),
            (lambda labels: labels * 0, "at least one region. Got nothing but the background, 0"),
        ],
        ids=["negative", "not integer", "NaN", "background"],
    )
    def test_values_that_are_no_labels_are_refused(self, labels, make_img, mask_img, change, match):
        with pytest.raises(ValueError, match=f"labels_img must .*{match}"):
            RegionTDPTransformer(make_img(change(labels)), mask_img=mask_img).fit()

    def test_atlas_of_another_kind_is_refused(self, surfaces, atlas_img, mask_img, z_img):
        maps, atlas = surfaces
        with pytest.raises(TypeError, match=r"labels_img must be of the same kind.*SurfaceImage"):
            RegionTDPTransformer(atlas, mask_img=mask_img).fit(z_img)
        with pytest.raises(TypeError, match=r"labels_img must be of the same kind.*Nifti1Image"):
            RegionTDPTransformer(atlas_img).fit(maps)

    @pytest.mark.parametrize("value", ["labels", True, 1])
    def test_other_resampling_targets_are_refused(self, atlas_img, mask_img, value):
        with pytest.raises(ValueError, match=f"'resampling_target'.* Got {value!r}"):
            RegionTDPTransformer(atlas_img, mask_img=mask_img, resampling_target=value).fit()

    @pytest.mark.parametrize(
        ("parameter", "error"),
        [
            ({"alpha": 0}, ValueError),
            ({"alpha": "a"}, TypeError),
            ({"stat_type": "r"}, ValueError),
            ({"df": 3}, ValueError),
            ({"two_sided": 1}, ValueError),
            ({"local_test": "bonferroni"}, ValueError),
        ],
        ids=str,
    )
    def test_parameters_out_of_their_range_are_refused(
        self, z_img, atlas_img, mask_img, parameter, error
    ):
        (name,) = parameter
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        with pytest.raises(error, match=name):
            transformer.set_params(**parameter).fit(z_img)
        fitted = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        with pytest.raises(error, match=name):
            fitted.set_params(**parameter).transform(z_img)

    def test_maps_on_another_grid_are_refused(self, z, atlas_img, mask_img, make_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        with pytest.raises(ValueError, match="on the grid of the map"):
            transformer.transform(make_img(z[1:]))

    def test_array_of_regions_is_no_array_of_voxels(self, atlas_img, mask, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit()
        with pytest.raises(ValueError, match=rf"shape \(n_maps, {mask.sum()}\).* Got shape"):
            transformer.transform(np.ones((2, 3)))

    @pytest.mark.parametrize("method", ["transform", "get_feature_names_out"])
    def test_transformer_must_be_fitted(self, atlas_img, z_img, method):
        with pytest.raises(NotFittedError):
            getattr(RegionTDPTransformer(atlas_img), method)(z_img)

    def test_failed_fit_leaves_nothing(self, z_img, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img).fit(z_img)
        with pytest.raises(ValueError, match="labels must"):
            transformer.set_params(labels=["a"]).fit(z_img)
        with pytest.raises(NotFittedError):
            transformer.transform(z_img)
        assert not hasattr(transformer, "region_names_")
