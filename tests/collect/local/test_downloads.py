"""yt-dlp as a library against a server on loopback: what is kept, asked once, refused, stopped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yt_dlp
from collect.local.drawings import Movie
from collect.local.loopback import Clips, serve
from yt_dlp.extractor.common import InfoExtractor

from fgbench.collect.local import downloads
from fgbench.collect.local.downloads import TERMS, Downloads
from fgbench.collect.local.refusals import Missing
from fgbench.errors import FgbenchError, InputError
from fgbench.settings import Settings

A, B, C, D = "aaaaaaaaaaa", "-bbbbbbbbb_", "cccccccccc0", "ddddddddddd"


@pytest.fixture
def video(movie: Movie) -> bytes:
    return movie("clip.mp4", 30, "-c:v", "libx264").read_bytes()


def downloader(server: Clips, out: Path, *, ask: bool = True, retry: bool = False) -> Downloads:
    settings = Settings(sites={"FGBENCH_SITE_YOUTUBE_URL": server.url})
    return Downloads(out, settings, ask=ask, retry_failed=retry, rest=0)


def test_clips_are_downloaded_once(video: bytes, tmp_path: Path) -> None:
    out = tmp_path / "100% (id)s %(ext)s $out"
    with serve({A: video, B: video}) as server:
        one = downloader(server, out)
        for clip in (A, B):
            path = one.get(clip)
            assert path == out / "store" / "youtube" / f"{clip}.mp4"
            assert path.read_bytes() == video
        asked = list(server.asked)
        assert set(asked) == {A, B}
        assert one.get(A) == downloader(server, out).get(A) == path.with_name(f"{A}.mp4")
        assert server.asked == asked
    names = {f"{clip}{end}" for clip in (A, B) for end in (".mp4", ".info.json")}
    assert {file.name for file in (out / "store" / "youtube").iterdir()} == {*names, "archive.txt"}
    assert (out / "store/youtube/archive.txt").read_text().split() == ["generic", A, "generic", B]


def test_nothing_is_asked_unless_asked_for(video: bytes, tmp_path: Path) -> None:
    with serve({A: video}) as server:
        quiet = downloader(server, tmp_path, ask=False)
        assert quiet.get(A) == Missing(True, "not_downloaded")
        assert server.asked == []
        downloader(server, tmp_path).get(A)
        assert isinstance(quiet.get(A), Path)
    assert "https://www.youtube.com/t/terms" in TERMS


def test_what_yt_dlp_learns_is_kept_without_signed_addresses(
    video: bytes, tmp_path: Path, monkeypatch
) -> None:
    def extract(self, url: str) -> dict:
        info = {"id": A, "title": "A wren", "uploader": "Ann", "ext": "mp4", "duration": 1.2}
        signed = f"{server.url}/{A}?ip=203.0.113.9&sig=secret"
        return {**info, "url": signed, "http_headers": {"Cookie": "secret"}, "license": None}

    _answer_with(monkeypatch, extract)
    with serve({f"{A}?ip=203.0.113.9&sig=secret": video}) as server:
        one = downloader(server, tmp_path)
        assert isinstance(one.get(A), Path)
    info = one.info(A)
    assert (info["title"], info["uploader"], info["duration"]) == ("A wren", "Ann", 1.2)
    assert isinstance(info["epoch"], int)
    assert "license" not in info
    for file in tmp_path.rglob("*.*"):
        assert b"secret" not in file.read_bytes()
        assert b"203.0.113.9" not in file.read_bytes()


def _answer_with(monkeypatch, extract) -> None:
    """Puts an extractor of ours before yt-dlp's own; all the rest of it is as it is."""
    attributes = {"_VALID_URL": r"http://127\.0\.0\.1:\d+/", "_real_extract": extract}
    extractor = type("OursIE", (InfoExtractor,), attributes)

    class Client(yt_dlp.YoutubeDL):
        def __init__(self, params: dict) -> None:
            super().__init__(params, auto_init=False)
            self.add_info_extractor(extractor())
            self.add_default_info_extractors()

    monkeypatch.setattr(yt_dlp, "YoutubeDL", Client)


