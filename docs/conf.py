"""How Sphinx builds the site: ``sphinx-build -W docs docs/_build``, with the extra ``docs``.

No network is needed: inventories of other projects lie in ``_inventories``, and the gallery runs
on data that come with nilearn.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

import ari_estimator

_here = Path(__file__).parent
sys.path.insert(0, str(_here / "_extensions"))
matplotlib.use("agg")

project = "ari_estimator"
author = "The ari_estimator developers"
project_copyright = author
version = release = ari_estimator.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",  # [source] links
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "example_blocks",
    "own_members",
    "public_names",
    "search_words",
    "unbroken",
]
root_doc = "index"
templates_path = ["_templates"]
exclude_patterns = ["_build", "_inventories", "_style", "gallery", "Thumbs.db", ".DS_Store"]
nitpicky = True  # a reference to nothing is a warning

# Pages in Markdown: links to headings of other pages are checked too.
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "substitution"]
myst_substitutions = {"version": version}
myst_heading_anchors = 3

# The reference: numpydoc formats, autosummary makes a page for each public name.
autodoc_typehints = "none"  # types are in the docstrings
autosummary_generate = True
autosummary_ignore_module_all = False  # a package's __all__ is its public names
# A name that is at the top as well has one page, under its name at the top.
autosummary_context = {"top_names": ari_estimator.__all__}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "literal"
add_module_names = False

intersphinx_mapping = {
    name: (address, str(_here / "_inventories" / f"{name}.txt"))
    for name, address in {
        "joblib": "https://joblib.readthedocs.io/en/stable",
        "nibabel": "https://nipy.org/nibabel",
        "nilearn": "https://nilearn.github.io/stable",
        "numpy": "https://numpy.org/doc/stable",
        "pandas": "https://pandas.pydata.org/docs",
        "python": "https://docs.python.org/3",
        "scipy": "https://docs.scipy.org/doc/scipy",
        "sklearn": "https://scikit-learn.org/stable",
    }.items()
}

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

# The gallery. An example that fails stops the build.
_gallery = _here / "auto_gallery"
_pages = _gallery / "pages"  # whole pages that examples make, see page_scraper
_pages.mkdir(parents=True, exist_ok=True)
html_extra_path = [str(_pages)]
sphinx_gallery_conf: dict[str, Any] = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["auto_gallery"],
    "within_subsection_order": "numbered_examples.NumberSortKey",
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),
    "image_scrapers": ("matplotlib", "page_scraper.scrape_pages"),
    "matplotlib_animations": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 60,
    "download_all_examples": False,  # links below each example are enough
    "show_signature": False,
    "doc_module": ("ari_estimator",),
    "backreferences_dir": "auto_gallery/backreferences",
    "reference_url": {"ari_estimator": None},
}

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"ari_estimator {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_show_sphinx = False
html_copy_source = False
html_theme_options: dict[str, Any] = {
    "light_css_variables": {
        "color-brand-primary": "#8a3b12",
        "color-brand-content": "#1f5f8b",
        "color-brand-visited": "#1f5f8b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#f0a35e",
        "color-brand-content": "#7fbde6",
        "color-brand-visited": "#7fbde6",
    },
}

# Prompts are not copied, nor is output.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
