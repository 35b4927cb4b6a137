"""What holds for every request and every answer, whatever it is for.

A request must name this host and an address that can be read in one way. Every answer has the
headers that keep a browser from running or lending what is not ours. A body that nobody asked for
is never read: the connection is closed, once the answer has had time to arrive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .documents import refusal
from .refusals import Code, Refused, status_of

MAX_TARGET = 2048
"""Bytes of a path and of a query."""
LINGER_S = 2.0
LINGER_BYTES = 1 << 22
"""How long and how much is read past a refusal: closing at once would destroy the answer that is
on its way (RFC 9112, 9.6)."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")),
        "form-action 'self'",
        *(f"{kind} 'none'" for kind in ("base-uri", "frame-ancestors")),
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # With no-referrer a browser would say "Origin: null" of our own forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
HTTPS = {"strict-transport-security": "max-age=31536000"}
PRIVATE = "no-store"

_LOG = logging.getLogger(__name__)


class Guard:
    """An ASGI application around another. ``hosts`` are the values of Host that are served."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, https: bool) -> None:
        self._app, self._hosts = app, frozenset(hosts)
        self._headers = HEADERS | (HTTPS if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._headers)
        try:
            if (refused := self._refusal(scope)) is not None:
                answer = JSONResponse(refusal(refused), status_of(refused))
                await answer(scope, exchange.receive, exchange.send)
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            # Starlette raises again what it has answered already.
            _LOG.exception("%s %s failed", scope["method"], _shown(scope))
            if not exchange.started:
                ours = Refused(Code.OURS, "the server failed")
                answer = JSONResponse(refusal(ours), status_of(ours))
                await answer(scope, exchange.receive, exchange.send)

    def _refusal(self, scope: Scope) -> Refused | None:
        target, query = scope.get("raw_path") or b"", scope["query_string"]
        if not target.startswith(b"/") or max(len(target), len(query)) > MAX_TARGET:
            said = f"the path must begin with / and have at most {MAX_TARGET:,} bytes"
            return Refused(Code.ADDRESS, said)
        if any(ord(sign) < 32 or sign in "\\\x7f" for sign in scope["path"]):
            return Refused(Code.ADDRESS, "the path has signs that no address here has")
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return Refused(Code.HOST, "this server is not known under that name")
        return None


class _Exchange:
    """One request with its answer: what was read of the one, and the headers of the other."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = headers
        self._start = time.monotonic()
        found = Headers(scope=scope)
        self._unread = "transfer-encoding" in found or found.get("content-length", "0") != "0"
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._complete(MutableHeaders(raw=message["headers"]))
            took = 1000 * (time.monotonic() - self._start)
            _LOG.info(
                "%s %s %s %d %.0f ms",
                (self._scope["client"] or ("-",))[0],
                self._scope["method"],
                _shown(self._scope),
                message["status"],
                took,
            )
        elif self._unread and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers[name] = value
        headers.setdefault("cache-control", PRIVATE)
        if self._unread:
            headers["connection"] = "close"

    async def _linger(self) -> None:
        read = 0
        with anyio.move_on_after(LINGER_S):
            while self._unread and read < LINGER_BYTES:
                read += len((await self.receive()).get("body", b""))


def _shown(scope: Scope) -> str:
    """The path as it came, which is ASCII without controls; never the query."""
    return str((scope.get("raw_path") or b"-")[:200], "ascii", "replace")
