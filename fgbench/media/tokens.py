"""Texts to sequences of words, beside their bags of words."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fgbench.errors import Fault, InputError
from fgbench.media.item import MediaItem, attempt, text_of
from fgbench.media.parts import Extracted, Vocabulary
from fgbench.media.word_vectors import read_word_vectors
from fgbench.media.words import BagOfWords

UNKNOWN = "<unk>"
"""The word that stands for those outside the vocabulary: its number is 0."""

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
"""Letters and digits of any script, with apostrophes inside: ``bird's``, ``2``, ``möwe``."""


@dataclass(frozen=True, slots=True)
class WordRule:
    """Which words texts are sequences of.

    ``least``: how often a word is in the training texts to have a number of its own; SCAN's 4.
    ``longest``: words of a text, the rest is cut off; 448 characters hold about as many.
    ``vectors``: a file that ``read_word_vectors`` reads.
    """

    least: int = 4
    longest: int = 96
    vectors: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The numbers of a text's first ``longest`` words in the vocabulary, and its bag of words.

    A text without a word is a fault, as of the bag (FG-M004).
    """

    bag: BagOfWords
    vocabulary: Vocabulary
    longest: int

    @property
    def fingerprint(self) -> str:
        digest = hashlib.sha256(" ".join(self.vocabulary.words.tolist()).encode())
        if self.vocabulary.vectors is not None:
            digest.update(self.vocabulary.vectors.tobytes())
        return f"{self.bag.fingerprint}; tokens {digest.hexdigest()} {self.longest}"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        words = self.vocabulary.words.tolist()
        numbers = {word: number for number, word in enumerate(words)}

        def extract(item: MediaItem) -> list[int]:
            return [numbers.get(word, 0) for word in tokenise(text_of(item))[: self.longest]]

        return [
            bag if isinstance(bag, Fault) else bag._replace(parts=np.array(extract(item), np.int32))
            for bag, item in zip(self.bag(items), items, strict=True)
        ]


def tokenise(text: str) -> list[str]:
    """The words of a text, in order: lower-cased, the apostrophes ' and ’ being one."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


def choose_tokens(training: Sequence[MediaItem], bag: BagOfWords, rule: WordRule) -> Tokens:
    """The words of texts as a rule has them, numbered by those of the training texts."""
    words = _choose_words(training, rule.least)
    vectors = read_word_vectors(rule.vectors, words) if rule.vectors else None
    return Tokens(bag, Vocabulary(np.array(words), vectors), rule.longest)


def _choose_words(items: Iterable[MediaItem], least: int) -> tuple[str, ...]:
    """``UNKNOWN`` and the words that occur ``least`` times or more, the most frequent first.

    Of words as frequent the first in ABC comes first. Raises ``InputError`` (FG-F066) where no word
    is left.
    """
    texts = (attempt(text_of, item) for item in items)  # faults are told of when they are extracted
    found = Counter(word for text in texts if isinstance(text, str) for word in tokenise(text))
    often = sorted(
        (word for word, count in found.items() if count >= least),
        key=lambda word: (-found[word], word),
    )
    if not often:
        raise InputError(
            "FG-F066",
            f"no word occurs {least} times in the training texts",
            why="The vocabulary is that of the training texts.",
            fix="Ask for a smaller --word-count, or leave texts out with --media.",
        )
    return (UNKNOWN, *often)
