"""A method's values as a grid of shades: its signature at a glance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from fgbench.protocol import MEDIA, Medium, Task, tasks
from fgbench.published import digits

from .drawing import Figure, Shape, draw, element, shorten
from .scale import Scale

STEPS = 7
"""Shades of the ramp: the classes ``c0``, the least, to ``c6``."""

_CAPTION = "Rows: query medium; columns: gallery medium; diagonal: all media."


def heat_grid(
    method: str,
    values: Mapping[str, float],
    *,
    top: float = 1.0,
    media: Sequence[Medium] = MEDIA,
    printed: bool = True,
) -> Figure:
    """The grid of a method's MAP by task code; the diagonal is X→All. Hatched: no value.

    The shades part what lies between 0 and ``top``: grids of one ``top`` compare. Not ``printed``:
    the grid is smaller, its numbers are in its title alone.
    """
    asked = [[Task(q, None if q is g else g) for g in media] for q in media]
    if unknown := set(values) - {task.code for line in asked for task in line}:
        raise ValueError(f"no task of these media: {', '.join(sorted(unknown))}")
    width, height = (30, 18) if printed else (13, 13)
    left, above = (12, 13) if printed else (0, 0)
    shapes, gaps, said = [], [], []
    bare: dict[int, str] = defaultdict(str)
    for i, line in enumerate(asked):
        for j, task in enumerate(line):
            x, y = left + width * j, above + height * i
            if task.code not in values:
                gaps.append(_hatch(x, y, width, height))
                continue
            value = values[task.code]
            said.append(f"{task.title} {digits(value)}")
            if printed:
                text, box = _text(x + width / 2, y + 12.5, digits(value)), (x, y, width, height)
                shapes.append(_cell(_shade(value, top), box, said[-1], [text]))
            else:
                bare[_shade(value, top)] += f"M{x} {y}h{width}v{height}h-{width}z"
    # A board has many small grids: the boxes of one shade are one element.
    shapes += [element("path", class_=f"c{shade}", d=bare[shade]) for shade in sorted(bare)]
    if gaps:
        shapes.append(element("path", element("title", "no value"), class_="gap", d="".join(gaps)))
    for i, medium in enumerate(media if printed else ()):
        shapes.append(_text(left + width * (i + 0.5), 9.5, medium.code.upper()))
        shapes.append(_text(left / 2 - 1, above + height * i + 12.5, medium.code.upper()))
    across, down = left + width * len(media), above + height * len(media)
    return draw(
        "heat" if printed else "heat small",
        shapes,
        title=f"MAP of {shorten(method)}" + ("" if printed else f": {', '.join(said)}"),
        caption=_CAPTION if printed else "",
        header=("task", "map"),
        rows=[(task.title, values.get(task.code)) for task in tasks(media)],
        width=across,
        height=down,
        viewBox=f"0 0 {across} {down}",
    )


def heat_legend(top: float = 1.0) -> Figure:
    """The shades of ``heat_grid`` with the values where one becomes the next."""
    bounds = [top * step / STEPS for step in range(STEPS + 1)]
    shapes = [
        _cell(i, (14 + 32 * i, 0, 32, 12), f"{digits(low)} to {digits(bounds[i + 1])}", [])
        for i, low in enumerate(bounds[:-1])
    ]
    shapes += [_text(14 + 32 * i, 24, digits(bound)) for i, bound in enumerate(bounds)]
    shapes += [element("path", class_="gap", d=_hatch(278, 0, 32, 12)), _text(294, 24, "no value")]
    return draw(
        "heat",
        shapes,
        title="Shades by MAP",
        caption="",
        header=("shade", "from", "to"),
        rows=[(i + 1, low, bounds[i + 1]) for i, low in enumerate(bounds[:-1])],
        width=320,
        height=28,
        viewBox="0 0 320 28",
    )


def _shade(value: float, top: float) -> int:
    """The shade of a value: its place below ``top`` in equal steps, ``top`` itself in the last."""
    return min(int(STEPS * Scale(0, top, top).place(value) / 100), STEPS - 1)


def _cell(
    shade: int, box: tuple[float, float, float, float], title: str, inside: list[Shape]
) -> Shape:
    x, y, width, height = box
    shape = element("rect", x=x, y=y, width=width, height=height)
    return element("g", element("title", title), shape, *inside, class_=f"c{shade}")


def _text(x: float, y: float, text: str) -> Shape:
    return element("text", text, x=x, y=y)


def _hatch(x: float, y: float, width: float, height: float) -> str:
    """Path data of slanted lines in a box: a mark that needs no id, as a pattern would."""
    step, lines = 6, ""
    for at in range(step, int(width + height), step):
        right, down = min(at, width), min(at, height)
        start, length = x + at - down, right - (at - down)
        lines += f"M{start:g} {y + down:g}l{length:g}-{length:g}"
    return lines
