"""Values with their intervals: a bar for a table's cell, and the ranked plot of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from fgbench.published import digits
from fgbench.scoring.uncertainty import LEVEL

from .drawing import Figure, Row, Shape, draw, element, percent, shorten
from .scale import Scale, write_map

MOST_ROWS = 60
_LINE, _HEAD = 22, 20
_SPAN = 0.1
_NAMES, _PLOT_AT, _PLOT = "38%", "40%", "46%"
_CAPTION = (
    f"Dot: MAP. Line: its {LEVEL:.0%} interval, over species. Ringed: no method is significantly"
    " better. Open: not ranked, being printed in a paper or incomplete."
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A method's MAP. ``rank`` None: it takes no part in the ranking, as a number from a paper does
    not."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    rank: int | None = None

    def __str__(self) -> str:
        if self.interval is None:
            return digits(self.value)
        low, high = self.interval
        return f"{digits(self.value)} [{digits(low)} {digits(high)}]"

    @property
    def row(self) -> Row:
        return (self.rank, self.name, self.value, *(self.interval or (None, None)))


HEADER = ("rank", "method", "map", "low", "high")


def interval_bar(estimate: Estimate, scale: Scale) -> Figure:
    """A dot on its interval, one line high, along a scale that all rows of a table share."""
    return draw(
        "interval",
        _mark(estimate, scale, 7),
        title=f"{shorten(estimate.name)}: {estimate}",
        caption="",
        header=HEADER,
        rows=[estimate.row],
        height=14,
    )


def ranking(task: str, estimates: Sequence[Estimate]) -> Figure:
    """The methods of a task, in the order given: rank, name, dot on its interval, MAP.

    Draws the first ``MOST_ROWS``; its rows are all.
    """
    drawn = estimates[:MOST_ROWS]
    scale = Scale.around(chain.from_iterable((e.value, *(e.interval or ())) for e in drawn), _SPAN)
    height = _HEAD + _LINE * len(drawn)
    lines = [_line(estimate, scale, _HEAD + _LINE * i) for i, estimate in enumerate(drawn)]
    rest = f" {len(drawn)} of {len(estimates)} methods." if len(drawn) < len(estimates) else ""
    return draw(
        "ranking",
        [_grid(scale, height), *lines],
        title=f"MAP at {task}",
        caption=_CAPTION + rest,
        header=HEADER,
        rows=[estimate.row for estimate in estimates],
        height=max(height, _HEAD + _LINE),
    )


def _grid(scale: Scale, height: float) -> Shape:
    shapes = []
    for tick in scale.ticks:
        x = percent(scale.place(tick))
        shapes.append(element("text", write_map(tick), class_="tick", x=x, y=12))
        shapes.append(element("line", class_="rule", x1=x, x2=x, y1=_HEAD - 2, y2=height))
    return _plot(shapes)


def _line(estimate: Estimate, scale: Scale, y: float) -> Shape:
    rank = "–" if estimate.rank is None else f"{estimate.rank}"
    names = (
        element("text", rank, class_="rank", x=18, y=15),
        element("text", shorten(estimate.name), x=26, y=15),
    )
    said = "not ranked" if estimate.rank is None else f"rank {estimate.rank}"
    return element(
        "g",
        element("title", f"{shorten(estimate.name)}: {estimate}, {said}"),
        element("rect", class_="slot", y=y, width="100%", height=_LINE),
        element("svg", *names, y=y, width=_NAMES, height=_LINE),  # it clips what is too long
        _plot(_mark(estimate, scale, y + _LINE / 2)),
        element("text", digits(estimate.value), class_="value", x="100%", y=y + 15),
        class_="first" if estimate.rank == 1 else None,
    )


def _plot(shapes: Sequence[Shape]) -> Shape:
    return element("svg", *shapes, x=_PLOT_AT, width=_PLOT, overflow="visible")


def _mark(estimate: Estimate, scale: Scale, y: float) -> list[Shape]:
    x, shapes = percent(scale.place(estimate.value)), []
    if estimate.interval is not None:
        low, high = (percent(scale.place(bound)) for bound in estimate.interval)
        shapes.append(element("line", class_="span", x1=low, x2=high, y1=y, y2=y))
    shapes.append(
        element("circle", class_="open" if estimate.rank is None else "dot", cx=x, cy=y, r=3)
    )
    if estimate.rank == 1:
        shapes.append(element("circle", class_="ring", cx=x, cy=y, r=6))
    return shapes
