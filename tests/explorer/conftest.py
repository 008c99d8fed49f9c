"""A small map, its page, and a browser to open it in."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from nibabel import Nifti1Image
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, LabelAxis, ScalarAxis
from nilearn.surface import InMemoryMesh, PolyMesh, SurfaceImage
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from ari_estimator import AdaptiveTDPTransformer, explore


@pytest.fixture(scope="session")
def small_map():
    """Return a z map of 3 mm with clusters of both signs, ties and an atlas, and its mask."""
    rng = np.random.default_rng(7)
    shape = (14, 12, 10)
    noise = gaussian_filter(rng.standard_normal(shape), 0.8)
    z = noise / noise.std()
    z[2:6, 2:6, 2:6] += 5
    z[3:5, 3:5, 7:9] += 3.5
    z[9:12, 7:10, 3:7] -= 4.5
    z[8:12, 2:5, 2:5] += 3
    # To two decimals and cut off, many voxels are tied, peaks too.
    z = np.clip(np.round(z, 2), -4.5, 5)
    mask = np.ones(shape, dtype=np.uint8)
    mask[0] = mask[:, -1] = 0
    affine = np.array([[-3.0, 0, 0, 20], [0, 3, 0, -15], [0, 0, 3.0, -9], [0, 0, 0, 1]])
    atlas = np.ones(shape, dtype=np.int32)
    atlas[7:] = 4
    atlas[:, :, 8:] = 0
    return tuple(Nifti1Image(data, affine) for data in (z, mask, atlas))


@pytest.fixture(scope="session")
def fitted(small_map):
    """Return what Python finds in the small map."""
    z_img, mask_img, _ = small_map
    ari = AdaptiveTDPTransformer(0.7, mask_img=mask_img, two_sided=True)
    ari.fit_transform(z_img)
    return ari


@pytest.fixture(scope="session")
def page_file(small_map, fitted, tmp_path_factory):
    """Return the page of the small map, as a file."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    names = ["first <b>half</b>", "second, half"]
    explore(fitted, labels_img=small_map[2], labels=names, title="Small map", output_file=path)
    return path


def _ball(n_vertices, centre):
    """Return a mesh of a ball, with triangles that are seen counterclockwise from outside."""
    k = np.arange(n_vertices)
    z = 1 - (2 * k + 1) / n_vertices
    angle = k * np.pi * (3 - np.sqrt(5))
    points = np.column_stack([*(np.sqrt(1 - z**2) * f(angle) for f in (np.cos, np.sin)), z])
    faces = ConvexHull(points).simplices
    corners = points[faces]
    is_turned = np.linalg.det(corners) < 0
    faces[is_turned] = faces[is_turned, ::-1]
    return (points * [20, 35, 25] + centre).astype(np.float32), faces.astype(np.int32)


@pytest.fixture(scope="session")
def small_surface():
    """Return a z map on two balls, with clusters of both signs and ties; its mask; an atlas."""
    rng = np.random.default_rng(11)
    meshes, data = {}, {name: {} for name in ("z", "mask", "atlas")}
    for hemisphere, n_vertices, x in (("left", 420, -22.5), ("right", 380, 22.5)):
        points, faces = _ball(n_vertices, [x, -10.3, 15.1])
        z = rng.standard_normal(n_vertices)
        for sign in (1, -1, 1):
            seed = points[rng.integers(n_vertices)]
            near = ((points - seed) ** 2).sum(axis=1)
            z += sign * 6 * np.exp(-near / 2 / rng.uniform(6, 11) ** 2)
        meshes[hemisphere] = InMemoryMesh(points, faces)
        data["z"][hemisphere] = np.clip(np.round(z, 2), -5, 5)
        data["mask"][hemisphere] = points[:, 2] > -4
        data["atlas"][hemisphere] = np.where(points[:, 1] > 0, 3, 1) * (points[:, 2] > 5)
    return tuple(SurfaceImage(PolyMesh(**meshes), parts) for parts in data.values())


@pytest.fixture(scope="session")
def fitted_surface(small_surface):
    """Return what Python finds on the small surface."""
    z_img, mask_img, _ = small_surface
    ari = AdaptiveTDPTransformer(0.7, mask_img=mask_img, two_sided=True)
    ari.fit_transform(z_img)
    return ari


