"""The sources of instances, one file each; this table names them all, and nothing registers itself.

Packages of others add theirs by an entry point of the group ``fgbench.sites`` (docs/add-a-site.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from fgbench.errors import InputError

if TYPE_CHECKING:
    from fgbench.collect.sites.base import Site
    from fgbench.protocol import Medium

GROUP = "fgbench.sites"
"""The entry-point group of sites in other packages: ``name = module:Class``."""

SITES: Mapping[str, str] = {
    "wikipedia": "wikipedia:Wikipedia",
    "allaboutbirds": "allaboutbirds:AllAboutBirds",
    "audubon": "audubon:Audubon",
    "birdsna": "birdsna:BirdsNA",
    "fandom": "fandom:Fandom",
    "nhpbs": "nhpbs:Nhpbs",
    "ebird": "ebird:EBird",
    "mnbirdatlas": "mnbirdatlas:MnBirdAtlas",
    "psu": "psu:PennState",
    "birdwatchersdigest": "birdwatchersdigest:BirdWatchersDigest",
    "folksread": "folksread:FolksRead",
    "neotropical": "neotropical:NeotropicalBirds",
    "xeno-canto": "xeno_canto:XenoCanto",
    "bird-sounds": "bird_sounds:BirdSounds",
    "findsounds": "findsounds:FindSounds",
    "freesound": "freesound:Freesound",
    "macaulay": "macaulay:Macaulay",
    "avibase": "avibase:Avibase",
    "soundcloud": "soundcloud:SoundCloud",
}
"""Name → module and class in this folder, in the paper's order; a test holds it to the folder."""


def names(medium: Medium | None = None) -> tuple[str, ...]:
    """The names of all sites, of other packages too; with a medium, of those that have it."""
    every = (*SITES, *sorted(_installed()))
    return tuple(n for n in every if medium is None or medium in load(n).media)


def load(name: str) -> Site:
    """The site of that name; nothing of it is imported before.

    Raises ``InputError``: FG-X001 where there is none, FG-X002 where another package's is broken.
    """
    if name in SITES:
        module, _, attribute = SITES[name].partition(":")
        site: Site = getattr(import_module(f"{__name__}.{module}"), attribute)()
        return site
    installed = _installed()
    if name in installed:
        return _load_installed(installed[name])
    near = get_close_matches(name.lower(), (*SITES, *installed), n=3)
    raise InputError(
        "FG-X001",
        f"there is no site {name[:80]!r}",
        fix=f"Near: {', '.join(near)}." if near else f"There are: {', '.join(names())}.",
    )


def _installed() -> dict[str, EntryPoint]:
    """Sites of other packages, by name; one that bears the name of ours is not among them."""
    return {p.name: p for p in entry_points(group=GROUP) if p.name not in SITES}


def _load_installed(point: EntryPoint) -> Site:
    package = point.dist.name if point.dist else "an unnamed package"
    try:
        site: Site = point.load()()
        lacking = [a for a in _attributes() if not hasattr(site, a)]
        trouble = f"it lacks {', '.join(lacking)}" if lacking else ""
        if not lacking and site.name != point.name:
            trouble = f"it calls itself {site.name!r}"
    except Exception as error:  # whatever another package's code does: it is said whose it is
        trouble = f"{type(error).__name__}: {error}"
    if trouble:
        raise InputError(
            "FG-X002",
            f"the site {point.name} of {package} cannot be used: {trouble}",
            why=f"It is declared as {point.value} in the entry-point group {GROUP}.",
            fix=f"Correct it (docs/add-a-site.md), or uninstall {package}.",
        )
    return site


def _attributes() -> tuple[str, ...]:
    from fgbench.collect.sites.base import Site

    return (*Site.__annotations__, "find", "read")
