"""What the server says no with: codes FG-H100 to FG-H149, each with its reason."""

from __future__ import annotations

from fgbench.errors import FgbenchError, InputError


class DatabaseGone(FgbenchError):
    """The ledger cannot be reached now; what was asked for may be asked for again."""

    def __init__(self) -> None:
        super().__init__(
            "FG-H110",
            "the database does not answer",
            why="Nothing is accepted that could not be remembered.",
            fix="Try again in a minute. What was accepted before is safe.",
        )


class DiskFull(FgbenchError):
    """No room for an upload; nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__(
            "FG-H121",
            "the server's disk is full",
            why="Nothing was kept of this upload.",
            fix="Tell those who run the server, and hand it in again later.",
        )


class TooLarge(InputError):
    """A file over its limit; nothing of the upload was kept."""

    def __init__(self, part: str, limit: int) -> None:
        super().__init__(
            "FG-H120",
            f"{part} is larger than {show_size(limit)}",
            why="Nothing was kept of this upload.",
            fix="Hand in embeddings; score matrices are scored with fgbench score.",
        )


class Incomplete(InputError):
    """An upload without one of its two files, or with an empty one."""

    def __init__(self, part: str) -> None:
        super().__init__(
            "FG-H122",
            f"{part} is missing or empty",
            why="A submission cannot be scored without its method's card, nor a card alone.",
            fix="Send both files.",
        )


class QuotaExceeded(InputError):
    """A team's quota is used up. ``retry_after``: seconds until it helps to wait; 0 for never."""

    def __init__(self, code: str, what: str, fix: str, retry_after: int) -> None:
        super().__init__(code, what, why="Others want to hand in, too.", fix=fix)
        self.retry_after = retry_after


class Conflict(InputError):
    """Not from the state that the submission is in."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__("FG-H111", what, why="Nothing was changed.", fix=fix)


class Withdrawn(Conflict):
    """Its team has withdrawn it."""

    def __init__(self, id: str) -> None:
        super().__init__(f"submission {id} is withdrawn")


class UnknownSubmission(InputError):
    """No such submission, or another team's: who may not see it cannot tell which."""

    def __init__(self) -> None:
        super().__init__("FG-H112", "no such submission", fix="See the list of your submissions.")


class NotAllowed(InputError):
    """Not for this role."""

    def __init__(self, what: str) -> None:
        super().__init__("FG-H113", what, why="Nothing was changed.")


class TeamRefused(InputError):
    """A team that cannot be made, or that is not there."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__("FG-H105", what, why="Nothing was changed.", fix=fix)


def show_size(size: int) -> str:
    """Bytes for people.

    >>> show_size(512 << 20), show_size(1536)
    ('512 MiB', '1.5 KiB')
    """
    shown, unit = float(size), "bytes"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if shown < 1024 or unit == "GiB":
            break
        shown /= 1024
    return f"{shown:,.4g} {unit}"
