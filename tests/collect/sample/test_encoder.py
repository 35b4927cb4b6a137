"""Sound files: read by another decoder, the same bytes always, and headers that lie on demand."""

from __future__ import annotations

import io
import struct
import time
import wave

import av
import numpy as np
import pytest
import soundfile

from fgbench.collect.sample.encoder import Format, claim, encode, with_serial
from fgbench.media.decode import SHORTER_THAN_STATED, Recording

RATE = 22_050
SOUND = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)


def by_ffmpeg(content: bytes) -> np.ndarray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(io.BytesIO(content)) as file:
        parts = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


@pytest.mark.parametrize("format", Format)
def test_another_decoder_finds_the_sound_and_that_it_is_synthetic(format):
    content = encode(SOUND, RATE, format, "A bird")
    found = by_ffmpeg(content)
    assert abs(len(found) - len(SOUND)) < 0.15 * RATE  # MP3 frames around it
    middle = np.abs(np.fft.rfft(found[RATE // 2 : RATE // 2 + RATE]))
    assert middle.argmax() == 1000
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert file.title == "A bird, synthetic sample sound"
        assert (file.channels, file.samplerate) == (1, RATE)


@pytest.mark.parametrize("format", Format)
def test_equal_sounds_give_equal_bytes_at_any_time(format):
    first = encode(SOUND, RATE, format, "A bird")
    time.sleep(0.002)  # libsndfile draws the serial numbers of Ogg streams by the clock
    assert encode(SOUND, RATE, format, "A bird") == first
    assert encode(SOUND, RATE, format, "Another") != first


def test_what_is_too_loud_is_clipped():
    found = by_ffmpeg(encode(10 * SOUND, RATE, Format.WAV, "A bird"))
    assert np.abs(found).max() <= 1
    assert (np.abs(found) > 0.999).mean() > 0.5


def test_checksums_are_those_of_libogg():
    """A file that libogg wrote, under its own serial number, is itself."""
    file = io.BytesIO()
    soundfile.write(file, SOUND, RATE, format="OGG")
    written = file.getvalue()
    (serial,) = struct.unpack_from("<I", written, 14)
    assert with_serial(written, serial) == written
    changed = with_serial(written, serial ^ 1)
    assert changed != written
    assert len(by_ffmpeg(changed)) == len(by_ffmpeg(written))


def test_a_header_may_claim_ten_hours():
    lying = claim(encode(SOUND, RATE, Format.FLAC, "A bird"), 36_000)
    with wave.open(io.BytesIO(lying)) as file:
        assert file.getnframes() == 36_000 * RATE
    assert len(lying) == 44 + 2 * len(SOUND)
    recording = Recording(lying)
    assert sum(map(len, recording)) == pytest.approx(2 * 32_000, abs=2)
    assert SHORTER_THAN_STATED in recording.flags
