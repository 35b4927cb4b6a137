"""Frames of videos by a real ffmpeg: which they are, faults of files, and what is left on disk."""

from __future__ import annotations

import json
import random
import shutil
from fractions import Fraction
from io import BytesIO
from math import floor
from pathlib import Path

import av
import numpy as np
import pytest
from collect.local.drawings import HEIGHT, WIDTH, Movie, draw, ffmpeg, number_of
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fgbench.collect.local import frames
from fgbench.collect.local.frames import Unusable, extract, places, read_clip

H264 = ("-c:v", "libx264", "-bf", "3", "-g", "48")


@given(st.integers(25, 10**6))
def test_places_are_the_middles_of_equal_stretches(count: int) -> None:
    assert places(count) == [floor((i + Fraction(1, 2)) * Fraction(count, 25)) for i in range(25)]
    assert len(set(places(count))) == 25


@given(st.integers(0, 25))
def test_few_frames_are_all_taken_once(count: int) -> None:
    assert places(count) == list(range(count))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", H264),
        ("a.mkv", H264),
        ("a.ts", H264),
        ("a.webm", ("-c:v", "libvpx-vp9", "-b:v", "1M")),
        ("a.avi", ("-c:v", "mpeg4", "-q:v", "2")),
        ("a.mov", ("-c:v", "mjpeg", "-q:v", "2")),
        ("a.flv", ("-c:v", "flv", "-q:v", "2")),
    ],
)
def test_the_right_frames_of_every_container(movie: Movie, name: str, codec: tuple) -> None:
    clip, jpegs = read_clip(movie(name, 203, *codec))
    assert [number_of(jpeg) for jpeg in jpegs] == [floor((i + 0.5) * 203 / 25) for i in range(25)]
    assert (clip.width, clip.height, clip.frames, clip.flags) == (WIDTH, HEIGHT, 25, ())
    assert clip.duration_s == pytest.approx(203 / 25, abs=0.05)


def test_an_ending_that_lies_does_not_matter(movie: Movie, tmp_path: Path) -> None:
    path = shutil.copy(movie("a.webm", 203, "-c:v", "libvpx-vp9"), tmp_path / "b.mp4")
    assert read_clip(Path(path))[0].frames == 25


@pytest.mark.parametrize("count", [1, 2, 24])
def test_fewer_than_25_frames(movie: Movie, count: int) -> None:
    clip, jpegs = read_clip(movie("few.mp4", count, *H264))
    assert [number_of(jpeg) for jpeg in jpegs] == list(range(count))
    assert (clip.frames, clip.flags) == (count, ("few_frames",))


def _first_by_ffmpeg(video: Path) -> Image.Image:
    """The first frame as ffmpeg itself shows it, turns applied."""
    picture = video.with_suffix(".png")
    ffmpeg("-i", str(video), "-frames:v", "1", str(picture))
    return Image.open(picture).convert("L")


def _distance(one: Image.Image, two: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(two, float)).mean())


@pytest.mark.parametrize("flip", [(), ("-display_hflip",), ("-display_vflip",)])
@pytest.mark.parametrize("degrees", ["0", "90", "180", "270"])
def test_frames_are_turned_as_players_turn_them(tmp_path: Path, degrees: str, flip: tuple) -> None:
    (tmp_path / "drawn.jpg").write_bytes(draw(96, 32, 7))  # darker on the left, noise all over
    still, video = tmp_path / "still.mp4", tmp_path / "turned.mp4"
    ffmpeg("-loop", "1", "-i", str(tmp_path / "drawn.jpg"), "-frames:v", "3", *H264, str(still))
    ffmpeg("-display_rotation", degrees, *flip, "-i", str(still), "-c", "copy", str(video))
    clip, jpegs = read_clip(video)
    ours, shown = Image.open(BytesIO(jpegs[0])).convert("L"), _first_by_ffmpeg(video)
    assert (clip.width, clip.height) == ours.size == shown.size
    assert clip.frames == 3
    wrong = [shown.transpose(way) for way in Image.Transpose]
    nearest = min(_distance(ours, other) for other in wrong if other.size == ours.size)
    assert _distance(ours, shown) < nearest / 3


def test_a_turn_by_half_a_quarter_is_left(movie: Movie, tmp_path: Path) -> None:
    video = movie("a.mp4", 203, *H264)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "45", "-i", str(video), "-c", "copy", str(turned))
    assert read_clip(turned) == read_clip(video)


def test_just_25_frames_are_not_few(movie: Movie) -> None:
    assert read_clip(movie("few.mp4", 25, *H264))[0].flags == ()


def _no_packets(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()


def _sound_with_cover(path: Path) -> None:
    cover = path.with_suffix(".jpg")
    cover.write_bytes(draw(64, 64, 1))
    sound = ("-f", "lavfi", "-i", "sine=duration=1", "-i", str(cover))
    cover_art = ("-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic")
    ffmpeg(*sound, *cover_art, str(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b""), "unreadable_video"),
        (lambda path: path.write_bytes(b"<html>not found</html>" * 50), "unreadable_video"),
        (lambda path: path.write_bytes(draw(64, 64, 1)), "unreadable_video"),
        (lambda path: None, "unreadable_video"),
        (_no_packets, "no_frame"),
        (lambda path: ffmpeg("-f", "lavfi", "-i", "sine=duration=1", str(path)), "no_frame"),
        (_sound_with_cover, "no_frame"),
    ],
    ids=["empty", "html", "picture", "missing", "no packets", "sound", "sound with cover"],
)
def test_a_file_without_frames_is_named_and_leaves_nothing(tmp_path: Path, make, reason) -> None:
    path = tmp_path / "video.mp4"
    make(path)
    with pytest.raises(Unusable) as caught:
        extract(path, "0" * 64, tmp_path / "out" / "video")
    assert caught.value.reason == reason
    assert str(tmp_path) not in caught.value.detail
    assert not (tmp_path / "out").exists()


