"""Whether an adapter still fits its site: one well-known species is looked up and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fgbench.collect.clean.subject import about_right_species
from fgbench.collect.harvest import outcome, response_to
from fgbench.collect.queries import queries_for
from fgbench.collect.sites.base import Absent, Access, Hit, RawAudio, RawText
from fgbench.collect.sites.outline import Layout
from fgbench.collect.sites.page import RULE, parse

if TYPE_CHECKING:
    from fgbench.collect.crawl.session import CrawlSession
    from fgbench.collect.sites.base import Absent, Response, Site
    from fgbench.settings import Settings
    from fgbench.species import Species


class Health(StrEnum):
    """What an examination came to."""

    WELL = "well"
    AILING = "ailing"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``detail`` is what was found, or why it failed."""

    what: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of a site. ``reason`` is why it was not asked."""

    site: str
    checks: tuple[Check, ...] = ()
    reason: str = ""

    @property
    def health(self) -> Health:
        """Well where every check passed."""
        if self.reason:
            return Health.NOT_ASKED
        return Health.WELL if all(check.passed for check in self.checks) else Health.AILING

    def to_json(self) -> dict[str, Any]:
        """As ``fgbench sites doctor --json`` prints it."""
        checks = [{"what": c.what, "passed": c.passed, "detail": c.detail} for c in self.checks]
        return {
            "site": self.site,
            "health": self.health.value,
            "reason": self.reason,
            "checks": checks,
        }


def why_not_asked(site: Site, settings: Settings) -> str:
    """Why a site cannot be examined, or ``""``."""
    if site.access in {Access.OFF, Access.IMPORT}:
        return f"access is {site.access}: {site.note}"
    if site.auth is not None and site.auth.key not in settings.keys:
        return f"needs a key of your own: set {site.auth.key}"
    return ""


def examine(site: Site, species: Species, session: CrawlSession) -> Examination:
    """Looks a species up and reads the first page that is found; asks for nothing more."""
    return Examination(site.name, tuple(_checks(site, species, session)))


def _checks(site: Site, species: Species, session: CrawlSession) -> Iterator[Check]:
    try:
        hit = next(iter(site.find(species, queries_for(species), session)), None)
        if not isinstance(hit, Hit):
            yield Check("page", False, hit.reason if hit else "neither a page nor why not")
            return
        response = response_to(hit, site, session)
        yield Check("page", True, hit.url)
        raw = next(iter(site.read(hit, response)), None)
        if isinstance(raw, RawAudio):
            yield Check("recording", bool(raw.source_url), f"{raw.title} ({raw.licence.name})")
            return
        if not isinstance(raw, RawText):
            yield Check("text", False, raw.reason if raw else "neither a text nor why not")
            return
        yield from _of_text(raw, species)
        layout = getattr(site, "layout", None)
        if isinstance(layout, Layout) and layout.sections:
            yield _of_layout(layout, response)
    except Exception as error:  # also what the adapter trips over; our own errors are raised again
        found = outcome(site, species.label, error)
        if isinstance(found, Absent):
            yield Check("answer", False, found.reason)
            return
        where = f" ({found.source_url})" if found.source_url else ""
        yield Check("answer", False, f"{found.reason}: {found.detail}{where}")


def _of_text(raw: RawText, species: Species) -> Iterator[Check]:
    found = len(raw.paragraphs)
    detail = f"{found} paragraph{'s' if found != 1 else ''}"
    yield Check("text", found > 0, detail if found else "the page was read and has no paragraph")
    stood_in = f"the rule finds no text; {raw.extractor} stood in"
    yield Check("rule", raw.extractor == RULE, "" if raw.extractor == RULE else stood_in)
    right, why = about_right_species(raw, species)
    yield Check("species", right, why or species.name)


def _of_layout(layout: Layout, response: Response) -> Check:
    """Which headings of the rule the page has; one page has seldom all."""
    matched = sorted(parse(response).headings(layout))
    detail = f"{len(matched)} of {len(layout.sections)}: {', '.join(matched) or 'none'}"
    return Check("headings", bool(matched), detail)
