"""Asking with manners: one request at a time a host, at its pace, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.pace import Clock, Host, Patience, retry_after
from fgbench.collect.sites.base import Failure, FetchFailed

_PASSING = {Failure.TIMEOUT, Failure.CONNECTION, Failure.TRUNCATED}


class Event(StrEnum):
    """What happens at a host, for whoever shows progress."""

    QUEUED = "queued"
    """A job was queued; the figure is how many."""
    FINISHED = "finished"
    """A job was finished; the figure is 1."""
    ASKED = "asked"
    """A request is made; the figure is the attempt, from 1."""
    REPLAYED = "replayed"
    """An answer came from the store; the figure is 1."""
    WAITING = "waiting"
    """Nothing is asked for so many seconds."""


Watch = Callable[[str, Event, float], None]
"""Told of a host, an event and its figure, from the thread where it happens."""


def unwatched(host: str, event: Event, figure: float) -> None:
    """A ``Watch`` that does not look."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a request in the end, and how many tries it took."""

    outcome: Answer | FetchFailed
    attempts: int


class Asker:
    """Sends requests to hosts as each of them can bear."""

    def __init__(self, clock: Clock, patience: Patience, watch: Watch) -> None:
        self._clock, self._patience, self._watch = clock, patience, watch
        self._hosts: dict[str, Host] = {}

    def host(self, name: str) -> Host:
        """The state of a host in this run."""
        return self._hosts.setdefault(name, Host())

    def ask(self, name: str, url: str, pace: float, send: Callable[[], Answer]) -> Asked:
        """What ``send`` brings for a URL of a host, tried again while it may pass.

        That is 429, 5xx and no answer; in between it waits as long as Retry-After says. A host that
        stays away, or asks for more than ``Patience`` has, is put off: nothing more is sent to it.
        """
        host = self.host(name)
        with host.lock:
            for attempt in range(1, self._patience.tries + 1):
                if host.put_off:
                    return Asked(FetchFailed(Failure.PUT_OFF, url, host.put_off), 0)
                self._take_turn(name, host, pace)
                self._watch(name, Event.ASKED, attempt)
                try:
                    outcome: Answer | FetchFailed = send()
                except FetchFailed as failure:
                    outcome = failure
                if not self._wait(host, outcome, attempt):
                    break
            return Asked(outcome, attempt)

    def _take_turn(self, name: str, host: Host, pace: float) -> None:
        wait = host.next_turn - self._clock.now()
        if wait > 0:
            self._watch(name, Event.WAITING, wait)
            self._clock.sleep(wait)
        host.next_turn = self._clock.now() + pace * self._patience.pace

    def _wait(self, host: Host, outcome: Answer | FetchFailed, attempt: int) -> bool:
        """Whether to try again, having set the host's next turn; else the host may be put off."""
        status = outcome.status if isinstance(outcome, Answer) else None
        if isinstance(outcome, FetchFailed):
            passing, asked = outcome.kind in _PASSING, None
        else:
            passing = outcome.status == 429 or outcome.status >= 500
            asked = retry_after(outcome.header("retry-after"), self._clock.now())
        if not passing:
            host.strikes = 0
            return False
        wait = self._patience.wait(attempt, status, asked)
        if wait > self._patience.longest_wait:
            host.put_off = f"the host asked for a wait of {wait:g} s, longer than a run waits"
        elif attempt == self._patience.tries and status == 429:
            host.put_off = f"the host asked {attempt} times to be asked less (429)"
        elif attempt == self._patience.tries:
            host.strikes += 1
            if host.strikes >= self._patience.strikes:
                host.put_off = f"the host failed {host.strikes} requests in a row"
        host.next_turn = max(host.next_turn, self._clock.now() + wait)
        return attempt < self._patience.tries and not host.put_off
