"""What an interface's listing says of recordings: JSON that is only believed as far as it fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, Response

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?!\d)", re.ASCII)
_LENGTH = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:\.\d+)?", re.ASCII)
_NAMED = 20
"""Recordings that a reason names; of more, it says how many there are."""
_LONGEST, _PROSE = 500, 20_000
"""Characters of a field on one line, and of a description."""
_MOST = 200
"""Texts of one list."""
_BEYOND = "pages beyond"


def answer(response: Response) -> Mapping[str, Any]:
    """The object that an interface answered with. Raises ``FetchFailed`` (truncated)."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FetchFailed(Failure.TRUNCATED, response.url, "the answer is no object in JSON")
    return found


def records(found: Mapping[str, Any], name: str, response: Response) -> list[Mapping[str, Any]]:
    """The list of objects of that name in an answer. Raises ``FetchFailed`` (truncated)."""
    listed = found.get(name)
    if not isinstance(listed, list):
        raise FetchFailed(Failure.TRUNCATED, response.url, f"the answer has no list of {name}")
    return [record for record in listed if isinstance(record, dict)]


def words(record: Mapping[str, Any], name: str) -> str:
    """A field as text on one line; ``""`` where it is missing, or no text and no number."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return line(str(value)[:_LONGEST])


def lines(record: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A field's texts, each on one line; none where it is no list."""
    value = record.get(name)
    texts = value[:_MOST] if isinstance(value, list) else []
    found = (line(text[:_LONGEST]) for text in texts if isinstance(text, str))
    return tuple(text for text in found if text)


def prose(record: Mapping[str, Any], name: str) -> str:
    """A field as it was written, up to 20,000 characters; ``""`` where it is no text."""
    value = record.get(name)
    return value[:_PROSE] if isinstance(value, str) else ""


def amount(record: Mapping[str, Any], name: str) -> float | None:
    """A field as a number above 0; None where it is none, or not finite."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < 10**9 else None


def line(text: str) -> str:
    """A text on one line, fit for any file: JSON may have halves of characters in it."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def whole(record: Mapping[str, Any], name: str) -> int:
    """A field as a whole number from 0 to 10¹⁵, whether it is sent as number or text; else 0."""
    value = record.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return value if 0 <= value <= 10**15 else 0


def day(text: str) -> str:
    """A date as ISO 8601, as far as it is known; ``""`` where not even the year is.

    >>> day("2015-06-23"), day("2015-06-00"), day("2015"), day("0000-00-00"), day("May")
    ('2015-06-23', '2015-06', '2015', '', '')
    """
    found = _DAY.match(text.strip())
    if found is None or not int(found[1]):
        return ""
    month, date = int(found[2] or 0), int(found[3] or 0)
    if not 1 <= month <= 12:
        return found[1]
    return f"{found[1]}-{month:02}" + (f"-{date:02}" if 1 <= date <= 31 else "")


def seconds(text: str) -> float | None:
    """A length such as ``4:13`` or ``1:02:03`` in seconds; None for what is none.

    >>> seconds("4:13"), seconds("1:02:03"), seconds("long")
    (253.0, 3723.0, None)
    """
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        return None
    return float(int(found[1] or 0) * 3600 + int(found[2]) * 60 + int(found[3]))


def pages(claimed: int, most: int) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The pages of a listing from 1 on, as many as are asked for, and the facts of each one's hit.

    An answer may claim any number of pages; of the last one that is asked for, ``cut_off`` tells
    how many there are beyond.
    """
    last = min(max(1, claimed), most)
    for page in range(1, last + 1):
        beyond = page == last < claimed
        yield page, {_BEYOND: f"{claimed - last:,}"} if beyond else {}


def cut_off(hit: Hit) -> Iterator[Absent]:
    """One absence for the pages of a listing beyond those that are asked for, if any."""
    if _BEYOND in hit.facts:
        reason = f"pages of the listing beyond this one, not asked for: {hit.facts[_BEYOND]}"
        yield Absent(hit.site, hit.label, hit.query, reason)


def left_out(hit: Hit, why: str, ids: Sequence[str]) -> Iterator[Absent]:
    """One absence for the recordings of a listing that cannot be used for one reason, if any."""
    if not ids:
        return
    more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    reason = f"{why}: {', '.join(ids[:_NAMED])}{more}"
    yield Absent(hit.site, hit.label, hit.query, reason)
