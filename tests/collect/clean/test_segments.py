"""Where recordings are cut, against a search of every place; and the files of pieces."""

from __future__ import annotations

import io
import tempfile
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile
import sounds

from fgbench.collect.clean.segments import EncoderEndedError, Piece, Pieces, cut, write_flac
from fgbench.errors import FgbenchError
from fgbench.media.decode import RATE


def noise(duration_s: float, seed: int) -> np.ndarray:
    """Noise whose level wanders."""
    rng = np.random.default_rng(seed)
    size = round(duration_s * RATE)
    level = np.interp(
        np.arange(size),
        np.arange(0, size + RATE, RATE),
        rng.uniform(50, 3000, size // RATE + 1 + (size % RATE > 0)),
    )
    return (rng.standard_normal(size) * level).clip(-32768, 32767).astype(np.int16)


def in_blocks(samples: np.ndarray, size: int) -> list[np.ndarray]:
    return [samples[at : at + size] for at in range(0, len(samples), size)]


def lengths(pieces: list[Piece]) -> list[float]:
    return [round(piece.end_s - piece.start_s, 3) for piece in pieces]


def power(samples: np.ndarray, middle: int) -> float:
    part = samples[middle - RATE // 4 : middle + RATE // 4].astype(np.float64)
    return float(np.mean(part**2))


@pytest.mark.parametrize("seed", range(6))
def test_every_cut_is_at_the_quietest_place_in_reach(seed: int) -> None:
    samples = noise(61 + 37 * seed, seed)
    pieces = list(cut(in_blocks(samples, 100_000)))
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), samples)
    for before, piece in pairwise(pieces):
        assert before.end_s == piece.start_s
        end = len(samples) / RATE
        last = min(before.start_s + 60, end - 10)
        assert before.start_s + 10 <= piece.start_s <= last
        middles = range((before.start + 10 * RATE), round(last * RATE), RATE // 100)
        least = min(power(samples, middle) for middle in middles)
        assert power(samples, piece.start) <= 1.02 * least  # levels are of 20 ms
    assert all(10 <= length <= 60 for length in lengths(pieces))


def test_a_pause_is_found() -> None:
    samples = noise(90, 1)
    samples[40 * RATE : 41 * RATE] = 0
    first, second = cut([samples])
    assert 40.25 <= first.end_s <= 40.76
    assert second.start_s == first.end_s


def test_of_equal_places_the_first() -> None:
    pieces = list(cut([np.zeros(100 * RATE, np.int16)]))
    assert lengths(pieces)[0] == pytest.approx(10, abs=0.02)
    assert lengths(pieces)[-1] <= 60


def test_blocks_make_no_difference() -> None:
    samples = noise(200, 7)
    starts = [
        [piece.start for piece in cut(in_blocks(samples, size))]
        for size in (len(samples), 262_144, 99_991)
    ]
    assert starts[0] == starts[1] == starts[2]
    assert len(starts[0]) > 3


@pytest.mark.parametrize("duration_s", [0.5, 1, 9.9, 30, 60])
def test_what_is_not_long_stays_whole(duration_s: float) -> None:
    (piece,) = cut([np.ones(round(duration_s * RATE), np.int16)])
    assert (piece.start_s, piece.end_s) == (0, duration_s)


def test_the_paper_cuts_above_2000_s_only() -> None:
    second = np.ones(RATE, np.int16)
    (whole,) = cut([second] * 2000, Pieces.PAPER)
    assert whole.end_s == 2000
    assert [p.end_s > 1000 for p in cut([second] * 2001, Pieces.PAPER)] == [True, True]


def test_nothing_gives_nothing() -> None:
    assert list(cut([])) == []
    assert list(cut([np.zeros(0, np.int16)])) == []


class TestFlac:
    samples = sounds.in_16_bits(0.5 * np.sin(2 * np.pi * 2000 * sounds.seconds(3)))

    def test_is_the_piece_faded(self) -> None:
        content = write_flac(self.samples)
        found, rate = soundfile.read(io.BytesIO(content), dtype="int16")
        assert (rate, len(found)) == (RATE, len(self.samples))
        assert soundfile.info(io.BytesIO(content)).subtype == "PCM_16"
        fade = round(0.02 * RATE)
        assert np.array_equal(found[fade:-fade], self.samples[fade:-fade])
        for edge in (found[:fade], found[::-1][:fade]):
            level = np.abs(edge.astype(int)).reshape(4, -1).max(axis=1)
            assert level[0] < 0.35 * level[3]
            assert sorted(level) == list(level)

    @pytest.mark.parametrize("size", [32_000, 32_001, 32_010, 32_031])
    def test_has_every_sample(self, size: int) -> None:
        """Whatever part of a millisecond is over."""
        content = write_flac(self.samples[:size])
        found, _ = soundfile.read(io.BytesIO(content), dtype="int16")
        assert len(found) == size
        assert np.array_equal(found[640:-640], self.samples[:size][640:-640])

    def test_twice_the_same_bytes(self) -> None:
        assert write_flac(self.samples) == write_flac(self.samples)


class TestEncoder:
    @pytest.fixture
    def instead(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        def put(script: str) -> None:
            program = tmp_path / "ffmpeg"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
            monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))

        return put

    @pytest.mark.parametrize(
        "script",
        ["kill -9 $$", "exit 1", '{ffmpeg} "$@"; for last; do :; done; echo x >$last; kill -9 $$'],
        ids=["killed", "failed", "killed half-way"],
    )
    def test_that_dies_is_said_and_leaves_nothing(
        self, instead, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        instead(script.format(ffmpeg=imageio_ffmpeg.get_ffmpeg_exe()))
        with pytest.raises(EncoderEndedError, match="ended with code"):
            write_flac(TestFlac.samples)
        assert list(temporary.iterdir()) == []

    def test_that_is_not_there_is_said(self, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
        with pytest.raises(FgbenchError, match="FG-C050"):
            write_flac(TestFlac.samples)
