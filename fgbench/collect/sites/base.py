"""The contract of a site: find what it has on a species, read what was fetched.

Adding a site is one file beside this one and one fixture (docs/add-a-site.md). ``read`` is a pure
function of stored bytes: every page can be parsed again years later, without the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species


class Access(StrEnum):
    """How a site may be used today; what is not OPEN or KEY is asked for by ``--access``."""

    OPEN = "open"
    """A licence allows taking and passing on; fetched by default."""
    KEY = "key"
    """The same, with a key of the user's own; fetched by default where the key is set."""
    RESEARCH_COPY = "research_copy"
    """All rights reserved: the user's own copy where robots.txt allows; never passed on."""
    ARCHIVE = "archive"
    """The site is gone: copies in the Internet Archive, never passed on."""
    POINTER = "pointer"
    """Rows without media: where an item is, and what is known of it."""
    IMPORT = "import"
    """Only from a file that the user obtained from the site."""
    OFF = "off"
    """Not used, with the reason in ``Site.note``."""


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as its source states it: an SPDX-like id, or ``all rights reserved``."""

    name: str
    url: str
    redistributable: bool
    derivatives: bool = True


@dataclass(frozen=True, slots=True)
class Auth:
    """How a site takes the user's own key: as a query parameter or as a header, never both."""

    key: str
    """The setting that holds it, ``FGBENCH_XENO_CANTO_KEY``; named in ``Site.needs`` too."""
    prefix: str
    """Canonical URLs that it goes to, scheme, host and path: no other request carries it."""
    parameter: str = ""
    header: str = ""
    scheme: str = ""
    """What stands before it in the header: ``Token``, ``Bearer``."""

    def covers(self, url: str) -> bool:
        """Whether a canonical URL is one that the key goes to."""
        return url.startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Hit:
    """A page or recording that a site has for a species. ``url`` is canonical, keyless."""

    site: str
    label: int
    query: str
    url: str
    source_id: str
    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the listing already says (revision, recordist, licence URL…), for ``read``."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A site has nothing for a species: no page, a disambiguation page, restricted recordings."""

    site: str
    label: int
    query: str
    reason: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph as the page has it, markup gone; ``section`` is the heading above it."""

    text: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class RawText:
    """What one page says of one species, before cleaning, with where it is from."""

    hit: Hit
    title: str
    paragraphs: tuple[Paragraph, ...]
    source_url: str
    source_id: str
    licence: Licence
    author: str = ""
    attribution: str = ""
    archive_url: str = ""
    extractor: str = "rule"
    """``rule``, or the name of the generic extractor that stood in for it."""
    about: tuple[str, ...] = ()
    """Names by which the page itself says what species it is about (title, binomial)."""


@dataclass(frozen=True, slots=True)
class RawAudio:
    """One recording as its source describes it; its sound is another answer, or not to be had."""

    hit: Hit
    title: str
    source_url: str
    source_id: str
    licence: Licence
    """Where it has no ``derivatives`` the recording stays whole: it is cut nowhere."""
    media_url: str = ""
    """Canonical address of the sound, fetched only where needed; "": a pointer, never fetched."""
    author: str = ""
    """Who recorded it."""
    attribution: str = ""
    archive_url: str = ""
    recorded_on: str = ""
    """ISO 8601, as far as known: 2019-05-01, 2019-05, 2019."""
    place: str = ""
    quality: str = ""
    """``A`` (best) to ``E``, as on xeno-canto; "" where nobody rated it."""
    duration_s: float | None = None
    """As the source states it."""
    other_species: tuple[str, ...] = ()
    """Heard in it besides, as the source names them."""
    related: tuple[str, ...] = ()
    """Source ids of recordings that it says are of the same bird, or the whole it is cut from."""
    flags: tuple[str, ...] = ()
    """What a reader should know of it, stable codes: ``preview``, ``no-gen-ai``."""
    extractor: str = "rule"


@dataclass(frozen=True, slots=True)
class Response:
    """A stored answer. ``url`` is canonical; ``headers`` have lower-case names."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    date: str
    """The answer's own Date header, else when it was stored: ISO 8601, UTC."""
    digest: str
    """The WARC payload digest of the body: ``sha256:`` and its hexadecimal digits."""
    final_url: str = ""
    """Canonical URL after redirects, where it differs."""

    @property
    def charset(self) -> str:
        """The charset that the answer declares, lower case, or ``""``."""
        declared = Message()
        declared["content-type"] = self.headers.get("content-type", "")
        return (declared.get_content_charset() or "").strip().lower()

    def text(self) -> str:
        """The body as text: UTF-8 where it is that, else the declared charset.

        Nothing is guessed beyond this. Raises ``FetchFailed`` (``bad_encoding``) where neither
        fits. HTML parsers may take ``body`` itself.
        """
        declared = "windows-1252" if self.charset == "iso-8859-1" else self.charset
        wide = declared.startswith(("utf-16", "utf-32"))
        for charset in (declared,) if wide else ("utf-8-sig", declared):
            try:
                return self.body.decode(charset)
            except (ValueError, LookupError):
                continue
        detail = f"the body is neither UTF-8 nor the declared {self.charset or '(nothing)'}"
        raise FetchFailed(Failure.BAD_ENCODING, self.url, detail)


