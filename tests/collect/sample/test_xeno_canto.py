"""The miniature xeno-canto: the shape of the real one, its key, and what its adapter reads."""

from __future__ import annotations

import io
import json
from collections import Counter
from urllib.parse import quote

import pytest
import soundfile

from fgbench.collect.sample import sample_world
from fgbench.collect.sample.miniature import KEY
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.xeno_canto import (
    FAR,
    LONG,
    RESTRICTED,
    SAME_BIRD,
    TAKEN_TOGETHER,
    WHOLE,
    WITH_KIN,
    entries,
)
from fgbench.collect.sites.xeno_canto import XenoCanto

SITE = XenoCanto()
TERN = next(b for b in birds() if b.name == "Common Tern")
API = "/api/3/recordings"


def listing(query: str, **more: object) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{API}?query={quote(query)}&key={KEY}{extra}"


def numbered(*places: int) -> list[str]:
    return [f"XC{entries(TERN)[place - 1].number}" for place in places]


@pytest.fixture(scope="module")
def tern(world, asking, collect, tmp_path_factory):
    with asking(world, tmp_path_factory.mktemp("xc"), SITE) as session:
        yield collect(SITE, session, TERN.name), session


def test_an_answer_has_the_fields_of_a_real_one(get, real_data):
    real = json.loads((real_data / "site_samples/xeno-canto/v3_recordings_ok.json").read_bytes())
    ours = json.loads(get("xeno-canto", listing('sp:"Sterna hirundo"')).body)
    assert list(ours) == list(real)
    assert [type(v) for v in ours.values()] == [type(v) for v in real.values()]
    assert list(ours["recordings"][0]) == list(real["recordings"][0])


def test_without_the_right_key_it_answers_as_the_real_one(get, real_data):
    real = (real_data / "site_samples/xeno-canto/v3_error_missing_key.json").read_bytes()
    for target in (f"{API}?query=x", f"{API}?query=x&key=another", f"{API}?query=x&key="):
        got = get("xeno-canto", target)
        assert got.status == 401
        assert json.loads(got.body) == json.loads(real)
    assert get("xeno-canto", f"{API}?query=x", {"key": KEY}).status == 401


@pytest.mark.parametrize("query", ["", "tern", "sp:hirundo tern", "area:america", 'sp:"Sterna'])
def test_what_is_no_tagged_query_is_an_error(get, query):
    got = get("xeno-canto", listing(query))
    assert got.status == 400
    assert set(json.loads(got.body)["error"]) == {"code", "message"}


@pytest.mark.parametrize(
    ("query", "species"),
    [
        ('sp:"sterna hirundo"', 1),
        ('en:"=common tern"', 1),
        ('en:"=tern"', 0),
        ('en:"tern"', 2),
        ('en:tern sp:"Sterna hirundo"', 1),
        ('sp:"Sterna"', 0),
    ],
)
def test_tags_choose_species(get, query, species):
    found = json.loads(get("xeno-canto", listing(query)).body)
    assert found["numSpecies"] == str(species)
    assert found["numRecordings"] == str(15 * species) == str(len(found["recordings"]))


def test_a_listing_has_pages(get):
    query = 'en:"a"'
    pages = [
        json.loads(get("xeno-canto", listing(query, per_page=50, page=p)).body) for p in (1, 2)
    ]
    every = int(pages[0]["numRecordings"])
    assert every > 50
    assert [len(page["recordings"]) for page in pages] == [50, min(50, every - 50)]
    assert pages[0]["numPages"] == -(-every // 50)
    assert get("xeno-canto", listing(query, page="x")).status == 400


def test_the_adapter_reads_fourteen_recordings_and_one_that_is_kept_back(tern):
    found, _ = tern
    assert [raw.source_id for raw in found.raws] == numbered(*range(1, FAR + 1))
    (absent,) = found.absent
    assert absent.reason == f"the site keeps back the sound of: {numbered(RESTRICTED)[0]}"
    assert all("synthetic" in raw.title for raw in found.raws)
    assert set("ABCDE") == {raw.quality for raw in found.raws}
    licences = Counter(raw.licence.name for raw in found.raws)
    assert set(licences) >= {"CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0"}
    assert [raw.source_id for raw in found.raws if not raw.licence.derivatives] == numbered(WHOLE)


def test_what_belongs_together_says_so(tern):
    found, _ = tern
    by_id = {raw.source_id: raw for raw in found.raws}
    where = [(raw.author, raw.place, raw.recorded_on) for raw in by_id.values()]
    one, other = (by_id[n] for n in numbered(*TAKEN_TOGETHER))
    assert where.count((one.author, one.place, one.recorded_on)) == 2
    assert (other.author, other.place, other.recorded_on) in where
    assert len(set(where)) == len(where) - 1
    first, second = numbered(*SAME_BIRD)
    assert {n: raw.related for n, raw in by_id.items() if raw.related} == {second: (first,)}
    heard = {n: raw.other_species for n, raw in by_id.items() if raw.other_species}
    assert heard == dict.fromkeys(numbered(*WITH_KIN), ("Sterna paradisaea",))


def test_a_sound_is_fetched_without_the_key_and_is_as_long_as_is_said(tern):
    found, session = tern
    for raw in (found.raws[0], found.raws[3], found.raws[-1]):
        answer = session.get(raw.media_url)
        with soundfile.SoundFile(io.BytesIO(answer.body)) as file:
            assert file.frames / file.samplerate == pytest.approx(raw.duration_s, abs=0.5)
            assert "synthetic" in file.title


def test_lengths_formats_and_rates_vary():
    takes = [entry.take for bird in birds() for entry in entries(bird)]
    lengths = [take.duration_s for take in takes]
    assert sum(length > 60 for length in lengths) == 4
    assert all(5 <= length <= 25 for length in lengths if length <= 60)
    assert {take.format for take in takes} == {"mp3", "flac", "wav"}
    assert {take.rate for take in takes} == {22_050, 32_000, 44_100}
    assert all(entries(b)[LONG - 1].take.duration_s > 60 for b in birds()[::2])


def test_what_is_kept_back_or_unknown_is_not_there(get):
    number = entries(TERN)[RESTRICTED - 1].number
    for target in (f"/{number}/download", "/1/download", "/x/download", "/"):
        assert get("xeno-canto", target).status == 404


def test_the_key_is_in_nothing_that_is_kept(ask, tmp_path, asking, collect):
    noted = []
    with sample_world(note=noted.append) as world:
        ask(world, "xeno-canto", f"{API}?query=x&key=hunter2-hunter2&page=1")
        ask(world, "xeno-canto", f"{API}?key={KEY}")
        with asking(world, tmp_path, SITE) as session:
            collect(SITE, session, TERN.name)
        asked = world.asked
    assert asked[0].target == f"{API}?query=x&page=1"
    assert asked[1].target == API
    assert asked[2].status == 200
    assert asked[2].target.startswith(f"{API}?query=sp")
    for kept in (repr(asked), repr(noted)):
        assert KEY not in kept
        assert "hunter2" not in kept
