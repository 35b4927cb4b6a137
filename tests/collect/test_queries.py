from __future__ import annotations

from types import SimpleNamespace

import pytest

from fgbench.collect.queries import Query, QueryKind, queries_for


def make(name, scientific, cub, *aliases, label=0):
    return SimpleNamespace(
        label=label,
        name=name,
        scientific_name=scientific,
        cub_name=cub,
        aliases=tuple(SimpleNamespace(name=alias) for alias in aliases),
    )


def test_every_name_once_the_most_canonical_first():
    cardinal = make(
        "Northern Cardinal",
        "Cardinalis cardinalis",
        "017.Cardinal",
        "Cardinal",
        "Redbird",
        "northern  cardinal",
        "Northern_Cardinal",
        "Cardinalis_cardinalis",
        label=16,
    )
    assert queries_for(cardinal) == (
        Query(16, "Northern Cardinal", QueryKind.COMMON, 0),
        Query(16, "Cardinalis cardinalis", QueryKind.SCIENTIFIC, 1),
        Query(16, "Cardinal", QueryKind.CUB, 2),
        Query(16, "Redbird", QueryKind.ALIAS, 3),
    )


@pytest.mark.parametrize(
    ("name", "cub"),
    [
        ("Black-footed Albatross", "001.Black_footed_Albatross"),
        ("Brandt's Cormorant", "023.Brandts_Cormorant"),
        ("Swainson’s Warbler", "178.Swainsons_Warbler"),
    ],
)
def test_names_that_differ_in_punctuation_alone_are_asked_once(name, cub):
    assert [q.text for q in queries_for(make(name, "A b", cub))] == [name, "A b"]


def test_accents_are_kept_and_composed():
    species = make("Crow", "A b", "1.Crow", "Grand-due d'Ame\u0301rique")
    assert queries_for(species)[-1].text == "Grand-due d'Amérique"


def test_all_two_hundred_classes_have_names_to_ask_for():
    released = pytest.importorskip("fgbench.species")
    queries = [queries_for(species) for species in released.species()]
    assert len(queries) == 200
    for label, names in enumerate(queries):
        assert [q.rank for q in names] == list(range(len(names)))
        assert {q.label for q in names} == {label}
        assert names[0].kind is QueryKind.COMMON
        assert not any("_" in q.text for q in names)
        folded = [q.text.casefold() for q in names]
        assert len(set(folded)) == len(folded)
