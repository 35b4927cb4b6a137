"""Real sockets: senders that are slow, that lie, that never stop, and that keep nobody out."""

from __future__ import annotations

import contextlib
import functools
import json
import socket
import threading
import time

import pytest
import uvicorn
from small_service import LIMITS, hosted, parts

from fgbench.leaderboard.serve import connection, guard, upload
from fgbench.leaderboard.serve.body import Pace
from fgbench.leaderboard.serve.server import configure

HOST = b"Host: 127.0.0.1:8000\r\n"
UPLOAD = b"POST /api/v1/submissions HTTP/1.1\r\n" + HOST
FORM = b"Content-Type: multipart/form-data; boundary=B\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
OPEN = b'--B\r\nContent-Disposition: form-data; name="submission"; filename="f"\r\n\r\n'


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("connection")
    with pytest.MonkeyPatch.context() as patch, hosted(folder) as board:
        patch.setattr(connection, "HEAD_S", 0.5)
        patch.setattr(guard, "LINGER_S", 0.5)
        patch.setattr(upload, "Pace", functools.partial(Pace, idle_s=0.5, grace_s=0.5))
        yield board


@pytest.fixture(scope="module")
def port(board):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(configure(board.app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def bearer(board):
    return f"Authorization: Bearer {board.tokens['gulls']}\r\n".encode()


def dial(port):
    return socket.create_connection(("127.0.0.1", port), timeout=8)


def read_all(line):
    """Everything that comes until the other side closes."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            found += piece
    return found


def ask(port, data):
    with dial(port) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(data)
        return read_all(line)


def refusal(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"nosniff" in head
    return int(head.split()[1]), json.loads(body)["code"]


def alive(port):
    answer = ask(port, b"GET /api/v1 HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
    return answer.startswith(b"HTTP/1.1 200")


def left(board):
    return [p for p in (board.service.settings.data / "incoming").rglob("*") if p.is_file()]


def test_a_head_that_never_ends_is_cut_off(port):
    with dial(port) as line:
        line.sendall(b"GET /api/v1 HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(30):
                line.sendall(b"X: y\r\n")
                time.sleep(0.05)
        assert refusal(read_all(line)) == (408, "FG-H159")
    assert alive(port)


def test_a_connection_that_says_nothing_is_closed(port):
    with dial(port) as line:
        assert read_all(line) == b""


def test_a_second_head_is_timed_like_the_first(port):
    with dial(port) as line:
        line.sendall(b"GET /api/v1 HTTP/1.1\r\n" + HOST + b"\r\nGET /ap")
        answer = read_all(line)
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(b"408")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000,
        b"GET /" + b"a" * 20_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nHost: evil\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : 127.0.0.1:8000\r\n\r\n",
        UPLOAD + b"Content-Length: -5\r\n\r\n",
        UPLOAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        UPLOAD + b"Content-Length: 1e3\r\n\r\n",
        UPLOAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    ],
)
def test_what_is_no_request_is_said_to_be_none(port, head):
    status, code = refusal(ask(port, head))
    assert (status in (400, 501), code) == (True, "FG-H151")
    assert alive(port)


def test_ten_gigabytes_that_are_declared_are_refused_before_any_comes(port, bearer):
    start = time.monotonic()
    answer = ask(port, UPLOAD + FORM + bearer + b"Content-Length: 10000000000\r\n\r\n")
    assert refusal(answer) == (413, "FG-H158")
    assert time.monotonic() - start < 4
    assert alive(port)


def test_ten_gigabytes_in_chunks_are_cut_off_at_the_limit(board, port, bearer):
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    sent = 0
    with dial(port) as line:
        line.sendall(UPLOAD + FORM + bearer + CHUNKED + b"\r\n")
        line.sendall(b"%x\r\n%s\r\n" % (len(OPEN), OPEN))
        with contextlib.suppress(ConnectionError, TimeoutError):
            while sent < 10**10:
                line.sendall(piece)
                sent += 65536
        answer = read_all(line)
    assert sent < LIMITS.upload + guard.LINGER_BYTES + (16 << 20)
    assert not answer or refusal(answer)[0] == 413
    assert left(board) == []
    assert alive(port)


def test_a_body_that_comes_slowly_is_cut_off(board, port, bearer):
    with dial(port) as line:
        line.sendall(UPLOAD + FORM + bearer + b"Content-Length: 500000\r\n\r\n" + OPEN)
        with contextlib.suppress(ConnectionError):
            for _ in range(30):
                line.sendall(b"x")
                time.sleep(0.05)
        assert refusal(read_all(line)) == (408, "FG-H159")
    assert left(board) == []


def test_a_body_that_stops_is_cut_off(board, port, bearer):
    answer = ask(port, UPLOAD + FORM + bearer + b"Content-Length: 500000\r\n\r\n" + OPEN)
    assert refusal(answer) == (408, "FG-H159")
    assert left(board) == []


def test_less_than_declared_is_no_upload(board, port, bearer):
    with dial(port) as line:
        line.sendall(UPLOAD + FORM + bearer + b"Content-Length: 500000\r\n\r\n" + OPEN + b"x")
        line.shutdown(socket.SHUT_WR)
        read_all(line)
    deadline = time.monotonic() + 5
    while left(board) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left(board) == []
    assert board.program("gulls").get("/api/v1/submissions").json() == {"submissions": []}


def test_more_than_declared_is_the_next_request_and_not_the_body(port):
    smuggled = b"GET /api/v1 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    head = b"POST /team/session HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n"
    first, second = ask(port, head + smuggled).split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"415")
    assert second.startswith(b"200")


def test_a_length_and_chunks_at_once_do_not_split_in_two(port):
    hidden = b"GET /api/v1 HTTP/1.1\r\n" + HOST + b"\r\n"
    head = UPLOAD + CHUNKED + b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (len(hidden) + 5)
    answer = ask(port, head + hidden)
    assert answer.split(b"\r\n")[0].split()[1] in (b"400", b"401")
    assert b'"protocol"' not in answer.partition(b"HTTP/1.1 4")[2].partition(b"HTTP/1.1 4")[2]


def test_requests_in_a_row_are_answered_in_their_order(port):
    paths = [b"/api/v1/openapi.json", b"/api/v1", b"/nothing", b"/api/v1/openapi.json"]
    asked = b"".join(b"GET %s HTTP/1.1\r\n%s\r\n" % (path, HOST) for path in paths)
    with dial(port) as line:
        line.sendall(asked[:-2] + b"Connection: close\r\n\r\n")
        answer = read_all(line)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"503", b"200"]


def test_a_refusal_arrives_though_its_body_is_never_read(port):
    body = b"x" * (3 << 20)
    answer = ask(port, UPLOAD + FORM + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert refusal(answer) == (401, "FG-H154")
    assert b"connection: close" in answer.lower()


def test_who_waits_to_be_asked_for_a_body_is_refused_without_it(port):
    head = UPLOAD + FORM + b"Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n"
    answer = ask(port, head)
    assert refusal(answer) == (401, "FG-H154")
    assert b"100 Continue" not in answer


def test_one_client_cannot_take_all_connections(port, monkeypatch):
    monkeypatch.setattr(connection, "MAX_OF_ONE", 5)
    monkeypatch.setattr(connection, "HEAD_S", 5)
    with contextlib.ExitStack() as held:
        lines = [held.enter_context(dial(port)) for _ in range(8)]
        for line in lines[5:]:
            assert read_all(line) == b""
    deadline = time.monotonic() + 5
    while not alive(port):
        assert time.monotonic() < deadline


def test_an_answer_that_nobody_reads_is_given_up(board, port, monkeypatch):
    monkeypatch.setattr(connection, "UNREAD_S", 0.5)
    with dial(port) as line, pytest.raises(ConnectionError):  # noqa: PT012
        while True:
            line.sendall(b"GET /api/v1/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n")
            time.sleep(0.002)
    assert alive(port)


def test_a_whole_upload_over_the_wire(board, port):
    import httpx

    client = httpx.Client(headers={"Host": "127.0.0.1:8000"})
    client.headers["Authorization"] = f"Bearer {board.tokens['terns']}"
    url = f"http://127.0.0.1:{port}/api/v1/submissions"
    with client:
        made = client.post(url, files=parts(b"v" * 900_000))
        again = client.get(url)
    assert (made.status_code, again.json()["submissions"]) == (201, [made.json()])
