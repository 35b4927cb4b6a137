"""Paragraphs that a site prints on its pages of many species: they say nothing of one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fgbench.collect.clean.filters import Reason
from fgbench.collect.clean.subject import plain_words, title_names
from fgbench.dataset.schema import Row, Stage, rejection

SPECIES = 5
"""Species on whose pages of one site a paragraph must stand to be furniture. Look-alikes share a
description at times; five classes of one site do not."""


def _pattern(row: Row) -> tuple[str, str]:
    """Site and words, with the page's own names blanked: "Explore … on our site" repeats too."""
    words = plain_words(row["text"])
    names = {*title_names(row["title"]), plain_words(row["query"])}
    for name in sorted(names, key=lambda name: (-len(name), name)):
        if name.strip():
            words = words.replace(name, " … ")
    return row["site"], words


def reject_furniture(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Rows of kept texts parted into kept and rejected ones, each in its order.

    Rejected is what stands on one site's pages of five or more species, own names apart.
    """
    rows = list(rows)
    classes: dict[tuple[str, str], set[int]] = defaultdict(set)
    patterns = [_pattern(row) for row in rows]
    for row, pattern in zip(rows, patterns, strict=True):
        classes[pattern].add(row["label"])
    kept, rejected = [], []
    for row, pattern in zip(rows, patterns, strict=True):
        if (count := len(classes[pattern])) < SPECIES:
            kept.append(row)
        else:
            detail = f"on pages of {count} species: {row['text'][:80]}"
            rejected.append(rejection(row, Stage.CLEAN, Reason.FURNITURE, detail))
    return kept, rejected
