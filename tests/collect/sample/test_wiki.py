"""The two wikis, held against the API's documented answers and the recorded ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

Api = Callable[..., Any]


@pytest.fixture
def api(get: Callable) -> Api:
    def call(wiki: str, **asked: str) -> Any:
        script = {"wikipedia": "/w/api.php", "fandom": "/api.php"}[wiki]
        got = get(wiki, f"{script}?{urlencode({'format': 'json', 'formatversion': '2', **asked})}")
        assert got.status == 200
        assert got.headers["content-type"] == "application/json; charset=utf-8"
        return json.loads(got.body)

    return call


def _revisions(api: Api, title: str, **more: str) -> Any:
    return api("wikipedia", action="query", titles=title, redirects="1", prop="revisions", **more)


def test_a_title_leads_over_a_redirect_to_the_newest_revision(api: Api):
    answer = _revisions(api, "black-footed_Albatross", rvlimit="1")
    assert answer["query"]["normalized"] == [
        {"fromencoded": False, "from": "black-footed_Albatross", "to": "Black-footed Albatross"}
    ]
    assert answer["query"]["redirects"] == [
        {"from": "Black-footed Albatross", "to": "Black-footed albatross"}
    ]
    (page,) = answer["query"]["pages"]
    assert (page["ns"], page["title"]) == (0, "Black-footed albatross")
    assert page["revisions"][0]["timestamp"] == "2025-10-05T08:30:00Z"
    assert page["revisions"][0]["parentid"] > 0
    assert answer["continue"]["continue"] == "||"
    assert "batchcomplete" not in answer


def test_a_page_as_of_a_date_is_the_last_revision_before_it(api: Api):
    asked = {"rvlimit": "1", "rvdir": "older", "rvstart": "2019-01-01T00:00:00Z"}
    (page,) = _revisions(api, "Larus delawarensis", **asked)["query"]["pages"]
    assert page["title"] == "Ring-billed gull"
    assert page["revisions"][0]["timestamp"] == "2018-10-05T08:30:00Z"
    (page,) = _revisions(api, "Ring-billed gull", rvstart="2001-01-01T00:00:00Z")["query"]["pages"]
    assert "revisions" not in page


def test_older_revisions_say_less(api: Api):
    found = _revisions(api, "Common tern", rvlimit="max")["query"]["pages"][0]["revisions"]
    assert [r["timestamp"][:4] for r in found] == ["2025", "2018", "2012"]
    assert found[-1]["parentid"] == 0
    texts = [
        api("wikipedia", action="parse", oldid=str(r["revid"]), prop="text")["parse"]["text"]
        for r in found
    ]
    assert [text.count("<p>") for text in texts] == sorted(t.count("<p>") for t in texts)[::-1]
    assert len(set(map(len, texts))) == 3
    newer = _revisions(api, "Common tern", rvlimit="1", rvdir="newer")["query"]["pages"][0]
    assert newer["revisions"][0]["timestamp"][:4] == "2012"


def test_an_article_has_the_furniture_of_the_real_one(api: Api):
    parse = api("wikipedia", action="parse", page="Heermann's Gull", redirects="1")["parse"]
    assert parse["title"] == "Heermann's gull"
    for mark in (
        *('class="hatnote', 'class="infobox biota"', '<span class="binomial"><i>Larus heermanni'),
        *('<sup id="cite_ref-1" class="reference">', "<figcaption>", 'class="wikitable"'),
        *('class="mw-editsection"', 'class="reflist"', ">See also<", ">External links<"),
        *('class="navbox"', '<a href="/wiki/Ring-billed_Gull">'),
    ):
        assert mark in parse["text"], mark


def test_a_page_that_was_a_redirect_is_one_in_its_old_revision(api: Api):
    asked = {"rvlimit": "1", "rvstart": "2019-01-01T00:00:00Z"}
    revision = _revisions(api, "Myrtle Warbler", **asked)["query"]["pages"][0]["revisions"][0]
    parse = api("wikipedia", action="parse", oldid=str(revision["revid"]))["parse"]
    assert 'class="redirectText"' in parse["text"]
    assert 'title="Yellow-rumped warbler"' in parse["text"]
    (page,) = _revisions(api, "Yellow-rumped warbler", **asked)["query"]["pages"]
    assert page["revisions"][0]["timestamp"][:4] == "2013"


def test_a_page_that_is_not_there_is_missing(api: Api):
    (page,) = _revisions(api, "Dodo")["query"]["pages"]
    assert page == {"ns": 0, "title": "Dodo", "missing": True}
    assert api("wikipedia", action="parse", page="Dodo")["error"]["code"] == "missingtitle"
    assert api("wikipedia", action="parse", oldid="5")["error"]["code"] == "nosuchrevid"
    assert api("wikipedia", action="parse", oldid="x")["error"]["code"] == "nosuchrevid"


def test_fandom_lists_what_a_name_may_mean(api: Api):
    parse = api("fandom", action="parse", page="Larus heermanni", redirects="1")["parse"]
    assert parse["title"] == "Heermann's Gull"
    assert {"sortkey": "", "category": "Disambiguation_pages"} in parse["categories"]
    assert parse["properties"] == {"disambiguation": ""}
    assert "may refer to:" in parse["text"]


def test_fandom_has_copies_near_copies_and_excerpts_of_wikipedia_with_their_marks(api: Api):
    text = api("fandom", action="parse", page="Laysan Albatross", prop="text")["parse"]["text"]
    assert "keeps for most of the year to blue water beyond the shelf.[1]</p>" in text
    assert "Few sounds are easier to know.</p>" in text
    assert "Esta ave marina" in text
    spoilt = api("fandom", action="parse", page="Black-footed Albatross")["parse"]["text"]
    assert "keeperâ€™s" in spoilt


def test_fandom_has_no_arctic_tern_and_began_the_common_tern_late(api: Api):
    asked = {"prop": "revisions", "rvstart": "2019-01-01T00:00:00Z", "action": "query"}
    (tern,) = api("fandom", titles="Common Tern", **asked)["query"]["pages"]
    assert "revisions" not in tern
    (arctic,) = api("fandom", titles="Arctic Tern", **asked)["query"]["pages"]
    assert arctic["missing"] is True


def test_fandom_shows_its_pages_to_no_program(get: Callable):
    assert get("fandom", "/wiki/Laysan_Albatross").status == 403
    assert get("wikipedia", "/wiki/Laysan_albatross").status == 200


def test_each_wiki_states_its_licence(api: Api):
    asked = {"action": "query", "meta": "siteinfo", "siprop": "rightsinfo"}
    assert "by-sa/4.0" in api("wikipedia", **asked)["query"]["rightsinfo"]["url"]
    assert api("fandom", **asked)["query"]["rightsinfo"]["text"] == "CC-BY-SA"


def test_what_the_api_does_not_know_it_warns_of_as_the_real_one_does(api: Api, real_data: Path):
    real = json.loads(
        (real_data / "site_samples" / "fandom" / "extracts_not_available.json").read_text()
    )
    answer = api("fandom", action="query", titles="Laysan Albatross", prop="extracts")
    assert answer["warnings"]["query"]["warnings"] == real["warnings"]["query"]["*"]
    error = api("wikipedia", action="dance")["error"]
    assert error["code"] == "badvalue"
    assert error["info"] == 'Unrecognized value for parameter "action": dance.'
    assert api("wikipedia", formatversion="1", action="query")["error"]["code"] == "badvalue"
