"""Texts to indices of characters: what one-hot vectors are before an embedding multiplies them."""

from __future__ import annotations

from functools import cache
from io import StringIO
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.manifest import show
from fgbench.media.faults import unusable
from fgbench.media.preset import TextRule

Indices: TypeAlias = NDArray[np.int64]


def encode(text: str, rule: TextRule, rng: np.random.Generator | None = None) -> Indices:
    """The indices of a text's characters [length], 0 where there is none; the rest is cut off.

    ``rng``, in training only: draws how far position shift moves the text. Raises ``FaultyInput``
    (FG-M004) for a text without one character of the alphabet.
    """
    found = _indices(text, rule)[: rule.length]
    shift = 0 if rng is None else _draw_shift(rule, len(found), rng)
    indices = np.zeros(rule.length, np.int64)
    kept = found[: rule.length - shift]
    indices[shift : shift + len(kept)] = kept
    return indices


def _indices(text: str, rule: TextRule) -> list[int]:
    known, line = _table(rule.alphabet), text
    if rule.last_line:
        lines = StringIO(text, newline=None).readlines()
        line = lines[-1] if lines else ""
    if rule.fold:
        line = " ".join(line.split()).lower()
    if known.keys().isdisjoint(line):
        raise unusable(
            "FG-M004",
            "the text",
            show(text) if text.strip() else "an empty text",
            "a text with letters, figures or punctuation of the alphabet",
            "leave the item out, or write it in the Latin alphabet",
        )
    if not rule.spare_tokens:
        return [known[character] for character in line if character in known]
    space = len(rule.alphabet) + 1
    return [known.get(c, space if c == " " else space + 1) for c in line]


@cache
def _table(alphabet: str) -> dict[str, int]:
    return {character: index for index, character in enumerate(alphabet, 1)}


def _draw_shift(rule: TextRule, used: int, rng: np.random.Generator) -> int:
    if rule.shifts is None:
        return int(rng.integers(rule.length - used + 1))
    return int(rng.choice(rule.shifts))
