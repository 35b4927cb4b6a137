"""Parts of items: joined, cut and selected, against lists of what each item has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.media.parts import (
    Extracted,
    Vocabulary,
    even_spans,
    join_extracted,
    join_parts,
)


def draw_items(seed: int, items: int, *, words: bool = False) -> list[Extracted]:
    """Items of 1 to 4 parts, of regions with boxes and pictures."""
    rng = np.random.default_rng(seed)
    found = []
    for count in rng.integers(1, 5, items):
        vector = rng.normal(size=3).astype(np.float32)
        if words:
            found.append(Extracted(vector, rng.integers(0, 9, count).astype(np.int32)))
        else:
            parts = rng.normal(size=(count, 2)).astype(np.float32)
            boxes = rng.random((count, 4)).astype(np.float32)
            found.append(Extracted(vector, parts, boxes, rng.integers(0, 256, (3, 8, 8), np.uint8)))
    return found


@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_what_is_selected_is_what_each_item_has(data, words: bool) -> None:
    items = draw_items(data.draw(st.integers(0, 99)), data.draw(st.integers(1, 6)), words=words)
    places = data.draw(st.lists(st.integers(0, len(items) - 1), min_size=1, unique=True))
    found = join_extracted(items).select(np.array(places))
    assert found.counts.tolist() == [len(items[place].parts) for place in places]
    assert found.rows.tolist() == [row for p in places for row in items[p].parts.tolist()]
    if not words:
        assert found.boxes.tolist() == [box for p in places for box in items[p].boxes.tolist()]
        assert (found.pictures == np.stack([items[place].picture for place in places])).all()


def test_half_precision_is_selected_as_float32() -> None:
    whole = join_extracted(draw_items(0, 3))
    half = type(whole)(whole.rows.astype(np.float16), whole.counts)
    found = half.select(np.array([2, 0]))
    assert found.rows.dtype == np.float32
    assert found.rows == pytest.approx(whole.select(np.array([2, 0])).rows, abs=1e-2)


@pytest.mark.parametrize("words", [False, True])
def test_lots_join_to_what_they_were_cut_from(words: bool) -> None:
    items = draw_items(1, 7, words=words)
    lots = [join_extracted(items[:3]), join_extracted(items[3:4]), join_extracted(items[4:])]
    vocabulary = Vocabulary(np.array(list("abcdefghi")), np.eye(9, dtype=np.float32))
    found, whole = join_parts(lots, vocabulary if words else None), join_extracted(items)
    assert (found.rows == whole.rows).all()
    assert (found.counts == whole.counts).all()
    if words:
        assert found.words == 9
        assert found.word_vectors.shape == (9, 9)
    else:
        assert (found.boxes == whole.boxes).all()
        assert (found.pictures == whole.pictures).all()


def test_no_parts_are_none() -> None:
    assert join_extracted([Extracted(np.ones(2, np.float32))]) is None


@given(st.integers(1, 5_000), st.integers(1, 40))
def test_spans_are_even_and_leave_nothing_out(length: int, most: int) -> None:
    spans = even_spans(length, most)
    assert len(spans) == min(length, most)
    assert [at for span in spans for at in range(length)[span]] == list(range(length))
    sizes = [span.stop - span.start for span in spans]
    assert 1 <= min(sizes) <= max(sizes) <= min(sizes) + 1
