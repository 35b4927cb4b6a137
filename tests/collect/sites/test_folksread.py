"""folksread.com: whatever the Archive may have of it."""

from __future__ import annotations

from collect.sites.archive import Archive

from fgbench.collect.sites.base import Absent
from fgbench.collect.sites.folksread import FolksRead

SITE = FolksRead()


def test_a_page_is_found_by_its_address(asked, fixture):
    page = "http://folksread.com/2014/black-footed-albatross-facts/"
    session = Archive(fixture("folksread/page.html"), "http://folksread.com/about", page)
    (hit,) = SITE.find(*asked("Black-footed Albatross"), session)
    assert hit.facts["original"] == page
    (raw,) = SITE.read(hit, session.get(hit.url))
    assert [p.text for p in raw.paragraphs] == [
        "This bird can stay in the air for days on end without so much as a beat of its wings."
    ]
    assert session.questions()[0]["matchType"] == ["domain"]


def test_nothing_archived_is_an_answer(asked):
    (absent,) = SITE.find(*asked("Bobolink"), Archive(b""))
    assert absent == Absent(
        "folksread", absent.label, "Bobolink", "the Internet Archive has no copy"
    )
