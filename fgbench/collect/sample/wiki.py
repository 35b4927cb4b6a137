"""A miniature MediaWiki: ``api.php`` with query, parse and siteinfo, in formatversion 2.

Enough of the Action API to read articles as of a date: titles, redirects, revisions, HTML,
rightsinfo, and the errors and warnings of the real one. No search, no extracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import quote

from fgbench.collect.sample.miniature import (
    Answer,
    Request,
    html_answer,
    json_answer,
    not_found,
    page,
)
from fgbench.collect.sample.prose import SYNTHETIC

NOTICE = (
    '<table class="box-Notice plainlinks metadata ambox ambox-notice" role="presentation"><tbody>'
    f'<tr><td class="mbox-text">This page is {SYNTHETIC}, made for fgbench.</td></tr></tbody>'
    "</table>"
)
"""Stands at the top of every article."""
_PROPS = frozenset({"revisions", "info", "pageprops"})


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of a page: HTML, or the title that it redirects to."""

    id: int
    timestamp: str
    html: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class WikiPage:
    """A page; ``revisions`` from the oldest on."""

    title: str
    id: int
    revisions: tuple[Revision, ...]
    categories: tuple[str, ...] = ()
    disambiguation: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What ``siprop=rightsinfo`` says."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Wiki:
    """A wiki: its name, the path of its API, its licence, its pages by title."""

    name: str
    script: str
    rights: Rights
    pages: Mapping[str, WikiPage]
    articles: Callable[[str], Answer] | None = None
    """How ``/wiki/<title>`` answers, where it is not with the article."""
    revisions: Mapping[int, WikiPage] = field(default_factory=dict)

    def respond(self, request: Request) -> Answer:
        """The answer of the API, or of an article's page."""
        if request.path == self.script:
            return self._api(request)
        title = request.path.removeprefix("/wiki/").replace("_", " ")
        if not request.path.startswith("/wiki/") or title not in self.pages:
            return not_found(self.name)
        if self.articles:
            return self.articles(title)
        found = self.pages[title]
        return html_answer(page(title, self.name, _parsed(found.revisions[-1])))

    def _api(self, request: Request) -> Answer:
        if request.first("format") != "json" or request.first("formatversion") != "2":
            return _error("badvalue", "This miniature speaks format=json&formatversion=2 only.")
        action = request.first("action")
        if action == "query":
            return json_answer(self._query(request))
        if action == "parse":
            return self._parse(request)
        return _error("badvalue", f'Unrecognized value for parameter "action": {action[:80]}.')

    def _query(self, request: Request) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        props = set(filter(None, request.first("prop").split("|")))
        if unknown := sorted(props - _PROPS):
            text = f'Unrecognized value for parameter "prop": {", ".join(unknown)}.'
            answer["warnings"] = {"query": {"warnings": text}}
        query: dict[str, Any] = {}
        titles = list(filter(None, request.first("titles").split("|")))
        normalised = [(t, _normal(t)) for t in titles if _normal(t) != t]
        if normalised:
            query["normalized"] = [
                {"fromencoded": False, "from": f, "to": t} for f, t in normalised
            ]
        ends = {_normal(title): _normal(title) for title in titles}
        if "redirects" in request.query:
            ends = {title: self._end(title) for title in ends}
            moved = [{"from": f, "to": t} for f, t in ends.items() if f != t]
            if moved:
                query["redirects"] = moved
        if titles:
            found = dict.fromkeys(ends.values())
            query["pages"] = [self._page(title, props, request, answer) for title in found]
        if "rightsinfo" in request.first("siprop").split("|"):
            query["rightsinfo"] = {"url": self.rights.url, "text": self.rights.text}
        if "continue" not in answer:
            answer["batchcomplete"] = True
        return {**answer, "query": query}

    def _end(self, title: str) -> str:
        """Where a title leads to today: one redirect is followed, as MediaWiki does."""
        found = self.pages.get(title)
        return (found.revisions[-1].target or title) if found else title

    def _page(
        self, title: str, props: set[str], request: Request, whole: dict[str, Any]
    ) -> dict[str, Any]:
        """One of the pages of a query. ``whole`` is told where to go on, if there is more of it."""
        found = self.pages.get(title)
        if found is None:
            return {"ns": 0, "title": title, "missing": True}
        answer: dict[str, Any] = {"pageid": found.id, "ns": 0, "title": title}
        if "info" in props:
            newest = found.revisions[-1]
            answer |= {"lastrevid": newest.id, "touched": newest.timestamp}
        if "pageprops" in props and found.disambiguation:
            answer["pageprops"] = {"disambiguation": ""}
        if "revisions" in props:
            listed, more = _listed(found, request)
            if listed:
                answer["revisions"] = listed
            if more:
                whole["continue"] = {"rvcontinue": more, "continue": "||"}
        return answer

    def _parse(self, request: Request) -> Answer:
        """One revision as HTML, by its id or as the newest of a title."""
        number, title = request.first("oldid")[:20], _normal(request.first("page"))
        if number:
            found = self.revisions.get(int(number)) if number.isdecimal() else None
            if found is None:
                return _error("nosuchrevid", f"There is no revision with ID {number}.")
            revision = next(r for r in found.revisions if r.id == int(number))
        else:
            ends_at = self._end(title) if "redirects" in request.query else title
            found = self.pages.get(ends_at)
            if found is None:
                return _error("missingtitle", "The page you specified doesn't exist.")
            revision = found.revisions[-1]
        parts = {
            "text": _parsed(revision),
            "revid": revision.id,
            "displaytitle": escape(found.title, quote=False),
            "categories": [
                {"sortkey": "", "category": name.replace(" ", "_")} for name in found.categories
            ],
            "properties": {"disambiguation": ""} if found.disambiguation else {},
        }
        wanted = request.first("prop", "text|revid|displaytitle|categories|properties").split("|")
        kept = {name: part for name, part in parts.items() if name in wanted}
        return json_answer({"parse": {"title": found.title, "pageid": found.id, **kept}})


