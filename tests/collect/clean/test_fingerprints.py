"""Which recordings are one: re-encoded ones are, other songs of the same bird are not."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import sounds

from fgbench.collect.clean import fingerprints
from fgbench.collect.clean.fingerprints import Landmarks, is_copy, landmarks, same_recordings
from fgbench.collect.clean.segments import cut
from fgbench.collect.clean.spectrum import spectrum
from fgbench.media.decode import Recording, Samples

VARIANTS = [
    ("mp3", "-b:a", "64k"),
    ("mp3", "-ar", "22050", "-b:a", "48k"),
    ("ogg", "-c:a", "libvorbis", "-q:a", "2"),
    ("opus", "-c:a", "libopus", "-ar", "48000", "-b:a", "48k"),
    ("m4a", "-b:a", "64k", "-ss", "0.51"),
    ("flac", "-af", "volume=-12dB"),
    ("wav", "-ar", "16000"),
    ("mp3", "-ss", "1.037", "-af", "volume=6dB", "-b:a", "96k"),
    ("ogg", "-ss", "2.2537", "-t", "6", "-af", "afade=d=1"),
]


def of_samples(samples: Samples) -> Landmarks:
    parts = [landmarks(spectrum(p.samples), p.start) for p in cut([samples])]
    return Landmarks.of(parts)


def of_sound(sound: np.ndarray) -> Landmarks:
    return of_samples(sounds.in_16_bits(sound))


def of_file(content: bytes) -> Landmarks:
    return of_samples(np.concatenate(list(Recording(content))))


@pytest.mark.parametrize("options", VARIANTS, ids=" ".join)
def test_a_copy_is_known(options: tuple[str, ...]) -> None:
    source = sounds.wav(sounds.scene(11, 12, songs=5))
    assert is_copy(of_file(source), of_file(sounds.encode(source, *options)))
    assert is_copy(of_file(sounds.encode(source, *options)), of_file(source))


def test_an_excerpt_of_a_long_recording_is_known() -> None:
    """Although the two are cut into pieces at other places."""
    whole = sounds.scene(12, 150, songs=40)
    excerpt = sounds.encode(sounds.wav(whole), "mp3", "-ss", "63.21", "-t", "20", "-b:a", "96k")
    assert is_copy(of_sound(whole), of_file(excerpt))


def test_other_recordings_are_not() -> None:
    prints = [of_sound(sounds.scene(seed, 15, songs=6)) for seed in range(20, 32)]
    assert same_recordings(prints) == []


@pytest.mark.parametrize("seed", range(41, 47))
def test_one_bird_that_sings_one_song_on_two_days_is_not(seed: int) -> None:
    """A stereotyped singer: note for note the same song, at other times, in other noise."""
    one, two = (of_sound(sounds.scene(day, 15, 4, voice=7)) for day in (seed, seed + 10))
    assert not is_copy(one, two)


def test_silence_and_noise_are_copies_of_nothing() -> None:
    silent, hiss = of_sound(np.zeros(320_000)), of_sound(sounds.white(10))
    assert not is_copy(silent, silent)
    assert same_recordings([silent, silent, hiss, of_sound(sounds.white(10, 5))]) == []
    assert same_recordings([]) == []


def collection() -> list[Landmarks]:
    prints = []
    for seed in range(50, 58):
        source = sounds.wav(sounds.scene(seed, 12, songs=4))
        prints.append(of_file(source))
        prints.append(of_file(sounds.encode(source, *VARIANTS[seed % 8])))
    return prints


def test_rare_landmarks_propose_all_that_are_copies() -> None:
    """Against a comparison of every pair."""
    prints = collection()
    every = [
        (i, j) for i, j in combinations(range(len(prints)), 2) if is_copy(prints[i], prints[j])
    ]
    assert same_recordings(prints) == every
    assert [(2 * n, 2 * n + 1) for n in range(8)] == every


def test_few_pairs_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is linear in the number of recordings: strangers are not even proposed."""
    compared = []
    decide = fingerprints.is_copy
    monkeypatch.setattr(
        fingerprints, "is_copy", lambda a, b: bool(compared.append(1)) or decide(a, b)
    )
    rng = np.random.default_rng(1)
    prints = [
        Landmarks.of(
            [Landmarks(rng.integers(0, 2**23, 400, np.uint32), np.arange(400, dtype=np.int32))]
        )
        for _ in range(300)
    ]
    assert same_recordings(prints) == []
    assert len(compared) < 300


def test_the_definition_again() -> None:
    """A plain count of landmarks at one shift, for two prints made by hand."""
    rng = np.random.default_rng(8)
    codes = rng.choice(2**23, 100, replace=False).astype(np.uint32)
    frames = rng.integers(0, 250, 100).astype(np.int32)
    whole = Landmarks.of([Landmarks(codes, frames)])
    for shared in range(0, 20):
        other = rng.integers(2**23, 2**24, 100).astype(np.uint32)
        other[:shared] = codes[:shared]
        moved = frames + 500 + rng.integers(-1, 1, 100)  # to a frame's difference
        expected = shared >= 8
        assert is_copy(whole, Landmarks.of([Landmarks(other, moved.astype(np.int32))])) is expected
        scattered = frames + 40 * np.arange(100)
        assert not is_copy(whole, Landmarks.of([Landmarks(codes, scattered.astype(np.int32))]))
