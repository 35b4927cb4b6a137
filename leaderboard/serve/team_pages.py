"""A team's pages: its submissions, each of them, and the forms to hand in, publish, withdraw."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fgbench.benchmark import DEFAULT
from fgbench.scoring.run import PER_QUERY, RECORD

from . import documents
from .api import find, result
from .body import read_form
from .dispatch import route
from .errors import show_size
from .service import Service
from .shell import ADMIN, TEAM, Shell, go
from .states import Role, State, Submission, Visibility
from .upload import describe as upload_limits

_SEEN_BY = {
    Visibility.PRIVATE: "Your team alone. Nothing is published unless you ask for it.",
    Visibility.REQUESTED: "Your team and the admins, who have yet to decide.",
    Visibility.PUBLISHED: "Everybody: it is on the board, or will be once the board is built.",
    Visibility.REFUSED: "Your team and the admins. You may ask again.",
    Visibility.WITHDRAWN: "Nobody: files and numbers are deleted.",
}


class TeamPages:
    """What a team sees and does; an admin sees here what teams ask to publish."""

    def __init__(self, service: Service, shell: Shell) -> None:
        self._service, self._shell = service, shell
        self._callers, self._ledger = service.callers, service.ledger

    def routes(self) -> list[Route]:
        """A route for every page and every form."""
        one = f"{TEAM}submissions/{{id}}"
        return [
            route(TEAM, GET=self.team),
            route(f"{TEAM}states", GET=self.states),
            route(f"{TEAM}session", POST=self.sign_in),
            route(f"{TEAM}session/end", POST=self.sign_out),
            route(f"{TEAM}submissions", POST=self.upload),
            route(one, GET=self.submission),
            route(f"{one}/{RECORD}", GET=self.record),
            route(f"{one}/{PER_QUERY}", GET=self.per_query),
            route(f"{one}/publication", POST=self.request_publication),
            route(f"{one}/withdrawal", POST=self.withdraw),
        ]

    async def team(self, request: Request) -> Response:
        """A team's own submissions, and the form to hand in; or the form to sign in."""
        visitor = await self._callers.visitor(request)
        if visitor is None:
            answer = self._sign_in_page()
            self._callers.forget(request, answer)  # else each look would count as an attempt
            return answer
        if visitor.team.role is Role.ADMIN:
            return go(ADMIN)
        own = await run_in_threadpool(self._ledger.list_own, visitor.team)
        usage = await run_in_threadpool(self._ledger.usage, visitor.team)
        limits = self._service.settings.limits
        sizes = {"card": limits.card, "upload": limits.upload}
        sizes |= {"used": usage.size, "team": limits.team_bytes}
        return self._shell.page(
            "team.html",
            here="team",
            visitor=visitor,
            submissions=[documents.submission(found) for found in own],
            waiting=any(found.waiting for found in own),
            usage=usage,
            bounds=limits,
            sizes={name: show_size(size) for name, size in sizes.items()},
            option=self._option,
        )

    async def states(self, request: Request) -> Response:
        """How far a team's submissions are, for a page that follows them."""
        visitor = await self._shell.visitor(request)
        own = await run_in_threadpool(self._ledger.list_own, visitor.team)
        told = [documents.submission(found) | {"waiting": found.waiting} for found in own]
        return JSONResponse({"submissions": told})

    async def submission(self, request: Request) -> Response:
        """One submission, whole."""
        visitor = await self._shell.visitor(request)
        found = await find(request, self._service, visitor.team)
        mine = visitor.team.role is Role.TEAM
        open_to_it = found.visibility in (Visibility.PRIVATE, Visibility.REFUSED)
        said = _SEEN_BY[found.visibility]
        return self._shell.page(
            "submission.html",
            here="team" if mine else "admin",
            visitor=visitor,
            mine=mine,
            submission=documents.submission(found),
            stages=_stages(found.state),
            means=self._lines(found, "means"),
            cells=self._lines(found, "scores"),
            complete=found.summary.get("complete", True),
            seen_said=said if mine else said.replace("Your team", "The team"),
            may_request=found.state is State.DONE and open_to_it,
            size=show_size(found.size),
            refresh=mine and found.waiting,
        )

    async def record(self, request: Request) -> Response:
        """The record of a scored submission."""
        return await self._file(request, RECORD)

    async def per_query(self, request: Request) -> Response:
        """The values by query of a scored submission."""
        return await self._file(request, PER_QUERY)

    async def sign_in(self, request: Request) -> Response:
        """Start a session, or show the form again with what was wrong."""
        fields = await read_form(request)
        secret = await self._callers.sign_in(request, fields.get("token", "").strip())
        if secret is None:
            wrong = "This is no team's token. It begins with fgb_ and has 64 signs."
            return self._sign_in_page(wrong, HTTPStatus.UNAUTHORIZED)
        answer = go(TEAM)
        self._callers.keep(answer, secret)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        visitor, _ = await self._shell.form(request)
        await self._callers.sign_out(visitor)
        answer = go(TEAM)
        self._callers.forget(request, answer)
        return answer

    async def upload(self, request: Request) -> Response:
        """Hand in: to the submission's page, or for a page that asks for JSON, as the API says."""
        visitor = await self._shell.visitor(request, Role.TEAM)
        self._callers.check_origin(request)

        def check(form: str) -> None:
            self._callers.check_form(request, visitor, form)

        found, new = await self._service.uploads.take(request, visitor.team, check)
        if wants_json(request):
            return JSONResponse(documents.submission(found), 201 if new else 200)
        return go(f"{TEAM}submissions/{found.id}")

    async def request_publication(self, request: Request) -> Response:
        """Ask to publish."""
        return await self._shell.act(request, Role.TEAM, self._ledger.request_publication)

    async def withdraw(self, request: Request) -> Response:
        """Withdraw and delete."""
        return await self._shell.act(request, Role.TEAM, self._service.publication.withdraw)

    async def _file(self, request: Request, name: str) -> Response:
        visitor = await self._shell.visitor(request)
        found = await find(request, self._service, visitor.team)
        return await result(request, self._service, found, name)

    def _sign_in_page(self, wrong: str = "", status: HTTPStatus = HTTPStatus.OK) -> Response:
        limits = upload_limits(self._service.settings.limits)
        return self._shell.page("sign_in.html", status, here="team", wrong=wrong, limits=limits)

    def _lines(self, found: Submission, group: str) -> list[dict[str, Any]]:
        """Numbers of a summary under their names for people, in the benchmark's order."""
        numbers = found.summary.get(group, {})
        return [
            {"title": title, **numbers[code]}
            for code, title in self._shell.titles.items()
            if code in numbers
        ]

    @property
    def _option(self) -> str:
        benchmark = self._service.benchmark.id
        return "" if benchmark == DEFAULT else f" --benchmark {benchmark}"


def wants_json(request: Request) -> bool:
    """Whether a request asks for JSON, and not for a page."""
    return "application/json" in request.headers.get("accept", "")


def _stages(state: State) -> list[dict[str, str]]:
    """The way of a submission, and where on it this one is."""
    way = [State.RECEIVED, State.CHECKING, State.SCORING, State.DONE]
    if state is State.FAILED:
        return [{"name": State.RECEIVED, "kind": "past"}, {"name": State.FAILED, "kind": "bad"}]
    now = way.index(state)
    kinds = ["past"] * now + ["good" if state is State.DONE else "now"] + ["next"] * (3 - now)
    return [{"name": stage, "kind": kind} for stage, kind in zip(way, kinds, strict=True)]
