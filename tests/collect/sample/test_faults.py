"""Each fault does to a request what it says."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from urllib.parse import urlsplit

import pytest

from fgbench.collect.sample import FaultKind, SampleWorld, SiteFault, sample_world
from fgbench.media.decode import SHORTER_THAN_STATED, Flaw, Recording, UndecodableError

PAGE = "/field-guide/bird/common-tern"
SOUND = "/990144002/download"
"""A recording of the miniature xeno-canto, an mp3 of 14 seconds."""
PARSE = "/w/api.php?action=parse&page=Common_tern&format=json&formatversion=2"


def _open(world: SampleWorld, site: str, target: str, timeout: float = 20) -> HTTPResponse:
    connection = HTTPConnection(urlsplit(world.urls[site]).netloc, timeout=timeout)
    connection.request("GET", target)
    return connection.getresponse()


def _meet(ask: Callable, kind: FaultKind, site: str = "audubon", target: str = PAGE, **more):
    with sample_world([SiteFault(kind, site, **more)]) as world:
        return ask(world, site, target)


def test_too_many_with_seconds(ask: Callable):
    got = _meet(ask, FaultKind.TOO_MANY, seconds=1.2)
    assert (got.status, got.headers["retry-after"]) == (429, "2")


def test_too_many_with_a_date(ask: Callable):
    before = time.time()
    got = _meet(ask, FaultKind.TOO_MANY_DATE, seconds=30)
    assert got.status == 429
    asked_for = parsedate_to_datetime(got.headers["retry-after"]).timestamp()
    assert before + 30 <= asked_for <= time.time() + 31


def test_too_many_without_a_word_on_when(ask: Callable):
    got = _meet(ask, FaultKind.TOO_MANY_BARE)
    assert got.status == 429
    assert "retry-after" not in got.headers


@pytest.mark.parametrize(
    ("kind", "status"), [(FaultKind.SERVER_ERROR, 500), (FaultKind.UNAVAILABLE, 503)]
)
def test_errors_strike_as_often_as_they_are_told_to(ask: Callable, kind: FaultKind, status: int):
    fault = SiteFault(kind, "audubon", "/field-guide/*tern", times=2)
    with sample_world([fault]) as world:
        assert ask(world, "audubon", "/robots.txt").status == 200
        assert ask(world, "audubon", "/field-guide/bird/laysan-albatross").status == 200
        assert [ask(world, "audubon", PAGE).status for _ in range(3)] == [status, status, 200]
        assert ask(world, "nhpbs", "/wild/commontern.asp").status == 200


def test_a_storm_does_not_end_and_the_first_fault_that_fits_goes_first(ask: Callable):
    faults = [
        SiteFault(FaultKind.SERVER_ERROR, "audubon", times=1),
        SiteFault(FaultKind.TOO_MANY, "audubon", seconds=0),
    ]
    with sample_world(faults) as world:
        statuses = [ask(world, "audubon", PAGE).status for _ in range(20)]
    assert statuses == [500] + [429] * 19


def test_silence():
    with sample_world([SiteFault(FaultKind.SILENT, "audubon")]) as world:
        with pytest.raises(TimeoutError):
            _open(world, "audubon", PAGE, timeout=0.3)
        assert [(a.status, a.fault) for a in world.asked] == [(0, "silent")]


def test_a_slow_body_gives_its_first_byte_and_then_keeps_one_waiting():
    with sample_world([SiteFault(FaultKind.SLOW, "audubon", seconds=5)]) as world:
        answer = _open(world, "audubon", PAGE, timeout=0.5)
        assert answer.read(1) == b"<"
        with pytest.raises(TimeoutError):
            answer.read(1)


def test_a_slow_body_is_the_same_in_the_end(ask: Callable, get: Callable):
    got = _meet(ask, FaultKind.SLOW, target="/robots.txt", seconds=0)
    assert got.body == get("audubon", "/robots.txt").body


def test_a_truncated_body_announces_the_whole(get: Callable):
    with sample_world([SiteFault(FaultKind.TRUNCATED, "audubon")]) as world:
        answer = _open(world, "audubon", PAGE)
        with pytest.raises(IncompleteRead) as cut:
            answer.read()
    whole = get("audubon", PAGE).body
    assert int(answer.headers["content-length"]) == len(whole)
    assert cut.value.partial == whole[: len(whole) // 2]


@pytest.mark.parametrize(("site", "target"), [("audubon", PAGE), ("wikipedia", PARSE)])
def test_a_wrong_charset_is_not_the_one_that_is_declared(ask: Callable, site: str, target: str):
    got = _meet(ask, FaultKind.WRONG_CHARSET, site, target)
    assert got.headers["content-type"].endswith("charset=utf-8")
    with pytest.raises(UnicodeDecodeError):
        got.body.decode("utf-8")
    assert "–" in got.body.decode("windows-1252") or "—" in got.body.decode("windows-1252")


def test_a_move_on_the_host_has_the_page(ask: Callable, get: Callable):
    with sample_world([SiteFault(FaultKind.MOVED, "audubon")]) as world:
        moved = ask(world, "audubon", PAGE)
        assert (moved.status, moved.headers["location"]) == (302, f"/moved{PAGE}")
        assert ask(world, "audubon", f"/moved{PAGE}").body == get("audubon", PAGE).body


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        (FaultKind.AWAY, f"http://elsewhere.example{PAGE}"),
        (FaultKind.PRIVATE, f"http://10.11.12.13{PAGE}"),
        (FaultKind.LOOP, PAGE),
    ],
)
def test_other_redirects(ask: Callable, kind: FaultKind, location: str):
    got = _meet(ask, kind)
    assert (got.status, got.headers["location"]) == (302, location)


def test_a_ban_by_robots_txt(ask: Callable):
    got = _meet(ask, FaultKind.BANNED, target="/robots.txt", path="/robots.txt")
    assert got.status == 200
    assert got.body == b"User-agent: *\nDisallow: /\n"


@pytest.mark.parametrize(
    ("kind", "stated"), [(FaultKind.HUGE, str(2 * 2**30)), (FaultKind.HUGE_UNSTATED, None)]
)
def test_a_huge_body_comes_as_it_is_read(kind: FaultKind, stated: str | None):
    with sample_world([SiteFault(kind, "audubon")]) as world:
        answer = _open(world, "audubon", PAGE)
        assert answer.headers["content-length"] == stated
        assert len(answer.read(5 * 2**20)) == 5 * 2**20
        answer.close()


def test_a_bomb_is_small_and_unpacks_to_a_gibibyte(ask: Callable):
    got = _meet(ask, FaultKind.BOMB)
    assert got.headers["content-encoding"] == "gzip"
    assert len(got.body) < 2 * 2**20
    stream, packed, size = zlib.decompressobj(zlib.MAX_WBITS | 16), got.body, 0
    while not stream.eof:
        piece = stream.decompress(packed, 2**24)
        packed, size = stream.unconsumed_tail, size + len(piece)
    assert size == 2**30


def test_hostile_pages_have_scripts_and_nest_deep(ask: Callable):
    page = _meet(ask, FaultKind.HOSTILE).body.decode()
    assert "<script>document.location=" in page
    assert "<div>" * 10_000 in page
    text = json.loads(_meet(ask, FaultKind.HOSTILE, "wikipedia", PARSE).body)["parse"]["text"]
    assert "<div>" * 10_000 in text
    assert "Sterna hirundo" in text


def test_titles_and_file_names_that_climb_out(ask: Callable):
    got = _meet(ask, FaultKind.TRAVERSAL)
    assert '<h1 class="common-name">../../../../tmp/Common Tern' in got.body.decode()
    assert "../" in got.headers["content-disposition"]
    parse = json.loads(_meet(ask, FaultKind.TRAVERSAL, "wikipedia", PARSE).body)["parse"]
    assert parse["title"] == "../../../../tmp/Common tern"


def test_a_listed_sound_that_is_gone(ask: Callable):
    assert _meet(ask, FaultKind.GONE, "xeno-canto", SOUND).status == 404


@pytest.mark.parametrize(
    ("kind", "kept"), [(FaultKind.EMPTY, b""), (FaultKind.NOT_AUDIO, b"<!DOCTYPE html>")]
)
def test_what_is_no_sound_at_all(ask: Callable, kind: FaultKind, kept: bytes):
    got = _meet(ask, kind, "xeno-canto", SOUND)
    assert (got.status, got.headers["content-length"]) == (200, str(len(got.body)))
    assert got.body[:15] == kept
    with pytest.raises(UndecodableError) as error:
        Recording(got.body)
    assert error.value.flaw is Flaw.NOT_AUDIO


def test_a_file_that_broke_off_says_that_it_is_whole(ask: Callable, get: Callable):
    whole = get("xeno-canto", SOUND).body
    got = _meet(ask, FaultKind.CUT_SHORT, "xeno-canto", SOUND)
    assert got.body == whole[: len(whole) // 2]
    assert got.headers["content-length"] == str(len(got.body))
    recording = Recording(got.body)
    read = sum(map(len, recording)) / 32_000
    assert SHORTER_THAN_STATED in recording.flags
    assert 4 < read < 10


def test_an_mp3_under_the_name_of_another_kind_of_file(ask: Callable, get: Callable):
    got = _meet(ask, FaultKind.MISNAMED, "xeno-canto", SOUND)
    assert got.body == get("xeno-canto", SOUND).body
    assert got.headers["content-type"] == "audio/wav"
    assert got.headers["content-disposition"].endswith('.wav"')
    assert Recording(got.body).ending == "mp3"


def test_a_header_that_claims_ten_hours(ask: Callable):
    got = _meet(ask, FaultKind.TEN_HOURS, "xeno-canto", SOUND)
    claimed = int.from_bytes(got.body[40:44], "little") / (22_050 * 2)
    assert claimed == 36_000
    recording = Recording(got.body)
    assert sum(map(len, recording)) / 32_000 < 20
    assert SHORTER_THAN_STATED in recording.flags


def test_too_many_requests_for_sounds(ask: Callable):
    fault = SiteFault(FaultKind.TOO_MANY, "xeno-canto", "/*/download", times=1)
    with sample_world([fault]) as world:
        statuses = [ask(world, "xeno-canto", SOUND).status for _ in range(2)]
    assert statuses == [429, 200]


def test_a_redirect_does_not_repeat_a_key(ask: Callable):
    target = "/api/3/recordings?query=x&key=sample-key"
    got = _meet(ask, FaultKind.MOVED, "xeno-canto", target)
    assert got.headers["location"] == "/moved/api/3/recordings?query=x"
