"""The test by cluster extents: its contract, its p-values, its arrays, and what it refuses."""

import json
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.ndimage import gaussian_filter, label

from ari_estimator.closed_testing import (
    ClusterExtentTest,
    GaussianFieldExtent,
    KnownExtent,
    SupraThresholdGraph,
)

from ._k_separators import graph_of

ALPHA = 0.05


def part_of(graph, n_elements, rng):
    """Return the same graph among more elements, most of which do not pass."""
    elements = np.sort(rng.permutation(n_elements)[: graph.n_above])
    return SupraThresholdGraph(
        n_elements, elements, graph.edges, graph.places, graph.height, graph.neighbours
    )


def make_test(connectivity=26, extent=None):
    rng = np.random.default_rng(0)
    mask = np.ones((7, 6, 12), dtype=bool)
    mask[:, :, 5] = mask[2:4, 2, 8:] = False
    graph = part_of(graph_of(mask, connectivity), 1000, rng)
    p_values = rng.random(1000)
    p_values[graph.elements] *= graph.height
    return ClusterExtentTest(p_values, graph, extent or KnownExtent(21))


@pytest.fixture(
    params=[(26, KnownExtent(21)), (6, KnownExtent(8)), (26, GaussianFieldExtent(0.001, 900, 8))]
)
def a_test(request):
    return make_test(*request.param)


def draw_sets(seed, n_sets=25):
    rng = np.random.default_rng(seed)
    return [rng.permutation(1000)[: rng.integers(1, 1001)] for _ in range(n_sets)]


def joined(sets):
    return np.repeat(np.arange(len(sets)), list(map(len, sets))), np.concatenate(sets)


def test_bounds_by_label_and_along_an_order_are_bounds_of_sets(a_test):
    bounds = a_test.bounds(ALPHA)
    assert bounds.critical_vector is None
    assert bounds.of_set() == bounds.of_set(np.arange(1000)) > 10
    assert type(bounds.of_set()) is int
    sets = draw_sets(0)
    labels, subset = joined(sets)
    found = bounds.by_label(labels, 30, subset=subset)
    assert_array_equal(found, [*map(bounds.of_set, sets), 0, 0, 0, 0, 0])
    for order in draw_sets(1, 2):
        order = order[:400]
        along = bounds.along(order)
        assert along.size == order.size
        assert along[-1] == bounds.of_set(order)
        exact = np.array([bounds.of_set(order[: k + 1]) for k in range(order.size)])
        # A greedy bound may fall from one set to a larger one, and a curve does not.
        assert_array_equal(along, np.maximum.accumulate(exact))


def test_a_long_curve_has_bounds_of_some_of_its_sets():
    graph = graph_of(np.ones((12, 12, 6), dtype=bool))
    p_values = np.random.default_rng(0).random(864)
    bounds = ClusterExtentTest(p_values, graph, KnownExtent(30)).bounds(ALPHA)
    order = np.argsort(p_values)
    along = bounds.along(order)
    assert (np.diff(along) >= 0).all()
    assert along[-1] == bounds.of_set()
    for k in range(0, 864, 171):
        assert along[k] <= bounds.of_set(order[: k + 1])
        assert along[k] >= bounds.of_set(order[: max(k - 3, 1)])


def test_bounds_of_a_forest_are_refused(a_test):
    with pytest.raises(TypeError, match="Cluster extents cannot bound all clusters of a forest"):
        a_test.bounds(ALPHA).of_nested(np.arange(1000), np.arange(1000))


def test_elements_of_large_components_contribute(a_test):
    bounds = a_test.bounds(ALPHA)
    contributing = bounds.contributing()
    assert 0 < contributing.sum() <= a_test.graph.n_above
    for members in draw_sets(2):
        kept = members[contributing[members]]
        assert bounds.of_set(members) == bounds.of_set(kept)


