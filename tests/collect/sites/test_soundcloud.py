"""SoundCloud: yt-dlp's own extractors, asking a server on loopback through the crawl session."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from collect.sites.loopback import asking, serving

from fgbench.collect.sites.base import Access, Failure, FetchFailed, Hit, RawAudio, Response
from fgbench.collect.sites.soundcloud import SoundCloud
from fgbench.errors import MissingExtra
from fgbench.species import find

yt_dlp = pytest.importorskip("yt_dlp")

NAME = "Northern Cardinal"
BIRD = find(NAME)
PAGE = "https://soundcloud.com/a-recordist/northern-cardinal"
ID = "0123456789abcdefghijABCDEFGHIJ01"
HOME = b'<script crossorigin src="https://a-v2.sndcdn.com/assets/1-abc.js"></script>'
SCRIPT = f'var a={{client_id:"{ID}",nonce:""}}'.encode()
STREAM = "https://cf-media.sndcdn.com/made-up.128.mp3"
SOUND = b"synthetic sound, not audio" * 1000


@pytest.fixture
def pages(fixture):
    tracks = fixture("soundcloud/tracks.json")
    preview = b'{"url": "https://cf-media.sndcdn.com/preview/0/30/x.mp3"}'
    return {
        "/": HOME,
        "/assets/1-abc.js": SCRIPT,
        "/search/tracks": tracks,
        "/resolve": json.dumps(json.loads(tracks)["collection"][0]).encode(),
        "/tracks/800001/download": (401, b"{}"),
        "/media/800001/preview/progressive": preview,
        "/media/800001/stream/progressive": json.dumps({"url": STREAM}).encode(),
        "/made-up.128.mp3": SOUND,
    }


@pytest.fixture
def offline_yt_dlp(monkeypatch):
    """yt-dlp's own network is a failure of the test."""

    def refuse(*args, **kwargs):
        raise AssertionError("yt-dlp opened a connection of its own")

    monkeypatch.setattr(yt_dlp.YoutubeDL, "_request_director", property(refuse), raising=False)


@pytest.fixture
def crawl(pages, tmp_path, offline_yt_dlp):
    """The site on loopback and a session that asks it."""
    site = SoundCloud(audio=True)
    with serving(pages) as loopback, asking(tmp_path / "out", site, loopback) as session:
        yield site, loopback, session


def read(body: object, *, audio: bool = False) -> list:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = "https://api-v2.soundcloud.com/search/tracks?q=x"
    hit = Hit("soundcloud", BIRD.label, NAME, url, "page 1")
    return list(SoundCloud(audio).read(hit, Response(url, 200, {}, sent, "", "sha256:0")))


def test_a_search_goes_through_the_session_and_is_the_hit(crawl, asked):
    site, loopback, session = crawl
    (hit,) = site.find(*asked(NAME), session)
    assert loopback.paths == ["/", "/assets/1-abc.js", "/search/tracks"]
    address = urlsplit(hit.url)
    assert (address.hostname, address.path) == ("api-v2.soundcloud.com", "/search/tracks")
    assert parse_qs(address.query)["q"] == ["Northern Cardinal bird"]
    agents = {headers["user-agent"] for _, headers in loopback.asked}
    assert all(agent.startswith("fgbench/") for agent in agents)
    raws = [raw for raw in site.read(hit, session.get(hit.url)) if isinstance(raw, RawAudio)]
    assert [raw.source_id for raw in raws] == ["800001", "800002", "800003", "800004"]
    assert len(loopback.paths) == 3


def test_a_second_run_asks_for_nothing(crawl, asked, tmp_path):
    site, loopback, session = crawl
    first = list(site.find(*asked(NAME), session))
    sound = site.fetch(replace(first[0], url=PAGE), session)
    session.__exit__(None, None, None)
    before = list(loopback.asked)
    with asking(tmp_path / "out", site, loopback, offline=True) as again:
        assert list(site.find(*asked(NAME), again)) == first
        assert site.fetch(replace(first[0], url=PAGE), again) == sound
    assert loopback.asked == before


