"""The queue of what is to be scored: claimed, moved on, and put back where the server stopped."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fgbench.errors import Fault

from .accounts import SERVER
from .database import Database
from .rows import JOINED, change, conflict, every, first, live
from .states import NEXT, State, Submission
from .tables import LIVE, submissions, teams, write_faults

ATTEMPTS = 3
"""Times that a scoring may be cut off before it is given up."""


class Queue(Database):
    """What the worker asks and says.

    To say the same again changes nothing, since a lost connection does not tell what was heard.
    Raises ``Withdrawn``, or ``Conflict`` for a state that does not follow.
    """

    def claim(self) -> Submission | None:
        """Take the next to be scored: of the team whose turn is longest ago, its oldest."""
        with self._writing() as connection:
            waiting = JOINED.where(submissions.c.state == State.RECEIVED.value, LIVE)
            order = (teams.c.turn, submissions.c.received, submissions.c.id)
            found = first(connection, waiting.order_by(*order).limit(1))
            if found is None:
                return None
            last = connection.execute(sa.select(sa.func.max(teams.c.turn))).scalar_one()
            of_it = teams.update().where(teams.c.name == found.team)
            connection.execute(of_it.values(turn=last + 1))
            return self._move(connection, found, State.CHECKING)

    def set_name(self, id: str, name: str) -> Submission:
        """Say what its card calls the method."""
        with self._writing() as connection:
            return change(connection, live(connection, id), self._clock(), name=name)

    def advance(self, id: str) -> Submission:
        """Say that it is sound, and being scored."""
        with self._writing() as connection:
            return self._move(connection, live(connection, id), State.SCORING)

    def finish(self, id: str, summary: Mapping[str, Any]) -> Submission:
        """Say that it is done, its files in place, with the numbers of its record."""
        with self._writing() as connection:
            found, text = live(connection, id), json.dumps(dict(summary))
            name = summary.get("method", found.name)
            return self._move(connection, found, State.DONE, summary=text, name=name)

    def fail(self, id: str, reason: str, faults: Sequence[Fault] = ()) -> Submission:
        """Say that it has failed, and why."""
        with self._writing() as connection:
            found, text = live(connection, id), write_faults(faults)
            return self._move(connection, found, State.FAILED, reason=reason, faults=text)

    def give_back(self, id: str) -> Submission:
        """Put back what was claimed and is not scored after all; it counts as no attempt."""
        with self._writing() as connection:
            return self._move(connection, live(connection, id), State.RECEIVED)

    def release(self, but: Collection[str] = ()) -> int:
        """Put back all that a server was at when it was cut off; say how many.

        For a server alone on its ledger; ``but`` is what it is at now. What was cut off
        ``ATTEMPTS`` times fails: it may be what ends the server.
        """
        running = submissions.c.state.in_((State.CHECKING.value, State.SCORING.value))
        with self._writing() as connection:
            found = every(connection, JOINED.where(running, LIVE, submissions.c.id.not_in(but)))
            for one in found:
                attempts = one.attempts + 1
                if attempts < ATTEMPTS:
                    self._move(connection, one, State.RECEIVED, attempts=attempts)
                    continue
                reason = f"The server was cut off while scoring it, {attempts} times."
                self._move(connection, one, State.FAILED, attempts=attempts, reason=reason)
        return len(found)

    def _move(
        self, connection: sa.Connection, found: Submission, state: State, **values: Any
    ) -> Submission:
        if state is found.state:
            return found
        if state not in NEXT[found.state]:
            raise conflict(found, f"{state} does not follow")
        self._note(connection, SERVER, state.value, found.id, "")
        return change(connection, found, self._clock(), state=state.value, **values)
