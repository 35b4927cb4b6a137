"""A cut paragraph loses nothing, and is cut where a reader would."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.clean.paragraphs import LEAST, LIMIT, Piece, sentence_ends, split_paragraph

ANY = st.characters(exclude_categories=())
PARAGRAPHS = st.one_of(
    st.text(ANY),
    st.lists(st.text(ANY, max_size=80), max_size=60).map(" ".join),
    st.lists(
        st.sampled_from(["St. ", "a, b; ", "Sings. ", "e\u0301", "x" * 50, " "]), max_size=200
    ).map("".join),
    st.builds(lambda text, times: text * times, st.text(ANY, max_size=30), st.integers(1, 200)),
)


def rejoin(pieces: tuple[Piece, ...]) -> str:
    """The pieces laid at their starts, spaces where nothing lies."""
    end = max((p.start + len(p.text) for p in pieces), default=0)
    canvas = [" "] * end
    for piece in pieces:
        canvas[piece.start : piece.start + len(piece.text)] = piece.text
    return "".join(canvas)


@given(PARAGRAPHS)
def test_nothing_is_lost_and_nothing_is_over(paragraph: str) -> None:
    folded = " ".join(paragraph.split())
    pieces = split_paragraph(paragraph)
    assert rejoin(pieces) == folded
    assert all(0 < len(p.text) <= LIMIT and p.text == p.text.strip() for p in pieces)
    gaps = [b.start - a.start - len(a.text) for a, b in pairwise(pieces)]
    assert set(gaps) <= {0, 1}
    assert len(pieces) == 1 or all(len(p.text) >= LEAST for p in pieces) or not folded


@given(st.integers(0, 3 * LIMIT))
def test_one_piece_up_to_the_limit(length: int) -> None:
    pieces = split_paragraph("x" * length)
    assert len(pieces) == -(-length // LIMIT)


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "It is c. 30 cm long.",
            "P. n. nigripes is smaller.",
            "It was named by Vieillot (V.) in 1816.",
        ],
        [
            "It weighs 8.6 g.",
            "The wing, approx. 3.5 in. long, is grey.",
            "It nests on Mt. St. Helens.",
        ],
        [
            "In the U.S. Army's log it occurs.",
            "Is it rare?",
            'It "sings."',
            "No. 5 sang, e.g. Robin.",
        ],
        ["Most (ca. 90 %) leave!", "They return in Sept. or Oct. each year...", "Then they nest."],
        ["it sings all day.", "males do so more."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(sentences: list[str]) -> None:
    text = " ".join(sentences)
    bounds = [0, *(end + 1 for end in sentence_ends(text)), len(text) + 1]
    assert [text[a : b - 1] for a, b in pairwise(bounds)] == sentences


def test_cuts_at_sentence_ends_before_commas() -> None:
    text = " ".join(["It sings well, day and night, in any weather."] * 25)
    pieces = split_paragraph(text)
    assert len(pieces) > 1
    assert all(p.text.startswith("It sings") and p.text.endswith("weather.") for p in pieces)


def test_cuts_after_semicolons_and_commas_before_spaces() -> None:
    pieces = split_paragraph(" ".join(["blue or green, 1,000 of them;"] * 40))
    assert len(pieces) > 1
    assert all(p.text.endswith((",", ";")) for p in pieces)
    assert not any(p.text.endswith("1,") for p in pieces)


def test_cuts_at_spaces_before_words_and_within_a_word_at_last() -> None:
    words = " ".join(["albatross"] * 100)
    assert all(set(p.text.split()) == {"albatross"} for p in split_paragraph(words))
    long_word = split_paragraph("a" * 500)
    assert [len(p.text) for p in long_word] == [250, 250]


def test_pieces_are_balanced() -> None:
    """900 characters are three pieces of about 300, not 448 and 448 and 4."""
    lengths = [len(p.text) for p in split_paragraph(" ".join(["bird"] * 180))]
    assert len(lengths) == 3
    assert max(lengths) - min(lengths) < 12


def test_an_accent_stays_with_its_letter() -> None:
    pieces = split_paragraph("q\u0323\u0307" * 300)
    assert len(pieces) > 1
    assert not any(unicodedata.combining(p.text[0]) for p in pieces)


def test_limit_counts_code_points_not_bytes() -> None:
    assert len(split_paragraph("𝒳" * LIMIT)) == 1
