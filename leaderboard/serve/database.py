"""The database under the ledger: SQLite in the data folder, or PostgreSQL by its URL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as NoConnection

from fgbench.errors import InputError, MissingExtra

from .errors import DatabaseGone
from .tables import VERSION, entries, ledgers, metadata

BUSY = 20
"""Seconds that a transaction waits for the others before the database counts as gone."""
_LOCK = 0x66676265  # one writer at a time, among all that use this database
_POSTGRES = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "options": f"-c statement_timeout={BUSY}s -c idle_in_transaction_session_timeout={BUSY}s",
}


class Database:
    """Transactions, one writer at a time, with a clock and a log of who did what."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._writer = engine.execution_options(writes=True)
        self._clock = clock

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _answering(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that sees all others whole: what it finds holds until it is committed."""
        with _answering(), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def _note(
        self, connection: sa.Connection, actor: str, action: str, submission: str, detail: str
    ) -> None:
        values = {"at": self._clock(), "actor": actor, "action": action}
        values |= {"submission": submission, "detail": detail}
        connection.execute(entries.insert().values(values))

    def _prepare(self) -> None:
        """Make the tables where there are none; refuse those of another version (FG-H102)."""
        with self._writing() as connection:
            if not sa.inspect(connection).has_table(ledgers.name):
                metadata.create_all(connection)
                connection.execute(ledgers.insert().values(id=1, version=VERSION, folder=""))
            found = connection.execute(sa.select(ledgers.c.version)).scalar_one()
        if found != VERSION:
            raise InputError(
                "FG-H102",
                f"the database has version {found} of the ledger; this fgbench reads {VERSION}",
                why="Read by other rules it could lose or publish a submission.",
                fix="Run the version of fgbench that wrote it, or name another database.",
            )


@contextmanager
def _answering() -> Iterator[None]:
    """Says of a database that is away, full or overrun that it is gone; raises what else is."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, NoConnection) as error:
        raise DatabaseGone from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseGone from error
        raise


def connect(url: str) -> sa.Engine:
    """The engine of a database's URL.

    Raises ``InputError`` (FG-H104) where it is not the URL of one that can be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _refused("not the URL of a database") from None
    if parsed.get_backend_name() == "postgresql":
        return _connect_postgres(parsed)
    if parsed.drivername == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return _connect_sqlite(parsed)
    raise _refused(f"a database of the kind {parsed.drivername!r}, or without a file")


def _connect_postgres(url: URL) -> sa.Engine:
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=_POSTGRES
        )
    except ModuleNotFoundError as error:
        raise MissingExtra("psycopg", "postgres") from error


def _connect_sqlite(url: URL) -> sa.Engine:
    path = Path(str(url.database))
    try:  # SQLite gives its other files the mode of this one
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise _refused(f"{path}: {error.strerror}") from error
    engine = sa.create_engine(url, connect_args={"timeout": BUSY})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # or sqlite3 begins only at the first change
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _refused(found: str) -> InputError:
    return InputError(
        "FG-H104",
        f"--database is {found}",
        fix="Leave it out, or say sqlite:////absolute/path or postgresql://user@host/name.",
    )
