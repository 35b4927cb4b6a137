"""What a microphone of the sample world hears: songs over a noise floor, or no bird at all."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from fgbench.collect.sample.prose import Bird
from fgbench.collect.sample.song import Singer, Sound, put


class Scene(StrEnum):
    """What happens in a recording."""

    SONG = "song"
    """One bird sings from near by, with pauses."""
    FAR = "far"
    """One short call in all the time, from afar: nobody can be sure."""
    RAIN = "rain"
    """Drops, and no bird."""
    VOICE = "voice"
    """Something like a person who reads out, and no bird."""


def hear(bird: Bird, individual: int, scene: Scene, seconds: float, rate: int) -> Sound:
    """The sound of a scene [samples]; the same for the same arguments."""
    place = list(Scene).index(scene)
    draw = np.random.default_rng([bird.cub_id, individual, place, rate])
    sound = _hiss(draw, round(seconds * rate))
    if scene is Scene.SONG:
        _sing(sound, Singer.of(bird, individual), draw, rate)
    elif scene is Scene.FAR:
        call = 0.05 * Singer.of(bird, individual).call(draw, rate)
        put(sound, [(draw.uniform(0.3, 0.7) * seconds, call)], rate)
    elif scene is Scene.RAIN:
        _rain(sound, draw, rate)
    else:
        _speak(sound, draw, rate)
    return sound


def behind(sound: Sound, bird: Bird, individual: int, rate: int) -> None:
    """Adds another bird, a good way off, that sings too."""
    draw = np.random.default_rng([bird.cub_id, individual, len(Scene), rate])
    part = np.zeros(len(sound))
    _sing(part, Singer.of(bird, individual), draw, rate)
    sound += 0.1 * part


_DULL = 0.1 * 0.9 ** np.arange(32)
"""A filter that leaves the low frequencies."""


def _hiss(draw: np.random.Generator, size: int) -> Sound:
    """A noise floor, more or less of it, duller or sharper."""
    noise = draw.standard_normal(size)
    dull = np.convolve(noise, _DULL, "same")
    return draw.uniform(0.002, 0.006) * (dull + draw.uniform(0.05, 0.3) * noise)


def _sing(sound: Sound, singer: Singer, draw: np.random.Generator, rate: int) -> None:
    """Song after song, with pauses."""
    loudness, at = draw.uniform(0.15, 0.4), draw.uniform(0.2, 1.0)
    while at < len(sound) / rate:
        song = singer.song(draw, rate)
        put(sound, [(at, loudness * draw.uniform(0.8, 1.2) * song)], rate)
        at += len(song) / rate + draw.uniform(0.8, 2.2)


def _rain(sound: Sound, draw: np.random.Generator, rate: int) -> None:
    """Bursts of noise of 1-8 ms that die away, some 40 a second."""
    for start in draw.integers(0, len(sound), 40 * len(sound) // rate):
        size = int(draw.uniform(0.001, 0.008) * rate)
        burst = draw.standard_normal(size) * np.exp(-4 * np.arange(size) / size)
        put(sound, [(start / rate, 0.04 * min(4.0, draw.exponential()) * burst)], rate)


def _speak(sound: Sound, draw: np.random.Generator, rate: int) -> None:
    """Syllables, each a buzz at the pitch of a voice through two resonances; and breaths."""
    pitch, at = draw.uniform(110, 200), 0.4
    while at < len(sound) / rate - 0.3:
        for _ in range(int(draw.integers(4, 8))):
            size = round(draw.uniform(0.12, 0.25) * rate)
            hertz = pitch * np.linspace(1.1, 0.95, size) * draw.uniform(0.9, 1.1)
            buzz = np.diff(np.floor(np.cumsum(hertz) / rate), prepend=0.0)
            for formant in (draw.uniform(400, 800), draw.uniform(1000, 2200)):
                buzz = _resonate(buzz, formant, rate)
            spoken = buzz * np.sin(np.linspace(0, np.pi, size)) / np.abs(buzz).max()
            put(sound, [(at, 0.4 * spoken)], rate)
            at += size / rate + draw.uniform(0.02, 0.08)
        at += draw.uniform(0.4, 0.9)


def _resonate(sound: Sound, hertz: float, rate: int) -> Sound:
    """Through a resonance some 120 Hz wide, which dies away within 25 ms."""
    at = np.arange(round(0.025 * rate)) / rate
    response = np.exp(-np.pi * 120 * at) * np.sin(2 * np.pi * hertz * at)
    return np.convolve(sound, response)[: len(sound)]
