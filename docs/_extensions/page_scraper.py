"""Shows the pages that examples make, explorers and reports, in frames of the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nilearn.reporting import HTMLReport

from ari_estimator.explorer import ExplorerDocument

_FRAME = """
.. raw:: html

    <iframe class="page" src="../{file}" title="{name}" loading="lazy"></iframe>
    <p class="page-link"><a href="../{file}" target="_blank">Open it in a page of its own</a></p>
"""


def scrape_pages(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the pages among the variables that the last block of an example made.

    Parameters
    ----------
    block : tuple
        The block, which is not used.
    block_vars : dict
        With the variables of the example and its file.
    gallery_conf : dict
        The configuration of sphinx-gallery.

    Returns
    -------
    rst : str
        A frame for each page.
    """
    example = Path(block_vars["src_file"]).stem.removeprefix("plot_")
    folder = Path(gallery_conf["src_dir"], "auto_gallery", "pages")
    frames = []
    shown = block_vars.setdefault("pages_shown", set())
    for name, value in block_vars["example_globals"].items():
        if isinstance(value, (ExplorerDocument, HTMLReport)) and id(value) not in shown:
            shown.add(id(value))
            file = f"{example}_{name}.html"
            value.save_as_html(folder / file)
            frames.append(_FRAME.format(file=file, name=name))
    return "".join(frames)
