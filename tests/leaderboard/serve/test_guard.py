"""What holds for every request and answer: its host, its address, its headers, and no trace."""

from __future__ import annotations

import logging

import pytest
from small_service import ORIGIN, at, call, hosted

from fgbench.leaderboard.serve.guard import HEADERS, Guard

PROMISES = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with hosted(tmp_path_factory.mktemp("guard")) as board:
        site = board.service.settings.data / "sites" / "1"
        site.mkdir(parents=True)
        (site / "index.html").write_text("<h1>Board</h1>")
        (board.service.settings.data / "site").symlink_to("sites/1")
        yield board


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/board.css", 200),
        ("GET", "/nothing.html", 404),
        ("POST", "/", 405),
        ("OPTIONS", "/", 204),
        ("GET", "/team/", 200),
        ("GET", "/admin/", 401),
        ("POST", "/team/session", 415),
        ("GET", "/health", 503),
        ("GET", "/api/v1/submissions", 401),
        ("TRACE", "/api/v1/submissions", 405),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/a%00b", 400),
        ("GET", "/a%0d%0aSet-Cookie:x", 400),
        ("GET", "/a%5cb", 400),
        ("GET", "/" + "a" * 3000, 400),
        ("GET", "/?" + "a" * 3000, 400),
    ],
)
def test_every_answer_has_the_headers(board, method, path, status):
    answer = board.client().request(method, path)
    assert answer.status_code == status, answer.text
    assert {name: answer.headers.get(name) for name in PROMISES} == PROMISES
    assert "strict-transport-security" not in answer.headers
    assert answer.headers["cache-control"] in ("no-store", "no-cache")


def test_only_what_is_public_may_be_kept(board):
    browser = board.browser("gulls")
    assert browser.get("/team/").headers["cache-control"] == "no-store"
    tag = browser.get("/").headers["etag"]
    known = browser.get("/", headers={"If-None-Match": tag})
    assert (known.status_code, known.headers["x-content-type-options"]) == (304, "nosniff")


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"evil.example:8000",
        b"127.0.0.1",
        b"127.0.0.1:80",
        b"127.0.0.1:8000.evil.example",
        b"user@127.0.0.1:8000",
        b"127.0.0.1:8000 ",
        b"",
        None,
        [b"127.0.0.1:8000", b"evil.example"],
        [b"127.0.0.1:8000", b"127.0.0.1:8000"],
    ],
)
def test_another_host_is_not_served(board, host):
    status, headers, body = call(board.app, b"/team/", host)
    assert status == 421
    assert b"FG-H150" in body
    assert b"evil" not in body
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_what_proxies_say_of_the_host_does_not_count(board):
    said = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = board.client(**said).get("/team/")
    assert answer.status_code == 200
    assert "evil" not in answer.text


@pytest.mark.parametrize("target", [b"http://evil.example/", b"*", b"team/", b"//evil.example/"])
def test_a_target_that_is_no_path_of_ours(board, target):
    status, headers, body = call(board.app, target)
    assert status in (400, 404)
    assert b"location" not in headers
    assert b"evil" not in body


def test_the_name_that_is_served_is_the_one_of_the_url(tmp_path):
    def public(settings):
        return at(settings, url="https://Board.example.org")

    with hosted(tmp_path, change=public) as board:
        assert call(board.app, host=b"board.example.org")[0] == 200
        assert call(board.app, host=b"127.0.0.1:8000")[0] == 421
        answer = board.client().get("/team/")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("path", [b"/team/", b"/api/v1/submissions"])
def test_a_failure_of_ours_is_logged_and_not_shown(board, path, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError("the secret of line 42")

    monkeypatch.setattr(type(board.service.callers), "visitor", fail)
    monkeypatch.setattr(type(board.service.callers), "program", fail)
    with caplog.at_level(logging.INFO):
        status, headers, body = call(board.app, path)
    assert status == 500
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert b"FG-H166" in body
    assert b"secret" not in body
    assert b"Traceback" not in body
    assert "the secret of line 42" in caplog.text


def test_a_failure_outside_of_everything_is_answered_too(caplog):
    async def app(scope, receive, send):
        raise ZeroDivisionError("inside")

    status, _, body = call(Guard(app, {"127.0.0.1:8000"}, https=False))
    assert (status, b"FG-H166" in body, b"inside" in body) == (500, True, False)


def test_the_log_has_no_secret_and_no_line_of_the_client_s(board, caplog):
    with caplog.at_level(logging.INFO):
        board.program("gulls").get("/api/v1/submissions?token=fgb_secret")
        board.client(Origin=ORIGIN).post("/team/session", data={"token": "fgb_secret"})
        board.client().get("/a%0aFAKE LINE")
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("fgbench.")]
    assert ours[0].startswith("192.0.2.1 GET /api/v1/submissions 200 ")
    assert len(ours) == 3
    assert not any("fgb_" in line or "\n" in line for line in ours)


def test_the_headers_are_those_that_are_promised():
    assert PROMISES.items() <= HEADERS.items()
