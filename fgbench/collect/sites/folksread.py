"""folksread.com, of which nothing but its name in the paper is known."""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.collect.sites import wayback
from fgbench.collect.sites.archived import NamedPages
from fgbench.collect.sites.base import Session
from fgbench.collect.sites.wayback import Capture, Scope


class FolksRead(NamedPages):
    """No trace of it was found outside the paper (2026): the Archive may have nothing either."""

    name = "folksread"
    home = "http://folksread.com/"
    terms_url = "http://folksread.com/"
    publisher = "folksread.com"

    def look(self, names: str, session: Session) -> Sequence[Capture]:
        """All its pages: one listing for all species, asked once a build."""
        return wayback.captures(session, "folksread.com", Scope.DOMAIN)
