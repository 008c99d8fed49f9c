"""Pages link the terms of the field to the glossary where they use them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOT_PROSE = {
    "bibliography.md",
    "changelog.md",
    "code_of_conduct.md",
    "contributing.md",
    "glossary.md",
    "governance.md",
    "security.md",
}
PAGES = [path for path in sorted(DOCS.glob("*.md")) if path.name not in NOT_PROSE]
PAGES += sorted((DOCS / "tutorials").glob("*.md"))

# Terms that a newcomer cannot guess, and the entry that explains each.
TERMS = {
    "adaptive cluster": "adaptive cluster",
    "closed testing": "closed testing",
    "cluster-forming threshold": "cluster-forming threshold",
    "concentration set": "concentration set",
    "critical vector": "critical vector",
    "exchangeability block": "exchangeability block",
    "FDR": "fdr",
    "FWE": "fwe",
    "Hommel value": "hommel value",
    "joint error rate": "joint error rate",
    "learned template": "learned template",
    "local test": "local test",
    "pivotal statistic": "pivotal statistic",
    "PRDS": "prds",
    "step-down": "step-down",
    "threshold-free TDP map": "threshold-free tdp map",
    "variance group": "variance group",
}

# Headings, tables, quotations, code, links and what MyST makes of roles.
_NOT_TEXT = re.compile(
    r"^(?:```|:::)[\s\S]*?^(?:```|:::)|^(?:#|\||>).*$|\{[a-z:]+\}`[^`]*`|`[^`\n]*`"
    r"|!?\[[^\]]*\]\([^)]*\)|<!--[\s\S]*?-->",
    re.MULTILINE,
)
_LINKED = re.compile(r"\{term\}`(?:[^`<]*<)?([^`>]*)>?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_terms_are_linked_where_a_page_uses_them(page):
    text = page.read_text(encoding="utf-8")
    linked = {entry.lower() for entry in _LINKED.findall(text)}
    prose = _NOT_TEXT.sub("", text)
    used = {
        term
        for term in TERMS
        if re.search(rf"(?<![\w-]){re.escape(term)}s?(?![\w-])", prose, re.IGNORECASE)
    }
    assert {term for term in used if TERMS[term] not in linked} == set()


def test_terms_are_used():
    text = " ".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert all(f"{{term}}`{term}" in text or f"<{term}>`" in text for term in TERMS)