@pytest.fixture(scope="session")
def surface_file(small_surface, fitted_surface, tmp_path_factory):
    """Return the page of the small surface, as a file, with other meshes to draw on."""
    path = tmp_path_factory.mktemp("page") / "surface.html"
    z_img, _, atlas_img = small_surface
    rounder = {
        name: InMemoryMesh((mesh.coordinates * [2, 1, 1]).astype(np.float32), mesh.faces)
        for name, mesh in z_img.mesh.parts.items()
    }
    explore(
        fitted_surface, surf_mesh=rounder, labels_img=atlas_img, labels=["low", "<i>high</i>"],
        title="Small surface", output_file=path,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def small_cifti(small_surface):
    """Return a z map on two balls and in two boxes of voxels; a label image; meshes."""
    rng = np.random.default_rng(23)
    surface_img, mask_img, atlas_img = small_surface
    axes, z, labels = [], [], []
    for hemisphere in ("left", "right"):
        # Not all vertices, as in the files of the HCP.
        mask = mask_img.data.parts[hemisphere]
        vertices = np.flatnonzero(mask)
        structure = f"CORTEX_{hemisphere.upper()}"
        axes.append(BrainModelAxis.from_surface(vertices, mask.size, structure))
        z.append(surface_img.data.parts[hemisphere][mask])
        labels.append(atlas_img.data.parts[hemisphere][mask])
    shape, affine = (14, 12, 10), np.array(
        [[-3.0, 0, 0, 20], [0, 3, 0, -25], [0, 0, 3, -9], [0, 0, 0, 1]]
    )  # fmt: skip
    for structure, x, label in (("THALAMUS_RIGHT", 2, 5), ("THALAMUS_LEFT", 8, 7)):
        mask = np.zeros(shape, dtype=bool)
        mask[x : x + 4, 3:9, 2:8] = True
        axes.append(BrainModelAxis.from_mask(mask, affine=affine, name=structure))
        noise = rng.standard_normal(mask.sum())
        centre = np.abs(np.argwhere(mask) - [x + 1.5, 5.5, 4.5]).max(axis=1) < 2
        z.append(noise + 4 * centre * (1 if x > 5 else -1))
        labels.append(np.full(mask.sum(), label))
    models = sum(axes[1:], axes[0])
    z = np.round(np.concatenate(z), 2).astype(np.float32)
    names = {0: "???", 1: "low", 3: "<i>high</i>", 5: "right box", 7: "left box"}
    table = {key: (name, (0.5, 0.5, 0.5, 1.0)) for key, name in names.items()}
    return (
        Cifti2Image(z[np.newaxis], (ScalarAxis(["z"]), models)),
        Cifti2Image(
            np.concatenate(labels)[np.newaxis].astype(np.int32),
            (LabelAxis(["atlas"], [table]), models),
        ),
        surface_img.mesh,
    )


@pytest.fixture(scope="session")
def fitted_cifti(small_cifti):
    """Return what Python finds in the small CIFTI map."""
    z_img, _, mesh = small_cifti
    ari = AdaptiveTDPTransformer(0.7, mesh=mesh, two_sided=True)
    ari.fit_transform(z_img)
    return ari


@pytest.fixture(scope="session")
def cifti_file(small_cifti, fitted_cifti, tmp_path_factory):
    """Return the page of the small CIFTI map, as a file, with names from its label image."""
    path = tmp_path_factory.mktemp("page") / "cifti.html"
    explore(fitted_cifti, labels_img=small_cifti[1], title="Small cifti", output_file=path)
    return path


@contextmanager
def _opener(browser):
    """Give a function that opens a file; whatever it reports as wrong fails in the end."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, color_scheme="dark", accept_downloads=True
    )
    context.set_default_timeout(20_000)
    context.set_offline(True)
    wrong = []

    def open_file(path, state=""):
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: _note_request(request.url, wrong))
        page.goto(path.as_uri() + state)
        page.evaluate("ari.started")
        return page

    yield open_file
    context.close()
    assert wrong == []


def _note_request(url, wrong):
    if not url.startswith(("file:", "blob:", "data:")):
        wrong.append(f"request of {url}")


@pytest.fixture
def open_page(browser):
    """Return a function that opens a file."""
    with _opener(browser) as open_file:
        yield open_file


@pytest.fixture
def page(open_page, page_file):
    """Return the page of the small map, opened."""
    return open_page(page_file)


@pytest.fixture(scope="module")
def used_page(browser, page_file):
    """Return the page of the small map as other tests have left it, for those that ask it."""
    with _opener(browser) as open_file:
        yield open_file(page_file)
