"""Copies of real recordings; docs/activity.md has the figures that this prints.

``PYTHONPATH=tests python tests/integration/test_fingerprints_real.py DATA`` prints them anew.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import sounds

from fgbench.collect.clean.fingerprints import Landmarks, is_copy, landmarks, same_recordings
from fgbench.collect.clean.segments import cut
from fgbench.collect.clean.spectrum import spectrum
from fgbench.media.decode import Recording

FORMS = [
    ("mp3", "-b:a", "64k"),
    ("mp3", "-ar", "22050", "-b:a", "32k"),
    ("ogg", "-c:a", "libvorbis", "-q:a", "2"),
    ("opus", "-c:a", "libopus", "-ar", "48000", "-b:a", "48k"),
    ("m4a", "-b:a", "64k", "-ss", "0.51"),
    ("flac", "-af", "volume=-12dB"),
    ("wav", "-ar", "16000"),
    ("mp3", "-ss", "1.037", "-af", "volume=12dB", "-b:a", "96k"),
    ("ogg", "-ss", "2.2537", "-af", "afade=d=0.5"),
]
"""What ffmpeg makes of a recording for another collection to have."""


def marks(content: bytes) -> Landmarks:
    parts = [landmarks(spectrum(piece.samples), piece.start) for piece in cut(Recording(content))]
    return Landmarks.of(parts)


def recordings(data: Path) -> list[bytes]:
    """The 18 CC0 recordings, the survey and two others."""
    audio = data / "audio"
    files = sorted(audio.glob("mrtanner_cc0/*/*.mp3")) + sorted(audio.glob("misc/*.wav"))
    assert len(files) == 21
    return [file.read_bytes() for file in files]


def test_each_is_a_copy_of_its_own_later_start_and_of_no_other(real_data: Path) -> None:
    contents = recordings(real_data)
    prints = [marks(content) for content in contents]
    later = ("mp3", "-ss", "0.333", "-b:a", "64k")
    prints += [marks(sounds.encode(content, *later)) for content in contents[:18]]
    assert same_recordings(prints) == [(n, n + 21) for n in range(18)]


def report(data: Path) -> None:
    contents = recordings(data)
    prints = [marks(content) for content in contents]
    lengths = [sum(map(len, Recording(content))) / sounds.RATE for content in contents]
    print(f"{len(contents)} recordings of {min(lengths):.0f}-{max(lengths):.0f} s")
    known = 0
    for form in FORMS:
        found = [
            is_copy(mine, marks(sounds.encode(content, *form)))
            for mine, content in zip(prints, contents, strict=True)
        ]
        known += sum(found)
        missed = [f"{lengths[n]:.0f} s" for n in np.flatnonzero(~np.array(found))]
        print(f"  known again as {' '.join(form)}: {sum(found)} of {len(found)}; not:", missed)
    print(f"known again: {known} of {len(FORMS) * len(contents)}")
    pairs = list(combinations(prints, 2))
    print(f"taken for another: {sum(is_copy(a, b) for a, b in pairs)} of {len(pairs)} pairs")
    days = []
    for seed in range(60):
        one, two = (sounds.scene(day, 15, 4, voice=seed) for day in (1000 + seed, 2000 + seed))
        days.append(is_copy(*(marks(sounds.wav(sound)) for sound in (one, two))))
    print(f"one drawn song on two days, taken for one recording: {sum(days)} of {len(days)} pairs")


if __name__ == "__main__":
    report(Path(sys.argv[1]))
