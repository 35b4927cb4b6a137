"""Why YouTube has no clip for us: gone for good, or to be had another day; and when to stop asking.

yt-dlp passes on what YouTube says, in English, in one text: words are all there is to go by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fgbench.collect.sites.base import Failure
from fgbench.manifest import CONTROL


class Gone(StrEnum):
    """Why YouTube has no clip for us any more: the reasons of ``absent``."""

    GEO_BLOCKED = "geo_blocked"
    AGE_RESTRICTED = "age_restricted"
    PRIVATE = "private"
    MEMBERS_ONLY = "members_only"
    COPYRIGHT = "copyright_claim"
    ACCOUNT_CLOSED = "account_closed"
    REMOVED = "removed"
    UNAVAILABLE = "unavailable"
    """YouTube does not say why."""
    NOT_DOWNLOADED = "not_downloaded"
    """Not on disk, and downloading was not asked for."""


BOT_CHECK = "bot_check"
"""A reason of ``failed`` beside those of ``Failure``: YouTube wants to see a person."""
DISK_FULL = "disk_full"
"""Another."""
NO_FILE = "no_file"
"""Another: yt-dlp's archive says that the clip was downloaded, and it is not there."""
NO_FORMAT = "no_format"
"""Another: yt-dlp sees the clip and none of its files, as where it lacks a JavaScript runtime."""
UNREADABLE = "unreadable"
"""Another: yt-dlp does not know such an answer."""

ENDING = frozenset({BOT_CHECK, DISK_FULL, Failure.RATE_LIMITED})
"""After these nothing more is asked."""
_SIGNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (BOT_CHECK, ("not a bot", "captcha")),
    (DISK_FULL, ("no space left",)),
    (Failure.RATE_LIMITED, ("rate-limited", "try again later", "http error 429")),
    (NO_FORMAT, ("requested format", "no video formats", "only images")),
    (Gone.GEO_BLOCKED, ("in your country", "your location", "your region", "geo restriction")),
    (Gone.AGE_RESTRICTED, ("confirm your age", "age-restricted", "inappropriate for some users")),
    (Gone.PRIVATE, ("private video", "video is private")),
    (Gone.MEMBERS_ONLY, ("members-only", "join this channel", "premium members", "payment")),
    (Gone.ACCOUNT_CLOSED, ("account associated with this video", "closed their youtube account")),
    (Gone.COPYRIGHT, ("copyright",)),
    (Gone.REMOVED, ("has been removed", "been deleted")),
    (Gone.UNAVAILABLE, ("video unavailable", "not available", "longer available", "not exist")),
    (Failure.HTTP_4XX, ("http error 4",)),
    (Failure.HTTP_5XX, ("http error 5",)),
    (Failure.TIMEOUT, ("timed out",)),
    (Failure.TRUNCATED, ("bytes read", "did not get any data")),
    (Failure.CONNECTION, ("connection", "remote end closed", "resolve", "unreachable")),
)
"""What YouTube and yt-dlp say, lower case, the first that fits: a clip may be blocked in a country
on grounds of copyright, and a format may be not available of a clip that is."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A clip that is not here. ``absent``: YouTube has none for us; else it may come another day.

    ``reason``: of ``Gone`` where absent, else of ``Failure`` or one of this module's.
    """

    absent: bool
    reason: str
    detail: str = ""


def classify(message: str) -> Missing:
    """What an error of yt-dlp means, by its words; addresses lose all but their host."""
    detail = CONTROL.sub(" ", re.sub(r"(https?://[^/\s]+)\S*", r"\1/…", message))
    detail = re.sub(r"^ERROR: (\[[\w:]+\] )?([\w-]{11}: )?", "", detail)[:300].strip()
    words = message.lower()
    for reason, signs in _SIGNS:
        if any(sign in words for sign in signs):
            return Missing(isinstance(reason, Gone), str(reason), detail)
    return Missing(False, UNREADABLE, detail)
