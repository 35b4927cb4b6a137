"""What a person decided on each doubtful item: ``OUT/review.parquet``, one row an item.

Item ids are made from content, so that a build from nothing meets its decisions again. Every
decision is on the disk before the next: a reviewer that is killed loses none that it confirmed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import pyarrow as pa

from fgbench.collect.crawl.lock import acquire
from fgbench.dataset.io import read_table, write_table
from fgbench.dataset.schema import Column, Row
from fgbench.errors import InputError

REVIEW_FILE = "review.parquet"


class Decision(StrEnum):
    """What to do with a doubtful item."""

    KEEP = "keep"
    DROP = "drop"


REVIEW: tuple[Column, ...] = (
    Column("item_id", pa.string(), "The item, as in the manifests and in rejected", True),
    Column("decision", pa.string(), "keep or drop", True, frozenset(Decision)),
    Column("decided_at", pa.string(), "When, ISO 8601 UTC", True),
    Column("reviewer", pa.string(), "Who, where they gave a name"),
)


def replay(folder: Path) -> Mapping[str, Decision]:
    """The decisions in a build folder, by item_id; none where nobody has reviewed.

    Raises ``InputError`` or ``FaultyInput`` (FG-D…) for a file that cannot be used.
    """
    return _decided(_read(folder))


class Decisions:
    """The decisions of a build folder, held by one process: read, made, taken back.

    ``with Decisions(folder, reviewer) as decisions``; any thread may use it. Raises ``InputError``
    where another process reviews the folder (FG-V002).
    """

    def __init__(self, folder: Path, reviewer: str | None = None) -> None:
        self._folder, self._reviewer = folder, reviewer
        self._guard = threading.Lock()
        self._held = _hold(folder)
        try:
            self._rows = _read(folder)
        except BaseException:
            os.close(self._held)
            raise
        in_order = sorted(self._rows, key=lambda item: str(self._rows[item]["decided_at"]))
        self._undo: list[tuple[str, Row | None]] = [(item, None) for item in in_order]

    def __enter__(self) -> Decisions:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._held)

    def get(self, item: str) -> Decision | None:
        """The decision on an item, if there is one."""
        row = self._rows.get(item)
        return Decision(row["decision"]) if row else None

    def all(self) -> Mapping[str, Decision]:
        """Every decision, by item_id."""
        return _decided(self._rows)

    def decide(self, item: str, decision: Decision) -> None:
        """Decides on an item, in place of what was decided before. On disk when it returns."""
        row: Row = {
            "item_id": item,
            "decision": decision.value,
            "decided_at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "reviewer": self._reviewer,
        }
        with self._guard:
            before = self._rows.get(item)
            self._save(self._rows | {item: row})
            self._undo.append((item, before))

    def undo(self, among: Container[str]) -> str | None:
        """Takes back the last decision on one of these items and returns which; None: there is none

        Decisions of earlier runs are taken back too, the latest first.
        """
        with self._guard:
            for place in reversed(range(len(self._undo))):
                item, before = self._undo[place]
                if item in among:
                    rest = {i: row for i, row in self._rows.items() if i != item}
                    self._save(rest | ({item: before} if before else {}))
                    del self._undo[place]
                    return item
            return None

    def _save(self, rows: dict[str, Row]) -> None:
        """Writes first: a decision that could not be written was not made."""
        write_table(self._folder / REVIEW_FILE, rows.values(), REVIEW)
        self._rows = rows


def _decided(rows: Mapping[str, Row]) -> Mapping[str, Decision]:
    return {item: Decision(row["decision"]) for item, row in rows.items()}


def _read(folder: Path) -> dict[str, Row]:
    path = folder / REVIEW_FILE
    if not path.is_file():
        return {}
    return {row["item_id"]: row for row in read_table(path, REVIEW).to_pylist()}


def _hold(folder: Path) -> int:
    """Holds a folder's decisions for this process until the descriptor is closed."""

    def refuse(holder: str) -> InputError:
        return InputError(
            "FG-V002",
            f"{folder} is under review already ({holder})",
            why="Two reviewers would overwrite each other's decisions.",
            fix="Use the page that is open, or stop that process first.",
        )

    return acquire(folder / ".review.lock", refuse)
