"""What makes a vector of an item, and its parts; and which one does it for which medium."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from fgbench.errors import Fault
from fgbench.media.item import MediaItem
from fgbench.media.listing import Listing
from fgbench.media.parts import Extracted
from fgbench.media.tokens import WordRule, choose_tokens
from fgbench.media.words import choose_words
from fgbench.protocol import Medium


class Extractor(Protocol):
    """Makes vectors of items. Small to pickle: it travels to where work runs."""

    @property
    def fingerprint(self) -> str:
        """All that its vectors depend on, besides the items and the version of this package."""

    def __call__(self, items: Sequence[MediaItem]) -> Sequence[Extracted | Fault]:
        """For each item what is taken of it, or why there is nothing: all with parts, or none."""


def choose_extractors(
    listing: Listing,
    media: Iterable[Medium],
    pictures: Extractor,
    sounds: Extractor,
    sequences: WordRule | None = None,
) -> dict[Medium, Extractor]:
    """The extractor of each medium; ``pictures``: that of images and videos, ``sounds``: of audio.

    The vocabulary of texts is that of the training texts; with ``sequences`` their words are their
    parts. Raises ``InputError`` (FG-F066), and ``FaultyInput`` for a file of word vectors.
    """
    chosen: dict[Medium, Extractor] = {}
    for medium in media:
        match medium:
            case Medium.TEXT:
                training = listing.train[medium].items
                bag = choose_words(training)
                chosen[medium] = choose_tokens(training, bag, sequences) if sequences else bag
            case Medium.AUDIO:
                chosen[medium] = sounds
            case _:
                chosen[medium] = pictures
    return chosen
