"""The user's keys: put on the wire where they belong, taken out of everything that is kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from urllib.parse import quote, quote_plus, urlsplit

from fgbench.collect.sites.base import Auth, Failure, FetchFailed
from fgbench.settings import Secret

MARK = "[key]"
"""What stands where a key stood."""

_SHORTEST = 6
"""A shorter key is not looked for in bodies: it would be found in ordinary words."""


class Keys:
    """Signs requests and redacts what comes back; a logging filter too."""

    def __init__(self, keys: Mapping[str, Secret]) -> None:
        self._keys = {name: secret.reveal() for name, secret in keys.items()}
        forms = {
            form
            for key in self._keys.values()
            if len(key) >= _SHORTEST
            for form in (key, quote(key, safe=""), quote_plus(key), json.dumps(key)[1:-1])
        }
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __repr__(self) -> str:
        return f"Keys({', '.join(sorted(self._keys))})"

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def sign(self, auth: Auth | None, url: str, address: str) -> tuple[str, dict[str, str]]:
        """The address and the headers of a request for a canonical URL, with its key if it has one.

        Raises ``FetchFailed`` (no_key) where one is needed and the user gave none.
        """
        if auth is None or not auth.covers(url):
            return address, {}
        if auth.key not in self._keys:
            raise FetchFailed(Failure.NO_KEY, url, f"needs a key of your own: set {auth.key}")
        key = self._keys[auth.key]
        if auth.header:
            return address, {auth.header: f"{auth.scheme} {key}".lstrip()}
        joint = "&" if urlsplit(address).query else "?"
        return f"{address.rstrip('?')}{joint}{auth.parameter}={quote(key, safe='')}", {}

    def redact(self, text: str) -> str:
        """The text without any key, as it is or escaped for a URL or JSON."""
        for form in self._forms:
            text = text.replace(form, MARK)
        return text

    def redact_bytes(self, body: bytes) -> bytes:
        """The same of a body: some sites repeat the key in the links of an answer."""
        for form in self._forms:
            body = body.replace(form.encode("ascii"), MARK.encode("ascii"))
        return body

    def filter(self, record: logging.LogRecord) -> bool:
        """Redacts a log record: urllib3 logs whole addresses, and errors that quote an answer."""
        record.msg, record.args = self.redact(record.getMessage()), ()
        record.exc_info = record.exc_text = None
        return True
