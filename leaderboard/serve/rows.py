"""Submissions within a transaction: looked up, and changed by the rules of their states."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .errors import Conflict, UnknownSubmission, Withdrawn
from .states import Submission, Team
from .tables import LIVE, read_submission, submissions, teams

JOINED = sa.select(submissions, teams.c.name.label("team_name")).join(teams)


def first(connection: sa.Connection, query: sa.Select[Any]) -> Submission | None:
    row = connection.execute(query).mappings().first()
    return read_submission(row) if row else None


def every(connection: sa.Connection, query: sa.Select[Any]) -> list[Submission]:
    return [read_submission(row) for row in connection.execute(query).mappings()]


def find(connection: sa.Connection, id: str) -> Submission | None:
    return first(connection, JOINED.where(submissions.c.id == id))


def own(connection: sa.Connection, team: Team, id: str) -> Submission:
    """A team's own; raises ``UnknownSubmission`` for another's as for none."""
    mine = JOINED.where(submissions.c.id == id, submissions.c.team == team.id)
    if (found := first(connection, mine)) is None:
        raise UnknownSubmission
    return found


def live(connection: sa.Connection, id: str) -> Submission:
    """One that is still asked for; raises ``Withdrawn`` for any other."""
    if (found := first(connection, JOINED.where(submissions.c.id == id, LIVE))) is None:
        raise Withdrawn(id)
    return found


def change(connection: sa.Connection, found: Submission, now: float, **values: Any) -> Submission:
    """Set columns, and raise the version with them."""
    values |= {"updated": now, "version": found.version + 1}
    mine = submissions.c.id == found.id
    connection.execute(submissions.update().where(mine).values(values))
    row = connection.execute(JOINED.where(mine)).mappings().one()
    return read_submission(row)


def conflict(found: Submission, why: str) -> Conflict:
    return Conflict(f"submission {found.id} is {found.state} and {found.visibility}: {why}")
