"""What a report says and shows of several contrasts that were tested together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ari_estimator.closed_testing import SimultaneousTest
from ari_estimator.closed_testing._rounding import confidence, proportion_text
from ari_estimator.inference import FittedMap
from ari_estimator.reporting._methods import Methods
from ari_estimator.reporting._model_part import model_part
from ari_estimator.reporting._report import map_content
from ari_estimator.reporting._report_figure import ReportFigure
from ari_estimator.reporting._report_page import ReportContent, TestedContrast


def joint_content(
    maps: Mapping[str, FittedMap], whole: SimultaneousTest | None, max_sets: int
) -> ReportContent:
    """Return what a report on several contrasts says and shows.

    Parameters
    ----------
    maps : mapping of str to FittedMap
        The map of each contrast.

    whole : SimultaneousTest or None
        The test of the elements of all contrasts; None if the error level is split.

    max_sets : int
        Maximum number of clusters or regions of each contrast.

    Returns
    -------
    content : ReportContent
        The content, with a part for each contrast.
    """
    contents = {name: map_content(one, max_sets) for name, one in maps.items()}
    first_map, first = next(iter(maps.values())), next(iter(contents.values()))
    elements = first_map.frame.space.element_name[1]
    key_figures = [("Contrasts", f"{len(maps)}")]
    group = first_map.asked_by.group
    if group is not None:
        key_figures.append(("Maps of subjects", f"{len(group.design):,}"))
    if whole is not None:
        key_figures += [
            (f"{elements.capitalize()} tested, in all contrasts", f"{whole.n_elements:,}"),
            ("Active in all contrasts, at least", f"{whole.bounds(first_map.alpha).of_set():,}"),
        ]
    key_figures.append(("alpha, of all contrasts together", f"{first_map.alpha:g}"))
    reading = (
        "The true discovery proportion (TDP) of a set is a lower bound on the proportion of its "
        f"{elements} that are active. The {len(maps)} contrasts were tested together: with "
        f"probability at least {confidence(first_map.alpha, percent=True)} (alpha = "
        f"{first_map.alpha:g}), the bounds of all sets in all contrasts hold at once. You may "
        "therefore choose contrasts, thresholds and sets after looking at the results."
    )
    tested = [
        TestedContrast(
            name,
            _bound_in_words(maps[name], elements),
            content.table,
            [_of_contrast(figure, number) for figure in content.figures],
        )
        for number, (name, content) in enumerate(contents.items(), start=1)
        if content.table is not None
    ]
    return replace(
        first,
        reading=reading,
        key_figures=key_figures,
        methods=_joint_methods({name: content.methods for name, content in contents.items()}),
        table=None,
        figures=[],
        # The contrasts have their own parts.
        model=None if group is None else model_part(group._replace(contrast=None, weights=None)),
        tested=tested,
    )


def _bound_in_words(fitted_map: FittedMap, elements: str) -> str:
    found, n_tested = fitted_map.true_discoveries, fitted_map.n_tested
    verb = "is" if found == 1 else "are"
    return (
        f"At least {found:,} of the {n_tested:,} {elements} tested {verb} active: a TDP of "
        f"{proportion_text(found / n_tested)}."
    )


def _of_contrast(figure: ReportFigure, number: int) -> ReportFigure:
    """Return a figure whose name, which is the name of its file, tells the contrast."""
    return figure.renamed(f"contrast_{number}_{figure.name}")


def _joint_methods(methods: Mapping[str, Methods]) -> Methods:
    """Return the methods of all contrasts: shared paragraphs once, others for each contrast."""
    paragraphs: list[str] = []
    results: list[str] = []
    items: dict[str, dict[str, list[str]]] = {}
    references: list[str] = []
    for name, one in methods.items():
        shared = set.intersection(*(set(other.paragraphs) for other in methods.values()))
        own = [text for text in one.paragraphs if text not in shared]
        if not paragraphs:
            paragraphs += [text for text in one.paragraphs if text in shared]
        paragraphs += [f"Contrast {name}. {text}" for text in own]
        results += [f"Contrast {name}. {text}" for text in one.results]
        for item, text in one.checklist:
            items.setdefault(item, {}).setdefault(text, []).append(name)
        references += [text for text in one.references if text not in references]
    checklist = [
        (item, text if len(texts) == 1 else f"{text} ({', '.join(names)})")
        for item, texts in items.items()
        for text, names in texts.items()
    ]
    software = next(iter(methods.values())).references[-1]
    others = [text for text in references if text != software]
    return Methods(paragraphs, checklist, results, [*sorted(others), software])


def fitted_maps_of(model: Any) -> dict[str, FittedMap]:
    """Return the map of each contrast that a model has tested together; empty if there is none.

    Parameters
    ----------
    model : ARISecondLevelModel
        A fitted model.

    Returns
    -------
    maps : dict of str to FittedMap
        The maps.
    """
    transformers = getattr(model, "transformers_", None) or {}
    return {name: transformer.maps_ for name, transformer in transformers.items()}
