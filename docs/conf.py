"""How the documentation is built: ``python3 dev.py docs``.

A warning is an error. The Japanese pages are built beside the English ones, into the folder ``ja``; sphinx-intl keeps
their catalogs (``docs/locale/README.md``).
"""

import subprocess
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent

project = "eckit"
author = "The eckit authors"
copyright = "the eckit authors, MIT license"
release = version = version_of("eckit-commerce")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "locale", "pages"]
templates_path = ["_templates"]
nitpicky = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

language = "en"
locale_dirs = ["locale"]
figure_language_filename = "{path}{basename}.{language}{ext}"
gettext_compact = False
gettext_uuid = False
gettext_location = False
TRANSLATED = ("index", "tutorial/first-shop", "explanation/why-never-charged-twice")
"""The pages there is a Japanese catalog for; a test holds the catalogs to it."""

html_theme = "furo"
html_title = "eckit"
html_static_path = ["_static"]
html_css_files = ["eckit.css"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/languages.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "native"


def setup(app: Sphinx) -> dict[str, bool]:
    """Build the Japanese pages after the English ones."""
    app.connect("build-finished", _build_japanese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _build_japanese(app: Sphinx, failure: Exception | None) -> None:
    if failure is not None or app.builder.name != "html" or app.config.language != "en":
        return
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-D", "language=ja"]
    command += ["-d", str(app.doctreedir / "ja"), str(HERE), str(app.outdir / "ja")]
    subprocess.run(command, check=True)
