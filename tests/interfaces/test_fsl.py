"""FEAT's maps, clusters and tables."""

import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from nibabel import load, save
from nilearn.image import get_data
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from ari_estimator import AdaptiveTDPTransformer, ClusterTDPTransformer
from ari_estimator.interfaces import (
    StatisticalMap,
    find_feat_tables,
    fsl_tables_with_tdp,
    read_feat,
    read_fsl,
    write_fsl_tdp,
)

from ._files import html_table, table_rows, write_feat


@pytest.fixture
def feat(tmp_path, study):
    """Return a first-level FEAT folder."""
    folder = tmp_path / "run 1.feat"
    write_feat(folder, study)
    return folder


@pytest.fixture
def gfeat(feat):
    """Return a higher-level FEAT folder, of one cope."""
    folder = feat.parent / "group.gfeat"
    folder.mkdir()
    return feat.rename(folder / "cope1.feat")


@pytest.fixture
def expected(study, img_of):
    """Return the transformer of the same arrays, without any files of FSL."""
    ari = ClusterTDPTransformer(
        labels_img=img_of(study.clusters.astype("int32")),
        mask_img=img_of(study.mask.astype("uint8")),
    )
    ari.fit_transform(img_of(study.z.astype("float32")))
    return ari


class TestReading:
    """Maps, masks, clusters and degrees of freedom."""

    def test_clusters_have_the_tdp_of_the_arrays(self, feat, expected):
        stat_map = read_feat(feat)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit_transform(stat_map.stat_img)
        pd.testing.assert_frame_equal(ari.table_, expected.table_)
        assert ari.table_["tdp"].iloc[-2] > 0.5

    def test_t_values_with_dof_give_the_same(self, feat, expected):
        stat_map = read_feat(str(feat), "tstat1")
        assert (stat_map.stat_type, stat_map.df) == ("t", 29.0)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit_transform(stat_map.stat_img)
        columns = ["cluster_id", "n_voxels", "true_discoveries"]
        pd.testing.assert_frame_equal(ari.table_[columns], expected.table_[columns])

    def test_higher_levels_name_their_folders(self, gfeat):
        with pytest.raises(FileNotFoundError, match=r"several analyses.*cope1\.feat"):
            read_feat(gfeat.parent)
        assert read_feat(gfeat).stat_type == "z"

    def test_one_tdof_for_all_voxels_is_taken(self, gfeat, study, img_of):
        dof = np.where(study.mask, 11.0, 0)
        img_of(dof).to_filename(gfeat / "stats" / "tdof_t1.nii.gz")
        assert read_feat(gfeat, "tstat1").df == 11.0

    def test_tdof_that_varies_is_that_of_each_voxel(self, gfeat, study, img_of):
        dof = np.where(study.mask, 11 + np.arange(study.mask.size).reshape(study.mask.shape), 0)
        img_of(dof.astype(float)).to_filename(gfeat / "stats" / "tdof_t1.nii.gz")
        stat_map = read_feat(gfeat, "tstat1")
        assert (stat_map.stat_type, stat_map.df) == ("t", gfeat / "stats" / "tdof_t1.nii.gz")
        tested = ClusterTDPTransformer(3, **stat_map.parameters()).fit(stat_map.stat_img)
        t = stat_map.stat_img.get_fdata()[study.mask]
        expected = stats.t.sf(t, dof[study.mask])
        assert_allclose(tested.maps_.family.p_values, expected, rtol=1e-10)
        assert read_feat(gfeat, "zstat1").df is None

    def test_f_tests_are_z_values_without_a_sign(self, feat):
        stat_map = read_feat(feat, "zfstat1")
        assert (stat_map.stat_type, stat_map.labels_img) == ("z", None)
        with pytest.raises(ValueError, match="two_sided must be False for zfstat"):
            read_feat(feat, "zfstat1", two_sided=True)
        with pytest.raises(ValueError, match="stat must be zfstat1"):
            read_feat(feat, "fstat1")

    def test_adaptive_clusters_take_its_parameters(self, feat):
        stat_map = read_feat(feat, two_sided=True)
        ari = AdaptiveTDPTransformer(0.8, **stat_map.parameters())
        ari.fit_transform(stat_map.stat_img)
        assert (ari.connectivity, ari.two_sided) == (26, True)
        assert set(ari.table_["direction"]) == {"positive", "negative", "rest"}

    def test_files_may_be_given_one_by_one(self, feat, expected, img_of, study):
        for stat_img in (feat / "stats" / "zstat1.nii.gz", img_of(study.z.astype("float32"))):
            stat_map = read_fsl(
                stat_img,
                mask_img=str(feat / "mask.nii.gz"),
                cluster_index=feat / "cluster_mask_zstat1.nii.gz",
            )
            ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
            ari.fit_transform(stat_map.stat_img)
            pd.testing.assert_frame_equal(ari.table_, expected.table_)

    def test_other_formats_of_fsl_are_found(self, feat):
        for name in ("stats/zstat1", "mask", "cluster_mask_zstat1"):
            path = feat / f"{name}.nii.gz"
            save(load(path), feat / f"{name}.img")
            path.unlink()
        stat_map = read_feat(feat)
        assert stat_map.labels_img is not None

    def test_mask_is_what_is_above_zero(self, feat, study, img_of):
        img_of(np.where(study.mask, 3.0, -1)).to_filename(feat / "mask.nii.gz")
        assert_array_equal(get_data(read_feat(feat).mask_img), study.mask)


