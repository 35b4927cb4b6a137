"""The decoders where they are known to go wrong: channels, tags, a change on the way, the end."""

from __future__ import annotations

import numpy as np
import pytest
import sounds

from fgbench.media.decode import BROKEN_OFF, RATE, Recording
from fgbench.media.decoders import open_decoder

SCENE = sounds.scene(5, 4)
WAV = sounds.wav(SCENE)


def flags(content: bytes) -> set[str]:
    recording = Recording(content)
    for _ in recording:
        pass
    return {flag for flag in recording.flags if ":" not in flag}


@pytest.mark.parametrize(
    "options",
    [
        ("wav", "-ac", "2", "-c:a", "pcm_u8"),
        ("wav", "-ac", "6", "-c:a", "pcm_s32le", "-ar", "96000"),
        ("wav", "-ac", "8", "-c:a", "pcm_f64le"),
        ("flac", "-ac", "6"),
        ("ogg", "-ac", "6"),
        ("opus", "-ac", "6", "-ar", "48000"),
        ("m4a", "-ac", "6"),
        ("m4a", "-ac", "8"),
        ("m4a", "-ac", "8", "-c:a", "alac"),
        ("mka", "-ac", "16", "-c:a", "libvorbis"),
        ("mka", "-ac", "16", "-c:a", "pcm_s16le"),
    ],
    ids=" ".join,
)
def test_many_channels_are_the_sound_that_went_in(options: tuple[str, ...]) -> None:
    """Channels that ffmpeg leaves silent make it softer, and nothing else."""
    content = sounds.encode(WAV, *options)
    channels = int(options[options.index("-ac") + 1])
    assert open_decoder(content).channels == channels
    found = np.concatenate(list(Recording(content))) / 32768
    assert len(found) == pytest.approx(4 * RATE, abs=0.1 * RATE)
    size = min(len(found), len(SCENE))
    a, b = found[:size], SCENE[:size]
    lags = np.fft.irfft(np.fft.rfft(a, 2 * size) * np.conj(np.fft.rfft(b, 2 * size)))
    near = np.r_[lags[:1600], lags[-1600:]]  # an encoder's run-in
    assert near.max() / np.sqrt((a @ a) * (b @ b)) > 0.97
    assert flags(content) == set()


@pytest.mark.parametrize("change", [("-ac", "2"), ("-ac", "6"), ("-ar", "22050")], ids=" ".join)
def test_sound_that_changes_its_form_on_the_way_ends_there(change: tuple[str, ...]) -> None:
    one = sounds.encode(WAV, "aac", "-ar", "44100", "-ac", "1")
    recording = Recording(one + sounds.encode(WAV, "aac", "-ar", "44100", *change))
    assert sum(map(len, recording)) == pytest.approx(4 * RATE, abs=0.1 * RATE)
    assert BROKEN_OFF in recording.flags


@pytest.mark.parametrize("ending", ["mp3", "flac", "wav", "m4a", "mka"])
def test_tags_of_another_encoding_are_no_hindrance(ending: str) -> None:
    content = sounds.encode(WAV, ending, "-metadata", "title=Chant__la_for_t")
    latin = content.replace(b"Chant__la_for_t", "Chant à la forêt"[:15].encode("latin-1"))
    assert latin != content
    assert flags(latin) == set()


@pytest.mark.parametrize("codec", [("libvorbis",), ("libopus", "-ar", "48000")], ids=" ".join)
def test_an_ogg_file_without_its_end_is_said(codec: tuple[str, ...]) -> None:
    content = sounds.encode(sounds.wav(np.tile(SCENE, 4)), "ogg", "-c:a", *codec)
    assert flags(content) == set()
    assert flags(content + b"TAG") == set()
    last = content.rindex(b"OggS")
    for end in (len(content) // 2, last, last + 20, len(content) - 1):
        assert flags(content[:end]) == {BROKEN_OFF}


def test_an_mp3_in_blocks_is_the_mp3_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    content = sounds.encode(WAV, "mp3", "-b:a", "32k")
    whole = np.concatenate([block.copy() for block in open_decoder(content).blocks()])
    monkeypatch.setattr("fgbench.media.decoders._BLOCK", 4096)
    blocks = np.concatenate([block.copy() for block in open_decoder(content).blocks()])
    assert len(blocks) == len(whole) > 3 * RATE
    assert np.abs(blocks - whole).max() < 1e-6
