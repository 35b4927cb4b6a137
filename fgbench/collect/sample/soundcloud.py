"""The miniature SoundCloud: what a player of its page asks for, from client id to stream.

A species has two tracks: one free to take, one with all rights reserved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from fgbench.collect.sample.encoder import SYNTHETIC_SOUND
from fgbench.collect.sample.miniature import (
    Answer,
    Miniature,
    Request,
    html_answer,
    json_answer,
    not_found,
    page,
)
from fgbench.collect.sample.prose import SYNTHETIC, birds
from fgbench.collect.sample.take import Numbered, Take

FREE, RESERVED = 1, 2
"""The places of a species' tracks."""
CLIENT = "0123456789syntheticSAMPLEclient0"
"""The id that its script has and its interface wants: as public as on the site, no user's key."""
_SCRIPT = "/assets/0-sample.js"
_QUESTIONS = _SEARCH, _RESOLVE = "/search/tracks", "/resolve"
_API = "https://api-v2.soundcloud.com"
_NUMBERED = re.compile(r"/(?:tracks|media)/(\d+)/(?:download|stream/progressive)")
_STREAM = re.compile(r"/(\d+)\.128\.mp3")


@dataclass(frozen=True, slots=True)
class Track(Numbered):
    """A track."""

    @property
    def take(self) -> Take:
        """What is heard in it."""
        return Take(self.bird, 300 + self.place, 9 + (self.bird.cub_id + self.place) % 7)

    @property
    def page(self) -> str:
        """The address of its page."""
        slug = self.bird.name.replace("'", "").lower().replace(" ", "-")
        return f"https://soundcloud.com/sample-user-{self.place}/{slug}-synthetic"


@cache
def tracks() -> Mapping[str, Track]:
    """All, by number."""
    every = (Track(bird, place) for bird in birds() for place in (FREE, RESERVED))
    return {str(track.number): track for track in every}


def soundcloud() -> Miniature:
    """The page with its script, the interface, and the streams, all on one host."""
    return Miniature("soundcloud", "User-agent: *\nDisallow: /you/\n", _respond)


def _respond(request: Request) -> Answer:
    if request.path == "/":
        script = f'<script crossorigin src="https://a-v2.sndcdn.com{_SCRIPT}"></script>\n'
        return html_answer(page("Home", "SoundCloud", f"<h1>{SYNTHETIC}</h1>", script))
    if request.path == _SCRIPT:
        script = f'/* {SYNTHETIC} */var a={{client_id:"{CLIENT}",nonce:""}};'
        return Answer(200, script.encode(), {"Content-Type": "application/javascript"})
    streamed, numbered = (form.fullmatch(request.path) for form in (_STREAM, _NUMBERED))
    if request.path in _QUESTIONS or numbered:
        return _interface(request, numbered[1] if numbered else "")
    track = tracks().get(streamed[1]) if streamed else None
    return track.take.answer() if track else not_found("SoundCloud")


def _interface(request: Request, number: str) -> Answer:
    """An answer of ``api-v2``, which wants the client id; ``number``: of the track it is about."""
    if request.first("client_id") != CLIENT:
        return json_answer({}, 401)
    if request.path == _SEARCH:
        found = _search(request.first("q"))
        return json_answer({"collection": found, "total_results": len(found), "next_href": None})
    if request.path == _RESOLVE:
        found = [_record(t) for t in tracks().values() if t.page == request.first("url")]
        return json_answer(found[0]) if found else json_answer({}, 404)
    if number not in tracks():
        return json_answer({}, 404)
    if request.path.endswith("/download"):
        return json_answer({}, 401)  # the original is for those who are logged in
    return json_answer({"url": f"https://cf-media.sndcdn.com/{number}.128.mp3"})


def _search(asked: str) -> list[Mapping[str, object]]:
    """The tracks that have every word of what was asked for."""
    wanted = set(asked.lower().split())
    records = map(_record, tracks().values())
    return [r for r in records if wanted <= set(f"{r['title']} {r['tag_list']}".lower().split())]


def _record(track: Track) -> Mapping[str, object]:
    free, number = track.place == FREE, track.number
    length = round(1000 * track.take.duration_s)
    stream = {
        "url": f"{_API}/media/{number}/stream/progressive",
        "preset": "mp3_1_0",
        "snipped": False,
        "format": {"protocol": "progressive", "mime_type": "audio/mpeg"},
        "quality": "sq",
    }
    return {
        "id": number,
        "kind": "track",
        "title": f"{track.bird.name} song (synthetic)",
        "license": "cc-by" if free else "all-rights-reserved",
        "downloadable": free,
        "has_downloads_left": free,
        "duration": length,
        "full_duration": length,
        "policy": "ALLOW",
        "genre": "Nature",
        "tag_list": 'bird synthetic "field recording"',
        "description": f"A {SYNTHETIC_SOUND}: {track.bird.scientific}.",
        "permalink_url": track.page,
        "uri": f"https://api.soundcloud.com/tracks/{number}",
        "user": {"id": track.place, "username": f"Sample user {track.place}"},
        "media": {"transcodings": [stream]},
    }
