"""All that is known of one map: the same, whichever way one asks, and what files say of it."""

import json
import pickle
import re
import warnings
from fractions import Fraction
from html import unescape
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from nibabel import Nifti1Image
from nilearn.image import get_data
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import (
    AdaptiveTDPTransformer,
    ARISecondLevelModel,
    ClusterTDPTransformer,
    FittedMap,
    PermutationCalibration,
    RegionTDPTransformer,
    confidence_curve,
    element_at,
    explore,
    load,
    save,
    set_bound,
)
from ari_estimator.inference._statistics import sentence_of
from ari_estimator.plotting import (
    plot_cluster_dots,
    plot_clusters_by_tdp,
    plot_pivotal_statistics,
    plot_tdp_curve,
    plot_tdp_surface,
)
from ari_estimator.reporting import get_region_composition, get_tdp_table, make_report

NAMES = ["front", "back", "side"]


def fit(transformer, img, **parameters):
    """Return a transformer fitted to an image, and the image of TDPs."""
    return transformer, transformer.set_params(**parameters).fit_transform(img)


def fit_with_nan(volume):
    z = volume.z.copy()
    z[tuple(np.argwhere(volume.mask)[[0, 40, 41]].T)] = np.nan
    with pytest.warns(UserWarning, match="NaN in 3 of"):
        return fit(
            ClusterTDPTransformer("concentration", connectivity=26),
            Nifti1Image(z, volume.img.affine),
            mask_img=volume.mask_img,
        )


def fit_model(volume):
    rng = np.random.default_rng(0)
    images = [
        Nifti1Image(volume.z / 2 + rng.standard_normal(volume.z.shape), volume.img.affine)
        for _ in range(10)
    ]
    model = ARISecondLevelModel(
        mask_img=volume.mask_img,
        transformer=ClusterTDPTransformer(2.5, alpha=0.1),
        calibration=PermutationCalibration(n_permutations=60, random_state=4),
    )
    model.fit(images, design_matrix=pd.DataFrame({"mean": np.ones(10)}))
    return model, model.compute_contrast("mean", output_type="tdp")


def surface_of(volume):
    """Return slices of a volume as the values of two sheets."""
    i, j = np.indices((8, 9)).reshape(2, -1)
    corners = np.flatnonzero((i < 7) & (j < 8))
    faces = np.concatenate([corners[:, np.newaxis] + f for f in ([0, 1, 9], [1, 10, 9])])
    meshes = {
        hemi: InMemoryMesh(np.column_stack([x + 3.0 * i, 3.0 * j, np.sin(i)]), faces)
        for hemi, x in (("left", -40), ("right", 10))
    }
    data = {hemi: volume.z[:, :, k].ravel() for hemi, k in (("left", 3), ("right", 7))}
    return SurfaceImage(PolyMesh(**meshes), data)


FITTED = {
    "clusters": lambda v: fit(
        ClusterTDPTransformer([1.5, 2.5], two_sided=True, cluster_threshold=2),
        v.img,
        mask_img=v.mask_img,
    ),
    "given clusters": lambda v: fit(
        ClusterTDPTransformer(labels_img=v.labels_img), v.img, mask_img=v.mask_img
    ),
    "regions": lambda v: fit(
        RegionTDPTransformer(v.labels_img, labels=NAMES), v.img, mask_img=v.mask_img
    ),
    "adaptive": lambda v: fit(AdaptiveTDPTransformer([0.5, 0.9]), v.img, mask_img=v.mask_img),
    "threshold-free": lambda v: fit(
        AdaptiveTDPTransformer(None, local_test="hommel"), v.img, mask_img=v.mask_img
    ),
    "with NaN": fit_with_nan,
    "calibrated model": fit_model,
    "surface": lambda v: fit(ClusterTDPTransformer(2, two_sided=True), surface_of(v)),
}


@pytest.fixture(scope="session", params=FITTED)
def found(request, volume):
    """Return an estimator, and the image or array of TDPs."""
    return FITTED[request.param](volume)


@pytest.fixture(scope="session")
def fitted(found):
    return found[0]


