"""The Birds of North America (birdsna.org), since 2020 in Birds of the World, by subscription.

Read are pages that a subscriber saved by hand, and the Archive's copies of the introductions, which
were free. No login is scripted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.collect.sites import wayback
from fgbench.collect.sites.archived import CodedPages, read_page
from fgbench.collect.sites.base import Absent, Access, Hit, RawText, Response, Session
from fgbench.collect.sites.ebird import codes
from fgbench.collect.sites.wayback import Capture, NotArchived
from fgbench.errors import InputError
from fgbench.species import Species, name_key

if TYPE_CHECKING:
    from fgbench.collect.queries import Query

FOLDER = "FGBENCH_BIRDSNA_IMPORT"
"""The setting that names the folder of saved pages."""

_FIRST = "introduction"
_PAGE = "https://birdsoftheworld.org/bow/species/{}/cur/{}"
_INTRODUCTIONS = (
    "birdsna.org/Species-Account/bna/species/{}/introduction",
    "birdsoftheworld.org/bow/species/{}/cur/introduction",
)
_ADDRESS = re.compile(
    rb"https?://(?:www\.)?(?:birdsna\.org/Species-Account/bna|birdsoftheworld\.org/bow)"
    rb"/species/([a-z0-9]{3,10})(?:/cur)?(?:/([a-z]{3,30}))?",
    re.IGNORECASE,
)
"""In a saved page: the browser's note of where it was saved from, or its canonical link."""
_HEAD = 64 * 1024
_LARGEST = 32 * 2**20


@dataclass(frozen=True, slots=True)
class _Saved:
    """A saved page: its section of the account by what may name its species (``name_key``)."""

    path: Path
    sections: Mapping[str, str]
    code: str = ""
    """The eBird code in its address, if it says from where it was saved."""


class BirdsNA(CodedPages):
    """Saved pages are found by the address in them, else by their file's name.

    That is an eBird code or a common name, with or without a section: ``bkfalb-breeding.html``.
    """

    name = "birdsna"
    home = "https://birdsoftheworld.org/"
    terms_url = "https://www.birds.cornell.edu/home/terms-of-use/"
    access = Access.IMPORT
    needs = (FOLDER,)
    publisher = "Birds of the World, Cornell Lab of Ornithology"
    requests_per_query = 4
    note = (
        f"Pages that a subscriber saved by hand, as HTML, in the folder that {FOLDER} names; and"
        " introductions from the Internet Archive, the nearest to --as-of (2019-01-01)."
    )

    def __init__(self, place: Path | None = None) -> None:
        self.place = place

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The saved pages, and the archived introduction. Raises ``InputError`` (FG-I001)."""
        names = [name_key(name) for name in (*codes(species), *(q.text for q in queries))]
        found_any = False
        for page in self._pages:
            key = next((name for name in names if name in page.sections), None)
            if key is not None:
                found_any = True
                code, section = page.code or codes(species)[0], page.sections[key]
                url = session.canonical(_PAGE.format(code, section))
                facts = {"original": url, "saved": str(page.path)}
                query, source_id = page.path.stem, f"{code}/{section}"
                yield Hit(self.name, species.label, query, url, source_id, facts=facts)
        for found in super().find(species, queries, session):
            if isinstance(found, Hit) or not found_any:
                yield found

    def look(self, code: str, session: Session) -> Sequence[Capture]:
        """The introduction of a code's account, at its old address or else at its new one."""
        for address in _INTRODUCTIONS:
            with suppress(NotArchived):
                return wayback.captures(session, address.format(code))
        raise NotArchived("the Internet Archive has no copy of its introduction")

    def saved(self, hit: Hit) -> Response | None:
        """What stands for the answer to a saved page's hit; None where the hit is to be fetched.

        Its date is that of the file. Raises ``InputError`` (FG-I001).
        """
        if "saved" not in hit.facts:
            return None
        body, modified = _contents(Path(hit.facts["saved"]))
        return Response(
            url=hit.url,
            status=200,
            headers={"content-type": "text/html"},
            body=body,
            date=datetime.fromtimestamp(int(modified), UTC).isoformat().replace("+00:00", "Z"),
            digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
        )

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The prose of a page."""
        if "saved" in hit.facts:
            yield read_page(hit, response, self.publisher)
        else:
            yield from super().read(hit, response)

    @cached_property
    def _pages(self) -> tuple[_Saved, ...]:
        """The saved pages, by file name."""
        if self.place is None:
            return ()
        try:
            files = sorted(p for p in self.place.iterdir() if p.suffix.lower() in {".html", ".htm"})
        except OSError as error:
            raise _unreadable(self.place, error) from error
        return tuple(map(_saved, files))


def _saved(path: Path) -> _Saved:
    body, _ = _contents(path)
    address = _ADDRESS.search(body[:_HEAD])
    if address:
        code = address[1].decode("ascii").lower()
        section = address[2].decode("ascii").lower() if address[2] else _FIRST
        return _Saved(path, {code: section}, code)
    whole, (shorter, _, section) = path.stem, path.stem.replace("_", "-").rpartition("-")
    sections = {name_key(shorter): section.lower(), name_key(whole): _FIRST}
    return _Saved(path, {key: value for key, value in sections.items() if key})


def _contents(path: Path) -> tuple[bytes, float]:
    """A file's bytes and when it was last changed."""
    try:
        found = path.stat()
        if found.st_size > _LARGEST:
            raise OSError(f"{found.st_size} bytes, more than {_LARGEST}")
        return path.read_bytes(), found.st_mtime
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        "FG-I001",
        f"{path} cannot be read: {error.strerror or error}",
        why=f"{FOLDER} names the folder of pages that you saved from birdsoftheworld.org.",
        fix=f"Correct the path or its permissions, or unset {FOLDER}.",
    )
