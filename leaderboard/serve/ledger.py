"""The ledger: every submission, how far it is, who may see it, and who did what to it.

What it says is true: a change of state and its line in the audit log are one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

import sqlalchemy as sa

from fgbench.errors import FaultyInput, InputError

from ..text import text_faults, tidy
from .accounts import Accounts
from .database import connect
from .errors import Conflict, NotAllowed, UnknownSubmission, show_size
from .queue import Queue
from .quotas import find_usage, refuse_beyond
from .rows import JOINED, change, conflict, every, find, first, own
from .settings import Limits
from .states import AuditEntry, Role, State, Submission, Team, Usage, Visibility
from .tables import LIVE, entries, ledgers, read_entry, submissions

MAX_REASON = 1000
_SEEN = (Visibility.REQUESTED, Visibility.PUBLISHED, Visibility.REFUSED)


class Ledger(Accounts, Queue):
    """The one book of a board; may be used from many threads and processes at once.

    Every call raises ``DatabaseGone`` where the database does not answer.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], float], limits: Limits) -> None:
        super().__init__(engine, clock)
        self.limits = limits

    @classmethod
    def open(
        cls, url: str, limits: Limits | None = None, clock: Callable[[], float] = time.time
    ) -> Self:
        """Connect, and make the tables where there are none. ``clock`` tells UTC seconds.

        Raises ``InputError`` for a database of another kind (FG-H104) or version (FG-H102).
        """
        ledger = cls(connect(url), clock, limits or Limits())
        ledger._prepare()
        return ledger

    def bind(self, folder: str, *, fresh: bool) -> None:
        """Make a data folder the one of this ledger; ``fresh`` if it holds no submission yet.

        Raises ``InputError`` (FG-H103) for the folder of another ledger, or a ledger of another
        folder.
        """
        with self._writing() as connection:
            known = connection.execute(sa.select(ledgers.c.folder)).scalar_one()
            if not known and fresh:
                connection.execute(ledgers.update().values(folder=folder))
            elif known != folder:
                raise InputError(
                    "FG-H103",
                    "database and data folder are not of one board",
                    why="Submissions that only one of them knows would be lost.",
                    fix="See to --data and --database.",
                )

    def accept(self, team: Team, id: str, sha256: str, size: int) -> tuple[Submission, bool]:
        """Enter an upload whose files are in place; or return the one that it repeats, and False.

        Raises ``QuotaExceeded``.
        """
        if team.role is not Role.TEAM:
            raise NotAllowed("an admin hands nothing in")
        with self._writing() as connection:
            same = (submissions.c.team == team.id, submissions.c.sha256 == sha256)
            if found := first(connection, JOINED.where(*same, LIVE)):
                return found, False
            now = self._clock()
            refuse_beyond(connection, team, size, now, self.limits)
            values = {"id": id, "team": team.id, "sha256": sha256, "size": size, "name": ""}
            values |= {"state": State.RECEIVED.value, "visibility": Visibility.PRIVATE.value}
            values |= {"reason": "", "decision": "", "faults": "[]", "summary": "{}"}
            values |= {"received": now, "updated": now, "attempts": 0, "version": 1}
            connection.execute(submissions.insert().values(values))
            self._note(connection, team.name, "handed in", id, show_size(size))
            return own(connection, team, id), True

    def usage(self, team: Team) -> Usage:
        """What counts against a team's quotas now."""
        with self._reading() as connection:
            return find_usage(connection, team, self._clock())

    def check_quota(self, team: Team, size: int) -> None:
        """Raise ``QuotaExceeded`` where an upload of so many bytes would not be accepted now."""
        with self._reading() as connection:
            refuse_beyond(connection, team, size, self._clock(), self.limits)

    def list_own(self, team: Team) -> list[Submission]:
        """A team's submissions, the newest first."""
        return self._list(submissions.c.team == team.id)

    def find(self, team: Team, id: str) -> Submission | None:
        """A submission that the team may see: its own; an admin, what was ever asked for."""
        with self._reading() as connection:
            found = find(connection, id)
        return found if found and _may_see(team, found) else None

    def request_publication(self, team: Team, id: str) -> Submission:
        """Ask for publication: of one's own, done, and neither published nor asked for."""
        with self._writing() as connection:
            found = own(connection, team, id)
            askable = found.visibility in (Visibility.PRIVATE, Visibility.REFUSED)
            if found.state is not State.DONE or not askable:
                raise conflict(found, "only what is done can be published, once")
            self._note(connection, team.name, "asked to publish", id, "")
            asked = Visibility.REQUESTED.value
            return change(connection, found, self._clock(), visibility=asked, decision="")

    def withdraw(self, team: Team, id: str) -> Submission:
        """Take back one's own, now or before; what is left is the row, without numbers."""
        with self._writing() as connection:
            found = own(connection, team, id)
            if found.visibility is Visibility.WITHDRAWN:
                return found
            self._note(connection, team.name, "withdrew", id, f"was {found.visibility}")
            values = {"visibility": Visibility.WITHDRAWN.value, "summary": "{}", "faults": "[]"}
            return change(connection, found, self._clock(), **values)

    def decide(self, admin: Team, id: str, published: bool, reason: str = "") -> Submission:
        """Publish or refuse what its team asks to publish; a refusal needs its reason."""
        if admin.role is not Role.ADMIN:
            raise NotAllowed("only an admin decides")
        reason = tidy(reason)
        if faults := text_faults("reason", reason, MAX_REASON) if reason else []:
            raise FaultyInput("The decision cannot be written", faults)
        with self._writing() as connection:
            found = find(connection, id)
            if found is None or not _may_see(admin, found):
                raise UnknownSubmission
            if found.visibility is not Visibility.REQUESTED:
                raise conflict(found, "only what its team asks to publish is decided on")
            if not published and not reason:
                raise Conflict("a refusal without a reason", "Say why; the team will read it.")
            verdict = (Visibility.PUBLISHED if published else Visibility.REFUSED).value
            self._note(connection, admin.name, verdict, id, reason)
            return change(connection, found, self._clock(), visibility=verdict, decision=reason)

    def requested(self) -> list[Submission]:
        """What teams ask to publish, the newest first."""
        return self._list(submissions.c.visibility == Visibility.REQUESTED.value)

    def published(self) -> list[Submission]:
        """What the board shows, the newest first."""
        return self._list(submissions.c.visibility == Visibility.PUBLISHED.value)

    def live(self) -> list[Submission]:
        """All that are not withdrawn: whose files are to be kept."""
        return self._list(LIVE)

    def audit(self, limit: int = 100) -> list[AuditEntry]:
        """The last lines of the log, the newest first."""
        with self._reading() as connection:
            last = sa.select(entries).order_by(entries.c.id.desc()).limit(limit)
            return [read_entry(row) for row in connection.execute(last).mappings()]

    def _list(self, which: sa.ColumnElement[bool]) -> list[Submission]:
        order = (submissions.c.received.desc(), submissions.c.id)
        with self._reading() as connection:
            return every(connection, JOINED.where(which).order_by(*order))


def _may_see(team: Team, found: Submission) -> bool:
    return found.visibility in _SEEN if team.role is Role.ADMIN else found.team == team.name
