"""What the collecting of a data set knows and its tables cannot say.

The build hands it to ``audit``, which keeps it in audit.json: a later audit takes it from there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fgbench.dataset.io import read_bytes
from fgbench.errors import InputError
from fgbench.manifest import show
from fgbench.protocol import Medium

AUDIT_FILE = "audit.json"


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that should be there and could not be had. ``source_url`` is canonical, keyless."""

    medium: Medium
    site: str
    label: int
    query: str
    source_url: str
    reason: str
    """A stable code, as ``timeout`` or ``http_5xx``."""
    detail: str = ""
    """The same for people, with the values."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What was asked for, what was read and what failed.

    ``read``: per medium and site how many instances the sources held, counted where they were
    read: the audit holds the tables against it. ``options``: how the build was called.
    """

    labels: tuple[int, ...]
    per_class: Mapping[Medium, int]
    read: Mapping[Medium, Mapping[str, int]]
    failed: tuple[Failed, ...] = ()
    options: Mapping[str, str | int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it stands in audit.json: in an order that depends on its values alone."""
        failed = sorted(map(asdict, self.failed), key=lambda f: [str(v) for v in f.values()])
        return {
            "labels": sorted(self.labels),
            "per_class": dict(sorted(self.per_class.items())),
            "read": {m: dict(sorted(sites.items())) for m, sites in sorted(self.read.items())},
            "failed": failed,
            "options": dict(sorted(self.options.items())),
        }


def recorded(folder: Path) -> Collected | None:
    """What the folder's audit.json keeps of its collecting; None where it has none (FG-A002)."""
    path = folder / AUDIT_FILE
    if not path.is_file():
        return None
    try:
        found = json.loads(read_bytes(path))["collected"]
        return found and Collected(
            labels=tuple(map(_whole, found["labels"])),
            per_class={Medium(m): _whole(n) for m, n in found["per_class"].items()},
            read={
                Medium(m): {str(site): _whole(n) for site, n in sites.items()}
                for m, sites in found["read"].items()
            },
            failed=tuple(
                Failed(**{**f, "medium": Medium(f["medium"]), "label": _whole(f["label"])})
                for f in found["failed"]
            ),
            options=dict(found["options"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            "FG-A002",
            f"{path} is not as a build writes it: {show(repr(error))}",
            why="It says how many instances were read and which sources failed.",
            fix="Restore it, or build again; without it the audit tells only what the tables hold.",
        ) from error


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is no whole number")
    return value
