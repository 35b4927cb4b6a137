"""Plots as inline SVG that stretch to the width they are given.

No text is in them but the title of each part, which a pointer shows and a screen reader reads: the
page prints the numbers beside the plot. Colours are the page's: each part has a class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fgbench.errors import MissingExtra

try:
    from markupsafe import Markup, escape
except ImportError as error:  # it comes with jinja2
    raise MissingExtra("jinja2", "build") from error

_HEIGHT = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a plot: how much it is, what to say of it, the CSS class that colours it."""

    value: float
    title: str
    look: str = "kept"


def bar(parts: Sequence[Part], whole: float) -> Markup:
    """Parts end to end on a bar as long as ``whole``; what is left of it stays empty."""
    shapes, start = [], 0.0
    for part in parts:
        width = 1000 * part.value / whole if whole else 0
        shapes.append(_rectangle(start, 0, width, _HEIGHT, part))
        start += width
    return _svg("bar", 1000, shapes, [part.title for part in parts if part.value] or ["nothing"])


def columns(parts: Sequence[Part], line: float | None = None, label: str = "") -> Markup:
    """A column a part, side by side; ``line`` is drawn across at that value."""
    top = max([part.value for part in parts] + [line or 0, 1])
    shapes = []
    for i, part in enumerate(parts):
        height = _HEIGHT * part.value / top
        shapes.append(_rectangle(10 * i + 1, _HEIGHT - height, 8, height, part))
        # The whole slot answers a pointer: a short column is hard to hit.
        shapes.append(_rectangle(10 * i, 0, 10, _HEIGHT, Part(part.value, part.title, "slot")))
    width = 10 * max(len(parts), 1)
    if line is not None:
        at = _number(_HEIGHT - _HEIGHT * line / top)
        drawn = f'<path class="line" d="M0 {at}H{width}" vector-effect="non-scaling-stroke"/>'
        shapes.append(Markup(drawn))  # noqa: S704  # numbers alone
    return _svg("columns", width, shapes, [label])


def strip(parts: Sequence[Part], most: float, label: str) -> Markup:
    """A cell a part, the darker the nearer it is to ``most``; none where it is nothing."""
    shapes = [
        _rectangle(10 * i, 0, 10, _HEIGHT, part, 0.15 + 0.85 * part.value / most)
        for i, part in enumerate(parts)
        if part.value
    ]
    return _svg("strip", 10 * max(len(parts), 1), shapes, [label])


def _rectangle(
    x: float, y: float, width: float, height: float, part: Part, opacity: float | None = None
) -> Markup:
    place = 'x="{}" y="{}" width="{}" height="{}"'.format(*map(_number, (x, y, width, height)))
    shade = "" if opacity is None else f' opacity="{_number(opacity)}"'
    title = f"<title>{escape(part.title)}</title>"
    return Markup(  # noqa: S704  # what is not a number is escaped
        f'<rect class="{escape(part.look)}" {place}{shade}>{title}</rect>'
    )


def _svg(kind: str, width: float, shapes: Iterable[Markup], labels: Sequence[str]) -> Markup:
    said = escape("; ".join(labels))
    return Markup(  # noqa: S704  # what is not a number is escaped
        f'<svg class="{kind}" role="img" aria-label="{said}" preserveAspectRatio="none" '
        f'viewBox="0 0 {_number(width)} {_HEIGHT}">{Markup().join(shapes)}</svg>'
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
