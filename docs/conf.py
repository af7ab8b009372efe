"""Sphinx: Markdown pages, and the reference from the docstrings."""

import coatcheck

project = "Coatcheck"
author = "The Coatcheck authors"
copyright = "2026, The Coatcheck authors"  # noqa: A001
release = coatcheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Coatcheck {release}"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

nitpick_ignore_regex = [
    # Nothing is fetched while building, so names of other projects stay plain text.
    (
        r"py:.*",
        r"(abc|collections|cryptography|datetime|enum|fastapi|msgspec|os|pathlib|starlette|types|typing)\..*",
    ),
    # Type variables, the type of the sentinels in hazmat, and the rows of the algorithm table have no page.
    (r"py:.*", r"coatcheck\..*\.(C|T|Anything|App|Guarded)"),
    (r"py:.*", r"coatcheck\.jose\.(algorithms|key_types)\..*"),
    # Nor have the ports that a server is composed of, and what configuration.md tells as a table.
    (r"py:.*", r"coatcheck\.(flows\.(context|ports)|mail\.model|server\.settings_model)\..*"),
    (r"py:.*", r"coatcheck\.accounts\.errors\._\w+"),
]
