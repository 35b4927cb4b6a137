"""Cepstral coefficients of sounds, against librosa from file to features."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from sounds import song

from fgbench.errors import Fault
from fgbench.media.cepstra import Cepstra
from fgbench.media.item import MediaItem
from fgbench.protocol import Medium


def write(path: Path, sound: np.ndarray, rate: int = 22_050) -> MediaItem:
    soundfile.write(path, sound, rate)
    return MediaItem(path.name, Medium.AUDIO, path)


def vectors(items: list[MediaItem]) -> list[np.ndarray]:
    return [found.vector for found in Cepstra()(items)]


def test_they_are_what_librosa_makes_of_the_file(tmp_path: Path) -> None:
    # noise, as the quiet steps that the resamplers leave differ by decibels
    noise = np.random.default_rng(0).normal(size=60_000) / 20 + np.sin(np.arange(60_000) / 5) / 4
    item = write(tmp_path / "song.wav", noise)
    (found,) = vectors([item])
    samples, rate = librosa.load(item.path)
    expected = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=128).mean(axis=1)
    assert found.shape == (128,)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=0.5, rel=0.02)
    assert np.corrcoef(found[1:], expected[1:])[0, 1] > 0.999


def test_songs_differ_and_stay_the_same(tmp_path: Path) -> None:
    items = [write(tmp_path / f"{n}.wav", song(n), 32_000) for n in (1, 2)]
    one, other = vectors(items)
    assert np.abs(one - other).max() > 1
    assert (vectors(items[:1])[0] == one).all()


def test_a_sound_shorter_than_a_window_has_features(tmp_path: Path) -> None:
    (found,) = vectors([write(tmp_path / "click.wav", np.sin(np.arange(600)) / 2)])
    assert np.isfinite(found).all()


def test_silence_and_pointers_are_faults(tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.wav", np.zeros(22_050))
    found = Cepstra()([silent, MediaItem("audio/2", Medium.AUDIO)])
    assert [fault.code for fault in found if isinstance(fault, Fault)] == ["FG-M006", "FG-M001"]
