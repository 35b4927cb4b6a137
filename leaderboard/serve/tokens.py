"""Tokens: 256 random bits that name their team, of which the server keeps a digest alone.

A digest of so much chance cannot be guessed back, so it needs no slow hash: those are for
passwords, which people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_FORM = re.compile(r"fgb_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_NOBODYS = "0" * 64


def make_token() -> tuple[str, str]:
    """A new token and the key in it, by which its team is looked up."""
    key = secrets.token_hex(8)
    return f"fgb_{key}_{secrets.token_urlsafe(32)}", key


def make_secret() -> str:
    """What a browser holds while a team is signed in."""
    return secrets.token_urlsafe(32)


def key_of(token: str) -> str | None:
    """The key in a token; None where it has not the form of one."""
    found = _FORM.fullmatch(token)
    return found[1] if found else None


def digest(secret: str) -> str:
    """What is stored of a token or a browser's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def matches(token: str, stored: str | None) -> bool:
    """Whether it is the token of a digest, in the same time wherever they differ.

    Without a digest, as for a key that nobody has, the same is done in vain.
    """
    same = hmac.compare_digest(digest(token), stored or _NOBODYS)
    return same and stored is not None
