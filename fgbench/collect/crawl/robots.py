"""robots.txt (RFC 9309, by protego) and X-Robots-Tag: what a host asks of us."""

from __future__ import annotations

from protego import Protego

from fgbench.collect.crawl.http import PRODUCT
from fgbench.collect.sites.base import Failure

_LARGEST = 500 * 1024
"""RFC 9309, section 2.5: a parser must take 500 KiB, and may ignore the rest."""

_FOR_EVER = 10**9
"""Seconds; a rate may be an integer that no float can hold."""


class Rules:
    """What a host's robots.txt says to us, by the status and body of the answer to it.

    None there (404 and other 4xx) allows everything; 401 and 403 forbid everything; 429, 5xx, a
    redirect that leads nowhere and no answer mean "not now". ``longest_delay`` is the longest
    crawl-delay that a run keeps to.
    """

    def __init__(self, status: int | None, body: bytes, longest_delay: float) -> None:
        self.delay = 0.0
        self._ban: tuple[Failure, str] | None = None
        self._robots: Protego | None = None
        if status is None or status == 429 or status >= 500 or 300 <= status < 400:
            found = f"answered {status}" if status else "could not be had"
            self._ban = (Failure.ROBOTS_UNAVAILABLE, f"robots.txt {found}: not now")
        elif status in {401, 403}:
            self._ban = (Failure.REFUSED_BY_ROBOTS, f"robots.txt itself is refused ({status})")
        elif 200 <= status < 300:
            self._robots = Protego.parse(body[:_LARGEST].decode("utf-8-sig", "replace"))
            self.delay = _delay(self._robots)
            if self.delay > longest_delay:
                detail = f"robots.txt asks for {self.delay:g} s between requests: more than a run"
                self._ban = (Failure.REFUSED_BY_ROBOTS, f"{detail} keeps to ({longest_delay:g} s)")

    def ban(self, url: str) -> tuple[Failure, str] | None:
        """Why a URL may not be asked, or nothing."""
        if self._ban or self._robots is None or self._robots.can_fetch(url, PRODUCT):
            return self._ban
        return Failure.REFUSED_BY_ROBOTS, "robots.txt disallows it"


def _delay(robots: Protego) -> float:
    delay = robots.crawl_delay(PRODUCT) or 0.0
    rate = robots.request_rate(PRODUCT)
    if rate is None:
        return delay
    return max(delay, min(rate.seconds, _FOR_EVER) / rate.requests)


def forbids_ai(x_robots_tag: str) -> bool:
    """Whether an X-Robots-Tag says ``noai`` or ``noimageai`` to everyone or to us.

    ``name: rule, rule`` holds for the crawler of that name up to the next name.
    """
    addressed = True
    for part in x_robots_tag.lower().split(","):
        name, colon, rule = part.rpartition(":")
        if colon:
            addressed = name.strip() in {"", "*", PRODUCT}
        if addressed and rule.strip() in {"noai", "noimageai"}:
            return True
    return False
