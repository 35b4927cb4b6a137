"""SVG as text: the one place where names are made harmless and numbers are rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from fgbench.errors import MissingExtra

try:
    from markupsafe import Markup, escape
except ImportError as error:  # it comes with jinja2
    raise MissingExtra("jinja2", "leaderboard") from error

LONGEST_NAME, LONGEST_TITLE = 60, 300

Row: TypeAlias = tuple[str | float | None, ...]
Shape: TypeAlias = Markup
"""An element with all that is in it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, how to read it, and all numbers in it, unrounded: ``rows`` under ``header``.

    None in a row: there is no such value.
    """

    svg: Markup
    title: str
    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def draw(
    kind: str,
    shapes: Iterable[Shape],
    *,
    title: str,
    caption: str,
    header: Sequence[str],
    rows: Iterable[Row],
    **attributes: str | float,
) -> Figure:
    """The figure; where there are no rows, it says so in place of its shapes.

    Raises ``ValueError`` for a row with a number that is not finite.
    """
    rows = tuple(rows)
    for row in rows:
        if not all(math.isfinite(cell) for cell in row if isinstance(cell, float)):
            raise ValueError(f"no figure can show {row!r}")
    title = shorten(title, LONGEST_TITLE)
    parts = [element("title", title)]
    if caption:
        parts.append(element("desc", caption))
    if rows:
        parts += shapes
    else:
        parts.append(element("text", "No values yet", y=16))
        attributes = {"width": "100%", "height": 24}
    svg = element("svg", *parts, class_=f"fig {kind}", role="img", **attributes)
    return Figure(svg, title, caption, tuple(header), rows)


def element(tag: str, *children: str, **attributes: str | float | None) -> Shape:
    """An SVG element. Children that are no shapes are text; an attribute of None is left out.

    ``_`` at the end of an attribute's name falls away (``class_``); others stand for ``-``.
    """
    given = "".join(
        [
            f' {_name(name)}="{escape(plain(value)) if isinstance(value, str) else number(value)}"'
            for name, value in attributes.items()
            if value is not None
        ]
    )
    inside = "".join(
        [child if isinstance(child, Markup) else escape(plain(child)) for child in children]
    )
    made = f"<{tag}{given}>{inside}</{tag}>" if children else f"<{tag}{given}/>"
    return Markup(made)  # noqa: S704  # values and text are escaped


def plain(text: str) -> str:
    """The text without what XML cannot hold or what would turn its neighbours round."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shorten(name: str, longest: int = LONGEST_NAME) -> str:
    """The name as far as a figure has room for it."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def number(value: float) -> str:
    """A coordinate: two decimals at most, no zero at the end, no minus before 0."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(value: float) -> str:
    """A place along x: 0 is the left end, 100 the right."""
    return f"{number(value)}%"


@cache
def _name(attribute: str) -> str:
    return attribute.removesuffix("_").replace("_", "-")
