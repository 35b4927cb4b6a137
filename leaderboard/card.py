"""The card of a method: what the board says of it beside the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fgbench.dataset.rendering import address
from fgbench.errors import Fault
from fgbench.submission.findings import quote

from .document import read_fields
from .faults import Code, fault, shorten
from .names import MAX_NAME
from .text import text_faults, tidy

MAX_ENTRIES = 50
"""Of a list or a mapping."""
MAX_KEY = 60
_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list of texts",
    dict: "texts by name",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class Field:
    """What a field of the card may hold.

    ``longest``: signs of a text, and of each text of a list or a mapping; ``least`` and ``most``:
    of a number.
    """

    what: str
    kinds: tuple[type, ...]
    longest: int = 200
    least: float = 0
    most: float = 1e15
    needed: bool = False
    url: bool = False

    @property
    def span(self) -> str:
        """The bounds of a number, in words."""
        sign = "," if self.most > 9999 else ""
        return f"{self.least:{sign}.0f} to {self.most:{sign}.0f}"


FIELDS: Mapping[str, Field] = {
    "method": Field("the name on the board", (str,), longest=MAX_NAME, needed=True),
    "authors": Field("who stands behind it", (str, list), needed=True),
    "year": Field("when it was made public", (int,), least=1980, most=2100, needed=True),
    "extra_data": Field(
        "training data beyond the benchmark's own, pre-training left aside; `false` for none",
        (str, list, bool),
        needed=True,
    ),
    "pretraining": Field("what the weights were trained on before", (str, list)),
    "generalist": Field("`true` if it was not trained on this benchmark's training items", (bool,)),
    "backbone": Field("the networks, or the features that it starts from", (str,)),
    "paper": Field("the reference, as text", (str,), longest=500),
    "paper_url": Field("where to read it", (str,), longest=500, url=True),
    "code_url": Field("where its code is", (str,), longest=500, url=True),
    "command": Field("what reproduces the submission", (str,), longest=500),
    "deviations": Field("where it departs from its paper, and why", (list, dict), longest=500),
    "parameters": Field("of all networks together", (int,)),
    "dimension": Field("of the embedding", (int,), least=1, most=1e6),
    "embedding_time": Field("seconds for all test items", (int, float), most=1e9),
    "licence": Field("of code and weights", (str,)),
    "notes": Field("what else a reader should know", (str,), longest=2000),
}
"""Every field of a card, in the order in which a record holds them."""


def read_card(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The card that a YAML file holds, its texts tidied; and everything that is wrong with it."""
    fields, faults = read_fields(path)
    if not fields and faults:
        return {}, faults
    card = {name: tidy(value) for name, value in fields.items()}
    return card, faults + card_faults(card, str(path))


def complete(card: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    """The card with what it leaves out and the submission's own ``meta`` says.

    Of ``meta`` only the fields of a card count.
    """
    taken = {name: tidy(meta[name]) for name in FIELDS if meta.get(name) is not None}
    both = {**taken, **card}
    return {name: both[name] for name in (*FIELDS, *card) if name in both}


def card_faults(card: Mapping[str, Any], where: str) -> list[Fault]:
    """Everything that keeps a card from the board."""
    faults = [
        fault(Code.MISSING, where, f"no {name}", expected=f"{name}: {field.what}")
        for name, field in FIELDS.items()
        if field.needed and name not in card
    ]
    unknown = [_unknown(where, name) for name in card if name not in FIELDS]
    for name, field in FIELDS.items():
        if name in card:
            faults += value_faults(f"{where}, {name}", card[name], field)
    return faults + shorten(unknown)


def _unknown(where: str, name: str) -> Fault:
    near = get_close_matches(name[:MAX_KEY].casefold(), FIELDS, n=1)
    fix = f"did you mean {near[0]}?" if near else ""
    known = ", ".join(FIELDS)
    return fault(Code.UNKNOWN, where, quote(name), expected=f"one of {known}", fix=fix)


def value_faults(where: str, value: Any, field: Field) -> list[Fault]:
    """What is wrong with the value of a field."""
    if type(value) not in field.kinds:  # a bool is an int to isinstance
        wanted = " or ".join(_WORDS[kind] for kind in field.kinds)
        return [fault(Code.TYPE, where, _in_words(value), expected=wanted)]
    if isinstance(value, str):
        return text_faults(where, value, field.longest) or _url_faults(where, value, field)
    if isinstance(value, list | dict):
        return _entries_faults(where, value, field)
    if not field.least <= value <= field.most:  # nor is NaN
        return [fault(Code.BOUNDS, where, str(value)[:60], expected=field.span)]
    return []


def _in_words(value: Any) -> str:
    return _WORDS.get(type(value), type(value).__name__)


def _url_faults(where: str, value: str, field: Field) -> list[Fault]:
    """Refuses what ``address`` would mend, too: a link must be what it shows."""
    if not field.url or (address(value) == value and "@" not in urlsplit(value).netloc):
        return []
    return [fault(Code.URL, where, quote(value))]


def _entries_faults(where: str, value: list[Any] | dict[Any, Any], field: Field) -> list[Fault]:
    faults = []
    if not 1 <= len(value) <= MAX_ENTRIES:
        wanted = f"1 to {MAX_ENTRIES} entries"
        faults.append(fault(Code.BOUNDS, where, f"{len(value):,} entries", expected=wanted))
    texts: list[tuple[Any, int]] = []
    if isinstance(value, dict):
        texts += [(key, MAX_KEY) for key in value]
        value = list(value.values())
    texts += [(entry, field.longest) for entry in value]
    for text, longest in texts[: 2 * MAX_ENTRIES]:
        if isinstance(text, str):
            faults += text_faults(where, text, longest)
        else:
            found = f"{_in_words(text)} in it"
            faults.append(fault(Code.TYPE, where, found, expected="texts alone"))
    return shorten(faults)
