"""The runs of each subject of a group as one map."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from nilearn.glm.first_level import FirstLevelModel

from ari_estimator.images._run_images import RunImages
from ari_estimator.second_level._combine_runs import check_presence, combine_runs

_NEEDED = ("subject_label", "map_name", "effects_map_path")
_VARIANCE = "variance_map_path"


def combine_runs_by_subject(
    second_level_input: pd.DataFrame,
    mask_img: Any = None,
    *,
    precision_weighted: bool = False,
) -> pd.DataFrame:
    """Combine the runs of each subject, so that each subject has one map.

    Rows of one subject are not independent. A group model of the returned table has one row for
    each subject.

    Parameters
    ----------
    second_level_input : pandas.DataFrame
        A table with a row for each run, as
        :meth:`nilearn.glm.second_level.SecondLevelModel.fit` takes it: columns ``subject_label``,
        ``map_name`` and ``effects_map_path`` (paths or images). Precision weights also need
        ``variance_map_path``, with the variance of each effect.

    mask_img : image, masker or None, default=None
        Elements to combine. None takes all elements that all runs of a subject have.

    precision_weighted : bool, default=False
        Whether to weight runs by their inverse variance. Otherwise all runs have the same weight.

    Returns
    -------
    table : pandas.DataFrame
        A row for each subject and map name: the columns above with the combined image, ``n_runs``,
        and all other columns that are the same in all runs of every subject. Rows are sorted by
        ``subject_label``, because nilearn sorts the rows of a table in this way before it matches
        them to the rows of the design. Make the design from this table.

    Raises
    ------
    TypeError
        If the input is not a table, or maps of a subject are of different kinds.
    ValueError
        If a column is missing, maps of a subject are on different grids or are the same, or a file
        says that it does not hold effects or variances.

    Warns
    -----
    UserWarning
        If some runs of a subject lack elements that others have.

    See Also
    --------
    combine_runs : Effect, variance, t and z of one subject.

    Notes
    -----
    A subject with one run keeps its map as it is. Maps of the others are combined in memory. A run
    lacks an element if its effect is not finite or 0 (with precision weights: if its variance is
    not finite or 0). Elements that only some runs have are NaN. Set ``missing="omit"`` in
    :class:`ARISecondLevelModel` to leave the subject out of them.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from nibabel import Nifti1Image
    >>> from ari_estimator import combine_runs_by_subject
    >>> rng = np.random.default_rng(0)
    >>> runs = pd.DataFrame(
    ...     {
    ...         "subject_label": ["02", "02", "01", "01"],
    ...         "map_name": "faces",
    ...         "effects_map_path": [
    ...             Nifti1Image(rng.normal(1, 1, (6, 6, 6)), np.eye(4)) for _ in range(4)
    ...         ],
    ...         "age": [31, 31, 27, 27],
    ...     }
    ... )
    >>> table = combine_runs_by_subject(runs)
    >>> table[["subject_label", "map_name", "n_runs", "age"]]
      subject_label map_name  n_runs  age
    0            01    faces       2   27
    1            02    faces       2   31
    """
    if not isinstance(second_level_input, pd.DataFrame):
        raise TypeError(
            f"second_level_input must be a pandas.DataFrame with the columns {', '.join(_NEEDED)}. "
            f"Got {type(second_level_input).__name__}."
        )
    needed = (*_NEEDED, _VARIANCE) if precision_weighted else _NEEDED
    lacking = [name for name in needed if name not in second_level_input]
    if lacking:
        raise ValueError(
            f"second_level_input must have the columns {', '.join(needed)}. There is no "
            f"{' or '.join(lacking)}."
        )
    by = ["subject_label", "map_name"]
    of_run = ("effects_map_path", _VARIANCE)
    beside = [name for name in second_level_input if name not in (*by, *of_run, "n_runs")]
    groups = second_level_input.groupby(by, sort=False, dropna=False)
    is_same = groups[beside].nunique(dropna=False).le(1).all() if beside else {}
    kept = [name for name in beside if is_same[name]]
    rows = []
    for (label, map_name), runs in groups:
        maps = runs["effects_map_path"].tolist()
        if len(maps) == 1:
            effect_img = maps[0]
        elif precision_weighted:
            variances = runs[_VARIANCE].tolist()
            effect_img = combine_runs(
                maps, variances, np.inf, mask_img=mask_img, precision_weighted=True
            ).effect_img
        else:
            effect_img = mean_of_runs(maps, mask_img)
        of_subject = {name: runs[name].iloc[0] for name in kept}
        rows.append([label, map_name, effect_img, len(maps), *of_subject.values()])
    table = pd.DataFrame(rows, columns=[*_NEEDED, "n_runs", *kept])
    return table.sort_values("subject_label", kind="stable", ignore_index=True)


def mean_of_runs(images: Sequence[Any], mask_img: Any = None) -> Any:
    """Return the mean of the effects of one subject's runs.

    Parameters
    ----------
    images : sequence of images or paths
        The effect of each run, of one kind and on one grid. At least two.

    mask_img : image, masker or None, default=None
        The mask. None takes the whole grid or mesh.

    Returns
    -------
    mean : image
        The mean. NaN in elements that are 0 or not finite in some runs only.

    Raises
    ------
    TypeError
        If the images are of different kinds.
    ValueError
        If they are on different grids or meshes, are the same, have no element in common, or a
        file says that it does not hold effects.
    """
    elements = RunImages(images[0], mask_img)
    effects = elements.all_values(images, "effects_map_path", "effect")
    has_value = np.isfinite(effects) & (effects != 0)
    in_all, in_some = has_value.all(axis=0), has_value.any(axis=0)
    check_presence(in_all, in_some, elements, len(images))
    # Elements without a value in any run stay what they are: 0 or NaN.
    mean = np.where(in_all | ~in_some, effects.mean(axis=0), np.nan)
    return elements.image(mean, f"effect_size of contrast: mean of {len(images)} runs")


def labels_of_rows(given: Any) -> list[Hashable]:
    """Return the subject of each row of a model's input, or an empty list if it names none.

    Parameters
    ----------
    given : list, DataFrame or other input of a second-level model
        The input, in the order of the design.

    Returns
    -------
    labels : list
        One label for each row. Maps of different names are different rows of one subject in a
        table, so their label is a pair.
    """
    if isinstance(given, pd.DataFrame) and {"subject_label", "map_name"} <= set(given.columns):
        return list(zip(given["subject_label"], given["map_name"], strict=True))
    if isinstance(given, list) and given and isinstance(given[0], FirstLevelModel):
        labels = [model.subject_label for model in given]
        return [] if any(label is None for label in labels) else labels
    return []
