"""The crawl session: what a site's ``find`` asks through, and what a build fetches with.

A URL that the journal knows is answered from the store without any request, so that a second run,
and ``offline``, replay the first. Every hop of a redirect is a URL of its own: checked, paced,
stored and journalled.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from fgbench.collect.crawl.address import Addresses, Origin, origins_of
from fgbench.collect.crawl.archive import Archive
from fgbench.collect.crawl.asker import Asked, Asker, Event, Watch, unwatched
from fgbench.collect.crawl.guard import Guard
from fgbench.collect.crawl.http import Answer, Client, Limits
from fgbench.collect.crawl.journal import Fetch, Journal, State
from fgbench.collect.crawl.keys import Keys
from fgbench.collect.crawl.pace import Clock, Patience, SystemClock
from fgbench.collect.crawl.robots import Rules
from fgbench.collect.crawl.verdict import failed, judge
from fgbench.collect.sites.base import Failure, FetchFailed, Hit, Response, Site
from fgbench.errors import InputError
from fgbench.settings import Settings

_HOPS = 5
_LOGGERS = [logging.getLogger(f"urllib3.{name}") for name in ("connection", "connectionpool")]
"""Those that write whole addresses."""


class CrawlSession:
    """A build folder's store and journal, and the network beyond them; any thread may use it.

    ``with CrawlSession(out, sites, settings) as session``. ``retry_failed`` asks once more, a run,
    for each URL that failed or was refused, and for those of ``unusable``: they were answered, but
    with nothing that their site could read.

    Raises ``InputError``: another build holds the folder, its store is damaged, or the real network
    is to be asked without a contact.
    """

    def __init__(
        self,
        folder: Path,
        sites: Iterable[Site],
        settings: Settings,
        *,
        as_of: str | None = None,
        offline: bool = False,
        retry_failed: bool = False,
        unusable: Collection[str] = (),
        limits: Limits | None = None,
        patience: Patience | None = None,
        clock: Clock | None = None,
        watch: Watch = unwatched,
    ) -> None:
        self.as_of, self._offline, self._retry_failed = as_of, offline, retry_failed
        self._unusable = frozenset(unusable)
        self.clock = clock or SystemClock()
        self._patience, self._watch = patience or Patience(), watch
        self._addresses = Addresses(origins_of(sites), settings)
        if self._addresses.real and not offline and not settings.contact:
            raise _no_contact(self._addresses.real)
        self._keys = Keys(settings.keys)
        self._client = Client(
            Guard(self._addresses.admitted),
            settings.contact,
            limits or Limits(),
            use_proxy=settings.use_proxy,
        )
        self._asker = Asker(self.clock, self._patience, watch)
        self._retried: set[str] = set()
        self._rules: dict[str, Rules] = {}
        self._rules_locks: dict[str, threading.Lock] = {}
        self._archive = Archive(folder, self.clock)
        for logger in _LOGGERS:
            logger.addFilter(self._keys)

    def __enter__(self) -> CrawlSession:
        return self

    def __exit__(self, *_: object) -> None:
        for logger in _LOGGERS:
            logger.removeFilter(self._keys)
        self._archive.close()

    @property
    def journal(self) -> Journal:
        """What became of every URL so far."""
        return self._archive.journal

    def canonical(self, url: str) -> str:
        """The canonical, keyless form of a URL, a stand-in's too.

        Raises ``FetchFailed`` (bad_url).
        """
        return self._addresses.canonical(self._keys.redact(url))

    def has_key(self, name: str) -> bool:
        """Whether the user gave the key of this name."""
        return name in self._keys

    def link(self, hit: Hit) -> None:
        """Notes in the journal what site, species and query led to a URL."""
        self.journal.link(hit)

    def get(self, url: str) -> Response:
        """The answer for a URL, redirects followed: 2xx, 404 or 410.

        Raises ``FetchFailed`` otherwise, the same from the journal as from the network.
        """
        first = fetch = self._fetch(self.canonical(url))
        seen = {first.url}
        while fetch.state is State.MOVED:
            if fetch.target in seen or len(seen) > _HOPS:
                verdict = failed(Failure.REDIRECT_LOOP, f"a loop, or more than {_HOPS} redirects")
                fetch = self._archive.overturn(first, verdict)
                break
            fetch = self._fetch(fetch.target)
            seen.add(fetch.url)
        if fetch.failure is not None:
            via = f"redirected to {fetch.url}: " if fetch.url != first.url else ""
            raise FetchFailed(fetch.failure, first.url, via + fetch.detail)
        return self._archive.response(first.url, fetch)

    def _fetch(self, url: str) -> Fetch:
        """What became of one URL: from the journal, or asked for and written down now."""
        known = self._known(url)
        host = urlsplit(url).netloc
        if known is not None:
            self._watch(host, Event.REPLAYED, 1)
            return known
        origin = self._addresses.origin(url)
        self._keys.sign(origin.auth, url, url)  # without its key there is nothing to ask
        if self._offline:
            raise FetchFailed(Failure.OFFLINE, url, "offline, and not in the store")
        rules = self._rules_of(url, origin)
        with self._asker.host(host).lock:
            known = self._known(url)  # another thread may have asked while this one waited
            if known is not None:
                return known
            self._retried.add(url)
            ban = rules.ban(url)
            if ban:
                return self._archive.note(url, failed(*ban), attempts=0)
            asked = self._ask(url, origin, rules.delay)
            return self._keep(url, asked)

    def _known(self, url: str) -> Fetch | None:
        fetch = self.journal.find(url)
        if fetch is None or self._offline or not self._retry_failed or url in self._retried:
            return fetch
        return fetch if fetch.failure is None and url not in self._unusable else None

    def _rules_of(self, url: str, origin: Origin) -> Rules:
        """What the URL's host asks of us in robots.txt: asked for once a run."""
        if not origin.robots:
            return Rules(404, b"", 0)
        parts = urlsplit(url)
        with self._rules_locks.setdefault(parts.netloc, threading.Lock()):
            if parts.netloc not in self._rules:
                start = f"{parts.scheme}://{parts.netloc}/robots.txt"
                self._rules[parts.netloc] = self._read_rules(start, origin)
            return self._rules[parts.netloc]

    def _read_rules(self, url: str, origin: Origin) -> Rules:
        for _ in range(_HOPS + 1):
            asked = self._ask(url, origin, 0)
            fetch = self._keep(url, asked)
            if fetch.state is not State.MOVED:
                break
            url = fetch.target
        if isinstance(asked.outcome, FetchFailed):
            return Rules(None, b"", self._patience.longest_wait)
        return Rules(asked.outcome.status, asked.outcome.body, self._patience.longest_wait)

    def _ask(self, url: str, origin: Origin, delay: float) -> Asked:
        address, headers = self._keys.sign(origin.auth, url, self._addresses.address(url))
        return self._asker.ask(
            urlsplit(url).netloc,
            url,
            max(origin.pace_of(url), delay),
            lambda: self._client.ask(url, address, headers),
        )

    def _keep(self, url: str, asked: Asked) -> Fetch:
        """Stores an answer, without keys, and journals what it amounts to."""
        if isinstance(asked.outcome, FetchFailed):
            verdict = failed(asked.outcome.kind, self._keys.redact(asked.outcome.detail))
            return self._archive.note(url, verdict, attempts=asked.attempts)
        answer = self._redacted(asked.outcome)
        verdict = judge(url, answer, self._addresses)
        return self._archive.note(url, verdict, answer, asked.attempts)

    def _redacted(self, answer: Answer) -> Answer:
        redact = self._keys.redact
        return replace(
            answer,
            headers=tuple((name, redact(value)) for name, value in answer.headers),
            sent=tuple((name, redact(value)) for name, value in answer.sent),
            body=self._keys.redact_bytes(answer.body),
        )


def _no_contact(origins: Iterable[str]) -> InputError:
    return InputError(
        "FG-W001",
        f"no contact is given, and {', '.join(origins)} would be asked",
        why="Every request says who asks, so that a site's owner can write before they block.",
        fix="Give --contact you@lab.edu, or set FGBENCH_CONTACT.",
    )
