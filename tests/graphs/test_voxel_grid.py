"""Neighbours in a mask, and connected components, against a flood fill voxel by voxel."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_array_equal
from scipy import ndimage

from ari_estimator.graphs import VoxelGrid
from ari_estimator.graphs._voxel_grid import places_of

CONNECTIVITIES = [6, 18, 26]

STEPS = [step for step in product((-1, 0, 1), repeat=3) if any(step)]

# How many coordinates may change from a voxel to its neighbour.
LARGEST_N_CHANGES = {6: 1, 18: 2, 26: 3}


def neighbour_steps(connectivity):
    return [step for step in STEPS if np.abs(step).sum() <= LARGEST_N_CHANGES[connectivity]]


def flood_fill(mask, selected, connectivity):
    """Return labels in the C order of the mask, by visiting voxels one after the other."""
    volume = np.zeros(mask.shape, dtype=bool)
    volume[mask] = selected
    labels = np.zeros(mask.shape, dtype=int)
    n_components = 0
    for start in np.argwhere(volume):
        if labels[tuple(start)]:
            continue
        n_components += 1
        labels[tuple(start)] = n_components
        open_ends = [start]
        while open_ends:
            voxel = open_ends.pop()
            for step in neighbour_steps(connectivity):
                other = voxel + step
                if (other < 0).any() or (other >= mask.shape).any():
                    continue
                if volume[tuple(other)] and not labels[tuple(other)]:
                    labels[tuple(other)] = n_components
                    open_ends.append(other)
    return labels[mask], n_components


def neighbouring_pairs(mask, selected, connectivity):
    """Return pairs of positions in the C order of the mask, by looking around each voxel."""
    volume = np.zeros(mask.shape, dtype=bool)
    volume[mask] = selected
    positions = {tuple(voxel): position for position, voxel in enumerate(np.argwhere(mask))}
    pairs = set()
    for voxel in map(tuple, np.argwhere(volume)):
        for step in neighbour_steps(connectivity):
            other = tuple(np.add(voxel, step))
            if other in positions and volume[other]:
                pairs.add(tuple(sorted((positions[voxel], positions[other]))))
    return [list(pair) for pair in sorted(pairs)]


@st.composite
def masks_and_selections(draw):
    mask = draw(arrays(bool, array_shapes(min_dims=3, max_dims=3, max_side=5)))
    return mask, draw(arrays(bool, int(mask.sum())))


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@pytest.mark.parametrize("step", STEPS)
def test_voxels_are_neighbours_by_face_edge_or_corner(step, connectivity):
    volume = np.zeros((3, 3, 3), dtype=bool)
    volume[1, 1, 1] = volume[tuple(np.add(1, step))] = True
    grid = VoxelGrid(np.ones_like(volume), connectivity)
    _, n_components = grid.components(volume.ravel())
    assert n_components == (1 if step in neighbour_steps(connectivity) else 2)


@given(masks_and_selections(), st.sampled_from(CONNECTIVITIES))
@settings(max_examples=300)
def test_components_equal_flood_fill(mask_and_selection, connectivity):
    mask, selected = mask_and_selection
    labels, n_components = VoxelGrid(mask, connectivity).components(selected)
    expected, n_expected = flood_fill(mask, selected, connectivity)
    assert n_components == n_expected
    assert_array_equal(labels, expected)


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
def test_components_equal_flood_fill_on_a_larger_grid(connectivity):
    rng = np.random.default_rng(0)
    mask = rng.random((9, 10, 11)) < 0.8
    selected = rng.random(int(mask.sum())) < {6: 0.4, 18: 0.18, 26: 0.12}[connectivity]
    labels, n_components = VoxelGrid(mask, connectivity).components(selected)
    expected, n_expected = flood_fill(mask, selected, connectivity)
    # Not one giant component, and not single voxels only.
    assert 20 < n_components < 0.8 * selected.sum()
    assert n_components == n_expected
    assert_array_equal(labels, expected)


def test_components_do_not_cross_voxels_outside_the_mask():
    mask = np.array([[[True, False, True]]])
    labels, n_components = VoxelGrid(mask, 26).components([True, True])
    assert labels.tolist() == [1, 2]
    assert n_components == 2


def test_components_do_not_wrap_around_the_edges_of_the_grid():
    # The end of one row and the start of the next are neighbours in memory alone.
    volume = np.array([[[False, True], [True, False]]])
    labels, n_components = VoxelGrid(np.ones_like(volume), 6).components(volume.ravel())
    assert labels.tolist() == [0, 1, 2, 0]
    assert n_components == 2


@pytest.mark.parametrize(
    ("selected", "expected"),
    [([False] * 8, ([0] * 8, 0)), ([True] * 8, ([1] * 8, 1))],
    ids=["none", "all"],
)
def test_components_of_nothing_and_of_everything(selected, expected):
    labels, n_components = VoxelGrid(np.ones((2, 2, 2), dtype=bool)).components(selected)
    assert (labels.tolist(), n_components) == expected


def test_default_neighbours_share_a_face():
    assert VoxelGrid(np.ones((2, 2, 2), dtype=bool)).connectivity == 6


@pytest.mark.parametrize("connectivity", [7, 0, -6, "6", None])
def test_unknown_connectivity_is_refused(connectivity):
    with pytest.raises(
        ValueError, match=rf"connectivity must be 6, 18 or 26\. Got {connectivity!r}"
    ):
        VoxelGrid(np.ones((2, 2, 2), dtype=bool), connectivity)


@pytest.mark.parametrize("shape", [(8,), (2, 4), (2, 2, 2, 1)])
def test_mask_that_is_not_three_dimensional_is_refused(shape):
    with pytest.raises(ValueError, match=r"three-dimensional array of booleans\. Got shape"):
        VoxelGrid(np.ones(shape, dtype=bool))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", "object"])
def test_mask_that_is_not_boolean_is_refused(dtype):
    with pytest.raises(ValueError, match=rf"array of booleans\. Got .* of {dtype}"):
        VoxelGrid(np.ones((2, 2, 2), dtype=dtype))


@pytest.mark.parametrize("n_selected", [1, 7, 9])
def test_selection_of_another_length_than_the_mask_is_refused(n_selected):
    grid = VoxelGrid(np.ones((2, 2, 2), dtype=bool))
    with pytest.raises(ValueError, match=f"{n_selected}"):
        grid.components([True] * n_selected)
    with pytest.raises(ValueError, match=f"{n_selected}"):
        grid.edges([True] * n_selected)


@given(masks_and_selections(), st.sampled_from(CONNECTIVITIES))
@settings(max_examples=200)
def test_edges_are_all_pairs_of_neighbours_once_in_ascending_order(
    mask_and_selection, connectivity
):
    mask, selected = mask_and_selection
    edges = VoxelGrid(mask, connectivity).edges(selected)
    assert edges.dtype == np.intp
    assert edges.shape[1:] == (2,)
    assert edges.tolist() == neighbouring_pairs(mask, selected, connectivity)


@pytest.mark.parametrize(("connectivity", "n_edges"), [(6, 54), (18, 126), (26, 158)])
def test_number_of_edges_of_a_full_cube(connectivity, n_edges):
    # 3 * 18 through faces, 6 * 12 through edges, 4 * 8 through corners.
    edges = VoxelGrid(np.ones((3, 3, 3), dtype=bool), connectivity).edges([True] * 27)
    assert len(edges) == n_edges


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
def test_edges_do_not_depend_on_where_in_the_grid_the_selected_voxels_are(connectivity):
    volume = np.random.default_rng(0).random((4, 3, 5)) < 0.5
    edges = VoxelGrid(volume, connectivity).edges(np.ones(int(volume.sum()), dtype=bool))
    mask = np.pad(volume, [(7, 2), (0, 3), (5, 0)])
    grid = VoxelGrid(np.ones_like(mask), connectivity)
    positions = np.flatnonzero(mask)
    assert_array_equal(grid.edges(mask.ravel()), positions[edges])


def test_nodes_are_the_voxels_of_the_mask():
    assert VoxelGrid(np.array([[[True, False, True]]])).n_nodes == 2


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
@pytest.mark.parametrize("share", [0.002, 0.1, 0.5, 1])
@pytest.mark.parametrize("shape", [(90, 80, 90), (3, 300, 700)])
def test_components_of_a_large_volume_are_those_of_scipy(shape, share, connectivity):
    """Such a volume is labelled slab by slab."""
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, dtype=bool)
    mask[1:, 2:-3] = rng.random(mask[1:, 2:-3].shape) < 0.95
    volume = np.zeros(shape, dtype=bool)
    # Nothing is selected in the planes in the middle.
    volume[: shape[0] // 2 - 1] = volume[shape[0] // 2 + 5 :] = True
    volume &= mask & (rng.random(shape) < share)
    structure = ndimage.generate_binary_structure(3, LARGEST_N_CHANGES[connectivity])
    expected, n_expected = ndimage.label(volume, structure)
    labels, n_components = VoxelGrid(mask, connectivity).components(volume[mask])
    assert n_components == n_expected
    assert labels.dtype == np.int32
    assert_array_equal(labels, expected[mask])


def test_components_of_a_snake_through_all_slabs():
    mask = np.ones((300, 40, 50), dtype=bool)
    volume = np.zeros(mask.shape, dtype=bool)
    volume[:, ::8, 5] = True
    volume[0, :, 5] = True
    labels, n_components = VoxelGrid(mask).components(volume.ravel())
    assert n_components == 1
    assert_array_equal(labels, volume.ravel())


@pytest.mark.parametrize("order", ["C", "F"])
def test_places_of_voxels(order):
    rng = np.random.default_rng(0)
    mask = np.asarray(rng.random((7, 5, 6)) < 0.5, order=order)
    mask[3] = False
    places = np.flatnonzero(mask)
    for elements in ([], [0], np.arange(places.size), rng.integers(0, places.size, 50)):
        elements = np.array(elements, dtype=int)
        assert_array_equal(places_of(mask, elements), places[elements])
