"""What a user of the sample world has of their own: the two sets, and Macaulay's list and sounds.

All of it lies in the build folder, so that a build of the same folder finds it again offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fgbench.collect.local.found import Found
from fgbench.collect.recipe import Recipe
from fgbench.collect.sample.macaulay import write_export
from fgbench.collect.sample.picture import COMMENT
from fgbench.collect.sample.sets import NAMES, write_sets
from fgbench.collect.sites.macaulay import CSV
from fgbench.protocol import Medium
from fgbench.settings import Settings

FOLDER = "sample"


def sample_copies(out: Path) -> Mapping[Medium, Path]:
    """Where a build folder has the sets, or will have them."""
    return {medium: (out / FOLDER / name).absolute() for medium, name in NAMES.items()}


def drawn(out: Path, copies: Mapping[Medium, Path]) -> list[Medium]:
    """The media whose copy is of the sample world."""
    own = sample_copies(out)
    return [medium for medium, place in copies.items() if own.get(medium) == place]


def as_drawn(found: Found) -> Found:
    """What a drawn set came to, credited to the sample world and not measured by the real one."""
    credit = {"author": None, "attribution": COMMENT}
    kept, rejected = (
        tuple({**row, **credit} for row in rows) for rows in (found.kept, found.rejected)
    )
    return replace(found, kept=kept, rejected=rejected, remarks=())


def bring(out: Path, recipe: Recipe, settings: Settings) -> Settings:
    """Puts into the build folder what the recipe needs; settings that name it, and nothing real."""
    if wanted := drawn(out, recipe.copies):
        write_sets(out / FOLDER, wanted)
    if "macaulay" not in recipe.sites:
        return replace(settings, imports={})
    export = out / FOLDER / "macaulay"
    write_export(export)
    return replace(settings, imports={CSV: export})
