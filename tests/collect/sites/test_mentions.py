"""Whether what is written of a recording is about a class, for all 200 of them."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.mentions import mentions, name_keys, others_named, scientific_names
from fgbench.species import find, name_key, species


@pytest.mark.parametrize("bird", species(), ids=lambda bird: bird.cub_name)
def test_each_class_is_known_by_its_names_of_today_and_no_other_class_by_them(bird):
    for taxon in bird.species:
        assert taxon.scientific_name in scientific_names(bird)
        assert mentions(bird, f"recorded at dawn: {taxon.scientific_name.upper()}.")
        assert {name_key(taxon.name), name_key(taxon.scientific_name)} <= name_keys(bird)
        text = f"A {taxon.name}, and other birds"
        assert mentions(bird, text)
        assert others_named(bird, text) == ()


@pytest.mark.parametrize("text", ["", "birds", "a made-up song", "x" * 10**5, "'" * 10**4])
def test_other_texts_are_about_no_class(text):
    assert not [bird.name for bird in species() if mentions(bird, text)]


def test_the_other_birds_that_are_named():
    text = "American Robin, Blue Jay and white-throated sparrows; no cardinal"
    assert others_named(find("Northern Cardinal"), text) == ("Blue Jay",)
    assert others_named(find("Blue Jay"), text) == ()
