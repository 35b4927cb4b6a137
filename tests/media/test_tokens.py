"""Texts as sequences of words: the rule, the vocabulary of the training texts, what is cut off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.media.item import MediaItem
from fgbench.media.tokens import UNKNOWN, Tokens, WordRule, choose_tokens, tokenise
from fgbench.media.words import choose_words
from fgbench.protocol import Medium


def texts(*contents: str) -> list[MediaItem]:
    return [MediaItem(f"text/{i}", Medium.TEXT, text=text) for i, text in enumerate(contents)]


def choose(training: list[MediaItem], **rule: object) -> Tokens:
    return choose_tokens(training, choose_words(training), WordRule(**rule))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Bird’s 2 eggs.", ["the", "bird's", "2", "eggs"]),
        ("snow-white, 'tis_said", ["snow", "white", "tis", "said"]),
        ("Möwe\nчайка 3.5kg o'er-o'", ["möwe", "чайка", "3", "5kg", "o'er", "o"]),
        ("— …", []),
    ],
)
def test_words_are_letters_and_digits_with_apostrophes_inside(text, expected) -> None:
    assert tokenise(text) == expected


def test_words_are_those_that_occur_often_enough_the_most_frequent_first() -> None:
    training = texts("owl owl owl gull gull", "a gull, a hawk", "a hawk wren")
    assert choose(training, least=2).vocabulary.words.tolist() == [
        UNKNOWN,
        "a",
        "gull",
        "owl",
        "hawk",
    ]
    assert choose(training, least=3).vocabulary.words.tolist() == [UNKNOWN, "a", "gull", "owl"]
    with pytest.raises(InputError, match="FG-F066"):
        choose(training, least=4)


def test_a_text_is_the_numbers_of_its_words_in_order_beside_its_bag() -> None:
    tokens = choose(texts("owl owl gull gull gull"), least=2, longest=4)
    found = tokens(texts("Gull, hawk owl", "gull owl gull owl gull", "a b"))
    assert [one.parts.tolist() for one in found[:2]] == [[1, 0, 2], [1, 2, 1, 2]]
    assert found[0].parts.dtype == np.int32
    assert [one.vector.tolist() for one in found[:2]] == [[1, 1], [3, 2]]
    assert isinstance(found[2], Fault)  # of the bag: no word of two letters


def test_faults_stand_among_the_others(tmp_path: Path) -> None:
    tokens = choose(texts("owl owl"), least=2)
    item = MediaItem("text/9", Medium.TEXT, path=tmp_path / "none.txt")
    whole, empty, lost = tokens([*texts("owl", ""), item])
    assert whole.parts.tolist() == [1]
    assert [empty.code, lost.code] == ["FG-M004", "FG-M001"]


def test_the_fingerprint_tells_rules_and_vectors_apart(tmp_path: Path) -> None:
    training, prints = texts("owl owl gull gull gull"), set()
    for number in (1, 2):
        file = tmp_path / f"{number}.txt"
        file.write_text(f"owl {number} 2\n")
        prints.add(choose(training, least=2, vectors=file).fingerprint)
    prints |= {choose(training, least=n, longest=m).fingerprint for n in (2, 3) for m in (4, 5)}
    assert len(prints) == 6


def test_vectors_of_words_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("gull 1 2\nowl 3 4\n")
    rule = {"least": 1, "vectors": tmp_path / "v.txt"}
    tokens = choose(texts("owl owl gull hawk"), **rule)
    assert tokens.vocabulary.words.tolist() == [UNKNOWN, "owl", "gull", "hawk"]
    assert tokens.vocabulary.vectors.tolist() == [[0, 0], [3, 4], [1, 2], [0, 0]]
    with pytest.raises(FaultyInput, match="FG-F085"):
        choose(texts("wren wren"), **rule)
