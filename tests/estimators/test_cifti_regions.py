"""Regions and given clusters of CIFTI maps: without a mesh, and parcels as regions."""

import numpy as np
import pytest
from nibabel.cifti2 import Cifti2Image, ParcelsAxis, ScalarAxis, SeriesAxis
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

from ari_estimator import (
    AdaptiveTDPTransformer,
    ClusterTDPTransformer,
    RegionTDPTransformer,
    set_bound,
)
from ari_estimator.interfaces import load, save
from ari_estimator.reporting import get_tdp_table, make_report

from ._kinds import KINDS

KIND = KINDS["CIFTI image"]
AXIS, MESH = KIND.axis, KIND.mesh


@pytest.fixture(scope="module")
def img():
    return KIND.image(KIND.z() + 1.3 * AXIS.volume_mask)


@pytest.fixture(scope="module")
def labels():
    drawn = np.random.default_rng(1).choice([0, 5, 9], len(AXIS))
    return np.where(AXIS.name == "CIFTI_STRUCTURE_CORTEX_LEFT", 2, drawn)


def values(img):
    return np.asarray(img.dataobj)


@pytest.mark.parametrize("transformer", [RegionTDPTransformer, ClusterTDPTransformer])
def test_sets_that_are_given_need_no_mesh(transformer, img, labels):
    """Without one, only areas and coordinates of vertices are missing."""
    labels_img = KIND.image(labels)
    plain = transformer(labels_img=labels_img).fit(img)
    meshed = transformer(labels_img=labels_img, mesh=MESH).fit(img)
    on_mesh = meshed.table_
    is_vertex = on_mesh["peak_vertex"].notna()
    expected = on_mesh.drop(columns="size_mm2")
    expected.loc[is_vertex, ["peak_x", "peak_y", "peak_z"]] = np.nan
    assert is_vertex.any()
    assert_frame_equal(plain.table_, expected)
    if transformer is RegionTDPTransformer:
        tdps = [one.fit_transform(img) for one in (plain, meshed)]
    else:
        tdps = [values(one.fit_transform(img)) for one in (plain, meshed)]
        assert_array_equal(values(plain.labels_img_), values(meshed.labels_img_))
    assert_array_equal(*tdps)
    assert plain.n_tested_ == len(AXIS)


@pytest.mark.parametrize("transformer", [ClusterTDPTransformer(2), AdaptiveTDPTransformer(0.7)])
def test_clusters_need_a_mesh(transformer, img):
    match = r"mesh of CORTEX_\w+, \d+ vertices: .*clusters need neighbours.*surf\.gii.*Got None"
    with pytest.raises(ValueError, match=match):
        transformer.fit(img)


def test_a_mesh_that_is_given_must_fit(img, labels):
    labels_img = KIND.image(labels)
    for mesh, match in (
        ({"left": MESH.parts["left"]}, "mesh must have the mesh of CORTEX_RIGHT"),
        (
            {"left": MESH.parts["right"], "right": MESH.parts["left"]},
            r"mesh must have \d+ vertices in the",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            RegionTDPTransformer(labels_img, mesh=mesh).fit(img)


def test_tables_and_archives_without_a_mesh(img, labels, tmp_path):
    fitted = RegionTDPTransformer(KIND.image(labels)).fit(img)
    # Nobody knows which elements are local maxima.
    table = get_tdp_table(fitted)
    assert table["peak"].tolist() == [1, 1, 1, 1]
    assert_frame_equal(table, get_tdp_table(fitted, max_peaks=1))
    save(fitted, tmp_path)
    (archive,) = tmp_path.glob("*_ari.npz")
    again = load(archive)
    assert_frame_equal(again.table_, fitted.table_)
    assert again.mask_img_.header.get_axis(1) == AXIS
    html = make_report(fitted).html
    assert "mm²" not in html
    assert "no figure shows them, because no mesh was given" in html
    assert "(nan" not in html


@pytest.fixture
def parcels(labels):
    """Return parcels with the same elements as the labels, by structure."""
    models = [(f"area {k}", AXIS[np.flatnonzero(labels == k)]) for k in (2, 5, 9)]
    return ParcelsAxis.from_brain_models(models)


@pytest.mark.parametrize(
    "of_maps", [ScalarAxis(["z"]), SeriesAxis(0, 1, 3)], ids=["scalar", "series"]
)
@pytest.mark.parametrize("form", ["image", "path"])
def test_parcels_are_regions(img, labels, parcels, of_maps, form, tmp_path):
    given = Cifti2Image(np.zeros((len(of_maps), 3)), (of_maps, parcels))
    if form == "path":
        path = tmp_path / f"x.p{'scalar' if len(of_maps) == 1 else 'tseries'}.nii"
        given.to_filename(path)
        given = path
    fitted = RegionTDPTransformer(given, mesh=MESH).fit(img)
    expected = RegionTDPTransformer(KIND.image(labels), mesh=MESH).fit(img)
    assert fitted.region_names_ == ["area 2", "area 5", "area 9"]
    columns = ["region_id", "region"]
    assert_frame_equal(fitted.table_.drop(columns=columns), expected.table_.drop(columns=columns))


def test_parcels_of_the_cortex_alone(img, labels):
    """What they leave out is the rest."""
    cortex = np.flatnonzero(~AXIS.volume_mask)
    parcels = ParcelsAxis.from_brain_models([("a", AXIS[cortex[:30]]), ("b", AXIS[cortex[30:50]])])
    fitted = RegionTDPTransformer(Cifti2Image(np.zeros((1, 2)), (ScalarAxis(["z"]), parcels)))
    table = fitted.fit(img).table_
    assert table["n_grayordinates"].tolist() == [30, 20, len(AXIS) - 50]


def test_parcels_that_overlap_are_refused(img):
    parcels = ParcelsAxis.from_brain_models([("a", AXIS[:5]), ("b", AXIS[4:9])])
    with pytest.raises(ValueError, match="each grayordinate in one parcel"):
        RegionTDPTransformer(Cifti2Image(np.zeros((1, 2)), (ScalarAxis(["z"]), parcels))).fit(img)


@pytest.mark.parametrize(
    ("vertices", "match"),
    [
        ([], "must have grayordinates in its parcels. Got 1 parcels without any"),
        ([2, -3], "counted from 0. Got -3 in the parcel 'a'"),
        ([2, 10**6], "vertices of its mesh. Got vertex 1000000 of CORTEX_LEFT"),
    ],
)
def test_parcels_that_lie_are_refused(img, vertices, match):
    on_surface = {"CIFTI_STRUCTURE_CORTEX_LEFT": np.array(vertices)} if vertices else {}
    no_voxels = np.zeros((0, 3), dtype=int)
    parcels = ParcelsAxis(["a"], [no_voxels], [on_surface], nvertices=AXIS.nvertices)
    with pytest.raises(ValueError, match=match):
        RegionTDPTransformer(Cifti2Image(np.zeros((1, 1)), (ScalarAxis(["z"]), parcels))).fit(img)


def test_a_sphere_needs_the_places_of_vertices(img, labels):
    plain, meshed = (
        RegionTDPTransformer(KIND.image(labels), mesh=m).fit(img) for m in (None, MESH)
    )
    with pytest.raises(ValueError, match="Got no mesh: set mesh, or give indices or a mask_img"):
        set_bound(plain, seed=(0, 0, 0), radius=20)
    indices = np.arange(30)
    bounds = [set_bound(one, indices=indices).true_discoveries for one in (plain, meshed)]
    assert bounds[0] == bounds[1]
