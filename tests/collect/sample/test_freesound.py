"""The miniature Freesound: a token, phrases, fields, and previews that its adapter reads."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
import soundfile

from fgbench.collect.sample.freesound import COPIED
from fgbench.collect.sample.miniature import KEY
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.take import content
from fgbench.collect.sample.xeno_canto import entries
from fgbench.collect.sites.freesound import Freesound

SITE = Freesound()
NAME = "Heermann's Gull"
GULL = next(b for b in birds() if b.name == NAME)
SEARCH = "/apiv2/search/?query=%22Common%20Tern%22"


@pytest.fixture(scope="module")
def gull(world, asking, collect, tmp_path_factory):
    with asking(world, tmp_path_factory.mktemp("freesound"), SITE) as session:
        yield collect(SITE, session, NAME), session


def sent(get, target: str) -> dict:
    return json.loads(get("freesound", target, {"Authorization": f"Token {KEY}"}).body)


def test_it_wants_the_token_behind_its_scheme_or_as_a_parameter(get):
    refused = (
        get("freesound", SEARCH),
        get("freesound", SEARCH, {"Authorization": KEY}),
        get("freesound", SEARCH, {"Authorization": "Token another"}),
        get("freesound", f"{SEARCH}&token=another"),
    )
    for got in refused:
        assert (got.status, json.loads(got.body)) == (401, {"detail": "Invalid token"})
    assert get("freesound", SEARCH, {"authorization": f"Token {KEY}"}).status == 200
    assert get("freesound", f"{SEARCH}&token={KEY}").status == 200


def test_a_search_is_for_a_phrase_and_gives_the_fields_that_are_asked_for(get):
    found = sent(get, SEARCH)
    assert found["count"] == len(found["results"]) == 5
    assert list(found["results"][0]) == ["id", "name", "tags", "username", "license"]
    assert list(sent(get, f"{SEARCH}&fields=duration,nothing")["results"][0]) == ["duration"]
    assert sent(get, "/apiv2/search/?query=%22Tern%20Common%22")["count"] == 0
    assert sent(get, "/apiv2/search/?query=sterna")["count"] == 10


def test_a_search_has_pages(get):
    first, last = (sent(get, f"{SEARCH}&page={n}&page_size=3") for n in (1, 2))
    assert [len(page["results"]) for page in (first, last)] == [3, 2]
    assert (first["previous"], last["next"]) == (None, None)
    assert first["next"].endswith("page=2")
    assert get("freesound", f"{SEARCH}&page=x&token={KEY}").status == 400


def test_a_result_has_the_fields_of_a_real_one(get, real_data):
    file = real_data / "site_samples/freesound/search_result_one_sound.json"
    real = json.loads(file.read_bytes())
    names = ",".join(real)
    ours = sent(get, f"{SEARCH}&fields={names}")["results"][0]
    common = set(real) - {"num_downloads", "images", "filesize"}
    assert common <= set(ours)
    assert all(isinstance(ours[name], type(real[name])) for name in common - {"duration"})
    assert set(ours["previews"]) <= set(real["previews"])


def test_the_adapter_reads_five_sounds_of_which_one_is_not_fetched(gull):
    found, _ = gull
    assert len(found.raws) == 5
    assert found.absent == []
    kept_back = found.raw(f"{NAME}, song at noon")
    assert (kept_back.flags, kept_back.media_url) == (("no-gen-ai",), "")
    assert all(raw.media_url for raw in found.raws if raw is not kept_back)
    assert all("synthetic" in raw.title for raw in found.raws)
    assert {raw.licence.name for raw in found.raws} == {
        *("CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-3.0", "CC0-1.0")
    }


def test_previews_are_as_long_as_is_said_and_of_two_kinds(gull, get):
    found, session = gull
    raw = found.raw(f"{NAME}, hide in the rain")
    answer = session.get(raw.media_url)
    for body, kind in (
        (answer.body, "OGG"),
        (get("freesound", raw.media_url.partition(".org")[2].replace("ogg", "mp3")).body, "MP3"),
    ):
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            assert file.format == kind
            assert file.frames / file.samplerate == pytest.approx(raw.duration_s, abs=0.1)
    assert get("freesound", "/previews/1/1_1-hq.ogg").status == 404


def test_one_is_a_louder_copy_of_a_recording_of_xeno_canto(gull):
    found, session = gull
    copy = session.get(found.raw(f"{NAME}, song, normalised").media_url).body
    loud, rate = soundfile.read(io.BytesIO(copy))
    sound, same_rate = soundfile.read(io.BytesIO(content(entries(GULL)[COPIED - 1].take)))
    assert rate == same_rate
    assert loud.std() > 1.5 * sound[-len(loud) :].std()
    assert np.corrcoef(loud, sound[-len(loud) :])[0, 1] > 0.95
    assert len(loud) < len(sound)
