"""From what the user asked for to a recipe and the sites to ask; every fault of it at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fgbench.collect.recipe import Recipe
from fgbench.collect.sites import load, names
from fgbench.collect.sites.base import Access, Site
from fgbench.dataset.io import read_bytes
from fgbench.dataset.select import PER_CLASS
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.settings import Settings
from fgbench.species import find, species

BUILT = (Medium.TEXT,)
"""The media that this version builds."""
BY_DEFAULT = frozenset({Access.OPEN, Access.KEY})
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

    Without ``before``: text of the classes ``labels`` from the sites whose access is granted, as
    many items a class as the paper has. The sample world grants all access. Raises ``FaultyInput``
    with every fault.
    """
    sample = options.sample or (before is not None and before.sample)
    media, faults = choose_media(options.media or (before and ",".join(before.media)) or "text")
    chosen, found = (
        (before.labels, [])
        if before and not options.species
        else choose_labels(options.species or labels)
    )
    faults += found
    as_of, found = _day(options.as_of or (before and before.as_of) or "")
    faults += found
    if before and not (options.sites or options.access):
        sites, left_out = tuple(map(load, before.sites)), dict[str, str]()
    else:
        granted, found = (ON_DEMAND, []) if sample else _access(options.access)
        faults += found
        known = tuple(map(load, names(Medium.TEXT)))
        sites, left_out, found = choose_sites(known, _words(options.sites), granted, settings)
        faults += found
    if faults:
        raise FaultyInput("build-data", faults)
    per_class = before.per_class if before else PER_CLASS
    recipe = Recipe(
        media=media,
        labels=chosen,
        sites=tuple(site.name for site in sites),
        per_class={m: options.per_class or per_class[m] for m in media},
        as_of=as_of,
        seed=(before.seed if before else 0) if options.seed is None else options.seed,
        sample=sample,
    )
    return Decision(recipe, sites, left_out)


def choose_media(words: str) -> tuple[tuple[Medium, ...], list[Fault]]:
    """The media that are named, and a fault for each that is none or is not built."""
    built, faults = ", ".join(BUILT), []
    for name in (named := _words(words)):
        if name not in MEDIA:
            faults.append(Fault("FG-U002", "--media", repr(name[:40]), built, "correct the name"))
        elif name not in BUILT:
            fix = f"--media {built}"
            faults.append(Fault("FG-U007", "--media", f"{name}, not built yet", built, fix))
    return tuple(m for m in BUILT if m in named), faults


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
    known: Iterable[Site], named: Collection[str], granted: Collection[Access], settings: Settings
) -> tuple[tuple[Site, ...], dict[str, str], list[Fault]]:
    """The sites to ask, why the others are not asked, and faults of the names.

    Without names, it is every site whose access is granted and whose key is set. A name is at
    fault where it is no site's, or its site is not one of these.
    """
    sites = {site.name: site for site in known}
    allowed = BY_DEFAULT.union(granted)
    refused = {name: why for name in sites if (why := _refusal(sites[name], allowed, settings))}
    every = ", ".join(sites)
    faults = [
        Fault("FG-U004", f"--sites {name}", *refused[name])
        if name in refused
        else Fault("FG-U003", "--sites", repr(name[:40]), f"one of {every}", "correct the name")
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
    site: Site, allowed: Collection[Access], settings: Settings
) -> tuple[str, str, str] | None:
    """Why a site is not to be asked: what is so, what was expected, what to do."""
    if site.access not in allowed:
        wanted = f"one of {', '.join(sorted(allowed))}"
        fix = f"add --access {site.access}" if site.access in ON_DEMAND else site.note
        return f"access {site.access}", wanted, fix
    if site.access is Access.KEY and site.auth and site.auth.key not in settings.keys:
        return "no key", "a key of your own", f"set {site.auth.key}"
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
