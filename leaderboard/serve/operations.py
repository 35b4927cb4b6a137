"""What programs can ask of the server: the one table that is served and described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .states import Role

BASE = "/api/v1"


class Answer(StrEnum):
    """The schema of what an operation answers when it is done, or the type of its file."""

    INDEX = "Index"
    HEALTH = "Health"
    SUBMISSION = "Submission"
    SUBMISSIONS = "Submissions"
    PUBLICATIONS = "Publications"
    AUDIT = "Audit"
    RECORD = "Record"
    PER_QUERY = "application/vnd.apache.parquet"
    CSV = "text/csv"
    OPENAPI = "OpenApi"


class Body(StrEnum):
    """What an operation is sent."""

    UPLOAD = "Upload"
    REFUSAL = "Refusal"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``role`` None: for teams and admins alike; ``public``: for all.

    ``statuses`` are those that come beside the ones that every operation has.
    """

    name: str
    method: str
    path: str
    summary: str
    answer: Answer
    public: bool = False
    role: Role | None = None
    body: Body | None = None
    done: int = 200
    statuses: tuple[int, ...] = ()
    tagged: bool = False

    @property
    def by_id(self) -> bool:
        return "{id}" in self.path


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "health",
        "GET",
        "/health",
        "200 where the server works, else 503",
        Answer.HEALTH,
        public=True,
    ),
    Operation(
        "index", "GET", BASE, "Benchmark, versions, limits", Answer.INDEX, public=True, tagged=True
    ),
    Operation(
        "openapi",
        "GET",
        f"{BASE}/openapi.json",
        "This document",
        Answer.OPENAPI,
        public=True,
        tagged=True,
    ),
    Operation(
        "submissions",
        "GET",
        f"{BASE}/submissions",
        "The team's own submissions, the latest first",
        Answer.SUBMISSIONS,
        role=Role.TEAM,
        tagged=True,
    ),
    Operation(
        "upload",
        "POST",
        f"{BASE}/submissions",
        "Hand in a card and its vectors; 200 where the team has handed in the same before",
        Answer.SUBMISSION,
        role=Role.TEAM,
        body=Body.UPLOAD,
        done=201,
        statuses=(200, 507),
    ),
    Operation(
        "submissions_csv",
        "GET",
        f"{BASE}/submissions.csv",
        "The team's own submissions as a table",
        Answer.CSV,
        role=Role.TEAM,
        tagged=True,
    ),
    Operation(
        "submission",
        "GET",
        f"{BASE}/submissions/{{id}}",
        "One submission: its state, the reason, every fault, the numbers",
        Answer.SUBMISSION,
        tagged=True,
    ),
    Operation(
        "withdraw",
        "DELETE",
        f"{BASE}/submissions/{{id}}",
        "Withdraw a submission: its files are deleted, and it is no longer on the board",
        Answer.SUBMISSION,
        role=Role.TEAM,
        statuses=(409,),
    ),
    Operation(
        "record",
        "GET",
        f"{BASE}/submissions/{{id}}/record.json",
        "The record of a scored submission",
        Answer.RECORD,
        tagged=True,
    ),
    Operation(
        "per_query",
        "GET",
        f"{BASE}/submissions/{{id}}/per_query.parquet",
        "The values by query of a scored submission",
        Answer.PER_QUERY,
        tagged=True,
    ),
    Operation(
        "request_publication",
        "POST",
        f"{BASE}/submissions/{{id}}/publication",
        "Ask to publish a scored submission",
        Answer.SUBMISSION,
        role=Role.TEAM,
        statuses=(409,),
    ),
    Operation(
        "publications",
        "GET",
        f"{BASE}/publications",
        "What teams ask to publish, and what is published",
        Answer.PUBLICATIONS,
        role=Role.ADMIN,
        tagged=True,
    ),
    Operation(
        "approve",
        "POST",
        f"{BASE}/publications/{{id}}/approval",
        "Publish what a team asks to publish",
        Answer.SUBMISSION,
        role=Role.ADMIN,
        statuses=(409,),
    ),
    Operation(
        "refuse",
        "POST",
        f"{BASE}/publications/{{id}}/refusal",
        "Refuse to publish it, and say why",
        Answer.SUBMISSION,
        role=Role.ADMIN,
        body=Body.REFUSAL,
        statuses=(409,),
    ),
    Operation(
        "audit",
        "GET",
        f"{BASE}/audit",
        "Who did what, the latest first: at most 1,000 entries",
        Answer.AUDIT,
        role=Role.ADMIN,
        tagged=True,
    ),
)
"""Every operation, in the order of the document; a test holds it equal to the routes."""


def by_path() -> Mapping[str, tuple[Operation, ...]]:
    """The operations of each path."""
    paths = dict.fromkeys(operation.path for operation in OPERATIONS)
    return {path: tuple(o for o in OPERATIONS if o.path == path) for path in paths}
