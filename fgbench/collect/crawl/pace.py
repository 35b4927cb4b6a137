"""How long to wait: a host's turn, its Retry-After, and when to leave it alone."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol


class Stopped(Exception):
    """The run ends: nobody waits any longer."""


class Clock(Protocol):
    """The time, and waiting; tests bring their own."""

    def now(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Waits; raises ``Stopped`` once the run is stopped."""

    def stop(self) -> None:
        """Ends all waiting, now and later."""


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        if self._stopped.wait(max(0.0, seconds)):
            raise Stopped

    def stop(self) -> None:
        self._stopped.set()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a URL is tried, and how long a host is waited for. Seconds."""

    tries: int = 4
    backoff: float = 2.0
    """The wait before the second try; it doubles with each."""
    longest_wait: float = 300.0
    """A Retry-After or crawl-delay beyond this is not sat out: the host is put off."""
    unstated_wait: float = 60.0
    """After a 429 without Retry-After, as the Internet Archive asks."""
    strikes: int = 3
    """So many URLs in a row without an answer, and the host is put off for this run."""
    pace: float = 1.0
    """Multiplies every pace; 0 is for the sample world, which is on this machine."""

    def wait(self, attempt: int, status: int | None, retry_after: float | None) -> float:
        """Seconds to wait after the ``attempt``-th try (from 1) that ended so."""
        if retry_after is not None:
            return retry_after
        return self.unstated_wait if status == 429 else self.backoff * 2 ** (attempt - 1)


@dataclass(slots=True)
class Host:
    """A host in this run: whose turn it is, when its next turn is, how it has behaved."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held for a whole request: one at a time."""
    next_turn: float = 0.0
    strikes: int = 0
    put_off: str = ""
    """Why it is asked nothing more in this run."""


def retry_after(value: str, now: float) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or a date; None if neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    moment = moment_of(value)
    return None if moment is None else max(0.0, moment.timestamp() - now)


def moment_of(http_date: str) -> datetime | None:
    """The moment that an HTTP date names, in UTC; None where it names none."""
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None
