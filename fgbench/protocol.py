"""The protocol's vocabulary: media, tasks, self-match and tie rules. Imports nothing of ours.

Source: He, Peng, Xie (ACM MM 2019), section 2.3; docs/protocol.md says what we made exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

PROTOCOL_VERSION = "fgx-1"
"""Changes whenever a rule changes that can move a number (CHANGELOG, heading Scores)."""


class Medium(StrEnum):
    """A medium, in the paper's order."""

    IMAGE = "image"
    TEXT = "text"
    VIDEO = "video"
    AUDIO = "audio"

    @property
    def code(self) -> str:
        """The one-letter code of task names: ``i``, ``t``, ``v`` or ``a``."""
        return self.value[0]


MEDIA: tuple[Medium, ...] = tuple(Medium)

PAPER_STACK: tuple[Medium, ...] = (Medium.IMAGE, Medium.TEXT, Medium.AUDIO, Medium.VIDEO)
"""The order in which the authors' script stacks the four galleries; breaks ties under PAPER."""


class SelfMatch(StrEnum):
    """Whether a query stands in its own X→All gallery."""

    EXCLUDED = "excluded"
    INCLUDED = "included"


class Convention(StrEnum):
    """SOUND: ties in expectation. PAPER: as the authors' script, for old tables only."""

    SOUND = "sound"
    PAPER = "paper"


class Calibration(StrEnum):
    """How blocks of separately learned similarities are made comparable before X→All merges them.

    ZROW: z-score per query and block. RANK: minus the mid-rank over the block's size. NONE: as is.
    """

    ZROW = "zrow"
    RANK = "rank"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Task:
    """A retrieval task: a query medium and a gallery medium; ``gallery=None`` is all media."""

    query: Medium
    gallery: Medium | None

    @property
    def code(self) -> str:
        """The name in files and on the command line: ``i2t``, ``i2all``."""
        return f"{self.query.code}2{self.gallery.code if self.gallery else 'all'}"

    @property
    def title(self) -> str:
        """The name for people: ``I→T``, ``I→All``."""
        gallery = self.gallery.code.upper() if self.gallery else "All"
        return f"{self.query.code.upper()}→{gallery}"

    @property
    def bimodal(self) -> bool:
        return self.gallery is not None


def bimodal_tasks(media: Iterable[Medium] = MEDIA) -> tuple[Task, ...]:
    """The tasks between two different media: 12 for four media, 2 for two."""
    present = [m for m in MEDIA if m in set(media)]
    return tuple(Task(q, g) for q in present for g in present if q is not g)


def multimodal_tasks(media: Iterable[Medium] = MEDIA) -> tuple[Task, ...]:
    """The tasks whose gallery is all media, the query's own included: one a medium."""
    present = set(media)
    return tuple(Task(q, None) for q in MEDIA if q in present)


def tasks(media: Iterable[Medium] = MEDIA) -> tuple[Task, ...]:
    """All tasks, bi-modal first: 16 for four media."""
    present = set(media)
    return bimodal_tasks(present) + multimodal_tasks(present)
