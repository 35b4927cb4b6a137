"""The English Wikipedia, through its Action API."""

from __future__ import annotations

from fgbench.collect.sites.base import Access
from fgbench.collect.sites.mediawiki import MediaWiki


class Wikipedia(MediaWiki):
    """Article titles are the common names of the IOC list in sentence case; others redirect there.

    The API's etiquette (read in 2026) asks for a User-Agent with a contact and for requests in
    series, and states no rate; old revisions are taken 2 seconds apart, since they are in no cache.
    """

    name = "wikipedia"
    home = "https://en.wikipedia.org/"
    hosts = ("en.wikipedia.org",)
    terms_url = "https://www.mediawiki.org/wiki/Wikimedia_APIs/Access_policy"
    access = Access.OPEN
    licence = "CC BY-SA as the wiki's own rightsinfo states it; credit title, revision and authors."
    rule = "the Action API's access policy and etiquette; robots.txt keeps crawlers out of /w/"
    note = "--as-of takes each article's last revision before a date."
    api = "https://en.wikipedia.org/w/api.php"
    articles = "https://en.wikipedia.org/wiki/"
    authors = "Wikipedia contributors"