def test_metadata_is_the_default_and_only_free_tracks_have_sound(fixture):
    body = fixture("soundcloud/tracks.json")
    *rows, absent = read(body)
    assert [row.media_url for row in rows] == [""] * 4
    free, reserved, not_offered, part, _ = read(body, audio=True)
    assert free.media_url == free.source_url == PAGE
    assert (free.licence.name, free.licence.redistributable) == ("CC-BY-NC", True)
    assert (free.author, free.duration_s) == ("A. Recordist", 41.5)
    assert free.other_species == ("Blue Jay",)
    assert free.attribution == f"“Northern Cardinal at dawn” by A. Recordist, {PAGE}, CC-BY-NC"
    assert (reserved.licence.name, reserved.media_url) == ("all rights reserved", "")
    assert (not_offered.licence.name, not_offered.media_url) == ("no rights reserved", "")
    assert (part.licence.derivatives, part.media_url) == (False, "")
    assert (part.flags, part.duration_s, part.author) == (("preview",), 200.0, "")
    assert absent.reason == "listed, but not said to be of the bird: 800005"
    assert SoundCloud.access is Access.POINTER


def test_a_track_is_fetched_whole_and_never_its_preview(crawl):
    site, loopback, session = crawl
    hit = Hit("soundcloud", BIRD.label, NAME, PAGE, "800001")
    answer = site.fetch(hit, session)
    assert (answer.body, answer.url, answer.status) == (SOUND, PAGE, 200)
    assert answer.date == "2026-11-01T12:00:00Z"
    assert "/preview/0/30/x.mp3" not in loopback.paths
    assert session.journal.find(STREAM) is not None
    assert site.fetch(replace(hit, url="https://api-v2.soundcloud.com/search/tracks"), session) is (
        None
    )


