"""Bird Watcher's Digest: its guide's pages, from one listing of the Archive's."""

from __future__ import annotations

from collect.sites.archive import Archive

from fgbench.collect.sites.base import Absent
from fgbench.collect.sites.birdwatchersdigest import BirdWatchersDigest

SITE = BirdWatchersDigest()
GUIDE = "http://www.birdwatchersdigest.com/bwdsite/learn/identification"
PAGES = (f"{GUIDE}/songbirds/northern-cardinal.php", f"{GUIDE}/ducks/mallard.php")


def test_a_page_is_found_in_the_listing_of_the_guide(asked, fixture):
    page = fixture("birdwatchersdigest/cardinal.php.html")
    session = Archive(page, *PAGES)
    (hit,) = SITE.find(*asked("Cardinal"), session)
    assert (hit.query, hit.facts["original"]) == ("Northern Cardinal", PAGES[0])
    (raw,) = SITE.read(hit, session.get(hit.url))
    assert raw.title == "Northern Cardinal"
    assert [(p.section, p.text) for p in raw.paragraphs] == [
        (
            "Look and Listen",
            "Look for a red crest in the hedge at dusk, and listen for a whistle that slides down.",
        )
    ]
    assert (raw.source_url, raw.archive_url) == (PAGES[0], hit.url)


def test_all_species_share_one_listing(asked):
    session = Archive(b"", *PAGES)
    for name in ("Cardinal", "Mallard"):
        assert len(list(SITE.find(*asked(name), session))) == 1
    (absent,) = SITE.find(*asked("Bobolink"), session)
    assert isinstance(absent, Absent)
    assert len(set(session.asked)) == 1
    assert session.questions()[0]["url"] == ["birdwatchersdigest.com/bwdsite/"]
