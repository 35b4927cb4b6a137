"""Canonical URLs and where they are really asked: the one place that knows of stand-ins.

Pace, robots, journal, store and manifests know canonical URLs alone. A stand-in
(``FGBENCH_SITE_<NAME>_URL``) replaces scheme and host on the wire, and is turned back at once where
an answer or a redirect names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urljoin, urlsplit

from requests.utils import requote_uri
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from fgbench.collect.crawl.guard import is_public
from fgbench.collect.crawl.http import PORTS
from fgbench.collect.crawl.keys import MARK
from fgbench.collect.sites.base import Auth, Failure, FetchFailed, Site
from fgbench.settings import Settings

ROBOTS = "robots.txt"
"""The ``Site.rule`` of a site that is asked as robots.txt allows."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who stands behind some hosts, and how it wants to be asked."""

    name: str
    hosts: tuple[str, ...]
    pace: float
    robots: bool
    auth: Auth | None = None
    paces: Mapping[str, float] = field(default_factory=dict)
    """Documented paces of single paths, by prefix."""

    def pace_of(self, url: str) -> float:
        """Seconds between two requests like this one."""
        path = urlsplit(url).path
        return next((s for p, s in self.paces.items() if path.startswith(p)), self.pace)


WAYBACK = Origin("wayback", ("web.archive.org",), pace=2.5, robots=False, paces={"/web/": 0.125})
"""The Internet Archive: 24 index requests and 480 copies a minute, 80 % of its limits, as agreed
between the Archive's staff and the authors of the ``wayback`` package."""


def origins_of(sites: Iterable[Site]) -> tuple[Origin, ...]:
    """The origins behind the sites' hosts: each site, and the Archive where one of them asks it.

    A site that asks for nothing has none.
    """
    sites = tuple(site for site in sites if site.requests_per_query)
    archived = any(host in WAYBACK.hosts for site in sites for host in site.hosts)
    own = (
        Origin(site.name, tuple(site.hosts), site.pace, site.rule == ROBOTS, site.auth)
        for site in sites
    )
    return (*((WAYBACK,) if archived else ()), *own)


class Addresses:
    """Maps URLs to canonical URLs, canonical URLs to addresses and origins."""

    def __init__(self, origins: Iterable[Origin], settings: Settings) -> None:
        self._origins: dict[str, Origin] = {}
        self._bases: dict[str, Url] = {}
        for origin in origins:
            for host in origin.hosts:
                self._origins.setdefault(host, origin)
            base = settings.override(origin.name)
            if base:
                self._bases[origin.name] = parse_url(base)
        self.real = tuple(
            sorted({o.name for o in self._origins.values() if o.name not in self._bases})
        )
        """Names of the origins that no stand-in replaces: asking them needs the real network."""
        self.admitted = frozenset(map(_end, self._bases.values()))
        """Host and port of each stand-in: the only addresses that may be private."""

    def origin(self, url: str) -> Origin:
        """The origin behind a canonical URL.

        Raises ``FetchFailed`` (off_site, private_address) where no site has that host.
        """
        parts = urlsplit(url)
        origin = self._origins.get(parts.hostname or "")
        if origin is None or parts.port is not None:
            private = parts.hostname == "localhost" or _is_private(parts.hostname or "")
            kind = Failure.PRIVATE_ADDRESS if private else Failure.OFF_SITE
            raise FetchFailed(kind, url, f"{parts.netloc} is no host of the site's own")
        return origin

    def canonical(self, url: str, near: str = "") -> str:
        """The canonical form of a URL, of a stand-in's too; relative ones are joined to ``near``.

        Lower-case host, no default port, fragment, dot segments or key; all else as it is. Raises
        ``FetchFailed`` (bad_url).
        """
        parts = _parse(url.strip(), near)
        host = (parts.host or "").rstrip(".")
        parts = parts._replace(host=host, fragment=None, path=parts.path or "/")
        if parts.port == PORTS[parts.scheme or ""]:
            parts = parts._replace(port=None)
        parts = self._home(parts, near)
        origin = self._origins.get(parts.host or "")
        auth = origin.auth if origin else None
        return parts._replace(query=_keyless(parts.query, auth)).url

    def address(self, url: str) -> str:
        """Where a canonical URL is asked: as it is, or with a stand-in's scheme and host."""
        base = self._bases.get(self.origin(url).name)
        if base is None:
            return url
        return parse_url(url)._replace(scheme=base.scheme, host=base.host, port=base.port).url

    def _home(self, parts: Url, near: str) -> Url:
        """Back from a stand-in to the site: to the host of ``near`` where that is the site's."""
        names = [name for name, base in self._bases.items() if _end(base) == _end(parts)]
        if not names:
            return parts
        beside = urlsplit(near)
        origin = self._origins.get(beside.hostname or "")
        if origin and origin.name in names:
            return parts._replace(scheme=beside.scheme, host=beside.hostname, port=None)
        host = next(h for h, o in self._origins.items() if o.name == names[0])
        return parts._replace(scheme="https", host=host, port=None)


def _parse(url: str, near: str) -> Url:
    try:
        url = urljoin(near, url)
        if any(ord(c) < 32 or ord(c) == 127 for c in url):
            raise ValueError("control characters")
        parts = parse_url(requote_uri(url))
    except (ValueError, LocationParseError) as error:
        raise FetchFailed(Failure.BAD_URL, _show(url), "not a URL") from error
    if parts.scheme not in PORTS or not parts.host:
        raise FetchFailed(Failure.BAD_URL, _show(url), "neither http nor https, or no host")
    if parts.auth is not None:
        raise FetchFailed(Failure.BAD_URL, parts._replace(auth=None).url, "a password in the URL")
    return parts


def _keyless(query: str | None, auth: Auth | None) -> str | None:
    """A query without the parameter that takes the key, or any that a key stood in."""
    kept = []
    for piece in (query or "").split("&"):
        name, _, value = piece.partition("=")
        if unquote(value) != MARK and not (auth and auth.parameter and name == auth.parameter):
            kept.append(piece)
    return "&".join(kept) or None


def _show(url: str) -> str:
    """A URL that is none, fit for a message: no password, no control characters, ASCII."""
    return ascii(url.rpartition("@")[2][:200])[1:-1]


def _end(parts: Url) -> tuple[str, int]:
    return (parts.host or "").lower(), parts.port or PORTS.get(parts.scheme or "", 0)


def _is_private(host: str) -> bool:
    try:
        return not is_public(ip_address(host.strip("[]")))
    except ValueError:
        return False
