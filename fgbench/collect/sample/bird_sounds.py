"""The miniature bird-sounds.net: a page a species with two clips, of which nobody says whose."""

from __future__ import annotations

from html import escape

from fgbench.collect.sample.miniature import (
    Answer,
    Miniature,
    Request,
    html_answer,
    not_found,
    page,
)
from fgbench.collect.sample.prose import SYNTHETIC, birds


def bird_sounds() -> Miniature:
    """Pages for all eight birds. The clips themselves are not here: nothing asks for them."""
    return Miniature("bird-sounds", "User-agent: *\nDisallow: /cgi-bin/\n", _respond)


def _respond(request: Request) -> Answer:
    slug = request.path.strip("/")
    found = next((b for b in birds() if _slug(b.name) == slug), None)
    if found is None:
        return not_found("Bird Sounds")
    clips = "".join(
        f'<audio controls><source src="/birdmedia/{found.cub_id}/{n}.mp3" type="audio/mpeg">'
        "</audio>"
        for n in (1, 2)
    )
    body = f"<h1>{escape(found.name)}</h1><p>{SYNTHETIC}</p>{clips}"
    return html_answer(page(found.name, "Bird Sounds", body))


def _slug(name: str) -> str:
    return name.replace("'", "").lower().replace(" ", "-")
