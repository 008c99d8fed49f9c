"""All permutations or flips of nine designs, against what PALM prints of them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from ari_estimator.resampling import (
    LinearModelStatistics,
    PartialCorrelation,
    WelchStatistic,
    choose_scheme,
    find_contrast,
    variance_groups_of,
)

PALM = dict(np.load(Path(__file__).parents[1] / "data" / "palm.npz"))

# PALM prints four decimals.
PRINTED = 0.5001e-4

# Statistics that are equal but for rounding.
TIED = 1e-9


class Design(NamedTuple):
    """How a design of the file was permuted by PALM, and how often."""

    n_permutations: int
    two_sided: bool = False
    scheme: str = "permutation"
    exchange: str | None = None


DESIGNS = {
    "A0": Design(210, two_sided=True),  # two groups
    "A": Design(210, two_sided=True),  # with variance groups
    "B": Design(1680),  # F of three groups
    "Bv": Design(1680),  # with variance groups
    "C": Design(5040, two_sided=True),  # a covariate beside nuisance
    "D": Design(7776, exchange="within"),
    "E": Design(70, two_sided=True, exchange="whole"),
    "G": Design(36, two_sided=True),  # a table of levels: whole subjects within sites
    "H": Design(256, scheme="sign_flip"),
}


class Results(NamedTuple):
    """What is to be compared with PALM.

    Statistics of the data, and of all draws on the scale that draws are compared on.
    """

    observed: np.ndarray
    of_draws: np.ndarray


@pytest.fixture(scope="module", params=DESIGNS)
def name(request):
    """Return the name of a design."""
    return request.param


@pytest.fixture(scope="module")
def results(name):
    """Return the statistics of a design."""
    design = DESIGNS[name]
    data = PALM[f"{name}.Y"]
    contrast = find_contrast(PALM[f"{name}.X"], PALM[f"{name}.C"])
    blocks = PALM.get(f"{name}.eb")
    if design.exchange is not None:
        blocks = blocks[:, 0]
    scheme = choose_scheme(design.scheme, contrast, blocks, design.exchange)
    draws = scheme.draws(10_000, np.random.default_rng(0))
    assert len(draws) == scheme.n_distinct == design.n_permutations
    if f"{name}.vg" in PALM:
        groups = variance_groups_of(PALM[f"{name}.vg"][:, 0], PALM[f"{name}.X"])
        statistic = WelchStatistic(contrast, groups, False, design.two_sided)
    else:
        statistic = PartialCorrelation(contrast, scheme, design.two_sided)
    null = LinearModelStatistics(data, statistic, scheme, draws)
    if statistic.name == "v":
        of_draws = with_a_third_of_the_df(statistic, scheme, data, draws)
    else:
        of_draws = null.exact(np.arange(len(draws)))
    return Results(null.observed.values, np.abs(of_draws) if design.two_sided else of_draws)


def with_a_third_of_the_df(statistic, scheme, data, draws):
    """Return v of all draws as the normal values that PALM compares.

    Its degrees of freedom of v are a third of Welch's, which those of G are.
    """
    residuals = scheme.residuals(statistic.contrast, data)
    found = [statistic.of_data(scheme.resample(draw, residuals)) for draw in draws]
    p = np.array([stats.t.sf(np.abs(each.values), each.df / 3) for each in found])
    return stats.norm.isf(p)


def test_statistics_are_as_printed(name, results):
    assert_allclose(results.observed, PALM[f"{name}.stat"], rtol=0, atol=PRINTED)


def assert_counts_as_printed(of_draws, observed, printed):
    """Assert that p-values are of a count between those without ties and with all of them.

    Of statistics that are equal, PALM may count some and miss others, as they are rounded.
    """
    larger = (of_draws > observed + TIED).mean(axis=0)
    as_large = (of_draws >= observed - TIED).mean(axis=0)
    assert (larger - PRINTED <= printed).all()
    assert (printed <= as_large + PRINTED).all()
    # The count is told apart: few are tied, such as groups of equal size that change places.
    assert np.median(as_large - larger) <= 6 / len(of_draws)


def test_uncorrected_p_values_are_as_printed(name, results):
    assert_counts_as_printed(results.of_draws, results.of_draws[0], PALM[f"{name}.uncp"])


def test_p_values_of_the_largest_statistic_are_as_printed(name, results):
    largest = results.of_draws.max(axis=1)[:, np.newaxis]
    assert_counts_as_printed(largest, results.of_draws[0], PALM[f"{name}.fwep"])
