"""A session whose index lists given addresses, and whose copies are all one page."""

from __future__ import annotations

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

from fgbench.collect.sites.base import Response
from fgbench.collect.sites.wayback import HOST


class Archive:
    """The Internet Archive with one capture of each page; ``asked`` has every URL, in order."""

    def __init__(self, page: bytes, *addresses: str, as_of: str | None = None) -> None:
        self.page, self.addresses, self.as_of = page, addresses, as_of
        self.asked: list[str] = []

    def get(self, url: str) -> Response:
        self.asked.append(url)
        body = self.page if url.startswith(f"https://{HOST}/web/") else self._listing(url)
        return Response(url, 200, {}, body, "2026-11-01T12:00:00Z", "sha256:0")

    def canonical(self, url: str) -> str:
        return url

    def has_key(self, name: str) -> bool:
        return False

    def questions(self) -> list[dict[str, list[str]]]:
        """The parameters of every question to the index."""
        return [parse_qs(urlsplit(url).query) for url in self.asked if "/cdx?" in url]

    def _listing(self, url: str) -> bytes:
        question = parse_qs(urlsplit(url).query)
        (asked,), (scope,) = question["url"], question["matchType"]
        digest = base64.b32encode(hashlib.sha1(self.page).digest()).decode("ascii")
        rows = [
            [_key(address), "20181101000000", address, digest]
            for address in self.addresses
            if _covers(address, asked, scope)
        ]
        return json.dumps([["urlkey", "timestamp", "original", "digest"], *rows]).encode()


def _plain(address: str) -> str:
    return address.partition("//")[2].removeprefix("www.").lower()


def _key(address: str) -> str:
    host, slash, path = _plain(address).partition("/")
    return f"{','.join(reversed(host.split('.')))}){slash}{path}"


def _covers(address: str, asked: str, scope: str) -> bool:
    if scope == "domain":
        return f".{urlsplit(address).hostname}".endswith(f".{asked}")
    return (
        _plain(address) == asked if scope == "exact" else _plain(address).startswith(asked.lower())
    )
