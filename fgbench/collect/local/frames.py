"""25 uniformly spaced frames of a video, by PyAV, as JPEG files.

The rule: of N frames that decode, frame ``(2i + 1) N // 50`` for i = 0…24, the one in the middle of
each of 25 equal stretches; of 25 or fewer, each one once. Frames are counted, not timed. They are
turned as a player shows them, by quarters of a circle and mirrored, but not stretched by a pixel
aspect. Decoding is on one thread and in order, so that equal files give equal frames within one
release of PyAV and Pillow.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from fgbench.errors import MissingExtra
from fgbench.manifest import show
from fgbench.media.tags import any_tags

try:
    import av
    import PIL
    from PIL.Image import Image, Transpose
except ImportError as error:
    raise MissingExtra("av" if error.name == "av" else "pillow", "build") from error

COUNT = 25
"""Frames of a video in the paper (section 3.2)."""
QUALITY = 95
MOST_FRAMES = 200_000
"""Of a video: YouTube Birds has 5 minutes at most, which is 18,000 frames at 60 a second."""
MOST_PIXELS = 7680 * 4320
CLIP = "clip.json"

_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,ogg,asf"
"""No playlists and no lists of pictures, which would lead to other files or hosts."""

_TURNS = {
    (-1, 0, 0, 1): Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Transpose.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): Transpose.ROTATE_180,
    (0, -1, 1, 0): Transpose.ROTATE_90,
    (0, 1, -1, 0): Transpose.ROTATE_270,
    (0, 1, 1, 0): Transpose.TRANSPOSE,
    (0, -1, -1, 0): Transpose.TRANSVERSE,
}
"""By a display matrix's a, b, c, d: x' = ax + cy, y' = bx + dy (FFmpeg, libavutil/display.h)."""
_LYING = {turn for (a, *_), turn in _TURNS.items() if a == 0}
"""They exchange width and height."""


