"""The miniature eBird: a page a species, and the taxonomy of its API."""

from __future__ import annotations

from html import escape

from fgbench.collect.sample.miniature import (
    Answer,
    Lock,
    Miniature,
    Request,
    html_answer,
    json_answer,
    not_found,
    page,
)
from fgbench.collect.sample.prose import Bird, birds, write


def ebird() -> Miniature:
    """Pages for all eight codes. Of the API, only the taxonomy is to be had without a key."""
    robots = "User-agent: *\nDisallow: /checklist\nDisallow: /ws2.0/\n"
    return Miniature("ebird", robots, _respond, Lock("/v2/product/", "X-eBirdApiToken"))


def _respond(request: Request) -> Answer:
    if request.path == "/v2/ref/taxonomy/ebird":
        return _taxonomy(request)
    if request.path.startswith("/v2/product/spplist/"):
        return json_answer([b.code for b in birds()])
    folder, _, code = request.path.rstrip("/").rpartition("/")
    found = next((b for b in birds() if b.code == code), None)
    if folder != "/species" or found is None:
        return not_found("eBird")
    return _page(found)


def _taxonomy(request: Request) -> Answer:
    """The species of ``species=CODE,…``, or all."""
    if request.first("fmt") != "json":
        return json_answer({"errors": [{"status": "400", "title": "fmt=json only"}]}, 400)
    asked = set(filter(None, request.first("species").split(",")))
    return json_answer(
        [
            {
                "sciName": b.scientific,
                "comName": b.name,
                "speciesCode": b.code,
                "category": "species",
                "taxonOrder": 1000.0 + b.cub_id,
                "familyComName": f"{b.group.capitalize()} samples",
            }
            for b in birds()
            if not asked or b.code in asked
        ]
    )


def _page(bird: Bird) -> Answer:
    text = write("ebird", bird)[0].paragraphs[0]
    head = f'<meta name="description" content="{escape(text)}">\n'
    body = (
        f'<h1 id="content"><span class="Heading-main">{escape(bird.name)}</span> '
        f'<span class="Heading-sub Heading-sub--sci">{bird.scientific}</span></h1>'
        f'<div class="Classification"><ol><li>Order</li><li>{bird.group.capitalize()} samples'
        "</li></ol></div><h2>Identification</h2>"
        f"<p>{escape(text, quote=False)}</p><h2>Explore</h2>"
        '<p><a href="/map">Range map</a> <a href="/explore">Observations</a></p>'
    )
    return html_answer(page(bird.name, "eBird", body, head))