class TestCopies:
    """Tables with new columns, and the rest as it was."""

    @pytest.fixture
    def ari(self, feat):
        stat_map = read_feat(feat)
        ari = ClusterTDPTransformer(**stat_map.parameters_of_clusters())
        ari.fit_transform(stat_map.stat_img)
        return ari

    def test_text_has_two_columns_more(self, feat, ari, expected):
        copies = fsl_tables_with_tdp(ari, find_feat_tables(feat))
        assert list(copies) == [
            "cluster_zstat1_tdp.txt", "cluster_zstat1_std_tdp.txt",
            "cluster_zstat1_tdp.html", "cluster_zstat1_std_tdp.html",
        ]  # fmt: skip
        table = pd.read_csv(StringIO(copies["cluster_zstat1_tdp.txt"].decode()), sep="\t")
        before = pd.read_csv(feat / "cluster_zstat1.txt", sep="\t")
        assert list(table.columns[4:6]) == ["True Discoveries", "TDP"]
        pd.testing.assert_frame_equal(table.drop(columns=["True Discoveries", "TDP"]), before)
        ours = expected.table_.set_index("cluster_id").loc[table["Cluster Index"]]
        assert table["True Discoveries"].tolist() == ours["true_discoveries"].tolist()
        assert table["TDP"].tolist() == ours["tdp"].tolist()

    @pytest.mark.parametrize("closed", [False, True])
    def test_html_has_two_columns_more(self, feat, ari, study, closed):
        page = html_table(study, "mm", closed=closed)
        path = feat / "cluster_zstat1_std.html"
        path.write_bytes(page.encode("latin-1"))
        copy = fsl_tables_with_tdp(ari, [path])["cluster_zstat1_std_tdp.html"].decode("latin-1")
        header, *rows = pd.read_csv(
            StringIO(fsl_tables_with_tdp(ari, [feat / "cluster_zstat1.txt"])
                     ["cluster_zstat1_tdp.txt"].decode()), sep="\t", header=None, dtype=str,
        ).to_numpy().tolist()  # fmt: skip
        first_table = copy[copy.index("<TABLE") : copy.index("</TABLE>")]
        lines = [line for line in first_table.splitlines() if line.startswith("<tr")]
        assert len(lines) == len(rows) + 1
        cells = [re.split("<t[hd]>", line.replace("</tr>", ""))[1:] for line in lines]
        assert all(cell.endswith(("</th>", "</td>")) == closed for row in cells for cell in row)
        cells = [[re.sub("</t[hd]>", "", cell) for cell in row] for row in cells]
        assert cells[0][:6] == header[:6]
        assert "(mm)" in cells[0][7]
        for of_page, of_text in zip(cells[1:], rows, strict=True):
            assert of_page[:5] == of_text[:5]
            assert of_page[6:] == of_text[6:]
            assert 0 <= float(of_text[5]) - float(of_page[5]) < 1e-4
        # What was added, taken away again, leaves the page as it was.
        for added in re.findall(r"<p>True Discoveries: .*</p>\n", copy):
            copy = copy.replace(added, "")
        for k, (line, row) in enumerate(zip(lines, cells, strict=True)):
            tag = "th" if k == 0 else "td"
            end = f"</{tag}>" if closed else ""
            new = "".join(f"<{tag}>{cell}{end}" for cell in row[4:6])
            assert line.count(new) == 1
            copy = copy.replace(line, line.replace(new, ""))
        assert copy == page

    def test_page_says_what_the_columns_are(self, feat):
        stat_map = read_feat(feat, two_sided=True)
        ari = ClusterTDPTransformer(
            alpha=0.1, local_test="hommel", **stat_map.parameters_of_clusters()
        )
        ari.fit_transform(stat_map.stat_img)
        (page,) = fsl_tables_with_tdp(ari, [feat / "cluster_zstat1.html"]).values()
        assert b"With 90 % confidence" in page
        assert b"Hommel local test, two-sided p-values" in page

    def test_tables_without_p_values_and_with_trailing_tabs(self, feat, ari, study):
        header, rows = table_rows(study, "vox")
        lines = ["\t".join(row[:2] + row[4:]) + "\t\r\n" for row in [header, *rows]]
        path = feat / "own.txt"
        path.write_bytes(("".join(lines) + "\r\n").encode())
        copy = fsl_tables_with_tdp(ari, [path])["own_tdp.txt"].decode()
        assert copy.startswith("Cluster Index\tVoxels\tTrue Discoveries\tTDP\tZ-MAX\t")
        assert copy.count("\t\r\n") == len(rows) + 1
        assert copy.endswith("\r\n\r\n")

    @pytest.mark.parametrize("name", ["cluster_zstat1.txt", "cluster_zstat1.html"])
    @pytest.mark.parametrize(
        ("change", "match"),
        [
            ("fewer", r"list the same clusters.*none in the table only, 1 in the image only"),
            ("more", r"list the same clusters.*99 in the table only, none in the image only"),
            ("size", r"cluster 1 has 7777 voxels. Got \d+ tested voxels"),
            ("index", r"the index and the size of each cluster, as integers"),
        ],
    )
    def test_tables_of_other_clusters_are_refused(self, feat, ari, study, name, change, match):
        path = feat / name
        lines = path.read_bytes().decode("latin-1").splitlines()
        n_voxels = (study.clusters == 1).sum()
        start = "1\t" if path.suffix == ".txt" else "<tr align=center><td>1<td>"
        at = next(k for k, line in enumerate(lines) if line.startswith(start))
        if change == "fewer":
            del lines[at]
        elif change == "more":
            lines.insert(at, lines[at].replace("1", "99", 1))
        elif change == "size":
            lines[at] = lines[at].replace(str(n_voxels), "7777", 1)
        else:
            lines[at] = lines[at].replace("1", "one", 1)
        path.write_bytes("\n".join(lines).encode("latin-1"))
        with pytest.raises(ValueError, match=match) as info:
            fsl_tables_with_tdp(ari, [path])
        assert name in str(info.value)

    def test_what_is_no_table_is_refused(self, feat, ari):
        for name, content, match in [
            ("a.txt", b"", "must be a cluster table of FSL"),
            ("b.txt", b"sub\tage\n01\t20\n", "must be a cluster table of FSL.*Got 'sub, age'"),
            ("c.html", b"<p>Cluster Index Voxels</p>", "must have a table of clusters"),
            ("d.txt", b"\x00\x01\x02", "must be a text file. Got binary data"),
        ]:
            (feat / name).write_bytes(content)
            with pytest.raises(ValueError, match=match):
                fsl_tables_with_tdp(ari, [feat / name])
        with pytest.raises(FileNotFoundError, match=r"cluster table does not exist.*none\.txt"):
            fsl_tables_with_tdp(ari, [feat / "none.txt"])
        with pytest.raises(IsADirectoryError, match=r"cluster table must be a file.*stats"):
            fsl_tables_with_tdp(ari, [feat / "stats"])

    def test_copies_of_copies_are_refused(self, feat, ari):
        for path in find_feat_tables(feat):
            for name, copy in fsl_tables_with_tdp(ari, [path]).items():
                (feat / name).write_bytes(copy)
                with pytest.raises(ValueError, match="already has a column 'TDP'"):
                    fsl_tables_with_tdp(ari, [feat / name])


