"""Words that people search for, and the section that the search must show first.

Sphinx ranks titles. Questions have other words than titles do, so the words become entries of the
index, which the search ranks as it ranks titles.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.addnodes import index
from sphinx.application import Sphinx

# The words, by page and by the start of a heading; "" stands for the page itself.
WORDS = {
    ("faq", "Why is the TDP of my significant cluster 0?"): ["TDP 0", "TDP is 0", "zero"],
    ("faq", "Can I choose the threshold after looking?"): ["threshold", "choose threshold"],
    ("faq", "How do I do small-volume correction?"): ["small volume", "SVC"],
    ("faq", "Should I centre covariates?"): ["covariate", "covariates", "centre", "center"],
    ("faq", "May I intersect"): ["conjunction", "intersection"],
    ("faq", "Which mask should I use?"): ["mask"],
    ("faq", "How do I cite this?"): ["citation"],
    ("faq", "Should I test one- or two-sided?"): ["two-sided", "one-sided", "negative"],
    ("auto_gallery/plot_5_surfaces", ""): ["surface", "surfaces", "GIfTI"],
    ("recipes", "CIFTI files"): ["CIFTI"],
    ("permutations", ""): ["permutation", "permutations", "randomise", "sign flip"],
    ("command_line", ""): ["command line", "shell", "help", "terminal"],
    ("inference_kinds", ""): ["FDR", "FWE", "TFCE", "cluster extent"],
    ("explorer", ""): ["browser", "viewer"],
}


def _add_words(app: Sphinx, doctree: nodes.document) -> None:
    page = app.env.docname
    for (of_page, heading), words in WORDS.items():
        if of_page != page:
            continue
        for section in doctree.findall(nodes.section):
            if section[0].astext().startswith(heading):
                target = section["ids"][0]
                entries = [("single", word, target, "main", None) for word in words]
                section.insert(1, index(entries=entries))
                break
        else:
            raise ValueError(f"{page} has no section {heading!r}, which search_words.py names.")


def _check_pages(app: Sphinx, env: Any) -> None:
    missing = {page for page, _ in WORDS} - env.found_docs
    if missing:
        raise ValueError(f"search_words.py names pages that do not exist: {sorted(missing)}.")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", _add_words)
    app.connect("env-check-consistency", _check_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
