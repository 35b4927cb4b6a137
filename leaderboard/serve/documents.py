"""What the server knows, as JSON documents and as a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fgbench.errors import Fault, FaultyInput, FgbenchError
from fgbench.submission.faults import FAULTS

from ..exports import Table
from ..faults import KINDS
from .states import AuditEntry, State, Submission, Visibility

_REASONS = {
    State.RECEIVED: "It waits for its turn.",
    State.CHECKING: "Card and submission are being checked.",
    State.SCORING: "It is sound, and is being scored.",
    State.DONE: "It is scored.",
}


def reason(submission: Submission) -> str:
    """Where a submission is and why; never empty."""
    if submission.visibility is Visibility.WITHDRAWN:
        return "It is withdrawn; its files are deleted."
    return submission.reason or _REASONS.get(submission.state, "The reason is not known.")


def instant(seconds: float) -> str:
    """A time as RFC 3339 has it, to the second, in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")


def explain(fault: Fault) -> dict[str, str]:
    """A fault as the command line's ``--json`` tells it."""
    kind = KINDS.get(fault.code) or FAULTS.get(fault.code)
    return {
        "code": fault.code,
        "title": kind.title if kind else "",
        "where": fault.where,
        "found": fault.found,
        "expected": fault.expected,
        "why": kind.why if kind else "",
        "fix": fault.fix,
    }


def refusal(error: FgbenchError) -> dict[str, Any]:
    """The one shape of every answer that says no; with its faults where it has some."""
    said = {"code": str(error.code), "what": error.what, "why": error.why, "fix": error.fix}
    if isinstance(error, FaultyInput):
        return said | {"faults": [explain(fault) for fault in error.faults]}
    return said


def submission(found: Submission) -> dict[str, Any]:
    """A submission, whole."""
    return {
        "id": found.id,
        "team": found.team,
        "name": found.name,
        "sha256": found.sha256,
        "size": found.size,
        "state": found.state.value,
        "reason": reason(found),
        "faults": [explain(fault) for fault in found.faults],
        "visibility": found.visibility.value,
        "decision": found.decision,
        "received": instant(found.received),
        "updated": instant(found.updated),
        "attempts": found.attempts,
        "summary": dict(found.summary),
        "version": found.version,
    }


_COLUMNS = (
    *("id", "name", "state", "reason", "visibility", "decision"),
    *("received", "updated", "size", "sha256"),
)


def table(submissions: Iterable[Submission]) -> Table:
    """Submissions as a table, a row each."""
    rows = tuple(tuple(row[name] for name in _COLUMNS) for row in map(submission, submissions))
    return Table("submissions", "Submissions", _COLUMNS, rows)


def entry(found: AuditEntry) -> dict[str, str]:
    """A line of the audit log."""
    return {
        "at": instant(found.at),
        "actor": found.actor,
        "action": found.action,
        "submission": found.submission,
        "detail": found.detail,
    }
