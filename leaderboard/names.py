"""Names of methods: the folder of each, and whether a reader could take one for another."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from fgbench.errors import Fault
from fgbench.published import published
from fgbench.submission.findings import quote

from .faults import Code, fault

MAX_NAME = 60
MAX_SLUG = 64

_LATIN = str.maketrans(
    # Cyrillic, Greek, and Latin's own doubles.
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικνορτυχıɑɡ",
    "ABESIJKMHOPCTYXaesijopcyxdqwhABEZHIKMNOPTYXayikvoptuxiag",
)
_SLIM = str.maketrans("I1|ǀ0", "llllO")
"""What looks alike where case is kept; where it is not, only 0 and o do."""


@dataclass(frozen=True, slots=True)
class Named:
    """A submission under its name; ``where`` says to people which one is meant."""

    where: str
    name: str
    submission: str


@cache
def slug(name: str) -> str:
    """The folder of a method: a-z, 0-9 and hyphens, at most 64 signs.

    Where letters are lost on the way a digest of the name takes their place.

    >>> slug("DBFC-Net (cosine+)")
    'dbfc-net-cosine-plus'
    """
    plain = unicodedata.normalize("NFKD", name).casefold().replace("+", " plus ")
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    short = "-".join(re.findall("[a-z0-9]+", plain))
    lost = any(sign.isalnum() and not sign.isascii() for sign in plain)
    if short and not lost and len(short) <= MAX_SLUG:
        return short
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{short[: MAX_SLUG - 9].strip('-')}-{digest}".strip("-")


def place(name: str, submission: str) -> str:
    """The folder of a submission among the results; ``submission`` is its SHA-256."""
    return f"{slug(name)}/{submission[:12]}"


@cache
def _skeletons(name: str) -> tuple[str, str]:
    """What a reader sees of a name: once with its case, once without."""
    plain = "".join(
        sign
        for sign in unicodedata.normalize("NFKD", name)
        if unicodedata.category(sign) not in ("Mn", "Me", "Cf", "Zs", "Pd") and sign not in "_−"
    ).translate(_LATIN)
    return plain.translate(_SLIM), plain.casefold().replace("0", "o")


def looks_like(one: str, other: str) -> bool:
    """Whether a reader could take one name for the other.

    Case, blanks, hyphens and accents do not tell names apart, nor do Cyrillic and Greek letters in
    the shape of Latin ones, 0 for O, or 1 and I for l. Known look-alikes only: not every pair that
    some typeface makes alike.
    """
    pairs = zip(_skeletons(one), _skeletons(other), strict=True)
    return slug(one) == slug(other) or any(a == b for a, b in pairs)


def clash_faults(one: Named, other: Named) -> list[Fault]:
    """A name that two submissions share or that looks alike, or one submission that came twice."""
    where = f"{one.where} and {other.where}"
    if one.name == other.name:
        return [fault(Code.SECOND, where, quote(one.name))]
    faults = []
    if looks_like(one.name, other.name):
        found = f"{quote(one.name)} and {quote(other.name)}"
        faults.append(fault(Code.LOOK_ALIKE, where, found))
    if one.submission == other.submission:
        faults.append(fault(Code.TWICE, where, f"SHA-256 {quote(one.submission[:12])}…"))
    return faults


def printed_faults(entry: Named) -> list[Fault]:
    """A name that looks like that of a published method.

    The very name is right: that is how a rerun is set beside what was printed.
    """
    return [
        fault(
            Code.LOOK_ALIKE,
            entry.where,
            f"{quote(entry.name)}, like the published {method.name!r}",
            expected=f"{method.name!r}, if it is that method; else a name of its own",
        )
        for method in published()
        if entry.name != method.name and looks_like(entry.name, method.name)
    ]
