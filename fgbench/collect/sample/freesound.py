"""The miniature Freesound: its search with a token, and previews without.

A species has five sounds: a louder copy of a recording of xeno-canto, a song, a song that is kept
from generative models, rain, and somebody who reads out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from fgbench.collect.sample import xeno_canto
from fgbench.collect.sample.encoder import SYNTHETIC_SOUND, Format
from fgbench.collect.sample.miniature import (
    Answer,
    Lock,
    Miniature,
    Request,
    json_answer,
    not_found,
)
from fgbench.collect.sample.prose import birds
from fgbench.collect.sample.scene import Scene
from fgbench.collect.sample.take import Numbered, Take

COPIED = 2
"""The place at xeno-canto of what is here as a copy."""
COPY, SONG, KEPT_BACK, RAIN, VOICE = range(1, 6)
"""The places of a species' sounds in its list."""
_SAID = {
    COPY: "song, normalised",
    SONG: "song at dawn",
    KEPT_BACK: "song at noon",
    RAIN: "hide in the rain",
    VOICE: "notes, read out",
}
_LICENCES = {COPY: "by/4.0", SONG: "by-nc/4.0", KEPT_BACK: "by/3.0", RAIN: "", VOICE: ""}
_SEARCH = "https://freesound.org/apiv2/search/"
_DEED = "http://creativecommons.org/"
_PREVIEW = re.compile(r"/previews/\d+/(\d+)_1-hq\.(ogg|mp3)")


@dataclass(frozen=True, slots=True)
class Upload(Numbered):
    """A sound of the collection."""

    @property
    def take(self) -> Take:
        """What is heard in it, as the better of its previews."""
        if self.place == COPY:
            original = xeno_canto.entries(self.bird)[COPIED - 1].take
            return replace(original, format=Format.OGG, gain=1.9, skip_s=0.7)
        scene = {RAIN: Scene.RAIN, VOICE: Scene.VOICE}.get(self.place, Scene.SONG)
        length = 7 + (5 * self.place + self.bird.cub_id) % 9
        return Take(self.bird, 100 + self.place, length, scene, format=Format.OGG)


@cache
def uploads() -> tuple[Upload, ...]:
    """All of them."""
    return tuple(Upload(bird, place) for bird in birds() for place in _SAID)


def freesound() -> Miniature:
    """The interface wants the token, in a header or as a parameter; the previews want nothing."""
    lock = Lock(
        "/apiv2/",
        header="Authorization",
        scheme="Token",
        parameter="token",
        refusal={"detail": "Invalid token"},
    )
    robots = "User-agent: *\nDisallow: /browse/\nDisallow: /search/\nDisallow: /apiv2/\n"
    return Miniature("freesound", robots, _respond, lock)


def _respond(request: Request) -> Answer:
    if request.path == "/apiv2/search/":
        return _search(request)
    asked = _PREVIEW.fullmatch(request.path)
    found = next((s for s in uploads() if asked and str(s.number) == asked[1]), None)
    if asked is None or found is None:
        return not_found("Freesound")
    return replace(found.take, format=Format(asked[2])).answer()


def _search(request: Request) -> Answer:
    """A page of the sounds that have a phrase in what is said of them, with the fields asked for.

    ``filter`` and ``sort`` change nothing here: all sounds are of the lengths that are asked for.
    """
    try:
        page = int(request.first("page", "1"))
        size = min(150, int(request.first("page_size", "15")))
    except ValueError:
        return json_answer({"detail": "page and page_size are numbers"}, 400)
    phrase = request.first("query").strip('"').lower()
    names = request.first("fields", "id,name,tags,username,license").split(",")
    found = [record for record in map(_record, uploads()) if phrase in _text(record)]
    shown = found[size * (page - 1) : size * page]
    return json_answer(
        {
            "count": len(found),
            "previous": f"{_SEARCH}?page={page - 1}" if page > 1 else None,
            "next": f"{_SEARCH}?page={page + 1}" if size * page < len(found) else None,
            "results": [{n: record[n] for n in names if n in record} for record in shown],
        }
    )


def _text(record: Mapping[str, object]) -> str:
    return f"{record['name']} | {record['tags']} | {record['description']}".lower()


def _record(upload: Upload) -> Mapping[str, object]:
    bird, place, number = upload.bird, upload.place, upload.number
    licence = _LICENCES[place]
    deed = f"licenses/{licence}/" if licence else "publicdomain/zero/1.0/"
    user = f"sample-user-{'abc'[(place + bird.cub_id) % 3]}"
    preview = f"https://cdn.freesound.org/previews/{number // 1000}/{number}_1-hq"
    return {
        "id": number,
        "url": f"https://freesound.org/people/{user}/sounds/{number}/",
        "name": f"{bird.name}, {_SAID[place]} (synthetic).wav",
        "tags": ["bird", "synthetic", bird.group],
        "description": f"A {SYNTHETIC_SOUND}, made for fgbench: {bird.scientific}.",
        "username": user,
        "license": f"{_DEED}{deed}",
        "gen_ai_preference": "no-gen-ai" if place == KEPT_BACK else "no-additional-preferences",
        "type": "wav",
        "channels": 1,
        "samplerate": upload.take.rate,
        "duration": upload.take.duration_s,
        "created": "2020-01-01T00:00:00",
        "geotag": None,
        "previews": {f"preview-hq-{f}": f"{preview}.{f}" for f in (Format.MP3, Format.OGG)},
        "category": "Sound effects",
        "subcategory": "Animals",
    }
