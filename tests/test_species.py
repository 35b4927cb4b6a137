"""The 200 classes: who they are, and how they are found."""

from __future__ import annotations

import pytest

from fgbench.errors import InputError
from fgbench.species import Taxon, find, species


def test_two_hundred_full_rows_in_order() -> None:
    rows = species()
    assert [s.label for s in rows] == list(range(200))
    assert [s.cub_id for s in rows] == list(range(1, 201))
    assert [int(s.cub_name[:3]) for s in rows] == list(range(1, 201))
    for s in rows:
        assert all((s.name, s.scientific_name, s.genus, s.family, s.order)), s
        assert s.family.endswith("idae")
        assert s.order.endswith("formes")
        assert s.scientific_name.split()[0] == s.genus
        assert s.species[0].scientific_name.startswith(s.genus)
        assert {"scientific", "cub", "audio-folder"} <= {alias.kind for alias in s.aliases}


def test_a_genus_stands_in_one_family_and_a_family_in_one_order() -> None:
    families = {s.genus: s.family for s in species()}
    orders = {s.family: s.order for s in species()}
    assert all(families[s.genus] == s.family and orders[s.family] == s.order for s in species())


@pytest.mark.parametrize(
    ("cub_id", "scientific_name", "family", "order", "code"),
    [
        (1, "Phoebastria nigripes", "Diomedeidae", "Procellariiformes", "bkfalb"),
        (31, "Coccyzus erythropthalmus", "Cuculidae", "Cuculiformes", "bkbcuc"),
        (68, "Archilochus colubris", "Trochilidae", "Apodiformes", "rthhum"),
        (96, "Icterus cucullatus", "Icteridae", "Passeriformes", "hooori"),
        (118, "Passer domesticus", "Passeridae", "Passeriformes", "houspa"),
        (200, "Geothlypis trichas", "Parulidae", "Passeriformes", "comyel"),
    ],
)
def test_taxonomy_of_some_classes(
    cub_id: int, scientific_name: str, family: str, order: str, code: str
) -> None:
    s = find(cub_id)
    assert (s.scientific_name, s.family, s.order) == (scientific_name, family, order)
    assert s.ebird_code == s.ebird_code_2025 == code


@pytest.mark.parametrize(
    ("cub_id", "codes"),
    [
        (44, {"magfri", "asifri1", "lesfri", "grefri", "chifri1"}),
        (92, {"comnig", "antnig", "lesnig", "leanig1", "nacnig1", "sacnig1"}),
        (103, {"blkpho", "easpho", "saypho"}),
        (110, {"greroa", "lesroa1"}),
        (130, {"amtspa", "eutspa"}),
    ],
)
def test_known_faults_of_labels_stay_visible(cub_id: int, codes: set[str]) -> None:
    s = find(cub_id)
    assert {taxon.ebird_code for taxon in s.species} == codes
    assert s.note
    assert s.sources.species == "resolutions.csv"


def test_every_mixed_class_has_a_note_and_no_other_many_species() -> None:
    assert all(s.note for s in species() if len(s.species) > 1)
    assert sum(s.note is None for s in species()) == 186


def test_codes_before_and_after_splits() -> None:
    assert find(103).ebird_code is None
    assert (find(62).ebird_code, find(62).ebird_code_2025) == ("hergul", "euhgul1")
    assert (find(182).ebird_code, find(182).ebird_code_2025) == ("yelwar", "yelwar1")
    assert find(101).ebird_code == "grwpel1"
    assert Taxon("Pelecanus onocrotalus", "Great White Pelican", "grwpel1") in find(101).species


@pytest.mark.parametrize(
    "name",
    [
        9,
        "9",
        "009.Brewer_Blackbird",
        "Brewer_Blackbird",
        "brewer's blackbird",
        "Brewer’s Blackbird",
        "BREWERS BLACKBIRD",
        "Euphagus cyanocephalus",
        "euphagus_cyanocephalus",
        "brebla",
    ],
)
def test_find_by_anything(name: str | int) -> None:
    assert find(name).cub_id == 9


@pytest.mark.parametrize(
    ("name", "cub_id"),
    [
        ("Artic_Tern", 141),
        ("Arctic Tern", 141),
        ("Forster's Tern", 146),
        ("Forsters_Tern", 146),
        ("Gray Catbird", 19),
        ("Grey_Catbird", 19),
        ("Grey_crowned_Rosy_Finch", 34),
        ("Lesser_violetear", 70),
        ("White_throated_Kingfisher", 83),
        ("Cape_Starlin", 134),
        ("Nelson_sparrow", 126),
        ("LeConte_Sparrow", 124),
        ("Florida_Scrub-Jay", 74),
        ("Sand Martin", 135),
        ("Phalacrocorax pelagicus", 25),
        ("American Herring Gull", 62),
        ("Passer montanus", 130),
        ("Great White Pelican", 101),
    ],
)
def test_aliases(name: str, cub_id: int) -> None:
    assert find(name).cub_id == cub_id


def test_every_alias_finds_its_class_alone() -> None:
    for s in species():
        for alias in s.aliases:
            assert find(alias.name) is s


@pytest.mark.parametrize(
    "wrong",
    ["Macropygia nigrirostris", "Actenoides monachus", "Oriolus xanthornus", "Riparia diluta"],
)
def test_rejected_names_find_nothing(wrong: str) -> None:
    with pytest.raises(InputError):
        find(wrong)


@pytest.mark.parametrize(
    "name", [0, 201, -1, "0", "201", "", "   ", "no such bird", "²", "9" * 5000]
)
def test_unknown(name: str | int) -> None:
    with pytest.raises(InputError) as caught:
        find(name)
    assert caught.value.code == "FG-N001"


def test_near_names_are_offered() -> None:
    with pytest.raises(InputError, match="Black-footed Albatross"):
        find("Blakfooted albatros")
    with pytest.raises(InputError, match="Yellow-headed Blackbird"):
        find("headed blackbird")


def test_ambiguous_names_say_between_which(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = (find(29), find(30))
    monkeypatch.setattr("fgbench.species._index", lambda: {"crow": pair})
    with pytest.raises(InputError) as caught:
        find("Crow")
    assert caught.value.code == "FG-N002"
    assert "029.American_Crow, 030.Fish_Crow" in str(caught.value)
