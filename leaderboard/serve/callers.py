"""Who calls: a program by its team's token, or a browser by a cookie and a form of ours.

Programs send no cookies and are asked for none; a browser's cookie counts on the pages alone.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from .attempts import Attempts
from .ledger import Ledger
from .refusals import Code, Refused
from .settings import SESSION
from .states import Role, Team

MAX_SECRET = 200
FORM = "form"
"""The field of every form that changes something: a token bound to the session."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A team that is signed in with a browser. ``form`` is what its forms must say."""

    team: Team
    secret: str

    @property
    def form(self) -> str:
        return hmac.new(self.secret.encode(), b"form", hashlib.sha256).hexdigest()


class Callers:
    """Finds out who calls. ``proxy``: the one address whose X-Forwarded-For is believed."""

    def __init__(self, ledger: Ledger, attempts: Attempts, *, proxy: str, https: bool) -> None:
        self._ledger, self._attempts = ledger, attempts
        self._proxy, self._https = proxy, https
        # __Host- binds a cookie to this host and to https; browsers refuse it without.
        self._cookie = "__Host-fgbench" if https else "fgbench"

    async def program(self, request: Request, role: Role | None = None) -> Team:
        """The team of the request's token. Raises ``Refused`` (FG-H154, FG-H155, FG-H157)."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise _no_token("the request has no token")
        team = await self._identify(request, token.strip())
        if team is None:
            raise _no_token("the token is no team's")
        return allow(team, role)

    async def visitor(self, request: Request) -> Visitor | None:
        """Who is signed in; None: nobody. Raises ``Refused`` (FG-H157)."""
        secret = request.cookies.get(self._cookie, "")
        if not secret or len(secret) > MAX_SECRET:
            return None
        client = self._admit(request)
        team = await run_in_threadpool(self._ledger.find_session, secret)
        if team is None:
            self._attempts.fail(client)
            return None
        self._attempts.succeed(client)
        return Visitor(team, secret)

    async def sign_in(self, request: Request, token: str) -> str | None:
        """The secret of a new session; None where the token is nobody's."""
        self.check_origin(request)
        team = await self._identify(request, token)
        return await run_in_threadpool(self._ledger.start_session, team) if team else None

    async def sign_out(self, visitor: Visitor) -> None:
        """End the session; its cookie is worth nothing from now on."""
        await run_in_threadpool(self._ledger.end_session, visitor.secret)

    def check_form(self, request: Request, visitor: Visitor, form: str) -> None:
        """Raises ``Refused`` (FG-H156) unless a page of ours, in this session, sent the form."""
        self.check_origin(request)
        if not hmac.compare_digest(form.encode(), visitor.form.encode()):
            raise Refused(Code.FORGED, "the form is not of this session")

    def check_origin(self, request: Request) -> None:
        """Raises ``Refused`` (FG-H156) where the request does not say that it is from here."""
        origin = request.headers.get("origin")
        own = f"{'https' if self._https else 'http'}://{request.headers['host'].lower()}"
        from_here = request.headers.get("sec-fetch-site") == "same-origin"
        if origin != own and not (origin is None and from_here):
            said = "of no page" if origin is None else "of another site's page"
            raise Refused(Code.FORGED, f"the form is {said}")

    def keep(self, answer: Response, secret: str) -> None:
        """Have the browser keep the session's secret, out of reach of scripts."""
        answer.set_cookie(
            self._cookie,
            secret,
            max_age=SESSION,
            path="/",
            secure=self._https,
            httponly=True,
            samesite="strict",
        )

    def forget(self, request: Request, answer: Response) -> None:
        """Have the browser drop the cookie that it sent; one that it kept back stays good."""
        if self._cookie in request.cookies:
            answer.delete_cookie(
                self._cookie, path="/", secure=self._https, httponly=True, samesite="strict"
            )

    async def _identify(self, request: Request, token: str) -> Team | None:
        client = self._admit(request)
        if len(token) > MAX_SECRET or not token.isascii():
            team = None
        else:
            team = await run_in_threadpool(self._ledger.identify, token)
        if team is None:
            self._attempts.fail(client)
        else:
            self._attempts.succeed(client)
        return team

    def _admit(self, request: Request) -> str:
        """The client's address, once it is found to have attempts left."""
        client = self._address(request)
        if wait := self._attempts.wait(client):
            said = f"too many failed attempts from this address; the next in {wait:,} seconds"
            raise Refused(Code.ATTEMPTS, said, headers={"retry-after": str(wait)})
        return client

    def _address(self, request: Request) -> str:
        """Where a request comes from: what the proxy saw, never what the client says it is."""
        peer = request.client.host if request.client else ""
        if not self._proxy or peer != self._proxy:
            return peer
        forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
        return forwarded.rpartition(",")[2].strip() or peer


def allow(team: Team, role: Role | None) -> Team:
    """The team, if it has the role that is asked for. Raises ``Refused`` (FG-H155)."""
    if role is not None and team.role is not role:
        raise Refused(Code.ROLE, f"this is for a token of role {role.value}")
    return team


def _no_token(what: str) -> Refused:
    return Refused(Code.TOKEN, what, headers={"www-authenticate": "Bearer"})
