"""The miniature Avibase: found by name, and its players lead to the other miniatures."""

from __future__ import annotations

import pytest

from fgbench.collect.sample import macaulay, xeno_canto
from fgbench.collect.sample.avibase import identifier
from fgbench.collect.sample.prose import birds
from fgbench.collect.sites.avibase import Avibase
from fgbench.species import species

SITE = Avibase()


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_the_adapter_finds_three_pointers_a_species(bird, world, asking, collect, tmp_path):
    with asking(world, tmp_path, SITE) as session:
        found = collect(SITE, session, bird.name)
    known, hidden = (xeno_canto.entries(bird)[k].number for k in (1, xeno_canto.RESTRICTED - 1))
    given = macaulay.assets(bird)[0].number
    assert {raw.source_id for raw in found.raws} == {f"XC{known}", f"ML{given}", f"XC{hidden}"}
    assert [raw.media_url for raw in found.raws] == [""] * 3
    assert found.absent == []
    assert {hit.source_id for hit in found.hits} == {identifier(bird)}


def test_ids_begin_as_the_real_ones():
    ids = [identifier(bird) for bird in birds()]
    assert [i[:8] for i in ids] == [species()[bird.cub_id - 1].avibase_id for bird in birds()]
    assert {len(i) for i in ids} == {16}


def test_a_name_that_it_does_not_know_has_no_row(get):
    assert get("avibase", "/search.jsp?qstr=Sterna%20hirundo").body.count(b"<tr>") == 2
    for words in ("Dodo", "", "%20", "..%2F"):
        assert get("avibase", f"/search.jsp?qstr={words}").body.count(b"<tr>") == 1
    assert get("avibase", "/species.jsp?avibaseid=0123456789ABCDEF&sec=audio").status == 404


def test_sounds_are_on_a_part_of_their_own(get):
    page = f"/species.jsp?lang=EN&avibaseid={identifier(birds()[0])}"
    assert b"<iframe" not in get("avibase", page).body
    assert get("avibase", f"{page}&sec=audio").body.count(b"<iframe") == 3
