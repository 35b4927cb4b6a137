"""Both wiki adapters against a real MediaWiki, through the real crawl session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from integration import mediawiki
from integration.wiki_pages import FEEDING, LEAD_2015, LEAD_2018, LEAD_2023, PAGES

from fgbench.collect.clean.text import clean
from fgbench.collect.crawl.journal import State
from fgbench.collect.crawl.pace import Patience
from fgbench.collect.crawl.session import CrawlSession
from fgbench.collect.queries import queries_for
from fgbench.collect.sites.base import Absent, Hit, RawText
from fgbench.collect.sites.fandom import Fandom
from fgbench.collect.sites.mediawiki import MediaWiki
from fgbench.collect.sites.wikipedia import Wikipedia
from fgbench.settings import load
from fgbench.species import find as species_of

WIKIPEDIA = """
wfLoadExtensions( [ 'TextExtracts', 'Cite', 'ParserFunctions' ] );
$wgRightsUrl = 'https://creativecommons.org/licenses/by-sa/4.0/deed.en';
$wgRightsText = 'Creative Commons Attribution-Share Alike 4.0';
$wgJobRunRate = 0;
"""
FANDOM = """
wfLoadExtensions( [ 'Cite', 'ParserFunctions' ] );
$wgRightsUrl = 'https://www.fandom.com/licensing';
$wgRightsText = 'CC-BY-SA';
$wgJobRunRate = 0;
"""

Open = Callable[..., CrawlSession]


@pytest.fixture(scope="session")
def wikis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Settings that put a wiki of Wikipedia's form and one of Fandom's in the sites' place."""
    if lacking := mediawiki.missing():
        pytest.skip(f"Debian's {lacking} not installed: apt-get install {lacking}")
    folder = tmp_path_factory.mktemp("wikis")
    dump = mediawiki.export(PAGES)
    with ExitStack() as stack:
        first = stack.enter_context(mediawiki.wiki(folder / "wikipedia", "/w", WIKIPEDIA, dump))
        second = stack.enter_context(mediawiki.wiki(folder / "fandom", "", FANDOM, dump))
        yield {"FGBENCH_SITE_WIKIPEDIA_URL": first, "FGBENCH_SITE_FANDOM_URL": second}


@pytest.fixture
def crawl(wikis: dict[str, str], tmp_path: Path) -> Iterator[Open]:
    """Opens a crawl session on a build folder, one after another."""
    with ExitStack() as stack:

        def start(as_of: str | None = None, *, offline: bool = False) -> CrawlSession:
            stack.close()
            settings = load({**wikis, "XDG_CONFIG_HOME": str(tmp_path)})
            session = CrawlSession(
                tmp_path / "build",
                [Wikipedia(), Fandom()],
                settings,
                as_of=as_of,
                offline=offline,
                patience=Patience(pace=0),
            )
            return stack.enter_context(session)

        yield start


@pytest.fixture(params=[Wikipedia, Fandom])
def site(request: pytest.FixtureRequest) -> MediaWiki:
    return request.param()


def found(site: MediaWiki, session: CrawlSession, name: str) -> list[Hit | Absent]:
    bird = species_of(name)
    return list(site.find(bird, queries_for(bird), session))


def texts(site: MediaWiki, session: CrawlSession, name: str) -> list[RawText]:
    """What a build reads of a species: every hit fetched and read."""
    hits = found(site, session, name)
    assert all(isinstance(hit, Hit) for hit in hits), hits
    return [raw for hit in hits for raw in site.read(hit, session.get(hit.url))]


def test_an_article_is_read_without_what_stands_around_its_text(site, crawl):
    (raw,) = texts(site, crawl(), "Black-footed Albatross")
    assert raw.title == "Black-footed albatross"
    assert raw.about == ("Phoebastria nigripes",)
    sections = [(p.section, p.text) for p in raw.paragraphs if p.section not in {"See also"}]
    assert [section for section, _ in sections][:4] == ["", "Description", "Voice", "Feeding"]
    lead = sections[0][1]
    assert lead.startswith(LEAD_2023)
    assert "nests on Hawaiian islands." in lead
    assert "[1]" in lead  # marks are the cleaner's
    assert sections[3][1] == FEEDING
    whole = " ".join(text for section, text in sections if section != "External links")
    for foreign in ("caption", "HMS Albatross", "1,234", "reference of this page", "Aves", "edit"):
        assert foreign not in whole, foreign


