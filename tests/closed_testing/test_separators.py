"""Bounds by cluster extents never exceed the smallest k-separator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter

from ari_estimator.closed_testing import ClusterExtentBounds, SupraThresholdGraph
from ari_estimator.closed_testing._isoperimetric_kernels import densest_components

from ._k_separators import graph_of, isoperimetric_bound, n_packed, smallest_separators


def bounds_of(graph, k):
    return ClusterExtentBounds(np.linspace(0, 1, max(graph.n_elements, 2)), graph, k)


def bound(graph, k):
    """Return the bound of all elements."""
    return ClusterExtentBounds(np.full(graph.n_elements, 0.5), graph, k).of_set()


def random_masks(seed, n_masks, largest):
    """Yield masks of a few voxels, some full and some scattered, in small boxes."""
    rng = np.random.default_rng(seed)
    n = 0
    while n < n_masks:
        mask = rng.random(rng.integers(1, 5, size=3)) < rng.choice([0.3, 0.5, 0.8, 1])
        if 0 < mask.sum() <= largest:
            n += 1
            yield mask


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_bounds_of_small_graphs_are_the_smallest_separators(connectivity):
    """600 masks with every k, more than 5,000 problems for each number of neighbours."""
    for mask in random_masks(connectivity, 600, 12):
        graph = graph_of(mask, connectivity)
        smallest = smallest_separators(graph.n_above, graph.edges)
        assert_array_equal([bound(graph, k) for k in range(smallest.size)], smallest)


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_bounds_of_larger_graphs_do_not_exceed_the_smallest_separators(connectivity):
    """With more than 12 voxels, the search stops early, and other bounds may be larger."""
    rng = np.random.default_rng(connectivity)
    shapes = [(3, 3, 2), (18, 1, 1), (9, 2, 1), (6, 3, 1), (3, 3, 3), (3, 4, 2), (5, 4, 1)]
    for number in range(14):
        mask = np.ones(shapes[number % len(shapes)], dtype=bool)
        mask.ravel()[rng.permutation(mask.size)[13 + number % 5 :]] = False
        graph = graph_of(mask, connectivity)
        smallest = smallest_separators(graph.n_above, graph.edges)
        found = np.array([bound(graph, k) for k in range(smallest.size)])
        assert (found <= smallest).all(), mask
        assert_array_equal(found > 0, smallest > 0)
        assert_array_equal(found > 1, smallest > 1)


def test_packing_and_isoperimetric_bounds_alone_do_not_exceed_the_smallest_separators():
    """They bound larger components, for which no smallest separator is known."""
    is_larger = 0
    for mask in random_masks(0, 800, 13):
        graph = graph_of(mask)
        smallest = smallest_separators(graph.n_above, graph.edges)
        for k in range(1, smallest.size):
            packed, isoperimetric = n_packed(graph, k), isoperimetric_bound(graph, k)
            assert packed <= smallest[k], mask
            assert isoperimetric <= smallest[k], mask
            is_larger += isoperimetric > packed
    assert is_larger > 50


@given(st.data())
@settings(max_examples=150)
def test_bounds_hold_in_any_graph(data):
    n = data.draw(st.integers(1, 11))
    pairs = np.column_stack(np.triu_indices(n, 1))
    chosen = data.draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    edges = pairs[np.array(chosen, dtype=bool)]
    graph = SupraThresholdGraph(n, np.arange(n), edges, None, 0.01, "a graph")
    assert_array_equal([bound(graph, k) for k in range(n + 1)], smallest_separators(n, edges))


@given(st.data())
@settings(max_examples=60)
def test_bounds_of_parts_do_not_exceed_the_bound_of_the_smallest_separator(data):
    """A set has the separators of its own part, whatever else is in the map."""
    mask = np.ones((3, 2, 2), dtype=bool)
    graph = graph_of(mask)
    members = data.draw(st.sets(st.integers(0, 11), min_size=1))
    subset = np.array(sorted(members))
    inside = np.isin(graph.edges, subset).all(axis=1)
    edges = np.searchsorted(subset, graph.edges[inside])
    smallest = smallest_separators(subset.size, edges)
    found = [bounds_of(graph, k).of_set(subset) for k in range(smallest.size)]
    assert_array_equal(found, smallest)


def test_the_smallest_plus_is_that_of_their_lemma():
    """No set of c voxels of a box has a smaller plus than f(c), and some have that."""
    shape = (3, 3, 2)
    places = np.stack(np.unravel_index(np.arange(18), shape), axis=1)
    corners = np.stack(np.unravel_index(np.arange(8), (2, 2, 2)), axis=1)
    plus = [
        sum(1 << int(np.ravel_multi_index(place + corner, (4, 4, 3))) for corner in corners)
        for place in places
    ]
    of_subsets = np.zeros(1 << 18, dtype=np.int64)
    for voxel, bits in enumerate(plus):
        of_subsets[1 << voxel : 2 << voxel] = of_subsets[: 1 << voxel] | bits
    smallest = np.full(19, np.iinfo(np.int64).max)
    counts = np.bitwise_count(np.arange(1 << 18))
    np.minimum.at(smallest, counts, np.bitwise_count(of_subsets).astype(np.int64))
    densest = densest_components(18)
    sizes = np.arange(1, 19)
    for k in sizes:
        best, its_plus = densest[k]
        # The largest share of its plus that a component of at most k voxels fills.
        assert ((sizes[:k] * its_plus) <= best * smallest[1 : k + 1]).all()
    assert smallest[[1, 2, 4, 8, 12, 18]].tolist() == [8, 12, 18, 27, 36, 48]
    assert densest[[1, 2, 4, 8, 12, 18]].tolist() == [
        [1, 8], [2, 12], [4, 18], [8, 27], [12, 36], [18, 48]
    ]  # fmt: skip


def slices(mask, side):
    """Return the size of a separator by planes: no cube that it leaves is longer than that."""
    places = np.argwhere(mask)
    cuts = [((places + shift) % (side + 1) == side).any(axis=1).sum() for shift in range(side + 1)]
    return min(cuts)


def ball(radius):
    steps = np.arange(-radius, radius + 1)
    return sum(np.meshgrid(steps**2, steps**2, steps**2)) <= radius**2


@pytest.mark.parametrize("side", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "mask", [np.ones((9, 9, 9), bool), np.ones((16, 4, 7), bool), ball(4), ball(7)]
)
def test_bounds_of_cubes_and_balls_do_not_exceed_their_slices(mask, side):
    graph = graph_of(mask)
    found = bound(graph, side**3)
    assert 0 < found <= slices(mask, side)
    # Packing alone finds less.
    packed = bound(graph_of(mask, has_places=False), side**3)
    assert packed <= mask.sum() // (side**3 + 1)
    assert found > 1.5 * packed


def test_edges_of_the_image_change_nothing():
    mask = np.zeros((12, 12, 12), dtype=bool)
    mask[3:9, 2:8, 4:10] = ball(3)[:6, :6, :6]
    at_edge = np.roll(mask, (-3, -2, 2), axis=(0, 1, 2))
    assert at_edge[0].any()
    assert at_edge[:, :, -1].any()
    for k in range(1, 40):
        assert bound(graph_of(mask), k) == bound(graph_of(at_edge), k)


def test_bounds_of_components_add_up_and_signs_do_not_mix():
    """Two blocks that touch are one component, unless they have opposite signs."""
    mask = np.ones((5, 5, 10), dtype=bool)
    whole = graph_of(mask)
    is_left = whole.places[:, 2] < 5
    same = is_left[whole.edges[:, 0]] == is_left[whole.edges[:, 1]]
    parts = SupraThresholdGraph(
        whole.n_elements, whole.elements, whole.edges[same], whole.places, 0.001, "of one sign"
    )
    of_half = bound(graph_of(mask[:, :, :5]), 20)
    assert bound(parts, 20) == 2 * of_half
    assert bound(whole, 20) >= 2 * of_half
    labels = is_left.astype(int)
    assert_array_equal(bounds_of(whole, 20).by_label(labels), [of_half, of_half])


def test_an_opening_takes_thin_parts_off():
    """Long threads on a cube have a large plus. The bound is still that of the cube."""
    mask = np.zeros((9, 9, 60), dtype=bool)
    mask[1:8, 1:8, 1:8] = True
    of_cube = bound(graph_of(mask), 48)
    mask[0:9:4, 0:9:4, 8:] = True
    mask[4, 4, 7:] = True
    graph = graph_of(mask)
    # The threads alone could only add to it.
    assert bound(graph, 48) >= of_cube > 343 // 49


def test_a_large_graph_has_all_bounds_at_once():
    rng = np.random.default_rng(0)
    mask = rng.random((20, 20, 20)) < 0.4
    graph = graph_of(mask)
    bounds = bounds_of(graph, 10)
    labels = rng.integers(0, 40, size=graph.n_elements)
    found = bounds.by_label(labels, 42)
    expected = [bounds.of_set(labels == label) for label in range(42)]
    assert_array_equal(found, expected)
    # Sets that overlap.
    sets = [rng.permutation(graph.n_elements)[: 50 * i] for i in range(1, 20)]
    labels = np.repeat(np.arange(19), [one.size for one in sets])
    found = bounds.by_label(labels, subset=np.concatenate(sets))
    assert_array_equal(found, [bounds.of_set(one) for one in sets])


def test_clusters_of_a_brain_have_a_bound_if_they_are_above_the_extent():
    """A map at 2 mm with 20,000 voxels above the height."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal((80, 98, 80)).astype("f4"), 2)
    graph = graph_of(noise > np.quantile(noise, 0.968))
    labels = graph.components
    bounds = bounds_of(graph, 48)
    found = bounds.by_label(labels)
    sizes = np.bincount(labels)
    assert_array_equal(found > 0, sizes > 48)
