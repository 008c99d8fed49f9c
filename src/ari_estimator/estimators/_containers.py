"""Containers of array output, by the names that scikit-learn gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

CONTAINERS = ("default", "pandas", "polars")


def in_container(
    container: str, values: np.ndarray, columns: np.ndarray, index: pd.Index | None
) -> Any:
    """Return values of shape (n_maps, n_columns) in a container.

    The index has names of the maps, of which polars keeps none.
    """
    if container == "pandas":
        return pd.DataFrame(values, index=index, columns=columns)
    # Only who asks for polars needs it.
    import polars as pl

    return pl.DataFrame(values, schema=list(columns), orient="row")
