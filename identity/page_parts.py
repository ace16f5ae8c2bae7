"""What the pages of all reports are made with: one look, and templates that cannot be got around.

Owns how a template becomes a page. Knows nothing of what it tells. The page loads nothing from
elsewhere.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from identity.quality_words import percent


def render(
    template: str,
    *,
    charts: Mapping[str, str],
    filters: Mapping[str, Callable[..., str]],
    **values: Any,  # noqa: ANN401 - whatever the template tells
) -> str:
    """A page.

    Args:
        template: Its file beside this module.
        charts: SVG that was drawn by us, by name.
        filters: What the template makes words of values with, besides `percent`.
        **values: What it tells.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, **filters}
    # Drawn by us; matplotlib escapes the names in it.
    drawn = {name: Markup(svg) for name, svg in charts.items()}  # noqa: S704 - see above
    return environment.get_template(template).render(charts=drawn, **values)