def _geo(self: InfoExtractor, url: str) -> None:
    self.raise_geo_restricted("The uploader has not made this video available in your country")


def _private(self: InfoExtractor, url: str) -> None:
    self.raise_no_formats("Private video. Sign in if you've been granted access", expected=True)


def _broken(self: InfoExtractor, url: str) -> None:
    raise TypeError("'NoneType' object is not subscriptable")


@pytest.mark.parametrize(
    ("extract", "missing"),
    [
        (_geo, (True, "geo_blocked")),
        (_private, (True, "private")),
        (_broken, (False, "unreadable")),
    ],
)
def test_refusals_come_through_yt_dlp(
    video: bytes, tmp_path: Path, monkeypatch, extract, missing
) -> None:
    _answer_with(monkeypatch, extract)
    with serve({A: video}) as server:
        found = downloader(server, tmp_path).get(A)
        assert isinstance(found, Missing)
        assert (found.absent, found.reason) == missing
        assert found.detail
        monkeypatch.undo()  # now the clip is there again
        again = downloader(server, tmp_path, retry=True).get(A)
        assert again == found if found.absent else isinstance(again, Path)


def test_faults_are_recorded_and_asked_again_only_when_told(video: bytes, tmp_path: Path) -> None:
    contents: dict = {A: 404, B: 503, C: (video[:1000], len(video))}
    with serve(contents) as server:
        one = downloader(server, tmp_path)
        found = {clip: one.get(clip) for clip in (A, B, C)}
        reasons = {clip: missing.reason for clip, missing in found.items()}
        assert reasons == {A: "http_4xx", B: "http_5xx", C: "truncated"}
        assert not any(missing.absent for missing in found.values())
        assert not list(tmp_path.rglob("*.mp4"))
        asked = len(server.asked)
        for ask in (True, False):
            other = downloader(server, tmp_path, ask=ask)
            assert {clip: other.get(clip) for clip in (A, B, C)} == found
        assert len(server.asked) == asked
        contents.update(dict.fromkeys((A, B, C), video))
        last = downloader(server, tmp_path, retry=True)
        for clip in (A, B, C):
            path = last.get(clip)
            assert isinstance(path, Path)
            assert path.read_bytes() == video
    assert {p.suffix for p in tmp_path.rglob("*.*") if p.is_file()} == {".mp4", ".json", ".txt"}


def test_it_stops_when_asked_to(video: bytes, tmp_path: Path) -> None:
    with serve({A: video, B: 429, C: video, D: video}) as server:
        one = downloader(server, tmp_path)
        assert isinstance(one.get(A), Path)
        assert one.get(B).reason == "rate_limited"
        asked = len(server.asked)
        for clip in (C, D):
            assert (one.get(clip).absent, one.get(clip).reason) == (False, "put_off")
        assert len(server.asked) == asked
        assert isinstance(one.get(A), Path)
        next_day = downloader(server, tmp_path)
        assert isinstance(next_day.get(C), Path)
        assert next_day.get(B).reason == "rate_limited"
        assert len(server.asked) > asked


def test_a_run_that_asks_for_nothing_says_what_the_last_one_did(
    video: bytes, tmp_path: Path
) -> None:
    clips = (A, B, C, D)
    with serve({A: video, B: 503, C: 429, D: video}) as server:
        found = {clip: downloader(server, tmp_path).get(clip) for clip in (A, B)}
        (tmp_path / f"store/youtube/{A}.mp4").unlink()
        one = downloader(server, tmp_path, retry=True)
        found = {clip: one.get(clip) for clip in (A, C, D, B)}  # B was not asked for again
        assert {clip: missing.reason for clip, missing in found.items()} == {
            A: "no_file",
            B: "http_5xx",
            C: "rate_limited",
            D: "put_off",
        }
        asked = len(server.asked)
        quiet = downloader(server, tmp_path, ask=False)
        assert {clip: quiet.get(clip) for clip in clips} == found
        assert len(server.asked) == asked
        (tmp_path / "store/youtube/archive.txt").unlink()
        other_day = downloader(server, tmp_path)  # needs no retry for what was not asked for
        assert isinstance(other_day.get(A), Path)
        assert isinstance(other_day.get(D), Path)
        assert {clip: other_day.get(clip) for clip in (B, C)} == {B: found[B], C: found[C]}


