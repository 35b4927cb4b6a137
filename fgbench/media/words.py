"""Texts to bags of words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fgbench.errors import Fault, InputError
from fgbench.manifest import show
from fgbench.media.faults import unusable
from fgbench.media.item import MediaItem, attempt, text_of
from fgbench.media.parts import Extracted

MOST_WORDS = 1_000
"""Dimensions of the paper's bag of words (section 3.3)."""

_WORD = re.compile(r"[^\W\d_]{2,}")
"""Two letters or more, of any script."""

_STOP = frozenset(
    _WORD.findall(
        "about above after again against all almost along also although always am among an"
        " and another any are around as at be because been before being below between both but"
        " by can cannot could did do does doing down during each either else ever every few"
        " for from further had has have having he hence her here hers herself him himself his"
        " how however if in into is it its itself just least less many may me might mine more"
        " most much must my myself near neither never no nor not now of off often on once one"
        " only onto or other our ours ourselves out over own per perhaps quite rather same"
        " several shall she should since so some still such than that the their theirs them"
        " themselves then there these they this those though three through thus to together"
        " too toward towards two under until up upon us usually very was we well were what"
        " when where whether which while who whom whose why will with within without would yet"
        " you your yours yourself"
    )
)
"""English words that say nothing of a bird. The paper does not say which ones it leaves out."""


@dataclass(frozen=True, slots=True)
class BagOfWords:
    """How often each word of the vocabulary is in a text: raw counts [words].

    A text with none of them, but with words, is all zeros; one without a word is a fault (FG-M004).
    """

    words: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        return f"words {hashlib.sha256(' '.join(self.words).encode()).hexdigest()}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        places = {word: place for place, word in enumerate(self.words)}

        def count(item: MediaItem) -> Extracted:
            counts = np.zeros(len(places), np.float32)
            for word in _words(item):
                if word in places:
                    counts[places[word]] += 1
            return Extracted(counts)

        return [attempt(count, item) for item in items]


def choose_words(items: Iterable[MediaItem]) -> BagOfWords:
    """The bag of the ``MOST_WORDS`` words that are in most texts, of equals the first in ABC.

    Give it the texts of training alone: those of test would leak into the features. Lower case,
    stop words left out (the paper has no rule). Raises ``InputError`` (FG-F066) where none is left.
    """
    texts = (attempt(_words, item) for item in items)  # faults are told of when they are counted
    words = (set(text) - _STOP for text in texts if not isinstance(text, Fault))
    found = Counter(word for text in words for word in text)
    often = sorted(found, key=lambda word: (-found[word], word))[:MOST_WORDS]
    if not often:
        raise InputError(
            "FG-F066",
            "no training text has a word",
            why="The bag of words takes its vocabulary from the training texts.",
            fix="See to the manifest's texts and split, or leave texts out with --media.",
        )
    return BagOfWords(tuple(sorted(often)))


def _words(item: MediaItem) -> list[str]:
    text = text_of(item)
    words = _split(text)
    if not words:
        found = show(text) if text.strip() else "an empty text"
        raise unusable("FG-M004", "the text", found, "a text with words", "leave the item out")
    return words


def _split(text: str) -> list[str]:
    return _WORD.findall(text.lower())
