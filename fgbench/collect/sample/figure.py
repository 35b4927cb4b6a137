"""A drawn bird: the marks of its species (``plumage.toml``) in a pose."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import cos, radians, sin

from fgbench.errors import MissingExtra

try:
    from PIL import Image, ImageColor, ImageDraw
except ImportError as error:
    raise MissingExtra("pillow", "build") from error

Point = tuple[float, float]

_FINE = 2
"""Drawn so many times larger, then reduced: edges are smooth."""
_CANVAS = 340
"""Units on a side; the middle of the body is in the middle, and no pose reaches the rim."""
_YOUNG = (0x8A, 0x74, 0x5C)
"""The brown that young birds of all eight are tinged with."""


@dataclass(frozen=True, slots=True)
class Plumage:
    """The marks of a species. Colours are ``#rrggbb``, or ``""`` for none; a body is 100 long."""

    cub_id: int
    backdrops: Sequence[str]
    """Where it is drawn; ``picture.BACKDROPS``."""
    upper: str
    under: str
    head: str
    cap: str
    mask: str
    brow: str
    throat: str
    bill: str
    bill_tip: str
    bill_ring: str
    legs: str
    wing: str
    wing_tip: str
    bars: str
    rump: str
    tail: str
    tail_band: str
    streaks: str
    patches: str
    eye_ring: str
    depth: float
    """Half the height of the body."""
    head_size: float
    bill_length: float
    bill_depth: float
    leg: float
    tail_length: float
    fork: float
    wing_length: float


@dataclass(frozen=True, slots=True)
class Pose:
    """How a bird holds itself. ``lift``: degrees of the wings, None where they are folded."""

    lift: float | None = None
    stands: bool = True
    """Or its legs are not to be seen."""
    tilt: float = 0.0
    """Degrees by which the head is up."""
    nod: float = 0.0
    """Units by which the head is drawn in."""
    left: bool = False
    young: float = 0.0
    """0 to 1: how far every colour goes to brown."""


@cache
def plumages() -> Mapping[int, Plumage]:
    """Those of all eight birds, by CUB id."""
    text = (resources.files(__package__) / "plumage.toml").read_text(encoding="utf-8")
    return {table["cub_id"]: Plumage(**table) for table in tomllib.loads(text)["plumage"]}


def draw_figure(bird: Plumage, pose: Pose, length: int) -> Image.Image:
    """The bird on nothing (RGBA), cut to its outline; its body is ``length`` pixels long."""
    pen = _Pen(pose, length / 100 * _FINE)
    if pose.stands:
        _legs(pen, bird)
    if pose.lift is not None:
        _raised_wing(pen, bird, pose.lift + 14)
    _tail(pen, bird)
    _body(pen, bird)
    _head(pen, bird, 46 - pose.nod, bird.depth + 4 - pose.nod / 2)
    if pose.lift is None:
        _folded_wing(pen, bird)
    else:
        _raised_wing(pen, bird, pose.lift)
    whole = pen.image.reduce(_FINE)
    return whole.crop(whole.getbbox())


class _Pen:
    """Draws in the bird's own units: x to the bill, y up, from the middle of its body."""

    def __init__(self, pose: Pose, scale: float) -> None:
        side = round(_CANVAS * scale)
        self.image = Image.new("RGBA", (side, side))
        self._draw = ImageDraw.Draw(self.image)
        self._middle, self._scale, self._pose = side / 2, scale, pose

    def polygon(self, points: Iterable[Point], colour: str) -> None:
        """A filled outline; nothing where the bird has no such mark."""
        if colour:
            self._draw.polygon([self._place(point) for point in points], self._shade(colour))

    def line(self, start: Point, end: Point, width: float, colour: str) -> None:
        """A stroke with round ends."""
        if not colour:
            return
        shade, ends = self._shade(colour), [self._place(start), self._place(end)]
        self._draw.line(ends, shade, max(1, round(width * self._scale)))
        for x, y in ends:
            r = width * self._scale / 2
            self._draw.ellipse((x - r, y - r, x + r, y + r), shade)

    def ellipse(
        self, middle: Point, radii: Point, colour: str, lean: float = 0, arc: Point = (0, 360)
    ) -> None:
        """An ellipse, its first radius ``lean`` degrees up; or the part that an arc cuts off."""
        c, s = cos(radians(lean)), sin(radians(lean))
        steps = [arc[0] + (arc[1] - arc[0]) * step / 40 for step in range(41)]
        rim = [(radii[0] * cos(radians(a)), radii[1] * sin(radians(a))) for a in steps]
        self.polygon(
            [(middle[0] + x * c - y * s, middle[1] + x * s + y * c) for x, y in rim], colour
        )

    def _place(self, point: Point) -> Point:
        (x, y), tilt = point, radians(self._pose.tilt)
        along, up = x * cos(tilt) - y * sin(tilt), x * sin(tilt) + y * cos(tilt)
        along = -along if self._pose.left else along
        return self._middle + along * self._scale, self._middle - up * self._scale

    def _shade(self, colour: str) -> tuple[int, ...]:
        old, share = ImageColor.getrgb(colour), self._pose.young
        return tuple(round(a + (b - a) * share) for a, b in zip(old[:3], _YOUNG, strict=True))


