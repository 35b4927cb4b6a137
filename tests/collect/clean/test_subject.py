"""Pages of the right species pass under any of its names; other pages do not."""

from collections.abc import Callable

import pytest

from fgbench.collect.clean.subject import about_right_species, plain_words
from fgbench.collect.sites.base import RawText
from fgbench.species import find

Make = Callable[..., RawText]
LEAD = "The bird is large and dark, and it nests in colonies on islands of the ocean."


@pytest.mark.parametrize(
    ("cub_id", "title", "lead", "about"),
    [
        (1, "Black-footed albatross", LEAD, ()),
        (1, "Black Footed Albatross - Wikipedia", LEAD, ()),
        (1, "The Black-footed Albatross", LEAD, ()),
        (1, "BLACK‑FOOTED ALBATROSS | Field Guide", LEAD, ()),
        (1, "Wildlife Journal", LEAD, ("Phoebastria nigripes",)),
        (1, "Wildlife Journal", f"Black-footed Albatross (Phoebastria nigripes). {LEAD}", ()),
        (1, "Phoebastria nigripes", LEAD, ()),
        (1, "Wildlife Journal", LEAD, ("Phoebastria nigripes (Audubon, 1839)",)),
        (1, "Meet the Black-footed Albatross", f"{LEAD} Phoebastria nigripes is its name.", ()),
        (17, "Northern cardinal", LEAD, ()),
        (17, "Cardinal", LEAD, ()),
        (23, "Brandt's Cormorant", LEAD, ()),
        (23, "Brandt’s cormorant", LEAD, ()),
        (46, "Gadwall", LEAD, ()),
        (46, "A duck", f"The gadwall (Anas strepera) is a duck. {LEAD}", ()),
        (78, "Grey Kingbird", LEAD, ()),
        (92, "Common nighthawk", LEAD, ()),
        (92, "Chordeiles minor", LEAD, ()),
        (103, "Say's phoebe", LEAD, ()),
        (103, "Sayornis", LEAD, ()),
        (110, "Greater roadrunner", LEAD, ()),
        (130, "American tree sparrow", LEAD, ()),
        (105, "Eastern whip-poor-will", LEAD, ()),
    ],
)
def test_right_pages(page: Make, cub_id: int, title: str, lead: str, about: tuple[str]) -> None:
    assert about_right_species(page(title, lead, about=about), find(cub_id)) == (True, "")


@pytest.mark.parametrize(
    ("cub_id", "title", "lead", "about", "why"),
    [
        (1, "Laysan albatross", LEAD, (), "laysan albatross"),
        (
            1,
            "A page",
            f"Unlike the black-footed albatross. {LEAD}",
            ("Phoebastria immutabilis",),
            "im",
        ),
        (
            1,
            "Short-tailed albatross",
            f"Near the black-footed albatross. {LEAD}",
            (),
            "another bird",
        ),
        (1, "Albatross", LEAD, (), "another bird"),
        (1, "Sea birds of Hawaii", LEAD, (), "neither"),
        (1, "Sea birds of Hawaii", *[""], (), "neither"),
        (17, "Cardinal", "Cardinal may refer to:", (), "disambiguation"),
        (
            17,
            "Cardinal",
            "Cardinal or The Cardinal most commonly may refer to one of these",
            (),
            "dis",
        ),
        (17, "Cardinal (disambiguation)", LEAD, (), "disambiguation"),
        (
            17,
            "Cardinal (Catholic Church)",
            "A cardinal is a leading member of the clergy.",
            (),
            "more",
        ),
        (17, "St. Louis", "Cardinal players are known as birds on the bat.", (), "neither"),
        (
            91,
            "Tropical mockingbird",
            f"Like the northern mockingbird, it sings. {LEAD}",
            (),
            "another",
        ),
        (114, "House sparrow", f"It lives beside the black-throated sparrow. {LEAD}", (), "house"),
        (31, "Mangrove cuckoo", f"It is near the black-billed cuckoo. {LEAD}", (), "mangrove"),
    ],
)
def test_wrong_pages(
    page: Make, cub_id: int, title: str, lead: str, about: tuple[str], why: str
) -> None:
    right, reason = about_right_species(page(title, lead, about=about), find(cub_id))
    assert not right
    assert why in reason.casefold()


def test_only_the_first_paragraphs_speak_for_the_page(page: Make) -> None:
    late = page("Islands", LEAD, LEAD, LEAD, "Here nests Phoebastria nigripes.")
    assert not about_right_species(late, find(1))[0]


def test_a_name_is_found_as_whole_words_only(page: Make) -> None:
    assert not about_right_species(page("Ships", "The black-footed albatrosses of Ian."), find(1))[
        0
    ]


def test_plain_words() -> None:
    assert plain_words("Brandt’s_Cormorant, Grey–Müller") == " brandt cormorant gray muller "
