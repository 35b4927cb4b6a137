"""Points over two axes: difficulty of species, quality against parameters, progress by year."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fgbench.published import digits

from .drawing import Figure, Shape, draw, element, percent, shorten
from .scale import Scale, write_map

_TOP, _HEIGHT, _FOOT = 28, 260, 36
_LEFT, _WIDTH = "9%", "86%"
_SPAN = 0.1
_LABEL, _LABEL_WIDTH, _LABEL_HEIGHT = 24, 50, 14
"""Characters of a name at most; its room in per cent on a telephone, and in pixels."""


@dataclass(frozen=True, slots=True)
class Point:
    """Something with a name at two numbers."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Axis:
    label: str
    scale: Scale
    write: Callable[[float], str]
    """A number on the axis."""
    say: Callable[[float], str]
    """A number in a title."""


def difficulty(title: str, points: Sequence[Point], x: str, y: str) -> Figure:
    """Species by their MAP in two directions, ``x`` and ``y``; on the line both are the same."""
    both = [value for point in points for value in (point.x, point.y)]
    diagonal = element("line", class_="even", x1=0, x2="100%", y1=_HEIGHT, y2=0)
    return _chart(
        title,
        "A dot a species; above the line it is found better in the direction of the upright axis.",
        (_map_axis(x, both), _map_axis(y, both)),
        points,
        [diagonal],
        highlighted=(),
    )


def quality(title: str, points: Sequence[Point]) -> Figure:
    """Methods by parameters, over powers of ten, and MAP, and the best up to each as a line."""
    across = _Axis("parameters", Scale.powers(p.x for p in points), _write_count, _write_count)
    up = _map_axis("MAP", [p.y for p in points])
    return _climb(
        title,
        "Filled: the best for its parameters. Line: the best up to there.",
        across,
        up,
        points,
    )


def progress(title: str, points: Sequence[Point]) -> Figure:
    """Methods by year and MAP, and the best so far as a line of steps."""
    across = _Axis("year", Scale.around((p.x for p in points), 2), "{:g}".format, "{:g}".format)
    up = _map_axis("MAP", [p.y for p in points])
    return _climb(
        title, "Filled: the best up to its year. Line: the best so far.", across, up, points
    )


def _map_axis(label: str, values: Iterable[float]) -> _Axis:
    return _Axis(shorten(label, _LABEL), Scale.around([0.0, *values], _SPAN), write_map, digits)


def _write_count(value: float) -> str:
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:g}"


def _climb(title: str, caption: str, across: _Axis, up: _Axis, points: Sequence[Point]) -> Figure:
    best = _frontier(points)
    corners = [(across.scale.place(p.x), _down(up.scale, p.y)) for p in best]
    under = [*_steps(corners), *_labels(best, corners)]
    return _chart(title, caption, (across, up), points, under, best)


def _frontier(points: Iterable[Point]) -> list[Point]:
    """The points above all before them, from left to right; of equals, the first by name."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.x, -p.y, p.name)):
        if not best or point.y > best[-1].y:
            best.append(point)
    return best


def _steps(corners: Sequence[tuple[float, float]]) -> Iterator[Shape]:
    ends = [(100.0, y) for _, y in corners[-1:]]
    for (left, low), (right, high) in pairwise([*corners, *ends]):
        for x1, x2, y1, y2 in ((left, right, low, low), (right, right, low, high)):
            yield element("line", class_="step", x1=percent(x1), x2=percent(x2), y1=y1, y2=y2)


def _labels(best: Sequence[Point], corners: Sequence[tuple[float, float]]) -> list[Shape]:
    """Names beside the points, from the top down, where no other name is in the way."""
    shapes: list[Shape] = []
    placed: list[tuple[float, float]] = []
    for point, (x, y) in reversed(list(zip(best, corners, strict=True))):
        if any(abs(x - a) < _LABEL_WIDTH and abs(y - b) < _LABEL_HEIGHT for a, b in placed):
            continue
        placed.append((x, y))
        # What climbs has nothing above it on its left; at the left end there is no room for text.
        anchor = "end" if x > 35 else "start"
        text = shorten(point.name, _LABEL)
        shapes.append(element("text", text, class_=f"name {anchor}", x=percent(x), y=y - 8))
    return shapes


def _chart(
    title: str,
    caption: str,
    axes: tuple[_Axis, _Axis],
    points: Sequence[Point],
    under: Sequence[Shape],
    highlighted: Sequence[Point],
) -> Figure:
    across, up = axes
    dots = [
        element("g", *(_dot(point, across, up) for point in group), class_=look)
        for look, group in (
            ("faint", [point for point in points if point not in highlighted]),
            ("dot", highlighted),
        )
        if group
    ]
    field = element(
        "svg", *_grid(across, up), *under, *dots, x=_LEFT, y=_TOP, width=_WIDTH, overflow="visible"
    )
    names = (
        element("text", f"↑ {up.label}", y=12),
        element("text", f"{across.label} →", class_="end", x="95%", y=_TOP + _HEIGHT + 32),
    )
    return draw(
        "chart",
        [*names, field],
        title=title,
        caption=caption,
        header=("name", across.label, up.label),
        rows=[(p.name, p.x, p.y) for p in points],
        height=_TOP + _HEIGHT + _FOOT,
    )


def _dot(point: Point, across: _Axis, up: _Axis) -> Shape:
    return element(
        "circle",
        element("title", f"{shorten(point.name)}: {across.say(point.x)}, {up.say(point.y)}"),
        cx=percent(across.scale.place(point.x)),
        cy=_down(up.scale, point.y),
        r=4,
    )


def _grid(across: _Axis, up: _Axis) -> list[Shape]:
    shapes = []
    for tick in up.scale.ticks:
        y = _down(up.scale, tick)
        shapes.append(element("line", class_="rule", x1=0, x2="100%", y1=y, y2=y))
        shapes.append(element("text", up.write(tick), class_="tick end", x=-6, y=y + 4))
    for tick in across.scale.ticks:
        x = percent(across.scale.place(tick))
        shapes.append(element("text", across.write(tick), class_="tick", x=x, y=_HEIGHT + 16))
    return shapes


def _down(scale: Scale, value: float) -> float:
    return _HEIGHT * (1 - scale.place(value) / 100)
