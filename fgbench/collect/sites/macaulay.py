"""Macaulay Library, from the lists that its own pages export: rows, and sounds that the user has.

It has no interface for programs, and its terms allow viewing, citing and keeping the records, not
copying the sound; that is given for research on request. So a list (CSV, at most 10,000 rows, from
the export button of search.macaulaylibrary.org/catalog) is the user's to bring, and so are sounds
that they were given, beside it. Nothing is asked over the network.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.collect.sites.base import Absent, Access, Hit, RawAudio, Response, Session, Site
from fgbench.collect.sites.ebird import codes
from fgbench.collect.sites.exports import CODE, NUMBER, fault_of, sound_rows
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED
from fgbench.collect.sites.listings import day, left_out, whole, words
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.species import species

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

CSV = "FGBENCH_MACAULAY_CSV"
"""The setting that names an exported list, or a folder of lists and sounds."""
PAGE = "https://macaulaylibrary.org/asset/{}"
"""A recording's page by its catalogue number; its source id is the number after ``ML``."""

_MEDIA = "https://cdn.download.ams.birds.cornell.edu/api/v2/asset/{}/mp3"
_CATALOGUE = "https://search.macaulaylibrary.org/catalog?taxonCode={}&mediaType=audio"
_SUFFIXES = frozenset({".mp3", ".wav", ".flac", ".m4a", ".ogg", ".aif", ".aiff"})
_FILE = re.compile(r"(?:ML)?(\d{3,15})(?!\d).*", re.IGNORECASE)
_ASSET = re.compile(r"/asset/(\d{1,15})/")
_LARGEST_LIST, _LARGEST_SOUND = 64 * 2**20, 2**30
_GRADES = "EDCBA"
"""Of a community rating, 1 to 5 stars."""


@dataclass(frozen=True, slots=True)
class _List:
    """An exported list: which species it has recordings of, by eBird code; its bytes' digest."""

    path: Path
    codes: frozenset[str]
    digest: str


