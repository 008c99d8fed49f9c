"""``--extent`` and ``--fwhm``: bounds from cluster extents in the shell."""

import json

import pandas as pd
import pytest

from ari_estimator import (
    ClusterExtent,
    ClusterTDPTransformer,
    RandomFieldExtent,
    RegionTDPTransformer,
    load,
)


def _table(result):
    assert result.code == 0, result.err
    return pd.DataFrame(json.loads(result.out)["table"])


def test_clusters_are_bounded_by_extents(run, files):
    arguments = ["--mask", files.mask, "--height-threshold", "0.01", "--alpha", "0.1", "--json"]
    told = _table(run("clusters", files.z, "--extent", "12", *arguments))
    extent = ClusterExtent(0.01, 12, alpha=0.1)
    ari = ClusterTDPTransformer(mask_img=files.mask, local_test=extent, alpha=0.1).fit(files.z)
    assert told["true_discoveries"].tolist() == ari.table_["true_discoveries"].tolist()
    assert told["n_voxels"].tolist() == ari.table_["n_voxels"].tolist()
    # The number of neighbours is that of the clusters.
    told = _table(run("clusters", files.z, "--extent", "12", *arguments, "--connectivity", "18"))
    extent = ClusterExtent(0.01, 12, alpha=0.1, connectivity=18)
    ari = ClusterTDPTransformer(mask_img=files.mask, local_test=extent, alpha=0.1).fit(files.z)
    assert told["true_discoveries"].tolist() == ari.table_["true_discoveries"].tolist()


def test_level_of_a_known_extent_is_not_the_level_of_the_bounds(run, refused, files):
    given = ["clusters", files.z, "--mask", files.mask, "--extent", "12", "--alpha", "0.001"]
    line = refused(*given)
    assert "--alpha must be at least 0.05, the level at which clusters of 12 elements" in line
    told = _table(run(*given, "--extent-alpha", "0.001", "--json"))
    extent = ClusterExtent(0.001, 12, alpha=0.001)
    ari = ClusterTDPTransformer(mask_img=files.mask, local_test=extent, alpha=0.001).fit(files.z)
    assert told["true_discoveries"].tolist() == ari.table_["true_discoveries"].tolist()
    of_level = ["clusters", files.z, "--extent-alpha", "0.01"]
    assert "--extent-alpha is for --extent" in refused(*of_level)
    assert "--extent-alpha is for --extent" in refused(*of_level, "--fwhm", "8")


def test_regions_are_bounded_by_random_field_theory(run, files):
    told = _table(
        run(
            "regions",
            files.z,
            "--mask",
            files.mask,
            "--atlas",
            files.atlas,
            "--fwhm",
            "7,7.5,8",
            "--json",
        )
    )
    ari = RegionTDPTransformer(
        files.atlas, mask_img=files.mask, local_test=RandomFieldExtent(0.001, (7, 7.5, 8))
    ).fit(files.z)
    assert told["true_discoveries"].tolist() == ari.table_["true_discoveries"].tolist()


def test_results_say_which_bounds_they_have(run, files, tmp_path):
    result = run(
        "clusters", files.z, "--mask", files.mask, "--extent", "12", "--out", tmp_path / "out"
    )
    assert result.code == 0, result.err
    (archive,) = (tmp_path / "out").glob("*_ari.npz")
    assert load(archive).local_test == ClusterExtent(0.001, 12)
    sidecars = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*.json")]
    assert any("ClusterExtent(" in text for text in sidecars)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extent", "1"], "--extent must be at least 2"),
        (["--extent", "12", "--fwhm", "8"], "--extent and --fwhm both give the size"),
        (["--height-threshold", "0.01"], "--height-threshold is for --extent and --fwhm"),
        (["--extent", "9", "--height-threshold", "3.1"], "--height-threshold must be a p-value"),
        (["--extent", "9", "--local-test", "hommel"], "--local-test is for bounds from p-values"),
        (["--extent", "9", "--directional"], "--directional must be"),
        (["--fwhm", "8,8"], "--fwhm must be one number in mm, or three with commas"),
        (["--fwhm", "wide"], "--fwhm must be one number in mm, or three with commas"),
        (["--fwhm", "0"], "--fwhm must be above 0 mm"),
    ],
)
def test_bad_input_is_refused(run, files, arguments, message):
    result = run("clusters", files.z, "--mask", files.mask, *arguments)
    assert result.code == 2
    assert message in result.err
