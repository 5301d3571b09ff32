"""Sphinx configuration: MyST Markdown, furo, warnings are errors."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from pushkit import __version__  # noqa: E402 - after the path is set

project = "pushkit"
author = "The pushkit developers"
copyright = "2026, the pushkit developers"  # noqa: A001 - Sphinx's name for it
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "reason_tables", "settings_table", "mapping_table"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4
autodoc_typehints = "description"
autodoc_member_order = "bysource"
nitpicky = False
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = f"pushkit {version}"
html_static_path = ["_static"]
html_css_files = ["pushkit.css"]
html_show_sphinx = False
