"""Spectrograms: against librosa and matplotlib, by where known sounds show, and faults of files."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import sounds
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fgbench.errors import FaultyInput
from fgbench.media import audio
from fgbench.media.audio import decibels, draw, load_audio, load_samples
from fgbench.media.image import frame
from fgbench.media.magma import MAGMA
from fgbench.media.preset import PAPER, RELEASED, Drawing

BOTH = pytest.mark.parametrize("rule", [PAPER.audio, RELEASED.audio], ids=["paper", "released"])
RATE = PAPER.audio.rate


def tone(hertz: float, seconds: float, level: float = 0.5) -> np.ndarray:
    at = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def hiss(seconds: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (0.1 * noise).astype(np.float32)


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate)
    return path


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")  # librosa of short sounds
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 120_000), st.integers(0, 9), st.sampled_from([80.0, 60.0]))
def test_decibels_are_librosas(count: int, seed: int, range_db: float) -> None:
    samples = hiss(6, seed)[:count] * np.hanning(count + 2)[1:-1].astype(np.float32)
    levels = librosa.amplitude_to_db(np.abs(librosa.stft(samples)), ref=np.max, top_db=range_db)
    found = decibels(samples, audio.AudioRule(Drawing.ARRAY, PAPER.image, range_db=range_db))
    assert found.shape == levels.T.shape
    assert np.abs(found - levels.T).max() < 0.02  # at the quiet end float32 has no more
    assert found.max() == 0


@BOTH
@pytest.mark.parametrize("seconds", [0.01, 0.5, 3, 40])
def test_a_picture_whatever_the_length(rule: audio.AudioRule, seconds: float) -> None:
    picture = draw(hiss(seconds), rule)
    assert picture.shape == (3, 448, 448)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert picture.std() > 5


def test_a_tone_is_a_line_as_high_as_its_frequency() -> None:
    for hertz in (1000, 4000, 9000):
        picture = draw(tone(hertz, 4) + hiss(4) / 100, PAPER.audio)[0]
        row = int(picture.mean(axis=1).argmax())
        assert row == pytest.approx(447.5 - 448 * hertz / (RATE / 2), abs=2)


def test_the_released_picture_has_lost_a_sixteenth_of_each_side() -> None:
    for hertz in (1000, 4000, 9000):
        picture = draw(tone(hertz, 4) + hiss(4) / 100, RELEASED.audio).sum(axis=0)
        row = int(picture.mean(axis=1).argmax())
        assert row == pytest.approx(512 * (1 - hertz / (RATE / 2)) - 32, abs=2)
    low, high = (draw(tone(hertz, 4), RELEASED.audio) for hertz in (250, 10_800))
    middle = draw(tone(3000, 4), RELEASED.audio)
    assert max(low[:, 60:-60].max(), high[:, 60:-60].max()) < middle[:, 60:-60].max()


def test_a_click_is_a_line_where_it_is_in_time() -> None:
    for second in (1.0, 2.5, 3.75):
        samples = hiss(4) / 1000
        samples[round(second * RATE)] = 1
        picture = draw(samples, PAPER.audio)[0]
        assert int(picture.mean(axis=0).argmax()) == pytest.approx(448 * second / 4, abs=3)


def test_grey_is_from_the_range_to_the_loudest() -> None:
    rule = PAPER.audio
    samples = hiss(10)
    picture = draw(samples, rule)
    assert np.array_equal(picture[0], picture[1])
    assert np.array_equal(picture[0], picture[2])
    mean = 255 * (1 + decibels(samples, rule).mean() / rule.range_db)
    assert picture.mean() == pytest.approx(mean, abs=1)
    quarter = draw(np.concatenate([tone(5000, 3), np.zeros(RATE, np.float32)]), rule)[0]
    assert quarter[:, 360:].max() == 0
    assert quarter.max() > 200


@pytest.fixture(scope="module")
def drawn_by_matplotlib(tmp_path_factory: pytest.TempPathFactory):
    """The released audio.py's picture of samples, in a process of its own."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("drawn")
    script = (
        "import sys, numpy as np, librosa, librosa.display, matplotlib\n"
        "matplotlib.use('Agg')\n"
        "from matplotlib import pyplot as plt\n"
        "levels = librosa.amplitude_to_db(np.abs(librosa.stft(np.load(sys.argv[1]))), ref=np.max)\n"
        "figure = plt.figure()\n"
        "librosa.display.specshow(levels)\n"
        "figure.set_size_inches(7 / 3, 7 / 3)\n"
        "figure.subplots_adjust(top=1, bottom=0, right=1, left=0, hspace=0, wspace=0)\n"
        "figure.gca().margins(0, 0)\n"
        "figure.savefig(sys.argv[2], format='png', transparent=True, dpi=300, pad_inches=0)\n"
        "np.save(sys.argv[3], (255 * np.array(matplotlib.colormaps['magma'].colors)).round())\n"
    )

    def draw_samples(samples: np.ndarray) -> tuple[Image.Image, np.ndarray]:
        np.save(folder / "samples.npy", samples)
        names = [str(folder / name) for name in ("samples.npy", "drawn.png", "colours.npy")]
        subprocess.run([sys.executable, "-W", "ignore", "-c", script, *names], check=True)
        with Image.open(names[1]) as picture:
            return picture.convert("RGB"), np.load(names[2])

    return draw_samples


