"""Faults on demand: what goes wrong at a site of the sample world, at which address, how often."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

MOVED = "/moved"
"""Before a path: the same page, where a redirect on the same host leads."""


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
    GONE = "gone"
    """404, although the address is listed."""
    EMPTY = "empty"
    """200 and no byte."""
    CUT_SHORT = "cut_short"
    """Half of the body, which says that it is all: a file that broke off when it was made."""
    NOT_AUDIO = "not_audio"
    """A page in HTML with status 200, whatever was asked for."""
    MISNAMED = "misnamed"
    """The file under the name and the type of a WAV file."""
    TEN_HOURS = "ten_hours"
    """A WAV file of the same sound whose header claims ten hours."""


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
