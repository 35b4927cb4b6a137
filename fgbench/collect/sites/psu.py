"""sites.psu.edu: blogs of students and staff of Penn State, some of which describe birds."""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.collect.sites import wayback
from fgbench.collect.sites.archived import NamedPages
from fgbench.collect.sites.base import Session
from fgbench.collect.sites.wayback import BEFORE_THE_PAPER, Capture, Scope

_YEARS = 5
"""Years before and after the wanted date: the index gives up (504) where it has to search more."""


class PennState(NamedPages):
    """A WordPress network without an index of species; a course of 2015 wrote on birds of Cuba.

    Few pages are to be expected, much of their text copied.
    """

    name = "psu"
    home = "https://sites.psu.edu/"
    terms_url = "https://www.psu.edu/copyright-information"
    publisher = "sites.psu.edu"

    def look(self, names: str, session: Session) -> Sequence[Capture]:
        """The pages with one of the names in their address; the Archive does the matching."""
        year = int((session.as_of or BEFORE_THE_PAPER)[:4])
        return wayback.captures(
            session,
            "sites.psu.edu",
            Scope.DOMAIN,
            key=f".*(?:{names}).*",
            years=(year - _YEARS, year + _YEARS),
        )
