"""What is asked for: a test item by its id, or something from outside that a run can embed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import InputError
from fgbench.manifest import show
from fgbench.media.item import MediaItem
from fgbench.media.source import read_file
from fgbench.protocol import Medium
from fgbench.retrieval.catalogue import Catalogue, Entry

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDINGS: Mapping[Medium, frozenset[str]] = {
    Medium.IMAGE: frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"}),
    Medium.TEXT: frozenset({".txt", ".md"}),
    Medium.VIDEO: frozenset({".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg"}),
    Medium.AUDIO: frozenset({".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aiff"}),
}
"""Which medium a file is of, where nobody says; a folder is one of a video's frames."""

NEAR = 3
LONGEST = 200
"""Characters of an id beyond which none near it is looked for: the search is quadratic."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """``place`` of a test item among those of its medium; None for what is from outside, which
    has an ``embedding`` [d] instead, once it is embedded."""

    entry: Entry
    place: int | None = None
    embedding: NDArray[np.float32] | None = None

    @property
    def medium(self) -> Medium:
        return self.entry.item.medium


def find_query(asked: str, catalogue: Catalogue, medium: Medium | None = None) -> Query:
    """The test item with the id ``asked``, else the file of that name, else the text itself.

    ``medium``: what it is, where the id or the file's ending does not tell; only if it is said to
    be a text can words stand for themselves. Raises ``InputError``: FG-Q001 where it is none of
    these, FG-Q002 for an id of two media, FG-Q003 for a file of unknown medium, FG-Q009 for one
    that holds no text.
    """
    items = catalogue.benchmark.items
    places = {m: found for m, of in items.items() if len(found := np.flatnonzero(of.ids == asked))}
    if medium in places:
        return Query(catalogue.entry(medium, asked), int(places[medium][0]))
    if medium is None and len(places) == 1:
        ((only, found),) = places.items()
        return Query(catalogue.entry(only, asked), int(found[0]))
    if medium is None and places:
        raise InputError(
            "FG-Q002",
            f"{show(asked)} is an item of {' and of '.join(places)}",
            fix=f"Say which is meant, as --as {next(iter(places))}.",
        )
    if asked.strip() and _exists(path := Path(asked)):
        return Query(Entry(_outside(path, medium or _medium_of(path))))
    if medium is Medium.TEXT:
        return Query(Entry(MediaItem("the query", Medium.TEXT, text=asked)))
    raise _unknown(asked, catalogue, medium)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file system takes
        return False


def _outside(path: Path, medium: Medium) -> MediaItem:
    if medium is not Medium.TEXT:
        return MediaItem(path.name, medium, path=path)
    try:
        return MediaItem(path.name, medium, text=read_file(path).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(
            "FG-Q009",
            f"{path} holds no text: {error.reason} at byte {error.start:,}",
            why="A text is a file of characters, in UTF-8.",
            fix="Save it as UTF-8, or say what it is: --as image, video or audio.",
        ) from error


def _medium_of(path: Path) -> Medium:
    if path.is_dir():
        return Medium.VIDEO
    for medium, endings in ENDINGS.items():
        if path.suffix.lower() in endings:
            return medium
    raise InputError(
        "FG-Q003",
        f"{path}: its ending does not say what it is",
        why="Each medium is embedded in its own way.",
        fix="Say it: --as image, text, video or audio.",
    )


def _unknown(asked: str, catalogue: Catalogue, medium: Medium | None) -> InputError:
    benchmark = catalogue.benchmark
    ids = [
        item for m, of in benchmark.items.items() if medium in (None, m) for item in of.ids.tolist()
    ]
    why = "Only test items have embeddings in a submission."
    if any((m, asked) in catalogue.rows for m in ([medium] if medium else Medium)):
        why = f"It is an item of the benchmark, but not of its test side. {why}"
    near = _near(asked, ids)
    hint = f"Near: {', '.join(map(show, near))}. " if near else ""
    if ids and not near:
        hint = f"An id is {show(ids[0])}. "
    what = f" of {medium}" if medium else ""
    return InputError(
        "FG-Q001",
        f"{show(asked)} is no test item{what} of {benchmark.id}, and no file",
        why=why,
        fix=hint + "For words, say --as text.",
    )


def _near(asked: str, ids: list[str]) -> list[str]:
    """Ids that contain it, else those that are spelt alike."""
    if not asked.strip() or len(asked) > LONGEST:
        return []
    folded = asked.casefold()
    contain = [item for item in ids if folded in item.casefold()]
    short = [item for item in ids if len(item) <= LONGEST]
    return contain[:NEAR] or difflib.get_close_matches(asked, short, NEAR)