class TestWriting:
    """All files at once, and the originals as they were."""

    def test_files_are_written_beside_the_originals(self, feat, expected):
        before = {path: path.read_bytes() for path in feat.rglob("*") if path.is_file()}
        ari, files = write_fsl_tdp(read_feat(feat), feat, tables=find_feat_tables(feat))
        assert all(path.read_bytes() == content for path, content in before.items())
        assert {path for path in feat.rglob("*") if path.is_file()} == {*before, *files.values()}
        assert len(files) == 9
        tdp = get_data(load(files["TDP image"]))
        labels = get_data(expected.labels_img_)
        for _, row in expected.table_.iloc[:-1].iterrows():
            assert (tdp[labels == row["cluster_id"]] == row["tdp"]).all()
        assert (tdp[labels == 0] == 0).all()
        table = pd.read_csv(files["table"], sep="\t")
        assert table["true_discoveries"].tolist() == ari.table_["true_discoveries"].tolist()

    def test_existing_files_stay(self, feat, tmp_path):
        out = tmp_path / "new" / "out"
        write_fsl_tdp(read_feat(feat), out)
        content = (out / "zstat1_clusters.tsv").read_bytes()
        with pytest.raises(FileExistsError, match="exists already"):
            write_fsl_tdp(read_feat(feat), out, alpha=0.5)
        assert (out / "zstat1_clusters.tsv").read_bytes() == content
        write_fsl_tdp(read_feat(feat), out, alpha=0.5, overwrite=True)
        assert (out / "zstat1_clusters.tsv").read_bytes() != content

    def test_a_bad_table_leaves_nothing_behind(self, feat, tmp_path):
        out = tmp_path / "out"
        (feat / "cluster_zstat1.txt").write_text("sub\n")
        with pytest.raises(ValueError, match="must be a cluster table"):
            write_fsl_tdp(read_feat(feat), out, tables=find_feat_tables(feat))
        assert not out.exists()

    def test_tables_of_one_name_are_refused(self, feat, tmp_path):
        tables = [feat / "cluster_zstat1.txt", feat.parent / "cluster_zstat1.txt"]
        tables[1].write_bytes(tables[0].read_bytes())
        with pytest.raises(ValueError, match="must have different names"):
            write_fsl_tdp(read_feat(feat), tmp_path / "out", tables=tables)

    def test_no_clusters_is_said(self, feat, study, img_of):
        img_of(np.zeros(study.z.shape)).to_filename(feat / "cluster_mask_zstat1.nii.gz")
        with pytest.raises(ValueError, match="no clusters of zstat1: the image of clusters is 0"):
            write_fsl_tdp(read_feat(feat), feat)
        (feat / "cluster_mask_zstat1.nii.gz").unlink()
        with pytest.raises(ValueError, match="no clusters of zstat1: no image of them"):
            write_fsl_tdp(read_feat(feat), feat)


