"""Texts to indices, against loops that do it one character at a time."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.errors import FaultyInput
from fgbench.media.preset import PAPER, RELEASED
from fgbench.media.text import encode

LENGTH = 448
TEXTS = st.builds(
    "".join, st.tuples(st.sampled_from("ab7,"), st.text(max_size=600) | st.text(string.printable))
)
"""Each with one character at least that both alphabets have, in its last line or before."""


def one_hot(text: str) -> np.ndarray:
    """The paper's vectors [448, 69]: padding, 66 characters, space, unknown."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/|_#$%^&*~`+=<>()[]{}"
    assert len(alphabet) == 66
    vectors = np.zeros((LENGTH, 69))
    vectors[:, 0] = 1
    for place, character in enumerate(" ".join(text.split()).lower()[:LENGTH]):
        vectors[place, 0] = 0
        if character in alphabet:
            vectors[place, 1 + alphabet.index(character)] = 1
        else:
            vectors[place, 67 if character == " " else 68] = 1
    return vectors


def released(text: str) -> list[int]:
    """As a file is read line by line, each overwriting the one before; what is unknown drops."""
    symbols = [*string.ascii_lowercase, *string.digits, *",;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{}"]
    assert len(symbols) == 68
    line, last = "", ""
    for character in text.replace("\r\n", "\n").replace("\r", "\n"):
        line += character
        last = line
        if character == "\n":
            line = ""
    found = [1 + symbols.index(c) for c in last if c in symbols][:LENGTH]
    return found + [0] * (LENGTH - len(found))


@given(TEXTS)
def test_the_papers_one_hot_vectors(text: str) -> None:
    indices = encode(text, PAPER.text)
    assert indices.dtype == np.int64
    assert np.array_equal(np.eye(PAPER.text.tokens)[indices], one_hot(text))


@given(TEXTS)
def test_the_released_indices(text: str) -> None:
    expected = released(text)
    if any(expected):
        assert encode(text, RELEASED.text).tolist() == expected
        assert max(expected) < RELEASED.text.tokens
    else:
        with pytest.raises(FaultyInput):
            encode(text, RELEASED.text)


def test_where_the_two_differ() -> None:
    paper, code = (encode("A b\\", preset.text)[:5].tolist() for preset in (PAPER, RELEASED))
    assert paper == [1, 67, 2, 68, 0]  # a, space, b, unknown
    assert code == [2, 46, 0, 0, 0]  # b and the backslash
    assert encode("first\nsecond\n", RELEASED.text)[:3].tolist() == [19, 5, 3]
    assert PAPER.text.tokens == RELEASED.text.tokens == 69


class TestShift:
    @given(st.integers(1, 600), st.integers(0, 2**32 - 1))
    def test_the_papers_loses_nothing(self, count: int, seed: int) -> None:
        text = "a" * count
        shifted = encode(text, PAPER.text, np.random.default_rng(seed))
        (places,) = np.nonzero(shifted)
        used = min(count, LENGTH)
        assert places.tolist() == list(range(places[0], places[0] + used))

    def test_the_papers_goes_everywhere(self) -> None:
        rng = np.random.default_rng(0)
        firsts = {int(encode("a" * 440, PAPER.text, rng).argmax()) for _ in range(300)}
        assert firsts == set(range(9))

    def test_the_released_puts_an_even_number_in_front_and_cuts_the_end(self) -> None:
        rng = np.random.default_rng(0)
        text = "ab" * 224
        plain = encode(text, RELEASED.text)
        counts = dict.fromkeys((0, 2, 4, 6, 8), 0)
        for _ in range(500):
            shifted = encode(text, RELEASED.text, rng)
            first = int(shifted.argmax() if shifted[0] else np.nonzero(shifted)[0][0])
            first = 0 if shifted[0] else first
            assert shifted[first:].tolist() == plain[: LENGTH - first].tolist()
            counts[first] += 1
        assert min(counts.values()) > 60  # 100 expected, 5 deviations are 45

    def test_equal_seeds_equal_shifts(self) -> None:
        for preset in (PAPER, RELEASED):
            once, again = (
                encode("a bird", preset.text, np.random.default_rng(8)) for _ in range(2)
            )
            assert np.array_equal(once, again)


@pytest.mark.parametrize("text", ["", " \n\t", "鳥", "\ud800", "—…"])
def test_a_text_without_a_known_character(text: str) -> None:
    for preset in (PAPER, RELEASED):
        with pytest.raises(FaultyInput, match="FG-M004"):
            encode(text, preset.text)


def test_capitals_alone_are_nothing_to_the_released_code() -> None:
    assert encode("BIRD", PAPER.text)[:4].tolist() == [2, 9, 18, 4]
    with pytest.raises(FaultyInput, match="FG-M004"):
        encode("BIRD", RELEASED.text)


def test_real_sentences(real_data: Path) -> None:
    book = next((real_data / "text" / "wikipedia_xlsx").glob("*.xlsx"))
    rows = openpyxl.load_workbook(book, read_only=True).active.iter_rows(values_only=True)
    texts = [str(cell) for row in rows for cell in row if isinstance(cell, str) and len(cell) > 40]
    assert len(texts) > 10
    for text in texts:
        assert np.array_equal(np.eye(69)[encode(text, PAPER.text)], one_hot(text))
        assert encode(text, RELEASED.text).tolist() == released(text)
