"""From what each name leads to, to what a site has for a species."""

from __future__ import annotations

from fgbench.collect.sites.base import Absent, Hit
from fgbench.collect.sites.outcomes import settle
from fgbench.species import find

MALLARD, SAYORNIS = find("Mallard"), find("Sayornis")


def hit(name: str) -> Hit:
    return Hit("a", 0, name, f"https://a.example/{name}", name)


def absent(name: str, reason: str = "no page") -> Absent:
    return Absent("a", 0, name, reason)


def test_the_first_name_that_is_known_ends_the_asking():
    asked = []

    def outcomes():
        for outcome in (absent("one"), [hit("two")], [hit("three")]):
            asked.append(outcome)
            yield outcome

    assert list(settle(outcomes(), MALLARD)) == [hit("two")]
    assert len(asked) == 2


def test_a_class_of_several_species_is_asked_for_by_every_name_no_page_twice():
    outcomes = [[hit("genus")], absent("one"), [hit("one")], [hit("genus"), hit("two")]]
    assert list(settle(outcomes, SAYORNIS)) == [hit("genus"), hit("one"), hit("two")]


def test_where_no_name_is_known_one_absence_tells_why_of_each():
    found = list(settle([absent("one"), absent("two", "restricted")], MALLARD))
    assert found == [absent("one", "one: no page; two: restricted")]


def test_no_names_at_all_are_no_outcome():
    assert list(settle([], MALLARD)) == []
