"""Sounds for tests: drawn here, encoded by a real ffmpeg, spoken by a real espeak-ng."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

RATE = 32_000
Sound = NDArray[np.float64]


def seconds(duration_s: float, rate: int = RATE) -> Sound:
    return np.arange(round(duration_s * rate)) / rate


def white(duration_s: float, seed: int = 0, level: float = 0.1) -> Sound:
    return level * np.random.default_rng(seed).standard_normal(len(seconds(duration_s)))


def coloured(duration_s: float, power: float, seed: int = 0) -> Sound:
    """Noise with a power spectrum of 1/f^power: pink 1, brown 2."""
    bins = np.fft.rfft(white(duration_s, seed))
    bins[1:] /= np.arange(1, len(bins)) ** (power / 2)
    bins[0] = 0
    sound = np.fft.irfft(bins, len(seconds(duration_s)))
    return 0.3 * sound / np.abs(sound).max()


def rain(duration_s: float, drops: int, seed: int = 0) -> Sound:
    """Bursts of noise of 1-6 ms that die away, ``drops`` a second, over a faint hiss."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(len(seconds(duration_s)) + 400)
    for at in rng.integers(0, len(sound) - 400, round(drops * duration_s)):
        size = int(rng.integers(20, 200))
        fall = np.exp(-4 * np.arange(size) / size)
        sound[at : at + size] += rng.exponential() * rng.standard_normal(size) * fall
    sound = sound[:-400]
    return 0.5 * sound / np.abs(sound).max() + white(duration_s, seed + 1, 0.003)


def song(seed: int, notes: int = 8) -> Sound:
    """A phrase of whistles that glide, 60-180 ms each, between 1 and 7 kHz."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(notes):
        at = seconds(rng.uniform(0.06, 0.18))
        begin = rng.uniform(2000, 6000)
        pitch = np.linspace(begin, begin + rng.uniform(-1000, 1000), len(at))
        note = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.hanning(len(at))
        parts += [note, np.zeros(round(rng.uniform(0.03, 0.12) * RATE))]
    return np.concatenate(parts)


def scene(seed: int, duration_s: float, songs: int = 4, voice: int | None = None) -> Sound:
    """A recording: songs at random times over pink noise.

    ``voice``: one bird's one song, each time up to 2 % faster or slower, higher or lower.
    """
    rng = np.random.default_rng(seed)
    sound = 0.05 * coloured(duration_s, 1, seed)
    for n in range(songs):
        phrase = song(1000 * seed + n if voice is None else voice)
        if voice is not None:
            places = np.arange(0, len(phrase) - 1, rng.uniform(0.98, 1.02))
            phrase = np.interp(places, np.arange(len(phrase)), phrase)
        at = int(rng.integers(0, len(sound) - len(phrase)))
        sound[at : at + len(phrase)] += rng.uniform(0.1, 0.4) * phrase
    return sound


def in_16_bits(sound: Sound) -> NDArray[np.int16]:
    return np.rint(np.clip(sound, -1, 1) * 32767).astype(np.int16)


def wav(sound: Sound, rate: int = RATE, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="WAV", subtype=subtype)
    return file.getvalue()


def riff(
    data: bytes,
    *,
    rate: int = RATE,
    channels: int = 1,
    bits: int = 16,
    kind: int = 1,
    claimed: int | None = None,
) -> bytes:
    """A WAV file written by hand, whatever it says: ``claimed`` bytes of data, 0 Hz…"""
    size = len(data) if claimed is None else claimed
    frame = channels * bits // 8
    head = struct.pack("<IHHIIHH", 16, kind, channels, rate, rate * frame % 2**32, frame, bits)
    whole = struct.pack("<I", (36 + size) % 2**32)
    return b"RIFF" + whole + b"WAVEfmt " + head + b"data" + struct.pack("<I", size) + data


def encode(source: bytes, ending: str, *options: str) -> bytes:
    """The file that ffmpeg makes of another: ``encode(wav(x), "mp3", "-b:a", "64k")``."""
    return ffmpeg("-i", "pipe:0", *options, ending=ending, source=source)


def ffmpeg(*arguments: str, ending: str, source: bytes = b"") -> bytes:
    """What ffmpeg writes to a file of that ending; through a file, for some cannot be streamed."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"out.{ending}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", *arguments]
        if not source:
            subprocess.run([*command, target], check=True)
        else:
            command.remove("-nostdin")
            subprocess.run([*command, target], input=source, check=True)
        return target.read_bytes()


@cache
def speech(voice: str, speed: int = 150) -> Sound:
    """A sentence read by espeak-ng, at its own 22,050 Hz. Skips where it is not installed."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed (Debian package espeak-ng)")
    words = (
        "This recording was made in the woods near the lake on the second of May, and the "
        "microphone was pointed at the canopy. Please listen to the next bird."
    )
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", words]
    spoken = subprocess.run(command, capture_output=True, check=True).stdout
    data = spoken[spoken.index(b"data") + 8 :]
    return np.frombuffer(data[: len(data) // 2 * 2], np.int16) / 32768
