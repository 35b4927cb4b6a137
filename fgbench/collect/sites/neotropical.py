"""Neotropical Birds (neotropical.birds.cornell.edu), merged into Birds of the World in 2020."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from fgbench.collect.sites import wayback
from fgbench.collect.sites.archived import CodedPages
from fgbench.collect.sites.base import Session
from fgbench.collect.sites.wayback import Capture, Scope

_ACCOUNT = "neotropical.birds.cornell.edu/Species-Account/nb/species/{}/"
_NO_TEXT = frozenset({"references", "multimedia", "media", "credits", "acknowledgments"})
"""Sections without prose."""


class NeotropicalBirds(CodedPages):
    """An account is a page a section, ``…/species/<eBird code>/overview``, ``…/breeding``, ….

    Known from links of 2018-2019. While the site lived its accounts were free of charge.
    """

    name = "neotropical"
    home = "https://neotropical.birds.cornell.edu/"
    terms_url = "https://www.birds.cornell.edu/home/terms-of-use/"
    publisher = "Neotropical Birds, Cornell Lab of Ornithology"
    requests_per_query = 12

    def look(self, code: str, session: Session) -> Sequence[Capture]:
        """The sections of a code's account."""
        found = wayback.captures(session, _ACCOUNT.format(code), Scope.PREFIX)
        return [capture for capture in found if _section(capture) not in _NO_TEXT]


def _section(capture: Capture) -> str:
    return urlsplit(capture.original).path.rstrip("/").rpartition("/")[2].lower()
