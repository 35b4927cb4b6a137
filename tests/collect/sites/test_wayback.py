"""The Archive's index, its copies, and what it says where there are none."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from fgbench.collect.crawl.address import WAYBACK, Addresses
from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.verdict import judge
from fgbench.collect.sites import wayback
from fgbench.collect.sites.base import Failure, FetchFailed, Response
from fgbench.collect.sites.wayback import Capture, NotArchived, Scope
from fgbench.settings import Settings

HEADER = ["urlkey", "timestamp", "original", "digest"]
FORBIDDEN = FetchFailed(Failure.HTTP_4XX, "https://x", "the host answered 403 Forbidden")
DIGEST = "Q4YULN754FHV2U6Q5JUT6Q2P57WEWNNY"


def sha1(body: bytes) -> str:
    return base64.b32encode(hashlib.sha1(body).digest()).decode("ascii")


class Index:
    """A session whose index gives these answers one after another."""

    def __init__(self, *answers: bytes | list | FetchFailed, as_of: str | None = None) -> None:
        self.answers, self.as_of, self.asked = list(answers), as_of, []

    def get(self, url: str) -> Response:
        self.asked.append(url)
        answer = self.answers.pop(0)
        if isinstance(answer, FetchFailed):
            raise answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Response(url, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")

    def canonical(self, url: str) -> str:
        return url.replace(":80/", "/")

    def has_key(self, name: str) -> bool:
        return False


def row(timestamp: str, original: str = "http://a.example/x", digest: str = DIGEST) -> list[str]:
    return [f"example,a)/{original.partition('example/')[2]}", timestamp, original, digest]


@pytest.mark.parametrize(
    ("as_of", "nearest"),
    [
        (None, "20181230000000"),
        ("2016-01-01", "20150601000000"),
        ("2020-12-31", "20210101000000"),
        ("2018-07-01", "20180630120000"),  # of two as near, the earlier
    ],
)
def test_the_capture_nearest_to_the_date_is_taken(as_of, nearest):
    times = ("20210101000000", "20150601000000", "20181230000000")
    times += ("20180701120000", "20180630120000")
    index = Index([HEADER, *map(row, times)], as_of=as_of)
    (capture,) = wayback.captures(index, "a.example/x")
    assert capture.timestamp == nearest
    assert capture.url == f"https://web.archive.org/web/{nearest}id_/http://a.example/x"


def test_each_page_under_an_address_has_its_own_capture():
    pages = ("http://a.example/b", "http://www.a.example:80/a", "https://a.example/b")
    index = Index([HEADER, *(row("20190101000000", page) for page in pages)])
    found = wayback.captures(index, "a.example", Scope.DOMAIN, key=".*b.*", years=(2014, 2024))
    assert [c.original for c in found] == ["http://www.a.example:80/a", "http://a.example/b"]
    hit = wayback.hit_of("psu", 3, "Mallard", found[0], index)
    assert hit.facts["original"] == "http://www.a.example/a"
    asked = parse_qs(urlsplit(index.asked[0]).query)
    assert asked["matchType"] == ["domain"]
    assert asked["filter"] == ["statuscode:200", "mimetype:text/html", "urlkey:.*b.*"]
    assert (asked["from"], asked["to"]) == (["2014"], ["2024"])


def test_a_cut_answer_is_continued_by_its_key_as_it_stands():
    first = [HEADER, row("20100101000000"), [], ["example%2Ca%29%2F+20100101000000%21"]]
    index = Index(first, [HEADER, row("20181231000000")])
    (capture,) = wayback.captures(index, "a.example/x")
    assert capture.timestamp == "20181231000000"
    again = f"{index.asked[0]}&resumeKey=example%2Ca%29%2F+20100101000000%21"
    assert index.asked[1] == again


def test_an_index_without_end_is_too_large():
    answer = [HEADER, row("20100101000000"), [], ["more"]]
    index = Index(*[answer] * 1000)
    with pytest.raises(FetchFailed, match="too many to list") as failure:
        wayback.captures(index, "a.example/x")
    assert failure.value.kind is Failure.TOO_LARGE
    assert len(index.asked) < 100


@pytest.mark.parametrize("answer", [b"", b"\n", b"[]", [HEADER], [HEADER, row("20180231000000")]])
def test_a_page_without_a_capture_was_never_archived(answer):
    with pytest.raises(NotArchived, match="no copy"):
        wayback.captures(Index(answer), "a.example/x")


def test_a_blocked_site_is_not_archived_for_us():
    with pytest.raises(NotArchived, match="shows no copies: the host answered 403"):
        wayback.captures(Index(FORBIDDEN), "a.example/x")


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Failure.HTTP_5XX, "504 Gateway Timeout"), (Failure.HTTP_4XX, "400 Bad Request")],
)
def test_a_failing_index_is_a_failure(kind, said):
    index = Index(FetchFailed(kind, "https://x", f"the host answered {said}"))
    with pytest.raises(FetchFailed, match=said):
        wayback.captures(index, "a.example/x")


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>busy</html>",
        b"{}",
        b"[1, 2]",
        b"[" * 200_000,
        b'"rows"',
    ],
)
def test_an_index_that_answers_with_something_else_fails(answer):
    with pytest.raises(FetchFailed) as failure:
        wayback.captures(Index(answer), "a.example/x")
    assert failure.value.kind is Failure.TRUNCATED


@pytest.mark.parametrize(
    "hostile",
    [
        ["example,a)/x", "20190101000000", "http://a.example/x"],
        ["example,a)/x", "20190101000000", 7, DIGEST],
        ["example,a)/x", "2019/../../etc", "http://a.example/x", DIGEST],
        ["example,a)/x", "20190101000000", "http://a.example/x", "../.."],
        ["example,a)/x", "20190101000000", "javascript:alert(1)", DIGEST],
        ["example,a)/x", "20190101000000", "http://evil.test/x", DIGEST],
        ["example,a)/x", "20190101000000", "http://nota.example/x", DIGEST],
        ["example,a)/x", "20190101000000", "http://[::1/x", DIGEST],
        ["example,a)/x", "20190101000000", "http://a.example/x\r\nHost: evil.test", DIGEST],
        ["example,a)/x", "20190101000000", "http://u:p@a.example/x", DIGEST],
        [None, None, None, None],
    ],
)
def test_rows_that_are_no_captures_of_the_site_are_passed_over(hostile):
    index = Index([HEADER, hostile, row("20100101000000")])
    (capture,) = wayback.captures(index, "a.example/x")
    assert capture.timestamp == "20100101000000"


def answer(body: bytes, **headers: str) -> Response:
    return Response("https://web.archive.org/web/x", 200, headers, body, "", "sha256:0")


def test_a_copy_is_checked_against_the_index():
    capture = Capture("k", "20190101000000", "http://a.example/x", sha1(b"page"))
    hit = wayback.hit_of("psu", 3, "Mallard", capture, Index())
    assert (hit.site, hit.label, hit.query, hit.url) == ("psu", 3, "Mallard", capture.url)
    wayback.check(hit, answer(b"page"))
    with pytest.raises(FetchFailed, match="the index says") as failure:
        wayback.check(hit, answer(b"page, cut"))
    assert failure.value.kind is Failure.TRUNCATED


def test_a_copy_that_was_stored_packed_cannot_be_checked():
    capture = Capture("k", "20190101000000", "http://a.example/x", sha1(b"packed"))
    hit = wayback.hit_of("psu", 3, "Mallard", capture, Index())
    wayback.check(hit, answer(b"page", **{"x-archive-orig-content-encoding": "gzip"}))


def real_rows(real_data: Path) -> list:
    body = (real_data / "site_samples" / "wayback" / "cdx_output_json.json").read_bytes()
    return json.loads(body)


def test_a_real_answer_with_its_resume_key(real_data):
    table = real_rows(real_data)
    chosen = [table[0].index(name) for name in HEADER]
    first = [[r[i] for i in chosen] if len(r) > 1 else r for r in table]
    index = Index(first, b"[]", as_of="1997-11-01")
    (capture,) = wayback.captures(index, "archive.org")
    assert (capture.key, capture.timestamp) == ("org,archive)/", "19971011050034")
    assert capture.original == "http://www.archive.org:80/"
    assert index.asked[1].endswith("&resumeKey=org%2Carchive%29%2F+19980109140106%21")


def test_the_real_answer_for_a_blocked_site_means_that_it_is_not_archived_for_us(real_data):
    name = "test_search_raises_for_blocked_urls.cassette.yaml"
    tape = yaml.safe_load((real_data / "site_samples" / "wayback" / name).read_text())
    real = tape["interactions"][0]["response"]
    headers = tuple((n, v) for n, values in real["headers"].items() for v in values)
    assert "AdministrativeAccessControlException" in str(headers)
    status = real["status"]
    got = Answer(status["code"], status["message"], headers, real["body"]["string"], ())
    verdict = judge(
        "https://web.archive.org/cdx/search/cdx?x", got, Addresses((WAYBACK,), Settings())
    )
    assert verdict.failure is Failure.HTTP_4XX
    index = Index(FetchFailed(verdict.failure, "https://web.archive.org/", verdict.detail))
    with pytest.raises(NotArchived, match="shows no copies: the host answered 403 Forbidden"):
        wayback.captures(index, "nationalpost.com/health")