class TestReference:
    """A map whose clusters were given to ARIbrain."""

    @pytest.mark.parametrize("alpha", ["0.05", "0.10"])
    def test_tables_have_the_numbers_of_aribrain(self, shared_path, tmp_path, alpha):
        reference = pd.read_csv(shared_path("reference", "ari_auditory.tsv"), sep="\t")
        rows = reference[reference["case"] == f"ext_file32_alpha{alpha}"].set_index("cluster")
        rows = rows.drop(index="cl0")
        lines = [["Cluster Index", "Voxels", "Z-MAX"]] + [
            [name.removeprefix("cl"), str(row["Size"]), str(row["Stat"])]
            for name, row in rows.iterrows()
        ]
        table = tmp_path / "cluster_zstat.txt"
        table.write_text("".join("\t".join(line) + "\n" for line in lines))
        stat_map = read_fsl(
            shared_path("data", "auditory_z", "zstat.nii.gz"),
            mask_img=shared_path("data", "auditory_z", "mask.nii.gz"),
            cluster_index=shared_path("data", "auditory_z", "cluster_th_3.2.nii.gz"),
        )
        _, files = write_fsl_tdp(stat_map, tmp_path, tables=[table], alpha=float(alpha))
        copy = pd.read_csv(files["copy of cluster_zstat.txt"], sep="\t")
        assert len(copy) == len(rows) > 10
        assert copy["True Discoveries"].tolist() == rows["FalseNull"].tolist()
        np.testing.assert_allclose(copy["TDP"], rows["ActiveProp"], rtol=1e-12)


