"""nilearn's part of a report without what it asks other servers for."""

from __future__ import annotations

import re
from html import unescape

from nilearn.reporting import HTMLReport

from ari_estimator._page_policy import with_policy
from ari_estimator._page_templates import templates_of
from ari_estimator.reporting._page_report import PageReport

_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)

# What nilearn, and scikit-learn in its part, have of scripts. Names in it are escaped before.
_SCRIPT = re.compile(r"<script\b[^>]*>(?P<text>.*?)</script", re.DOTALL | re.IGNORECASE)
_HANDLER = re.compile(r"""\son[a-z]+\s*=\s*(?P<mark>["'])(?P<text>.*?)(?P=mark)""", re.DOTALL)
_TEMPLATES = templates_of("ari_estimator.reporting", "templates")


def with_own_styles(report: HTMLReport, more: str = "") -> PageReport:
    """Return a report of nilearn as a page that needs nothing but itself.

    nilearn 0.14.1 takes two style sheets and an icon from other servers.

    Parameters
    ----------
    report : nilearn.reporting.HTMLReport
        The report.

    more : str, default=""
        HTML to add at its end.

    Returns
    -------
    report : PageReport
        The same, with a style sheet of this package.
    """
    style = f"<style>{_TEMPLATES.get_template('nilearn.css').render()}</style>"
    before = report.body
    body = style + _LINK.sub("", before)
    if more:
        # One block, and no wider than the page, in which nilearn's part is to scroll.
        body = f'<div style="min-width: 0; max-width: 100%">{body}{more}</div>'
    head, _, rest = report.html.partition(before)
    html = with_policy(
        _LINK.sub("", head) + body + rest,
        scripts=[match["text"] for match in _SCRIPT.finditer(before)],
        handlers=[unescape(match["text"]) for match in _HANDLER.finditer(before)],
    )
    return PageReport(html, body)