class Macaulay(Site):
    """Rows of exported lists by eBird code, one hit a list; with a sound where the user has it.

    A sound is a file beside the list whose name begins with its catalogue number: ``ML229089.wav``.
    """

    name = "macaulay"
    media = (Medium.AUDIO,)
    home = "https://www.macaulaylibrary.org/"
    hosts = ("www.macaulaylibrary.org", "macaulaylibrary.org", "search.macaulaylibrary.org")
    terms_url = "https://www.macaulaylibrary.org/macaulay-library-terms-of-use/"
    access = Access.IMPORT
    licence = "All rights reserved: rows without sound, or your own copy; never passed on."
    pace = 5.0
    requests_per_query = 0
    needs = (CSV,)
    auth = None
    rule = "its terms of use: nothing is asked of it over the network"
    note = (
        f"{CSV} names a list that the catalogue's export button gave you, or a folder of such"
        " lists and of sounds that you were given for research. Nothing is asked for."
    )

    def __init__(self, place: Path | None = None) -> None:
        self.place = place

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The lists that have recordings of the species; names are not asked for.

        Raises ``InputError`` (FG-I001), ``FaultyInput`` (FG-I002, every fault of every list).
        """
        wanted = [code for code in codes(species) if any(code in li.codes for li in self._lists)]
        if not wanted:
            lacking = f"no list has {', '.join(codes(species))}"
            reason = lacking if self._lists else f"{CSV} names no list"
            yield Absent(self.name, species.label, species.name, reason)
        for code in wanted:
            for listed in self._lists:
                if code in listed.codes:
                    url = f"{_CATALOGUE.format(code)}#{listed.digest[:16]}"
                    facts = {"list": str(listed.path), "sounds": " ".join(self._sounds)}
                    yield Hit(self.name, species.label, code, url, code, facts=facts)

    def saved(self, hit: Hit) -> Response:
        """What stands for the answer: a list, or the sound of a recording (its ``media_url``).

        Its date is that of the file. Raises ``InputError`` (FG-I001).
        """
        asset = _ASSET.search(hit.url)
        path = self._sounds.get(asset[1]) if asset else Path(hit.facts["list"])
        if path is None:
            raise _unreadable(Path(hit.url), "no file of that number", "Put it beside the list.")
        body, modified = _contents(path, _LARGEST_SOUND if asset else _LARGEST_LIST)
        return Response(
            url=hit.url,
            status=200,
            headers={"content-type": "application/octet-stream" if asset else "text/csv"},
            body=body,
            date=datetime.fromtimestamp(int(modified), UTC).isoformat().replace("+00:00", "Z"),
            digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
        )

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """The recordings of one species in a list."""
        sounds = frozenset(hit.facts.get("sounds", "").split())
        unnumbered = []
        for place, row in sound_rows(response.body):
            if row.get(CODE) != hit.source_id:
                continue
            if whole(row, NUMBER):
                yield _recording(hit, row, sounds)
            else:
                unnumbered.append(f"row {place}")
        yield from left_out(hit, "no catalogue number in", unnumbered)

    def __getstate__(self) -> dict[str, object]:
        """Nothing: where the work of ``read`` is done, the index of files is not needed."""
        return {}

    @cached_property
    def _files(self) -> tuple[Path, ...]:
        """What ``FGBENCH_MACAULAY_CSV`` names, and what lies beside a list that it names."""
        if (place := self.place) is None:
            return ()
        try:
            folder = place if place.is_dir() else place.parent
            sounds = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
            lists = sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv")
            return (*(lists if folder is place else [place]), *sounds)
        except OSError as error:
            raise _unreadable(place, error.strerror or str(error)) from error

    @cached_property
    def _lists(self) -> tuple[_List, ...]:
        faults: list[Fault] = []
        lists: dict[str, _List] = {}
        for path in self._files:
            if path.suffix.lower() in _SUFFIXES:
                continue
            body, _ = _contents(path, _LARGEST_LIST)
            fault = fault_of(path, body)
            if fault:
                faults.append(fault)
                continue
            found = frozenset(row.get(CODE, "") for _, row in sound_rows(body))
            digest = hashlib.sha256(body).hexdigest()
            lists.setdefault(digest, _List(path, found, digest))
        if faults:
            raise FaultyInput(CSV, faults)
        return tuple(lists.values())

    @cached_property
    def _sounds(self) -> Mapping[str, Path]:
        """The sounds that the user has, by catalogue number."""
        sounds = (path for path in self._files if path.suffix.lower() in _SUFFIXES)
        named = ((_FILE.fullmatch(path.stem), path) for path in sounds)
        return {str(int(match[1])): path for match, path in named if match}


def _recording(hit: Hit, row: Mapping[str, str], sounds: frozenset[str]) -> RawAudio:
    number = str(whole(row, NUMBER))
    author, taxon = words(row, "Recordist"), words(row, "Scientific Name")
    name = words(row, "Common Name") or species()[hit.label].name
    kind = words(row, "Behaviors")
    place = [words(row, column) for column in ("Locality", "County", "State", "Country")]
    credit = f"{author}; Cornell Lab of Ornithology | Macaulay Library (ML{number})"
    return RawAudio(
        hit=hit,
        title=f"{name} ({taxon}), {kind}".rstrip(", "),
        source_url=PAGE.format(number),
        source_id=f"ML{number}",
        licence=replace(ALL_RIGHTS_RESERVED, url=Macaulay.terms_url),
        media_url=_MEDIA.format(number) if number in sounds else "",
        author=author,
        attribution=f"{name} by {credit}",
        recorded_on=day(words(row, "Date")),
        place=", ".join(part for part in place if part),
        quality=_grade(words(row, "Average Community Rating"), whole(row, "Number of Ratings")),
        other_species=_background(words(row, "Background Species")),
        flags=("unconfirmed",) if words(row, "Unconfirmed") else (),
    )


def _grade(rating: str, ratings: int) -> str:
    """Stars as a letter, halves upwards: 5 is A, 1 is E."""
    stars = re.fullmatch(r"([0-5])(?:\.(\d)\d*)?", rating)
    if stars is None or not ratings:
        return ""
    return _GRADES[min(5, max(1, int(stars[1]) + (int(stars[2] or 0) >= 5))) - 1]


def _background(listed: str) -> tuple[str, ...]:
    """Scientific names out of ``Streptopelia decaocto -- Eurasian Collared-Dove``, and so on."""
    names = (part.partition(" -- ")[0].strip() for part in re.split("[;,|]", listed))
    return tuple(name for name in names if name)


def _contents(path: Path, largest: int) -> tuple[bytes, float]:
    """A file's bytes and when it was last changed. Raises ``InputError`` (FG-I001)."""
    try:
        found = path.stat()
        if found.st_size > largest:
            raise OSError(f"{found.st_size:,} bytes, more than {largest:,}")
        return path.read_bytes(), found.st_mtime
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _unreadable(path: Path, why: str, fix: str = "") -> InputError:
    return InputError(
        "FG-I001",
        f"{path} cannot be read: {why}",
        why=f"{CSV} names a list exported from the Macaulay Library's catalogue, or a folder.",
        fix=fix or f"Correct the path or its permissions, or unset {CSV}.",
    )
