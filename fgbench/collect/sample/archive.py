"""The miniature Internet Archive: the index of captures (CDX) and the copies themselves."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from hashlib import sha1
from urllib.parse import quote_plus, unquote, urlsplit

from fgbench.collect.sample.miniature import Answer, Miniature, Request, json_answer, not_found

_FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_COPY = re.compile(r"/web/(\d{14})(?:id_)?/(.+)", re.DOTALL)
_BLOCKED = (
    "org.archive.util.io.RuntimeIOException: org.archive.wayback.exception."
    "AdministrativeAccessControlException: Blocked Site Error"
)


@dataclass(frozen=True)
class Capture:
    """A copy: when it was taken, of which address, what came."""

    timestamp: str
    original: str
    body: bytes
    status: str = "200"
    mimetype: str = "text/html"

    @cached_property
    def key(self) -> str:
        """The address as the index sorts it: "edu,psu,sites)/blog/2015"."""
        return surt(self.original)

    @cached_property
    def row(self) -> dict[str, str]:
        """The index's fields. ``digest`` is the SHA-1 of the body in base 32."""
        digest = b32encode(sha1(self.body, usedforsecurity=False).digest()).decode()
        length = str(len(self.body) + 300)
        cells = (
            self.key,
            self.timestamp,
            self.original,
            self.mimetype,
            self.status,
            digest,
            length,
        )
        return dict(zip(_FIELDS, cells, strict=True))


def surt(url: str) -> str:
    """An address without scheme, ``www.``, port and case, its host turned round."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = re.sub(r"^www\d*\.", "", (parts.hostname or "").lower())
    path = parts.path.rstrip("/") or "/"
    query = f"?{parts.query}" if parts.query else ""
    return f"{','.join(reversed(host.split('.')))}){path}{query}".lower()


def archive(captures: Iterable[Capture], blocked: Iterable[str]) -> Miniature:
    """An Archive of these captures, which shows nothing of the blocked hosts."""
    ordered = tuple(sorted(captures, key=lambda c: (c.key, c.timestamp)))
    hidden = frozenset(surt(host).partition(")")[0] for host in blocked)

    def respond(request: Request) -> Answer:
        wanted = _COPY.fullmatch(unquote(request.target))
        try:
            if request.path == "/cdx/search/cdx":
                return _index(ordered, hidden, request)
            return _copy(ordered, *wanted.groups()) if wanted else not_found("Wayback Machine")
        except (re.error, KeyError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}\n"
            return Answer(400, detail.encode(), {"Content-Type": "text/plain; charset=utf-8"})

    return Miniature("wayback", "User-agent: *\nDisallow: /save/\n", respond)


def _index(captures: Sequence[Capture], hidden: frozenset[str], request: Request) -> Answer:
    """An answer of the index: a table in JSON, or lines."""
    url = request.first("url")
    if surt(url).partition(")")[0] in hidden:
        headers = {"Content-Type": "text/plain", "X-Archive-Wayback-Runtime-Error": _BLOCKED}
        return Answer(403, f"{_BLOCKED}\n".encode(), headers)
    rows, resume = _cut(_wanted(captures, url, request), request)
    names = request.first("fl", ",".join(_FIELDS)).split(",")
    table = [[row[name] for name in names if name in row] for row in rows]
    if request.first("output") != "json":
        lines = [" ".join(line) for line in table] + (["", resume] if resume else [])
        text = "".join(f"{line}\n" for line in lines)
        return Answer(200, text.encode(), {"Content-Type": "text/plain;charset=utf-8"})
    head: list[list[str]] = [names] if table else []
    return json_answer([*head, *table, *([[], [resume]] if resume else [])])


def _wanted(captures: Sequence[Capture], url: str, request: Request) -> list[dict[str, str]]:
    """The rows that a question matches: scope, dates, filters, then one of what is collapsed."""
    start, end = request.first("from"), request.first("to")
    filters = [_filter(text) for text in request.query.get("filter", [])]
    rows = [
        capture.row
        for capture in captures
        if _matches(capture.key, url, request.first("matchType", "exact"))
        and capture.timestamp[: len(start)] >= start
        and capture.timestamp[: len(end)] <= end
    ]
    rows = [row for row in rows if all(_passes(row, *one) for one in filters)]
    for text in request.query.get("collapse", []):
        name, _, count = text.partition(":")
        width = int(count) if count else None
        rows = [
            row
            for before, row in zip([None, *rows], rows, strict=False)
            if before is None or before[name][:width] != row[name][:width]
        ]
    return rows


def _matches(key: str, url: str, scope: str) -> bool:
    wanted = surt(url)
    host = wanted.partition(")")[0]
    if scope == "exact":
        return key == wanted
    if scope == "prefix":
        slash = "/" if url.endswith("/") and not wanted.endswith("/") else ""
        return key.startswith(wanted + slash)
    own = key.partition(")")[0]
    return own == host or (scope == "domain" and own.startswith(f"{host},"))


def _filter(text: str) -> tuple[str, re.Pattern[str], bool]:
    """``[!]field:regex`` as its parts, and whether a match is wanted."""
    name, _, pattern = text.removeprefix("!").partition(":")
    return name, re.compile(pattern), not text.startswith("!")


def _passes(row: dict[str, str], name: str, pattern: re.Pattern[str], wanted: bool) -> bool:
    return (pattern.fullmatch(row[name]) is not None) is wanted


def _cut(rows: list[dict[str, str]], request: Request) -> tuple[list[dict[str, str]], str]:
    """The rows after ``resumeKey`` and within ``limit``, and the key for those that are left."""
    after = request.first("resumeKey").removesuffix("!")
    rows = [row for row in rows if not after or _place(row) > after]
    limit = int(request.first("limit") or 0)
    if limit < 0:
        return rows[limit:], ""
    if not limit or limit >= len(rows):
        return rows, ""
    resume = quote_plus(f"{_place(rows[limit - 1])}!")
    return rows[:limit], resume if request.first("showResumeKey") == "true" else ""


def _place(row: dict[str, str]) -> str:
    return f"{row['urlkey']} {row['timestamp']}"


def _copy(captures: Sequence[Capture], timestamp: str, original: str) -> Answer:
    """The bytes as they were; a redirect to the nearest copy where the moment is another."""
    same = [c for c in captures if c.key == surt(original)]
    if not same:
        return not_found("Wayback Machine")
    found = min(same, key=lambda c: (abs(int(c.timestamp) - int(timestamp)), c.timestamp))
    if found.timestamp != timestamp:
        return Answer(302, headers={"Location": f"/web/{found.timestamp}id_/{found.original}"})
    taken = datetime.strptime(found.timestamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    headers = {
        "Content-Type": found.mimetype,
        "Memento-Datetime": format_datetime(taken, usegmt=True),
        "X-Archive-Orig-Date": format_datetime(taken, usegmt=True),
    }
    return Answer(int(found.status), found.body, headers)
