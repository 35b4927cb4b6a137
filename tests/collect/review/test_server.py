"""The server over real sockets: who is answered, with what, and who is not."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import pytest
from doubtful_build import decided, write_doubts

from fgbench.collect.review.decisions import Decisions
from fgbench.collect.review.doubts import read_doubts
from fgbench.collect.review.server import Server
from fgbench.errors import InputError


@contextmanager
def serving(folder):
    with Decisions(folder) as decisions, Server(read_doubts(folder), decisions) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site(tmp_path, capfd):
    """A served build: ``ask(name, …)`` inside the token's folder, ``raw(…)`` anywhere."""
    ids = write_doubts(tmp_path)
    with serving(tmp_path) as server:

        def raw(method, path, body=None, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
            finally:
                connection.close()

        def ask(name, **headers):
            return raw("GET", f"/{server.token}/{name}", **headers)

        def post(name, said, **headers):
            sent = {"Content-Type": "application/json", **headers}
            status, _, body = raw("POST", f"/{server.token}/{name}", json.dumps(said), **sent)
            return status, json.loads(body)

        yield SimpleNamespace(folder=tmp_path, ids=ids, server=server, raw=raw, ask=ask, post=post)
    assert "Traceback" not in capfd.readouterr().err


def test_only_this_machine_is_listened_to(site):
    assert site.server.server_address[0] == "127.0.0.1"
    assert urlsplit(site.server.url).hostname == "127.0.0.1"
    assert len(site.server.token) >= 32


@pytest.mark.parametrize("name", ["", "review.js", "review.css", "icon.svg", "items"])
def test_every_answer_keeps_other_pages_out(site, name):
    status, headers, body = site.ask(name)
    assert status == 200
    assert body
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers


def test_no_page_names_another_host(site):
    for name in ("", "review.js", "review.css"):
        body = site.ask(name)[2]
        assert b"://" not in body
        assert b'"//' not in body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "", "127.0.0.1.evil"])
def test_another_host_is_not_served(site, host):
    assert site.ask("items", Host=host)[0] == 403
    assert site.post("decide", {"id": site.ids[0], "decision": "keep"}, Host=host)[0] == 403
    assert not (site.folder / "review.parquet").exists()


PATHS = (
    *("/", "/items", "//items", "/favicon.ico", "/TOKEN", "/TOKENx/items", "/%2e%2e/TOKEN/items"),
    *("http://[/", "*", "/é/items", f"/x/{'a' * 5_000}"),
)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_there_is_nothing(site, path):
    right = site.server.token
    asked = f"GET {path.replace('TOKEN', right[:-1])} HTTP/1.1\r\n"
    host = f"Host: localhost:{site.server.server_port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.server.server_port), timeout=10) as connection:
        connection.sendall((asked + host).encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert right.encode() not in answer


NAMES = (
    *("../items", "%2e%2e/items", "review.py", "../../journal.sqlite", "page/index.html", "sound"),
    *("sound?id=", "sound?id=../../../etc/passwd", "sound?id=/etc/passwd", "sound?id=%00"),
    *("item?id=media/audio/1.flac", "spectrogram?id=%ff%fe", "picture?id=audio/..%2f..%2fx"),
    *("item?id=review.parquet", "decide", "undo", f"item?{'&' * 2_000}"),
)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_looked_up_and_never_made_into_paths(site, name):
    status, _, body = site.ask(name)
    assert status == 404
    assert set(json.loads(body)) == {"error"}


def test_an_item(site):
    status, headers, body = site.ask(f"item?id={quote(site.ids[0], safe='')}")
    told = json.loads(body)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert told["id"] == site.ids[0]
    assert told["licence_url"] is None  # it was javascript:
    assert str(site.folder) not in body.decode()
    items = json.loads(site.ask("items")[2])
    assert [item["id"] for item in items] == site.ids
    assert {item["decision"] for item in items} == {None}


def test_its_picture_and_its_sound(site):
    doubt = site.server.doubts[site.ids[0]]
    told = json.loads(site.ask(f"picture?id={doubt.item_id}")[2])
    assert (told["duration_s"], told["whole"], told["top_hz"]) == (2.0, True, 11025.0)
    status, headers, png = site.ask(f"spectrogram?id={doubt.item_id}")
    assert (status, headers["Content-Type"], png[:4]) == (200, "image/png", b"\x89PNG")
    whole = doubt.file.read_bytes()
    status, headers, sound = site.ask(f"sound?id={doubt.item_id}")
    assert (status, headers["Content-Type"], sound) == (200, "audio/wav", whole)
    status, headers, sound = site.ask(f"sound?id={doubt.item_id}", Range="bytes=100-299")
    assert (status, sound) == (206, whole[100:300])
    assert headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    assert site.ask(f"sound?id={doubt.item_id}", Range=f"bytes={len(whole)}-")[0] == 416


def test_a_file_that_is_broken_or_gone(site):
    first, second = (site.server.doubts[item] for item in site.ids[:2])
    first.file.write_bytes(b"<html>")
    status, _, body = site.ask(f"picture?id={first.item_id}")
    assert status == 422
    assert "cannot be drawn" in json.loads(body)["error"]
    second.file.unlink()
    assert site.ask(f"sound?id={second.item_id}")[0] == 404
    assert site.ask(f"picture?id={second.item_id}")[0] == 422
    (text,) = (d for d in site.server.doubts.values() if d.medium == "text")
    assert site.ask(f"sound?id={text.item_id}")[0] == 404
    first.file.write_bytes(b"")
    assert site.ask(f"sound?id={first.item_id}")[::2] == (200, b"")


def test_deciding(site):
    item, other = site.ids[:2]
    assert site.post("undo", {}) == (200, {"id": None, "decision": None})
    assert site.post("decide", {"id": item, "decision": "keep"})[0] == 200
    assert decided(site.folder) == {item: "keep"}
    assert site.post("decide", {"id": other, "decision": "drop"})[0] == 200
    assert site.post("decide", {"id": item, "decision": "drop"})[0] == 200
    assert decided(site.folder) == {item: "drop", other: "drop"}
    assert [one["decision"] for one in json.loads(site.ask("items")[2])[:2]] == ["drop", "drop"]
    assert site.post("undo", {}) == (200, {"id": item, "decision": "keep"})
    assert decided(site.folder) == {item: "keep", other: "drop"}


SAID = (
    *({}, {"decision": "keep"}, {"id": "audio/none", "decision": "keep"}, {"id": 1}, [], None),
    *({"id": ["a"], "decision": "keep"}, {"id": "ID", "decision": "KEEP"}, {"id": "ID"}),
    *({"id": "ID", "decision": ["keep"]}, {"id": "ID", "decision": None}),
)


@pytest.mark.parametrize("said", SAID)
def test_what_is_no_decision_is_refused(site, said):
    if isinstance(said, dict) and said.get("id") == "ID":
        said = {**said, "id": site.ids[0]}
    status, answer = site.post("decide", said)
    assert status in (400, 404)
    assert answer["error"]
    assert not (site.folder / "review.parquet").exists()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "²"}, 411),
        ({"Content-Length": "99999"}, 413),
        ({"Content-Length": "9" * 5000}, 413),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_another_page_decides_nothing(site, headers, status):
    headers = {k: v.encode("utf-8").decode("latin-1") for k, v in headers.items()}
    said = {"id": site.ids[0], "decision": "keep"}
    assert site.post("decide", said, **headers)[0] == status
    assert not (site.folder / "review.parquet").exists()


