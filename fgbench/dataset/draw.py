"""Seeded draws that depend on a name alone, never on position or on what else there is."""

from __future__ import annotations

import hashlib


def draw(seed: int, *names: object) -> int:
    """A uniform 64-bit number for ``names``: the same for the same seed, in any order of asking.

    Sorting by it is a random order that adding or removing others leaves as it was.
    """
    message = "\x1f".join([str(seed), *map(str, names)]).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(message, digest_size=8).digest(), "big")