class Unusable(Exception):
    """A video without the frames that a clip needs: a stable ``reason``, and the values."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Clip:
    """What was measured of a video. ``frames``: how many were extracted, 1 to 25.

    ``width``, ``height``: of its frames, turned. ``duration_s``: of what decodes, whatever the
    header says; None where no frame has a time.
    ``flags``: ``few_frames``, ``decode_errors``, ``shorter_than_stated``.
    """

    width: int
    height: int
    duration_s: float | None
    frames: int
    flags: tuple[str, ...]


@dataclass(slots=True)
class _Walk:
    """One decoding of a video from end to end."""

    jpegs: list[bytes] = field(default_factory=list)
    decoded: int = 0
    broken: int = 0
    """Packets that did not decode."""
    size: tuple[int, int] = (0, 0)
    first: float | None = None
    last: float | None = None


def places(frames: int, count: int = COUNT) -> list[int]:
    """The indices of ``count`` uniformly spaced frames of so many; all of them where fewer.

    >>> places(100, 4)
    [12, 37, 62, 87]
    >>> places(3)
    [0, 1, 2]
    """
    if frames <= count:
        return list(range(frames))
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)]


def extract(video: Path, digest: str, folder: Path) -> Clip:
    """Writes ``01.jpg``… and ``clip.json`` to ``folder``, whole or not at all.

    ``digest``: the video's SHA-256. A folder that was made from it by the same releases is left as
    it is. Raises ``Unusable``; then there is no folder.
    """
    made_of = {"sha256": digest, "av": av.__version__, "pillow": PIL.__version__}
    if clip := _recorded(folder, made_of):
        return clip
    shutil.rmtree(folder, ignore_errors=True)
    clip, jpegs = read_clip(video)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for number, jpeg in enumerate(jpegs, 1):
        (part / f"{number:02}.jpg").write_bytes(jpeg)
    content = {"made_of": made_of, "clip": asdict(clip)}
    (part / CLIP).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    part.replace(folder)
    return clip


def read_clip(video: Path) -> tuple[Clip, list[bytes]]:
    """What is in a video, and its frames as JPEG files. Raises ``Unusable``.

    Holds 25 JPEG files and a few decoded frames at a time, however long the video.
    """
    try:
        stated, rate, packets = _survey(video)
        walk = _walk(video, places(packets))
        if places(walk.decoded) != places(packets):  # packets and frames are not always one to one
            walk = _walk(video, places(walk.decoded))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Unusable("unreadable_video", show(str(why))) from error
    if not walk.decoded:
        raise Unusable("no_frame", f"{packets:,} packets of video, none of which decodes")
    duration = _duration(walk, rate)
    late = stated is not None and duration is not None and stated - duration > max(1, stated / 10)
    flags = {
        "few_frames": walk.decoded < COUNT,
        "decode_errors": walk.broken > 0,
        "shorter_than_stated": late,
    }
    raised = tuple(name for name, up in flags.items() if up)
    return Clip(*walk.size, duration, len(walk.jpegs), raised), walk.jpegs


def _recorded(folder: Path, made_of: dict[str, str]) -> Clip | None:
    """The clip of a folder that is whole and made of just this."""
    try:
        content = json.loads((folder / CLIP).read_bytes())
        if content["made_of"] != made_of:
            return None
        clip = Clip(**{**content["clip"], "flags": tuple(content["clip"]["flags"])})
        names = {f"{number:02}.jpg" for number in range(1, clip.frames + 1)} | {CLIP}
        return clip if {file.name for file in folder.iterdir()} == names else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None  # not there, or not ours: it is made again


def _survey(video: Path) -> tuple[float | None, float | None, int]:
    """The stated duration in seconds, frames a second, and the number of video packets."""
    with _open(video) as container:
        stream = _stream(container)
        if stream.width * stream.height > MOST_PIXELS:
            raise Unusable("too_large", f"{stream.width} × {stream.height} pixels")
        packets = 0
        for packet in container.demux(stream):
            packets += packet.size > 0
            if packets > MOST_FRAMES:
                raise Unusable("too_long", f"more than {MOST_FRAMES:,} frames")
        rate = stream.average_rate or stream.guessed_rate
        stated = container.duration
        return stated and stated / av.time_base, float(rate) if rate else None, packets


def _walk(video: Path, wanted: Sequence[int]) -> _Walk:
    """Decodes all of a video and keeps the wanted frames."""
    walk, chosen = _Walk(), set(wanted)
    with _open(video) as container:
        stream = _stream(container)
        for frame in _frames(container, stream, walk):
            if not walk.decoded:
                walk.size = _shown_size(frame)
            if frame.time is not None:
                walk.first = frame.time if walk.first is None else min(walk.first, frame.time)
                walk.last = frame.time if walk.last is None else max(walk.last, frame.time)
            if walk.decoded in chosen:
                walk.jpegs.append(_jpeg(frame))
            walk.decoded += 1
            if walk.decoded > MOST_FRAMES:
                raise Unusable("too_long", f"more than {MOST_FRAMES:,} frames")
    return walk


def _frames(container: Any, stream: Any, walk: _Walk) -> Iterator[Any]:
    """The frames that decode, in the order in which they are shown."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            walk.broken += 1


def _open(video: Path) -> Any:
    options = {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS}
    return av.open(f"file:{video}", container_options=options, **any_tags())


def _stream(container: Any) -> Any:
    """The first stream of moving pictures: cover art is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            stream.codec_context.thread_count = 1
            # A frame may be larger than its header says: then it does not decode.
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            return stream
    raise Unusable("no_frame", "there is no stream of pictures")


def _jpeg(frame: Any) -> bytes:
    image: Image = frame.to_image()
    turn = _turn(frame)
    buffer = BytesIO()
    (image if turn is None else image.transpose(turn)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _shown_size(frame: Any) -> tuple[int, int]:
    """Width and height, in pixels."""
    lying = _turn(frame) in _LYING
    return (frame.height, frame.width) if lying else (frame.width, frame.height)


def _turn(frame: Any) -> Transpose | None:
    """How a player turns the frame; None: not at all, or not by quarters."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    a, b, _, c, d = (round(value / 2**16) for value in struct.unpack_from("=5i", matrix))
    return _TURNS.get((a, b, c, d))


def _duration(walk: _Walk, rate: float | None) -> float | None:
    """From the first frame to the end of the last, to the millisecond."""
    if walk.first is None or walk.last is None:
        return round(walk.decoded / rate, 3) if rate else None
    step = 1 / rate if rate else (walk.last - walk.first) / max(1, walk.decoded - 1)
    return round(walk.last - walk.first + step, 3)
