"""Takes as files: what the gate and the fingerprints make of them, once they are decoded."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import NamedTuple

import pytest

from fgbench.collect.clean.activity import Verdict, best, judge, measure
from fgbench.collect.clean.fingerprints import Landmarks, landmarks, same_recordings
from fgbench.collect.clean.segments import cut
from fgbench.collect.clean.spectrum import spectrum
from fgbench.collect.sample import freesound, xeno_canto
from fgbench.collect.sample.prose import Bird, birds
from fgbench.collect.sample.take import Take, content
from fgbench.media.decode import Recording

SONGS = (freesound.COPIED, *xeno_canto.SAME_BIRD, xeno_canto.WITH_KIN[0])


class Heard(NamedTuple):
    verdict: Verdict
    landmarks: Landmarks


@cache
def hear(take: Take) -> Heard:
    scores, prints = [], []
    for piece in cut(Recording(content(take))):
        sound = spectrum(piece.samples)
        scores.append(measure(sound))
        prints.append(landmarks(sound, piece.start))
    return Heard(judge(best(scores)), Landmarks.of(prints))


def songs(bird: Bird) -> list[Take]:
    return [xeno_canto.entries(bird)[place - 1].take for place in SONGS]


def previews(bird: Bird) -> dict[int, Take]:
    return {u.place: u.take for u in freesound.uploads() if u.bird == bird}


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_songs_are_kept_and_what_only_a_person_can_decide_is_asked_about(bird):
    far = xeno_canto.entries(bird)[xeno_canto.FAR - 1].take
    assert {hear(take).verdict for take in songs(bird)} == {Verdict.KEEP}
    assert hear(far).verdict is Verdict.ASK
    verdicts = {place: hear(take).verdict for place, take in previews(bird).items()}
    assert verdicts == {
        freesound.COPY: Verdict.KEEP,
        freesound.SONG: Verdict.KEEP,
        freesound.KEPT_BACK: Verdict.KEEP,
        freesound.RAIN: Verdict.DROP,
        freesound.VOICE: Verdict.ASK,
    }


def test_fingerprints_find_the_louder_copies_and_nothing_else():
    takes = [take for b in birds() for take in (*songs(b), *previews(b).values())]
    found = same_recordings([hear(take).landmarks for take in takes])
    copies = [(songs(b)[0], previews(b)[freesound.COPY]) for b in birds()]
    assert [(takes[i], takes[j]) for i, j in found] == copies


def test_a_copy_is_shorter_by_what_was_cut_off():
    take = previews(birds()[0])[freesound.COPY]
    assert take.duration_s == take.length_s - take.skip_s
    assert len(take.sound()) == pytest.approx(take.duration_s * take.rate, abs=1)


_DIGESTS = """
from hashlib import sha256
from fgbench.collect.sample import freesound, xeno_canto
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.take import content

takes = [e.take for e in xeno_canto.entries(birds()[0])[2:5]] + [freesound.uploads()[0].take]
print(*(f"{take.format} {sha256(content(take)).hexdigest()}" for take in takes), sep="\\n")
"""


def test_files_are_the_same_in_every_process():
    ran = [
        subprocess.run(
            [sys.executable, "-c", _DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert ran[0] == ran[1]
    assert {line.split()[0] for line in ran[0].splitlines()} == {"mp3", "flac", "wav", "ogg"}
