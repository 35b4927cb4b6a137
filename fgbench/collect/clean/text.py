"""From a page's paragraphs to text instances: rows of the manifest, and rows of what was rejected.

Pure: the same page gives the same rows, on any machine, years later.
"""

from __future__ import annotations

from collections.abc import Iterator

from fgbench.collect.clean.filters import (
    Reason,
    is_dropped_section,
    is_mojibake,
    reason_against,
)
from fgbench.collect.clean.marks import strip_invisible, strip_marks
from fgbench.collect.clean.paragraphs import split_paragraph
from fgbench.collect.clean.subject import about_right_species
from fgbench.collect.sites.base import Paragraph, RawText
from fgbench.dataset.schema import Row, Stage, rejection, text_id
from fgbench.protocol import Medium
from fgbench.species import Species

CLEANER_VERSION = "text-1"
"""Changes whenever a rule of this package's text half changes; stands in every row."""

WITHIN_WORD = "within-word"
"""Flag of a piece that the cut before it parted from its own word: join it without a space."""


def _provenance(raw: RawText, bird: Species, retrieved_at: str, warc_digest: str) -> Row:
    return {
        "label": bird.label,
        "species": bird.cub_name,
        "medium": Medium.TEXT.value,
        "site": raw.hit.site,
        "source_url": raw.source_url,
        "source_id": raw.source_id,
        "retrieved_at": retrieved_at,
        "archive_url": raw.archive_url or None,
        "warc_digest": warc_digest,
        "query": raw.hit.query,
        "title": strip_invisible(raw.title),
        "author": strip_invisible(raw.author) or None,
        "licence": raw.licence.name,
        "licence_url": raw.licence.url or None,
        "redistributable": raw.licence.redistributable,
        "attribution": strip_invisible(raw.attribution) or None,
        "extractor": raw.extractor,
        "cleaner_version": CLEANER_VERSION,
    }


def _instances(paragraph: Paragraph, text: str, page: Row) -> Iterator[Row]:
    """A row for each piece of a paragraph that is kept."""
    pieces, end = split_paragraph(text), 0
    for number, piece in enumerate(pieces, 1):
        flags = [f"piece:{number}/{len(pieces)}"] if len(pieces) > 1 else []
        if number > 1 and piece.start == end:
            flags.append(WITHIN_WORD)
        end = piece.start + len(piece.text)
        yield page | {
            "item_id": text_id(piece.text),
            "text": piece.text,
            "section": strip_marks(paragraph.section) or None,
            "parent_id": text_id(text),
            "flags": flags,
        }


def clean(raw: RawText, bird: Species, *, retrieved_at: str, warc_digest: str) -> Iterator[Row]:
    """The page's instances, in its order; a row with a ``stage`` was rejected (``reason``).

    One paragraph is one instance; one of over 448 characters is several, with one ``parent_id`` and
    numbered flags: joined by spaces (not before ``within-word``) they are the paragraph again.
    ``retrieved_at`` and ``warc_digest`` are those of the answer that the page was read from.
    """
    page = _provenance(raw, bird, retrieved_at, warc_digest)
    right, why = about_right_species(raw, bird)
    for paragraph in raw.paragraphs:
        text = strip_marks(paragraph.text)
        reason: Reason | None
        if not right:
            reason, detail = Reason.WRONG_SPECIES, why
        elif is_dropped_section(paragraph.section):
            reason, detail = Reason.SECTION, paragraph.section
        elif is_mojibake(paragraph.text) or is_mojibake(text):
            reason, detail = Reason.MOJIBAKE, text
        else:
            reason, detail = reason_against(text), text
        if reason is None:
            yield from _instances(paragraph, text, page)
        else:
            row = page | {"item_id": text_id(text)}
            yield rejection(row, Stage.CLEAN, reason, strip_invisible(detail)[:120])
