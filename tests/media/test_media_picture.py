"""Pictures of sounds whose shape is known: a tone is where its frequency and its time say."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
import soundfile
from PIL import Image

from fgbench.errors import InputError
from fgbench.media import picture
from fgbench.media.picture import COLUMNS, draw


def drawn(path, samples, rate):
    soundfile.write(path, samples, rate)
    return draw(path)


def darkness(found):
    """The spectrogram as [rows, COLUMNS], 0 white to 255 black."""
    image = Image.open(BytesIO(found.spectrogram))
    assert (image.format, image.mode, image.width) == ("PNG", "L", COLUMNS)
    return 255 - np.asarray(image).astype(int)


def frequency(dark, found):
    """Where it is darkest, Hz."""
    row = dark.mean(axis=1).argmax()
    return (1 - (row + 0.5) / len(dark)) * found.top_hz


def outline(found):
    """The points of the waveform [n, 2]."""
    assert re.fullmatch(r"M[-\d. L]+Z", found.waveform)
    return np.array([p.split() for p in found.waveform[1:-1].split("L")], float)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_tone_is_at_its_frequency(tmp_path, rate, part):
    top = min(rate / 2, 12_000)
    at = np.arange(2 * rate) / rate
    found = drawn(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * part * top * at), rate)
    assert (found.top_hz, found.duration_s, found.whole) == (top, 2.0, True)
    assert frequency(darkness(found)[:, 100:-100], found) == pytest.approx(part * top, abs=100)


@pytest.mark.parametrize("duration", [1.0, 10.0, 90.0])
def test_a_short_call_is_at_its_time_however_long_the_recording(tmp_path, duration):
    rate = 22_050
    at = np.arange(int(duration * rate)) / rate
    begins = 0.7 * duration
    call = (at >= begins) & (at < begins + 0.1)
    hiss = np.random.default_rng(1).normal(0, 0.002, at.size)
    found = drawn(tmp_path / "a.flac", 0.3 * np.sin(2 * np.pi * 4_000 * at) * call + hiss, rate)
    dark = darkness(found)
    row = int(len(dark) * (1 - 4_000 / found.top_hz))
    columns = np.flatnonzero(dark[row - 4 : row + 5].max(axis=0) > 200)
    middle = (begins + 0.05) / duration * COLUMNS
    assert columns.size >= 1
    assert abs(columns.mean() - middle) < 12
    edge = outline(found)
    loudest = edge[np.abs(edge[:, 1] - 50).argmax(), 0]
    assert abs(loudest - middle) < 0.06 / duration * COLUMNS + 2


def test_silence_is_white_and_noise_is_not_black(tmp_path):
    rate = 44_100
    assert darkness(drawn(tmp_path / "s.wav", np.zeros(rate), rate)).max() == 0
    noise = np.random.default_rng(0).normal(0, 0.1, 5 * rate)
    dark = darkness(drawn(tmp_path / "n.wav", noise, rate))
    assert 100 < dark.mean() < 220
    assert dark.mean(axis=1).std() < 10  # the same at every frequency


def test_the_waveform_fills_its_height_and_stays_inside(tmp_path):
    samples = np.linspace(-0.001, 0.9, 30_000)
    points = outline(drawn(tmp_path / "a.wav", samples, 8_000))
    assert len(points) == 2 * COLUMNS
    assert points[:, 0].min() == 0
    assert points[:, 0].max() <= COLUMNS
    assert points[:, 1].min() == pytest.approx(1, abs=0.5)
    assert points[:, 1].max() < 52  # hardly anything is below the middle


@pytest.mark.parametrize("size", [1, 2, 63, 999])
def test_tiny_sounds_are_drawn(tmp_path, size):
    found = drawn(tmp_path / "a.wav", np.full(size, 0.5), 8_000)
    assert found.duration_s == size / 8_000
    assert 2 <= len(outline(found)) <= 2 * COLUMNS
    darkness(found)


def test_channels_are_averaged(tmp_path):
    tone = np.sin(2 * np.pi * 1_000 * np.arange(8_000) / 8_000)
    found = drawn(tmp_path / "a.wav", np.stack([tone, -tone], 1), 8_000)
    assert darkness(found).max() == 0


def test_of_a_long_recording_the_beginning(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "MAX_SAMPLES", 64_000)
    found = drawn(tmp_path / "a.wav", np.full(64_001, 0.1), 32_000)
    assert (found.duration_s, found.whole) == (2.0, False)
    found = drawn(tmp_path / "b.wav", np.full(64_000, 0.1), 32_000)
    assert (found.duration_s, found.whole) == (2.0, True)


def test_a_header_that_claims_hours_is_not_believed(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(8_000, 0.1), 8_000, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = (10 * 3600 * 16_000).to_bytes(4, "little")
    data[4:8] = (10 * 3600 * 16_000 + 36).to_bytes(4, "little")
    path.write_bytes(data)
    assert draw(path).duration_s == 1.0


@pytest.mark.parametrize(
    "content", [b"", b"<!doctype html><title>503</title>", b"fLaC" + bytes(40)]
)
def test_what_is_no_sound_is_named(tmp_path, content):
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    with pytest.raises(InputError, match="FG-V003"):
        draw(path)
    with pytest.raises(InputError, match="FG-V003"):
        draw(tmp_path / "none.flac")


@pytest.mark.parametrize("samples", [np.zeros(0), np.array([0.1, np.nan, 0.1])])
def test_no_samples_are_no_sound(tmp_path, samples):
    soundfile.write(tmp_path / "a.wav", samples, 8_000, subtype="FLOAT")
    with pytest.raises(InputError, match="FG-V003"):
        draw(tmp_path / "a.wav")


def test_a_truncated_recording_is_drawn_as_far_as_it_goes(tmp_path, real_data):
    (path,) = (real_data / "audio/mrtanner_cc0/193.Bewick_Wren").glob("*.mp3")
    whole = draw(path)
    (tmp_path / "half.mp3").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    half = draw(tmp_path / "half.mp3")
    assert half.duration_s == pytest.approx(whole.duration_s / 2, rel=0.1)


def test_real_songs_are_dark_where_they_are(real_data):
    """The annotated survey: Ovenbird at 5.8 and 9.1 s, at 3 to 5 kHz; nobody sings at 12 s."""
    found = draw(real_data / "audio/misc/monitoR_survey.wav")
    dark = darkness(found)
    rows = slice(int(len(dark) * (1 - 5_000 / 12_000)), int(len(dark) * (1 - 3_000 / 12_000)))

    def at(second):
        middle = int(second / found.duration_s * COLUMNS)
        return dark[rows, middle - 10 : middle + 10].mean()

    assert min(at(6.5), at(9.8)) > 3 * at(12.5)
