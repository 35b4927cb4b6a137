"""Servers on loopback that misbehave on demand, a clock that does not wait, a made-up site."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fgbench.collect.crawl.http import Limits
from fgbench.collect.crawl.session import CrawlSession
from fgbench.settings import Secret, Settings, variable

DATE = "Sun, 01 Nov 2026 12:00:00 GMT"

Route = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers by ``routes[path]`` (404 otherwise) and keeps ``asked``: paths, and all headers."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                server.asked.append(self.path)
                server.headers.append({k.lower(): v for k, v in self.headers.items()})
                route = server.routes.get(self.path.partition("?")[0], status(404))
                try:
                    route(self)
                except OSError:
                    self.close_connection = True  # the client left first

            def date_time_string(self, timestamp: float | None = None) -> str:
                return DATE

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def status(code: int, body: bytes = b"", **headers: str) -> Route:
    """Answers with a status, a body and headers (``_`` in a name is ``-``)."""

    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return route


def raw(*pieces: bytes, then: Callable[[], object] = lambda: None) -> Route:
    """Writes bytes as they are, does ``then``, and hangs up."""

    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        for piece in pieces:
            handler.wfile.write(piece)
        handler.wfile.flush()
        then()

    return route


def in_turn(*routes: Route) -> Route:
    """The first request gets the first route, and so on; the last stays."""
    left = list(routes)

    def route(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return route


class FakeClock:
    """Waiting costs nothing, and is written down."""

    def __init__(self) -> None:
        self.time = 1_793_534_400.0  # DATE
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.time += seconds

    def stop(self) -> None:
        pass


def make_site(name: str = "aviary", **facts: Any) -> Any:
    """A site as far as the crawl knows it, at ``https://<name>.example``."""
    given = {
        "name": name,
        "hosts": (f"{name}.example",),
        "pace": 1.0,
        "rule": "robots.txt",
        "auth": None,
        "requests_per_query": 2,
    }
    return SimpleNamespace(**(given | facts))


@pytest.fixture
def wire() -> SimpleNamespace:
    """The routes' makers."""
    return SimpleNamespace(status=status, raw=raw, in_turn=in_turn, date=DATE)


@pytest.fixture
def site() -> Callable[..., Any]:
    return make_site


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def new_server() -> Iterator[Callable[[], Server]]:
    with ExitStack() as stack:

        def make() -> Server:
            server = Server()
            stack.callback(server.close)
            return server

        yield make


@pytest.fixture
def server(new_server: Callable[[], Server]) -> Server:
    return new_server()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def crawl(server: Server, clock: FakeClock, folder: Path) -> Iterator[Callable[..., CrawlSession]]:
    """Opens a session in ``folder``, the server standing in for the site; closes the one before."""
    with ExitStack() as stack:

        def open_session(
            *sites: Any, keys: dict[str, str] | None = None, **options: Any
        ) -> CrawlSession:
            stack.close()
            settings = Settings(
                contact="you@lab.example",
                sites={variable(s.name): server.url for s in sites or (make_site(),)},
                keys={name: Secret(key) for name, key in (keys or {}).items()},
            )
            given = {"clock": clock, "limits": Limits(connect=2, read=2, deadline=2, body=100_000)}
            session = CrawlSession(folder, sites or (make_site(),), settings, **(given | options))
            return stack.enter_context(session)

        yield open_session
