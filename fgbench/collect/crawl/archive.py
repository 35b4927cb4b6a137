"""What a build folder remembers of the network: its store and its journal, under one lock."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.journal import Fetch, Journal
from fgbench.collect.crawl.lock import hold
from fgbench.collect.crawl.pace import Clock, moment_of
from fgbench.collect.crawl.store import Store
from fgbench.collect.crawl.verdict import Verdict
from fgbench.collect.sites.base import Failure, Response
from fgbench.errors import InputError


class Archive:
    """Store and journal of a build folder. Any thread may use it; no other process can meanwhile.

    Raises ``InputError`` where another build holds the folder, or it is damaged.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._clock = clock
        self._writing = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(hold(folder))
            path, store = folder / "journal.sqlite", folder / "store"
            if not path.exists() and any(store.glob("*.warc.gz")):
                raise InputError(
                    "FG-W004",
                    f"{store} has pages, but {path} is missing",
                    why="Without its journal nobody knows which pages of a store are whole.",
                    fix="Bring the journal back from a copy, or start anew with another --out.",
                )
            self.journal = Journal(path)
            stack.callback(self.journal.close)
            self._store = Store(store, self.journal.ends())
            self._closing = stack.pop_all()

    def close(self) -> None:
        """Lets go of the folder."""
        self._closing.close()

    def note(
        self, url: str, verdict: Verdict, answer: Answer | None = None, attempts: int = 1
    ) -> Fetch:
        """Stores the answer, if there is one, and then journals what became of the URL."""
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        fetch = Fetch(
            url=url,
            host=urlsplit(url).netloc,
            state=verdict.state,
            asked_at=_iso(now),
            attempts=attempts,
            failure=verdict.failure,
            detail=verdict.detail,
            target=verdict.target,
        )
        with self._writing:
            if answer is not None:
                date = _iso(moment_of(answer.header("date")) or now)
                fetch = replace(fetch, status=answer.status, date=date)
                if verdict.failure is not Failure.NOAI:  # what may not be used is not kept
                    place, digest = self._store.append(url, answer, fetch.asked_at)
                    fetch = replace(fetch, place=place, digest=digest)
            self.journal.commit(fetch)
        return fetch

    def overturn(self, fetch: Fetch, verdict: Verdict) -> Fetch:
        """Journals a later verdict on a URL whose answer is stored."""
        fetch = replace(
            fetch, state=verdict.state, failure=verdict.failure, detail=verdict.detail, attempts=0
        )
        self.journal.commit(fetch)
        return fetch

    def response(self, url: str, fetch: Fetch) -> Response:
        """The stored answer to ``url``, which redirects may have led to ``fetch``."""
        if fetch.place is None:
            raise AssertionError(f"{fetch.url} is {fetch.state} without an answer")
        stored = self._store.read(fetch.place, fetch.digest)
        return Response(
            url=url,
            status=stored.status,
            headers=stored.headers,
            body=stored.body,
            date=fetch.date,
            digest=fetch.digest,
            final_url=fetch.url if fetch.url != url else "",
        )


def _iso(moment: datetime) -> str:
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
