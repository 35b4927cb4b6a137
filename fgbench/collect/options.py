"""From what the user asked for to a recipe and the sites to ask; every fault of it at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from fgbench.collect.clean.audio import Rules
from fgbench.collect.clean.birdnet import is_installed
from fgbench.collect.clean.segments import Pieces
from fgbench.collect.recipe import Recipe
from fgbench.collect.sites import SITES, load, names
from fgbench.collect.sites.base import Access, Site
from fgbench.collect.sites.soundcloud import SoundCloud
from fgbench.dataset.io import read_bytes
from fgbench.dataset.select import PER_CLASS
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.settings import Settings
from fgbench.species import find, species

CRAWLED = (Medium.TEXT, Medium.AUDIO)
"""The media that sites are asked for; the others are read from sets."""
SETS: Mapping[Medium, tuple[str, str]] = {
    Medium.IMAGE: ("--cub", "a folder or .tgz of CUB-200-2011"),
    Medium.VIDEO: ("--youtube-birds", "a folder with the lists of YouTube Birds"),
}
"""The media that are read from the user's own copy of a set: the option that names it, and what
it is."""
BY_DEFAULT = frozenset({Access.OPEN, Access.KEY, Access.POINTER})
ON_DEMAND = frozenset({Access.RESEARCH_COPY, Access.ARCHIVE, Access.IMPORT})
"""What ``--access`` adds: the user's own copy of what nobody may pass on."""
NOT_NAMED = "others were named"
"""Why a site that may be asked is not."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for, in their words; None or empty: not given."""

    media: str = ""
    species: str = ""
    sites: str = ""
    access: str = ""
    as_of: str = ""
    per_class: int | None = None
    seed: int | None = None
    sample: bool = False
    cub: Path | None = None
    youtube_birds: Path | None = None
    pieces: str = ""
    birdnet: bool | None = None
    keep_doubtful: bool | None = None
    soundcloud_audio: bool | None = None
    beside: Mapping[Medium, Path] = field(default_factory=dict)
    """Copies that the sample world brings; one that the user names goes before."""

    @property
    def copies(self) -> dict[Medium, Path]:
        """The user's own copies, by the medium that each is of."""
        named = {Medium.IMAGE: self.cub, Medium.VIDEO: self.youtube_birds}
        return {medium: path.absolute() for medium, path in named.items() if path}


@dataclass(frozen=True, slots=True)
class Decision:
    """What to build, whom to ask, and which sites are not asked and why."""

    recipe: Recipe
    sites: tuple[Site, ...]
    left_out: Mapping[str, str]


def decide(
    options: Options, settings: Settings, *, before: Recipe | None = None, labels: str = "all"
) -> Decision:
    """The recipe that the options amount to; what they leave out is as in ``before``.

    Without ``before``: text and audio of the classes ``labels`` from the sites whose access is
    granted, as many items a class as the paper has, and the media of which a copy is named; BirdNET
    is asked where it is installed. The sample world grants all access, and has no need of BirdNET.
    Raises ``FaultyInput`` with every fault.
    """
    sample = options.sample or (before is not None and before.sample)
    usual = (*(before.media if before else (*CRAWLED, *options.beside)), *options.copies)
    media, faults = choose_media(options.media or ",".join(usual))
    known = {**options.beside, **(before.copies if before else {})}
    copies, found = choose_copies(media, options.copies, known)
    faults += found
    chosen, found = (
        (before.labels, [])
        if before and not options.species
        else choose_labels(options.species or labels)
    )
    faults += found
    as_of, found = _day(options.as_of or (before and before.as_of) or "")
    faults += found
    sites, left_out, found = _sites(media, options, settings, before)
    faults += found
    if faults:
        raise FaultyInput("build-data", faults)
    per_class = {**PER_CLASS, **(before.per_class if before else {})}
    recipe = Recipe(
        media=media,
        labels=chosen,
        sites=tuple(site.name for site in sites),
        per_class={m: options.per_class or per_class[m] for m in media if m not in SETS},
        as_of=as_of,
        seed=(before.seed if before else 0) if options.seed is None else options.seed,
        sample=sample,
        rules=_rules(options, before, sample),
        soundcloud_audio=_told(
            options.soundcloud_audio, before.soundcloud_audio if before else False
        ),
        copies=copies,
    )
    for site in sites:
        if isinstance(site, SoundCloud):
            site.audio = recipe.soundcloud_audio
    return Decision(recipe, sites, left_out)


def _rules(options: Options, before: Recipe | None, sample: bool) -> Rules:
    usual = before.rules if before else Rules(birdnet=not sample and is_installed())
    return Rules(
        pieces=Pieces(options.pieces or usual.pieces),
        birdnet=_told(options.birdnet, usual.birdnet),
        keep_doubtful=_told(options.keep_doubtful, usual.keep_doubtful),
    )


def _told(given: bool | None, usual: bool) -> bool:
    return usual if given is None else given


