"""The miniature Avibase: a search by name, and a page a species that plays what others have."""

from __future__ import annotations

import re
from html import escape

from fgbench.collect.sample import macaulay, xeno_canto
from fgbench.collect.sample.miniature import (
    Answer,
    Miniature,
    Request,
    html_answer,
    not_found,
    page,
)
from fgbench.collect.sample.prose import SYNTHETIC, Bird, birds

PLAYED = 2
"""The place at xeno-canto of what the first player has; what the third has is kept back there."""


def avibase() -> Miniature:
    """Three players a species: of xeno-canto, of the Macaulay Library, and a frame of its own."""
    return Miniature("avibase", "User-agent: *\nDisallow: /ajax/\n", _respond)


def identifier(bird: Bird) -> str:
    """Avibase's id of a species: its real first half, and a second that is made up."""
    return f"{bird.phrases['avibase']}{bird.cub_id:08X}"


def _respond(request: Request) -> Answer:
    if request.path == "/search.jsp":
        return _search(request.first("qstr"))
    found = next((b for b in birds() if identifier(b) == request.first("avibaseid").upper()), None)
    if found and request.path == "/species.jsp":
        return _species(found, request.first("sec") == "audio")
    if found and request.path == "/player.jsp":
        return _player(found)
    return not_found("Avibase")


def _search(name: str) -> Answer:
    """The species whose scientific or common name holds the words that were asked for."""
    words = " ".join(re.findall(r"\w+", name.lower()))
    found = [b for b in birds() if words and words in f"{b.scientific} | {b.name}".lower()]
    rows = "".join(
        f"<tr><td>{n}</td><td><i>{b.scientific}</i></td><td>"
        f"<a href=\"javascript:openspecies('{identifier(b)}')\">{escape(b.name)}</a></td></tr>"
        for n, b in enumerate(found, start=1)
    )
    head = "<tr><th>Code</th><th>Scientific</th><th>Name</th></tr>"
    table = f'<table class="table table-striped">{head}{rows}</table>'
    return html_answer(page("Search", "Avibase", f"<h1>Search</h1>{table}"))


def _species(bird: Bird, audio: bool) -> Answer:
    """The page of a species; what is heard is in one of its parts."""
    known = xeno_canto.entries(bird)[PLAYED - 1].number
    given = macaulay.assets(bird)[macaulay.WITH_SOUND - 1].number
    frames = (
        f"//www.xeno-canto.org/{known}/embed?simple=1",
        f"https://macaulaylibrary.org/asset/{given}/embed/320",
        f"/player.jsp?avibaseid={identifier(bird)}",
    )
    players = (f'<div class="soundframe"><iframe src="{src}"></iframe></div>' for src in frames)
    body = (
        f"<h1>{escape(bird.name)}</h1>"
        f'<div id="taxoninfo"><p><i>{bird.scientific}</i></p><p>{SYNTHETIC}</p></div>'
        f"{''.join(players) if audio else ''}"
    )
    return html_answer(page(bird.name, "Avibase", body))


def _player(bird: Bird) -> Answer:
    hidden = xeno_canto.entries(bird)[xeno_canto.RESTRICTED - 1].number
    source = f"https://xeno-canto.org/sounds/uploaded/SAMPLE/XC{hidden}-synthetic.mp3"
    body = f'<h1>{escape(bird.name)}</h1><audio controls><source src="{source}"></audio>'
    return html_answer(page(bird.name, "Avibase", body))
