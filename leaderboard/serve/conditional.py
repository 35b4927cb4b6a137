"""Answers with a tag: whoever has the same bytes already is told so, and gets none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response


def tag_of(content: bytes) -> str:
    """The strong tag of an answer's bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110, 13.1.2: weak comparison)."""
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or tag in (part.removeprefix("W/") for part in known)


def answer(request: Request, content: bytes, tag: str, headers: Mapping[str, str]) -> Response:
    """The content; or 304 where the reader has it."""
    if is_known(request, tag):
        kept = {name: value for name, value in headers.items() if name != "content-type"}
        return Response(status_code=304, headers={**kept, "etag": tag})
    return Response(content, headers={**headers, "etag": tag})
