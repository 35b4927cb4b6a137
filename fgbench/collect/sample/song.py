"""Songs of the sample world's birds: made of sines, a motif a species, no two individuals alike.

They resemble no real bird. The two of a look-alike pair share register and timbre, and differ in
contour, rhythm and trill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgbench.collect.sample.prose import Bird

Sound = NDArray[np.float64]
"""Samples, full scale 1."""


@dataclass(frozen=True, slots=True)
class Note:
    """A tone that glides, and the silence behind it; ``trill_hz`` times a second its pitch bends.

    ``bend``: how far, as a share of the pitch.
    """

    begin_hz: float
    end_hz: float
    length_s: float
    gap_s: float
    trill_hz: float = 0.0
    bend: float = 0.0


@dataclass(frozen=True, slots=True)
class Motif:
    """What a species sings again and again: notes, and the strengths of their overtones."""

    notes: tuple[Note, ...]
    overtones: tuple[float, ...]


_GROANS = tuple(Note(hz, 0.8 * hz, 0.2 + 90 / hz, 0.14, 6, 0.04) for hz in (920, 760, 640))
_WHINNIES = tuple(Note(hz, 1.25 * hz, 0.22, 0.10, 9, 0.04) for hz in (560, 620, 700, 800, 920))
_WHINE = Note(1180, 1060, 0.42, 0.16, 7, 0.02)
_MEW = Note(1500, 1080, 0.22, 0.12, 7, 0.02)
_KIK = Note(3900, 3600, 0.07, 0.08)
_KEE_ARR = Note(4100, 3200, 0.26, 0.16, 14, 0.03)
_KEE_YAH = Note(3700, 2700, 0.52, 0.18, 11, 0.03)
_RATTLE = Note(5100, 4900, 0.07, 0.06)
_CHIP = Note(5600, 5900, 0.08, 0.10)
_SIP = Note(5900, 5500, 0.07, 0.06)
_TICK = Note(6500, 6300, 0.06, 0.04)

_MOTIFS: Mapping[str, Motif] = {
    "Black-footed Albatross": Motif(_GROANS, (1, 0.7, 0.5, 0.3)),
    "Laysan Albatross": Motif(_WHINNIES, (1, 0.6, 0.45, 0.3)),
    "Heermann's Gull": Motif((_WHINE, _WHINE), (0.6, 1, 0.8, 0.5, 0.35, 0.2)),
    "Ring-billed Gull": Motif((_MEW,) * 5, (0.7, 1, 0.7, 0.5, 0.3, 0.2)),
    "Arctic Tern": Motif((_KIK, _KIK, _KEE_ARR, _KEE_ARR), (1, 0.35, 0.1)),
    "Common Tern": Motif((_KEE_YAH, _KIK, _KIK, _KIK), (1, 0.3, 0.1)),
    "Myrtle Warbler": Motif((_RATTLE,) * 9 + (Note(4400, 4200, 0.08, 0.07),) * 4, (1, 0.08)),
    "Tennessee Warbler": Motif((_CHIP,) * 6 + (_SIP,) * 5 + (_TICK,) * 9, (1, 0.06)),
}


@dataclass(frozen=True, slots=True)
class Singer:
    """An individual: its motif, a little higher or lower, faster or slower, brighter or duller."""

    motif: Motif
    pitch: float
    tempo: float
    brightness: float

    @classmethod
    def of(cls, bird: Bird, individual: int) -> Singer:
        """The same for the same numbers."""
        draw = np.random.default_rng([bird.cub_id, individual])
        pitch, tempo = np.exp2(draw.uniform(-0.12, 0.12)), np.exp2(draw.uniform(-0.25, 0.25))
        return cls(_MOTIFS[bird.name], pitch, tempo, draw.uniform(0.6, 1.2))

    def call(self, draw: np.random.Generator, rate: int) -> Sound:
        """One short note by itself, of about a tenth of a second."""
        first = self.motif.notes[0]
        note = Note(first.begin_hz, first.begin_hz, 0.1, 0.0)
        return self._sing(note, draw, rate)

    def song(self, draw: np.random.Generator, rate: int) -> Sound:
        """The motif once, no two times quite the same: in haste or at ease, a note left out."""
        haste, skipped = draw.uniform(0.85, 1.15), draw.integers(0, 2 * len(self.motif.notes))
        parts = []
        for place, note in enumerate(self.motif.notes):
            if place == skipped:
                continue
            gap_s = haste * draw.uniform(0.7, 1.3) * note.gap_s / self.tempo
            parts += [self._sing(note, draw, rate), np.zeros(round(gap_s * rate))]
        return np.concatenate(parts)

    def _sing(self, note: Note, draw: np.random.Generator, rate: int) -> Sound:
        size = round(draw.uniform(0.85, 1.15) * note.length_s / self.tempo * rate)
        begin, end = draw.uniform(0.95, 1.05, 2) * (note.begin_hz, note.end_hz)
        trill = 2 * np.pi * note.trill_hz * np.arange(size) / rate
        bend = 1 + note.bend * np.sin(trill + draw.uniform(0, 2 * np.pi))
        hertz = self.pitch * np.geomspace(begin, end, size) * bend
        shape = np.sqrt(np.sin(np.linspace(0, np.pi, size)))
        return draw.uniform(0.8, 1.0) * shape * self._overtones(hertz, rate)

    def _overtones(self, hertz: Sound, rate: int) -> Sound:
        """A tone of that pitch over time [samples], peak at most 1."""
        phase = 2 * np.pi * np.cumsum(hertz) / rate
        tone, sum_ = np.zeros(len(hertz)), 0.0
        for k, strength in enumerate(self.motif.overtones):
            strength *= self.brightness**k
            if (k + 1) * hertz.max() < 0.45 * rate:
                tone += strength * np.sin((k + 1) * phase)
                sum_ += strength
        return tone / max(sum_, 1e-9)


def put(sound: Sound, parts: Sequence[tuple[float, Sound]], rate: int) -> None:
    """Adds parts to a sound where each begins, in seconds; what goes beyond its end is cut off."""
    for begin_s, part in parts:
        start = round(begin_s * rate)
        end = min(len(sound), start + len(part))
        sound[start:end] += part[: max(0, end - start)]
