"""What finding and fetching leaves behind, whatever an adapter or a host does."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from fgbench.collect.crawl.asker import unwatched
from fgbench.collect.crawl.pace import Stopped, SystemClock
from fgbench.collect.harvest import UNREADABLE, harvest
from fgbench.collect.queries import queries_for
from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit
from fgbench.species import species

BIRDS = {bird: queries_for(bird) for bird in species()[:3]}


@pytest.fixture
def session():
    """Answers every URL; those that end in ``late`` fail."""

    def get(url):
        got.append(url)
        if url.endswith("late"):
            raise FetchFailed(Failure.TIMEOUT, url, "no answer in time")

    got, linked = [], []
    return SimpleNamespace(get=get, link=linked.append, clock=SystemClock(), got=got, linked=linked)


def site_like(aviary, find, **facts):
    return type("Site", (type(aviary),), {"find": lambda self, *args: find(*args), **facts})()


def test_results_stand_in_the_order_of_sites_and_species(session, aviary, volary):
    turn = threading.Event()

    def slow(bird, queries, session):
        turn.wait(5)
        yield Hit("aviary", bird.label, bird.name, f"https://aviary.example/{bird.label}", "")

    def quick(bird, queries, session):
        yield Absent("volary", bird.label, bird.name, "no page")
        yield Hit("volary", bird.label, bird.name, f"https://volary.example/{bird.label}", "")
        if bird.label == 2:
            turn.set()

    sites = (site_like(aviary, slow), site_like(volary, quick))
    found = harvest(sites, BIRDS, session, unwatched)
    assert session.got[0].startswith("https://volary.example")
    assert [(h.site, h.label) for h in found.hits] == [
        (name, label) for name in ("aviary", "volary") for label in range(3)
    ]
    assert [a.label for a in found.absent] == [0, 1, 2]
    assert sorted(session.linked, key=str) == sorted(found.hits, key=str)


def test_what_was_found_before_a_failure_counts(session, aviary):
    def find(bird, queries, session):
        for end in "good", "late", "fine":
            yield Hit("aviary", bird.label, "its name", f"https://aviary.example/{end}", end)
        if bird.label == 1:
            raise FetchFailed(Failure.HTTP_5XX, "https://aviary.example/more", "503")
        if bird.label == 2:
            raise KeyError("pages")

    found = harvest((site_like(aviary, find),), BIRDS, session, unwatched)
    assert [h.source_id for h in found.hits] == ["good", "fine"] * 3
    assert [(f.label, f.query, f.source_url, f.reason, f.detail) for f in found.failed] == [
        (0, "its name", "https://aviary.example/late", "timeout", "no answer in time"),
        (1, "its name", "https://aviary.example/late", "timeout", "no answer in time"),
        (1, species()[1].name, "https://aviary.example/more", "http_5xx", "503"),
        (2, "its name", "https://aviary.example/late", "timeout", "no answer in time"),
        (2, species()[2].name, "", UNREADABLE, "KeyError: 'pages'"),
    ]


@pytest.mark.parametrize("error", [Stopped(), MemoryError(), KeyboardInterrupt()])
def test_the_end_of_a_run_is_no_outcome(session, aviary, error):
    def find(bird, queries, session):
        raise error
        yield

    with pytest.raises(type(error)):
        harvest((site_like(aviary, find),), BIRDS, session, unwatched)
