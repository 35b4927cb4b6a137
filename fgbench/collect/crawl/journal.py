"""The journal (SQLite): what became of every URL that was asked, and what led to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fgbench.collect.crawl.store import Place
from fgbench.collect.sites.base import Failure, Hit
from fgbench.errors import FgbenchError, InputError

VERSION = 1

_SCHEMA = """
CREATE TABLE fetch (
    url TEXT PRIMARY KEY, host TEXT NOT NULL, state TEXT NOT NULL, status INTEGER,
    attempts INTEGER NOT NULL, error_class TEXT, error TEXT NOT NULL, target TEXT NOT NULL,
    file TEXT, offset INTEGER, length INTEGER, digest TEXT NOT NULL, date TEXT NOT NULL,
    first_asked_at TEXT NOT NULL, asked_at TEXT NOT NULL
) STRICT;
CREATE INDEX fetch_place ON fetch (file, offset);
CREATE TABLE hit (
    site TEXT NOT NULL, label INTEGER NOT NULL, url TEXT NOT NULL, query TEXT NOT NULL,
    source_id TEXT NOT NULL, title TEXT NOT NULL, PRIMARY KEY (site, label, url)
) STRICT;
"""


class State(StrEnum):
    """What became of a URL."""

    DONE = "done"
    ABSENT = "absent"
    """404 or 410: an answer too, and stored."""
    MOVED = "moved"
    FAILED = "failed"
    REFUSED = "refused"
    """A rule forbade it: the site's robots.txt, say, or our own guard."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A row of the journal. ``place`` is where the store has the answer, if there was one."""

    url: str
    host: str
    state: State
    asked_at: str
    attempts: int = 1
    status: int | None = None
    failure: Failure | None = None
    detail: str = ""
    target: str = ""
    place: Place | None = None
    digest: str = ""
    date: str = ""


class Journal:
    """One connection for all threads. ``commit`` is what makes an answer count."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        try:
            self._open()
        except sqlite3.OperationalError as error:
            raise self._unwritten(error) from error
        except sqlite3.Error as error:
            raise InputError(
                "FG-W003",
                f"{path} is not a journal that can be read ({error})",
                why="It says which pages of the store are whole.",
                fix="Give another --out, or bring the file back from a copy.",
            ) from error

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT")
        elif found != VERSION:
            raise sqlite3.DatabaseError(f"version {found}, this fgbench reads version {VERSION}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def find(self, url: str) -> Fetch | None:
        """What became of a canonical URL, if it was asked."""
        with self._lock:
            row = self._db.execute("SELECT * FROM fetch WHERE url = ?", (url,)).fetchone()
        return _fetch(row) if row else None

    def fetches(self) -> Iterator[Fetch]:
        """Every row, by URL."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM fetch ORDER BY url").fetchall()
        yield from map(_fetch, rows)

    def commit(self, fetch: Fetch) -> None:
        """Writes a row, all of it or nothing; attempts of earlier rows for the URL are added."""
        with self._writing() as db:
            db.execute(_UPSERT, _row(fetch))

    def link(self, hit: Hit) -> None:
        """Links a site, a species and the query that found it to a URL."""
        values = (hit.site, hit.label, hit.url, hit.query, hit.source_id, hit.title)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO hit VALUES (?, ?, ?, ?, ?, ?)", values)

    def ends(self) -> Mapping[str, int]:
        """How many bytes of each file of the store count."""
        query = "SELECT file, max(offset + length) FROM fetch WHERE file IS NOT NULL GROUP BY file"
        with self._lock:
            return dict(self._db.execute(query).fetchall())

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.OperationalError as error:
                raise self._unwritten(error) from error

    def _unwritten(self, error: sqlite3.OperationalError) -> FgbenchError:
        return FgbenchError(
            "FG-W005",
            f"{self._path} could not be written: {error}",
            why="Nothing half-written counts: what is in the journal is whole.",
            fix="Free some space and run the same command again: it continues.",
        )


_UPSERT = """
INSERT INTO fetch VALUES (
    :url, :host, :state, :status, :attempts, :error_class, :error, :target,
    :file, :offset, :length, :digest, :date, :asked_at, :asked_at
) ON CONFLICT (url) DO UPDATE SET
    state = :state, status = :status, attempts = attempts + :attempts, error_class = :error_class,
    error = :error, target = :target, file = :file, offset = :offset, length = :length,
    digest = :digest, date = :date, asked_at = :asked_at
"""


def _row(fetch: Fetch) -> dict[str, str | int | None]:
    place = fetch.place
    return {
        "url": fetch.url,
        "host": fetch.host,
        "state": fetch.state.value,
        "status": fetch.status,
        "attempts": fetch.attempts,
        "error_class": fetch.failure.value if fetch.failure else None,
        "error": fetch.detail,
        "target": fetch.target,
        "file": place.file if place else None,
        "offset": place.offset if place else None,
        "length": place.length if place else None,
        "digest": fetch.digest,
        "date": fetch.date,
        "asked_at": fetch.asked_at,
    }


def _fetch(row: sqlite3.Row) -> Fetch:
    return Fetch(
        url=row["url"],
        host=row["host"],
        state=State(row["state"]),
        asked_at=row["asked_at"],
        attempts=row["attempts"],
        status=row["status"],
        failure=Failure(row["error_class"]) if row["error_class"] else None,
        detail=row["error"],
        target=row["target"],
        place=Place(row["file"], row["offset"], row["length"]) if row["file"] else None,
        digest=row["digest"],
        date=row["date"],
    )
