"""Frames of videos: from a build's folder, from the video itself, and where there is none."""

from __future__ import annotations

import shutil
from math import floor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from collect.local.drawings import BITS, HEIGHT, SIDE, WIDTH, ffmpeg, numbered
from PIL import Image

from fgbench.collect.local.frames import extract
from fgbench.errors import FaultyInput
from fgbench.media.preset import PAPER, ImageRule
from fgbench.media.video import frame_files, load_video

WHOLE = ImageRule(resize=WIDTH, crop=WIDTH)


@pytest.fixture(scope="module")
def movies(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Videos whose every frame says which it is, by how many they have."""
    folder = tmp_path_factory.mktemp("movies")
    made = {}
    for frames in (7, 60):
        made[frames] = folder / f"{frames}.mp4"
        raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25")
        coded = ("-pix_fmt", "yuv420p", "-c:v", "libx264")
        data = b"".join(map(numbered, range(frames)))
        ffmpeg(*raw, "-i", "-", *coded, str(made[frames]), data=data)
    return made


def numbers(clip: np.ndarray) -> list[int]:
    """Which frames these are."""
    squares = clip[:, 0, WIDTH // 2, SIDE // 2 :: SIDE] > 127
    assert squares.shape[1] == BITS
    return (squares @ (1 << np.arange(BITS))).tolist()


def test_25_frames_in_the_middles_of_25_stretches(movies: dict[int, Path]) -> None:
    clip = load_video(movies[60], WHOLE)
    assert clip.shape == (25, 3, WIDTH, WIDTH)
    assert clip.dtype == np.uint8
    assert numbers(clip) == [floor((i + 0.5) * 60 / 25) for i in range(25)]


def test_fewer_where_there_are_fewer(movies: dict[int, Path]) -> None:
    assert numbers(load_video(movies[7], WHOLE)) == list(range(7))


def test_a_built_clip_is_read_from_its_folder(movies: dict[int, Path], tmp_path: Path) -> None:
    video = shutil.copy(movies[60], tmp_path / "abc.mp4")
    alone = load_video(video, PAPER.image)
    assert frame_files(video) == ()
    extract(video, "0" * 64, tmp_path / "abc")
    assert [file.name for file in frame_files(video)] == [f"{n:02}.jpg" for n in range(1, 26)]
    assert np.array_equal(load_video(video, PAPER.image), alone)
    assert np.array_equal(load_video(tmp_path / "abc", PAPER.image), alone)
    video.write_bytes(b"")  # the frames are enough
    assert np.array_equal(load_video(video, PAPER.image), alone)


def test_of_a_folder_with_more_25_are_taken_by_their_numbers(tmp_path: Path) -> None:
    for number in range(110):
        squares = np.frombuffer(numbered(number), np.uint8).reshape(HEIGHT, WIDTH)
        Image.fromarray(squares).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    expected = [floor((i + 0.5) * 110 / 25) for i in range(25)]
    assert numbers(load_video(tmp_path, WHOLE)) == expected


def test_frames_are_augmented_each_by_itself(movies: dict[int, Path]) -> None:
    rule = ImageRule(resize=40, crop=20, augment=True)
    once, again = (load_video(movies[7], rule, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, load_video(movies[7], rule))


class TestFaults:
    def code(self, path: Path) -> str:
        with pytest.raises(FaultyInput) as caught:
            load_video(path, WHOLE)
        (fault,) = caught.value.faults
        assert str(path.with_suffix("")) in fault.where
        return fault.code

    def test_no_file(self, tmp_path: Path) -> None:
        assert self.code(tmp_path / "a.mp4") == "FG-M001"

    def test_a_folder_without_a_frame(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        assert self.code(tmp_path / "a.mp4") == "FG-M008"

    @pytest.mark.parametrize("content", [b"", b"<html>no video</html>"])
    def test_no_video(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        assert self.code(path) == "FG-M008"

    def test_sound_alone(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.zeros(9000), 8000)
        ffmpeg("-i", str(tmp_path / "a.wav"), str(tmp_path / "a.mp4"))
        assert self.code(tmp_path / "a.mp4") == "FG-M008"

    def test_a_broken_frame_is_named(self, movies: dict[int, Path], tmp_path: Path) -> None:
        extract(movies[7], "0" * 64, tmp_path / "a")
        (tmp_path / "a" / "03.jpg").write_bytes(b"\xff\xd8")
        with pytest.raises(FaultyInput, match=r"03\.jpg") as caught:
            load_video(tmp_path / "a.mp4", WHOLE)
        assert caught.value.faults[0].code == "FG-M002"