def in_pieces(pages, listing: bytes) -> None:
    """Has the track sent as a playlist and two pieces."""
    track = json.loads(pages["/resolve"])
    track["media"]["transcodings"] = [
        {
            "url": "https://api-v2.soundcloud.com/media/800001/stream/hls",
            "preset": "mp3_1_0",
            "format": {"protocol": "hls", "mime_type": "audio/mpeg"},
        }
    ]
    address = "https://cf-hls-media.sndcdn.com/playlist.m3u8"
    pages["/resolve"] = json.dumps(track).encode()
    pages["/media/800001/stream/hls"] = json.dumps({"url": address}).encode()
    pages["/playlist.m3u8"] = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n" + listing
    pages["/1.mp3"], pages["/2.mp3"] = b"one", b"two"


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """An ffmpeg that writes down how it is called."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\necho "ffmpeg version 7.0"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


def test_a_stream_in_pieces_is_put_together(crawl, pages):
    site, _, session = crawl
    in_pieces(pages, b"#EXTINF:10,\n/1.mp3\n#EXTINF:9,\n/2.mp3\n#EXT-X-ENDLIST")
    answer = site.fetch(Hit("soundcloud", BIRD.label, NAME, PAGE, "800001"), session)
    assert answer.body == b"onetwo"


def test_a_stream_that_lacks_a_piece_is_a_failure(crawl, pages):
    site, _, session = crawl
    in_pieces(pages, b"#EXTINF:10,\n/1.mp3\n#EXTINF:9,\n/3.mp3\n#EXT-X-ENDLIST")
    with pytest.raises(FetchFailed):
        site.fetch(Hit("soundcloud", BIRD.label, NAME, PAGE, "800001"), session)


def test_ffmpeg_is_never_sent_to_the_network(crawl, pages, ffmpeg):
    site, _, session = crawl
    key = b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="https://cf-media.sndcdn.com/key"\n'
    in_pieces(pages, key + b"#EXTINF:10,\n/1.mp3\n#EXT-X-ENDLIST")
    with pytest.raises(FetchFailed, match="ffmpeg could not be found"):
        site.fetch(Hit("soundcloud", BIRD.label, NAME, PAGE, "800001"), session)
    called = ffmpeg.read_text() if ffmpeg.exists() else ""
    assert "http" not in called


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"/search/tracks": 429}, Failure.RATE_LIMITED, "429"),
        ({"/search/tracks": 403}, Failure.HTTP_4XX, "403"),
        ({"/search/tracks": 500}, Failure.HTTP_5XX, "500"),
        ({"/assets/1-abc.js": b"redesigned"}, Failure.TRUNCATED, "client id"),
        ({"/search/tracks": b"<html>"}, Failure.TRUNCATED, "yt-dlp"),
    ],
)
def test_a_search_that_fails_says_how(crawl, asked, pages, changed, kind, said):
    site, _, session = crawl
    pages |= changed
    with pytest.raises(FetchFailed, match=said) as failure:
        list(site.find(*asked(NAME), session))
    assert failure.value.kind is kind


def test_no_stream_is_fetched_from_other_hosts(crawl, pages):
    site, _, session = crawl
    elsewhere = b'{"url": "http://169.254.169.254/latest/meta-data.mp3"}'
    pages["/media/800001/stream/progressive"] = elsewhere
    with pytest.raises(FetchFailed) as failure:
        site.fetch(Hit("soundcloud", BIRD.label, NAME, PAGE, "800001"), session)
    assert failure.value.kind is Failure.PRIVATE_ADDRESS


def test_robots_txt_rules(pages, tmp_path, asked, offline_yt_dlp):
    pages["/robots.txt"] = b"User-agent: *\nDisallow: /search"
    site = SoundCloud()
    with (
        serving(pages) as loopback,
        asking(tmp_path / "out", site, loopback) as session,
        pytest.raises(FetchFailed) as failure,
    ):
        list(site.find(*asked(NAME), session))
    assert failure.value.kind is Failure.REFUSED_BY_ROBOTS
    assert "/search/tracks" not in loopback.paths


def test_a_name_that_only_music_bears_is_absent(crawl, asked, pages):
    site, _, session = crawl
    remix = json.loads(pages["/search/tracks"])
    remix["collection"] = remix["collection"][-1:]
    pages["/search/tracks"] = json.dumps(remix).encode()
    (absent,) = site.find(*asked(NAME), session)
    assert absent.reason.startswith("Northern Cardinal: none of 1 tracks is said to be of the bird")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"collection": 1}'])
def test_an_answer_of_another_shape_is_a_failure(body):
    with pytest.raises(FetchFailed) as failure:
        read(body)
    assert failure.value.kind is Failure.TRUNCATED


def test_hostile_tracks_do_no_harm(fixture):
    track = json.loads(fixture("soundcloud/tracks.json"))["collection"][0]
    changes = [
        {"permalink_url": "https://evil.example/../../x"},
        {"permalink_url": "http://[x"},
        {"permalink_url": "https://evil.example/a-recordist/northern-cardinal"},
        {"id": "../1"},
        {"user": ["x"], "duration": "1e999", "full_duration": float("inf"), "title": "\ud800"},
        {"license": {"x": 1}},
    ]
    found = read({"collection": [None, *(track | change for change in changes)]}, audio=True)
    raws = [raw for raw in found if isinstance(raw, RawAudio)]
    assert {raw.source_url for raw in raws} == {PAGE}
    assert [raw.media_url for raw in raws] == [PAGE, ""]
    assert raws[1].licence.name == "all rights reserved"


def test_nothing_is_left_in_the_temporary_folder(crawl, tmp_path, monkeypatch, pages):
    site, _, session = crawl
    place = tmp_path / "a $place %(id)s"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    hit = Hit("soundcloud", BIRD.label, NAME, PAGE, "800001")
    assert site.fetch(hit, session).body == SOUND
    pages["/resolve"] = 404
    with pytest.raises(FetchFailed):
        site.fetch(replace(hit, url="https://soundcloud.com/gone/track"), session)
    assert list(place.iterdir()) == []


def test_a_missing_yt_dlp_names_the_extra(crawl, asked, monkeypatch):
    site, _, session = crawl
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(MissingExtra, match=r"fgbench\[build\]"):
        list(site.find(*asked(NAME), session))
