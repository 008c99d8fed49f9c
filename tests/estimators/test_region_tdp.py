"""RegionTDPTransformer: bounds of regions of an atlas, one column each."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nibabel import Nifti1Image
from nilearn.image import get_data
from nilearn.maskers import NiftiLabelsMasker
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from scipy import stats
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

from ari_estimator import ClusterTDPTransformer, RegionTDPTransformer
from ari_estimator.closed_testing import Hommel

from ._kinds import KINDS

# The labels of the atlas, which has 0 in between.
IDS = [3, 7, 40]


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


@pytest.fixture
def images(make_map, make_img):
    """Return three maps as images."""
    return [make_img(make_map(seed)) for seed in range(3)]


@pytest.fixture(scope="module")
def tdp_of(definition, mask):
    """Return a function from a map and sets of voxels to the TDP of each: by the formulas."""

    def compute(z, members, alpha=0.05, local_test="simes", two_sided=False, mask=mask):
        p = 2 * stats.norm.sf(np.abs(z)) if two_sided else stats.norm.sf(z)
        h = definition.hommel_value(p[mask], alpha, local_test)
        sets = [p[mask & inside] for inside in members]
        return [definition.true_discoveries(s, h, alpha, local_test) / s.size for s in sets]

    return compute


WITH_MASKER = pytest.mark.parametrize(
    "kind", [KINDS["volume"], KINDS["surface"]], ids=["volume", "surface"]
)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def given_clusters(labels_img, **parameters):
    return ClusterTDPTransformer(labels_img=labels_img, **parameters)


def table_of_names(ids, names):
    return pd.DataFrame({"index": ids, "name": names})


@pytest.fixture(scope="module")
def two_groups():
    """Return 12 maps on a small grid, half with an effect in a region; groups; an atlas."""
    rng = np.random.default_rng(2)
    z = rng.standard_normal((12, 5, 5, 5))
    y = np.tile([0, 1], 6)
    z[y == 1, :2] += 3
    z[y == 0, 3:] += 3
    atlas = np.repeat([1, 1, 0, 2, 2], 25).reshape(5, 5, 5).astype("int16")
    return [Nifti1Image(one, np.eye(4)) for one in z], y, Nifti1Image(atlas, np.eye(4))


class TestBounds:
    """The values of the array."""

    @pytest.mark.parametrize("local_test", ["simes", "hommel"])
    @pytest.mark.parametrize("two_sided", [False, True], ids=["one-sided", "two-sided"])
    @pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
    @EVERY_KIND
    def test_bounds_equal_the_definition(self, tdp_of, kind, alpha, two_sided, local_test):
        transformer = RegionTDPTransformer(
            kind.labels_img,
            mask_img=kind.mask_img,
            alpha=alpha,
            two_sided=two_sided,
            local_test=local_test,
            **kind.parameters,
        )
        members = [kind.labels == i for i in IDS]
        for seed in range(3):
            z = kind.z(seed)
            tdp = transformer.fit_transform(kind.image(z))
            assert tdp.shape == (1, 3)
            expected = tdp_of(z, members, alpha, local_test, two_sided, kind.mask)
            assert_allclose(tdp[0], expected, rtol=1e-14)
            assert tdp.max() > 0
            n_members = [(kind.mask & inside).sum() for inside in members]
            assert transformer.table_.filter(regex="^n_").iloc[:-1, 0].tolist() == n_members

    def test_hommel_and_given_clusters_have_the_same_bounds(
        self, z, z_img, mask, labels, atlas_img, mask_img
    ):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        tdp = transformer.fit_transform(z_img)
        vector = Hommel(stats.norm.sf(z[mask])).critical_vector(0.05)
        bounds = [vector.true_discoveries(stats.norm.sf(z[mask & (labels == i)])) for i in IDS]
        assert transformer.table_["true_discoveries"][:-1].tolist() == bounds
        clusters = ClusterTDPTransformer(labels_img=atlas_img, mask_img=mask_img).fit(z_img)
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
    @settings(max_examples=25)
    def test_bounds_of_all_regions_are_the_bounds_of_one_at_a_time(self, z, labels, local_test):
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
    @settings(max_examples=40)
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
            pd.Index(["a", "b", "c"]),
            ["Background", "a", "b", "c"],
            ["background", "a", "b", "c"],
        ],
        ids=["list", "tuple", "array", "Index", "Background", "background"],
    )
    def test_labels_are_by_ascending_label(self, names, given):
        assert names(labels=given) == ["a", "b", "c"]

    @pytest.mark.parametrize(
        "given",
        [
            {3: "a", 7: "b", 40: "c"},
            {40: "c", 0: "Background", 3: "a", 7: "b"},
            {np.int16(40): "c", np.int64(7): "b", 3: "a"},
            pd.Series({40: "c", 3: "a", 7: "b"}),
            pd.Series(["nothing", "c", "a", "b"], index=[0, 40, 3, 7]),
        ],
        ids=["dict", "background", "numpy", "Series", "index"],
    )
    def test_names_of_a_mapping_are_looked_up(self, names, given):
        assert names(labels=given) == ["a", "b", "c"]

    def test_names_of_maps_are_looked_up_by_number(self, make_img, labels, mask_img):
        maps = make_img(np.stack([labels == label for label in IDS], axis=-1).astype("uint8"))
        transformer = RegionTDPTransformer(maps, labels={2: "b", 3: "c", 1: "a"}, mask_img=mask_img)
        assert transformer.fit().region_names_ == ["a", "b", "c"]

    @pytest.mark.parametrize(
        ("given", "match"),
        [
            ({3: "a", 40: "c"}, r"no name for \[7\]\. For names in the order .* pass a list"),
            ({3: "a", 7: "b", 40: "c", 9: "d"}, r"names for \[9\], which labels_img does not have"),
            (pd.Series(["a", "b", "c"]), r"no name for \[3, 7, 40\] and names for \[1, 2\]"),
            ({3: "a", 7: "", 40: "c"}, r"labels must name all .* Got no name for \[7\]"),
            (pd.Series(list("abcd"), index=[3, 7, 40, 7]), r"Got several for \[7\]"),
        ],
        ids=["missing", "unknown", "positions", "empty", "repeated"],
    )
    def test_a_mapping_that_does_not_fit_is_refused(self, names, given, match):
        with pytest.raises(ValueError, match=match):
            names(labels=given)

    @pytest.mark.parametrize(
        ("given", "match"),
        [
            ({"a", "b", "c"}, "a dictionary of each label .* Got set, which has no order"),
            (frozenset("abc"), "Got frozenset, which has no order"),
            ({"a": 3, "b": 7, "c": 40}, "integers: the keys of a dictionary. Got 'a'"),
            ({3.0: "a", 7.0: "b", 40.0: "c"}, r"integers: .* Got 3\.0"),
            ({True: "a", 7: "b", 40: "c"}, "integers: .* Got True"),
            (pd.Series({"a": 3, "b": 7, "c": 40}), "integers: the index of a Series. Got 'a'"),
            (b"abc", "Got one text, b'abc'"),
            ([b"a", b"b", b"c"], "labels must hold names, as texts. Got bytes b'a'. Decode it"),
            (np.array([b"a", b"b", b"c"]), "labels must hold names, as texts. Got bytes"),
            ([(3, "a"), (7, "b"), (40, "c")], r"as texts. Got tuple \(3, 'a'\)"),
            (iter(["a", "b", "c"]), "Got list_iterator"),
            (3, "labels must be a list of names, in the order of the labels, .* Got int"),
            (np.array([["a", "b", "c"]]), "Got ndarray"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_other_forms_of_names_are_refused(self, names, given, match):
        with pytest.raises(TypeError, match=match):
            names(labels=given)

    def test_other_labels_of_the_same_names_are_another_value(self, atlas_img, mask_img):
        given = pd.Series(["a", "b", "c"], index=IDS)
        transformer = RegionTDPTransformer(atlas_img, labels=given, mask_img=mask_img).fit()
        z = np.random.default_rng(0).standard_normal(transformer.n_elements_)
        transformer.set_params(labels=given.copy()).transform(z)
        transformer.set_params(labels=pd.Series(["a", "b", "c"], index=IDS[::-1]))
        with pytest.raises(NotFittedError, match="labels was set after fit"):
            transformer.transform(z)

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

    def test_nilearns_masker_has_the_same_names(
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
    @settings(max_examples=20)
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
        with pytest.raises(TypeError, match=r"labels must be a list of names.* Got .*'abc'"):
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
        transformer = RegionTDPTransformer(filled, mask_img=mask_img).fit(z_img)
        rest = transformer.table_.iloc[-1]
        assert rest["region"] == "rest"
        assert rest["n_voxels"] == rest["true_discoveries"] == 0
        assert np.isnan(rest["tdp"])


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

    @EVERY_KIND
    def test_maps_that_are_not_binary_need_a_threshold(self, kind):
        match = "probability_threshold must say .* maps that are not binary. Got None"
        one_of_them = np.zeros((3, kind.n))
        one_of_them[1, :40], one_of_them[1, 7] = 1, 0.5
        for regions_img in (kind.overlapping_img, kind.image(one_of_them)):
            with pytest.raises(ValueError, match=match):
                RegionTDPTransformer(regions_img, mask_img=kind.mask_img, **kind.parameters).fit()

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
        ).fit(z_img)
        assert transformer.table_["n_voxels"].tolist() == [mask[4:].sum(), mask.sum(), 0]

    def test_regions_that_do_not_overlap_are_as_good_as_labels(
        self, z_img, labels, atlas_img, mask_img, make_img
    ):
        binary = make_img(np.stack([labels == i for i in IDS], axis=-1).astype("uint8"))
        maps = RegionTDPTransformer(binary, mask_img=mask_img, labels=["a", "b", "c"])
        of_labels = RegionTDPTransformer(atlas_img, mask_img=mask_img, labels=["a", "b", "c"])
        assert_array_equal(maps.fit_transform(z_img), of_labels.fit_transform(z_img))
        assert_frame_equal(
            maps.table_.drop(columns="region_id"), of_labels.table_.drop(columns="region_id")
        )

    @EVERY_KIND
    @pytest.mark.parametrize("threshold", [0, 0.4, 0.9])
    def test_regions_of_every_kind_are_as_if_they_were_alone(self, tdp_of, kind, threshold):
        rng = np.random.default_rng(3)
        probabilities = np.where(rng.random((3, kind.n)) < 0.3, 0, rng.random((3, kind.n)))
        members = probabilities > threshold
        img, shared = kind.image(kind.z()), {"mask_img": kind.mask_img, **kind.parameters}
        transformer = RegionTDPTransformer(
            kind.image(probabilities), labels=list("abc"), probability_threshold=threshold, **shared
        )
        tdp = transformer.fit_transform(img)
        assert_allclose(tdp[0], tdp_of(kind.z(), members, mask=kind.mask), rtol=1e-14)
        assert tdp.max() > 0
        sets = [*members, ~members.any(axis=0)]
        n_members = [(kind.mask & inside).sum() for inside in sets]
        assert transformer.table_.filter(regex="^n_").iloc[:, 0].tolist() == n_members
        for dtype in ("uint8", "float32", "float64"):
            binary = RegionTDPTransformer(kind.image(members.astype(dtype)), **shared)
            assert_array_equal(binary.fit_transform(img), tdp)
        alone = [RegionTDPTransformer(kind.image(m.astype("uint8")), **shared) for m in members]
        assert_array_equal(np.hstack([t.fit_transform(img) for t in alone]), tdp)

    def test_regions_of_bool_vertices(self):
        kind = KINDS["surface"]
        members = kind.values(kind.overlapping_img) > 0.5
        as_bool, as_int = (
            RegionTDPTransformer(kind.image(members.astype(dtype))).fit(kind.image(kind.z()))
            for dtype in (bool, int)
        )
        assert_frame_equal(as_bool.table_, as_int.table_)

    def test_background_label_is_refused(self, overlapping, make_img, mask_img):
        with pytest.raises(ValueError, match=r"background_label .* Got 3 .*several maps"):
            RegionTDPTransformer(make_img(overlapping), mask_img=mask_img, background_label=3).fit()

    def test_probability_threshold_of_labels_is_refused(self, atlas_img, mask_img):
        for value in (0, 0.5):
            with pytest.raises(ValueError, match=f"probability_threshold .* Got {value}.* labels"):
                RegionTDPTransformer(
                    atlas_img, mask_img=mask_img, probability_threshold=value
                ).fit()


class TestTable:
    """One row for each region and one for the rest."""

    @EVERY_KIND
    def test_rows_are_regions_and_the_rest(self, definition, kind):
        transformer = RegionTDPTransformer(
            kind.labels_img, labels=["a", "b", "c"], mask_img=kind.mask_img, **kind.parameters
        )
        z, mask = kind.z(), kind.mask
        tdp = transformer.fit_transform(kind.image(z))
        table = transformer.table_
        assert table.columns.tolist() == ["region_id", "region", *kind.columns[3:]]
        assert table["region_id"].tolist() == [*IDS, 0]
        assert table["region"].tolist() == ["a", "b", "c", "rest"]
        p = stats.norm.sf(z)
        h = definition.hommel_value(p[mask])
        for row in table.to_dict("records"):
            inside = mask & (kind.labels == row["region_id"])
            assert row[kind.columns[3]] == inside.sum()
            for name, sizes in kind.sizes.items():
                assert_allclose(row[name], sizes[inside].sum(), rtol=1e-12)
            assert row["true_discoveries"] == definition.true_discoveries(p[inside], h)
            assert row["tdp"] == row["true_discoveries"] / inside.sum()
            peak = np.where(inside, z, -np.inf).argmax()
            assert row["peak_stat"] == z[peak]
            xyz = [row[f"peak_{axis}"] for axis in "xyz"]
            assert_allclose(xyz, kind.coordinates[peak], rtol=1e-12, atol=1e-12)
            for name, place in kind.place(peak).items():
                assert pd.isna(row[name]) if place is None else row[name] == place
        assert table["tdp"][:-1].tolist() == tdp[0].tolist()


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
        transformer = RegionTDPTransformer(make_img(with_outside), mask_img=mask_img).fit(z_img)
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


class TestInverseTransform:
    """From values of regions back to images."""

    @EVERY_KIND
    @pytest.mark.parametrize(
        "values", [[0.25, 0.5, -1], [[0.2, 0.5, 0.9]], [[0.2, 0.5, 0.9], [1, 2, 3]]], ids=str
    )
    def test_each_element_shows_the_value_of_its_region(self, kind, values):
        transformer = RegionTDPTransformer(
            kind.labels_img, mask_img=kind.mask_img, **kind.parameters
        ).fit()
        img = transformer.inverse_transform(values)
        rows = np.atleast_2d(values)
        expected = [np.select([kind.labels == i for i in IDS], row) * kind.mask for row in rows]
        assert_array_equal(kind.values(img), expected)
        like = kind.image(np.squeeze(expected) if np.ndim(values) == 1 else np.array(expected))
        assert type(img) is type(like)
        assert img.shape == like.shape
        assert kind.values(img).dtype == np.float64

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
    """Checks of scikit-learn, and tables."""

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

    def test_pandas_output_goes_back(self, images, atlas_img, mask_img):
        transformer = RegionTDPTransformer(atlas_img, mask_img=mask_img)
        plain = transformer.inverse_transform(transformer.fit_transform(images))
        transformer.set_output(transform="pandas")
        assert_array_equal(
            get_data(transformer.inverse_transform(transformer.transform(images))), get_data(plain)
        )


class TestMaskers:
    """A labels or maps masker of nilearn stands for its image, and brings its names."""

    @pytest.mark.parametrize(
        ("given", "names"),
        [
            ({}, ["3", "7", "40"]),
            ({"labels": ["a", "b", "c"]}, ["a", "b", "c"]),
            ({"labels": ["Background", "a", "b", "c"]}, ["a", "b", "c"]),
            ({"lut": table_of_names([0, *IDS], ["Background", "a", "b", "c"])}, ["a", "b", "c"]),
            ({"background_label": 7}, ["0", "3", "40"]),
        ],
        ids=["numbers", "labels", "labels with a background", "lut", "background_label"],
    )
    @WITH_MASKER
    def test_labels_masker_is_as_good_as_its_image(self, kind, given, names):
        img, shared = kind.image(kind.z()), {"mask_img": kind.mask_img}
        of_image = RegionTDPTransformer(kind.labels_img, **given, **shared)
        expected = of_image.fit_transform(img)
        masker = kind.labels_masker(kind.labels_img, **given, standardize=None, reports=False)
        for labels_masker in (masker, clone(masker).fit(img)):
            transformer = RegionTDPTransformer(labels_masker, **shared)
            assert_array_equal(transformer.fit_transform(img), expected)
            assert transformer.region_names_ == of_image.region_names_ == names
            assert transformer.get_feature_names_out().tolist() == names
            assert_frame_equal(transformer.table_, of_image.table_)
            clusters = given_clusters(labels_masker, **shared).fit(img)
            ids = of_image.region_ids_.tolist()
            assert clusters.table_["cluster_id"][:-1].tolist() == ids
            assert_array_equal(clusters.table_["tdp"][:-1], expected[0])
        # What a masker computes of the TDP has the same columns.
        assert list(clone(masker).fit(img).region_names_.values()) == names

    @WITH_MASKER
    def test_maps_masker_is_as_good_as_its_image(self, kind):
        img = kind.image(kind.z())
        shared = {"mask_img": kind.mask_img, "probability_threshold": 0.5}
        of_image = RegionTDPTransformer(kind.overlapping_img, **shared)
        expected = of_image.fit_transform(img)
        masker = kind.maps_masker(kind.overlapping_img, standardize=None, reports=False)
        for maps_masker in (masker, clone(masker).fit(img)):
            transformer = RegionTDPTransformer(maps_masker, **shared)
            assert_array_equal(transformer.fit_transform(img), expected)
            assert_frame_equal(transformer.table_, of_image.table_)
        binary_img = kind.image((kind.values(kind.overlapping_img) > 0.5).astype("uint8"))
        with pytest.raises(ValueError, match="RegionTDPTransformer for regions that may overlap"):
            given_clusters(kind.maps_masker(binary_img), mask_img=kind.mask_img).fit(img)

    @WITH_MASKER
    @pytest.mark.parametrize(
        "names",
        [
            {"labels": ["a", "b", "c"]},
            {"lut": table_of_names(IDS, ["a", "b", "c"])},
            {"background_label": 7},
        ],
        ids=["labels", "lut", "background_label"],
    )
    def test_names_beside_a_masker_are_refused(self, kind, names):
        (name,) = names
        for masker in (
            kind.labels_masker(kind.labels_img, labels=["x", "y", "z"]),
            kind.maps_masker(kind.overlapping_img),
        ):
            match = f"{name} must be left at the default with labels_img={type(masker).__name__}"
            with pytest.raises(ValueError, match=match):
                RegionTDPTransformer(masker, mask_img=kind.mask_img, **names).fit()

    @WITH_MASKER
    def test_masker_of_another_kind_is_refused(self, kind):
        (other,) = (k for k in KINDS.values() if k.masker and k is not kind)
        for masker in (
            other.labels_masker(other.labels_img),
            other.maps_masker(other.overlapping_img),
        ):
            with pytest.raises(TypeError, match="labels_img must be of the same kind as the maps"):
                RegionTDPTransformer(masker, mask_img=kind.mask_img).fit()


class TestTables:
    """Images of subjects in a column of a table."""

    @pytest.fixture(params=["images", "paths"])
    def subjects(self, request, two_groups, tmp_path):
        """Return a table of subjects, their groups, a transformer, and TDPs."""
        maps, y, atlas_img = two_groups
        whole = Nifti1Image(np.ones((5, 5, 5), dtype="uint8"), np.eye(4))
        regions = RegionTDPTransformer(atlas_img, labels=["front", "back"], mask_img=whole)
        expected = regions.fit_transform(maps)
        if request.param == "paths":
            for i, img in enumerate(maps):
                img.to_filename(tmp_path / f"{i}.nii")
            maps = [str(tmp_path / f"{i}.nii") for i in range(len(maps))]
        index = [f"sub-{i}" for i in range(len(y))]
        table = pd.DataFrame({"age": np.arange(len(y)), "map": maps}, index=index)
        return table, y, clone(regions), expected

    @pytest.mark.parametrize("column", ["map", ["map"]], ids=["Series", "table"])
    def test_column_is_a_list_of_maps_with_its_index(self, subjects, column):
        table, _, regions, expected = subjects
        for maps in (table[column], table.iloc[[5, 2, 7]][column]):
            rows = [table.index.get_loc(name) for name in maps.index]
            output = regions.set_output(transform="pandas").fit_transform(maps)
            assert output.index.equals(maps.index)
            assert output.columns.tolist() == ["front", "back"]
            assert_array_equal(output.to_numpy(), expected[rows])
            assert len(regions.table_) == len(maps)
            assert_frame_equal(regions.transform(maps[:2]), output[:2])
        columns = ColumnTransformer([("tdp", regions, column), ("age", "passthrough", ["age"])])
        output = columns.set_output(transform="pandas").fit_transform(table)
        assert output.columns.tolist() == ["tdp__front", "tdp__back", "age__age"]
        assert output.index.equals(table.index)
        assert_array_equal(output.iloc[:, :2].to_numpy(), expected)

    def test_folds_of_a_table_are_lists_of_maps(self, subjects):
        table, y, regions, expected = subjects
        of_table = make_pipeline(ColumnTransformer([("tdp", regions, "map")]), LogisticRegression())
        assert (cross_val_score(of_table, table, y, cv=3) == 1).all()
        of_maps = make_pipeline(regions, LogisticRegression())
        array = table["map"].to_numpy()
        for maps in (table["map"], table[["map"]], array, array[:, np.newaxis]):
            assert (cross_val_score(of_maps, maps, y, cv=3) == 1).all()
        train = np.array([8, 3, 5])
        if isinstance(array[0], str):
            array = array.astype(str)  # of numpy's own type
        assert_array_equal(regions.fit_transform(array[train]), expected[train])

    def test_column_that_holds_something_else_is_refused(self, subjects):
        table, _, regions, _ = subjects
        for maps in (table["age"], table[["map", "age"]], table["map"].map(lambda img: [img])):
            with pytest.raises((TypeError, ValueError)):
                regions.fit(maps)


class TestPipelines:
    """As a step before a classifier."""

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
        shifted = z_img.affine.copy()
        shifted[0, 3] += 1
        others = [coarse, make_img(labels[:, 1:]), make_img(labels, shifted)]
        for other in (*others, four_d, make_img(overlapping[1:])):
            match = r"labels_img must be on the grid[^$]*interpolation='nearest'"
            for make in (RegionTDPTransformer, given_clusters):
                with pytest.raises(ValueError, match=match):
                    make(other, mask_img=mask_img).fit(z_img)

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
            ).fit(z_img)
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
            ).fit(z_img)
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

    @pytest.mark.parametrize("make", [RegionTDPTransformer, given_clusters])
    def test_surfaces_are_not_resampled(self, make):
        kind = KINDS["surface"]
        with pytest.raises(ValueError, match="resampling_target='data' is there for volumes"):
            make(kind.labels_img, resampling_target="data").fit(kind.image(kind.z()))


class TestBadInput:
    """Input that must be refused, with words that say why."""

    def test_atlas_must_be_given(self, z_img, mask_img):
        with pytest.raises(TypeError, match="labels_img"):
            RegionTDPTransformer()
        with pytest.raises(ValueError, match=r"labels_img must be an image of regions. Got None"):
            RegionTDPTransformer(None, mask_img=mask_img).fit(z_img)
