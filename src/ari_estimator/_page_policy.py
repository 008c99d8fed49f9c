"""What a page may do: show itself, and nothing over the network."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha256


def with_policy(
    html: str,
    *,
    scripts: Iterable[str] = (),
    workers: bool = False,
) -> str:
    """Return a page with a Content-Security-Policy.

    The page may use the styles in it, and images in it or made by it. It runs the scripts that it
    is known to have, which the policy names by their checksums. So no name from a file becomes a
    script, even if it were not escaped. The page asks for nothing over the network.

    Parameters
    ----------
    html : str
        A whole page, without a statement of its encoding.

    scripts : iterable of str, default=()
        The text of each script element.

    workers : bool, default=False
        Whether scripts start workers that they make, and read data that they hold as if these were
        files.

    Returns
    -------
    html : str
        The page. The policy comes first in its head, behind the encoding.
    """
    rules = ["default-src 'none'", "img-src data: blob:", "style-src 'unsafe-inline'"]
    may_run = [_checksum(script) for script in scripts]
    if may_run:
        rules.append(f"script-src {' '.join(dict.fromkeys(may_run))}")
    if workers:
        rules += ["worker-src blob:", "connect-src data: blob:", "font-src data:"]
    rules += ["base-uri 'none'", "form-action 'none'"]
    head = (
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">'
    )
    return html.replace("<head>", f"<head>\n{head}", 1)


def _checksum(script: str) -> str:
    # A browser reads line ends of all kinds as one.
    text = script.replace("\r\n", "\n").replace("\r", "\n")
    return f"'sha256-{base64.b64encode(sha256(text.encode('utf-8')).digest()).decode()}'"
