"""The miniature xeno-canto: the interface of version 3, and the sound behind its listings.

A species has thirteen songs, one call that may be anything, and one recording whose sound is kept
back. Its catalogue numbers have nine digits, which no real one has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from fgbench.collect.sample.encoder import SYNTHETIC_SOUND, Format
from fgbench.collect.sample.miniature import (
    Answer,
    Lock,
    Miniature,
    Request,
    json_answer,
    not_found,
)
from fgbench.collect.sample.prose import Bird, bird_named, birds
from fgbench.collect.sample.scene import Scene
from fgbench.collect.sample.take import Numbered, Take

_API = "/api/3/recordings"
_REFUSAL = {
    "error": "client_error",
    "message": "Missing or invalid 'key' parameter. Visit https://xeno-canto.org/account to"
    " retrieve your API key.",
}
_TAGS = re.compile(r'(\w+):(?:"(=?)([^"]*)"|([^\s"]+))\s*')
_SONGS, FAR, RESTRICTED = range(1, 14), 14, 15
"""The places of a species' recordings in its list."""
TAKEN_TOGETHER = 3, 4
"""Of one recordist, at one place, on one day."""
SAME_BIRD = 5, 6
"""The second says that it is of the bird of the first."""
WHOLE = 7
"""Its licence allows no derivatives."""
WITH_KIN = 8, 9
"""The look-alike is heard behind the bird."""
LONG = 10
"""Longer than a minute, for one of each pair."""
_QUALITIES = "AABABCBACBDABED"
_LICENCES = ("by-nc-sa/4.0", "by-sa/4.0", "by/4.0", "by-nc-sa/4.0", "by-nc-sa/3.0")
_FORMATS = (Format.MP3, Format.FLAC, Format.MP3, Format.WAV, Format.FLAC)
_RATES = {4: 32_000, 11: 44_100}


@dataclass(frozen=True, slots=True)
class Entry(Numbered):
    """A recording of the collection."""

    @property
    def take(self) -> Take:
        """What is heard in it."""
        long = self.place == LONG and self.bird.cub_id < bird_named(self.bird.kin).cub_id
        usual = 5 + (7 * self.place + 3 * self.bird.cub_id) % 13
        return Take(
            self.bird,
            self.place - (self.place == SAME_BIRD[1]),
            70 + self.bird.cub_id % 30 if long else usual,
            Scene.FAR if self.place == FAR else Scene.SONG,
            kin=self.place in WITH_KIN,
            format=Format.FLAC if long else _FORMATS[self.place % len(_FORMATS)],
            rate=_RATES.get(self.place, 22_050),
        )


@cache
def entries(bird: Bird) -> tuple[Entry, ...]:
    """The collection's recordings of a species, by place."""
    return tuple(Entry(bird, place) for place in (*_SONGS, FAR, RESTRICTED))


def xeno_canto() -> Miniature:
    """Listings with a key as a parameter; the sound of a recording without."""
    lock = Lock("/api/3/", parameter="key", refusal=_REFUSAL)
    return Miniature("xeno-canto", "User-agent: *\nDisallow: /api/\n", _respond, lock)


def _respond(request: Request) -> Answer:
    if request.path == _API:
        return _listing(request)
    asked = re.fullmatch(r"/(\d+)/download", request.path)
    known = (e for bird in birds() for e in entries(bird) if e.place != RESTRICTED)
    found = next((e for e in known if asked and str(e.number) == asked[1]), None)
    return found.take.answer() if found else not_found("xeno-canto")


def _listing(request: Request) -> Answer:
    """A page of the recordings that a tagged query matches, or the interface's own error."""
    query = request.first("query").strip()
    if not query:
        return _error("missing_parameter", "no query specified")
    tags = [(tag, exact, text or word) for tag, exact, text, word in _TAGS.findall(query)]
    if _TAGS.sub("", query) or any(tag not in {"sp", "en"} for tag, *_ in tags):
        return _error("invalid_query", "only the tags sp and en are known here")
    try:
        page = int(request.first("page", "1"))
        size = min(500, max(50, int(request.first("per_page", "100"))))
    except ValueError:
        return _error("invalid_parameter", "page and per_page are numbers")
    found = [b for b in birds() if all(_matches(b, *tag) for tag in tags)]
    listed = [entry for bird in found for entry in entries(bird)]
    answer = {
        "numRecordings": str(len(listed)),
        "numSpecies": str(len(found)),
        "page": page,
        "numPages": max(1, -(-len(listed) // size)),
        "recordings": [_record(e) for e in listed[size * (page - 1) : size * page]],
    }
    return json_answer(answer)


def _error(code: str, message: str) -> Answer:
    return json_answer({"error": {"code": code, "message": message}}, 400)


def _matches(bird: Bird, tag: str, exact: str, text: str) -> bool:
    name, wanted = (bird.scientific if tag == "sp" else bird.name).lower(), text.lower()
    return name == wanted if exact or tag == "sp" else wanted in name


def _record(entry: Entry) -> Mapping[str, object]:
    """A recording as the interface lists it."""
    bird, place, take = entry.bird, entry.place, entry.take
    genus, species = bird.scientific.split(" ")
    kind = "call" if take.scene is Scene.FAR else "song"
    first = place - (place == TAKEN_TOGETHER[1])
    length = round(take.duration_s)
    licence = "by-nc-nd/4.0" if place == WHOLE else _LICENCES[place % len(_LICENCES)]
    url = f"https://xeno-canto.org/{entry.number}"
    name = f"XC{entry.number}-{bird.name} {kind}.{take.format}"
    restricted = place == RESTRICTED
    return {
        "id": str(entry.number),
        "gen": genus,
        "sp": species,
        "ssp": "",
        "grp": "birds",
        "en": bird.name,
        "rec": f"Recordist {'ABCDEFG'[(first + bird.cub_id) % 7]}",
        "cnt": "Nowhere",
        "loc": f"Sample site {first}",
        "lat": None,
        "lon": None,
        "alt": "0",
        "type": f"synthetic {kind}",
        "sex": "",
        "stage": "",
        "method": "synthesis",
        "url": url,
        "file": None if restricted else f"{url}/download",
        "file-name": "" if restricted else name,
        "sono": {"small": None, "med": None, "large": None, "full": None},
        "osci": {"small": None, "med": None, "large": None},
        "lic": f"https://creativecommons.org/licenses/{licence}/",
        "q": _QUALITIES[place - 1],
        "length": f"{length // 60}:{length % 60:02}",
        "time": "05:30",
        "date": f"20{10 + first % 9}-05-{first + bird.cub_id % 14:02}",
        "uploaded": "2020-01-01",
        "also": [bird_named(bird.kin).scientific] if take.kin else [],
        "rmk": " ".join(_remarks(entry)),
        "animal-seen": "no",
        "playback-used": "no",
        "temp": None,
        "regnr": "",
        "auto": "no",
        "dvc": "",
        "mic": "",
        "smp": str(take.rate),
        "annotation-set": [],
    }


def _remarks(entry: Entry) -> Iterator[str]:
    yield f"A {SYNTHETIC_SOUND}."
    if entry.place == SAME_BIRD[1]:
        same = entries(entry.bird)[SAME_BIRD[0] - 1]
        yield f"Same bird as XC{same.number}, after it had moved to another perch."
