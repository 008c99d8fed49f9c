"""What commands do with a map and what makes its sets: test, write, and say what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ari_estimator.cli._command import command_line
from ari_estimator.cli._options import ResultOptions
from ari_estimator.cli._outcome import Outcome


def infer(transformer: Any, stat_img: Any, name: str, results: ResultOptions) -> Outcome:
    """Test the sets of a map, and write what was found if that is wanted.

    Parameters
    ----------
    transformer : transformer
        What makes the sets; it is fitted.

    stat_img : image
        The map.

    name : str
        What the map is called: names of files start with it, unless another is given.

    results : ResultOptions
        Where to write.

    Returns
    -------
    outcome : Outcome
        What to say.
    """
    prefix = check_results(results, name)
    transformer.fit_transform(stat_img)
    return outcome_of(transformer, results, prefix)


def check_results(results: ResultOptions, name: str) -> str:
    """Return the prefix of names of files; refuse to replace files before any work is done."""
    from ari_estimator.interfaces._results import check_folder, check_prefix

    prefix = results.prefix or name
    check_prefix(prefix)
    if results.out is not None:
        try:
            check_folder(results.out, prefix, overwrite=results.force)
        except FileExistsError as error:
            raise FileExistsError(f"{error} --force replaces it.") from None
    return prefix


def outcome_of(fitted: Any, results: ResultOptions, prefix: str) -> Outcome:
    """Return what to say of a fitted transformer or model, after writing it if that is wanted."""
    files: dict[str, Path] = {}
    if results.out is not None:
        from ari_estimator.interfaces import save

        files = save(
            fitted,
            results.out,
            prefix=prefix,
            overwrite=results.force,
            command=command_line(),
        )
    family = fitted.family_
    elements = family.space.element_name[1]
    found, tested = fitted.true_discoveries_, fitted.n_tested_
    return Outcome(
        f"{tested:,} {elements} were tested; at least {found:,} of them are active. With "
        f"probability at least {1 - family.alpha:.4g} that and all rows of the table hold at once.",
        fitted.table_,
        files,
        {
            "alpha": family.alpha,
            "n_tested": tested,
            "true_discoveries": found,
            "tdp": found / tested,
        },
    )
