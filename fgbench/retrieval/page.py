"""The page of a query and what was found: one HTML file without scripts, that asks no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fgbench import __version__
from fgbench.dataset.rendering import address, open_templates
from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.retrieval.catalogue import Catalogue, Entry
from fgbench.retrieval.query import Query
from fgbench.retrieval.ranking import Hit, Ranking
from fgbench.submission import Submission

if TYPE_CHECKING:
    from fgbench.retrieval.picture import Picture

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_PLURALS = {
    Medium.IMAGE: "Images",
    Medium.TEXT: "Texts",
    Medium.VIDEO: "Videos",
    Medium.AUDIO: "Sounds",
}


@dataclass(frozen=True, slots=True)
class Page:
    """``lacks``: each picture that could not be made, and why; the page says so in its place."""

    html: str
    lacks: tuple[str, ...]


def make_page(
    catalogue: Catalogue, submission: Submission, query: Query, rankings: Sequence[Ranking]
) -> Page:
    """The page. Raises ``InputError`` (FG-Q007) where files are listed and nobody says where."""
    _need_root(catalogue, query, rankings)
    cards = _Cards(catalogue)
    asked = cards.make(query.entry, outside=query.place is None)
    galleries = [
        {
            "ranking": ranking,
            "title": _PLURALS[ranking.gallery] if ranking.gallery else "All media",
            "right": sum(hit.right is True for hit in ranking.hits),
            "hits": list(cards.of(ranking.hits)),
        }
        for ranking in rankings
    ]
    html = (
        open_templates("fgbench.retrieval", html=True, finalize=_without_controls)
        .get_template("page.html")
        .render(
            query=asked,
            known=query.entry.label is not None,
            galleries=galleries,
            method=str(submission.meta.get("method") or submission.path),
            benchmark=catalogue.benchmark,
            kept_back=cards.kept_back,
            version=__version__,
        )
    )
    return Page(html, tuple(cards.lacks))


def _need_root(catalogue: Catalogue, query: Query, rankings: Sequence[Ranking]) -> None:
    if catalogue.media_root is not None:
        return
    entries = [] if query.place is None else [query.entry]
    entries += [catalogue.entry(h.medium, h.item_id) for r in rankings for h in r.hits]
    if listed := [entry.item for entry in entries if entry.item.path]:
        raise InputError(
            "FG-Q007",
            f"nobody says where the benchmark's files lie, as {listed[0].path}",
            why="The page shows pictures of them, and the benchmark is no build's folder.",
            fix="Name the folder that their paths begin in: --media-root.",
        )


class _Cards:
    """Makes what the template shows of an item; keeps account of what is missing."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.lacks: list[str] = []
        self.kept_back = False
        """Whether an item is shown that may not be passed on."""

    def of(self, hits: Sequence[Hit]) -> Iterator[dict[str, Any]]:
        for hit in hits:
            yield self.make(self._catalogue.entry(hit.medium, hit.item_id)) | {"hit": hit}

    def make(self, entry: Entry, *, outside: bool = False) -> dict[str, Any]:
        from fgbench.retrieval.picture import picture_item

        pictures: tuple[Picture, ...] = ()
        lack = ""
        try:
            pictures = picture_item(entry.item, None if outside else self._catalogue.media_root)
        except InputError as error:
            lack = _reason(error)
            self.lacks.append(f"{entry.item.item_id}: {lack}")
        if not (pictures or lack or entry.item.text):
            lack = "The benchmark holds nothing of it but its id."
        self.kept_back |= entry.redistributable is False
        return {
            "entry": entry,
            "pictures": pictures,
            "lack": lack,
            "link": address(entry.source_url),
        }


def _reason(error: InputError) -> str:
    if isinstance(error, FaultyInput):
        fault = error.faults[0]
        return f"{fault.code}: {fault.found}"
    return f"{error.code}: {error.what}"


def _without_controls(value: object) -> object:
    """HTML knows no control character but white space."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", value) if type(value) is str else value