def _legs(pen: _Pen, bird: Plumage) -> None:
    foot = -bird.depth - bird.leg
    for x in (-8.0, 6.0):
        pen.line((x, -bird.depth + 8), (x + 3, foot), 3, bird.legs)
        pen.line((x + 3, foot), (x + 12, foot), 3, bird.legs)


def _tail(pen: _Pen, bird: Plumage) -> None:
    end, half = -42 - bird.tail_length, bird.depth / 3
    notch = end + bird.fork
    pen.polygon([(-34, half), (end, half), (notch, -1), (end, -half), (-34, -half)], bird.tail)
    pen.polygon([(end + 5, half), (end, half), (end, -half), (end + 5, -half)], bird.tail_band)


def _body(pen: _Pen, bird: Plumage) -> None:
    radii = (50.0, bird.depth)
    pen.ellipse((0, 0), radii, bird.upper)
    pen.ellipse((0, 0), radii, bird.under, arc=(172, 372))
    pen.ellipse((-38, bird.depth / 4), (15, bird.depth * 0.45), bird.rump)
    for x in range(-16, 34, 8):
        pen.line((x, -bird.depth * 0.25), (x - 5, -bird.depth * 0.7), 2.5, bird.streaks)
    pen.ellipse((31, -bird.depth * 0.15), (9, 6), bird.patches, lean=40)


def _head(pen: _Pen, bird: Plumage, x: float, y: float) -> None:
    r = bird.head_size
    pen.ellipse((x - 14, y - r * 0.75), (r * 1.25, r), bird.head, lean=50)
    pen.ellipse((x - 6, y - r), (r * 0.8, r * 0.5), bird.throat, lean=30)
    base, tip = x + r * 0.85, x + r + bird.bill_length
    drop = y - bird.bill_depth / 2
    pen.polygon([(base, y + bird.bill_depth / 2), (tip, drop), (base, drop - 1)], bird.bill)
    for start, end, colour in ((0.68, 1.0, bird.bill_tip), (0.55, 0.72, bird.bill_ring)):
        rows = [(base + (tip - base) * s, bird.bill_depth * (1 - s)) for s in (start, end)]
        upper = [(at, drop + high) for at, high in rows]
        pen.polygon([*upper, (rows[1][0], drop - 1), (rows[0][0], drop - 1)], colour)
    pen.ellipse((x, y), (r, r), bird.head)
    pen.ellipse((x, y), (r, r), bird.cap, lean=-8, arc=(-8, 200))
    pen.ellipse((x - 2, y + r * 0.85), (r * 0.45, r * 0.18), bird.patches)
    eye = (x + r * 0.3, y + r * 0.2)
    pen.line((x + r * 0.85, y + r * 0.1), (x - r * 0.5, y), r * 0.4, bird.mask)
    pen.line((x + r * 0.8, y + r * 0.5), (x - r * 0.4, y + r * 0.5), r * 0.16, bird.brow)
    pen.ellipse(eye, (r * 0.27, r * 0.27), bird.eye_ring)
    pen.ellipse(eye, (r * 0.18, r * 0.18), "#0d0c0c")


def _folded_wing(pen: _Pen, bird: Plumage) -> None:
    long, high = bird.wing_length, bird.depth * 0.55
    tip = (24 - long * 1.25, -1.0)
    pen.polygon([(4 - long * 0.6, high * 0.9), tip, (4 - long * 0.5, -high * 0.5)], bird.wing_tip)
    pen.ellipse((24 - long / 2, high * 0.25), (long / 2, high), bird.wing, lean=7)
    for x in (12.0, 2.0):
        pen.line((x, high * 0.9), (x - 6, -high * 0.5), 3.5, bird.bars)


def _raised_wing(pen: _Pen, bird: Plumage, lift: float) -> None:
    """A wing spread from the shoulder; 0 degrees is level, to the tail, 90 is straight up."""
    long = bird.wing_length * 1.5
    c, s = cos(radians(180 - lift)), sin(radians(180 - lift))

    def out(share: float, side: float) -> Point:
        return 8 + c * long * share - s * side, 8 + s * long * share + c * side

    front, back = -11.0, 19.0
    pen.polygon(
        [out(0, front), out(0.6, front * 1.3), out(1, 2), out(0.6, back * 0.8), out(0, back)],
        bird.wing,
    )
    pen.polygon([out(0.75, front * 0.9), out(1, 2), out(0.75, back * 0.55)], bird.wing_tip)
    for share in (0.25, 0.4):
        pen.line(out(share, front), out(share, back * 0.8), 3.5, bird.bars)
