"""Bird Watcher's Digest (birdwatchersdigest.com), a magazine that closed in December 2021."""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.collect.sites import wayback
from fgbench.collect.sites.archived import NamedPages
from fgbench.collect.sites.base import Session
from fgbench.collect.sites.wayback import Capture, Scope


class BirdWatchersDigest(NamedPages):
    """Its guide was ``/bwdsite/learn/identification/<group>/<name>.php``: from memory, not seen.

    That pages lay under ``/bwdsite/`` and ended in ``.php`` is known from links.
    """

    name = "birdwatchersdigest"
    home = "https://www.birdwatchersdigest.com/"
    terms_url = "https://www.birdwatchersdigest.com/"
    publisher = "Bird Watcher's Digest"

    def look(self, names: str, session: Session) -> Sequence[Capture]:
        """The pages of the guide: one listing for all species, asked once a build."""
        pages = "birdwatchersdigest.com/bwdsite/"
        return wayback.captures(session, pages, Scope.PREFIX, key=".*identification.*")
