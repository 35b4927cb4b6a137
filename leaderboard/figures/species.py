"""A method's value for each species, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.published import digits

from .drawing import Figure, draw, element, number, percent, shorten
from .scale import Scale, write_map

_HEIGHT, _LEFT = 96, "9%"


def species_strip(
    title: str, values: Sequence[tuple[str, float]], *, top: float = 1.0, best_first: bool = False
) -> Figure:
    """A bar a species from 0 to ``top``, in the order given or with the best first."""
    scale = Scale(0, top, top / 2)
    shown = sorted(values, key=lambda item: -item[1]) if best_first else values
    # The titles are most of the bytes: the bars are bare strokes, turned over as a whole.
    bars = [
        element(
            "path",
            element("title", f"{shorten(name)} {digits(value)}"),
            d=f"M{i} 0V{number(round(scale.place(value)))}",
        )
        for i, (name, value) in enumerate(shown)
    ]
    turned = element("g", *bars, transform="matrix(1 0 0 -1 .5 100)")
    field = element(
        "svg",
        turned,
        x=_LEFT,
        y=6,
        width="91%",
        height=_HEIGHT,
        viewBox=f"0 0 {max(len(shown), 1)} 100",
        preserveAspectRatio="none",
    )
    rules = []
    for tick in scale.ticks:
        y = 6 + _HEIGHT * (1 - scale.place(tick) / 100)
        rules.append(element("line", class_="rule", x1=_LEFT, x2=percent(100), y1=y, y2=y))
        rules.append(element("text", write_map(tick), y=y + 4))
    return draw(
        "strip",
        [*rules, field],
        title=title,
        caption=f"A bar a species, {'best first' if best_first else 'in the order of the list'}.",
        header=("species", "map"),
        rows=shown,
        height=_HEIGHT + 12,
    )
