"""The log of a run: a line of figures a call, as JSON, and the same as a table."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd


class RunLog:
    """``<stem>.jsonl``, which is only ever appended to, and ``<stem>.csv``, made of it.

    A file that is there is continued: :meth:`rewind` first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, **figures: float | int | str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(figures, ensure_ascii=False) + "\n")

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._path.stat().st_size if self._path.exists() else 0

    def rewind(self, size: int) -> None:
        """Forget what was said after so many bytes: it is done again."""
        if self.size > size:
            os.truncate(self._path, size)

    def tabulate(self) -> None:
        """Write the table: a row a line, a column for each name that any line has."""
        text = self._path.read_text("utf-8") if self._path.exists() else ""
        rows = [json.loads(line) for line in text.splitlines()]
        # Objects, or a column that some line lacks would turn whole numbers into others.
        table = pd.DataFrame(rows, dtype=object)
        table.to_csv(self._path.with_suffix(".csv"), index=False, lineterminator="\n")
