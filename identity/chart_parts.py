"""What the charts of all reports are made with: colours, and a figure as SVG text.

Owns how a drawing gets into a page. Knows nothing of what is drawn.
"""

import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure

OPERATORS_MAX = 7
"""More lines than this cannot be told apart; the tables still have every operator."""

COLOURS = ("#2471a3", "#ca6f1e", "#1e8449", "#7d3c98", "#17a2b8", "#2c3e50", "#c0392b")


def svg(figure: Figure, *, salt: str) -> str:
    """A figure as an `svg` element, the same for the same values.

    Args:
        figure: The figure.
        salt: Makes the identifiers inside differ between charts of one page.
    """
    file = io.StringIO()
    # No date, so that the same values give the same text.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    element = re.search(r"<svg.*</svg>", file.getvalue(), flags=re.DOTALL)
    assert element is not None  # what savefig writes is one svg element
    return re.sub(r"<metadata>.*?</metadata>", "", element.group(), flags=re.DOTALL)
