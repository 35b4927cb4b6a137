"""One address with its methods: each to its handler, and the others refused by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .refusals import Code, Refused

Handler = Callable[[Request], Awaitable[Response]]


class Dispatch:
    """An ASGI application for the methods of a path; HEAD is answered as GET, without its body."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        if "GET" in handlers:
            self._handlers["HEAD"] = handlers["GET"]
        self.methods = frozenset(self._handlers)
        self._allow = {"allow": ", ".join(sorted({*self.methods, "OPTIONS"}))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        if request.method == "OPTIONS":
            answer = Response(status_code=204, headers=self._allow)
        elif request.method in self._handlers:
            answer = await self._handlers[request.method](request)
        else:
            said = f"{request.method[:20]} is not answered here"
            raise Refused(Code.METHOD, said, headers=self._allow)
        await answer(scope, receive, send)


def route(path: str, **handlers: Handler) -> Route:
    """The route of a path, by method."""
    return Route(path, Dispatch(handlers))
