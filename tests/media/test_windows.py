"""Windows of sounds: spans of coefficients, and spans of the spectrogram through a network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from sounds import song

from fgbench.errors import Fault
from fgbench.media.audio import decibels, draw, draw_levels
from fgbench.media.cepstra import RATE, Cepstra
from fgbench.media.item import MediaItem
from fgbench.media.parts import MOST_SPANS
from fgbench.media.preset import PAPER
from fgbench.media.windows import Windows, draw_windows
from fgbench.protocol import Medium


def write(path: Path, sound: np.ndarray) -> MediaItem:
    soundfile.write(path, sound, RATE)
    return MediaItem(path.name, Medium.AUDIO, path)


def test_spans_of_cepstra_are_means_over_time(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=60_000) / 20
    item = write(tmp_path / "a.wav", noise)
    (plain,), (found,) = Cepstra()([item]), Cepstra(parts=True)([item])
    assert (found.vector == plain.vector).all()
    samples, _ = librosa.load(item.path)
    windows = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=128).T  # 118 of them
    ends = [len(windows) * n // MOST_SPANS for n in range(MOST_SPANS + 1)]
    expected = [windows[a:b].mean(axis=0) for a, b in pairwise(ends)]
    assert found.parts.shape == (25, 128)
    assert found.parts == pytest.approx(np.stack(expected), abs=1, rel=0.05)
    assert Cepstra().fingerprint != Cepstra(parts=True).fingerprint


def test_a_short_sound_has_fewer(tmp_path: Path) -> None:
    (found,) = Cepstra(parts=True)([write(tmp_path / "a.wav", np.sin(np.arange(4000) / 3) / 2)])
    assert 1 <= len(found.parts) == 1 + 4000 // 512


def test_windows_are_drawn_as_the_whole_is_by_its_loudest() -> None:
    rule = PAPER.at_side(32).audio
    assert rule.rate == RATE
    samples = song(1)[: 2 * RATE].astype(np.float32)
    samples[: len(samples) // 2] /= 1000  # 60 dB down
    pictures = draw_windows(samples, rule)
    assert pictures.shape == (25, 3, 32, 32)
    levels = decibels(samples, rule)
    assert (
        pictures[7] == draw_levels(levels[len(levels) * 7 // 25 : len(levels) * 8 // 25], rule)
    ).all()
    assert pictures[:10].mean() < pictures[15:].mean() / 2
    assert (draw_levels(levels, rule) == draw(samples, rule)).all()


def test_their_parts_are_what_a_network_makes_of_them(tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    from fgbench.media.activations import Activations

    network = Activations("tiny", "none", side=32)
    item = write(tmp_path / "a.wav", song(1)[: 2 * RATE])
    lost = MediaItem("audio/2", Medium.AUDIO, tmp_path / "none.wav")
    found, fault = Windows(network)([item, lost])
    assert (found.vector == Cepstra()([item])[0].vector).all()
    assert found.parts.shape == (25, 64)
    assert found.parts.std(axis=0).max() > 0
    assert isinstance(fault, Fault)
    assert fault.code == "FG-M001"
    assert Windows(network).fingerprint != Windows(replace(network, side=48)).fingerprint
