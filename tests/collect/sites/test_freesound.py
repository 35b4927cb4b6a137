"""Freesound: a token in a header, what is about the bird, licences, and what authors keep back."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from collect.sites.loopback import asking, everything_written, serving

from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawAudio, Response
from fgbench.collect.sites.freesound import Freesound
from fgbench.species import find

SITE = Freesound()
TOKEN = "token-of-the-user"
NAME = "Northern Cardinal"
BIRD = find(NAME)
HIT = Hit("freesound", BIRD.label, NAME, "https://freesound.org/apiv2/search/?x", "page 1")


def read(body: object, name: str = NAME) -> list[RawAudio | Absent]:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    hit = Hit("freesound", find(name).label, name, HIT.url, "page 1")
    return list(SITE.read(hit, Response(HIT.url, 200, {}, sent, "", "sha256:0")))


def sound(**more: object) -> dict[str, object]:
    return {"id": 1, "name": "Northern Cardinal", "tags": ["bird"], "license": "Attribution"} | more


class Interface:
    """Answers by the phrase that is searched for."""

    as_of = None

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers, self.asked = answers, []

    def get(self, url: str) -> Response:
        self.asked.append({n: v[0] for n, v in parse_qs(urlsplit(url).query).items()})
        body = self.answers.get(self.asked[-1]["query"], b'{"count": 0, "results": []}')
        return Response(url, 200, {}, body, "", "sha256:0")

    def canonical(self, url: str) -> str:
        return url

    def has_key(self, name: str) -> bool:
        return True


def test_the_first_name_that_sounds_of_the_bird_have_is_listed_whole(asked, fixture):
    session = Interface({'"Northern Cardinal"': fixture("freesound/search.json")})
    hits = list(SITE.find(*asked(NAME), session))
    pages = [parse_qs(urlsplit(hit.url).query)["page"] for hit in hits]
    assert pages == [["1"], ["2"], ["3"]]  # 301 sounds, 150 a page
    (question,) = session.asked
    assert urlsplit(hits[0].url).path == "/apiv2/search/"
    assert question["filter"] == "duration:[1 TO 1800]"
    assert {"license", "gen_ai_preference", "previews"} <= set(question["fields"].split(","))
    assert "token" not in hits[0].url.lower()


def test_what_is_beyond_the_pages_that_are_asked_for_is_said(asked):
    many = json.dumps({"count": 10**12, "results": [sound()]}).encode()
    hits = list(SITE.find(*asked(NAME), Interface({'"Northern Cardinal"': many})))
    assert len(hits) == SITE.requests_per_query
    answer = Response(HIT.url, 200, {}, b'{"results": []}', "", "sha256:0")
    (absent,) = SITE.read(hits[-1], answer)
    assert absent.reason.endswith("not asked for: 6,666,666,663")
    assert list(SITE.read(hits[0], answer)) == []


def test_a_name_that_only_other_things_bear_is_absent(asked):
    train = json.dumps({"count": 1, "results": [sound(tags=["train"])]}).encode()
    session = Interface({'"Northern Cardinal"': train})
    (absent,) = SITE.find(*asked(NAME), session)
    assert "Northern Cardinal: none of 1 sounds is said to be of the bird" in absent.reason
    assert "Cardinalis cardinalis: none" in absent.reason


def test_sounds_of_the_bird_are_read_under_their_licences(fixture):
    free, kept_back, nc, retired, unheard_of, absent = read(fixture("freesound/search.json"))
    assert free == RawAudio(
        hit=HIT,
        title="Northern Cardinal at dawn.wav",
        source_url="https://freesound.org/people/a%20recordist/sounds/700001/",
        source_id="700001",
        licence=free.licence,
        media_url="https://cdn.freesound.org/previews/700/700001_1-hq.ogg",
        author="a recordist",
        attribution="“Northern Cardinal at dawn.wav” by a recordist,"
        " https://freesound.org/people/a%20recordist/sounds/700001/, CC-BY-4.0",
        place="1.5 2.5",
        duration_s=41.5,
        other_species=("Blue Jay",),
        flags=("preview",),
    )
    assert (free.licence.name, free.licence.redistributable) == ("CC-BY-4.0", True)
    assert (kept_back.licence.name, kept_back.media_url) == ("CC0-1.0", "")
    assert kept_back.flags == ("no-gen-ai",)
    assert nc.licence.name == "CC-BY-NC"
    assert nc.media_url == "https://cdn.freesound.org/previews/700/700003_1-hq.mp3"
    assert nc.flags == ("preview", "noncommercial-open-source-models")
    assert "sampling+" in retired.licence.name
    assert (retired.licence.redistributable, retired.media_url) == (False, "")
    assert (unheard_of.flags, unheard_of.media_url) == (("no-gen-ai",), "")
    assert absent.reason == "listed, but not said to be of the bird: 700006"


def test_a_real_result_and_real_licences_are_read(real_data):
    folder = real_data / "site_samples" / "freesound"
    one = json.loads((folder / "search_result_one_sound.json").read_bytes())
    (absent,) = read({"results": [one]})
    assert absent.reason.endswith(": 411089")
    (raw,) = read({"results": [one | {"name": NAME, "tags": [*one["tags"], "bird"]}]})
    assert raw.source_url == one["url"]
    assert raw.media_url == one["previews"]["preview-hq-ogg"]
    assert raw.licence.name == "CC-BY-3.0"
    stated = [kind["fields"] for kind in json.loads((folder / "licenses.json").read_bytes())]
    found = {
        kind["name"]: [
            read({"results": [sound(license=kind[form])]})[0].licence.name
            for form in ("deed_url", "name")
        ]
        for kind in stated
    }
    assert found["Creative Commons 0"] == ["CC0-1.0", "CC0-1.0"]
    assert found["Attribution"] == ["CC-BY-4.0", "CC-BY"]
    assert found["Attribution NonCommercial"] == ["CC-BY-NC-4.0", "CC-BY-NC"]


@pytest.mark.parametrize(
    ("name", "text", "about"),
    [
        (NAME, "Northern Cardinal, a bird", True),
        (NAME, "northern_cardinal birdsong", True),
        (NAME, "Cardinalis cardinalis", True),
        (NAME, "Northern Cardinal", False),
        (NAME, "A red-crested cardinal, and other birds", False),
        ("Hooded Oriole", "Black-hooded Oriole, bird", False),
        ("Hooded Oriole", "A black-hooded oriole and a hooded oriole, birds", True),
        ("White Pelican", "Great White Pelican, bird", True),  # its images are of both
        ("Bobolink", "bobolink, bird", True),
        ("Sayornis", "Eastern Phoebe, bird", True),
        ("Nighthawk", "F-117 Nighthawk flying by, and birds", False),
        ("Nighthawk", "Common nighthawk, wildlife", True),
        ("Brewer's Blackbird", "Brewers blackbird (bird)", True),
    ],
)
def test_what_counts_as_said_to_be_of_the_bird(name, text, about):
    (found,) = read({"results": [sound(name=text, tags=[])]}, name)
    assert isinstance(found, RawAudio) is about


@pytest.mark.parametrize("body", [b"", b"[]", b'{"results": 1}', b'{"detail": "x"}'])
def test_an_answer_of_another_shape_is_a_failure(body):
    with pytest.raises(FetchFailed) as failure:
        read(body)
    assert failure.value.kind is Failure.TRUNCATED


def test_hostile_sounds_do_no_harm():
    sounds = [
        7,
        sound(id="../1"),
        sound(id=2, username="../../x?y#\ud800", duration=float("nan"), tags="bird", name=["x"]),
        sound(id=3, duration=float("inf"), previews=[], license=["Attribution"]),
        sound(id=4, duration=True, previews={"preview-hq-ogg": "http://[x"}),
        sound(id=5, previews={"preview-hq-ogg": "file:///etc/passwd"}),
        sound(id=6, previews={"preview-hq-ogg": "https://x.example/previews/1/../../a.ogg"}),
    ]
    found = read({"results": sounds})
    kept = {raw.source_id: raw for raw in found if isinstance(raw, RawAudio)}
    assert set(kept) == {"3", "4", "5", "6"}
    assert {raw.media_url for raw in kept.values()} == {""}
    assert {raw.duration_s for raw in kept.values()} == {None}
    (named,) = read({"results": [sound(username="../../x?y#\ud800")]})
    assert named.source_url == "https://freesound.org/people/..%2F..%2Fx%3Fy%23%3F/sounds/1/"


def test_the_token_goes_into_a_header_and_nowhere_else(tmp_path, asked, fixture):
    pages = {
        "/apiv2/search/": fixture("freesound/search.json"),
        "/previews/700/700001_1-hq.ogg": b"sound",
        "/robots.txt": b"User-agent: *\nDisallow: /apiv2/",  # for crawlers of its pages
    }
    out = tmp_path / "out"
    keys = {"FGBENCH_FREESOUND_TOKEN": TOKEN}
    with serving(pages) as site, asking(out, SITE, site, keys) as session:
        first = next(iter(SITE.find(*asked(NAME), session)))
        session.link(first)
        raw = next(iter(SITE.read(first, session.get(first.url))))
        assert session.get(raw.media_url).body == b"sound"
    listing, preview = site.asked
    assert listing[1]["authorization"] == f"Token {TOKEN}"
    assert "authorization" not in preview[1]
    assert TOKEN not in listing[0] + first.url
    assert TOKEN.encode() not in everything_written(out)


def test_too_many_requests_are_a_failure_to_try_again(tmp_path, asked):
    keys = {"FGBENCH_FREESOUND_TOKEN": TOKEN}
    limit = (429, b'{"detail": "Request was throttled."}')
    with (
        serving({"/apiv2/search/": limit}) as site,
        asking(tmp_path / "out", SITE, site, keys) as session,
        pytest.raises(FetchFailed) as failure,
    ):
        list(SITE.find(*asked(NAME), session))
    assert failure.value.kind is Failure.RATE_LIMITED
