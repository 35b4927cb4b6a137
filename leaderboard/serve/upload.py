"""Uploads: a card and its vectors, streamed from the request into the vault.

The names that files have at the sender's are never looked at. Memory is bounded by ``PIECE`` for
each upload under way, whatever is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import anyio
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from .body import Pace, declared_size, read_body
from .callers import FORM
from .errors import QuotaExceeded, show_size
from .incoming import Incoming
from .layout import Part
from .ledger import Ledger
from .refusals import Code, Refused
from .settings import Limits
from .states import Submission, Team
from .vault import Vault

PIECE = 1 << 20
"""Bytes of an upload that are held before they are written."""
OVERHEAD = 8192
"""Bytes of a form beside its files."""
MAX_FIELD = 256
MAX_BOUNDARY = 70
"""Signs of a boundary (RFC 2046, 5.1.1)."""
FILES: Mapping[str, Part] = {"card": Part.CARD, "submission": Part.SUBMISSION}
"""The parts of the form that are files, by their names in it."""
_KIND = "multipart/form-data"
_ENCODINGS = (b"binary", b"8bit", b"7bit")


class Uploads:
    """Takes uploads in; ``accepted`` is told of each that is new."""

    def __init__(
        self, ledger: Ledger, vault: Vault, limits: Limits, accepted: Callable[[], object]
    ) -> None:
        self._ledger, self._vault, self._limits = ledger, vault, limits
        self._accepted = accepted
        self._under_way: Counter[int] = Counter()

    async def take(
        self, request: Request, team: Team, check: Callable[[str], None] | None = None
    ) -> tuple[Submission, bool]:
        """The submission that a request hands in, and whether it is new.

        ``check`` is given the form's token, which then has to come first, and raises where it is
        not right. Raises ``Refused`` and what the ledger and the vault raise; then nothing is kept.
        """
        boundary = _boundary(request)
        with self._room(team):
            await self._check_quota(request, team)
            stack = ExitStack()
            incoming = await run_in_threadpool(stack.enter_context, self._vault.start())
            try:
                await self._receive(request, _Form(boundary, check), incoming)
                found = await run_in_threadpool(self._vault.keep, incoming, team, self._ledger)
            finally:
                with anyio.CancelScope(shield=True):
                    await run_in_threadpool(stack.close)
        if found[1]:
            self._accepted()
        return found

    @contextmanager
    def _room(self, team: Team) -> Iterator[None]:
        most, mine = self._limits.uploads, self._limits.waiting
        if self._under_way.total() >= most or self._under_way[team.id] >= mine:
            said = f"{mine} uploads of a team, and {most} in all, may be under way at once"
            raise Refused(Code.BUSY, said, headers={"retry-after": "30"})
        self._under_way[team.id] += 1
        try:
            yield
        finally:
            self._under_way[team.id] -= 1
            self._under_way += Counter()  # forgets teams without any

    async def _check_quota(self, request: Request, team: Team) -> None:
        """Refuse before the body comes, but for what may repeat an upload: that counts nowhere."""
        size = declared_size(request)
        try:
            await run_in_threadpool(self._ledger.check_quota, team, max(0, size - OVERHEAD))
        except QuotaExceeded:
            own = await run_in_threadpool(self._ledger.list_own, team)
            if not any(0 <= size - known.size <= OVERHEAD for known in own):
                raise

    async def _receive(self, request: Request, form: _Form, incoming: Incoming) -> None:
        limits = self._limits
        most = limits.upload + limits.card + OVERHEAD
        async for piece in read_body(request, most, Pace(least=limits.slowest)):
            form.feed(piece)
            if form.held >= PIECE:
                await run_in_threadpool(_write, form.release(), incoming)
        form.end()
        await run_in_threadpool(_write, form.release(), incoming)


@dataclass(slots=True)
class _Form:
    """A form of several parts, taken apart as it comes."""

    boundary: bytes
    check: Callable[[str], None] | None
    held: int = 0
    _pieces: list[tuple[Part, bytearray]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _name: str = ""
    _field: bytearray = field(default_factory=bytearray)
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _ended: bool = False
    _parser: MultipartParser = field(init=False)

    def __post_init__(self) -> None:
        self._parser = MultipartParser(
            self.boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": lambda data, i, j: self._header.extend(data[i:j]),
                "on_header_value": lambda data, i, j: self._value.extend(data[i:j]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_part,
                "on_part_data": self._take,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> None:
        """The next bytes of the body. Raises ``Refused`` (FG-H156, FG-H161, FG-H162)."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise Refused(Code.BODY, "the body is not the form that it says it is") from error

    def release(self) -> list[tuple[Part, bytearray]]:
        """What of the files has come since the last time."""
        pieces, self._pieces, self.held = self._pieces, [], 0
        return pieces

    def end(self) -> None:
        """Nothing more comes. Raises ``Refused`` for a form that breaks off, or lacks a part."""
        if not self._ended:
            raise Refused(Code.BODY, "the form breaks off")
        if lacking := sorted(FILES.keys() - self._seen):
            raise Refused(Code.PARTS, f"the form has no {' and no '.join(lacking)}")

    def _end_header(self) -> None:
        self._headers[bytes(self._header).lower()] = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _begin_part(self) -> None:
        encoding = self._headers.get(b"content-transfer-encoding", b"binary")
        if encoding.strip().lower() not in _ENCODINGS:
            raise Refused(Code.BODY, "a part of the form has an encoding of its own")
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"")[:60].decode("ascii", "replace")
        if self._name not in FILES and not (self.check and self._name == FORM):
            raise Refused(Code.PARTS, f"the form has a part {self._name!r}")
        if self._name in self._seen:
            raise Refused(Code.PARTS, f"the form has two parts {self._name!r}")
        if self.check and self._name != FORM and FORM not in self._seen:
            raise Refused(Code.FORGED, "the form does not begin with its token")
        self._seen.add(self._name)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._name != FORM:
            part = FILES[self._name]
            if not self._pieces or self._pieces[-1][0] is not part:
                self._pieces.append((part, bytearray()))
            self._pieces[-1][1].extend(memoryview(data)[start:end])
            self.held += end - start
        elif len(self._field) + end - start > MAX_FIELD:
            raise Refused(Code.FORGED, "the form is not of this session")
        else:
            self._field += data[start:end]

    def _end_part(self) -> None:
        if self.check and self._name == FORM:
            self.check(self._field.decode("ascii", "replace"))

    def _end(self) -> None:
        self._ended = True


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind.lower() != _KIND.encode() or not 0 < len(boundary) <= MAX_BOUNDARY:
        said = f"a body of {kind[:60].decode('ascii', 'replace')!r}"
        raise Refused(Code.KIND, f"{said}, not {_KIND} with a boundary")
    return boundary


def _write(pieces: list[tuple[Part, bytearray]], incoming: Incoming) -> None:
    for part, piece in pieces:
        incoming.write(part, bytes(piece))


def describe(limits: Limits) -> str:
    """The bounds of an upload and of a team, for people."""
    return (
        f"At most {show_size(limits.upload)} an upload and {show_size(limits.card)} its card; "
        f"{limits.per_day} submissions in 24 hours, {limits.waiting} waiting at once, "
        f"{show_size(limits.team_bytes)} in all. Failed ones do not count by day."
    )
