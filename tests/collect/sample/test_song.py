"""Songs: the same always, no two individuals alike, and species that can be told apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.fft import dct

from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.scene import Scene, hear
from fgbench.collect.sample.song import Singer, put

RATE = 22_050


def cepstra(sound: np.ndarray) -> np.ndarray:
    """Means and spreads of 13 cepstral coefficients of 26 bands: what is handcrafted of sound."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, 512)[::256] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.geomspace(3, 256, 27).astype(int)
    pairs = pairwise(edges)
    bands = np.stack([power[:, low : max(low + 1, high)].mean(axis=1) for low, high in pairs], 1)
    found = dct(np.log(bands + 1e-9), axis=1, norm="ortho")[:, :13]
    return np.concatenate([found.mean(axis=0), found.std(axis=0)])


def test_species_are_told_apart_and_mistaken_for_their_look_alikes():
    """The nearest of six individuals a species, for six others."""
    features = np.array(
        [cepstra(hear(b, n, Scene.SONG, 6, RATE)) for n in range(12) for b in birds()]
    )
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    known, asked = np.split(features, 2)
    apart = ((asked[:, None] - known[None]) ** 2).sum(axis=2).argmin(axis=1)
    names = [(b.name, b.kin) for b in birds()] * 6
    said = [(names[i][0], *names[k]) for i, k in enumerate(apart)]
    right = sum(name == found for name, found, _ in said)
    mistaken = [name == kin for name, found, kin in said if name != found]
    assert right / len(said) > 0.6  # chance: 0.125
    assert sum(mistaken) >= 0.7 * len(mistaken)  # chance: 0.14


def test_a_song_is_the_same_always_and_no_other_individuals():
    bird, rate = birds()[0], RATE
    sounds = [hear(bird, n, Scene.SONG, 5, rate) for n in (1, 1, 2)]
    assert np.array_equal(sounds[0], sounds[1])
    assert not np.array_equal(sounds[0], sounds[2])
    assert len(sounds[0]) == 5 * rate
    assert Singer.of(bird, 1) == Singer.of(bird, 1) != Singer.of(bird, 2)


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_individuals_of_a_species_differ_a_little(bird):
    singers = [Singer.of(bird, n) for n in range(50)]
    assert len(set(singers)) == 50
    assert all(0.9 < singer.pitch < 1.1 for singer in singers)
    assert all(0.8 < singer.tempo < 1.2 for singer in singers)


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_no_two_songs_of_one_individual_are_the_same(bird):
    draw = np.random.default_rng(0)
    one, other = (Singer.of(bird, 1).song(draw, RATE) for _ in range(2))
    size = min(len(one), len(other))
    assert not np.array_equal(one[:size], other[:size])
    assert np.abs(one).max() <= 1


def test_what_is_put_beyond_the_end_is_cut_off():
    sound = np.zeros(10)
    put(sound, [(0.8, np.ones(5)), (2.0, np.ones(5))], 10)
    assert sound.tolist() == [0.0] * 8 + [1.0] * 2
