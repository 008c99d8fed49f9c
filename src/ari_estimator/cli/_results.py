"""What commands do with a map and what makes its sets: test, write, and say what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ari_estimator.cli._command import command_line
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._options import ResultOptions
from ari_estimator.cli._out import naming_force
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._whole_files import whole_files

# Writes files to a folder, and returns their names by what they are.
MoreFiles = Callable[[Path], dict[str, str]]


def infer(
    transformer: Any,
    stat_img: Any,
    name: str,
    results: ResultOptions,
    write_more: MoreFiles | None = None,
) -> Outcome:
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

    write_more : callable or None, default=None
        Writes further files, see :func:`outcome_of`.

    Returns
    -------
    outcome : Outcome
        What to say.
    """
    prefix = check_results(results, name)
    transformer.fit_transform(stat_img)
    return outcome_of(transformer, results, prefix, write_more)


def check_results(results: ResultOptions, name: str, endings: Sequence[str] = ()) -> str:
    """Return the prefix of names of files; refuse what cannot be written before work is done.

    Parameters
    ----------
    results : ResultOptions
        Where to write.

    name : str
        What the map is called: names of files start with it, unless another is given.

    endings : sequence of str, default=()
        How names of files end that only this command writes.

    Returns
    -------
    prefix : str
        How names of files start.

    Raises
    ------
    ValueError
        If no files can have such names, or one of them is an input.
    OSError
        If the folder cannot be written to, or has results of that prefix that must stay.
    """
    from ari_estimator.interfaces._result_names import check_prefix, results_folder

    prefix = name if results.prefix is None else results.prefix
    if results.out is None:
        refuse_options(
            "files in a folder --out. Got no --out",
            prefix=results.prefix is not None,
            force=results.force,
        )
        return prefix
    if results.prefix is None:
        check_prefix(prefix, "--prefix must be given, since the name of the map")
    else:
        check_prefix(prefix, "--prefix")
    with naming_force():
        results_folder(
            results.out,
            prefix,
            overwrite=results.force,
            endings=endings,
            inputs=inputs_of_command(),
            called=("--out", "--prefix"),
        )
    return prefix


def outcome_of(
    fitted: Any,
    results: ResultOptions,
    prefix: str,
    write_more: MoreFiles | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Outcome:
    """Return what to say of a fitted transformer or model, after writing it if that is wanted.

    Parameters
    ----------
    fitted : transformer or ARISecondLevelModel
        What was fitted.

    results : ResultOptions
        Where to write.

    prefix : str
        How names of files start.

    write_more : callable or None, default=None
        Writes further files to the folder that it is given, and returns their names by what they
        are.

    extra : mapping or None, default=None
        What else the sidecar says.

    Returns
    -------
    outcome : Outcome
        What to say.
    """
    files: dict[str, Path] = {}
    if results.out is not None:
        from ari_estimator.interfaces._results import write_results

        writing = whole_files(results.out, overwrite=results.force, inputs=inputs_of_command())
        with naming_force(), writing as temporary:
            names = write_results(
                fitted, temporary, prefix=prefix, command=command_line(), extra=extra
            )
            if write_more is not None:
                names |= write_more(temporary)
        files = {what: results.out / name for what, name in names.items()}
    from ari_estimator.closed_testing._rounding import confidence
    from ari_estimator.estimators._as_fitted_map import as_fitted_map

    fitted_map = as_fitted_map(fitted)
    elements = fitted_map.frame.space.element_name[1]
    found, tested, alpha = fitted_map.true_discoveries, fitted_map.n_tested, fitted_map.alpha
    statistic = fitted_map.describe()["statistic"]
    return Outcome(
        f"At least {found:,} of the {tested:,} {elements} tested are active. With probability at "
        f"least {confidence(alpha)}, this bound and all bounds in the table hold at once. "
        f"{statistic['sentence']}",
        fitted_map.table,
        files,
        {
            "alpha": alpha,
            "n_tested": tested,
            "true_discoveries": found,
            "tdp": found / tested,
            "statistic": {name: statistic[name] for name in ("stat_type", "df", "said_by")},
        },
    )


def letters_of(text: str) -> str:
    """Return what of a text may be a value in a BIDS name: letters and digits."""
    return "".join(character for character in text if character.isalnum()) or "unnamed"
