"""The miniature SoundCloud: yt-dlp's own extractors find their way through it to the stream."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.soundcloud import CLIENT, tracks
from fgbench.collect.sites.soundcloud import SoundCloud

pytest.importorskip("yt_dlp")

NAME = "Heermann's Gull"
"""It stands for all, as yt-dlp is slow; it has an apostrophe, which no address has."""


@pytest.fixture(scope="module")
def gull(world, asking, collect, tmp_path_factory):
    site = SoundCloud(audio=True)
    with asking(world, tmp_path_factory.mktemp("soundcloud"), site) as session:
        yield site, session, collect(site, session, NAME)


def test_the_adapter_reads_twotracks_of_which_one_is_free(gull):
    _, _, found = gull
    free, reserved = found.raws
    assert found.absent == []
    assert (free.licence.name, reserved.licence.name) == ("CC-BY", "all rights reserved")
    assert (free.media_url, reserved.media_url) == (free.source_url, "")
    assert all("synthetic" in raw.title for raw in found.raws)


def test_the_free_one_is_fetched(gull):
    site, session, found = gull
    hit = replace(found.hits[0], url=found.raws[0].media_url)
    answer = site.fetch(hit, session)
    assert answer.date == "2026-01-01T00:00:00Z"
    (track,) = (t for t in tracks().values() if t.page == hit.url)
    assert answer.body == track.take.answer().body


def test_the_interface_wants_its_client_id(get):
    target = "/search/tracks?q=common+tern"
    assert get("soundcloud", target).status == 401
    assert get("soundcloud", f"{target}&client_id=another").status == 401
    found = json.loads(get("soundcloud", f"{target}&client_id={CLIENT}").body)
    assert [track["downloadable"] for track in found["collection"]] == [True, False]


@pytest.mark.parametrize(
    "target",
    ["/resolve?url=https://soundcloud.com/gone/track", "/tracks/1/download", "/media/1/x", "/x"],
)
def test_what_it_does_not_have_is_not_found(get, target):
    joint = "&" if "?" in target else "?"
    assert get("soundcloud", f"{target}{joint}client_id={CLIENT}").status == 404
    assert get("soundcloud", "/1.128.mp3").status == 404


def test_every_species_has_twotracks_on_pages_of_their_own():
    pages = {track.page for track in tracks().values()}
    assert len(pages) == 2 * len(birds())
