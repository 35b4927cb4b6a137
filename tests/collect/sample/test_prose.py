"""The words: enough of them, filled in, English, and different where they should be."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from fgbench.collect.clean.filters import reason_against
from fgbench.collect.sample.prose import Bird, birds, paragraphs, write, write_group

STYLES = (
    *("wikipedia", "fandom", "allaboutbirds.overview", "allaboutbirds.id"),
    *("allaboutbirds.lifehistory", "audubon", "ebird", "mnbirdatlas", "nhpbs", "psu", "birdsna"),
    *("neotropical.overview", "neotropical.breeding", "birdwatchersdigest", "folksread"),
)


def _all(bird: Bird) -> list[str]:
    return [text for style in STYLES for text in paragraphs(write(style, bird))]


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_every_paragraph_is_whole_english_and_fit_to_be_an_instance(bird: Bird):
    for text in [*_all(bird), write_group(bird.group)]:
        assert not re.search(r"[{}\[\]]|  |\.\.| \.|,\.", text), text
        assert text[0].isupper(), text
        assert text[-1] in ".?!", text
        assert reason_against(text) is None, text


def test_there_are_several_hundred_and_some_are_too_long_for_one_instance():
    texts = [text for bird in birds() for text in _all(bird)]
    assert len(set(texts)) > 350
    assert all(max(map(len, paragraphs(write("wikipedia", bird)))) > 448 for bird in birds())


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z'’-]+", text.lower())
    return {tuple(words[k : k + 5]) for k in range(max(1, len(words) - 4))}


def test_look_alikes_are_not_told_in_nearly_the_same_words():
    for one, other in combinations(birds(), 2):
        for a, b in zip(_all(one), _all(other), strict=True):
            x, y = _shingles(a), _shingles(b)
            if a != b:
                assert len(x & y) < 0.8 * len(x | y), (a, b)


def test_one_tip_stands_on_the_pages_of_every_species():
    tips = {write("allaboutbirds.overview", bird)[-1].paragraphs for bird in birds()}
    assert len(tips) == 1
