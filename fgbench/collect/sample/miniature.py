"""What a miniature site is: a robots.txt, and a function from a request to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

from fgbench.collect.sample.prose import SYNTHETIC, Section

KEY = "sample-key"
"""The key that every miniature site which wants one takes."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``target`` is its path and query as sent; header names are lower-case."""

    target: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> Mapping[str, Sequence[str]]:
        """The parameters, each with all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. A body in pieces is sent as they come; ``length`` is what is said of it before."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    """For a body in pieces; None: nothing is said, and the connection closes at its end."""


def _refusal() -> Mapping[str, object]:
    return {"errors": [{"status": "401", "title": "a key is wanted"}]}


@dataclass(frozen=True, slots=True)
class Lock:
    """Paths, by prefix, that want the key: in a header, behind its scheme, or as a parameter."""

    prefix: str
    header: str = ""
    scheme: str = ""
    parameter: str = ""
    refusal: Mapping[str, object] = field(default_factory=_refusal)
    """What is answered without it, as JSON with status 401."""

    def opens(self, request: Request) -> bool:
        """Whether the request may pass: its path is another, or the key is right."""
        if not request.path.startswith(self.prefix):
            return True
        sent = request.headers.get(self.header.lower())
        if sent == f"{self.scheme} {KEY}".lstrip():
            return True
        return bool(self.parameter) and request.first(self.parameter) == KEY

    def keyless(self, target: str) -> str:
        """A target without the parameter that takes the key, whatever stands in it."""
        path, _, query = target.partition("?")
        pieces = query.split("&") if query else []
        kept = [p for p in pieces if unquote_plus(p.partition("=")[0]) != self.parameter]
        return f"{path}?{'&'.join(kept)}" if kept else path


@dataclass(frozen=True, slots=True)
class Miniature:
    """A site of the sample world, under the name that its stand-in has in the settings."""

    name: str
    robots: str
    respond: Callable[[Request], Answer]
    lock: Lock | None = None

    def answer(self, request: Request) -> Answer:
        """The answer to a request, 401 where it wants a key and did not get it."""
        if request.path == "/robots.txt":
            text = f"# {SYNTHETIC}\n{self.robots}"
            return Answer(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        if self.lock and not self.lock.opens(request):
            return json_answer(self.lock.refusal, 401)
        return self.respond(request)

    def keyless(self, target: str) -> str:
        """A target as it may be kept: without a key, right or wrong."""
        return self.lock.keyless(target) if self.lock and self.lock.parameter else target


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """JSON as the APIs send it: UTF-8, nothing escaped that need not be."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, body, {**kind, **(headers or {})})


def html_answer(html: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A page as sites send it."""
    kind = {"Content-Type": "text/html; charset=utf-8"}
    return Answer(status, html.encode(), {**kind, **(headers or {})})


def redirect(location: str, status: int = 302) -> Answer:
    """A redirect."""
    return Answer(status, b"", {"Location": location})


def not_found(site: str) -> Answer:
    """A site's page for what it does not have."""
    return html_answer(page("Page not found", site, "<h1>Page not found</h1>"), 404)


def page(title: str, site: str, body: str, head: str = "") -> str:
    """A whole page: what every site has around its text, and that it is synthetic."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="generator" content="fgbench sample world: {SYNTHETIC}">\n{head}'
        f"<title>{escape(title)} | {escape(site)} (synthetic)</title>\n"
        "<script>window.analytics = function () { return 'not prose'; };</script>\n"
        "<style>.menu { color: green; }</style>\n</head>\n<body>\n"
        '<nav class="menu"><ul><li><a href="/">Home</a></li><li><a href="/guide/">Bird guide</a>'
        '</li><li><a href="/join">Join us</a></li></ul></nav>\n'
        f"{body}\n"
        "<footer><p>This site uses cookies. By going on you accept our privacy policy.</p>\n"
        f"<p>© {escape(site)} — {SYNTHETIC}, made for fgbench. All rights reserved.</p></footer>\n"
        "</body>\n</html>\n"
    )


def headed(sections: Iterable[Section], level: str) -> str:
    """Sections one after another: a heading of that element, then its paragraphs."""
    return "\n".join(
        (f"<{level}>{escape(s.heading)}</{level}>\n" if s.heading else "")
        + "\n".join(f"<p>{escape(text, quote=False)}</p>" for text in s.paragraphs)
        for s in sections
    )
