"""Which methods a paired test can tell apart, all against all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from fgbench.scoring.significance import ALPHA, Verdict, judge

from .drawing import Figure, Shape, draw, element, number, shorten

_CELL, _NAMES, _HEAD = 16, 116, 16
_SIGNS = {Verdict.A: "+", Verdict.B: "−", Verdict.NEITHER: "="}
_LOOKS = {Verdict.A: "better", Verdict.B: "worse", Verdict.NEITHER: "even"}
_SAID = {Verdict.A: "better than", Verdict.B: "worse than", Verdict.NEITHER: "not separable from"}
_TURNED = {Verdict.A: Verdict.B, Verdict.B: Verdict.A, Verdict.NEITHER: Verdict.NEITHER}
_CAPTION = (
    "Read along a row: + significantly better than the method of that column, − worse,"
    f" = not separable at {ALPHA:.0%}; blank: not tested."
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A paired test of two methods: mean difference a − b, its interval, and the adjusted p."""

    difference: float
    interval: tuple[float, float] | None
    p: float

    @property
    def verdict(self) -> Verdict:
        return judge(self.difference, self.p)


def significance_matrix(
    task: str, names: Sequence[str], pairs: Mapping[tuple[int, int], Pair]
) -> Figure:
    """The verdicts between the methods, in the order given.

    ``pairs``: by two places in ``names``, the smaller first; a pair that is not there is blank.
    """
    known = {pair: test.verdict for pair, test in sorted(pairs.items())}
    known |= {(b, a): _TURNED[verdict] for (a, b), verdict in known.items()}
    size, shapes = len(names), []
    for i, name in enumerate(names):
        shapes.append(_text(_middle(i), 11, f"{i + 1}"))
        shapes.append(_label(i, name))
        shapes += _runs(i, names, [known.get((i, j)) for j in range(size)])
    shapes.append(element("path", class_="mesh", d=_mesh(size)))
    return draw(
        "matrix",
        shapes,
        title=f"Paired tests at {task}",
        caption=_CAPTION,
        header=("a", "b", "difference", "low", "high", "p", "verdict"),
        rows=[
            (
                names[a],
                names[b],
                test.difference,
                *(test.interval or (None, None)),
                test.p,
                known[a, b].value,
            )
            for (a, b), test in sorted(pairs.items())
        ],
        width=_NAMES + _CELL * max(size, 1),
        height=_HEAD + _CELL * max(size, 1),
    )


def _runs(i: int, names: Sequence[str], verdicts: Sequence[Verdict | None]) -> Iterator[Shape]:
    """The row's neighbours of one verdict as one box each, then all its signs."""
    y, tested = _HEAD + _CELL * i, [j for j, verdict in enumerate(verdicts) if verdict]
    for verdict, group in groupby(enumerate(verdicts), key=lambda item: item[1]):
        columns = [j for j, _ in group]
        if verdict is None:
            continue
        first, last = columns[0], columns[-1]
        to = f" to {last + 1} {shorten(names[last])}" if last > first else ""
        said = f"{shorten(names[i])} is {_SAID[verdict]} {first + 1} {shorten(names[first])}{to}"
        yield element(
            "rect",
            element("title", said),
            class_=_LOOKS[verdict],
            x=_NAMES + _CELL * first,
            y=y,
            width=_CELL * len(columns),
            height=_CELL,
        )
    if tested:
        # One text a row, each sign at its own x: a matrix of sixty is 3,540 signs.
        places = " ".join(map(_middle, tested))
        signs = "".join(_SIGNS[verdict] for verdict in verdicts if verdict)
        yield element("text", signs, class_="sign", x=places, y=y + 12)


def _label(i: int, name: str) -> Shape:
    texts = (_text(10, 12, f"{i + 1}"), element("text", shorten(name), x=22, y=12))
    place = {"y": _HEAD + _CELL * i, "width": _NAMES - 6, "height": _CELL}
    return element("svg", element("title", shorten(name)), *texts, **place)  # it clips


@cache
def _middle(column: int) -> str:
    return number(_NAMES + _CELL * (column + 0.5))


def _text(x: float | str, y: float, text: str) -> Shape:
    return element("text", text, class_="tick", x=x, y=y)


def _mesh(size: int) -> str:
    ends = [_CELL * i for i in range(size + 1)]
    down = [f"M{_NAMES + at} {_HEAD}v{_CELL * size}" for at in ends]
    return "".join(down + [f"M{_NAMES} {_HEAD + at}h{_CELL * size}" for at in ends])
