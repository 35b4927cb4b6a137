"""What a team and a submission are to the server, and what may become of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fgbench.errors import Fault


class Role(StrEnum):
    """A team hands in; an admin decides on what teams ask to publish, and hands nothing in."""

    TEAM = "team"
    ADMIN = "admin"


class State(StrEnum):
    """How far the scoring is."""

    RECEIVED = "received"
    CHECKING = "checking"
    SCORING = "scoring"
    DONE = "done"
    FAILED = "failed"


class Visibility(StrEnum):
    """Who may see it: its team; admins too from ``requested`` on; all, once ``published``."""

    PRIVATE = "private"
    REQUESTED = "requested"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


NEXT: Mapping[State, frozenset[State]] = {
    State.RECEIVED: frozenset({State.CHECKING}),
    State.CHECKING: frozenset({State.SCORING, State.FAILED, State.RECEIVED}),
    State.SCORING: frozenset({State.DONE, State.FAILED, State.RECEIVED}),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
}
"""What may follow; back to ``received`` only where the server stopped in between."""


@dataclass(frozen=True, slots=True)
class Team:
    """Who holds a token."""

    id: int
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Submission:
    """What the ledger knows of one submission.

    ``team`` and ``name`` are the names of team and method (empty where the card has none that can
    be read); ``sha256`` is of the upload, submission and card together, ``size`` its bytes.
    ``reason`` says why it failed, ``faults`` what was wrong with it, ``decision`` what the admin
    said. ``received`` and ``updated`` are UTC seconds. ``attempts`` counts scorings that a stop of
    the server cut off. ``summary`` has the numbers once it is done. Every change raises
    ``version``.
    """

    id: str
    team: str
    name: str
    sha256: str
    size: int
    state: State
    reason: str
    faults: tuple[Fault, ...]
    visibility: Visibility
    decision: str
    received: float
    updated: float
    attempts: int
    summary: Mapping[str, Any]
    version: int

    @property
    def waiting(self) -> bool:
        """Whether the server still has work with it."""
        return bool(NEXT[self.state]) and self.visibility is not Visibility.WITHDRAWN


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which submission, and when: no token, file name or address."""

    id: int
    at: float
    actor: str
    action: str
    submission: str
    detail: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What counts against a team's quotas now."""

    day: int
    waiting: int
    size: int
