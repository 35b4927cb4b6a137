"""Copies in the Internet Archive: the capture nearest to a date, and whether it came whole.

The index (CDX) lists captures, a copy's address ends its timestamp with ``id_`` for the bytes as
they were. Pages that are gone or were changed since are read from here; a copy keeps the licence
of its original. How often the Archive may be asked is ``crawl.address.WAYBACK``.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

from fgbench.collect.sites.base import Failure, FetchFailed, Hit, Response, Session

HOST = "web.archive.org"
BEFORE_THE_PAPER = "2019-01-01"
"""The date that copies are taken near where the user names none."""

_INDEX = f"https://{HOST}/cdx/search/cdx"
_FIELDS = ("urlkey", "timestamp", "original", "digest")
_ROWS = 10_000
"""Captures in one answer of the index."""
_ANSWERS = 20
"""Answers of the index that one listing may take."""
_TIMESTAMP = re.compile(r"[0-9]{14}")
_DIGEST = re.compile(r"[A-Z2-7]{32}")
_ORIGINAL = re.compile(r"https?://([A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?(?:[/?][^\x00-\x20\x7f]*)?")


class NotArchived(Exception):
    """The Archive has no copy, or shows none; the text says which."""


class Scope(StrEnum):
    """Which addresses a listing covers."""

    EXACT = "exact"
    PREFIX = "prefix"
    DOMAIN = "domain"
    """A host and its subdomains."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A copy that the index lists. ``key`` is the original's address as the index sorts it.

    ``edu,psu,sites)/birds/black-footed-albatross``: lower case, host reversed. ``digest`` is the
    SHA-1 of the body in base 32.
    """

    key: str
    timestamp: str
    original: str
    digest: str

    @property
    def url(self) -> str:
        """Where the original's bytes are."""
        return f"https://{HOST}/web/{self.timestamp}id_/{self.original}"


def captures(
    session: Session,
    url: str,
    scope: Scope = Scope.EXACT,
    *,
    key: str = "",
    years: tuple[int, int] | None = None,
) -> tuple[Capture, ...]:
    """One capture of each HTML page at or under an address, by its key.

    It is the capture nearest to the session's date, else to the start of 2019; of two as near, the
    earlier. ``key`` is a regular expression for whole keys, evaluated by the Archive (Java).

    Raises ``NotArchived`` where there is none, or the Archive was told to show none (403), and
    ``FetchFailed``.
    """
    wanted = datetime.fromisoformat(session.as_of or BEFORE_THE_PAPER)
    host = url.partition("/")[0]
    nearest: dict[str, tuple[float, Capture]] = {}
    for row in _rows(session, _question(url, scope, key, years)):
        capture = _capture(row, host)
        taken = _moment(capture.timestamp) if capture else None
        if capture is None or taken is None:
            continue
        distance = abs((taken - wanted).total_seconds())
        best = nearest.get(capture.key)
        if best is None or (distance, capture.timestamp) < (best[0], best[1].timestamp):
            nearest[capture.key] = distance, capture
    if not nearest:
        raise NotArchived("the Internet Archive has no copy")
    return tuple(nearest[key][1] for key in sorted(nearest))


def hit_of(site: str, label: int, query: str, capture: Capture, session: Session) -> Hit:
    """The hit for a capture, with what ``check`` needs."""
    return Hit(
        site=site,
        label=label,
        query=query,
        url=session.canonical(capture.url),
        source_id=capture.timestamp,
        facts={"original": session.canonical(capture.original), "digest": capture.digest},
    )


def check(hit: Hit, response: Response) -> None:
    """Whether the copy is the one that the index lists; not known where it was stored packed.

    Raises ``FetchFailed`` (truncated) where its digest differs.
    """
    if "x-archive-orig-content-encoding" in response.headers:
        return
    digest = b32encode(hashlib.sha1(response.body, usedforsecurity=False).digest()).decode("ascii")
    if digest != hit.facts["digest"]:
        detail = f"the copy has SHA-1 {digest}, the index says {hit.facts['digest']}"
        raise FetchFailed(Failure.TRUNCATED, response.url, detail)


def _question(url: str, scope: Scope, key: str, years: tuple[int, int] | None) -> str:
    pairs = [
        ("url", url),
        ("matchType", scope.value),
        ("output", "json"),
        ("fl", ",".join(_FIELDS)),
        ("filter", "statuscode:200"),
        ("filter", "mimetype:text/html"),
    ]
    if key:
        pairs.append(("filter", f"urlkey:{key}"))
    if years:
        pairs += [("from", str(years[0])), ("to", str(years[1]))]
    pairs += [("limit", str(_ROWS)), ("showResumeKey", "true")]
    return f"{_INDEX}?{urlencode(pairs, quote_via=quote, safe=':/,')}"


def _rows(session: Session, question: str) -> Iterator[Sequence[Any]]:
    """The index's rows, answer after answer."""
    url = question
    for _ in range(_ANSWERS):
        rows, resume = _answer(session, url)
        yield from rows
        if not resume:
            return
        url = f"{question}&resumeKey={quote(resume, safe='%+')}"
    detail = f"more than {_ANSWERS * _ROWS} captures: too many to list"
    raise FetchFailed(Failure.TOO_LARGE, question, detail)


def _answer(session: Session, url: str) -> tuple[list[Sequence[Any]], str]:
    """The rows of one answer without its header, and the key for the next, if there is one."""
    try:
        response = session.get(url)
    except FetchFailed as failure:
        if failure.kind is Failure.HTTP_4XX and "403" in failure.detail:
            why = f"the Internet Archive shows no copies: {failure.detail}"
            raise NotArchived(why) from failure
        raise
    if response.status != 200 or not response.body.strip():
        return [], ""
    try:
        table = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        detail = "the index did not answer in JSON"
        raise FetchFailed(Failure.TRUNCATED, url, detail) from error
    if not isinstance(table, list) or not all(isinstance(row, list) for row in table):
        raise FetchFailed(Failure.TRUNCATED, url, "the index did not answer with a table")
    if len(table) >= 2 and not table[-2] and len(table[-1]) == 1:
        return table[1:-2], str(table[-1][0])
    return table[1:], ""


def _capture(row: Sequence[Any], host: str) -> Capture | None:
    """A row as a capture, if it is one of the host that was asked for, or of one below it."""
    if len(row) != len(_FIELDS) or not all(isinstance(cell, str) for cell in row):
        return None
    capture = Capture(*row)
    if not _DIGEST.fullmatch(capture.digest):
        return None
    found = _ORIGINAL.fullmatch(capture.original)
    return capture if found and f".{found[1].lower()}".endswith(f".{host}") else None


def _moment(timestamp: str) -> datetime | None:
    """When a capture was taken; None for what is no time, such as a 31st of February."""
    if not _TIMESTAMP.fullmatch(timestamp):
        return None
    try:
        return datetime.fromisoformat(f"{timestamp[:8]}T{timestamp[8:]}")
    except ValueError:
        return None
