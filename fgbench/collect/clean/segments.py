"""Cut a recording at quiet points into pieces, as it is decoded; write a piece as FLAC."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.ndimage import uniform_filter1d

from fgbench.errors import FgbenchError, MissingExtra
from fgbench.media.decode import RATE, Samples

try:
    from imageio_ffmpeg import get_ffmpeg_exe

    with warnings.catch_warnings():  # it looks for an ffmpeg on the PATH, and does not need one
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
except ImportError as error:
    raise MissingExtra(error.name or "pydub", "build") from error

SHORTEST_S = 1.0
"""A recording of less is no instance."""
FADE_MS = 20
_MS = RATE // 1000

_STEP = RATE // 50
"""Samples of which one level is taken: 20 ms."""
_HUSH = 25
"""Levels that a quiet point is quiet for: half a second."""


class Pieces(StrEnum):
    """How long recordings are cut."""

    SHORT = "short"
    """Pieces of 10-60 s."""
    PAPER = "paper"
    """As the paper's: up to 2,000 s; only what is longer is cut."""


_BOUNDS_S = {Pieces.SHORT: (10, 60), Pieces.PAPER: (1000, 2000)}
"""The least and the greatest length of a piece that is cut. At least twofold, or some recordings
could not be cut so."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a recording; seconds are exact, counted in samples."""

    start: int
    samples: Samples

    @property
    def start_s(self) -> float:
        """Where it begins in the recording."""
        return self.start / RATE

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return (self.start + len(self.samples)) / RATE


def cut(blocks: Iterable[Samples], pieces: Pieces = Pieces.SHORT) -> Iterator[Piece]:
    """The pieces of a recording, in order; together they are all of it.

    One that is not longer than a piece may be stays whole, however short. Else each cut is at the
    quietest half second (the first of equals) that leaves what is before and behind it no shorter
    than a piece may be. No more than a piece and its rest is held.
    """
    shortest, longest = (seconds * RATE for seconds in _BOUNDS_S[pieces])
    held: list[Samples] = []
    size = start = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        while size >= longest + shortest:
            buffer = np.concatenate(held)
            place = _quietest(buffer, shortest, longest)
            yield Piece(start, buffer[:place])
            start, held, size = start + place, [buffer[place:]], size - place
    rest = np.concatenate(held) if held else np.zeros(0, np.int16)
    if size > longest:
        place = _quietest(rest, shortest, min(longest, size - shortest))
        yield Piece(start, rest[:place])
        start, rest = start + place, rest[place:]
    if len(rest):
        yield Piece(start, rest)


def _quietest(samples: Samples, low: int, high: int) -> int:
    """The middle of the quietest half second that has its middle in ``low..high``."""
    margin = _HUSH // 2 * _STEP
    reach = samples[low - margin : high + margin]
    steps = reach[: len(reach) // _STEP * _STEP].reshape(-1, _STEP).astype(np.float32)
    level = np.einsum("ij,ij->i", steps, steps)
    inside = slice(_HUSH // 2, len(level) - _HUSH // 2)
    quiet = uniform_filter1d(level.astype(np.float64), _HUSH)[inside]
    return min(low + int(np.argmin(quiet)) * _STEP + _STEP // 2, high)


class EncoderEndedError(Exception):
    """ffmpeg ended before a piece was written: killed, or out of memory or disk."""


def write_flac(samples: Samples) -> bytes:
    """A FLAC file of a piece of a second or more, faded over 20 ms; equal samples, equal bytes.

    Raises ``EncoderEndedError`` where ffmpeg fails, ``FgbenchError`` (FG-C050) where there is none.
    Either way nothing is left behind.
    """
    filled = np.pad(samples, (0, -len(samples) % _MS))  # pydub rounds to whole milliseconds
    whole = AudioSegment(filled.tobytes(), sample_width=2, frame_rate=RATE, channels=1)
    faded = whole.fade_in(FADE_MS).fade_out(FADE_MS).raw_data[: samples.nbytes]
    sound = ("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0")
    try:
        # pydub's own export leaves two files in the temporary folder where ffmpeg fails.
        with TemporaryDirectory() as folder:
            file = Path(folder, "piece.flac")  # no pipe: FLAC says its length at its beginning
            command = [get_ffmpeg_exe(), "-loglevel", "error", *sound, "-bitexact", file]
            ended = subprocess.run(  # noqa: S603  all of it is from here
                command, input=faded, capture_output=True, check=False
            )
            if ended.returncode:
                raise EncoderEndedError(f"ffmpeg ended with code {ended.returncode}")
            return file.read_bytes()
    except (OSError, RuntimeError) as error:
        raise FgbenchError(
            "FG-C050",
            f"a piece of sound could not be written as FLAC: {error}",
            why="ffmpeg writes it, in the folder for temporary files; the package imageio-ffmpeg "
            "brings one for most machines.",
            fix="See to space in that folder, or install ffmpeg and set IMAGEIO_FFMPEG_EXE to "
            "where it is.",
        ) from error