def _sites(
    media: Collection[Medium], options: Options, settings: Settings, before: Recipe | None
) -> tuple[tuple[Site, ...], dict[str, str], list[Fault]]:
    """As ``choose_sites``, for the media that are from sites.

    The sites of before stand for their media; the sample world has those of this package alone.
    """
    kinds = [medium for medium in CRAWLED if medium in media]
    sample = options.sample or (before is not None and before.sample)
    every = dict.fromkeys(name for kind in kinds for name in names(kind))
    known = [load(name) for name in every if name in SITES or not sample]
    if before and not (options.sites or options.access):
        had = [site for site in known if site.name in before.sites]
        if {kind for site in had for kind in site.media} >= {*kinds}:
            return tuple(had), {}, []
    granted, faults = (ON_DEMAND, []) if sample else _access(options.access)
    keys = None if sample else settings.keys
    sites, left_out, found = choose_sites(known, _words(options.sites), granted, keys)
    return sites, left_out, faults + found


def choose_media(words: str) -> tuple[tuple[Medium, ...], list[Fault]]:
    """The media that are named, and a fault for each that is none."""
    named, expected = _words(words), ", ".join(MEDIA)
    faults = [
        Fault("FG-U002", "--media", repr(name[:40]), expected, "correct the name")
        for name in named
        if name not in MEDIA
    ]
    return tuple(medium for medium in MEDIA if medium in named), faults


def choose_copies(
    media: Collection[Medium], named: Mapping[Medium, Path], others: Mapping[Medium, Path]
) -> tuple[dict[Medium, Path], list[Fault]]:
    """Where the sets behind ``media`` lie; a fault for each that is not said, or in vain."""
    known = {**others, **named}
    faults = []
    for medium, (option, what) in SETS.items():
        if medium in media and medium not in known:
            fix = f"add {option} with its path"
            faults.append(Fault("FG-U008", f"--media {medium}", f"no {option}", what, fix))
        elif medium in named and medium not in media:
            found, expected = f"--media without {medium}", f"{medium}, which it is read for"
            faults.append(Fault("FG-U009", option, found, expected, f"add {medium} to --media"))
    return {medium: path for medium, path in known.items() if medium in media}, faults


def choose_labels(words: str) -> tuple[tuple[int, ...], list[Fault]]:
    """The labels behind ``all``, names or CUB ids parted by commas or lines, or ``@FILE``.

    Raises ``InputError`` where there is no such file.
    """
    if words.startswith("@"):
        words = read_bytes(Path(words[1:])).decode("utf-8-sig", "replace")
    if (named := _words(words)) == ["all"]:
        return tuple(range(len(species()))), []
    labels: set[int] = set()
    faults: list[Fault] = []
    for name in named:
        try:
            labels.add(find(name).label)
        except InputError as error:
            faults.append(Fault(error.code, "--species", error.what, "a class", error.fix))
    if not named:
        expected = "all, or names or CUB ids"
        faults.append(Fault("FG-U002", "--species", "none", expected, "1, Laysan Albatross"))
    return tuple(sorted(labels)), faults


def choose_sites(
    known: Iterable[Site],
    named: Collection[str],
    granted: Collection[Access],
    keys: Collection[str] | None,
) -> tuple[tuple[Site, ...], dict[str, str], list[Fault]]:
    """The sites to ask, why the others are not asked, and faults of the names.

    Without names, it is every site whose access is granted and whose key is among ``keys`` (None:
    no key is needed). A name is at fault where it is no site's, or its site is not one of these.
    """
    sites = {site.name: site for site in known}
    allowed = BY_DEFAULT.union(granted)
    refused = {name: why for name in sites if (why := _refusal(sites[name], allowed, keys))}
    every = f"one of {', '.join(sites)}" if sites else "none: no medium of --media is from sites"
    faults = [
        Fault("FG-U004", f"--sites {name}", *refused[name])
        if name in refused
        else Fault("FG-U003", "--sites", repr(name[:40]), every, "correct the name")
        for name in named
        if name in refused or name not in sites
    ]
    asked = tuple(s for n, s in sites.items() if n not in refused and (not named or n in named))
    left_out = {
        name: f"{refused[name][0]}: {refused[name][2]}" if name in refused else NOT_NAMED
        for name in sites
        if name in refused or (named and name not in named)
    }
    return asked, left_out, faults


def _refusal(
    site: Site, allowed: Collection[Access], keys: Collection[str] | None
) -> tuple[str, str, str] | None:
    """Why a site is not to be asked: what is so, what was expected, what to do."""
    if site.access not in allowed:
        wanted = f"one of {', '.join(sorted(allowed))}"
        fix = f"add --access {site.access}" if site.access in ON_DEMAND else site.note
        return f"access {site.access}", wanted, fix
    needed = site.auth.key if site.access is Access.KEY and site.auth else ""
    if needed and keys is not None and needed not in keys:
        return "no key", "a key of your own", f"set {needed}"
    return None


def _access(words: str) -> tuple[frozenset[Access], list[Fault]]:
    known = {*ON_DEMAND, *BY_DEFAULT}
    expected = ", ".join(sorted(ON_DEMAND))
    faults = [
        Fault("FG-U002", "--access", repr(name[:40]), expected, "correct the name")
        for name in _words(words)
        if name not in known
    ]
    return frozenset(access for access in known if access in _words(words)), faults


def _day(word: str) -> tuple[str | None, list[Fault]]:
    """A date as it was given, if it is one."""
    try:
        if not word or date.fromisoformat(word).isoformat() == word:
            return word or None, []
    except ValueError:
        pass
    return None, [Fault("FG-U002", "--as-of", repr(word[:40]), "a day: 2019-01-01", "correct it")]


def _words(words: str) -> list[str]:
    return [word.strip() for word in re.split("[,\n]", words) if word.strip()]
