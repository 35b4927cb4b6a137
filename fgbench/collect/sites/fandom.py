"""birds.fandom.com, a wiki of Fandom, through its Action API."""

from __future__ import annotations

from fgbench.collect.sites.base import Access
from fgbench.collect.sites.mediawiki import MediaWiki


class Fandom(MediaWiki):
    """Pages under ``/wiki/`` answer programs with 403 (seen in 2026); the API answers them.

    Much of its text was copied from Wikipedia: the near-duplicate stage finds it. Its rightsinfo
    says ``CC-BY-SA`` without a version (seen on other wikis of Fandom in 2026).
    """

    name = "fandom"
    home = "https://birds.fandom.com/"
    hosts = ("birds.fandom.com",)
    terms_url = "https://www.fandom.com/terms-of-use"
    access = Access.OPEN
    licence = "CC BY-SA as the wiki's own rightsinfo states it; credit title, revision and authors."
    rule = "the Action API under Fandom's terms of use"
    note = "--as-of takes each article's last revision before a date."
    api = "https://birds.fandom.com/api.php"
    articles = "https://birds.fandom.com/wiki/"
    authors = "birds.fandom.com contributors"
