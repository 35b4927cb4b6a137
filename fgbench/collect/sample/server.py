"""The sample world's servers: one port of the loopback a site, and what they were asked."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fgbench.collect.sample.faults import MOVED, FaultKind, FaultTable
from fgbench.collect.sample.miniature import Answer, Miniature, Request
from fgbench.collect.sample.prose import SYNTHETIC
from fgbench.collect.sample.spoilers import spoil

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
"""The Date header of every answer, so that builds are equal byte by byte."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made: of whom, what, when (on the monotonic clock), its outcome."""

    site: str
    target: str
    """Path and query, without the site's key."""
    at: float
    status: int
    """0: nothing was answered."""
    fault: str
    """The kind of the fault that it met, or ``""``."""


class SiteServer(ThreadingHTTPServer):
    """Serves one miniature site. ``note`` is told of each request before it is answered."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        site: Miniature,
        faults: FaultTable,
        delay: float,
        note: Callable[[Asked], None],
        closing: threading.Event,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.site, self.faults, self.delay = site, faults, delay
        self.note, self.closing = note, closing

    @property
    def url(self) -> str:
        """The server's scheme, host and port."""
        return f"http://127.0.0.1:{self.server_port}"

    def respond(self, target: str, headers: dict[str, str]) -> Answer | None:
        """The answer to a request, by whatever fault; None for no answer at all."""
        at = time.monotonic()
        self.closing.wait(self.delay)
        kept = self.site.keyless(target)
        fault = self.faults.strike(self.site.name, kept)
        if fault and fault.kind is FaultKind.SILENT:
            self.note(Asked(self.site.name, kept, at, 0, fault.kind))
            self.closing.wait()
            return None
        answer = self.site.answer(Request(target.removeprefix(MOVED), headers))
        if fault:
            answer = spoil(fault, Request(kept, headers), answer)
        kind = fault.kind if fault else ""
        self.note(Asked(self.site.name, kept, at, answer.status, kind))
        return answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 2**16
    disable_nagle_algorithm = True
    server: SiteServer

    def do_GET(self) -> None:
        """Answers, in pieces where the body comes in pieces."""
        answer = self.server.respond(
            self.path, {name.lower(): value for name, value in self.headers.items()}
        )
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("X-Sample-World", SYNTHETIC)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            return
        if answer.length is not None:
            self.send_header("Content-Length", str(answer.length))
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in answer.body:
            if self.server.closing.is_set():
                return
            self.wfile.write(piece)
            self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The world's fixed date."""
        return DATE

    def version_string(self) -> str:
        """The same on every machine."""
        return "fgbench-sample"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the world keeps its own log."""
