"""The body of a request: read within bounds of size and time, or refused."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

import anyio
from starlette.requests import ClientDisconnect, Request

from .errors import show_size
from .refusals import Code, Refused

MAX_FORM = 16_384
"""Bytes of a form or of a JSON document."""
MAX_FIELDS = 20
MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a sender may be: seconds without a byte, and bytes a second once ``grace_s`` is
    over, on the average since the start."""

    idle_s: float = 20
    grace_s: float = 30
    least: float = 16_384


def declared_size(request: Request) -> int:
    """The bytes that a body is said to have; 0 where that is not said. It may be a lie."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= MAX_DIGITS else 0


async def read_body(request: Request, limit: int, pace: Pace) -> AsyncIterator[bytes]:
    """The body in pieces of at most 64 KiB or so. Raises ``Refused`` (FG-H158, FG-H159)."""
    if (declared := declared_size(request)) > limit:
        raise _too_large(limit, f"{show_size(declared)} are declared")
    start, total, more = time.monotonic(), 0, True
    while more:
        try:
            with anyio.fail_after(pace.idle_s):
                message = await request.receive()
        except TimeoutError as error:
            raise Refused(Code.SLOW, f"nothing came for {pace.idle_s:g} seconds") from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        total += len(piece)
        if total > limit:
            raise _too_large(limit, "more came")
        elapsed = time.monotonic() - start
        if more and elapsed > pace.grace_s and total < pace.least * elapsed:
            said = f"{total:,} bytes came in {elapsed:.0f} seconds"
            raise Refused(Code.SLOW, f"{said}, less than {pace.least:,.0f} a second")
        yield piece


async def read_small(request: Request, kind: str) -> bytes:
    """The whole body of a small request of this content type; raises ``Refused`` (FG-H160)."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found != kind:
        raise Refused(Code.KIND, f"a body of {found[:60]!r}, not {kind}")
    pace = Pace(idle_s=10, grace_s=10, least=MAX_FORM / 20)
    return b"".join([piece async for piece in read_body(request, MAX_FORM, pace)])


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form of HTML, each once. Raises ``Refused`` (FG-H158 to FG-H161)."""
    body = await read_small(request, "application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise Refused(Code.BODY, "the form cannot be read") from error
    if len(dict(pairs)) < len(pairs):
        raise Refused(Code.BODY, "the form has a field twice")
    return dict(pairs)


def _too_large(limit: int, found: str) -> Refused:
    return Refused(Code.TOO_LARGE, f"the body may have at most {show_size(limit)}; {found}")
