"""The detector on real recordings; docs/activity.md has the figures that this prints.

``PYTHONPATH=tests python tests/integration/test_activity_real.py DATA`` prints them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import sounds
import soxr

from fgbench.collect.clean.activity import (
    BIRDNET_NO,
    Scores,
    Verdict,
    active_frames,
    judge,
    measure,
)
from fgbench.collect.clean.birdnet import is_installed, open_birdnet
from fgbench.collect.clean.spectrum import HOP_S, spectrum
from fgbench.media.decode import RATE, Recording, Samples
from fgbench.species import Species, species

SONGS = {"Ovenbird": (5.8, 9.1, 14.8, 22.0), "Black-throated Green Warbler": (1.8, 10.5, 21.6)}
"""Seconds at which the survey's own documentation has a song; 14.8 is faint."""
TIMES = sorted(t for songs in SONGS.values() for t in songs)
FAINT = 14.8
HALF_SONG = 1.0
"""A song is taken to last from a second before to a second after."""


def decode(file: Path) -> Samples:
    return np.concatenate(list(Recording(file.read_bytes())))


@dataclass(frozen=True)
class Agreement:
    """Seconds found against seconds annotated."""

    both: int
    found: int
    annotated: int

    @classmethod
    def of(cls, found: Iterable[bool], annotated: Iterable[bool]) -> Agreement:
        pairs = list(zip(found, annotated, strict=True))
        return cls(
            sum(f and a for f, a in pairs), sum(f for f, _ in pairs), sum(a for _, a in pairs)
        )

    def __str__(self) -> str:
        precision, recall = self.both / self.found, self.both / self.annotated
        return (
            f"precision {precision:.2f} ({self.both}/{self.found}), "
            f"recall {recall:.2f} ({self.both}/{self.annotated})"
        )


