"""A sentence for each cluster or region, for the results of a paper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ari_estimator.closed_testing._rounding import confidence, proportion_text
from ari_estimator.inference import FittedMap
from ari_estimator.reporting._tdp_table import get_tdp_table


def results_sentences(fitted_map: FittedMap, max_sets: int) -> list[str]:
    """Return sentences with the bounds of a map and of its clusters or regions.

    Parameters
    ----------
    fitted_map : FittedMap
        The map.

    max_sets : int
        Maximum number of clusters or regions.

    Returns
    -------
    sentences : list of str
        One for the whole map, one for each set with true discoveries, and one for the other sets.
    """
    elements = fitted_map.frame.space.element_name[1]
    sure = confidence(fitted_map.alpha, percent=True)
    first = sentence_of_all(
        fitted_map.true_discoveries, f"{fitted_map.n_tested:,} tested {elements}", sure
    )
    if fitted_map.true_discoveries_by_sign is not None and fitted_map.true_discoveries:
        signs = signs_in_words(fitted_map.true_discoveries_by_sign)
        first = f"{first.removesuffix('.')}, {signs}."
    table = get_tdp_table(fitted_map, max_peaks=1).iloc[:-1]
    found = table[table["true_discoveries"] > 0]
    sentences = [_sentence(row, elements) for row in found.head(max_sets).to_dict("records")]
    rest = _sentence_of_rest(table, len(found), elements, fitted_map.made_by.called)
    return [first, *sentences, *rest]


def signs_in_words(found: dict[str, int]) -> str:
    """Return the bounds of both signs as a part of a sentence.

    Parameters
    ----------
    found : dict of str to int
        The bounds on positive and on negative effects.

    Returns
    -------
    words : str
        Such as "at least 12 with a positive effect and 3 with a negative effect".
    """
    some = [f"{number:,} with a {sign} effect" for sign, number in found.items() if number]
    return f"at least {' and '.join(some)}"


def sentence_of_all(true_discoveries: int, tested: str, sure: str) -> str:
    """Return a sentence on the bound of all tested elements.

    Parameters
    ----------
    true_discoveries : int
        The bound.

    tested : str
        The elements and their number.

    sure : str
        The confidence.

    Returns
    -------
    sentence : str
        The sentence.
    """
    if true_discoveries == 0:
        return f"The lower bound of all {tested} is 0, so there may be no activity at all."
    verb = "is" if true_discoveries == 1 else "are"
    return f"With {sure} confidence, at least {true_discoveries:,} of the {tested} {verb} active."


def _sentence_of_rest(table: pd.DataFrame, n_found: int, elements: str, called: str) -> list[str]:
    """Return a sentence on the sets without true discoveries, if there are some."""
    n_rest = len(table) - n_found
    if not n_rest:
        return []
    which = f"The other {called}" if n_found else f"The {called}"
    one = called.removesuffix("s")
    if n_rest == 1:
        which = f"The other {one}" if n_found else f"The only {one}"
        return [f"{which} has a lower bound of 0, so it may have no active {elements}."]
    return [f"{which} ({n_rest:,}) have lower bounds of 0, so they may have no active {elements}."]


def _sentence(row: dict[Any, Any], elements: str) -> str:
    is_region = "region" in row
    name = f"Region {row['region']}" if is_region else f"Cluster {row['cluster_id']}"
    size = row[f"n_{elements}"]
    sizes = [f"{size:,} {elements}"]
    for unit, sign in (("mm3", "mm³"), ("mm2", "mm²")):
        if row.get(f"size_{unit}"):
            sizes.append(f"{row[f'size_{unit}']:,} {sign}")
    about = ", ".join(sizes)
    if row.get("direction") in ("positive", "negative"):
        about = f"{row['direction']}, {about}"
    found, tdp = row["true_discoveries"], row["tdp"]
    verb = "is" if found == 1 else "are"
    says = f"at least {found:,} of its {elements} {verb} active (TDP ≥ {proportion_text(tdp)})"
    if row.get("bound_by"):
        says = f"{says}, by {row['bound_by']}"
    if "true_discoveries_positive" in row:
        signs = {sign: row[f"true_discoveries_{sign}"] for sign in ("positive", "negative")}
        says = f"{says}, {signs_in_words(signs)}"
    return f"{name} ({about}; peak {_peak(row)}): {says}."


def _peak(row: dict[Any, Any]) -> str:
    """Return value and place of the peak in words."""
    # As in the table of the report.
    value = f"{row['peak_stat']:{'.2f' if abs(row['peak_stat']) >= 0.01 else 'g'}}"
    xyz = [row.get(f"peak_{axis}") for axis in "xyz"]
    places = []
    if isinstance(row.get("peak_structure"), str):
        places.append(f"in {row['peak_structure']}")
    elif isinstance(row.get("peak_hemisphere"), str):
        places.append(f"in the {row['peak_hemisphere']} hemisphere")
    if all(isinstance(one, (int, float)) and np.isfinite(one) for one in xyz):
        places.append(f"at x = {xyz[0]:g}, y = {xyz[1]:g}, z = {xyz[2]:g} mm")
    elif not places:
        # An array has the places that the user has named, and indices.
        named = {n: v for n, v in row.items() if str(n).startswith("peak_") and n != "peak_stat"}
        shown = {n: f"{v:g}" if isinstance(v, float) else str(v) for n, v in named.items()}
        places.append(
            "at " + ", ".join(f"{str(n).removeprefix('peak_')} {v}" for n, v in shown.items())
        )
    return " ".join([value, *places])
