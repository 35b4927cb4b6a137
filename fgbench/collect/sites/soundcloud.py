"""soundcloud.com by yt-dlp, whose requests all go through the crawl session.

yt-dlp knows how the site is asked (a client id in its scripts, an interface without documentation)
and puts streams together. Evidence: its extractor of October 2026; which hosts the streams are on
is from memory, and one that is missing here is refused and recorded as off the site.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fgbench.collect.sites.base import (
    Absent,
    Access,
    Failure,
    FetchFailed,
    Hit,
    Licence,
    RawAudio,
    Response,
    Session,
    Site,
)
from fgbench.collect.sites.guide import common_names
from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED, licence_of
from fgbench.collect.sites.listings import amount, answer, left_out, prose, records, whole, words
from fgbench.collect.sites.mentions import mentions, others_named
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.relay import Relay, download, look_up
from fgbench.protocol import Medium
from fgbench.species import species

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_TRACKS = 50
"""The tracks of one search: beyond the first page there is only music."""
_TRACK = re.compile(r"https://soundcloud\.com/[\w-]+/[\w-]+")
_SEARCH = "/search/tracks"
_EXTRACTORS = ("^soundcloud$", "^soundcloud:search$")


class SoundCloud(Site):
    """What its tracks say of themselves; with ``audio``, the sound of those that are free to take.

    Those are under a Creative Commons licence, or no rights reserved, and offered for download.
    """

    name = "soundcloud"
    media = (Medium.AUDIO,)
    home = "https://soundcloud.com/"
    hosts = (
        "soundcloud.com",
        "api-v2.soundcloud.com",
        "a-v2.sndcdn.com",
        "cf-media.sndcdn.com",
        "cf-hls-media.sndcdn.com",
        "cf-hls-opus-media.sndcdn.com",
        "playback.media-streaming.soundcloud.cloud",
    )
    terms_url = "https://soundcloud.com/terms-of-use"
    access = Access.POINTER
    licence = "As each track states it, most all rights reserved: rows without sound."
    pace = 2.0
    requests_per_query = 12
    needs = ()
    auth = None
    rule = "robots.txt"
    note = (
        "Its terms forbid copying what users have not offered for download: only tracks that are,"
        " under Creative Commons or no rights reserved, are fetched, and only with"
        " --soundcloud-audio. It allows some 600 requests in 10 minutes; half that is asked."
    )

    def __init__(self, audio: bool = False) -> None:
        self.audio = audio

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The answers to searches for the first common name that a track has, as a bird's.

        Raises ``FetchFailed``, ``MissingExtra``.
        """
        asked = common_names(species, queries)
        return settle((self._look(species, query, session) for query in asked), species)

    def _look(self, bird: Species, query: Query, session: Session) -> Sequence[Hit] | Absent:
        searched = f"scsearch{_TRACKS}:{query.text} bird"
        relay = Relay(session)
        look_up(relay, searched, _EXTRACTORS)
        pages = [answer for answer in relay.answers if urlsplit(answer.url).path == _SEARCH]
        listed = [track for page in pages for track in _tracks(page)]
        if not any(mentions(bird, _said(track)) for track in listed):
            reason = f"none of {len(listed)} tracks is said to be of the bird" if listed else "none"
            return Absent(self.name, query.label, query.text, reason)
        return [
            Hit(self.name, query.label, query.text, page.url, f"{searched} page {number}")
            for number, page in enumerate(pages, start=1)
        ]

    def read(self, hit: Hit, response: Response) -> Iterator[RawAudio | Absent]:
        """The tracks of a search that are said to be of the bird.

        Raises ``FetchFailed`` (truncated).
        """
        if response.status != 200:
            yield Absent(hit.site, hit.label, hit.query, f"no listing ({response.status})")
            return
        bird, others = species()[hit.label], []
        for track in _tracks(response):
            number, page = whole(track, "id"), _page(track)
            if number and page and mentions(bird, _said(track)):
                yield self._recording(hit, bird, track, page)
            elif number:
                others.append(str(number))
        yield from left_out(hit, "listed, but not said to be of the bird", others)

    def _recording(self, hit: Hit, bird: Species, track: Mapping[str, Any], page: str) -> RawAudio:
        licence = _licence(words(track, "license"))
        part = words(track, "policy") == "SNIP"
        offered = licence.redistributable and track.get("downloadable") is True and not part
        user = track.get("user")
        author = words(user, "username") if isinstance(user, dict) else ""
        title = words(track, "title")
        length = amount(track, "full_duration") or amount(track, "duration")
        return RawAudio(
            hit=hit,
            title=title,
            source_url=page,
            source_id=str(whole(track, "id")),
            licence=licence,
            media_url=page if self.audio and offered else "",
            author=author,
            attribution=f"“{title}” by {author}, {page}, {licence.name}",
            duration_s=length / 1000 if length else None,
            other_species=others_named(bird, _said(track)),
            flags=("preview",) if part else (),
        )

    def fetch(self, hit: Hit, session: Session) -> Response | None:
        """The sound of the track whose page ``hit.url`` is; None where it is another address.

        Its date is that of the last answer that it was put together from. The digest is the
        sound's. Raises ``FetchFailed``, ``MissingExtra``.
        """
        if not _TRACK.fullmatch(hit.url):
            return None
        relay = Relay(session)
        with TemporaryDirectory(prefix="fgbench-soundcloud-") as folder:
            download(relay, hit.url, _EXTRACTORS, Path(folder))
            files = sorted(path for path in Path(folder).iterdir() if path.is_file())
            if len(files) != 1:
                detail = f"yt-dlp left {len(files)} files for one track"
                raise FetchFailed(Failure.TRUNCATED, hit.url, detail)
            body = files[0].read_bytes()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        last = relay.answers[-1]
        return replace(last, url=hit.url, final_url="", headers={}, body=body, digest=digest)


def _tracks(response: Response) -> list[Mapping[str, Any]]:
    return records(answer(response), "collection", response)


def _said(track: Mapping[str, Any]) -> str:
    """What a track says of itself: title, tags, genre and description."""
    named = (words(track, "title"), words(track, "tag_list"), words(track, "genre"))
    return " | ".join((*named, prose(track, "description")))


def _page(track: Mapping[str, Any]) -> str:
    """The canonical address of a track's page, or ``""``."""
    try:
        path = urlsplit(words(track, "permalink_url")).path
    except ValueError:
        return ""
    address = f"https://soundcloud.com{path}"
    return address if _TRACK.fullmatch(address) else ""


def _licence(stated: str) -> Licence:
    if stated in {"", "all-rights-reserved"}:
        return ALL_RIGHTS_RESERVED
    if stated == "no-rights-reserved":
        return Licence("no rights reserved", "", redistributable=True)
    return licence_of("", stated)
