"""Error rates with exact intervals."""

from __future__ import annotations

from scipy.stats import binomtest

# What a page says above a table of rates.
KEY = (
    "Brackets show the 99 % Clopper-Pearson interval. Bold means that the whole interval is above "
    "alpha."
)


def error_rate(n_errors: int, n_runs: int, alpha: float, digits: int = 3) -> str:
    """Return a rate with its 99 % Clopper-Pearson interval; in bold if that is above alpha."""
    low, high = binomtest(n_errors, n_runs).proportion_ci(0.99, method="exact")
    shown = f"{n_errors / n_runs:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return f"**{shown}**" if low > alpha else shown
