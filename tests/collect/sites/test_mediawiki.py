"""What the wiki adapters ask, and what they make of the answers (a real wiki: integration/)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from fgbench.collect.queries import queries_for
from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawText, Response
from fgbench.collect.sites.wikipedia import Wikipedia
from fgbench.species import find

SITE = Wikipedia()
RIGHTS = {"url": "https://creativecommons.org/licenses/by-sa/4.0/", "text": "CC BY-SA 4.0"}


def response(body: Any, url: str = "https://en.wikipedia.org/w/api.php?x") -> Response:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(url, 200, {"content-type": "application/json"}, body, "", "sha256:0")


def listing(**page: Any) -> dict[str, Any]:
    return {"query": {"pages": [{"ns": 0, "title": "A", **page}], "rightsinfo": RIGHTS}}


def revision(number: int, text: str = "<p>Text.</p>", **more: Any) -> dict[str, Any]:
    parsed = {"title": f"Title {number}", "revid": number, "text": text}
    return {"parse": {"categories": [], "properties": {}, **parsed, **more}}


class Wiki:
    """A session with an API: answers by title and by revision; ``asked`` has the parameters."""

    def __init__(self, titles: dict, revisions: dict, as_of: str | None = None) -> None:
        self.titles, self.revisions, self.as_of, self.asked = titles, revisions, as_of, []

    def get(self, url: str) -> Response:
        asked = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
        self.asked.append(asked)
        if asked["action"] == "query":
            found = self.titles.get(asked["titles"], listing(missing=True))
        else:
            found = self.revisions[int(asked["oldid"])]
        return response(found, url)

    def canonical(self, url: str) -> str:
        return url

    def has_key(self, name: str) -> bool:
        return False


def at(number: int, title: str = "A") -> dict[str, Any]:
    when = "2018-06-01T00:00:00Z"
    return listing(title=title, revisions=[{"revid": number, "timestamp": when}])


def found(wiki: Wiki, name: str = "Bobolink") -> list[Hit | Absent]:
    bird = find(name)
    return list(SITE.find(bird, queries_for(bird), wiki))


def test_a_page_is_asked_for_by_title_then_by_revision():
    wiki = Wiki({"Bobolink": at(7, "Bobolink")}, {7: revision(7)})
    (hit,) = found(wiki)
    listed, parsed = wiki.asked
    assert listed["titles"] == "Bobolink"
    assert (listed["redirects"], listed["rvlimit"]) == ("1", "1")
    assert "rvstart" not in listed
    assert (parsed["action"], parsed["oldid"]) == ("parse", "7")
    assert dict(parse_qsl(urlsplit(hit.url).query)) == parsed  # what is fetched was just asked
    assert (hit.source_id, hit.title) == ("7", "Bobolink")
    assert hit.facts == {
        "revised": "2018-06-01T00:00:00Z",
        "licence": RIGHTS["text"],
        "licence_url": RIGHTS["url"],
    }


def test_a_past_date_is_asked_for_backwards():
    wiki = Wiki({"Bobolink": at(7)}, {7: revision(7)}, as_of="2019-01-01")
    found(wiki)
    assert wiki.asked[0]["rvstart"] == "2019-01-01T00:00:00Z"
    assert wiki.asked[0]["rvdir"] == "older"


def test_nothing_is_asked_of_extensions_that_fandom_lacks():
    wiki = Wiki({"Bobolink": at(7)}, {7: revision(7)})
    found(wiki)
    assert "extracts" not in str(wiki.asked)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ({"missing": True}, "no page of that name"),
        ({"invalid": True, "invalidreason": "bad"}, "no page of that name"),
        ({"ns": 14, "title": "Category:Bobolink"}, "not an article: Category:Bobolink"),
        ({"title": "Bobolink", "revisions": []}, "no revision before 2019-01-01: Bobolink"),
        ({"title": "Bobolink"}, "no revision before 2019-01-01: Bobolink"),
    ],
)
def test_a_name_without_an_article_is_absent(page, reason):
    answer = listing(**page)
    titles = {"Bobolink": answer, "Dolichonyx oryzivorus": answer}
    (absent,) = found(Wiki(titles, {}, as_of="2019-01-01"))
    assert isinstance(absent, Absent)
    assert absent.reason == f"Bobolink: {reason}; Dolichonyx oryzivorus: {reason}"


@pytest.mark.parametrize(
    "marks",
    [
        {"properties": {"disambiguation": ""}},
        {"categories": [{"category": "All_disambiguation_pages"}]},
        {"categories": [{"category": "Disambiguation_pages_with_short_descriptions"}]},
        {"categories": [{"category": "Animal_common_name_disambiguation_pages"}]},
        {"categories": [{"category": "Disambiguations"}]},
        {"categories": [{"category": "Set_index_articles_on_birds"}]},
    ],
)
def test_a_disambiguation_page_is_passed_over(marks):
    wiki = Wiki(
        {"Bobolink": at(7), "Dolichonyx oryzivorus": at(8)},
        {7: revision(7, **marks), 8: revision(8)},
    )
    (hit,) = found(wiki)
    assert (hit.source_id, hit.query) == ("8", "Dolichonyx oryzivorus")


def test_an_article_with_links_to_disambiguation_pages_is_none():
    category = {"category": "Articles_with_links_needing_disambiguation_from_May_2018"}
    wiki = Wiki({"Bobolink": at(7)}, {7: revision(7, categories=[category])})
    (hit,) = found(wiki)
    assert hit.source_id == "7"


@pytest.mark.parametrize(
    "marks",
    [
        {"properties": 5},
        {"properties": None, "categories": None},
        {"categories": 5},
        {"categories": [5, None, {}, {"category": ["Disambiguations"]}]},
    ],
)
def test_marks_of_another_shape_are_none(marks):
    (hit,) = found(Wiki({"Bobolink": at(7)}, {7: revision(7, **marks)}))
    assert hit.source_id == "7"


REDIRECT = (
    '<div class="redirectMsg"><p>Redirect to:</p><ul class="redirectText"><li>'
    '<a href="/wiki/B" title="B &amp; C">B &amp; C</a></li></ul></div>'
)


def test_a_redirect_of_the_past_is_followed_once():
    titles = {"Bobolink": at(7), "B & C": at(8)}
    (hit,) = found(Wiki(titles, {7: revision(7, REDIRECT), 8: revision(8)}))
    assert (hit.source_id, hit.query) == ("8", "Bobolink")
    wiki = Wiki(titles, {7: revision(7, REDIRECT), 8: revision(8, REDIRECT)})
    (absent,) = found(wiki)
    assert "Bobolink: redirects on to B & C" in absent.reason
    assert len(wiki.asked) == SITE.requests_per_query + 1  # and one for the second name


def test_a_revision_that_was_deleted_since_is_absent():
    gone = {"error": {"code": "nosuchrevid", "info": "There is no revision with ID 7."}}
    (absent,) = found(Wiki({"Bobolink": at(7)}, {7: gone}))
    assert "the revision is gone" in absent.reason


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Failure.TRUNCATED),
        (b"<html>An error</html>", Failure.TRUNCATED),
        (b"[" * 200_000, Failure.TRUNCATED),
        (b"[]", Failure.TRUNCATED),
        (b'{"query": {"pages": []}}', Failure.TRUNCATED),
        (b'{"query": {"pages": {"-1": {}}}}', Failure.TRUNCATED),
        (b'{"query": {"pages": ["x"]}}', Failure.TRUNCATED),
        (b'{"query": [1]}', Failure.TRUNCATED),
        (b'{"query": {"pages": [{"ns": 0, "revisions": [{"revid": "7"}]}]}}', Failure.TRUNCATED),
        (b'{"error": {"code": "maxlag", "info": "Waiting"}}', Failure.HTTP_5XX),
        (b'{"error": {"code": "readonly"}}', Failure.HTTP_5XX),
        (b"\xff\xfe\xff", Failure.BAD_ENCODING),
    ],
)
def test_what_is_no_answer_of_the_api_is_a_failure(body, kind):
    with pytest.raises(FetchFailed) as failure:
        found(Wiki({"Bobolink": body}, {}))
    assert failure.value.kind is kind


@pytest.mark.parametrize(
    "parsed",
    [
        {},
        {"parse": []},
        {"parse": {"title": "A", "revid": 7}},
        {"parse": {"title": "A", "revid": 7, "text": {"*": "<p>old format</p>"}}},
        {"parse": {"title": None, "revid": 7, "text": ""}},
    ],
)
def test_an_answer_without_a_revision_is_a_failure(parsed):
    hit = Hit("wikipedia", 9, "Bobolink", "https://en.wikipedia.org/w/api.php?x", "7")
    with pytest.raises(FetchFailed, match="no parsed revision"):
        list(SITE.read(hit, response(parsed)))


def read(text: str, **more: Any) -> RawText | Absent:
    facts = {"licence": "", "licence_url": RIGHTS["url"]}
    hit = Hit("wikipedia", 9, "Bobolink", "https://x", "7", facts=facts)
    (raw,) = SITE.read(hit, response(revision(7, text, **more)))
    return raw


DEEP = "<div>" * 10_000 + "<p>deep</p>" + "</div>" * 10_000


@pytest.mark.parametrize(
    "text", ["", "<p></p>", DEEP, "<p>" * 10_000, "<script>x()</script>", "<table><tr><td>1"]
)
def test_an_article_without_text_is_absent(text):
    assert read(text) == Absent("wikipedia", 9, "Bobolink", "no text in Title 7")


def test_no_script_and_no_lone_surrogate_is_read():
    raw = read("<p>A bird.<script>x()</script> It sings.</p><p>An odd \ud800 sign.</p>")
    assert [p.text for p in raw.paragraphs] == ["A bird. It sings.", "An odd ? sign."]


@pytest.mark.parametrize(
    ("title", "address"),
    [
        ("Black-footed albatross", "Black-footed_albatross"),
        ("Mallard (duck)", "Mallard_(duck)"),
        ("A/B? #C & “D”", "A/B%3F_%23C_%26_%E2%80%9CD%E2%80%9D"),
        ("../../etc/passwd", "../../etc/passwd"),
    ],
)
def test_a_title_is_data_in_its_address(title, address):
    raw = read("<p>Text.</p>", title=title)
    assert raw.source_url == f"https://en.wikipedia.org/wiki/{address}"
    assert raw.title == title


def test_reading_says_again_what_is_no_article():
    assert read(REDIRECT) == Absent("wikipedia", 9, "Bobolink", "redirects to B & C")
    listed = read("<p>Text.</p>", properties={"disambiguation": ""})
    assert listed == Absent("wikipedia", 9, "Bobolink", "a disambiguation page: Title 7")


def test_the_real_answer_of_a_wiki_without_an_asked_extension_is_a_failure(real_data):
    path = real_data / "site_samples" / "fandom" / "extracts_not_available.json"
    with pytest.raises(FetchFailed, match="no page in it"):
        found(Wiki({"Bobolink": path.read_bytes()}, {}))
