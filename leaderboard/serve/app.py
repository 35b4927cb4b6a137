"""The application: the API, the pages and the static board, each request behind the guard."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from fgbench.errors import FgbenchError

from . import documents
from .admin_pages import AdminPages
from .api import Api
from .dispatch import route
from .guard import Guard
from .operations import BASE
from .refusals import Code, Refused, headers_of, status_of
from .service import Service, hosts
from .shell import Shell
from .team_pages import TeamPages, wants_json

_LOG = logging.getLogger(__name__)


def make_app(service: Service) -> ASGIApp:
    """The ASGI application of a service."""
    shell = Shell(service)

    async def board(request: Request) -> Response:
        if _is_api(request):
            raise Refused(Code.NOTHING, "there is nothing here")
        # Not in a thread: all threads may be waiting for the disk, with uploads in their hands.
        return service.site.respond(request)

    def refuse(request: Request, error: Exception) -> Response:
        told = error if isinstance(error, FgbenchError) else _as_refused(error)
        if isinstance(error, FgbenchError) and status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _LOG.error("%s  %s", error.code, error.what)
        if _is_api(request) or wants_json(request):
            return JSONResponse(documents.refusal(told), status_of(told), headers_of(told))
        return shell.refusal(told)

    routes = [
        *Api(service).routes(),
        *TeamPages(service, shell).routes(),
        *AdminPages(service, shell).routes(),
        route("/{path:path}", GET=board),
    ]
    known = (FgbenchError, HTTPException, ClientDisconnect, Exception)
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys(known, refuse))
    app.router.redirect_slashes = False
    return Guard(app, hosts(service.settings), https=service.https)


def _is_api(request: Request) -> bool:
    path = str(request.scope["path"])
    return path == "/health" or path == BASE or path.startswith(f"{BASE}/")


def _as_refused(error: Exception) -> Refused:
    """What Starlette says no with, in our own words; anything else is a failure of ours."""
    if isinstance(error, HTTPException):
        return Refused(Code.NOTHING, "there is nothing here")
    if isinstance(error, ClientDisconnect):
        return Refused(Code.BODY, "the body breaks off")
    return Refused(Code.OURS, "the server failed")
