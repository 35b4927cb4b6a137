"""What the pages have in common: their frame, who reads them, and who sends their forms."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fgbench.errors import FgbenchError

from ..board import make_board
from ..templating import Templates, measure_titles
from . import documents
from .api import identity
from .body import read_form
from .callers import FORM, Visitor, allow
from .refusals import Code, Refused, headers_of, status_of
from .service import Service
from .states import Role, Submission

TEAM, ADMIN = "/team/", "/admin/"


class Shell:
    """Fills the templates in, and finds out who reads a page or sends its form.

    Whoever reads is known by a cookie; whatever changes something also needs its form's token.
    ``titles``: the names of tasks and means.
    """

    def __init__(self, service: Service) -> None:
        self._callers = service.callers
        board = make_board(service.benchmark, (), {})
        self.titles = measure_titles(board)
        self._templates = Templates(board).environment

    def page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """A page, from its template."""
        known = {"root": "/", "twin": "", "here": "", "visitor": None, "refresh": False}
        page = self._templates.get_template(f"serve/{template}")
        return HTMLResponse(page.render({**known, **values}), status)

    def refusal(self, error: FgbenchError) -> Response:
        """The page that says no."""
        status = status_of(error)
        said, heading = documents.refusal(error), f"{status.value} {status.phrase}"
        answer = self.page("refused.html", status, said=said, heading=heading)
        answer.headers.update(headers_of(error))
        return answer

    async def visitor(self, request: Request, role: Role | None = None) -> Visitor:
        """Who is signed in. Raises ``Refused`` (FG-H154, FG-H155)."""
        visitor = await self._callers.visitor(request)
        if visitor is None:
            raise Refused(
                Code.TOKEN,
                "you are not signed in, or no longer",
                headers={"www-authenticate": "Bearer"},
                fix=f"Sign in with your team's token: {TEAM}",
            )
        allow(visitor.team, role)
        return visitor

    async def form(
        self, request: Request, role: Role | None = None
    ) -> tuple[Visitor, dict[str, str]]:
        """Who sends a form, once it is found to be theirs, and its fields."""
        visitor = await self.visitor(request, role)
        fields = await read_form(request)
        self._callers.check_form(request, visitor, fields.get(FORM, ""))
        return visitor, fields

    async def act(
        self, request: Request, role: Role, change: Callable[..., Submission], *values: Any
    ) -> Response:
        """Do what a form of one submission asks for, and go on to the page that shows it."""
        visitor, _ = await self.form(request, role)
        found = await run_in_threadpool(change, visitor.team, identity(request), *values)
        return go(ADMIN if role is Role.ADMIN else f"{TEAM}submissions/{found.id}")


def go(place: str) -> Response:
    """On to another page."""
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
