"""New Hampshire PBS: two hosts, then the Archive; text in tables."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawText, Response
from fgbench.collect.sites.nhpbs import Nhpbs

SITE = Nhpbs()
TODAY, BEFORE, OLDEST = SITE.addresses("Northern Cardinal")
PAGE = b"<title>Northern Cardinal | Wildlife Journal Junior</title><p>Description: It is made up."


def listing(session: Any, *captures: tuple[str, str, bytes]) -> None:
    """Lets the session's Archive list captures: original address, timestamp, body."""
    get = session.get

    def answer(url: str) -> Response:
        parts = urlsplit(url)
        if parts.path != "/cdx/search/cdx":
            return get(url)
        wanted = parse_qs(parts.query)["url"][0]
        rows = [["urlkey", "timestamp", "original", "digest"]]
        for original, timestamp, body in captures:
            if original.partition("//")[2] == wanted:
                digest = b32encode(hashlib.sha1(body).digest()).decode()
                rows.append([f"key){urlsplit(original).path}", timestamp, original, digest])
        session.asked.append(url)
        body = json.dumps(rows if len(rows) > 1 else []).encode()
        return Response(url, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")

    session.get = answer


def test_addresses_have_letters_only() -> None:
    assert SITE.addresses("Black-billed Cuckoo") == (
        "https://nhpbs.org/wild/blackbilledcuckoo.asp",
        "https://nhptv.org/wild/blackbilledcuckoo.asp",
        "https://nhptv.org/natureworks/blackbilledcuckoo.htm",
    )


@pytest.mark.parametrize("served", [404, Failure.CONNECTION, Failure.TIMEOUT, Failure.OFF_SITE])
def test_the_next_host_is_asked_where_one_is_gone(shelf: Any, asked: Any, served: Any) -> None:
    session = shelf({TODAY: served, BEFORE: PAGE})
    (found,) = SITE.find(*asked("Cardinal"), session)
    assert (found.url, found.source_id) == (BEFORE, "northerncardinal")
    assert session.asked == [TODAY, BEFORE]


def test_a_move_of_the_page_is_followed_and_one_to_the_front_page_is_not(
    shelf: Any, asked: Any
) -> None:
    new = "https://natureworks.nhpbs.org/species/northern-cardinal/"
    session = shelf({TODAY: "https://nhpbs.org/", "https://nhpbs.org/": PAGE, BEFORE: new})
    session.pages[new] = PAGE
    (found,) = SITE.find(*asked("Cardinal"), session)
    assert found.url == new


def test_what_robots_txt_forbids_is_not_sought_elsewhere(shelf: Any, asked: Any) -> None:
    session = shelf({TODAY: Failure.REFUSED_BY_ROBOTS, BEFORE: PAGE})
    with pytest.raises(FetchFailed, match="refused_by_robots"):
        list(SITE.find(*asked("Cardinal"), session))
    assert session.asked == [TODAY]


def test_the_archive_is_asked_last(shelf: Any, asked: Any, fixture: Callable[[str], bytes]) -> None:
    body = fixture("nhpbs/wild.html")
    session = shelf({})
    listing(session, (BEFORE, "20181231000000", body), (BEFORE, "20101231000000", b"older"))
    (found,) = SITE.find(*asked("Cardinal"), session)
    copy = f"https://web.archive.org/web/20181231000000id_/{BEFORE}"
    assert (found.url, found.facts["original"]) == (copy, BEFORE)
    response = Response(copy, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")
    (raw,) = SITE.read(found, response)
    assert isinstance(raw, RawText)
    assert (raw.source_url, raw.archive_url) == (BEFORE, copy)
    assert raw.licence.name == "all rights reserved"
    with pytest.raises(FetchFailed, match="truncated"):
        list(SITE.read(found, replace(response, body=body[:-9])))


def test_nowhere_is_absent_and_a_host_in_trouble_is_not(shelf: Any, asked: Any) -> None:
    bird, queries = asked("Black-footed Albatross")
    session = shelf({})
    listing(session)
    (absent,) = SITE.find(bird, queries, session)
    assert isinstance(absent, Absent)
    assert "the Internet Archive has no copy" in absent.reason
    session = shelf({SITE.addresses(bird.name)[1]: Failure.TIMEOUT})
    listing(session)
    with pytest.raises(FetchFailed, match="timeout"):
        list(SITE.find(bird, queries, session))


def test_text_in_tables(fixture: Callable[[str], bytes]) -> None:
    hit = Hit("nhpbs", 16, "Northern Cardinal", TODAY, "northerncardinal")
    body = fixture("nhpbs/wild.html")
    (raw,) = SITE.read(hit, Response(TODAY, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0"))
    assert isinstance(raw, RawText)
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        ("Description", "The made-up male is red. Its crest is “pointed”."),
        ("Range", "It lives in the made-up half of the continent."),
        ("Range", "It does not move."),
        ("Habitat", "Made-up hedges."),
        ("Diet", "It eats made-up seeds."),
        ("Life Cycle", "The female lays three square eggs."),
    ]
    assert raw.title == "Northern Cardinal | Wildlife Journal Junior, synthetic"
    assert raw.about == ("Cardinalis cardinalis",)
