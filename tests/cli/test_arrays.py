"""Arrays, networks and files of MNE-Python in the shell."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import save_npz

from ari_estimator.datasets import load_sample_sensors

OF_T = ["--stat-type", "t", "--df", "15"]


@pytest.fixture(scope="module")
def study():
    """Return a study of sensors."""
    return load_sample_sensors(n_channels=20)


@pytest.fixture
def t_map(study):
    """Return the t map of the mean."""
    data = study.differences
    return data.mean(0) / (data.std(0, ddof=1) / 4)


@pytest.fixture
def folder(tmp_path, monkeypatch, study, t_map):
    """Return a folder with the map and its neighbours, as the current folder."""
    monkeypatch.chdir(tmp_path)
    np.save("t.npy", t_map)
    save_npz("channels.npz", study.adjacency)
    np.save("dense.npy", study.adjacency.toarray())
    np.savetxt("dense.csv", study.adjacency.toarray(), delimiter=",")
    np.save("regions.npy", (study.effect != 0).astype(int))
    np.save("mask.npy", np.arange(20)[:, np.newaxis] * np.ones(t_map.shape[1]) > 3)
    return tmp_path


def found(run, *arguments):
    """Return the result of a command as data."""
    return json.loads(run(*arguments, "--json").out)


class TestArrays:
    @pytest.mark.parametrize("adjacency", ["channels.npz", "dense.npy", "dense.csv"])
    def test_neighbours_along_one_axis(self, run, refused, folder, study, t_map, adjacency):
        from ari_estimator import ClusterTDPTransformer
        from ari_estimator.graphs import AdjacencyGraph, product

        graph = product(AdjacencyGraph(study.adjacency), t_map.shape[1])
        expected = ClusterTDPTransformer(3, adjacency=graph, stat_type="t", df=15)
        expected.fit(t_map[np.newaxis])
        arguments = ["clusters", "t.npy", "--threshold", "3", "--adjacency", adjacency, *OF_T]
        result = found(run, *arguments)
        assert result["true_discoveries"] == expected.true_discoveries_[0]
        assert len(result["table"]) == len(expected.table_[0])

    def test_results_are_arrays(self, run, refused, folder, t_map):
        run("adaptive", "t.npy", "--adjacency", "lattice", *OF_T, "--tdp", "0.3", "--out", "o")
        tdp = np.load("o/t_stat-tdp_statmap.npy")
        assert tdp.shape == t_map.shape
        assert tdp.max() >= 0.3
        again = run("report", "o/t_ari.npz", "--out", "report.html")
        assert "report.html" in again.out + again.err

    def test_regions_and_masks(self, run, refused, folder):
        whole = found(run, "regions", "t.npy", "--atlas", "regions.npy", *OF_T)
        part = found(run, "regions", "t.npy", "--atlas", "regions.npy", "--mask", "mask.npy", *OF_T)
        assert part["n_tested"] == whole["n_tested"] * 16 // 20

    def test_a_page(self, run, folder):
        given = ["explore", "t.npy", "--adjacency", "lattice", *OF_T]
        assert run(*given, "--out", "page.html").code == 0
        assert "ari.ArrayGrid" in (folder / "page.html").read_text(encoding="utf-8")

    def test_the_table_names_places(self, run, refused, folder):
        text = run("clusters", "t.npy", "--adjacency", "lattice", *OF_T).out
        assert "index_1" in text
        assert "at (mm)" not in text

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["clusters", "t.npy"], "--adjacency must say which elements"),
            (["clusters", "t.npy", "--adjacency", "none.npz"], "does not exist"),
            (["clusters", "t.npy", "--adjacency", "t.npy"], "must be square"),
            (["clusters", "t.npy", "--adjacency", "text.npz"], "of scipy.sparse.save_npz"),
            (["clusters", "t.npy", "t.npy", "--adjacency", "lattice"], "must be one file"),
            (["clusters", "text.npy", "--adjacency", "lattice"], "must be an array of numpy"),
            (["clusters", "t.npy", "--map", "1", "--adjacency", "lattice"], "--map is for files"),
            (["regions", "t.npy", "--atlas", "regions.npy", "--adjacency", "lattice"], "clusters"),
            (["explore", "t.npy"], "--adjacency must say which elements"),
            (["clusters", "t.npy", "--adjacency", "lattice", "--mesh", "t.npy"], "--mesh"),
        ],
    )
    def test_refused(self, run, refused, folder, arguments, message):
        (folder / "text.npz").write_text("no archive")
        (folder / "text.npy").write_text("no array")
        result = refused(*arguments)
        assert message in result

    def test_an_adjacency_of_images_is_refused(self, run, refused, folder, files):
        result = refused("clusters", files.z, "--adjacency", "lattice")
        assert "--adjacency is for arrays" in result


class TestNetworks:
    @pytest.fixture
    def matrix(self, folder):
        z = np.random.default_rng(0).standard_normal((12, 12))
        z[:5, :5] += 7
        z = np.triu(z, 1) + np.triu(z, 1).T
        names = [f"node {k}" for k in range(12)]
        pd.DataFrame(z, columns=names, index=names).to_csv("named.csv")
        pd.DataFrame(z, columns=names).to_csv("columns.tsv", sep="\t", index=False)
        pd.DataFrame(z).to_csv("numbers.csv")
        np.savetxt("plain.csv", z, delimiter=",")
        return z

    @pytest.mark.parametrize("name", ["named.csv", "columns.tsv", "numbers.csv", "plain.csv"])
    def test_edges_are_neighbours_if_they_share_a_node(self, run, refused, matrix, name):
        result = found(run, "clusters", name, "--threshold", "4")
        first = result["table"][0]
        assert (first["n_elements"], first["true_discoveries"]) == (10, 10)
        assert result["n_tested"] == 66
        assert first["peak_from"] in ("0", "1", "2", "3", "4") or "node" in first["peak_from"]

    def test_malformed_matrices(self, run, refused, matrix, folder):
        (folder / "words.csv").write_text("a,b\n1,x\n2,3\n")
        (folder / "wide.csv").write_text("1,2,3\n4,5,6\n")
        (folder / "latin.csv").write_bytes(b"\xe9,b\n1,2\n2,1\n")
        (folder / "long.csv").write_text('"' + "x" * 200_000 + '",1\n')
        matrix[0, 1] += 1
        np.savetxt("skew.csv", matrix, delimiter=",")
        for name, message in (
            ("words.csv", "must be a square matrix"),
            ("wide.csv", "Got shape (2, 3)"),
            ("latin.csv", "must be a table of numbers, as text in UTF-8. Got 'latin.csv'"),
            ("long.csv", "must be a table of numbers, as text in UTF-8. Got 'long.csv'"),
            ("skew.csv", "must be symmetric"),
        ):
            assert message in refused("clusters", name)
        result = refused("clusters", "plain.csv", "--adjacency", "lattice")
        assert "share a node" in result


class TestMne:
    @pytest.fixture
    def files(self, folder, study, t_map):
        mne = pytest.importorskip("mne")
        with mne.use_log_level("ERROR"):
            info = mne.create_info(study.channels, 200.0, "eeg")
            montage = mne.channels.make_dig_montage(study.positions, coord_frame="head")
            info.set_montage(montage)
            evoked = [
                mne.EvokedArray(sign * t_map, info, tmin=-0.1, comment=name)
                for sign, name in ((1, "a - b"), (-1, "b - a"))
            ]
            mne.write_evokeds("t-ave.fif", evoked)
            mne.write_evokeds("one-ave.fif", evoked[:1])
            z = np.random.default_rng(0).standard_normal((84, 20))
            z[:20] += 4
            mne.SourceEstimate(z, [np.arange(42)] * 2, 0, 0.01).save("z")
        return folder

    def test_evoked_responses(self, run, refused, files):
        one = found(run, "clusters", "one-ave.fif", *OF_T)
        by_name = found(run, "clusters", "t-ave.fif", "--map", "a - b", *OF_T)
        by_number = found(run, "clusters", "t-ave.fif", "--map", "0", *OF_T)
        assert one["table"] == by_name["table"] == by_number["table"]
        assert {"peak_channel", "peak_time"} <= set(one["table"][0])
        message = refused("clusters", "t-ave.fif", *OF_T)
        assert "0 'a - b', 1 'b - a'" in message
        assert "must be the number or the name" in refused(
            "clusters", "t-ave.fif", "--map", "c", *OF_T
        )

    def test_source_estimates(self, run, refused, files):
        one = found(run, "clusters", "z-lh.stc")
        pair = found(run, "clusters", "z-lh.stc", "z-rh.stc")
        assert one["table"] == pair["table"]
        assert one["n_tested"] == 84 * 20
        assert one["table"][0]["peak_hemisphere"] == "left"

    def test_files_of_something_else(self, run, refused, files):
        (files / "text.fif").write_text("no fif")
        (files / "text-lh.stc").write_text("no stc")
        assert "evoked responses" in refused("clusters", "text.fif")
        assert "source estimate" in refused("clusters", "text-lh.stc")
