"""The numbers that papers print for this benchmark: the one place of them in the project."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from importlib import resources

from fgbench.errors import InputError
from fgbench.protocol import Convention, tasks

MEAN_BIMODAL = "mean_bimodal"
MEAN_MULTIMODAL = "mean_multimodal"


class Origin(StrEnum):
    """Who printed a number."""

    FROM_PAPER = "from-paper"
    UNOFFICIAL = "unofficial"


@dataclass(frozen=True, slots=True)
class Note:
    """A doubt or a remark that a number must not be shown without."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A number as printed, where it is printed, and what to know about it."""

    value: Decimal
    table: str
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class PublishedMethod:
    """A method and all its printed numbers.

    ``values``: by task code, those that are printed. ``means``: the printed averages, by
    ``mean_bimodal`` and ``mean_multimodal``. Empty strings: the source does not say.
    """

    key: str
    name: str
    year: int
    origin: Origin
    source: str
    convention: Convention
    variant_of: str
    """Key of the method that this is a variant of; empty for a method of its own."""
    backbone: str
    extra_data: str
    embedding: str
    values: Mapping[str, Value]
    means: Mapping[str, Value]

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes on any of its numbers, each once."""
        cells = (*self.values.values(), *self.means.values())
        return tuple(dict.fromkeys(note for cell in cells for note in cell.notes))


@cache
def published() -> tuple[PublishedMethod, ...]:
    """All published methods, in the order of the file: the 2019 paper first."""
    notes = {row["key"]: Note(row["key"], row["text"]) for row in _rows("published_notes.csv")}
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _rows("published.csv"):
        rows.setdefault(row["method"], []).append(row)
    return tuple(_method(group, notes) for group in rows.values())


def digits(value: float) -> str:
    """A MAP as the field prints it: three digits, without the leading zero."""
    return f"{value:.3f}".removeprefix("0")


def find(key: str) -> PublishedMethod:
    """The published method of that key or name, whatever its case; ``InputError`` (FG-P001)."""
    names = {n.casefold(): m for m in published() for n in (m.name, m.key)}
    if method := names.get(key.strip().casefold()):
        return method
    keys = [m.key for m in published()]
    near = get_close_matches(key.strip().casefold(), names, n=1, cutoff=0.5)
    raise InputError(
        "FG-P001",
        f"no published numbers are known for {key!r}",
        why=f"Known: {', '.join(keys)}.",
        fix=f"Did you mean {names[near[0]].key}?" if near else "Name one of these.",
    )


def _rows(name: str) -> Iterable[dict[str, str]]:
    text = (resources.files("fgbench.manifests") / name).read_text("utf-8")
    return csv.DictReader(io.StringIO(text))


def _method(rows: list[dict[str, str]], notes: Mapping[str, Note]) -> PublishedMethod:
    first = rows[0]
    cells = {
        row["task"]: Value(
            Decimal(row["value"]), row["table"], tuple(notes[key] for key in row["notes"].split())
        )
        for row in rows
    }
    codes = [task.code for task in tasks()]
    return PublishedMethod(
        key=first["method"],
        name=first["name"],
        year=int(first["year"]),
        origin=Origin(first["origin"]),
        source=first["source"],
        convention=Convention(first["convention"]),
        variant_of=first["variant_of"],
        backbone=first["backbone"],
        extra_data=first["extra_data"],
        embedding=first["embedding"],
        values={code: cells[code] for code in codes if code in cells},
        means={m: cells[m] for m in (MEAN_BIMODAL, MEAN_MULTIMODAL) if m in cells},
    )