@pytest.fixture(scope="session")
def fitted_map(fitted):
    return fitted.maps_


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def is_surface(fitted):
    return isinstance(fitted.mask_img_, SurfaceImage)


def atlas_of(fitted):
    """Return an atlas on the grid or mesh of an estimator."""
    mask_img = fitted.mask_img_
    if is_surface(fitted):
        parts = {"left": np.arange(72) // 24 + 1, "right": np.arange(72) // 36}
        return SurfaceImage(mask_img.mesh, parts)
    labels = np.ones(mask_img.shape, dtype="int32")
    labels[4:], labels[:, 5:] = 2, 3
    return Nifti1Image(labels, mask_img.affine)


def sets_of(fitted):
    """Return a set in each way that one may be given."""
    if is_surface(fitted):
        yield {"indices": {"left": np.arange(30), "right": [4, 5]}}
        yield {"seed": (-20, 10, 0), "radius": 9}
    else:
        yield {"indices": np.argwhere(get_data(fitted.mask_img_))[10:80]}
        yield {"seed": (6, -1, 17), "radius": 6}
    yield {"mask_img": fitted.mask_img_}


def drawn(axes):
    """Return what a figure looks like."""
    buffer = BytesIO()
    np.atleast_1d(axes)[0].figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def index_of(fitted):
    return {"right": 5} if is_surface(fitted) else np.argwhere(get_data(fitted.mask_img_))[7]


# Questions to an estimator or a map. The second argument, the estimator, knows the places.
DOORS = {
    "set_bound": lambda asked, of, **m: [set_bound(asked, **s, **m) for s in sets_of(of)],
    "confidence_curve": lambda asked, of, **m: pd.concat(
        [confidence_curve(asked, **given, **m) for given in ({}, *sets_of(of))]
    ),
    "element_at": lambda asked, of, **m: element_at(asked, index=index_of(of), **m),
    "get_tdp_table": lambda asked, of, **m: get_tdp_table(asked, labels_img=atlas_of(of), **m),
    "get_region_composition": lambda asked, of, **m: get_region_composition(
        asked, atlas_of(of), **m
    ),
    "plot_tdp_curve": lambda asked, of, **m: drawn(plot_tdp_curve(asked, **m)),
    "plot_cluster_dots": lambda asked, of, **m: drawn(plot_cluster_dots(asked, **m)),
    "make_report": lambda asked, of, **m: re.sub(
        "<time>.*?</time>", "", str(make_report(asked, title="Title", **m))
    ),
    "explore": lambda asked, of, **m: str(explore(asked, bg_img=None, title="Title", **m)),
}

each_door = pytest.mark.parametrize("ask", DOORS.values(), ids=DOORS)


def assert_same(one, other):
    if isinstance(one, pd.DataFrame):
        assert_frame_equal(one, other)
    else:
        assert type(one) is type(other)
        assert one == other


class TestDoors:
    """An estimator and what it keeps of a map are asked in one way, with one answer."""

    @each_door
    def test_a_map_answers_as_its_estimator(self, fitted, fitted_map, ask):
        assert_same(ask(fitted_map, fitted), ask(fitted, fitted))

    def test_drawing_moves_no_vertices(self, volume):
        img = surface_of(volume)
        fitted, tdp_img = fit(ClusterTDPTransformer(2), img)
        bounds = DOORS["set_bound"](fitted, fitted)
        plot_tdp_surface(img, tdp_img, views=["lateral"])
        make_report(fitted)
        for moved in (img, tdp_img, fitted.mask_img_):
            for hemi, part in surface_of(volume).mesh.parts.items():
                coordinates = moved.mesh.parts[hemi].coordinates
                assert_array_equal(coordinates, part.coordinates)
        # Nor does it matter what others do to the images, as nilearn does when it draws them.
        for moved in (img, tdp_img, fitted.mask_img_):
            for part in moved.mesh.parts.values():
                part.coordinates[:] += 50
        assert DOORS["set_bound"](fitted, fitted) == bounds

    def test_methods_answer_as_functions(self, fitted, fitted_map):
        for given in sets_of(fitted):
            assert fitted_map.bound(**given) == set_bound(fitted, **given)
            assert_frame_equal(
                fitted_map.confidence_curve(**given), confidence_curve(fitted, **given)
            )
        assert_frame_equal(fitted_map.confidence_curve(), confidence_curve(fitted))
        assert fitted_map.element_at(index=index_of(fitted)) == element_at(
            fitted, index=index_of(fitted)
        )

    def test_figures_of_some(self, fitted, fitted_map):
        if fitted_map.forest is None:
            for asked in (fitted, fitted_map):
                with pytest.raises(TypeError, match="fitted must have adaptive clusters"):
                    plot_clusters_by_tdp(asked)
        else:
            of_map, of_fitted = map(plot_clusters_by_tdp, (fitted_map, fitted))
            assert drawn(of_map) == drawn(of_fitted)
        if fitted_map.test.calibration is not None:
            of_map, of_fitted = map(plot_pivotal_statistics, (fitted_map, fitted))
            assert drawn(of_map) == drawn(of_fitted)

    def test_files_are_the_same(self, fitted, fitted_map, tmp_path):
        files = {}
        for name, asked in (("map", fitted_map), ("fitted", fitted)):
            files[name] = save(asked, tmp_path / name, prefix="a")
        assert {k: path.name for k, path in files["map"].items()} == {
            k: path.name for k, path in files["fitted"].items()
        }
        for what, path in files["map"].items():
            other = files["fitted"][what]
            if what == "archive":
                with np.load(path) as one, np.load(other) as another:
                    assert one.files == another.files
                    for name in one.files:
                        assert_array_equal(one[name], another[name])
            elif path.suffix == ".gz":
                assert_array_equal(get_data(str(path)), get_data(str(other)))
            else:
                assert path.read_bytes() == other.read_bytes()

    @each_door
    def test_a_number_of_a_map_is_refused_for_a_single_map(self, fitted, fitted_map, ask):
        match = "^map_index must be left at the default with a FittedMap, which is one map. Got"
        with pytest.raises(ValueError, match=match):
            ask(fitted_map, fitted, map_index=0)

    def test_a_number_of_a_map_is_refused_in_files(self, fitted_map, tmp_path):
        with pytest.raises(ValueError, match="map_index must be left at the default with a Fitted"):
            save(fitted_map, tmp_path, map_index=0)
        assert list(tmp_path.iterdir()) == []

    @each_door
    def test_of_several_maps_each_is_kept(self, volume, ask):
        images = [Nifti1Image(sign * volume.z, volume.img.affine) for sign in (1, -1)]
        several, _ = fit(AdaptiveTDPTransformer(0.8), images, mask_img=volume.mask_img)
        assert [type(fitted_map) for fitted_map in several.maps_] == [FittedMap] * 2
        answers = [ask(several, several, map_index=i) for i in range(2)]
        for fitted_map, answer in zip(several.maps_, answers, strict=True):
            assert_same(ask(fitted_map, several), answer)
        if not isinstance(answers[0], int):
            assert not np.array_equal(*answers)

    def test_a_copy_of_a_pickle_knows_the_same(self, fitted, fitted_map):
        copy = pickle.loads(pickle.dumps(fitted_map))
        assert repr(copy) == repr(fitted_map)
        assert copy.describe() == fitted_map.describe()
        assert_frame_equal(copy.table, fitted_map.table)
        for name in ("set_bound", "confidence_curve", "element_at", "get_tdp_table"):
            assert_same(DOORS[name](copy, fitted), DOORS[name](fitted_map, fitted))


class TestAttributes:
    """What a map says of itself, against its table and the values."""

    def test_numbers(self, fitted, fitted_map):
        family = fitted_map.family
        assert fitted_map.n_tested == fitted.n_tested_ == family.is_tested.sum()
        assert family.stat.shape == family.p_values.shape == (fitted_map.n_tested,)
        assert family.is_tested.shape == (fitted.n_elements_,)
        assert fitted_map.true_discoveries == fitted.true_discoveries_ == fitted_map.bounds.of_set()
        assert fitted_map.true_discoveries > 1
        assert fitted_map.n_sets == len(fitted_map.table) - 1
        assert_frame_equal(fitted_map.table, fitted.table_)
        elements = "vertices" if is_surface(fitted) else "voxels"
        assert repr(fitted_map) == (
            f"FittedMap({fitted_map.n_tested} {elements} tested, at least "
            f"{fitted_map.true_discoveries} true discoveries, {fitted_map.n_sets} "
            f"{'regions' if 'region' in fitted_map.table else 'clusters'})"
        )

    def test_values(self, fitted_map):
        values, is_tested = fitted_map.family.values_in_mask, fitted_map.family.is_tested
        assert_array_equal(np.isnan(values), ~is_tested)
        assert_array_equal(values[is_tested], fitted_map.family.stat)
        two_sided = fitted_map.family.statistic.two_sided
        evidence = np.abs(fitted_map.family.stat) if two_sided else fitted_map.family.stat
        assert_array_equal(fitted_map.family.evidence, evidence)

    def test_labels_and_tdp_agree_with_the_table(self, found, fitted_map):
        fitted, tdp_img = found
        labels, tdp = fitted_map.labels, fitted_map.tdp
        assert labels.dtype == np.int32
        assert labels.shape == tdp.shape == (fitted.n_elements_,)
        assert not labels[~fitted_map.family.is_tested].any()
        of_sets = fitted_map.table[:-1].set_index(fitted_map.table.columns[0])["tdp"]
        assert_array_equal(np.concatenate(fitted_map.tdps_of_sets), of_sets)
        if fitted_map.forest is None or fitted_map.made_by.tdps is not None:
            assert_array_equal(tdp, of_sets.reindex(labels).fillna(0))
        else:
            # Each shows the highest TDP of all clusters that it is in.
            assert_array_equal(tdp[fitted_map.family.is_tested][labels > 0],
                               fitted_map.forest.threshold_free_map()[labels > 0])  # fmt: skip
        if "region" in fitted_map.table:
            assert_array_equal(tdp_img, [of_sets])
            tdp_img = fitted.inverse_transform(tdp_img)
        else:
            assert_same_image(fitted_map.to_image(labels, "labels"), fitted.labels_img_)
        assert_same_image(fitted_map.to_image(tdp, "tdp"), tdp_img)

    def test_forest_is_there_where_clusters_are_adaptive(self, fitted, fitted_map):
        is_adaptive = isinstance(fitted, AdaptiveTDPTransformer)
        assert (fitted_map.forest is not None) == is_adaptive
        if is_adaptive:
            assert fitted_map.forest is fitted.forest_


def assert_same_image(one, other):
    if isinstance(one, SurfaceImage):
        for hemi in ("left", "right"):
            assert_array_equal(*(np.ravel(img.data.parts[hemi]) for img in (one, other)))
    else:
        assert_array_equal(get_data(one).squeeze(), get_data(other).squeeze())


KINDS = {
    "clusters": "supra-threshold clusters",
    "with NaN": "supra-threshold clusters",
    "calibrated model": "supra-threshold clusters",
    "surface": "supra-threshold clusters",
    "adaptive": "adaptive clusters",
    "threshold-free": "adaptive clusters",
    "regions": "regions",
    "given clusters": "given clusters",
}


class TestDescribe:
    """The test and the sets of a map in plain data, and the files that are written from it."""

    def test_it_tells_what_is_known(self, request, fitted, fitted_map):
        described = fitted_map.describe()
        assert json.loads(json.dumps(described, allow_nan=False)) == described
        model = isinstance(fitted, ARISecondLevelModel)
        transformer = fitted.transformer_ if model else fitted
        assert described["estimator"] == type(transformer).__name__
        assert described["contrast"] == ("mean" if model else None)
        assert set(described["parameters"]) == set(transformer.get_params(deep=False))
        assert described["parameters"]["two_sided"] is transformer.two_sided
        statistic = fitted_map.family.statistic
        assert described["statistic"] == {
            "stat_type": "z",
            "df": [],
            "two_sided": transformer.two_sided,
            "name": "z",
            "said_by": fitted_map.asked_by.said_by,
            "direction": statistic.direction,
            "sentence": sentence_of(statistic, fitted_map.asked_by.said_by),
        }
        ends = fitted_map.true_discoveries_interval
        assert described["family"] == {
            "elements": "vertices" if is_surface(fitted) else "voxels",
            "n_tested": fitted.n_tested_,
            "true_discoveries": fitted.true_discoveries_,
            "true_discoveries_interval": None if ends is None else list(ends),
            "true_discoveries_by_sign": None,
            "alpha": transformer.alpha,
        }
        assert described["test"] == fitted_map.test.describe(transformer.alpha)
        sets = described["sets"]
        case = request.node.callspec.params["found"]
        assert sets["kind"] == KINDS[case]
        assert sets["called"] == ("regions" if case == "regions" else "clusters")
        assert sets["n_sets"] == fitted_map.n_sets
        assert re.fullmatch(r"[A-Z].*\.", sets["sentence"])
        cited = re.findall(r"(\w+) et al\., \d{4}", sets["sentence"])
        assert [reference.split()[0] for reference in sets["references"]] == cited
        assert len(cited) == (sets["kind"] == "adaptive clusters")

    def test_sidecar_is_written_from_it(self, fitted_map, tmp_path):
        described = fitted_map.describe()
        sidecar = json.loads(save(fitted_map, tmp_path)["sidecar"].read_text())
        expected = {
            "Alpha": described["family"]["alpha"],
            "Statistic": "z",
            "DegreesOfFreedom": [],
            "StatisticSource": described["statistic"]["said_by"],
            "TwoSided": described["statistic"]["two_sided"],
            "NumberTested": described["family"]["n_tested"],
            "TrueDiscoveries": described["family"]["true_discoveries"],
            "Test": described["test"]["name"],
            **{k: v for k, v in described["test"]["values"].items() if v is not None},
            "Sets": described["sets"]["kind"],
            "Transformer": described["estimator"],
            "Parameters": described["parameters"],
            **({"Contrast": "mean"} if described["contrast"] else {}),
        }
        assert {name: sidecar.get(name) for name in expected} == expected
        assert set(fitted_map.table.columns) <= set(sidecar)
        assert set(sidecar) == {
            "Description", "SoftwareVersions", *expected, *fitted_map.table.columns,
        }  # fmt: skip

    def test_report_is_written_from_it(self, fitted_map):
        described = fitted_map.describe()
        text = unescape(re.sub(r"\s+", " ", str(make_report(fitted_map))))
        assert described["estimator"] in text
        for part in (described["sets"], described["test"]):
            assert part["sentence"] in text
            assert all(reference in text for reference in part["references"])

    @pytest.mark.parametrize(
        "parameters",
        [
            {"alpha": Fraction(1, 20)},
            {"alpha": np.float32(0.05), "connectivity": np.int64(18)},
            {"threshold": {2.0, 3.5}},
            {"threshold": pd.Series([2.0, 3.5])},
            {"threshold": np.array([2, 3])},
            {"threshold": [Fraction(5, 2), np.float32(3)], "two_sided": np.True_},
            {"threshold": [2, 1e300], "cluster_threshold": np.int8(3)},
            {"stat_type": np.str_("t"), "df": np.array(29)},
            {"stat_type": "t", "df": Fraction(59, 2)},
        ],
        ids=str,
    )
    def test_parameters_of_any_type_are_plain_and_come_back_from_a_file(
        self, volume, tmp_path, parameters
    ):
        ari, _ = fit(ClusterTDPTransformer(), volume.img, mask_img=volume.mask_img, **parameters)
        described = ari.maps_.describe()
        assert json.loads(json.dumps(described)) == described
        save(ari, tmp_path)
        again = load(tmp_path)
        assert_frame_equal(again.table_, ari.table_)
        assert again.maps_.describe()["test"] == described["test"]


class TestRefused:
    """Maps that there is nothing to test of."""

    @pytest.mark.parametrize("as_image", [True, False])
    def test_a_map_of_nan_alone_is_refused_without_a_warning(self, volume, as_image):
        z = np.full(volume.z.shape, np.nan)
        img = Nifti1Image(z, volume.img.affine) if as_image else z[volume.mask]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match=r"The map is NaN in all .* Pass a map"):
                ClusterTDPTransformer(mask_img=volume.mask_img).fit(img)