def test_the_released_preset_is_what_matplotlib_draws(drawn_by_matplotlib) -> None:
    samples = tone(2500, 5) * np.hanning(5 * RATE).astype(np.float32) + hiss(5) / 50
    picture, colours = drawn_by_matplotlib(samples)
    assert picture.size == (700, 700)
    theirs = frame(picture, RELEASED.image).astype(int)
    apart = np.abs(theirs - draw(samples, RELEASED.audio))
    assert apart.mean() < 1
    assert np.quantile(apart, 0.999) <= 10
    shifted = np.abs(theirs[:, 1:] - draw(samples, RELEASED.audio)[:, :-1])
    assert shifted.mean() > 5 * apart.mean()  # the bound tells one pixel's shift
    assert np.abs(np.frombuffer(MAGMA, np.uint8).reshape(256, 3) - colours).max() <= 1


def test_samples_are_what_the_file_holds(tmp_path: Path) -> None:
    samples = tone(2000, 2)
    for rate in (22_050, 44_100, 48_000, 16_000):
        again = librosa.resample(samples, orig_sr=RATE, target_sr=rate)
        found = load_samples(write(tmp_path / f"{rate}.flac", again, rate), RATE)
        assert len(found) == pytest.approx(len(samples), abs=2)
        inner = slice(2000, len(samples) - 2000)
        assert np.abs(found[inner] - samples[inner]).max() < 0.002


def test_a_drawn_spectrogram_is_taken_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
    path = tmp_path / "bird.png"
    Image.fromarray(pixels).save(path)
    found = load_audio(path, RELEASED.audio)
    assert np.array_equal(found, frame(Image.fromarray(pixels), RELEASED.image))
    assert load_audio(path, PAPER.audio).shape == (3, 448, 448)


class TestFaults:
    def code(self, path: Path) -> str:
        with pytest.raises(FaultyInput) as caught:
            load_audio(path, PAPER.audio)
        (fault,) = caught.value.faults
        assert str(path) in fault.where
        assert "0x" not in fault.found
        return fault.code

    @pytest.mark.parametrize("content", [b"", b"<html>", b"RIFF", b"\x89PNG"], ids=repr)
    def test_no_sound(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "a.mp3"
        path.write_bytes(content)
        assert self.code(path) == "FG-M005"

    def test_no_file(self, tmp_path: Path) -> None:
        assert self.code(tmp_path / "a.mp3") == "FG-M001"
        assert self.code(tmp_path) == "FG-M001"

    @pytest.mark.parametrize("ending", ["flac", "wav", "mp3"])
    def test_cut_short(self, ending: str, tmp_path: Path) -> None:
        whole = sounds.encode(sounds.wav(np.tile(tone(900, 4), 4), 44_100), ending)
        path = tmp_path / f"a.{ending}"
        path.write_bytes(whole)
        assert load_audio(path, PAPER.audio).any()
        path.write_bytes(whole[: len(whole) // 2])
        assert self.code(path) == "FG-M005"

    @pytest.mark.parametrize("level", [0.0, 1 / 2**15], ids=["nothing", "one step of dither"])
    def test_silence(self, level: float, tmp_path: Path) -> None:
        dither = level * np.random.default_rng(0).integers(-1, 2, 32_000)
        path = write(tmp_path / "a.wav", dither, 32_000)
        assert self.code(path) == "FG-M006"
        path = write(path, dither + 0.001 * sounds.white(1), 32_000)
        assert load_audio(path, PAPER.audio).any()

    def test_one_sample(self, tmp_path: Path) -> None:
        assert self.code(write(tmp_path / "a.wav", np.ones(1), 192_000)) == "FG-M006"

    def test_samples_that_are_no_numbers(self, tmp_path: Path) -> None:
        path = tmp_path / "a.wav"
        soundfile.write(path, np.full(9000, np.nan), RATE, subtype="FLOAT")
        assert self.code(path) == "FG-M005"

    def test_too_long(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audio, "LONGEST_S", 3)
        assert load_audio(write(tmp_path / "a.wav", hiss(3.5)), PAPER.audio).any()
        assert self.code(write(tmp_path / "b.wav", hiss(9))) == "FG-M007"

    def test_a_broken_drawing(self, tmp_path: Path) -> None:
        buffer = BytesIO()
        Image.new("RGB", (700, 700)).save(buffer, "PNG")
        path = tmp_path / "a.png"
        path.write_bytes(buffer.getvalue()[:100])
        assert self.code(path) == "FG-M002"


def test_real_recordings(real_data: Path) -> None:
    paths = sorted((real_data / "audio").rglob("*.mp3")) + sorted(
        (real_data / "audio").rglob("*.wav")
    )
    assert len(paths) == 21
    pictures = []
    for path in paths:
        samples, _ = librosa.load(path)
        found = load_samples(path, RATE)
        assert len(found) == pytest.approx(len(samples), rel=0.01, abs=1200)
        pictures.append(draw(found, PAPER.audio)[0])
        assert 10 < pictures[-1].mean() < 200
        # The same picture as from librosa's own way to the samples: decoder, resampler and all.
        apart = np.abs(draw(samples, PAPER.audio)[0].astype(int) - pictures[-1])
        assert apart.mean() < 6, path
