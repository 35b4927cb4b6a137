"""The review page's server: on loopback, for one person, behind a token that only they know.

Other pages in the same browser, and other users of the machine, are kept out: a request must name
this host and the token, and one that decides must come from the page itself. Nothing is fetched
from elsewhere, and no path is made from what a request says.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fgbench import __version__
from fgbench.collect.review.decisions import Decision, Decisions
from fgbench.collect.review.doubts import Doubt
from fgbench.collect.review.sound import byte_range, content_type
from fgbench.errors import FgbenchError, InputError
from fgbench.media.picture import draw

HOST = "127.0.0.1"
_MAX_BODY = 4096
_BLOCK = 2**16
_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "media", "connect")),
        *(f"{kind} 'none'" for kind in ("base-uri", "form-action", "frame-ancestors")),
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_PAGE = {
    "": ("index.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    "review.js": ("review.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_JSON = "application/json"


class Refused(Exception):
    """A request that is answered with a status and a reason, and nothing else."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason


class Server(ThreadingHTTPServer):
    """Serves the page on loopback; ``url`` is the only address that answers.

    ``port`` 0 is any that is free. Raises ``InputError`` where the port cannot be had (FG-V004).
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, doubts: Mapping[str, Doubt], decisions: Decisions, port: int = 0) -> None:
        self.doubts, self.decisions = doubts, decisions
        self.token = secrets.token_urlsafe(24)
        self.picture = lru_cache(maxsize=16)(draw)
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                "FG-V004",
                f"port {port} of {HOST} cannot be used: {error}",
                why="The review page is served there.",
                fix="Give another --port, or none: one that is free is taken.",
            ) from error
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    @property
    def url(self) -> str:
        """The address of the page, its token in it."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser leaves in the middle of a sound whenever the next one is asked for.
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = f"fgbench/{__version__}", ""
    timeout = 60
    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def do_GET(self) -> None:
        """The page, the list of items, one item, its picture, its sound."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """A decision, or the last one taken back."""
        self._answer(self._post)

    def log_message(self, *_: object) -> None:
        """Says nothing: every line would have the token in it."""

    def _answer(self, method: Callable[[str, str], None]) -> None:
        try:
            name, query = self._route()
            method(name, query)
        except Refused as refused:
            self.close_connection = True  # its body, if any, is unread
            self._send_json({"error": refused.reason}, refused.status)
        except FgbenchError as error:
            ours = HTTPStatus.INTERNAL_SERVER_ERROR
            status = HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, InputError) else ours
            self._send_json({"error": f"{error.what}. {error.why}".strip()}, status)

    def _route(self) -> tuple[str, str]:
        """What is asked for, once the request is found to come from someone who may."""
        if self.headers.get("Host", "").lower() not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "This host is not served here.")
        path, _, query = self.path.partition("?")
        token, slash, name = path.removeprefix("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")
        return name, query

    def _get(self, name: str, query: str) -> None:
        if name in _PAGE:
            file, kind = _PAGE[name]
            self._send(resources.files(__package__).joinpath("page", file).read_bytes(), kind)
        elif name == "items":
            self._send_json(self._items())
        elif name == "item":
            self._send_json(self.server.doubts[self._id(query)].to_json())
        elif name == "picture":
            drawn = self.server.picture(self._file(query))
            shown = ("duration_s", "whole", "top_hz", "waveform")
            self._send_json({key: getattr(drawn, key) for key in shown})
        elif name == "spectrogram":
            self._send(self.server.picture(self._file(query)).spectrogram, "image/png")
        elif name == "sound":
            self._send_sound(self._file(query))
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _post(self, name: str, query: str) -> None:
        origin = self.headers.get("Origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, "Another page asked for this.")
        if self.headers.get("Content-Type") != _JSON:
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {_JSON}.")
        said = self._body()
        decisions = self.server.decisions
        if name == "decide":
            decision = said.get("decision")
            if not isinstance(decision, str) or decision not in set(Decision):
                raise Refused(HTTPStatus.BAD_REQUEST, "A decision is keep or drop.")
            decisions.decide(self._known(said.get("id")), Decision(decision))
            self._send_json({"id": said["id"], "decision": decision})
        elif name == "undo":
            item = decisions.undo(self.server.doubts)
            self._send_json({"id": item, "decision": decisions.get(item) if item else None})
        else:
            raise Refused(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _items(self) -> list[dict[str, Any]]:
        decided = self.server.decisions.all()
        return [
            {"id": item, "label": doubt.label, "name": doubt.name, "decision": decided.get(item)}
            for item, doubt in self.server.doubts.items()
        ]

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Say how long the body is.")
        if len(length) > 9 or int(length) > _MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too long.")
        try:
            said = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is no JSON.") from error
        if not isinstance(said, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is no JSON object.")
        return said

    def _id(self, query: str) -> str:
        return self._known(parse_qs(query).get("id", [None])[0])

    def _known(self, item: object) -> str:
        if not isinstance(item, str) or item not in self.server.doubts:
            raise Refused(HTTPStatus.NOT_FOUND, "No item that is in doubt has this id.")
        return item

    def _file(self, query: str) -> Path:
        file = self.server.doubts[self._id(query)].file
        if file is None:
            raise Refused(HTTPStatus.NOT_FOUND, "This item has no file in the build folder.")
        return file

    def _send_sound(self, file: Path) -> None:
        """The file, or the range of it that a player asks for to go to a second."""
        try:
            sound = file.open("rb")
        except OSError as error:
            raise Refused(HTTPStatus.NOT_FOUND, "The file is gone.") from error
        with sound:
            size = sound.seek(0, 2)
            start, end = byte_range(self.headers.get("Range", ""), size)
            if start == end and size:
                raise Refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The file is shorter.")
            status, extra = HTTPStatus.OK, {"Accept-Ranges": "bytes"}
            if (start, end) != (0, size):
                status = HTTPStatus.PARTIAL_CONTENT
                extra["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            self._head(status, content_type(file), end - start, extra)
            sound.seek(start)
            while start < end and (block := sound.read(min(_BLOCK, end - start))):
                self.wfile.write(block)
                start += len(block)
            self.close_connection = start < end  # it has become shorter meanwhile

    def _send_json(self, document: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(document).encode(), _JSON, status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._head(status, kind, len(body), {})
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, length: int, extra: dict[str, str]) -> None:
        self.send_response(status)
        sent = {"Content-Type": kind, "Content-Length": str(length), **_HEADERS, **extra}
        for name, value in sent.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