def test_a_video_of_which_nothing_decodes(movie: Movie, tmp_path: Path) -> None:
    content = bytearray(movie("a.mp4", 203, *H264).read_bytes())
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    (path := tmp_path / "zeros.mp4").write_bytes(content)
    with pytest.raises(Unusable, match="203 packets of video, none of which decodes"):
        read_clip(path)


def test_a_playlist_leads_nowhere(movie: Movie, tmp_path: Path) -> None:
    shutil.copy(movie("a.ts", 203, *H264), tmp_path / "part.ts")
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:8,\npart.ts\n#EXT-X-ENDLIST\n")
    with av.open(str(path)) as container:  # FFmpeg itself would follow it
        assert container.format.name == "hls"
    with pytest.raises(Unusable, match="unreadable_video"):
        read_clip(path)


def test_a_video_cut_short_gives_what_it_has(movie: Movie, tmp_path: Path) -> None:
    whole = movie("a.mkv", 203, *H264).read_bytes()
    (path := tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    clip, jpegs = read_clip(path)
    assert clip.flags == ("shorter_than_stated",)
    assert clip.duration_s is not None
    last = round(clip.duration_s * 25)
    assert 50 < last < 180
    assert [number_of(jpeg) for jpeg in jpegs] == [floor((i + 0.5) * last / 25) for i in range(25)]


def test_a_video_with_damaged_packets_is_flagged(movie: Movie, tmp_path: Path) -> None:
    content = bytearray(movie("a.mp4", 203, *H264).read_bytes())
    start, end = content.index(b"mdat") + 1000, len(content) - 6000
    chance = random.Random(1)
    for _ in range(300):
        content[chance.randrange(start, end)] ^= 255
    (path := tmp_path / "damaged.mp4").write_bytes(content)
    clip, jpegs = read_clip(path)
    assert "decode_errors" in clip.flags
    assert len(jpegs) == clip.frames > 0
    assert read_clip(path) == (clip, jpegs)


def test_frames_larger_than_a_memory_are_refused(movie: Movie, monkeypatch) -> None:
    path = movie("few.mp4", 2, *H264)
    monkeypatch.setattr(frames, "MOST_PIXELS", WIDTH * HEIGHT)
    assert read_clip(path)[0].frames == 2
    monkeypatch.setattr(frames, "MOST_PIXELS", WIDTH * HEIGHT - 1)
    with pytest.raises(Unusable, match="too_large"):
        read_clip(path)


def test_videos_without_end_are_refused(movie: Movie, monkeypatch) -> None:
    path = movie("few.mp4", 24, *H264)
    monkeypatch.setattr(frames, "MOST_FRAMES", 24)
    assert read_clip(path)[0].frames == 24
    monkeypatch.setattr(frames, "MOST_FRAMES", 23)
    with pytest.raises(Unusable, match="too_long"):
        read_clip(path)


def _content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_frames_on_disk_are_the_same_every_time(movie: Movie, tmp_path: Path) -> None:
    video = movie("a.mp4", 203, *H264)
    clip = extract(video, "a" * 64, tmp_path / "one")
    assert extract(video, "a" * 64, tmp_path / "two") == clip
    names = [f"{number:02}.jpg" for number in range(1, 26)]
    assert sorted(_content(tmp_path / "one")) == [*names, "clip.json"]
    assert _content(tmp_path / "one") == _content(tmp_path / "two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_whole_folders_are_not_made_again_and_others_are(
    movie: Movie, tmp_path: Path, monkeypatch
) -> None:
    video, folder = movie("a.mp4", 203, *H264), tmp_path / "clip"
    (tmp_path / ".clip.part").mkdir()  # as a build that was killed leaves it
    (tmp_path / ".clip.part" / "77.jpg").write_bytes(b"half")
    clip = extract(video, "a" * 64, folder)
    whole = _content(folder)
    made = []
    monkeypatch.setattr(frames, "read_clip", lambda path: made.append(path) or read_clip(path))
    assert extract(video, "a" * 64, folder) == clip
    assert made == []
    (folder / "07.jpg").unlink()
    assert extract(video, "a" * 64, folder) == clip
    (folder / "clip.json").write_text("[" * 100_000)
    assert extract(video, "a" * 64, folder) == clip
    recorded = json.loads((folder / "clip.json").read_text())
    recorded["made_of"]["av"] = "0.1"
    (folder / "clip.json").write_text(json.dumps(recorded))
    assert extract(video, "a" * 64, folder) == clip
    assert len(made) == 3
    assert _content(folder) == whole
    extract(video, "b" * 64, folder)
    assert len(made) == 4
