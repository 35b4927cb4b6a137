"""xeno-canto: tagged queries with a key, pages of a listing, and what each recording allows."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from collect.sites.loopback import asking, everything_written, serving

from fgbench.collect.sites.base import Absent, Failure, FetchFailed, Hit, RawAudio, Response
from fgbench.collect.sites.xeno_canto import XenoCanto

SITE = XenoCanto()
KEY = "a-key/of+1%"
NAME = "Black-footed Albatross"
API = "https://xeno-canto.org/api/3/recordings"
NONE = {"numRecordings": "0", "numSpecies": "0", "page": 1, "numPages": 1, "recordings": []}


def query(url: str) -> str:
    return parse_qs(urlsplit(url).query)["query"][0]


class Interface:
    """Answers by query; others have no recordings."""

    as_of = None

    def __init__(self, answers: dict[str, object]) -> None:
        self.answers, self.asked = answers, []

    def get(self, url: str) -> Response:
        self.asked.append(url)
        body = json.dumps(self.answers.get(query(url), NONE)).encode()
        return Response(url, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")

    def canonical(self, url: str) -> str:
        return url

    def has_key(self, name: str) -> bool:
        return True


def hit(label: int = 0, **facts: str) -> Hit:
    return Hit("xeno-canto", label, "Phoebastria nigripes", API, "page 1", facts=facts)


def read(body: object, label: int = 0, **facts: str) -> list[RawAudio | Absent]:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Response(API, 200, {}, sent, "2026-11-01T12:00:00Z", "sha256:0")
    return list(SITE.read(hit(label, **facts), answer))


def test_a_listing_is_found_by_scientific_name_and_its_pages_are_hits(asked, fixture):
    tag = 'sp:"Phoebastria nigripes"'
    session = Interface({tag: json.loads(fixture("xeno_canto/recordings.json"))})
    hits = list(SITE.find(*asked(NAME), session))
    assert [query(h.url) for h in hits] == [tag] * 3
    assert [parse_qs(urlsplit(h.url).query)["page"] for h in hits] == [["1"], ["2"], ["3"]]
    assert {h.query for h in hits} == {"Phoebastria nigripes"}
    assert session.asked == [hits[0].url]
    assert "key" not in hits[0].url


def test_where_no_scientific_name_is_known_it_goes_by_the_sites_own_common_names(asked):
    tag = 'en:"=Black-footed Albatross"'
    session = Interface({tag: {**NONE, "recordings": [{"id": "1"}]}})
    (found,) = SITE.find(*asked(NAME), session)
    assert query(found.url) == tag
    assert [query(url) for url in session.asked] == ['sp:"Phoebastria nigripes"', tag]


def test_a_class_of_several_species_is_asked_for_by_each_ones_scientific_name_alone(asked):
    one = {**NONE, "recordings": [{"id": "1"}]}
    session = Interface({'sp:"Sayornis saya"': one, 'sp:"Sayornis nigricans"': one})
    hits = list(SITE.find(*asked("Sayornis"), session))
    assert {h.query for h in hits} == {"Sayornis saya", "Sayornis nigricans"}
    assert not [url for url in session.asked if query(url).startswith("en:")]


def test_a_species_without_recordings_is_absent_under_every_name(asked):
    (absent,) = SITE.find(*asked(NAME), Interface({}))
    assert isinstance(absent, Absent)
    assert absent.reason == (
        "Phoebastria nigripes: no recordings; Black-footed Albatross: no recordings"
    )


def test_a_claim_of_a_million_pages_is_cut_and_said(asked):
    tag = 'sp:"Phoebastria nigripes"'
    claimed = {**NONE, "numPages": 1_000_000, "recordings": [{"id": "1"}]}
    hits = list(SITE.find(*asked(NAME), Interface({tag: claimed})))
    assert len(hits) == SITE.requests_per_query == 20
    assert [dict(h.facts) for h in hits[:-1]] == [{}] * 19
    (absent,) = read(NONE, **hits[-1].facts)
    assert absent.reason == "pages of the listing beyond this one, not asked for: 999,980"


def test_a_recording_is_read_with_all_that_the_listing_says(fixture):
    whole, uncut, unlicensed, *absent = read(fixture("xeno_canto/recordings.json"))
    assert whole == RawAudio(
        hit=hit(),
        title="Black-footed Albatross (Phoebastria nigripes), call, begging call",
        source_url="https://xeno-canto.org/900001",
        source_id="XC900001",
        licence=whole.licence,
        media_url="https://xeno-canto.org/900001/download",
        author="A. Recordist",
        attribution="A. Recordist, XC900001, https://xeno-canto.org/900001, CC-BY-NC-SA-4.0",
        recorded_on="2019-05",
        place="A made-up atoll, Nowhere",
        quality="A",
        duration_s=3723.0,
        other_species=("Phoebastria immutabilis",),
        related=("XC900002", "XC900003", "XC900004"),
    )
    assert whole.licence.url == "https://creativecommons.org/licenses/by-nc-sa/4.0/"
    assert whole.licence.derivatives
    assert (uncut.licence.name, uncut.licence.derivatives) == ("CC-BY-NC-ND-4.0", False)
    assert (uncut.quality, uncut.recorded_on, uncut.place) == ("", "2019-05-28", "Nowhere")
    assert (unlicensed.media_url, unlicensed.licence.redistributable) == ("", False)
    assert (unlicensed.duration_s, unlicensed.recorded_on) == (None, "")
    assert [a.reason for a in absent] == [
        "the site keeps back the sound of: XC900006, XC900007",
        "listed, but of another species: XC900008 (Puffinus puffinus)",
    ]


def test_real_answers_are_read(real_data):
    folder = real_data / "site_samples" / "xeno-canto"
    label = 15 - 1  # Lazuli Bunting is CUB's class 15
    (bunting,) = read((folder / "v3_recordings_ok.json").read_bytes(), label)
    assert (bunting.source_id, bunting.licence.name) == ("XC254462", "CC-BY-SA-4.0")
    assert (bunting.recorded_on, bunting.duration_s, bunting.quality) == ("2015-06-23", 253.0, "A")
    assert bunting.related == ("XC254461",)
    assert bunting.other_species == ("Pipilo maculatus",)
    for name in ("v3_error_missing_key.json", "v3_error_documented_form.json"):
        with pytest.raises(FetchFailed, match=r"Missing or invalid|no query") as failure:
            read((folder / name).read_bytes())
        assert failure.value.kind is Failure.HTTP_4XX


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"recordings": {}}', b"[" * 100_000, b"\xff\xfe\x00"],
)
def test_an_answer_of_another_shape_is_a_failure(body):
    with pytest.raises(FetchFailed) as failure:
        read(body)
    assert failure.value.kind is Failure.TRUNCATED


def test_hostile_records_do_no_harm():
    own = {"gen": "Phoebastria", "sp": "nigripes"}
    records = [
        None,
        {"id": "../../etc/passwd", **own},
        {"id": True, **own},
        {"id": -1, **own},
        {"id": 10**300, **own},
        {
            **own,
            "id": 7,
            "file": "https://evil.example/x",
            "lic": "javascript:alert(1)",
            "rec": "\ud800\n<script>",
            "also": {"a": 1},
            "rmk": ["same as XC1"],
            "length": "99999:99",
            "date": {"y": 1},
            "q": ["A"],
        },
    ]
    (kept,) = read({"recordings": records})
    assert (kept.source_id, kept.media_url, kept.source_url) == (
        "XC7",
        "",
        "https://xeno-canto.org/7",
    )
    assert kept.author == "? <script>"
    assert (kept.other_species, kept.related, kept.duration_s, kept.quality) == ((), (), None, "")
    kept.attribution.encode("utf-8")


def test_an_extreme_remark_is_read_in_no_time():
    own = {"id": 7, "gen": "Phoebastria", "sp": "nigripes", "file": "x"}
    (kept,) = read({"recordings": [{**own, "rmk": "same XC1 " * 200_000}]})
    assert kept.related == ("XC1",)


def test_the_key_goes_on_the_wire_and_nowhere_else(tmp_path, asked, fixture):
    body = fixture("xeno_canto/recordings.json").replace(b'"1203"', f'"{KEY}"'.encode())
    pages = {"/api/3/recordings": body, "/900001/download": b"sound"}
    out = tmp_path / "out"
    with (
        serving(pages) as site,
        asking(out, SITE, site, {"FGBENCH_XENO_CANTO_KEY": KEY}) as session,
    ):
        hits = list(SITE.find(*asked(NAME), session))
        for one in hits:
            session.link(one)
        answer = session.get(hits[0].url)
        kept = [raw for raw in SITE.read(hits[0], answer) if isinstance(raw, RawAudio)]
        assert session.get(kept[0].media_url).body == b"sound"
    listing, sound = site.asked
    assert parse_qs(urlsplit(listing[0]).query)["key"] == [KEY]
    assert sound[0] == "/900001/download"  # without the key; robots.txt does not rule here
    written = everything_written(out)
    assert b"900001" in written
    assert KEY.encode() not in written
    assert all(KEY not in one.url for one in hits)


@pytest.mark.parametrize(
    ("keys", "kind", "asked_for"),
    [({"FGBENCH_XENO_CANTO_KEY": KEY}, Failure.KEY_REFUSED, 1), ({}, Failure.NO_KEY, 0)],
)
def test_a_key_that_is_refused_or_missing_is_named(tmp_path, asked, keys, kind, asked_for):
    refused = (401, b'{"error":"client_error","message":"Missing or invalid key"}')
    with (
        serving({"/api/3/recordings": refused}) as site,
        asking(tmp_path / "out", SITE, site, keys) as session,
        pytest.raises(FetchFailed, match="FGBENCH_XENO_CANTO_KEY") as failure,
    ):
        list(SITE.find(*asked(NAME), session))
    assert (failure.value.kind, len(site.asked)) == (kind, asked_for)