def wiki(
    name: str,
    script: str,
    rights: Rights,
    pages: Iterable[WikiPage],
    articles: Callable[[str], Answer] | None = None,
) -> Wiki:
    """A wiki of these pages."""
    by_title = {p.title: p for p in pages}
    by_revision = {r.id: p for p in by_title.values() for r in p.revisions}
    return Wiki(name, script, rights, by_title, articles, by_revision)


def disambiguation(title: str, number: int, meanings: Iterable[str]) -> WikiPage:
    """A page that lists what its title may mean."""
    items = "".join(
        f'<li><a href="/wiki/{slug(m)}" title="{escape(m)}">{escape(m)}</a></li>' for m in meanings
    )
    html = f"{NOTICE}<p><b>{escape(title)}</b> may refer to:</p><ul>{items}</ul>"
    revision = Revision(number, moment(2015), html)
    categories = ("All disambiguation pages", "Disambiguation pages")
    return WikiPage(title, number, (revision,), categories, disambiguation=True)


def moment(year: int) -> str:
    """The moment of a year at which revisions are made here."""
    return f"{year}-10-05T08:30:00Z"


def slug(title: str) -> str:
    """A title as addresses have it."""
    return quote(title.replace(" ", "_"), safe="/:(),'")


def _normal(title: str) -> str:
    """A title as MediaWiki writes it: spaces, and a capital at the start."""
    title = " ".join(title.replace("_", " ").split())
    return title[:1].upper() + title[1:]


def _listed(found: WikiPage, request: Request) -> tuple[list[dict[str, Any]], str]:
    """Revisions as ``rvdir``, ``rvstart``, ``rvend`` and ``rvlimit`` want them; where to go on."""
    older = request.first("rvdir", "older") == "older"
    start, end = request.first("rvstart"), request.first("rvend")
    first, last = (end, start) if older else (start, end)
    limit = request.first("rvlimit", "1")
    within = [
        (r, parent)
        for r, parent in zip(found.revisions, (None, *found.revisions), strict=False)
        if (not first or r.timestamp >= first) and (not last or r.timestamp <= last)
    ]
    ordered = within[::-1] if older else within
    count = int(limit[:4]) if limit.isdecimal() else 50
    listed = [
        {"revid": r.id, "parentid": parent.id if parent else 0, "timestamp": r.timestamp}
        for r, parent in ordered[:count]
    ]
    rest = ordered[count : count + 1]
    return listed, "".join(f"{re.sub('[^0-9]', '', r.timestamp)}|{r.id}" for r, _ in rest)


def _parsed(revision: Revision) -> str:
    """What ``action=parse`` makes of a revision."""
    html = revision.html
    if revision.target:
        title = escape(revision.target)
        link = f'<a href="/wiki/{slug(revision.target)}" title="{title}">{title}</a>'
        html = (
            '<div class="redirectMsg"><p>Redirect to:</p>'
            f'<ul class="redirectText"><li>{link}</li></ul></div>'
        )
    return f'<div class="mw-content-ltr mw-parser-output" lang="en" dir="ltr">{html}</div>'


def _error(code: str, info: str) -> Answer:
    """An error as the API gives it: status 200, and a header."""
    see = "See api.php for API usage."
    error = {"error": {"code": code, "info": info, "docref": see}}
    return json_answer(error, headers={"MediaWiki-API-Error": code})