class Failure(StrEnum):
    """Why a URL could not be had: stable names, written to journal, manifests and audit."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TRUNCATED = "truncated"
    HTTP_3XX = "http_3xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    PUT_OFF = "put_off"
    """Not asked: its host had failed, or asked for a longer wait than a run allows."""
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    REDIRECT_LOOP = "redirect_loop"
    OFF_SITE = "off_site"
    PRIVATE_ADDRESS = "private_address"
    BAD_URL = "bad_url"
    REFUSED_BY_ROBOTS = "refused_by_robots"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    NOAI = "noai"
    NO_KEY = "no_key"
    KEY_REFUSED = "key_refused"
    OFFLINE = "offline"
    """Offline, and not in the store."""

    @property
    def refusal(self) -> bool:
        """Whether a rule forbade it, ours or the site's, rather than something going wrong."""
        return self in _REFUSALS


_REFUSALS = {
    Failure.OFF_SITE,
    Failure.PRIVATE_ADDRESS,
    Failure.BAD_URL,
    Failure.REFUSED_BY_ROBOTS,
    Failure.NOAI,
    Failure.NO_KEY,
    Failure.KEY_REFUSED,
}


class FetchFailed(Exception):
    """A URL could not be had: an outcome to record. ``url`` is canonical; no key is ever in it."""

    def __init__(self, kind: Failure, url: str, detail: str) -> None:
        super().__init__(kind, url, detail)
        self.kind, self.url, self.detail = kind, url, detail

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.detail} ({self.url})"


class Session(Protocol):
    """What ``find`` asks its questions through: paced, polite, stored, replayed when known."""

    as_of: str | None
    """ISO date; sites that know their past answer as of it."""

    def get(self, url: str) -> Response:
        """The answer for a URL of the site's own hosts: 2xx, 404 or 410.

        Raises ``FetchFailed`` otherwise.
        """

    def canonical(self, url: str) -> str:
        """The canonical, keyless form of a URL, for URLs taken out of an answer."""

    def has_key(self, name: str) -> bool:
        """Whether the user gave a key. The session puts it on the wire; no adapter sees it."""


class Site(Protocol):
    """A source of instances. Class attributes are facts that ``fgbench sites show`` prints."""

    name: ClassVar[str]
    media: ClassVar[tuple[Medium, ...]]
    home: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    """Every host that the adapter may ask, its own first; no request or redirect leaves them.

    A host belongs to one site. An override replaces all of them, but ``web.archive.org``, which
    may stand among them and has its own.
    """
    terms_url: ClassVar[str]
    access: ClassVar[Access]
    licence: ClassVar[str]
    """The rule for its items' licences, in a sentence."""
    pace: ClassVar[float]
    """Seconds between two requests to one of its hosts."""
    requests_per_query: ClassVar[int]
    """The most requests that one query leads to, pages included: for ``--plan``."""
    needs: ClassVar[tuple[str, ...]]
    """Names of keys or files that the user must bring."""
    auth: ClassVar[Auth | None]
    rule: ClassVar[str]
    """``robots.txt``, or the published terms of the documented API that govern instead."""
    note: ClassVar[str]

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterable[Hit | Absent]:
        """What the site has for a species, best name first; ``Absent`` where it has nothing."""

    def read(self, hit: Hit, response: Response) -> Iterable[RawText | RawAudio | Absent]:
        """The texts or recordings in a stored answer. Pure: same bytes, same result."""
