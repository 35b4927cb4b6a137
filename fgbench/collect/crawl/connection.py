"""Connections to checked addresses, shut down when the time of their request is over."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from fgbench.collect.crawl.guard import Guard


class Deadline:
    """Shuts the connection of a request down when its time is over.

    A socket's own timeout bounds the wait for the next byte alone, which a host that sends a byte
    now and then never exceeds, in headers and body alike.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watches(self, sock: socket.socket | None) -> None:
        self._socket = sock
        if self.expired:
            self._shut()

    def _expire(self) -> None:
        self.expired = True
        self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # TLS objects would first say goodbye, and wait
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Watch(threading.local):
    """The deadline of the request that this thread makes."""

    deadline: Deadline | None = None


class _Guarded:
    """What both kinds of connection share: checked addresses, and a socket under watch."""

    def __init__(self, *args: Any, guard: Guard, watch: Watch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard, self._watch = guard, watch

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(cast(HTTPConnection, self))

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)  # type: ignore[misc]
        if self._watch.deadline is not None:
            self._watch.deadline.watches(cast(HTTPConnection, self).sock)


class _GuardedHTTP(_Guarded, HTTPConnection): ...


class _GuardedHTTPS(_Guarded, HTTPSConnection): ...


class _Pools(PoolManager):
    def __init__(self, guard: Guard, watch: Watch, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._conn_kw = {"guard": guard, "watch": watch}

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.ConnectionCls = _GuardedHTTPS if scheme == "https" else _GuardedHTTP
        pool.conn_kw.update(self._conn_kw)
        return pool


class Adapter(HTTPAdapter):
    def __init__(self, guard: Guard, watch: Watch) -> None:
        self._guard, self._watch = guard, watch
        super().__init__(pool_connections=64, pool_maxsize=2, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kw: Any
    ) -> None:
        self.poolmanager = _Pools(
            self._guard, self._watch, num_pools=connections, maxsize=maxsize, block=block, **kw
        )
