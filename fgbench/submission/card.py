"""The method's card: the JSON object that ``meta`` holds, bounded and free of surprises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Never

from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings, quote

MAX_CHARACTERS = 65_536
MAX_DEPTH = 8

KEYS: Mapping[str, tuple[type, ...]] = {
    "method": (str,),
    "authors": (str, list),
    "year": (int,),
    "paper": (str,),
    "code": (str,),
    "extra_data": (str, list, bool),
    "pretraining": (str, list),
    "parameters": (int,),
    "dimension": (int,),
    "embedding_time": (int, float),
    "licence": (str,),
}
"""The keys that have a meaning, with their types; ``embedding_time`` is in seconds. Any of them may
be null or absent, and other keys may stand beside them."""


def read_card(text: str, findings: Findings) -> dict[str, Any]:
    """The card in ``text``; {} where it is at fault, which ``findings`` then says."""
    try:
        card = json.loads(text, parse_constant=_refuse_constant)
        if not isinstance(card, dict):
            raise ValueError(f"a JSON {type(card).__name__}, not an object")
        _check_value(card, "meta", 1)
    except (ValueError, RecursionError) as error:
        findings.add(Code.META, "meta", str(error)[:300])
        return {}
    for key, kinds in KEYS.items():
        value = card.get(key)
        wrong = (isinstance(value, bool) and bool not in kinds) or not isinstance(value, kinds)
        if value is not None and wrong:
            findings.add(
                Code.META,
                f"meta, key {key}",
                f"{quote(str(value))} ({type(value).__name__})",
                expected=" or ".join(kind.__name__ for kind in kinds),
            )
    return card


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name}, which is not JSON")


def _check_value(value: object, where: str, depth: int) -> None:
    """Raise ``ValueError`` for what the record, strict JSON in UTF-8, could not hold."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: a number beyond float64")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"{where}: half of a surrogate pair") from error
    if isinstance(value, dict):
        for key, entry in value.items():
            _check_value(key, f"{where}, a key", depth + 1)
            _check_value(entry, f"{where}, key {quote(key)}", depth + 1)
    if isinstance(value, list):
        for entry in value:
            _check_value(entry, where, depth + 1)