@pytest.mark.parametrize("tdp", [0, 0.02, 0.1, 1])
def test_p_values_go_with_the_bounds(a_test, tdp):
    sets = draw_sets(3)
    labels, subset = joined(sets)
    found = a_test.set_p_values_by_label(labels, len(sets) + 1, subset=subset, tdp=tdp)
    assert_array_equal(found, [*(a_test.set_p_value(one, tdp) for one in sets), np.nan])
    bounds = a_test.bounds(ALPHA)
    exceeds = np.array([bounds.of_set(one) > tdp * one.size for one in sets])
    # A p-value up to the level has a critical extent with a bound that is large enough. The bound
    # at the level falls below it only if a greedy one is not monotone.
    assert_array_equal(exceeds, found[:-1] <= ALPHA)


def test_p_values_of_sets_are_those_of_their_largest_components():
    extent = GaussianFieldExtent(0.001, 900, 8)
    test = make_test(extent=extent)
    components = test.graph.components
    for component in range(components.max() + 1):
        members = test.graph.elements[components == component]
        p_value = test.set_p_value(members)
        assert p_value == extent.p_values(np.array([members.size]))[0]
        assert test.set_p_value(np.setdiff1d(np.arange(1000), test.graph.elements)) == 1


def test_description_is_of_plain_data_and_cites_what_it_says(a_test):
    described = a_test.describe(ALPHA)
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["kind"] == "cluster extent"
    for reference in described["references"]:
        author, year = re.match(r"(\w+) .*?\((\d{4})\)\. .*$", reference).groups()
        assert re.search(rf"{author}( et al\.,)? \(?{year}", described["sentence"])


def test_arrays_in_a_file_give_the_test_again(a_test, tmp_path):
    with (tmp_path / "test.npz").open("wb") as file:
        np.savez(file, **a_test.to_arrays())
    with np.load(tmp_path / "test.npz", allow_pickle=False) as arrays:
        again = ClusterExtentTest.from_arrays(dict(arrays), a_test.p_values)
    assert again.describe(ALPHA) == a_test.describe(ALPHA)
    sets = draw_sets(4)
    one, other = a_test.bounds(ALPHA), again.bounds(ALPHA)
    assert [one.of_set(s) for s in sets] == [other.of_set(s) for s in sets]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("elements", np.arange(454)[::-1], "ascending order"),
        ("elements", np.arange(600, 1054), "elements must lie in 0, ..., 999"),
        ("edges", np.array([[0, 5000]]), "edges must lie"),
        ("edges", np.array([[0, 0]]), "two different elements"),
        ("places", np.full((440, 3), -2), "shape"),
        ("height", np.float64(0), "height must be a p-value"),
        ("extent_kind", "other", "must be one of"),
        ("extent_extent", np.array(1), "extent must be at least 2"),
        ("extent_alpha", np.float64(2), "alpha should be between"),
    ],
)
def test_malformed_arrays_are_refused(name, value, message):
    test = make_test()
    with pytest.raises(ValueError, match=message):
        ClusterExtentTest.from_arrays(test.to_arrays() | {name: value}, test.p_values)


@pytest.mark.parametrize("connectivity", [6, 18])
def test_isoperimetric_bounds_are_refused_without_26_neighbours(connectivity):
    graph = graph_of(np.ones((3, 3, 3), dtype=bool), connectivity)
    arrays = graph.to_arrays() | {"places": np.argwhere(np.ones((3, 3, 3)))}
    with pytest.raises(ValueError, match="places must be None unless all 26 neighbours"):
        SupraThresholdGraph.from_arrays(arrays, 27)


def test_voxels_that_are_no_neighbours_must_not_be_joined():
    with pytest.raises(ValueError, match="edges must join voxels that share a corner"):
        SupraThresholdGraph(
            2, np.arange(2), np.array([[0, 1]]), np.array([[0, 0, 0], [0, 0, 2]]), 0.001, ""
        )


