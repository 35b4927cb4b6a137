"""Scenes: songs that the gate keeps, rain that it drops, and what only a person can decide."""

from __future__ import annotations

import numpy as np
import pytest

from fgbench.collect.clean.activity import Verdict, judge, measure
from fgbench.collect.clean.spectrum import spectrum
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.scene import Scene, behind, hear
from fgbench.media.decode import RATE

MEANT = {
    Scene.SONG: Verdict.KEEP,
    Scene.FAR: Verdict.ASK,
    Scene.RAIN: Verdict.DROP,
    Scene.VOICE: Verdict.ASK,
}


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_the_gate_decides_as_is_meant(bird, scene):
    for individual in (901, 902):
        sound = hear(bird, individual, scene, 7, RATE)
        assert np.abs(sound).max() < 1
        scores = measure(spectrum(np.rint(sound * 32767).astype(np.int16)))
        assert judge(scores) is MEANT[scene], scores


def test_the_voice_is_asked_about_because_it_is_one():
    sound = hear(birds()[0], 901, Scene.VOICE, 7, RATE)
    assert measure(spectrum(np.rint(sound * 32767).astype(np.int16))).voiced > 0.6


@pytest.mark.parametrize("scene", Scene)
def test_a_scene_is_the_same_always_and_not_that_of_another_bird(scene):
    one, again, other = (hear(bird, 1, scene, 3, RATE) for bird in [birds()[0]] * 2 + [birds()[1]])
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_bird_behind_is_heard_and_is_not_the_loudest():
    front = hear(birds()[0], 1, Scene.SONG, 5, RATE)
    both = front.copy()
    behind(both, birds()[-1], 1, RATE)
    added = both - front
    assert 0 < np.sqrt((added**2).mean()) < 0.5 * np.sqrt((front**2).mean())
