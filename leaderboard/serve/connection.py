"""A connection with bounds: uvicorn's own, which waits for a request's head as long as one likes.

Of the body's time see ``body``; bodies that nobody reads see ``guard``.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .documents import refusal
from .guard import HEADERS
from .refusals import Code, Refused, status_of

HEAD_S = 10.0
"""From the first byte of a head, or of a connection, to its last."""
UNREAD_S = 60.0
"""How long a client may leave an answer unread once the buffers are full."""
MAX_HEAD = 16_384
MAX_CONNECTIONS = 600
MAX_OF_ONE = 300
"""Connections in all and from one address, which is the proxy's where there is one."""


class Connection(H11Protocol):
    """One client's connection. Too many, too slow or too long are closed."""

    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peers = Counter(
            c.client[0] for c in self.connections if isinstance(c, Connection) and c.client
        )
        mine = peers[self.client[0]] if self.client else 0
        if len(self.connections) > MAX_CONNECTIONS or mine > MAX_OF_ONE:
            transport.abort()
        else:
            self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop("_head")
        self._stop("_stall")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._time_head()
        else:
            self._stop("_head")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The head of the next request may have begun to come while this one was answered.
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._time_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop("_stall")
        self._stall = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop("_stall")

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP in the server's own shape."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()  # an answer has begun
            return
        self._refuse(Refused(Code.ADDRESS, "this is not HTTP, or its head is too long"))

    def _time_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD_S, self._end_head)

    def _end_head(self) -> None:
        self._head = None
        if self.conn.trailing_data[0] and self.conn.our_state is h11.IDLE:
            said = f"the head of the request was not there after {HEAD_S:g} seconds"
            self._refuse(Refused(Code.SLOW, said))
        else:
            self.transport.abort()

    def _refuse(self, refused: Refused) -> None:
        body = json.dumps(refusal(refused)).encode()
        headers = {
            **HEADERS,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
        }
        head = h11.Response(status_code=status_of(refused), headers=list(headers.items()))
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _stop(self, timer: str) -> None:
        if (handle := getattr(self, timer)) is not None:
            handle.cancel()
            setattr(self, timer, None)
