"""Bags of words: a vocabulary of the training texts, raw counts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fgbench.errors import Fault, InputError
from fgbench.media.item import MediaItem
from fgbench.media.words import MOST_WORDS, BagOfWords, choose_words
from fgbench.protocol import Medium


def texts(*contents: str | None) -> list[MediaItem]:
    return [MediaItem(f"text/{i}", Medium.TEXT, text=text) for i, text in enumerate(contents)]


def test_words_that_are_in_most_texts_come_first_whatever_their_number_in_one() -> None:
    rng = np.random.default_rng(0)
    names = [f"w{a}{b}" for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrst" * 3]
    names = sorted({f"{name}{c}" for name in names for c in "xyz"})  # 1,560 words
    contents = [" ".join(rng.choice(names, 40)) + " owl owl owl" for _ in range(300)]
    found = choose_words(texts(*contents))
    held = Counter(word for content in contents for word in set(content.split()))
    expected = sorted(held.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST_WORDS]
    assert len(held) > MOST_WORDS
    assert sorted(found.words) == sorted(word for word, _ in expected)
    assert "owl" in found.words


def test_case_stop_words_numbers_and_single_letters_do_not_count() -> None:
    found = choose_words(texts("The OWL's 24 eggs — it is a Möwe, x-ray; owl"))
    assert found.words == ("eggs", "möwe", "owl", "ray")


def test_counts_are_raw() -> None:
    bag = BagOfWords(("gull", "owl"))
    rows = bag(texts("Owl, owl and gull.", "a hawk"))
    assert [row.vector.tolist() for row in rows] == [[1, 2], [0, 0]]
    assert rows[0].vector.dtype == np.float32


def test_a_text_without_a_word_is_a_fault() -> None:
    rows = BagOfWords(("owl",))(texts("owl", "", " 12 — ", None))
    assert [row.code for row in rows if isinstance(row, Fault)] == ["FG-M004", "FG-M004", "FG-M001"]
    assert rows[1].where == "text/1 (the text)"


def test_a_text_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("owl owl", "utf-8")
    (tmp_path / "2.txt").write_bytes("Möwe".encode("latin-1"))
    items = [MediaItem(n, Medium.TEXT, path=tmp_path / n) for n in ("1.txt", "2.txt", "3.txt")]
    bag = choose_words(items)
    assert bag.words == ("owl",)
    row, *faults = bag(items)
    assert row.vector.tolist() == [2]
    assert [fault.code for fault in faults] == ["FG-M004", "FG-M001"]


def test_no_word_at_all_ends_it() -> None:
    with pytest.raises(InputError, match="FG-F066"):
        choose_words(texts("", None, "the of 12"))


def test_another_vocabulary_has_another_fingerprint() -> None:
    assert BagOfWords(("owl",)).fingerprint != BagOfWords(("gull",)).fingerprint
