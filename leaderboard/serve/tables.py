"""The ledger's tables, and what their rows mean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
)

from fgbench.errors import Fault

from .states import AuditEntry, Role, State, Submission, Team, Visibility

VERSION = 1
"""Of these tables; a database of another version is refused."""

metadata = MetaData()

ledgers = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("folder", String(32), nullable=False),
)
"""One row: the version of the tables, and which data folder holds the files (empty: none yet)."""

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(40), nullable=False, unique=True),
    Column("role", String(8), nullable=False),
    Column("key", String(16), unique=True),
    Column("digest", String(64)),
    Column("turn", Integer, nullable=False),
)
"""``key`` and ``digest`` are of the token, null without one; ``turn`` rises as work is done."""

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("team", ForeignKey("teams.id"), nullable=False, index=True),
    Column("expires", Float, nullable=False),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team", ForeignKey("teams.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("faults", Text, nullable=False),
    Column("visibility", String(16), nullable=False, index=True),
    Column("decision", Text, nullable=False),
    Column("received", Float, nullable=False),
    Column("updated", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("summary", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
LIVE = submissions.c.visibility != Visibility.WITHDRAWN.value
Index(
    "one_of_an_upload",
    submissions.c.team,
    submissions.c.sha256,
    unique=True,
    sqlite_where=LIVE,
    postgresql_where=LIVE,
)

entries = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String(40), nullable=False),
    Column("action", String(40), nullable=False),
    Column("submission", String(32), nullable=False),
    Column("detail", Text, nullable=False),
)


def read_team(row: RowMapping) -> Team:
    return Team(row["id"], row["name"], Role(row["role"]))


def read_submission(row: RowMapping) -> Submission:
    """A row of submissions, with its team's name as ``team_name``."""
    return Submission(
        id=row["id"],
        team=row["team_name"],
        name=row["name"],
        sha256=row["sha256"],
        size=row["size"],
        state=State(row["state"]),
        reason=row["reason"],
        faults=tuple(Fault(**fault) for fault in json.loads(row["faults"])),
        visibility=Visibility(row["visibility"]),
        decision=row["decision"],
        received=row["received"],
        updated=row["updated"],
        attempts=row["attempts"],
        summary=json.loads(row["summary"]),
        version=row["version"],
    )


def write_faults(faults: Sequence[Fault]) -> str:
    return json.dumps([asdict(fault) for fault in faults])


def read_entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(**row)
