"""What programs ask for: each operation of the table, by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from fgbench import __version__
from fgbench.protocol import PROTOCOL_VERSION
from fgbench.scoring.run import PER_QUERY, RECORD
from fgbench.scoring.summary import describe_benchmark

from ..exports import to_csv
from ..text import escape, tidy
from . import documents
from .body import read_small
from .conditional import answer, is_known, tag_of
from .dispatch import route
from .errors import UnknownSubmission
from .openapi import MAX_REASON, describe
from .operations import BASE, Answer, by_path
from .refusals import Code, Refused
from .service import Service
from .states import Role, Submission, Team

MAX_ENTRIES = 1000
_JSON = "application/json"
_OWN = "private, no-cache"


class Api:
    """The operations. Callers are known by their token alone; cookies are not looked at."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._callers, self._ledger = service.callers, service.ledger
        self._index = _dump(_describe_service(service))
        self._openapi = _dump(describe())

    def routes(self) -> list[Route]:
        """A route for every path of the table."""
        routes = []
        for path, operations in by_path().items():
            handlers = {o.method: getattr(self, o.name) for o in operations}
            routes.append(route(path, **handlers))
        return routes

    async def health(self, request: Request) -> Response:
        await run_in_threadpool(self._ledger.audit, 1)
        if not self._service.worker.alive:
            raise Refused(Code.ILL, "nothing is being scored")
        return JSONResponse({"ok": True})

    async def index(self, request: Request) -> Response:
        return _tagged(request, self._index, "no-cache")

    async def openapi(self, request: Request) -> Response:
        return _tagged(request, self._openapi, "no-cache")

    async def submissions(self, request: Request) -> Response:
        own = [documents.submission(found) for found in await self._own(request)]
        return _tagged(request, _dump({"submissions": own}))

    async def submissions_csv(self, request: Request) -> Response:
        content = to_csv(documents.table(await self._own(request))).encode()
        return _tagged(request, content, kind=f"{Answer.CSV}; charset=utf-8")

    async def upload(self, request: Request) -> Response:
        team = await self._callers.program(request, Role.TEAM)
        found, new = await self._service.uploads.take(request, team)
        place = {"location": f"{BASE}/submissions/{found.id}"}
        return JSONResponse(documents.submission(found), 201 if new else 200, place)

    async def submission(self, request: Request) -> Response:
        found = await self._find(request)
        return _tagged(request, _dump(documents.submission(found)))

    async def record(self, request: Request) -> Response:
        return await result(request, self._service, await self._find(request), RECORD)

    async def per_query(self, request: Request) -> Response:
        return await result(request, self._service, await self._find(request), PER_QUERY)

    async def withdraw(self, request: Request) -> Response:
        team = await self._callers.program(request, Role.TEAM)
        return await _changed(self._service.publication.withdraw, team, identity(request))

    async def request_publication(self, request: Request) -> Response:
        team = await self._callers.program(request, Role.TEAM)
        return await _changed(self._ledger.request_publication, team, identity(request))

    async def publications(self, request: Request) -> Response:
        await self._callers.program(request, Role.ADMIN)
        listed = {
            "requested": await run_in_threadpool(self._ledger.requested),
            "published": await run_in_threadpool(self._ledger.published),
        }
        document = {k: [documents.submission(found) for found in v] for k, v in listed.items()}
        return _tagged(request, _dump(document))

    async def approve(self, request: Request) -> Response:
        admin = await self._callers.program(request, Role.ADMIN)
        decide = self._service.publication.decide
        return await _changed(decide, admin, identity(request), True, "")

    async def refuse(self, request: Request) -> Response:
        admin = await self._callers.program(request, Role.ADMIN)
        reason = read_reason(_parse(await read_small(request, _JSON)))
        decide = self._service.publication.decide
        return await _changed(decide, admin, identity(request), False, reason)

    async def audit(self, request: Request) -> Response:
        await self._callers.program(request, Role.ADMIN)
        entries = await run_in_threadpool(self._ledger.audit, MAX_ENTRIES)
        return _tagged(request, _dump({"entries": [documents.entry(e) for e in entries]}))

    async def _own(self, request: Request) -> list[Submission]:
        team = await self._callers.program(request, Role.TEAM)
        return await run_in_threadpool(self._ledger.list_own, team)

    async def _find(self, request: Request) -> Submission:
        team = await self._callers.program(request)
        return await find(request, self._service, team)


def identity(request: Request) -> str:
    """The id in the path."""
    return str(request.path_params["id"])


async def find(request: Request, service: Service, team: Team) -> Submission:
    """The submission that the path names, if the team may see it; else ``UnknownSubmission``."""
    found = await run_in_threadpool(service.ledger.find, team, identity(request))
    if found is None:
        raise UnknownSubmission
    return found


async def result(request: Request, service: Service, found: Submission, name: str) -> Response:
    """A file of a scored submission. Raises ``UnknownSubmission`` where there is none."""
    path: Path | None = await run_in_threadpool(service.vault.result, found.id, name)
    if path is None:
        raise UnknownSubmission
    headers = {"etag": f'"{found.id}-{found.version}"', "cache-control": _OWN}
    if is_known(request, headers["etag"]):
        return Response(status_code=304, headers=headers)
    kind = _JSON if name == RECORD else Answer.PER_QUERY
    return FileResponse(path, headers=headers, media_type=kind, filename=f"{found.id}-{name}")


def read_reason(fields: Any) -> str:
    """The reason of a refusal, on one line, fit to be shown. Raises ``Refused`` (FG-H164)."""
    if not isinstance(fields, dict) or set(fields) != {"reason"}:
        raise Refused(Code.REASON, 'the body is not {"reason": "…"}')
    reason = fields["reason"]
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not reason.strip():
        raise Refused(Code.REASON, f"the reason is no text of 1 to {MAX_REASON} signs")
    return escape(tidy(reason))


async def _changed(change: Callable[..., Submission], *values: Any) -> Response:
    return JSONResponse(documents.submission(await run_in_threadpool(change, *values)))


def _tagged(request: Request, content: bytes, cache: str = _OWN, kind: str = _JSON) -> Response:
    headers = {"cache-control": cache, "content-type": kind}
    return answer(request, content, tag_of(content), headers)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(Code.BODY, "the body is not JSON") from error


def _dump(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def _describe_service(service: Service) -> dict[str, Any]:
    limits = service.settings.limits
    return {
        "api": 1,
        "package_version": __version__,
        "protocol": PROTOCOL_VERSION,
        "benchmark": describe_benchmark(service.benchmark),
        "limits": {
            "upload_bytes": limits.upload,
            "card_bytes": limits.card,
            "submissions_in_24_hours": limits.per_day,
            "waiting_at_once": limits.waiting,
            "team_bytes": limits.team_bytes,
            "least_bytes_a_second": limits.slowest,
        },
    }
