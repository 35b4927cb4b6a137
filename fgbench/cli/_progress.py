"""A progress bar on stderr, for verbs that call the library with a ``progress`` callback."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

PATIENCE = 2.0
"""Seconds before the bar shows: most work is done by then."""


class Bar:
    """Shows what part of the work is done, once it takes longer than ``PATIENCE``.

    Pass it as ``progress``, inside its own ``with``; nothing shows where stderr is no terminal.
    """

    def __init__(self, label: str) -> None:
        self._since = time.monotonic()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not Console(stderr=True).is_terminal,
        )
        self._task = self._progress.add_task(label, total=1.0)
        self._shown = False

    def __call__(self, part: float) -> None:
        if not self._shown and time.monotonic() - self._since > PATIENCE:
            self._progress.start()
            self._shown = True
        self._progress.update(self._task, completed=part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
