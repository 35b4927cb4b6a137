"""A wiki read through MediaWiki's Action API: the revision of a date, its HTML, its licence.

``action=query`` gives the revision's id, ``action=parse`` its HTML: ``prop=extracts`` knows only
today's text, and Fandom does not have it. Parsing by revision id makes a page's address stand for
the same text for ever (but for templates, which are expanded as they are now).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

from fgbench.collect.sites.base import (
    Absent,
    Failure,
    FetchFailed,
    Hit,
    RawText,
    Response,
    Session,
    Site,
)
from fgbench.collect.sites.licences import licence_of
from fgbench.collect.sites.outcomes import settle
from fgbench.collect.sites.page import Layout, Page
from fgbench.protocol import Medium

if TYPE_CHECKING:
    from fgbench.collect.queries import Query
    from fgbench.species import Species

_HOPS = 1
"""Redirects of an old revision that are followed: as many as MediaWiki itself follows."""

_REDIRECT = re.compile(r'class="redirectText".{0,500}?\stitle="([^"]{1,300})"', re.DOTALL)
_DISAMBIGUATION = re.compile(
    r"disambiguations?|.*disambiguation pages.*|set index articles.*", re.IGNORECASE | re.DOTALL
)
"""Categories of pages that list what a title may mean. Not all wikis mark these otherwise."""
_NO_PAGE = frozenset(
    {
        *("missingtitle", "invalidtitle", "pagecannotexist", "nosuchrevid", "nosuchpageid"),
        *("missingcontent-revid", "missingcontent-pageid"),
    }
)
"""Codes of errors that say that there is no such page or revision."""
_LAYOUT = Layout(
    lead=True,
    skip=frozenset(
        {
            *("hatnote", "dablink", "rellink", "shortdescription", "noexcerpt", "mw-indicators"),
            *("mw-editsection", "toc", "mw-empty-elt", "printfooter", "catlinks", "noprint"),
            *("thumb", "thumbcaption", "gallery", "gallerytext", "gallerybox", "mw-kartographer"),
            *("reflist", "references", "mw-references-wrap", "refbegin", "mw-ext-cite-error"),
            *("navbox", "navbar", "vertical-navbox", "portalbox", "sistersitebox", "side-box"),
            *("infobox", "portable-infobox", "ambox", "mbox-small", "metadata", "listen", "clade"),
        }
    ),
)
"""Captions, hatnotes, references and navigation, by the classes that MediaWiki, its Cite extension,
Fandom and the English Wikipedia's templates give them; tables are skipped by themselves."""


@dataclass(frozen=True, slots=True)
class _Revision:
    """An answer of ``action=parse``. ``absent`` says why it is no article, ``target`` leads on."""

    title: str
    id: str
    text: str
    absent: str = ""
    target: str = ""


