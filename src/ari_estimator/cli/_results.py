"""Test the sets of a map, write the results, and summarize them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ari_estimator.cli._command import command_line
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._out import naming_force
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._parameter_names import ParameterNames
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._unused_options import refuse_options
from ari_estimator.files._whole_files import whole_files

if TYPE_CHECKING:
    from ari_estimator.inference import FittedMap

# The parameter that may be the source of the statistic, as an option.
_NAMES = ParameterNames(["stat_type"])

# Writes files to a folder, and returns their names by what they are.
MoreFiles = Callable[[Path], dict[str, str]]


def infer(
    transformer: Any,
    stat_img: Any,
    name: str,
    results: ResultOptions,
    write_more: MoreFiles | None = None,
    *,
    mask: Path | Sequence[Path] | str | None,
) -> Outcome:
    """Test the sets of a map, and write the results if --out is given.

    Parameters
    ----------
    transformer : transformer
        Makes the sets. This function fits it.

    stat_img : image
        The map.

    name : str
        Name of the map. File names start with it, unless --prefix is given.

    results : ResultOptions
        Where to write files.

    write_more : callable or None, default=None
        Writes further files, see :func:`outcome_of`.

    mask : path, sequence of path, str or None
        The mask, see :func:`summary_of`.

    Returns
    -------
    outcome : Outcome
        The result.
    """
    prefix = check_results(results, name)
    transformer.fit_transform(stat_img)
    return outcome_of(transformer, results, prefix, write_more, mask=mask)


def check_results(results: ResultOptions, name: str, endings: Sequence[str] = ()) -> str:
    """Return the prefix of file names; refuse impossible output before any work.

    Parameters
    ----------
    results : ResultOptions
        Where to write files.

    name : str
        Name of the map. File names start with it, unless --prefix is given.

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
    *,
    mask: Path | Sequence[Path] | str | None,
) -> Outcome:
    """Return the result of a fitted transformer or model, after writing it if --out is given.

    Parameters
    ----------
    fitted : transformer or ARISecondLevelModel
        The fitted object.

    results : ResultOptions
        Where to write files.

    prefix : str
        How names of files start.

    write_more : callable or None, default=None
        Writes further files to the folder that it is given, and returns their names by what they
        are.

    extra : mapping or None, default=None
        Further entries of the sidecar.

    mask : path, sequence of path, str or None
        The mask, see :func:`summary_of`.

    Returns
    -------
    outcome : Outcome
        The result.
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
    from ari_estimator.estimators._as_fitted_map import as_fitted_map

    fitted_map = as_fitted_map(fitted)
    found, tested = fitted_map.true_discoveries, fitted_map.n_tested
    statistic = fitted_map.describe()["statistic"]
    return Outcome(
        summary_of(fitted_map, mask),
        fitted_map.table,
        files,
        {
            "alpha": fitted_map.alpha,
            "n_tested": tested,
            "true_discoveries": found,
            "tdp": found / tested,
            **(
                {"true_discoveries_by_sign": fitted_map.true_discoveries_by_sign}
                if fitted_map.true_discoveries_by_sign
                else {}
            ),
            "statistic": {name: statistic[name] for name in ("stat_type", "df", "said_by")},
        },
    )


def summary_of(fitted_map: FittedMap, mask: Path | Sequence[Path] | str | None) -> str:
    """Return the bound of the whole map, its statistic and its mask, in words.

    Parameters
    ----------
    fitted_map : FittedMap
        The tested map.

    mask : path, sequence of path, str or None
        The files of the mask, or what it is in words. None if no mask was given.

    Returns
    -------
    text : str
        Some sentences.
    """
    from ari_estimator.closed_testing._rounding import confidence

    elements = fitted_map.frame.space.element_name[1]
    by_sign = "".join(
        f"; at least {found:,} have a {sign} effect"
        for sign, found in (fitted_map.true_discoveries_by_sign or {}).items()
    )
    verb = "is" if fitted_map.true_discoveries == 1 else "are"
    sentence = _NAMES.as_options(fitted_map.describe()["statistic"]["sentence"])
    return (
        f"At least {fitted_map.true_discoveries:,} of the {fitted_map.n_tested:,} {elements} "
        f"tested {verb} active{by_sign}. With probability at least {confidence(fitted_map.alpha)}, "
        "this bound and all bounds in the table hold at once. "
        f"{sentence} Mask: {mask_words(mask, elements)}."
    )


def mask_words(mask: Path | Sequence[Path] | str | None, elements: str | None = None) -> str:
    """Return what the mask is, for a sentence; elements are what was tested, if that is known."""
    if mask is None and elements in (None, "voxels"):
        return "none given, so it is computed from the map"
    if mask is None:
        return f"none given, so it is all {elements} of the map"
    if isinstance(mask, (str, Path)):
        return str(mask)
    return ", ".join(map(str, mask))


def letters_of(text: str) -> str:
    """Return the letters and digits of a text, which may be a value in a BIDS name."""
    return "".join(character for character in text if character.isalnum()) or "unnamed"
