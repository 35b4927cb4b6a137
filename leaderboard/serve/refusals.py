"""How the server says no over HTTP: the table of its own codes, and one shape for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from fgbench.errors import FgbenchError, InputError

from .errors import (
    Conflict,
    DatabaseGone,
    DiskFull,
    Incomplete,
    NotAllowed,
    QuotaExceeded,
    TooLarge,
    UnknownSubmission,
)


class Code(StrEnum):
    """The stable code of each refusal; a code is never given a second meaning."""

    HOST = "FG-H150"
    ADDRESS = "FG-H151"
    NOTHING = "FG-H152"
    METHOD = "FG-H153"
    TOKEN = "FG-H154"  # noqa: S105
    ROLE = "FG-H155"
    FORGED = "FG-H156"
    ATTEMPTS = "FG-H157"
    TOO_LARGE = "FG-H158"
    SLOW = "FG-H159"
    KIND = "FG-H160"
    BODY = "FG-H161"
    PARTS = "FG-H162"
    BUSY = "FG-H163"
    REASON = "FG-H164"
    NO_SITE = "FG-H165"
    OURS = "FG-H166"
    ILL = "FG-H167"


@dataclass(frozen=True, slots=True)
class RefusalKind:
    """A kind of refusal: the status that it is answered with, why it matters, how to mend it."""

    status: HTTPStatus
    why: str
    fix: str


KINDS: Mapping[str, RefusalKind] = {
    Code.HOST: RefusalKind(
        HTTPStatus.MISDIRECTED_REQUEST,
        "A page under another name could be made to act for this one.",
        "Use the address that the server was given with --url.",
    ),
    Code.ADDRESS: RefusalKind(
        HTTPStatus.BAD_REQUEST,
        "Two programs could read it in two ways.",
        "Send it with an ordinary HTTP client.",
    ),
    Code.NOTHING: RefusalKind(
        HTTPStatus.NOT_FOUND,
        "What is another team's looks the same as what is not there.",
        "Start from the first page, or from the list of your submissions.",
    ),
    Code.METHOD: RefusalKind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "Each address answers to certain methods alone.",
        "The header Allow says which; so does /api/v1/openapi.json.",
    ),
    Code.TOKEN: RefusalKind(
        HTTPStatus.UNAUTHORIZED,
        "Submissions are shown to their own team alone.",
        "Send your team's token: Authorization: Bearer fgb_…; those who run the server make them.",
    ),
    Code.ROLE: RefusalKind(
        HTTPStatus.FORBIDDEN,
        "Teams hand in and ask, admins decide, and nobody does both.",
        "Use a token of the other kind.",
    ),
    Code.FORGED: RefusalKind(
        HTTPStatus.FORBIDDEN,
        "Another site could have sent it in your name.",
        "Load the page again, and send the form from there.",
    ),
    Code.ATTEMPTS: RefusalKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Else tokens could be guessed.",
        "Wait as long as the header Retry-After says.",
    ),
    Code.TOO_LARGE: RefusalKind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The bound keeps room for the others. Nothing was kept.",
        "Hand in embeddings; score matrices are scored with fgbench score.",
    ),
    Code.SLOW: RefusalKind(
        HTTPStatus.REQUEST_TIMEOUT,
        "Connections that stand still keep others out. Nothing was kept.",
        "Try again over a faster connection.",
    ),
    Code.KIND: RefusalKind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The body would have to be guessed at.",
        "Send it as /api/v1/openapi.json says.",
    ),
    Code.BODY: RefusalKind(
        HTTPStatus.BAD_REQUEST,
        "What cannot be read with certainty is not kept.",
        "Send it with an ordinary HTTP client, as /api/v1/openapi.json says.",
    ),
    Code.PARTS: RefusalKind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A card and its vectors are handed in together, each once. Nothing was kept.",
        "curl -H 'Authorization: Bearer …' -F card=@method.yaml -F submission=@submission.npz …",
    ),
    Code.BUSY: RefusalKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Every upload under way takes room on the disk.",
        "Wait until one of them is over.",
    ),
    Code.REASON: RefusalKind(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A team that is refused must be told why.",
        "Give a reason in plain text, on one line.",
    ),
    Code.NO_SITE: RefusalKind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The board is written when the server starts, and after each publication.",
        "Try again in some seconds. Admins see on their page what keeps it.",
    ),
    Code.OURS: RefusalKind(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The fault is the server's own, and is in its log.",
        "Try again; if it stays, tell those who run the server.",
    ),
    Code.ILL: RefusalKind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "What is handed in is kept, and waits.",
        "Restart the server; its log says what went wrong.",
    ),
}
_STATUSES: Mapping[type[FgbenchError], HTTPStatus] = {
    Conflict: HTTPStatus.CONFLICT,
    DatabaseGone: HTTPStatus.SERVICE_UNAVAILABLE,
    DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    Incomplete: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnknownSubmission: HTTPStatus.NOT_FOUND,
}
_RETRY = "retry-after"


class Refused(InputError):
    """A request that is answered with a code and its reason, and with nothing done.

    ``headers`` go into the answer; ``fix`` takes the place of what the table says.
    """

    def __init__(
        self, code: Code, what: str, *, headers: Mapping[str, str] | None = None, fix: str = ""
    ) -> None:
        kind = KINDS[code]
        super().__init__(code, what, why=kind.why, fix=fix or kind.fix)
        self.headers = dict(headers or {})


def status_of(error: FgbenchError) -> HTTPStatus:
    """What an error is answered with. One that has no status of its own is a conflict where the
    request is at fault, else ours."""
    if error.code in KINDS:
        return KINDS[error.code].status
    if isinstance(error, QuotaExceeded):
        if error.retry_after:
            return HTTPStatus.TOO_MANY_REQUESTS
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    ours = HTTPStatus.CONFLICT if isinstance(error, InputError) else KINDS[Code.OURS].status
    return _STATUSES.get(type(error), ours)


def headers_of(error: FgbenchError) -> dict[str, str]:
    """What the answer says beside: above all, when to try again."""
    if isinstance(error, Refused):
        return error.headers
    if isinstance(error, QuotaExceeded) and error.retry_after:
        return {_RETRY: str(error.retry_after)}
    return {_RETRY: "60"} if isinstance(error, DatabaseGone) else {}
