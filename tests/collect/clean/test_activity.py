"""What the detector says to sounds that are birds, and to sounds that are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sounds
import soxr

from fgbench.collect.clean.activity import Scores, Verdict, active_frames, best, judge, measure
from fgbench.collect.clean.spectrum import HOP_S, spectrum
from fgbench.media.decode import Recording


def score(sound: np.ndarray) -> Scores:
    return measure(spectrum(sounds.in_16_bits(sound)))


def verdict(sound: np.ndarray) -> Verdict:
    return judge(score(sound))


def through(sound: np.ndarray, ending: str, *options: str) -> np.ndarray:
    """The sound, encoded and decoded."""
    content = sounds.encode(sounds.wav(sound), ending, *options)
    return np.concatenate(list(Recording(content))) / 32768


NOISES = {
    "digital silence": lambda seed: np.zeros(12 * sounds.RATE),
    "one sample": lambda seed: np.zeros(1),
    "white": lambda seed: sounds.white(12, seed),
    "faint white": lambda seed: sounds.white(12, seed, 0.0005),
    "white, 60 s": lambda seed: sounds.white(60, seed),
    "white of 8 kHz": lambda seed: soxr.resample(sounds.white(3, seed), 8000, sounds.RATE),
    "white that swells": lambda seed: (
        sounds.white(12, seed) * (1 + 0.9 * np.sin(4 * sounds.seconds(12)))
    ),
    "pink": lambda seed: sounds.coloured(12, 1, seed),
    "brown": lambda seed: sounds.coloured(12, 2, seed),
    "rain, a few drops": lambda seed: sounds.rain(12, 3, seed),
    "rain": lambda seed: sounds.rain(12, 50, seed),
    "rain that pours": lambda seed: sounds.rain(12, 1000, seed),
    "rain of 8 kHz": lambda seed: soxr.resample(sounds.rain(12, 50, seed)[::4], 8000, sounds.RATE),
    "one slam": lambda seed: (
        sounds.white(12, seed, 0.002)
        + np.where(np.abs(sounds.seconds(12) - 6) < 0.2, sounds.white(12, seed + 1, 0.2), 0)
    ),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", NOISES)
def test_noise_is_dropped(name: str, seed: int) -> None:
    assert verdict(NOISES[name](seed)) is Verdict.DROP


@pytest.mark.parametrize(
    "options", [("mp3", "-b:a", "64k"), ("ogg", "-q:a", "2"), ("m4a", "-b:a", "64k")]
)
@pytest.mark.parametrize("name", ["white", "pink", "rain"])
def test_noise_is_dropped_from_lossy_files(name: str, options: tuple[str, ...]) -> None:
    assert verdict(through(NOISES[name](1), *options)) is Verdict.DROP


@pytest.mark.parametrize("voice", ["en", "en+f3", "en+m3", "de", "fr"])
@pytest.mark.parametrize("noise_db", [None, -30, -10])
def test_speech_is_asked_about(voice: str, noise_db: float | None) -> None:
    spoken = soxr.resample(sounds.speech(voice), 22_050, sounds.RATE)
    if noise_db is not None:
        hiss = sounds.coloured(len(spoken) / sounds.RATE, 1)[: len(spoken)]
        spoken = spoken + hiss * np.sqrt(np.mean(spoken**2) / np.mean(hiss**2)) * 10 ** (
            noise_db / 20
        )
    assert verdict(0.5 * spoken) is Verdict.ASK


@pytest.mark.parametrize("seed", range(5))
def test_song_is_kept(seed: int) -> None:
    scene = sounds.scene(seed, 12)
    assert verdict(scene) is Verdict.KEEP
    assert verdict(0.02 * scene) is Verdict.KEEP
    assert verdict(through(scene, "mp3", "-b:a", "64k")) is Verdict.KEEP


def test_song_in_a_minute_of_noise_is_kept() -> None:
    assert verdict(sounds.scene(3, 60, songs=1)) is Verdict.KEEP


def test_song_beside_a_slam_is_kept() -> None:
    scene = sounds.scene(4, 12)
    scene[:8000] += sounds.white(0.25, 1, 0.5)
    assert verdict(scene) is Verdict.KEEP


def test_loudness_makes_no_difference() -> None:
    loud, soft = (score(level * sounds.scene(1, 12)) for level in (1, 0.1))
    assert soft.snr_db == pytest.approx(loud.snr_db, abs=0.5)
    assert soft.flatness == pytest.approx(loud.flatness, abs=0.01)
    assert soft.energy == pytest.approx(loud.energy, abs=0.02)


def test_a_single_short_call_is_asked_about() -> None:
    sound = sounds.white(30, 1, 0.003)
    chip = 0.1 * np.sin(2 * np.pi * 5000 * sounds.seconds(0.06)) * np.hanning(1920)
    sound[320_000 : 320_000 + 1920] += chip
    assert verdict(sound) is Verdict.ASK


@pytest.mark.parametrize("modulation", [0, 26])
def test_a_tone_that_never_ends_is_asked_about(modulation: float) -> None:
    """An insect, a motor, or a bird that reels: its own noise floor hides it."""
    at = sounds.seconds(12)
    tone = 0.1 * np.sin(2 * np.pi * 5000 * at) * (1 + np.sin(2 * np.pi * modulation * at))
    assert verdict(tone + sounds.white(12, 1, 0.003)) is Verdict.ASK


def test_active_frames_are_where_the_song_is() -> None:
    phrase = 0.3 * sounds.song(5)
    sound = sounds.white(20, 5, 0.002)
    sound[9 * sounds.RATE :][: len(phrase)] += phrase
    times = np.flatnonzero(active_frames(spectrum(sounds.in_16_bits(sound)))) * HOP_S
    assert len(times) * HOP_S > 0.25 * len(phrase) / sounds.RATE
    assert times.min() > 8.9
    assert times.max() < 9.1 + len(phrase) / sounds.RATE


BIRD = Scores(energy=0.5, flatness=0.05, snr_db=30, tonal_s=1, voiced=0.1, steady_db=2)
VOICE = replace(BIRD, voiced=0.8)
NOTHING = replace(BIRD, tonal_s=0)


@pytest.mark.parametrize(
    ("scores", "heard", "expected"),
    [
        (BIRD, None, Verdict.KEEP),
        (BIRD, 0.9, Verdict.KEEP),
        (BIRD, 0.01, Verdict.ASK),
        (VOICE, None, Verdict.ASK),
        (VOICE, 0.9, Verdict.KEEP),
        (VOICE, 0.3, Verdict.ASK),
        (replace(BIRD, tonal_s=0.1), None, Verdict.ASK),
        (replace(BIRD, tonal_s=0.1), 0.6, Verdict.KEEP),
        (NOTHING, None, Verdict.DROP),
        (NOTHING, 0.99, Verdict.DROP),  # the gate first: white noise is a woodpecker to BirdNET
        (replace(NOTHING, steady_db=40), None, Verdict.ASK),
    ],
)
def test_verdicts(scores: Scores, heard: float | None, expected: Verdict) -> None:
    assert judge(replace(scores, birdnet=heard)) is expected


def test_the_fullest_window_speaks_for_all() -> None:
    windows = [NOTHING, replace(BIRD, birdnet=0.2), replace(VOICE, tonal_s=0.5, birdnet=0.7)]
    assert best(windows) == replace(BIRD, birdnet=0.7)
    assert best([NOTHING]).birdnet is None


def test_scores_say_themselves() -> None:
    assert "SNR 30.0 dB, flatness 0.05" in str(BIRD)
    assert str(replace(BIRD, birdnet=0.61)).endswith("BirdNET 0.61")
    assert BIRD.to_row() == {"energy": 0.5, "flatness": 0.05, "snr_db": 30, "birdnet": None}