def test_its_own_page_decides(site):
    said = {"id": site.ids[0], "decision": "keep"}
    for name in ("127.0.0.1", "localhost"):
        origin = f"http://{name}:{site.server.server_port}"
        assert site.post("decide", said, Origin=origin)[0] == 200


@pytest.mark.parametrize("body", ["{", "[" * 4000, "\xff", "", "NaN"])
def test_a_body_that_is_no_json_object(site, body):
    sent = {"Content-Type": "application/json"}
    status, _, _ = site.raw("POST", f"/{site.server.token}/decide", body.encode("latin-1"), **sent)
    assert status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods_are_not_known(site, method):
    assert site.raw(method, f"/{site.server.token}/items")[0] == 501


def test_one_connection_carries_many_requests(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.server.server_port, timeout=10)
    for _ in range(3):
        connection.request("GET", f"/{site.server.token}/items")
        assert len(json.loads(connection.getresponse().read())) == len(site.ids)
    connection.close()


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n\r\n", b"GET", b"\x16\x03\x01\x00", b"GET / HTTP/9\r\n"]
)
def test_garbage_does_not_stop_it(site, sent):
    with socket.create_connection(("127.0.0.1", site.server.server_port), timeout=10) as connection:
        connection.sendall(sent)
    assert site.ask("items")[0] == 200


def test_a_player_that_leaves_amid_a_sound(site):
    doubt = site.server.doubts[site.ids[0]]
    doubt.file.write_bytes(bytes(20_000_000))
    asked = f"GET /{site.server.token}/sound?id={doubt.item_id} HTTP/1.1\r\n"
    host = f"Host: localhost:{site.server.server_port}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.server.server_port), timeout=10) as connection:
        connection.sendall((asked + host).encode())
        connection.recv(1000)
    assert site.ask("items")[0] == 200


def test_a_full_disk_is_told_and_nothing_is_lost(site, monkeypatch):
    assert site.post("decide", {"id": site.ids[0], "decision": "keep"})[0] == 200

    def full(*args):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        status, answer = site.post("decide", {"id": site.ids[1], "decision": "keep"})
    assert status == 500
    assert "No space left" in answer["error"]
    assert decided(site.folder) == {site.ids[0]: "keep"}
    assert site.post("decide", {"id": site.ids[1], "decision": "keep"})[0] == 200


def test_a_port_in_use(site):
    with pytest.raises(InputError, match="FG-V004"):
        Server({}, site.server.decisions, site.server.server_port)
