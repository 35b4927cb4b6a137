"""What makes a vector of an item, and which one does it for which medium."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from fgbench.errors import Fault
from fgbench.media.cepstra import Cepstra
from fgbench.media.item import MediaItem
from fgbench.media.listing import Listing
from fgbench.media.words import choose_words
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Extractor(Protocol):
    """Makes vectors of items. Small to pickle: it travels to where work runs."""

    @property
    def fingerprint(self) -> str:
        """All that its vectors depend on, besides the items and the version of this package."""

    def __call__(self, items: Sequence[MediaItem]) -> Sequence[NDArray[np.float32] | Fault]:
        """For each item its vector [d], or why it has none."""


def choose_extractors(
    listing: Listing, media: Iterable[Medium], pictures: Extractor
) -> dict[Medium, Extractor]:
    """The extractor of each medium; ``pictures``: that of images and videos.

    The vocabulary of texts is that of the training texts. Raises ``InputError`` (FG-F066).
    """
    chosen: dict[Medium, Extractor] = {}
    for medium in media:
        match medium:
            case Medium.TEXT:
                chosen[medium] = choose_words(listing.train[medium].items)
            case Medium.AUDIO:
                chosen[medium] = Cepstra()
            case _:
                chosen[medium] = pictures
    return chosen