class TestBadFiles:
    """One clear message, which names the file."""

    @pytest.mark.parametrize("name", ["stats/zstat1", "mask", "cluster_mask_zstat1"])
    @pytest.mark.parametrize("kind", ["text", "text in gzip", "truncated", "empty"])
    def test_damaged_images(self, feat, damage, name, kind):
        damage(feat / f"{name}.nii.gz", kind)
        with pytest.raises(
            ValueError, match=r"cannot be read: .* is of another format, damaged"
        ) as info:
            read_feat(feat)
        assert f"{name}.nii.gz" in str(info.value)

    def test_missing_files(self, feat, damage):
        with pytest.raises(FileNotFoundError, match=r"no zstat2 in .*tstat1, zfstat1, zstat1"):
            read_feat(feat, "zstat2")
        damage(feat / "mask.nii.gz", "missing")
        with pytest.raises(FileNotFoundError, match="no mask in"):
            read_feat(feat)

    def test_folders_in_place_of_files_and_the_reverse(self, feat, damage):
        damage(feat / "stats" / "zstat1.nii.gz", "folder")
        with pytest.raises(IsADirectoryError, match=r"statistical map must be a file.*zstat1"):
            read_feat(feat)
        with pytest.raises(NotADirectoryError, match=r"FEAT folder must be a folder\. Got a file"):
            read_feat(feat / "mask.nii.gz")
        with pytest.raises(FileNotFoundError, match=r"FEAT folder does not exist.*none\.feat"):
            read_feat(feat.parent / "none.feat")
        with pytest.raises(FileNotFoundError, match=r"no folder stats in .*it is not a FEAT"):
            read_feat(feat.parent)

    @pytest.mark.parametrize("content", ["", "many", "3 4", "-2", "0", "nan", "inf"])
    def test_wrong_dof(self, feat, content):
        (feat / "stats" / "dof").write_text(content)
        with pytest.raises(ValueError, match=r"stats/dof' must hold"):
            read_feat(feat, "tstat1")
        (feat / "stats" / "dof").unlink()
        with pytest.raises(FileNotFoundError, match=r"degrees of freedom does not exist.*dof"):
            read_feat(feat, "tstat1")

    @pytest.mark.parametrize("stat", ["zstat", "cope1", "zstat0", "../zstat1", "ZSTAT1"])
    def test_names_that_are_no_maps(self, feat, stat):
        with pytest.raises(ValueError, match="stat must be the name of one of FEAT's maps"):
            read_feat(feat, stat)

    def test_several_volumes(self, feat, study, img_of):
        img_of(np.stack([study.z, study.z], -1)).to_filename(feat / "stats" / "zstat1.nii.gz")
        with pytest.raises(ValueError, match=r"must be one volume. Got shape \(12, 11, 10, 2\)"):
            read_feat(feat)

    def test_empty_mask(self, feat, study, img_of):
        img_of(np.zeros(study.z.shape)).to_filename(feat / "mask.nii.gz")
        with pytest.raises(ValueError, match="mask must hold at least one voxel"):
            read_feat(feat)

    def test_no_path(self):
        with pytest.raises(TypeError, match=r"statistical map must be a path\. Got int"):
            read_fsl(3)

    def test_df_that_do_not_go_with_the_map(self, study, img_of):
        with pytest.raises(ValueError, match="'df' must be one number"):
            read_fsl(img_of(study.t), stat_type="t")
        with pytest.raises(ValueError, match="'df' must be None for stat_type='z'"):
            StatisticalMap(img_of(study.z), df=3)


class TestDeclared:
    """What the names of files say."""

    def test_a_t_map_without_degrees_of_freedom_is_refused(self, img_of, study, tmp_path):
        img_of(np.where(study.mask, 1.5, 0)).to_filename(tmp_path / "tstat1.nii.gz")
        with pytest.raises(ValueError, match=r"'df' must be one number.*tdof_t1"):
            read_fsl(tmp_path / "tstat1.nii.gz")

    def test_a_t_map_with_degrees_of_freedom_of_each_voxel_stays_one(self, img_of, study, tmp_path):
        img_of(np.where(study.mask, study.t, 0)).to_filename(tmp_path / "tstat1.nii.gz")
        dof_img = img_of(np.where(study.mask, 12.0, 0))
        stat_map = read_fsl(
            tmp_path / "tstat1.nii.gz", df=dof_img, mask_img=img_of(study.mask.astype(float))
        )
        assert (stat_map.stat_type, stat_map.df) == ("t", dof_img)
        ari = ClusterTDPTransformer(**stat_map.parameters()).fit(stat_map.stat_img)
        assert ari.maps_.describe()["statistic"]["said_by"] == (
            "the name 'tstat1.nii.gz' of the file (t values, converted to z values with the "
            "degrees of freedom of each element)"
        )

    def test_a_map_that_is_called_otherwise_is_warned_of(self, img_of, study, tmp_path):
        rng = np.random.default_rng(0)
        values = rng.standard_normal(study.mask.shape)
        img_of(np.where(study.mask, values, 0)).to_filename(tmp_path / "tstat1.nii.gz")
        stat_map = read_fsl(tmp_path / "tstat1.nii.gz", stat_type="z")
        with pytest.warns(UserWarning, match="holds t values, as the name 'tstat1.nii.gz'"):
            ClusterTDPTransformer(**stat_map.parameters()).fit(stat_map.stat_img)

    def test_effects_are_refused(self, img_of, study, tmp_path):
        img_of(np.where(study.mask, 1.5, 0)).to_filename(tmp_path / "cope1.nii.gz")
        with pytest.raises(ValueError, match="The map holds effects"):
            read_fsl(tmp_path / "cope1.nii.gz")
