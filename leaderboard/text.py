"""Text of unknown origin: whether it can be shown on a line, and nothing hides in it."""

from __future__ import annotations

import unicodedata
from typing import Any

from fgbench.errors import Fault
from fgbench.submission.findings import quote

from .faults import Code, fault

BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Signs that Unicode counts as letters or symbols, and that show nothing."""
MAX_MARKS = 4
"""Accents on one letter, as UTS #39 bounds them; more of them cover the lines above and below."""


def tidy(value: Any) -> Any:
    """A text in composed form with single blanks, also inside lists and mappings."""
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    if isinstance(value, list):
        return [tidy(entry) for entry in value]
    if isinstance(value, dict):
        return {tidy(key): tidy(entry) for key, entry in value.items()}
    return value


def escape(text: str) -> str:
    """At most 400 signs of a text, fit for a terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:400])


def text_faults(where: str, text: str, longest: int) -> list[Fault]:
    """What keeps a text of at most ``longest`` signs from being shown on one line."""
    faults = []
    if not 0 < len(text.strip()) <= len(text) <= longest:
        found = f"{len(text):,} signs: {quote(text)}" if text.strip() else "nothing"
        faults.append(fault(Code.BOUNDS, where, found, expected=f"1 to {longest:,} signs"))
    shown = text[: longest + 1]
    hidden = [sign for sign in dict.fromkeys(shown) if not sign.isprintable() or sign in BLANKS]
    if hidden:
        listed = ", ".join(f"U+{ord(sign):04X}" for sign in hidden[:5])
        faults.append(fault(Code.SIGNS, where, f"{listed} in {quote(text)}"))
    elif _marks(shown) > MAX_MARKS:
        found = f"more than {MAX_MARKS} accents on one letter"
        faults.append(fault(Code.SIGNS, where, found))
    return faults


def _marks(text: str) -> int:
    """The most marks in a row."""
    signs = "".join("m" if unicodedata.category(sign)[0] == "M" else " " for sign in text)
    return max(map(len, signs.split()), default=0)
