"""An admin's page: what teams ask to publish, what is published, and who did what."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..exports import Table, to_csv
from . import documents
from .api import MAX_ENTRIES, identity, read_reason
from .dispatch import route
from .openapi import MAX_REASON
from .service import Service
from .shell import ADMIN, Shell, go
from .states import Role

ENTRIES = 50
"""Lines of the audit log on the page."""


class AdminPages:
    """What an admin sees and does."""

    def __init__(self, service: Service, shell: Shell) -> None:
        self._service, self._shell = service, shell
        self._ledger = service.ledger

    def routes(self) -> list[Route]:
        """A route for every page and every form."""
        decided = f"{ADMIN}publications/{{id}}"
        return [
            route(ADMIN, GET=self.admin),
            route(f"{ADMIN}audit.csv", GET=self.audit),
            route(f"{decided}/approval", POST=self.approve),
            route(f"{decided}/refusal", POST=self.refuse),
        ]

    async def admin(self, request: Request) -> Response:
        """Requests, what is published, the log."""
        visitor = await self._shell.visitor(request, Role.ADMIN)
        requested = await run_in_threadpool(self._ledger.requested)
        published = await run_in_threadpool(self._ledger.published)
        entries = await run_in_threadpool(self._ledger.audit, ENTRIES)
        return self._shell.page(
            "admin.html",
            here="admin",
            visitor=visitor,
            requested=[documents.submission(found) for found in requested],
            published=[documents.submission(found) for found in published],
            entries=[documents.entry(entry) for entry in entries],
            max_entries=MAX_ENTRIES,
            max_reason=MAX_REASON,
            site=self._service.publication.status,
        )

    async def audit(self, request: Request) -> Response:
        """The log as a table."""
        await self._shell.visitor(request, Role.ADMIN)
        entries = await run_in_threadpool(self._ledger.audit, MAX_ENTRIES)
        rows = [documents.entry(entry) for entry in entries]
        header = ("at", "actor", "action", "submission", "detail")
        listed = tuple(tuple(row[name] for name in header) for row in rows)
        content = to_csv(Table("audit", "Audit log", header, listed))
        return Response(content, media_type="text/csv")

    async def approve(self, request: Request) -> Response:
        """Publish."""
        return await self._shell.act(
            request, Role.ADMIN, self._service.publication.decide, True, ""
        )

    async def refuse(self, request: Request) -> Response:
        """Refuse to publish, with a reason."""
        visitor, fields = await self._shell.form(request, Role.ADMIN)
        reason = read_reason({"reason": fields.get("reason", "")})
        decide = self._service.publication.decide
        await run_in_threadpool(decide, visitor.team, identity(request), False, reason)
        return go(ADMIN)
