"""Drawn clips: a bird that flies past, hops or swims, a few seconds long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from math import pi, sin

import numpy as np

from fgbench.collect.sample.figure import Plumage, Pose, draw_figure
from fgbench.collect.sample.picture import COMMENT, choose_backdrop, draw_backdrop, draw_pose, mark
from fgbench.errors import MissingExtra

try:
    import av
    from PIL import Image
except ImportError as error:
    raise MissingExtra("av" if error.name == "av" else "pillow", "build") from error

SIZE = 160, 120
RATE = 12
"""Frames a second."""

_BEAT = 6
"""Frames of a movement until it begins again."""


def draw_clip(bird: Plumage, frames: int, rng: np.random.Generator) -> bytes:
    """An MP4 of that many frames; what is left open, ``rng`` draws."""
    backdrop = choose_backdrop(bird, rng)
    background = draw_backdrop(backdrop, SIZE, rng)
    mark(background)
    pose, length = draw_pose(backdrop, rng), int(rng.integers(44, 68))
    figures = [draw_figure(bird, p, length) for p in _movement(pose)]
    return _encode(_frames(background, figures, frames, pose, rng))


def _movement(pose: Pose) -> Iterator[Pose]:
    """A beat of the wings, or a nod of the whole bird."""
    for step in range(_BEAT):
        swing = _swing(step)
        if pose.lift is None:
            yield replace(pose, tilt=pose.tilt + 7 * swing)
        else:
            yield replace(pose, lift=60 + 50 * swing)


def _swing(step: int) -> float:
    """-1 to 1, and never the same in two frames that follow each other."""
    return sin(2 * pi * (step + 0.25) / _BEAT)


def _frames(
    background: Image.Image,
    figures: list[Image.Image],
    count: int,
    pose: Pose,
    rng: np.random.Generator,
) -> Iterator[Image.Image]:
    """The bird on its way, bill first: across the picture in flight, else a little."""
    path = 0.9 if pose.lift is not None else 0.25
    start, height = rng.uniform(0.0, 1 - path), rng.uniform(0.2, 0.8)
    for number in range(count):
        figure = figures[number % _BEAT]
        along = start + path * number / count
        free = SIZE[0] - figure.width, SIZE[1] - figure.height
        x = free[0] * (1 - along if pose.left else along)
        y = free[1] * (height + 0.08 * _swing(number))
        image = background.copy()
        image.paste(figure, (round(x), round(y)), figure)
        yield image


def _encode(images: Iterable[Image.Image]) -> bytes:
    """MPEG-4 without a clock or a release in it: equal images, equal bytes with one FFmpeg."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4", container_options={"fflags": "+bitexact"}) as movie:
        movie.metadata["comment"] = COMMENT
        stream = movie.add_stream("mpeg4", rate=RATE, options={"flags": "+bitexact"})
        stream.width, stream.height = SIZE
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, RATE)
        stream.codec_context.thread_count = 1
        stream.codec_context.bit_rate = 250_000
        for image in images:
            movie.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(image))))
        movie.mux(stream.encode())
    return buffer.getvalue()
