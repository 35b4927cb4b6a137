"""The media that come from a set on the user's disk: CUB-200-2011 and YouTube Birds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbench.collect.local import cub, youtube_birds
from fgbench.collect.local.downloads import SITE, Downloads
from fgbench.collect.local.found import Found
from fgbench.protocol import Medium
from fgbench.species import Species

NAMES: Mapping[Medium, str] = {Medium.IMAGE: cub.SITE, Medium.VIDEO: SITE}
"""What stands in ``site`` of the rows of each."""


def read_sets(
    copies: Mapping[Medium, Path],
    birds: Sequence[Species],
    out: Path,
    downloads: Downloads,
    engine: str,
) -> dict[Medium, Found]:
    """What each of the copies came to; their files are in ``out/media``.

    Raises ``InputError`` (FG-L…) where a copy is not of its set.
    """
    found = {}
    if images := copies.get(Medium.IMAGE):
        found[Medium.IMAGE] = cub.rows(images, birds, out)
    if clips := copies.get(Medium.VIDEO):
        found[Medium.VIDEO] = youtube_birds.rows(clips, birds, out, downloads, engine=engine)
    return found


def instances(sets: Mapping[Medium, Found]) -> dict[Medium, dict[str, int]]:
    """How many instances each set held: what was read, kept or not."""
    return {
        medium: {NAMES[medium]: 0, **Counter(r["site"] for r in (*found.kept, *found.rejected))}
        for medium, found in sets.items()
    }