def by_gate(samples: Samples) -> np.ndarray:
    """For each second whether a tenth of it stands out and is tonal."""
    frames = np.flatnonzero(active_frames(spectrum(samples))) * HOP_S
    return np.bincount(frames.astype(int), minlength=len(samples) // RATE) * HOP_S >= 0.1


def by_birdnet(samples: Samples) -> np.ndarray:
    """For each second BirdNET's score of the three seconds around it."""
    net = open_birdnet()
    around = np.pad(samples, RATE)
    starts = range(0, len(samples) // RATE * RATE + RATE, RATE)
    return np.array([net.hear(around[at : at + 3 * RATE]).score for at in starts])


def annotated(seconds: int) -> list[bool]:
    """Which seconds a song falls into."""
    return [any(n < t + HALF_SONG and t - HALF_SONG < n + 1 for t in TIMES) for n in range(seconds)]


def songs_found(samples: Samples) -> list[float]:
    """Those of ``TIMES`` around which a tenth of a second stands out and is tonal."""
    times = np.flatnonzero(active_frames(spectrum(samples))) * HOP_S
    return [t for t in TIMES if (np.abs(times - t) < HALF_SONG).sum() * HOP_S >= 0.1]


def recordings(data: Path) -> dict[str, Samples]:
    files = sorted((data / "audio" / "mrtanner_cc0").glob("*/*.mp3"))
    return {file.stem: decode(file) for file in files}


def noises() -> dict[str, Samples]:
    """A minute of each."""
    made = {
        "silence": np.zeros(60 * RATE),
        "white noise": sounds.white(60),
        "pink noise": sounds.coloured(60, 1),
        "brown noise": sounds.coloured(60, 2),
        "rain-like, 3 drops a second": sounds.rain(60, 3),
        "rain-like, 50 drops a second": sounds.rain(60, 50),
        "rain-like, 1,000 drops a second": sounds.rain(60, 1000),
    }
    return {name: sounds.in_16_bits(sound) for name, sound in made.items()}


def speeches() -> dict[str, Samples]:
    return {
        f"speech, espeak-ng {voice}": sounds.in_16_bits(
            soxr.resample(sounds.speech(voice), 22_050, RATE)
        )
        for voice in ("en", "en+f3", "en-us", "de", "fr")
    }


def scores(samples: Samples, *, birdnet: bool = False) -> Scores:
    """As a build takes them: BirdNET is asked only what the gate lets by."""
    found = measure(spectrum(samples))
    if birdnet and judge(found) is not Verdict.DROP:
        return replace(found, birdnet=open_birdnet().hear(samples).score)
    return found


BIRDNET = pytest.param(
    True,
    marks=pytest.mark.skipif(
        not is_installed(),
        reason='BirdNET is not installed (pip install "fgbench[birdnet]")',
    ),
    id="birdnet",
)


@pytest.mark.parametrize("birdnet", [pytest.param(False, id="gate"), BIRDNET])
def test_every_real_recording_is_kept(real_data: Path, birdnet: bool) -> None:
    found = {n: judge(scores(x, birdnet=birdnet)) for n, x in recordings(real_data).items()}
    assert len(found) == 18
    assert set(found.values()) == {Verdict.KEEP}, found


@pytest.mark.parametrize("birdnet", [pytest.param(False, id="gate"), BIRDNET])
def test_no_noise_or_speech_is_kept(birdnet: bool) -> None:
    found = {n: judge(scores(x, birdnet=birdnet)) for n, x in noises().items()}
    assert set(found.values()) == {Verdict.DROP}, found
    spoken = {n: judge(scores(x, birdnet=birdnet)) for n, x in speeches().items()}
    assert Verdict.KEEP not in spoken.values(), spoken


def test_every_song_of_the_survey_but_the_faint_one_is_found(real_data: Path) -> None:
    samples = decode(real_data / "audio" / "misc" / "monitoR_survey.wav")
    assert set(TIMES) - set(songs_found(samples)) <= {FAINT}
    assert not by_gate(samples)[0]  # nothing is heard before the first song


def limits(birds: Iterable[Samples], speech: Iterable[Samples]) -> None:
    """What the thresholds stand between."""
    hisses = [spectrum(sounds.in_16_bits(sounds.white(60, seed))) for seed in range(10)]
    highest = max((hiss.smooth / hiss.noise).max() for hiss in hisses)
    print(f"highest SNR in ten minutes of white noise: {10 * np.log10(highest):.1f} dB")
    found = [scores(samples) for samples in birds]
    print(f"birds: flatness to {max(s.flatness for s in found):.2f}", end=", ")
    print(f"voice-like to {max(s.voiced for s in found):.2f}", end="; ")
    print(f"speech: voice-like from {min(scores(samples).voiced for samples in speech):.2f}")
    for rate in ("32k", "48k", "64k"):
        hiss = sounds.encode(sounds.wav(sounds.white(60)), "mp3", "-b:a", rate)
        samples = np.concatenate(list(Recording(hiss)))
        print(f"white noise as MP3 of {rate}bit/s:", judge(scores(samples)))
    print("drops that ring:", judge(scores(sounds.in_16_bits(ringing(60)))))


def names(bird: Species) -> set[str]:
    """All scientific names of a class, of today and of before."""
    species = {taxon.scientific_name for taxon in bird.species}
    return species | {bird.scientific_name, *(alias.name for alias in bird.aliases)}


def ringing(duration_s: float) -> np.ndarray:
    """Two to three drops a second that ring at 1.5-5 kHz for some 20 ms, in a faint hiss."""
    rng = np.random.default_rng(1)
    sound, at = sounds.white(duration_s, 1, 0.003), sounds.seconds(0.1)
    for start in rng.integers(0, len(sound) - len(at), round(2.5 * duration_s)):
        tone = np.sin(2 * np.pi * rng.uniform(1500, 5000) * at)
        sound[start : start + len(at)] += 0.3 * tone * np.exp(-60 * at)
    return sound


def report(data: Path) -> None:
    samples = decode(data / "audio" / "misc" / "monitoR_survey.wav")
    print("songs found by the gate:", songs_found(samples), "of", TIMES)
    gate, heard = by_gate(samples), by_birdnet(samples)
    truth = annotated(len(gate))
    heard = heard[: len(gate)]
    print("seconds found by the gate only:", [n for n, g in enumerate(gate) if g and not truth[n]])
    print("gate:", Agreement.of(gate, truth))
    print("BirdNET alone:", Agreement.of(heard >= BIRDNET_NO, truth))
    print("gate, then BirdNET:", Agreement.of(gate & (heard >= BIRDNET_NO), truth))
    sets = {"18 recordings": recordings(data), "noises": noises(), "speech": speeches()}
    for name, group in sets.items():
        for birdnet in (False, True):
            found = [str(judge(scores(x, birdnet=birdnet))) for x in group.values()]
            counts = {v: found.count(v) for v in sorted(set(found))}
            print(f"{name}, {'with' if birdnet else 'without'} BirdNET:", counts)
    limits(sets["18 recordings"].values(), sets["speech"].values())
    unknown = [bird.cub_name for bird in species() if not names(bird) & set(open_birdnet().names)]
    print(f"classes that BirdNET does not know: {len(unknown)}:", *unknown)
    white = open_birdnet().hear(noises()["white noise"])
    print(f"BirdNET alone on white noise: {white.name} {white.score:.2f}")
    for group in sets.values():
        for title, x in group.items():
            print(f"  {title}: {scores(x, birdnet=True)}")


if __name__ == "__main__":
    report(Path(sys.argv[1]))
