"""The static board: its files and nothing beside them, whichever way they are asked for."""

from __future__ import annotations

import pytest
from small_service import call, hosted

PAGE = "<h1>First</h1>"


@pytest.fixture
def board(tmp_path):
    with hosted(tmp_path) as board:
        yield board


@pytest.fixture
def site(board):
    data = board.service.settings.data
    for number, text in (("1", PAGE), ("2", "<h1>Second</h1>")):
        site = data / "sites" / number
        (site / "tasks").mkdir(parents=True)
        (site / "index.html").write_text(text)
        (site / "tasks" / "index.html").write_text("<h1>Tasks</h1>")
        (site / "feed.xml").write_text("<feed/>")
        (site / ".hidden.html").write_text("hidden")
        (site / "notes.txt").write_text("no file of a board")
        (site / "out.html").symlink_to(data / "lock")
        (site / "within.html").symlink_to("index.html")
        (site / "elsewhere").symlink_to(data)
    (data / "secret.html").write_text("secret")
    (data / "site").symlink_to("sites/1")
    return data / "site"


def test_the_files_with_their_types(board, site):
    client = board.client()
    assert client.get("/").text == PAGE
    assert client.get("/index.html").headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/feed.xml").headers["content-type"].startswith("application/atom+xml")
    assert client.get("/tasks/").text == "<h1>Tasks</h1>"
    assert client.get("/tasks").headers["location"] == "/tasks/"
    head = client.head("/")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(PAGE)))


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.html",
        "/%2e%2e/secret.html",
        "/..%2f..%2fsecret.html",
        "/tasks/%2e%2e/%2e%2e/%2e%2e/secret.html",
        "/./index.html",
        "/tasks//index.html",
        "//index.html",
        "/.hidden.html",
        "/notes.txt",
        "/out.html",
        "/within.html",
        "/elsewhere/secret.html",
        "/static/",
        "/static/../../templates/base.html",
        "/sites/1/index.html",
        "/board.sqlite",
        "/index.html/",
        "/" + "a" * 300 + ".html",
        "/" + "a/" * 900,
    ],
)
def test_nothing_else(board, site, path):
    status, headers, body = call(board.app, path.encode())
    assert status == 404, body
    assert b"location" not in headers
    assert b"secret" not in body
    assert b"First" not in body


def test_a_tag_holds_until_another_site_is_there(board, site):
    client = board.client()
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"If-None-Match": tag}).status_code == 304
    site.unlink()
    site.symlink_to("sites/2")
    after = client.get("/", headers={"If-None-Match": tag})
    assert (after.status_code, after.text) == (200, "<h1>Second</h1>")
    assert client.get("/feed.xml").status_code == 200


def test_before_the_first_site_is_there_the_pages_have_their_style(board):
    client = board.client()
    answer = client.get("/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "FG-H165" in answer.text
    assert client.get("/static/serve.css").status_code == 200
    assert client.get("/static/board.css").status_code == 200