@pytest.mark.parametrize("name", ["100%", "%(title)s", "$$", "a$$b %% c", "~", "$", "a "])
def test_the_folder_s_name_is_taken_literally(video: bytes, tmp_path: Path, name: str) -> None:
    with serve({A: video}) as server:
        path = downloader(server, tmp_path / name).get(A)
    assert path == tmp_path / name / "store" / "youtube" / f"{A}.mp4"
    assert path.read_bytes() == video
    assert [folder.name for folder in tmp_path.iterdir()] == [name]


def test_a_clip_beyond_measure_is_left(video: bytes, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(downloads, "_LARGEST", len(video) - 1)
    with serve({A: video, B: b"small" * 10}) as server:
        found = downloader(server, tmp_path).get(A)
        assert (found.absent, found.reason) == (False, "too_large")
    assert not [path for path in tmp_path.rglob("*.mp4*") if path.is_file()]


def test_a_folder_that_cannot_be_written_ends_the_run(
    video: bytes, tmp_path: Path, monkeypatch
) -> None:
    with serve({A: video}) as server:
        one = downloader(server, tmp_path)
        (tmp_path / "store/youtube" / f"{A}.info.json").mkdir(parents=True)
        with pytest.raises(FgbenchError, match="FG-D010"):
            one.get(A)


def test_what_the_archive_has_and_the_disk_has_not_is_said(video: bytes, tmp_path: Path) -> None:
    with serve({A: video}) as server:
        path = downloader(server, tmp_path).get(A)
        path.unlink()
        found = downloader(server, tmp_path).get(A)
        assert (found.absent, found.reason) == (False, "no_file")
        assert "archive.txt" in found.detail


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff", b"[" * 99_999])
def test_damaged_records_do_not_stop_a_build(video: bytes, tmp_path: Path, content: bytes) -> None:
    with serve({A: video}) as server:
        one = downloader(server, tmp_path)
        one.get(A)
        (tmp_path / "store/youtube" / f"{A}.info.json").write_bytes(content)
        (tmp_path / "store/youtube" / f"{B}.outcome.json").write_bytes(content)
        assert one.info(A) == {}
        assert one.get(B).reason == "http_4xx"


def test_the_parameters_are_polite_and_lead_to_youtube_alone(tmp_path: Path) -> None:
    client = Downloads(tmp_path, Settings(), ask=True)._client
    assert client.params["sleep_interval"] == 5
    assert client.params["max_sleep_interval"] == 15
    assert client.params["sleep_interval_requests"] == 1
    assert client.params["proxy"] == ""
    extractors = [ie for ie in client._ies.values() if ie.suitable(f"{downloads.HOST}/{A}")]
    assert [ie.IE_NAME for ie in extractors] == ["youtube"]
    others = ("https://vimeo.com/1", "https://example.org/a.mp4", "http://127.0.0.1/a.mp4")
    assert not any(ie.suitable(url) for ie in client._ies.values() for url in others)


def test_outcomes_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with serve({}) as server:
            downloader(server, tmp_path / name).get(A)
    outcomes = [(tmp_path / n / f"store/youtube/{A}.outcome.json") for n in ("one", "two")]
    assert outcomes[0].read_bytes() == outcomes[1].read_bytes()
    assert json.loads(outcomes[0].read_text())["reason"] == "http_4xx"


def test_a_path_that_yt_dlp_would_change_is_refused(
    video: bytes, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("SOMEWHERE", "/tmp")
    with serve({A: video}) as server, pytest.raises(InputError, match="FG-L012"):
        downloader(server, tmp_path / "$SOMEWHERE").get(A)
    assert list(tmp_path.iterdir()) == []