def test_what_the_cleaner_keeps_is_the_articles_text_alone(site, crawl):
    session = crawl()
    (raw,) = texts(site, session, "Black-footed Albatross")
    answer = session.get(raw.hit.url)
    bird = species_of("Black-footed Albatross")
    rows = clean(raw, bird, retrieved_at=answer.date, warc_digest=answer.digest)
    kept = [row["text"] for row in rows if "stage" not in row]
    assert kept == [
        f"{LEAD_2023} It nests on Hawaiian islands.",
        "Its plumage is sooty brown, with a white ring around the base of the bill; see the plate.",
        "At the colony it claps its bill and groans, above all while a pair dances on the sand.",
        FEEDING,
    ]


@pytest.mark.parametrize(
    ("as_of", "lead"),
    [
        (None, LEAD_2023),
        ("2024-01-01", LEAD_2023),
        ("2019-01-01", LEAD_2018),
        ("2018-06-01", LEAD_2018),
        ("2018-05-31", LEAD_2015),
    ],
)
def test_a_past_date_gives_the_last_revision_before_it(site, crawl, as_of, lead):
    (raw,) = texts(site, crawl(as_of), "Black-footed Albatross")
    assert raw.paragraphs[0].text.startswith(lead)


def test_a_page_is_absent_before_it_was_written(site, crawl):
    assert isinstance(found(site, crawl(), "Gadwall")[0], Hit)
    (absent,) = found(site, crawl("2019-01-01"), "Gadwall")
    assert isinstance(absent, Absent)
    assert "no revision before 2019-01-01: Gadwall" in absent.reason


def test_what_was_a_redirect_at_the_date_is_followed(site, crawl):
    (today,) = texts(site, crawl(), "Ovenbird")
    assert today.title == "Ovenbird"
    (then,) = texts(site, crawl("2019-01-01"), "Ovenbird")
    assert then.title == "Ovenbird (warbler)"
    assert "walks on the forest floor" in then.paragraphs[0].text


def test_a_disambiguation_page_is_passed_over_for_the_next_name(site, crawl):
    (raw,) = texts(site, crawl(), "Mallard")
    assert raw.hit.query == "Anas platyrhynchos"
    assert raw.title == "Mallard (duck)"


def test_a_species_without_a_page_is_absent_with_every_name_that_was_asked(site, crawl):
    (absent,) = found(site, crawl(), "Bobolink")
    assert isinstance(absent, Absent)
    assert absent.reason == (
        "Bobolink: no page of that name; Dolichonyx oryzivorus: no page of that name"
    )


def test_a_class_of_several_species_has_the_page_of_each(site, crawl):
    raws = texts(site, crawl(), "Sayornis")
    assert [raw.title for raw in raws] == ["Sayornis", "Black Phoebe"]


@pytest.mark.parametrize(
    ("adapter", "licence", "page"),
    [
        (Wikipedia, "CC-BY-SA-4.0", "https://en.wikipedia.org/wiki/Mallard_(duck)"),
        (Fandom, "CC-BY-SA", "https://birds.fandom.com/wiki/Mallard_(duck)"),
    ],
)
def test_the_licence_is_the_wikis_own_and_the_credit_names_the_revision(
    crawl, adapter, licence, page
):
    (raw,) = texts(adapter(), crawl(), "Mallard")
    assert raw.licence.name == licence
    assert raw.licence.redistributable
    assert raw.source_url == page
    assert raw.source_id == raw.hit.source_id
    assert "Mallard (duck)" in raw.attribution
    assert "contributors" in raw.attribution
    assert f"index.php?oldid={raw.source_id}" in raw.attribution


def test_offline_everything_is_read_again_from_the_store_without_a_request(site, crawl):
    birds = ("Black-footed Albatross", "Mallard", "Sayornis", "Ovenbird")
    online = crawl("2019-01-01")
    first = [texts(site, online, bird) for bird in birds]
    asked = {fetch.url: fetch.attempts for fetch in online.journal.fetches()}
    offline = crawl("2019-01-01", offline=True)
    assert [texts(site, offline, bird) for bird in birds] == first
    assert {fetch.url: fetch.attempts for fetch in offline.journal.fetches()} == asked


def test_only_the_api_is_asked_and_every_page_once(site, crawl, wikis):
    session = crawl()
    texts(site, session, "Black-footed Albatross")
    fetches = list(session.journal.fetches())
    assert len(fetches) == 2
    assert all(fetch.state is State.DONE and fetch.attempts == 1 for fetch in fetches)
    assert all(fetch.url.startswith(f"{site.api}?") for fetch in fetches)
