"""The process: a board on its port, until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from fgbench.errors import InputError

from .app import make_app
from .connection import MAX_HEAD, Connection
from .service import open_service
from .settings import Settings

BACKLOG = 1024
KEEP_ALIVE_S = 5
GRACE_S = 20
"""How long uploads under way may take to end once the server is told to stop."""


def serve(settings: Settings, started: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; ``started`` is told the address once it answers there.

    Raises ``InputError`` for what cannot be served: FG-H171 for a port that cannot be had.
    """
    with _listen(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        with open_service(settings) as service:
            try:
                service.start()
                started(settings.url or f"http://{settings.host}:{settings.port}")
                uvicorn.Server(configure(make_app(service))).run(sockets=[listener])
            finally:
                service.stop()


def configure(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves an application: plain HTTP/1.1, within bounds, saying nothing itself."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_HEAD,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def _listen(settings: Settings) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        raise InputError(
            "FG-H171",
            f"port {settings.port} of {settings.host} cannot be had: {error}",
            why="The board is served there.",
            fix="Name another --port or --host, or stop what has it.",
        ) from error
