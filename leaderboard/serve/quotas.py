"""What a team has used up of its quotas, and when there is room again."""

from __future__ import annotations

import sqlalchemy as sa

from .errors import QuotaExceeded, show_size
from .settings import DAY, Limits
from .states import NEXT, State, Team, Usage
from .tables import LIVE, submissions

_SOON = 60


def find_usage(connection: sa.Connection, team: Team, now: float) -> Usage:
    """What counts now: of the last 24 hours all but what failed, also if it was withdrawn since."""
    own = submissions.c.team == team.id
    waits = submissions.c.state.in_([state.value for state in State if NEXT[state]])
    count, size = sa.func.count(), sa.func.coalesce(sa.func.sum(submissions.c.size), 0)

    def ask(what: sa.ColumnElement[int], *where: sa.ColumnElement[bool]) -> int:
        asked = sa.select(what).select_from(submissions).where(*where)
        return int(connection.execute(asked).scalar_one())

    return Usage(
        day=ask(count, *_of_a_day(team, now)),
        waiting=ask(count, own, waits, LIVE),
        size=ask(size, own, LIVE),
    )


def refuse_beyond(
    connection: sa.Connection, team: Team, size: int, now: float, limits: Limits
) -> None:
    """Raise ``QuotaExceeded`` where an upload of so many bytes is one too many."""
    used = find_usage(connection, team, now)
    if used.day >= limits.per_day:
        earliest = sa.select(submissions.c.received).where(*_of_a_day(team, now))
        # The one whose end of 24 hours makes room; more than one where the limit was lowered.
        row = earliest.order_by(submissions.c.received).offset(used.day - limits.per_day).limit(1)
        wait = int(connection.execute(row).scalar_one() + DAY - now) + 1
        raise QuotaExceeded(
            "FG-H130",
            f"{used.day} submissions within 24 hours, of {limits.per_day}",
            f"Hand in again in {wait // 3600} h {wait % 3600 // 60} min.",
            wait,
        )
    if used.waiting >= limits.waiting:
        raise QuotaExceeded(
            "FG-H131",
            f"{used.waiting} submissions wait to be scored, of {limits.waiting}",
            "Hand in again once one of them is scored.",
            _SOON,
        )
    if used.size + size > limits.team_bytes:
        held, most = show_size(used.size), show_size(limits.team_bytes)
        raise QuotaExceeded(
            "FG-H132",
            f"{held} are kept, and {show_size(size)} more would be over {most}",
            "Withdraw a submission first.",
            0,
        )


def _of_a_day(team: Team, now: float) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        submissions.c.team == team.id,
        submissions.c.received > now - DAY,
        submissions.c.state != State.FAILED.value,
    )
