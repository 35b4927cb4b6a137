from __future__ import annotations

import pickle

import pytest

from fgbench.collect.sites.base import Auth, Failure, FetchFailed, Response

TEXT = "“Möwe” – 3½"


def response(body: bytes, content_type: str = "") -> Response:
    headers = {"content-type": content_type} if content_type else {}
    return Response("https://a.example/", 200, headers, body, "2026-11-01T12:00:00Z", "sha256:0")


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        ("utf-8", ""),
        ("utf-8", "text/html; charset=UTF-8"),
        ("utf-8", "text/html; charset=iso-8859-1"),  # a server's default, and false
        ("utf-8", "text/html; charset=no-such-charset"),
        ("utf-8-sig", "text/html"),
        ("windows-1252", "text/html; charset=windows-1252"),
        ("windows-1252", 'text/html; charset="ISO-8859-1"'),
        ("utf-16", "text/html; charset=utf-16"),
        ("utf-16-le", "text/html; charset=utf-16le"),
        ("gb18030", "text/html; charset=gb18030"),
    ],
)
def test_text_is_utf_8_or_what_was_declared(encoding, content_type):
    assert response(TEXT.encode(encoding), content_type).text() == TEXT


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "text/html; charset=utf-8",
        "text/html; charset=zlib",
        "text/html; charset=x\0y",
        "text/html; charset*=a'b'%ff",
    ],
)
def test_what_fits_neither_is_not_guessed(content_type):
    with pytest.raises(FetchFailed) as caught:
        response("Möwe".encode("windows-1252"), content_type).text()
    assert caught.value.kind is Failure.BAD_ENCODING


def test_a_failure_goes_between_processes():
    failure = pickle.loads(pickle.dumps(FetchFailed(Failure.NOAI, "https://a/", "why")))
    assert (failure.kind, failure.url, failure.detail) == (Failure.NOAI, "https://a/", "why")
    assert str(failure) == "noai: why (https://a/)"


def test_refusals_are_rules_and_the_rest_is_trouble():
    assert Failure.REFUSED_BY_ROBOTS.refusal
    assert Failure.NOAI.refusal
    assert not Failure.ROBOTS_UNAVAILABLE.refusal
    assert not Failure.TIMEOUT.refusal


def test_a_key_covers_its_prefix():
    auth = Auth("FGBENCH_A_KEY", "https://a.example/api/", parameter="key")
    assert auth.covers("https://a.example/api/3")
    assert not auth.covers("https://a.example/")