def test_extents_are_known_at_their_level_only():
    test = make_test(extent=KnownExtent(21, alpha=0.01))
    assert test.bounds(0.01).of_set() == test.bounds(0.2).of_set()
    assert test.set_p_value(np.arange(1000)) == 0.01
    with pytest.raises(ValueError, match=r"alpha must be at least 0.01, the level at which"):
        test.bounds(0.005)


@pytest.mark.parametrize("extent", [0, 1, -3])
def test_small_extents_are_refused(extent):
    with pytest.raises(ValueError, match="extent must be at least 2"):
        KnownExtent(extent)


@pytest.mark.parametrize("extent", [2.5, True, "20", None])
def test_extents_of_other_types_are_refused(extent):
    with pytest.raises(TypeError, match="extent must be an integer"):
        KnownExtent(extent)


def test_sets_that_leave_the_family_are_refused():
    bounds = make_test().bounds(ALPHA)
    with pytest.raises(IndexError, match="subset must hold indices of 1000 elements"):
        bounds.of_set([5, 1000])
    with pytest.raises(ValueError, match="must not name an element twice"):
        bounds.by_label([0, 0], subset=[3, 3])
    with pytest.raises(ValueError, match="subset is empty"):
        make_test().set_p_value([])


class TestGaussianField:
    @pytest.mark.parametrize("n_signs", [1, 2])
    @pytest.mark.parametrize("alpha", [0.001, 0.05, 0.4])
    def test_the_critical_extent_is_the_largest_that_is_not_significant(self, alpha, n_signs):
        extent = GaussianFieldExtent(0.002, 200_000, 60, n_signs)
        k = extent.at(alpha)
        assert extent.p_values(np.array([k + 1]))[0] <= alpha < extent.p_values(np.array([k]))[0]

    def test_the_formula_is_that_of_fsl(self):
        """As in FSL's ``infer.cc``, for its dLh = (4 ln 2)^(3/2) / voxels_per_resel."""
        u, n_voxels, dlh = 3.1, 228_483, 0.05
        height = 0.0009676032132183561
        extent = GaussianFieldExtent(height, n_voxels, (4 * np.log(2)) ** 1.5 / dlh)
        em = n_voxels * (2 * np.pi) ** -2 * dlh * (u**2 - 1) * np.exp(-(u**2) / 2)
        b = (1.329340388179137 * em / (n_voxels * height)) ** (2 / 3)
        sizes = np.array([10, 50, 200])
        expected = 1 - np.exp(-em * np.exp(-b * sizes ** (2 / 3)))
        np.testing.assert_allclose(extent.p_values(sizes), expected, rtol=1e-6)

    def test_single_voxels_are_never_significant(self):
        extent = GaussianFieldExtent(1e-12, 1000, 8)
        assert extent.at(0.5) == 1
        assert_array_equal(extent.p_values(np.array([0, 1])), 1)

    def test_the_error_in_smooth_noise_is_at_most_the_level(self):
        rng, sigma = np.random.default_rng(0), 3 / np.sqrt(8 * np.log(2))
        extent = GaussianFieldExtent(0.001, 30**3, 27)
        k, n_errors = extent.at(0.05), 0
        norm = gaussian_filter(np.pad([[[1.0]]], 12), sigma, mode="wrap")
        for _ in range(120):
            noise = gaussian_filter(rng.standard_normal((30, 30, 30)), sigma, mode="wrap")
            noise /= np.sqrt(np.square(norm).sum())
            labels, _ = label(noise > 3.0902, np.ones((3, 3, 3)))
            n_errors += np.bincount(labels.ravel())[1:].max(initial=0) > k
        # 99 % of samples from a binomial distribution with 0.05 have at most 12.
        assert n_errors <= 12

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((0.3, 1000, 8), "height must be a p-value below 0.15"),
            ((0.001, 0, 8), "must be positive"),
            ((0.001, 1000, 0), "must be positive"),
            ((0.001, 1000, 8, 3), "n_signs must be 1 or 2"),
        ],
    )
    def test_bad_input_is_refused(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            GaussianFieldExtent(*arguments)
