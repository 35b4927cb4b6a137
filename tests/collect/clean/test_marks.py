"""Links, marks and invisible characters go; the words stay, in their order."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.clean.marks import strip_invisible, strip_marks

ANY_TEXT = st.text(st.characters(exclude_categories=()))
WORDS = st.lists(st.from_regex(r"[A-Za-zéñā]{2,12}", fullmatch=True), min_size=1, max_size=12)
NOISE = st.sampled_from(
    [
        "[1]",
        "[12, 13]",
        "[3–5]",
        "[b]",
        "[note 3]",
        "[nb 2]",
        "[citation needed]",
        "[edit]",
        "[by whom?]",
        "[3]:45",
        "http://example.org/a_(b)?c=d&e",
        "https://example.org",
        "www.example.com/x",
        "someone.else@example.co.uk",
        "birds.example.org/guide",
        "<b>",
        "</i>",
        "<!-- note -->",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "()",
    ]
)


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("It sings.[1][2] It flies.", "It sings. It flies."),
        ("It sings.[1]It flies.", "It sings. It flies."),
        ("It sings [1], flies[2] and nests [3].", "It sings, flies and nests."),
        ("About 30 cm[citation needed] long[note 1][b]", "About 30 cm long"),
        ("It[3]:45 flies; it[4]: 12 birds", "It flies; it: 12 birds"),
        ("Breeding[edit] [edit source]", "Breeding"),
        (
            "in [1998] [sic], '[T]he bird' like [a] gate",
            "in [1998] [sic], '[T]he bird' like [a] gate",
        ),
        ("[ˈkɑːdɪnəl] sound", "[ˈkɑːdɪnəl] sound"),
        ("See http://example.org/a. Next", "See. Next"),
        ("See https://example.org/Robin_(bird).", "See."),
        ("Known (see www.example.org/q), it flies", "Known (see), it flies"),
        ("Known (http://example.org), it flies", "Known, it flies"),
        ("Write to a.b+c@example.org!", "Write to!"),
        ("Ask <https://example.org/x> first", "Ask first"),
        ("On example.org/guide and doi:10.1000/182 there", "On and there"),
        ("mass 3.5 kg.The wing", "mass 3.5 kg.The wing"),
        ("cock&nbsp;&amp;&nbsp;hen &#8211; &lt;i&gt;both&lt;/i&gt;", "cock & hen – both"),
        ("at 5 < 6 and 7 > 6", "at 5 < 6 and 7 > 6"),
        ("black\u00adbird\u200b \u202ared\u202c\x00", "blackbird red"),
        ("two\u2028lines\u00a0and\ttabs\x0b", "two lines and tabs"),
        ("• a list item", "a list item"),
        ("cafe\u0301", "café"),
    ],
)
def test_marks_go_and_words_stay(text: str, stripped: str) -> None:
    assert strip_marks(text) == stripped


@given(WORDS, st.data())
def test_words_survive_any_noise_between_them(words: list[str], data: st.DataObject) -> None:
    noisy = words[0]
    for word in words[1:]:
        noisy += f" {data.draw(NOISE)} {word}"
    expected = [unicodedata.normalize("NFC", w) for w in words]
    assert strip_marks(noisy).split() == expected


@given(ANY_TEXT)
def test_the_result_is_clean_whatever_came_in(text: str) -> None:
    stripped = strip_marks(text)
    assert stripped == unicodedata.normalize("NFC", " ".join(stripped.split()))
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") for c in stripped)
    stripped.encode("utf-8")


@given(st.text(st.characters(categories=("L", "M", "N")), max_size=80))
def test_letters_and_digits_are_never_lost(text: str) -> None:
    assert strip_marks(text) == unicodedata.normalize("NFC", " ".join(text.split()))


def test_a_lone_surrogate_becomes_visible_damage() -> None:
    assert strip_invisible("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "<!--",
        "&amp;",
        "&",
        "a.",
        "http://)",
        "(,",
        " [1",
        "<a",
        "a@",
        "a@a.",
        "www.",
        "[a-z -",
    ],
)
def test_hostile_repetition_ends(unit: str) -> None:
    assert re.search(r"\s\s", strip_marks(unit * 50_000)) is None
