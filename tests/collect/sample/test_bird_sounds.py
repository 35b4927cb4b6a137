"""The miniature bird-sounds.net: a page a species, two pointers each."""

from __future__ import annotations

import pytest

from fgbench.collect.sample.prose import birds
from fgbench.collect.sites.bird_sounds import BirdSounds

SITE = BirdSounds()


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_the_adapter_finds_two_pointers_a_species(bird, world, asking, collect, tmp_path):
    with asking(world, tmp_path, SITE) as session:
        found = collect(SITE, session, bird.name)
    ids = [f"birdmedia/{bird.cub_id}/{n}.mp3" for n in (1, 2)]
    assert [(raw.source_id, raw.media_url, raw.title) for raw in found.raws] == [
        (i, "", bird.name) for i in ids
    ]
    assert found.absent == []


def test_other_names_have_no_page(get):
    assert get("bird-sounds", "/dodo").status == 404
    assert get("bird-sounds", "/birdmedia/1/1.mp3").status == 404
