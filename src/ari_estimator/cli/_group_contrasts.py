"""Results of several contrasts of a group that are tested as one family."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from ari_estimator.cli._command import command_line
from ari_estimator.cli._degrees_of_freedom import df_in_words, write_df
from ari_estimator.cli._inputs import inputs_of_command
from ari_estimator.cli._out import naming_force
from ari_estimator.cli._outcome import Outcome
from ari_estimator.cli._result_options import ResultOptions
from ari_estimator.cli._results import check_results, letters_of, mask_words
from ari_estimator.files._whole_files import whole_files

if TYPE_CHECKING:
    from ari_estimator.cli._design_record import DesignRecord

# The table of all contrasts.
_TABLE = "_contrasts.tsv"


def prefixes_of(
    results: ResultOptions, records: Sequence[DesignRecord], endings: Sequence[str]
) -> dict[str, str]:
    """Return the prefix of the files of each contrast; refuse impossible output before any work.

    Parameters
    ----------
    results : ResultOptions
        Where to write files.

    records : sequence of DesignRecord
        The contrasts.

    endings : sequence of str
        How names of files of a contrast end that only this command writes.

    Returns
    -------
    prefixes : dict of str to str
        The prefix of each contrast. The empty name has the common prefix.

    Raises
    ------
    ValueError
        For the reasons of :func:`~ari_estimator.cli._results.check_results`.
    """
    common = check_results(results, "group", (_TABLE,))
    prefixes = {"": common}
    for record in records:
        letters = f"{common}_contrast-{letters_of(record.called)}"
        # Names of files keep only letters and digits: "age" and "-age" would have the same.
        taken = {prefix.lower() for prefix in prefixes.values()}
        numbered = (letters if n == 1 else f"{letters}{n}" for n in count(1))
        prefix = next(name for name in numbered if name.lower() not in taken)
        prefixes[record.called] = prefix
        if results.out is not None:
            check_results(_with_prefix(results, prefix), prefix, endings)
    return prefixes


def _with_prefix(results: ResultOptions, prefix: str) -> ResultOptions:
    return type(results)(**{**vars(results), "prefix": prefix})


def outcome_of_contrasts(
    model: Any,
    records: Sequence[DesignRecord],
    results: ResultOptions,
    prefixes: dict[str, str],
    more_options: list[str],
    *,
    mask: str,
) -> Outcome:
    """Return the result of several contrasts, after writing it if --out is given.

    Parameters
    ----------
    model : ARISecondLevelModel
        The model after ``compute_contrasts``.

    records : sequence of DesignRecord
        The contrasts.

    results : ResultOptions
        Where to write files.

    prefixes : dict of str to str
        From :func:`prefixes_of`.

    more_options : list of str
        Further options of the same analysis.

    mask : str
        The mask in words.

    Returns
    -------
    outcome : Outcome
        The result, with a table of the clusters of all contrasts.
    """
    files = {}
    if results.out is not None:
        from ari_estimator.interfaces._results import rounded_sizes, write_results
        from ari_estimator.interfaces._table_file import write_table

        writing = whole_files(results.out, overwrite=results.force, inputs=inputs_of_command())
        with naming_force(), writing as temporary:
            names = {"table of all contrasts": prefixes[""] + _TABLE}
            write_table(temporary / names["table of all contrasts"], rounded_sizes(model.table_))
            for record in records:
                prefix = prefixes[record.called]
                of_contrast = write_results(
                    model.transformers_[record.called],
                    temporary,
                    prefix=prefix,
                    command=command_line(),
                    extra=record.sidecar(mask),
                )
                others = [f"--contrast={one.contrast}" for one in records if one is not record]
                options = [*more_options, "--joint", *others]
                of_contrast |= record.write(temporary, prefix, options)
                of_contrast |= write_df(model.df_imgs_[record.called], temporary, prefix)
                names |= {f"{record.called}: {what}": name for what, name in of_contrast.items()}
        files = {what: results.out / name for what, name in names.items()}
    first = next(iter(model.transformers_.values())).maps_
    elements = first.frame.space.element_name[1]
    lines, facts = [], {}
    for record in records:
        fitted_map = model.transformers_[record.called].maps_
        found, tested = fitted_map.true_discoveries, fitted_map.n_tested
        facts[record.called] = {
            "n_tested": tested,
            "true_discoveries": found,
            "tdp": found / tested,
            "design": record.facts(mask),
        }
        verb = "is" if found == 1 else "are"
        lines.append(
            f"{record.called}: at least {found:,} of the {tested:,} {elements} tested "
            f"{verb} active."
        )
    from ari_estimator.closed_testing._rounding import confidence

    described = first.describe()["test"]
    lines += [
        f"With probability at least {confidence(first.alpha)}, these bounds and all bounds in the "
        "tables of all contrasts hold at once.",
        described["sentence"],
        f"Mask: {mask_words(mask, elements)}.",
        *dict.fromkeys(
            df_in_words(model, df_img) for df_img in model.df_imgs_.values() if df_img is not None
        ),
    ]
    told = {
        "alpha": first.alpha,
        "contrasts": facts,
        "n_subjects": records[0].n_subjects,
        "n_rows": len(records[0].design),
        "test": described["values"],
    }
    if model.joint_test_ is not None:
        told["true_discoveries"] = model.joint_test_.bounds(first.alpha).of_set()
    return Outcome("\n".join(lines), model.table_, files, told)