class MediaWiki(Site):
    """A wiki. Its subclasses say where it is."""

    media = (Medium.TEXT,)
    pace = 2.0
    requests_per_query = 2 * (1 + _HOPS)
    needs = ()
    auth = None
    api: ClassVar[str]
    articles: ClassVar[str]
    """What stands before a title in the address of its page."""
    authors: ClassVar[str]

    def find(
        self, species: Species, queries: Iterable[Query], session: Session
    ) -> Iterator[Hit | Absent]:
        """The article of the species' best name, in the revision of the session's date."""
        return settle((self._look(query, session) for query in queries), species)

    def _look(self, query: Query, session: Session) -> Sequence[Hit] | Absent:
        """The hit for one name. What it asks for last is the hit itself, so nothing is for naught.

        A page that is an article today may have been a redirect at the session's date.
        """
        title = query.text
        for _ in range(1 + _HOPS):
            found = self._newest(query, title, session)
            if isinstance(found, str):
                return Absent(self.name, query.label, query.text, found)
            revision = _revision(session.get(found.url))
            if revision.absent:
                return Absent(self.name, query.label, query.text, revision.absent)
            if not revision.target:
                return [found]
            title = revision.target
        return Absent(self.name, query.label, query.text, f"redirects on to {title}")

    def _newest(self, query: Query, title: str, session: Session) -> Hit | str:
        """The newest revision of a title, until the session's date; or why there is none."""
        asked = {
            "action": "query",
            "titles": title,
            "redirects": "1",
            "prop": "revisions",
            "rvprop": "ids|timestamp",
            "rvlimit": "1",
            "rvdir": "older",
            "meta": "siteinfo",
            "siprop": "rightsinfo",
        }
        if session.as_of:
            asked["rvstart"] = f"{session.as_of}T00:00:00Z"
        response = session.get(session.canonical(self._question(asked)))
        answer = _answer(response)
        page = _first(_at(answer, "query", "pages"))
        if page is None:
            raise _nonsense(response, "no page in it")
        if any(page.get(word) for word in ("missing", "invalid", "special")):
            return "no page of that name"
        if page.get("ns") != 0:
            return f"not an article: {page.get('title')}"
        revision = _first(page.get("revisions"))
        if revision is None:
            return f"no revision before {session.as_of or 'now'}: {page.get('title')}"
        if not isinstance(revision.get("revid"), int):
            raise _nonsense(response, "a revision without an id")
        asked = {
            "action": "parse",
            "oldid": str(revision["revid"]),
            "prop": "text|revid|categories|properties",
            "disableeditsection": "1",
            "disabletoc": "1",
            "disablelimitreport": "1",
        }
        return Hit(
            site=self.name,
            label=query.label,
            query=query.text,
            url=session.canonical(self._question(asked)),
            source_id=str(revision["revid"]),
            title=str(page.get("title")),
            facts={
                "revised": str(revision.get("timestamp")),
                "licence": str(_at(answer, "query", "rightsinfo", "text") or ""),
                "licence_url": str(_at(answer, "query", "rightsinfo", "url") or ""),
            },
        )

    def _question(self, asked: Mapping[str, str]) -> str:
        given = {"format": "json", "formatversion": "2", **asked}
        return f"{self.api}?{urlencode(given, quote_via=quote, safe='|:')}"

    def read(self, hit: Hit, response: Response) -> Iterator[RawText | Absent]:
        """The article's paragraphs under their headings.

        Raises ``FetchFailed`` where the answer is none of the API's.
        """
        revision = _revision(response)
        absent = revision.absent or (revision.target and f"redirects to {revision.target}")
        if absent:
            yield Absent(self.name, hit.label, hit.query, absent)
            return
        page = Page(revision.text)
        paragraphs = page.paragraphs(_LAYOUT)
        if not paragraphs:
            yield Absent(self.name, hit.label, hit.query, f"no text in {revision.title}")
            return
        licence = licence_of(hit.facts["licence_url"], hit.facts["licence"])
        permanent = f"{self.api.removesuffix('api.php')}index.php?oldid={revision.id}"
        yield RawText(
            hit=hit,
            title=revision.title,
            paragraphs=paragraphs,
            source_url=self.articles + quote(revision.title.replace(" ", "_"), safe="/:(),!*@;'"),
            source_id=revision.id,
            licence=licence,
            author=self.authors,
            attribution=f"“{revision.title}”, {self.authors}, {permanent}, {licence.name}",
            about=tuple(name for name in (page.binomial,) if name),
        )


def _revision(response: Response) -> _Revision:
    """The revision in an answer of ``action=parse``. Raises ``FetchFailed`` as ``_answer`` does."""
    answer = _answer(response)
    if "error" in answer:
        return _Revision("", "", "", absent="the revision is gone")
    title, number, text = (_at(answer, "parse", name) for name in ("title", "revid", "text"))
    if not isinstance(title, str) or not isinstance(number, int) or not isinstance(text, str):
        raise _nonsense(response, "no parsed revision in it")
    redirect = _REDIRECT.search(text, 0, 2000)
    if redirect:
        return _Revision(title, str(number), text, target=html.unescape(redirect[1]))
    marks = _at(answer, "parse", "properties")
    listed = _at(answer, "parse", "categories")
    names = [_at(category, "category") for category in listed] if isinstance(listed, list) else []
    categories = (str(name).replace("_", " ") for name in names)
    marked = isinstance(marks, dict) and "disambiguation" in marks
    if marked or any(map(_DISAMBIGUATION.fullmatch, categories)):
        return _Revision(title, str(number), text, absent=f"a disambiguation page: {title}")
    return _Revision(title, str(number), text)


def _answer(response: Response) -> Mapping[str, Any]:
    """The API's answer, or its error under the key ``error`` where that means "no such page".

    Raises ``FetchFailed``: another error, or no answer of the API's.
    """
    try:
        answer = json.loads(response.text())
    except (ValueError, RecursionError):
        raise _nonsense(response, "not JSON") from None
    if not isinstance(answer, dict):
        raise _nonsense(response, "not an object")
    code = _at(answer, "error", "code")
    if code is not None and code not in _NO_PAGE:
        info = str(_at(answer, "error", "info"))[:200]
        raise FetchFailed(Failure.HTTP_5XX, response.url, f"the API's error {code}: {info}")
    return answer


def _nonsense(response: Response, found: str) -> FetchFailed:
    return FetchFailed(Failure.TRUNCATED, response.url, f"no answer of MediaWiki's API: {found}")


def _at(tree: Any, *path: str) -> Any:
    """What stands at a path in the answer; None where it has another shape."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _first(found: Any) -> Mapping[str, Any] | None:
    """The first object of a list."""
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else None
