"""The result record: everything that a board, a paper or a colleague needs to believe a number.

A dataclass on our side, strict JSON (no NaN, no Infinity) on disk. Equal inputs give equal bytes;
time, threads and host are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from fgbench.errors import Fault, FaultyInput
from fgbench.protocol import PROTOCOL_VERSION

RECORD_VERSION = 1


class Status(StrEnum):
    """How far a number can be trusted, best first."""

    VERIFIED = "verified"
    REPRODUCED = "reproduced"
    SELF_REPORTED = "self-reported"
    FROM_PAPER = "from-paper"


@dataclass(frozen=True, slots=True)
class Mean:
    """A MAP, or a mean of MAPs. Intervals are 95 %, null where they are undefined.

    ``map`` leaves the query out of its own gallery; the ``_self_included`` twins, for X→All only,
    leave it in; ``map_paper`` breaks ties as the authors' script does and is null unless asked for.
    """

    map: float
    ci95: tuple[float, float] | None
    map_self_included: float | None = None
    ci95_self_included: tuple[float, float] | None = None
    map_paper: float | None = None


@dataclass(frozen=True, slots=True)
class TaskScore(Mean):
    """One task. ``queries``: how many were asked; ``secondary``: other measures by name.

    ``first``: the share of queries whose first place holds the same species, else the same genus,
    family, order, or none of these; ``confused``: the commonest [query label, first label, queries]
    of different labels. Ties count in parts. ``classes``: MAP of each label's queries, six digits.
    """

    queries: int = 0
    secondary: Mapping[str, float] = field(default_factory=dict)
    first: Mapping[str, float] = field(default_factory=dict)
    confused: tuple[tuple[int, int, float], ...] = ()
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One submission scored against one benchmark under one protocol."""

    benchmark: Mapping[str, Any]
    """id, title, split_column, files (name to SHA-256), items (medium to count), labels."""
    submission: Mapping[str, Any]
    """sha256, space, binary, media, notes, and meta: the method's card."""
    scores: Mapping[str, TaskScore]
    means: Mapping[str, Mean]
    """``bimodal`` and ``multimodal``; only those whose tasks are all there."""
    complete: bool
    missing: Mapping[str, str]
    """Tasks of the benchmark without a score, each with what the submission lacks for it."""
    merge: str | None
    """How separately learned similarities were calibrated for X→All; null in a common space."""
    bootstrap: Mapping[str, Any]
    per_query: Mapping[str, Any]
    """file, sha256, rows: the values that every number here is a view of."""
    package_version: str
    status: Status = Status.SELF_REPORTED
    protocol: str = PROTOCOL_VERSION
    record_version: int = RECORD_VERSION

    def to_json(self) -> str:
        """Strict JSON; the same record gives the same text."""
        head = ("record_version", "protocol", "package_version", "status", "complete")
        known = asdict(self)
        ordered = {k: known[k] for k in head} | {k: v for k, v in known.items() if k not in head}
        return json.dumps(ordered, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Record:
        """Read a record; raises ``FaultyInput`` (FG-K001) with all that is not as it should be."""
        try:
            document = json.loads(text, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise FaultyInput(
                "The record cannot be read", [_fault("record", str(error))]
            ) from error
        faults = _faults(document)
        if faults:
            raise FaultyInput("The record cannot be read", faults)
        parts = {f.name: document[f.name] for f in fields(cls)}
        parts["scores"] = {k: TaskScore(**_tuples(v)) for k, v in document["scores"].items()}
        parts["means"] = {k: Mean(**_tuples(v)) for k, v in document["means"].items()}
        parts["status"] = Status(document["status"])
        return cls(**parts)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _fault(where: str, found: str, expected: str = "as `fgbench score` wrote it") -> Fault:
    return Fault("FG-K001", where, found[:120], expected, "score the submission again")


def _tuples(score: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the dataclasses' tuples."""
    made = {k: tuple(v) if isinstance(v, list) else v for k, v in score.items()}
    if "confused" in made:
        made["confused"] = tuple(tuple(c) for c in made["confused"])
    return made


def _faults(document: Any) -> list[Fault]:
    if not isinstance(document, dict):
        return [_fault("record", type(document).__name__, "an object")]
    known = {f.name for f in fields(Record)}
    faults = [_fault(k, "missing") for k in sorted(known - set(document))]
    faults += [_fault(str(k), "unknown key") for k in sorted(set(document) - known)]
    if document.get("record_version", RECORD_VERSION) != RECORD_VERSION:
        found, wanted = repr(document["record_version"]), f"version {RECORD_VERSION}"
        faults.append(_fault("record_version", found, wanted))
    if document.get("status", Status.VERIFIED.value) not in [s.value for s in Status]:
        faults.append(_fault("status", repr(document["status"]), ", ".join(Status)))
    for group, kind in (("scores", TaskScore), ("means", Mean)):
        entries = document.get(group, {})
        if not isinstance(entries, dict):
            faults.append(_fault(group, type(entries).__name__, "an object"))
            continue
        for name, score in entries.items():
            faults += _score_faults(f"{group}.{name}", score, {f.name for f in fields(kind)})
    return faults


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _score_faults(where: str, score: Any, known: set[str]) -> list[Fault]:
    if not isinstance(score, dict) or set(score) != known:
        return [_fault(where, str(score), f"an object with {', '.join(sorted(known))}")]
    faults = []
    if not all(isinstance(c, list) and len(c) == 3 for c in _list(score.get("confused", []))):
        faults.append(_fault(f"{where}.confused", str(score["confused"]), "a list of triples"))
    for key in ("map", "map_self_included", "map_paper"):
        value = score[key]
        if value is None and key != "map":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            faults.append(_fault(f"{where}.{key}", repr(value), "a number from 0 to 1"))
    for key in ("ci95", "ci95_self_included"):
        bounds = score[key]
        if bounds is not None and not (
            isinstance(bounds, list)
            and len(bounds) == 2
            and all(isinstance(b, int | float) and 0 <= b <= 1 for b in bounds)
            and bounds[0] <= bounds[1]
        ):
            faults.append(
                _fault(f"{where}.{key}", repr(bounds), "two numbers from 0 to 1, or null")
            )
    return faults
